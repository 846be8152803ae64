"""What happens inside such a shop: `python -m tests.data.shop WHAT`, answered as one line of JSON."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.data.shop_settings")
django.setup()

from django.core.files.base import ContentFile  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from catalog_pages.models import Excerpt, ProductPage  # noqa: E402
from downloads.models import UserAsset  # noqa: E402
from orders.models import Order  # noqa: E402
from site_config.accounts.models import User  # noqa: E402
from site_config.moving.rows import digest_of, tables  # noqa: E402
from tests.data.every_model import fill, without_rows  # noqa: E402
from tests.factories import buy, make_asset, make_product, make_user  # noqa: E402

BUYERS = "@buyers.example"


def _somebody() -> User:
    return make_user(f"{uuid.uuid4().hex}{BUYERS}")


def make() -> dict[str, Any]:
    """A shop with what people bought, and a row in every other table."""
    user = _somebody()
    for number in range(3):
        asset = make_asset(f"record {number} ".encode() * 20_000)
        cut = Excerpt(asset=asset, start_ms=0, length_ms=30_000, duration_ms=30_000)
        content = f"excerpt {number} ".encode() * 500
        cut.size_bytes, cut.sha256 = len(content), hashlib.sha256(content).hexdigest()
        cut.file.save("excerpt.mp3", ContentFile(content), save=False)
        cut.save()
        buy(Client(), user, make_product(f"Record {number}", assets=[asset]))
    failed = fill()
    return {"failed": failed, "empty": without_rows()}


def write() -> dict[str, Any]:
    """Sell until a file named in WRITE_UNTIL is there."""
    until, sold = Path(os.environ["WRITE_UNTIL"]), []
    while not until.exists():
        asset = make_asset(os.urandom(20_000))
        sold.append(buy(Client(), _somebody(), make_product(assets=[asset])).number)
        Path(f"{until}.begun").touch()
    return {"sold": sold}


def facts() -> dict[str, Any]:
    """Every table's rows and digest; every paid order; every grant with what its download gives."""
    return {
        "tables": {
            model._meta.db_table: [(one := digest_of(model, "default")).rows, f"{one.total:x}"]
            for model in tables()
        },
        "paid": sorted(Order.objects.filter(status="paid").values_list("number", flat=True)),
        "grants": {
            str(grant.pk): [grant.asset.sha256, _fetched(grant)]
            for grant in UserAsset.objects.filter(user__email__endswith=BUYERS)
        },
    }


def live() -> dict[str, Any]:
    """A page, a search, a purchase and its download."""
    client = Client()
    listed = client.get("/catalog/")
    found = client.get("/catalog/", {"q": "Record"})
    bought = make_product("Bought after the move", assets=[make_asset(os.urandom(20_000))])
    order = buy(client, _somebody(), bought)
    grant = UserAsset.objects.get(order_item__order=order)
    return {
        "page": listed.status_code,
        "found": b"Record 1" in found.content,
        "paid": order.is_paid,
        "download": _fetched(grant) == grant.asset.sha256,
        "products": ProductPage.objects.count(),
    }


def _fetched(grant: UserAsset) -> str:
    client = Client()
    client.force_login(grant.user)
    answer = client.get(reverse("downloads:file", args=[grant.pk]))
    if answer.status_code != 200:
        return str(answer.status_code)
    return hashlib.sha256(b"".join(answer.streaming_content)).hexdigest()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(globals()[sys.argv[1]]()) + "\n")
