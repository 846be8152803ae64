"""The pages that are measured: each list as it opens, by its filters, by a search and by what sorts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import DigitalAsset, MusicBatch
from downloads.models import AccessEvent, UserAsset
from orders.models import (
    DiscountCode,
    Dispute,
    GiftCode,
    Order,
    OrderAnomaly,
    OutboxMail,
    Payment,
    Refund,
    StripeEvent,
    WebhookDelivery,
    WebhookEndpoint,
)


@dataclass(frozen=True)
class Page:
    """`is_after_a_sale`: something of today has to be added up again, as in a shop that sells."""

    name: str
    url: str
    who: str = "manager"
    is_after_a_sale: bool = False


# List -> what it is asked for; `{day}` is a week ago, `{number}` and `{email}` those of an order.
LISTS: dict[str, tuple[str, ...]] = {
    "order_desk": (
        "", "p=10", "status=paid", "status=failed", "currency={currency}", "currency=EUR",
        "created_at_from={day}",
        "created_at_to={day}", "product=quiet", "product=release", "marked=disputed", "marked=attention",
        "marked=refunded",
        "marked=gift", "marked=free_copy", "marked=refunded&status=paid",
        "marked=disputed&currency={currency}",
        "status=paid&currency=EUR", "q={email}", "q={number}", "q=quiet", "q=quiet+harbour", "q=4242",
        "q=nobody@example.com", "q=zzzz", "ordering=email", "ordering=-total_pennies", "ordering=status",
        "ordering=number",
    ),
    "customer_desk": (
        "", "kind=account", "kind=guest", "currency=EUR", "created_at_to={day}", "q={email}", "q=quiet",
        "ordering=email",
    ),
    "payment_desk": (
        "", "status=paid", "status=failed", "kind=free", "kind=stripe", "currency=EUR",
        "created_at_from={day}",
        "status=failed&kind=free", "q={email}", "q=quiet", "q=4242", "ordering=amount_pennies",
        "ordering=status",
    ),
    "refund_desk": (
        "", "status=succeeded", "status=failed", "reason=duplicate", "currency=EUR",
        "created_at_from={day}", "q={email}",
        "q=quiet", "ordering=status",
    ),
    "dispute_desk": (
        "", "status=needs_response", "currency=EUR", "opened_at_from={day}", "q={email}", "q=quiet",
    ),
    "gift_desk": (
        "", "state=open", "state=redeemed", "state=waiting", "created_at_from={day}", "q={email}", "q=friend",
        "q=quiet",
    ),
    "download_desk": (
        "", "state=open", "state=refund", "state=dispute", "state=staff", "state=limit", "state=missing",
        "created_at_from={day}", "line=8", "q={email}", "q={number}", "q=quiet",
    ),
    "ledger_desk": (
        "", "kind=granted", "kind=denied", "at_from={day}", "q={email}", "q=quiet", "ordering=kind",
    ),
    "order_anomalies": ("", "state=resolved", "state=all", "q={email}", "q=captured"),
    "stripe_events": (
        "", "status=handled", "status=failed", "type=checkout.session.expired", "received_at_from={day}",
        "status=failed&type=checkout.session.expired", "q={email}", "q=quiet", "q=evt_1",
    ),
    "outbox_mail": (
        "", "status=sent", "status=failed", "kind=receipt", "created_at_from={day}",
        "status=failed&kind=refunded",
        "q={email}", "q=quiet", "ordering=to_email", "ordering=status",
    ),
    "discount_codes": (
        "", "state=usable", "state=used_up", "state=over", "kind=amount", "created_at_from={day}", "q=code1",
        "ordering=used",
    ),
    "webhook_deliveries": (
        "", "status=delivered", "status=given_up", "status=pending", "event__type=order.paid",
        "event__type=product.published", "created_at_from={day}", "q=partner1", "q={order}",
        "ordering=status",
    ),
    "webhook_endpoints": ("",),
    "partner_apps": ("",),
    "letter_texts": ("",),
    "legal_texts": ("",),
    "digital_assets": (
        "", "q=quiet", "q=harbour+7.flac", "q=zzzz", "ordering=file_name", "ordering=-size_bytes",
        "ordering=duration_ms", "ordering=format_name", "ordering=created_at",
    ),
    "products": (
        "", "p=10", "live=true", "live=false", "genre=1003", "q=quiet", "q=quiet+harbour", "q=zzzz",
        "q=%21%21",
        "ordering=title", "ordering=artist__name", "ordering=-genre__name", "ordering=price_pennies",
        "ordering=live", "ordering=-latest_revision_created_at",
    ),
    "prices": ("",),
    "music": ("",),
}  # fmt: skip
OWNERS = {"webhook_endpoints", "partner_apps"}


def pages_of() -> list[Page]:
    """Those of the database that is connected; the same, in the same order, in each that is loaded."""
    order = Order.objects.filter(status="paid", user__isnull=False).order_by("number")[0]
    words = {
        "day": f"{timezone.now() - timedelta(days=7):%Y-%m-%d}",
        "currency": settings.STRIPE_CURRENCY,
        "email": quote(order.email),
        "number": order.number,
        "order": str(order.pk),
    }
    found = [
        _page(f"{name} {query}".strip(), f"{name}:index", query.format(**words), name in OWNERS)
        for name, queries in LISTS.items()
        for query in queries
    ]
    return [*found, *_single(order), *_figures()]


def _page(name: str, address: str, query: str = "", for_owner: bool = False) -> Page:
    url = reverse(address) + (f"?{query}" if query else "")
    return Page(name, url, "owner" if for_owner else "manager")


def _single(order: Order) -> list[Page]:
    """One row with everything known about it, of each list that has such a page."""
    guest = Order.objects.filter(status="paid", user=None).order_by("number")[0]
    grant = UserAsset.objects.order_by("pk")[0]
    rows = {
        "order_desk:inspect": order.pk,
        "order_desk:refund": order.pk,
        "customer_desk:inspect": order.pk,
        "payment_desk:inspect": Payment.objects.order_by("pk")[0].pk,
        "refund_desk:inspect": Refund.objects.order_by("pk")[0].pk,
        "gift_desk:inspect": GiftCode.objects.order_by("pk")[0].pk,
        "download_desk:inspect": grant.pk,
        "ledger_desk:inspect": AccessEvent.objects.order_by("pk")[0].pk,
        "stripe_events:inspect": StripeEvent.objects.order_by("pk")[0].pk,
        "outbox_mail:inspect": OutboxMail.objects.order_by("pk")[0].pk,
        "discount_codes:inspect": DiscountCode.objects.order_by("pk")[0].pk,
        "discount_codes:edit": DiscountCode.objects.order_by("pk")[0].pk,
        "webhook_deliveries:inspect": WebhookDelivery.objects.order_by("pk")[0].pk,
        "digital_assets:inspect": DigitalAsset.objects.order_by("pk")[0].pk,
        "music:batch": MusicBatch.objects.order_by("pk")[0].pk,
        "prices:import": 1000,
        "wagtailadmin_pages:edit": 1003,
    }
    pages = [Page(name, reverse(name, args=[pk])) for name, pk in rows.items()]
    endpoint = WebhookEndpoint.objects.order_by("url")[0]
    pages.append(
        Page(
            "webhook_endpoints:inspect",
            reverse("webhook_endpoints:inspect", args=[endpoint.pk]),
            "owner",
        )
    )
    dispute = Dispute.objects.first()
    anomaly = OrderAnomaly.objects.first()
    for name, row in (("dispute_desk:inspect", dispute), ("order_anomalies:inspect", anomaly)):
        url = reverse(name, args=[row.pk]) if row else reverse(name.replace("inspect", "index"))
        pages.append(Page(name, url))
    pages.append(
        Page("customer_desk:inspect, a guest", reverse("customer_desk:inspect", args=[guest.pk]))
    )
    names = (
        "order_desk:give",
        "digital_asset_chooser:choose",
        "prices:export",
        "discount_codes:add",
    )
    return [*pages, *(Page(name, reverse(name)) for name in names)]


def _figures() -> list[Page]:
    pages = [Page("home", reverse("wagtailadmin_home"))]
    queries = ("period=1", "period=7", "period=30", "period=year", "period=30&top=copies",
        f"period=30&currency={settings.STRIPE_CURRENCY}",
        "period=30&country=GB", "period=30&product=1003", "period=30&artist=1003")  # fmt: skip
    pages += [_page(f"figures {query}", "figures", query) for query in queries]
    for page in (pages[0], pages[3]):
        pages.append(Page(f"{page.name}, after a sale", page.url, is_after_a_sale=True))
    return pages
