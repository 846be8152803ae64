"""Carts: rows whose id a browser keeps in its session, and an API client behind a secret token."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Cart(models.Model):
    """What somebody intends to buy. A signed-in shopper has one; guests have one per session."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="cart",
    )
    token_hash = models.CharField(
        max_length=64,
        null=True,
        blank=True,
        unique=True,
        help_text=_("SHA-256 of an API client's secret."),
    )
    discount_code = models.ForeignKey(
        "orders.DiscountCode", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    discount_terms = models.CharField(
        max_length=100, blank=True, help_text=_("What the code took off when it was put in.")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(
        auto_now=True, help_text=_("When it was last changed, its lines included.")
    )

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return gettext("Cart {pk}").format(pk=self.pk)


class CartItem(models.Model):
    """A product and how many. Prices here are what was *shown*; what is charged is looked up."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(
        "catalog_pages.ProductPage", on_delete=models.CASCADE, related_name="cart_items"
    )
    quantity = models.PositiveSmallIntegerField(default=1)
    shown_price_pennies = models.PositiveIntegerField()
    chosen_price_pennies = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=_("What the shopper chose to pay, where a product allows it."),
    )
    is_gift = models.BooleanField(
        default=False, help_text=_("All copies are for others; otherwise the first is the buyer's.")
    )
    gift_email = models.EmailField(blank=True, help_text=_("Who gets the first gift copy's code."))
    gift_message = models.CharField(max_length=500, blank=True)
    gift_send_on = models.DateField(
        null=True, blank=True, help_text=_("The day to send the code; empty: once it is paid.")
    )
    added_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["added_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=("cart", "product"), name="cart_item_once_per_product"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=99), name="cart_item_quantity_1_to_99"
            ),
        ]

    def __str__(self) -> str:
        return gettext("{quantity} x {product_id}").format(
            quantity=self.quantity, product_id=self.product_id
        )

    @property
    def unit_price_pennies(self) -> int:
        """What the shopper last saw, or chose."""
        chosen = self.chosen_price_pennies
        return self.shown_price_pennies if chosen is None else chosen
