// How far the two have come: what the marks of one's own messages say, and what is read here.

import { messages, separate, showState } from "./list.js";
import { ask, chat, isSeen, jump, now, say, signed, tell } from "./page.js";

const place = { read: Number(chat.dataset.read), delivered: Number(chat.dataset.delivered) };
let readSeq = -1; // nothing was said yet about what is read

export function showPlaces() {
  for (const item of messages()) {
    const seq = Number(item.dataset.seq);
    const state = seq <= place.read ? "read" : seq <= place.delivered ? "delivered" : "sent";
    showState(item, state);
  }
}

export function come({ read = 0, delivered = 0 }) {
  place.read = Math.max(place.read, read);
  place.delivered = Math.max(place.delivered, delivered, place.read);
  showPlaces();
}

// Whoever looks at the end goes on looking at it.
export function following(change) {
  const wasAtBottom = now.isAtBottom;
  change();
  separate();
  showPlaces();
  if (wasAtBottom && now.atEnd) toEnd();
  markRead();
}

export async function markRead() {
  if (!isSeen() || !now.isAtBottom || !now.atEnd || readSeq >= now.lastSeq) return;
  const seq = now.lastSeq;
  readSeq = seq;
  if (now.joined) {
    say({ type: "chat.read", seq });
    return;
  }
  const answer = await ask(chat.dataset.readUrl, signed({ seq })).catch(() => null);
  if (answer?.ok) tell("live:count");
  else readSeq = -1;
}

export function toEnd() {
  window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  jump.hidden = true;
}

new IntersectionObserver(([{ isIntersecting }]) => {
  now.isAtBottom = isIntersecting;
  if (now.isAtBottom) jump.hidden = true;
  markRead();
}, { rootMargin: "0px 0px 120px 0px" }).observe(chat.querySelector("[data-newest]"));

jump.addEventListener("click", () => {
  if (now.atEnd) toEnd();
  else location.assign(chat.dataset.chatUrl);
});
document.addEventListener("visibilitychange", () => markRead());
