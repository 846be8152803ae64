"""A shop of any size, quickly: rows are made by the database itself, out of one number after another.

`load(orders=1_000_000, products=100_000)` fills an empty shop on PostgreSQL in some minutes: products with
artists, genres, tracks, files and their place in the search index; orders of two years by accounts and
guests, paid or not, in three currencies, with codes and gifts; what was refunded, disputed, fetched, mailed
and told.
The same sizes always make the same shop, but for its days, which end now. Files have no bytes, and what
Stripe is said to have told was never told: it is for looking at, and for measuring.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from wagtail.models import Locale

from catalog_pages.models import Artist, CataloguePage, DigitalAsset, Genre, ProductPage
from downloads.figures import downloads_settle
from orders.models import Order
from orders.services.figures import figures_refresh, figures_start_over
from site_config.load_data.catalogue import CATALOGUE
from site_config.load_data.sales import SALES

DAYS = 730
MOST_PRODUCTS = 36**4 - 2  # as many steps as a path has below one page
ROOMS = ("orders_", "downloads_", "catalog_pages_", "wagtailcore_", "wagtailsearch_", "accounts_")


class NotEmpty(Exception):
    """The shop has a catalogue or orders already: theirs and these could not be told apart."""


class NotPostgres(Exception):
    """Only PostgreSQL makes rows by the million in minutes."""


def load(
    *, orders: int, products: int, on_step: Callable[[int, str], None] = lambda steps, name: None
) -> None:
    """Fill the shop, all or nothing but for its figures. Raises NotEmpty, and NotPostgres on anything else.

    Indexes that guard nothing are made afterwards, and foreign keys are checked by nobody where the
    database's user may have that so: both several times as fast. Figures are added up, statistics are fresh.
    `on_step` is told of every step before it is taken: how many there are, and what it makes.
    """
    if connection.vendor != "postgresql":
        raise NotPostgres
    if any(model.objects.exists() for model in (Order, ProductPage, Artist, Genre, DigitalAsset)):
        raise NotEmpty
    numbers = _numbers(orders, products)
    with transaction.atomic(), connection.cursor() as cursor:
        if _is_superuser(cursor):
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        remade = list(_indexes_dropped(cursor))
        rows = [filled(statement, numbers) for statement in (*CATALOGUE, *SALES)]
        steps = len(rows) + len(remade) + len(AFTERWARDS)
        for statement in (*rows, *remade):
            on_step(steps, _made_by(statement))
            cursor.execute(statement)
        for statement in list(_sequences(cursor)):
            cursor.execute(statement)
    for name, finish in AFTERWARDS.items():
        on_step(steps, name)
        finish()


def _freshen_statistics() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


AFTERWARDS: dict[str, Callable[[], object]] = {
    "statistics": _freshen_statistics,
    "figures of no day": figures_start_over,
    "figures of each day": figures_refresh,
    "downloads of each day": downloads_settle,
}


def _made_by(statement: str) -> str:
    """The table that it fills or the index that it makes."""
    found = re.search(r"(?:TABLE|INTO|UPDATE|INDEX)\s+(\w+)", statement)
    return found[1] if found else ""


def filled(statement: str, values: Mapping[str, object]) -> str:
    """`:name` in a statement of ours by its value; all of them are numbers or words of our own."""
    return re.sub(r"(?<![:\w]):([a-z_]+)", lambda match: str(values[match[1]]), statement)


def _numbers(orders: int, products: int) -> dict[str, object]:
    catalogue = CataloguePage.objects.get()
    return {
        "orders": orders,
        "products": products,
        "artists": max(products // 10, 1),
        "accounts": max(orders // 5, 1),
        "codes": max(min(orders // 10, 2000), 1),
        "seconds": DAYS * 24 * 3600,
        "currency": settings.STRIPE_CURRENCY,
        "catalogue": catalogue.pk,
        "path": f"'{catalogue.path}'",
        "depth": catalogue.depth + 1,
        "url_path": f"'{catalogue.url_path}'",
        "locale": Locale.get_default().pk,
        "product_type": ContentType.objects.get_for_model(ProductPage).pk,
        "page_type": ContentType.objects.get_for_model(ProductPage.page_ptr.field.related_model).pk,
        "order_type": ContentType.objects.get_for_model(Order).pk,
    }


def _is_superuser(cursor: Any) -> bool:
    cursor.execute("SELECT current_setting('is_superuser') = 'on'")
    return bool(cursor.fetchone()[0])


def _indexes_dropped(cursor: Any) -> Iterable[str]:
    """Statements that make them again."""
    cursor.execute(
        "SELECT c.relname, pg_get_indexdef(i.indexrelid), t.relname FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = current_schema() AND NOT i.indisunique"
    )
    for name, definition, table in cursor.fetchall():
        if table.startswith(ROOMS):
            cursor.execute(f'DROP INDEX "{name}"')
            yield definition


def _sequences(cursor: Any) -> Iterable[str]:
    """Rows came with keys of their own; the next one of the shop comes after them."""
    cursor.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND is_identity = 'YES'"
    )
    for table, column in cursor.fetchall():
        if table.startswith(ROOMS):
            yield (
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"
                f' (SELECT COALESCE(MAX("{column}"), 0) + 1 FROM "{table}"), false)'
            )
