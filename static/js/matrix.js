// The grid of the matrix: arrows, one letter per value, fill, filter. Each change goes to the draft by itself and the
// dock comes back. Without this file the heads of rows and columns lead to plain forms.

const table = document.querySelector("[data-matrix]");
const values = new Map([...document.querySelectorAll(".matrix-legend [data-key]")].map((item) => [item.dataset.value, item.dataset]));
const rows = [...table.tBodies[0].rows];
const heads = [...table.tHead.rows[0].cells];
const editable = "editable" in table.dataset;
const dock = () => document.getElementById("dock");
const shown = () => rows.filter((row) => !row.hidden);
const say = (sentence) => { document.getElementById("etat").textContent = sentence; };
const unsent = new Map();
let current = rows[0]?.cells[1];
let timer = 0;
let busy = false;

const nameOf = (cell) => [table.dataset.matrix, cell.parentNode.dataset.row, heads[cell.cellIndex].dataset.column].join(":");
const said = (cell) => `${cell.parentNode.cells[0].textContent.trim()}, ${heads[cell.cellIndex].querySelector(".visually-hidden").textContent}`;

function draw(cell, value) {
  const base = values.get(cell.dataset.base);
  const after = values.get(value);
  const changed = value !== cell.dataset.base;
  cell.dataset.value = value;
  cell.className = `m-${value || "aucun"}${changed ? " m-changed" : ""}`;
  cell.firstElementChild.textContent = changed ? `${base.letter} → ${after.letter}` : after.letter;
  cell.lastElementChild.textContent = changed ? `${after.words}, modifié, était : ${base.words}` : after.words;
}

function write(cells, value) {
  const written = cells.filter((cell) => cell.dataset.value !== value);
  for (const cell of written) {
    draw(cell, value);
    unsent.set(nameOf(cell), value);
  }
  if (written.length === 1) say(`${said(written[0])} : ${values.get(value).words}`);
  else if (written.length) say(`${written.length} cases : ${values.get(value).words}`);
  clearTimeout(timer);
  if (written.length) timer = setTimeout(send, 400);
}

async function send() {
  if (busy || !unsent.size) return;
  busy = true;
  const sent = new Map(unsent);
  unsent.clear();
  const { draft, revision } = dock().dataset;
  const fields = { draft, revision };
  for (const [name, value] of sent) fields[`c:${name}`] = value;
  const before = dock();
  await htmx.ajax("POST", table.dataset.url, { source: table, target: "#dock", swap: "outerHTML", values: fields }).catch(() => {});
  busy = false;
  // No answer: what was written stays on the page, and goes again with the next change or when the network is back.
  if (dock() === before) for (const [name, value] of sent) unsent.has(name) || unsent.set(name, value);
  else if (unsent.size) send();
}
addEventListener("online", send);
addEventListener("beforeunload", (event) => { if (unsent.size) event.preventDefault(); });

// What the dock says is what the draft holds, somebody else's changes included.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "dock") return;
  const held = new Map([...dock().querySelectorAll("[data-after]")].map((line) => [line.dataset.key, line.dataset.after]));
  for (const row of rows) {
    for (const cell of [...row.cells].slice(1)) {
      const name = nameOf(cell);
      const value = unsent.get(name) ?? held.get(name) ?? cell.dataset.base;
      if (value !== cell.dataset.value) draw(cell, value);
    }
  }
  filter();
});

// --- Moving --------------------------------------------------------------------------------------
function go(cell, focus = true) {
  if (!cell) return;
  current.tabIndex = -1;
  heads[current.cellIndex].classList.remove("m-here");
  current = cell;
  current.tabIndex = 0;
  heads[current.cellIndex].classList.add("m-here");
  if (focus) current.focus();
}

function step(down, right) {
  const lines = shown();
  const line = lines[Math.min(Math.max(lines.indexOf(current.parentNode) + down, 0), lines.length - 1)];
  go(line?.cells[Math.min(Math.max(current.cellIndex + right, 1), heads.length - 1)]);
}

const far = Infinity;
const MOVES = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], Home: [0, -far], End: [0, far], PageDown: [10, 0], PageUp: [-10, 0] };

table.addEventListener("keydown", (event) => {
  if (event.altKey || event.metaKey || !event.target.matches("td")) return;
  const move = MOVES[event.key];
  if (move) {
    const corner = event.ctrlKey && { Home: [-far, -far], End: [far, far] }[event.key];
    step(...(corner || move));
  } else if (editable && !event.ctrlKey) {
    const wanted = [...values.values()].find((item) => item.key.toLowerCase() === event.key.toLowerCase());
    if (!wanted) return;
    write([current], wanted.value);
    event.stopPropagation();
  } else return;
  event.preventDefault();
});
table.addEventListener("focusin", (event) => event.target.matches("td") && event.target !== current && go(event.target, false));

// --- By pointer: the legend writes in the current cell -------------------------------------------
for (const item of editable ? document.querySelectorAll(".matrix-legend [data-key]") : []) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "m-set";
  button.append(...item.childNodes);
  button.addEventListener("click", () => { write([current], item.dataset.value); });
  item.append(button);
}
document.querySelectorAll("[data-fill]").forEach((button) => button.addEventListener("click", () => {
  const cells = button.dataset.fill === "row" ? [...current.parentNode.cells].slice(1) : shown().map((row) => row.cells[current.cellIndex]);
  write(cells, current.dataset.value);
}));

// --- Filter --------------------------------------------------------------------------------------
const text = document.getElementById("filtre-profils");
const only = document.getElementById("filtre-modifies");
const fold = (word) => word.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function filter() {
  const wanted = fold(text.value);
  for (const row of rows) {
    const changed = row.querySelector(".m-changed");
    row.hidden = !fold(row.cells[0].textContent).includes(wanted) || (only.checked && !changed);
  }
  if (current.parentNode.hidden) go(shown()[0]?.cells[1], false);
}
for (const field of [text, only]) {
  field.addEventListener("input", () => {
    filter();
    say(`${shown().length} profils`);
  });
}

if (current) {
  table.setAttribute("role", "grid");
  if (!editable) table.setAttribute("aria-readonly", "true");
  for (const row of rows) for (const cell of [...row.cells].slice(1)) cell.tabIndex = -1;
  go(current, false);
}
