"""The desk's buttons for a grant, and who may see and press what."""

from __future__ import annotations

from functools import partial

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import NoReverseMatch, reverse
from wagtail.models import ModelLogEntry

from catalog_pages.roles import EDITORS, MODERATORS
from catalog_pages.tests.editors import member_client, owner_client
from downloads.admin.actions import press_give_back, press_reset, press_take_back
from downloads.grants import access_block
from downloads.models import AccessEvent, Revocation, UserAsset
from downloads.policy import decide
from downloads.roles import DESK_RIGHTS, ORDER_DESK, ensure_download_roles
from downloads.tests.desk import LIST, REASON, RIGHTS, SEE, button_url, fetched, page_url, press
from downloads.tests.granting import bought
from orders import roles as order_roles
from orders.tests.desk import client_of, desk_client, said, staff_client, text_of
from tests.factories import make_editor, make_user
from tests.together import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    ensure_download_roles()  # transactional tests empty the tables, the group's rights included
    return desk_client()


@pytest.fixture
def grant(client: Client) -> UserAsset:
    return bought(client, download_limit=3)[0]


def test_a_reset_limit_begins_anew_and_pressing_again_changes_nothing(
    desk: Client, grant: UserAsset
) -> None:
    fetched(grant, 3)
    assert decide(grant).code == "limit_reached"

    first, second = press(desk, "reset", grant), press(desk, "reset", grant)

    assert decide(UserAsset.objects.get(pk=grant.pk)).left == 3
    assert said(first) == "The limit has been reset. The holder may start again."
    assert said(second) == "Nothing counts against the limit, so nothing was changed."
    event = AccessEvent.objects.get(grant=grant, kind="limit_reset")
    assert event.actor == first.wsgi_request.user
    entry = ModelLogEntry.objects.get(action="downloads.limit_reset")
    assert (entry.user, entry.comment) == (event.actor, "3 downloads had counted")
    page = text_of(desk.get(page_url(grant)))
    assert f"Limit reset 3 downloads had counted {event.actor}" in page
    assert "Counted, before the limit was reset" in page


@pytest.mark.parametrize("limit", [0, 3])
def test_nothing_is_reset_where_nothing_counts(desk: Client, grant: UserAsset, limit: int) -> None:
    UserAsset.objects.filter(pk=grant.pk).update(download_limit=limit)
    fetched(grant, 2, counted=limit == 0)

    press(desk, "reset", grant)

    grant.refresh_from_db()
    assert grant.counted_from is None
    assert button_url("reset", grant) not in desk.get(page_url(grant)).content.decode()


def test_what_staff_take_back_is_closed_with_who_and_why(desk: Client, grant: UserAsset) -> None:
    first, second = press(desk, "take-back", grant), press(desk, "take-back", grant)

    assert decide(UserAsset.objects.get(pk=grant.pk)).code == "revoked_by_staff"
    assert said(first) == "Taken back. The file is closed from now on."
    assert said(second) == "This was taken back already, so nothing was changed."
    event = AccessEvent.objects.get(grant=grant, kind="revoked", code="staff")
    assert event.actor == first.wsgi_request.user
    entry = ModelLogEntry.objects.get(action="downloads.take_back")
    assert (entry.user, entry.comment) == (event.actor, REASON["reason"])
    assert f"Taken back by staff {REASON['reason']} {event.actor}" in text_of(
        desk.get(page_url(grant))
    )


@pytest.mark.wide
@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
def test_nothing_is_taken_back_without_a_reason_that_fits(
    desk: Client, grant: UserAsset, reason: str
) -> None:
    answer = press(desk, "take-back", grant, reason=reason)

    assert answer.status_code == 200
    assert "error-message" in answer.content.decode()
    assert not Revocation.objects.exists()


@pytest.mark.wide
def test_only_the_one_file_is_taken_back(desk: Client, client: Client) -> None:
    grant, other = bought(client, b"one", b"other")

    press(desk, "take-back", grant)

    assert [decide(grant).allowed, decide(other).allowed] == [False, True]


@pytest.mark.wide
def test_what_staff_took_back_they_give_back(desk: Client, grant: UserAsset) -> None:
    press(desk, "take-back", grant)

    first, second = press(desk, "give-back", grant), press(desk, "give-back", grant)

    assert decide(UserAsset.objects.get(pk=grant.pk)).allowed
    assert said(first) == "Given back. The holder may download it again."
    assert said(second) == "Staff have not taken this back, so nothing was changed."
    event = AccessEvent.objects.get(grant=grant, kind="restored")
    assert (event.code, event.actor) == ("staff", first.wsgi_request.user)
    assert ModelLogEntry.objects.get(action="downloads.give_back").user == event.actor


@pytest.mark.wide
def test_giving_back_leaves_other_causes_and_says_so(desk: Client, grant: UserAsset) -> None:
    press(desk, "take-back", grant)
    access_block(order_item_ids=[grant.order_item_id], cause="dispute")

    answer = press(desk, "give-back", grant)

    assert said(answer) == "Given back, but it stays closed: payment disputed."
    assert decide(UserAsset.objects.get(pk=grant.pk)).code == "suspended_by_dispute"
    assert "It opens by itself when the dispute is settled" in text_of(desk.get(answer.url))


@pytest.mark.wide
def test_staff_do_not_lift_what_they_did_not_lay(desk: Client, grant: UserAsset) -> None:
    access_block(order_item_ids=[grant.order_item_id], cause="refund")

    answer = press(desk, "give-back", grant)

    assert said(answer) == "Staff have not taken this back, so nothing was changed."
    assert Revocation.objects.get().lifted_at is None
    assert button_url("give-back", grant) not in desk.get(page_url(grant)).content.decode()


@pytest.mark.wide
def test_a_button_leads_back_to_where_it_was_and_nowhere_else(
    desk: Client, grant: UserAsset
) -> None:
    assert press(desk, "reset", grant, next=reverse(LIST)).url == reverse(LIST)
    for elsewhere in ("https://example.com/", "//example.com", "javascript:alert(1)"):
        assert press(desk, "reset", grant, next=elsewhere).url == page_url(grant)


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_presses_at_the_same_moment_are_one(grant: UserAsset) -> None:
    sue, cause = make_editor(), {"reason": "Stolen card"}
    fetched(grant, 3)

    taken = at_once(*[partial(press_take_back, grant=grant, by=sue, **cause)] * 4)
    given = at_once(*[partial(press_give_back, grant=grant, by=sue)] * 4)
    begun_anew = at_once(*[partial(press_reset, grant=grant, by=sue)] * 4)

    for results in (taken, given, begun_anew):
        assert sorted(results) == [False, False, False, True]
    kinds = AccessEvent.objects.exclude(kind="granted").values_list("kind", flat=True)
    assert list(kinds) == ["revoked", "restored", "limit_reset"]
    assert ModelLogEntry.objects.filter(action__startswith="downloads.").count() == 3


@pytest.mark.parametrize("name", RIGHTS)
def test_a_button_is_no_link_and_needs_a_csrf_token(
    desk: Client, grant: UserAsset, name: str
) -> None:
    for method in ("get", "put", "delete"):
        expected = 200 if (method, name) == ("get", "take-back") else 405
        assert getattr(desk, method)(button_url(name, grant)).status_code == expected
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = desk.cookies

    assert press(strict, name, grant).status_code == 403
    assert not ModelLogEntry.objects.filter(action__startswith="downloads.").exists()


# --- Who may ----------------------------------------------------------------------------------------

ROLES = {
    "desk": desk_client,
    "owner": owner_client,
    "sees": lambda: staff_client(SEE),
    "resets": lambda: staff_client(SEE, RIGHTS["reset"]),
    "takes back": lambda: staff_client(SEE, RIGHTS["take-back"]),
    "gives back": lambda: staff_client(SEE, RIGHTS["give-back"]),
    "acts unseeing": lambda: staff_client(*RIGHTS.values()),
    "editor": lambda: member_client(EDITORS),
    "moderator": lambda: member_client(MODERATORS),
    "sees orders": lambda: staff_client("orders.view_order"),
    "staff": staff_client,
    "buyer": lambda: client_of(make_user()),
    "nobody": Client,
}
SEEING = {"desk", "owner", "sees", "resets", "takes back", "gives back"}
MAY = {
    ("get", "index"): SEEING,
    ("get", "index_results"): SEEING,
    ("get", "inspect"): SEEING,
    ("get", "take-back"): {"desk", "owner", "takes back"},
    ("post", "reset"): {"desk", "owner", "resets"},
    ("post", "take-back"): {"desk", "owner", "takes back"},
    ("post", "give-back"): {"desk", "owner", "gives back"},
}


# Where staff have taken the grant back already, which makes taking it back again no event.
PRESSED = {("post", "reset"), ("post", "give-back")}


def outcome(client: Client, method: str, view: str, grant: UserAsset) -> str:
    """`done`, `refused` (to the admin's own page) or `sign in`."""
    args = [] if "index" in view else [grant.pk]
    answer = getattr(client, method)(reverse(f"download_desk:{view}", args=args), REASON)
    if answer.status_code == 200 or getattr(answer, "url", "") == page_url(grant):
        return "done"
    assert answer.status_code == 302
    return "sign in" if "login" in answer.url else answer.url


@pytest.mark.sampled(4)
@pytest.mark.parametrize("role", ROLES)
def test_every_address_is_for_whom_it_is_and_nobody_else(grant: UserAsset, role: str) -> None:
    ensure_download_roles()
    fetched(grant, 3)
    Revocation.objects.create(grant=grant, cause="staff")
    client, before = ROLES[role](), AccessEvent.objects.count()

    outcomes = {key: outcome(client, *key, grant) for key in MAY}

    refused = "sign in" if role in ("buyer", "nobody") else reverse("wagtailadmin_home")
    assert outcomes == {key: "done" if role in roles else refused for key, roles in MAY.items()}
    pressed = [key for key, roles in MAY.items() if role in roles and key in PRESSED]
    assert AccessEvent.objects.count() == before + len(pressed)
    log = ModelLogEntry.objects.filter(action__startswith="downloads.")
    assert log.count() == len(pressed)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("role", sorted(set(ROLES) - {"buyer", "nobody"}))
def test_menu_and_page_show_what_one_may_and_nothing_else(grant: UserAsset, role: str) -> None:
    ensure_download_roles()
    fetched(grant, 3)
    client = ROLES[role]()

    home = client.get(reverse("wagtailadmin_home")).content.decode()

    assert (f'"{reverse(LIST)}"' in home) == (role in SEEING)
    if role not in SEEING:
        return
    page = client.get(page_url(grant)).content.decode()
    assert (button_url("reset", grant) in page) == (role in MAY["post", "reset"])
    assert (button_url("take-back", grant) in page) == (role in MAY["post", "take-back"])
    assert button_url("give-back", grant) not in page
    access_block(order_item_ids=[grant.order_item_id], cause="staff")
    page = client.get(page_url(grant)).content.decode()
    assert (button_url("give-back", grant) in page) == (role in MAY["post", "give-back"])
    assert button_url("take-back", grant) not in page


@pytest.mark.wide
def test_nothing_can_be_added_changed_or_deleted(grant: UserAsset) -> None:
    owner = owner_client()
    before = UserAsset.objects.values().get()
    index = reverse(LIST)

    for view in ("add", "edit", "delete", "copy", "history", "usage", "reorder"):
        with pytest.raises(NoReverseMatch):
            reverse(f"download_desk:{view}", args=[grant.pk])
    for end in (
        "new/",
        "add/",
        f"edit/{grant.pk}/",
        f"delete/{grant.pk}/",
        f"{grant.pk}/edit/",
        f"{grant.pk}/delete/",
    ):
        for answer in (owner.get(index + end), owner.post(index + end)):
            assert answer.status_code == 404
    assert owner.post(index).status_code == 405
    assert owner.post(page_url(grant)).status_code == 405
    bodies = owner.get(page_url(grant)).content.decode() + owner.get(index).content.decode()
    for word in (f'href="{index}new/', "/delete/", "/edit/", "/copy/"):
        assert word not in bodies
    assert UserAsset.objects.values().get() == before


def test_the_desk_has_its_rights_however_often_they_are_given() -> None:
    Group.objects.filter(name=ORDER_DESK).delete()

    for _ in range(2):
        ensure_download_roles()

    rights = {
        f"{right.content_type.app_label}.{right.codename}"
        for right in Group.objects.get(name=ORDER_DESK).permissions.all()
    }
    assert rights == set(DESK_RIGHTS) == {SEE, *RIGHTS.values(), "downloads.view_accessevent"}
    assert order_roles.ORDER_DESK == ORDER_DESK


def test_a_group_can_be_given_seeing_and_buttons_but_no_writing() -> None:
    page = owner_client().get(reverse("wagtailusers_groups:add")).content.decode()

    for words in ("Can reset the limit of grants", "Can take grants back", "Can give grants back"):
        assert words in page
    assert "Can delete grant" not in page


@pytest.mark.wide
def test_the_desk_finds_its_way_from_the_site_history(desk: Client, grant: UserAsset) -> None:
    press(desk, "take-back", grant)

    report = owner_client().get(reverse("wagtailadmin_reports:site_history"))

    assert page_url(grant) in report.content.decode()
    assert "Took the file back" in text_of(report)
