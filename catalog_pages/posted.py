"""What a form must not take from a request: nonsense, and what would undo somebody else's work unseen.

Wagtail's forms read ids of rows, choosers and rich text before they validate anything, so that nonsense
there is an error of the server's and no error of a field. Whoever sends it has written it by hand; such a
request is answered with 400.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest, ValidationError
from django.db import transaction
from django.db.models import Model
from django.forms import CharField, HiddenInput, ModelChoiceField, ModelMultipleChoiceField
from django.utils.translation import gettext as _
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


class OpenedForm(CarefulForm):
    """A form of one row that tells when the row was saved by somebody else after it was opened.

    It sends along which row it was opened with, as far as its own fields go: whoever may not see a field
    is not held up by a change of it. Such a form is invalid once, with a sentence, and keeps what was
    typed; saved again it replaces what the other saved. A preview is no saving, and is not held up. A
    request that does not say what it was opened with is taken as it comes.

    Saving raises BadRequest when the other was faster by so little that the form was valid already.
    """

    data: Any
    opened_as = CharField(required=False, max_length=64, widget=HiddenInput)

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(data, *args, **kwargs)
        self._stored = self._digest(self.instance)
        self.initial["opened_as"] = self._stored

    def _post_clean(self) -> None:
        super()._post_clean()
        opened_as = self.cleaned_data.get("opened_as")
        if not opened_as or self.is_deferred_validation:
            return
        # The same button pressed twice sends twice what is stored by then: nothing of anybody's is lost.
        if opened_as != self._stored and self._digest(self.instance) != self._stored:
            self.add_error(
                None,
                _(
                    "Somebody else saved this after you opened it. What you typed is still here, but it is "
                    "not saved. Look at theirs in a new tab; save again to put yours in its place."
                ),
            )
            self.data = self.data.copy()
            self.data[self.add_prefix("opened_as")] = self._stored

    def save(self, commit: bool = True) -> Any:
        if not commit or self.instance.pk is None:
            return super().save(commit=commit)
        with transaction.atomic():
            rows = type(self.instance)._base_manager.select_for_update()
            stored = rows.filter(pk=self.instance.pk).first()
            if stored is None or self._digest(stored) != self._stored:
                raise BadRequest("The row was changed while it was being saved.")
            return super().save()

    def _digest(self, row: Model) -> str:
        """The same for two rows exactly if this form shows the same of both."""
        fields = row._meta.concrete_fields
        shown = [[f.name, str(f.value_from_object(row))] for f in fields if f.name in self.fields]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


def _has_rows(data: Mapping[str, Any], key: str, count: int) -> bool:
    """Rows that the form was opened with have ids; new ones need none."""
    rows, _, kind = key.rpartition("-")
    return kind != "INITIAL_FORMS" or all(f"{rows}-{row}-id" in data for row in range(count))
