// Small comforts. Every page works without them.

// A menu made of <details> closes when the reader turns elsewhere.
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.menu[open]");
  closeMenus(null);
  menu?.querySelector("summary").focus();
});

// An amount that is pressed stands in the field beside it.
document.addEventListener("click", (event) => {
  const idea = event.target.closest("[data-price]");
  const field = idea?.closest("form")?.elements.price;
  if (!field) return;
  field.value = idea.dataset.price;
  field.focus();
});

// Covers far below are fetched when their shelf comes near. Browsers' own laziness begins two screens before.
const near = new IntersectionObserver(
  (shelves) => {
    for (const { target, isIntersecting } of shelves) if (isIntersecting) target.dataset.near = "";
  },
  { rootMargin: "240px" },
);

function watchShelves() {
  near.disconnect();
  for (const shelf of document.querySelectorAll(".shelf-later:not([data-near])")) near.observe(shelf);
}

document.addEventListener("shop:page", watchShelves);
watchShelves();

// What is reached by keys or named by a link never ends up under the bars at the bottom, however tall.
const dock = document.querySelector(".dock");
const measureDock = () => document.documentElement.style.setProperty("--dock", `${dock.offsetHeight}px`);
new ResizeObserver(measureDock).observe(dock);

// A second press while the first is under way sends nothing twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000);
});

// A part that replaces itself says its new heading aloud, once for each state and not at every look.
document.addEventListener("htmx:afterSwap", () => {
  for (const voice of document.querySelectorAll("[data-says]")) {
    const part = document.getElementById(voice.dataset.says);
    if (!part || voice.dataset.said === part.dataset.state) continue;
    voice.dataset.said = part.dataset.state;
    voice.textContent = part.querySelector("h1")?.textContent.trim() ?? "";
  }
});

// A page that comes back from the browser's memory may show an old cart: ask again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  window.dispatchEvent(new Event("shop:shown"));
});
