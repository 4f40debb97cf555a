// A client that must survive a 503 and a reset in the body, tested with `httplib-kit serve`, in JavaScript (Node 18 or newer).
//   httplib-kit serve --token secret-of-mine       (another terminal)
//   node plays.mjs http://127.0.0.1:8083 secret-of-mine
const [control, token] = process.argv.slice(2);

async function ask(method, path, content) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const answer = await fetch(control + path, { method, headers, body: content && JSON.stringify(content) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text && JSON.parse(text);
}

async function download(url) { // the code under test: it tries three times
  for (let tries = 0; tries < 3; tries++) {
    try {
      const answer = await fetch(url);
      if (answer.ok) return await answer.text();
    } catch { } // the next try follows
  }
  return "nothing";
}

const play = await ask("POST", "/_/plays", {
  routes: [
    { steps: [{ reply: 503 }] },
    { steps: [{ send: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel" }, { drain: {} }, { close: "rst" }] },
    { steps: [{ reply: { text: "hello" } }] },
  ],
});
console.log("got", await download(play.url + "/file"));
const report = await ask("GET", `/_/plays/${play.id}`);
console.log("asked", report.requests.length, "times");
console.log("complaints", JSON.stringify(report.complaints));
await ask("DELETE", `/_/plays/${play.id}`);
