// One conversation. Every entry has a number; the page shows them in that order, once each, from
// wherever they come: the page itself, parts of it fetched later, or frames of the socket. With the
// last number it has, it asks for what came after, and so misses nothing.
//
// What is written is shown at once, and kept in this window until the server has it. Sent twice,
// under the same client_id, it is there once.

import "./chat/composer.js";
import { receive } from "./chat/arriving.js";
import { acknowledged, forget } from "./chat/kept.js";
import { grow, join, lost, onJoined } from "./chat/line.js";
import { byClientId, number, put, separate, withdraw } from "./chat/list.js";
import {
  ask, list, now, on, other, signed, tell, typing, waiting, word,
} from "./chat/page.js";
import { come, following, showPlaces, toEnd } from "./chat/reading.js";
import { fail, restore } from "./chat/sending.js";

const TYPING_LASTS = 6_000;

// --- Withdrawing, and saying that no answer is needed --------------------------------------------

const dialog = document.getElementById("retract-dialog");

async function act(address, done) {
  const answer = await ask(address, signed({})).catch(() => null);
  if (answer?.ok) {
    done();
    return;
  }
  const problem = await answer?.json().catch(() => null);
  tell("toast", { text: problem?.detail ?? word("offline"), tone: "info" });
}

list.addEventListener("click", (event) => {
  const link = event.target.closest("[data-retract]");
  if (!link || !dialog) return;
  event.preventDefault();
  const retracting = dialog.querySelector("form");
  retracting.action = link.href;
  retracting.dataset.message = link.closest(".message").dataset.id;
  dialog.showModal();
});

dialog?.querySelector("form").addEventListener("submit", (event) => {
  if (event.submitter?.getAttribute("formmethod") === "dialog") return;
  event.preventDefault();
  event.stopPropagation();
  const { action, dataset } = event.target;
  dialog.close();
  act(action, () => withdraw(dataset.message));
});

waiting?.addEventListener("submit", (event) => {
  event.preventDefault();
  act(waiting.action, () => { waiting.hidden = true; });
});

// --- Frames --------------------------------------------------------------------------------------

on("chat.joined", onJoined);
on("chat.message", (frame) => following(() => receive(frame)));
on("chat.retracted", (frame) => following(() => receive(frame)));
on("chat.sent", ({ client_id: clientId, seq, id }) => {
  const item = byClientId(clientId);
  forget(clientId);
  if (!item || item.dataset.seq) return;
  number(item, seq, id);
  put(item);
  showPlaces();
  if (waiting) waiting.hidden = true;
});
on("chat.read", ({ user_id: who, seq }) => { if (who === other) come({ read: seq }); else tell("live:count"); });
on("chat.delivered", ({ user_id: who, seq }) => { if (who === other) come({ delivered: seq }); });
on("chat.left", () => location.reload());

let typingEnds;
on("chat.typing", ({ user_id: who, on: isOn }) => {
  if (who !== other) return;
  clearTimeout(typingEnds);
  typing.hidden = !isOn;
  if (isOn && now.isAtBottom) toEnd();
  if (isOn) typingEnds = setTimeout(() => { typing.hidden = true; }, TYPING_LASTS);
});

document.addEventListener("live:error", ({ detail }) => {
  if (acknowledged.has(detail.ref)) {
    clearTimeout(acknowledged.get(detail.ref));
    fail(detail.ref, detail);
  }
});
document.addEventListener("live:connected", join);
document.addEventListener("live:disconnected", () => {
  for (const [clientId, timer] of acknowledged) {
    clearTimeout(timer);
    fail(clientId);
  }
  lost();
});

// --- First of all --------------------------------------------------------------------------------

restore();
separate();
if (!location.hash.startsWith("#m-")) {
  const first = list.querySelector("[data-new]");
  if (first) first.scrollIntoView({ block: "start" });
  else if (now.atEnd) toEnd();
}
requestAnimationFrame(grow);
lost();
join();
