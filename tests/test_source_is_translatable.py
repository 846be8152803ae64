"""Read, not run: no sentence for people stands in the source without gettext.

What speaks to developers and operators stays English: logs, system checks, commands, the sandbox, the style
guide, what the API's description and OAuth say of requests. Files that hold only such text are named here.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
ROOMS = ("catalog_pages", "downloads", "orders", "store_api", "site_config")
NOT_FOR_PEOPLE = re.compile(
    r"/(tests|migrations|management|demo|stripe_sandbox|styleguide|oauth|supervisor|settings)/"
    r"|store_api/(v1/(?!views)|contract|schema|words|documents|problem_examples|scopes_of)"
    r"|catalog_pages/seed\.py|/apps\.py|site_config/(env|env_rules|checks|diagrams|formats)"
)
PYTHON = sorted(
    path
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
    if not NOT_FOR_PEOPLE.search(str(path.relative_to(ROOT)))
)
TEMPLATES = sorted(
    path
    for path in (ROOT / "frontend_templates/templates").rglob("*.*")
    if not re.search(r"/(stripe_sandbox|styleguide|drf_spectacular)/", str(path.relative_to(ROOT)))
)
SCRIPTS = sorted((ROOT / "frontend_templates/static").rglob("*.js"))

NAMED = {
    "verbose_name", "verbose_name_plural", "help_text", "label", "heading", "empty_label",
    "violation_error_message", "page_title", "menu_label", "header_title",
}  # fmt: skip
OF_A_CLASS = NAMED | {
    "message", "default_detail", "success_message", "error_message", "add_item_label",
    "submit_button_label", "search_hint",
}  # fmt: skip
SAID_BY = {"ValidationError", "add_error", "status_tag", "say", "HeaderButton", "capfirst"}
MESSAGES = {"success", "warning", "error", "info"}
LETTERS = re.compile(r"[A-Za-z]{2,}")


def texts_in(node: ast.AST) -> Iterator[ast.AST]:
    """Bare texts with letters in an expression, through `or`, `if`, tuples and lists."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if LETTERS.search(node.value):
            yield node
    elif isinstance(node, ast.JoinedStr):
        said = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        if re.search(r"[A-Za-z]{2,} [A-Za-z]|[A-Z][a-z]", said):
            yield node
    elif isinstance(node, ast.IfExp):
        yield from texts_in(node.body)
        yield from texts_in(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from texts_in(value)


def bare_texts(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _of_class(node)
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg in NAMED:
                yield from texts_in(keyword.value)
        function = node.func
        name = getattr(function, "id", getattr(function, "attr", ""))
        owner = getattr(getattr(function, "value", None), "id", "")
        if name in SAID_BY or (owner == "messages" and name in MESSAGES):
            for argument in node.args:
                if not (name == "add_error" and argument is node.args[0]) and not (
                    name == "status_tag" and argument is not node.args[0]
                ):
                    yield from (
                        one
                        for one in texts_in(argument)
                        if " " in ast.unparse(one) or name == "status_tag"
                    )


def _of_class(node: ast.ClassDef) -> Iterator[ast.AST]:
    is_choices = any("Choices" in ast.unparse(base) for base in node.bases)
    for line in node.body:
        if not isinstance(line, (ast.Assign, ast.AnnAssign)) or line.value is None:
            continue
        targets = line.targets if isinstance(line, ast.Assign) else [line.target]
        names = {
            one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)
        }
        if names & OF_A_CLASS:
            values = line.value.elts if isinstance(line.value, ast.Tuple) else [line.value]
            for value in values:
                yield from texts_in(value)
        elif is_choices and isinstance(line.value, ast.Tuple):
            for value in line.value.elts[1:]:
                yield from texts_in(value)


def at(path: Path, nodes: Iterator[ast.AST]) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)[:90]}" for node in nodes]  # type: ignore[attr-defined]


def test_no_bare_label_or_sentence_in_python() -> None:
    found = [
        place
        for path in PYTHON
        for place in at(path, bare_texts(ast.parse(path.read_text("utf-8"))))
    ]

    assert found == []


SENTENCES = {
    "_",
    "gettext",
    "gettext_lazy",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
}


def test_sentences_are_whole_literals() -> None:
    """Else they cannot be collected: no variable, no f-string, no `+`, no `.format` inside the brackets."""
    found = []
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SENTENCES:
                wanted = 2 if node.func.id.startswith(("n", "p")) else 1  # type: ignore[attr-defined]
                for argument in node.args[:wanted]:
                    if not (isinstance(argument, ast.Constant) and argument.value):
                        found += at(path, iter([argument]))

    assert found == []


def test_gettext_keeps_its_name() -> None:
    """`xgettext` knows `gettext`, its relatives and `_`; under another name a sentence is never found."""
    found = []
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
                found += [
                    f"{path.relative_to(ROOT)}: {name.name} as {name.asname}"
                    for name in node.names
                    if "gettext" in name.name and name.asname not in (None, "_")
                ]

    assert found == []


NO_TEXT = re.compile(
    r"\{%\s*comment.*?endcomment\s*%\}|\{#.*?#\}|<!--.*?-->|<(script|style)\b.*?</\1>"
    r"|\{%\s*blocktranslate\b.*?endblocktranslate\s*%\}|\{%\s*block bodyclass.*?endblock\s*%\}"
    r"|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL,
)
TAG = re.compile(r"<(?:\"[^\"]*\"|'[^']*'|[^>\"'])*>", re.DOTALL)
SHOWN = re.compile(
    r'(?<![\w-])(?:aria-label|title|alt|placeholder|data-label|data-says?-[\w-]*)="([^"]*)"'
)
ENTITY = re.compile(r"&\w+;")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_bare_text_in_templates(path: Path) -> None:
    rest = NO_TEXT.sub("", path.read_text("utf-8"))
    shown = SHOWN.findall(rest)
    text = TAG.sub(" ", rest)

    found = [
        line.strip()
        for line in [*shown, *text.splitlines()]
        if LETTERS.search(ENTITY.sub("", line))
    ]

    assert [line for line in found if line not in MARKUP] == []


# What is left of tags that are put together: `<{% if … %}a{% else %}button{% endif %}`.
MARKUP: set[str] = set()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_sentence_in_scripts(path: Path) -> None:
    """The server hands them over, in data attributes or as JSON."""
    code = re.sub(r"/\*.*?\*/|(?<!:)//.*", "", path.read_text("utf-8"))

    texts = re.findall(r'"([^"\n]*)"|`([^`]*)`', code)
    found = [
        text
        for pair in texts
        for text in pair
        if re.search(r"^[A-Z][a-z]+ [a-z]|[a-z]{3,} [a-z]+ [a-z]{2,}.*[.!?…]$", text)
    ]

    assert found == []


def sentences_of(path: Path) -> Iterator[str]:
    """As `make messages` collects them."""
    text = path.read_text("utf-8")
    source = text if path.suffix == ".py" else re.sub(r"(?m)^\s+", "", templatize(text))
    keywords = {**DEFAULT_KEYWORDS, "gettext_lazy": None, "ngettext_lazy": (1, 2)}
    for _line, message, *_rest in extract("python", io.BytesIO(source.encode()), keywords):
        yield from (message,) if isinstance(message, str) else message


def test_sentences_can_be_collected_and_their_placeholders_have_names() -> None:
    found = {one for path in [*PYTHON, *TEMPLATES] for one in sentences_of(path)}

    assert {"Your cart is empty.", "The file is empty.", "%(amount)s tax included"} <= found
    assert [one for one in found if re.search(r"\{\}|\{\d|%[sd]", one)] == []
    assert [one for one in found if one != one.strip()] == []
