"""An empty database of django-oscar's becomes a shop of as many products as ours, each with its picture:
`python -m oscar_site.fill 200`. Prints the address of the product that is looked at and bought."""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from io import BytesIO

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oscar_site.settings")

import django

django.setup()

from django.core.files.base import ContentFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from oscar.apps.catalogue.categories import create_from_breadcrumbs  # noqa: E402
from oscar.apps.catalogue.models import (  # noqa: E402
    Product,
    ProductCategory,
    ProductClass,
    ProductImage,
)
from oscar.apps.partner.models import Partner, StockRecord  # noqa: E402
from PIL import Image  # noqa: E402

WORDS = "<p>Recorded in a boathouse over <b>one</b> winter.</p>" * 3


def main(count: int) -> None:
    call_command("migrate", verbosity=0, interactive=False)
    kind = ProductClass.objects.create(
        name="Audio", slug="audio", requires_shipping=False, track_stock=False
    )
    category = create_from_breadcrumbs("Ambient")
    partner = Partner.objects.create(name="The shop")
    for number in range(count):
        product = Product.objects.create(
            product_class=kind, title=f"Album {number}", upc=f"a{number}", description=WORDS
        )
        ProductCategory.objects.create(product=product, category=category)
        StockRecord.objects.create(
            product=product, partner=partner, partner_sku=f"a{number}", price=Decimal("4.99")
        )
        image = ProductImage(product=product, display_order=0)
        image.original.save(f"{number}.png", ContentFile(_picture(number)))
    call_command("rebuild_index", interactive=False, verbosity=0)
    print(product.get_absolute_url())


def _picture(number: int) -> bytes:
    made = BytesIO()
    Image.new("RGB", (300, 300), (number % 256, 90, 120)).save(made, "PNG")
    return made.getvalue()


if __name__ == "__main__":
    main(int(sys.argv[1]))
