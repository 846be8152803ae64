"""The days on which staff gave something are added up again: nobody pressed checkout for it."""

from django.db import migrations


def mark(apps, schema_editor):
    FreeCopy = apps.get_model("orders", "FreeCopy")
    FiguresChange = apps.get_model("orders", "FiguresChange")
    moments = FreeCopy.objects.order_by().values_list("order__created_at", flat=True)
    FiguresChange.objects.bulk_create((FiguresChange(at=at) for at in moments.iterator()), 1000)


class Migration(migrations.Migration):
    dependencies = [("orders", "0019_words_of_models")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
