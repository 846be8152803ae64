"""Bundles: what may be in one, by every road to publication; how it is shown; what it protects."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalog_pages.demo.library import BUNDLES, RELEASES
from catalog_pages.models import Artist, BundledProduct, CataloguePage, ProductPage
from catalog_pages.publishing import NO_CONTENT, PublishRefused, publish_problems
from catalog_pages.renditions import SHOWN_SPECS
from catalog_pages.seed import seed_catalogue
from catalog_pages.tests.editors import (
    bulk,
    create_product,
    edit_product,
    owner_client,
    product_data,
    sentences,
)
from tests.factories import buy, make_asset, make_bundle, make_product, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    return owner_client()


def body_of(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


def titles_in(bundle: ProductPage) -> list[str]:
    return [part.title for part in ProductPage.objects.get(pk=bundle.pk).contained]


# --- The editor --------------------------------------------------------------------------------


def test_a_bundle_is_published_with_its_contents_in_order(editor: Client) -> None:
    first, second = make_product("First"), make_product("Second")

    create_product(editor, "publish", title="Both", tracks=[], contents=[second, first])

    bundle = ProductPage.objects.get(title="Both")
    assert bundle.live
    assert titles_in(bundle) == ["Second", "First"]


def test_a_product_needs_tracks_or_contents(editor: Client) -> None:
    response = create_product(editor, "publish", tracks=[], contents=[])

    assert response.context["form"].non_field_errors() == [NO_CONTENT]


def test_a_row_in_which_nothing_was_chosen_is_no_row(editor: Client) -> None:
    part = make_product()

    for title, action in (("Draft", ""), ("Live", "publish")):
        response = create_product(
            editor, action, title=title, tracks=[], contents=[None, part, None]
        )

        assert response.status_code == 302
        assert titles_in(ProductPage.objects.get(title=title)) == [part.title]


def test_autosave_keeps_an_unfinished_bundle_through_every_step(editor: Client) -> None:
    parent, part = CataloguePage.objects.get(), make_product()
    url = reverse("wagtailadmin_pages:add", args=["catalog_pages", "productpage", parent.pk])
    data = product_data(title="Both", price_pennies="", tracks=[], contents=[None])

    created = editor.post(url, data, headers={"accept": "application/json"}).json()

    assert created["success"], created
    edit = reverse("wagtailadmin_pages:edit", args=[created["pk"]])
    data["contents-0-id"] = ""  # as the browser sends it
    for chosen in ("", str(part.pk), str(part.pk)):
        data |= created["field_updates"] | {"contents-0-product": chosen}
        created = editor.post(edit, data, headers={"accept": "application/json"}).json()
        assert created["success"], created
    version = ProductPage.objects.get(pk=created["pk"]).get_latest_revision_as_object()
    assert [row.product for row in version.contents.all()] == [part]


def unpublished(title: str) -> ProductPage:
    page = make_product(title)
    page.unpublish()
    return page


def without_files(title: str) -> ProductPage:
    page = make_product(title)
    page.tracks.all()[0].files.get().delete()
    return page


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: make_bundle("Inner", make_product()), "“Inner” is a bundle itself."),
        (lambda: unpublished("Gone"), "“Gone” is not on sale. Publish it first, or take it out."),
        (lambda: without_files("Empty"), "“Empty” has no files."),
    ],
)
def test_what_cannot_be_in_a_bundle_is_named_by_every_road(
    editor: Client, make: Any, sentence: str
) -> None:
    part = make()

    by_form = create_product(editor, "publish", title="Both", tracks=[], contents=[part])
    create_product(editor, title="Both", tracks=[], contents=[part])
    draft = ProductPage.objects.get(title="Both")
    in_bulk = bulk(editor, "publish", draft)

    assert sentence in sentences(by_form)
    assert sentence in sentences(in_bulk)
    with pytest.raises(PublishRefused):
        draft.get_latest_revision().publish()
    draft.refresh_from_db()
    assert not draft.live


def test_a_scheduled_bundle_whose_part_went_off_sale_is_not_published(editor: Client) -> None:
    part = make_product()
    create_product(editor, title="Both", tracks=[], contents=[part])
    bundle = ProductPage.objects.get(title="Both")
    bundle.get_latest_revision()
    revision = bundle.get_latest_revision()
    revision.approved_go_live_at = timezone.now()
    revision.save()
    part.unpublish()

    call_command("publish_scheduled")

    bundle.refresh_from_db()
    assert not bundle.live


@pytest.mark.parametrize("action", ["", "publish"])
def test_a_product_twice_in_a_bundle_is_a_sentence(editor: Client, action: str) -> None:
    part = make_product()

    response = create_product(editor, action, title="Both", tracks=[], contents=[part, part])

    assert response.status_code == 200
    assert "A product can be in a bundle only once." in sentences(response)


@pytest.mark.wide
@pytest.mark.parametrize("action", ["", "publish"])
def test_a_bundle_cannot_contain_itself(editor: Client, action: str) -> None:
    page = make_product("Harbour")

    response = edit_product(editor, page, action, contents=[page])

    assert response.status_code == 200
    assert "A bundle cannot contain itself." in sentences(response)


@pytest.mark.wide
def test_a_product_that_is_gone_meanwhile_is_a_sentence(editor: Client) -> None:
    data = product_data(title="Both", tracks=[], contents=[make_product()])
    url = reverse(
        "wagtailadmin_pages:add",
        args=["catalog_pages", "productpage", CataloguePage.objects.get().pk],
    )

    response = editor.post(url, data | {"contents-0-product": "999999"})

    assert response.status_code == 200
    assert not ProductPage.objects.filter(title="Both").exists()


@pytest.mark.wide
def test_what_is_part_of_a_bundle_cannot_become_one(editor: Client) -> None:
    part, other = make_product("Part"), make_product("Other")
    make_bundle("Both", part)

    response = edit_product(editor, part, "publish", contents=[other])

    assert "“Part” is part of the bundle “Both”, so it cannot be a bundle itself." in sentences(
        response
    )
    assert not BundledProduct.objects.filter(page=part).exists()


def test_the_rules_are_told_without_a_form_too() -> None:
    part = make_product("Part")
    bundle = make_bundle("Both", part)
    version = bundle.get_latest_revision_as_object()
    version.contents.add(BundledProduct(product=part), BundledProduct(product=bundle))

    problems = publish_problems(version)

    assert "“Part” is in the bundle twice." in problems
    assert "A bundle cannot contain itself." in problems


def test_unsaved_contents_are_previewed(editor: Client) -> None:
    part = make_product("Inside")
    args = ["catalog_pages", "productpage", CataloguePage.objects.get().pk]
    url = reverse("wagtailadmin_pages:preview_on_add", args=args)

    accepted = editor.post(
        url, product_data(title="Both", price_pennies="", tracks=[], contents=[None, part])
    )
    preview = editor.get(url)

    assert accepted.json()["is_valid"]
    assert preview.status_code == 200
    assert "In this bundle" in preview.content.decode()
    assert "Inside part 1" in preview.content.decode()


@pytest.mark.wide
def test_a_copy_of_a_bundle_contains_the_same(editor: Client) -> None:
    bundle = make_bundle("Both", make_product(), make_product())
    form = {
        "new_title": "Copy", "new_slug": "copy", "publish_copies": "on",
        "new_parent_page": CataloguePage.objects.get().pk,
    }  # fmt: skip

    editor.post(reverse("wagtailadmin_pages:copy", args=[bundle.pk]), form)

    copy = ProductPage.objects.get(slug="copy")
    assert copy.live
    assert titles_in(copy) == titles_in(bundle)


# --- Taking away -------------------------------------------------------------------------------


def test_what_a_bundle_contains_is_not_deleted(editor: Client) -> None:
    part = make_product("Part")
    make_bundle("Both", part)
    catalogue = CataloguePage.objects.get()

    for response in (
        editor.post(reverse("wagtailadmin_pages:delete", args=[part.pk])),
        bulk(editor, "delete", part),
        bulk(editor, "delete", catalogue),
    ):
        assert "“Part” is part of “Both”. Take it out there first, then publish." in sentences(
            response
        )
    assert ProductPage.objects.count() == 2


@pytest.mark.wide
def test_what_only_a_draft_of_a_bundle_names_is_not_deleted_either(editor: Client) -> None:
    part, other = make_product("Part"), make_product("Other")
    bundle = make_bundle("Both", other)
    edit_product(editor, bundle, tracks=[], contents=[other, part])

    response = editor.post(reverse("wagtailadmin_pages:delete", args=[part.pk]))

    assert "“Part” is named by a draft or an earlier version of “Both”, so it stays." in sentences(
        response
    )
    assert ProductPage.objects.filter(pk=part.pk).exists()


@pytest.mark.wide
def test_a_bundle_itself_is_deleted_and_its_contents_stay(editor: Client) -> None:
    bundle = make_bundle("Both", make_product("Part"))

    editor.post(reverse("wagtailadmin_pages:delete", args=[bundle.pk]))

    assert [page.title for page in ProductPage.objects.all()] == ["Part"]


@pytest.mark.wide
@pytest.mark.parametrize("road", ["single", "bulk"])
def test_taking_a_part_off_sale_tells_about_its_bundles(editor: Client, road: str) -> None:
    part = make_product("Part")
    bundle = make_bundle("Both", part)

    if road == "single":
        response = editor.post(reverse("wagtailadmin_pages:unpublish", args=[part.pk]))
    else:
        response = bulk(editor, "unpublish", part)

    assert "The bundle “Both” cannot be bought now: part of it is not on sale." in sentences(
        response
    )
    page = body_of(Client(), bundle.url)
    assert "Not for sale at the moment." in page
    assert "Add to cart" not in page
    assert part.get_url() not in page.split("In this bundle")[1].split("</section>")[0]


def test_taking_a_product_out_of_a_bundle_leaves_what_was_bought(
    editor: Client, client: Client
) -> None:
    part, other = make_product("Part"), make_product("Other")
    bundle = make_bundle("Both", part, other)
    order = buy(client, make_user(), bundle)

    row = BundledProduct.objects.get(page=bundle, product=part)
    removed = {"contents-INITIAL_FORMS": "1", "contents-0-id": row.pk, "contents-0-DELETE": "1"}
    url = reverse("wagtailadmin_pages:edit", args=[bundle.pk])
    data = product_data(title="Both", tracks=[], contents=[part])
    editor.post(url, data | removed | {"action-publish": "1"})

    assert titles_in(bundle) == ["Other"]
    assert [row.title for row in order.items.get().deliveries.order_by("position")] == [
        "Part part 1",
        "Other part 1",
    ]


# --- The pages ---------------------------------------------------------------------------------


@pytest.mark.wide
def test_a_bundle_shows_what_is_in_it_and_what_that_would_cost(client: Client) -> None:
    parts = [
        make_product("Early", price_pennies=600, assets=[make_asset(b"a" * 3_000_000)]),
        make_product("Late", price_pennies=700, assets=[make_asset(b"b" * 4_000_000)]),
    ]
    bundle = make_bundle("Both", *parts, price_pennies=900)

    page = body_of(client, bundle.url)

    assert "Bought one by one: £13.00." in page
    assert "2 releases" in page
    assert "7.0 MB" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "FLAC" in page
    for part in parts:
        assert f'href="{part.get_url()}"' in page
        assert f"{part.title} part 1" in page
    assert page.index("Early part 1") < page.index("Late part 1")
    card = body_of(client, "/catalog/")
    assert card.count("· Bundle") == 1


@pytest.mark.wide
def test_a_bundle_that_saves_nothing_claims_nothing(client: Client) -> None:
    bundle = make_bundle("Both", make_product(price_pennies=400), price_pennies=400)

    assert "Bought one by one" not in body_of(client, bundle.url)


@pytest.mark.wide
def test_the_parts_lead_to_the_bundle(client: Client) -> None:
    part = make_product()
    bundle = make_bundle("Both", part, price_pennies=900)
    make_bundle("Hidden", part).unpublish()

    page = body_of(client, part.url)

    assert "Also in" in page
    assert f'href="{bundle.get_url()}"' in page
    assert "£9.00" in page
    assert "Hidden" not in page


@pytest.mark.wide
def test_a_bundles_page_takes_the_same_queries_whatever_its_size(client: Client) -> None:
    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    small = make_bundle("Small", make_product(), make_product())
    of_small, of_list = queries(small.url), queries("/catalog/")
    large = make_bundle("Large", *(make_product() for _ in range(9)))

    assert queries(large.url) <= of_small
    assert queries("/catalog/") <= of_list
    many = queries("/api/v1/products/")
    make_bundle("Larger", *(make_product() for _ in range(9)))
    assert queries("/api/v1/products/") <= many


def test_the_api_says_what_a_bundle_contains(client: Client) -> None:
    part = make_product("Part", slug="part")
    make_bundle("Both", part, slug="both", pay_what_you_want=True, suggested_price_pennies=900)

    body = client.get("/api/v1/products/both/").json()

    (inside,) = body["contains"]
    assert (inside["id"], inside["slug"], inside["title"]) == (part.pk, "part", "Part")
    assert (body["pay_what_you_want"], body["suggested_price_pennies"]) == (True, 900)
    assert client.get("/api/v1/products/part/").json()["contains"] == []


@pytest.mark.wide
def test_a_bundle_is_played_by_its_first_excerpt_and_found_by_its_own_title(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        make_bundle("Whole Hedgerow", make_product("Part"))

    listing = client.get("/catalog/", {"q": "hedgerow"}).context["listing"]

    assert [product.title for product in listing.page] == ["Whole Hedgerow"]


@pytest.mark.wide
def test_the_demo_bundle_is_made_once_its_contents_are_there() -> None:
    (bundle,) = BUNDLES
    artist = Artist.objects.create(name=bundle.artist)
    for title in bundle.contents[:-1]:
        release = next(release for release in RELEASES if release.title == title)
        make_product(title, price_pennies=release.price_pennies, artist=artist)

    seed_catalogue(releases=())
    assert not ProductPage.objects.filter(title=bundle.title).exists()
    make_product(bundle.contents[-1], price_pennies=120, artist=artist)
    for _ in range(2):
        seed_catalogue(releases=())

    made = ProductPage.objects.get(title=bundle.title)
    assert made.live
    assert titles_in(made) == list(bundle.contents)
    assert made.cover.renditions.count() == len(SHOWN_SPECS)
    assert made.price_pennies < made.separate_price_pennies
    assert made.revisions.count() == 1
