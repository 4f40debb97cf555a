// The client that driver.mjs drives: the runtime's global `fetch`.  Replace it by yours.
import process from "node:process";

export const name = "fetch";
export const version = process.version.slice(1);

// Give status, reason, fields and content of a GET: no redirect.  `fetch` decodes content codings and joins fields.
async function get(url) {
  const answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(5000) });
  return [answer.status, answer.statusText, [...answer.headers], await answer.arrayBuffer()];
}

export { get as fetch };
