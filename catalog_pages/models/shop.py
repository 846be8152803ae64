"""Facts about this installation that outlive any configuration file."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.settings.models import BaseGenericSetting, register_setting


def configured_currency() -> str:
    return settings.STRIPE_CURRENCY


@register_setting(icon="cog")
class ShopSettings(BaseGenericSetting):
    """The one row about the shop itself; `ShopSettings.load()` makes it on first use.

    `currency` is stored because every price in the database is an integer of *that* currency's
    minor units: changing the environment must not silently turn yen into pounds.
    """

    class Tax(models.TextChoices):
        NONE = "none", "No tax"
        INCLUSIVE = "inclusive", "Prices include it"
        EXCLUSIVE = "exclusive", "Added to prices"

    store_id = models.UUIDField(default=uuid.uuid4, editable=False)
    currency = models.CharField(max_length=3, default=configured_currency, editable=False)
    shop_name = models.CharField(
        max_length=80,
        default="Digital Downloads",
        help_text="Shown in the header, on receipts and in mail.",
    )
    tagline = models.CharField(
        max_length=160,
        blank=True,
        default="Music you keep",
        help_text="One line that says what is sold here.",
    )
    contact_email = models.EmailField(
        blank=True, help_text="Where buyers can reach you. Shown in the footer and on receipts."
    )
    tax = models.CharField(
        max_length=10,
        choices=Tax.choices,
        default=Tax.NONE,
        help_text="Worked out by Stripe Tax, which has to be set up in Stripe's dashboard first.",
    )
    footer_text = models.CharField(
        max_length=300, blank=True, help_text="A line at the foot of each page."
    )

    panels = [
        FieldPanel("shop_name"),
        FieldPanel("tagline"),
        FieldPanel("contact_email"),
        FieldPanel("tax"),
        FieldPanel("footer_text"),
    ]

    class Meta:
        verbose_name = "shop"

    def __str__(self) -> str:
        return self.shop_name
