"""The cart, by form and by JSON: translate in, call one service, translate out."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from catalog_pages.errors import DomainError
from catalog_pages.money import format_money
from orders.errors import CartItemNotFound, GiftInvalid, PriceInvalid, ProductNotForSale
from orders.models import Cart, Order
from orders.services import carts, offers
from orders.services.code_tries import cart_try_code
from orders.services.gift_facts import gift_day
from orders.services.ownership import cart_held, ownership_of, products_shown
from orders.services.pricing import CartSummary, cart_summary
from orders.services.whose_cart import Whose, cart_of_guest, cart_of_user
from orders.throttles import trier_of
from orders.views.drawer import render_drawer, render_refusal, wants_fragment
from orders.views.guests import shopper_of
from orders.views.prices import PRICE_ERRORS, ask_price_again, posted_price, typed_price
from orders.views.same_origin import same_origin_or_token

CAME_TO_NOTHING = (Order.Status.FAILED, Order.Status.EXPIRED)
SESSION_KEY = "cart_id"
MAX_JSON_BYTES = 10_000
CartAction = Callable[[HttpRequest, Mapping[str, Any]], str]


class BadJson(DomainError):
    code = "bad_json"
    status = 400
    message = _("The body must be one JSON object.")


def request_cart(request: HttpRequest, *, create: bool = False) -> Cart | None:
    """The signed-in shopper's cart, else the one that this session names."""
    if request.user.is_authenticated:
        return cart_of_user(user_id=request.user.pk, create=create)
    known = request.session.get(SESSION_KEY)
    session_key = request.session.session_key
    cart = cart_of_guest(cart_id=known, create=create, session_key=session_key)
    if cart is not None and create and known != str(cart.pk):
        request.session[SESSION_KEY] = str(cart.pk)
    return cart


def _whose(request: HttpRequest) -> Whose:
    """The cart that is this shopper's, not looked up."""
    if request.user.is_authenticated:
        return Whose(user_id=request.user.pk)
    session = request.session
    return Whose(guest_cart_id=session.get(SESSION_KEY), session_key=session.session_key)


def _remember(request: HttpRequest, cart_id: uuid.UUID) -> None:
    """A guest's cart is known by the session alone."""
    if not request.user.is_authenticated and request.session.get(SESSION_KEY) != str(cart_id):
        request.session[SESSION_KEY] = str(cart_id)


def titles_left(request: HttpRequest, order: Order) -> list[str]:
    """What the cart holds for whoever comes back from an order that came to nothing; else nothing."""
    cart = request_cart(request) if order.status in CAME_TO_NOTHING else None
    if cart is None:
        return []
    return list(cart.items.order_by("pk").values_list("product__title", flat=True))


def request_summary(request: HttpRequest) -> CartSummary:
    """This shopper's cart as it would be charged now."""
    return cart_summary(cart=request_cart(request), shopper=shopper_of(request))


@never_cache
@vary_on_headers("HX-Request")
@require_safe
def cart(request: HttpRequest) -> HttpResponse:
    summary = request_summary(request)
    if wants_json(request):
        return JsonResponse(summary_json(summary))
    if wants_fragment(request):
        return render_drawer(request, summary)
    return render_cart(request, summary)


def render_cart(
    request: HttpRequest,
    summary: CartSummary,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
    typed: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """`errors`: item id (after `price-` where it is about the price), "code", or "" for the cart as a
    whole, to its sentence; `typed`: what is kept.
    """
    context = {"summary": summary, "errors": errors or {}, "typed": typed or {}}
    return render(request, "orders/cart.html", context, status=status)


@never_cache
@require_safe
def header_fragment(request: HttpRequest) -> HttpResponse:
    """The only personal bytes of a public page: cart count, account, and what is owned or in the cart.

    `product`: whose page it is; `shown`: the products in its lists.
    """
    product, shown = request.GET.get("product", ""), products_shown(request.GET.get("shown", ""))
    ownership = ownership_of(shopper_of(request), product, shown)
    held = cart_held(cart=request_cart(request))
    context = {
        "cart_count": held.count,
        "is_marking": bool(product or shown),
        "owned": ownership.shown,
        "in_cart": [pk for pk in shown if pk in held.products],
        "own_copy": held.own & {offers.row_id(product)},
        "owned_product_id": ownership.product_id,
        "contents": ownership.contents,
        "owned_contents": ownership.owned_contents,
        "purchases_url": reverse("orders:purchases"),
    }
    return render(request, "orders/_header_fragment.html", context)


def cart_post(action: CartAction) -> Callable[[HttpRequest], HttpResponse]:
    """A POST that changes the cart: form in, redirect out, or the drawer for a page that shows it;
    JSON in, JSON out; errors in all tongues."""

    @never_cache
    @vary_on_headers("HX-Request")
    @require_POST
    @wraps(action)
    def view(request: HttpRequest) -> HttpResponse:
        data: Mapping[str, Any] = {}
        try:
            data = _posted(request)
            sentence = action(request, data)
        except DomainError as error:
            return _refusal(request, data, error)
        if wants_json(request):
            return JsonResponse(summary_json(request_summary(request)))
        if wants_fragment(request):
            return render_drawer(request, request_summary(request), sentence)
        messages.success(request, sentence)
        return HttpResponseRedirect(reverse("orders:cart"), status=303)

    return view


def _add(request: HttpRequest, data: Mapping[str, Any]) -> str:
    # Pressing the button twice means one copy; whoever wants more says how many.
    quantity = carts.parse_quantity(data["quantity"]) if "quantity" in data else None
    product = offers.product_to_put(data.get("product"))
    wanted = carts.Wanted(
        product.pk,
        quantity=quantity,
        chosen_price_pennies=posted_price(data) if product.pay_what_you_want else None,
        is_gift=is_yes(data.get("as_gift")),
        shopper=lambda: shopper_of(request),
    )
    item = carts.cart_put(whose=_whose(request), wanted=wanted, product=product)
    _remember(request, item.cart_id)
    if item.is_gift:
        return gettext(
            "“{title}” is in your cart as a gift. You can say there who gets it."
        ).format(title=item.product.title)
    return gettext("“{title}” is in your cart.").format(title=item.product.title)


def _update(request: HttpRequest, data: Mapping[str, Any]) -> str:
    quantity = carts.parse_quantity(data.get("quantity"), zero_removes=True)
    carts.cart_set_quantity(cart=_existing(request), item_id=data.get("item"), quantity=quantity)
    return gettext("Your cart is up to date.") if quantity else gettext("Removed from your cart.")


def _set_price(request: HttpRequest, data: Mapping[str, Any]) -> str:
    price = posted_price(data)
    if price is None:
        raise PriceInvalid
    carts.cart_set_price(
        cart=_existing(request), item_id=data.get("item"), chosen_price_pennies=price
    )
    return gettext("Your price is noted.")


def _set_gift(request: HttpRequest, data: Mapping[str, Any]) -> str:
    is_gift = is_yes(data.get("is_gift"))
    carts.cart_set_gift(
        cart=_existing(request),
        item_id=data.get("item"),
        is_gift=is_gift,
        email=_text(data.get("gift_email")),
        message=_text(data.get("gift_message")),
        send_on=gift_day(data.get("gift_send_on")),
    )
    return gettext("Your cart is up to date.")


def is_yes(raw: object) -> bool:
    """A ticked box of a form, or true in JSON."""
    return raw is True or raw in ("on", "1", "true", "yes")


def _text(raw: object) -> str:
    return raw if isinstance(raw, str) else ""


def _remove(request: HttpRequest, data: Mapping[str, Any]) -> str:
    carts.cart_remove(cart=_existing(request), item_id=data.get("item"))
    return gettext("Removed from your cart.")


def _accept_prices(request: HttpRequest, data: Mapping[str, Any]) -> str:
    carts.cart_accept_prices(cart=_existing(request))
    return gettext("Your cart shows today's prices.")


def _apply_code(request: HttpRequest, data: Mapping[str, Any]) -> str:
    code = cart_try_code(
        cart=_existing(request),
        code=data.get("code"),
        trier=trier_of(request),
        shopper=shopper_of(request),
    )
    return gettext("The code {code} is in your cart.").format(code=code)


def _drop_code(request: HttpRequest, data: Mapping[str, Any]) -> str:
    carts.cart_drop_code(cart=_existing(request))
    return gettext("The code is out of your cart.")


cart_add = same_origin_or_token(cart_post(_add))
cart_update = cart_post(_update)
cart_price = cart_post(_set_price)
cart_remove = cart_post(_remove)
cart_gift = cart_post(_set_gift)
cart_accept_prices = cart_post(_accept_prices)
cart_apply_code = cart_post(_apply_code)
cart_drop_code = cart_post(_drop_code)


def _existing(request: HttpRequest) -> Cart:
    basket = request_cart(request)
    if basket is None:
        raise CartItemNotFound
    return basket


def _posted(request: HttpRequest) -> Mapping[str, Any]:
    if request.content_type != "application/json":
        return request.POST
    if len(request.body) > MAX_JSON_BYTES:
        raise BadJson
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadJson from error
    if not isinstance(data, dict):
        raise BadJson
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # half of a character, which no database takes
        raise BadJson from error
    return data


def _refusal(request: HttpRequest, data: Mapping[str, Any], error: DomainError) -> HttpResponse:
    if wants_json(request):
        return problem_json(error)
    if wants_fragment(request):
        if "product" in data:
            return render_refusal(request, error)
        return render_drawer(request, request_summary(request), error=error)
    if error.status == 404 and "product" in data:
        raise Http404(error.message)
    is_about_price = isinstance(error, PRICE_ERRORS)
    if is_about_price and "product" in data and "item" not in data:
        try:
            product = offers.product_for_sale(data["product"])
        except ProductNotForSale as gone:  # in this very moment
            raise Http404(gone.message) from gone
        return ask_price_again(request, product, data, error)
    summary = request_summary(request)
    place = "code" if "code" in data else str(data.get("item") or "")
    if not summary.lines or place not in {"code", *(str(line.item_id) for line in summary.lines)}:
        place = ""
    typed = {"code": data.get("code", "")}
    if isinstance(error, GiftInvalid) and place:
        place = f"gift-{place}"
        typed[place] = data
    if is_about_price and place:
        place = f"price-{place}"
        typed[place] = typed_price(data)
    return render_cart(request, summary, {place: error.message}, status=error.status, typed=typed)


def wants_json(request: HttpRequest) -> bool:
    return request.content_type == "application/json" or (
        request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    )


def problem_json(error: DomainError) -> JsonResponse:
    """RFC 9457, as the API answers."""
    body = {
        "type": "about:blank",
        "title": error.message,
        "status": error.status,
        "code": error.code,
    }
    return JsonResponse(body, status=error.status, content_type="application/problem+json")


def summary_json(summary: CartSummary) -> dict[str, Any]:
    return {
        "currency": summary.currency,
        "count": summary.count,
        "subtotal_pennies": summary.subtotal_pennies,
        "discount_pennies": summary.discount_pennies,
        "discount_code": summary.discount_code,
        "discount_message": summary.discount_message,
        "total_pennies": summary.total_pennies,
        "total": format_money(summary.total_pennies, summary.currency),
        "can_checkout": summary.can_checkout,
        "max_quantity": settings.CART_MAX_QUANTITY,
        "lines": [
            {
                "item": line.item_id,
                "product": line.product.pk,
                "title": line.title,
                "artist": line.artist_name,
                "quantity": line.quantity,
                "unit_price_pennies": line.unit_price_pennies,
                "line_total_pennies": line.line_total_pennies,
                "discount_pennies": line.discount_pennies,
                "problem": line.problem,
                "message": line.message,
            }
            for line in summary.lines
        ],
    }
