"""What buyers agree to before their files are delivered, by version: EU directive 2011/83, article 16 (m)."""

from __future__ import annotations

# An order names the version that its buyer saw: texts are added here, never changed or removed.
CONSENT_TEXTS = {
    "2026-11": (
        "Deliver now. I know that I lose my right to withdraw once my download is available."
    ),
}
CONSENT_VERSION = "2026-11"
