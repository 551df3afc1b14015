// What is written and not yet on the server, kept in this window: by its client_id, so that what is
// sent twice is there once.

import { chat, me } from "./page.js";

const KEPT = `chat.${me}.${chat.dataset.chat}`;
// By client_id: when the socket has taken too long.
export const acknowledged = new Map();

export const unsent = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");

export function keep(all) {
  if (all.length) sessionStorage.setItem(KEPT, JSON.stringify(all));
  else sessionStorage.removeItem(KEPT);
}

export function forget(clientId) {
  clearTimeout(acknowledged.get(clientId));
  acknowledged.delete(clientId);
  const all = unsent();
  if (all.some((one) => one.client_id === clientId)) keep(all.filter((one) => one.client_id !== clientId));
}
