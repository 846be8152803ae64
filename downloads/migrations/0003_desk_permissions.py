from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("downloads", "0002_counting_and_limits"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="userasset",
            options={
                "ordering": ["created_at", "order_item_id", "position"],
                "permissions": [
                    ("reset_userasset", "Can reset the limit of grants"),
                    ("revoke_userasset", "Can take grants back"),
                    ("restore_userasset", "Can give grants back"),
                ],
                "verbose_name": "grant",
            },
        ),
    ]
