"""A client that a generator made from our description, with nothing added by hand, buys a track."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from store_api.tests import description
from tests.api.conftest import OpenShop, pay, sign_up
from tests.server_processes import ROOT

PACKAGE = "shop_client"
PATIENCE_S = 60
# No formatter over what is generated: nobody reads it here.
OPTIONS = f"package_name_override: {PACKAGE}\npost_hooks: []\n"
SNIPPET = """
from shop_client import AuthenticatedClient
from shop_client.api.catalogue import products_list
from shop_client.models.problem import Problem


def titles(client: AuthenticatedClient) -> list[str]:
    answer = products_list.sync(client=client, q="tide")
    if answer is None or isinstance(answer, Problem):
        return []
    return [product.title for product in answer.results]


def prices(client: AuthenticatedClient) -> list[str]:
    answer = products_list.sync(client=client)
    assert answer is not None and not isinstance(answer, Problem)
    return [product.price_pennies for product in answer.results]  # numbers are no texts
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that the package lies in. A warning of the generator fails."""
    folder = tmp_path_factory.mktemp("client")
    options = folder / "options.yaml"
    options.write_text(OPTIONS)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"]
    command += ["--path", str(ROOT / "docs" / "openapi.yaml"), "--config", str(options)]
    command += ["--meta", "none", "--output-path", str(folder / PACKAGE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "warning" not in said.lower(), said
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


class Generated:
    """Its functions and classes by name, and one caller. `headers` are those that its functions name."""

    def __init__(self, client: Any, **headers: str) -> None:
        self.client, self.headers = client, headers

    def __call__(self, operation: str, *arguments: Any, **more: Any) -> Any:
        """What the operation answers, as the class that was generated for it."""
        function = import_module(f"{PACKAGE}.api.{operation}").sync_detailed
        answer = function(*arguments, client=self.client, **more)
        assert answer.status_code < 400, answer.parsed
        assert answer.parsed is not None, f"{operation} answered {answer.status_code}, undocumented"
        return answer.parsed


def model(name: str, **values: Any) -> Any:
    return getattr(import_module(f"{PACKAGE}.models"), name)(**values)


def anonymous(shop: OpenShop) -> Generated:
    maker = import_module(PACKAGE).Client
    return Generated(maker(base_url=shop.url, httpx_args={"trust_env": False}))


def signed_in(shop: OpenShop, token: str) -> Generated:
    maker = import_module(PACKAGE).AuthenticatedClient
    header = {"prefix": "", "auth_header_name": "X-Session-Token"}
    return Generated(
        maker(base_url=shop.url, token=token, httpx_args={"trust_env": False}, **header)
    )


def until_paid(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while (order := look()).status != "paid":
        assert time.monotonic() < deadline, f"still {order.status}"
        time.sleep(0.05)
    return order


def assert_it_arrives(link: Any, shop: OpenShop) -> None:
    with httpx.Client(trust_env=False) as client:
        arrived = client.get(link.url).content
    assert len(arrived) == link.size_bytes
    assert hashlib.sha256(arrived).hexdigest() == link.sha256 == shop.asset.sha256


def test_somebody_who_is_signed_in_buys_a_track(shop: OpenShop, generated: Path) -> None:
    call = signed_in(shop, sign_up(shop, "kim@example.com"))

    found = call("catalogue.products_list", q="tidewater").results
    call("cart.cart_item_create", body=model("NewItem", product=found[0].id))
    cart = call("cart.cart_retrieve")
    checkout = call(
        "checkout.checkout_create",
        body=model("CheckoutRequest", consent=True),
        idempotency_key=str(uuid.uuid4()),
    )
    pay(checkout.checkout_url)
    order = until_paid(lambda: call("orders.order_retrieve", checkout.order.id))
    purchase = call("purchases.purchases_list").results[0]
    link = call("purchases.purchase_link", purchase.id, body=model("LinkRequest"))

    assert cart.total_pennies == order.total_pennies == shop.product.price_pennies
    assert order.email == "kim@example.com"
    assert purchase.order == order.id
    assert_it_arrives(link, shop)


def test_a_guest_buys_a_track_with_two_secrets(shop: OpenShop, generated: Path) -> None:
    call = anonymous(shop)

    found = call("catalogue.products_list", q="tidewater").results
    cart = {"x_cart_token": call("cart.cart_create").token}
    call("cart.cart_item_create", body=model("NewItem", product=found[0].id), **cart)
    checkout = call(
        "checkout.checkout_create",
        body=model("CheckoutRequest", consent=True, email="robin@example.com"),
        idempotency_key=str(uuid.uuid4()),
        **cart,
    )
    pay(checkout.checkout_url)
    key = {"x_order_token": checkout.order_token}
    order = until_paid(lambda: call("orders.order_retrieve", checkout.order.id, **key))
    purchase = call("purchases.purchases_list", **key).results[0]
    link = call("purchases.purchase_link", purchase.id, body=model("LinkRequest"), **key)

    assert order.email == "robin@example.com"
    assert_it_arrives(link, shop)


def test_a_refusal_arrives_as_the_class_for_problems(shop: OpenShop, generated: Path) -> None:
    refused = import_module(f"{PACKAGE}.api.orders.orders_list").sync_detailed(
        client=anonymous(shop).client
    )

    assert refused.status_code == 401
    assert isinstance(refused.parsed, import_module(f"{PACKAGE}.models").Problem)
    assert refused.parsed.code == "not_authenticated"


def test_every_operation_of_the_description_is_a_function(generated: Path) -> None:
    operations = {each.said["operationId"] for each in description.operations()}

    functions = {path.stem for path in generated.glob(f"{PACKAGE}/api/*/*.py")} - {"__init__"}

    assert functions == operations


@pytest.mark.wide
def test_the_client_is_typed(generated: Path) -> None:
    (generated / "snippet.py").write_text(SNIPPET)

    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--follow-imports=silent",
         f"--cache-dir={generated / 'cache'}", "snippet.py"],
        cwd=generated, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip

    wrong = [line for line in checked.stdout.splitlines() if ": error:" in line]
    assert len(wrong) == 1, checked.stdout + checked.stderr
    assert wrong[0].startswith("snippet.py:17: error: List comprehension has incompatible type")
