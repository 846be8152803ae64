"""Whatever colour an owner picks, what is written in it and on it can be read."""

from __future__ import annotations

import re

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalog_pages.theme import (
    DARK_GROUNDS,
    DEFAULT_ACCENT,
    LIGHT_GROUNDS,
    contrast,
    digest_of,
    parse_colour,
    rgb,
    stylesheet,
    theme_of,
)

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
channels = st.integers(0, 255)
colours = st.builds("#{:02x}{:02x}{:02x}".format, channels, channels, channels)


@patient
@given(colours)
@example("#000000")
@example("#ffffff")
@example("#ffff00")
@example("#0000ff")
@example("#777777")
def test_every_colour_becomes_readable_on_light_and_on_dark_paper(accent: str) -> None:
    theme = theme_of(accent)

    for scheme, grounds in ((theme.light, LIGHT_GROUNDS), (theme.dark, DARK_GROUNDS)):
        for colour in (scheme.accent, scheme.strong):
            assert all(contrast(rgb(colour), ground) >= 4.5 for ground in grounds)
            assert contrast(rgb(colour), rgb(scheme.on_accent)) >= 4.5
        assert contrast(rgb(scheme.accent), rgb(scheme.strong)) >= 1.05


@patient
@given(colours)
def test_a_colour_that_can_be_read_stays_as_it_was_picked(accent: str) -> None:
    theme = theme_of(accent)

    if all(contrast(rgb(accent), ground) >= 4.5 for ground in LIGHT_GROUNDS):
        assert theme.light.accent == accent
    if all(contrast(rgb(accent), ground) >= 4.5 for ground in DARK_GROUNDS):
        assert theme.dark.accent == accent


@patient
@given(colours)
def test_a_stylesheet_holds_nothing_but_colours(accent: str) -> None:
    sheet = stylesheet(accent)

    assert sheet.count("{") == sheet.count("}")
    assert "<" not in sheet
    assert "@import" not in sheet
    assert re.fullmatch(r"[0-9a-f]{12}", digest_of(accent))


def test_the_grounds_are_those_of_the_stylesheet() -> None:
    sheet = (django_settings.BASE_DIR / "frontend_templates/static/shop/base.css").read_text()

    papers = re.findall(r"--(?:paper|surface): (#[0-9a-f]{6})", sheet)[:4]

    assert [rgb(colour) for colour in papers] == [*LIGHT_GROUNDS, *DARK_GROUNDS]
    assert f"--accent: {DEFAULT_ACCENT};" in sheet


@pytest.mark.parametrize(
    ("typed", "colour"),
    [
        ("#B3370F", "#b3370f"),
        (" b3370f ", "#b3370f"),
        ("#f60", "#ff6600"),
        ("F60", "#ff6600"),
    ],
)
def test_a_colour_is_read_as_people_write_it(typed: str, colour: str) -> None:
    assert parse_colour(typed) == colour


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "#",
        "red",
        "#12",
        "#12345",
        "#1234567",
        "#b3370f;}",
        "rgb(1,2,3)",
        "##b3370f",
        "#١٢٣",
        "#b3370f\n}",
    ],
)
def test_anything_else_is_no_colour(typed: str) -> None:
    with pytest.raises(ValueError, match="colour"):
        parse_colour(typed)
