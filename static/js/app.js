// Behaviours of every page. One file, because the first view is held to seven requests; what only some pages need
// (combobox.js, drafts.js) is loaded when the page shows it. Everything here repeats something that works without it.

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
const say = (sentence) => {
  const region = document.getElementById("etat");
  if (region) region.textContent = sentence;
};

// --- Trusted Types: what may become a part of the page (SECT-14) ---------------------------------
// htmx gives the browser the text of an answer; nothing gives it a script, nor the address of one: no other function
// is written here. A whole page (hx-select) names the scripts of its head, which htmx leaves out (allowScriptTags).
const RUNS = /<\s*(script|iframe|object|embed)\b/i;
globalThis.trustedTypes?.createPolicy("default", {
  createHTML: (text) => {
    if (RUNS.test(text) && !/^\s*<!doctype/i.test(text)) throw new TypeError("An answer may not bring what runs.");
    return text;
  },
});

// --- htmx ----------------------------------------------------------------------------------------
document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = meta("csrf-token");
});
document.addEventListener("htmx:afterSettle", (event) => {
  // Focus stays on the trigger unless the answer brings an error summary or names a place.
  event.target.querySelector?.("[data-error-summary], [data-focus]")?.focus();
});
// A request cut because one goes to another page is no failure: nobody is told of it.
let leaving = false;
addEventListener("beforeunload", () => { leaving = true; });
// A list redrawn by an answer asked before one chose in it keeps the choice.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const chosen = event.detail.target.querySelector("select")?.value;
  const redrawn = event.detail.fragment.querySelector("select");
  if (chosen && redrawn && [...redrawn.options].some((option) => option.value === chosen)) redrawn.value = chosen;
});
document.addEventListener("htmx:beforeRequest", () => { leaving = false; });
document.addEventListener("htmx:sendError", () => leaving || say("Pas de réseau. Réessayez."));
document.addEventListener("htmx:responseError", () => say("La demande n’a pas abouti. Réessayez."));

// --- Menus: native <details data-menu> -----------------------------------------------------------
// data-menu="next" opens the element after it, which wide screens show without a menu.
const nextMenus = [...document.querySelectorAll("details[data-menu=next]")];
const menuOf = (node) => node.closest?.("details[data-menu]") ?? nextMenus.find((menu) => menu.nextElementSibling.contains(node));
const openMenus = () => document.querySelectorAll("details[data-menu][open]");
const closeMenus = (keep) => openMenus().forEach((menu) => menu === menuOf(keep) || menu.removeAttribute("open"));

document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  const menu = menuOf(event.target);
  if (!menu?.open) return;
  if (event.key === "Escape") {
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  } else if (["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key) && !event.target.matches("input")) {
    const opened = menu.dataset.menu ? menu.nextElementSibling : menu;
    const items = [...opened.querySelectorAll(":is(a, button, input:not([type=hidden]))")];
    const here = items.indexOf(event.target);
    const last = items.length - 1;
    const up = here > 0 ? here - 1 : last;
    const to = { ArrowDown: (here + 1) % items.length, ArrowUp: up, Home: 0, End: last }[event.key];
    items[to]?.focus();
    event.preventDefault();
  }
});
// Rows that share their acts share one inert menu: it is put in the row, with the member in it, when first opened.
const NOBODY = "00000000-0000-0000-0000-000000000000";

function openActs(opener) {
  const menu = document.getElementById(opener.dataset.acts).content.firstElementChild.cloneNode(true);
  const member = opener.pathname.split("/").at(-2);
  const summary = menu.querySelector("summary");
  for (const name of ["href", "formaction"]) {
    menu.querySelectorAll(`[${name}]`).forEach((act) => act.setAttribute(name, act.getAttribute(name).replace(NOBODY, member)));
  }
  summary.setAttribute("aria-label", opener.getAttribute("aria-label"));
  opener.replaceWith(menu);
  menu.setAttribute("open", "");
  summary.focus();
}
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-acts]");
  if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openActs(opener);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || !event.target.matches?.("[data-acts]")) return;
  event.preventDefault();
  openActs(event.target);
});
// The search dropped from the top bar of a phone: the field is what one opened it for.
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.(".search-menu[open]")) document.getElementById("recherche-dossier").focus();
}, true);

// --- Undo toast ----------------------------------------------------------------------------------
const TOAST_MS = 10_000;

function startToast(toast) {
  let left = TOAST_MS;
  let since = 0;
  let timer = 0;
  const held = () => toast.matches(":hover") || toast.contains(document.activeElement);
  const run = () => {
    if (held()) return;
    since = Date.now();
    timer = setTimeout(() => toast.remove(), left);
  };
  const hold = () => {
    if (!timer) return;
    clearTimeout(timer);
    timer = 0;
    left = Math.max(1000, left - (Date.now() - since));
  };
  toast.dataset.toast = "started";
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("pointerleave", run);
  toast.addEventListener("focusout", () => setTimeout(run));
  run();
}

// --- File active: row to row ---------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  const link = event.target.closest?.("[data-rows] [data-row-link]");
  if (!link || event.ctrlKey || event.altKey || event.metaKey) return;
  const links = [...link.closest("[data-rows]").querySelectorAll("[data-row-link]")];
  const here = links.indexOf(link);
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: links.length - 1 }[event.key];
  if (to === undefined) return;
  links[Math.min(Math.max(to, 0), links.length - 1)].focus();
  event.preventDefault();
});

// --- Shortcuts -----------------------------------------------------------------------------------
const GO_TO = { p: "patients", a: "agenda", t: "todo", n: "annuaire" };
let goingTo = 0;

function openDossierSearch() {
  const field = document.getElementById("recherche-dossier");
  if (field && !field.offsetParent) document.querySelector(".search-menu").setAttribute("open", "");
  field?.focus();
}

function singleKey(event) {
  const key = event.key.toLowerCase();
  if (Date.now() - goingTo < 1500 && GO_TO[key]) {
    goingTo = 0;
    document.querySelector(`.main-nav [data-key="${GO_TO[key]}"]`)?.click();
  } else if (key === "g") {
    goingTo = Date.now();
  } else if (key === "/") {
    openDossierSearch();
  } else {
    const target = document.querySelector(`[data-shortcut="${CSS.escape(key)}"]`);
    if (!target) return;
    target.click();
  }
  event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  const undo = document.querySelector("[data-toast] [data-undo]");
  if (event.altKey && event.code === "KeyZ" && undo) {
    event.preventDefault();
    undo.click();
  } else if ((event.ctrlKey || event.metaKey) && event.key === "k") {
    event.preventDefault();
    openDossierSearch();
  } else if (!event.ctrlKey && !event.altKey && !event.metaKey && "shortcuts" in document.body.dataset) {
    // Single letters are off in fields, and everywhere when the account says so (WCAG 2.1.4).
    if (!event.target.closest("input, select, textarea, [contenteditable], dialog[open]")) singleKey(event);
  }
});

// --- Forms ---------------------------------------------------------------------------------------
// A text to look for goes with the filters of its list, by POST: it may name someone, and stays out of the address.
document.addEventListener("submit", (event) => {
  const filters = event.target;
  const text = "autoSubmit" in filters.dataset && filters.method === "get" && filters.querySelector("input[form]");
  if (!text?.value?.trim() || text.form === filters) return;
  event.preventDefault();
  text.form.action = `${filters.action}?${new URLSearchParams(new FormData(filters))}`;
  text.form.submit();
});
// Back to an answer to POST, the browser would show an error: it becomes the page of the form; of a search, the
// list, with the filters that name nobody.
function before() {
  const search = document.querySelector("form.toolbar[method=post]");
  if (!search) return document.referrer.startsWith(`${location.origin}/`) ? document.referrer : location.href;
  const named = [...search.querySelectorAll("select, [type=hidden]:not([name=csrfmiddlewaretoken]), :checked")].filter((one) => one.name && one.value);
  const filters = new URLSearchParams(named.map((one) => [one.name, one.value]));
  return `${search.getAttribute("action").split("?")[0]}?${filters}`.replace(/\?$/, "");
}
if ("posted" in document.body.dataset) history.replaceState(history.state, "", before());
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("submitOnce" in form.dataset)) return;
  if (form.dataset.sending) {
    event.preventDefault();
    return;
  }
  form.dataset.sending = "1";
  const button = event.submitter;
  const words = button?.querySelector("span");
  if (!words || !button.dataset.busy) return;
  button.style.minWidth = `${button.offsetWidth}px`;
  button.dataset.words = words.textContent;
  button.setAttribute("aria-busy", "true");
  words.textContent = button.dataset.busy;
});
function release(form) {
  delete form.dataset.sending;
  form.querySelectorAll("[aria-busy][data-words]").forEach((button) => {
    button.removeAttribute("aria-busy");
    button.querySelector("span").textContent = button.dataset.words;
  });
}
// Back from the next page (kept by the browser), or answered by htmx without leaving.
addEventListener("pageshow", () => document.querySelectorAll("[data-sending]").forEach(release));
document.addEventListener("htmx:afterRequest", (event) => event.target.matches?.("form") && release(event.target));

// A password shown while one types is masked again before it leaves: no browser keeps it as a text.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-reveal]");
  if (!button) return;
  const type = button.dataset.shown ? "password" : "text";
  button.form.querySelectorAll("[autocomplete$=-password]").forEach((field) => { field.type = type; });
  button.dataset.shown = type === "text" ? "1" : "";
  [button.textContent, button.dataset.reveal] = [button.dataset.reveal, button.textContent];
});
document.addEventListener("submit", (event) => event.target.querySelector("[data-reveal][data-shown='1']")?.click());

let sent;
document.addEventListener("submit", (event) => { sent = event.target; });
document.addEventListener("change", ({ target }) => {
  const { form } = target;
  if (!form || !("autoSubmit" in form.dataset)) return;
  if (target.matches("select, [type=checkbox], [type=radio]")) form.requestSubmit();
  if (!target.matches(".date")) return;
  // The number pad of a phone has no Enter: a date is sent when it is left. Enter has sent it by then, once is enough.
  sent = null;
  setTimeout(() => sent || form.requestSubmit());
});

// --- Dialogs -------------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
  event.target.closest("[data-close]")?.closest("dialog")?.close();
});

// --- Copying what is shown once -------------------------------------------------------------------
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.querySelector(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    say("Copié.");
    button.querySelector("span").textContent = "Copié";
  } catch {
    say("Le texte est sélectionné : copiez-le avec votre clavier.");
  }
});

// --- What a page brings, now and after a swap ----------------------------------------------------
const files = JSON.parse(meta("modules"));
const MODULES = { combobox: "[data-combobox]", drafts: "form[data-draft]", durations: "[data-durations]" };

function greet(root) {
  root.querySelectorAll("[data-toast='']").forEach(startToast);
  root.querySelectorAll("[data-acts]").forEach((opener) => {
    opener.setAttribute("role", "button");
    opener.setAttribute("aria-expanded", "false");
  });
  root.querySelectorAll("[data-copy], [data-reveal]").forEach((button) => { button.hidden = false; });
  for (const [name, selector] of Object.entries(MODULES)) {
    if (root.querySelector(selector)) import(files[name]).then((module) => module.start(root));
  }
}

greet(document);
// Nothing to announce in the first minute: the clock of the session is not part of the first view.
if (meta("session")) setTimeout(() => import(files.session).then((module) => module.start()), 60_000);
document.addEventListener("htmx:load", (event) => greet(event.target.parentElement ?? document));
// Some browsers pass over `autofocus` when the address has a fragment; the error summary must be heard.
document.querySelector("[data-error-summary]")?.focus();
