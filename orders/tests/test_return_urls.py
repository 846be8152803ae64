"""Where buyers may be sent after paying: what is listed and what lies below it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from orders.return_urls import ReturnUrlRefused, return_url_clean, return_url_problem

LISTED = [
    "https://app.example/shop/paid",
    "com.example.app:/done",
    "myapp://paid",
    "https://two.example/",
]


@pytest.fixture(autouse=True)
def _listed(settings: Any) -> None:
    settings.CHECKOUT_RETURN_URLS = LISTED


@pytest.mark.parametrize(
    "url",
    [
        *LISTED,
        "https://app.example/shop/paid/",
        "https://app.example/shop/paid/42?order=7&x=%20y",
        "https://app.example/shop/paid?session={CHECKOUT_SESSION_ID}",
        "https://APP.example/shop/paid",
        "com.example.app:/done/now",
        "myapp://paid?order=7",
        "https://two.example/anything/below",
    ],
)
def test_what_is_listed_and_what_lies_below_is_let_through_as_it_is(url: str) -> None:
    assert return_url_clean(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "/orders/",
        "//app.example/shop/paid",
        "https:app.example/shop/paid",
        "https:///app.example/shop/paid",
        "http://app.example/shop/paid",
        "https://app.example",
        "https://app.example/shop",
        "https://app.example/shop/paidmore",
        "https://app.example/shop/paid/../../admin",
        "https://app.example/shop/paid/%2e%2e/admin",
        "https://app.example/shop/paid/.%2E/admin",
        "https://app.example.evil.example/shop/paid",
        "https://evil.example/https://app.example/shop/paid",
        "https://evil.example?https://app.example/shop/paid",
        "https://app.example@evil.example/shop/paid",
        "https://user:pass@app.example/shop/paid",
        "https://app.example:8443/shop/paid",
        "https://app.example:x/shop/paid",
        "https://[::1/shop/paid",
        "https://app.example\\@evil.example/shop/paid",
        "https://app.example/shop/paid\\..\\admin",
        "https://app.example/shop/paid#fragment",
        "https://app.example/shop/paid\n.evil",
        "https://app.example/shop/paid\0",
        "https://аpp.example/shop/paid",
        "\thttps://app.example/shop/paid",
        "https://app.example/shop/paid ",
        "javascript:alert(1)",
        "JavaScript:alert(1)//https://app.example/shop/paid",
        "data:text/html,hello",
        "com.example.other:/done",
        "com.example.app://evil/done",
        "com.example.app:/doneandmore",
        "myapp://paid.evil",
        "myapp://",
        "https://app.example/shop/paid?" + "x" * 3000,
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(ReturnUrlRefused):
        return_url_clean(url)


@pytest.mark.parametrize("entry", [*LISTED, "http://127.0.0.1:8000/paid", "http://localhost/paid"])
def test_an_operator_may_list_pages_and_apps(entry: str) -> None:
    assert return_url_problem(entry) == ""


@pytest.mark.parametrize(
    "entry",
    [
        "javascript:alert(1)", "data:text/html,x", "http://app.example/paid", "https://", "app.example/paid",
        "https://app.example/paid?x=1", "https://app.example/paid#x", "https://a@app.example/", "*",
        "https://app.example/../x", "intent://paid", "file:///etc/passwd", "https://app example/",
    ],
)  # fmt: skip
def test_an_operator_may_not_list_what_is_dangerous(entry: str) -> None:
    assert return_url_problem(entry)


def test_nothing_is_listed_by_itself(settings: Any) -> None:
    settings.CHECKOUT_RETURN_URLS = []

    with pytest.raises(ReturnUrlRefused):
        return_url_clean("https://app.example/shop/paid")
