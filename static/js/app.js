// What every page has: colours, dialogs, menus, toasts, and forms that are sent once.

const page = document.documentElement;

// --- Colours: the choice lives in a cookie, so the server sends the next page in it ---

function showTheme(theme) {
  page.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-value]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeValue === theme));
  }
}

function chooseTheme(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  showTheme(theme);
}

for (const group of document.querySelectorAll("[data-theme-switch]")) {
  group.hidden = false;
}
showTheme(page.dataset.theme);

// --- Toasts, and words for those who hear the page ---

const toasts = document.querySelector("[data-toasts]");
const toastTemplate = document.querySelector("[data-toast-template]");
const announcer = document.querySelector("[data-announce]");

function announce(text) {
  announcer.textContent = "";
  // A live region speaks when it changes, so the words come in a moment of their own.
  setTimeout(() => { announcer.textContent = text; }, 100);
}

function prepareToast(toast) {
  toast.querySelector("[data-dismiss]").hidden = false;
  toast.addEventListener("animationend", (event) => {
    if (event.animationName === "leave") toast.remove();
  });
}

function showToast({ text, tone = "info", url = "" }) {
  const toast = toastTemplate.content.firstElementChild.cloneNode(true);
  toast.classList.replace("toast--info", `toast--${tone}`);
  const words = toast.querySelector(".toast__text");
  if (url) {
    const link = document.createElement("a");
    link.href = url;
    link.textContent = text;
    words.append(link);
  } else {
    words.textContent = text;
  }
  prepareToast(toast);
  toasts.append(toast);
  announce(text);
}

for (const toast of toasts.querySelectorAll("[data-toast]")) {
  prepareToast(toast);
  announce(toast.querySelector(".toast__text").textContent);
}
document.addEventListener("toast", (event) => showToast(event.detail));

// --- Small acts of buttons ---

const acts = {
  print: () => window.print(),
  share: () => navigator.share({ title: document.title, url: location.href }).catch(() => {}),
};

function prepare(root) {
  for (const button of root.querySelectorAll("[data-does]")) {
    button.hidden = button.dataset.does === "share" && !navigator.share;
  }
  for (const button of root.querySelectorAll("[data-reveal]")) {
    button.hidden = false;
  }
}

function reveal(button) {
  const field = document.getElementById(button.dataset.reveal);
  const shown = field.type === "password";
  field.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
}

// Browsers without invoker commands get the one command the pages use.
function openDialog(button) {
  if ("command" in HTMLButtonElement.prototype) return;
  document.getElementById(button.getAttribute("commandfor")).showModal();
}

function closeMenus(event) {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
}

document.addEventListener("click", (event) => {
  closeMenus(event);
  const target = event.target;
  if (target.matches("dialog")) target.close(); // its own box is covered: this is the backdrop
  const button = target.closest("button");
  if (!button) return;
  if (button.dataset.themeValue) chooseTheme(button.dataset.themeValue);
  if (button.dataset.does) acts[button.dataset.does]();
  if (button.dataset.reveal) reveal(button);
  if (button.matches("[data-dismiss]")) button.closest("[data-toast]").remove();
  if (button.getAttribute("command") === "show-modal") openDialog(button);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// What was written and not yet sent stays with whoever wrote it: it goes when they have gone.
if (!document.body.dataset.liveUrl) sessionStorage.clear();

// --- Forms ---

document.addEventListener("submit", (event) => {
  const form = event.target;
  const method = (event.submitter?.getAttribute("formmethod") || form.method).toLowerCase();
  if (method === "dialog") return;
  if (form.dataset.sent || (form.dataset.confirm && !window.confirm(form.dataset.confirm))) {
    event.preventDefault();
    return;
  }
  if (method !== "post" || form.hasAttribute("data-resubmit")) return;
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
  // An answer that is a file leaves the page in place; so the form opens again by itself.
  setTimeout(() => unlock(form), 8000);
});

function unlock(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
}

// A page that comes back from the browser's memory comes back with its forms open.
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(unlock));
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target.matches("form")) unlock(event.target);
});
document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));

prepare(document);
document.querySelector("[data-error-summary]")?.focus();
