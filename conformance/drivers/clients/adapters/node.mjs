// The clients in JavaScript, of a runtime and of packages of npm: a function for each, by the name in the registry.
//
// The arguments are the name, and for another client than those of the installed node the directory that has `node_modules`.
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import process from "node:process";
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { createRequire } from "node:module";

const [which, place, module] = process.argv.slice(3);

function notInstalled(text) {
  return Object.assign(new Error(text), { code: "NotInstalled" });
}

const pairs = (raw) => raw.flatMap((name, index) => (index % 2 ? [] : [[name, raw[index + 1]]]));
const listed = (table) => Object.entries(table).flatMap(([name, values]) => [values].flat().map((one) => [name, String(one)]));
async function collected(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}
const headersOf = ({ fields }) => Object.fromEntries(fields.map(([name]) => [name, valuesOf(fields, name)]));
const valuesOf = (fields, name) => fields.filter(([one]) => one === name).map(([, value]) => value).join(", ");
const called = (work) => new Promise((resolve, reject) => work((error, ...found) => (error ? reject(error) : resolve(found))));

// The object that makes all exchanges of a case; most packages take an agent of node.
let pooled = null;
const agent = (ca) => (pooled ??= ca ? new https.Agent({ keepAlive: true, ca }) : new http.Agent({ keepAlive: true }));
const authority = ({ ca }) => ca && fs.readFileSync(ca);

// The content as packages take it: a stream of node, a stream of the web, or as it is.
const readable = ({ streamed, body }) => (streamed ? Readable.from([body]) : body);
const forFetch = (asked) => ({
  method: asked.method,
  headers: asked.fields,
  body: asked.streamed ? new Blob([asked.body]).stream() : asked.body,
  ...(asked.streamed ? { duplex: "half" } : {}),
  redirect: "manual",
  signal: AbortSignal.timeout(asked.timeout),
});

// The global `fetch` has one pool for all, whose connections the server closes at the end of each case.  With an authority
// to trust, a pool is made by the class of the global one, which node does not export; the first fetch makes that.
function ownPool(asked) {
  if (!asked.ca) return {};
  const pool = globalThis[Symbol.for("undici.globalDispatcher.1")];
  return { dispatcher: (pooled ??= new pool.constructor({ connect: { ca: authority(asked) } })) };
}

// What is read is the same in `client.mjs` of the kit, which stands alone because others copy and change it; a test compares.
async function byFetch(asked, answer) {
  const head = [answer.status, answer.statusText, [...answer.headers]];
  if (asked.consume === "drop") return [...head, null];
  if (asked.consume !== "part") return [...head, await answer.arrayBuffer()];
  const reader = answer.body.getReader();
  const pieces = [];
  while (Buffer.concat(pieces).length < asked.amount) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
  }
  await reader.cancel();
  return [...head, Buffer.concat(pieces).subarray(0, asked.amount)];
}

const byNode = (answer, content) => [answer.statusCode, answer.statusMessage, pairs(answer.rawHeaders ?? []), content];

// What is read of a stream of node.
async function taken(asked, stream) {
  if (asked.consume === "drop") return null;
  if (asked.consume !== "part") return collected(stream);
  const pieces = [];
  if (asked.amount) for await (const piece of stream) if (pieces.push(piece) && Buffer.concat(pieces).length >= asked.amount) break;
  stream.destroy();
  return Buffer.concat(pieces).subarray(0, asked.amount);
}

const clients = {
  fetch: () => async (asked) => {
    const [status, reason, ...rest] = await byFetch(asked, await fetch(asked.url, { ...forFetch(asked), ...ownPool(asked) }));
    return [status, place ? reason : Buffer.from(reason), ...rest]; // node decodes it as UTF-8
  },
  http: () => async (asked) => {
    const options = { method: asked.method, headers: headersOf(asked), agent: agent(authority(asked)), timeout: asked.timeout };
    const [answer, stream] = await new Promise((resolve, reject) => {
      const request = (asked.ca ? https : http).request(asked.url, options);
      let late = request; // what a timeout ends: the response, as soon as there is one
      request.on("response", (response) => resolve([(late = response), response]));
      request.on("error", reject);
      request.on("timeout", () => late.destroy(new Error("timeout")));
      request.on("upgrade", (response, socket, head) => {
        socket.setTimeout(asked.timeout, () => socket.destroy(new Error("timeout")));
        if (head.length) socket.unshift(head);
        resolve([response, socket]);
      });
      if (asked.streamed) request.write(asked.body);
      if (!asked.expect_continue) request.end(asked.streamed ? undefined : asked.body);
      else {
        request.setHeader("Content-Length", asked.body.length);
        request.setHeader("Expect", "100-continue");
        request.once("continue", () => request.end(asked.body));
        request.flushHeaders();
      }
    });
    return byNode(answer, await taken(asked, stream));
  },
  undici: (it) => async (asked) =>
    byFetch(asked, await it.fetch(asked.url, { ...forFetch(asked), dispatcher: (pooled ??= new it.Agent()) })),
  "undici-request": (it) => async (asked) => {
    const url = new URL(asked.url);
    pooled ??= new it.Pool(url.origin);
    const { method, timeout } = asked;
    const times = { headersTimeout: timeout, bodyTimeout: timeout };
    const answer = await pooled.request({ path: url.pathname, method, headers: headersOf(asked), body: readable(asked), ...times });
    return [answer.statusCode, answer.statusText ?? null, listed(answer.headers), await taken(asked, answer.body)];
  },
  axios: (it) => async (asked) => {
    const options = { timeout: asked.timeout, maxRedirects: 0, proxy: false, decompress: false, httpAgent: agent() };
    const given = { method: asked.method, url: asked.url, headers: headersOf(asked), data: readable(asked) };
    const responseType = ["part", "drop"].includes(asked.consume) ? "stream" : "arraybuffer";
    const answer = await it.request({ ...given, ...options, responseType, validateStatus: () => true });
    const content = responseType === "stream" ? await taken(asked, answer.data) : answer.data;
    return [answer.status, answer.statusText, listed(answer.headers), content];
  },
  got: (it) => async (asked) => {
    const options = { retry: { limit: 0 }, timeout: { request: asked.timeout }, followRedirect: false, decompress: false };
    const given = { method: asked.method, headers: headersOf(asked), body: readable(asked), agent: { http: agent() } };
    const answer = await it.default(asked.url, { ...given, ...options, throwHttpErrors: false, responseType: "buffer" });
    return byNode(answer, answer.rawBody);
  },
  "node-fetch": (it) => async (asked) => {
    const given = { ...forFetch(asked), body: readable(asked), compress: false, agent: agent() };
    const answer = await it.default(asked.url, given);
    const isWhole = !["part", "drop"].includes(asked.consume);
    const content = isWhole ? await answer.arrayBuffer() : await taken(asked, answer.body);
    return [answer.status, answer.statusText, [...answer.headers], content];
  },
  superagent: (it) => async (asked) => {
    const parse = (stream, done) => collected(stream).then((content) => done(null, content), done);
    const request = it(asked.method, asked.url).agent(agent()).redirects(0).timeout(asked.timeout).ok(() => true);
    for (const [name, value] of asked.fields) request.set(name, value);
    const answer = await (asked.method === "HEAD" ? request : request.send(asked.body).buffer(true).parse(parse));
    return [answer.status, answer.res.statusMessage, pairs(answer.res.rawHeaders), asked.method === "HEAD" ? "" : answer.body];
  },
  needle: (it) => async (asked) => {
    const times = { response_timeout: asked.timeout, read_timeout: asked.timeout };
    const options = { ...times, follow_max: 0, parse: false, decode: false, compressed: false, agent: agent() };
    const answer = await it(asked.method, asked.url, readable(asked) ?? null, { ...options, headers: headersOf(asked) });
    return byNode(answer, answer.raw);
  },
  phin: (it) => async (asked) => {
    const { url, method, timeout, body: data } = asked;
    const options = { headers: headersOf(asked), followRedirects: false, axiosOpts: { validateStatus: () => true } };
    const answer = await (it.default ?? it.phin ?? it)({ url, method, timeout, data, ...options });
    return [answer.statusCode, null, listed(answer.headers), answer.body];
  },
  ky: (it) => async (asked) =>
    byFetch(asked, await it.default(asked.url, { ...forFetch(asked), retry: 0, timeout: asked.timeout, throwHttpErrors: false })),
  wreck: (it) => async (asked) => {
    const options = { payload: readable(asked), headers: headersOf(asked), agent: agent(), timeout: asked.timeout };
    const answer = await it.request(asked.method, asked.url, { ...options, redirects: false });
    if (asked.consume === "drop" || asked.consume === "part") return byNode(answer, await taken(asked, answer));
    return byNode(answer, await it.read(answer, { timeout: asked.timeout }));
  },
  bent: (it) => async (asked) => {
    const codes = Array.from({ length: 500 }, (_, index) => index + 100);
    const answer = await it(asked.method, ...codes)(asked.url, readable(asked), headersOf(asked));
    return byNode(answer, await taken(asked, answer));
  },
  centra: (it) => async (asked) => {
    const request = it(asked.url, asked.method).timeout(asked.timeout).option("agent", agent());
    for (const [name, value] of asked.fields) request.header(name, value);
    const answer = await (asked.body ? request.body(asked.body) : request).send();
    return byNode(answer.coreRes, answer.body);
  },
  request: (it) => async (asked) => {
    const { url, method, timeout, body } = asked;
    const options = { headers: headersOf(asked), agent: agent(), followRedirect: false, encoding: null, proxy: null };
    const [answer, content] = await called((done) => it({ url, method, timeout, body, ...options }, done));
    return byNode(answer, content);
  },
  "minipass-fetch": (it) => async (asked) => {
    const { method, body, timeout } = asked;
    const options = { headers: headersOf(asked), agent: agent(), redirect: "manual", compress: false };
    const answer = await it(asked.url, { method, body, timeout, ...options });
    return [answer.status, answer.statusText, [...answer.headers], await answer.buffer()];
  },
  urllib: (it) => async (asked) => {
    const { method, timeout, streamed, body } = asked;
    const content = streamed ? { stream: readable(asked) } : { content: body };
    const options = { method, timeout, headers: headersOf(asked), followRedirect: false, dataType: "buffer" };
    const answer = await it.request(asked.url, { ...options, ...content });
    return [answer.status, answer.statusText ?? null, listed(answer.headers), answer.data];
  },
  "simple-get": (it) => async (asked) => {
    const { url, method, timeout } = asked;
    const options = { headers: headersOf(asked), body: readable(asked), agent: agent(), followRedirects: false, decompress: false };
    const [answer] = await called((done) => it({ url, method, timeout, ...options }, done));
    return byNode(answer, await taken(asked, answer));
  },
  impit: (it) => async (asked) => {
    pooled ??= new it.Impit({ timeout: 5000, followRedirects: false });
    const { method, timeout, body } = asked;
    return byFetch(asked, await pooled.fetch(asked.url, { method, timeout, body, headers: headersOf(asked) }));
  },
  "wreq-js": (it) => async (asked) => {
    const { method, timeout, body } = asked;
    return byFetch(asked, await it.fetch(asked.url, { method, timeout, body, headers: headersOf(asked), redirect: "manual" }));
  },
  jsdom: (it) => async (asked) => {
    pooled ??= new it.JSDOM("", { url: asked.url }).window;
    const request = new pooled.XMLHttpRequest();
    await new Promise((resolve, reject) => {
      request.open(asked.method, asked.url);
      for (const [name, value] of asked.fields) request.setRequestHeader(name, value);
      request.responseType = "arraybuffer";
      request.timeout = asked.timeout;
      request.onload = resolve;
      for (const event of ["error", "timeout", "abort"]) request[`on${event}`] = () => reject(new Error(`XMLHttpRequest ${event}`));
      request.send(asked.body);
    });
    const lines = request.getAllResponseHeaders().trim().split("\r\n").filter(Boolean);
    return [request.status, request.statusText, lines.map((line) => line.split(/: ?(.*)/s)), request.response ?? ""];
  },
  "happy-dom": (it) => async (asked) => {
    pooled ??= new it.Window({ url: asked.url });
    const { method, body } = asked;
    return byFetch(asked, await pooled.fetch(asked.url, { method, body, headers: headersOf(asked) }));
  },
};

const require = createRequire(path.resolve(place || ".", "any.js"));

async function loaded() {
  if (!module) return null;
  try {
    return require(module);
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") throw notInstalled(`node has no package ${module}`);
    if (!/ERR_REQUIRE_ESM|ERR_PACKAGE_PATH_NOT_EXPORTED/.test(error.code)) throw error;
    // A module of the newer kind: the file that its package.json names.
    const root = path.join(place || ".", "node_modules", module);
    const { exports: table, main } = JSON.parse(fs.readFileSync(path.join(root, "package.json")));
    const entry = table?.["."] ?? table ?? main;
    const file = typeof entry === "string" ? entry : entry.default?.default ?? entry.default ?? entry.import ?? main;
    return import(path.join(root, typeof file === "string" ? file : file.default));
  }
}

function versionOf() {
  const { bun, deno, node } = process.versions;
  if (!module) return bun ?? deno ?? node;
  const text = fs.readFileSync(path.join(place || ".", "node_modules", module, "package.json"));
  return JSON.parse(text).version;
}

export const exchange = clients[which](await loaded());
export const name = place ? which : `node ${which}`;
export const version = versionOf();
export const features = []; // the registry has them

export async function release() {
  const one = pooled;
  pooled = null;
  await (one?.destroy ?? one?.close)?.call(one);
}
