// A driver: it answers the messages of httplib-kit with what a client in JavaScript does.
//
//   node driver.mjs [FILE [ARGUMENT ...]]      (or deno run -A, or bun)
//
// FILE, by default client.mjs in this directory, exports `name`, `version`, `features`, an asynchronous `exchange(asked)`,
// which gives status, reason, fields and content, or throws, and `release()`, which closes what the exchanges of a case have
// opened.  Nothing here has to be changed for another client.
import process from "node:process";
import readline from "node:readline";
import { Buffer } from "node:buffer";
import { pathToFileURL } from "node:url";

// What the client is asked to do; milliseconds for `timeout`.  `fields` are pairs that the caller adds; `consume` is read,
// part (`amount` bytes, then close the response), drop (let go of it unread, with null for its content) or timeout.  `ca` is
// the file of the authority to trust, for a client with the feature `tls`.
function askedBy(given, { url, certificates }) {
  return {
    method: "GET",
    consume: "read",
    amount: 0,
    ...given,
    url: given.target === undefined ? url : new URL(url).origin + given.target,
    fields: given.fields?.value ?? [],
    body: given.body ? Buffer.from(given.body.value, "latin1") : undefined,
    timeout: given.timeout ? given.timeout * 1000 : 5000,
    ca: certificates?.ca?.chain,
  };
}

// One character for each byte, as the protocol has it.  A client may give text that it has decoded as UTF-8.
function octets(text) {
  if (text === null || text === undefined) return null;
  if (typeof text !== "string") return Buffer.from(text).toString("latin1");
  return [...text].every((one) => one.codePointAt(0) < 256) ? text : Buffer.from(text).toString("latin1");
}

function* story(error) {
  for (let one = error; one; one = one.cause) yield octets(`${one.name ?? "Error"} ${one.code ?? ""}: ${one.message ?? one}`);
}

async function outcome(client, asked) {
  try {
    const [status, reason, fields, content] = await client.exchange(asked);
    const headers = fields && fields.map(([name, value]) => [octets(name), octets(value ?? "")]);
    return { value: { type: "response", status, reason: octets(reason), headers: headers ?? null, body: octets(content) } };
  } catch (error) {
    const texts = [...story(error)];
    return { error: { class: error?.name ?? "Error", message: texts.at(-1) ?? String(error), causes: texts } };
  }
}

async function answerTo(message, client, absent) {
  switch (message.type) {
    case "start":
      if (absent) return { error: { class: "NotInstalled", message: absent } };
      return { name: client.name, version: client.version, ops: ["fetch", "exchange"], features: client.features };
    case "run": {
      const known = (op) => op.call === "fetch" || op.call === "exchange";
      const entry = async (op) => ({
        id: op.id,
        ...(known(op) ? await outcome(client, askedBy(op.kwargs ?? {}, message)) : { unsupported: true }),
      });
      return { trace: await Promise.all(message.ops.map(entry)) };
    }
    case "release":
      await client.release();
      return {};
    default:
      return { unsupported: message.type };
  }
}

console.log = console.error; // what a client prints must not be an answer
for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, (error) => console.error(event, error));
const file = process.argv[2];
let client, absent;
try {
  client = await import(file ? pathToFileURL(file).href : "./client.mjs");
  await outcome(client, askedBy({}, { url: "http://127.0.0.1:1/" })); // loads the client before the first case
  await client.release();
} catch (error) {
  if (!/MODULE_NOT_FOUND|NotInstalled/.test(error.code)) throw error;
  absent = error.message.split("\n")[0];
}
for await (const line of readline.createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (message.type === "stop") break;
  const answer = await answerTo(message, client, absent);
  process.stdout.write(JSON.stringify({ ...answer, serial: message.serial }) + "\n");
}
process.exit(0);
