"""Sums per day, kept beside the facts that they were computed from, so that no page adds up an order.

Nothing here is a fact: all of it can be deleted and worked out again. `orders.services.figures` says what
each sum means, and is the only one who writes them.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class FiguresChange(models.Model):
    """Something that was counted at this moment is new or has changed: its day is to be added up again.

    Written in the transaction of the change itself, and only ever added to by it: buyers never wait for
    one another because of a sum.
    """

    at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.at.isoformat()


class FiguresState(models.Model):
    """The one row that says in which time zone the days were cut; whoever adds up locks it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    time_zone = models.CharField(max_length=100, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="figures_state_is_one_row")
        ]

    def __str__(self) -> str:
        return self.time_zone


class FiguresDay(models.Model):
    """What a day came to in one currency, from buyers of one country; "" where it is not known."""

    day = models.DateField()
    currency = models.CharField(max_length=3)
    country = models.CharField(max_length=2, blank=True)
    revenue_pennies = models.BigIntegerField(default=0)
    tax_pennies = models.BigIntegerField(default=0)
    refunds_pennies = models.BigIntegerField(default=0)
    lost_pennies = models.BigIntegerField(default=0)
    orders = models.PositiveIntegerField(default=0)
    free_orders = models.PositiveIntegerField(default=0)
    copies = models.PositiveIntegerField(default=0)
    begun = models.PositiveIntegerField(default=0)
    begun_paid = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        permissions = [("view_figures", _("Can see what sold"))]
        constraints = [
            models.UniqueConstraint(fields=("day", "currency", "country"), name="figures_day_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.currency} {self.country}".strip()


class FiguresProductDay(models.Model):
    """The same for one product. `refunds_pennies` holds its share of lost disputes as well."""

    day = models.DateField()
    currency = models.CharField(max_length=3)
    country = models.CharField(max_length=2, blank=True)
    product = models.ForeignKey(
        "catalog_pages.ProductPage", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    revenue_pennies = models.BigIntegerField(default=0)
    tax_pennies = models.BigIntegerField(default=0)
    refunds_pennies = models.BigIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)
    copies = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=("day",), name="figures_product_by_day")]
        constraints = [
            models.UniqueConstraint(
                fields=("product", "day", "currency", "country"), name="figures_product_day_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.product_id} {self.currency} {self.country}".strip()
