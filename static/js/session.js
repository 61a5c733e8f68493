// Announces the end of the session two minutes before: a dialog says so and offers to stay.
// <meta name="session" content="/compte/session/" data-seconds="1800"> is present for a signed-in person only.
// GET asks how long is left without prolonging; POST prolongs. Other tabs and htmx answers prolong too, so the clock
// is asked again before anything is said. Loaded by app.js when that tag is there.

const WARN_S = 120;
const meta = document.querySelector('meta[name="session"]');
// What drafts.js could not keep: only this page has it.
const unsaved = () => document.querySelector("form[data-unsaved]");
const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
let timer = 0;
let dialog = null;

async function secondsLeft(method = "GET") {
  const headers = { "X-CSRFToken": token() };
  const answer = await fetch(meta.content, { method, headers, credentials: "same-origin", redirect: "manual" });
  // Redirected to the sign-in page: the session is over. A server that stops, a token made void: not known.
  if (answer.type === "opaqueredirect") return 0;
  if (!answer.ok) throw answer;
  return (await answer.json()).seconds_left;
}

function wait(seconds) {
  clearTimeout(timer);
  timer = setTimeout(check, Math.max(1, seconds) * 1000);
}

async function check() {
  let left;
  try {
    left = await secondsLeft();
  } catch {
    return wait(30);
  }
  if (left > WARN_S) {
    dialog?.close();
    return wait(left - WARN_S);
  }
  if (left > 0) {
    open();
    return wait(Math.min(left, 20));
  }
  if (unsaved()) {
    dialog?.close();
    return wait(20);
  }
  location.assign(location.pathname + location.search); // to the sign-in page, and back here afterwards
}

function open() {
  dialog ??= build();
  const text = unsaved() ? "Enregistrez votre texte, qui n’est pas encore gardé." : "Votre texte est gardé.";
  dialog.firstChild.textContent = `Vous serez déconnecté dans 2 minutes. ${text}`;
  if (!dialog.open) dialog.showModal();
}

function build() {
  const made = document.createElement("dialog");
  made.className = "dialog";
  made.setAttribute("role", "alertdialog");
  made.setAttribute("aria-labelledby", "fin-session");
  const words = document.createElement("p");
  words.id = "fin-session";
  const stay = document.createElement("button");
  stay.type = "button";
  stay.className = "btn btn-primary";
  stay.textContent = "Rester connecté";
  // Escape stays too: closing the warning is not leaving.
  made.addEventListener("close", prolong);
  stay.addEventListener("click", () => made.close());
  const actions = document.createElement("div");
  actions.className = "form-actions";
  actions.append(stay);
  made.append(words, actions);
  document.body.append(made);
  return made;
}

async function prolong() {
  try {
    const left = await secondsLeft("POST");
    // Close to the absolute limit nothing prolongs any more: say it once, not every second.
    wait(left > WARN_S ? left - WARN_S : left + 1);
  } catch {
    wait(10);
  }
}

export function start() {
  // Loaded a minute after the page: the clock started with the page.
  if (!timer) wait(Number(meta.dataset.seconds) - WARN_S - performance.now() / 1000);
}
