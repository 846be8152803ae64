"""What templates say: numbers in words, covers without writing, waveforms without style."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.images import ImageFile
from django.core.management import CommandError, call_command
from django.core.paginator import Paginator
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from PIL import Image

from catalog_pages.choice import Choice
from catalog_pages.listing import Listing
from catalog_pages.models import Artist, CoverImage, Excerpt, ProductPage, ProductTrack, TrackFile
from catalog_pages.renditions import SPECS, make_renditions, unfinished_covers
from catalog_pages.templatetags import shop
from tests.factories import make_asset, make_product

NBSP = "\N{NO-BREAK SPACE}"


def rendered(source: str, **context: Any) -> str:
    return Template("{% load shop %}" + source).render(Context(context))


def a_listing(**changes: Any) -> Listing:
    page = Paginator(range(500), 24).get_page(changes.pop("page", 1))
    return Listing(page, Choice.of(changes))


def a_cover() -> CoverImage:
    data = BytesIO()
    Image.new("RGB", (1300, 1300), "#b3370f").save(data, "PNG")
    data.seek(0)
    return CoverImage.objects.create(title="Cover", file=ImageFile(data, name="cover.png"))


def add_excerpt(asset: Any, *, start_ms: int = 0, length_ms: int = 30_000) -> Excerpt:
    return Excerpt.objects.create(
        asset=asset, start_ms=start_ms, length_ms=length_ms, duration_ms=length_ms,
        size_bytes=1, sha256="0" * 64, peaks=[0, 50, 100], file=f"excerpts/{start_ms}-{asset.pk.hex}.mp3",
    )  # fmt: skip


# --- Money, time, size ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pennies", "currency", "words"),
    [
        (499, "GBP", "£4.99"),
        (500, "JPY", "¥500"),
        (1250, "KWD", f"KD{NBSP}1.250"),
        (0, "GBP", "£0.00"),
        (123_456_78, "EUR", "€123,456.78"),
        (-100, "GBP", "-£1.00"),
    ],
)
def test_money_has_its_sign_and_digits(pennies: int, currency: str, words: str) -> None:
    assert rendered("{{ pennies|money:currency }}", pennies=pennies, currency=currency) == words


def test_money_without_a_currency_is_the_shops_own(settings: Any) -> None:
    settings.STRIPE_CURRENCY = "JPY"

    assert rendered("{{ 500|money }}") == "¥500"


def test_no_price_is_not_zero() -> None:
    assert rendered("{{ pennies|money }}", pennies=None) == ""


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (None, ""),
        (0, "0:00"),
        (499, "0:00"),
        (500, "0:01"),
        (225_000, "3:45"),
        (3_723_000, "1:02:03"),
    ],
)
def test_a_length_reads_as_on_a_sleeve(milliseconds: int | None, words: str) -> None:
    assert shop.duration(milliseconds) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (None, ""),
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (9_949_999, "9.9 MB"),
        (9_960_000, "10 MB"),
        (31_200_000, "31 MB"),
        (999_600_000, "1.0 GB"),
        (412_000_000, "412 MB"),
        (5_000_000_000_000_000, "5000 TB"),
    ],
)
def test_a_size_has_a_unit_and_few_figures(size: int | None, words: str) -> None:
    assert shop.filesize_short(size) == words.replace(" ", NBSP)


# --- Tracks ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_fetched_product_is_described_without_a_query() -> None:
    flac, mp3 = make_asset(b"a" * 900), make_asset(b"b" * 100, format_name="MP3")
    page = make_product("Two formats", assets=[flac])
    track = page.tracks.first()
    TrackFile.objects.create(track=track, asset=mp3, sort_order=2)
    add_excerpt(mp3)
    product = ProductPage.objects.for_cards().with_tracks().get(pk=page.pk)

    with CaptureQueriesContext(connection) as captured:
        words = rendered(
            "{{ p|formats }}|{{ p|total_size }}|{{ p|playing_time }}|{% first_sample p as s %}{{ s.track }}"
            "|{% for t in p.tracks.all %}{% excerpt t as e %}{{ e.length_ms }}{{ t|formats }}{% endfor %}"
            "|{% cover p 320 %}{% cover_url p %}",
            p=product,
        )

    assert len(captured) == 0
    assert words.startswith("FLAC, MP3|1000|61000|Two formats part 1|30000FLAC, MP3|<svg")


@pytest.mark.django_db
def test_a_card_whose_tracks_were_not_fetched_asks_for_none() -> None:
    page = make_product()
    add_excerpt(page.tracks.first().files.first().asset)
    product = ProductPage.objects.for_cards().get(pk=page.pk)

    with CaptureQueriesContext(connection) as captured:
        assert shop.first_sample({}, product) is None

    assert len(captured) == 0


@pytest.mark.django_db
def test_the_cut_that_the_editor_asked_for_is_played_and_not_an_older_one() -> None:
    page = make_product()
    track = page.tracks.first()
    asset = track.files.first().asset
    wanted = add_excerpt(asset, start_ms=20_000)
    newest = add_excerpt(asset, start_ms=5_000)
    track.excerpt_start_seconds = 20

    assert shop.excerpt_of_track({}, track) == wanted

    track.excerpt_start_seconds = None
    assert shop.excerpt_of_track({}, track) == newest


@pytest.mark.django_db  # a new page looks up its content type
def test_an_unfinished_draft_has_no_facts_and_breaks_nothing() -> None:
    draft = ProductPage(title="Draft")
    draft.tracks = [ProductTrack(title="Untold")]
    draft.tracks.all()[0].files = [TrackFile()]

    assert shop.formats(draft) == ""
    assert shop.total_size(draft) is None
    assert shop.playing_time(draft) is None
    assert shop.first_sample({}, draft) is None
    assert shop.excerpt_of_track({}, draft.tracks.all()[0]) is None
    assert "Cover of Draft" in shop.cover(draft)


# --- Covers and waveforms -------------------------------------------------------------------------


def widths_of(html: str) -> list[int]:
    return [
        int(width) for width in re.findall(r" (\d+)w\b", html.split("srcset=")[1].split('"')[1])
    ]


@pytest.mark.django_db
def test_a_cover_without_small_sizes_offers_those_that_it_has() -> None:
    image = a_cover()
    make_renditions(image)
    image.renditions.filter(file__endswith=".avif").delete()
    page = make_product(cover=image)

    html = shop.cover(ProductPage.objects.for_cards().get(pk=page.pk))

    assert html.startswith("<img")
    assert 'loading="lazy"' in html
    assert "fetchpriority" not in html


@pytest.mark.django_db
def test_the_command_makes_what_is_missing_and_names_what_it_cannot_read() -> None:
    whole, old, broken = a_cover(), a_cover(), a_cover()
    for image in (whole, old, broken):
        make_product(cover=image)
    make_renditions(whole)
    old.renditions.create(filter_spec=SPECS[96], file="old.webp", width=96, height=96)
    broken.renditions.all().delete()
    Path(broken.file.path).write_bytes(b"no picture")

    with pytest.raises(CommandError, match="1 covers"):
        call_command("make_covers")

    assert old.renditions.count() == 9
    assert list(unfinished_covers()) == [broken]


@pytest.mark.django_db
def test_a_cover_offers_every_ready_size_and_makes_none() -> None:
    image = a_cover()
    make_renditions(image)
    page = make_product(
        "Harbour & Lights", cover=image, artist=Artist.objects.create(name="The <Reeds>")
    )
    product = ProductPage.objects.for_cards().get(pk=page.pk)

    with CaptureQueriesContext(connection) as captured:
        html = shop.cover(product, 320, sizes="50vw", first=True)

    assert len(captured) == 0
    smaller, image = html.removeprefix("<picture>").removesuffix("</picture>").split("<img")
    assert widths_of(smaller) == [96, 320, 480, 720, 960]
    assert smaller.startswith('<source type="image/avif"')
    assert widths_of(image) == [96, 320, 640, 1200]
    assert ".avif" not in image
    assert 'width="320" height="320"' in html
    assert 'sizes="50vw"' in html
    assert 'fetchpriority="high"' in html
    assert 'alt="Cover of Harbour &amp; Lights by The &lt;Reeds&gt;"' in html
    assert "1200x1200" in shop.cover_url(product, 5000)


@pytest.mark.django_db
def test_a_cover_without_its_sizes_is_a_drawn_sleeve_on_a_public_page() -> None:
    page = make_product(cover=a_cover())
    page.cover.renditions.all().delete()
    product = ProductPage.objects.for_cards().get(pk=page.pk)

    assert shop.cover(product).startswith("<svg")
    assert shop.cover_url(product) == ""
    assert not product.cover.renditions.exists()


@pytest.mark.django_db
def test_a_preview_shows_the_original_picture() -> None:
    draft = ProductPage(title="Draft", cover=a_cover())

    assert draft.cover.file.url in shop.cover(draft)


@pytest.mark.parametrize("title", ["", "A", "Slow Weather", "<script>", "…" * 255])
def test_a_drawn_sleeve_follows_from_the_title_and_carries_no_style(title: str) -> None:
    product = SimpleNamespace(title=title, cover=None, artist=None)

    first, second = shop.cover(product), shop.cover(product)

    assert first == second
    assert "style" not in first
    assert "<script" not in first
    assert 'role="img"' in first


@pytest.mark.parametrize("peaks", [[], [0], [100], list(range(101)) * 2, [5000] * 10])
def test_a_waveform_is_one_path_within_its_box(peaks: list[int]) -> None:
    html = shop.waveform(SimpleNamespace(peaks=peaks))

    path = html.split(' d="')[1].split('"')[0]
    bars = [bar.split("v") for bar in path.removeprefix("M").split("M")]
    assert html.count("<path") == 1
    assert "style" not in html
    assert 1 <= len(bars) <= shop.WAVEFORM_BARS
    for start, height in bars:
        assert 2 <= float(height) <= shop.WAVEFORM_HEIGHT - 2
        assert float(start.split()[1]) >= 1


def test_peaks_are_thinned_out_by_their_loudest() -> None:
    assert shop._resampled([1, 9, 2, 3, 4, 8], 3) == [9, 3, 8]


# --- The list -------------------------------------------------------------------------------------


def test_links_of_a_list_keep_what_was_chosen_and_drop_what_was_taken_back() -> None:
    listing = a_listing(q="blue", genre="jazz", sort="price")

    assert shop.listing_link(listing, page=3) == "?q=blue&genre=jazz&sort=price&page=3"
    assert shop.listing_link(listing, page=1) == "?q=blue&genre=jazz&sort=price"
    assert shop.listing_link(listing, genre=None) == "?q=blue&sort=price"
    assert shop.listing_link(listing, q="", sort="newest") == "?genre=jazz"


def test_a_long_list_offers_its_ends_and_neighbours() -> None:
    pages = shop.listing_pages(a_listing(page=10))

    assert [str(number) for number in pages] == ["1", "…", "9", "10", "11", "…", "21"]


def test_a_sentence_is_found_by_number_or_text() -> None:
    assert shop.lookup({"7": "Quantity must be 1."}, 7) == "Quantity must be 1."
    assert shop.lookup({"": "Your cart is empty."}, "") == "Your cart is empty."
    assert shop.lookup(None, 7) == ""
