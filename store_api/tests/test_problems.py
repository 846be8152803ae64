"""Every error of the API is problem+json (RFC 9457), whatever went wrong and wherever."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from store_api.v1.views.catalogue import ProductViewSet

pytestmark = pytest.mark.django_db
MEMBERS = {"type", "title", "status", "code", "detail", "errors"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("get", "/api/v1/products/none/", {}, 404, "not_found"),
        ("get", "/api/v1/nothing/of/the/kind/", {}, 404, "not_found"),
        ("post", "/api/v1/nothing/", {}, 404, "not_found"),
        ("get", "/api/v1/", {}, 404, "not_found"),
        ("get", "/api/v1/products/?cursor=junk", {}, 404, "cursor_unknown"),
        ("get", "/api/v1/products/", {"Accept": "image/png"}, 406, "not_acceptable"),
        ("get", "/api/v1/products/?ordering=colour", {}, 400, "invalid"),
        ("get", "/api/v1/products/?min_price=cheap", {}, 400, "invalid"),
        ("get", "/api/v1/products/?free=maybe", {}, 400, "invalid"),
    ],
)
def test_every_error_has_the_same_members_and_a_code(
    client: Client, method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = getattr(client, method)(path, headers=headers)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == MEMBERS
    assert (body["status"], body["code"], body["type"]) == (status, code, "about:blank")
    assert body["detail"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_wrong_method_is_told_which_are_right(client: Client, method: str) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = getattr(client, method)("/api/v1/products/")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert set(answer["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_wrong_parameters_are_named_each_with_a_sentence(client: Client) -> None:
    path = "/api/v1/products/?min_price=-1&released_since=yesterday"

    errors = client.get(path).json()["errors"]

    assert {error["field"] for error in errors} == {"min_price", "released_since"}
    assert all(error["code"] and error["detail"] for error in errors)


def answer_after(error: Exception, client: Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    def fails(view: ProductViewSet) -> Any:
        raise error

    monkeypatch.setattr(ProductViewSet, "get_queryset", fails)
    client.raise_request_exception = False
    return client.get("/api/v1/products/")


def test_a_fault_of_ours_says_nothing_of_itself_and_is_logged(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = answer_after(RuntimeError("the secret of the house"), client, monkeypatch)

    assert (answer.status_code, answer.json()["code"]) == (500, "error")
    assert set(answer.json()) == {*MEMBERS, "request_id"}
    assert "secret" not in answer.content.decode()
    assert "the secret of the house" in caplog.text


def test_a_database_that_is_away_is_no_fault_and_worth_coming_back_for(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = answer_after(OperationalError("no route to the house"), client, monkeypatch)

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer["Retry-After"] == "5"
    assert answer["Content-Type"] == "application/problem+json"
    assert "house" not in answer.content.decode()
    assert caplog.text.count("OperationalError: no route to the house") == 1


def test_an_address_without_its_slash_is_led_to_the_one_with_it(client: Client) -> None:
    assert client.get("/api/v1/products")["Location"] == "/api/v1/products/"
