// Looks at each page that it is told of with pa11y, once in light and once in dark, on a phone.
//
// Reads {"browser": path, "pages": [{"name", "url", "cookie", "steps"}]} from stdin, and writes
// {name: [fault, ...]} of those with faults. Steps are those of tests/e2e/shop_states.py.

import pa11y from "pa11y";
import puppeteer from "puppeteer";

const PHONE = { width: 390, height: 844, deviceScaleFactor: 1, hasTouch: true };
const VISIBLE = (place) => [...document.querySelectorAll(place)].findIndex((found) => found.checkVisibility());

async function visible(page, place) {
  await page.waitForFunction(
    (there) => [...document.querySelectorAll(there)].some((found) => found.checkVisibility()), {}, place,
  );
  return (await page.$$(place))[await page.evaluate(VISIBLE, place)];
}

async function walk(page, steps) {
  for (const [kind, place, text] of steps) {
    const found = await visible(page, place);
    if (kind === "see") continue;
    if (kind === "click") {
      await found.click();
      await page.waitForNetworkIdle();
      continue;
    }
    if (kind === "fill") await found.evaluate((field) => { field.value = ""; });
    await found.type(text);
  }
}

async function faultsOf(browser, { url, cookie, steps }) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  if (cookie) await context.setCookie({ name: "sessionid", value: cookie, domain: new URL(url).hostname, path: "/" });
  await page.setBypassCSP(true); // pa11y evaluates its runners inside the page
  await page.setViewport(PHONE);
  const faults = [];
  try {
    await page.goto(url, { waitUntil: "load" });
    await walk(page, steps);
    for (const scheme of ["light", "dark"]) {
      await page.emulateMediaFeatures([
        { name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" },
      ]);
      const { issues } = await pa11y(url, {
        browser, page, ignoreUrl: true, standard: "WCAG2AA", runners: ["htmlcs", "axe"], viewport: PHONE,
        timeout: 60_000,
      });
      // axe-core passes on what it could not decide as well; what it is sure of is a fault.
      const sure = issues.filter((issue) => !issue.runnerExtras?.needsFurtherReview);
      faults.push(...sure.map(({ code, selector, message }) => `${scheme}: ${code} ${selector} ${message}`));
    }
  } catch (error) { // the other pages are looked at all the same
    faults.push(error.message);
  }
  await context.close();
  return faults;
}

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { browser: executablePath, pages } = JSON.parse(Buffer.concat(chunks).toString());
const browser = await puppeteer.launch({
  executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const found = {};
for (const one of pages) {
  const faults = await faultsOf(browser, one);
  if (faults.length) found[one.name] = faults;
}
await browser.close();
process.stdout.write(JSON.stringify(found));
