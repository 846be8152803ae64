"""Pictures that editors send, looked at before anything is made of them.

Wagtail asks a file's first bytes what it is, and what then fails to be read is a fault (500). Here it is no
picture, which is said beside the field.
"""

from __future__ import annotations

import warnings
from typing import Any

from django.core.exceptions import ValidationError
from PIL import Image
from wagtail.images.fields import WagtailImageField
from wagtail.images.forms import BaseImageForm

# Damaged pictures fail in as many ways as there are decoders (`ingest/covers.py`).
DAMAGED = (
    OSError, ValueError, SyntaxError, EOFError, RuntimeError, Image.DecompressionBombError,
)  # fmt: skip


class PictureField(WagtailImageField):
    def to_python(self, data: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                return super().to_python(data)
        except DAMAGED as error:
            raise ValidationError(
                self.error_messages["invalid_image"], code="invalid_image"
            ) from error


class PictureForm(BaseImageForm):
    """Wagtail makes the field itself, whatever the form's class says: it is exchanged when a form is made."""

    class Meta(BaseImageForm.Meta):
        pass

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (field := self.fields.get("file")) is not None:
            self.fields["file"] = PictureField(
                label=field.label, required=field.required, widget=field.widget
            )
