"""Webhook endpoints by the API: staff see all, an app its own, everybody else nothing."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from allauth.idp.oidc.models import Client as App
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook

from orders.models import WebhookDelivery, WebhookEndpoint
from orders.services.outgoing import URL_PATTERN
from orders.services.outgoing.sealing import unseal
from orders.tests.hooks import ALL, make_delivery, make_endpoint, receiver
from store_api.scopes import Scope
from store_api.tests.calling import Caller, app_of, third_party
from tests.factories import make_editor, make_user
from tests.partners import make_access_token, make_partner

pytestmark = pytest.mark.django_db

LIST = "webhook-endpoints/"
NEW = {"url": "https://partner.example/hooks", "events": ["order.paid"], "description": "Books"}


def one(endpoint: WebhookEndpoint, rest: str = "") -> str:
    return f"{LIST}{endpoint.pk}/{rest}"


def staff(*actions: str) -> Caller:
    """Somebody with these rights on endpoints, and no others."""
    user = make_user()
    codenames = [f"{action}_webhookendpoint" for action in actions]
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return app_of(user)


def partner() -> Caller:
    return third_party(Scope.WEBHOOKS_WRITE)


def owned_by(caller: Caller) -> WebhookEndpoint:
    """One that this app makes."""
    answer = caller("post", LIST, NEW)
    assert answer.status_code == 201, answer.content
    return WebhookEndpoint.objects.get(pk=answer.json()["endpoint"]["id"])


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def field_codes(answer: Any) -> set[tuple[str, str]]:
    assert answer.status_code == 400, answer.content
    return {(error["field"], error["code"]) for error in answer.json()["errors"]}


def test_staff_need_a_second_factor_where_the_admin_wants_one(settings: Any) -> None:
    caller = staff("view")
    settings.STAFF_SECOND_FACTOR_REQUIRED = True

    assert code_of(caller("get", LIST)) == (403, "second_factor_missing")
    assert partner()("get", LIST).status_code == 200


def test_staff_make_an_endpoint_and_read_its_secret_once() -> None:
    caller = staff("add", "view")

    made = caller("post", LIST, NEW)

    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    secret = made.json()["secret"]
    endpoint = WebhookEndpoint.objects.get()
    assert unseal(endpoint.sealed_secret) == secret
    assert made.json()["endpoint"] == caller("get", one(endpoint)).json()
    assert (endpoint.app, endpoint.created_by is None) == (None, False)
    for path in (LIST, one(endpoint)):
        answer = caller("get", path)
        assert answer.status_code == 200
        assert "whsec_" not in answer.content.decode()
        assert endpoint.sealed_secret not in answer.content.decode()


def test_an_endpoint_reads_as_the_schema_says() -> None:
    answer = staff("add")("post", LIST, NEW | {"events": ["product.published", "order.paid"]})

    endpoint = answer.json()["endpoint"]
    assert endpoint == {
        "id": endpoint["id"],
        "url": "https://partner.example/hooks",
        "events": ["order.paid", "product.published"],
        "description": "Books",
        "is_active": True,
        "disabled_at": None,
        "disabled_reason": "",
        "failing_since": None,
        "previous_secret_ends_at": None,
        "created_at": endpoint["created_at"],
    }


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"url": None}, ("url", "null")),
        ({"url": ""}, ("url", "blank")),
        ({"url": 5}, ("url", "invalid")),
        ({"url": "http://partner.example/"}, ("url", "webhook_url_invalid")),
        ({"url": "https://10.0.0.1/"}, ("url", "webhook_url_invalid")),
        ({"url": f"https://partner.example/{'a' * 500}"}, ("url", "webhook_url_invalid")),
        ({"events": []}, ("events", "min_length")),
        ({"events": "order.paid"}, ("events", "not_a_list")),
        ({"events": ["order.lost"]}, ("events.0", "invalid_choice")),
        ({"events": [1]}, ("events.0", "invalid_choice")),
        ({"events": [["order.paid"]]}, ("events.0", "invalid_choice")),
        ({"events": ["order.paid"] * 11}, ("events", "max_length")),
        ({"description": "a\nb"}, ("description", "invalid")),
        ({"description": "a\n"}, ("description", "invalid")),
        ({"description": 7}, ("description", "invalid")),
        ({"description": "x" * 201}, ("description", "max_length")),
        ({"is_active": "yes"}, ("is_active", "invalid")),
        ({"secret": "whsec_mine"}, ("secret", "unknown_field")),
        ({"app": "another"}, ("app", "unknown_field")),
        ({"sealed_secret": "x"}, ("sealed_secret", "unknown_field")),
        ({"failing_since": None}, ("failing_since", "unknown_field")),
    ],
)
def test_what_cannot_be_used_is_named(change: dict[str, Any], expected: tuple[str, str]) -> None:
    caller = staff("add", "change", "view")
    endpoint = make_endpoint().endpoint

    assert field_codes(caller("post", LIST, NEW | change)) == {expected}
    assert field_codes(caller("patch", one(endpoint), change)) == {expected}
    assert list(WebhookEndpoint.objects.all()) == [endpoint]


def test_what_is_missing_is_named() -> None:
    assert field_codes(staff("add")("post", LIST, {})) == {
        ("url", "required"),
        ("events", "required"),
    }


@pytest.mark.parametrize("description", ["", " ", "Bücher – für später", "x" * 200])
def test_any_line_of_text_is_a_description(description: str) -> None:
    answer = staff("add")("post", LIST, NEW | {"description": description})

    assert answer.json()["endpoint"]["description"] == description


def test_the_documented_pattern_of_a_url_is_the_rule(settings: Any) -> None:
    settings.SITE_BASE_URL = "https://shop.example.com"
    caller = staff("add")
    urls = [
        "https://a.example",
        "https://a.example:8443/x?y=1",
        "https://localhost/",
        "https://a.example/#b",
    ]

    for url in urls:
        answer = caller("post", LIST, NEW | {"url": url})

        assert (answer.status_code == 201) is bool(re.search(URL_PATTERN, url)), url


def test_a_change_leaves_what_is_not_sent() -> None:
    made = make_endpoint(description="Books")
    caller = staff("change")

    answer = caller("patch", one(made.endpoint), {"events": ["order.refunded"], "is_active": False})

    assert answer.status_code == 200
    assert answer.json()["events"] == ["order.refunded"]
    assert answer.json()["is_active"] is False
    assert answer.json()["disabled_at"] is not None
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.description, endpoint.sealed_secret) == ("Books", made.endpoint.sealed_secret)
    assert caller("patch", one(endpoint), {}).status_code == 200


def test_a_new_secret_is_shown_once_and_the_old_one_has_a_day() -> None:
    made = make_endpoint()
    caller = staff("change", "view")

    answer = caller("post", one(made.endpoint, "rotate-secret/"))

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    endpoint = WebhookEndpoint.objects.get()
    assert unseal(endpoint.sealed_secret) == answer.json()["secret"] != made.secret
    assert unseal(endpoint.sealed_previous_secret) == made.secret
    assert answer.json()["endpoint"]["previous_secret_ends_at"] is not None


def test_a_deleted_endpoint_is_gone_with_its_deliveries() -> None:
    endpoint = make_endpoint().endpoint
    make_delivery(endpoint)
    caller = staff("delete", "view")

    answer = caller("delete", one(endpoint))

    assert (answer.status_code, answer.content) == (204, b"")
    assert not WebhookDelivery.objects.exists()
    assert code_of(caller("get", one(endpoint))) == (404, "not_found")


def test_deliveries_are_listed_with_what_was_sent() -> None:
    endpoint = make_endpoint().endpoint
    delivery = make_delivery(endpoint, order={"id": 1})
    make_delivery(make_endpoint().endpoint)

    answer = staff("view")("get", one(endpoint, "deliveries/"))

    [row] = answer.json()["results"]
    assert row == {
        "id": str(delivery.pk),
        "webhook_id": delivery.event.webhook_id,
        "type": "order.paid",
        "occurred_at": row["occurred_at"],
        "payload": delivery.event.payload,
        "status": "pending",
        "attempts": 0,
        "next_attempt_at": row["next_attempt_at"],
        "last_status_code": None,
        "last_error": "",
        "created_at": row["created_at"],
        "delivered_at": None,
    }


def test_deliveries_go_on_by_cursor() -> None:
    endpoint = make_endpoint().endpoint
    ids = {str(make_delivery(endpoint).pk) for _ in range(5)}
    caller = staff("view")
    path, seen = one(endpoint, "deliveries/?page_size=2"), []

    while path:
        page = caller("get", path).json()
        seen += [row["id"] for row in page["results"]]
        path = (page["next"] or "").rpartition("/api/v1/")[2]

    assert sorted(seen) == sorted(ids)


def test_a_list_of_deliveries_asks_the_same_for_any_length() -> None:
    endpoint = make_endpoint().endpoint
    make_delivery(endpoint)
    caller, path = staff("view"), one(endpoint, "deliveries/")
    caller("get", path)
    with CaptureQueriesContext(connection) as for_one:
        caller("get", path)
    for _ in range(15):
        make_delivery(endpoint)

    with CaptureQueriesContext(connection) as for_many:
        answer = caller("get", path)

    assert len(answer.json()["results"]) == 16
    assert len(for_many) == len(for_one)


def test_a_delivery_is_sent_again(settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    settings.SITE_BASE_URL = "http://127.0.0.1:8000"
    with receiver() as here:
        made = make_endpoint(here.url)
        delivery = make_delivery(made.endpoint)
        WebhookDelivery.objects.update(status="given_up", next_attempt_at=None, attempts=10)
        path = one(made.endpoint, f"deliveries/{delivery.pk}/retry/")
        caller = staff("change")

        with django_capture_on_commit_callbacks(execute=True):
            answer = caller("post", path)

    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["attempts"]) == ("pending", 0)
    [got] = here.received
    assert Webhook(made.secret).verify(got.body, got.headers) == delivery.event.payload


def test_what_waits_already_and_what_is_off_is_not_sent_again() -> None:
    endpoint = make_endpoint().endpoint
    delivery = make_delivery(endpoint)
    caller = staff("change")
    path = one(endpoint, f"deliveries/{delivery.pk}/retry/")

    assert code_of(caller("post", path)) == (409, "webhook_delivery_waits")
    caller("patch", one(endpoint), {"is_active": False})
    assert code_of(caller("post", path)) == (409, "webhook_endpoint_off")


def test_a_delivery_of_another_endpoint_is_not_found_below_this_one() -> None:
    endpoint, other = make_endpoint().endpoint, make_endpoint().endpoint
    delivery = make_delivery(other)

    answer = staff("change")("post", one(endpoint, f"deliveries/{delivery.pk}/retry/"))

    assert code_of(answer) == (404, "not_found")


def calls(endpoint: WebhookEndpoint) -> list[tuple[str, str, str, Any]]:
    """Every operation, and the right that staff need for it."""
    delivery = endpoint.deliveries.first() or make_delivery(endpoint)
    return [
        ("view", "get", LIST, None),
        ("add", "post", LIST, NEW),
        ("view", "get", one(endpoint), None),
        ("change", "patch", one(endpoint), {"description": "Taken over"}),
        ("change", "post", one(endpoint, "rotate-secret/"), None),
        ("view", "get", one(endpoint, "deliveries/"), None),
        ("change", "post", one(endpoint, f"deliveries/{delivery.pk}/retry/"), None),
        ("delete", "delete", one(endpoint), None),
    ]


def test_each_operation_wants_the_right_of_its_own() -> None:
    endpoint = make_endpoint().endpoint
    for right, method, path, body in calls(endpoint):
        others = {"view", "add", "change", "delete"} - {right}

        assert code_of(staff(*others)(method, path, body)) == (403, "staff_only"), path


def test_nobody_else_sees_or_changes_anything() -> None:
    endpoint = make_endpoint(description="Ours").endpoint
    shopper, editor = make_user(), make_editor()

    for _, method, path, body in calls(endpoint):
        assert code_of(app_of()(method, path, body))[0] == 401, path
        assert code_of(app_of(shopper)(method, path, body)) == (403, "staff_only"), path
        for_shopper = third_party(Scope.WEBHOOKS_WRITE, user=shopper)
        assert code_of(for_shopper(method, path, body)) == (403, "staff_only"), path
        unscoped = third_party(Scope.ORDERS_READ, Scope.CART_WRITE, user=editor)
        assert code_of(unscoped(method, path, body)) == (403, "insufficient_scope"), path
        alone = third_party(Scope.CATALOG_READ)
        assert code_of(alone(method, path, body)) == (403, "insufficient_scope"), path

    assert list(WebhookEndpoint.objects.values_list("description", flat=True)) == ["Ours"]


@pytest.mark.wide
def test_an_app_sees_what_it_made_and_nothing_else() -> None:
    shops, caller, rival = make_endpoint().endpoint, partner(), partner()
    own, theirs = owned_by(caller), owned_by(rival)

    listed = caller("get", LIST).json()["results"]

    assert [row["id"] for row in listed] == [str(own.pk)]
    assert own.app == App.objects.get(pk=own.app_id)
    assert own.created_by is None
    assert caller("get", one(own)).status_code == 200
    for endpoint in (shops, theirs):
        for _, method, path, body in calls(endpoint):
            if path != LIST:
                assert code_of(caller(method, path, body)) == (404, "not_found"), path
    assert WebhookEndpoint.objects.filter(description="Taken over").count() == 0


def test_an_app_can_do_everything_with_its_own() -> None:
    caller = partner()
    endpoint = owned_by(caller)
    delivery = make_delivery(endpoint)
    WebhookDelivery.objects.update(status="given_up", next_attempt_at=None)

    answers = [
        caller("patch", one(endpoint), {"events": ALL}),
        caller("post", one(endpoint, "rotate-secret/")),
        caller("get", one(endpoint, "deliveries/")),
        caller("post", one(endpoint, f"deliveries/{delivery.pk}/retry/")),
        caller("delete", one(endpoint)),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 202, 204]


def test_an_app_with_a_member_of_staff_sees_the_shops_and_its_own() -> None:
    shops, rivals = make_endpoint().endpoint, owned_by(partner())
    app, editor = make_partner(), make_editor()
    own = owned_by(of_app(app))

    caller = of_app(app, editor)

    listed = {row["id"] for row in caller("get", LIST).json()["results"]}
    assert listed == {str(shops.pk), str(own.pk)}
    for _, method, path, body in calls(rivals):
        if path != LIST:
            assert code_of(caller(method, path, body)) == (404, "not_found"), path
    assert app_of(editor)("get", one(rivals)).status_code == 200  # without an app in between
    made = owned_by(caller)
    assert made.app is None
    assert made.created_by == editor


def of_app(app: App, user: Any = None) -> Caller:
    return Caller(Authorization=f"Bearer {make_access_token(app, user)}")


def test_what_is_not_yours_is_asked_for_as_what_there_is_not() -> None:
    caller, shops = partner(), make_endpoint().endpoint
    nowhere = f"{LIST}{uuid.uuid4()}/"
    caller("get", nowhere)
    with CaptureQueriesContext(connection) as for_nothing:
        nothing = caller("get", nowhere)
    with CaptureQueriesContext(connection) as for_others:
        others = caller("get", one(shops))

    assert nothing.status_code == others.status_code == 404
    assert nothing.content == others.content
    assert len(for_nothing) == len(for_others)


@pytest.mark.wide
def test_an_app_cannot_fill_the_shop() -> None:
    caller = partner()
    for _ in range(20):
        owned_by(caller)

    assert code_of(caller("post", LIST, NEW)) == (409, "webhook_endpoints_full")


@pytest.mark.parametrize("path", [f"{LIST}1/", f"{LIST}not-a-uuid/", f"{LIST}{uuid.UUID(int=0)}/"])
def test_odd_ids_are_not_found(path: str) -> None:
    assert code_of(staff("view")("get", path)) == (404, "not_found")


def test_a_browser_of_staff_needs_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_editor())

    answer = Caller(client)("post", LIST, NEW)

    assert answer.status_code == 403
    assert not WebhookEndpoint.objects.exists()
