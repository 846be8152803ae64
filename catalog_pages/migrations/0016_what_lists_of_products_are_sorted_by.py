from django.db import migrations

# A long list is read from its beginning, not sorted first; SQLite's shops are small enough to be sorted. The
# beginnings of titles are compared in capitals, as `istartswith` and `iexact` do.
INDEXES = {
    "product_by_day": "catalog_pages_productpage (release_date DESC NULLS LAST, page_ptr_id DESC)",
    "product_by_price": "catalog_pages_productpage (price_pennies, page_ptr_id)",
    "page_title_begins": "wagtailcore_page (UPPER(title) text_pattern_ops)",
}


def index_more(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, on in INDEXES.items():
            schema_editor.execute(f"CREATE INDEX {name} ON {on}", params=None)


def index_less(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX {name}", params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog_pages", "0015_what_sells_best"),
    ]

    operations = [migrations.RunPython(index_more, index_less)]
