"""Whatever happens below `/api/` is answered as problem+json, wherever in the project it happens."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog_pages.errors import DomainError
from site_config.requests import ShopHandler, Utf8Request

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
SECRET = "the secret of the house"


class Busy(DomainError):
    code = "busy"
    status = 503
    retry_after_s = 7


RAISED = {
    "missing": Http404(SECRET),
    "denied": PermissionDenied(SECRET),
    "bad": BadRequest(SECRET),
    "suspicious": SuspiciousOperation(SECRET),
    "fields": TooManyFieldsSent(SECRET),
    "big": RequestDataTooBig(SECRET),
    "fault": RuntimeError(SECRET),
    "busy": Busy("All are busy. Come back in a moment."),
}


class Raises(APIView):
    permission_classes: list[Any] = []

    def get(self, request: Request, what: str) -> Response:
        raise RAISED[what]


def raises(request: HttpRequest, what: str) -> HttpResponse:
    raise RAISED[what]


class Unrenderable(BaseRenderer):
    media_type = "application/json"

    def render(self, *args: Any, **kwargs: Any) -> bytes:
        raise RuntimeError(SECRET)


class CannotBeShown(APIView):
    permission_classes: list[Any] = []
    renderer_classes = [Unrenderable]

    def get(self, request: Request) -> Response:
        return Response({})


class FailingMiddleware:
    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        raise RuntimeError(SECRET)


def form(request: HttpRequest) -> HttpResponse:
    return HttpResponse("taken")


urlpatterns = [
    path("api/t/view/<what>/", Raises.as_view()),
    path("api/t/plain/<what>/", raises),
    path("api/t/unrenderable/", CannotBeShown.as_view()),
    path("api/t/form/", form),
    path("page/<what>/", raises),
    path("", include("site_config.urls")),
]


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("where", ["view", "plain"])
@pytest.mark.parametrize(
    ("what", "statuses", "code"),
    [
        ("missing", {404}, "not_found"),
        ("denied", {403}, "permission_denied"),
        ("bad", {400}, "bad_request"),
        ("suspicious", {400}, "bad_request"),
        ("fields", {400}, "bad_request"),
        ("fault", {500}, "error"),
    ],
)
def test_what_django_refuses_reads_like_what_a_view_refuses(
    client: Client, settings: Any, debug: bool, where: str, what: str, statuses: set[int], code: str
) -> None:
    settings.DEBUG = debug

    answer = client.get(f"/api/t/{where}/{what}/")

    body = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["code"]) == (body["status"], *statuses, code)
    assert SECRET not in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


def test_a_body_that_django_finds_too_large_is_413(client: Client) -> None:
    answer = client.get("/api/t/view/big/")

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.json()["title"] == "Content Too Large"


def test_a_rule_that_says_when_to_come_back_is_heard_and_leaves_no_traceback(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/api/t/view/busy/")

    assert (answer.status_code, answer["Retry-After"]) == (503, "7")
    assert answer.json()["code"] == "busy"
    assert answer.json()["detail"] == "All are busy. Come back in a moment."
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "address", ["/api/t/view/fault/", "/api/t/plain/fault/", "/api/t/unrenderable/"]
)
def test_a_fault_is_logged_once_with_its_traceback_and_reported_with_the_requests_id(
    client: Client, settings: Any, caplog: pytest.LogCaptureFixture, debug: bool, address: str
) -> None:
    settings.DEBUG = debug

    answer = client.get(address, headers={"X-Request-ID": "partner-7"})

    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer["X-Request-ID"] == "partner-7"
    assert SECRET not in answer.content.decode()
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.exc_info is not None for record in errors] == [True]


@pytest.mark.parametrize("debug", [False, True])
def test_a_fault_of_a_middleware_is_a_problem_too(
    client: Client, settings: Any, debug: bool
) -> None:
    settings.DEBUG = debug
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.FailingMiddleware"]

    answer = client.get("/api/v1/products/")

    assert (answer.status_code, answer.json()["code"]) == (500, "error")
    assert SECRET not in answer.content.decode()


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("https", [False, True])
def test_an_unknown_host_is_400(client: Client, settings: Any, debug: bool, https: bool) -> None:
    settings.DEBUG = debug
    settings.SECURE_SSL_REDIRECT = https

    answer = client.get("/api/v1/products/", headers={"Host": "elsewhere.example"})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_form_without_its_token_is_403_below_the_api() -> None:
    answer = Client(enforce_csrf_checks=True).post("/api/t/form/", {"a": "b"})

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_a_browsers_session_without_its_token_is_told_so(admin_user: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)

    answer = client.post("/api/v1/carts/")

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


@pytest.mark.parametrize(
    "address",
    ["/api/", "/api/none/", "/api/v2/products/", "/api/v1/products/%00/", "/api/v1/products/%ff/"],
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_addresses_that_are_none_are_404_whatever_is_written_in_them(
    client: Client, address: str, method: str
) -> None:
    answer = getattr(client, method)(address)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("debug", [False, True])
def test_writing_to_an_address_without_its_slash_is_not_led_astray(
    client: Client, settings: Any, debug: bool
) -> None:
    settings.DEBUG = debug

    answer = client.post("/api/v1/carts")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "Addresses end with a slash."


@pytest.mark.parametrize("address", ["/api/schema/", "/api/docs/"])
def test_documents_refuse_in_json_as_well(client: Client, address: str) -> None:
    unacceptable = client.get(address, headers={"Accept": "image/png"})
    wrong_method = client.post(address)

    assert [unacceptable.json()["code"], unacceptable.status_code] == ["not_acceptable", 406]
    assert [wrong_method.json()["code"], wrong_method.status_code] == ["method_not_allowed", 405]
    assert unacceptable["Content-Type"] == "application/problem+json"


def test_pages_keep_their_own_errors(client: Client) -> None:
    answer = client.get("/page/missing/")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_query_of_too_many_parameters_is_400(client: Client) -> None:
    query = "&".join(f"a{number}=1" for number in range(10_001))

    answer = client.get(f"/api/v1/products/?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "artist=%00",
        "format=a%00b",
        "cursor=%00",
        "ordering=%00",
        "page_size=%00",
        "min_price=%00",
        "min_price=NaN",
        "max_price=Infinity",
        "max_price=1e400",
        "min_price=" + "9" * 5000,
        "released_since=%00",
        "released_since=9999999999-01-01",
        "q=%ED%A0%80",
        "q=" + "a" * 60_000,
        "page_size=" + "9" * 5000,
        "cursor=" + "A" * 60_000,
        "%00=1",
        "free[]=true&free=true&free=false",
    ],
)
def test_hostile_queries_are_never_a_fault_of_ours(client: Client, query: str) -> None:
    answer = client.get(f"/api/v1/products/?{query}")

    assert answer.status_code < 500, answer.content
    assert answer.status_code < 400 or answer["Content-Type"] == "application/problem+json"


def _taken_in(charset: str, query: str) -> Utf8Request:
    """As the server hands a request over, before any middleware; the test client has its own way."""
    from site_config.wsgi import application  # asks the database when it is loaded

    assert isinstance(application, ShopHandler)
    environ = RequestFactory().get("/api/v1/products/").environ
    kind = f"application/json; charset={charset}"
    return application.request_class(environ | {"QUERY_STRING": query, "CONTENT_TYPE": kind})


@pytest.mark.parametrize("charset", ["bz2_codec", "utf-16", "latin-1", "idna", "punycode", "none"])
def test_a_bodys_charset_decides_nothing_about_the_address(charset: str) -> None:
    request = _taken_in(charset, "q=%C3%A9")

    assert request.GET["q"] == "é"
    assert request.content_params == {"charset": charset}


def test_too_many_parameters_fail_where_they_can_be_answered() -> None:
    request = _taken_in("utf-8", "&".join(["a=1"] * 10_001))

    with pytest.raises(TooManyFieldsSent):
        request.GET  # noqa: B018  # reading it is what is refused
