"""Redeeming a gift: what is sent, and what became of it."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from orders.services.gift_facts import LOST, OPEN, REDEEMED, REFUNDED, SUSPENDED
from orders.services.guests import MAX_EMAIL
from store_api.serializers import StrictSerializer, TextField
from store_api.v1.serializers.catalogue import CoverSerializer

ONE_LINE = RegexValidator(r"^[^\x00-\x1f\x7f]*$", "Leave out line breaks and the like.")


class RedeemSerializer(StrictSerializer):
    """A gift code, and of guests an address."""

    code = TextField(
        max_length=200,
        min_length=1,
        validators=[ONE_LINE],
        help_text="As it was given. Case, spaces and hyphens do not matter.",
    )
    email = TextField(
        required=False,
        allow_blank=True,
        max_length=MAX_EMAIL,
        validators=[ONE_LINE],
        help_text="Of guests alone: where the link to the files is mailed to.",
    )


class GivenProductSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    title = serializers.CharField()
    artist = serializers.CharField(help_text="Empty where there is none.")
    covers = CoverSerializer(many=True)


class RedeemedProductSerializer(GivenProductSerializer):
    pass


class RedeemedSerializer(serializers.Serializer[Any]):
    """A gift copy that is the caller's now."""

    purchase = serializers.IntegerField(help_text="Its id in `purchases/`.")
    product = RedeemedProductSerializer()
    order_token = serializers.CharField(
        allow_null=True,
        help_text="Opens `purchases/` for guests, as `X-Order-Token`. Whoever has it can fetch the files.",
    )


class LookSerializer(StrictSerializer):
    code = TextField(
        max_length=200,
        validators=[ONE_LINE],
        help_text="As it was given. Case, spaces and hyphens do not matter.",
    )


class GiftSerializer(serializers.Serializer[Any]):
    """A gift, for whoever has its code: what it is, and nothing of its order."""

    product = GivenProductSerializer()
    message = serializers.CharField(help_text="What the giver wrote; empty unless it is `open`.")
    state = serializers.ChoiceField(
        choices=[OPEN, REDEEMED, REFUNDED, SUSPENDED, LOST],
        help_text="Only what is `open` can be redeemed.",
    )
    detail = serializers.CharField(help_text="Why it cannot be redeemed, in a sentence; or empty.")
    purchase = serializers.IntegerField(
        allow_null=True,
        help_text="Its id in `purchases/` of whoever is signed in and has it already.",
    )
