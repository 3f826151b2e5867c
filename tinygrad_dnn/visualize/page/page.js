// Steps through the drawings, and shows what a box holds.  No library, no request; all that is known
// stands in the JSON of the page.  Vocabulary: a view (a tab) has levels (folded, unfolded); a level
// has boxes with details, and steps; "made" says at which step a box or an arrow comes to be.
"use strict";

const $ = (id) => document.getElementById(id);
const make = (tag, attributes = {}, html = "") => {
  const element = Object.assign(document.createElement(tag), attributes);
  if (html) element.innerHTML = html; // escaped where it was written
  return element;
};
const { views, arrays } = JSON.parse($("data").textContent);
const PACE = 1500; // milliseconds of a step
const READABLE = 0.9; // of its natural size a drawing is read with ease
const calm = matchMedia("(prefers-reduced-motion: reduce)");

for (const view of views) {
  view.panel = $(`view-${view.id}`);
  view.tab = $(`tab-${view.id}`);
  view.now = 0; // the level shown
  for (const level of view.levels) prepare(level);
}
let view = views[0];
let timer = null;
const level = () => view.levels[view.now];

function prepare(level) {
  level.holder = document.querySelector(`[data-level="${level.id}"]`);
  level.svg = level.holder.firstElementChild;
  level.step = 0;
  level.selected = null;
  const { width, height } = level.svg.viewBox.baseVal;
  level.wide = width;
  level.svg.style.setProperty("--wide", `${width}px`);
  level.svg.style.setProperty("--tall", `${height}px`);
  level.nodes = new Map(Object.keys(level.boxes).map((id) => [id, $(`${level.id}-${id}`)]));
  level.made = new Map();
  level.steps.forEach((step, i) => {
    for (const id of step.makes) level.made.set($(`${level.id}-${id}`), i + 1);
    for (const n of step.arrows) level.made.set($(`${level.id}-e${n}`), i + 1);
  });
  const first = level.nodes.values().next().value;
  if (first) first.setAttribute("tabindex", "0");
  for (const [id, node] of level.nodes) {
    node.addEventListener("click", () => select(id));
    node.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && detail(id));
    node.addEventListener("pointerleave", () => detail(level.selected));
    node.addEventListener("focus", () => focused(level, node));
    node.addEventListener("keydown", (event) => boxKeys(event, level, id, node));
  }
}

// ---- steps --------------------------------------------------------------------------------------
function go(step) {
  const { steps, made, nodes } = level();
  step = Math.max(0, Math.min(steps.length, step));
  level().step = step;
  const current = steps[step - 1];
  for (const [element, when] of made) {
    element.classList.toggle("later", step > 0 && when > step);
    element.classList.toggle("now", step > 0 && when === step);
  }
  for (const id of current?.at ?? []) nodes.get(id)?.classList.add("now");
  for (const [id, node] of nodes)
    if (!made.has(node)) node.classList.toggle("now", !!current?.at.includes(id));
  $("slider").max = steps.length;
  $("slider").value = step;
  $("slider").setAttribute("aria-valuetext", current ? plain(current.title) : "Overview");
  $("count").textContent = `${step} / ${steps.length}`;
  caption(current);
  level().selected = current ? current.at[0] : level().selected;
  mark();
  if (current) into(nodes.get(current.at[0]));
}

function caption(step) {
  const box = $("caption");
  box.replaceChildren(make("b", { className: step?.phase ?? "" }, step ? step.title : "Overview"));
  const both = level().steps.some(({ phase }) => phase === "backward");
  const rest = `Play runs the forward pass${both ? ", then the backward pass" : ""}; every box can be selected.`;
  for (const [text, shapes] of step ? step.lines : [[rest, ""]]) {
    const line = make("span", {}, text);
    if (shapes) line.append(make("small", {}, shapes));
    box.append(line);
  }
}

function play(on) {
  clearInterval(timer);
  timer = null;
  document.body.classList.toggle("playing", on);
  $("play").setAttribute("aria-label", on ? "Pause" : "Play");
  if (!on) return;
  if (level().step >= level().steps.length) go(0);
  const tick = () => {
    if (level().step >= level().steps.length) play(false);
    else go(level().step + 1);
  };
  tick();
  timer = setInterval(tick, PACE);
}

function into(node) {
  const area = view.panel.parentElement;
  const box = node.getBoundingClientRect();
  const frame = area.getBoundingClientRect();
  const left = (box.left + box.right - frame.left - frame.right) / 2;
  const far = Math.abs(left) > 1.5 * frame.width;
  if (box.left < frame.left + 8 || box.right > frame.right - 8)
    area.scrollBy({ left, behavior: far || calm.matches ? "auto" : "smooth" });
}

// The panel stands beside the drawing where that stays readable so, else below it.
function arrange() {
  const main = document.querySelector("main");
  main.classList.remove("below");
  const room = view.panel.parentElement.clientWidth;
  const wide = Math.max(...views.map((each) => each.levels[0].wide));
  main.classList.toggle("below", wide * READABLE > room);
}

// ---- views and levels ---------------------------------------------------------------------------
function show(next) {
  play(false);
  view = next;
  for (const each of views) {
    each.panel.hidden = each !== view;
    each.tab.setAttribute("aria-selected", each === view);
    each.tab.tabIndex = each === view ? 0 : -1;
  }
  go(level().step);
}

function unfold(now) {
  play(false);
  level().step = 0;
  view.now = now;
  view.levels.forEach((each, i) => (each.holder.hidden = i !== now));
  view.panel.querySelector(".unfold").textContent = now ? "Fold" : "Unfold all";
  go(0);
}

// ---- the panel ----------------------------------------------------------------------------------
function select(id) {
  if (level().boxes[id].folded && view.levels.length > 1) {
    unfold(1);
    const inside = level().nodes.get(id.split("to")[0]) ?? level().nodes.values().next().value;
    inside.focus({ preventScroll: true });
    into(inside);
    return;
  }
  level().selected = id;
  mark();
  const { title, kind, math = [], arrays: keys = [] } = level().boxes[id];
  const sizes = keys.map((key) => `${plain(arrays[key].name)} is ${shape(arrays[key])}`);
  const said = [`${plain(title)}, ${plain(kind)}`, ...math.map(plain), ...sizes];
  $("said").textContent = said.join(". ");
}

const plain = (html) => make("i", {}, html).textContent;

function mark() {
  const { nodes, selected } = level();
  for (const [id, node] of nodes) {
    node.classList.toggle("selected", id === selected);
    node.setAttribute("aria-pressed", id === selected);
  }
  detail(selected);
}

let shown = null; // the details in the panel: what is there already is not made again

function detail(id, again = false) {
  const panel = $("panel");
  const known = level().boxes[id];
  if (known && known === shown && !again) return undefined;
  shown = known;
  if (!known) return panel.replaceChildren(...help());
  const chip = make("span", { className: "chip" }, known.kind);
  chip.style.color = `var(--tg-${known.role}-text)`;
  const about = section(make("h2", {}, known.title), chip);
  if (known.math) {
    const math = make("div", { className: "math" }, known.math.map((m) => `<div>${m}</div>`).join(""));
    about.append(math);
  }
  if (known.folded && view.levels.length > 1)
    about.append(make("p", { className: "remark" }, "A click, or Enter, unfolds all of it."));
  for (const remark of known.remarks ?? []) about.append(make("p", { className: "remark" }, remark));
  panel.replaceChildren(about, ...(known.arrays ?? []).map((key) => quantity(arrays[key])));
}

function section(...parts) {
  const whole = make("section");
  whole.append(...parts);
  return whole;
}

function help() {
  const keys = [
    ["Space", "play and pause"],
    ["← →", "one step back, one step on; in the drawing, to the next box"],
    ["Home End", "start and end"],
    ["Enter", "select a box, unfold a folded one"],
  ];
  const list = keys.map(([key, does]) => `<li><kbd>${key}</kbd> ${does}</li>`).join("");
  const what = "Point at a box, or select it, to see its equation, its numbers and its gradient.";
  return [section(make("h2", {}, "Look inside"), make("p", {}, what)), make("ul", {}, list)];
}

const shape = (array) => (array.shape.length ? array.shape.join(" by ") : "one number");
const tuple = (s) => (s.length === 1 ? `(${s[0]},)` : `(${s.join(", ")})`);
const number = (x) => (x == null ? "–" : String(+x.toPrecision(5)).replaceAll("-", "−"));

function quantity(array) {
  const title = `<b>${raised(array.name)}</b>${tuple(array.shape)} ${array.dtype}`;
  const part = section(make("h3", { className: array.kind }, title));
  if (!array.map) part.append(make("p", { className: "scalar" }, number(array.mean)));
  if (!array.map) return part;
  part.append(...heat(array));
  const facts = make("dl", { className: "facts" });
  const zeros = array.zeros == null ? "–" : `${number(100 * array.zeros)} %`;
  const rows = [["min", number(array.min)], ["max", number(array.max)], ["mean", number(array.mean)],
    ["std", number(array.std)], ["norm", number(array.norm)], ["zeros", zeros]];
  for (const [name, value] of rows) facts.append(make("dt", {}, name), make("dd", {}, value));
  part.append(facts);
  if (array.bad) part.append(make("p", { className: "remark" }, `${array.bad} entries are not finite.`));
  return part;
}

function raised(name) {
  const text = make("i", { textContent: name }).innerHTML;
  return text.replace(/(d?[A-Za-zŶ])(\[\d+\])/g, "$1<sup>$2</sup>");
}

function where([row, col], tile) {
  if (!tile) return `row ${row + 1}, column ${col + 1}`;
  const [height, width] = tile;
  const image = `image ${Math.floor(row / height) + 1}, channel ${Math.floor(col / width) + 1}`;
  return `${image}, row ${(row % height) + 1}, column ${(col % width) + 1}`;
}

// ---- heat maps ----------------------------------------------------------------------------------
function heat(array) {
  const { rows, cols, peak, of, cells, tile } = array.map;
  const bytes = Uint8Array.from(atob(cells), (c) => c.charCodeAt(0));
  const values = new Int16Array(bytes.buffer);
  const side = Math.max(1, Math.min(24, Math.floor(286 / cols), Math.floor(240 / rows)));
  const canvas = make("canvas", { className: "heat", width: cols, height: rows, tabIndex: 0 });
  canvas.style.width = `${Math.max(12, cols * side)}px`;
  canvas.style.height = `${Math.max(12, rows * side)}px`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Heat map of ${array.name}, ${shape(array)}; arrow keys read cells`);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => {
    const hex = style.getPropertyValue(`--tg-${name}`).trim();
    return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  };
  const [low, zero, high, none] = ["forward-stroke", "paper", "parameter-stroke", "grey"].map(colour);
  const context = canvas.getContext("2d");
  const image = context.createImageData(cols, rows);
  values.forEach((v, i) => {
    const [end, part] = [v < 0 ? low : high, Math.abs(v) / 32767];
    const rgb = v === -32768 ? none : zero.map((z, k) => z + (end[k] - z) * part);
    image.data.set([...rgb, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
  const scale = peak ? `blue −${number(peak)}, plain 0, amber ${number(peak)}` : "all 0";
  const mean = of[0] > 1 || of[1] > 1 ? `; a cell is the mean of ${of[0]} × ${of[1]} entries` : "";
  const line = make("p", { className: "cell" }, scale + mean);
  let at = null;
  const read = (row, col) => {
    at = [Math.max(0, Math.min(rows - 1, row)), Math.max(0, Math.min(cols - 1, col))];
    const v = values[at[0] * cols + at[1]];
    const said = v === -32768 ? "not finite" : number((v / 32767) * peak);
    line.textContent = `${where(at, tile)}: ${said}`;
  };
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const part = (x, start, size, n) => Math.floor(((x - start) / size) * n);
    read(part(event.clientY, box.top, box.height, rows), part(event.clientX, box.left, box.width, cols));
  });
  canvas.addEventListener("pointerleave", () => (line.textContent = scale + mean));
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    read(...(at ? [at[0] + way[0], at[1] + way[1]] : [0, 0]));
    $("said").textContent = line.textContent;
  });
  return [canvas, line];
}

// ---- keys ---------------------------------------------------------------------------------------
function focused(level, node) {
  for (const other of level.nodes.values()) other.setAttribute("tabindex", "-1");
  node.setAttribute("tabindex", "0");
}

function boxKeys(event, level, id, node) {
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const all = [...level.nodes.values()];
  let to = null;
  if (event.key === "Enter" || event.key === " ") select(id);
  else if (ways[event.key]) to = neighbour(node, all, ...ways[event.key]);
  else if (event.key === "Home") to = all[0];
  else if (event.key === "End") to = all.at(-1);
  else return;
  event.preventDefault();
  event.stopPropagation();
  if (to) {
    to.focus({ preventScroll: true });
    into(to);
  }
}

function neighbour(node, all, dx, dy) {
  const centre = (each) => {
    const box = each.getBBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const [x, y] = centre(node);
  let [best, least] = [null, Infinity];
  for (const other of all) {
    const [u, v] = centre(other);
    const along = (u - x) * dx + (v - y) * dy;
    const aside = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
    if (along > 4 && along + 3 * aside < least) [best, least] = [other, along + 3 * aside];
  }
  return best;
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, [role=tab]")) return;
  const moves = { ArrowRight: level().step + 1, ArrowLeft: level().step - 1, Home: 0, End: Infinity };
  if (event.key === " " && !event.target.closest("button")) play(timer === null);
  else if (event.key in moves) {
    play(false);
    go(moves[event.key]);
  } else return;
  event.preventDefault();
});

$("slider").addEventListener("input", (event) => {
  play(false);
  go(+event.target.value);
});
const press = (id, does) => $(id).addEventListener("click", does);
press("first", () => (play(false), go(0)));
press("back", () => (play(false), go(level().step - 1)));
press("next", () => (play(false), go(level().step + 1)));
press("play", () => play(timer === null));
press("theme", () => {
  const root = document.documentElement;
  root.dataset.theme = getComputedStyle(root).colorScheme === "dark" ? "light" : "dark";
  detail(level().selected, true);
});
views.forEach((each, i) => {
  each.tab.addEventListener("click", () => show(each));
  each.tab.addEventListener("keydown", (event) => {
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: views.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = views[(to + views.length) % views.length];
    show(next);
    next.tab.focus();
  });
  each.panel.querySelector(".unfold")?.addEventListener("click", () => unfold(1 - each.now));
});

addEventListener("resize", arrange);

// ---- where to begin: page.html#view=ops&step=6&node=W1&theme=dark&unfold=1 -----------------------
const asked = new URLSearchParams(location.hash.slice(1));
if (asked.has("theme")) document.documentElement.dataset.theme = asked.get("theme");
arrange();
show(views.find((each) => each.id === asked.get("view")) ?? view);
if (asked.has("unfold") && view.levels.length > 1) unfold(1);
go(+(asked.get("step") ?? 0) || 0);
const failed = Object.keys(level().boxes).find((id) => level().boxes[id].role === "failed");
if (asked.get("node") in level().boxes) {
  select(asked.get("node"));
  into(level().nodes.get(asked.get("node")) ?? level().nodes.values().next().value);
}
if (failed && level().selected === null) select(failed);
