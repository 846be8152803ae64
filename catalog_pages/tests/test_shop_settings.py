"""The owner's screen about the shop: what it takes, who may use it, and what the public sees of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from PIL import Image
from wagtail.models import ModelLogEntry

from catalog_pages.models import CoverImage, CoverRendition, HomePage, ShopSettings
from catalog_pages.money import format_money
from catalog_pages.renditions import LOGO_SPECS
from catalog_pages.tests.editors import owner_client
from catalog_pages.theme import DEFAULT_ACCENT
from orders.models import OrderItem
from tests.factories import make_cart, make_product, make_user, start_checkout

pytestmark = pytest.mark.django_db

THEME = re.compile(r'href="(/theme/[^"]+)"')


def make_logo(width: int = 800, height: int = 200) -> CoverImage:
    """A real picture with a see-through ground."""
    data = BytesIO()
    Image.new("RGBA", (width, height), (29, 78, 216, 128)).save(data, "PNG")
    file = ImageFile(BytesIO(data.getvalue()), name="logo.png")
    return CoverImage.objects.create(title="Our logo", file=file)


def edit_url() -> str:
    return reverse(
        "wagtailsettings:edit", args=["catalog_pages", "shopsettings", ShopSettings.load().pk]
    )


def preview_url() -> str:
    return reverse(
        "wagtailsettings:preview_on_edit",
        args=["catalog_pages", "shopsettings", ShopSettings.load().pk],
    )


def form(**fields: Any) -> dict[str, Any]:
    return {
        "shop_name": "Low Tide",
        "tagline": "Music from the sea",
        "contact_email": "",
        "logo": "",
        "accent": DEFAULT_ACCENT,
        "footer_text": "",
        "currency_display": "symbol",
        "tax": "none",
        "download_limit": "",
        **fields,
    }


def save(client: Client, **fields: Any) -> HttpResponse:
    return client.post(edit_url(), form(**fields))


def staff_client(*permissions: str) -> Client:
    group = Group.objects.create(name="Some of the rights")
    for name in ("wagtailadmin.access_admin", *permissions):
        app, codename = name.split(".")
        group.permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    user = make_user()
    user.groups.add(group)
    client = Client()
    client.force_login(user)
    return client


def test_the_screen_is_grouped_in_plain_words() -> None:
    page = owner_client().get(edit_url()).content.decode()

    headings = ["Who you are", "How the shop looks", "Prices and tax", "Downloads"]
    found = re.findall(r"<h2[^>]*data-panel-heading[^>]*>.*?</h2>", page, flags=re.DOTALL)
    shown = [" ".join(re.sub(r"<[^>]+>", "", heading).split()) for heading in found]
    assert [heading for heading in shown if heading in headings] == headings
    assert 'type="color"' in page
    assert "colour.js" in page


def test_what_is_saved_is_seen_by_everybody_and_recorded(client: Client) -> None:
    desk = owner_client()

    answer = save(desk, accent="#1D4ED8", footer_text="Made by the sea")

    assert answer.status_code == 302
    page = client.get("/").content.decode()
    assert "Low Tide" in page
    assert "Made by the sea" in page
    entry = ModelLogEntry.objects.get(action="wagtail.edit")
    assert entry.user is not None
    assert entry.content_type.model == "shopsettings"


def test_another_colour_has_a_stylesheet_for_ever_under_an_address_of_its_own(
    client: Client, django_assert_num_queries: Callable[[int], Any]
) -> None:
    desk = owner_client()
    save(desk, accent="#1d4ed8")
    first = THEME.findall(client.get("/").content.decode())
    save(desk, accent="#0f766e")
    second = THEME.findall(client.get("/").content.decode())

    with django_assert_num_queries(0):
        sheets = [client.get(address) for address in (first[0], second[0])]

    assert len(first) == len(second) == 1
    assert first != second
    for sheet, colour in zip(sheets, ("#1d4ed8", "#0f766e"), strict=True):
        assert sheet.status_code == 200
        assert sheet["Content-Type"] == "text/css; charset=utf-8"
        assert {"public", "immutable"} <= set(sheet["Cache-Control"].replace(" ", "").split(","))
        assert f"--accent:{colour}" in sheet.content.decode()
        assert not sheet.cookies


def test_the_default_colour_has_no_stylesheet(client: Client) -> None:
    save(owner_client(), accent="")

    assert ShopSettings.load().accent == DEFAULT_ACCENT
    assert THEME.findall(client.get("/").content.decode()) == []
    assert client.get("/theme/b3370f-000000000000.css").status_code == 404


def test_an_address_from_another_release_leads_to_the_colour_as_it_is_now(client: Client) -> None:
    answer = client.get("/theme/1d4ed8-000000000000.css")

    assert answer.status_code == 302
    assert client.get(answer.url).status_code == 200


@pytest.mark.wide
@pytest.mark.parametrize("accent", ["red", "#12345", "#1d4ed8;}", "javascript:1", "#" + "a" * 30])
def test_a_colour_that_is_none_is_refused_and_nothing_is_lost(accent: str) -> None:
    desk = owner_client()

    answer = save(desk, accent=accent, footer_text="Half a day's work")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Half a day&#x27;s work" in page
    assert ShopSettings.load().shop_name == "Digital Downloads"


def test_a_broken_colour_in_the_table_breaks_no_page(client: Client) -> None:
    ShopSettings.load()
    ShopSettings.objects.update(accent="no colour")

    assert client.get("/").status_code == 200


def test_the_logo_takes_the_place_of_the_name_and_has_it_as_its_text(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    logo, desk = make_logo(), owner_client()
    with django_capture_on_commit_callbacks(execute=True):
        save(desk, logo=str(logo.pk))
    made = CoverRendition.objects.count()

    page = client.get("/").content.decode()

    assert set(logo.renditions.values_list("filter_spec", flat=True)) == set(LOGO_SPECS)
    assert re.search(r'<img class="brand-logo"\s[^>]*alt="Low Tide"', page)
    assert CoverRendition.objects.count() == made


def test_while_its_sizes_are_missing_the_name_is_shown_and_nothing_is_written(
    client: Client,
) -> None:
    shop = ShopSettings.load()
    ShopSettings.objects.filter(pk=shop.pk).update(logo=make_logo())

    page = client.get("/").content.decode()

    assert "brand-logo" not in page
    assert "Digital Downloads" in page
    assert not CoverRendition.objects.exists()


def test_an_unreadable_logo_leaves_the_name(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    logo = make_logo()
    logo.file.storage.delete(logo.file.name)
    desk = owner_client()

    with django_capture_on_commit_callbacks(execute=True):
        answer = save(desk, logo=str(logo.pk))

    assert answer.status_code == 302
    assert "Low Tide" in client.get("/").content.decode()


def test_an_svg_is_no_logo() -> None:
    drawing = CoverImage(title="Drawing")
    drawing.file.save(
        "logo.svg", ContentFile(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), save=False
    )
    drawing.width = drawing.height = 10
    CoverImage.objects.bulk_create([drawing])

    answer = save(owner_client(), logo=str(CoverImage.objects.get().pk))

    assert "An SVG file can hold scripts" in answer.content.decode()
    assert ShopSettings.load().logo is None


def test_a_logo_that_is_deleted_gives_the_name_back(client: Client) -> None:
    logo = make_logo()
    save(owner_client(), logo=str(logo.pk))

    logo.delete()

    assert "Low Tide" in client.get("/").content.decode()


@pytest.mark.wide
@pytest.mark.parametrize("mode", ["home_page", "catalogue_page"])
def test_unsaved_settings_are_previewed_and_nobody_else_sees_them(
    client: Client, mode: str
) -> None:
    logo, desk = make_logo(), owner_client()

    checked = desk.post(
        preview_url(), form(shop_name="Not yet", accent="#1d4ed8", footer_text="Soon", logo=logo.pk)
    )
    preview = desk.get(preview_url(), {"mode": mode, "in_preview_panel": "true"})

    assert checked.json() == {"is_valid": True, "is_available": True}
    page = preview.content.decode()
    assert preview["X-Frame-Options"] == "SAMEORIGIN"
    assert "Not yet" in page
    assert "Soon" in page
    assert THEME.findall(page)
    assert logo.file.url in page
    public = client.get("/").content.decode()
    assert "Not yet" not in public
    assert "Soon" not in public
    assert not CoverRendition.objects.exists()


def test_a_preview_of_a_page_that_is_not_published_says_so() -> None:
    HomePage.objects.get().unpublish()

    desk = owner_client()
    desk.post(preview_url(), form())

    preview = desk.get(preview_url(), {"mode": "home_page"})

    assert "not published" in preview.content.decode()


def test_who_may_change_the_settings_may_not_change_tax_or_limits_without_their_own_right() -> None:
    desk = staff_client("catalog_pages.change_shopsettings")

    page = desk.get(edit_url()).content.decode()
    answer = save(desk, tax="inclusive", download_limit="3")

    assert 'name="tax"' not in page
    assert 'name="download_limit"' not in page
    assert answer.status_code == 302
    shop = ShopSettings.load()
    assert (shop.shop_name, shop.tax, shop.download_limit) == ("Low Tide", "none", None)


def test_both_rights_change_everything() -> None:
    desk = staff_client("catalog_pages.change_shopsettings", "catalog_pages.change_selling_rules")

    save(desk, tax="inclusive", download_limit="3")

    shop = ShopSettings.load()
    assert (shop.tax, shop.download_limit) == ("inclusive", 3)


def test_without_the_right_there_is_no_screen_and_no_preview() -> None:
    desk = staff_client()

    for answer in (desk.get(edit_url()), save(desk), desk.get(preview_url())):
        assert answer.status_code == 302
    assert ShopSettings.load().shop_name == "Digital Downloads"
    assert edit_url() not in desk.get(reverse("wagtailadmin_home")).content.decode()


@pytest.mark.parametrize(
    ("of_shop", "of_product", "agreed"), [(None, None, None), (5, None, 5), (0, None, 0), (5, 2, 2)]
)
def test_the_limit_on_downloads_is_frozen_into_what_is_sold(
    of_shop: int | None, of_product: int | None, agreed: int | None
) -> None:
    ShopSettings.load()
    ShopSettings.objects.update(download_limit=of_shop)
    user = make_user()
    make_cart(user, make_product(download_limit=of_product))

    start_checkout(user)

    assert OrderItem.objects.get().download_limit == agreed


@pytest.mark.parametrize(("shops", "told"), [("5", 5), ("0", None)])
def test_the_api_says_the_shops_limit(client: Client, shops: str, told: int | None) -> None:
    product = make_product()
    save(owner_client(), download_limit=shops)

    answer = client.get(f"/api/v1/products/{product.slug}/").json()

    assert answer["download_limit"] == told


@pytest.mark.wide
@pytest.mark.parametrize("limit", ["-1", "100001", "many", "1.5"])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    answer = save(owner_client(), download_limit=limit)

    assert answer.status_code == 200
    assert ShopSettings.load().download_limit is None


def test_money_is_shown_by_its_code_wherever_people_read_it_and_by_its_sign_in_the_api(
    client: Client,
) -> None:
    product = make_product("Harbour", price_pennies=499)

    save(owner_client(), currency_display="code")

    page = client.get(product.url).content.decode()
    assert "GBP\N{NO-BREAK SPACE}4.99" in page
    assert "£" not in page
    assert client.get(f"/api/v1/products/{product.slug}/").json()["price"] == "£4.99"


def test_a_process_that_did_not_save_it_learns_of_it_with_one_query_in_a_while(
    client: Client, settings: Any, django_assert_num_queries: Callable[[int], Any]
) -> None:
    ShopSettings.load()
    ShopSettings.objects.update(currency_display="code")
    address = "/theme/1d4ed8-" + "0" * 12 + ".css"

    with django_assert_num_queries(0):
        client.get(address)
    assert format_money(499, "GBP") == "£4.99"
    settings.CURRENCY_DISPLAY_SECONDS = 0
    with django_assert_num_queries(1):
        client.get(address)
    assert format_money(-499, "GBP") == "-GBP\N{NO-BREAK SPACE}4.99"
    settings.CURRENCY_DISPLAY_SECONDS = 3600
    with django_assert_num_queries(0):
        client.get(address)


@pytest.mark.wide
@pytest.mark.parametrize("display", ["", "coins", "CODE"])
def test_another_way_to_show_money_is_refused(display: str) -> None:
    answer = save(owner_client(), currency_display=display)

    assert answer.status_code == 200
    assert ShopSettings.load().currency_display == "symbol"
