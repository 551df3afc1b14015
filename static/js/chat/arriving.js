// What arrives, from wherever: frames of the socket, and parts of the page. Every entry is shown
// once, in its place by its number.

import { forget } from "./kept.js";
import { build, isMine, put, timeOf, withdraw } from "./list.js";
import {
  ask, chat, isSeen, jump, me, now, other, partOf, say, tell, typing, waiting,
} from "./page.js";
import { come, following } from "./reading.js";

function arrived(sender) {
  if (sender === me) {
    if (waiting) waiting.hidden = true;
    return;
  }
  typing.hidden = true;
  if (waiting?.hidden) {
    waiting.hidden = false;
    waiting.querySelector("[data-waiting-since]").textContent = timeOf(new Date());
  }
  tell("chat:arrived");
  if (now.joined && !isSeen()) say({ type: "chat.delivered", seq: now.lastSeq });
  if (!now.isAtBottom) jump.hidden = false;
}

export function receive(frame) {
  if (frame.seq <= now.lastSeq && document.getElementById(`m-${frame.seq}`)) return;
  if (!now.atEnd) {
    jump.hidden = false;
    return;
  }
  now.lastSeq = Math.max(now.lastSeq, frame.seq);
  if (frame.type === "chat.retracted") {
    withdraw(frame.message_id);
    return;
  }
  const item = build(frame);
  const isNew = put(item);
  if (isMine(item)) forget(frame.client_id);
  if (frame.is_retracted) withdraw(frame.id);
  else if (frame.prescription_id) fetchEntries({ after: frame.seq - 1 }).then(take);
  if (isNew || frame.sender_id === me) arrived(frame.sender_id);
}

// A part of the page, with entries as the server writes them.
export function take(part) {
  if (!part) return 0;
  let newest = 0;
  following(() => {
    for (const item of [...part.querySelectorAll(":scope > li")]) {
      newest = Math.max(newest, Number(item.dataset.seq));
      if (item.dataset.retracts) {
        withdraw(item.dataset.retracts);
        continue;
      }
      if (isMine(item)) forget(item.dataset.clientId);
      const isLive = Number(item.dataset.seq) > now.lastSeq;
      if (put(document.adoptNode(item)) && isLive) arrived(isMine(item) ? me : other);
    }
    come({ read: Number(part.dataset.read), delivered: Number(part.dataset.delivered) });
  });
  return newest;
}

export async function fetchEntries(query) {
  const address = `${chat.dataset.entriesUrl}?${new URLSearchParams(query)}`;
  return partOf(await ask(address));
}
