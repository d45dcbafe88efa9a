"""A customer's building, hashed, so that neighbours are found without opening an address."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("customers", "0031_day_close"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="building_hash",
            field=models.CharField(blank=True, db_default="", default="", help_text="blind index", max_length=64),
        ),
    ]
