// A guest's whole purchase in Firefox: `node purchase.mjs FIREFOX SHOP FOLDER on|off`, with JavaScript on or off.
// Prints one line for each place, and ends when the file lies whole in FOLDER.

import { readdir } from "node:fs/promises";
import puppeteer from "puppeteer-core";

const [firefox, shop, folder, javascript] = process.argv.slice(2);
const PATIENCE = 60_000;
const BUYER = "ada@example.com";

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: firefox,
  headless: true,
  defaultViewport: { width: 390, height: 844 },
  extraPrefsFirefox: {
    "javascript.enabled": javascript === "on",
    "browser.download.dir": folder,
    "browser.download.folderList": 2,
    "browser.download.useDownloadDir": true,
    "browser.download.alwaysOpenPanel": false,
  },
});

async function until(what, look) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    // A page that is just being left has nothing to look at.
    const found = await look().catch(() => null);
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what} never came at ${page.url()}`);
    await new Promise((wait) => setTimeout(wait, 200));
  }
}

// Where the first of these is that is to be seen and whose name holds the words, in the middle of the window. In
// one go: without JavaScript nothing that a page's own promises wait for ever happens.
function shown(selector, words) {
  return page.evaluate(
    (among, part) => {
      const nameOf = (it) => it.getAttribute("aria-label") || it.textContent;
      const found = [...document.querySelectorAll(among)].find(
        (it) => nameOf(it).includes(part) && it.checkVisibility({ visibilityProperty: true }),
      );
      if (!found) return null;
      found.scrollIntoView({ block: "center", behavior: "instant" });
      const box = found.getBoundingClientRect();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2, isLink: found.localName === "a" };
    },
    selector,
    words,
  );
}

async function heading(words) {
  await until(`The heading “${words}”`, () => shown("h1", words));
  const tooWide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (tooWide > 0) throw new Error(`${words} is ${tooWide} px too wide`);
  console.log(words);
}

async function press(selector, words = "") {
  const { x, y } = await until(`“${selector}” with “${words}”`, () => shown(selector, words));
  await page.mouse.click(x, y);
}

const page = await browser.newPage();
try {
  await page.goto(`${shop}/`);
  await heading("Music you keep");
  await press("main a", "Browse the catalogue");
  await heading("Catalogue");
  await press("main a", "Harbour");
  await heading("Harbour");
  await press("button", "Add to cart");
  // With a script the cart may show itself beside the page first.
  const way = await until("The cart", async () => {
    return (await shown("h1", "Cart")) || (await shown("dialog a", "Go to cart"));
  });
  if (way.isLink) await page.mouse.click(way.x, way.y);
  await heading("Cart");
  await press("input[name=email]");
  await page.keyboard.type(BUYER);
  await press("input[name=consent]");
  await press("button", "Pay £4.99");
  await heading("Test payment");
  await press("button", "Pay £4.99");
  await heading("Your files are ready");
  await press("a[download]", "FLAC");
  await until("The file", async () => {
    const names = await readdir(folder);
    return names.length > 0 && !names.some((name) => name.endsWith(".part"));
  });
  console.log("The file is here");
} finally {
  await browser.close();
}
