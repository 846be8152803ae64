from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("downloads", "0007_what_has_counted_together"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="userasset",
            index=models.Index(fields=["user", "-order_item"], name="grant_by_user_and_line"),
        ),
    ]
