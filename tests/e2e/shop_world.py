"""A shop in which everything has happened once, so that no admin page of ours is opened empty."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from uuid import UUID

from django.test import Client
from django.urls import URLPattern, reverse

from catalog_pages.assets import asset_store
from catalog_pages.batches.sorting import batch_sort
from catalog_pages.models import (
    BatchFile,
    CatalogueImport,
    CataloguePage,
    DigitalAsset,
    Genre,
    LegalText,
    MusicBatch,
    ProductPage,
    ShopSettings,
)
from catalog_pages.sheets.asking import import_begin
from catalog_pages.tests.sample_audio import write_tone
from catalog_pages.versions import version_add
from downloads.models import AccessEvent, UserAsset
from downloads.roles import ensure_download_roles
from downloads.tests.desk import fetched
from orders.models import (
    Dispute,
    GiftCode,
    LetterText,
    OrderAnomaly,
    OutboxMail,
    Payment,
    Refund,
    StripeEvent,
    WebhookDelivery,
)
from orders.roles import ensure_order_roles
from orders.services.anomalies import anomaly_record
from orders.tests.hooks import make_delivery, make_endpoint
from orders.tests.test_desk_lists import sold
from orders.tests.test_discounts import make_code
from tests.factories import buy, make_asset, make_bundle, make_editor, make_product, make_user
from tests.partners import make_partner

TITLE = "Harbour lights, seen from the outermost wall on a night without wind"


def everything_happened(folder: Path) -> tuple[dict[str, object], list[str]]:
    """Sales, gifts, refunds, disputes, downloads, mail, albums waiting and spreadsheets compared.

    Returns the row that each namespace's pages are opened with, and addresses that need more than a row.
    """
    ensure_order_roles()
    ensure_download_roles()
    Genre.objects.create(name="Ambient")
    order = sold("ada.lovelace-of-the-long-address@mail.example.com", TITLE)
    plain = buy(Client(), make_user("grace@example.com"), make_product("Low tide"))
    grant = UserAsset.objects.filter(order_item__order=plain).get()
    fetched(grant, 2)
    anomaly_record("second_payment", "pi_second", plain, "Paid by two sessions.")
    code = make_code("SPRING", percent=15)
    endpoint = make_endpoint().endpoint
    delivery = make_delivery(endpoint, order=str(order.pk))
    asset = real_asset(folder)
    product = make_product("The sea wall", assets=[asset], price_pennies=799)
    make_bundle("Everything so far", product)
    newer = version_add(old_id=make_asset().pk, new_id=make_asset().pk)
    rows: dict[str, object] = {
        "partner_apps": make_partner().pk,
        "order_desk": order.pk,
        "customer_desk": order.pk,
        "payment_desk": Payment.objects.filter(order=order).get().pk,
        "refund_desk": Refund.objects.get().pk,
        "dispute_desk": Dispute.objects.get().pk,
        "gift_desk": GiftCode.objects.get().pk,
        "download_desk": grant.pk,
        "ledger_desk": AccessEvent.objects.filter(grant=grant).latest("pk").pk,
        "order_anomalies": OrderAnomaly.objects.get(code="second_payment").pk,
        "stripe_events": StripeEvent.objects.latest("pk").pk,
        "outbox_mail": OutboxMail.objects.filter(order=order).earliest("pk").pk,
        "discount_codes": code.pk,
        "letter_texts": LetterText.objects.get_or_create(kind="receipt")[0].pk,
        "legal_texts": LegalText.objects.get_or_create(kind="terms")[0].pk,
        "webhook_endpoints": endpoint.pk,
        "webhook_deliveries": WebhookDelivery.objects.get(pk=delivery.pk).pk,
        "digital_assets": asset.pk,
        "digital_asset_chooser": asset.pk,
        "product_editor": product.pk,
        "music": waiting_albums().pk,
        "prices": compared_sheet(product).pk,
    }
    refund = reverse("order_desk:refund", args=[plain.pk])
    revoke = reverse("order_desk:revoke", args=[plain.pk])
    shelf = CataloguePage.objects.get().pk
    bulk = f"?id={product.pk}&next=/admin/"
    return rows, [
        refund,
        f"{refund}?all=1",
        f"{revoke}?line={plain.items.get().pk}",
        reverse("order_desk:inspect", args=[plain.pk]),
        reverse("digital_assets:undo_replace", args=[newer.pk, newer.replaces_id]),
        reverse("wagtailadmin_home"),
        reverse("wagtailadmin_pages:edit", args=[product.pk]),
        reverse("wagtailadmin_explore", args=[shelf]),
        reverse("wagtailadmin_pages:add", args=["catalog_pages", "productpage", shelf]),
        reverse("wagtail_bulk_action", args=["wagtailcore", "page", "change_prices"]) + bulk,
        reverse("wagtail_bulk_action", args=["wagtailcore", "page", "assign_genre"]) + bulk,
        reverse(
            "wagtailsettings:edit", args=["catalog_pages", "shopsettings", ShopSettings.load().pk]
        ),
    ]


def real_asset(folder: Path) -> DigitalAsset:
    """Twenty seconds of real sound, so that it can be drawn and heard."""
    source = write_tone(folder / "sea wall.flac", seconds=20, title="Sea wall")
    return asset_store(source=source, file_name=source.name).asset


def waiting_albums() -> MusicBatch:
    """Two albums in a list of new music, one of them without a price or a genre."""
    batch = MusicBatch.objects.create(created_by=make_editor())
    for album, number in (("Tides", 1), ("Tides", 2), ("ميناء الليل", 1), ("Gulls 🐦", 1)):
        tags = {"title": f"{album} {number}", "artist": "The Sea Wall", "album": album}
        found = make_asset(tags={**tags, "track": number})
        BatchFile.objects.create(batch=batch, asset=found, file_name=found.file_name, folder="")
    batch_sort(batch_id=batch.pk)
    return batch


def compared_sheet(product: ProductPage) -> CatalogueImport:
    """A dry run with a row that changes something and one that cannot be taken."""
    made = io.StringIO()
    csv.writer(made).writerows(
        [["id", "price"], [product.pk, "£8.99"], [product.pk + 10_000, "1.00"]]
    )
    return import_begin(
        file_name="prices.csv", content=made.getvalue().encode(), user=make_editor()
    )


def address_of(name: str, pattern: URLPattern, rows: dict[str, object]) -> str:
    """Where the page of that name stands, with the row of its namespace; ids of others are nobody's."""
    row = rows.get(name.partition(":")[0])
    values: dict[str, Any] = {}
    for key, converter in pattern.pattern.converters.items():
        others: object = UUID(int=1) if type(converter).__name__ == "UUIDConverter" else 1
        values[key] = row if key == "pk" else others
    return reverse(name, kwargs=values)
