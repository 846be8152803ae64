"""An unfinished product is published by no road, and a finished one by every road."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime
from wagtail.models import Page, PageViewRestriction, TaskState

from catalog_pages.models import CataloguePage, HomePage, ProductPage
from catalog_pages.publishing import PublishRefused
from catalog_pages.tests.editors import (
    bulk,
    create_product,
    edit_product,
    member_client,
    moderation,
    owner_client,
    product_data,
    sentences,
    track,
    unfinished,
)
from tests.factories import make_asset, make_editor, make_product

pytestmark = pytest.mark.django_db

NO_PRICE = "Set a price. Type 0 if the product is meant to be free."
NO_TRACK = "Add at least one track, or choose what the bundle contains."


@pytest.fixture
def editor() -> Client:
    return owner_client()


@pytest.fixture
def _moderation() -> None:
    moderation()


def in_the_form(moment: object) -> str:
    return f"{localtime(moment):%Y-%m-%d %H:%M}"


def approve_url(page: ProductPage, action: str = "approve") -> str:
    state = TaskState.objects.get(workflow_state__object_id=str(page.pk), status="in_progress")
    return reverse("wagtailadmin_pages:workflow_action", args=[page.pk, action, state.pk])


# --- The form ----------------------------------------------------------------------------------


def test_a_finished_product_is_published(editor: Client) -> None:
    create_product(editor, "publish")

    page = ProductPage.objects.get()
    assert page.live
    assert page.tracks.get().files.get().asset.format_name == "FLAC"


def test_the_form_names_everything_that_is_missing_at_once(editor: Client) -> None:
    response = create_product(editor, "publish", price_pennies="", artist="", tracks=[])

    form = response.context["form"]
    assert form.errors["price_pennies"] == [NO_PRICE]
    assert form.errors["artist"] == ["Choose the artist."]
    assert form.non_field_errors() == [NO_TRACK]
    assert not ProductPage.objects.exists()


@pytest.mark.wide
@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], NO_TRACK),
        (["no file"], "Track 1 (“First”) has no file yet."),
    ],
)
def test_tracks_that_lack_something_are_named(
    editor: Client, rows: list[str], sentence: str
) -> None:
    response = create_product(editor, "publish", tracks=[track("First") for _ in rows])

    assert response.context["form"].non_field_errors() == [sentence]
    assert sentence in sentences(response)
    assert not ProductPage.objects.exists()


def test_a_file_row_without_a_file_and_a_track_without_a_title_are_told_in_place(
    editor: Client,
) -> None:
    response = create_product(editor, "publish", tracks=[track("", None)])

    row = response.context["form"].formsets["tracks"].forms[0]
    assert "title" in row.errors
    assert "asset" in row.formsets["files"].forms[0].errors
    assert not ProductPage.objects.exists()


def test_a_file_missing_from_storage_is_named(editor: Client) -> None:
    asset = make_asset(file_name="harbour.flac")
    asset.file.storage.delete(asset.file.name)

    response = create_product(editor, "publish", tracks=[track("First", asset)])

    assert "the file “harbour.flac” is missing from storage" in sentences(response)
    assert not ProductPage.objects.exists()


@pytest.mark.wide
@pytest.mark.parametrize("slug", ["artists", "genres"])
def test_an_address_of_the_shop_itself_is_refused(editor: Client, slug: str) -> None:
    response = create_product(editor, "publish", slug=slug)

    assert f"The address “{slug}” is used by the shop itself" in sentences(response)
    assert not ProductPage.objects.exists()


def test_an_unfinished_product_is_not_scheduled_either(editor: Client) -> None:
    later = in_the_form(timezone.now() + timedelta(days=2))

    response = create_product(editor, "publish", price_pennies="", tracks=[], go_live_at=later)

    assert NO_TRACK in sentences(response)
    assert not ProductPage.objects.exists()


def test_a_live_product_keeps_its_last_good_version(editor: Client) -> None:
    page = make_product("Harbour", price_pennies=499)

    response = edit_product(editor, page, "publish", price_pennies="", tracks=[])

    page.refresh_from_db()
    assert NO_PRICE in sentences(response)
    assert (page.live, page.price_pennies, page.tracks.count()) == (True, 499, 1)
    assert page.get_latest_revision_as_object().price_pennies == 499


@pytest.mark.wide
def test_an_older_version_that_was_unfinished_cannot_be_put_back_live(editor: Client) -> None:
    page = unfinished("Harbour")
    first = page.get_latest_revision()
    edit_product(editor, page, "publish")

    url = reverse("wagtailadmin_pages:revisions_revert", args=[page.pk, first.pk])
    data = product_data(title="Harbour", price_pennies="", tracks=[])
    response = editor.post(url, data | {"action-publish": "1"})

    page.refresh_from_db()
    assert NO_PRICE in sentences(response)
    assert (page.live, page.price_pennies, page.tracks.count()) == (True, 499, 1)


# --- In bulk, as a copy, through moderation, in code -------------------------------------------


def test_bulk_publishing_is_refused_as_a_whole_and_names_each_product(editor: Client) -> None:
    good = make_product("Good", live=False)
    bad, worse = unfinished("Bad"), unfinished("Worse")

    response = bulk(editor, "publish", good, bad, worse)

    told = sentences(response)
    assert response.status_code == 302
    assert "Nothing was published" in told
    assert f"“Bad”: {NO_PRICE}" in told
    assert f"“Worse”: {NO_TRACK}" in told
    assert not ProductPage.objects.live().exists()


def test_bulk_publishing_looks_below_the_catalogue_too(editor: Client) -> None:
    unfinished("Bad")
    catalogue = CataloguePage.objects.get()

    response = bulk(editor, "publish", catalogue, include_descendants="on")

    assert f"“Bad”: {NO_TRACK}" in sentences(response)
    assert not ProductPage.objects.live().exists()


def test_bulk_publishing_looks_at_the_newest_draft(editor: Client) -> None:
    page = make_product("Harbour")
    edit_product(editor, page, price_pennies="", tracks=[])

    response = bulk(editor, "publish", page)

    assert f"“Harbour”: {NO_PRICE}" in sentences(response)
    page.refresh_from_db()
    assert (page.live, page.tracks.count()) == (True, 1)


def test_finished_products_are_published_in_bulk(editor: Client) -> None:
    pages = [make_product(live=False), make_product(live=False)]

    bulk(editor, "publish", *pages)

    assert ProductPage.objects.live().count() == 2


def copy(client: Client, page: ProductPage, **data: str) -> object:
    catalogue = CataloguePage.objects.get()
    form = {"new_title": "Copy", "new_slug": "copy", "new_parent_page": catalogue.pk, **data}
    return client.post(reverse("wagtailadmin_pages:copy", args=[page.pk]), form)


@pytest.mark.parametrize("wish", ["publish_copies", "alias"])
def test_a_copy_that_would_be_live_and_lacks_a_file_is_not_made(editor: Client, wish: str) -> None:
    asset = make_asset(file_name="harbour.flac")
    page = make_product("Harbour", assets=[asset])
    asset.file.storage.delete(asset.file.name)

    response = copy(editor, page, **{wish: "on"})

    assert "“Harbour” was not copied." in sentences(response)
    assert "harbour.flac" in sentences(response)
    assert ProductPage.objects.count() == 1


def test_a_live_copy_of_a_finished_product_has_the_same_tracks_and_files(editor: Client) -> None:
    page = make_product("Harbour", assets=[make_asset(), make_asset()])

    copy(editor, page, publish_copies="on")

    made = ProductPage.objects.get(slug="copy")
    assert made.live
    assert [t.files.get().asset for t in made.tracks.all()] == [
        t.files.get().asset for t in page.tracks.all()
    ]


def test_an_unfinished_product_may_be_copied_as_a_draft(editor: Client) -> None:
    copy(editor, unfinished())

    assert not ProductPage.objects.get(slug="copy").live


@pytest.mark.usefixtures("_moderation")
def test_submitting_for_moderation_needs_a_finished_product() -> None:
    writer = member_client("Editors")

    refused = create_product(writer, "submit", price_pennies="", tracks=[])
    accepted = create_product(writer, "submit")

    assert NO_TRACK in sentences(refused)
    assert accepted.status_code == 302
    assert ProductPage.objects.get().workflow_in_progress


@pytest.mark.usefixtures("_moderation")
def test_approval_publishes() -> None:
    create_product(member_client("Editors"), "submit")
    page = ProductPage.objects.get()

    member_client("Moderators").post(approve_url(page))

    page.refresh_from_db()
    assert page.live


@pytest.mark.wide
@pytest.mark.usefixtures("_moderation")
@pytest.mark.parametrize("days", [0, 2])
def test_approval_is_refused_and_undone_when_something_went_missing_meanwhile(days: int) -> None:
    later = in_the_form(timezone.now() + timedelta(days=days)) if days else ""
    asset = make_asset(file_name="harbour.flac")
    create_product(
        member_client("Editors"), "submit", tracks=[track("First", asset)], go_live_at=later
    )
    page = ProductPage.objects.get()
    asset.file.storage.delete(asset.file.name)

    response = member_client("Moderators").post(approve_url(page))

    page.refresh_from_db()
    assert "harbour.flac" in sentences(response)
    assert not page.live
    assert page.workflow_in_progress
    assert page.scheduled_revision is None


@pytest.mark.wide
@pytest.mark.usefixtures("_moderation")
def test_a_moderator_can_ask_for_changes_because_something_is_missing() -> None:
    asset = make_asset()
    create_product(member_client("Editors"), "submit", tracks=[track("First", asset)])
    page = ProductPage.objects.get()
    asset.file.storage.delete(asset.file.name)
    files = [track("First", asset)]
    edit = {"action-workflow-action": "true", "workflow-action-name": "reject"}

    response = edit_product(member_client("Moderators"), page, tracks=files, **edit)

    assert response.status_code == 302
    assert page.current_workflow_state.status == "needs_changes"


def test_publishing_in_code_is_refused() -> None:
    page = unfinished()

    with pytest.raises(PublishRefused) as refusal:
        page.get_latest_revision().publish()

    page.refresh_from_db()
    assert refusal.value.messages == [NO_PRICE, NO_TRACK]
    assert not page.live


@pytest.mark.wide
@pytest.mark.parametrize("action", ["publish", "delete", "copy"])
def test_wagtails_own_api_only_reads(editor: Client, action: str) -> None:
    page = make_product(live=False)
    url = reverse("wagtailadmin_api:pages:action", args=[page.pk, action])

    response = editor.post(url, "{}", content_type="application/json")

    assert response.status_code == 404
    assert editor.get(reverse("wagtailadmin_api:pages:listing")).status_code == 200
    page.refresh_from_db()
    assert not page.live


@pytest.mark.parametrize("kind", [HomePage, CataloguePage, ProductPage])
@pytest.mark.parametrize("wanted", ["login", "password"])
def test_what_is_published_is_for_everybody(kind: type[Page], wanted: str) -> None:
    """Lists, carts and the API would sell it all the same. Whoever may do everything cannot either."""
    make_product()
    page, chief = kind.objects.get(), Client()
    chief.force_login(make_editor())

    chief.post(
        reverse("wagtailadmin_pages:set_privacy", args=[page.pk]),
        {"restriction_type": wanted, "password": "secret"},
    )

    assert not PageViewRestriction.objects.exists()
