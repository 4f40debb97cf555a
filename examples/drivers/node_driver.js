#!/usr/bin/env node
// A driver for the fetch of node: every line of standard input is a message, every answer a line.
async function get(url) {
  const got = await fetch(url, { redirect: "manual" });
  const body = Buffer.from(await got.arrayBuffer()).toString("latin1");
  const reason = Buffer.from(got.statusText).toString("latin1"); // fetch decodes it as UTF-8
  return { type: "response", status: got.status, reason, headers: [...got.headers], body };
}
async function entry({ id, call }, url) {
  if (call !== "fetch") return { id, unsupported: true };
  return get(url).then((value) => ({ id, value }), ({ cause, name, message }) =>
    ({ id, error: { class: cause?.code ?? name, message: cause?.message ?? message } }));
}
require("readline").createInterface({ input: process.stdin }).on("line", async (line) => {
  const { type, serial, ops, url } = JSON.parse(line);
  const start = { name: "node-fetch", version: process.versions.node, ops: ["fetch"] };
  if (type === "stop") process.exit();
  const run = type === "run" && { trace: await Promise.all(ops.map((op) => entry(op, url))) };
  console.log(JSON.stringify({ serial, ...({ start, run, release: {} }[type] ?? { unsupported: type }) }));
});
