// One socket for the page. Every frame becomes an event `live:<type>` on the document; an event
// `live:send` sends one, if the socket is open, which `live:connected` and `live:disconnected`
// tell.

const { liveUrl, loginUrl } = document.body.dataset;
// A page that tells of the connection itself has none.
const state = document.querySelector("[data-live-state]");
const LONGEST_WAIT = 30_000;
const SILENCE = 25_000;
const PATIENCE = 3_000; // a short break is not worth a word
const BURST = 300;
const LEAVING = 5_000; // how long the next page may take to come
const MOST_COUNTED = Number(document.body.dataset.countedTo) - 1;
const NOT_SIGNED_IN = 4401;
const REVOKED = 4403;

let socket;
let failures = 0;
let retry;
let ping;
let warning;
let leftAt = -Infinity;
let invitedIn; // seconds, from a server that is about to close
const title = document.title;

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

function connect() {
  clearTimeout(retry);
  const address = new URL(liveUrl, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  socket = new WebSocket(address);
  socket.addEventListener("open", opened);
  socket.addEventListener("message", (event) => received(JSON.parse(event.data)));
  socket.addEventListener("close", closed);
}

function opened() {
  if (failures) tell("live:reconnected");
  failures = 0;
  clearTimeout(warning);
  warning = undefined;
  if (state) state.hidden = true;
  ping = setInterval(() => socket.send('{"type":"ping"}'), SILENCE);
  tell("live:connected");
}

function closed(event) {
  clearInterval(ping);
  // Whoever signs out here is on the way already.
  const isLeaving = performance.now() < leftAt + LEAVING;
  tell("live:disconnected");
  if (event.code === REVOKED && !isLeaving) location.assign(loginUrl);
  if (event.code === REVOKED || event.code === NOT_SIGNED_IN) return;
  failures += 1;
  warning ??= setTimeout(() => { if (state) state.hidden = false; }, PATIENCE);
  // Doubling waits with chance in them, so that a restarted server is not met by all at once.
  const wait = Math.min(LONGEST_WAIT, 1000 * 2 ** (failures - 1));
  const named = invitedIn === undefined ? wait * (0.5 + Math.random() / 2) : invitedIn * 1000;
  invitedIn = undefined;
  retry = setTimeout(connect, named);
}

function received(frame) {
  tell(`live:${frame.type}`, frame);
  if (frame.type === "notification") {
    tell("toast", { text: frame.title, url: frame.url });
    countNotification();
  }
  // The server goes, and has said when each of us may come to the next one.
  if (frame.type === "server.closing") invitedIn = frame.reconnect_after;
  if (frame.type === "chat.activity") countChats();
  refreshSoon(frame.type);
}

// `99+` stands for the number that nobody counts beyond.
const countIn = (number) => Number.parseInt(number.textContent, 10) + (number.textContent.endsWith("+") ? 1 : 0);
const inWords = (count) => (count > MOST_COUNTED ? `${MOST_COUNTED}+` : count);

function showUnread(of, counted) {
  for (const badge of document.querySelectorAll(`[data-unread="${of}"]`)) {
    const number = badge.querySelector("[data-unread-number]");
    const count = counted(countIn(number));
    number.textContent = inWords(count);
    badge.hidden = !count;
  }
}

const countNotification = () => showUnread("notifications", (count) => count + 1);

// Messages are read on other devices as well, so their number is asked for, once for a burst.
let counting;
function countChats() {
  clearTimeout(counting);
  counting = setTimeout(async () => {
    const answer = await fetch("/chats/unread").catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const { count } = await answer.json();
    showUnread("chats", () => count);
    showInTitle(count);
  }, BURST);
}

function showInTitle(count) {
  document.title = count ? `(${inWords(count)}) ${title}` : title;
}

const badge = document.querySelector('[data-unread="chats"] [data-unread-number]');
if (badge) showInTitle(countIn(badge));

// Parts of a page that follow a kind of frame are fetched again from the page's own address, once
// for a burst of frames of that kind.
const refreshing = new Map();
function refreshSoon(type) {
  clearTimeout(refreshing.get(type));
  refreshing.set(type, setTimeout(() => refresh(type), type === "chat.activity" ? BURST : 0));
}

async function refresh(type) {
  const parts = [...document.querySelectorAll("[data-live-refresh][id]")].filter(
    (part) => !type || part.dataset.liveRefresh.split(" ").includes(type),
  );
  if (!parts.length) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts) {
    const replacement = fresh.getElementById(part.id);
    if (replacement) part.replaceWith(document.adoptNode(replacement));
  }
  tell("live:refreshed");
}

document.addEventListener("live:reconnected", () => { refresh(); countChats(); });
document.addEventListener("live:count", countChats);
document.addEventListener("live:send", (event) => {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(event.detail));
});
window.addEventListener("beforeunload", () => { leftAt = performance.now(); });
window.addEventListener("online", () => { if (socket.readyState === WebSocket.CLOSED) connect(); });
// A page kept in the browser's memory must not hold a socket, and wakes with a new one.
window.addEventListener("pagehide", () => {
  clearTimeout(retry);
  clearTimeout(warning);
  clearInterval(ping);
  socket.removeEventListener("close", closed);
  socket.close();
});
window.addEventListener("pageshow", (event) => { if (event.persisted) connect(); });

connect();
