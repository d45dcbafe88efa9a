"""Institutions and staff come by feed: the version of the row that was taken last."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('staff', '0009_client_addresses'),
    ]

    operations = [
        migrations.AddField(
            model_name='branch',
            name='sequence',
            field=models.BigIntegerField(db_default=-1, default=-1, help_text="version of the feed's row"),
        ),
        migrations.AddField(
            model_name='staff',
            name='sequence',
            field=models.BigIntegerField(db_default=-1, default=-1, help_text="version of the feed's row"),
        ),
    ]
