"""Stored answers hold secrets: order tokens, signed links, the keys of webhooks. So they are encrypted.

Each under a key of its own, derived from SECRET_KEY, the caller and the caller's key (HKDF, RFC 5869): a
copy of the database opens none, with SECRET_KEY neither, and no row's answer fits another row.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from store_api.idempotency.errors import AnswerLost

PURPOSE = b"store_api.idempotency"
REPLAYED = "Idempotent-Replayed"


@dataclass(frozen=True)
class Answer:
    """What a view answered: its own headers, as cookies and those of middlewares are each request's own."""

    status: int
    headers: dict[str, str]
    content_type: str | None
    body: str  # JSON; empty for none

    @classmethod
    def of(cls, response: Response) -> Self:
        """Before it is rendered. Raises TypeError or ValueError for what JSON cannot say."""
        headers = {
            name: value for name, value in response.headers.items() if name != "Content-Type"
        }
        body = JSONRenderer().render(response.data).decode()
        return cls(response.status_code, headers, response.content_type, body)

    def again(self) -> Response:
        data: Any = json.loads(self.body) if self.body else None
        headers = self.headers | {REPLAYED: "true"}
        return Response(data, self.status, headers=headers, content_type=self.content_type)

    def sealed(self, seal: bytes) -> bytes:
        return _cipher(seal).encrypt(json.dumps(asdict(self)).encode())

    @classmethod
    def unsealed(cls, stored: bytes | memoryview, seal: bytes) -> Self:
        """Raises AnswerLost when SECRET_KEY was changed and the old one forgotten."""
        try:
            return cls(**json.loads(_cipher(seal).decrypt(bytes(stored))))
        except InvalidToken as error:
            raise AnswerLost from error


def _cipher(seal: bytes) -> MultiFernet:
    """Writes under SECRET_KEY, and reads under its fallbacks too, as sessions and links do."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(secret, seal)) for secret in secrets])


def _derived(secret: str | bytes, seal: bytes) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=seal, info=PURPOSE).derive(
        force_bytes(secret)
    )
    return base64.urlsafe_b64encode(derived)
