"""What a change of the API breaks for programs that were written for its last release.

Two descriptions are compared by what they promise: addresses, methods, parameters, bodies, answers, headers,
how to sign in, and the names that generated clients call their functions and classes. Words and examples
are no promise. Whatever is only added breaks nothing. docs/api-versions.md tells people the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from store_api.contract_shapes import WORDS, Document, Json, Promise, expanded, followed

METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
OPEN: list[Json] = [{}]


def read(path: Path) -> Json:
    """A description as `make openapi` writes it."""
    return parsed(path.read_text(encoding="utf-8"))


def parsed(text: str) -> Json:
    """By libyaml, which takes a fifth of the time that the parser in Python does."""
    document: Json = yaml.load(text, Loader=yaml.CSafeLoader)
    return document


def major(document: Document) -> int:
    return int(str(document["info"]["version"]).split(".")[0])


def released() -> Path | None:
    """The description of the last release; None before the first."""
    kept = {int(path.stem.split("-")[1]): path for path in _folder().glob("openapi-*.yaml")}
    return kept[max(kept)] if kept else None


def released_path(document: Document) -> Path:
    """Where the description of its release is kept: one for each major version."""
    return _folder() / f"openapi-{major(document)}.yaml"


def _folder() -> Path:
    return Path(settings.BASE_DIR) / "docs" / "released"


def contract_problems(released: Document, now: Document) -> list[str]:
    """Why the API as it is now may not follow the released one; nothing when it may.

    Under the same major version it keeps every promise. A greater one may break them, at new addresses:
    programs that were written for the old ones go on there, or find nothing, but never something else.
    """
    if major(now) == major(released):
        return breaking_changes(released, now)
    if major(now) < major(released):
        return [f"Version {major(now)} cannot follow version {major(released)}."]
    prefix = f"/api/v{major(now)}/"
    strays = [path for path in now["paths"] if not path.startswith(prefix)]
    return [f"{path} has to begin with {prefix}: the version is a new one." for path in strays]


def _beginnings(document: Document) -> list[str]:
    """Where the addresses begin. Said or not, the root is the root (OpenAPI 3.1, section 4.8.1)."""
    return [server["url"] for server in document.get("servers") or [{"url": "/"}]]


def breaking_changes(before: Document, after: Document) -> list[str]:
    """A sentence for each promise of `before` that `after` does not keep."""
    found = [*_names_broken(before, after), *_sign_in_broken(before, after)]
    if _beginnings(before) != _beginnings(after):
        found.append("The addresses have another beginning: see `servers`.")
    old, new = operations(before), operations(after)
    for name, operation in old.items():
        if name in new:
            found += _Operation(before, after, name).broken(operation, new[name])
        else:
            found.append(f"{name} is gone.")
    return list(dict.fromkeys(found))


def other_changes(before: Document, after: Document) -> list[str]:
    """What is new, and which operations differ in more than words, whether that breaks something or not."""
    old, new = operations(before), operations(after)
    added = [f"{name} is new." for name in new if name not in old]
    return added + [
        f"{name} has changed."
        for name in new
        if name in old and expanded(before, old[name]) != expanded(after, new[name])
    ]


def operations(document: Document) -> dict[str, Json]:
    """Every operation as `GET /path/`, and what the shop itself sends as `webhook NAME`."""
    found: dict[str, Json] = {}
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                shared = item.get("parameters", [])
                own = item[method].get("parameters", [])
                found[f"{method.upper()} {path}"] = {**item[method], "parameters": [*shared, *own]}
    for name, item in document.get("webhooks", {}).items():
        for method in METHODS:
            if method in item:
                found[f"webhook {name}"] = item[method]
    return found


class _Operation:
    """One operation before and after. For a webhook clients are at the other end: they receive its body."""

    def __init__(self, before: Document, after: Document, name: str) -> None:
        self.before, self.after, self.name = before, after, name
        is_ours = name.startswith("webhook ")
        self.asks = Promise(before, after, sent=not is_ours)
        self.answers = Promise(before, after, sent=is_ours)

    def broken(self, was: Json, now: Json) -> Iterator[str]:
        if was.get("operationId") != now.get("operationId"):
            yield f"{self.name}: operationId was {was.get('operationId')} and is {now.get('operationId')}."
        if (was_in := was.get("tags", [])[:1]) != (is_in := now.get("tags", [])[:1]):
            yield f"{self.name}: its tag was {', '.join(was_in)} and is {', '.join(is_in)}."
        yield from self._security(was, now)
        yield from self._parameters(was, now)
        yield from self._body(was, now)
        yield from self._responses(was, now)

    def _security(self, was: Json, now: Json) -> Iterator[str]:
        """Every way in is still one, and asks for no scope more."""
        ways = now.get("security", self.after.get("security")) or OPEN
        for way in was.get("security", self.before.get("security")) or OPEN:
            if ways != OPEN and not any(_suffices(way, other) for other in ways):
                yield f"{self.name} is no longer open to {_way_in_words(way)}."

    def _parameters(self, was: Json, now: Json) -> Iterator[str]:
        old, new = _parameters(self.before, was), _parameters(self.after, now)
        for key, parameter in old.items():
            where = f"{self.name}: {key}"
            if key not in new:
                yield f"{where} is gone."
                continue
            for name in ("style", "explode"):
                if parameter.get(name) != new[key].get(name):
                    yield f"{where}: {name} was {parameter.get(name)} and is {new[key].get(name)}."
            yield from self.asks.broken(_schema(parameter), _schema(new[key]), where)
        for key, parameter in new.items():
            if parameter.get("required") and not old.get(key, {}).get("required"):
                yield f"{self.name}: {key} has to be sent now."

    def _body(self, was: Json, now: Json) -> Iterator[str]:
        old = followed(self.before, was.get("requestBody", {}))
        new = followed(self.after, now.get("requestBody", {}))
        if new.get("required") and not old.get("required"):
            yield f"{self.name}: a body has to be sent now."
        yield from self._contents(old, new, f"{self.name}: body", self.asks)

    def _responses(self, was: Json, now: Json) -> Iterator[str]:
        old, new = was.get("responses", {}), now.get("responses", {})
        for status, response in old.items():
            if status in new:
                pair = followed(self.before, response), followed(self.after, new[status])
                yield from self._contents(*pair, f"{self.name}: answer {status}", self.answers)
                yield from self._headers(*pair, f"{self.name}: answer {status}")
            else:
                yield f"{self.name} no longer answers {status}."
        for status in new:
            if status not in old and not status.startswith(("4", "5")):
                yield f"{self.name} may answer {status} now."

    def _contents(self, was: Json, now: Json, where: str, promise: Promise) -> Iterator[str]:
        old, new = was.get("content", {}), now.get("content", {})
        for media_type, content in old.items():
            if media_type in new:
                yield from promise.broken(_schema(content), _schema(new[media_type]), where)
            else:
                yield f"{where} is no longer {media_type}."
        if not promise.sent and not old and new:
            yield f"{where} has a body now."

    def _headers(self, was: Json, now: Json, where: str) -> Iterator[str]:
        new = now.get("headers", {})
        for name, header in was.get("headers", {}).items():
            if name not in new:
                yield f"{where}: header {name} is gone."
                continue
            old_one, new_one = followed(self.before, header), followed(self.after, new[name])
            if old_one.get("required") and not new_one.get("required"):
                yield f"{where}: header {name} may be missing now."
            yield from self.answers.broken(
                _schema(old_one), _schema(new_one), f"{where}: header {name}"
            )


def _schema(holder: Json) -> Any:
    return holder.get("schema", {})


def _parameters(document: Document, operation: Json) -> dict[str, Json]:
    """By place and name, so that a query's `id` is not the path's. Headers have no upper case."""
    found = {}
    for each in operation.get("parameters", ()):
        parameter = followed(document, each)
        place, name = parameter["in"], parameter["name"]
        found[f"{place} parameter {name.lower() if place == 'header' else name}"] = parameter
    return found


def _suffices(way: Json, other: Json) -> bool:
    """Whether who came in by `way` comes in by `other` too. Being open to whoever brings nothing is no
    answer for who brings a token: it is looked at all the same, and refused without the scope."""
    if not other:
        return not way
    return all(name in way and set(scopes) <= set(way[name]) for name, scopes in other.items())


def _way_in_words(way: Json) -> str:
    named = [f"{name} ({', '.join(scopes)})" if scopes else name for name, scopes in way.items()]
    return " with ".join(named) or "everybody"


def _names_broken(before: Document, after: Document) -> Iterator[str]:
    """Generated clients have a class for each named schema."""
    new = after.get("components", {}).get("schemas", {})
    for name in before.get("components", {}).get("schemas", {}):
        if name not in new:
            yield f"The schema {name} is gone, or has another name."


def _sign_in_broken(before: Document, after: Document) -> Iterator[str]:
    """All that is said of a way to sign in still holds: addresses, names of headers, scopes."""
    new = dict(_sign_in_facts(after.get("components", {}).get("securitySchemes", {})))
    for fact, value in _sign_in_facts(before.get("components", {}).get("securitySchemes", {})):
        if fact not in new:
            yield f"Signing in: {fact} is gone."
        elif new[fact] != value:
            yield f"Signing in: {fact} was {value} and is {new[fact]}."


def _sign_in_facts(part: Json, where: str = "") -> Iterator[tuple[str, str]]:
    for name, value in part.items():
        if name == "scopes":
            yield from ((f"{where}{scope}", "a scope") for scope in value)
        elif isinstance(value, dict):
            yield from _sign_in_facts(value, f"{where}{name}, ")
        elif name not in WORDS:
            yield f"{where}{name}", str(value)
