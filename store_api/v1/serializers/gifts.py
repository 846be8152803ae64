"""Redeeming a gift: what is sent, and what became of it."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from catalog_pages.models import ProductPage
from orders.services.guests import MAX_EMAIL
from store_api.serializers import PlainModelSerializer, StrictSerializer, TextField

ONE_LINE = RegexValidator(r"^[^\x00-\x1f\x7f]*$", "Leave out line breaks and the like.")


class RedeemSerializer(StrictSerializer):
    """A gift code, and of guests an address."""

    code = TextField(
        max_length=200,
        min_length=1,
        trim_whitespace=False,
        validators=[ONE_LINE],
        help_text="As it was given. Case, spaces and hyphens do not matter.",
    )
    email = TextField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=MAX_EMAIL,
        validators=[ONE_LINE],
        help_text="Of guests alone: where the link to the files is mailed to.",
    )


class RedeemedProductSerializer(PlainModelSerializer[ProductPage]):
    class Meta:
        model = ProductPage
        fields = ["title", "slug"]


class RedeemedSerializer(serializers.Serializer[Any]):
    """A gift copy that is the caller's now."""

    purchase = serializers.IntegerField(help_text="Its id in `purchases/`.")
    product = RedeemedProductSerializer()
    order_token = serializers.CharField(
        allow_null=True,
        help_text="Opens `purchases/` for guests, as `X-Order-Token`. Whoever has it can fetch the files.",
    )
