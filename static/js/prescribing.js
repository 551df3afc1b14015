// Writing a prescription by keyboard: suggestions for a medicine, and Enter to the next one.

const WAIT = 150;
const FIELDS = ["strength", "route", "frequency", "frequency_unit", "duration_days", "quantity"];
const form = document.querySelector("[data-prescribing]");
const formset = form.querySelector("[data-formset]");
const said = form.querySelector("[data-suggestions-said]");
const keys = form.querySelector("[data-keys]");
let open = null;

// --- The list under a medicine's name: an ARIA combobox --------------------------------------

function prepare(input) {
  if (input.hasAttribute("role")) return;
  const list = document.createElement("ul");
  list.className = "combobox__list";
  list.id = `${input.id}_suggestions`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", formset.dataset.listLabel);
  input.after(list);
  for (const [name, value] of [
    ["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"],
    ["aria-controls", list.id],
  ]) input.setAttribute(name, value);
}

function close() {
  if (!open) return;
  open.list.hidden = true;
  open.list.replaceChildren();
  open.input.setAttribute("aria-expanded", "false");
  open.input.removeAttribute("aria-activedescendant");
  open = null;
}

function option(suggestion, id) {
  const item = document.createElement("li");
  item.className = "combobox__option";
  item.id = id;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  const name = document.createElement("bdi");
  name.textContent = [suggestion.medicine, suggestion.strength].filter(Boolean).join(" ");
  item.append(name);
  if (suggestion.stands_for) {
    const inn = document.createElement("bdi");
    inn.textContent = suggestion.stands_for;
    const meaning = document.createElement("span");
    meaning.append("— ", inn);
    item.append(" ", meaning);
  }
  if (suggestion.is_own) {
    const how = document.createElement("span");
    how.textContent = `${suggestion.dosage} · ${formset.dataset.ownLabel}`;
    item.append(how);
  }
  return item;
}

function show(input, suggestions) {
  close();
  const list = document.getElementById(input.getAttribute("aria-controls"));
  list.replaceChildren(...suggestions.map((each, at) => option(each, `${list.id}_${at}`)));
  said.textContent = formset.dataset.countLabel.replace("%(count)s", suggestions.length);
  if (!suggestions.length) return;
  list.hidden = false;
  input.setAttribute("aria-expanded", "true");
  open = { input, list, suggestions, at: -1 };
}

function move(by) {
  const count = open.suggestions.length;
  const from = open.at === -1 && by < 0 ? 0 : open.at;
  open.at = (from + by + count) % count;
  for (const [at, item] of [...open.list.children].entries()) {
    item.setAttribute("aria-selected", String(at === open.at));
  }
  const chosen = open.list.children[open.at];
  open.input.setAttribute("aria-activedescendant", chosen.id);
  chosen.scrollIntoView({ block: "nearest" });
}

function field(input, name) {
  const row = input.closest("[data-formset-row]");
  return row.querySelector(`[name$="-${name}"]`);
}

// What the doctor has prescribed before fills the row; of another only the name is known.
function choose(at) {
  const { input, suggestions } = open;
  const suggestion = suggestions[at];
  close();
  input.value = suggestion.medicine;
  if (suggestion.is_own) {
    for (const name of FIELDS) field(input, name).value = suggestion[name] ?? "";
    field(input, "as_needed").checked = suggestion.as_needed;
  }
  field(input, suggestion.is_own ? "quantity" : "strength").focus();
  foretell();
}

let typing;
async function suggest(input) {
  const text = input.value.trim();
  if (text.length < 2) {
    close();
    return;
  }
  const answer = await fetch(`${formset.dataset.suggestions}?q=${encodeURIComponent(text)}`);
  // Meanwhile more was typed, or the field was left: then this answers nothing.
  if (answer.ok && text === input.value.trim() && input === document.activeElement) {
    show(input, await answer.json());
  }
}

form.addEventListener("focusin", ({ target }) => {
  if (target.matches("[data-medicine]")) prepare(target);
  if (open && target !== open.input) close();
});

form.addEventListener("input", ({ target }) => {
  clearTimeout(typing);
  if (target.matches("[data-medicine]")) typing = setTimeout(() => suggest(target), WAIT);
  foretell();
});

form.addEventListener("mousedown", (event) => {
  const item = event.target.closest("[role=option]");
  if (!item || !open) return;
  event.preventDefault();
  choose([...open.list.children].indexOf(item));
});

// --- Keys -------------------------------------------------------------------------------------

function shown() {
  return [...formset.querySelectorAll("[data-formset-rows] > [data-formset-row]")].filter(
    (row) => !row.hidden,
  );
}

// On from one medicine to the next; behind the last one comes a new one.
function goOn(input) {
  const rows = shown();
  const next = rows[rows.indexOf(input.closest("[data-formset-row]")) + 1];
  if (next) next.querySelector("[data-medicine]").focus();
  else formset.querySelector("[data-formset-add]").click();
}

const inList = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Escape: close,
  Enter: () => choose(open.at),
};

form.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.isComposing) return;
  if (open && target === open.input && key in inList && !(key === "Enter" && open.at === -1)) {
    event.preventDefault();
    inList[key]();
  } else if (key === "ArrowDown" && target.matches("[data-medicine]")) {
    event.preventDefault();
    suggest(target);
  } else if (key === "Enter" && target.matches("[data-formset-row] input")) {
    event.preventDefault();
    close();
    goOn(target);
  }
});
keys.hidden = false;

// --- Until when it is good if nothing is said -------------------------------------------------

const lastDay = form.querySelector("[data-last-day]");

function refillDays(row) {
  const number = (name) => Number(row.querySelector(`[name$="-${name}"]`).value) || 0;
  return number("refills") * (number("duration_days") || Number(lastDay.dataset.days));
}

function foretell() {
  if (!lastDay) return;
  const days = Math.max(0, ...shown().map(refillDays)) + Number(lastDay.dataset.days);
  const day = new Date(`${lastDay.dataset.today}T12:00:00`);
  day.setDate(day.getDate() + Math.min(days, Number(lastDay.dataset.most)));
  const written = day.toLocaleDateString(document.documentElement.lang, {
    day: "numeric", month: "long", year: "numeric", numberingSystem: "latn",
  });
  lastDay.textContent = lastDay.dataset.says.replace("%(day)s", written);
  lastDay.hidden = Boolean(form.elements.valid_until.value);
}
foretell();

// --- What the safety check said comes into view first -----------------------------------------

form.querySelector("[data-findings]")?.focus();
