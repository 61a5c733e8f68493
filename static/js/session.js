// Announces the end of the session two minutes before: a dialog says so and offers to stay.
// <meta name="session" content="/compte/session/" data-seconds="1800"> is present for a signed-in person only.
// GET asks how long is left without prolonging; POST prolongs. Other tabs and htmx answers prolong too, so the clock
// is asked again before anything is said. Loaded by app.js when that tag is there.

const WARN_S = 120;
const meta = document.querySelector('meta[name="session"]');
const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
let timer = 0;
let dialog = null;

async function secondsLeft(method = "GET") {
  const answer = await fetch(meta.content, { method, headers: { "X-CSRFToken": token() }, credentials: "same-origin" });
  // Redirected to the sign-in page: the session is over.
  return answer.ok && !answer.redirected ? (await answer.json()).seconds_left : 0;
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
  location.assign(location.pathname + location.search); // to the sign-in page, and back here afterwards
}

function open() {
  dialog ??= build();
  if (!dialog.open) dialog.showModal();
}

function build() {
  const made = document.createElement("dialog");
  made.className = "dialog";
  made.setAttribute("role", "alertdialog");
  made.setAttribute("aria-labelledby", "fin-session");
  const words = document.createElement("p");
  words.id = "fin-session";
  words.textContent = "Vous serez déconnecté dans 2 minutes. Votre texte est gardé.";
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
