"""Every page of the shop in every state that somebody can meet it in, for whoever looks at all of them.

A state is an address, who opens it, and what is done there; whoever looks does it in a browser of any kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.test import Client
from django.urls import reverse

from catalog_pages.assets import asset_store
from catalog_pages.excerpts import ensure_excerpts
from catalog_pages.ingest.covers import cover_store
from catalog_pages.legal import legal_publish
from catalog_pages.models import Artist, Genre, HomePage, LegalText, ProductPage, ShopSettings
from catalog_pages.tests.sample_audio import cover_jpeg, write_tone
from downloads.grants import access_block
from downloads.models import Revocation, UserAsset
from orders.models import CartItem, GiftCode, Order
from orders.services.carts import cart_add, cart_apply_code, cart_set_gift
from orders.stripe_sandbox import actions
from orders.tests.guesting import guest_buys, guest_order, put_in_cart
from orders.tests.happenings import dispute, refund, refund_line, tell
from orders.tests.test_discounts import make_code
from orders.tests.test_gifts import bought, gift_url
from tests.factories import (
    PASSWORD,
    buy,
    make_asset,
    make_bundle,
    make_cart,
    make_editor,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)
from tests.partners import AUTHORIZE, asking, make_partner, pkce
from tests.signing_in import sign_in

FAR_AWAY = date(2999, 12, 4)
Step = tuple[str, ...]
LONG = "Harbour lights, seen from the outermost wall on a night without wind"


@dataclass(frozen=True)
class State:
    """`steps` are ("fill", field, text), ("click", element) and ("see", element), by CSS selectors.

    `who` names a visitor of the world. With `script` it cannot be reached without JavaScript.
    """

    name: str
    address: str
    who: str = "nobody"
    steps: tuple[Step, ...] = ()
    script: bool = False


@dataclass
class World:
    """Visitors' session cookies, and what they can see."""

    visitors: dict[str, str]
    states: list[State]

    def add(self, name: str, address: str, who: str = "nobody", *steps: Step, **more: Any) -> None:
        self.states.append(State(name, address, who, steps, **more))


def empty_shop() -> list[State]:
    """Before anything is sold."""
    return [
        State("home, empty", "/"),
        State("catalogue, empty", "/catalog/"),
        State("cart, empty", reverse("orders:cart")),
    ]


def full_shop(folder: Path) -> World:
    """A shop in which everything has happened."""
    world = World({"nobody": ""}, [])
    products = _products(folder)
    ada, guest, fresh = Client(), Client(), Client()
    sign_in(ada, make_user("ada@example.com", first_name="Ada").email)
    sign_in(fresh, make_user("fresh@example.com").email)
    _catalogue(world, products)
    _carts(world, products)
    _orders(world, ada)
    _guests(world, guest)
    _gifts(world)
    _accounts(world)
    _errors(world)
    _password_again(fresh)
    for name, client in (("ada", ada), ("guest", guest), ("fresh", fresh)):
        world.visitors[name] = _cookie(client)
    return world


def _cookie(client: Client) -> str:
    return client.cookies["sessionid"].value


def _products(folder: Path) -> dict[str, ProductPage]:
    """One of every kind, and enough others for a second page."""
    source = write_tone(folder / "sea wall.flac", seconds=45, title="Sea wall")
    asset = asset_store(source=source, file_name=source.name).asset
    artist, genre = Artist.objects.create(name="The Sea Wall"), Genre.objects.create(name="Ambient")
    usual: dict[str, Any] = {"artist": artist, "genre": genre}
    paid = make_product(
        LONG,
        assets=[asset, make_asset()],
        cover=cover_store(data=cover_jpeg(side=320), title=LONG),
        description="<p>Recorded <b>outside</b>.</p>",
        credits="Written by the wind.\nMixed by the sea.",
        release_date=date(2024, 5, 1),
        **usual,
    )
    ensure_excerpts(paid)
    other = make_product("Low tide", price_pennies=799, **usual)
    named = {"price_pennies": 300, "pay_what_you_want": True, "suggested_price_pennies": 500}
    products = {
        "paid": paid,
        "other": other,
        "free": make_product("Sand", price_pennies=0, **usual),
        "named": make_product("Name it", **named, **usual),
        "early": make_product("Not yet", release_date=FAR_AWAY, **usual),
        "unsold": make_bundle("Torn", paid, hidden := make_product("Hidden")),
        "bundle": make_bundle("Everything so far", paid, other, price_pennies=1000),
    }
    ProductPage.objects.filter(pk=hidden.pk).update(live=False)
    for number in range(25):
        make_product(f"Wave {number}")
    HomePage.objects.update(hero_product=paid)
    settings = ShopSettings.load()
    settings.contact_email = "shop@example.com"
    settings.save()
    return products


def _catalogue(world: World, products: dict[str, ProductPage]) -> None:
    paid = products["paid"]
    world.add("home", "/")
    world.add("catalogue", "/catalog/")
    world.add("catalogue, second page", "/catalog/?page=2")
    world.add("catalogue, narrowed", "/catalog/?genre=ambient&price=free&sort=title")
    world.add("catalogue, found", "/catalog/?q=tide")
    world.add("catalogue, nothing found", "/catalog/?q=xylophone")
    world.add(
        "suggestions", "/catalog/", "nobody",
        ("type", "#search", "tid"), ("see", "#suggestions a"), script=True,
    )  # fmt: skip
    for kind, product in products.items():
        world.add(f"product, {kind}", product.url)
    world.add("product, owned", paid.url, "ada")
    world.add("bundle, owned in part", products["bundle"].url, "ada")
    world.add(
        "product, playing", paid.url, "listener",  # whose player goes along
        ("click", ".play-on-cover"), ("see", "#player"), script=True,
    )  # fmt: skip
    world.add(
        "price, too little", products["named"].url, "nobody",
        ("fill", "#buy-bar-price", "1"), ("click", "#buy-bar .btn-primary"),
    )  # fmt: skip
    world.add("artist", paid.artist.get_absolute_url())
    world.add("genre", paid.genre.get_absolute_url())
    text = LegalText.objects.get_or_create(kind="terms")[0]
    for draft in ("<h2>Files</h2><p>They are yours.</p>", "<p>They stay yours.</p>"):
        text.draft = draft
        text.save()
        newest = legal_publish(text=text, by=make_editor())
    world.add("legal text", newest.get_absolute_url())
    world.add("legal text, an earlier one", reverse("legal_version", args=["terms", 1]))


def _carts(world: World, products: dict[str, ProductPage]) -> None:
    cart = reverse("orders:cart")
    make_code("SPRING", percent=10)
    world.add("cart, empty", cart)
    guest = Client()
    for kind in ("paid", "named", "free"):
        put_in_cart(guest, products[kind])
    world.visitors["shopper"] = _cookie(guest)
    world.add("cart of a guest", cart, "shopper")
    world.add(
        "cart, quantity refused", cart, "shopper",
        ("click", ".line-copies summary"), ("fill", "[name=quantity]", "500"),
        ("click", "form[action$='/cart/update/'] button"),
    )  # fmt: skip
    world.add(
        "cart, code refused", cart, "shopper",
        ("click", ".cart-code summary"), ("fill", "[name=code]", "NOTHING"),
        ("click", "form[action$='/cart/code/'] button"),
    )  # fmt: skip
    gift = ".line-gift"
    world.add("cart, gift open", cart, "shopper", ("click", f"{gift} summary"))
    world.add(
        "cart, gift refused", cart, "shopper", ("click", f"{gift} summary"),
        ("fill", f"{gift} [type=email]", "nobody"), ("click", f"{gift} button"),
    )  # fmt: skip
    world.add(
        "cart, no address", cart, "shopper",
        ("fill", "#guest-email", "nobody@nowhere"), ("click", ".pay-bar .btn-primary"),
    )  # fmt: skip

    user = make_user("grace@example.com")
    basket = make_cart(user, products["other"], products["paid"])
    gone = make_product("Gone")
    cart_add(cart=basket, product_id=gone.pk)
    first = CartItem.objects.get(cart=basket, product=products["other"])
    cart_set_gift(cart=basket, item_id=first.pk, is_gift=True, email="b@example.com", message="Hi")
    cart_apply_code(cart=basket, code="SPRING")
    CartItem.objects.filter(cart=basket, product=products["paid"]).update(shown_price_pennies=100)
    gone.unpublish()
    world.visitors["grace"] = _signed_in(user)
    world.add("cart with notes, a gift and a discount", cart, "grace")


def _password_again(client: Client) -> None:
    """Some pages are for whoever has given it just now."""
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def _signed_in(user: Any) -> str:
    client = Client()
    sign_in(client, user.email)
    return _cookie(client)


def _orders(world: World, ada: Client) -> None:
    """All of one account, so that its lists are long."""
    user = ada.get("/").wsgi_request.user
    success, cancel = reverse("orders:checkout_success"), reverse("orders:checkout_cancel")
    stopped, tracks = make_product("Stopped"), [make_asset(), make_asset()]
    paid = ProductPage.objects.get(title=LONG)
    made: dict[str, Order] = {"paid": buy(ada, user, paid, make_product("Ebb", assets=tracks))}
    made["waiting"] = _begun(user, "Spray")
    made["processing"] = _delayed(ada, user)
    made["failed"] = _delayed(ada, user)
    actions.settle(session_id_of(made["failed"]), succeeds=False)
    made["expired"] = _begun(user, "Foam")
    actions.expire(session_id_of(made["expired"]))
    tell(ada)
    made["refunded in part"] = buy(ada, user, make_product("Kelp"), make_product("Buoy"))
    refund_line(made["refunded in part"], "Buoy")
    made["refunded"] = buy(ada, user, make_product("Rope"))
    refund(made["refunded"])
    made["disputed"] = buy(ada, user, make_product("Net"))
    dispute(ada, made["disputed"])
    made["lost"] = buy(ada, user, make_product("Hook"))
    dispute(ada, made["lost"], "lost")
    made["free"] = buy(ada, user, make_product("Salt", price_pennies=0))
    made["gifts"] = bought(ada, make_product("Pearl"), quantity=3, user=user)
    taken = buy(ada, user, stopped)
    grant = UserAsset.objects.filter(order_item__order=taken).get()
    access_block(order_item_ids=[grant.order_item_id], cause=Revocation.Cause.STAFF)
    for name, order in made.items():
        world.add(f"order, {name}", order.get_absolute_url(), "ada")
        if name in {"paid", "waiting", "processing", "failed", "expired", "gifts"}:
            world.add(f"after checkout, {name}", f"{success}?order={order.pk}", "ada")
    gift = GiftCode.objects.filter(order_item__order=made["gifts"]).earliest("pk")
    form = f"form[action$='/gifts/{gift.pk}/send/']"
    world.add(
        "gift not sent", made["gifts"].get_absolute_url(), "ada",
        ("click", ".gift-copy summary"), ("fill", f"{form} [name=email]", "nobody@nowhere"),
        ("click", f"{form} button"),
    )  # fmt: skip
    world.add("after turning back", f"{cancel}?order={made['waiting'].pk}", "ada")
    world.add("payment page of the sandbox", session_url(made["waiting"]), "ada")
    world.add("download denied", reverse("downloads:file", args=[grant.pk]), "ada")
    world.add("purchases", reverse("orders:purchases"), "ada")
    world.add("purchases, found", reverse("orders:purchases") + "?q=ebb", "ada")
    world.add("purchases, nothing found", reverse("orders:purchases") + "?q=xylophone", "ada")
    world.add("purchases, none", reverse("orders:purchases"), "fresh")
    world.add("orders", reverse("orders:list"), "ada")
    world.add("orders, none", reverse("orders:list"), "fresh")
    world.add("letters, a dead link", reverse("orders:updates_stop", args=["nothing"]))


def session_url(order: Order) -> str:
    return reverse("stripe_sandbox:pay", args=[session_id_of(order)])


def _begun(user: Any, title: str) -> Order:
    """Out of the cart again, for nothing else can be bought with what is being paid for."""
    order = start_checkout(user, make_product(title)).order
    CartItem.objects.filter(cart__user=user).delete()
    return order


def _delayed(client: Client, user: Any) -> Order:
    order = _begun(user, "Swell")
    actions.delay(session_id_of(order))
    tell(client)
    return order


def _guests(world: World, guest: Client) -> None:
    order = guest_buys(guest)
    waiting = guest_order(guest)
    success = reverse("orders:checkout_success")
    world.add("order of a guest", order.get_absolute_url(), "guest")
    world.add("after a guest's checkout", f"{success}?order={order.pk}", "guest")
    world.add("a guest's order, waiting", waiting.get_absolute_url(), "guest")
    world.add("a guest's purchases", reverse("orders:purchases"), "guest")
    find = reverse("orders:guest_find")
    world.add("guest's links", find)
    world.add("guest's links, sent", f"{find}?sent")
    world.add(
        "guest's links, refused", find, "nobody",
        ("fill", "main [name=email]", "nobody@nowhere"), ("click", "main form .btn"),
    )  # fmt: skip
    world.add("guest's link, dead", reverse("orders:guest_link", args=["nothing"]))


def _gifts(world: World) -> None:
    giver = make_user("giver@example.com")
    order = bought(Client(), make_product("Shell"), quantity=4, user=giver, message="For you")
    first, second = GiftCode.objects.filter(order_item__order=order).order_by("pk")[:2]
    enter = reverse("orders:gifts")
    world.add("gift, enter", enter)
    world.add(
        "gift, unknown", enter, "nobody",
        ("fill", "main [name=code]", "nothing"), ("click", "main form .btn"),
    )  # fmt: skip
    world.add("gift", gift_url(first))
    world.add("gift, signed in", gift_url(first), "fresh")
    world.add(
        "gift, no address", gift_url(first), "nobody",
        ("fill", "#email", "nobody@nowhere"), ("click", "main form .btn-primary"),
    )  # fmt: skip
    friend = Client()
    friend.post(gift_url(second), {"email": "friend@example.com"})
    world.visitors["friend"] = _cookie(friend)
    world.add("gift copy", reverse("orders:gift_copy", args=[second.pk]), "friend")
    world.add("gift, redeemed", gift_url(second))
    other = bought(Client(), make_product("Crab"), quantity=2, user=make_user("kind@example.com"))
    refund(other)
    world.add("gift, taken back", gift_url(GiftCode.objects.get(order_item__order=other)))


def _accounts(world: World) -> None:
    for name, address in (
        ("sign in", "account_login"),
        ("sign up", "account_signup"),
        ("password forgotten", "account_reset_password"),
        ("password forgotten, sent", "account_reset_password_done"),
    ):
        world.add(name, reverse(address))
    for name, address in (
        ("profile", "profile"),
        ("addresses", "account_email"),
        ("password", "account_change_password"),
        ("sessions", "account_sessions"),
        ("data", "account_data"),
        ("close", "account_close"),
        ("sign out", "account_logout"),
        ("second factor", "mfa_index"),
        ("second factor, set up", "mfa_activate_totp"),
        ("sign in again", "account_reauthenticate"),
    ):
        world.add(name, reverse(address), "fresh")
    submit = ("click", "main form [type=submit]")
    world.add(
        "sign in, refused", reverse("account_login"), "nobody",
        ("fill", "[name=login]", "ada@example.com"), ("fill", "[name=password]", "wrong-word-9"), submit,
    )  # fmt: skip
    world.add(
        "sign up, refused", reverse("account_signup"), "nobody",
        ("fill", "[name=email]", "late@example.com"), ("fill", "[name=password1]", "12345"), submit,
    )  # fmt: skip
    world.add(
        "password, refused", reverse("account_change_password"), "fresh",
        ("fill", "[name=oldpassword]", "wrong"), ("fill", "[name=password1]", "12345"),
        ("fill", "[name=password2]", "1234"), submit,
    )  # fmt: skip
    late = Client()
    late.post(reverse("account_signup"), {"email": "later@example.com", "password1": PASSWORD})
    world.visitors["late"] = _cookie(late)
    world.add("a code was mailed", reverse("account_email_verification_sent"), "late")
    careful, client = make_user("careful@example.com"), Client()
    sign_in(client, careful.email)
    _password_again(client)
    world.visitors["careful"] = _cookie(client)
    totp.TOTP.activate(careful, totp.generate_totp_secret())
    RecoveryCodes.activate(careful)
    for name in ("mfa_index", "mfa_deactivate_totp", "mfa_view_recovery_codes"):
        world.add(f"with a second factor, {name}", reverse(name), "careful")
    half = Client()
    sign_in(half, careful.email)
    world.visitors["half"] = _cookie(half)
    world.add("second factor asked for", reverse("mfa_authenticate"), "half")
    partner, (_, challenge) = make_partner(), pkce()
    world.add("an app asks", f"{AUTHORIZE}?{urlencode(asking(partner, challenge))}", "fresh")


def _errors(world: World) -> None:
    world.add("not found", "/no-such-page/")
    world.add("not found, signed in", "/orders/00000000-0000-0000-0000-000000000001/", "fresh")
    world.add("not allowed", "/admin/login/", "fresh")
    for name in ANSWERS:
        world.add(f"answer, {name}", f"/answers/{name}/", "fresh")


ANSWERS = (
    "400.html", "403_csrf.html", "500.html", "orders/checkout_unavailable.html",
    "orders/free_too_often.html", "downloads/unavailable.html", "account/signup_closed.html",
    "account/account_inactive.html", "account/password_reset_from_key_done.html",
    "orders/updates_stop.html",
)  # fmt: skip


def by_who(states: list[State]) -> Iterator[tuple[str, list[State]]]:
    """In the order in which visitors come, each with all that is theirs."""
    for who in dict.fromkeys(state.who for state in states):
        yield who, [state for state in states if state.who == who]
