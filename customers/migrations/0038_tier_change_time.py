"""When a tier change was written, by which webhooks find it."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0037_feed_parts'),
    ]

    operations = [
        migrations.AddField(
            model_name='tierchange',
            name='created_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddIndex(
            model_name='tierchange',
            index=models.Index(fields=['created_at'], name='tier_change_by_time'),
        ),
    ]
