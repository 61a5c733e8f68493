// Keeps what is being typed on the server: <form data-draft="URL"> is POSTed there 2 s after the last change, as an
// ordinary form (fields only: no password, no file, no CSRF field), header X-CSRFToken. Any 2xx answer means kept; the page that
// comes back after a lost session fills the form from it. The note is [data-draft-note], see form_actions(draft=true).

const WAIT_MS = 2000;
const started = new WeakSet();
const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
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

function keep(form) {
  const note = form.querySelector("[data-draft-note]");
  const say = (sentence) => note && (note.textContent = sentence);
  let timer = 0;
  let keptAt = "";
  let waiting = false;

  async function save({ leaving = false } = {}) {
    clearTimeout(timer);
    waiting = false;
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST", body: body(form), headers: { "X-CSRFToken": token() }, credentials: "same-origin", keepalive: leaving,
      });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      keptAt = clock();
      say(`Brouillon gardé à ${keptAt}`);
    } catch {
      waiting = true;
      say(keptAt ? `Pas de réseau. Votre brouillon est gardé sur le serveur à ${keptAt}.` : "Pas de réseau. Le brouillon n’est pas encore gardé.");
    }
  }

  form.addEventListener("input", () => {
    waiting = true;
    clearTimeout(timer);
    timer = setTimeout(save, WAIT_MS);
  });
  // Sent for good: nothing left to keep.
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    waiting = false;
  });
  addEventListener("online", () => waiting && save());
  addEventListener("pagehide", () => waiting && save({ leaving: true }));
}
