"""What is written down to be told, in the transaction of the fact itself.

A row per fact, and none when nobody wants to hear of it: asking costs the fact one query. The row names no
endpoint, so that nothing that becomes of endpoints can stand in the way of a payment; deliveries are
written from it after the commit (`addressing`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.utils import timezone
from wagtail.models import PageLogEntry

from catalog_pages.models import ProductPage
from orders.models import Order, OrderItem, Refund, WebhookEndpoint, WebhookEvent, WebhookType
from orders.services.outgoing.addressing import webhook_event_task
from orders.services.outgoing.payloads import (
    Data,
    envelope,
    order_of,
    product_of,
    refund_of,
    rights_of,
)

Copy = tuple[int, int]  # a line's id and a seat
Wanted = Collection[str]
# What publishing itself changes, and rows' own numbers: none of it is news about a product.
NO_NEWS = frozenset(
    "pk page track live live_revision latest_revision latest_revision_created_at first_published_at "
    "last_published_at has_unpublished_changes draft_title go_live_at expire_at expired locked locked_at "
    "locked_by wagtail_admin_comments owner path depth numchild url_path translation_key".split()
)


def types_wanted() -> Wanted:
    """Which types of event at least one endpoint is told; one query."""
    listed = WebhookEndpoint.objects.filter(is_active=True).order_by()
    return frozenset(name for events in listed.values_list("events", flat=True) for name in events)


def order_paid_tell(*, order: Order, wanted: Wanted) -> None:
    """An order was paid, once. Part of the transaction that pays."""
    if WebhookType.ORDER_PAID in wanted:
        at = order.paid_at or timezone.now()
        _write(WebhookType.ORDER_PAID, str(order.pk), order_of(order), at)


def order_refunded_tell(*, order: Order, refund: Refund) -> None:
    """Money went back: once for each refund that succeeded, in the transaction that notes it."""
    if WebhookType.ORDER_REFUNDED in types_wanted():
        data = refund_of(order, refund)
        _write(WebhookType.ORDER_REFUNDED, str(refund.pk), data, timezone.now())


def downloads_granted_tell(*, copies: Collection[Copy], wanted: Wanted | None = None) -> None:
    """The holders of these copies may fetch their files now; once for each copy."""
    if not copies:
        return
    if WebhookType.DOWNLOAD_GRANTED not in (types_wanted() if wanted is None else wanted):
        return
    lines = OrderItem.objects.filter(pk__in={line_id for line_id, _ in copies})
    by_id = lines.select_related("order").prefetch_related("deliveries__asset").in_bulk()
    now = timezone.now()
    for line_id, seat in sorted(copies):
        data = rights_of(by_id[line_id], seat)
        _write(WebhookType.DOWNLOAD_GRANTED, f"{line_id}:{seat}", data, now)


def product_published_tell(*, page: ProductPage) -> None:
    """A product is on sale, newly or with changes. Publishing again what is published tells nothing."""
    if WebhookType.PRODUCT_PUBLISHED not in types_wanted():
        return
    kind = WebhookType.PRODUCT_PUBLISHED
    told = WebhookEvent.objects.filter(dedupe_key__startswith=f"{kind}:{page.pk}:")
    last = told.order_by("-occurred_at", "-pk").values_list("dedupe_key", flat=True).first()
    state = f"{page.pk}:{_times_unpublished(page)}:{_digest(page)}"
    if last is None or not last.startswith(f"{kind}:{state}:"):
        # The moment tells one publication from another, also of a version that was published before.
        now = page.last_published_at or timezone.now()
        _write(kind, f"{state}:{now.isoformat()}", product_of(page), now)


def _write(kind: WebhookType, fact: str, data: Data, at: datetime) -> None:
    """One row for this fact, ever: the unique key decides, never a look beforehand."""
    event = WebhookEvent(
        type=kind,
        dedupe_key=f"{kind}:{fact}",
        occurred_at=at,
        payload=envelope(kind, at, data),
    )
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError:
        if not WebhookEvent.objects.filter(dedupe_key=event.dedupe_key).exists():
            raise
        return
    # Robust: the event is in the outbox, and the scheduler finds it if the queue does not.
    transaction.on_commit(lambda: webhook_event_task.enqueue(str(event.pk)), robust=True)


def _times_unpublished(page: ProductPage) -> int:
    """On sale again after it was not is news, even without a change."""
    return PageLogEntry.objects.filter(page=page.pk, action__startswith="wagtail.unpublish").count()


def _digest(page: ProductPage) -> str:
    """Tells one content of a product from another: its fields, tracks, files and contents."""
    text = json.dumps(_news(page.serializable_data()), cls=DjangoJSONEncoder, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _news(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _news(part) for name, part in value.items() if name not in NO_NEWS}
    return [_news(part) for part in value] if isinstance(value, list) else value
