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

// ---- the playground: the form is sent while a visitor types, and parts of the reply are shown

function playground(form) {
  const now = find("#now");
  const latest = { show: 0, play: 0, save: 0 };
  let timer = 0;
  const send = async (act, ids) => {
    const number = ++latest[act];
    const values = new URLSearchParams(new FormData(form));
    values.set("do", act);
    let page = null, said = "";
    try {
      const answer = await fetch(form.getAttribute("action"), { method: "POST", body: values });
      const text = await answer.text();
      if (answer.headers.get("Content-Type").startsWith("text/html")) page = new DOMParser().parseFromString(text, "text/html");
      else said = text;
    } catch { said = "The server does not answer."; }
    if (number !== latest[act]) return;
    if (act !== "show") now.textContent = "";
    if (!page) { find("#problem").textContent = said; return; }
    find("#problem").textContent = find("#problem", page).textContent;
    if (find("#problem").textContent && act === "show") return;
    for (const id of ids) find(id).replaceWith(document.adoptNode(find(id, page)));
    named();
    const link = find("#link");
    if (link) history.replaceState(null, "", link.getAttribute("href"));
  };
  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(send, 120, "show", ["#shown"]);
    if (event.target.id === "bytes" && find("#played").children.length) now.textContent = "The results below are of the bytes before this change.";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    const act = event.submitter?.value ?? "play";
    now.textContent = act === "play" ? "Playing …" : "";
    send(act, act === "play" ? ["#shown", "#played"] : ["#shown", "#saved"]).then(() => { if (act === "save") find("#toml")?.focus(); });
  });
  find("#colour").hidden = true;
}

// ---- a visit: what is known of it is shown anew until it is over; the frame that fetches is left alone

function judging(place) {
  if (place.dataset.over) return;
  setTimeout(async () => {
    let next = place;
    try {
      const text = await (await fetch(location.pathname, { cache: "no-store" })).text();
      next = document.adoptNode(find("#judged", new DOMParser().parseFromString(text, "text/html")));
      place.replaceWith(next);
    } catch {
      if (!find("[role=alert]", place)) place.prepend(make("p", "The server does not answer.", { role: "alert" }));
    }
    judging(next);
  }, 1000);
}

for (const [selector, does] of [["#judged", judging], ["#find", search], ["#play", play], ["#playground", playground]]) {
  const place = find(selector);
  if (place) does(place);
}
