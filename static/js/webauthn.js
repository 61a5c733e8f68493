// Access keys (WebAuthn) under a strict CSP: no inline script, no library.
// <form data-webauthn="create|get" data-options='{"publicKey": …}'> holds an empty field `credential`; the button asks
// the browser, the answer goes into the field as JSON (byte strings in base64url), and the form is sent.

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

function text(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decoded({ publicKey }) {
  const listed = (list) => list?.map((item) => ({ ...item, id: bytes(item.id) }));
  const options = { ...publicKey, challenge: bytes(publicKey.challenge) };
  if (publicKey.user) options.user = { ...publicKey.user, id: bytes(publicKey.user.id) };
  if (publicKey.excludeCredentials) options.excludeCredentials = listed(publicKey.excludeCredentials);
  if (publicKey.allowCredentials) options.allowCredentials = listed(publicKey.allowCredentials);
  return { publicKey: options };
}

function encoded(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

const SENTENCES = {
  NotAllowedError: "La clé n’a pas répondu à temps, ou la demande a été annulée. Réessayez.",
  InvalidStateError: "Cette clé est déjà enregistrée.",
  SecurityError: "Les clés d’accès demandent une adresse en https, ou http://localhost.",
};

function start(form) {
  const go = form.querySelector("[data-webauthn-go]");
  const error = form.querySelector("[data-webauthn-error]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.hidden = true;
    go.setAttribute("aria-busy", "true");
    try {
      const options = decoded(JSON.parse(form.dataset.options));
      const credential = await navigator.credentials[form.dataset.webauthn](options);
      form.elements.credential.value = JSON.stringify(encoded(credential));
      form.submit();
    } catch (problem) {
      error.textContent = SENTENCES[problem.name] ?? "Ce navigateur ne sait pas utiliser de clé d’accès.";
      error.setAttribute("role", "alert");
      error.hidden = false;
      go.removeAttribute("aria-busy");
    }
  });
}

document.querySelectorAll("form[data-webauthn]").forEach(start);
