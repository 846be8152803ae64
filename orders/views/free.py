"""What costs nothing: one click for whoever is signed in, one address more for guests."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from catalog_pages.errors import DomainError
from catalog_pages.models import ProductPage
from orders.errors import AlreadyOwned, ProductNotForSale, ProductNotFree, TooManyTries
from orders.services.carts import cart_add
from orders.services.checkout import checkout_free, order_success_url
from orders.services.offers import product_for_sale
from orders.throttles import refuse_many_free_orders, trier_of
from orders.views.cart import render_cart, request_cart, request_summary
from orders.views.same_origin import same_origin_or_token


@same_origin_or_token
@never_cache
@require_POST
def free(request: HttpRequest) -> HttpResponse:
    """Signed in: ordered at once. A guest goes by the cart, which asks for an address."""
    try:
        product = product_for_sale(request.POST.get("product"))
    except ProductNotForSale as error:
        raise Http404(error.message) from error
    if not request.user.is_authenticated:
        return _by_the_cart(request, product)
    try:
        refuse_many_free_orders(trier_of(request), user=request.user)
        order = checkout_free(product=product, user=request.user)
    except TooManyTries:
        return _too_often(request)
    except AlreadyOwned as error:
        messages.info(request, error.message)
        return HttpResponseRedirect(reverse("orders:purchases"), status=303)
    except ProductNotFree:
        messages.warning(
            request,
            _("“{title}” has a price now. Look at it before you pay.").format(title=product.title),
        )
        return _by_the_cart(request, product)
    except DomainError as error:
        return render_cart(request, request_summary(request), {"": error.message}, error.status)
    return HttpResponseRedirect(order_success_url(order), status=303)


def _by_the_cart(request: HttpRequest, product: ProductPage) -> HttpResponse:
    try:
        basket = request_cart(request, create=True)
        assert basket is not None  # noqa: S101  # nosec B101  # create=True
        cart_add(cart=basket, product_id=product.pk)
    except DomainError as error:
        return render_cart(request, request_summary(request), {"": error.message}, error.status)
    return HttpResponseRedirect(reverse("orders:cart"), status=303)


def _too_often(request: HttpRequest) -> HttpResponse:
    return render(request, "orders/free_too_often.html", status=429)
