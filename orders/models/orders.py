"""Orders: what was agreed, frozen when checkout began."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

# Crockford's base 32 without vowels that could form words: easy to read out on the telephone.
NUMBER_ALPHABET = "0123456789BCDFGHJKMNPQRSTVWXYZ"


def new_order_number() -> str:
    """A random number such as `7F3K-9QXM`: it tells nobody how many orders there are."""
    characters = [secrets.choice(NUMBER_ALPHABET) for _ in range(8)]
    return f"{''.join(characters[:4])}-{''.join(characters[4:])}"


def new_link_key() -> str:
    return secrets.token_urlsafe(16)


UNCLAIMED = Q(user=None, placed_as_guest=True, claimed_at=None)


class OrderQuerySet(models.QuerySet["Order"]):
    def owned_by(self, user: object) -> OrderQuerySet:
        """Ownership is a filter: what is not yours is not found, exactly like what does not exist."""
        return self.filter(user=user)

    def unclaimed(self) -> OrderQuerySet:
        """Made with an email address alone, and no account has taken them over."""
        return self.filter(UNCLAIMED)

    def visible_to(self, *, user: Any, guest_keys: Mapping[uuid.UUID, str]) -> OrderQuerySet:
        """The account's own, and what this browser session has opened, by order and link key."""
        opened = UNCLAIMED & Q(pk__in=list(guest_keys), link_key__in=list(guest_keys.values()))
        return self.filter(opened if user is None else Q(user=user) | opened)

    def for_detail(self) -> OrderQuerySet:
        return self.prefetch_related("items__deliveries__asset", "payments")


class Order(models.Model):
    """The agreement. `status` is a projection of payment facts, written by one function only."""

    class Status(models.TextChoices):
        PENDING = "pending", gettext_lazy("Waiting for payment")
        PROCESSING = "processing", gettext_lazy("Payment on its way")
        PAID = "paid", gettext_lazy("Paid")
        FAILED = "failed", gettext_lazy("Payment failed")
        EXPIRED = "expired", gettext_lazy("Expired")

    class TaxBehavior(models.TextChoices):
        NONE = "none", gettext_lazy("No tax")
        INCLUSIVE = "inclusive", gettext_lazy("Tax included")
        EXCLUSIVE = "exclusive", gettext_lazy("Tax added")

    class Channel(models.TextChoices):
        WEB = "web", gettext_lazy("Web shop")
        API = "api", gettext_lazy("API")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=20, unique=True, default=new_order_number, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="orders",
    )
    email = models.EmailField(db_index=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    currency = models.CharField(max_length=3)
    subtotal_pennies = models.BigIntegerField()
    discount_pennies = models.BigIntegerField(default=0)
    tax_pennies = models.BigIntegerField(default=0)
    tax_behavior = models.CharField(
        max_length=10, choices=TaxBehavior.choices, default=TaxBehavior.NONE
    )
    total_pennies = models.BigIntegerField()
    consent_version = models.CharField(max_length=40, blank=True)
    consent_at = models.DateTimeField(null=True, blank=True)
    terms_version = models.CharField(
        max_length=40,
        blank=True,
        help_text=gettext_lazy("Of the terms of sale that were in force."),
    )
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.WEB)
    cart = models.ForeignKey(
        "orders.Cart", null=True, blank=True, on_delete=models.SET_NULL, related_name="orders"
    )
    cart_fingerprint = models.CharField(max_length=64)
    success_url = models.CharField(
        max_length=2000,
        blank=True,
        help_text=gettext_lazy("Where an app wants its buyer after paying."),
    )
    cancel_url = models.CharField(
        max_length=2000,
        blank=True,
        help_text=gettext_lazy("Where an app wants a buyer who turned back."),
    )
    placed_as_guest = models.BooleanField(
        default=False,
        help_text=gettext_lazy("Bought with an email address alone; may be claimed by its owner."),
    )
    claimed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text=gettext_lazy("When an account with the verified address took it over."),
    )
    link_key = models.CharField(
        max_length=32,
        default=new_link_key,
        editable=False,
        help_text=gettext_lazy("Part of every link mailed to a guest; a new one ends them all."),
    )
    tax_reported_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text=gettext_lazy("When Stripe's amounts were taken over; that happens once."),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-created_at", "-pk"]
        permissions = [
            ("refund_order", "Can refund orders"),
            ("check_order", "Can check orders with Stripe"),
            ("note_order", "Can write notes on orders"),
            ("give_order", "Can issue free copies"),
        ]
        indexes = [
            models.Index(fields=("user", "-created_at"), name="order_by_user"),
            models.Index(fields=("status", "created_at"), name="order_by_status"),
            models.Index(
                fields=("paid_at",), condition=Q(paid_at__isnull=False), name="order_by_paid_at"
            ),
            # What the desk's list is sorted and narrowed by.
            models.Index(fields=("created_at", "id"), name="order_by_time"),
            models.Index(fields=("currency", "created_at"), name="order_by_currency"),
            models.Index(fields=("total_pennies", "id"), name="order_by_total"),
            models.Index(Lower("email"), condition=Q(user=None), name="order_guest_email"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(
                        tax_behavior="exclusive",
                        total_pennies=F("subtotal_pennies")
                        - F("discount_pennies")
                        + F("tax_pennies"),
                    )
                    | (
                        ~Q(tax_behavior="exclusive")
                        & Q(total_pennies=F("subtotal_pennies") - F("discount_pennies"))
                    )
                ),
                name="order_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    subtotal_pennies__gte=0,
                    discount_pennies__gte=0,
                    tax_pennies__gte=0,
                    total_pennies__gte=0,
                ),
                name="order_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(paid_at__isnull=True) | Q(status="paid"),
                name="order_paid_at_means_paid",
            ),
            models.CheckConstraint(
                condition=~Q(status="paid") | Q(paid_at__isnull=False),
                name="order_paid_has_paid_at",
            ),
            models.CheckConstraint(
                condition=Q(claimed_at__isnull=True) | Q(placed_as_guest=True),
                name="order_claimed_was_a_guests",
            ),
            models.CheckConstraint(
                condition=Q(placed_as_guest=False) | Q(user=None) | Q(claimed_at__isnull=False),
                name="order_of_a_guest_is_claimed",
            ),
            models.CheckConstraint(
                condition=Q(consent_version="", consent_at=None)
                | (~Q(consent_version="") & Q(consent_at__isnull=False)),
                name="order_consent_has_text_and_time",
            ),
            models.CheckConstraint(
                condition=Q(tax_pennies=0)
                | (Q(tax_reported_at__isnull=False) & ~Q(tax_behavior="none")),
                name="order_tax_was_reported",
            ),
            # One open order for one content of one cart: pressing twice makes no second one. An order
            # that was given up may still turn out to be on its way beside a newer one.
            models.UniqueConstraint(
                fields=("cart", "cart_fingerprint"),
                condition=Q(status="pending"),
                name="order_once_per_cart_content",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("orders:detail", args=[self.pk])

    @property
    def fingerprint_apart(self) -> str:
        """In place of the cart's: no cart has this content, so none goes on with this order."""
        return hashlib.sha256(f"{self.cart_fingerprint} {self.pk}".encode()).hexdigest()

    @property
    def is_paid(self) -> bool:
        return self.status == self.Status.PAID


class OrderItem(models.Model):
    """One line: a product as it was called and priced then. Shares sum to the order's amounts."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(
        "catalog_pages.ProductPage", on_delete=models.PROTECT, related_name="order_items"
    )
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=255)
    artist_name = models.CharField(max_length=200, blank=True)
    list_price_pennies = models.BigIntegerField()
    unit_price_pennies = models.BigIntegerField(help_text=gettext_lazy("What is charged for one."))
    quantity = models.PositiveSmallIntegerField()
    discount_pennies = models.BigIntegerField(default=0)
    tax_pennies = models.BigIntegerField(default=0)
    total_pennies = models.BigIntegerField(
        help_text=gettext_lazy("Without tax that is added on top.")
    )
    is_gift = models.BooleanField(
        default=False,
        help_text=gettext_lazy("All copies are for others; otherwise seat 0 is the buyer's."),
    )
    gift_email = models.EmailField(blank=True)
    gift_message = models.CharField(max_length=500, blank=True)
    gift_send_on = models.DateField(null=True, blank=True)
    download_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=gettext_lazy("The product's own, as agreed then; 0 is no limit."),
    )

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=("order", "product"), name="order_item_once_per_product"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=99), name="order_item_quantity_1_to_99"
            ),
            models.CheckConstraint(
                condition=Q(gift_email="") | Q(is_gift=True) | Q(quantity__gt=1),
                name="order_item_named_friend_gets_a_copy",
            ),
            models.CheckConstraint(
                condition=Q(
                    total_pennies=F("unit_price_pennies") * F("quantity") - F("discount_pennies")
                ),
                name="order_item_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    list_price_pennies__gte=0,
                    unit_price_pennies__gte=0,
                    discount_pennies__gte=0,
                    tax_pennies__gte=0,
                    total_pennies__gte=0,
                ),
                name="order_item_amounts_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class OrderItemAsset(models.Model):
    """The delivery list, written at checkout. Grants are made from it alone, never from the page:
    a delayed payment may settle days after a file was replaced."""

    order_item = models.ForeignKey(OrderItem, on_delete=models.CASCADE, related_name="deliveries")
    asset = models.ForeignKey(
        "catalog_pages.DigitalAsset", on_delete=models.PROTECT, related_name="+"
    )
    title = models.CharField(max_length=255)
    position = models.PositiveIntegerField()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=("order_item", "asset"), name="delivery_once_per_asset"),
        ]

    def __str__(self) -> str:
        return self.title
