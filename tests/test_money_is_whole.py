"""Money is integers of minor units from the price to the bank: no float comes near it."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, NoReturn

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import DecimalField, FloatField
from django.test import Client
from rest_framework.fields import IntegerField
from rest_framework.serializers import BaseSerializer

from orders.models import Payment, Refund
from orders.stripe_sandbox import actions, controls
from orders.tests.signed import post, sign
from store_api.v1 import serializers
from tests.factories import buy, make_product, make_user, session_id_of, start_checkout

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("orders", "downloads", "store_api", "catalog_pages/models")
MONEY = re.compile(r"(_pennies|amount|price|total)$")
SECONDS = re.compile(r"seconds|timeout|patience", flags=re.IGNORECASE)
PATHS = re.compile(r"(path|dir|root|folder)$", flags=re.IGNORECASE)
MAKES_FLOATS = {"float", "round", "Avg", "StdDev", "Variance", "FloatField", "truediv", "fsum"}
WHOLE = {"BigIntegerField", "IntegerField", "PositiveIntegerField", "PositiveBigIntegerField"}


def sources() -> list[Path]:
    found = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    written = [path for path in found if not {"tests", "migrations"} & set(path.parts)]
    return [*written, ROOT / "catalog_pages" / "money.py"]


def faults(source: str) -> list[str]:
    """Lines at which a float could come into being, and why."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    return [
        f"{node.lineno}: {fault}"
        for node in ast.walk(tree)
        if (fault := _fault(node, list(_around(node, parents))))
    ]


def _around(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    while node in parents:
        node = parents[node]
        yield node


def _fault(node: ast.AST, around: list[ast.AST]) -> str:
    match node:
        case ast.Constant(value=float() | complex()) if not _is_of_seconds(around):
            return "a float"
        case ast.BinOp(op=ast.Div()) if not _is_path(node):
            return "a true division"
        case ast.AugAssign(op=ast.Div()):
            return "a true division"
        case ast.BinOp(op=ast.Pow(), right=ast.UnaryOp(op=ast.USub())):
            return "a negative power"
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in MAKES_FLOATS:
            return "" if _is_annotation(node, around) else name
        case ast.Call(func=ast.Name(id="Decimal"), args=arguments):
            exact = all(isinstance(a, ast.Constant) and isinstance(a.value, str) for a in arguments)
            return "" if exact else "a decimal of something inexact"
    return ""


def _is_of_seconds(around: list[ast.AST]) -> bool:
    """Whether what stands around says that this is time, and no money is handled there."""
    for node in around:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.keyword(arg=str(name)):
                if SECONDS.search(name):
                    return True
            case ast.FunctionDef(name=name):
                return bool(SECONDS.search(name)) and not any(map(_is_money, ast.walk(node)))
    return False


def _is_money(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            return bool(MONEY.search(name))
    return False


def _is_path(node: ast.expr) -> bool:
    """A join: one side is text, which no number can be divided by, or the left says that it is one."""
    match node:
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            return _is_text(left) or _is_text(right) or _is_path(left)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return bool(PATHS.search(name))
        case ast.Call(func=ast.Name(id="Path")):
            return True
    return False


def _is_text(node: ast.expr) -> bool:
    is_constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_constant or isinstance(node, ast.JoinedStr)


def _is_annotation(node: ast.AST, around: list[ast.AST]) -> bool:
    """`timeout: float` makes none."""
    inner = node
    for outer in around:
        match outer:
            case ast.arg(annotation=hint) | ast.AnnAssign(annotation=hint) if hint is inner:
                return True
            case ast.FunctionDef(returns=hint) if hint is inner:
                return True
        inner = outer
    return False


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_float_comes_into_being_where_money_is_handled(path: Path) -> None:
    assert faults(path.read_text()) == []


def test_the_files_that_handle_money_are_all_looked_at() -> None:
    looked_at = {str(path.relative_to(ROOT)) for path in sources()}

    assert len(looked_at) > 60
    assert {
        "catalog_pages/models/pages.py", "catalog_pages/money.py", "orders/models/payments.py",
        "orders/services/checkout.py", "orders/services/refund_facts.py", "orders/stripe_gateway.py",
        "store_api/v1/serializers/catalogue.py",
    } <= looked_at  # fmt: skip


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("price = 4.99", "a float"),
        ("TIMEOUT_SECONDS = 1.5\nPRICE = 1.5", "a float"),
        ("def wait_seconds(total): return total * 0.2", "a float"),
        ("half = amount / 2", "a true division"),
        ("amount /= 100", "a true division"),
        ("share = total / len(items)", "a true division"),
        ("tax = amount * 10 ** -2", "a negative power"),
        ("shown = float(pennies)", "float"),
        ("pennies = int(round(amount))", "round"),
        ("pennies = builtins.round(amount)", "round"),
        ("Order.objects.aggregate(mean=Avg('total_pennies'))", "Avg"),
        ("price = models.FloatField()", "FloatField"),
        ("share = operator.truediv(total, 3)", "truediv"),
        ("share = functools.reduce(truediv, [total, 3])", "truediv"),
        ("prices: list[int] = list(map(float, prices))", "float"),
        ("price = Decimal(4.99)", "a float"),
        ("price = Decimal(amount)", "a decimal of something inexact"),
        ("price = 1j", "a float"),
    ],
)
def test_the_check_notices_what_breaks_the_rule(source: str, fault: str) -> None:
    assert fault in {found.partition(": ")[2] for found in faults(source)}


@pytest.mark.parametrize(
    "source",
    [
        "whole, rest = divmod(pennies, 100)\nshare = total * weight // weights",
        "place = folder / name / 'file.flac'\nother = base_dir / name\nroot = Path(name) / other",
        "place = f'{a}' / b\nthing = anything / 'file'",
        "TIMEOUT_SECONDS = 10.0\nwait(timeout=1.5)\ndef pause_seconds() -> float: return 0.5",
        "def run(patience: float, *, at: float) -> float: ...\nwaits: float",
        "price = Decimal('4.99')",
        "factor = 10**digits",
    ],
)
def test_the_check_lets_whole_numbers_paths_and_seconds_be(source: str) -> None:
    assert faults(source) == []


def models() -> list[Any]:
    labels = ("orders", "downloads", "catalog_pages", "stripe_sandbox")
    return [model for label in labels for model in apps.get_app_config(label).get_models()]


@pytest.mark.django_db
def test_every_amount_in_the_database_is_a_whole_number_there() -> None:
    seen = set()

    with connection.cursor() as cursor:
        for model in models():
            table = model._meta.db_table
            for column in connection.introspection.get_table_description(cursor, table):
                if column.name.endswith(("_pennies", "_amount")):
                    kind = connection.introspection.get_field_type(column.type_code, column)
                    seen.add(f"{table}.{column.name}")
                    assert kind in WHOLE, (table, column)

    assert len(seen) >= 16
    assert {"orders_payment.captured_pennies", "catalog_pages_productpage.price_pennies"} <= seen


def test_no_model_of_the_shop_has_a_fraction() -> None:
    fields = [field for model in models() for field in model._meta.get_fields()]

    assert len(fields) > 100
    assert [field for field in fields if isinstance(field, FloatField | DecimalField)] == []


def test_every_amount_of_the_api_is_a_whole_number() -> None:
    modules = [
        import_module(f"{serializers.__name__}.{module.name}")
        for module in iter_modules(serializers.__path__)
    ]
    classes = [
        found
        for module in modules
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, BaseSerializer) and found.__module__ == module.__name__
    ]
    amounts = {
        name: field
        for found in classes
        for name, field in found().fields.items()
        if name.endswith("_pennies")
    }

    assert "price_pennies" in amounts
    assert all(isinstance(field, IntegerField) for field in amounts.values())


def no_float(text: str) -> NoReturn:
    raise AssertionError(f"{text} is a float")


@pytest.mark.django_db
def test_what_the_api_answers_holds_no_float(client: Client) -> None:
    make_product(price_pennies=1999)

    answer = client.get("/api/v1/products/")

    (product,) = json.loads(answer.content, parse_float=no_float)["results"]
    assert product["price_pennies"] == 1999


@pytest.mark.django_db
def test_what_is_frozen_for_stripe_holds_no_float() -> None:
    order = start_checkout(make_user(), make_product(price_pennies=1999), make_product()).order

    frozen = json.dumps(Payment.objects.get(order=order).request)

    items = json.loads(frozen, parse_float=no_float)["line_items"]
    assert [item["price_data"]["unit_amount"] for item in items] == [1999, 499]


@pytest.mark.sampled(5)
@pytest.mark.django_db
@pytest.mark.parametrize("amount", [4.99, 499.0, 1, 0, -499, "499", None, [499], 1e300, 10**30])
def test_amounts_in_an_event_are_never_believed(client: Client, amount: Any) -> None:
    order = start_checkout(make_user(), make_product()).order

    actions.pay(session_id_of(order))
    tell_with_other_amounts(client, amount)
    actions.refund(session_id_of(order), amount=200)
    tell_with_other_amounts(client, amount)

    payment, refund = Payment.objects.get(), Refund.objects.get()
    assert (payment.status, payment.captured_pennies) == ("paid", 499)
    assert (refund.status, refund.amount_pennies) == ("succeeded", 200)
    order.refresh_from_db()
    assert order.total_pennies == 499
    assert set(order.anomalies.values_list("code", flat=True)) == {"refund_without_lines"}


def tell_with_other_amounts(client: Client, amount: Any) -> None:
    """Deliver what waits, signed, with every amount and currency in it replaced."""
    for delivery in controls.pending_deliveries():
        told = controls.json_of(delivery.event)
        subject = told["data"]["object"]
        for name in subject:
            if name.startswith("amount"):
                subject[name] = amount
        subject["currency"] = "jpy"
        body = json.dumps(told).encode()
        assert post(client, body, sign(body)).status_code == 200
        controls.drop(delivery.event)


@pytest.mark.django_db
def test_what_was_paid_adds_up_to_the_penny(client: Client) -> None:
    products = [make_product(price_pennies=pennies) for pennies in (1, 333, 1999)]

    order = buy(client, make_user(), *products)

    assert order.total_pennies == sum(item.total_pennies for item in order.items.all()) == 2333
    assert order.payments.get().captured_pennies == 2333
