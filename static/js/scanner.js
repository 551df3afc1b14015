// The camera as a reader of QR codes. Where the browser cannot read codes, nothing appears, and
// the photo and the typed code of the same page do the work.

const scanner = document.querySelector("[data-scanner]");
const form = document.querySelector("[data-scanner-form]");
const result = form?.querySelector("[data-scanner-result]");
const start = scanner?.querySelector("[data-scanner-start]");
const video = scanner?.querySelector("[data-scanner-video]");
const error = scanner?.querySelector("[data-scanner-error]");
const PAUSE = 200;

let stream;

async function canRead() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return false;
  return (await BarcodeDetector.getSupportedFormats()).includes("qr_code");
}

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = undefined;
  video.srcObject = null;
  video.parentElement.hidden = true;
  start.hidden = false;
}

function accept(text) {
  stop();
  navigator.vibrate?.(60);
  result.value = text;
  form.requestSubmit();
}

async function look(detector) {
  if (!stream) return;
  const codes = await detector.detect(video).catch(() => []);
  if (!stream) return;
  if (codes.length) accept(codes[0].rawValue);
  else setTimeout(() => look(detector), PAUSE);
}

async function open() {
  error.hidden = true;
  start.hidden = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    start.hidden = false;
    error.hidden = false;
    return;
  }
  video.parentElement.hidden = false;
  video.srcObject = stream;
  await video.play();
  look(new BarcodeDetector({ formats: ["qr_code"] }));
}

if (scanner && result && (await canRead())) {
  scanner.hidden = false;
  start.hidden = false;
  start.addEventListener("click", open);
  document.addEventListener("visibilitychange", () => { if (document.hidden && stream) stop(); });
  window.addEventListener("pagehide", () => { if (stream) stop(); });
}
