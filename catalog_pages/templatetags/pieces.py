"""Parts of pages that other pages show too: made once for each state of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from django import template
from django.template import Context
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.utils.safestring import SafeString

from catalog_pages.addresses import absolute
from catalog_pages.covers import cover_url
from catalog_pages.listing import Listing
from catalog_pages.pieces import piece
from catalog_pages.shown import ShownProducts
from catalog_pages.templatetags.shop import is_loaded

register = template.Library()

CARD = "catalog_pages/_card.html"
AT_ONCE = 4  # covers of a first row, which a browser fetches before they come near
SHARED_PIXELS = 1200

Read = Callable[[], Any]


@register.simple_tag(takes_context=True)
def cards(
    context: Any,
    products: Iterable[Any],
    first_row: bool = False,
    card_sizes: str = "",
    of_artist: bool = False,
) -> SafeString:
    """An `<li>` for each product. Of a `ShownProducts`, none is read whose card is kept."""
    made = context.template.engine.get_template(CARD)
    row = []
    for place, (key, has_samples, read) in enumerate(_keys(products)):
        looks = {
            "eager": first_row and place < AT_ONCE,
            "first": first_row and not place,
            "card_sizes": card_sizes,
            "of_artist": of_artist,
        }
        make = partial(_card, context, made, read, looks)
        row.append(piece(make, "card", key, has_samples, *looks.values()))
    return SafeString("".join(row))  # nosec B703  # of templates


@register.simple_tag
def list_picture(listing: Listing) -> str:
    """The whole address of the largest cover of a list's first product, for links shared elsewhere; or ""."""
    first = next(_keys(listing.page.object_list), None)
    if first is None:
        return ""
    key, _, read = first
    return piece(lambda: absolute(cover_url(read(), SHARED_PIXELS)), "shared", key)


@register.simple_tag
def first_key(listing: Listing) -> int | None:
    """The key of a list's first product, which is not read for it."""
    return next((key for key, *_ in _keys(listing.page.object_list)), None)


@register.filter
def is_under(path: str, address: str) -> bool:
    """Whether a page is the one at `address`, or below it."""
    return path.startswith(address)


@register.tag
def kept(parser: Parser, token: Token) -> KeptNode:
    """`{% kept "name" value %}…{% endkept %}`: the same text for all pages with the same values.

    What is inside depends on nothing else but the catalogue, the shop's settings, the day and the language.
    """
    return KeptNode(*_compiled(parser, token))


@register.tag
def kept_of_choice(parser: Parser, token: Token) -> ChoiceNode:
    """`{% kept_of_choice "name" listing %}…{% endkept_of_choice %}`: the same text for all pages
    of a list that is chosen and sorted alike."""
    return ChoiceNode(*_compiled(parser, token))


@register.tag
def kept_apart(parser: Parser, token: Token) -> KeptNode:
    """`{% kept_apart "name" value %}…{% endkept_apart %}`: as `kept`, for what few pages show."""
    return KeptNode(*_compiled(parser, token), is_apart=True)


def _compiled(parser: Parser, token: Token) -> tuple[list[FilterExpression], NodeList]:
    """The values that a tag is given, and what stands between it and its end."""
    name, *values = token.split_contents()
    inside = parser.parse((f"end{name}",))
    parser.delete_first_token()
    return [parser.compile_filter(value) for value in values], inside


class KeptNode(template.Node):
    def __init__(
        self, values: list[FilterExpression], nodelist: NodeList, *, is_apart: bool = False
    ) -> None:
        self.values = values
        self.nodelist = nodelist
        self.is_apart = is_apart

    def render(self, context: Context) -> SafeString:
        values = [value.resolve(context) for value in self.values]
        return piece(lambda: self.nodelist.render(context), *values, is_apart=self.is_apart)


class ChoiceNode(KeptNode):
    def render(self, context: Context) -> SafeString:
        name, listing = (value.resolve(context) for value in self.values)
        choice, path = listing.choice, context["request"].path
        is_apart = bool(choice.pairs) or choice.is_loose
        return piece(
            lambda: self.nodelist.render(context), name, path, choice.name, is_apart=is_apart
        )


def _keys(products: Iterable[Any]) -> Iterator[tuple[int, bool, Read]]:
    """Of each product its key, whether its tracks are there to be heard, and how it is read."""
    if isinstance(products, ShownProducts):
        for key in products.keys:
            yield key, True, partial(products.get, key)
        return
    for product in products:
        yield product.pk, is_loaded(product, "tracks"), partial(_itself, product)


def _itself(product: Any) -> Any:
    return product


def _card(context: Any, made: Any, read: Read, looks: dict[str, Any]) -> SafeString:
    """Nothing for a product that went off sale in this moment."""
    product = read()
    if product is None:
        return SafeString("")
    with context.push(product=product, **looks):
        card: SafeString = made.render(context)
    return card
