"""The style guide shows every component there is, in development alone."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.signals import template_rendered
from django.test.utils import CaptureQueriesContext
from django.urls import clear_url_caches

from site_config import urls
from site_config.styleguide.tokens import colours, icons
from site_config.styleguide.views import SECTIONS

pytestmark = pytest.mark.django_db

TEMPLATES = Path(settings.BASE_DIR) / "frontend_templates/templates"
NOT_SHOWN = {
    "components/list_links.html": "of a page's head: nothing to see",
    "components/list_title.html": "of a page's head: nothing to see",
    "components/share.html": "of a page's head: nothing to see",
    "orders/_header_fragment.html": "swaps pieces of the masthead, which is on the page already",
    "orders/_yours.html": "one of every page's, filled by a script",
    "orders/_order_state.html": "asks again by itself; what it says is shown",
}
FRAME = 1  # the shop's row, with its logo and legal texts
# What components ask for by themselves: the site that pages are linked below, the consent in force, and the
# newest releases under an empty place.
COMPONENTS = 3


class Elements(HTMLParser):
    """Ids of a page, and what refers to one."""

    REFERRING = ("for", "form", "aria-labelledby", "aria-describedby")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.meant: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"])
        for name in self.REFERRING:
            self.meant.update((given.get(name) or "").split())
        if tag == "a" and (given.get("href") or "").startswith("#"):
            self.meant.add(given["href"].removeprefix("#"))


def _read_addresses() -> None:
    importlib.reload(urls)
    clear_url_caches()


@pytest.fixture
def development(settings: Any) -> Iterator[None]:
    """The addresses as they are with DEBUG."""
    settings.DEBUG = True
    _read_addresses()
    yield
    settings.DEBUG = False
    _read_addresses()


@pytest.fixture
def page(client: Client, development: None) -> str:
    response = client.get("/styleguide/")
    assert response.status_code == 200
    return response.content.decode()


def test_there_is_none_without_debug(client: Client) -> None:
    assert client.get("/styleguide/").status_code == 404


def test_every_section_is_there_and_in_the_contents(page: str) -> None:
    for anchor, caption in SECTIONS.items():
        assert f'<a href="#{anchor}">{caption}</a>' in page
        assert f'<section class="guide" id="{anchor}"' in page


def test_every_colour_and_icon_is_shown(page: str) -> None:
    assert {"paper", "ink", "accent", "focus", "good", "bad"} <= {one.name for one in colours()}
    assert {"play", "bag", "mark"} <= set(icons())
    for token in colours():
        assert f"--{token.name}</code>" in page
        assert f"{token.dark.colour}, {token.dark.on_paper}" in page
    for icon in icons():
        assert f"icons.svg#{icon}" in page


def test_text_can_be_read_on_paper() -> None:
    for token in colours():
        if token.name in {"ink", "muted", "accent", "accent-strong", "good", "bad", "careful"}:
            assert min(token.light.on_paper, token.dark.on_paper) >= 4.5, token
        if token.name in {"control-line", "focus"}:
            assert min(token.light.on_paper, token.dark.on_paper) >= 3, token


def test_no_id_is_there_twice_and_what_is_meant_is_there(page: str) -> None:
    elements = Elements(page)

    assert [one for one, times in Counter(elements.ids).items() if times > 1] == []
    assert elements.meant - set(elements.ids) - {""} == set()


def test_every_disc_of_several_has_its_heading(page: str) -> None:
    assert [page.count(f">Disc {number}</th>") for number in (1, 2, 3)] == [1, 1, 0]


def test_nothing_is_asked_of_the_server_again_and_again(page: str) -> None:
    assert 'hx-trigger="every' not in page


def test_samples_cost_no_query(client: Client, page: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        client.get("/styleguide/")

    assert len(captured) == FRAME + COMPONENTS, [one["sql"][:90] for one in captured]


def components() -> set[str]:
    """Every template that is a part of pages that readers see."""
    found = [*(TEMPLATES / "components").rglob("*.html")]
    for room in ("catalog_pages", "orders"):
        found += (TEMPLATES / room).glob("_*.html")
    return {str(path.relative_to(TEMPLATES)) for path in found}


def test_every_component_is_shown_or_excused(client: Client, development: None) -> None:
    rendered: set[str] = set()

    def note(sender: Any, template: Any, **kwargs: Any) -> None:
        rendered.add(template.name)

    template_rendered.connect(note)
    try:
        client.get("/styleguide/")
    finally:
        template_rendered.disconnect(note)

    assert components() - rendered == set(NOT_SHOWN)
