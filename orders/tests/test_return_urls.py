"""Where buyers may be sent after paying: what is listed and what lies below it, and nothing else."""

from __future__ import annotations

import posixpath
import re
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.return_urls import (
    ReturnUrlRefused,
    return_url_clean,
    return_url_is_allowed,
    return_url_problem,
)

LISTED = [
    "https://app.example/shop/paid",
    "com.example.app:/done",
    "myapp://paid",
    "other:///paid",
    "https://two.example/",
]

READ_OTHERWISE = [
    "{id}", "a|b", "a^b", "a`b", 'a"b', "<b>", "[b]", "%", "%2", "%zz", "a%2fb", "a%2Fb", "a%5cb", "%252e",
    "a%3bb", "a%3Fb", "a%23b", "%00", "%0d%0ax", "%7f", "%c0%af", "%ff", "..;", "..;a=1", ".;", "..", ".",
    "%2e%2e", ".%2E", "/x", "//", "/", ";", ";/x",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _listed(settings: Any) -> None:
    settings.CHECKOUT_RETURN_URLS = LISTED


@pytest.mark.parametrize(
    "url",
    [
        *LISTED,
        "https://app.example/shop/paid/",
        "https://app.example/shop/paid/42?order=7&x=%20y",
        "https://app.example/shop/paid/a%20b/caf%C3%A9/me%40home/...;v=1?next=%2Fcart%2f..#done",
        "https://APP.example/shop/paid",
        "com.example.app:/done/now",
        "myapp://paid?order=7",
        "myapp://paid/123?x=1#y",
        "other:///paid/123",
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
        "https://app.example/shop/paid#a#b",
        "https://app.example/shop/paid#a\\b",
        *(f"https://app.example/shop/paid/{step}" for step in READ_OTHERWISE),
        *(f"https://app.example/shop/paid/{step}/../x" for step in READ_OTHERWISE),
        "https://app.example/shop/paid?session={CHECKOUT_SESSION_ID}",
        "https://app.example/shop/paid?x=%zz",
        "https://app.example/shop/paid;/../x",
        "https://app.example//shop/paid",
        "https://app%2eexample/shop/paid",
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
        "myapp:///paid",
        "com.example.app:///done",
        "com.example.app:/done/%2e%2e/x",
        "com.example.app:////done",
        "other:/paid/123",
        "other:paid/123",
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
        "https://app.example/../x", "https://app.example/a%2fb", "https://app.example//x", "myapp://{paid}",
        "intent://paid", "file:///etc/passwd", "https://app example/",
    ],
)  # fmt: skip
def test_an_operator_may_not_list_what_is_dangerous(entry: str) -> None:
    assert return_url_problem(entry)


def every_reading(url: str) -> set[str]:
    """How browsers and proxies may understand it: decoded once or again, slashes turned and merged, cut at
    semicolons, one step up at two dots."""
    written = {url}
    for _ in range(3):
        written |= {unquote(one, errors="replace") for one in written}
    written |= {one.replace("\\", "/") for one in written}
    written |= {re.sub(r";[^/?#]*", "", one) for one in written}
    return {_without_dots(one) for one in written}


def _without_dots(url: str) -> str:
    start, _, path = url.partition("://")
    return f"{start}://{posixpath.normpath(re.split('[?#]', path)[0])}"


@given(
    st.lists(
        st.sampled_from(
            [*READ_OTHERWISE, "/", "..", ".", ";", "\\", "%2e", "%2f", "%25", "a", "?", "#", "@"]
        )
        | st.characters(),
        max_size=8,
    )
)
def test_however_it_is_read_it_leads_below_the_list(pieces: list[str]) -> None:
    url = "https://app.example/shop/paid" + "".join(pieces)
    if return_url_is_allowed(url):
        for reading in every_reading(url.partition("?")[0].partition("#")[0]):
            assert f"{reading}/".startswith("https://app.example/shop/paid/"), (url, reading)


@pytest.mark.wide
@given(
    st.lists(st.from_regex(r"[a-z0-9_~.-]*[a-z0-9]", fullmatch=True), max_size=4),
    st.dictionaries(
        st.from_regex(r"[a-z]+", fullmatch=True), st.text(st.characters(codec="utf-8"), max_size=9)
    ),
    st.from_regex(r"(#[a-z0-9/?=&]*)?", fullmatch=True),
)
def test_honest_addresses_of_an_app_are_let_through(
    steps: list[str], query: dict[str, str], fragment: str
) -> None:
    asked = f"?{urlencode(query)}" if query else ""

    for entry in ("https://app.example/shop/paid", "myapp://paid", "com.example.app:/done"):
        url = "/".join([entry, *steps]) + asked + fragment
        assert return_url_clean(url) == url


def test_nothing_is_listed_by_itself(settings: Any) -> None:
    settings.CHECKOUT_RETURN_URLS = []

    with pytest.raises(ReturnUrlRefused):
        return_url_clean("https://app.example/shop/paid")
