// The worker for the two clients in node: its global `fetch`, and its module `http`.
//
// In: `fetch` or `http` as the argument, then messages of the driver protocol on standard input.  Out: one line each on
// standard output.  An adapter follows no redirect and repeats nothing.  An error is reported with its code and with those that
// caused it; the kit finds its category by a table of the registry.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const readline = require("node:readline");

const TIMEOUT = 5000; // milliseconds, beyond the deadline of the kit: whether a client waits is told by that alone

// A client is opened by the first exchange of a case and closed by `release`; the global `fetch` has one pool for all, whose
// connections the server closes at the end of each case.  An exchange gives status, reason, fields and content.
// A case of https has the authority to trust; the pool for it is made by the class of the global one, which node does not export.
const clients = {
  fetch(ca) {
    const pool = globalThis[Symbol.for("undici.globalDispatcher.1")];
    const dispatcher = ca && new pool.constructor({ connect: { ca } });
    return { exchange: (asked) => byFetch(asked, dispatcher), close: () => dispatcher?.destroy() };
  },
  http(ca) {
    const agent = ca ? new https.Agent({ keepAlive: true, ca }) : new http.Agent({ keepAlive: true });
    return { exchange: (asked) => byHttp(asked, agent), close: () => agent.destroy() };
  },
};

const FEATURES = ["drop", "parallel", "part", "streamed", "timeout"];

async function byFetch(asked, dispatcher) {
  const answer = await fetch(asked.url, {
    ...(dispatcher ? { dispatcher } : {}),
    method: asked.method,
    headers: asked.fields,
    body: asked.streamed ? new Blob([asked.body]).stream() : asked.body,
    ...(asked.streamed ? { duplex: "half" } : {}),
    redirect: "manual",
    signal: AbortSignal.timeout(asked.timeout),
  });
  const reason = Buffer.from(answer.statusText).toString("latin1"); // it is decoded as UTF-8
  const head = { status: answer.status, reason, headers: [...answer.headers] };
  if (asked.consume === "drop") return { ...head, content: null };
  if (asked.consume !== "part") return { ...head, content: Buffer.from(await answer.arrayBuffer()) };
  const reader = answer.body.getReader();
  const pieces = [];
  while (Buffer.concat(pieces).length < asked.amount) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
  }
  await reader.cancel();
  return { ...head, content: Buffer.concat(pieces).subarray(0, asked.amount) };
}

async function byHttp(asked, agent) {
  const options = { method: asked.method, headers: Object.fromEntries(asked.fields), agent, timeout: asked.timeout };
  const [answer, pieces, rest] = await new Promise((resolve, reject) => {
    const request = (asked.url.startsWith("https:") ? https : http).request(asked.url, options);
    let late = request; // what a timeout ends: the response, as soon as there is one
    request.on("response", (response) => resolve([(late = response), [], response]));
    request.on("error", reject);
    request.on("upgrade", (response, socket, head) => {
      socket.setTimeout(asked.timeout, () => socket.destroy(new Error("timeout")));
      resolve([response, [head], socket]);
    });
    request.on("timeout", () => late.destroy(new Error("timeout")));
    if (asked.streamed) request.write(asked.body);
    if (!asked.expect_continue) request.end(asked.streamed ? undefined : asked.body);
    else {
      request.setHeader("Content-Length", asked.body.length);
      request.setHeader("Expect", "100-continue");
      request.once("continue", () => request.end(asked.body));
      request.flushHeaders();
    }
  });
  const raw = answer.rawHeaders;
  const headers = raw.flatMap((name, index) => (index % 2 ? [] : [[name, raw[index + 1]]]));
  const head = { status: answer.statusCode, reason: answer.statusMessage, headers };
  if (asked.consume === "drop") return { ...head, content: null };
  // After an upgrade, what follows is on the socket.
  if (asked.consume !== "part") for await (const piece of rest) pieces.push(piece);
  else if (!asked.amount) answer.destroy();
  else for await (const piece of answer) if (pieces.push(piece) && Buffer.concat(pieces).length >= asked.amount) break;
  const content = Buffer.concat(pieces);
  return { ...head, content: asked.consume === "part" ? content.subarray(0, asked.amount) : content };
}

function askedBy(given, url) {
  return {
    method: "GET",
    ...given,
    url: new URL(given.target ?? "", url).href,
    fields: given.fields?.value ?? [],
    body: given.body ? Buffer.from(given.body.value, "latin1") : undefined,
    timeout: given.timeout ? given.timeout * 1000 : TIMEOUT,
  };
}

function* story(error) {
  for (let one = error; one instanceof Error; one = one.cause) yield `${one.name} ${one.code ?? ""}: ${one.message}`;
}

function facts(error) {
  const texts = [...story(error)];
  return { class: error.name, bases: [], attributes: {}, message: texts.at(-1) ?? String(error), causes: texts };
}

async function entry(client, url, op) {
  try {
    const { status, reason, headers, content } = await client.exchange(askedBy(op.kwargs, url));
    return { id: op.id, value: { type: "response", status, reason, headers, body: content?.toString("latin1") ?? null } };
  } catch (error) {
    return { id: op.id, error: facts(error) };
  }
}

let open = null;

async function answerTo(name, message) {
  if (message.type === "start") {
    await fetch("data:,"); // the global pool is made by the first fetch
    const features = name === "http" ? ["expect-continue", ...FEATURES] : FEATURES;
    return { name: `node ${name}`, version: process.version.slice(1), ops: ["fetch", "exchange"], features };
  }
  if (message.type === "release") {
    open?.close();
    open = null;
    return {};
  }
  if (message.type !== "run") return { unsupported: message.type };
  if (!message.ops.every((op) => op.call === "fetch" || op.call === "exchange")) {
    return { trace: message.ops.map((op) => ({ id: op.id, unsupported: true })) };
  }
  const ca = message.certificates?.ca?.chain;
  open ??= clients[name](ca && fs.readFileSync(ca));
  return { trace: await Promise.all(message.ops.map((op) => entry(open, message.url, op))) };
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
