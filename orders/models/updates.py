"""New versions of files that were bought: since when they are offered, who asked, who was told."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class PublishedVersion(models.Model):
    """A file that replaces another was on sale for the first time. Later publishing changes nothing."""

    asset = models.OneToOneField(
        "catalog_pages.DigitalAsset",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="+",
    )
    published_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("published version")

    def __str__(self) -> str:
        return gettext("{asset_id} since {published_at}").format(
            asset_id=self.asset_id, published_at=f"{self.published_at:%Y-%m-%d}"
        )


class UpdateWish(models.Model):
    """The holder of one copy of a line wants a letter when a file of it is replaced by a better one.

    Line and seat name the copy, as on its grants; who holds it is looked up there, so that the wish goes
    along when an account claims what an address bought. Taken back, it is deleted.
    """

    order_item = models.ForeignKey(
        "orders.OrderItem", on_delete=models.CASCADE, related_name="update_wishes"
    )
    seat = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=("order_item", "seat"), name="update_wish_once_per_copy")
        ]

    def __str__(self) -> str:
        return gettext("Line {order_item_id}, copy {seat}").format(
            order_item_id=self.order_item_id, seat=self.seat
        )


class UpdateNotice(models.Model):
    """The holder of one copy knows of one new version: never tell them again.

    Without a `letter` they saw it on their purchases page, before they asked for letters, or were
    told because of another copy.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order_item = models.ForeignKey(
        "orders.OrderItem", on_delete=models.CASCADE, related_name="update_notices"
    )
    seat = models.PositiveSmallIntegerField(default=0)
    asset = models.ForeignKey(
        "catalog_pages.DigitalAsset", on_delete=models.CASCADE, related_name="+"
    )
    letter = models.ForeignKey(
        "orders.OutboxMail",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="update_notices",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=("order_item", "seat", "asset"), name="update_notice_once_per_version"
            )
        ]

    def __str__(self) -> str:
        return gettext("Line {order_item_id}, copy {seat}: {asset_id}").format(
            order_item_id=self.order_item_id, seat=self.seat, asset_id=self.asset_id
        )
