# The tables are filled by the next migration: PostgreSQL makes no index on rows of the same transaction.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog_pages", "0014_words_of_models"),
        ("orders", "0020_free_copies_are_not_begun"),
    ]

    operations = [
        migrations.CreateModel(
            name="FiguresArtist",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("revenue_pennies", models.BigIntegerField(default=0)),
                ("copies", models.BigIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="FiguresProduct",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("revenue_pennies", models.BigIntegerField(default=0)),
                ("copies", models.BigIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RemoveIndex(
            model_name="figuresproductday",
            name="figures_product_by_day",
        ),
        migrations.AddField(
            model_name="figuresproductday",
            name="artist",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="catalog_pages.artist",
            ),
        ),
        migrations.AddIndex(
            model_name="figuresproductday",
            index=models.Index(fields=["day", "currency"], name="figures_product_by_day"),
        ),
        migrations.AddIndex(
            model_name="figuresproductday",
            index=models.Index(fields=["country", "day"], name="figures_product_by_country"),
        ),
        migrations.AddIndex(
            model_name="figuresproductday",
            index=models.Index(
                fields=[
                    "product",
                    "day",
                    "currency",
                    "revenue_pennies",
                    "refunds_pennies",
                    "tax_pennies",
                    "lines",
                    "copies",
                ],
                name="figures_product_covered",
            ),
        ),
        migrations.AddIndex(
            model_name="figuresproductday",
            index=models.Index(
                fields=[
                    "artist",
                    "day",
                    "currency",
                    "revenue_pennies",
                    "refunds_pennies",
                    "tax_pennies",
                    "lines",
                    "copies",
                ],
                name="figures_artist_covered",
            ),
        ),
        migrations.AddField(
            model_name="figuresartist",
            name="artist",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="catalog_pages.artist",
            ),
        ),
        migrations.AddField(
            model_name="figuresproduct",
            name="product",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="catalog_pages.productpage",
            ),
        ),
        migrations.AddIndex(
            model_name="figuresartist",
            index=models.Index(
                fields=["currency", "-revenue_pennies"], name="figuresartist_by_revenue"
            ),
        ),
        migrations.AddIndex(
            model_name="figuresartist",
            index=models.Index(fields=["currency", "-copies"], name="figuresartist_by_copies"),
        ),
        migrations.AddConstraint(
            model_name="figuresartist",
            constraint=models.UniqueConstraint(
                fields=("artist", "currency"), name="figures_artist_once"
            ),
        ),
        migrations.AddIndex(
            model_name="figuresproduct",
            index=models.Index(
                fields=["currency", "-revenue_pennies"], name="figuresproduct_by_revenue"
            ),
        ),
        migrations.AddIndex(
            model_name="figuresproduct",
            index=models.Index(fields=["currency", "-copies"], name="figuresproduct_by_copies"),
        ),
        migrations.AddConstraint(
            model_name="figuresproduct",
            constraint=models.UniqueConstraint(
                fields=("product", "currency"), name="figures_product_once"
            ),
        ),
    ]
