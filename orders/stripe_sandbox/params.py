"""The kinds of parameter that Stripe has, each with its own refusals.

An endpoint is described by a `Hash` of these, so that one description reads a request, refuses
what Stripe refuses, and can be compared with the parameters that the library declares.
Every `read` returns the typed value or raises ApiError naming the parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from orders.stripe_sandbox.common import Json
from orders.stripe_sandbox.errors import ApiError, missing_param, unknown_param

_INTEGER = re.compile(r"-?\d{1,18}", flags=re.ASCII)
_INDEX = re.compile(r"\d{1,9}", flags=re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


class Param(Protocol):
    def read(self, value: Any, param: str) -> Any: ...


@dataclass(frozen=True)
class Text:
    """Text that is not empty: Stripe takes an empty value as an attempt to unset."""

    max_length: int = 5000

    def read(self, value: Any, param: str) -> str:
        if not isinstance(value, str):
            raise ApiError(f"Invalid string: {value}", param=param)
        if value == "":
            raise ApiError(
                f"You passed an empty string for '{param}'. We assume empty values are an attempt"
                f" to unset a parameter; however '{param}' cannot be unset. You should remove"
                f" '{param}' from your request or supply a non-empty value.",
                param=param,
                code="parameter_invalid_empty",
            )
        if len(value) > self.max_length:
            raise ApiError(
                f"Invalid string: {value[:20]}...; must be at most {self.max_length} characters",
                param=param,
                code="parameter_invalid_string_length",
            )
        return value


@dataclass(frozen=True)
class Whole:
    """A whole number; never a float, so money stays exact."""

    minimum: int | None = None
    maximum: int | None = None

    def read(self, value: Any, param: str) -> int:
        if not isinstance(value, str) or not _INTEGER.fullmatch(value):
            raise ApiError(
                f"Invalid integer: {value}", param=param, code="parameter_invalid_integer"
            )
        number = int(value)
        if self.minimum is not None and number < self.minimum:
            raise self._out_of_range(f"greater than or equal to {self.minimum}", param)
        if self.maximum is not None and number > self.maximum:
            raise self._out_of_range(f"less than or equal to {self.maximum}", param)
        return number

    def _out_of_range(self, rule: str, param: str) -> ApiError:
        message = f"This value must be {rule}."
        return ApiError(message, param=param, code="parameter_invalid_integer")


@dataclass(frozen=True)
class Flag:
    def read(self, value: Any, param: str) -> bool:
        if value not in ("true", "false"):
            raise ApiError(f"Invalid boolean: {value}", param=param)
        return bool(value == "true")


@dataclass(frozen=True)
class Choice:
    values: tuple[str, ...]

    def read(self, value: Any, param: str) -> str:
        if value not in self.values:
            allowed = " or ".join([", ".join(self.values[:-1]), self.values[-1]]).removeprefix(
                " or "
            )
            raise ApiError(f"Invalid {param}: must be one of {allowed}", param=param)
        return str(value)


@dataclass(frozen=True)
class WebAddress:
    def read(self, value: Any, param: str) -> str:
        text = Text().read(value, param)
        try:
            parts = urlsplit(text)
        except ValueError:  # brackets around something that is no IPv6 address
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.netloc or " " in text:
            raise ApiError("Not a valid URL", param=param, code="url_invalid")
        return text


@dataclass(frozen=True)
class Email:
    def read(self, value: Any, param: str) -> str:
        text = Text(max_length=512).read(value, param)
        if not _EMAIL.fullmatch(text):
            raise ApiError(f"Invalid email address: {text}", param=param, code="email_invalid")
        return text


@dataclass(frozen=True)
class Metadata:
    """At most 50 keys of 40 characters with values of 500; an empty value is no value.

    Source: https://docs.stripe.com/api/metadata
    """

    def read(self, value: Any, param: str) -> dict[str, str]:
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise ApiError("Invalid hash", param=param)
        if len(value) > 50:
            raise ApiError("Metadata can have at most 50 keys.", param=param)
        return {key: self._value(key, text, param) for key, text in value.items() if text != ""}

    def _value(self, key: str, text: Any, param: str) -> str:
        name = f"{param}[{key}]"
        if len(key) > 40:
            raise ApiError("Metadata keys must be at most 40 characters.", param=name)
        if not isinstance(text, str):
            raise ApiError("Metadata values must be strings.", param=name)
        if len(text) > 500:
            raise ApiError(
                f"Metadata values can have up to 500 characters, but you passed in a value that is"
                f" {len(text)} characters.",
                param=name,
            )
        return text


@dataclass(frozen=True)
class Listing:
    item: Param
    maximum: int = 100

    def read(self, value: Any, param: str) -> list[Any]:
        if not isinstance(value, dict) or not all(map(_INDEX.fullmatch, value)):
            raise ApiError("Invalid array", param=param)
        if len(value) > self.maximum:
            message = f"Array {param} exceeded maximum {self.maximum} allowed elements."
            raise ApiError(message, param=param)
        ordered = sorted(value.items(), key=lambda pair: int(pair[0]))
        return [self.item.read(item, f"{param}[{index}]") for index, item in ordered]


@dataclass(frozen=True)
class Hash:
    fields: Mapping[str, Param]
    required: tuple[str, ...] = field(default=())

    def read(self, value: Any, param: str = "") -> Json:
        if not isinstance(value, dict):
            raise ApiError("Invalid object", param=param)
        for name in value:
            if name not in self.fields:
                raise unknown_param(self._path(param, name))
        for name in self.required:
            if name not in value:
                raise missing_param(self._path(param, name))
        return {
            name: self.fields[name].read(given, self._path(param, name))
            for name, given in value.items()
        }

    @staticmethod
    def _path(param: str, name: str) -> str:
        return f"{param}[{name}]" if param else name


@dataclass(frozen=True)
class TimeRange:
    """`created=123`, or `created[gte]=123` and its like: returns the bounds by name."""

    def read(self, value: Any, param: str) -> dict[str, int]:
        if isinstance(value, str):
            return {"exact": Whole().read(value, param)}
        bounds = {name: Whole() for name in ("gt", "gte", "lt", "lte")}
        return Hash(bounds).read(value, param)
