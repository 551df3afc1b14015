// A code on show leaves the screen once it has been scanned or has run out.

const shown = document.querySelector("[data-qr-shown]");

document.addEventListener("live:qr.scanned", (event) => {
  if (shown && event.detail.token_id === shown.dataset.qrShown) shown.hidden = true;
});
document.addEventListener("countdown:end", () => {
  for (const secret of shown?.querySelectorAll("[data-qr-secret]") ?? []) secret.hidden = true;
});
