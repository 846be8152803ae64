"""Sessions are Django's, in fewer statements."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from catalog_pages.stamp import catalogue_stamp, stamp_beside, stamp_of
from site_config.sessions import SessionStore
from store_api.tests.calling import app_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def stored(**data: Any) -> str:
    session = SessionStore()
    session.update(data)
    session.save()
    assert session.session_key is not None
    return session.session_key


def test_a_new_one_a_change_and_a_look_are_one_query_each(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        key = stored(a=1)
    with django_assert_num_queries(1):
        session = SessionStore(key)
        assert session["a"] == 1
    session["a"] = 2
    with django_assert_num_queries(1):
        session.save()

    assert SessionStore(key)["a"] == 2


def test_sessions_of_before_go_on_and_could_go_back() -> None:
    before = DatabaseStore()
    before["a"] = 1
    before.save()

    assert SessionStore(before.session_key)["a"] == 1
    assert DatabaseStore(stored(b=2))["b"] == 2


def test_one_that_is_gone_or_over_is_empty_and_never_comes_back() -> None:
    key = stored(a=1)
    kept = SessionStore(key)
    assert kept["a"] == 1
    Session.objects.update(expire_date=timezone.now())

    assert SessionStore(key).get("a") is None
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        kept.save()
    assert not Session.objects.exists()


def test_a_key_that_is_taken_is_never_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = stored(a=1)
    keys = iter([taken, "f" * 32])
    monkeypatch.setattr(SessionStore, "_get_new_session_key", lambda self: next(keys))

    assert stored(b=2) == "f" * 32
    assert SessionStore(taken)["a"] == 1


def test_the_catalogue_s_stamp_is_read_beside_it() -> None:
    with connection.cursor() as cursor:  # as several writers at once leave it
        cursor.execute("INSERT INTO catalog_pages_cataloguestamp (token) VALUES ('zz'), ('aa')")
    session = SessionStore(stored(a=1))
    session.also_read = {"stamp": stamp_beside()}

    assert session["a"] == 1
    assert stamp_of(session.read["stamp"]) == catalogue_stamp()
    assert len(catalogue_stamp().split()) == 3


def test_no_stamp_is_none_beside_it_either() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM catalog_pages_cataloguestamp")
    session = SessionStore(stored(a=1))
    session.also_read = {"stamp": stamp_beside()}

    assert session["a"] == 1
    assert stamp_of(session.read["stamp"]) == ""


def test_a_key_with_a_nul_is_nobody_s_session(client: Client) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = "abcdefghij\0"

    assert client.get("/api/v1/cart/").status_code == 200


def test_an_app_stays_signed_in_when_the_secret_key_is_changed(settings: Any) -> None:
    call = app_of(make_user())
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10

    assert [call("get", "me/").status_code for _ in range(3)] == [200] * 3
    assert Session.objects.count() == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert call("get", "me/").status_code == 200
