from django.db import migrations

# The orders of the API's lists and of the pages' lists by title and name, each as its query says it; SQLite's
# shops are small enough to be sorted.
INDEXES = {
    "product_by_known_day": (
        "catalog_pages_productpage (COALESCE(release_date, '0001-01-01'::date) DESC, page_ptr_id DESC)"
    ),
    "product_by_known_price": "catalog_pages_productpage (COALESCE(price_pennies, 0), page_ptr_id)",
    "page_by_title": "wagtailcore_page (title, id)",
    "page_by_title_in_any_case": "wagtailcore_page (LOWER(title), title, id)",
    "artist_by_name": "catalog_pages_artist (name, id)",
}


def index_more(apps, schema_editor):
    """Without keeping anybody from writing; one that was interrupted is made again."""
    if schema_editor.connection.vendor == "postgresql":
        for name, on in INDEXES.items():
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}", params=None)
            schema_editor.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}", params=None)


def index_less(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}", params=None)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("catalog_pages", "0016_what_lists_of_products_are_sorted_by"),
    ]

    operations = [migrations.RunPython(index_more, index_less)]
