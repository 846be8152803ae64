"""The shop's style sheets style what is there: a class that no page has was lost, or should be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SHEETS = [
    path
    for path in sorted((ROOT / "frontend_templates/static/shop").glob("*.css"))
    if path.name != "api_docs.css"  # of pages that another program makes
]
# What templates put together of two parts.
MADE = {
    "base.css": re.compile(r"notice-(?:bad|careful|good|plain)"),
    "styleguide.css": re.compile(r"guide-space-\d"),
}
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
CLASS = re.compile(r"class=\\?\"((?:\{%.*?%\}|\{\{.*?\}\}|[^\"\\{])*)", re.DOTALL)
# As it is handed to a component, or chosen inside of a tag.
GIVEN = re.compile(r"\b(?:\w+_)?css(?:=|\|default:)[\"']([^\"']+)[\"']")


def used() -> set[str]:
    folders = (ROOT / "frontend_templates/templates", ROOT / "orders/stripe_sandbox")
    files = [path for folder in folders for path in folder.rglob("*.html")]
    files += [ROOT / "catalog_pages/covers.py", *ROOT.glob("*/templatetags/*.py")]
    words: set[str] = set()
    for path in files:
        text = path.read_text()
        for found in CLASS.findall(text):
            words.update(TAG.sub(" ", found).split())
        for found in (*GIVEN.findall(text), *re.findall(r'"class": "([\w -]+)"', text)):
            words.update(found.split())
        words.update(re.findall(r"\"((?:form|btn)-[\w-]+)\"", text))
    for script in (ROOT / "frontend_templates/static/shop").glob("*.js"):
        words.update(re.findall(r"setAttribute\(\"class\", \"([\w-]+)\"\)", script.read_text()))
    return words


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_class_of_a_sheet_is_some_pages(sheet: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    selectors = re.sub(r"\{[^{}]*\}", "{}", text)
    classes = set(re.findall(r"\.(-?[a-zA-Z_][\w-]*)", selectors))
    made = MADE.get(sheet.name)

    lost = {name for name in classes - used() if not (made and made.fullmatch(name))}

    assert lost == set()
