// Suggestions under a search field: htmx brings them, the arrow keys walk through them, Escape puts them away.

const field = () => document.querySelector("[data-search] input[type=search]");
const links = () => [...document.querySelectorAll("#suggestions a")];

function putAway() {
  document.getElementById("suggestions")?.replaceChildren();
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "suggestions") return;
  // An answer that comes after the field was left or emptied is too late.
  if (!event.target.closest("[data-search]").contains(document.activeElement) || !field().value.trim()) putAway();
  const said = event.target.firstElementChild?.dataset.said ?? "";
  event.target.parentElement.querySelector("[data-suggested]").textContent = said;
});

document.addEventListener("keydown", (event) => {
  const search = event.target.closest?.("[data-search]");
  if (!search || !links().length) return;
  if (event.key === "Escape") {
    event.preventDefault();
    putAway();
    field().focus();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const stops = [field(), ...links()];
  const here = Math.max(0, stops.indexOf(document.activeElement));
  stops[(here + step + stops.length) % stops.length].focus();
});

document.addEventListener("focusout", (event) => {
  const search = event.target.closest("[data-search]");
  if (search && event.relatedTarget && !search.contains(event.relatedTarget)) putAway();
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-search]")) putAway();
});
