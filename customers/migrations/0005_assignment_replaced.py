"""An assignment names the one that it ended, so that undoing it reopens the right one."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_default_rules")]

    operations = [
        migrations.AddField(
            model_name="assignment",
            name="replaced",
            field=models.ForeignKey(
                blank=True,
                help_text="what this one ended; undo reopens it",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.assignment",
            ),
        ),
    ]
