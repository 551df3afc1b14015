// A button that copies the text of a field, where the browser lets it.

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.value);
    document.dispatchEvent(
      new CustomEvent("toast", { detail: { text: field.dataset.copied, tone: "success" } }),
    );
  });
}
for (const field of document.querySelectorAll("textarea[readonly]")) {
  field.addEventListener("focus", () => field.select());
}
