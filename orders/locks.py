"""Every row lock of this room, always taken in the order cart, order, payment, discount code.

SQLite has no row locks and ignores these; there a transaction that writes is alone from its first
statement (`transaction_mode="IMMEDIATE"`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.db.models.sql import UpdateQuery
from django.utils import timezone

from orders.log_context import order_name
from orders.models import Cart, DiscountCode, FiguresState, Order, Payment

BRIEFLY_MS = 1000
TAKING_LOCKS = ("INSERT", "UPDATE", "DELETE")


@contextmanager
def waiting_briefly() -> Iterator[None]:
    """Inside, whoever waits a second for somebody else's lock gets OperationalError instead."""
    if settings.DATABASE_PGBOUNCER:
        with connection.execute_wrapper(_limit_this_transaction):
            yield
        return
    if connection.vendor == "sqlite":
        usual = connection.settings_dict["OPTIONS"].get("timeout", 5) * 1000
        short, long = f"PRAGMA busy_timeout = {BRIEFLY_MS}", f"PRAGMA busy_timeout = {usual}"
    else:
        short, long = f"SET lock_timeout = {BRIEFLY_MS}", "RESET lock_timeout"
    with connection.cursor() as cursor:
        cursor.execute(short)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(long)


def _limit_this_transaction(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """pgbouncer gives each transaction any connection: what is set must end with the transaction."""
    if connection.in_atomic_block and ("FOR UPDATE" in sql or sql.startswith(TAKING_LOCKS)):
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {BRIEFLY_MS}")
    return execute(sql, params, many, context)


def lock_cart(cart_id: uuid.UUID | None) -> Cart | None:
    if cart_id is None:
        return None
    return next(iter(Cart.objects.select_for_update().filter(pk=cart_id)), None)


def lock_cart_for_change(cart_id: uuid.UUID) -> bool:
    """The same lock, taken by noting that the cart is in use; False when there is no such cart."""
    return bool(Cart.objects.filter(pk=cart_id).update(updated_at=timezone.now()))


def lock_cart_among_for_change(carts: QuerySet[Cart]) -> uuid.UUID | None:
    """As `lock_cart_for_change`, of the one cart that this names; which one, if any: by one statement."""
    change: Any = carts.query.chain(UpdateQuery)
    change.add_update_values({"updated_at": timezone.now()})
    try:
        statement, params = change.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:  # it names none
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} RETURNING id", params)
        found = cursor.fetchone()
    return None if found is None else Cart._meta.pk.to_python(found[0])


def lock_order(order_id: uuid.UUID) -> Order:
    """Whoever works on an order comes here first: from now on its number is in the log."""
    order = Order.objects.select_for_update().get(pk=order_id)
    order_name(order.number)
    return order


def lock_payment(payment_id: int) -> Payment:
    return Payment.objects.select_for_update().get(pk=payment_id)


def lock_discount_code(code_id: int) -> DiscountCode:
    return DiscountCode.objects.select_for_update().get(pk=code_id)


def lock_app(app: Any) -> None:
    """A third party's app, for its webhook endpoints; before any other lock, and alone."""
    type(app).objects.select_for_update(no_key=True).filter(pk=app.pk).first()


def lock_figures() -> FiguresState:
    """Whoever adds up; alone, and no buyer waits for it."""
    return FiguresState.objects.select_for_update().get_or_create(pk=1)[0]
