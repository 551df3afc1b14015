// Messages in the list, and the days between them, as the server writes them.

import { chat, list, me, template, timeZone, word } from "./page.js";

const NOBODY = template("message").dataset.id;

// --- Days and times ----------------------------------------------------------------------------

const clock = new Intl.DateTimeFormat("en-GB", {
  timeZone, hourCycle: "h23", hour: "2-digit", minute: "2-digit",
});
const calendar = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
const longDay = new Intl.DateTimeFormat(`${document.documentElement.lang}-u-nu-latn`, {
  timeZone, dateStyle: "medium",
});

export function timeOf(moment) {
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
export function separate() {
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

// --- Messages ----------------------------------------------------------------------------------

const byId = (id) => list.querySelector(`[data-id="${id}"]`);
// It tells apart what one person sends; the other side knows it, and could use it again.
export const byClientId = (id) => list.querySelector(`.message--mine[data-client-id="${id}"]`);
export const isMine = (item) => item.matches(".message--mine");
export const messages = () => [...list.querySelectorAll(".message[data-seq]")];

export function build({ seq, id, sender_id: sender, client_id: clientId, content, sent_at: at }) {
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
export function number(item, seq, id) {
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

export function put(item) {
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

export function withdraw(id) {
  const item = byId(id);
  if (!item || item.matches(".message--gone")) return;
  item.classList.add("message--gone");
  for (const part of item.querySelectorAll(".message__text, .message__mention, [data-state], [data-retract]")) part.remove();
  item.querySelector(".message__foot").before(template("gone").cloneNode(true));
}

export function showState(item, state, text = word(state)) {
  const mark = item.querySelector("[data-state]");
  if (!mark || (mark.dataset.state === state && mark.lastElementChild.textContent === text)) return;
  mark.dataset.state = state;
  mark.querySelector("use").setAttribute("href", `#state-${state}`);
  mark.lastElementChild.textContent = text;
}
