// One player for all excerpts of a page. A play button says what it plays in its data attributes; a
// track's waveform shows where the excerpt is and moves it, by pointer or by arrow keys.

const player = document.getElementById("player");
const part = (name) => player.querySelector(`[data-part="${name}"]`);
const audio = part("audio");
const seek = part("seek");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
// Two tabs of one shop do not play over each other.
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("shop-player") : null;

let current = null; // the data attributes of the excerpt in the player
let opener = null; // the button that started it, to which the keyboard returns
let frame = 0;

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// The sentences come with the page, in its language.
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

function length() {
  return Number.isFinite(audio.duration) && audio.duration > 0 ? audio.duration : Number(current?.seconds) || 0;
}

function playButtons() {
  return document.querySelectorAll("[data-play]");
}

function trackOf(source) {
  return [...document.querySelectorAll("[data-track]")].find((row) => row.dataset.track === source);
}

// --- Loading and choosing ---------------------------------------------------------------------

function load(button) {
  stop();
  current = { ...button.dataset };
  opener = button;
  audio.src = current.play;
  part("title").textContent = current.title;
  part("title").href = current.page;
  part("artist").textContent = current.artist;
  part("cover").hidden = !current.cover;
  if (current.cover) part("cover").src = current.cover;
  seek.max = length();
  player.hidden = false;
  showWave(trackOf(current.play));
  describeToSystem();
}

function toggle(button) {
  if (button && button.dataset.play !== current?.play) load(button);
  if (audio.paused) play();
  else audio.pause();
}

async function play() {
  part("status").textContent = "";
  try {
    await audio.play();
    tabs?.postMessage("playing");
  } catch (error) {
    if (error.name !== "AbortError") fail();
  }
}

function fail() {
  part("status").textContent = filled(player.dataset.sayFailed, { title: current?.title });
  part("artist").textContent = player.dataset.sayCannot;
}

function stop() {
  audio.pause();
  showWave(null);
  current = null;
  mark();
}

function close() {
  stop();
  audio.removeAttribute("src");
  player.hidden = true;
  opener?.focus();
}

// --- Showing ----------------------------------------------------------------------------------

function showWave(row) {
  for (const other of document.querySelectorAll("[data-track]")) {
    other.toggleAttribute("data-current", other === row);
    const wave = other.querySelector(".wave");
    wave.hidden = other !== row && !wave.hasAttribute("data-always");
    wave.style.removeProperty("--progress");
  }
  const picture = row?.querySelector(".waveform");
  if (picture && picture.childElementCount === 1) {
    const played = picture.firstElementChild.cloneNode();
    played.setAttribute("class", "waveform-played");
    picture.append(played);
  }
}

function mark() {
  const state = audio.paused ? "paused" : "playing";
  for (const button of playButtons()) {
    const mine = current !== null && button.dataset.play === current.play;
    if (mine) button.dataset.state = state;
    else delete button.dataset.state;
    const label = mine && state === "playing" ? player.dataset.sayPauseOf : player.dataset.sayPlayOf;
    button.setAttribute("aria-label", filled(label, { title: button.dataset.title }));
  }
  part("toggle").dataset.state = state;
  part("toggle").setAttribute("aria-label", state === "playing" ? player.dataset.sayPause : player.dataset.sayPlay);
}

function showPosition() {
  const whole = length();
  const words = `${clock(audio.currentTime)} / ${clock(whole)}`;
  const share = whole ? `${Math.min(100, (audio.currentTime / whole) * 100)}%` : "0%";
  seek.value = audio.currentTime;
  seek.style.setProperty("--progress", share);
  trackOf(current?.play)?.querySelector(".wave").style.setProperty("--progress", share);
  if (part("time").textContent === words) return;
  part("time").textContent = words;
  const spoken = filled(player.dataset.sayPosition, { now: clock(audio.currentTime), whole: clock(whole) });
  seek.setAttribute("aria-valuetext", spoken);
  const wave = trackOf(current?.play)?.querySelector(".wave");
  wave?.setAttribute("aria-valuenow", Math.floor(audio.currentTime));
  wave?.setAttribute("aria-valuetext", spoken);
}

function follow() {
  cancelAnimationFrame(frame);
  if (audio.paused || calm.matches) return;
  showPosition();
  frame = requestAnimationFrame(follow);
}

// --- Moving -----------------------------------------------------------------------------------

function moveTo(seconds) {
  audio.currentTime = Math.max(0, Math.min(length() - 0.05, seconds));
  showPosition();
}

function moveWithin(wave, event) {
  const box = wave.getBoundingClientRect();
  moveTo(((event.clientX - box.left) / box.width) * length());
}

function moveByKey(event) {
  const steps = { ArrowRight: 2, ArrowUp: 2, ArrowLeft: -2, ArrowDown: -2, PageUp: 10, PageDown: -10 };
  if (event.key in steps) moveTo(audio.currentTime + steps[event.key]);
  else if (event.key === "Home") moveTo(0);
  else if (event.key === "End") moveTo(length());
  else return;
  event.preventDefault();
}

function playNext() {
  const row = trackOf(current?.play);
  const rows = [...document.querySelectorAll("[data-track]")];
  const next = row && rows[rows.indexOf(row) + 1]?.querySelector("[data-play]");
  if (next) toggle(next);
  else moveTo(0);
}

function describeToSystem() {
  if (!("mediaSession" in navigator)) return;
  const artwork = current.cover ? [{ src: current.cover }] : [];
  navigator.mediaSession.metadata = new MediaMetadata({ title: current.title, artist: current.artist, artwork });
}

// --- Listening --------------------------------------------------------------------------------

function ready(wave) {
  // A waveform that is always shown may be pressed before anything plays: then its own track starts.
  const own = wave.closest("[data-track]").querySelector("[data-play]");
  wave.addEventListener("pointerdown", (event) => {
    if (own.dataset.play !== current?.play) toggle(own);
    wave.setPointerCapture(event.pointerId);
    moveWithin(wave, event);
  });
  wave.addEventListener("pointermove", (event) => {
    if (wave.hasPointerCapture(event.pointerId)) moveWithin(wave, event);
  });
  wave.addEventListener("keydown", (event) => {
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      toggle(own);
    } else if (own.dataset.play === current?.play) {
      moveByKey(event);
    }
  });
}

document.querySelectorAll(".wave").forEach(ready);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-play]");
  if (button) toggle(button);
});
part("toggle").addEventListener("click", () => toggle(null));
part("close").addEventListener("click", close);
seek.addEventListener("input", () => moveTo(Number(seek.value)));
seek.addEventListener("keydown", moveByKey);
audio.addEventListener("play", () => {
  mark();
  follow();
});
audio.addEventListener("pause", mark);
audio.addEventListener("ended", playNext);
audio.addEventListener("timeupdate", showPosition);
audio.addEventListener("loadedmetadata", () => {
  seek.max = length();
  showPosition();
});
audio.addEventListener("error", () => {
  if (current && audio.hasAttribute("src")) fail();
});
tabs?.addEventListener("message", () => audio.pause());
