"""What products and artists ever brought in, and a trigger that lets it change hands with a product.

SQLite rebuilds a table that a later migration alters, and forgets its triggers: make this one again then.
A test moves a product.
"""

from django.db import migrations

EVER = "SUM(revenue_pennies), SUM(copies) FROM orders_figuresproductday"
FILL = (
    (
        "UPDATE orders_figuresproductday SET artist_id ="
        " (SELECT artist_id FROM catalog_pages_productpage WHERE page_ptr_id = product_id)"
    ),
    (
        "INSERT INTO orders_figuresproduct (currency, product_id, revenue_pennies, copies)"
        f" SELECT currency, product_id, {EVER} GROUP BY currency, product_id"
    ),
    (
        "INSERT INTO orders_figuresartist (currency, artist_id, revenue_pennies, copies)"
        f" SELECT currency, artist_id, {EVER} WHERE artist_id IS NOT NULL GROUP BY currency, artist_id"
    ),
)
OF_PRODUCT = (
    "SELECT {} FROM orders_figuresproduct"
    " WHERE product_id = NEW.page_ptr_id AND currency = orders_figuresartist.currency"
)
MOVE = f"""
UPDATE orders_figuresproductday SET artist_id = NEW.artist_id WHERE product_id = NEW.page_ptr_id;
UPDATE orders_figuresartist SET
    revenue_pennies = revenue_pennies - COALESCE(({OF_PRODUCT.format("revenue_pennies")}), 0),
    copies = copies - COALESCE(({OF_PRODUCT.format("copies")}), 0)
WHERE artist_id = OLD.artist_id;
INSERT INTO orders_figuresartist (currency, artist_id, revenue_pennies, copies)
SELECT currency, NEW.artist_id, revenue_pennies, copies FROM orders_figuresproduct
WHERE product_id = NEW.page_ptr_id AND NEW.artist_id IS NOT NULL
ON CONFLICT (artist_id, currency) DO UPDATE SET
    revenue_pennies = orders_figuresartist.revenue_pennies + EXCLUDED.revenue_pennies,
    copies = orders_figuresartist.copies + EXCLUDED.copies;
"""  # noqa: S608  # nosec B608  # our own words
ON = "AFTER UPDATE OF artist_id ON catalog_pages_productpage"
SQLITE = (
    f"CREATE TRIGGER product_changes_hands {ON} WHEN NEW.artist_id IS NOT OLD.artist_id BEGIN {MOVE} END",
)
# Whoever adds up a day holds the same row, and writes the same sums: first one, then the other.
POSTGRESQL = (
    f"""
CREATE FUNCTION product_changes_hands() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM 1 FROM orders_figuresstate FOR UPDATE;
    {MOVE}
    RETURN NULL;
END $$
""",
    f"""
CREATE TRIGGER product_changes_hands {ON}
FOR EACH ROW WHEN (NEW.artist_id IS DISTINCT FROM OLD.artist_id) EXECUTE FUNCTION product_changes_hands()
""",
)


def fill(apps, schema_editor):
    for statement in FILL:
        schema_editor.execute(statement, params=None)


def watch(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def look_away(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER product_changes_hands", params=None)
        return
    schema_editor.execute(
        "DROP TRIGGER product_changes_hands ON catalog_pages_productpage", params=None
    )
    schema_editor.execute("DROP FUNCTION product_changes_hands()", params=None)


class Migration(migrations.Migration):
    dependencies = [("orders", "0021_bestsellers_of_few_queries")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(watch, look_away),
    ]
