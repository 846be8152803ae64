"""Carts: whose one it is, `store_api/caller.py` decides; what goes in, the services that the pages use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from catalog_pages.errors import DomainError
from orders.errors import CartItemNotFound, CartUnknown, GiftInvalid
from orders.models import Cart
from orders.services import carts
from orders.services.code_tries import cart_try_code
from orders.services.pricing import cart_summary
from orders.services.shopper import shopper_with
from orders.services.whose_cart import cart_with_secret
from store_api.caller import (
    CART_TOKEN,
    cart_guesses_counted,
    cart_of,
    cart_remember,
    opened_of,
    shopper_of,
    trier_of,
    user_of,
    whose_cart,
)
from store_api.idempotency import IdempotentCreateMixin
from store_api.permissions import ScopedViewMixin
from store_api.scopes import Scope
from store_api.serializers import NothingSerializer
from store_api.v1.serializers.carts import (
    CartItemSerializer,
    CartSerializer,
    DiscountSerializer,
    ItemChangeSerializer,
    NewCartSerializer,
    NewItemSerializer,
)
from store_api.v1.views.orders import problem_when

GIFT_FIELDS = {
    "is_gift": "is_gift",
    "gift_email": "email",
    "gift_message": "message",
    "gift_send_on": "send_on",
}
NO_CART = "There is no cart yet. Put something in first."
TOKEN = OpenApiParameter(
    CART_TOKEN,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The secret of a cart made by `POST carts/`. Without it the cart is the account's, or "
    "that of a browser's session.",
)
CART_UNKNOWN = problem_when("`cart_unknown`: the secret opens no cart, or there is none yet.")
ITEM = OpenApiParameter(
    "item_id", OpenApiTypes.INT64, OpenApiParameter.PATH, description="A line's `id`."
)


@contextmanager
def gift_fields_as_here() -> Iterator[None]:
    """What the service calls `email` is `gift_email` in a cart's line."""
    try:
        yield
    except GiftInvalid as error:
        error.field = f"gift_{error.field}" if error.field else ""
        raise


class CartViewBase(ScopedViewMixin, ViewSet):
    permission_classes = [AllowAny]
    scope = Scope.CART_WRITE

    def cart(self) -> Cart | None:
        return cart_of(self.request)

    def cart_with(self, missing: DomainError) -> Cart:
        """The current cart. Raises `missing` where there is none."""
        cart = self.cart()
        if cart is None:
            raise missing
        return cart

    def answer(self, cart: Cart | None) -> Response:
        """The cart as it would be charged now."""
        summary = cart_summary(cart=cart, shopper=shopper_of(self.request))
        return Response(CartSerializer(summary).data)


@extend_schema(tags=["cart"])
class CartsViewSet(CartViewBase):
    """Carts of callers who are not signed in and have no browser session."""

    @extend_schema(
        operation_id="cart_create",
        summary="Make an empty cart",
        description="For apps whose buyer is not signed in. The answer holds the cart's secret, this once; "
        "send it as `X-Cart-Token` from then on. Sent along with a sign-in, the cart joins the account's.",
        request=None,
        responses={201: NewCartSerializer},
    )
    def create(self, request: Request) -> Response:
        NothingSerializer.read(request)
        cart, secret = cart_with_secret()
        summary = cart_summary(cart=cart)
        body = {"token": secret, "cart": CartSerializer(summary).data}
        return Response(body, status=status.HTTP_201_CREATED)


@extend_schema(tags=["cart"], parameters=[TOKEN])
class CartViewSet(CartViewBase):
    """The current cart."""

    @extend_schema(
        operation_id="cart_retrieve",
        summary="What is in the cart, and what it would cost now",
        description="Prices are looked up at every read. Whoever has no cart yet reads an empty one.",
        responses={200: CartSerializer, 404: CART_UNKNOWN},
    )
    def retrieve(self, request: Request) -> Response:
        return self.answer(self.cart())

    @extend_schema(
        operation_id="cart_empty",
        summary="Empty the cart",
        description="Its lines and its discount code go; its secret works on.",
        responses={204: None, 404: CART_UNKNOWN},
    )
    def destroy(self, request: Request) -> Response:
        cart = self.cart()
        if cart is not None:
            carts.cart_empty(cart=cart)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["cart"], parameters=[TOKEN])
class CartItemsViewSet(IdempotentCreateMixin, CartViewBase):
    """Putting things in."""

    @extend_schema(
        operation_id="cart_item_create",
        summary="Put a product in",
        description="The answer is the line as it is now; `cart/` has totals, and what hinders checking "
        "out. What is sent is a product and a quantity, never what it costs, but for products whose buyers "
        "choose their price.",
        request=NewItemSerializer,
        responses={
            201: CartItemSerializer,
            404: problem_when("`product_not_for_sale` or `cart_unknown`."),
        },
    )
    def create(self, request: Request) -> Response:
        wanted = NewItemSerializer.read(request)
        opened = opened_of(request)  # an order's token that opens nothing is refused, needed or not
        asked = carts.Wanted(
            product_id=wanted["product"],
            quantity=wanted.get("quantity"),
            chosen_price_pennies=wanted.get("price_pennies"),
            is_gift=wanted["is_gift"],
            shopper=lambda: shopper_with(user=user_of(request), opened=opened),
        )
        with cart_guesses_counted(request):
            item = carts.cart_put(whose=whose_cart(request), wanted=asked)
        cart_remember(request, item.cart_id)
        return Response(CartItemSerializer(item).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["cart"], parameters=[TOKEN, ITEM])
class CartItemViewSet(CartViewBase):
    """One line of the cart."""

    @extend_schema(
        operation_id="cart_item_update",
        summary="Change a line",
        description="All of it or nothing; what is not sent stays. The answer is the whole cart.",
        request=ItemChangeSerializer,
        responses=CartSerializer,
    )
    def partial_update(self, request: Request, item_id: int) -> Response:
        wanted = ItemChangeSerializer.read(request)
        cart = self.cart_with(CartItemNotFound())
        with gift_fields_as_here():
            carts.cart_change_item(
                cart=cart,
                item_id=item_id,
                quantity=wanted.get("quantity"),
                chosen_price_pennies=wanted.get("price_pennies"),
                gift={GIFT_FIELDS[name]: wanted[name] for name in GIFT_FIELDS if name in wanted},
            )
        return self.answer(cart)

    @extend_schema(
        operation_id="cart_item_delete", summary="Take a line out", responses={204: None}
    )
    def destroy(self, request: Request, item_id: int) -> Response:
        carts.cart_remove(cart=self.cart_with(CartItemNotFound()), item_id=item_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["cart"], parameters=[TOKEN])
class CartDiscountViewSet(IdempotentCreateMixin, CartViewBase):
    """The one discount code of a cart."""

    @extend_schema(
        operation_id="cart_discount_set",
        summary="Use a discount code",
        description="It takes the place of the one that was there. Codes that we do not know are counted: "
        "after 30 in an hour nobody at that address is told any more.",
        request=DiscountSerializer,
        responses={
            200: CartSerializer,
            404: problem_when("`discount_unknown` or `cart_unknown`."),
        },
    )
    def create(self, request: Request) -> Response:
        wanted = DiscountSerializer.read(request)
        cart = self.cart_with(CartUnknown(NO_CART))
        cart_try_code(
            cart=cart,
            code=wanted["code"],
            trier=trier_of(request),
            shopper=shopper_of(request),
        )
        return self.answer(cart)

    @extend_schema(
        operation_id="cart_discount_remove",
        summary="Take the code out",
        responses={204: None, 404: CART_UNKNOWN},
    )
    def destroy(self, request: Request) -> Response:
        cart = self.cart()
        if cart is not None:
            carts.cart_drop_code(cart=cart)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["cart"], parameters=[TOKEN])
class CartPricesViewSet(IdempotentCreateMixin, CartViewBase):
    """Prices that changed while a product lay in the cart."""

    @extend_schema(
        operation_id="cart_prices_accept",
        summary="Agree to today's prices",
        description="Lines whose `problem` is `repriced` or `below_minimum` can be checked out after it. "
        "Show the buyer the new prices first.",
        request=None,
        responses={
            200: CartSerializer,
            404: CART_UNKNOWN,
        },
    )
    def create(self, request: Request) -> Response:
        NothingSerializer.read(request)
        cart = self.cart_with(CartUnknown(NO_CART))
        carts.cart_accept_prices(cart=cart)
        return self.answer(cart)
