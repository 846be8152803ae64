"""What is in a cart and what it would cost now. Amounts are minor units of the shop's currency."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from catalog_pages.addresses import page_url
from catalog_pages.models import ProductPage
from catalog_pages.money import BY_SYMBOL, MAX_PRICE_PENNIES, format_money
from catalog_pages.renditions import SPECS
from orders.consent import CONSENT_TEXTS, CONSENT_VERSION, agreement_now
from orders.models import CartItem
from orders.services.pricing import CartLine, CartSummary, Contained, price_now
from store_api.serializers import (
    DayField,
    PlainModelSerializer,
    StrictSerializer,
    TextField,
    WholeNumberField,
    YesNoField,
)
from store_api.v1.serializers.catalogue import CoverSerializer

MAX_MESSAGE = 500
LINE_PROBLEMS = [
    "", "repriced", "below_minimum", "owned", "unavailable", "quantity", "gift_without_copy",
]  # fmt: skip
CART_PROBLEMS = [
    "", "cart_empty", "cart_needs_attention", "already_owned", "discount_not_usable", "amount_too_small",
    "amount_too_large",
]  # fmt: skip
MAX_CODE = 64
MAX_ID = 2**63 - 1
PRODUCT = {"id": 12, "slug": "tidewater", "title": "Tidewater", "artist": "Low Sun"}
LINE = {
    "id": 7,
    "product": PRODUCT
    | {
        "url": "https://shop.example/catalog/tidewater/",
        "covers": [
            {"width": 320, "url": "https://shop.example/media/images/tidewater.width-320.webp"}
        ],
        "pay_what_you_want": False,
        "contains": [],
    },
    "quantity": 1,
    "list_price_pennies": 899,
    "unit_price_pennies": 899,
    "total_pennies": 899,
    "discount_pennies": 0,
    "is_gift": False,
    "gift_email": "",
    "gift_message": "",
    "gift_send_on": None,
    "problem": "",
    "message": "",
}
CART = {
    "currency": "GBP",
    "count": 1,
    "lines": [LINE],
    "subtotal_pennies": 899,
    "discount_pennies": 0,
    "discount_code": "",
    "discount_message": "",
    "total_pennies": 899,
    "total": "£8.99",
    "tax": "none",
    "can_checkout": True,
    "problem": "",
    "message": "",
    "consent": {"version": CONSENT_VERSION, "text": CONSENT_TEXTS[CONSENT_VERSION]},
}


class ItemProductSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    title = serializers.CharField()
    artist = serializers.CharField(help_text="Empty where there is none.")


class ContainedSerializer(serializers.Serializer[Contained]):
    id = serializers.IntegerField(source="product_id")
    title = serializers.CharField()
    is_owned = serializers.BooleanField(help_text="Whether the buyer has it already.")


class LineProductSerializer(ItemProductSerializer):
    url = serializers.URLField(help_text="The product's page.")
    covers = CoverSerializer(many=True)
    pay_what_you_want = serializers.BooleanField(
        help_text="Buyers choose a price; `list_price_pennies` is the least."
    )
    contains = ContainedSerializer(many=True, help_text="Of a bundle, what is in it.")


def covers_of(product: ProductPage) -> list[dict[str, Any]]:
    """Those that are ready, small before large."""
    renditions = product.cover.ready_renditions if product.cover else []
    found = {rendition.filter_spec: rendition for rendition in renditions}
    ready = [found[spec] for spec in SPECS.values() if spec in found]
    return [{"width": image.width, "url": settings.SITE_BASE_URL + image.url} for image in ready]


class ConsentSerializer(serializers.Serializer[Any]):
    version = serializers.CharField()
    text = serializers.CharField(help_text="Show it beside a box that the buyer ticks.")


class CartLineSerializer(serializers.Serializer[CartLine]):
    id = serializers.IntegerField(
        source="item_id", help_text="Names the line in `cart/items/{item_id}/`."
    )
    product = serializers.SerializerMethodField()
    quantity = serializers.IntegerField()
    list_price_pennies = serializers.IntegerField(help_text="The product's own price now.")
    unit_price_pennies = serializers.IntegerField(
        help_text="What one would be charged now: that price, or what the buyer chose."
    )
    total_pennies = serializers.IntegerField(
        source="line_total_pennies", help_text="All copies, before the discount."
    )
    discount_pennies = serializers.IntegerField(help_text="The line's share of the discount.")
    is_gift = serializers.BooleanField(
        help_text="All copies are for others; otherwise the first is the buyer's."
    )
    gift_email = serializers.CharField(help_text="Who is sent the first gift copy; empty: nobody.")
    gift_message = serializers.CharField()
    gift_send_on = serializers.DateField(allow_null=True, help_text="null: once it is paid.")
    problem = serializers.ChoiceField(
        choices=LINE_PROBLEMS,
        help_text="What hinders checking out: `repriced` and `below_minimum` until the price is agreed to "
        "(`cart/accept-prices/`); `owned`, `unavailable`, `quantity` and `gift_without_copy` until the line "
        "is changed or taken out. Empty: nothing.",
    )
    message = serializers.CharField(help_text="The sentence that goes with it, or a remark.")

    @extend_schema_field(LineProductSerializer)
    def get_product(self, line: CartLine) -> Any:
        product = line.product
        shown = {
            "id": product.pk,
            "slug": product.slug,
            "title": line.title,
            "artist": line.artist_name,
            "url": page_url(product.url_path),
            "covers": covers_of(product),
            "pay_what_you_want": product.pay_what_you_want,
            "contains": line.contains,
        }
        return LineProductSerializer(shown).data


ITEM = {name: LINE[name] for name in ("id", "quantity", "is_gift")} | {
    "product": PRODUCT,
    "unit_price_pennies": 899,
    "total_pennies": 899,
}


@extend_schema_serializer(examples=[OpenApiExample("One album", value=ITEM, response_only=True)])
class CartItemSerializer(PlainModelSerializer[CartItem]):
    """A line that something was just put into."""

    product = serializers.SerializerMethodField()
    unit_price_pennies = serializers.SerializerMethodField(help_text="What one costs now.")
    total_pennies = serializers.SerializerMethodField(help_text="All copies, before any discount.")

    class Meta:
        model = CartItem
        fields = [
            "id", "product", "quantity", "is_gift", "unit_price_pennies", "total_pennies",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ItemProductSerializer)
    def get_product(self, item: CartItem) -> dict[str, Any]:
        artist = item.product.artist
        return {
            "id": item.product.pk,
            "slug": item.product.slug,
            "title": item.product.title,
            "artist": artist.name if artist else "",
        }

    def get_unit_price_pennies(self, item: CartItem) -> int:
        return price_now(item, item.product)[0]

    def get_total_pennies(self, item: CartItem) -> int:
        return self.get_unit_price_pennies(item) * item.quantity


@extend_schema_serializer(examples=[OpenApiExample("One album", value=CART, response_only=True)])
class CartSerializer(serializers.Serializer[CartSummary]):
    currency = serializers.CharField(help_text="ISO 4217.")
    count = serializers.IntegerField(help_text="How many copies.")
    lines = CartLineSerializer(many=True)
    subtotal_pennies = serializers.IntegerField()
    discount_pennies = serializers.IntegerField()
    discount_code = serializers.CharField(help_text="Empty where there is none.")
    discount_message = serializers.CharField(
        help_text="Why the code takes nothing off, and has to be taken out before checking out; or empty."
    )
    total_pennies = serializers.IntegerField(help_text="Before tax that is added on top.")
    total = serializers.SerializerMethodField(help_text="As people write it, such as £8.99.")
    tax = serializers.ChoiceField(
        choices=["none", "inclusive", "exclusive"], help_text="Whether prices hold the tax already."
    )
    can_checkout = serializers.BooleanField()
    problem = serializers.SerializerMethodField(
        help_text="Why checking out would be refused now, with the code that it would have; empty: it "
        "would not."
    )
    message = serializers.SerializerMethodField(help_text="The sentence that goes with it.")
    consent = serializers.SerializerMethodField(
        help_text="What a buyer agrees to at checkout, when there is something to pay."
    )

    @extend_schema_field(ConsentSerializer)
    def get_consent(self, summary: CartSummary) -> dict[str, str]:
        agreement = agreement_now()
        return {"version": agreement.consent_version, "text": agreement.consent_text}

    def get_total(self, summary: CartSummary) -> str:
        return format_money(summary.total_pennies, summary.currency, by=BY_SYMBOL)

    @extend_schema_field(serializers.ChoiceField(choices=CART_PROBLEMS))
    def get_problem(self, summary: CartSummary) -> str:
        return summary.refusal.code if summary.refusal else ""

    def get_message(self, summary: CartSummary) -> str:
        return summary.refusal.message if summary.refusal else ""


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new cart",
            value={"token": "p3Jc0v1ZyX7rJ3mJ2u3bq1oXoVbQyK8m4mVb1m0T9sE", "cart": CART},  # nosec B105  # an example
            response_only=True,
        )
    ]
)
class NewCartSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="Send it as `X-Cart-Token`. It is shown this once.")
    cart = CartSerializer()


class QuantityField(WholeNumberField):
    """From 1, or 0 where that removes, to what the operator allows."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_value=settings.CART_MAX_QUANTITY, **kwargs)


class GiftFields(StrictSerializer):
    is_gift = YesNoField(required=False, help_text="All copies are for others.")
    gift_email = TextField(
        required=False,
        allow_blank=True,
        max_length=254,
        help_text="Who is sent the first gift copy.",
    )
    gift_message = TextField(required=False, allow_blank=True, max_length=MAX_MESSAGE)
    gift_send_on = DayField(
        required=False, allow_null=True, help_text="The day to send it; null: once it is paid."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample("An album", value={"product": 12}, request_only=True),
        OpenApiExample(
            "Two copies, one of them to give away",
            value={"product": 12, "quantity": 2},
            request_only=True,
        ),
        OpenApiExample(
            "A price of one's own", value={"product": 15, "price_pennies": 700}, request_only=True
        ),
    ]
)
class NewItemSerializer(StrictSerializer):
    product = WholeNumberField(min_value=1, max_value=MAX_ID, help_text="A product's `id`.")
    quantity = QuantityField(
        required=False,
        min_value=1,
        help_text="How many more; without it the product is in the cart once, however often it is sent.",
    )
    price_pennies = WholeNumberField(
        required=False,
        min_value=0,
        max_value=MAX_PRICE_PENNIES,
        help_text="What the buyer chooses to pay for one, where the product allows it.",
    )
    is_gift = YesNoField(required=False, default=False, help_text="To give away.")


@extend_schema_serializer(
    examples=[
        OpenApiExample("Another quantity", value={"quantity": 3}, request_only=True),
        OpenApiExample(
            "A gift",
            value={
                "is_gift": True,
                "gift_email": "robin@example.com",
                "gift_message": "Happy birthday",
                "gift_send_on": "2027-03-14",
            },
            request_only=True,
        ),
    ]
)
class ItemChangeSerializer(GiftFields):
    quantity = QuantityField(required=False, min_value=0, help_text="0 removes the line.")
    price_pennies = WholeNumberField(
        required=False,
        min_value=0,
        max_value=MAX_PRICE_PENNIES,
        help_text="What the buyer chooses to pay for one.",
    )


@extend_schema_serializer(
    examples=[OpenApiExample("A code", value={"code": "SPRING"}, request_only=True)]
)
class DiscountSerializer(StrictSerializer):
    code = TextField(
        max_length=MAX_CODE, help_text="As it was told; case and spaces around it do not matter."
    )
