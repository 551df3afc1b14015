// Live, or asked every few seconds; and what is older or newer, as one comes near it.

import { fetchEntries, receive, take } from "./arriving.js";
import { messages } from "./list.js";
import { chat, form, isSeen, now, other, say, typing, word } from "./page.js";
import { come, following, markRead } from "./reading.js";
import { resend } from "./sending.js";

const PATIENCE = 4_000; // without a socket, before it is asked over HTTP
const POLLING = 3_000;
const ASK_PRESENCE = 45_000;
const NEAR = "400px";
const line = chat.querySelector("[data-line]");
const log = chat.querySelector("[data-log]");
const presence = chat.querySelector("[data-presence]");
let poll;

export function join() {
  if (!form) return; // it has ended, and nothing comes any more
  say(now.atEnd ? { type: "chat.join", ref: "join", after_seq: now.lastSeq } : { type: "chat.join", ref: "join" });
}

export function onJoined(frame) {
  for (const [person, { read, delivered }] of Object.entries(frame.places ?? {})) {
    if (person === other) come({ read, delivered });
  }
  following(() => frame.missed.forEach(receive));
  if (frame.has_more && frame.missed.length) {
    join();
    return;
  }
  const isBack = !now.joined;
  now.joined = true;
  stopPolling();
  if (!isBack) return;
  say({ type: "presence.query", user_id: other });
  resend();
}

export function lost() {
  now.joined = false;
  presence.classList.remove("chat__standing--online");
  presence.textContent = presence.dataset.offline;
  typing.hidden = true;
  if (form) poll ??= setTimeout(pollOnce, PATIENCE);
}

async function pollOnce() {
  const isPolled = await catchUp();
  line.querySelector("[data-line-words]").textContent = word(isPolled ? "polling" : "offline");
  if (line.hidden && !now.joined) following(() => { line.hidden = false; });
  if (isPolled) resend();
  if (!now.joined) poll = setTimeout(pollOnce, POLLING);
}

async function catchUp() {
  if (!isSeen() || !now.atEnd) return true;
  const part = await fetchEntries({ after: now.lastSeq }).catch(() => null);
  if (!part || now.joined) return Boolean(part);
  now.lastSeq = Math.max(now.lastSeq, take(part));
  if (part.dataset.hasMore) await catchUp();
  return true;
}

function stopPolling() {
  clearTimeout(poll);
  poll = undefined;
  line.hidden = true;
}

// --- Whether the other side is there -----------------------------------------------------------

function askPresence() {
  if (now.joined && isSeen()) say({ type: "presence.query", user_id: other });
}

document.addEventListener("visibilitychange", askPresence);
setInterval(askPresence, ASK_PRESENCE);
document.addEventListener("live:presence", ({ detail }) => {
  if (detail.user_id !== other) return;
  presence.classList.toggle("chat__standing--online", Boolean(detail.online));
  presence.textContent = detail.online ? presence.dataset.online : presence.dataset.offline;
});

// --- Older and newer ---------------------------------------------------------------------------

function growing(link, load) {
  if (!link) return;
  let isLoading = false;
  const go = async () => {
    if (isLoading) return;
    isLoading = true;
    log.setAttribute("aria-busy", "true");
    const goesOn = await load().catch(() => true);
    log.removeAttribute("aria-busy");
    isLoading = false;
    watcher.unobserve(link);
    if (goesOn) watcher.observe(link); // it may be near still
    else link.parentElement.remove();
  };
  const watcher = new IntersectionObserver(([{ isIntersecting }]) => {
    if (isIntersecting) go();
  }, { rootMargin: `${NEAR} 0px` });
  link.addEventListener("click", (event) => { event.preventDefault(); go(); });
  watcher.observe(link);
}

async function loadOlder() {
  const part = await fetchEntries({ before: messages()[0]?.dataset.seq ?? 1 });
  if (!part) return true;
  const { scrollHeight } = document.documentElement;
  take(part);
  window.scrollBy({ top: document.documentElement.scrollHeight - scrollHeight, behavior: "instant" });
  return Boolean(part.dataset.hasMore);
}

async function loadNewer() {
  const part = await fetchEntries({ after: now.lastSeq });
  if (!part) return true;
  now.lastSeq = Math.max(now.lastSeq, take(part));
  if (part.dataset.hasMore) return true;
  now.atEnd = true;
  if (now.joined) join();
  markRead();
  return false;
}

export function grow() {
  growing(chat.querySelector("[data-older]"), loadOlder);
  growing(chat.querySelector("[data-newer]"), loadNewer);
}
