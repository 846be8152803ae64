"""Every page of the shop in every state, on a phone, in light and dark: no fault of WCAG 2.2 AA.

axe-core looks; nothing is wider than the phone; console, policy and network say nothing. `shop_states` says
which states there are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.e2e.conftest import PHONE
from tests.e2e.shop_states import State, World, by_who, empty_shop, full_shop
from tests.e2e.test_every_admin_page import AXE, WCAG, WIDE, Listener

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RUN = "options => axe.run(document, options)"


class Visits:
    """A browser profile for each visitor, one page at a time."""

    def __init__(self, chromium: Browser, url: str, visitors: dict[str, str]) -> None:
        self.chromium, self.url, self.visitors = chromium, url, visitors

    def faults(self, states: list[State]) -> dict[str, list[str]]:
        """By the names of the states in which there are any."""
        found: dict[str, list[str]] = {}
        for who, theirs in by_who(states):
            with_cookie = self.chromium.new_context(
                base_url=self.url, viewport=PHONE, has_touch=True, reduced_motion="reduce"
            )
            with_cookie.set_default_timeout(15_000)
            if session := self.visitors.get(who):
                with_cookie.add_cookies([{"name": "sessionid", "value": session, "url": self.url}])
            page = with_cookie.new_page()
            listener = Listener(page)
            for state in theirs:
                try:
                    faults = self._look(page, state)
                except Error as error:  # the others are looked at all the same
                    faults = [str(error)]
                heard = [one for one in listener.take() if not _was_asked_for(one, page.url)]
                if faults + heard:
                    found[state.name] = faults + heard
            with_cookie.close()
        return found

    def _look(self, page: Page, state: State) -> list[str]:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto(state.address)
        walk(page, state)
        page.evaluate(AXE)
        faults = _violations(page, WCAG)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        faults += [f"dark: {one}" for one in _violations(page, ["color-contrast"])]
        if (wide := page.evaluate(WIDE)) > 0:
            faults.append(f"{wide} pixels too wide")
        return faults


def walk(page: Page, state: State) -> None:
    """Do what the state asks for; after a click whatever it leads to is there."""
    for kind, place, *text in state.steps:
        found = page.locator(place).locator("visible=true").first
        if kind == "fill":
            found.fill(text[0])
        elif kind == "type":
            found.press_sequentially(text[0])
        elif kind == "click":
            found.click()
            page.wait_for_load_state("networkidle")
        else:
            found.wait_for()


def _violations(page: Page, rules: list[str]) -> list[str]:
    options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
    return [
        f"{fault['id']}: {' '.join(map(str, node['target']))} {node['failureSummary']}"
        for fault in page.evaluate(RUN, options)["violations"]
        for node in fault["nodes"]
    ]


def _was_asked_for(said: str, url: str) -> bool:
    """A page with a status of its own is heard of twice: by the console, and by its address. So is a product
    that does not go into the cart beside the page."""
    return "the server responded with a status of" in said or said.endswith(
        (f": {url}", "/cart/add/")
    )


def none_of(found: dict[str, list[str]]) -> None:
    if found:
        pytest.fail("\n".join(f"{name}: {one}" for name, faults in found.items() for one in faults))


@pytest.fixture
def shop(shop_url: str, settings: Any, tmp_path: Path) -> World:
    settings.STRIPE_SANDBOX_DELIVERY = "manual"
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 86_400  # no clock decides which page is seen
    settings.ROOT_URLCONF = "tests.e2e.shop_answers"
    return full_shop(tmp_path)


def test_an_empty_shop_has_no_fault(chromium: Browser, shop_url: str) -> None:
    none_of(Visits(chromium, shop_url, {}).faults(empty_shop()))


@pytest.mark.wide
def test_no_page_in_any_state_has_a_fault(chromium: Browser, shop_url: str, shop: World) -> None:
    none_of(Visits(chromium, shop_url, shop.visitors).faults(shop.states))
    assert len(shop.states) > 100
