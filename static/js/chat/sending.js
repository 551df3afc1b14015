// What is written is shown at once, and sent over the socket, or over HTTP where there is none.

import { take } from "./arriving.js";
import { acknowledged, forget, keep, unsent } from "./kept.js";
import { build, byClientId, put, showState } from "./list.js";
import { ask, form, list, me, now, partOf, say, signed, template, word } from "./page.js";
import { following, toEnd } from "./reading.js";

const ANSWER_TIME = 10_000; // how long the socket may take to acknowledge
const underway = new Set(); // those that are sent over HTTP
let posting = Promise.resolve();

function showUnsent(message) {
  const item = build({ ...message, sender_id: me, seq: 0, sent_at: message.written_at });
  if (message.mention) {
    const words = document.createElement("p");
    words.className = "message__mention";
    words.textContent = message.mention;
    item.querySelector(".message__foot").before(words);
  }
  if (!message.content) item.querySelector(".message__text").remove();
  put(item);
  showState(item, "sending");
}

export function write(message) {
  keep([...unsent(), message]);
  following(() => showUnsent(message));
  toEnd();
  transmit(message);
}

function transmit(message) {
  const item = byClientId(message.client_id);
  item?.querySelector(".message__again")?.remove();
  if (item) showState(item, "sending");
  if (!now.joined) {
    if (!underway.has(message.client_id)) posting = posting.then(() => post(message));
    underway.add(message.client_id);
    return;
  }
  const { client_id: ref, content, prescription_id: prescription } = message;
  acknowledged.set(ref, setTimeout(() => fail(ref), ANSWER_TIME));
  const mentioned = prescription ? { prescription_id: prescription } : {};
  say({ type: "chat.send", ref, client_id: ref, content, ...mentioned });
}

async function post(message) {
  const { client_id, content, prescription_id } = message;
  const body = signed({ client_id, content, prescription_id: prescription_id ?? "" });
  const answer = await ask(form.action, body).catch(() => null);
  underway.delete(client_id);
  if (answer?.status === 201) {
    take(await partOf(answer));
    return;
  }
  const problem = await answer?.json().catch(() => null);
  fail(message.client_id, problem);
}

// Without a `problem` it did not arrive, and is sent again by itself; with one it was refused.
export function fail(clientId, problem) {
  acknowledged.delete(clientId);
  if (problem) keep(unsent().map((one) => (one.client_id === clientId ? { ...one, refused: true } : one)));
  const item = byClientId(clientId);
  if (!item || item.dataset.seq || item.querySelector(".message__again")) return;
  showState(item, "failed", problem ? `${word("failed")}: ${problem.detail}` : word("failed"));
  const again = template("unsent").cloneNode(true);
  again.querySelector("[data-again]").hidden = !form;
  item.querySelector(".message__foot").after(again);
}

export function resend() {
  for (const message of unsent()) {
    if (form && !message.refused && !acknowledged.has(message.client_id)) transmit(message);
  }
}

export function restore() {
  for (const message of unsent()) {
    if (byClientId(message.client_id)) continue;
    showUnsent(message);
    fail(message.client_id);
  }
}

list.addEventListener("click", (event) => {
  const item = event.target.closest(".message");
  const message = item && unsent().find((one) => one.client_id === item.dataset.clientId);
  if (message && event.target.closest("[data-again]")) transmit(message);
  if (message && event.target.closest("[data-discard]")) {
    forget(message.client_id);
    item.remove();
    form?.elements.content.focus();
  }
});
