// One player for the whole visit. A play button says what it plays in its data attributes; the others on
// its page are what comes before and after it. Pages change around the player (see nav.js), and where a page
// must be loaded whole, it goes on from where it was.

import { forget, queueOf, remember, remembered } from "./queue.js";
import { drawPlayed, listen, placeByKey, showOnly, trackOf } from "./waves.js";

const player = document.getElementById("player");
const part = (name) => player.querySelector(`[data-part="${name}"]`);
const audio = part("audio");
const seek = part("seek");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
// Two tabs of one shop do not play over each other.
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("shop-player") : null;

let queue = [];
let place = 0;
let startAt = null; // seconds to begin at, once the recording's length is known
let ledTo = null; // seconds to which somebody drags; each move of the sound is another request
let frame = 0;

const current = () => queue[place] ?? null;

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// The sentences come with the page, in its language.
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

function length() {
  return Number.isFinite(audio.duration) && audio.duration > 0 ? audio.duration : Number(current()?.seconds) || 0;
}

const position = () => ledTo ?? startAt ?? audio.currentTime;
const within = (seconds) => Math.max(0, Math.min(length() - 0.05, seconds));

// --- Loading and choosing ---------------------------------------------------------------------

function load(seconds = null) {
  const { play: source, title, artist, cover, page } = current();
  audio.pause();
  startAt = seconds;
  ledTo = null;
  audio.src = source;
  part("title").textContent = title;
  part("title").href = page;
  part("artist").textContent = artist;
  part("status").textContent = "";
  part("cover").hidden = !cover;
  if (cover) part("cover").src = cover;
  seek.max = length();
  player.hidden = false;
  part("previous").disabled = place === 0;
  part("next").disabled = place === queue.length - 1;
  showWave();
  describeToSystem();
  showPosition();
}

function toggle(button) {
  if (button && button.dataset.play !== current()?.play) {
    queue = queueOf(document.querySelectorAll("[data-play]"));
    place = queue.findIndex((one) => one.play === button.dataset.play);
    load();
  }
  if (!current()) return;
  if (audio.paused) play();
  else audio.pause();
}

async function play() {
  part("status").textContent = "";
  try {
    await audio.play();
    tabs?.postMessage("playing");
  } catch (error) {
    // Another recording was chosen meanwhile, or the browser wants a press first: the button is there.
    if (error.name !== "AbortError" && error.name !== "NotAllowedError") fail();
  }
}

function fail() {
  part("status").textContent = filled(player.dataset.sayFailed, { title: current()?.title });
  part("artist").textContent = player.dataset.sayCannot;
}

function step(by) {
  if (!queue[place + by]) return;
  place += by;
  load();
  play();
}

// As every player does: the first press goes back to the beginning, the second to what was before.
function previous() {
  if (position() > 3 || place === 0) moveTo(0);
  else step(-1);
}

function ended() {
  if (queue[place + 1]) step(1);
  else moveTo(0);
}

function close() {
  const source = current()?.play;
  audio.pause();
  queue = [];
  audio.removeAttribute("src");
  player.hidden = true;
  forget();
  showWave();
  mark();
  const opener = [...playButtons()].find((button) => button.dataset.play === source);
  (opener ?? document.getElementById("content"))?.focus();
}

// --- Showing ----------------------------------------------------------------------------------

function playButtons() {
  return document.querySelectorAll("[data-play]");
}

function showWave() {
  const row = current() ? trackOf(current().play) : null;
  showOnly(row);
  const own = part("wave");
  const picture = row?.querySelector(".waveform");
  if (picture) {
    const copy = picture.cloneNode(true);
    drawPlayed(copy);
    own.replaceChildren(copy);
    own.dataset.of = current().play;
  } else if (own.dataset.of !== current()?.play) {
    own.replaceChildren();
  }
}

function mark() {
  const state = audio.paused ? "paused" : "playing";
  for (const button of playButtons()) {
    const mine = button.dataset.play === current()?.play;
    if (mine) button.dataset.state = state;
    else delete button.dataset.state;
    button.dataset.label ??= button.getAttribute("aria-label"); // as it was written: play an excerpt, a track
    const pause = filled(player.dataset.sayPauseOf, { title: button.dataset.title });
    button.setAttribute("aria-label", mine && state === "playing" ? pause : button.dataset.label);
  }
  part("toggle").dataset.state = state;
  part("toggle").setAttribute("aria-label", state === "playing" ? player.dataset.sayPause : player.dataset.sayPlay);
  if ("mediaSession" in navigator) navigator.mediaSession.playbackState = current() ? state : "none";
}

function showPosition() {
  const now = position();
  const whole = length();
  const words = `${clock(now)} / ${clock(whole)}`;
  const share = whole ? `${Math.min(100, (now / whole) * 100)}%` : "0%";
  const wave = current() ? trackOf(current().play)?.querySelector(".wave") : null;
  seek.value = now;
  player.style.setProperty("--progress", share);
  wave?.style.setProperty("--progress", share);
  if (part("time").textContent === words) return;
  part("time").textContent = words;
  const spoken = filled(player.dataset.sayPosition, { now: clock(now), whole: clock(whole) });
  seek.setAttribute("aria-valuetext", spoken);
  wave?.setAttribute("aria-valuenow", Math.floor(now));
  wave?.setAttribute("aria-valuetext", spoken);
  keep();
}

function follow() {
  cancelAnimationFrame(frame);
  if (audio.paused || calm.matches) return;
  showPosition();
  frame = requestAnimationFrame(follow);
}

function keep() {
  if (current()) remember({ queue, place, seconds: position(), isPlaying: !audio.paused });
}

function moveTo(seconds) {
  const to = within(seconds);
  ledTo = null;
  if (audio.readyState > 0) audio.currentTime = to;
  else startAt = to;
  showPosition();
}

// Shown while it is dragged, heard where it is let go; null leaves the sound where it is.
function leadTo(seconds) {
  ledTo = seconds === null ? null : within(seconds);
  showPosition();
}

function letGo() {
  if (ledTo !== null) moveTo(ledTo);
}

// --- The lock screen, headphones and keyboards with keys for it --------------------------------

function describeToSystem() {
  if (!("mediaSession" in navigator)) return;
  const { title, artist, cover } = current();
  const artwork = cover ? [{ src: cover }] : [];
  navigator.mediaSession.metadata = new MediaMetadata({ title, artist, artwork });
}

function tellSystemPosition() {
  if (!navigator.mediaSession?.setPositionState || !Number.isFinite(audio.duration)) return;
  const { duration, playbackRate } = audio;
  navigator.mediaSession.setPositionState({ duration, playbackRate, position: Math.min(audio.currentTime, duration) });
}

const ANSWERS = {
  play,
  pause: () => audio.pause(),
  stop: close,
  previoustrack: previous,
  nexttrack: () => step(1),
  seekbackward: (asked) => moveTo(position() - (asked.seekOffset ?? 10)),
  seekforward: (asked) => moveTo(position() + (asked.seekOffset ?? 10)),
  seekto: (asked) => moveTo(asked.seekTime),
};

function answerSystem() {
  if (!("mediaSession" in navigator)) return;
  for (const [action, answer] of Object.entries(ANSWERS)) {
    try {
      navigator.mediaSession.setActionHandler(action, answer);
    } catch {
      // A browser that does not know this action shows no button for it.
    }
  }
}

// --- Listening --------------------------------------------------------------------------------

// A page that has just appeared shows what is playing; one that was loaded whole goes on with it.
function show() {
  ledTo = null;
  showWave();
  mark();
  if (current()) showPosition();
}

function goOn() {
  const state = remembered();
  if (!state) return;
  ({ queue, place } = state);
  load(state.seconds);
  if (state.isPlaying) play();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-play]");
  if (button) toggle(button);
});
document.addEventListener("shop:page", show);
part("toggle").addEventListener("click", () => toggle(null));
part("previous").addEventListener("click", previous);
part("next").addEventListener("click", () => step(1));
part("close").addEventListener("click", close);
seek.addEventListener("input", () => leadTo(Number(seek.value)));
for (const end of ["change", "pointerup"]) seek.addEventListener(end, letGo);
seek.addEventListener("keydown", (event) => {
  const to = placeByKey(event.key, position(), length());
  if (to === null) return;
  event.preventDefault();
  moveTo(to);
});
audio.addEventListener("play", () => {
  mark();
  follow();
  tellSystemPosition();
});
audio.addEventListener("pause", () => {
  mark();
  keep();
});
audio.addEventListener("ended", ended);
audio.addEventListener("timeupdate", showPosition);
audio.addEventListener("seeked", tellSystemPosition);
audio.addEventListener("loadedmetadata", () => {
  seek.max = length();
  if (startAt !== null) audio.currentTime = Math.min(startAt, audio.duration);
  startAt = null;
  showPosition();
  tellSystemPosition();
});
audio.addEventListener("error", () => {
  if (current() && audio.hasAttribute("src")) fail();
});
tabs?.addEventListener("message", () => audio.pause());
window.addEventListener("pagehide", keep);

listen({ current, toggle, moveTo, leadTo, letGo, position, length });
answerSystem();
goOn();
show();
