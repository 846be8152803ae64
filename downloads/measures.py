"""What is counted of downloads for whoever watches the shop. Rights and limits are `counting`'s.

`by` is who sends the bytes. Of what the shop sends itself the end is known, and every byte that the kernel
took; nginx and a bucket tell nobody, so of theirs is counted what was asked for.
"""

from __future__ import annotations

from prometheus_client import Counter

SHOP, NGINX, BUCKET = "shop", "nginx", "bucket"

_STARTED = Counter(
    "shop_downloads_started", "Answers that send a paid file, by who sends it.", ["by"]
)
_FINISHED = Counter(
    "shop_downloads_finished",
    "Answers that the shop sent itself and that are over: whole, or broken off.",
    ["outcome"],
)
_BYTES = Counter(
    "shop_download_bytes",
    "Bytes of paid files: by shop, those handed to the kernel; by others, those asked for.",
    ["by"],
)


def sending_began() -> None:
    _STARTED.labels(SHOP).inc()


def sending_ended(*, planned_bytes: int, sent_bytes: int) -> None:
    _FINISHED.labels("whole" if sent_bytes >= planned_bytes else "broken").inc()
    _BYTES.labels(SHOP).inc(sent_bytes)


def handed_over(*, by: str, asked_bytes: int) -> None:
    """`by`: NGINX or BUCKET."""
    _STARTED.labels(by).inc()
    _BYTES.labels(by).inc(asked_bytes)
