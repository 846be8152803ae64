"""What clients accept is weighed as RFC 9110, section 12.5.1 says; nothing happens before it is."""

from __future__ import annotations

import pytest
from django.test import Client

from orders.models import Cart

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products/"


@pytest.mark.parametrize(
    "accepts",
    [
        "",
        "*/*",
        "application/json",
        "application/*;q=0.1",
        "application/json;q=0.001, */*;q=0",
        "*/*;q=0, application/json",
        "text/html;q=0, */*",
        "application/*;q=0, application/json",
        "application/problem+json, application/json",
        "application/json;version=2;q=0, application/json",
        "application/json;q=nonsense",
        "application/json;Q=1.000",
        "text/html,application/xhtml+xml,*/*;q=0.8",
    ],
)
def test_json_is_given_to_who_takes_it(accepts: str) -> None:
    answer = Client().get(PRODUCTS, headers={"Accept": accepts})

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    "accepts",
    [
        "*/*;q=0",
        "application/json;q=0, */*",
        "*/*, application/json;q=0.000",
        "application/json;q=0",
        "application/*;q=0, */*",
        "application/problem+json",
        "image/png",
        "nonsense",
    ],
)
def test_who_does_not_take_it_is_told_before_anything_is_done(accepts: str) -> None:
    read = Client().get(PRODUCTS, headers={"Accept": accepts})
    written = Client().post("/api/v1/carts/", headers={"Accept": accepts})

    for answer in (read, written):
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
        assert answer["Content-Type"] == "application/problem+json"
    assert not Cart.objects.exists()


@pytest.mark.parametrize(
    ("accepts", "kind"),
    [
        ("application/json;q=0.5, application/yaml;q=0.9", "application/yaml"),
        ("application/yaml;q=0.5, application/json;q=0.9", "application/json"),
        (
            "application/vnd.oai.openapi;q=0, application/yaml;q=0, */*",
            "application/vnd.oai.openapi+json",
        ),
        ("*/*;q=0.1, application/json", "application/json"),
    ],
)
def test_of_several_forms_the_one_that_weighs_most_is_given(accepts: str, kind: str) -> None:
    assert Client().get("/api/schema/", headers={"Accept": accepts})["Content-Type"] == kind
