"""Every list of ours in the admin costs as many queries for a dozen rows as for three."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import Artist, CatalogueImport, LegalText, MusicBatch
from downloads.models import AccessEvent, Download, UserAsset
from orders.models import LetterText, OrderAnomaly
from orders.tests.hooks import make_delivery, make_endpoint
from orders.tests.test_desk_lists import sold
from orders.tests.test_discounts import make_code
from tests.factories import make_asset, make_editor, make_product
from tests.partners import make_partner

pytestmark = [pytest.mark.django_db, pytest.mark.wide]


def everything(number: int) -> None:
    """A row for every list, unlike those of other numbers in what rows refer to."""
    order = sold(f"ada{number}@example.com", f"Harbour {number}")
    OrderAnomaly.objects.create(order=order, code="captured_differs", reference=f"pi_{number}")
    grant = UserAsset.objects.filter(order_item__order=order).first()
    if grant is not None:
        AccessEvent.objects.create(grant=grant, kind="downloaded", asset=grant.asset)
    make_code(f"CODE{number}")
    made = make_endpoint(f"https://hooks{number}.example.com/in")
    make_delivery(made.endpoint)
    make_product(artist=Artist.objects.create(name=f"Artist {number}"))
    make_partner()
    editor = make_editor()
    batch = MusicBatch.objects.create(created_by=editor)
    batch.albums.create(title=f"Album {number}", artist="Somebody", position=1)
    CatalogueImport.objects.create(file_name="prices.csv", created_by=editor)
    LegalText.objects.get_or_create(kind="terms")
    LetterText.objects.get_or_create(kind="receipt")


LISTS: dict[str, tuple[str, ...]] = {
    "order_desk:index": ("", "status=paid", "marked=gift", "marked=refunded&status=paid", "q=harbour"),
    "customer_desk:index": ("", "kind=account", "q=harbour"),
    "payment_desk:index": ("", "status=paid", "q=harbour"),
    "refund_desk:index": ("", "status=succeeded", "q=harbour"),
    "dispute_desk:index": ("", "status=needs_response", "q=harbour"),
    "gift_desk:index": ("", "state=open", "q=harbour"),
    "download_desk:index": ("", "state=open", "state=dispute", "state=limit", "state=missing", "q=ada"),
    "ledger_desk:index": ("", "kind=granted", "q=ada"),
    "order_anomalies:index": ("", "state=all", "q=captured"),
    "stripe_events:index": ("", "status=handled", "q=harbour"),
    "outbox_mail:index": ("", "status=queued", "ordering=status", "q=ada"),
    "discount_codes:index": ("", "state=usable", "ordering=used", "q=code"),
    "webhook_deliveries:index": ("", "status=pending", "event__type=order.paid", "q=hooks"),
    "webhook_endpoints:index": ("", "q=hooks"),
    "partner_apps:index": ("",),
    "letter_texts:index": ("",),
    "legal_texts:index": ("",),
    "digital_assets:index": ("", "q=recording", "ordering=size_bytes"),
    "digital_asset_chooser:choose": ("",),
    "products:index": ("", "live=true", "q=record", "q=!!!", "ordering=artist__name"),
    "prices:index": ("",),
    "music:index": ("",),
    "figures": ("", "period=7", "period=30&top=copies"),
    "wagtailadmin_home": ("",),
}  # fmt: skip


def counted(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200, url
    return len(captured)


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(make_editor())
    return client


def test_a_dozen_rows_cost_no_more_queries_than_three(owner: Client) -> None:
    urls = [
        reverse(name) + (f"?{query}" if query else "")
        for name, queries in LISTS.items()
        for query in queries
    ]
    for number in range(3):
        everything(number)
    for url in urls:  # what is remembered for good is remembered, and sums are added up
        owner.get(url)
    before = {url: counted(owner, url) for url in urls}

    for number in range(3, 12):
        everything(number)
    for url in urls:
        owner.get(url)

    assert {url: counted(owner, url) for url in urls} == before


# --- What the database counts -------------------------------------------------------------------


def fetched(grant: UserAsset, **fields: Any) -> Download:
    now = timezone.now()
    number = Download.objects.count()
    values = {"asset": grant.asset, "client": f"client {number}", "counted_at": now, **fields}
    ends = now + timezone.timedelta(days=1)
    return Download.objects.create(grant=grant, started_at=now, ends_at=ends, **values)


def most(grant: UserAsset) -> int:
    grant.refresh_from_db()
    return grant.most_counted


@pytest.fixture
def grant() -> UserAsset:
    sold()
    return UserAsset.objects.first() or pytest.fail("nothing was given")


def test_the_database_counts_what_counts_of_the_most_fetched_version(grant: UserAsset) -> None:
    assert most(grant) == 0
    first = fetched(grant)
    begun = fetched(grant, counted_at=None)
    fetched(grant, asset=make_asset())
    assert most(grant) == 1

    Download.objects.filter(pk=begun.pk).update(counted_at=timezone.now())
    assert most(grant) == 2

    Download.objects.filter(pk=first.pk).update(counted_at=None)
    assert most(grant) == 1

    UserAsset.objects.filter(pk=grant.pk).update(counted_from=timezone.now())
    assert most(grant) == 0
    UserAsset.objects.filter(pk=grant.pk).update(counted_from=None)
    assert most(grant) == 1


# --- Exports ------------------------------------------------------------------------------------

EXPORTS = [
    name
    for name in LISTS
    if name.partition(":")[0]
    in {
        "order_desk", "customer_desk", "payment_desk", "refund_desk", "dispute_desk", "gift_desk",
        "download_desk", "ledger_desk", "stripe_events", "outbox_mail", "discount_codes",
    }
]  # fmt: skip


def test_exports_are_streamed_and_cost_no_query_for_each_row(owner: Client) -> None:
    def exported(name: str) -> int:
        response = owner.get(reverse(name), {"export": "csv"})
        assert response.streaming, name
        return len(list(response.streaming_content))

    def cost(name: str) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            lines = exported(name)
        return len(captured), lines

    for number in range(2):
        everything(number)
    for name in EXPORTS:  # what is remembered for good is remembered
        exported(name)
    few = {name: cost(name) for name in EXPORTS}

    for number in range(2, 6):
        everything(number)
    more = {name: cost(name) for name in EXPORTS}

    assert {name for name in EXPORTS if more[name][1] <= few[name][1]} == set()
    assert {name: queries for name, (queries, _) in more.items()} == {
        name: queries for name, (queries, _) in few.items()
    }
