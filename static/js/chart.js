// What a patient lets a doctor see is on the screen for as long as the doctor may see it.
//
// `[data-shared-by]` is the part of the page with that patient's data. The socket tells when the
// access is over; then the part is emptied at once, and asked for again: there may be less of it,
// more, or nothing.

const gone = document.querySelector("template[data-shared-gone]");
const shared = () => document.querySelector("[data-shared-by]");
const patientId = shared().dataset.sharedBy;
const isOurs = (event) => event.detail.patient_id === patientId;
const LONGEST_TIMER = 2 ** 31 - 1;
const SHORTEST_TIMER = 200;
let asked = 0;
let waits = false;
let end;
let endsAt = Infinity;

function watch() {
  const detail = { type: "chart.watch", ref: "chart", patient_id: patientId };
  document.dispatchEvent(new CustomEvent("live:send", { detail }));
}

function over() {
  const part = shared();
  plan(Infinity);
  part.removeAttribute("data-ends-in");
  part.replaceChildren(gone.content.cloneNode(true));
  ask();
}

// Asking is looking, and is logged. So nothing is asked for a page that nobody sees before
// somebody does.
async function ask() {
  waits = document.visibilityState !== "visible";
  if (waits) return;
  asked += 1;
  const mine = asked;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  const arrivedAt = performance.now();
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page && page.querySelector(`[data-shared-by="${patientId}"]`);
  // One that was asked for before the newest word says nothing.
  if (!fresh || mine !== asked) return;
  shared().replaceWith(document.adoptNode(fresh));
  planEnd(arrivedAt);
}

// Also without a socket, it is over when its time is. The server says how long that is yet: what
// time it is by this device's clock may be wrong by hours. Of a part without an end, never.
function planEnd(arrivedAt) {
  const endsIn = Number.parseInt(shared().dataset.endsIn, 10);
  plan(Number.isNaN(endsIn) ? Infinity : endsIn - (performance.now() - arrivedAt));
}

function plan(endsIn) {
  clearTimeout(end);
  endsAt = Date.now() + endsIn;
  if (endsIn === Infinity) return;
  end = setTimeout(over, Math.min(LONGEST_TIMER, Math.max(SHORTEST_TIMER, endsIn)));
}

// No timer runs while a device sleeps.
function wake() {
  if (Date.now() >= endsAt) over();
  else if (waits) ask();
}

function isAnother({ grant_id: grant, categories }) {
  const { grant: shownBy, category } = shared().dataset;
  return (shownBy && shownBy !== grant) || (category && !categories.includes(category));
}

document.addEventListener("live:connected", watch);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") wake();
});
window.addEventListener("focus", wake);
// A page of one thing follows what changes in its own kind.
document.addEventListener("live:chart.changed", (event) => {
  const { category } = shared().dataset;
  if (isOurs(event) && (!category || category === event.detail.category)) ask();
});
document.addEventListener("live:access.revoked", (event) => {
  if (!isOurs(event)) return;
  over();
  watch();
});
// After a break it may be by another grant, or by none.
document.addEventListener("live:chart.watching", (event) => {
  if (isOurs(event) && isAnother(event.detail)) over();
});
document.addEventListener("live:error", (event) => {
  if (event.detail.ref === "chart" && event.detail.code === "not_found") over();
});
// A page that comes back from the browser's memory shows nothing before it has asked.
window.addEventListener("pageshow", (event) => { if (event.persisted) over(); });

planEnd(performance.getEntriesByType("navigation")[0].responseStart);
watch();
