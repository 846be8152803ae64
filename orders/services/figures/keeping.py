"""Writing what a day came to, and with it what each product and artist ever brought in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from operator import attrgetter
from typing import Any

from catalog_pages.models import ProductPage
from orders.models import FiguresArtist, FiguresDay, FiguresProduct, FiguresProductDay
from orders.services.figures.sums import DaySums, OfProduct, Total

BATCH = 1000
EVER = ("revenue_pennies", "copies")
OF_DAY = tuple(one.name for one in fields(Total))
OF_PRODUCT = tuple(one.name for one in fields(OfProduct))
Key = tuple[Any, ...]
Row = tuple[int, ...]
Grown = Mapping[tuple[str, int], list[int]]  # (currency, id) -> revenue, copies


def keep_day(*, day: date, sums: DaySums) -> None:
    """From now on the day came to this. In the transaction of whoever holds the figures' lock.

    Only rows that differ are written: one more sale changes one or two, of the thousands of a busy day.
    """
    gone, new = _changed(FiguresDay, day, ("currency", "country"), OF_DAY, sums.totals)
    FiguresDay.objects.bulk_create(
        FiguresDay(day=day, currency=code, country=country, **_named(OF_DAY, row))
        for (code, country), row in new.items()
    )
    key = ("currency", "country", "product_id")
    gone, new = _changed(FiguresProductDay, day, key, OF_PRODUCT, sums.products)
    artists = _artists_of({product_id for _code, _country, product_id in (*gone, *new)})
    rows = (
        FiguresProductDay(
            day=day,
            currency=code,
            country=country,
            product_id=product_id,
            artist_id=artists.get(product_id),
            **_named(OF_PRODUCT, row),
        )
        for (code, country, product_id), row in new.items()
    )
    FiguresProductDay.objects.bulk_create(rows, BATCH)
    _change_what_was_ever(gone, new, artists)


def _changed(
    model: Any, day: date, key: tuple[str, ...], names: tuple[str, ...], wanted: Mapping[Key, Any]
) -> tuple[dict[Key, Row], dict[Key, Row]]:
    """Drop the rows that are not as wanted; what they held, and what is still to be written."""
    values_of: Any = attrgetter(*names)
    new = {one: values_of(sums) for one, sums in wanted.items()}
    gone, dropped = {}, []
    for pk, *row in model.objects.filter(day=day).values_list("pk", *key, *names):
        one, values = tuple(row[: len(key)]), tuple(row[len(key) :])
        if new.get(one) == values:
            del new[one]
        else:
            gone[one] = values
            dropped.append(pk)
    for some in _batches(dropped):
        drop(model.objects.filter(pk__in=some))
    return gone, new


def _named(names: Sequence[str], row: Sequence[int]) -> dict[str, Any]:
    return dict(zip(names, row, strict=True))


def _artists_of(product_ids: set[int]) -> dict[int, int | None]:
    artists: dict[int, int | None] = {}
    for some in _batches(sorted(product_ids)):
        artists |= ProductPage.objects.filter(pk__in=some).order_by().values_list("pk", "artist")
    return artists


def _change_what_was_ever(
    gone: Mapping[Key, Row], new: Mapping[Key, Row], artists: Mapping[int, int | None]
) -> None:
    of_products: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    of_artists: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    places = [OF_PRODUCT.index(name) for name in EVER]
    for sign, rows in ((-1, gone), (1, new)):
        for (code, _country, product_id), row in rows.items():
            artist_id = artists.get(product_id)
            for number, place in enumerate(places):
                of_products[code, product_id][number] += sign * row[place]
                if artist_id is not None:
                    of_artists[code, artist_id][number] += sign * row[place]
    _grow(FiguresProduct, "product_id", of_products)
    _grow(FiguresArtist, "artist_id", of_artists)


def _grow(model: Any, key: str, grown: Grown) -> None:
    changed = {one: amounts for one, amounts in grown.items() if any(amounts)}
    for some in _batches(sorted({one for _code, one in changed})):
        rows = model.objects.filter(**{f"{key}__in": some})
        for code, one, *stored in rows.values_list("currency", key, *EVER):
            if (code, one) in changed:
                amounts = changed[code, one]
                changed[code, one] = [a + b for a, b in zip(amounts, stored, strict=True)]
    model.objects.bulk_create(
        (
            model(currency=code, **{key: one}, **_named(EVER, amounts))
            for (code, one), amounts in changed.items()
        ),
        BATCH,
        update_conflicts=True,
        unique_fields=("currency", key),
        update_fields=EVER,
    )


def _batches(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), BATCH):
        yield keys[start : start + BATCH]


def drop(rows: Any) -> None:
    """One DELETE. Nothing refers to these rows, and `delete()` would read each of them first, because
    Wagtail listens for every row that goes."""
    rows._raw_delete(rows.db)
