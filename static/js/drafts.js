// Keeps what is being typed on the server: <form data-draft="URL"> is POSTed there 2 s after the last change (no password,
// no file, no CSRF field). The note is [data-draft-note], see form_actions(draft=true). With no network, a server being
// started again, or a session ended meanwhile, the text stays in the page, and nowhere else in the browser: it is sent
// again, and the form waits for it (REL-20, SECT-6). The form is marked data-unsaved until then (session.js reads it).

const WAIT_MS = 2000;
const AGAIN_MS = 5000;
const TOO_MANY_MS = 60_000;
const PATIENCE_MS = 15_000;
// Why a text is not kept; `again`: try by oneself after so long; `holds`: the form would not arrive either.
const OFFLINE = { words: "Pas de réseau.", again: AGAIN_MS, holds: true };
const BUSY = { words: "Le serveur ne répond pas.", again: AGAIN_MS, holds: true };
const OUT = {
  words: "Votre session est terminée. Reconnectez-vous dans un autre onglet : ce texte reste ici.",
  again: AGAIN_MS, holds: true, out: true,
};
const SOMEBODY_ELSE = {
  words: "Un autre compte est connecté. Reconnectez-vous au vôtre dans un autre onglet : ce texte reste ici.",
  again: AGAIN_MS, holds: true,
};
const TOO_LONG = { words: "Ce texte est trop long pour un brouillon. Enregistrez-le avant de quitter la page." };
const TOO_MANY = { words: "Trop de brouillons en peu de temps. Enregistrez avant de quitter la page.", again: TOO_MANY_MS };
const REFUSED = { words: "Le brouillon est refusé. Enregistrez avant de quitter la page." };

const started = new WeakSet();
const meta = (name) => document.querySelector(`meta[name="${name}"]`);
const clock = () => new Date().toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" });

export function start(root) {
  root.querySelectorAll("form[data-draft]").forEach((form) => {
    if (!started.has(form)) keep(form);
    started.add(form);
  });
}

function body(form) {
  const data = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const secret = name === "csrfmiddlewaretoken" || form.elements[name]?.type === "password";
    if (typeof value === "string" && !secret) data.append(name, value);
  }
  return data;
}

// A page that is gone sends 64 KiB at most.
const isLong = (form) => String(body(form)).length > 6e4;

// On a phone nobody types an address in another tab: it is one touch away.
function signIn() {
  const link = document.createElement("a");
  link.href = meta("session")?.dataset.signIn ?? "/";
  link.target = "_blank";
  link.className = "alone";
  link.textContent = "Me reconnecter (nouvel onglet)";
  return link;
}

// A redirection is the sign-in page: it is not followed.
const ask = (url, options) => fetch(url, {
  credentials: "same-origin", redirect: "manual", signal: AbortSignal.timeout?.(PATIENCE_MS), ...options,
});
const send = (form, keepalive = false) => ask(form.dataset.draft, {
  method: "POST", body: body(form), headers: { "X-CSRFToken": meta("csrf-token")?.content ?? "" }, keepalive,
});
// 403: signed in again elsewhere, which makes the token of this page void.
const isOut = (answer) => answer.type === "opaqueredirect" || [401, 403].includes(answer.status);

// Return null when the same person is signed in: the whole page has then taken the token of the new session.
async function whyOut() {
  const session = meta("session");
  const answer = session ? await ask(session.content) : null;
  if (answer?.status >= 500) return BUSY;
  if (!answer?.ok) return OUT;
  const { account, token } = await answer.json();
  if (account !== session.dataset.account) return SOMEBODY_ELSE;
  meta("csrf-token").content = token;
  document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((field) => { field.value = token; });
  return null;
}

// Send the draft; return null once it is kept, else why it is not.
async function whyNotKept(form) {
  let answer = await send(form);
  if (isOut(answer)) {
    const why = await whyOut();
    if (why) return why;
    answer = await send(form);
  }
  if (answer.ok) return null;
  if (isOut(answer)) return OUT;
  if (answer.status >= 500) return BUSY;
  return { 413: TOO_LONG, 429: TOO_MANY }[answer.status] ?? REFUSED;
}

function keep(form) {
  const note = form.querySelector("[data-draft-note]");
  let timer = 0;
  let keptAt = "";
  let typed = 0; // counts the changes: one made while a text was on its way is not kept by it
  let failure = null;
  let running = null;
  let waiting = false;
  let sure = false;
  const unsaved = () => "unsaved" in form.dataset && form.isConnected;

  // One at a time: a draft that arrives after a later one, or after the form itself, would outlive it.
  const save = () => (running ??= attempt().finally(() => { running = null; }));

  async function attempt() {
    clearTimeout(timer);
    const sent = typed;
    failure = await whyNotKept(form).catch(() => OFFLINE);
    if (failure?.again) timer = setTimeout(save, failure.again);
    if (!failure) {
      keptAt = clock();
      if (sent === typed) delete form.dataset.unsaved;
    }
    const words = keptAt ? `Votre brouillon est gardé sur le serveur à ${keptAt}.` : "Le brouillon n’est pas encore gardé.";
    const said = failure ? `${failure.words} ${words} ` : `Brouillon gardé à ${keptAt}`;
    // Written once: a link drawn again every five seconds escapes the finger, and loses the focus.
    if (!note || note.firstChild?.data === said) return;
    note.textContent = said;
    if (failure?.out) note.append(signIn());
  }

  // A button may have been drawn again since it was pressed (htmx): the one that stands in its place is.
  function pressed(button) {
    if (!button || button.form === form) return button;
    const now = button.id && document.getElementById(button.id);
    return now && now.form === form ? now : null;
  }

  form.addEventListener("input", () => {
    typed += 1;
    form.dataset.unsaved = "";
    clearTimeout(timer);
    timer = setTimeout(save, WAIT_MS);
  });
  // Sent for good once its text is kept, unless nobody is there to receive it: it would be lost with the page.
  form.addEventListener("submit", async (event) => {
    if (sure || !(unsaved() || running)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (waiting) return;
    waiting = true;
    await save();
    if (unsaved() && !failure) await save();
    waiting = false;
    if (failure?.holds) {
      document.getElementById("etat").textContent = failure.words;
      return;
    }
    clearTimeout(timer);
    delete form.dataset.unsaved;
    sure = true;
    form.requestSubmit(pressed(event.submitter));
    sure = false;
  }, { capture: true });
  addEventListener("online", () => unsaved() && save());
  addEventListener("beforeunload", (event) => {
    if (!unsaved() || !(failure || isLong(form))) return;
    event.preventDefault();
    if (!failure) save();
  });
  // Phones do not ask.
  document.addEventListener("visibilitychange", () => document.hidden && unsaved() && isLong(form) && save());
  addEventListener("pagehide", () => unsaved() && send(form, true).catch(() => {}));
}
