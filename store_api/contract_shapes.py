"""Whether one JSON Schema allows no more than another: what a promise about data comes down to.

Whoever sends data is safe while all that they were allowed to send still is; whoever receives some, while
nothing reaches them that they were not told of. It is one question with its two sides changed over, so
there is one set of rules: what may come (`narrow`) has to fit what is expected (`wide`).

Decided, where strict logic would forbid what programs live with: answers may get new fields, and texts,
lists and numbers in them may get larger. A new value of a choice is none of these: it stops a program that
decides by it, and a typed client that reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Number
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]
Json: TypeAlias = dict[str, Any]

NULL = "null"
WORDS = ("description", "summary", "title", "example", "examples", "externalDocs")
KINDS = {
    type(None): NULL,
    str: "string",
    bool: "boolean",
    int: "integer",
    list: "array",
}
LOWEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
HIGHEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
EXACT = ("format", "pattern", "multipleOf", "uniqueItems")
MERGED = ("allOf", "oneOf", "anyOf")
# What `Promise` knows how to compare; of anything else every change is taken for a breaking one.
UNDERSTOOD = frozenset(
    (*WORDS, *LOWEST, *HIGHEST, *EXACT, *MERGED, "$ref", "type", "types", "enum", "const", "default",
     "properties", "required", "additionalProperties", "items", "options", "readOnly", "writeOnly",
     "deprecated", "contentMediaType", "contentEncoding")
)  # fmt: skip


def followed(document: Document, part: Any) -> Any:
    """What a `$ref` leads to in this document; anything else as it is."""
    while isinstance(part, Mapping) and "$ref" in part:
        target: Any = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            target = target[name.replace("~1", "/").replace("~0", "~")]
        part = target
    return part


def expanded(document: Document, part: Any, within: tuple[str, ...] = ()) -> Any:
    """With every reference followed and without words, so that two can be compared."""
    if isinstance(part, list):
        return [expanded(document, each, within) for each in part]
    if not isinstance(part, dict):
        return part
    reference = part.get("$ref")
    if reference in within:
        return reference
    if reference is not None:
        return expanded(document, followed(document, part), (*within, reference))
    found = {
        name: expanded(document, value, within) for name, value in part.items() if name not in WORDS
    }
    if "properties" in part:  # where `title` is a field and no word about one
        fields = part["properties"].items()
        found["properties"] = {name: expanded(document, field, within) for name, field in fields}
    return found


def shape(document: Document, schema: Any) -> Json:
    """A schema, its own level only: references followed, `allOf` merged, null among the `types`.

    `types` is empty where anything goes. What cannot be merged of `oneOf` and `anyOf` is `options`.
    """
    if isinstance(schema, bool):
        schema = {} if schema else {"enum": []}
    parts = [shape(document, part) for part in schema.get("allOf", ())]
    if "$ref" in schema:
        parts.append(shape(document, followed(document, {"$ref": schema["$ref"]})))
    if options := schema.get("oneOf", schema.get("anyOf")):
        parts.append(_one_of(document, options))
    found = _own(schema)
    for part in parts:
        found = _both(part, found)
    return found


def _own(schema: Json) -> Json:
    kinds = schema.get("type", ())
    own = {name: value for name, value in schema.items() if name not in MERGED}
    if "const" in own:
        own["enum"] = [own.pop("const")]
    types = frozenset([kinds] if isinstance(kinds, str) else kinds)
    types = types or frozenset(_kind(value) for value in own.get("enum", ()))
    return {"properties": {}, "required": [], **own, "types": types}


def _kind(value: Any) -> str:
    """JSON's name for the type of a value."""
    found = KINDS.get(type(value))
    return found or ("number" if isinstance(value, Number) else "object")


def _both(first: Json, second: Json) -> Json:
    """What holds where both do; of two claims about one thing the second."""
    return {
        **first,
        **second,
        "types": second["types"] or first["types"],
        "properties": {**first["properties"], **second["properties"]},
        "required": [*first["required"], *second["required"]],
    }


def _one_of(document: Document, options: list[Json]) -> Json:
    """Something or null is that, with null as one more type; choice or choice is one choice."""
    shapes = [shape(document, option) for option in options]
    real = [each for each in shapes if each["types"] != {NULL} and each.get("enum") != [None]]
    null = frozenset({NULL}) if len(real) < len(shapes) else frozenset[str]()
    if len(real) == 1:
        return {**real[0], "types": real[0]["types"] | null}
    found = _own({})
    if real and all("enum" in each for each in real):
        values = [value for each in real for value in each["enum"]] + [None] * len(null)
        return {**found, "types": null.union(*(each["types"] for each in real)), "enum": values}
    return {**found, "options": options}


@dataclass(frozen=True)
class Promise:
    """Two documents and one direction: what clients `sent`, or else what they receive."""

    before: Document
    after: Document
    sent: bool

    def broken(
        self, old: Any, new: Any, where: str, within: frozenset[tuple[str, str]] = frozenset()
    ) -> Iterator[str]:
        """A sentence for each way in which the new schema does not keep what the old one promised."""
        pair = (_reference(old), _reference(new))
        if all(pair) and pair in within:
            return  # a schema that holds itself
        within |= {pair}
        was, now = shape(self.before, old), shape(self.after, new)
        if "options" in was or "options" in now:
            yield from self._options(was.get("options", [old]), now.get("options", [new]), where)
            return
        for rule in (
            self._types,
            self._choices,
            self._claims,
            self._limits,
            self._fields,
            self._rest,
        ):
            yield from rule(was, now, where)
        for part, one, other in self._parts(was, now):
            yield from self.broken(one, other, f"{where}{part}", within)

    def _ordered(self, was: Any, now: Any) -> tuple[Any, Any]:
        """(narrow, wide): what may come, and what is expected."""
        return (was, now) if self.sent else (now, was)

    def _options(self, was: list[Any], now: list[Any], where: str) -> Iterator[str]:
        narrow, wide = self._ordered(was, now)
        for option in narrow:
            pairs = [self._ordered(option, other) for other in wide]
            if all(any(self.broken(old, new, where)) for old, new in pairs):
                said = (
                    "no longer takes one of its kinds"
                    if self.sent
                    else "may be of another kind now"
                )
                yield f"{where} {said}."

    def _types(self, was: Json, now: Json, where: str) -> Iterator[str]:
        narrow, wide = self._ordered(was["types"], now["types"])
        allowed = wide | {"integer"} if "number" in wide else wide
        if allowed and not (narrow and narrow <= allowed):
            yield f"{where} was {_words(was['types'])} and is {_words(now['types'])}."

    def _choices(self, was: Json, now: Json, where: str) -> Iterator[str]:
        narrow, wide = self._ordered(was, now)
        if "enum" in wide and "enum" not in narrow:
            yield f"{where} {'takes only some values now' if self.sent else 'may be any value now'}."
        elif "enum" in wide:
            for value in narrow["enum"]:
                if value not in wide["enum"]:
                    said = f"no longer takes {value!r}" if self.sent else f"may be {value!r} now"
                    yield f"{where} {said}."

    def _claims(self, was: Json, now: Json, where: str) -> Iterator[str]:
        narrow, wide = self._ordered(was, now)
        for name in EXACT:
            if wide.get(name) and narrow.get(name) != wide[name]:
                yield f"{where}: {name} was {was.get(name)} and is {now.get(name)}."

    def _limits(self, was: Json, now: Json, where: str) -> Iterator[str]:
        if not self.sent:
            return
        for name in (*LOWEST, *HIGHEST):
            if name in now and not _is_as_loose(name, was.get(name), now[name]):
                yield f"{where}: {name} was {was.get(name)} and is {now[name]}."
        if "default" in was and was["default"] != now.get("default"):
            yield f"{where}: default was {was['default']} and is {now.get('default')}."
        if now.get("additionalProperties") is False and was.get("additionalProperties", True):
            yield f"{where} takes no unknown fields now."

    def _fields(self, was: Json, now: Json, where: str) -> Iterator[str]:
        old, new = self._visible(was), self._visible(now)
        yield from (f"{where}.{name} is gone." for name in old if name not in new)
        narrow, wide = self._ordered(was["required"], now["required"])
        said = "has to be sent now" if self.sent else "may be missing now"
        yield from (
            f"{where}.{name} {said}."
            for name in dict.fromkeys(wide)
            if name in new and name not in narrow
        )

    def _rest(self, was: Json, now: Json, where: str) -> Iterator[str]:
        for name in sorted((was.keys() | now.keys()) - UNDERSTOOD):
            if was.get(name) != now.get(name):
                yield f"{where}: {name} has changed, and what that breaks nobody has written down."

    def _visible(self, found: Json) -> Json:
        """The fields that travel in this direction."""
        hidden = "readOnly" if self.sent else "writeOnly"
        return {name: field for name, field in found["properties"].items() if not field.get(hidden)}

    def _parts(self, was: Json, now: Json) -> Iterator[tuple[str, Any, Any]]:
        old, new = self._visible(was), self._visible(now)
        yield from ((f".{name}", old[name], new[name]) for name in old if name in new)
        for name, part in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(was.get(name), dict):
                yield part, was[name], now.get(name, {})


def _is_as_loose(name: str, was: Any, now: Any) -> bool:
    return was is not None and (now <= was if name in LOWEST else now >= was)


def _words(types: frozenset[str]) -> str:
    return " or ".join(sorted(types)) or "anything"


def _reference(schema: Any) -> str:
    return str(schema.get("$ref", "")) if isinstance(schema, Mapping) else ""
