"""Discount codes that editors make, and who uses one: a use is a row that holds a place."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

CODE_SHAPE = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9_-]{2,29}\Z", _("Use 3 to 30 letters, digits, hyphens and underscores.")
)


class DiscountCode(models.Model):
    """A code that takes a percentage or an amount off what it is good for.

    Without products, artists or genres it is good for everything; otherwise for a line that matches
    any of them.
    """

    class Kind(models.TextChoices):
        PERCENT = "percent", _("Percentage")
        AMOUNT = "amount", _("Amount")

    code = models.CharField(
        max_length=30,
        validators=[CODE_SHAPE],
        help_text=_("What buyers type. Capital and small letters are the same."),
        verbose_name=_("code"),
    )
    note = models.CharField(
        max_length=200,
        blank=True,
        help_text=_("For you alone: what it is for."),
        verbose_name=_("note"),
    )
    is_active = models.BooleanField(
        _("in use"), default=True, help_text=_("Untick to stop it without losing its history.")
    )
    kind = models.CharField(
        max_length=10, choices=Kind.choices, default=Kind.PERCENT, verbose_name=_("kind")
    )
    percent = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        verbose_name=_("percent"),
    )
    amount_pennies = models.PositiveIntegerField(_("amount"), null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True, verbose_name=_("starts at"))
    ends_at = models.DateTimeField(null=True, blank=True, verbose_name=_("ends at"))
    max_uses = models.PositiveIntegerField(
        _("orders in all"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("How many orders may use it. Empty: any number."),
    )
    max_uses_per_buyer = models.PositiveIntegerField(
        _("orders per buyer"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("How many orders one email address may use it for. Empty: any number."),
    )
    min_subtotal_pennies = models.PositiveIntegerField(
        _("least order"),
        null=True,
        blank=True,
        help_text=_("What the cart must come to, before the discount."),
    )
    products = models.ManyToManyField(
        "catalog_pages.ProductPage", blank=True, related_name="+", verbose_name=_("products")
    )
    artists = models.ManyToManyField(
        "catalog_pages.Artist", blank=True, related_name="+", verbose_name=_("artists")
    )
    genres = models.ManyToManyField(
        "catalog_pages.Genre", blank=True, related_name="+", verbose_name=_("genres")
    )
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created at"))

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("discount code")
        verbose_name_plural = _("discount codes")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(Upper("code"), name="discount_code_once_whatever_its_case"),
            models.CheckConstraint(
                condition=Q(
                    kind="percent",
                    percent__gte=1,
                    percent__lte=100,
                    amount_pennies__isnull=True,
                )
                | Q(kind="amount", percent__isnull=True, amount_pennies__gte=1),
                name="discount_is_a_percentage_or_an_amount",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True)
                | Q(ends_at__isnull=True)
                | Q(ends_at__gt=models.F("starts_at")),
                name="discount_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=(Q(max_uses__isnull=True) | Q(max_uses__gte=1))
                & (Q(max_uses_per_buyer__isnull=True) | Q(max_uses_per_buyer__gte=1)),
                name="discount_limits_from_1",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class DiscountUse(models.Model):
    """The use of a code by one order: reserved when the order is placed, released when it fails or
    expires, taken again when it is paid after all.

    `place` numbers the uses that hold one, from 1 to the code's limit: two orders cannot hold the
    same. A paid order that came too late for one holds none and is flagged.
    """

    code = models.ForeignKey(DiscountCode, on_delete=models.PROTECT, related_name="uses")
    order = models.OneToOneField(
        "orders.Order", on_delete=models.CASCADE, related_name="discount_use"
    )
    code_text = models.CharField(max_length=30, help_text=_("As it was called then."))
    buyer_email = models.EmailField(help_text=_("Normalised, for the limit per buyer."))
    place = models.PositiveIntegerField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [
            models.Index(fields=("code", "buyer_email"), name="discount_use_by_buyer"),
            models.Index(
                fields=("code",), condition=Q(released_at=None), name="discount_use_standing"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=("code", "place"), name="discount_place_held_once"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True) | Q(place__isnull=True),
                name="discount_released_holds_no_place",
            ),
        ]

    def __str__(self) -> str:
        return gettext("{code_text} for {order_id}").format(
            code_text=self.code_text, order_id=self.order_id
        )
