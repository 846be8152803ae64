"""Static files: Bootstrap is the published one, and our own break no rule of the content policy."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import get_template

TEMPLATES = Path(settings.BASE_DIR) / "frontend_templates" / "templates"
# Wagtail's admin has its own policy, and a letter has no stylesheet to link to.
OWN_PAGES = [
    path
    for path in sorted(TEMPLATES.rglob("*.html"))
    if "admin" not in path.parts and "mail" not in path.parts
]
# https://getbootstrap.com/docs/5.3/getting-started/download/#cdn-via-jsdelivr, version 5.3.8
BOOTSTRAP_SHA384 = {
    "css/bootstrap.min.css": "sRIl4kxILFvY47J16cr9ZwB07vP4J8+LH7qKQnuqkuIAvNWLzeN8tE5YBujZqJLB",
    "js/bootstrap.bundle.min.js": "FKyoEForCGlyvwx9Hj09JcYn3nv7wiPVlz7YYwJrWVcXK/BmnVDxM+D2scQbITxI",
}


def found(name: str) -> Path:
    path = finders.find(name)
    assert path, f"{name} is missing"
    return Path(path)


@pytest.mark.parametrize("name", BOOTSTRAP_SHA384)
def test_bootstrap_is_byte_for_byte_the_published_one(name: str) -> None:
    digest = hashlib.sha384(found(f"bootstrap/{name}").read_bytes()).digest()

    assert base64.b64encode(digest).decode() == BOOTSTRAP_SHA384[name]


@pytest.mark.parametrize("part", ["reboot", "grid"])
def test_the_parts_that_pages_load_are_of_the_published_bootstrap(part: str) -> None:
    whole = found("bootstrap/css/bootstrap.min.css").read_text()
    css = found(f"bootstrap/css/bootstrap-{part}.min.css").read_text()
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)

    rules = re.findall(r"[^{}]+\{[^{}]*\}", css)

    assert len(rules) > 50
    # The grid brings along what it needs of the rest.
    unknown = [one for one in rules if one.replace("box-sizing:border-box;", "") not in whole]
    assert not unknown


def test_every_static_file_that_a_template_names_exists() -> None:
    names = {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r"""\{%\s*static\s+["']([^"']+)["']""", path.read_text())
    }

    assert names
    for name in names:
        found(name)


def test_every_icon_that_a_template_names_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([a-z]+)"', found("shop/icons.svg").read_text()))
    named = {
        name
        for path in OWN_PAGES
        for name in re.findall(r'components/icon\.html" with name="([a-z]+)"', path.read_text())
    }

    assert named
    assert named <= drawn


@pytest.mark.parametrize("path", OWN_PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_has_no_inline_code_style_or_foreign_origin(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert "<style" not in text
    assert "javascript:" not in text.lower()
    assert not re.search(r"(?:src|href|action)=[\"'](?:https?:)?//", text)
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in tag


def test_our_stylesheets_and_scripts_ask_nobody_else_and_evaluate_nothing() -> None:
    folder = Path(settings.BASE_DIR) / "frontend_templates" / "static" / "shop"

    for path in [*folder.glob("*.css"), *folder.glob("*.js")]:
        text = (
            path.read_text().replace("http://www.w3.org/2000/svg", "").replace("http:%2f%2fwww", "")
        )
        assert not re.search(r"https?://", text), path.name
        assert "@import" not in text
        assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", text), path.name


def test_icons_for_tabs_and_home_screens_are_real_pictures() -> None:
    assert found("shop/favicon.ico").read_bytes()[:4] == b"\x00\x00\x01\x00"
    assert found("shop/apple-touch-icon.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert found("shop/favicon.svg").read_text().startswith("<svg")


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_the_last_resort_pages_need_no_context_and_no_database(name: str) -> None:
    text = get_template(name).render({})

    assert "<h1>" in text
    assert "charged" in text


@pytest.mark.parametrize("path", OWN_PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_every_template_compiles(path: Path) -> None:
    get_template(str(path.relative_to(TEMPLATES)))
