"""What somebody has ordered, and what became of it. Read only; amounts are minor units of `currency`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from orders.models import Order, OrderItem, Payment, Refund, RefundLine
from orders.services.gift_facts import LOST, OPEN, REDEEMED, REFUNDED, SUSPENDED, GiftView
from orders.services.order_facts import Consent, OrderFacts, Receipt
from store_api.serializers import PlainModelSerializer
from store_api.v1.serializers.carts import covers_of
from store_api.v1.serializers.catalogue import CoverSerializer
from store_api.v1.serializers.order_examples import ORDER, OUTCOME, RECEIPT, RESUMED, WAITING

MINOR_UNITS = "Minor units of `currency`."


class BoughtProductSerializer(serializers.Serializer[OrderItem]):
    """What was bought, as it was called then."""

    id = serializers.IntegerField(
        source="product_id", help_text="Stays, whatever becomes of the product."
    )
    slug = serializers.SerializerMethodField(help_text="null when it is not on sale any more.")
    title = serializers.CharField()
    artist = serializers.CharField(source="artist_name", help_text="Empty where there is none.")
    covers = serializers.SerializerMethodField(
        help_text="From small to large; empty without a picture."
    )

    def get_slug(self, item: OrderItem) -> str | None:
        return item.product.slug if item.product.live else None

    @extend_schema_field(CoverSerializer(many=True))
    def get_covers(self, item: OrderItem) -> list[dict[str, Any]]:
        return covers_of(item.product)


class OrderLineSerializer(PlainModelSerializer[OrderItem]):
    artist = serializers.CharField(source="artist_name", help_text="Empty where there is none.")
    product = BoughtProductSerializer(source="*", read_only=True)

    class Meta:
        model = OrderItem
        fields = read_only_fields = [
            "id", "title", "artist", "product", "quantity", "list_price_pennies", "unit_price_pennies",
            "discount_pennies", "tax_pennies", "total_pennies", "is_gift",
        ]  # fmt: skip
        extra_kwargs = {
            "id": {"help_text": "Also names what was bought, in `purchases/{id}/`."},
            "title": {"help_text": "As it was called then."},
            "list_price_pennies": {"help_text": "The shop's price for one, then."},
            "unit_price_pennies": {"help_text": "What is charged for one."},
            "total_pennies": {"help_text": "All copies, without tax that is added on top."},
            "is_gift": {"help_text": "All copies are for others; else the first is the buyer's."},
        }


@extend_schema_serializer(
    examples=[OpenApiExample("An album", value=ORDER, response_only=True)],
)
class OrderSerializer(PlainModelSerializer[Order]):
    refunded_pennies = serializers.SerializerMethodField(
        help_text="What went back and has arrived: all of it, or a part. `status` stays `paid`."
    )
    lines = OrderLineSerializer(source="items", many=True)

    class Meta:
        model = Order
        fields = read_only_fields = [
            "id", "number", "status", "channel", "email", "currency", "subtotal_pennies",
            "discount_pennies", "tax_pennies", "tax_behavior", "total_pennies",
            "refunded_pennies", "created_at", "paid_at", "lines",
        ]  # fmt: skip
        extra_kwargs = {
            "number": {"help_text": "For people, such as 7F3K-9QXM."},
            "status": {
                "help_text": "`pending` waits for its buyer, `processing` for a bank; `paid` has its files. "
                "`failed` and `expired` can no longer be paid."
            },
            "email": {"help_text": "Where letters about it go."},
            "currency": {"help_text": "ISO 4217."},
            "tax_behavior": {
                "help_text": "Whether `total_pennies` has the tax in it (`inclusive`) or on top."
            },
            "total_pennies": {"help_text": MINOR_UNITS},
        }

    def get_refunded_pennies(self, order: Order) -> int:
        """`refunded` in the context: what went back, by order, looked up once for all."""
        refunded: Mapping[Any, int] = self.context["refunded"]
        return refunded.get(order.pk, 0)


class ConsentGivenSerializer(serializers.Serializer[Consent]):
    """What the buyer agreed to."""

    version = serializers.CharField()
    text = serializers.CharField(help_text="In the words that were shown.")
    agreed_at = serializers.DateTimeField()


class PaymentSerializer(PlainModelSerializer[Payment]):
    """One attempt to pay."""

    class Meta:
        model = Payment
        fields = read_only_fields = [
            "attempt", "kind", "status", "amount_pennies", "captured_pennies", "currency",
            "card_brand", "card_last4", "created_at", "paid_at",
        ]  # fmt: skip
        extra_kwargs = {
            "kind": {"help_text": "`free` where there was nothing to pay."},
            "amount_pennies": {"help_text": "What was agreed, before tax on top."},
            "captured_pennies": {"help_text": "What was taken, tax included; null before that."},
            "card_brand": {"help_text": "Empty where no card was used."},
            "card_last4": {"help_text": "The card's last digits; or empty."},
        }


class RefundLineSerializer(PlainModelSerializer[RefundLine]):
    line = serializers.IntegerField(source="item_id", help_text="The `id` of the order's line.")
    title = serializers.CharField(source="item.title")

    class Meta:
        model = RefundLine
        fields = read_only_fields = ["line", "title", "amount_pennies"]


class RefundSerializer(PlainModelSerializer[Refund]):
    """Money that went back, or is on its way."""

    lines = RefundLineSerializer(
        many=True, help_text="What it is for; empty when nobody said which lines."
    )

    class Meta:
        model = Refund
        fields = read_only_fields = [
            "id", "amount_pennies", "currency", "status", "created_at", "lines",
        ]  # fmt: skip
        extra_kwargs = {"status": {"help_text": "Only `succeeded` has arrived."}}


class GiftCopySerializer(serializers.Serializer[GiftView]):
    """One copy to give away, as its buyer sees it."""

    id = serializers.IntegerField(source="gift.pk")
    line = serializers.IntegerField(
        source="gift.order_item_id", help_text="The `id` of the order's line."
    )
    title = serializers.CharField()
    state = serializers.ChoiceField(
        choices=[OPEN, REDEEMED, REFUNDED, SUSPENDED, LOST],
        help_text="`open` can be redeemed; the last three are closed.",
    )
    code = serializers.SerializerMethodField(
        help_text="Whoever has it may redeem the copy. null when it cannot be redeemed, and for third "
        "parties' apps."
    )
    url = serializers.SerializerMethodField(
        help_text="The page that redeems it; null as `code` is."
    )
    recipient_email = serializers.CharField(
        source="gift.recipient_email", help_text="Whom the shop mails it to; empty: nobody."
    )
    message = serializers.CharField(
        source="gift.message", help_text="What the letter says from its buyer; may be empty."
    )
    send_at = serializers.DateTimeField(
        source="gift.send_at", allow_null=True, help_text="When it is mailed, or was to be."
    )
    sent_at = serializers.SerializerMethodField(help_text="null until the letter has left.")
    is_undeliverable = serializers.BooleanField(help_text="The letter could not be delivered.")
    redeemed_at = serializers.DateTimeField(source="gift.redeemed_at", allow_null=True)
    is_redeemed_by_recipient = serializers.BooleanField(
        help_text="By `recipient_email`. Who else redeemed it is not told."
    )

    def get_code(self, view: GiftView) -> str | None:
        return view.gift.code if self._is_told(view) else None

    def get_url(self, view: GiftView) -> str | None:
        return view.url if self._is_told(view) else None

    def get_sent_at(self, view: GiftView) -> datetime | None:
        return view.letter.sent_at if view.letter is not None and view.is_sent else None

    def _is_told(self, view: GiftView) -> bool:
        return view.is_open and bool(self.context.get("with_gift_codes"))


class OrderOutcomeSerializer(serializers.Serializer[OrderFacts]):
    """What became of an order."""

    discount_code = serializers.CharField(help_text="Empty where there was none.")
    terms_version = serializers.CharField(
        source="order.terms_version",
        help_text="Of the terms of sale in force then (`shop/`, `legal`); empty: there were none.",
    )
    consent = ConsentGivenSerializer(
        allow_null=True, help_text="null where there was nothing to pay."
    )
    checkout_url = serializers.URLField(
        source="checkout.url",
        read_only=True,
        allow_null=True,
        help_text="Where it can be paid now, in a browser; null when it does not wait for its buyer.",
    )
    expires_at = serializers.DateTimeField(
        source="checkout.expires_at",
        read_only=True,
        allow_null=True,
        help_text="When `checkout_url` ends.",
    )
    payments = PaymentSerializer(many=True)
    refunds = RefundSerializer(many=True)
    is_disputed = serializers.BooleanField(
        help_text="A bank is asking for the money back, and files are closed meanwhile."
    )
    is_lost = serializers.BooleanField(help_text="A bank took the money back.")
    gifts = GiftCopySerializer(many=True, help_text="Copies to give away, once it is paid.")


@extend_schema_serializer(
    examples=[
        OpenApiExample("Paid", value=ORDER | OUTCOME, response_only=True),
        OpenApiExample(
            "Waiting for its buyer", value=ORDER | OUTCOME | WAITING, response_only=True
        ),
    ]
)
class OrderDetailSerializer(OrderOutcomeSerializer, OrderSerializer):
    """An order, and what became of it."""

    class Meta(OrderSerializer.Meta):
        fields = [*OrderSerializer.Meta.fields, *OrderOutcomeSerializer._declared_fields]

    def to_representation(self, facts: Any) -> dict[str, Any]:
        refunded = {facts.order.pk: facts.refunded_pennies}
        agreed = OrderSerializer(facts.order, context={"refunded": refunded}).data
        return {**agreed, **OrderOutcomeSerializer(facts, context=self.context).data}


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "It can be paid",
            value=RESUMED,
            response_only=True,
        )
    ]
)
class ResumedSerializer(serializers.Serializer[Any]):
    order = serializers.UUIDField(source="order.pk")
    status = serializers.ChoiceField(source="order.status", choices=Order.Status.choices)
    checkout_url = serializers.URLField(
        allow_null=True, help_text="Open it in a browser; null when it turned out to be paid."
    )
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When that ends.")


class SellerSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="shop.shop_name")
    email = serializers.CharField(
        source="shop.contact_email", help_text="Empty where none is given."
    )
    url = serializers.URLField(source="shop_url")


class PaidBySerializer(serializers.Serializer[Payment]):
    amount_pennies = serializers.IntegerField(
        source="captured_pennies", help_text="What was taken, tax included."
    )
    card_brand = serializers.CharField(help_text="Empty where no card was used.")
    card_last4 = serializers.CharField()
    paid_at = serializers.DateTimeField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An album",
            value=RECEIPT,
            response_only=True,
        )
    ]
)
class ReceiptSerializer(serializers.Serializer[Receipt]):
    """What the receipt letter says, as data."""

    order = serializers.UUIDField(source="order.pk")
    number = serializers.CharField(source="order.number")
    seller = SellerSerializer(source="*")
    buyer_email = serializers.CharField(source="order.email")
    ordered_at = serializers.DateTimeField(source="order.created_at")
    paid_at = serializers.DateTimeField(source="order.paid_at")
    currency = serializers.CharField(source="order.currency", help_text="ISO 4217.")
    lines = OrderLineSerializer(source="order.items", many=True)
    subtotal_pennies = serializers.IntegerField(
        source="order.subtotal_pennies", help_text="Before discount and tax on top."
    )
    discount_code = serializers.CharField(help_text="Empty where there was none.")
    discount_pennies = serializers.IntegerField(source="order.discount_pennies")
    tax_pennies = serializers.IntegerField(source="order.tax_pennies")
    tax_behavior = serializers.ChoiceField(
        source="order.tax_behavior", choices=Order.TaxBehavior.choices
    )
    total_pennies = serializers.IntegerField(source="order.total_pennies")
    payment = PaidBySerializer(allow_null=True, help_text="null where there was nothing to pay.")
    refunds = RefundSerializer(many=True)
    refunded_pennies = serializers.IntegerField(help_text="What went back and has arrived.")
    terms_version = serializers.CharField(
        source="order.terms_version",
        help_text="Of the terms of sale in force then (`shop/`, `legal`); empty: there were none.",
    )
    consent = ConsentGivenSerializer(
        allow_null=True, help_text="null where there was nothing to pay."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "On its way",
            value={"email": "robin@example.com"},
            response_only=True,
            status_codes=["202"],
        )
    ]
)
class ReceiptSentSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(source="to_email", help_text="Where the receipt is going.")
