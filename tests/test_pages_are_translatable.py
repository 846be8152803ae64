"""Every page of ours in a language that marks what is translated: no text of ours stands unmarked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Set
from functools import cache
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog_pages.locales import ENGLISH, joined
from catalog_pages.models import Genre, ProductPage
from catalog_pages.roles import ensure_roles
from downloads.roles import ensure_download_roles
from downloads.tests.desk import fetched
from orders.consent import CONSENT_TEXTS
from orders.models import GiftCode, LetterText, Order
from orders.roles import ensure_order_roles
from orders.services.mail.samples import sample_letter
from orders.tests.happenings import dispute, refund_line, tell
from orders.tests.hooks import make_delivery, make_endpoint
from tests import test_admin_roles
from tests.factories import buy, make_asset, make_bundle, make_product, make_user
from tests.pseudo import WORD, everything_marked, texts, words_of_data
from tests.test_admin_roles import EVERY, ROWS, url_of

pytestmark = pytest.mark.django_db

# What the owner of a shop types, addresses, checksums.
PLACEHOLDER = re.compile(r"\{\w+\}|https?://\S+|\b[0-9a-f]{8,}\b")
CODE = re.compile(r"[A-Z]{2,4}")  # of a currency, a format, a protocol
# What Wagtail puts together when it starts, in no person's language.
WAGTAILS = re.compile(
    "Actions|Search|Snippets|(Choose|Choose another|Edit this|Choose a page)( .*)?"
)
COUNTRIES = frozenset(WORD.findall(" ".join(ENGLISH.territories.values())))
# How names are put in a row comes from the language's own patterns, not from a catalogue.
ROWS_OF_NAMES = frozenset(WORD.findall(joined(["", "", ""])))
# The text that buyers agree to is part of their order.
CONSENT = frozenset(WORD.findall(" ".join(CONSENT_TEXTS.values())))
SAMPLE = frozenset(  # what the samples of letters and a new shop hold
    """Harbour Lights First Light The Sea Wall For the long nights With love listener invalid visa
    Digital Downloads""".split()
)
# Names and units that are the same in every language.
UNITS = frozenset(
    """Stripe Wagtail GBP UTC CSV XLSX PDF ZIP SHA IP API URL HTTP HTTPS https http www
    Esc Ctrl Alt Shift Cmd ctrl alt shift cmd
    MP FLAC WAV Ogg Opus AIFF ALAC AAC Visa com example kB MB GB kHz kbit""".split()
)
SAME = COUNTRIES | ROWS_OF_NAMES | CONSENT | UNITS


@pytest.fixture
def marked() -> Iterator[None]:
    with everything_marked():
        yield


def unmarked(html: str, known: Set[str]) -> list[str]:
    left = []
    for bare, text in texts(html):
        words = WORD.findall(PLACEHOLDER.sub("", bare))
        rest = [word for word in words if word not in known and not CODE.fullmatch(word)]
        if rest and not WAGTAILS.fullmatch(bare):
            left.append(f"{' '.join(rest)!r} in {text[:120]!r}")
    return left


def of(response: Any) -> str:
    body = b"".join(response) if response.streaming else response.content
    if response["Content-Type"].startswith("application/json"):
        return " ".join(_strings(json.loads(body)))
    return body.decode() if response["Content-Type"].startswith("text/html") else ""


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str) and " " in value:
        yield f"<p>{value}</p>" if "<" not in value else value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


@pytest.fixture
def staff() -> Client:
    for ensure in (ensure_roles, ensure_order_roles, ensure_download_roles):
        ensure()
    client = Client()
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def order(marked: None) -> Order:
    """Bought, fetched, refunded in part and disputed, and told to who listens."""
    shopper = Client()
    product = make_product("Quillip", assets=[make_asset(), make_asset()])
    product.genre = Genre.objects.create(name="Zorb")
    product.save()
    order = buy(shopper, make_user("ada@example.com"), product, make_product("Vantor"))
    fetched(order.items.first().grants.first())
    refund_line(order, "Vantor")
    tell(shopper)
    dispute(shopper, order)
    make_delivery(make_endpoint().endpoint)
    return order


@pytest.mark.wide
def test_pages_of_the_admin(order: Order, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    once = {name: cache(make) for name, make in ROWS.items()}
    monkeypatch.setattr(test_admin_roles, "ROWS", once)
    left: dict[str, list[str]] = {}
    for name, pattern in EVERY.items():
        answer = staff.get(url_of(name, pattern, order.pk))
        if found := unmarked(of(answer), words_of_data() | SAME):
            left[name] = found

    said_so(left)


@pytest.mark.wide
def test_what_wagtail_shows_of_ours(order: Order, staff: Client) -> None:
    product = ProductPage.objects.get(title="Quillip")
    catalogue, home = product.get_parent(), product.get_parent().get_parent()
    artist, genre = product.artist, product.genre
    addresses = [
        reverse("wagtailadmin_home"),
        *(
            reverse("wagtailadmin_pages:edit", args=[page.pk])
            for page in (product, catalogue, home)
        ),
        reverse("wagtailadmin_pages:add", args=["catalog_pages", "productpage", catalogue.pk]),
        reverse("wagtailadmin_pages:history", args=[product.pk]),
        reverse("wagtailadmin_explore", args=[catalogue.pk]),
        reverse(artist.snippet_viewset.get_url_name("list")),
        reverse(artist.snippet_viewset.get_url_name("add")),
        reverse(artist.snippet_viewset.get_url_name("edit"), args=[artist.pk]),
        reverse(genre.snippet_viewset.get_url_name("edit"), args=[genre.pk]),
        reverse("wagtailsettings:edit", args=["catalog_pages", "shopsettings"]),
        reverse("wagtailimages:add"),
    ]
    walk(staff, addresses)


def test_pages_of_the_shop(order: Order) -> None:
    product = ProductPage.objects.get(title="Quillip")
    bundle = make_bundle("Trimble", product, ProductPage.objects.get(title="Vantor"))
    buyer, guest = Client(), Client()
    buyer.force_login(order.user)
    for client in (buyer, guest):
        client.post(reverse("orders:cart_add"), {"product": bundle.pk, "quantity": 3})
    gift = GiftCode.objects.first()
    addresses = [
        "/",
        "/catalog/",
        "/catalog/?q=quillip",
        "/catalog/?q=nothing",
        product.url,
        bundle.url,
        product.artist.get_absolute_url(),
        "/no-such-page/",
        *(reverse(name) for name in SHOP_PAGES),
        order.get_absolute_url(),
        *([reverse("orders:gift", args=[gift.code])] if gift else []),
    ]
    for client in (guest, buyer):
        walk(client, addresses)


SHOP_PAGES = (
    "orders:cart",
    "orders:list",
    "orders:purchases",
    "orders:guest_find",
    "orders:gifts",
    "account_login",
    "account_signup",
    "account_reset_password",
    "account_email",
    "account_change_password",
    "account_logout",
    "mfa_index",
    "mfa_activate_totp",
    "profile",
    "account_sessions",
    "account_data",
    "account_close",
)


def walk(client: Client, addresses: list[str]) -> None:
    left: dict[str, list[str]] = {}
    for address in addresses:
        answer = client.get(address, follow=True)
        assert answer.status_code < 500
        if found := unmarked(of(answer), words_of_data() | SAME):
            left[address] = found
    said_so(left)


@pytest.mark.parametrize("kind", LetterText.Kind.values)
def test_letters(kind: str, marked: None) -> None:
    letter = sample_letter(text=LetterText(kind=kind))

    text = "".join(f"<p>{line}</p>" for line in letter.text.splitlines())
    found = unmarked(f"<p>{letter.subject}</p>{text}{letter.html}", words_of_data() | SAME | SAMPLE)

    said_so({kind: found} if found else {})


def said_so(left: dict[str, list[str]]) -> None:
    if left:
        pytest.fail("\n".join(f"{name}: {one}" for name, found in left.items() for one in found))
