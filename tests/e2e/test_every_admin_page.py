"""Every admin page of ours, with rows behind it: read by a screen reader, in the dark, on a phone, quietly.

axe-core looks at each for what WCAG 2.2 AA asks. Which pages there are is asked of the table of roles, so
that a new one cannot be forgotten.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, Request, Response

from catalog_pages.models import CataloguePage
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.shop_world import address_of, everything_happened
from tests.e2e.test_editing import sign_in_to_the_admin
from tests.factories import make_editor
from tests.test_admin_roles import EVERY

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.wide]

AXE = Axe().axe_script
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SERIOUS = {"serious", "critical"}
# Colours that are on their way from light to dark would be read half way.
STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Without a stylesheet of the page's own, its colours are Wagtail's.
COLOURED = """[...document.styleSheets].some(sheet =>
  /(orders|catalog_pages)\\/admin\\/(?!screens)/.test(sheet.href))"""
# On a phone a list may be pushed sideways; on a desk all of it is there.
CUT = """[...document.querySelectorAll("main table.listing")]
  .map(table => Math.round(table.getBoundingClientRect().right - innerWidth)).filter(more => more > 1)"""
# The menu is on every page and the same; it is looked at once. A preview is all ours.
OURS = "main, body:not(:has(main))"
# Faults of Wagtail's own, which no page of ours causes; the last test finds them on a page of Wagtail's.
WAGTAILS = {
    # The picture of whoever else has the page open: its name is in a window that opens on a click.
    ("button-name", ".w-editing-sessions__session"),
}


def pages_of_ours(rows: dict[str, object], others: list[str]) -> Iterator[str]:
    """The address of all that answers with a whole page; fragments, data and buttons are left out."""
    client = Client()
    client.force_login(make_editor())
    for address in [*others, *(address_of(name, EVERY[name], rows) for name in sorted(EVERY))]:
        answer = client.get(address)
        if answer.status_code == 200 and b"<html" in getattr(answer, "content", b""):
            yield address
        else:
            assert address not in others, f"{address}: {answer.status_code}"


class Listener:
    """What a page complains of: its console, the policy, requests that came to nothing."""

    def __init__(self, page: Page) -> None:
        self.heard: list[str] = []
        page.on("console", lambda said: said.type == "error" and self.heard.append(said.text))
        page.on("pageerror", lambda error: self.heard.append(str(error)))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left meanwhile
            self.heard.append(f"{request.failure}: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.heard.append(f"{response.status}: {response.url}")

    def take(self) -> list[str]:
        heard, self.heard = self.heard, []
        return heard


class Looker:
    """Opens pages of the admin in turn, in light and dark and at both sizes, and says what is wrong."""

    def __init__(self, page: Page, excused: Collection[tuple[str, str]] = WAGTAILS) -> None:
        self.page, self.listener, self.excused = page, Listener(page), excused

    def look(self, address: str, *, within: str = OURS) -> list[str]:
        page = self.page
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)
        page.goto(address)
        page.add_style_tag(content=STILL)
        page.evaluate(AXE)
        page.wait_for_timeout(100)
        faults = self.faults(within, WCAG)
        faults += [f"a table is cut off: {more} pixels" for more in page.evaluate(CUT)]
        self.shot(address, "1280")
        if page.evaluate(COLOURED):
            page.emulate_media(color_scheme="dark")
            faults += [f"dark: {one}" for one in self.faults(within, ["color-contrast"])]
        page.set_viewport_size(PHONE)
        if (wide := page.evaluate(WIDE)) > 0:
            faults.append(f"on a phone: {wide} pixels too wide")
        page.emulate_media(color_scheme="light")
        self.shot(address, "390")
        return faults + self.listener.take()

    def faults(self, within: str, rules: list[str]) -> list[str]:
        # Nothing is fetched again for the sake of rules that we do not ask for.
        options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
        run = "([within, options]) => axe.run(within, options)"
        return [
            f"{fault['id']}: {place} {node['failureSummary']}"
            for fault in self.page.evaluate(run, [within, options])["violations"]
            if fault["impact"] in SERIOUS
            for node in fault["nodes"]
            if (fault["id"], place := " ".join(map(str, node["target"]))) not in self.excused
        ]

    def shot(self, address: str, size: str) -> None:
        """A picture, for whoever sets SHOTS to a folder."""
        if folder := os.environ.get("SHOTS"):
            view = self.page.viewport_size
            height = (
                self.page.evaluate("(document.querySelector('main') || document.body).scrollHeight")
                + 60
            )
            self.page.set_viewport_size({**view, "height": min(max(height, 700), 2600)})
            self.page.wait_for_timeout(150)
            name = address.removeprefix("/admin/").replace("/", "_").replace("?", "_")[:90]
            self.page.screenshot(path=Path(folder) / f"{name or 'home'}-{size}.png")
            self.page.set_viewport_size(view)


@pytest.fixture
def admin(chromium: Browser, shop_url: str) -> Iterator[Page]:
    """Signed in as somebody who may do everything."""
    context = chromium.new_context(base_url=shop_url, viewport=DESKTOP)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())  # a form is left
    sign_in_to_the_admin(page)
    page.wait_for_load_state("networkidle")
    yield page
    context.close()


def test_every_page_of_ours_has_no_serious_fault_and_says_nothing_in_the_console(
    admin: Page, settings: Any, tmp_path: Path
) -> None:
    settings.STRIPE_SANDBOX_DELIVERY = "manual"
    pages = list(dict.fromkeys(pages_of_ours(*everything_happened(tmp_path))))
    looker = Looker(admin)

    found = {address: looker.look(address) for address in pages}
    found["the menu"] = looker.look(reverse("order_desk:index"), within="body")

    assert {address: faults for address, faults in found.items() if faults} == {}
    assert len(found) > 70


def test_what_is_excused_is_on_wagtails_own_pages_as_well(admin: Page) -> None:
    """With panels, templates, styles and scripts of Wagtail alone, while somebody else has it open."""
    site = reverse("wagtailadmin_pages:edit", args=[CataloguePage.objects.get().get_parent().pk])
    other = Client()
    other.force_login(make_editor())
    other.get(site)

    found = " ".join(Looker(admin, excused=()).look(site))

    for rule, place in WAGTAILS:
        assert f"{rule}: {place}" in found
