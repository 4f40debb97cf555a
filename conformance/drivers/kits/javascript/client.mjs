// The client that driver.mjs drives: the runtime's global `fetch`.  Replace it by yours.
import process from "node:process";
import { Buffer } from "node:buffer";

export const name = "fetch";
export const version = process.version.slice(1);
export const features = ["drop", "parallel", "part", "streamed", "timeout"];

// Give status, reason, fields and content: no redirect.  `fetch` decodes content codings and joins fields.
export async function exchange(asked) {
  const answer = await fetch(asked.url, {
    method: asked.method,
    headers: asked.fields,
    body: asked.streamed ? new Blob([asked.body]).stream() : asked.body,
    ...(asked.streamed ? { duplex: "half" } : {}),
    redirect: "manual",
    signal: AbortSignal.timeout(asked.timeout),
  });
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

// The pool of the global `fetch` is the runtime's: the server closes its connections.
export function release() {}
