"""Where somebody is signed in: told in words, ended from elsewhere, and kept no longer than the session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.idp.oidc.models import Client as App
from allauth.idp.oidc.models import Token
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from site_config.accounts.signed_in import device_words, sessions_tidy
from site_config.management.commands.run_scheduler import jobs
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
PAGE = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)


def browser(user: Any, program: str = FIREFOX, address: str = "203.0.113.77") -> Client:
    client = Client(headers={"User-Agent": program}, REMOTE_ADDR=address)
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def confirm_password(client: Client, address: str) -> None:
    client.post(f"/accounts/reauthenticate/?next={address}", {"password": PASSWORD})


def is_in(client: Client) -> bool:
    return client.get("/accounts/profile/").status_code == 200


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (IPHONE, "Safari on iPhone"),
        (FIREFOX.replace("Firefox/140.0", "Chrome/140 Safari/1 Edg/140"), "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140 Mobile Safari/1", "Chrome on Android"),
        ("RecordShelf/2.1 (build 8)", "RecordShelf"),
        ("x" * 900, "x" * 40),
        ("", "A program that did not say its name"),
    ],
)
def test_a_program_is_told_in_words(program: str, words: str) -> None:
    assert device_words(program) == words


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2::77", "2001:db8:1::"),
    ],
)
def test_of_an_address_the_network_is_kept(address: str, network: str) -> None:
    browser(make_user(), address=address)

    assert UserSession.objects.get().ip == network


def test_a_name_that_grows_as_it_is_read_fits_its_column() -> None:
    browser(make_user(), "\xbd" * 300)

    name = UserSession.objects.get().user_agent
    assert name.startswith("1⁄2")
    assert len(name) == 200


def test_each_sign_in_is_listed_and_the_others_are_ended_from_here() -> None:
    user = make_user()
    here, phone = browser(user), browser(user, IPHONE)
    other = browser(make_user())

    sessions = here.get(PAGE).context["sessions"]

    assert [(one.words, one.is_this_one) for one in sessions] == [
        ("Firefox on Windows", True),
        ("Safari on iPhone", False),
    ]
    answer = here.post(PAGE)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert (is_in(here), is_in(phone), is_in(other)) == (True, False, True)
    assert len(here.get(PAGE).context["sessions"]) == 1


def test_one_of_them_is_ended_alone_and_nobody_elses() -> None:
    user = make_user()
    here, phone, tablet = browser(user), browser(user, IPHONE), browser(user, "Tablet/1")
    stranger = browser(make_user())
    of_phone = UserSession.objects.get(user_agent=IPHONE)
    of_stranger = UserSession.objects.exclude(user=user).get()

    assert here.post(PAGE, {"session": of_phone.pk}).status_code == 302
    assert here.post(PAGE, {"session": of_stranger.pk}).status_code == 404
    assert here.post(PAGE, {"session": "9" * 30}).status_code == 404
    assert here.post(PAGE, {"session": "²"}).status_code == 404
    assert [is_in(one) for one in (here, phone, tablet, stranger)] == [True, False, True, True]


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.77", "203.0.113.0"), ("2001:db8:1:2::3", "2001:db8:1::")],
)
def test_the_network_is_noted_and_not_the_address(address: str, network: str) -> None:
    browser(make_user(), address=address)

    assert UserSession.objects.get().ip == network


def test_a_session_from_before_the_list_is_on_it(client: Client) -> None:
    client.force_login(make_user())
    assert not UserSession.objects.exists()

    (session,) = client.get(PAGE).context["sessions"]

    assert session.is_this_one


def test_a_new_password_leaves_this_session_alone_on_the_list() -> None:
    user = make_user()
    here, phone = browser(user), browser(user, IPHONE)

    new = "another-long-secret"
    here.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )

    assert [one.is_this_one for one in here.get(PAGE).context["sessions"]] == [True]
    assert not is_in(phone)


def test_what_was_noted_of_a_session_goes_with_it() -> None:
    user = make_user()
    browser(user)
    browser(user, IPHONE)
    Session.objects.filter(
        session_key=UserSession.objects.get(user_agent=IPHONE).session_key
    ).update(expire_date=timezone.now() - timedelta(seconds=1))

    assert sessions_tidy in [job for _, job in jobs()]
    assert sessions_tidy() == 1
    assert UserSession.objects.get().user_agent == FIREFOX


def test_apps_of_others_are_told_apart_and_stopped_by_their_own_button() -> None:
    user = make_user()
    here = browser(user)
    app = App.objects.create(name="Record Shelf", owner=None)
    for owner in (user, make_user()):
        Token.objects.create(
            user=owner, client=app, type=Token.Type.REFRESH_TOKEN, hash=f"digest {owner.pk}"
        )

    here.post(PAGE)  # everywhere else: apps are not meant by it
    (shown,) = here.get(PAGE).context["apps"]
    stopped = here.post(PAGE, {"app": shown.client_id})

    assert shown.name == "Record Shelf"
    assert stopped.status_code == 302
    assert here.get(PAGE).context["apps"] == []
    assert Token.objects.exclude(user=user).count() == 1
    assert here.post(PAGE, {"app": shown.client_id}).status_code == 404
    assert here.post(PAGE, {"app": "\0"}).status_code == 404


def test_the_data_of_an_account_is_handed_out_after_the_password(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    asked = client.get("/accounts/data/")
    assert asked["Location"].startswith("/accounts/reauthenticate/?next=")
    assert client.post("/accounts/data/").status_code == 302
    assert "Before your data is handed out" in client.get(asked["Location"]).content.decode()
    confirm_password(client, "/accounts/data/")

    page = client.get("/accounts/data/")
    file = client.post("/accounts/data/")

    assert page.status_code == 200
    assert file["Content-Disposition"] == 'attachment; filename="personal-data.json"'
    assert "no-store" in file["Cache-Control"]
    assert user.email in b"".join(file.streaming_content).decode()  # type: ignore[attr-defined]


def test_asked_for_too_often_the_data_waits(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("store_api.v1.views.account.EXPORTS_AN_HOUR", 1)
    here = browser(make_user())
    confirm_password(here, "/accounts/data/")

    first, second = here.post("/accounts/data/"), here.post("/accounts/data/")

    assert (first.status_code, second.status_code) == (200, 429)
    assert "try again later" in second.content.decode()
    assert "/accounts/data/" in second.content.decode()


@pytest.mark.parametrize(
    "address",
    ["profile/", "email/", "password/change/", "2fa/", "sessions/", "data/", "close/"],
)
def test_every_page_of_an_account_leads_to_the_others(address: str) -> None:
    here = browser(make_user())
    confirm_password(here, "/accounts/data/")

    body = here.get(f"/accounts/{address}").content.decode()

    assert f'href="/accounts/{address}"\n         aria-current="page"' in body
    for other in ("profile/", "email/", "password/change/", "2fa/", "sessions/", "data/", "close/"):
        assert f'href="/accounts/{other}"' in body
