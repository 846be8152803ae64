"""Figures as a spreadsheet: one row after another, amounts as numbers, and nothing that would calculate."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from catalog_pages.sheets.writing import spreadsheet
from orders.admin.amounts import amount
from orders.admin.figures_form import country_name
from orders.services.figures.asking import Asked, Sums
from orders.services.figures.ranks import ARTISTS, PRODUCTS, ranked_rows
from orders.services.figures.report import figures

Cell = str | int | Decimal | None
TABLES = ("series", "products", "artists", "countries", "downloads")


def export(asked: Asked, *, table: str, kind: str) -> HttpResponseBase:
    """All that is asked for: of products and artists every one, not only the first few."""
    name = f"{table}-{asked.period.first}-{asked.period.last}"
    return spreadsheet(_rows(asked, table), name=name, kind=kind)


def _rows(asked: Asked, table: str) -> Iterator[list[Cell]]:
    if table in ("products", "artists"):
        return _ranks(asked, table)
    return {"series": _series, "countries": _countries, "downloads": _downloads}[table](asked)


def _series(asked: Asked) -> Iterator[list[Cell]]:
    found = figures(asked, with_lists=False)
    yield [
        _("From"), _("To"), _("Currency"), _("Revenue"), _("Refunds"), _("Lost disputes"), _("Net"),
        _("Tax"), _("Order lines") if asked.is_of_products else _("Orders"), _("Free orders"),
        _("Average order"), _("Copies"), _("Begun"), _("Of those paid"),
    ]  # fmt: skip
    for one in found.currencies:
        for part in one.parts:
            first, last = part.period.first.isoformat(), part.period.last.isoformat()
            yield [first, last, one.code, *_sums(part.sums, one.code)]


def _sums(sums: Sums, code: str) -> list[Cell]:
    amounts = (sums.revenue, sums.refunds, sums.lost, sums.net, sums.tax)
    return [
        *(amount(one, code) for one in amounts),
        sums.orders,
        sums.free_orders,
        amount(sums.average, code),
        sums.copies,
        sums.begun,
        sums.begun_paid,
    ]


def _ranks(asked: Asked, table: str) -> Iterator[list[Cell]]:
    heading, by = (_("Product"), PRODUCTS) if table == "products" else (_("Artist"), ARTISTS)
    yield [heading, *_rank_head()]
    for code, name, sums in ranked_rows(asked, by):
        yield [name, code, *_rank_cells(sums, code)]


def _countries(asked: Asked) -> Iterator[list[Cell]]:
    yield [_("Country"), *_rank_head()]
    for one in figures(asked).currencies:
        for row in one.countries:
            yield [country_name(row.key), one.code, *_rank_cells(row.sums, one.code)]


def _rank_head() -> list[Cell]:
    return [_("Currency"), _("Net"), _("Revenue"), _("Went back"), _("Copies")]


def _rank_cells(sums: Sums, code: str) -> list[Cell]:
    amounts = (sums.net, sums.revenue, sums.back)
    return [*(amount(one, code) for one in amounts), sums.copies]


def _downloads(asked: Asked) -> Iterator[list[Cell]]:
    found = figures(asked, with_lists=False)
    yield [_("From"), _("To"), _("Downloads")]
    if found.downloads is not None:
        for part, number in zip(found.parts, found.downloads.parts, strict=True):
            yield [part.first.isoformat(), part.last.isoformat(), number]
