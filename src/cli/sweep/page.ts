/**
 * The page of a report: its data as JSON, which no text from a file can leave, and a script that shows it as text. Control characters
 * are none of it: a command that is copied from here would end at a line's end, and run.
 */
import { printable } from "../../formats/printable.ts";

/** An HTML page of data. */
export const page = (title: string, data: object): string =>
  `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escaped(printable(title))}</title>
<style>${style}</style>
<header>
  <h1></h1>
  <p id="summary"></p>
  <details id="table"><summary>By setting</summary><div class="scroll"><table></table></div></details>
  <form>
    <label>Search <input name="text" type="search" placeholder="pepper"></label>
    <label>Show <select name="which">
      <option value="">all</option>
      <option value="yes">those that the classifier recognises</option>
      <option value="no">those that it does not</option>
      <option value="judged">those that the judge recognises too</option>
      <option value="refused">those that only the classifier recognises</option>
    </select></label>
    <label>Sort by <select name="order"></select></label>
    <label>Size <input name="size" type="range" min="64" max="384" value="144"></label>
    <label><input name="smooth" type="checkbox" checked> smooth</label>
    <output></output>
  </form>
</header>
<main></main>
<script type="application/json" id="data">${JSON.stringify(data, tame).replaceAll("<", "\\u003c")}</script>
<script>${script}</script>
</html>
`;

const tame = (_: string, value: unknown) => typeof value === "string" ? printable(value) : value;

const escaped = (text: string) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --soft: color-mix(in srgb, currentColor 65%, transparent); }
body { font: 15px/1.4 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 100rem; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; }
p { margin: 0 0 .6rem; color: var(--soft); }
form { display: flex; flex-wrap: wrap; gap: .5rem 1.2rem; align-items: center; margin: .6rem 0 1rem; }
label { display: flex; gap: .4rem; align-items: center; max-width: 100%; }
select { min-width: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .4rem 0; }
th, td { text-align: right; padding: .15rem .7rem; border-bottom: 1px solid var(--line); }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(max(var(--size, 144px), 11rem), 1fr)); }
article { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem; min-width: 0; overflow-wrap: anywhere; }
article h2 { font-size: 1rem; margin: .4rem 0 .1rem; }
article p { font-size: .85rem; margin: 0; }
img, .gone { display: block; width: var(--size, 144px); max-width: 100%; aspect-ratio: 1; object-fit: contain; }
.gone { display: grid; place-items: center; border: 1px dashed var(--line); color: var(--soft); }
.exact img { image-rendering: pixelated; }
svg { display: block; width: 100%; height: 2.2rem; margin: .3rem 0; }
polyline { fill: none; stroke: currentColor; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.yes { color: light-dark(#0a6b2d, #6fd08c); }
.no { color: light-dark(#9a3412, #f0a27a); }
code { display: block; font-size: .75rem; margin-top: .3rem; user-select: all; color: var(--soft); white-space: nowrap; overflow-x: auto; }
`;

const script = String.raw`
const data = JSON.parse(document.querySelector("#data").textContent);
const { lines, varied } = data, form = document.forms[0], main = document.querySelector("main");
const make = (name, text, kind) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
};
const number = (value) => typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value);
const share = (part, whole) => part + " of " + whole;
const namesOf = (top) => top.slice(0, 3).map(({ name }) => name);
const known = lines.filter((line) => line.recognised !== undefined);
const judged = lines.filter((line) => line.judge && line.judge.recognised !== undefined);
const recognised = (list) => list.filter((line) => line.recognised).length;
const approved = (list) => list.filter((line) => line.judge && line.judge.recognised).length;

document.querySelector("h1").textContent = data.name;
document.querySelector("#summary").textContent = [
  lines.length < data.planned ? share(lines.length, data.planned) + " pictures so far" : lines.length + " pictures",
  known.length ? share(recognised(known), known.length) + " recognised" : "",
  judged.length ? share(approved(judged), judged.length) + " also by the judge" : "",
  "made on " + data.adapters.join(", "),
  "Phosphene " + data.version,
].filter(Boolean).join(" · ");

const orders = { picture: "number", activation: "activation", title: "name" };
for (const name of varied) orders[name] = name;
for (const [name, text] of Object.entries(orders)) {
  const option = make("option", text);
  option.value = name;
  form.order.append(option);
}

const ofJudge = [...form.which.options].filter(({ value }) => value === "judged" || value === "refused");
if (judged.length === 0) ofJudge.forEach((option) => option.remove());

function row(table, cells, kind) {
  const tr = make("tr");
  for (const cell of cells) tr.append(make(kind, cell));
  table.append(tr);
}

const details = document.querySelector("#table");
if (varied.length === 0) details.remove();
else {
  const groups = new Map();
  for (const line of lines) {
    const key = JSON.stringify(varied.map((name) => line.settings[name]));
    groups.set(key, [...(groups.get(key) || []), line]);
  }
  const table = details.querySelector("table"), judge = judged.length > 0;
  row(table, [...varied, "pictures", "recognised", ...(judge ? ["by the judge"] : []), "mean activation"], "th");
  const mean = (list) => list.reduce((sum, line) => sum + line.activation, 0) / list.length;
  const best = [...groups.values()].sort((a, b) => approved(b) - approved(a) || recognised(b) - recognised(a) || mean(b) - mean(a));
  for (const list of best) {
    const values = varied.map((name) => number(list[0].settings[name]));
    row(table, [...values, list.length, recognised(list), ...(judge ? [approved(list)] : []), number(mean(list))], "td");
  }
}

function curve(trace) {
  const least = Math.min(...trace), most = Math.max(...trace), space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg"), path = document.createElementNS(space, "polyline");
  svg.setAttribute("viewBox", "0 0 100 30");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "activation from " + number(trace[0]) + " to " + number(trace[trace.length - 1]));
  const x = (n) => trace.length > 1 ? 100 * n / (trace.length - 1) : 50, y = (v) => most > least ? 29 - 28 * (v - least) / (most - least) : 15;
  path.setAttribute("points", trace.map((value, n) => x(n).toFixed(1) + "," + y(value).toFixed(1)).join(" "));
  svg.append(path);
  return svg;
}

function card(line) {
  const article = make("article");
  if (line.image) {
    const image = make("img");
    image.src = "data:image/png;base64," + line.image;
    image.alt = line.title;
    image.loading = "lazy";
    article.append(image);
  } else article.append(make("div", "not there", "gone"));
  const unit = line.units ? line.layer + " " + line.units.join("+") : "";
  article.append(make("h2", line.title), make("p", [unit, "seed " + line.seed, line.file].filter(Boolean).join(" · ")));
  if (varied.length) article.append(make("p", varied.map((name) => name + " " + number(line.settings[name])).join(", ")));
  article.append(curve(line.trace), make("p", "activation " + number(line.activation) + (line.zeroGradient ? ", the gradient was zero" : "")));
  const sees = (who, seen, right) =>
    article.append(make("p", who + " sees " + namesOf(seen).join(", "), right === undefined ? "" : right ? "yes" : "no"));
  sees("classifier", line.top, line.recognised);
  if (line.judge) sees("judge", line.judge.top, line.judge.recognised);
  article.append(make("code", line.again), make("code", line.command));
  article.lastChild.title = "by itself: rounding may lead elsewhere";
  return article;
}

const cards = new Map(lines.map((line) => [line, card(line)]));
const seen = (line) => [...namesOf(line.top), ...(line.judge ? namesOf(line.judge.top) : [])];
const texts = new Map(lines.map((line) => [line, [line.title, line.layer, line.target, line.file, ...seen(line)].join(" ").toLowerCase()]));
const shows = {
  "": () => true,
  yes: (line) => line.recognised === true,
  no: (line) => line.recognised === false,
  judged: (line) => line.recognised === true && !!line.judge && line.judge.recognised === true,
  refused: (line) => line.recognised === true && !!line.judge && line.judge.recognised === false,
};
const keys = { picture: (line) => line.picture, activation: (line) => -line.activation, title: (line) => line.title };

function show() {
  const text = form.text.value.trim().toLowerCase(), order = form.order.value;
  const key = keys[order] || ((line) => line.settings[order]);
  const list = lines.filter((line) => shows[form.which.value](line) && texts.get(line).includes(text));
  list.sort((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.picture - b.picture);
  main.replaceChildren(...list.map((line) => cards.get(line)));
  main.style.setProperty("--size", form.size.value + "px");
  main.className = form.smooth.checked ? "" : "exact";
  form.querySelector("output").textContent = share(list.length, lines.length) + " shown";
}

form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();
`;
