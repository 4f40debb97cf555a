#!/usr/bin/env node
// Judges a client by the exported corpus of httplib-kit, with node and nothing else: node play.mjs [client.mjs] [id-prefix]
// A client is a module whose `fetch(url)` resolves to { status, reason, headers: [[name, value], ...], body }, with strings of
// one character for each byte, or rejects; it leaves out what it does not know.  The default is `node:http`.
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
const DEADLINE = 10000; // milliseconds; a client that has not answered by then has rejected the response
const text = (bytes) => [bytes].flat().map((one) => (typeof one === "string" ? one : one.repeat.repeat(one.times))).join("");
const STEPS = {
  read_request: (peer) => peer.request(),
  send: (peer, data) => peer.write(Buffer.from(text(data), "latin1")),
  drain: () => sleep(1), // here only a boundary between two segments
  pause: (peer, seconds) => sleep(seconds * 1000),
  shutdown: (peer) => peer.socket.end(),
  close: (peer, how) => (how === "rst" ? peer.socket.resetAndDestroy() : how === "fin" ? peer.socket.end() : null),
};
function skipped({ exchanges: [first, ...more], server, scheme, proxy_to, connections, routes }) {
  const steps = [...connections, ...routes].flatMap((one) => one.steps);
  const names = new Set(steps.flatMap(Object.keys));
  if (scheme !== "http" || proxy_to) return "TLS or a proxy";
  if (more.length || first.method !== "GET" || first.arrives.most !== null) return "more than one GET";
  if (server.listener !== "accept" || server.receive_buffer) return "an option of the socket";
  if (names.has("drain") && steps.some((one) => one.close === "rst")) return "a reset after the client's kernel has everything";
  return [...names].find((name) => !(name in STEPS)) ?? null;
}
async function played(socket, steps, closesOnRequest) {
  let [received, head, wake] = ["", "", () => {}];
  socket.on("data", (data) => wake((received += data.toString("latin1")))).on("error", () => {});
  const write = (data) => new Promise((done) => (socket.writable ? socket.write(data, done) : done()));
  const request = async () => {
    while (!/\r?\n\r?\n/.test(received)) await new Promise((done) => (wake = done));
    [head, received] = [received, ""];
  };
  for (const [[name, given]] of steps.map(Object.entries)) await STEPS[name]({ socket, write, request }, given);
  if (closesOnRequest && /^connection:[ \t]*close/im.test(head)) socket.end();
}
function accepts({ status, reason, headers = {}, body }, seen) {
  const same = (wanted, found) => found === undefined || text(wanted) === found;
  const given = (name) => seen.headers.flatMap(([one, value]) => (one.toLowerCase() === name ? [value] : [])).join(", ");
  const like = (pattern, found) => new RegExp(`^(?:${pattern})$`, "s").test(found);
  const fits = ([name, one]) => (one.matches ? like(one.matches, given(name)) : same(one, given(name)));
  const parts = same(reason ?? seen.reason ?? "", seen.reason) && same(body ?? seen.body ?? "", seen.body);
  return parts && (status ?? seen.status) === (seen.status ?? status) && (!seen.headers || Object.entries(headers).every(fits));
}
function verdict({ expect, strength }, seen) {
  const wanted = expect.filter((one) => one.accept);
  if (seen.error ? expect.some((one) => one.reject) : wanted.some((one) => accepts(one.accept, seen))) return "PASS";
  if (strength !== "must") return "TOLERATED";
  return seen.error ? (seen.error === "late" ? "HANG" : "FALSE_ERROR") : wanted.length ? "WRONG_VALUE" : "NO_ERROR";
}
async function judged({ connections: [first], routes: [route], server, exchanges: [asked] }, client) {
  const plan = first?.steps ?? [{ read_request: {} }, ...route.steps];
  const listener = net.createServer({ allowHalfOpen: true }, (socket) => played(socket, plan, server.closes_on_request));
  await new Promise((done) => listener.listen(0, "127.0.0.1", done));
  const called = (async () => client(`http://127.0.0.1:${listener.address().port}/`))().catch((error) => ({ error }));
  const seen = await Promise.race([called, sleep(DEADLINE, { error: "late" })]);
  listener.close();
  return verdict(asked, seen);
}
async function byHttp(url) {
  const answer = await new Promise((done, failed) => http.get(url, { agent: new http.Agent() }, done).on("error", failed));
  const [pieces, raw] = [await answer.toArray(), answer.rawHeaders];
  const headers = raw.flatMap((name, at) => (at % 2 ? [] : [[name, raw[at + 1]]]));
  return { status: answer.statusCode, reason: answer.statusMessage, headers, body: Buffer.concat(pieces).toString("latin1") };
}
const [module, prefix = ""] = process.argv.slice(2);
const client = module ? (await import(new URL(module, `file://${process.cwd()}/`))).fetch : byHttp;
const corpus = JSON.parse(fs.readFileSync(new URL("corpus.json", import.meta.url)));
const next = corpus.cases.filter((one) => one.client?.counts && one.id.startsWith(prefix)).values();
async function lane() {
  for (const { id, client: one } of next) {
    const found = skipped(one) ? `SKIPPED ${skipped(one)}:` : await judged(one, client);
    console.log(found, id);
    if (!/^(PASS|TOLERATED|SKIPPED)/.test(found)) process.exitCode = 1;
  }
}
await Promise.all(Array.from({ length: 16 }, lane));
process.exit();
