// Keeps a colour's text and its picker the same. Without it, the text alone does the work.
const FULL = /^#?([0-9a-f]{6})$/i;
const SHORT = /^#?([0-9a-f])([0-9a-f])([0-9a-f])$/i;

function read(text, fallback) {
  const typed = text.trim();
  const full = typed.match(FULL);
  if (full) return `#${full[1].toLowerCase()}`;
  const short = typed.match(SHORT);
  if (short) return `#${short.slice(1).map((digit) => digit.repeat(2)).join("").toLowerCase()}`;
  return typed === "" ? fallback : null;
}

function connect(field) {
  const text = field.querySelector("input:not([data-colour-picker])");
  const picker = field.querySelector("[data-colour-picker]");
  const show = () => {
    const colour = read(text.value, field.dataset.default);
    if (colour) picker.value = colour;
  };
  text.addEventListener("input", show);
  picker.addEventListener("input", () => {
    text.value = picker.value;
    // The preview listens to the field that is sent.
    for (const name of ["input", "change"]) text.dispatchEvent(new Event(name, { bubbles: true }));
  });
  show();
}

function connectAll() {
  document.querySelectorAll("[data-colour-input]").forEach(connect);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", connectAll);
else connectAll();
