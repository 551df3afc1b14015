// Passkeys: a form that asks for one before it is sent. It is hidden where there are none:
// in old browsers, and at IP addresses, to which no passkey can belong.

const isNumeric = /^[\d.]+$|:/.test(location.hostname);
const isOffered = Boolean(window.PublicKeyCredential) && window.isSecureContext && !isNumeric;

// --- The JSON form of WebAuthn, for browsers that do not read or write it themselves ---

function bytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function text(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function withIds(descriptors = []) {
  return descriptors.map((descriptor) => ({ ...descriptor, id: bytes(descriptor.id) }));
}

function readCreation(options) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) {
    return PublicKeyCredential.parseCreationOptionsFromJSON(options);
  }
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: withIds(options.excludeCredentials),
  };
}

function readRequest(options) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) {
    return PublicKeyCredential.parseRequestOptionsFromJSON(options);
  }
  return {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: withIds(options.allowCredentials),
  };
}

const ANSWERS = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

function written(credential) {
  if (credential.toJSON) return credential.toJSON();
  const response = {};
  for (const name of ANSWERS) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

// --- The form ---

class Refused extends Error {}

async function questionOf(form) {
  const answer = await fetch(form.dataset.options, {
    method: "POST",
    headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
  });
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  const body = isJson ? await answer.json() : {};
  if (!answer.ok || !body.options) throw new Refused(body.detail ?? form.dataset.failed);
  return body;
}

async function fill(form) {
  const question = await questionOf(form);
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey: readCreation(question.options) })
    : await navigator.credentials.get({ publicKey: readRequest(question.options) });
  form.elements.challenge_id.value = question.challenge_id;
  form.elements.credential.value = JSON.stringify(written(credential));
}

function reasonOf(error, form) {
  if (error instanceof Refused) return error.message;
  // The authenticator holds a passkey of this account already.
  if (error.name === "InvalidStateError") return form.dataset.taken;
  return form.dataset.failed;
}

async function send(form, button) {
  const words = form.querySelector("[data-passkey-error]");
  words.hidden = true;
  button?.setAttribute("aria-busy", "true");
  try {
    await fill(form);
    form.submit();
  } catch (error) {
    words.textContent = reasonOf(error, form);
    words.hidden = false;
    button?.removeAttribute("aria-busy");
  }
}

for (const form of isOffered ? document.querySelectorAll("[data-passkey]") : []) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // The page's own lock is for forms that are sent at once.
    event.stopPropagation();
    if (!form.querySelector("[aria-busy]")) send(form, event.submitter);
  });
}
for (const note of isOffered ? document.querySelectorAll("[data-passkey-missing]") : []) {
  note.hidden = true;
}
