// What a page has to listen to, and what is remembered of it until the tab is closed.

const KEY = "shop-player";

// One entry for each recording, however many buttons play it; in the order of the page.
export function queueOf(buttons) {
  const found = new Map();
  for (const button of buttons) {
    const { play, title, artist, seconds, cover, page } = button.dataset;
    if (!found.has(play)) found.set(play, { play, title, artist, seconds, cover, page: placeOf(page) });
  }
  return [...found.values()];
}

// Where it can be seen from any page: "#tracks" of the page on which the button stands.
function placeOf(page) {
  return new URL(page, document.baseURI).href;
}

export function remember(state) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // Storage is full or forbidden: then nothing is remembered.
  }
}

export function forget() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}

export function remembered() {
  try {
    const state = JSON.parse(sessionStorage.getItem(KEY));
    return state?.queue?.[state.place] ? state : null;
  } catch {
    return null;
  }
}
