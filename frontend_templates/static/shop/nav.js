// Links and searches between pages of the shop change the page in place, so that music plays on. The server
// sends the same whole pages to everybody; a browser without this script follows the links as ever. Whatever is
// not a page of the shop - a file, a form that changes something, the admin, a test payment - is left to it.

const PLACES = /^\/(?:$|(?:catalog|cart|purchases|orders|gifts|legal|accounts)(?:\/|$))/;
const SWAPPED = ["page", "page-dock"];
const SLOW = 250; // milliseconds after which a bar says that the page is on its way

const voice = document.getElementById("page-voice");
let underway = null;
let shown = location.href;

function isOurs(href) {
  const url = new URL(href);
  return url.origin === location.origin && PLACES.test(url.pathname);
}

function leadsToPage(link) {
  return link?.href && !link.target && !link.hasAttribute("download") && isOurs(link.href);
}

const withoutPlace = (href) => href.split("#")[0];

// What must be the same for the page to be changed in place: another release of the shop has other files.
const needs = (page) =>
  [...page.querySelectorAll("head link[rel=stylesheet], head script[src]")]
    .filter((one) => !one.closest("noscript"))
    .map((one) => one.getAttribute("href") ?? one.getAttribute("src"))
    .join();

async function fetched(href, signal) {
  const answer = await fetch(href, { signal, headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok || !answer.headers.get("Content-Type")?.startsWith("text/html")) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (needs(page) !== needs(document) || !SWAPPED.every((id) => page.getElementById(id))) return null;
  return { page, href: answer.url + new URL(href).hash };
}

function swap(page) {
  for (const id of SWAPPED) {
    const part = document.adoptNode(page.getElementById(id));
    part.querySelectorAll("noscript").forEach((one) => one.remove());
    document.getElementById(id).replaceWith(part);
    window.htmx?.process(part);
  }
  document.title = page.title;
  for (const selector of ['meta[name="description"]', 'link[rel="canonical"]', 'meta[name="robots"]']) {
    const [old, next] = [document.head.querySelector(selector), page.head.querySelector(selector)];
    if (old && next) old.replaceWith(document.adoptNode(next));
    else if (old) old.remove();
    else if (next) document.head.append(document.adoptNode(next));
  }
  document.dispatchEvent(new Event("shop:page"));
}

// Where a whole page would begin: at its top, at the place that the link names, or where one was before.
function begin(href, scroll) {
  const content = document.getElementById("content");
  const named = new URL(href).hash && document.getElementById(decodeURIComponent(new URL(href).hash.slice(1)));
  content.focus({ preventScroll: true });
  if (scroll !== null) window.scrollTo(0, scroll);
  else if (named) named.scrollIntoView();
  else window.scrollTo(0, 0);
  voice.textContent = document.title.trim();
}

async function go(href, { scroll = null, isBack = false } = {}) {
  underway?.abort();
  const mine = (underway = new AbortController());
  const slow = setTimeout(() => document.documentElement.toggleAttribute("data-loading", true), SLOW);
  try {
    const found = await fetched(href, mine.signal);
    if (!found) {
      location.assign(href);
      return;
    }
    if (!isBack) history.pushState({}, "", found.href);
    shown = location.href;
    swap(found.page);
    begin(found.href, scroll);
  } catch (error) {
    // The browser says better than we do that there is no connection.
    if (error.name !== "AbortError") location.assign(href);
  } finally {
    clearTimeout(slow);
    if (underway === mine) document.documentElement.toggleAttribute("data-loading", false);
  }
}

function keepScroll() {
  history.replaceState({ ...history.state, scroll: window.scrollY }, "");
}

function follow(event) {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("a");
  if (!leadsToPage(link)) return;
  if (link.hash && withoutPlace(link.href) === withoutPlace(location.href)) return;
  event.preventDefault();
  keepScroll();
  go(link.href);
}

function search(event) {
  const form = event.target;
  const url = new URL(form.getAttribute("action") ?? "", document.baseURI); // a field may be named "action" as well
  if (event.defaultPrevented || form.method !== "get" || form.target || !isOurs(url.href)) return;
  event.preventDefault();
  keepScroll();
  url.search = new URLSearchParams(new FormData(form, event.submitter));
  go(url.href);
}

// A preview in the editor's frame, and a browser that lacks something, keep to whole pages.
if (window.self === window.top && voice) {
  history.scrollRestoration = "manual";
  document.addEventListener("click", follow);
  document.addEventListener("submit", search);
  window.addEventListener("pagehide", keepScroll);
  window.addEventListener("popstate", (event) => {
    if (withoutPlace(shown) === withoutPlace(location.href)) {
      shown = location.href;
      return;
    }
    go(location.href, { scroll: event.state?.scroll ?? 0, isBack: true });
  });
  if (history.state?.scroll) window.scrollTo(0, history.state.scroll);
}
