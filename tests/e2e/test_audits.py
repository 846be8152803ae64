"""What others' tools say of the shop's pages: Lighthouse, pa11y, html-validate, and how much is sent.

In the gate Lighthouse looks at one page, in `make prove` at five of the demo shop; the rest is there alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Response

from catalog_pages.demo.covers import sleeve_jpeg
from catalog_pages.ingest.covers import cover_store
from catalog_pages.models import ProductPage
from catalog_pages.seed import seed_catalogue
from orders.tests.guesting import put_in_cart
from tests.audits.judging import SOUND, judged
from tests.audits.shop import production_shop
from tests.audits.tools import html_validate, pa11y, tools
from tests.e2e.conftest import PHONE
from tests.e2e.shop_states import World, by_who, full_shop
from tests.e2e.test_every_shop_page import none_of, walk
from tests.factories import buy, make_product, make_user
from tests.signing_in import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST_BYTES, NEXT_BYTES = 170_000, 25_000
# Personal pages tell search engines to leave them out, which Lighthouse takes for a fault of any page.
PERSONAL = ("is-crawlable",)
NEWEST_NODE = 20  # what pa11y and html-validate want at least


@pytest.mark.wide
def test_a_products_page_is_fast_and_sound(tmp_path: Path) -> None:
    installed = tools()
    for number, title in enumerate(("Harbour", "Low tide", "Ebb")):
        product = make_product(
            title,
            cover=cover_store(data=sleeve_jpeg("long hedge", number), title=title),
            description="<p>Recorded outside, on a night without wind.</p>",
        )

    with production_shop(tmp_path) as shop:
        judged(installed, shop.url + product.url).is_good()


@pytest.mark.prove
def test_five_pages_of_the_demo_shop_are_fast_sound_and_small(
    chromium: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = tools()
    seed_catalogue()
    product, other = ProductPage.objects.live().exclude(price_pennies=0).order_by("pk")[:2]
    guest, owner = Client(), Client()
    put_in_cart(guest, product)
    put_in_cart(guest, other)
    user = make_user("ada@example.com")
    sign_in(owner, user.email)
    buy(owner, user, product, other)
    in_cart, bought = (client.cookies["sessionid"].value for client in (guest, owner))

    with production_shop(tmp_path) as shop:
        verdicts = {
            path: judged(installed, shop.url + path, session=session, skip=skip)
            for path, session, skip in (
                ("/", "", ()),
                ("/catalog/", "", ()),
                (product.url, "", ()),
                (reverse("orders:cart"), in_cart, PERSONAL),
                (reverse("orders:purchases"), bought, PERSONAL),
            )
        }
        next_bytes = bytes_of_the_next_page(chromium, shop.url + product.url)

    with capsys.disabled():
        print("", *(verdict.line for verdict in verdicts.values()), sep="\n")
        print(f"the page after that of a product: {next_bytes / 1000:.1f} kB")
    for verdict in verdicts.values():
        verdict.is_good()
    assert verdicts[product.url].bytes_sent <= FIRST_BYTES
    assert next_bytes <= NEXT_BYTES


def bytes_of_the_next_page(chromium: Browser, url: str) -> int:
    """What travels when a phone that has read one product's page follows its first link to another."""
    context = chromium.new_context(viewport=PHONE, device_scale_factor=2, has_touch=True)
    page = context.new_page()
    page.goto(url)
    link = page.locator(".releases a").first
    link.scroll_into_view_if_needed()  # the covers beside it are this page's, not the next one's
    page.wait_for_timeout(1000)
    page.wait_for_load_state("networkidle")
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    kinds: dict[str, str] = {}
    sent: dict[str, float] = {}
    network.on(
        "Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]})
    )
    network.on(
        "Network.loadingFinished",
        lambda event: sent.update({event["requestId"]: event["encodedDataLength"]}),
    )
    link.click()
    page.wait_for_url(lambda now: now != url)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)  # pictures that come into sight
    context.close()
    return int(sum(size for key, size in sent.items() if kinds.get(key, "").lower() not in SOUND))


@pytest.fixture
def world(shop_url: str, settings: Any, tmp_path: Path) -> World:
    settings.STRIPE_SANDBOX_DELIVERY = "manual"
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 86_400
    settings.ROOT_URLCONF = "tests.e2e.shop_answers"
    return full_shop(tmp_path)


@pytest.mark.prove
def test_pa11y_finds_no_fault_on_any_page(world: World, shop_url: str) -> None:
    installed = tools(node=NEWEST_NODE)

    none_of(
        pa11y(
            installed,
            [
                {
                    "name": state.name,
                    "url": shop_url + state.address,
                    "cookie": world.visitors.get(state.who, ""),
                    "steps": state.steps,
                }
                for state in world.states
            ],
        )
    )


@pytest.mark.prove
def test_html_of_every_page_is_valid(chromium: Browser, world: World, shop_url: str) -> None:
    installed = tools(node=NEWEST_NODE)
    pages: dict[str, str] = {}
    for who, states in by_who([state for state in world.states if not state.script]):
        # As it was sent: without JavaScript nothing changes it, and each answer is a whole page.
        context = chromium.new_context(base_url=shop_url, viewport=PHONE, java_script_enabled=False)
        if session := world.visitors.get(who):
            context.add_cookies([{"name": "sessionid", "value": session, "url": shop_url}])
        page = context.new_page()
        answers: list[Response] = []
        page.on("response", lambda said, heard=answers: heard.append(said))
        for state in states:
            page.goto(state.address)
            walk(page, state)
            documents = [one for one in answers if one.request.resource_type == "document"]
            pages[state.name] = documents[-1].text()
        context.close()

    none_of(html_validate(installed, pages))
