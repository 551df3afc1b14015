// Reads SMART Health Links and health cards of this site. The key never leaves the browser, and
// whatever comes out of the ciphertext is shown as text, never as markup.

const viewer = document.querySelector("[data-viewer]");
const issuer = viewer.dataset.issuer;
const problem = viewer.querySelector("[data-problem]");
const paper = viewer.querySelector("[data-document]");
const ask = viewer.querySelector("[data-ask]");
const choose = viewer.querySelector("[data-choose]");
const words = {};
for (const word of document.querySelector("[data-words]").content.querySelectorAll("[data-word]")) {
  words[word.dataset.word] = word.textContent;
}

// Why something is not shown: one of the words, and perhaps more.
class Refused extends Error {
  constructor(word, more = "") {
    super(`${words[word]} ${more}`.trim());
  }
}

// --- Bytes ---

const text = new TextDecoder("utf-8", { fatal: true });
const MOST_BYTES = 4 * 1024 * 1024;

function fromBase64url(encoded) {
  const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const parts = [];
  let length = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts).arrayBuffer();
    length += value.length;
    if (length > MOST_BYTES) throw new Refused("damaged");
    parts.push(value);
  }
}

async function decrypted(jwe, key) {
  const [head, , iv, content, tag] = jwe.split(".");
  const header = JSON.parse(text.decode(fromBase64url(head)));
  if (header.alg !== "dir" || header.enc !== "A256GCM") throw new Refused("damaged");
  const secret = await crypto.subtle.importKey("raw", fromBase64url(key), "AES-GCM", false, ["decrypt"]);
  const sealed = await new Blob([fromBase64url(content), fromBase64url(tag)]).arrayBuffer();
  const opened = await crypto.subtle.decrypt(
    { name: "AES-GCM", iv: fromBase64url(iv), additionalData: new TextEncoder().encode(head) },
    secret,
    sealed,
  );
  return JSON.parse(text.decode(header.zip === "DEF" ? await inflated(opened) : opened));
}

// --- Links ---

function linkOf(hash) {
  const start = hash.indexOf("shlink:/");
  if (start < 0) return null;
  let link;
  try {
    link = JSON.parse(text.decode(fromBase64url(hash.slice(start + "shlink:/".length))));
  } catch {
    throw new Refused("damaged");
  }
  if (typeof link?.url !== "string" || typeof link.key !== "string") throw new Refused("damaged");
  if (!URL.canParse(link.url) || new URL(link.url).origin !== location.origin) {
    throw new Refused("elsewhere");
  }
  if (link.exp && link.exp * 1000 < Date.now()) throw new Refused("gone");
  return link;
}

async function manifestOf(link, asked) {
  const answer = await fetch(link.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(asked),
    credentials: "omit",
    referrerPolicy: "no-referrer",
  });
  if (answer.status === 401) throw new Refused("wrong", (await answer.json()).remainingAttempts);
  if (answer.status === 429) throw new Refused("busy");
  if (answer.status === 404) throw new Refused("gone");
  if (!answer.ok) throw new Refused("failed");
  return answer.json();
}

async function sealedOf(file) {
  if (file.embedded) return file.embedded;
  if (new URL(file.location).origin !== location.origin) throw new Refused("elsewhere");
  const answer = await fetch(file.location, { credentials: "omit" });
  if (!answer.ok) throw new Refused("failed");
  return answer.text();
}

async function openLink(link, asked) {
  const manifest = await manifestOf(link, asked);
  const found = [];
  for (const file of manifest.files) found.push(await decrypted(await sealedOf(file), link.key));
  show(found, words.shared);
}

// --- Health cards ---

async function readCard(content) {
  let jws, head, payload, signature, header, claims;
  try {
    jws = JSON.parse(content).verifiableCredential[0];
    [head, payload, signature] = jws.split(".");
    header = JSON.parse(text.decode(fromBase64url(head)));
    claims = JSON.parse(text.decode(await inflated(fromBase64url(payload))));
  } catch {
    throw new Refused("nocard");
  }
  if (claims.iss !== issuer) throw new Refused("foreign", hostOf(claims.iss));
  const { keys } = await (await fetch("/.well-known/jwks.json")).json();
  const jwk = keys.find((key) => key.kid === header.kid);
  if (header.alg !== "ES256" || !jwk) throw new Refused("altered");
  const curve = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("jwk", jwk, curve, false, ["verify"]);
  const signed = new TextEncoder().encode(`${head}.${payload}`);
  if (!(await crypto.subtle.verify(curve, key, fromBase64url(signature), signed))) {
    throw new Refused("altered");
  }
  if (claims.exp && claims.exp * 1000 < Date.now()) throw new Refused("expired");
  show([claims.vc.credentialSubject.fhirBundle], words.genuine);
}

function hostOf(url) {
  return URL.canParse(url) ? new URL(url).host : "–";
}

// --- What is shown ---

function element(name, content, attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...[content].flat().filter((part) => part !== "" && part != null));
  return made;
}

const isolated = (content) => element("bdi", String(content));
const fact = (name, value) => element("div", [element("dt", name), element("dd", value)]);
const conceptText = (concept) => concept?.text ?? concept?.coding?.[0]?.display ?? concept?.coding?.[0]?.code ?? "";
const nameText = (name) => name?.text ?? [...(name?.given ?? []), name?.family].filter(Boolean).join(" ");
const day = (date) => new Date(date).toLocaleDateString(document.documentElement.lang, { dateStyle: "medium" });

function card(title, content) {
  const body = element("div", content, { class: "card__body flow" });
  const heading = element("h2", isolated(title), { class: "card__title" });
  return element("section", [element("div", heading, { class: "card__head" }), body], { class: "card" });
}

function patientCard(patient) {
  const facts = [];
  for (const name of patient.name ?? []) facts.push(fact(words.name, isolated(nameText(name))));
  if (patient.birthDate) facts.push(fact(words.birth, isolated(day(patient.birthDate))));
  if (patient.gender) facts.push(fact(words.sex, words[patient.gender] ?? patient.gender));
  if (patient.communication) {
    const languages = new Intl.DisplayNames(document.documentElement.lang, { type: "language" });
    const spoken = patient.communication.map((one) => languages.of(conceptText(one.language)));
    facts.push(fact(words.languages, spoken.join(" · ")));
  }
  const contacts = (patient.contact ?? []).map(contactLine);
  const list = contacts.length ? [element("h3", words.contacts), element("ul", contacts)] : [];
  return card(words.patient, [element("dl", facts, { class: "facts" }), ...list]);
}

function contactLine(contact) {
  const calls = (contact.telecom ?? []).map(({ value }) =>
    element("a", element("bdi", value, { dir: "ltr" }), { href: `tel:${value}` }),
  );
  const relation = (contact.relationship ?? []).map((one) => one.text).filter(Boolean);
  return element("li", [isolated([nameText(contact.name), ...relation].join(" – ")), " ", ...calls]);
}

// One resource as a name, and what there is to say of it.
function line(resource) {
  const name = conceptText(resource.code) || resource.medicationReference?.display || conceptText(resource.medicationCodeableConcept);
  const dosages = [...(resource.dosageInstruction ?? []), ...(resource.dosage ?? [])];
  const said = [
    resource.criticality === "high" ? words.high : "",
    ...(resource.reaction ?? []).flatMap((one) => one.manifestation.map(conceptText)),
    ...dosages.map((dosage) => dosage.text),
    conceptText(resource.valueCodeableConcept),
    resource.valueQuantity ? `${resource.valueQuantity.value} ${resource.valueQuantity.unit}` : "",
    ...orderWords(resource.dispenseRequest),
    since(resource.onsetDateTime ?? resource.effectivePeriod?.start),
    ...(resource.note ?? []).map((note) => note.text),
  ];
  const rest = said.filter(Boolean).map((one) => element("div", isolated(one), { class: "muted" }));
  return element("li", [element("strong", isolated(name)), ...rest]);
}

function orderWords(order) {
  if (!order) return [];
  return [
    order.quantity ? `${words.quantity}: ${order.quantity.value}` : "",
    order.numberOfRepeatsAllowed ? `${words.refills}: ${order.numberOfRepeatsAllowed}` : "",
    order.validityPeriod?.end ? `${words.until}: ${day(order.validityPeriod.end)}` : "",
  ];
}

const since = (date) => (date ? `${words.since}: ${date}` : "");

// A section by its code, in the reader's language: what the document calls it is in its writer's.
function titleOf(section) {
  const code = section.code?.coding?.find(({ system }) => system === "http://loinc.org")?.code;
  return words[`section-${code}`] ?? section.title;
}

// Why there is nothing in it.
function emptiness(section) {
  const narrative = new DOMParser().parseFromString(section.text?.div ?? "", "text/html");
  return words[section.emptyReason?.coding?.[0]?.code] ?? narrative.body.textContent;
}

function sectionCard(section, byUrl) {
  const found = (section.entry ?? []).map(({ reference }) => byUrl.get(reference)).filter(Boolean);
  if (found.length) return card(titleOf(section), element("ul", found.map(line)));
  return card(titleOf(section), element("p", isolated(emptiness(section))));
}

function prescriberCard(practitioner) {
  const licences = (practitioner.identifier ?? []).map(({ value }) =>
    fact(words.licence, element("bdi", value, { dir: "ltr" })),
  );
  const names = practitioner.name.map((name) => fact(words.prescriber, isolated(nameText(name))));
  return card(words.prescriber, element("dl", [...names, ...licences], { class: "facts" }));
}

function bundleCards(bundle) {
  const byUrl = new Map(bundle.entry.map(({ fullUrl, resource }) => [fullUrl, resource]));
  const of = (type) => [...byUrl.values()].filter((resource) => resource.resourceType === type);
  const patients = of("Patient").map(patientCard);
  const [composition] = of("Composition");
  if (composition) {
    return [...patients, ...composition.section.map((section) => sectionCard(section, byUrl))];
  }
  const medicines = card(words.medicines, element("ul", of("MedicationRequest").map(line)));
  return [...patients, ...of("Practitioner").map(prescriberCard), medicines];
}

function show(bundles, verdict) {
  const dated = bundles[0].timestamp ? `${words["as-of"]}: ${new Date(bundles[0].timestamp).toLocaleString(document.documentElement.lang)}` : "";
  const head = element("p", [verdict, dated && " · ", dated], { class: "alert alert--info" });
  paper.replaceChildren(head, ...bundles.flatMap(bundleCards));
  ask.hidden = choose.hidden = true;
  paper.hidden = false;
  paper.focus();
}

// --- The page ---

async function attempt(act) {
  problem.hidden = true;
  try {
    await act();
  } catch (error) {
    problem.textContent = error instanceof Refused ? error.message : words.failed;
    problem.hidden = false;
  }
}

function begin() {
  viewer.hidden = false;
  paper.hidden = ask.hidden = true;
  choose.hidden = false;
  attempt(() => {
    const link = linkOf(location.hash);
    if (!link) return;
    ask.hidden = false;
    choose.hidden = true;
    const label = ask.querySelector("[data-label]");
    label.textContent = link.label ?? "";
    label.hidden = !link.label;
    const needed = (link.flag ?? "").includes("P");
    ask.querySelector("[data-passcode]").hidden = !needed;
    ask.querySelector("[name=passcode]").required = needed;
  });
}

ask.querySelector("[data-open]").addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = Object.fromEntries(new FormData(event.target));
  if (!asked.passcode) delete asked.passcode;
  attempt(() => openLink(linkOf(location.hash), asked));
});
choose.querySelector("[data-card]").addEventListener("submit", (event) => {
  event.preventDefault();
  const [file] = event.target.elements.file.files;
  attempt(async () => readCard(await file.text()));
});
window.addEventListener("hashchange", begin);
begin();
