"""What became of an uploaded file, in the words and figures of the upload page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog_pages.admin import facts
from catalog_pages.models import DigitalAsset

# Of a file that came whole, in one request, and of one that comes in pieces.
NOT_STORED = _("The shop's storage did not take this file. Nothing was kept; try again in a while.")
AWAY = _("The shop's storage does not answer. What has arrived is kept; try again in a while.")


@dataclass(frozen=True)
class Outcome:
    """What became of one uploaded file: `asset`, or in `sentence` why there is none."""

    file_name: str
    sentence: str
    asset: DigitalAsset | None = None
    is_new: bool = False

    def as_json(self) -> dict[str, Any]:
        """What the upload page's script shows in the file's row."""
        return {
            "file_name": self.file_name,
            "state": self.state,
            "sentence": self.sentence,
            "id": str(self.asset.pk) if self.asset else None,
            "title": self.title,
            "facts": self.figures,
            "url": self.url,
        }

    @property
    def state(self) -> str:
        if self.asset is None:
            return "refused"
        return "stored" if self.is_new else "duplicate"

    @property
    def title(self) -> str:
        return facts.title_text(self.asset) if self.asset else self.file_name

    @property
    def figures(self) -> list[str]:
        if self.asset is None:
            return []
        return [
            self.asset.format_name,
            facts.duration_text(self.asset),
            facts.size_text(self.asset),
        ]

    @property
    def url(self) -> str:
        return reverse("digital_assets:inspect", args=[self.asset.pk]) if self.asset else ""
