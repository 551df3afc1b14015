// The page of one conversation: its parts, its words, how it stands by now, and what it asks of
// the server.

export const chat = document.querySelector("[data-chat]");
export const { me, other, timeZone } = chat.dataset;
export const list = chat.querySelector("[data-list]");
export const waiting = chat.querySelector("[data-waiting]");
export const typing = chat.querySelector("[data-typing]");
export const jump = chat.querySelector("[data-jump]");
export const form = chat.querySelector("[data-composer]");
const chatId = chat.dataset.chat;

// The last number that the page has, whether that was the newest there was, whether the socket
// hears this chat, and whether the reader looks at the end of it.
export const now = {
  lastSeq: Number(chat.dataset.lastSeq),
  atEnd: chat.dataset.atEnd === "yes",
  joined: false,
  isAtBottom: false,
};

export const template = (name) => document.querySelector(`template[data-${name}]`).content.firstElementChild;
export const word = (name) => chat.dataset[`word${name[0].toUpperCase()}${name.slice(1)}`];
export const isSeen = () => document.visibilityState === "visible";
export const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
export const say = (frame) => tell("live:send", { chat_id: chatId, ...frame });

// What the socket is told of this chat.
export const on = (type, react) => document.addEventListener(`live:${type}`, ({ detail }) => {
  if (detail.chat_id === chatId) react(detail);
});

export async function ask(address, body) {
  const options = { headers: { "X-Requested-With": "fetch" } };
  if (body) Object.assign(options, { method: "POST", body });
  const answer = await fetch(address, options);
  // Signed out meanwhile.
  if (answer.redirected) location.assign(document.body.dataset.loginUrl);
  return answer;
}

// What a form of the page would send.
export function signed(values) {
  const { value } = document.querySelector("[name=csrfmiddlewaretoken]");
  return new URLSearchParams({ csrfmiddlewaretoken: value, ...values });
}

export async function partOf(answer) {
  if (!answer.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("[data-entries]");
}
