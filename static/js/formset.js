// Adding and removing the rows of a Django formset.

for (const formset of document.querySelectorAll("[data-formset]")) {
  const total = formset.querySelector(`[name="${formset.dataset.formset}-TOTAL_FORMS"]`);
  const limit = Number(formset.querySelector(`[name="${formset.dataset.formset}-MAX_NUM_FORMS"]`).value);
  const rows = formset.querySelector("[data-formset-rows]");
  const empty = formset.querySelector("[data-formset-empty]");
  const add = formset.querySelector("[data-formset-add]");

  function shown() {
    return [...rows.querySelectorAll("[data-formset-row]")].filter((row) => !row.hidden);
  }

  function update() {
    const visible = shown();
    add.hidden = visible.length >= limit;
    for (const row of visible) {
      row.querySelector("[data-formset-remove]").hidden = visible.length === 1;
    }
  }

  add.addEventListener("click", () => {
    const holder = document.createElement("template");
    holder.innerHTML = empty.innerHTML.replaceAll("__prefix__", total.value);
    total.value = Number(total.value) + 1;
    rows.append(holder.content);
    update();
    shown().at(-1).querySelector("input:not([type=hidden]), select, textarea")?.focus();
  });

  // A removed row stays, hidden and marked, so that the numbers of the others hold.
  rows.addEventListener("click", (event) => {
    const button = event.target.closest("[data-formset-remove]");
    if (!button) return;
    const row = button.closest("[data-formset-row]");
    row.querySelector('[name$="-DELETE"]').checked = true;
    row.hidden = true;
    update();
    shown().at(-1).querySelector("input:not([type=hidden]), select, textarea")?.focus();
  });

  update();
}
