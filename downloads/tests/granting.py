"""Rights for tests: bought by the road that buyers take, and what comes back for them."""

from __future__ import annotations

import uuid
from typing import Any

from django.test import Client

from downloads.models import UserAsset
from tests.factories import buy, make_asset, make_product, make_user

CONTENT = bytes(range(256)) * 1000


def bought(client: Client, *contents: bytes, **fields: Any) -> list[UserAsset]:
    """The grants of a signed-in buyer for a product with one track per content."""
    user = make_user()
    assets = [make_asset(content + uuid.uuid4().bytes) for content in contents or (CONTENT,)]
    buy(client, user, make_product(assets=assets, **fields))
    client.force_login(user)
    return list(UserAsset.objects.filter(user=user).order_by("position"))


def body_of(response: Any) -> bytes:
    """The whole body. The test client closes a response that is read to its end, as servers do."""
    return b"".join(response.streaming_content)


def held_by_address(grant: UserAsset, email: str = "anna@example.com") -> UserAsset:
    """The same right as a guest holds it."""
    UserAsset.objects.filter(pk=grant.pk).update(user=None, email=email)
    grant.refresh_from_db()
    return grant


def bought_as_guest(client: Client, *contents: bytes, **fields: Any) -> list[UserAsset]:
    """The same, held by an address: whoever has a link needs no session."""
    return [held_by_address(grant) for grant in bought(client, *contents, **fields)]


def guests_grants(user: Any) -> list[UserAsset]:
    """What the user bought, as if it had been with an address alone; lines and files in their order."""
    grants = UserAsset.objects.filter(user=user).order_by("order_item__position", "position")
    return [held_by_address(grant) for grant in list(grants)]
