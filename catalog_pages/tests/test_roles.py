"""Editors write, Moderators publish, and neither sees who bought what."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from wagtail.models import Collection, Page

from catalog_pages.models import Artist, CataloguePage, ProductPage
from catalog_pages.roles import EDITORS, MODERATORS, ensure_roles
from catalog_pages.tests.editors import create_product, member_client
from tests.factories import PASSWORD, make_asset, make_product, make_user

pytestmark = pytest.mark.django_db


def rights(group: str) -> tuple[set[str], set[str], set[str]]:
    """What a group may do: with models, with pages, with pictures."""
    found = Group.objects.get(name=group)
    return (
        {f"{p.content_type.app_label}.{p.codename}" for p in found.permissions.all()},
        {p.permission.codename for p in found.page_permissions.all()},
        {p.permission.codename for p in found.collection_permissions.all()},
    )


def test_a_new_shop_has_both_groups() -> None:
    ensure_roles()

    models, pages, pictures = rights(EDITORS)
    assert {"catalog_pages.add_digitalasset", "catalog_pages.change_artist"} <= models
    assert "catalog_pages.delete_digitalasset" not in models
    assert pages == {"add_page", "change_page"}
    assert {"add_image", "change_image", "choose_image"} <= pictures
    models, pages, _ = rights(MODERATORS)
    assert {"catalog_pages.add_digitalasset", "catalog_pages.delete_artist"} <= models
    assert {"publish_page", "lock_page", "unlock_page"} <= pages


def test_making_the_groups_again_changes_nothing(
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    ensure_roles()
    before = [rights(EDITORS), rights(MODERATORS)]

    with django_assert_max_num_queries(45):
        ensure_roles()

    assert [rights(EDITORS), rights(MODERATORS)] == before


def test_lost_groups_and_rights_come_back() -> None:
    Group.objects.all().delete()

    ensure_roles()

    assert rights(EDITORS)[1] == {"add_page", "change_page"}


def test_the_groups_do_not_need_a_page_tree() -> None:
    Group.objects.all().delete()
    Page.objects.all().delete()
    Collection.objects.all().delete()

    ensure_roles()

    assert "catalog_pages.add_digitalasset" in rights(EDITORS)[0]
    assert rights(EDITORS)[1:] == (set(), set())


def test_an_editor_signs_in_and_finds_the_way() -> None:
    ensure_roles()
    writer = make_user("writer@example.com")
    writer.groups.add(Group.objects.get(name=EDITORS))
    client = Client()

    client.post(reverse("account_login"), {"login": writer.email, "password": PASSWORD})
    home = client.get(reverse("wagtailadmin_home"))

    assert home.status_code == 200
    assert "Audio files" in home.content.decode()


def test_an_editor_writes_but_does_not_publish() -> None:
    writer = member_client(EDITORS)

    create_product(writer, "publish")

    assert not ProductPage.objects.get().live


def test_a_moderator_publishes() -> None:
    create_product(member_client(MODERATORS), "publish")

    assert ProductPage.objects.get().live


def test_an_editor_keeps_artists_and_uploads_but_deletes_neither() -> None:
    writer, asset, artist = member_client(EDITORS), make_asset(), Artist.objects.create(name="Ada")
    snippet = "wagtailsnippets_catalog_pages_artist"

    writer.post(reverse(f"{snippet}:add"), {"name": "Bo", "slug": "bo", "biography": "null"})
    upload = writer.get(reverse("digital_assets:upload"))
    writer.post(reverse("digital_assets:delete", args=[asset.pk]))
    writer.post(reverse(f"{snippet}:delete", args=[artist.pk]))

    assert upload.status_code == 200
    assert Artist.objects.filter(name__in=["Ada", "Bo"]).count() == 2
    asset.refresh_from_db()


@pytest.mark.parametrize("group", [EDITORS, MODERATORS])
def test_neither_group_sees_customers(group: str) -> None:
    client = member_client(group)

    users = client.get(reverse("wagtailusers_users:index"))
    other_admin = client.get("/django-admin/", follow=False)

    assert users.status_code == 302
    assert other_admin.status_code == 302


def test_a_shopper_sees_nothing_of_the_admin() -> None:
    shopper = Client()
    shopper.force_login(make_user())
    asset, page = make_asset(), make_product()

    for url in (
        reverse("wagtailadmin_home"),
        reverse("digital_assets:index"),
        reverse("digital_assets:upload"),
        reverse("digital_assets:inspect", args=[asset.pk]),
        reverse("digital_asset_chooser:choose"),
        reverse("wagtailadmin_pages:edit", args=[page.pk]),
        reverse("wagtailadmin_explore", args=[CataloguePage.objects.get().pk]),
    ):
        assert shopper.get(url).status_code == 302, url
