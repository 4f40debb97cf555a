// The worker for the two clients in node: its global `fetch`, and its module `http`.
//
// In: `fetch` or `http` as the argument, then messages of the driver protocol on standard input.  Out: one line each on
// standard output.  An adapter gets a URL and returns status, reason, fields and content; it follows no redirect and
// repeats nothing.  A table for each maps the codes and messages of its errors to categories.
"use strict";

const http = require("node:http");
const readline = require("node:readline");

const TIMEOUT = 5000; // milliseconds, beyond the deadline of the kit: whether a client waits is told by that alone

const adapters = {
  async fetch(url) {
    const answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT) });
    const content = Buffer.from(await answer.arrayBuffer());
    const reason = Buffer.from(answer.statusText).toString("latin1"); // it is decoded as UTF-8
    return { status: answer.status, reason, headers: [...answer.headers], content };
  },

  async http(url) {
    const [answer, pieces, rest] = await new Promise((resolve, reject) => {
      const request = http.get(url, { agent: false, timeout: TIMEOUT });
      request.on("response", (response) => resolve([response, [], response]));
      request.on("error", reject);
      request.on("upgrade", (response, socket, head) => resolve([response, [head], socket]));
      request.on("timeout", () => request.destroy(new Error("timeout")));
    });
    for await (const piece of rest) pieces.push(piece); // after an upgrade, what follows is on the socket
    const raw = answer.rawHeaders;
    const headers = raw.flatMap((name, index) => (index % 2 ? [] : [[name, raw[index + 1]]]));
    return { status: answer.statusCode, reason: answer.statusMessage, headers, content: Buffer.concat(pieces) };
  },
};

// The first pattern that fits code or message of an error, or of one that led to it, decides.
const CATEGORIES = [
  [/HPE_INVALID_(CONSTANT|STATUS|VERSION)|Expected HTTP\/|Missing expected CR after response line/, "bad-status-line"],
  [/HPE_HEADER_OVERFLOW|HEADERS_OVERFLOW|overflow/i, "limit-exceeded"],
  [/HPE_INVALID_TRANSFER_ENCODING|HPE_UNEXPECTED_CONTENT_LENGTH|HPE_INVALID_CONTENT_LENGTH/, "bad-framing"],
  [/HPE_INVALID_CHUNK_SIZE|HPE_STRICT|chunk|Content-Length|Transfer-Encoding/i, "bad-framing"],
  [/HPE_(INVALID_HEADER_TOKEN|CR_EXPECTED|LF_EXPECTED)|header/i, "bad-header"],
  [/aborted|terminated|RES_CONTENT_LENGTH_MISMATCH|HPE_INVALID_EOF_STATE|HPE_CLOSED_CONNECTION/, "truncated-body"],
  [/timeout|TimeoutError/i, "timeout"],
  [/UND_ERR_SOCKET|ECONNRESET|socket hang up|other side closed|ECONNREFUSED|EPIPE/, "no-response"],
];

function* story(error) {
  for (let one = error; one instanceof Error; one = one.cause) yield `${one.name} ${one.code ?? ""}: ${one.message}`;
}

function facts(error) {
  const told = [...story(error)].reverse();
  const found = CATEGORIES.find(([pattern]) => told.some((text) => pattern.test(text)));
  // A client of node has no class of errors of its own: a code, or what fetch promises, tells them from accidents.
  const own = told.some((text) => / [A-Z_]+: /.test(text)) || /^(fetch failed|terminated|timeout)$/.test(error.message);
  return {
    class: error.name,
    bases: [],
    attributes: {},
    message: told.at(0) ?? String(error),
    category: found ? found[1] : own ? "bad-framing" : "leak",
  };
}

async function entry(adapter, url, op) {
  if (op.call !== "fetch") return { id: op.id, unsupported: true };
  try {
    const { status, reason, headers, content } = await adapter(url);
    return { id: op.id, value: { type: "response", status, reason, headers, body: content.toString("latin1") } };
  } catch (error) {
    return { id: op.id, error: facts(error) };
  }
}

async function answerTo(name, message) {
  if (message.type === "start") return { name: `node ${name}`, version: process.version.slice(1), ops: ["fetch"] };
  if (message.type === "release") return {};
  if (message.type !== "run") return { unsupported: message.type };
  const trace = [];
  for (const op of message.ops) trace.push(await entry(adapters[name], message.url, op));
  return { trace };
}

async function main(name) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const message = JSON.parse(line);
    if (message.type === "stop") process.exit(0);
    const answer = await answerTo(name, message);
    process.stdout.write(JSON.stringify({ ...answer, serial: message.serial }) + "\n");
  }
}

main(process.argv[2]);
