// The clients in JavaScript that packages of npm bring: a function for each, by the name in the registry.
//
// The arguments are the name, and the directory that has `node_modules`.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import process from "node:process";
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";

const [which, place, module] = process.argv.slice(3);
const timeout = 5000;

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
const byFetch = async (answer) => [answer.status, answer.statusText, [...answer.headers], await answer.arrayBuffer()];
const byNode = (answer, content) => [answer.statusCode, answer.statusMessage, pairs(answer.rawHeaders ?? []), content];
const signal = () => AbortSignal.timeout(timeout);
const called = (work) => new Promise((resolve, reject) => work((error, ...found) => (error ? reject(error) : resolve(found))));

const clients = {
  fetch: () => async (url) => byFetch(await fetch(url, { redirect: "manual", signal: signal() })),
  http: () => async (url) => {
    const answer = await new Promise((resolve, reject) => {
      const asked = http.get(url, { agent: false, timeout }, resolve);
      asked.on("error", reject);
      asked.on("timeout", () => asked.destroy(new Error("timeout")));
    });
    return byNode(answer, await collected(answer));
  },
  undici: (it) => async (url) => byFetch(await it.fetch(url, { redirect: "manual", signal: signal() })),
  "undici-request": (it) => async (url) => {
    const client = new it.Client(new URL(url).origin, { headersTimeout: timeout, bodyTimeout: timeout });
    try {
      const answer = await client.request({ path: new URL(url).pathname, method: "GET" });
      return [answer.statusCode, answer.statusText ?? null, listed(answer.headers), await answer.body.arrayBuffer()];
    } finally {
      client.destroy();
    }
  },
  axios: (it) => async (url) => {
    const options = { responseType: "arraybuffer", timeout, maxRedirects: 0, proxy: false, decompress: false };
    const answer = await it.get(url, { ...options, validateStatus: () => true });
    return [answer.status, answer.statusText, listed(answer.headers), answer.data];
  },
  got: (it) => async (url) => {
    const options = { retry: { limit: 0 }, timeout: { request: timeout }, followRedirect: false, decompress: false };
    const answer = await it.default(url, { ...options, throwHttpErrors: false, responseType: "buffer" });
    return byNode(answer, answer.rawBody);
  },
  "node-fetch": (it) => async (url) => byFetch(await it.default(url, { redirect: "manual", compress: false, signal: signal() })),
  superagent: (it) => async (url) => {
    const parse = (stream, done) => collected(stream).then((content) => done(null, content), done);
    const asked = it.get(url).redirects(0).timeout(timeout).ok(() => true).buffer(true).parse(parse);
    const answer = await asked;
    return [answer.status, answer.res.statusMessage, pairs(answer.res.rawHeaders), answer.body];
  },
  needle: (it) => async (url) => {
    const options = { timeout, follow_max: 0, parse: false, decode: false, compressed: false };
    const answer = await it("get", url, null, options);
    return byNode(answer, answer.raw);
  },
  phin: (it) => async (url) => {
    const answer = await (it.default ?? it.phin ?? it)({ url, timeout, followRedirects: false });
    return [answer.statusCode, null, listed(answer.headers), answer.body];
  },
  ky: (it) => async (url) => byFetch(await it.default(url, { retry: 0, timeout, redirect: "manual", throwHttpErrors: false })),
  wreck: (it) => async (url) => {
    const answer = await it.request("GET", url, { timeout, redirects: false });
    return byNode(answer, await it.read(answer, { timeout }));
  },
  bent: (it) => async (url) => {
    const answer = await it(...Array.from({ length: 500 }, (_, index) => index + 100))(url);
    return byNode(answer, await collected(answer));
  },
  centra: (it) => async (url) => {
    const answer = await it(url).timeout(timeout).send();
    return byNode(answer.coreRes, answer.body);
  },
  request: (it) => async (url) => {
    const options = { url, timeout, followRedirect: false, encoding: null, proxy: null };
    const [answer, content] = await called((done) => it(options, done));
    return byNode(answer, content);
  },
  "minipass-fetch": (it) => async (url) => {
    const answer = await it(url, { redirect: "manual", compress: false, timeout });
    return [answer.status, answer.statusText, [...answer.headers], await answer.buffer()];
  },
  urllib: (it) => async (url) => {
    const answer = await it.request(url, { timeout, followRedirect: false, dataType: "buffer" });
    return [answer.status, answer.statusText ?? null, listed(answer.headers), answer.data];
  },
  "simple-get": (it) => async (url) => {
    const options = { url, timeout, followRedirects: false, decompress: false };
    return byNode(...(await called((done) => it.concat(options, done))));
  },
  impit: (it) => async (url) => byFetch(await new it.Impit({ timeout, followRedirects: false }).fetch(url)),
  "wreq-js": (it) => async (url) => byFetch(await it.fetch(url, { timeout, redirect: "manual" })),
  jsdom: (it) => async (url) => {
    const request = new new it.JSDOM("", { url }).window.XMLHttpRequest();
    await new Promise((resolve, reject) => {
      request.open("GET", url);
      request.responseType = "arraybuffer";
      request.timeout = timeout;
      request.onload = resolve;
      for (const event of ["error", "timeout", "abort"]) request[`on${event}`] = () => reject(new Error(`XMLHttpRequest ${event}`));
      request.send();
    });
    const lines = request.getAllResponseHeaders().trim().split("\r\n").filter(Boolean);
    return [request.status, request.statusText, lines.map((line) => line.split(/: ?(.*)/s)), request.response ?? ""];
  },
  "happy-dom": (it) => async (url) => byFetch(await new it.Window({ url }).fetch(url)),
};

const require = createRequire(path.join(place || ".", "any.js"));

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

const get = clients[which](await loaded());
export const name = which;
export const version = versionOf();
export { get as fetch };
