// The script of the atlas: filters, player, prediction, comparison, and files that a visitor opens.
//
// Every text that it shows is set as text and never as markup, whatever a case or a file contains.
// The state of each page is in its address, after "#", so that a link leads to what was seen.
// Nothing is requested and nothing is sent.
"use strict";

const AT_ONCE = 100;
const find = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function make(tag, text, properties = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  return Object.assign(made, properties);
}

// ---- the address

const state = () => new URLSearchParams(location.hash.slice(1));

function setState(values) {
  const kept = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  history.replaceState(null, "", `#${kept}`);
}

// ---- the data: a row is a case

// Equal signs that follow each other are stored as one and their number.
const unpacked = (signs) => signs.replace(/(\D)(\d+)/g, (_, one, count) => one.repeat(count));
const [ID, TITLE, FILE, FAMILY, LEVEL, STRENGTH, EXCEPTION, REQUIREMENT, RFC, SIGNS, DEEDS, FLAGS, OCTETS] = Array(13).keys();
if (typeof ATLAS !== "undefined") for (const row of ATLAS.rows) row.splice(SIGNS, 1, ...ATLAS.seen[row[SIGNS]].map(unpacked));
const pathOf = (row) => `cases/${row[FILE] || `${row[ID]}.html`}`;
const failures = (signs) => [...signs].filter((sign) => ATLAS.failing.includes(sign)).length;

// A run that was opened in this tab is a column of every list.
function addOpened() {
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem("atlas-run")); } catch { return; }
  if (!kept || kept.rows !== ATLAS.rows.length || typeof kept.signs !== "string") return;
  ATLAS.columns.unshift(["opened", String(kept.label), String(kept.label), kept.client ? 1 : 0, 1]);
  ATLAS.rows.forEach((row, index) => {
    row[SIGNS] = kept.signs[index] + row[SIGNS];
    row[DEEDS] = `-${row[DEEDS]}`;
  });
}

function sign(one) {
  return make("span", one === "-" ? "" : one, { className: `v${ATLAS.codes[one] ?? "Q"}` });
}

function item(row, columns) {
  const made = document.createElement("li");
  made.append(make("a", row[TITLE], { href: pathOf(row) }), make("code", row[ID]));
  const strip = make("span", "", { className: columns.length > 40 ? "strip long" : "strip" });
  for (const column of columns) {
    const cell = sign(row[SIGNS][column]);
    cell.title = ATLAS.columns[column][1];
    strip.append(cell);
  }
  const failed = columns.filter((column) => ATLAS.failing.includes(row[SIGNS][column])).map((column) => ATLAS.columns[column][1]);
  strip.setAttribute("role", "img");
  strip.setAttribute("aria-label", failed.length ? `fails: ${failed.join(", ")}` : "no implementation fails");
  made.append(strip);
  return made;
}

// Shows some rows, and more on request.
function list(rows, columns, suffix = "") {
  const place = find("#rows"), more = find("#more");
  let shown = 0;
  const show = () => {
    const next = rows.slice(shown, shown + AT_ONCE).map((row) => item(row, columns));
    if (suffix) next.forEach((one) => { find("a", one).hash = suffix; });
    place.append(...next);
    shown += next.length;
    more.hidden = shown >= rows.length;
  };
  place.replaceChildren();
  more.onclick = show;
  show();
}

const visible = (columns) => {
  const there = columns.filter((column) => ATLAS.rows.some((row) => row[SIGNS][column] !== "-"));
  find("#key").textContent = `Each sign is one implementation: ${there.map((column) => ATLAS.columns[column][1]).join(", ")}.`;
  return there;
};

// ---- the list of cases

function fill(select, names) {
  select.append(...names.map(([value, label]) => make("option", label, { value })));
}

function cases(form) {
  addOpened();
  find(".browse").hidden = false;
  find("#plain").remove();
  for (const kind of ["family", "level", "strength", "exception", "requirement", "rfc"]) {
    fill(form.elements[kind], ATLAS[kind].filter(Boolean).sort().map((name) => [name, name]));
  }
  fill(form.elements.by, ATLAS.columns.map(([key, label]) => [key, label]));
  fill(form.elements.verdict, [["failing", "any failure"], ...Object.entries(ATLAS.words).map(([word, one]) => [one, word]).filter(([one], at, every) => every.findIndex(([other]) => other === one) === at)]);
  const columns = visible([...ATLAS.columns.keys()]);
  let extra = {};
  const update = () => {
    const values = { ...Object.fromEntries(new FormData(form)), ...extra };
    setState(values);
    const rows = matching(values);
    find("#count").textContent = `${rows.length} of ${ATLAS.rows.length} cases`;
    list(rows, columns, values.predict ? "predict" : "");
  };
  const restore = () => {
    const values = state();
    const query = new URLSearchParams(location.search);
    if (query.has("q") && !values.has("q")) values.set("q", query.get("q"));
    extra = {};
    for (const [name, value] of values) {
      const field = form.elements[name];
      if (!field) extra[name] = value;
      else if (field.type === "checkbox") field.checked = value === "1";
      else field.value = value;
    }
    update();
  };
  form.addEventListener("input", () => { update(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => { extra = {}; setTimeout(update); });
  addEventListener("hashchange", () => { form.reset(); restore(); });
  restore();
}

// Returns the rows that have all the values.
function matching(values) {
  const index = (kind) => (values[kind] ? ATLAS[kind].indexOf(values[kind]) : null);
  const equal = [[FAMILY, index("family")], [LEVEL, index("level")], [STRENGTH, index("strength")]].filter(([, value]) => value !== null);
  const within = [[EXCEPTION, index("exception")], [REQUIREMENT, index("requirement")], [RFC, index("rfc")]].filter(([, value]) => value !== null);
  const by = ATLAS.columns.findIndex(([key]) => key === values.by);
  const flags = [["disagree", "d"], ["hang", "h"], ["slip", "s"]].filter(([name]) => values[name]).map(([, flag]) => flag);
  const only = values.rule ? new Set(ATLAS.rules[values.rule] ?? []) : null;
  const words = (values.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length ? searched(words) : null;
  const rows = ATLAS.rows.filter((row, at) => equal.every(([field, value]) => row[field] === value)
    && within.every(([field, value]) => row[field].includes(value))
    && flags.every((flag) => row[FLAGS].includes(flag))
    && (!values.verdict || judged(row[SIGNS], by, values.verdict))
    && (!values.signs || row[SIGNS].endsWith(unpacked(values.signs)))
    && (!values.alone || alone(row, by))
    && (by < 0 || row[SIGNS][by] !== "-")
    && (!only || only.has(at))
    && (!found || found[at]));
  const own = ATLAS.columns.map((column, at) => (column[4] ? at : -1)).filter((at) => at >= 0);
  if (own.length) rows.sort((one, other) => own.filter((at) => ATLAS.failing.includes(other[SIGNS][at])).length - own.filter((at) => ATLAS.failing.includes(one[SIGNS][at])).length);
  return rows;
}

function judged(signs, by, verdict) {
  const fits = (one) => (verdict === "failing" ? ATLAS.failing.includes(one) : one === verdict);
  return by < 0 ? [...signs].some(fits) : fits(signs[by]);
}

function alone(row, by) {
  const own = by < 0 ? "-" : row[DEEDS][by];
  return own !== "-" && row[DEEDS].split(own).length === 2;
}

// Returns for each row whether it has every word, in its names or in its bytes.
function searched(words) {
  const octets = ATLAS.octets.map((text) => text.toLowerCase());
  const names = (row) => [row[ID], row[TITLE], ...row[EXCEPTION].map((at) => ATLAS.exception[at]), ...row[RFC].map((at) => `rfc${ATLAS.rfc[at]}`)].join("\n").toLowerCase();
  ATLAS.names ??= ATLAS.rows.map(names);
  return ATLAS.rows.map((row, at) => words.every((word) => ATLAS.names[at].includes(word) || octets[row[OCTETS]].includes(word)));
}

// ---- comparison

function compare(form) {
  addOpened();
  form.hidden = false;
  for (const name of ["a", "b", "c"]) {
    fill(form.elements[name], ATLAS.columns.map(([key, label, module]) => [key, label === module ? label : `${label} (${module})`]));
  }
  const values = state();
  if (![...values.keys()].length && ATLAS.columns.length > 1) {
    values.set("a", ATLAS.columns[0][0]);
    values.set("b", ATLAS.columns[1][0]);
  }
  const update = () => {
    const chosen = Object.fromEntries(new FormData(form));
    setState(chosen);
    const columns = [...new Set(Object.values(chosen).filter(Boolean))].map((key) => ATLAS.columns.findIndex(([name]) => name === key)).filter((at) => at >= 0);
    compared(columns);
  };
  const restore = (given) => {
    for (const name of ["a", "b", "c"]) form.elements[name].value = given.get(name) ?? "";
    update();
  };
  form.addEventListener("input", update);
  addEventListener("hashchange", () => restore(state()));
  restore(values);
}

function differ(row, columns) {
  const of = (field) => columns.map((column) => row[field][column]);
  const deeds = of(DEEDS);
  const known = deeds.every((deed) => deed !== "-");
  const profiles = new Set(columns.map((column) => ATLAS.columns[column][3]));
  return new Set(known && profiles.size === 1 ? deeds : of(SIGNS)).size > 1;
}

function compared(columns) {
  const ran = ATLAS.rows.filter((row) => columns.every((column) => !"-.?".includes(row[SIGNS][column])));
  const rows = columns.length < 2 ? [] : ran.filter((row) => differ(row, columns));
  find("#count").textContent = columns.length < 2 ? "Choose two or three implementations." : `They differ in ${rows.length} of the ${ran.length} cases that all of them ran.`;
  const counts = new Map();
  if (columns.length > 1) {
    for (const row of ran) counts.set(row[FAMILY], [...(counts.get(row[FAMILY]) ?? [0, 0])]);
    for (const row of ran) counts.get(row[FAMILY])[differ(row, columns) ? 1 : 0] += 1;
  }
  sums([...counts].map(([family, cells]) => [ATLAS.family[family], ...cells]));
  visible(columns);
  list(rows, columns);
}

function sums(lines) {
  const table = find("#sums");
  table.hidden = !lines.length;
  find("tbody", table).replaceChildren(...lines.map(([name, ...cells]) => {
    const row = make("tr", "");
    row.append(make("th", name, { scope: "row" }), ...cells.map((cell) => make("td", String(cell), { className: "number" })));
    return row;
  }));
}

// ---- a file of results

function open(place) {
  place.hidden = false;
  const read = (file) => {
    const reader = new FileReader();
    reader.onload = () => opened(String(reader.result));
    reader.onerror = () => { find("#count").textContent = "The file cannot be read."; };
    reader.readAsText(file);
  };
  find("#file").addEventListener("change", (event) => { if (event.target.files[0]) read(event.target.files[0]); });
  for (const name of ["dragenter", "dragover"]) addEventListener(name, (event) => { event.preventDefault(); place.classList.add("over"); });
  addEventListener("dragleave", () => place.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    if (event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
  });
}

// Returns the head and the results of the first run in a file, or the reason why there is none.
function parsed(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  let head = null;
  const results = [];
  for (const [at, line] of lines.entries()) {
    let one = null;
    try { one = JSON.parse(line); } catch { if (at === lines.length - 1 && head) break; return `Line ${at + 1} is not JSON, so this is not a result file.`; }
    if (one === null || typeof one !== "object") return `Line ${at + 1} is neither a head nor a result.`;
    if (typeof one.kit === "string") { if (head) break; head = one; }
    else if (typeof one.id === "string" && Object.hasOwn(ATLAS.words, one.verdict)) results.push(one);
    else return `Line ${at + 1} is not a result: it needs an id and a known verdict.`;
    if (!head) return "The file does not begin with the head of a run, so it is not a result file.";
  }
  return head ? [head, results] : "The file is empty.";
}

function opened(text) {
  const found = parsed(text);
  if (typeof found === "string") {
    find("#count").textContent = found;
    sums([]);
    find("#rows").replaceChildren();
    find("#more").hidden = true;
    return;
  }
  const [head, results] = found;
  const label = `${String(head.name ?? "")} ${String(head.version ?? "")}`.trim().slice(0, 80) || "your run";
  const by = new Map();
  for (const one of results) {
    const before = by.get(one.id);
    if (!before || ATLAS.failing.includes(ATLAS.words[one.verdict])) by.set(one.id, one);
  }
  const signs = ATLAS.rows.map((row) => (by.has(row[ID]) ? ATLAS.words[by.get(row[ID]).verdict] : "-")).join("");
  const client = results.some((one) => one.strength) ? 1 : 0;
  try { sessionStorage.setItem("atlas-run", JSON.stringify({ label, signs, client, rows: ATLAS.rows.length })); } catch { /* the run is shown here all the same */ }
  shownRun(label, signs, client, results, by);
}

function shownRun(label, signs, client, results, by) {
  if (ATLAS.columns[0][0] === "opened") { ATLAS.columns.shift(); ATLAS.rows.forEach((row) => { row[SIGNS] = row[SIGNS].slice(1); row[DEEDS] = row[DEEDS].slice(1); }); }
  ATLAS.columns.unshift(["opened", label, label, client, 1]);
  ATLAS.rows.forEach((row, at) => { row[SIGNS] = signs[at] + row[SIGNS]; row[DEEDS] = `-${row[DEEDS]}`; });
  const counts = new Map();
  for (const row of ATLAS.rows) {
    const one = row[SIGNS][0];
    if (one === "-") continue;
    const cells = counts.get(row[FAMILY]) ?? [0, 0, 0];
    cells["+~".includes(one) ? 0 : ATLAS.failing.includes(one) ? 1 : 2] += 1;
    counts.set(row[FAMILY], cells);
  }
  const known = new Set(ATLAS.rows.map((row) => row[ID]));
  const strange = [...by.keys()].filter((id) => !known.has(id)).length;
  const failing = ATLAS.rows.filter((row) => ATLAS.failing.includes(row[SIGNS][0]));
  find("#count").textContent = `${label}: ${counted(results.length, "result")}, ${counted(failing.length, "case")} of this site failed${strange ? `; ${counted(strange, "case")} not on this site` : ""}.`;
  sums([...counts].map(([family, cells]) => [ATLAS.family[family], ...cells]));
  list(failing, visible([...ATLAS.columns.keys()].filter((at) => at === 0 || ATLAS.columns[at][3] === client)));
}

// ---- a case: player and prediction

function player(exchange) {
  const events = all("li", exchange), lines = all("tr", exchange);
  const place = make("div", "", { className: "player" });
  const now = make("p", "", { role: "status" });
  const button = (text, name, by) => {
    const made = make("button", text, { type: "button", ariaLabel: name });
    made.addEventListener("click", () => move(by));
    return made;
  };
  place.append(button("←", "Previous event", -1), button("→", "Next event", 1), now);
  exchange.before(place);
  let at = Math.min(Number(state().get("step")) || 0, events.length);
  const stateBefore = () => events.slice(0, at).map((one) => find(document.body.classList.contains("hiding") ? "em:not(.answer)" : "em", one)?.textContent).filter(Boolean).pop() ?? "not connected";
  const show = () => {
    document.body.classList.toggle("stepping", at > 0);
    const names = new Set(events.slice(0, at).map((one) => one.dataset.name));
    events.forEach((one, index) => {
      one.classList.toggle("past", index < at - 1);
      one.classList.toggle("present", index === at - 1);
      one.ariaCurrent = index === at - 1 ? "step" : null;
    });
    lines.forEach((line) => line.classList.toggle("read", names.has(line.lastElementChild.textContent.trim())));
    if (at) now.textContent = `${at} of ${events.length}: ${find("b", events[at - 1]).textContent} ${find("code", events[at - 1]).textContent}. The client: ${stateBefore()}.`;
    else now.textContent = "Step through it with the arrow keys.";
    if (at) events[at - 1].scrollIntoView({ block: "nearest" });
  };
  const move = (by) => {
    at = Math.max(0, Math.min(events.length, at + by));
    setState({ ...Object.fromEntries(state()), step: at || "" });
    show();
  };
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowRight") move(1);
    else if (event.key === "ArrowLeft") move(-1);
    else return;
    event.preventDefault();
  });
  show();
}

// Only the script asks, so pages have no more than the words of the question.
function predict(form) {
  const fields = document.createElement("fieldset");
  fields.append(make("legend", form.textContent), ...form.dataset.options.split("|").map((text) => make("button", text, { type: "button" })));
  const said = make("p", "", { className: "said", role: "status" });
  said.dataset.answer = form.dataset.answer;
  form.replaceChildren(fields, said);
  const toggle = make("button", "Predict first", { type: "button", className: "toggle" });
  find(".facts").append(toggle);
  const hide = (on) => {
    document.body.classList.toggle("hiding", on);
    form.hidden = !on;
    toggle.hidden = on;
  };
  toggle.addEventListener("click", () => { setState({ ...Object.fromEntries(state()), predict: "1" }); hide(true); find("button", form).focus(); });
  ask(form, () => document.body.classList.remove("hiding"));
  if (state().has("predict") || "first" in form.dataset) hide(true);
}

function ask(form, then = () => {}) {
  const said = find(".said", form);
  all("button", form).forEach((button) => button.addEventListener("click", () => {
    const right = button.textContent === said.dataset.answer;
    button.dataset.chosen = "1";
    said.className = `said ${right ? "right" : "wrong"}`;
    said.textContent = `${right ? "Right" : "Not so"}: ${said.dataset.answer}. ${find(".why")?.textContent ?? ""}`;
    then();
  }));
}

function named() {
  for (const one of all(".octets b")) {
    const role = one.className.match(/^r-([\w-]+)/)?.[1];
    if (!role) continue;
    one.title = role.replaceAll("-", " ");
    one.tabIndex = 0;
    one.setAttribute("role", "note");
    one.ariaLabel = `${one.title}: ${one.textContent}`;
  }
}

// Thousands of pages of cases have one menu, which is stored once.
function menu(top) {
  if (typeof MENU === "undefined" || find("nav", top)) return;
  const items = document.createElement("ul"), nav = document.createElement("nav");
  for (const [file, name] of MENU) {
    const item = document.createElement("li");
    item.append(make("a", name, { href: `../${file}` }));
    items.append(item);
  }
  nav.ariaLabel = "Site";
  nav.append(items);
  top.append(nav);
}

// The names of implementations lead to their pages, whose files are the same for every case.
function linked() {
  if (typeof BY === "undefined") return;
  const places = all(".deed > p + p, .deed td:first-child");
  const written = places.map((place) => (find("a", place) ? [] : place.textContent.trim().split(", ")));
  const named = new Set(written.flat());
  const links = (names) => names.flatMap((name, at) => [
    at ? ", " : "",
    Object.hasOwn(BY, name) ? make("a", name, { href: `../by/${BY[name]}` }) : name,
  ]);
  places.forEach((place, at) => {
    const everyone = find("a", place);
    if (!everyone) { place.replaceChildren(...links(written[at])); return; }
    const absent = new Set(ABSENT[everyone.hash.replace("#ran-", "")]);
    const rest = document.createElement("details");
    rest.append(make("summary", place.textContent), ...links(CLIENTS.filter((name, number) => !absent.has(number) && !named.has(name))));
    place.replaceChildren(rest);
  });
}

const DOES = [[".top", menu], [".deeds", linked], ["#filter", cases], ["#compare", compare], ["#drop", open], [".events", player], ["#predict", predict], ["#ask", ask], [".octets", named]];
for (const [selector, does] of DOES) {
  const place = find(selector);
  if (place) does(place);
}
