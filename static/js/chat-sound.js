// A short tone when somebody writes, for whoever asks for one: made here, by no file.

const button = document.querySelector("[data-sound]");
const KEPT = "chat-sound"; // whether, and nothing of what was written
const NOTES = [660, 880];
const LENGTH = 0.12;
const SILENCE = 1_000; // what comes all at once sounds once
let speaker;
let playedAt = -Infinity;

function wanted() {
  return localStorage.getItem(KEPT) === "on";
}

function show() {
  button.setAttribute("aria-pressed", String(wanted()));
}

function play() {
  if (performance.now() < playedAt + SILENCE) return;
  playedAt = performance.now();
  speaker ??= new AudioContext();
  speaker.resume();
  NOTES.forEach((frequency, index) => {
    const start = speaker.currentTime + index * LENGTH;
    const volume = speaker.createGain();
    volume.gain.setValueAtTime(0.12, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + LENGTH);
    const tone = speaker.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(volume).connect(speaker.destination);
    tone.start(start);
    tone.stop(start + LENGTH);
  });
}

button.addEventListener("click", () => {
  localStorage.setItem(KEPT, wanted() ? "off" : "on");
  show();
  if (wanted()) play();
});
document.addEventListener("chat:arrived", () => { if (wanted()) play(); });

button.hidden = false;
show();
