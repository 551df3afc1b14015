// The field in which one writes.

import { form, now, say, word } from "./page.js";
import { write } from "./sending.js";

const SAID_NEAR_THE_END = 500;
const TYPING_AGAIN = 3_000;
const field = form?.elements.content;
const longest = Number(field?.dataset.longest);
const mention = form?.querySelector("[data-mention]");
const hasKeyboard = matchMedia("(pointer: fine)").matches;
let typedAt = -Infinity;

function count() {
  const left = longest - [...field.value].length;
  const counter = form.querySelector("[data-count]");
  counter.hidden = left > SAID_NEAR_THE_END;
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
  const at = performance.now();
  if (!now.joined || (on && at < typedAt + TYPING_AGAIN) || (!on && typedAt === -Infinity)) return;
  typedAt = on ? at : -Infinity;
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
