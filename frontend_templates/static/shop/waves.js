// The waveforms of a page: they show where a recording is, and move it by pointer or by keys.

const STEPS = { ArrowRight: 2, ArrowUp: 2, ArrowLeft: -2, ArrowDown: -2, PageUp: 10, PageDown: -10 };

export function trackOf(source) {
  return [...document.querySelectorAll("[data-track]")].find((row) => row.dataset.track === source);
}

// Seconds to which a key leads, or null where it leads nowhere.
export function placeByKey(key, now, whole) {
  if (key in STEPS) return now + STEPS[key];
  if (key === "Home") return 0;
  return key === "End" ? whole : null;
}

// The waveform beside what is playing is shown; the others, unless they always are, are not.
export function showOnly(row) {
  for (const other of document.querySelectorAll("[data-track]")) {
    other.toggleAttribute("data-current", other === row);
    const wave = other.querySelector(".wave");
    if (!wave) continue;
    wave.hidden = other !== row && !wave.hasAttribute("data-always");
    wave.style.removeProperty("--progress");
  }
  const picture = row?.querySelector(".waveform");
  if (picture) drawPlayed(picture);
}

export function drawPlayed(picture) {
  if (picture.childElementCount > 1) return;
  const played = picture.firstElementChild.cloneNode();
  played.setAttribute("class", "waveform-played");
  picture.append(played);
}

// `player` has current(), toggle(button), moveTo(seconds), leadTo(seconds), letGo(), position() and length().
export function listen(player) {
  const waveAt = (event) => event.target.closest?.(".wave");
  const ownButton = (wave) => wave.closest("[data-track]").querySelector("[data-play]");

  const leadWithin = (wave, event) => {
    const box = wave.getBoundingClientRect();
    player.leadTo(((event.clientX - box.left) / box.width) * player.length());
  };

  document.addEventListener("pointerdown", (event) => {
    const wave = waveAt(event);
    if (!wave) return;
    // One that is always shown may be pressed before anything plays: then its own track starts.
    const own = ownButton(wave);
    if (own.dataset.play !== player.current()?.play) player.toggle(own);
    wave.setPointerCapture(event.pointerId);
    leadWithin(wave, event);
  });

  document.addEventListener("pointermove", (event) => {
    const wave = waveAt(event);
    if (wave?.hasPointerCapture(event.pointerId)) leadWithin(wave, event);
  });

  document.addEventListener("pointerup", (event) => {
    if (waveAt(event)) player.letGo();
  });

  // A finger that scrolls the page after all.
  document.addEventListener("pointercancel", (event) => {
    if (waveAt(event)) player.leadTo(null);
  });

  document.addEventListener("keydown", (event) => {
    const wave = waveAt(event);
    if (!wave) return;
    const own = ownButton(wave);
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      player.toggle(own);
      return;
    }
    if (own.dataset.play !== player.current()?.play) return;
    const place = placeByKey(event.key, player.position(), player.length());
    if (place === null) return;
    event.preventDefault();
    player.moveTo(place);
  });
}
