"""What no browser sends, and would stop a form halfway: such a request is answered with 400.

Wagtail's forms read ids of rows, choosers and rich text before they validate anything, so that nonsense
there is an error of the server's and no error of a field. Whoever sends it has written it by hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest, ValidationError
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from draftjs_exporter.error import ExporterException
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.rich_text import DraftailRichTextArea

ROW_ID = re.compile(r".*-[0-9]+-id")
ROW_COUNT = re.compile(r".*-(?:TOTAL|INITIAL)_FORMS")
AN_ID, A_COUNT = re.compile(r"[0-9]{0,18}", re.ASCII), re.compile(r"[0-9]{1,4}", re.ASCII)


class RichTextArea(DraftailRichTextArea):
    """Wagtail's editor for rich text; what is no document of its own is refused.

    Raises BadRequest.
    """

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        try:
            return super().value_from_datadict(data, files, name)
        except (
            ValueError, TypeError, AttributeError, LookupError, RecursionError, ExporterException,
        ) as error:  # fmt: skip
            raise BadRequest(f"“{name}” is no text of the editor's.") from error


class CarefulForm(WagtailAdminModelForm):
    """A form whose ids, choices and numbers of rows are ones that it may have written itself.

    Raises BadRequest when it is made with others.
    """

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        if data is not None:
            self._refuse_nonsense(data, kwargs.get("prefix"))
        super().__init__(data, *args, **kwargs)

    def _refuse_nonsense(self, data: Mapping[str, Any], prefix: str | None) -> None:
        for key, text in data.items():
            of_row, of_count = ROW_ID.fullmatch(key), ROW_COUNT.fullmatch(key)
            if (of_row and not AN_ID.fullmatch(text)) or (of_count and not A_COUNT.fullmatch(text)):
                raise BadRequest(f"“{key}” is no number of a row.")
            if of_count and not _has_rows(data, key, int(text)):
                raise BadRequest(f"“{key}” counts rows that are not here.")
        for name, field in self.base_fields.items():
            if isinstance(field, ModelChoiceField) and not isinstance(
                field, ModelMultipleChoiceField
            ):
                key = f"{prefix}-{name}" if prefix else name
                self._refuse_choice(field, data.get(key) or None, key)

    def _refuse_choice(self, field: ModelChoiceField, raw: Any, key: str) -> None:
        try:
            field.queryset.model._meta.pk.to_python(raw)  # type: ignore[union-attr]
        except ValidationError as error:
            raise BadRequest(f"“{key}” is no choice.") from error


def _has_rows(data: Mapping[str, Any], key: str, count: int) -> bool:
    """Rows that the form was opened with have ids; new ones need none."""
    rows, _, kind = key.rpartition("-")
    return kind != "INITIAL_FORMS" or all(f"{rows}-{row}-id" in data for row in range(count))
