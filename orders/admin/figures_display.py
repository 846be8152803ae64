"""Figures as people read them: money with its sign, periods in words, charts beside their tables."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog_pages.locales import grouped
from orders.admin.figures_chart import Chart, bars_of
from orders.admin.figures_form import country_name
from orders.services.figures.asking import Asked, Sums
from orders.services.figures.periods import DAY, MONTH, Period
from orders.services.figures.ranks import Ranked
from orders.services.figures.report import CurrencyFigures, DownloadFigures, Figures
from orders.services.figures.words import change_words, money, percent_words

NONE = "–"


@dataclass(frozen=True)
class Card:
    """One figure: what it is called, what it is, what it was, and what is to be known about it."""

    label: str
    value: str
    before: str
    change: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    name: str
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """`key` names it in the address of its download."""

    key: str
    title: str
    head: list[str]
    rows: list[Row]


@dataclass(frozen=True)
class Section:
    """Everything about one currency."""

    code: str
    cards: list[Card]
    charts: list[Chart]
    series: Table
    lists: list[Table]


def day_words(period: Period) -> str:
    """`3 May 2026`, or `3 May 2026 to 9 May 2026`."""
    first = date_format(period.first, "SHORT_DATE_FORMAT")
    if period.first == period.last:
        return first
    return _("%(first)s to %(last)s") % {
        "first": first,
        "last": date_format(period.last, "SHORT_DATE_FORMAT"),
    }


def part_words(part: Period, grouping: str) -> str:
    if grouping == MONTH and part.first.day == 1 and (part.last.month, part.days) != (0, 1):
        name = date_format(part.first, "YEAR_MONTH_FORMAT")
        next_day = part.last.toordinal() + 1
        if part.last.fromordinal(next_day).day == 1:
            return name
    return day_words(part) if grouping != DAY else date_format(part.first, "SHORT_DATE_FORMAT")


def section_of(one: CurrencyFigures, asked: Asked) -> Section:
    return Section(
        code=one.code,
        cards=cards_of(one.now, one.before, one.code, asked),
        charts=charts_of(one, asked),
        series=series_of(one, asked),
        lists=[
            _ranked("products", _("Products"), _("Product"), one.products, one.code),
            _ranked("artists", _("Artists"), _("Artist"), one.artists, one.code),
            _ranked("countries", _("Countries"), _("Country"), one.countries, one.code),
        ],
    )


def cards_of(now: Sums, before: Sums, code: str, asked: Asked) -> list[Card]:
    def of_money(label: str, one: int | None, other: int | None, note: str = "") -> Card:
        return Card(
            label,
            NONE if one is None else money(one, code),
            NONE if other is None else money(other, code),
            "" if one is None or other is None else change_words(one, other),
            note,
        )

    def of_number(label: str, one: int, other: int, note: str = "") -> Card:
        return Card(label, grouped(one), grouped(other), change_words(one, other), note)

    net = of_money(_("Net revenue"), now.net, before.net, _("Revenue less what went back."))
    revenue = of_money(_("Revenue"), now.revenue, before.revenue, _("What arrived, tax included."))
    tax = of_money(_("Tax"), now.tax, before.tax, _("Part of the revenue, as it was charged."))
    copies = of_number(_("Copies"), now.copies, before.copies)
    if asked.is_of_products:
        back = of_money(_("Refunds and lost disputes"), now.refunds, before.refunds)
        lines = of_number(_("Order lines"), now.orders, before.orders)
        return [net, revenue, back, lines, copies, tax]
    cards = [
        net,
        revenue,
        of_money(_("Refunds"), now.refunds, before.refunds),
        of_money(_("Lost disputes"), now.lost, before.lost),
        of_number(_("Orders"), now.orders, before.orders, _free_words(now.free_orders)),
        of_money(_("Average order"), now.average, before.average, _("Revenue by orders.")),
        copies,
        tax,
    ]
    return cards if asked.country is not None else [*cards, _conversion(now, before)]


def _free_words(number: int) -> str:
    return (
        ngettext("And one with nothing to pay.", "And %(number)s with nothing to pay.", number)
        % {"number": grouped(number)}
        if number
        else ""
    )


def _conversion(now: Sums, before: Sums) -> Card:
    note = _("%(paid)s of the %(begun)s orders begun in this period are paid.")
    return Card(
        _("Paid of what was begun"),
        percent_words(now.begun_paid, now.begun) or NONE,
        percent_words(before.begun_paid, before.begun) or NONE,
        "",
        note % {"paid": grouped(now.begun_paid), "begun": grouped(now.begun)},
    )


def charts_of(one: CurrencyFigures, asked: Asked) -> list[Chart]:
    names = [part_words(part.period, asked.grouping) for part in one.parts]
    revenue = [part.sums.revenue for part in one.parts]
    back = [part.sums.back for part in one.parts]
    orders = [part.sums.orders for part in one.parts]
    in_all = _("In all %(revenue)s arrived and %(back)s went back.") % {
        "revenue": money(one.now.revenue, one.code),
        "back": money(one.now.back, one.code),
    }
    said = [
        (
            _("%(when)s: %(amount)s revenue") % {"when": name, "amount": money(up, one.code)},
            _("%(when)s: %(amount)s went back") % {"when": name, "amount": money(down, one.code)},
        )
        for name, up, down in zip(names, revenue, back, strict=True)
    ]
    title = _("Revenue above the line, refunds and lost disputes below it, in %(code)s")
    most = money(max([0, *revenue]), one.code)
    money_chart = chart_of(
        f"money-{one.code}", title % {"code": one.code}, in_all, (revenue, back), said, most, names
    )
    label = _("Order lines") if asked.is_of_products else _("Orders")
    counted = chart_of(
        f"orders-{one.code}",
        _("%(what)s, paid in %(code)s") % {"what": label, "code": one.code},
        _("In all: %(number)s.") % {"number": grouped(one.now.orders)},
        (orders, [0] * len(orders)),
        [(f"{name}: {grouped(number)}", "") for name, number in zip(names, orders, strict=True)],
        grouped(max([0, *orders])),
        names,
    )
    return [money_chart, counted]


def chart_of(
    key: str,
    title: str,
    words: str,
    numbers: tuple[list[int], list[int]],
    said: list[tuple[str, str]],
    most: str,
    names: list[str],
) -> Chart:
    bars, zero = bars_of(*numbers, said)
    first, last = (names[0], names[-1]) if names else ("", "")
    return Chart(key, title, words, bars, zero, most, first, last)


def series_of(one: CurrencyFigures, asked: Asked) -> Table:
    head = [_("When"), _("Revenue"), _("Refunds")]
    if not asked.is_of_products:
        head += [_("Lost disputes")]
    head += [_("Net"), _("Tax")]
    head += [_("Order lines")] if asked.is_of_products else [_("Orders"), _("Free orders")]
    head += [_("Copies")]
    begun = not asked.is_of_products and asked.country is None
    head += [_("Begun"), _("Of those paid")] if begun else []
    return Table(
        "series",
        _("All numbers, in %(code)s") % {"code": one.code},
        head,
        [
            Row(part_words(part.period, asked.grouping), _cells(part.sums, one.code, asked, begun))
            for part in one.parts
        ],
    )


def _cells(sums: Sums, code: str, asked: Asked, begun: bool) -> list[str]:
    lost = [] if asked.is_of_products else [sums.lost]
    amounts = [sums.revenue, sums.refunds, *lost, sums.net, sums.tax]
    free = [] if asked.is_of_products else [sums.free_orders]
    numbers = [sums.orders, *free, sums.copies]
    numbers += [sums.begun, sums.begun_paid] if begun else []
    return [*(money(one, code) for one in amounts), *(grouped(one) for one in numbers)]


def _ranked(key: str, title: str, name: str, rows: list[Ranked], code: str) -> Table:
    head = [name, _("Net"), _("Revenue"), _("Went back"), _("Copies")]
    return Table(
        key,
        title,
        head,
        [
            Row(
                country_name(row.key) if key == "countries" else row.name or NONE,
                [
                    *(money(one, code) for one in (row.sums.net, row.sums.revenue, row.sums.back)),
                    grouped(row.sums.copies),
                ],
            )
            for row in rows
        ],
    )


@dataclass(frozen=True)
class Downloads:
    card: Card
    chart: Chart
    table: Table


def downloads_of(found: Figures) -> Downloads | None:
    if found.downloads is None:
        return None
    counted: DownloadFigures = found.downloads
    names = [part_words(part, found.asked.grouping) for part in found.parts]
    card = Card(
        _("Downloads"),
        grouped(counted.now),
        grouped(counted.before),
        change_words(counted.now, counted.before),
        _("Each file once, in however many pieces it was fetched."),
    )
    pairs = list(zip(names, counted.parts, strict=True))
    chart = chart_of(
        "downloads",
        _("Downloads"),
        _("In all: %(number)s.") % {"number": grouped(counted.now)},
        (counted.parts, [0] * len(pairs)),
        [(f"{name}: {grouped(number)}", "") for name, number in pairs],
        grouped(max([0, *counted.parts])),
        names,
    )
    rows = [Row(name, [grouped(number)]) for name, number in pairs]
    table = Table("downloads", _("All numbers"), [_("When"), _("Downloads")], rows)
    return Downloads(card, chart, table)
