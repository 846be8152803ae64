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


ADDED_UP = (
    "day",
    "currency",
    "revenue_pennies",
    "refunds_pennies",
    "tax_pennies",
    "lines",
    "copies",
)


class FiguresProductDay(models.Model):
    """The same for one product. `refunds_pennies` holds its share of lost disputes as well.

    `artist`: whose the product is now. The database sees to that, whoever changed the page.
    """

    day = models.DateField()
    currency = models.CharField(max_length=3)
    country = models.CharField(max_length=2, blank=True)
    product = models.ForeignKey(
        "catalog_pages.ProductPage", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    artist = models.ForeignKey(
        "catalog_pages.Artist",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    revenue_pennies = models.BigIntegerField(default=0)
    tax_pennies = models.BigIntegerField(default=0)
    refunds_pennies = models.BigIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)
    copies = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=("day", "currency"), name="figures_product_by_day"),
            models.Index(fields=("country", "day"), name="figures_product_by_country"),
            # All that is added up of a product or an artist in a long period: no row has to be fetched.
            models.Index(fields=("product", *ADDED_UP), name="figures_product_covered"),
            models.Index(fields=("artist", *ADDED_UP), name="figures_artist_covered"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("product", "day", "currency", "country"), name="figures_product_day_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.product_id} {self.currency} {self.country}".strip()


class FiguresEver(models.Model):
    """What something ever brought in, in one currency, refunds not taken off: in no period did it sell for
    more, or more copies. So a list of bestsellers needs to look at few."""

    currency = models.CharField(max_length=3)
    revenue_pennies = models.BigIntegerField(default=0)
    copies = models.BigIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        abstract = True
        default_permissions = ()
        indexes = [
            models.Index(fields=("currency", "-revenue_pennies"), name="%(class)s_by_revenue"),
            models.Index(fields=("currency", "-copies"), name="%(class)s_by_copies"),
        ]


class FiguresProduct(FiguresEver):
    product = models.ForeignKey(
        "catalog_pages.ProductPage", on_delete=models.CASCADE, related_name="+", db_index=False
    )

    class Meta(FiguresEver.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=("product", "currency"), name="figures_product_once")
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.currency}"


class FiguresArtist(FiguresEver):
    """Of all that is an artist's now. A product that changes hands takes along what it brought in: the
    database sees to that as well."""

    artist = models.ForeignKey(
        "catalog_pages.Artist", on_delete=models.CASCADE, related_name="+", db_index=False
    )

    class Meta(FiguresEver.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=("artist", "currency"), name="figures_artist_once")
        ]

    def __str__(self) -> str:
        return f"{self.artist_id} {self.currency}"
