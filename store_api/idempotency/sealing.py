"""Stored answers hold secrets: order tokens, signed links, the keys of webhooks. So they are encrypted.

Each under a key of its own, derived from SECRET_KEY, the caller and the caller's key (HKDF, RFC 5869): a
copy of the database opens none, with SECRET_KEY neither, and no row's answer fits another row.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from cryptography.fernet import InvalidToken
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from catalog_pages.ciphers import cipher
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
        return cipher(PURPOSE, salt=seal).encrypt(json.dumps(asdict(self)).encode())

    @classmethod
    def unsealed(cls, stored: bytes | memoryview, seal: bytes) -> Self:
        """Raises AnswerLost when SECRET_KEY was changed and the old one forgotten."""
        try:
            return cls(**json.loads(cipher(PURPOSE, salt=seal).decrypt(bytes(stored))))
        except InvalidToken as error:
            raise AnswerLost from error
