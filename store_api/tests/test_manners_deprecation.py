"""What will go says so: in every answer and in the description."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from store_api.deprecation import Deprecation

pytestmark = pytest.mark.urls(__name__)
WILL_GO = Deprecation(since=date(2027, 1, 1), sunset=date(2028, 6, 30), instead="/api/v2/new/")
WORD = extend_schema(responses=serializers.CharField)


class Old(ViewSet):
    permission_classes: list[Any] = []
    versioning_class = None
    deprecated = WILL_GO

    @WORD
    def list(self, request: Request) -> Response:
        return Response("old", headers={"Link": '</next/>; rel="next"'})


class HalfOld(ViewSet):
    permission_classes: list[Any] = []
    versioning_class = None

    @WORD
    def list(self, request: Request) -> Response:
        return Response("stays")

    @WORD
    @Deprecation(since=date(2027, 1, 1))
    def create(self, request: Request) -> Response:
        request.data  # noqa: B018  # read, so that a bad body is refused
        return Response("goes")


drawn = [
    path("api/t/old/", Old.as_view({"get": "list"})),
    path("api/t/half/", HalfOld.as_view({"get": "list", "post": "create"})),
]
urlpatterns = [*drawn, path("", include("site_config.urls"))]


@pytest.mark.parametrize(
    ("method", "status"), [("get", 200), ("head", 200), ("options", 200), ("delete", 405)]
)
def test_every_answer_names_the_dates_and_the_way_on(method: str, status: int) -> None:
    answer = getattr(Client(), method)("/api/t/old/")

    assert answer.status_code == status
    assert answer["Deprecation"] == "@1798761600"
    assert answer["Sunset"] == "Fri, 30 Jun 2028 00:00:00 GMT"
    links = answer["Link"].split(", ")
    assert links[-2:] == [
        '</api/docs/>; rel="deprecation"; type="text/html"',
        '</api/v2/new/>; rel="successor-version"',
    ]


def test_a_link_that_is_there_already_stays() -> None:
    assert Client().get("/api/t/old/")["Link"].startswith('</next/>; rel="next", ')


def test_an_error_says_it_too() -> None:
    answer = Client().get("/api/t/old/", headers={"Accept": "image/png"})

    assert (answer.status_code, answer["Deprecation"]) == (406, "@1798761600")


def test_one_method_may_go_while_the_others_stay() -> None:
    stays = Client().get("/api/t/half/")
    goes, refused = (
        Client().post("/api/t/half/", body, content_type="application/json") for body in ("{}", "{")
    )

    assert "Deprecation" not in stays
    assert (goes["Deprecation"], refused["Deprecation"]) == ("@1798761600", "@1798761600")
    assert (goes.status_code, refused.status_code) == (200, 400)
    assert "Sunset" not in goes
    assert "successor" not in goes["Link"]


def test_the_description_marks_what_will_go() -> None:
    paths = SchemaGenerator(patterns=drawn).get_schema(request=None, public=True)["paths"]

    assert paths["/api/t/old/"]["get"]["deprecated"]
    assert paths["/api/t/half/"]["post"]["deprecated"]
    assert "deprecated" not in paths["/api/t/half/"]["get"]
