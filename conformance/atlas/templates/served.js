// The script of the pages of `httplib-kit serve`: search, a button that plays a case, and the
// transcript of what was played last, live. It requests nothing but paths of this server.
"use strict";

function search(form) {
  const items = all(".family li"), families = all(".family"), said = find("#count");
  const names = items.map((one) => one.textContent.toLowerCase());
  const update = () => {
    const words = find("input", form).value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    items.forEach((one, at) => {
      one.hidden = !words.every((word) => names[at].includes(word));
      shown += one.hidden ? 0 : 1;
    });
    families.forEach((one) => {
      one.hidden = Boolean(words.length) && !find("li:not([hidden])", one);
      if (words.length) one.open = shown <= 200;
    });
    said.textContent = words.length ? counted(shown, "case") : "";
    setState({ q: find("input", form).value });
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", update);
  find("input", form).value = state().get("q") ?? "";
  if (state().has("q")) update();
  const family = state().get("family");
  const named = families.find((one) => one.id === family);
  if (named) { named.open = true; named.scrollIntoView(); }
}

function play(section) {
  const { path, port } = section.dataset;
  const said = make("p", "", { role: "status" }), wire = make("pre", "", { tabIndex: 0 });
  const latest = async () => {
    try {
      const text = await (await fetch("/_/transcript/last", { cache: "no-store" })).text();
      if (text !== wire.textContent) wire.textContent = text;
    } catch { said.textContent = "The server has ended."; }
  };
  if (path && location.port === port) {
    const button = make("button", "Play it", { type: "button" });
    button.addEventListener("click", async () => {
      said.textContent = "It is being played.";
      try {
        const answer = await fetch(path, { cache: "no-store" });
        const body = await answer.text();
        said.textContent = `This browser accepts it: status ${answer.status}, ${counted(body.length, "character")} of body.`;
      } catch (error) {
        said.textContent = `This browser rejects it: ${error.name}: ${error.message}.`;
      }
      await latest();
    });
    section.append(button);
  }
  section.append(said, make("h3", "The latest transcript"), wire);
  latest();
  setInterval(() => { if (!document.hidden) latest(); }, 1000);
}

for (const [selector, does] of [["#find", search], ["#play", play]]) {
  const place = find(selector);
  if (place) does(place);
}
