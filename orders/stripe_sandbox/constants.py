"""What the sandbox is, in one place: its version, its key and its limits."""

from __future__ import annotations

API_VERSION = "2026-10-28.endive"
"""The only API version answered; a test says that it is the installed library's."""

SECRET_KEY = "sk_test_sandbox"  # noqa: S105  # nosec B105  # opens nothing
"""A well-known name rather than a secret: it opens nothing outside this process."""
API_BASE = "https://api.stripe.invalid"
"""For `base_addresses`: a host that cannot exist, so that a forgotten transport reaches nobody."""

TEST_EMAIL = "buyer@example.com"
TEST_NAME = "Test Buyer"
TEST_COUNTRY = "GB"
"""Where buyers live who do not say so."""
TAX_PERCENT = {"GB": 20, "DE": 19, "JP": 10, "US": 0}
"""The sandbox's Stripe Tax: a pretend rate for each country that a buyer can choose."""

MINUTE = 60
DAY = 24 * 60 * MINUTE
SESSION_MIN_LIFE = 30 * MINUTE
SESSION_MAX_LIFE = DAY
IDEMPOTENCY_LIFE = DAY
EVENT_LIFE = 30 * DAY
LINE_ITEMS_MAX = 100
LINE_ITEMS_INCLUDED = 10
"""How many line items `expand[]=line_items` shows; the rest are on the list's own URL."""
