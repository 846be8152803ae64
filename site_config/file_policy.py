"""What the parts that know no Django say as well: the web server's own refusals. Text alone."""

from __future__ import annotations

from typing import Any

# Opened by itself, a file shows itself: a picture, a player. It runs nothing, asks nobody and is in no frame.
# It keeps its origin, which a script would need and a player does: of no origin it may not read its own file.
FILE_POLICY: dict[str, Any] = {
    "default-src": ["'none'"],
    "img-src": ["'self'"],
    "media-src": ["'self'"],
    "style-src": ["'unsafe-inline'"],  # an SVG's own, and what browsers put around a picture
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
    "sandbox": ["allow-same-origin", "allow-downloads"],
}
# The player plays on by itself, and a gift's link is copied by a button; nothing else is asked of a browser.
# Only names that browsers know: of others they complain in their consoles.
PERMISSIONS_POLICY = ", ".join(
    [
        "autoplay=(self)",
        "clipboard-write=(self)",
        *(
            f"{feature}=()"
            for feature in (
                "accelerometer", "camera", "clipboard-read", "display-capture",
                "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid",
                "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment",
                "picture-in-picture", "publickey-credentials-create", "publickey-credentials-get",
                "screen-wake-lock", "serial", "storage-access", "usb", "window-management",
                "xr-spatial-tracking",
            )
        ),
    ]
)  # fmt: skip
