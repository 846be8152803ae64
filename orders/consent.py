"""What buyers agree to before their files are delivered, by version: EU directive 2011/83, article 16 (m).

A shop that has published a text of its own asks for that; else it is the one that stands here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catalog_pages.models import LegalKind, LegalVersion

# An order names the version that its buyer saw: texts are added here, never changed or removed.
CONSENT_TEXTS = {
    "2026-11": (
        "Deliver now. I know that I lose my right to withdraw once my download is available."
    ),
}
CONSENT_VERSION = "2026-11"


@dataclass(frozen=True)
class Agreement:
    """What an order placed now is under; `terms_version` is "" for a shop without terms."""

    consent_version: str
    consent_text: str
    terms_version: str

    @property
    def as_fingerprint(self) -> list[str]:
        """Part of what makes two checkouts the same agreement."""
        return [self.terms_version] if self.terms_version else []


def agreement_now() -> Agreement:
    """One query."""
    wanted = [LegalKind.CONSENT, LegalKind.TERMS]
    return agreement_of(LegalVersion.objects.in_force().filter(kind__in=wanted))


def agreement_of(texts: Iterable[LegalVersion]) -> Agreement:
    """The same, of the texts in force."""
    by_kind = {text.kind: text for text in texts}
    consent, terms = by_kind.get(LegalKind.CONSENT), by_kind.get(LegalKind.TERMS)
    return Agreement(
        consent_version=str(consent.version) if consent else CONSENT_VERSION,
        consent_text=consent.text if consent else CONSENT_TEXTS[CONSENT_VERSION],
        terms_version=str(terms.version) if terms else "",
    )


def consent_text(version: str) -> str:
    """The words of a version, as they were; "" for none. A published text has a number, ours a month."""
    if version in CONSENT_TEXTS or not version.isdecimal():
        return CONSENT_TEXTS.get(version, "")
    found = LegalVersion.objects.filter(kind=LegalKind.CONSENT, version=int(version)).first()
    return found.text if found else ""
