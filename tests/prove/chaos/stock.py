"""`python -m tests.prove.chaos.stock COUNT`: puts products on sale; prints, as JSON, each one's files.

{"product id": ["sha256 of a file", …], …}
"""

from __future__ import annotations

import json
import random
import sys

import django

FILE_BYTES = 60_000


def main(count: int) -> None:
    django.setup()
    from tests.factories import make_asset, make_product

    dice, stock = random.Random(11), {}
    for number in range(count):
        assets = [make_asset(dice.randbytes(FILE_BYTES)) for _ in range(1 + number % 2)]
        product = make_product(f"Chaos {number}", assets=assets, price_pennies=300 + number)
        stock[str(product.pk)] = [asset.sha256 for asset in assets]
    print(json.dumps(stock))


if __name__ == "__main__":
    main(int(sys.argv[1]))
