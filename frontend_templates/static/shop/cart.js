// The cart beside the page: putting something in or taking it out leaves the page, and what plays on it, as they
// are. Forms go to the same addresses as without this script. The header's fragment says what of a page is the
// reader's own or in the cart; here it is put in its places.

const MOST_SHOWN = 60; // the server answers about no more

const drawer = document.getElementById("cart-drawer");
const yours = () => document.getElementById("yours");
const isSeen = (element) => Boolean(element?.getClientRects().length);

let opener = null; // what was pressed, and is returned to
let left = null; // a form that is left to the browser

// What was changed or what refused it; null where it was something else, such as the page of an error.
async function ask(href, body) {
  const headers = { Accept: "text/html", "HX-Request": "true" };
  const answer = await fetch(href, { method: body ? "POST" : "GET", body, headers, credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = page.querySelector(".drawer-in, [data-refusal]");
  return part && document.adoptNode(part);
}

function show(part, pressed) {
  drawer.querySelector(".drawer-in").replaceWith(part);
  document.getElementById("drawer-said").textContent = part.dataset.said;
  if (drawer.open) {
    document.getElementById("drawer-title").focus();
  } else {
    opener = pressed;
    drawer.showModal();
  }
}

// Where a sentence about a form that was not taken stands.
const placeOf = (form) => form.closest(".buy-box, .buy-bar") ?? form;

function forget(form) {
  placeOf(form).querySelector("[data-refusal]")?.remove();
  const field = form.querySelector(".price-field input");
  if (!field?.hasAttribute("aria-invalid")) return;
  field.removeAttribute("aria-invalid");
  field.classList.remove("is-invalid");
}

function refuse(form, said) {
  const field = said.dataset.refusal === "price_pennies" ? form.querySelector(".price-field input") : null;
  if (!field) {
    placeOf(form).prepend(said);
    return;
  }
  field.closest(".price-field").prepend(said);
  said.id = `${field.id}-error`;
  field.setAttribute("aria-invalid", "true");
  field.classList.add("is-invalid");
  field.setAttribute("aria-describedby", `${said.id} ${field.id}-help`);
  field.focus({ preventScroll: true });
}

function isOurs(form, href) {
  if (form.method !== "post") return false;
  return drawer.contains(form) || new URL(href, document.baseURI).pathname === drawer.dataset.add;
}

async function send(event) {
  const { target: form, submitter } = event;
  const href = submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "";
  if (event.defaultPrevented || form === left || !isOurs(form, href)) return;
  event.preventDefault();
  forget(form);
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) body.append(submitter.name, submitter.value);
  const part = await ask(href, body).catch(() => null);
  delete form.dataset.sent; // see shop.js
  if (!part) {
    // The browser says better than we do what is wrong.
    left = form;
    form.requestSubmit(submitter);
    left = null;
    return;
  }
  if (part.matches("[data-refusal]")) {
    refuse(form, part);
    return;
  }
  show(part, submitter);
  document.body.dispatchEvent(new Event("cart-changed"));
}

async function look(event) {
  const link = event.target.closest("[data-open-cart]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const part = await ask(link.href).catch(() => null);
  if (part) show(part, link);
  else location.assign(link.href);
}

// The button that was pressed may have made way for what leads to the cart.
function goBack() {
  if (!opener) return;
  const next = [...document.querySelectorAll("[data-open-cart], .buy-box [type=submit], .buy-bar [type=submit]")];
  (isSeen(opener) ? opener : (next.find(isSeen) ?? document.getElementById("content"))).focus({ preventScroll: true });
}

const isFor = (words, id) => words.dataset.for.split(" ").includes(id);

function put(place, words) {
  const before = place.querySelector(":scope > .yours");
  if (words ? before?.isEqualNode(words) : !before) return;
  before?.remove();
  place.toggleAttribute("data-yours", Boolean(words));
  if (words) place.insertBefore(words.cloneNode(true), place.querySelector(":scope > form"));
}

function mark() {
  const [owned, inCart, ownCopy] = yours().children;
  for (const shown of document.querySelectorAll("[data-product]")) {
    const words = [owned, inCart].find((one) => isFor(one, shown.dataset.product));
    put(shown.querySelector(".release-line"), words);
  }
  for (const box of document.querySelectorAll(".buy-box, .buy-bar")) {
    const id = box.querySelector("[name=product]")?.value;
    put(box, isFor(ownCopy, id) ? ownCopy : null);
  }
  if (opener && !drawer.open && !isSeen(document.activeElement)) goBack();
}

// Browsers without <dialog> send the forms as ever.
if (drawer?.showModal) {
  document.addEventListener("submit", send);
  document.addEventListener("click", look);
  drawer.addEventListener("close", goBack);
  drawer.addEventListener("click", (event) => {
    if (event.target === drawer) drawer.close(); // around the sheet
  });
  document.addEventListener("shop:page", () => {
    opener = null;
    drawer.close();
  });
}
document.addEventListener("htmx:configRequest", ({ target, detail }) => {
  if (!target.matches(".masthead")) return;
  // What comes for a page that has made way for another has no place any more.
  target.addEventListener("htmx:beforeOnLoad", (event) => target.isConnected || event.preventDefault(), { once: true });
  const shown = new Set([...document.querySelectorAll("[data-product]")].map((one) => one.dataset.product));
  if (shown.size) detail.parameters.shown = [...shown].slice(0, MOST_SHOWN).join();
});
document.addEventListener("htmx:oobAfterSwap", ({ target }) => {
  if (target === yours()) mark();
});
