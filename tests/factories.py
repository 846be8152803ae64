"""Real rows and real files for tests; every value that a test cares about is an argument."""

from __future__ import annotations

import hashlib
import itertools
import zlib
from typing import Any

from allauth.account.models import EmailAddress
from django.core.files.base import ContentFile
from django.test import override_settings
from django.utils import timezone
from wagtail.models import Revision
from wagtail.signal_handlers import disable_reference_index_auto_update
from wagtail.signals import page_published

from catalog_pages.models import (
    Artist,
    BundledProduct,
    CataloguePage,
    DigitalAsset,
    ProductPage,
    ProductTrack,
    TrackFile,
)
from orders.models import Cart, Order
from orders.services.carts import cart_add
from orders.services.checkout import CheckoutStarted, checkout_start
from orders.services.whose_cart import cart_of_user
from orders.stripe_sandbox import actions, controls
from site_config.accounts.models import User

_numbers = itertools.count(1)
PASSWORD = "correct-horse-battery"


def make_user(email: str = "", *, verified: bool = True, **fields: Any) -> User:
    user = User.objects.create_user(
        email or f"shopper{next(_numbers)}@example.com", PASSWORD, **fields
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=verified, primary=True)
    return user


def make_editor(email: str = "") -> User:
    return make_user(
        email or f"editor{next(_numbers)}@example.com", is_staff=True, is_superuser=True
    )


def make_asset(content: bytes = b"", *, file_name: str = "", **fields: Any) -> DigitalAsset:
    """An asset with exactly these bytes in protected storage. Not playable: see sample_audio for that."""
    number = next(_numbers)
    content = content or f"bytes of recording {number} ".encode() * 400
    asset = DigitalAsset(
        file_name=file_name or f"recording-{number}.flac",
        sha256=hashlib.sha256(content).hexdigest(),
        crc32=zlib.crc32(content),
        size_bytes=len(content),
        **{
            "content_type": "audio/flac",
            "format_name": "FLAC",
            "codec": "flac",
            "duration_ms": 61_000,
            "bitrate_bps": 800_000,
            "sample_rate_hz": 44_100,
            "channels": 2,
            **fields,
        },
    )
    asset.file.save(asset.file_name, ContentFile(content), save=False)
    with disable_reference_index_auto_update():
        asset.save()
    return asset


def make_product(
    title: str = "",
    *,
    price_pennies: int | None = 499,
    assets: list[DigitalAsset] | None = None,
    artist: Artist | None = None,
    live: bool = True,
    **fields: Any,
) -> ProductPage:
    """A product with one track per asset, as it is when an editor has published it.

    Row, revision and signal are those of publishing, which `publish` would reach by reading the revision
    back and saving all again: twice the time of what most tests make first. Tests of publishing take the
    editors' own road. Nothing is written in Wagtail's index of what refers to what, which no test reads.
    """
    number = next(_numbers)
    page = ProductPage(
        title=title or f"Record {number}",
        price_pennies=price_pennies,
        artist=artist or Artist.objects.get_or_create(name="The Test Pressings")[0],
        live=live,
        **fields,
    )
    if live:
        page.first_published_at = page.last_published_at = timezone.now()
    for place, asset in enumerate(assets if assets is not None else [make_asset()], start=1):
        track = ProductTrack(title=f"{page.title} part {place}", number=place, sort_order=place)
        track.files.add(TrackFile(asset=asset, sort_order=1))
        page.tracks.add(track)
    with disable_reference_index_auto_update():
        CataloguePage.objects.get().add_child(instance=page)
    revision = _keep_revision(page)
    if live:
        page_published.send(sender=ProductPage, instance=page, revision=revision)
        page.refresh_from_db()
    return page


def _keep_revision(page: ProductPage) -> Revision:
    """The one that was published, or that waits for it. `save_revision` would save the whole page again."""
    revision = Revision.objects.create(
        content_object=page,
        base_content_type=page.get_base_content_type(),
        content=page.serializable_data(),
        object_str=str(page),
    )
    page.latest_revision, page.latest_revision_created_at = revision, revision.created_at
    page.live_revision = revision if page.live else None
    page.has_unpublished_changes = not page.live
    ProductPage.objects.filter(pk=page.pk).update(
        latest_revision=revision,
        latest_revision_created_at=revision.created_at,
        live_revision=page.live_revision,
        has_unpublished_changes=page.has_unpublished_changes,
    )
    return revision


def make_bundle(
    title: str, *parts: ProductPage, price_pennies: int = 900, **fields: Any
) -> ProductPage:
    """A bundle of products without tracks of its own, published by the road that editors take."""
    page = make_product(title, price_pennies=price_pennies, assets=[], live=False, **fields)
    page.contents.add(
        *(BundledProduct(product=part, sort_order=place) for place, part in enumerate(parts))
    )
    with disable_reference_index_auto_update():
        page.save_revision().publish()
    page.refresh_from_db()
    return page


def make_cart(user: User, *products: ProductPage) -> Cart:
    cart = cart_of_user(user_id=user.pk, create=True)
    assert cart is not None
    for product in products:
        cart_add(cart=cart, product_id=product.pk)
    return cart


def start_checkout(user: User, *products: ProductPage) -> CheckoutStarted:
    """Products in the cart and an order waiting at the sandbox."""
    cart = make_cart(user, *products)
    return checkout_start(cart=cart, user=user, email=user.email, consented=True)


def session_id_of(order: Order) -> str:
    return order.payments.order_by("-attempt")[0].stripe_session_id or ""


def buy(client: Any, user: User, *products: ProductPage) -> Order:
    """The whole road: cart, order, payment at the sandbox, the signed webhook, the grants."""
    order = start_checkout(user, *products).order
    if not order.is_paid:
        # Where events travel by themselves as well, they would arrive twice, and after the end of this.
        with override_settings(STRIPE_SANDBOX_DELIVERY="manual"):
            actions.pay(session_id_of(order))
            answers = controls.deliver_all(controls.through(client))
        assert set(answers) == {200}, answers
        order.refresh_from_db()
    assert order.is_paid
    return order
