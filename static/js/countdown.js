// Times left: <time data-expires-at="…">. At zero the words of data-expired, and an event.

const SOON = 60_000;

function clock(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
}

function tick() {
  for (const element of document.querySelectorAll("[data-expires-at]")) {
    const left = new Date(element.dataset.expiresAt) - Date.now();
    if (left > 0) {
      element.dir = "ltr";
      element.textContent = clock(left);
      element.classList.toggle("countdown--soon", left < SOON);
    } else {
      element.removeAttribute("dir");
      element.removeAttribute("data-expires-at");
      element.textContent = element.dataset.expired ?? clock(0);
      element.dispatchEvent(new CustomEvent("countdown:end", { bubbles: true }));
    }
  }
}

tick();
setInterval(tick, 1000);
