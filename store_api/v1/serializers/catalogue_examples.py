"""What the catalogue's answers look like, and how a client saves itself most of them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from store_api.conditional import PreconditionFailed
from store_api.problems import problem
from store_api.schema import ProblemSerializer

SHOP = "https://shop.example"
ETAG = '"6d2f4a1c0be54f7e9f2c7f0e3a8b9d15"'
CONDITIONAL = [
    OpenApiParameter(
        "If-None-Match",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description="The `ETag` of the answer that you have; several with commas between them. If it still "
        "holds, you get 304 without a body.",
    ),
    OpenApiParameter(
        "If-Match",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description="The `ETag` that you want and no other: anything else is 412.",
    ),
    OpenApiParameter(
        "ETag",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        response=[200, 304],
        description="Names this very answer. It changes with anything in the catalogue.",
    ),
    OpenApiParameter(
        "Cache-Control",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        response=[200, 304],
        description="`public, no-cache`: anybody may keep it, and asks us before using it again.",
    ),
    OpenApiParameter("Vary", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[200, 304]),
]
NOTHING_NEW = OpenApiResponse(description="What you have still holds.")
NOT_THIS_VERSION = OpenApiResponse(
    ProblemSerializer,
    description="`precondition_failed`: what is here now is not what `If-Match` names.",
    examples=[
        OpenApiExample(
            "precondition_failed",
            value=problem(
                PreconditionFailed.status_code,
                PreconditionFailed.default_code,
                str(PreconditionFailed.default_detail),
            ),
        )
    ],
)
# What every read of the catalogue answers beside what it is asked for.
OTHER_ANSWERS: dict[int, OpenApiResponse] = {304: NOTHING_NEW, 412: NOT_THIS_VERSION}

_TRACK: dict[str, Any] = {
    "title": "Slack Water",
    "disc": 1,
    "number": 1,
    "duration_ms": 254_310,
    "excerpt": {
        "url": f"{SHOP}/media/excerpts/0b6f1d0e-3c52-4a0e-9a53-6f4f5f2d7a11.mp3",
        "start_ms": 61_000,
        "duration_ms": 30_000,
        "size_bytes": 481_324,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "waveform": [0, 12, 38, 64, 71, 100, 83, 40],
    },
    "files": [
        {
            "file_name": "low-sun-tidewater-01-slack-water.flac",
            "format": "FLAC",
            "content_type": "audio/flac",
            "size_bytes": 26_114_208,
            "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
            "duration_ms": 254_310,
            "bitrate_bps": 821_500,
        }
    ],
}
_PRODUCT: dict[str, Any] = {
    "id": 31,
    "slug": "tidewater",
    "title": "Tidewater",
    "artist": {"name": "Low Sun", "slug": "low-sun"},
    "genre": {"name": "Ambient", "slug": "ambient"},
    "price_pennies": 799,
    "currency": "GBP",
    "price": "£7.99",
    "pay_what_you_want": False,
    "suggested_price_pennies": None,
    "on_sale": True,
    "release_date": "2026-03-06",
    "published_at": "2026-03-06T08:00:00.412093Z",
    "description": "Recorded in a boathouse over one winter.\nPlay it late.",
    "credits": "Ines Hale: everything\nTom Brook: cover",
    "download_limit": 20,
    "url": f"{SHOP}/catalog/tidewater/",
    "covers": [
        {"width": 96, "url": f"{SHOP}/media/images/tidewater.96x96.webp"},
        {"width": 640, "url": f"{SHOP}/media/images/tidewater.640x640.webp"},
    ],
    "formats": [{"name": "FLAC", "files_count": 1, "size_bytes": 26_114_208}],
    "tracks_count": 1,
    "duration_ms": 254_310,
    "tracks": [_TRACK],
    "contains": [],
    "in_bundles": [
        {
            "id": 44,
            "slug": "two-winters",
            "title": "Two Winters",
            "artist": {"name": "Low Sun", "slug": "low-sun"},
            "price_pennies": 1299,
            "covers": [{"width": 96, "url": f"{SHOP}/media/images/two-winters.96x96.webp"}],
        }
    ],
}
PRODUCT_EXAMPLE = OpenApiExample(
    "An album", value=_PRODUCT, response_only=True, status_codes=["200"]
)
ARTIST_EXAMPLE = OpenApiExample(
    "An artist",
    value={
        "name": "Low Sun",
        "slug": "low-sun",
        "biography": "Ines Hale, a harmonium and the North Sea.",
        "url": f"{SHOP}/catalog/artists/low-sun/",
    },
    response_only=True,
    status_codes=["200"],
)
GENRE_EXAMPLE = OpenApiExample(
    "A genre",
    value={"name": "Ambient", "slug": "ambient", "url": f"{SHOP}/catalog/genres/ambient/"},
    response_only=True,
    status_codes=["200"],
)
