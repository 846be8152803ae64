// What somebody owns: copying a checksum, printing a receipt, one choice of a format for every album.

const KEY = "shop-format";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const said = button.querySelector("[data-said]") ?? button;
  said.dataset.before ??= said.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    said.textContent = button.dataset.sayCopied;
  } catch {
    // Without leave, or outside of HTTPS, the sum is marked instead: one keystroke copies it.
    getSelection().selectAllChildren(document.getElementById(button.dataset.of));
    said.textContent = button.dataset.sayMarked;
  }
  setTimeout(() => (said.textContent = said.dataset.before), 4000);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

function choose(name) {
  for (const choice of document.querySelectorAll("[data-choose]")) {
    if (choice.value === name) choice.checked = true;
  }
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-choose]")) return;
  try {
    localStorage.setItem(KEY, event.target.value);
  } catch {
    // A browser that keeps nothing: the choice holds for this album alone.
  }
});

function chooseAsBefore() {
  try {
    choose(localStorage.getItem(KEY));
  } catch {
    // As above.
  }
}

document.addEventListener("shop:page", chooseAsBefore);
chooseAsBefore();
