"""What the API's documentation says of the whole, for people who have nothing else to read.

Plain text without a model or a setting: the settings read it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

VERSION = "1.0.0"
DESCRIPTION = (Path(__file__).parent / "words.md").read_text(encoding="utf-8")
# The documentation's chapters, in the order in which an app comes to need them.
TAGS = [
    {"name": "catalogue", "description": "The shop, and what is for sale; open to everybody."},
    {"name": "cart", "description": "What somebody is about to buy, and what it costs now."},
    {
        "name": "checkout",
        "description": "The cart becomes an order, and gets an address to pay at.",
    },
    {"name": "orders", "description": "What was agreed, what became of it, and its receipt."},
    {"name": "purchases", "description": "Files: which there are, how to get them, and why not."},
    {"name": "gifts", "description": "A code that somebody was given becomes files."},
    {
        "name": "account",
        "description": "Who is signed in, all that is stored of them, and its end.",
    },
    {"name": "webhooks", "description": "Your program is told about sales as they happen."},
]


def say_version(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular, which adds “(v1)” to the version: no number any more."""
    result["info"]["version"] = VERSION
    return result
