"""Staff let apps of third parties in, in the Wagtail admin, in words that are not OAuth's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.idp.oidc.models import Client as Partner
from allauth.idp.oidc.models import Token
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from catalog_pages.roles import EDITORS
from orders.roles import ORDER_DESK
from orders.tests.hooks import make_endpoint
from store_api.clients.addresses import redirect_problem
from store_api.clients.roles import PARTNER_APPS, ensure_partner_role
from tests.factories import make_editor, make_user
from tests.partners import TOKEN, basic, bearer, make_access_token, make_partner

pytestmark = pytest.mark.django_db
ADD = "/admin/partner-apps/new/"
CATALOGUE = "/api/v1/products/"


def staff(*groups: str) -> Client:
    ensure_partner_role()
    user = make_user()
    user.groups.add(*Group.objects.filter(name__in=groups))
    client = Client()
    client.force_login(user)
    return client


def typed(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Needle Drop",
        "type": "confidential",
        "ways": ["people", "itself"],
        "addresses": "https://partner.example/done\ncom.example.app:/done",
        "allowed": ["catalog:read", "openid"],
        **changes,
    }


def errors_of(response: Any) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def test_a_member_of_the_group_registers_an_app() -> None:
    member = staff(PARTNER_APPS)

    response = member.post(ADD, typed(), follow=True)

    partner = Partner.objects.get()
    assert response.status_code == 200
    assert "“Needle Drop” is registered." in response.content.decode()
    assert partner.get_scopes() == partner.get_default_scopes() == ["catalog:read", "openid"]
    assert partner.get_redirect_uris() == ["https://partner.example/done", "com.example.app:/done"]
    assert partner.get_grant_types() == [
        "authorization_code",
        "refresh_token",
        "client_credentials",
    ]
    assert partner.get_response_types() == ["code"]
    assert not partner.skip_consent
    assert not partner.allow_uri_wildcards


def test_a_secret_is_shown_once_and_the_old_one_stops() -> None:
    member, partner = staff(PARTNER_APPS), make_partner(scopes=["catalog:read"])
    make_access_token(partner)
    page = member.get(reverse("partner_apps:inspect", args=[partner.pk])).content.decode()

    shown = member.post(reverse("partner_apps:secret", args=[partner.pk]))
    later = member.get(reverse("partner_apps:inspect", args=[partner.pk])).content.decode()

    found = re.search(r'id="secret">([^<]+)<', shown.content.decode())
    assert found is not None
    assert "Make a new secret" in page
    assert "no-store" in shown["Cache-Control"]
    assert found[1] not in later
    partner.refresh_from_db()
    assert found[1] not in partner.secret
    assert not Token.objects.exists()
    body = {"grant_type": "client_credentials"}
    assert Client().post(TOKEN, body, headers=basic(partner.pk)).status_code == 401
    assert Client().post(TOKEN, body, headers=basic(partner.pk, found[1])).status_code == 200


def test_an_app_on_devices_has_no_secret_to_make() -> None:
    member, partner = staff(PARTNER_APPS), make_partner(public=True)

    page = member.get(reverse("partner_apps:inspect", args=[partner.pk]))
    answer = member.post(reverse("partner_apps:secret", args=[partner.pk]))

    assert "Make a new secret" not in page.content.decode()
    assert answer.status_code == 404


def test_an_app_is_changed_but_not_moved_from_server_to_device() -> None:
    member, partner = staff(PARTNER_APPS), make_partner()
    edit = reverse("partner_apps:edit", args=[partner.pk])
    form = member.get(edit).context["form"]

    member.post(edit, typed(type="public", ways=["itself"], allowed=["catalog:read"]))

    assert form.initial["ways"] == ["people", "itself"]
    partner.refresh_from_db()
    assert partner.type == Partner.Type.CONFIDENTIAL
    assert partner.get_scopes() == ["catalog:read"]
    assert partner.get_redirect_uris() == []


@pytest.mark.parametrize(
    "lost",
    [
        {"allowed": ["catalog:read"], "ways": ["people", "itself"]},
        {"allowed": ["catalog:read", "webhooks:write"], "ways": ["people"]},
    ],
)
def test_an_app_that_may_be_told_no_more_is_told_no_more(lost: dict[str, Any]) -> None:
    member, partner = staff(PARTNER_APPS), make_partner()
    own, shops = make_endpoint(app=partner).endpoint, make_endpoint().endpoint

    member.post(reverse("partner_apps:edit", args=[partner.pk]), typed(**lost))

    own.refresh_from_db()
    shops.refresh_from_db()
    assert (own.is_active, shops.is_active) == (False, True)
    assert "may not be told about sales any more" in own.disabled_reason


def test_an_app_that_keeps_its_rights_is_told_on() -> None:
    member, partner = staff(PARTNER_APPS), make_partner()
    own = make_endpoint(app=partner).endpoint

    edit = reverse("partner_apps:edit", args=[partner.pk])
    member.post(edit, typed(allowed=["webhooks:write"], ways=["itself"]))

    own.refresh_from_db()
    assert own.is_active


def test_an_app_that_may_not_act_for_itself_any_more_stops_at_once() -> None:
    member, partner = staff(PARTNER_APPS), make_partner()
    alone, for_somebody = make_access_token(partner), make_access_token(partner, make_user())

    member.post(reverse("partner_apps:edit", args=[partner.pk]), typed(ways=["people"]))

    answers = [Client().get(CATALOGUE, headers=bearer(value)) for value in (alone, for_somebody)]
    assert [answer.status_code for answer in answers] == [401, 200]


def test_an_app_is_deleted_with_all_that_it_was_given() -> None:
    member, partner = staff(PARTNER_APPS), make_partner()
    make_access_token(partner, make_user())
    delete = reverse("partner_apps:delete", args=[partner.pk])

    page = member.get(delete).content.decode()
    member.post(delete)

    assert "stops at once, for everybody who allowed it" in page
    assert not Partner.objects.exists()
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Shop\u202eporD"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"type": ""}, "type"),
        ({"ways": []}, "ways"),
        ({"type": "public"}, "ways"),
        ({"ways": ["everything"]}, "ways"),
        ({"addresses": ""}, "addresses"),
        ({"addresses": "https://*.example/"}, "addresses"),
        ({"addresses": "\n".join(f"https://a.example/{n}" for n in range(21))}, "addresses"),
        ({"allowed": []}, "allowed"),
        ({"allowed": ["everything"]}, "allowed"),
    ],
)
def test_what_would_not_work_is_said_at_its_field(changes: dict[str, Any], field: str) -> None:
    response = staff(PARTNER_APPS).post(ADD, typed(**changes))

    assert response.status_code == 200
    assert list(errors_of(response)) == [field]
    assert not Partner.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "https://partner.example/done",
        "https://partner.example",
        "https://partner.example:8443/done?from=shop",
        "http://127.0.0.1/done",
        "http://localhost:3000/done",
        "com.example.app:/done",
        "com.example.app://done",
    ],
)
def test_addresses_of_apps(address: str) -> None:
    assert redirect_problem(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "http://partner.example/done",
        "http://127.0.0.1.evil.example/",
        "https://*.partner.example/",
        "https://partner.example/#part",
        "https://user@partner.example/",
        "https://partner.example\\@evil.example/",
        "https://",
        "https:///done",
        "https://partner.example:0/",
        "https://partner.example:99999/",
        "https://[::1]/",
        "https://partner.example/; script-src *",
        "javascript:alert(1)",
        "data:text/html,x",
        "myapp:/done",
        "com.example.app:done",
        "com.example.app",
        "/done",
        "https://partner.example/ÿ",
        f"https://partner.example/{'x' * 500}",
    ],
)
def test_addresses_to_which_nobody_is_sent(address: str) -> None:
    assert redirect_problem(address)


@pytest.mark.parametrize("groups", [[], [EDITORS], [ORDER_DESK]])
def test_others_find_nothing_and_make_nothing(groups: list[str]) -> None:
    stranger, partner = staff(*groups), make_partner()
    secret = partner.secret

    answers = [
        stranger.get("/admin/partner-apps/"),
        stranger.get(ADD),
        stranger.post(ADD, typed()),
        *(
            stranger.get(reverse(f"partner_apps:{name}", args=[partner.pk]))
            for name in ("inspect", "edit", "delete")
        ),
        stranger.post(reverse("partner_apps:secret", args=[partner.pk])),
        stranger.post(reverse("partner_apps:delete", args=[partner.pk])),
    ]

    assert {answer.status_code for answer in answers} <= {302, 403}
    partner.refresh_from_db()
    assert partner.secret == secret
    assert Partner.objects.count() == 1


def test_members_see_no_orders_and_no_accounts() -> None:
    member = staff(PARTNER_APPS)

    menu = member.get("/admin/").content.decode()

    assert "Partner apps" in menu
    assert member.get("/admin/orders/").status_code in (302, 404)
    assert member.get("/admin/users/").status_code == 302


def test_the_django_admin_has_no_second_road_to_clients() -> None:
    assert Partner not in admin.site._registry
    assert Token not in admin.site._registry


def test_the_list_is_searched() -> None:
    boss = Client()
    boss.force_login(make_editor())
    make_partner(name="Needle Drop")
    make_partner(name="Crate Digger")

    page = boss.get("/admin/partner-apps/?q=crate").content.decode()

    assert "Crate Digger" in page
    assert "1 app" in page
    assert "Needle Drop" not in page


def test_only_who_may_hear_of_sales_lets_an_app_hear_of_them() -> None:
    member, chief = staff(PARTNER_APPS), Client()
    chief.force_login(make_editor())
    wanted = typed(allowed=["catalog:read", "webhooks:write"])

    refused, registered = member.post(ADD, wanted), chief.post(ADD, wanted)
    partner = Partner.objects.get()
    secret = partner.secret
    made = member.post(reverse("partner_apps:secret", args=[partner.pk]))

    assert "allowed" in errors_of(refused)
    assert registered.status_code == 302
    assert made.status_code == 302  # to the admin's home, with a sentence
    partner.refresh_from_db()
    assert partner.secret == secret
    # What somebody else has let in stays as it is, or is taken away.
    edit = reverse("partner_apps:edit", args=[partner.pk])
    member.post(edit, wanted | {"name": "Another name"})
    assert Partner.objects.get().get_scopes() == ["catalog:read", "webhooks:write"]
    member.post(edit, typed(allowed=["catalog:read"]))
    assert "allowed" in errors_of(member.post(edit, wanted))
    assert Partner.objects.get().get_scopes() == ["catalog:read"]
