"""What follows in the shop's sales when the catalogue changes.

Connected by `OrdersConfig.ready`. The only receivers of Wagtail's publish signal in this room.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from wagtail.signals import page_published

from catalog_pages.models import ProductPage
from orders.services.outgoing import product_published_tell
from orders.services.updates import new_versions_task


def tell_about_new_versions(instance: ProductPage, **kwargs: Any) -> None:
    """Whoever owns an older version of a file hears of it, if they asked; as a task, after commit."""
    if instance.live:  # Wagtail sends the signal for a scheduled page, too
        # Robust: it is published, and the scheduler tells if the queue does not.
        transaction.on_commit(lambda: new_versions_task.enqueue(instance.pk), robust=True)


def tell_endpoints(instance: ProductPage, **kwargs: Any) -> None:
    """Whoever wants to know what is on sale is told: an event beside the page, sent after commit."""
    if instance.live:
        product_published_tell(page=instance)


def connect() -> None:
    """Called once, when the app is ready."""
    page_published.connect(tell_about_new_versions, sender=ProductPage)
    page_published.connect(tell_endpoints, sender=ProductPage)
