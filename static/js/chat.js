// One conversation. Every entry has a number; the page shows them in that order, once each, from
// wherever they come: the page itself, parts of it fetched later, or frames of the socket. With the
// last number it has, it asks for what came after, and so misses nothing.
//
// What is written is shown at once, and kept in this window until the server has it. Sent twice,
// under the same client_id, it is there once.

const chat = document.querySelector("[data-chat]");
const { chat: chatId, me, other, timeZone } = chat.dataset;
const list = chat.querySelector("[data-list]");
const log = chat.querySelector("[data-log]");
const line = chat.querySelector("[data-line]");
const typing = chat.querySelector("[data-typing]");
const presence = chat.querySelector("[data-presence]");
const jump = chat.querySelector("[data-jump]");
const waiting = chat.querySelector("[data-waiting]");
const end = chat.querySelector("[data-newest]");
const form = chat.querySelector("[data-composer]");
const field = form?.elements.content;
const mention = form?.querySelector("[data-mention]");
const dialog = document.getElementById("retract-dialog");
const template = (name) => document.querySelector(`template[data-${name}]`).content.firstElementChild;

const NOBODY = template("message").dataset.id;
const LONGEST = 5000;
const COUNTED_FROM = 4500;
const ANSWER_TIME = 10_000; // how long the socket may take to acknowledge
const PATIENCE = 4_000; // without a socket, before it is asked over HTTP
const POLLING = 3_000;
const TYPING_AGAIN = 3_000;
const TYPING_LASTS = 6_000;
const ASK_PRESENCE = 45_000;
const NEAR = "400px";

let lastSeq = Number(chat.dataset.lastSeq);
let readSeq = -1; // nothing was said yet about what is read
let atEnd = chat.dataset.atEnd === "yes";
let joined = false;
let isAtBottom = false;
let poll;
const place = { read: Number(chat.dataset.read), delivered: Number(chat.dataset.delivered) };

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
const say = (frame) => tell("live:send", { chat_id: chatId, ...frame });
const word = (name) => chat.dataset[`word${name[0].toUpperCase()}${name.slice(1)}`];
const isOurs = (event) => event.detail.chat_id === chatId;
const isSeen = () => document.visibilityState === "visible";

// --- Days and times, as the server writes them ------------------------------------------------

const clock = new Intl.DateTimeFormat("en-GB", {
  timeZone, hourCycle: "h23", hour: "2-digit", minute: "2-digit",
});
const calendar = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
const longDay = new Intl.DateTimeFormat(`${document.documentElement.lang}-u-nu-latn`, {
  timeZone, dateStyle: "medium",
});

function timeOf(moment) {
  const [hour, minute] = clock.format(moment).split(":");
  return `${hour % 12 || 12}:${minute} ${hour < 12 ? word("am") : word("pm")}`;
}

function dayMark(item) {
  const mark = template("day-mark").cloneNode(true);
  mark.dataset.day = item.dataset.day;
  const isToday = item.dataset.day === calendar.format(new Date());
  const moment = new Date(item.querySelector("time").dateTime);
  mark.firstElementChild.textContent = isToday ? word("today") : longDay.format(moment);
  return mark;
}

// Each day is named once, before its first message.
function separate() {
  const marks = new Map();
  for (const mark of list.querySelectorAll(".chat__day")) marks.set(mark.dataset.day, mark);
  let day = "";
  for (const item of list.querySelectorAll(".message")) {
    if (item.dataset.day === day) continue;
    day = item.dataset.day;
    const before = item.previousElementSibling;
    const first = before?.matches("[data-new]") ? before : item;
    const mark = marks.get(day) ?? dayMark(item);
    if (mark.nextElementSibling !== first) first.before(mark);
  }
}

// --- Messages in the list ---------------------------------------------------------------------

const byId = (id) => list.querySelector(`[data-id="${id}"]`);
// It tells apart what one person sends; the other side knows it, and could use it again.
const byClientId = (id) => list.querySelector(`.message--mine[data-client-id="${id}"]`);
const isMine = (item) => item.matches(".message--mine");
const messages = () => [...list.querySelectorAll(".message[data-seq]")];

function build({ seq, id, sender_id: sender, client_id: clientId, content, sent_at: at }) {
  const item = template("message").cloneNode(true);
  const mine = sender === me;
  const moment = new Date(at);
  item.classList.toggle("message--mine", mine);
  item.dataset.clientId = clientId;
  item.dataset.day = calendar.format(moment);
  item.querySelector(".message__text").textContent = content;
  const time = item.querySelector("time");
  time.dateTime = moment.toISOString();
  time.textContent = timeOf(moment);
  const act = item.querySelector("[data-retract]");
  if (!mine) {
    item.querySelector("[data-sender]").textContent = `${chat.dataset.otherName}:`;
    item.querySelector("[data-state]").remove();
    act.remove();
  }
  number(item, seq, id);
  return item;
}

// What is still being sent has neither number nor name.
function number(item, seq, id) {
  const act = item.querySelector("[data-retract]");
  if (act) act.hidden = !seq;
  if (!seq) {
    item.removeAttribute("id");
    delete item.dataset.seq;
    delete item.dataset.id;
    return;
  }
  item.querySelector(".message__again")?.remove();
  if (act) act.href = act.getAttribute("href").replace(item.dataset.id ?? NOBODY, id);
  item.id = `m-${seq}`;
  item.dataset.seq = seq;
  item.dataset.id = id;
}

function put(item) {
  const known = document.getElementById(item.id) ?? (isMine(item) ? byClientId(item.dataset.clientId) : null);
  known?.remove();
  const later = item.dataset.seq
    ? [...list.querySelectorAll(".message")].find(
      ({ dataset }) => !dataset.seq || Number(dataset.seq) > Number(item.dataset.seq),
    )
    : null;
  list.insertBefore(item, later ?? null);
  chat.querySelector("[data-empty]").hidden = true;
  return !known;
}

function withdraw(id) {
  const item = byId(id);
  if (!item || item.matches(".message--gone")) return;
  item.classList.add("message--gone");
  for (const part of item.querySelectorAll(".message__text, .message__mention, [data-state], [data-retract]")) part.remove();
  item.querySelector(".message__foot").before(template("gone").cloneNode(true));
}

function showState(item, state, text = word(state)) {
  const mark = item.querySelector("[data-state]");
  if (!mark || (mark.dataset.state === state && mark.lastElementChild.textContent === text)) return;
  mark.dataset.state = state;
  mark.querySelector("use").setAttribute("href", `#state-${state}`);
  mark.lastElementChild.textContent = text;
}

function showPlaces() {
  for (const item of messages()) {
    const seq = Number(item.dataset.seq);
    const state = seq <= place.read ? "read" : seq <= place.delivered ? "delivered" : "sent";
    showState(item, state);
  }
}

function come({ read = 0, delivered = 0 }) {
  place.read = Math.max(place.read, read);
  place.delivered = Math.max(place.delivered, delivered, place.read);
  showPlaces();
}

// --- What arrives ------------------------------------------------------------------------------

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
  if (joined && !isSeen()) say({ type: "chat.delivered", seq: lastSeq });
  if (!isAtBottom) jump.hidden = false;
}

// Whoever looks at the end goes on looking at it.
function following(change) {
  const wasAtBottom = isAtBottom;
  change();
  separate();
  showPlaces();
  if (wasAtBottom && atEnd) toEnd();
  markRead();
}

function receive(frame) {
  if (frame.seq <= lastSeq && document.getElementById(`m-${frame.seq}`)) return;
  if (!atEnd) {
    jump.hidden = false;
    return;
  }
  lastSeq = Math.max(lastSeq, frame.seq);
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
function take(part) {
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
      const isLive = Number(item.dataset.seq) > lastSeq;
      if (put(document.adoptNode(item)) && isLive) arrived(isMine(item) ? me : other);
    }
    come({ read: Number(part.dataset.read), delivered: Number(part.dataset.delivered) });
  });
  return newest;
}

async function fetchEntries(query) {
  const address = `${chat.dataset.entriesUrl}?${new URLSearchParams(query)}`;
  return partOf(await ask(address));
}

async function ask(address, body) {
  const options = { headers: { "X-Requested-With": "fetch" } };
  if (body) Object.assign(options, { method: "POST", body });
  const answer = await fetch(address, options);
  // Signed out meanwhile.
  if (answer.redirected) location.assign(document.body.dataset.loginUrl);
  return answer;
}

// What a form of the page would send.
function signed(values) {
  const { value } = document.querySelector("[name=csrfmiddlewaretoken]");
  return new URLSearchParams({ csrfmiddlewaretoken: value, ...values });
}

async function partOf(answer) {
  if (!answer.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("[data-entries]");
}

// --- Live, or asked every few seconds ----------------------------------------------------------

function join() {
  if (!form) return; // it has ended, and nothing comes any more
  say(atEnd ? { type: "chat.join", ref: "join", after_seq: lastSeq } : { type: "chat.join", ref: "join" });
}

function onJoined(frame) {
  for (const [person, { read, delivered }] of Object.entries(frame.places ?? {})) {
    if (person === other) come({ read, delivered });
  }
  following(() => frame.missed.forEach(receive));
  if (frame.has_more && frame.missed.length) {
    join();
    return;
  }
  const isBack = !joined;
  joined = true;
  stopPolling();
  if (!isBack) return;
  say({ type: "presence.query", user_id: other });
  resend();
}

function lost() {
  joined = false;
  presence.classList.remove("chat__standing--online");
  presence.textContent = presence.dataset.offline;
  typing.hidden = true;
  if (form) poll ??= setTimeout(pollOnce, PATIENCE);
}

async function pollOnce() {
  const isPolled = await catchUp();
  line.hidden = joined;
  line.querySelector("[data-line-words]").textContent = word(isPolled ? "polling" : "offline");
  if (isPolled) resend();
  if (!joined) poll = setTimeout(pollOnce, POLLING);
}

async function catchUp() {
  if (!isSeen() || !atEnd) return true;
  const part = await fetchEntries({ after: lastSeq }).catch(() => null);
  if (!part || joined) return Boolean(part);
  lastSeq = Math.max(lastSeq, take(part));
  if (part.dataset.hasMore) await catchUp();
  return true;
}

function stopPolling() {
  clearTimeout(poll);
  poll = undefined;
  line.hidden = true;
}

// --- Sending -----------------------------------------------------------------------------------

const KEPT = `chat.${me}.${chatId}`;
const acknowledged = new Map(); // by client_id: when the socket has taken too long
const underway = new Set(); // those that are sent over HTTP
let posting = Promise.resolve();

const unsent = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");

function keep(all) {
  if (all.length) sessionStorage.setItem(KEPT, JSON.stringify(all));
  else sessionStorage.removeItem(KEPT);
}

function forget(clientId) {
  clearTimeout(acknowledged.get(clientId));
  acknowledged.delete(clientId);
  const all = unsent();
  if (all.some((one) => one.client_id === clientId)) keep(all.filter((one) => one.client_id !== clientId));
}

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

function write(message) {
  keep([...unsent(), message]);
  following(() => showUnsent(message));
  toEnd();
  transmit(message);
}

function transmit(message) {
  const item = byClientId(message.client_id);
  item?.querySelector(".message__again")?.remove();
  if (item) showState(item, "sending");
  if (!joined) {
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
function fail(clientId, problem) {
  acknowledged.delete(clientId);
  if (problem) keep(unsent().map((one) => (one.client_id === clientId ? { ...one, refused: true } : one)));
  const item = byClientId(clientId);
  if (!item || item.dataset.seq || item.querySelector(".message__again")) return;
  showState(item, "failed", problem ? `${word("failed")}: ${problem.detail}` : word("failed"));
  const again = template("unsent").cloneNode(true);
  again.querySelector("[data-again]").hidden = !form;
  item.querySelector(".message__foot").after(again);
}

function resend() {
  for (const message of unsent()) {
    if (form && !message.refused && !acknowledged.has(message.client_id)) transmit(message);
  }
}

function restore() {
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
    field?.focus();
  }
});

// --- The composer ------------------------------------------------------------------------------

const hasKeyboard = matchMedia("(pointer: fine)").matches;
let typedAt = -Infinity;

function count() {
  const left = LONGEST - [...field.value].length;
  const counter = form.querySelector("[data-count]");
  counter.hidden = left > LONGEST - COUNTED_FROM;
  counter.classList.toggle("composer__count--over", left < 0);
  counter.textContent = left < 0 ? `${word("tooMany")}: ${-left}` : `${word("characters")}: ${left}`;
  return left;
}

function grow() {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function showMention() {
  const chosen = form.elements.prescription_id.selectedOptions[0];
  mention.hidden = !chosen?.value;
  mention.querySelector("[data-mention-name]").textContent = chosen?.value ? chosen.textContent : "";
}

function noteTyping(on) {
  const now = performance.now();
  if (!joined || (on && now < typedAt + TYPING_AGAIN) || (!on && typedAt === -Infinity)) return;
  typedAt = on ? now : -Infinity;
  say({ type: "chat.typing", on });
}

function clear() {
  field.value = "";
  form.elements.prescription_id.value = "";
  showMention();
  count();
  grow();
}

function submit(event) {
  event.preventDefault();
  const content = field.value.trim();
  const prescription = form.elements.prescription_id.value;
  if ((!content && !prescription) || count() < 0) {
    field.focus();
    return;
  }
  noteTyping(false);
  write({
    client_id: crypto.randomUUID(),
    content,
    prescription_id: prescription || null,
    mention: mention.querySelector("[data-mention-name]").textContent,
    written_at: new Date().toISOString(),
  });
  clear();
  field.focus();
}

// With a keyboard Enter sends, and Shift+Enter begins a line; on a phone Enter begins one.
function onKey(event) {
  if (event.key !== "Enter" || event.isComposing) return;
  const sends = event.ctrlKey || event.metaKey || (hasKeyboard && !event.shiftKey && !event.altKey);
  if (!sends) return;
  event.preventDefault();
  form.requestSubmit();
}

async function begin(link) {
  const answer = await fetch(link.dataset.reply);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  field.setRangeText(page.querySelector("[name=content]").value, field.selectionStart, field.selectionEnd, "end");
  link.closest("details").open = false;
  count();
  grow();
  field.focus();
}

if (form) {
  form.addEventListener("submit", submit);
  field.addEventListener("keydown", onKey);
  field.addEventListener("input", () => { count(); grow(); noteTyping(Boolean(field.value)); });
  field.addEventListener("blur", () => noteTyping(false));
  form.elements.prescription_id.addEventListener("change", () => {
    showMention();
    form.querySelector("details").open = false;
    field.focus();
  });
  form.querySelector("[data-mention-off]").addEventListener("click", () => {
    form.elements.prescription_id.value = "";
    showMention();
    field.focus();
  });
  form.addEventListener("click", (event) => {
    const link = event.target.closest("[data-reply]");
    if (!link) return;
    event.preventDefault();
    begin(link).catch(() => location.assign(link.href));
  });
  count();
  showMention();
  grow();
}

// --- Withdrawing, and saying that no answer is needed --------------------------------------------

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

// --- Reading -------------------------------------------------------------------------------------

async function markRead() {
  if (!isSeen() || !isAtBottom || !atEnd || readSeq >= lastSeq) return;
  const seq = lastSeq;
  readSeq = seq;
  if (joined) {
    say({ type: "chat.read", seq });
    return;
  }
  const answer = await ask(chat.dataset.readUrl, signed({ seq })).catch(() => null);
  if (answer?.ok) tell("live:count");
  else readSeq = -1;
}

function toEnd() {
  window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  jump.hidden = true;
}

new IntersectionObserver(([{ isIntersecting }]) => {
  isAtBottom = isIntersecting;
  if (isAtBottom) jump.hidden = true;
  markRead();
}, { rootMargin: "0px 0px 120px 0px" }).observe(end);

jump.addEventListener("click", () => {
  if (atEnd) toEnd();
  else location.assign(chat.dataset.chatUrl);
});
document.addEventListener("visibilitychange", () => {
  markRead();
  if (isSeen() && joined) say({ type: "presence.query", user_id: other });
});
setInterval(() => {
  if (joined && isSeen()) say({ type: "presence.query", user_id: other });
}, ASK_PRESENCE);

// --- Older and newer, as one comes near them -----------------------------------------------------

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
    else {
      link.parentElement.remove();
    }
  };
  const watcher = new IntersectionObserver(([{ isIntersecting }]) => {
    if (isIntersecting) go();
  }, { rootMargin: `${NEAR} 0px` });
  link.addEventListener("click", (event) => { event.preventDefault(); go(); });
  watcher.observe(link);
}

async function loadOlder() {
  const part = await fetchEntries({ before: messages()[0]?.dataset.seq ?? 0 });
  if (!part) return true;
  const { scrollHeight } = document.documentElement;
  take(part);
  window.scrollBy({ top: document.documentElement.scrollHeight - scrollHeight, behavior: "instant" });
  return Boolean(part.dataset.hasMore);
}

async function loadNewer() {
  const part = await fetchEntries({ after: lastSeq });
  if (!part) return true;
  lastSeq = Math.max(lastSeq, take(part));
  if (part.dataset.hasMore) return true;
  atEnd = true;
  if (joined) join();
  markRead();
  return false;
}

// --- Frames ----------------------------------------------------------------------------------------

const on = (type, react) => document.addEventListener(`live:${type}`, (event) => {
  if (isOurs(event)) react(event.detail);
});

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
  if (isOn && isAtBottom) toEnd();
  if (isOn) typingEnds = setTimeout(() => { typing.hidden = true; }, TYPING_LASTS);
});

document.addEventListener("live:presence", ({ detail }) => {
  if (detail.user_id !== other) return;
  presence.classList.toggle("chat__standing--online", Boolean(detail.online));
  presence.textContent = detail.online ? presence.dataset.online : presence.dataset.offline;
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

// --- First of all ------------------------------------------------------------------------------------

restore();
separate();
if (!location.hash.startsWith("#m-")) {
  const first = list.querySelector("[data-new]");
  if (first) first.scrollIntoView({ block: "start" });
  else if (atEnd) toEnd();
}
requestAnimationFrame(() => {
  growing(chat.querySelector("[data-older]"), loadOlder);
  growing(chat.querySelector("[data-newer]"), loadNewer);
});
lost();
join();
