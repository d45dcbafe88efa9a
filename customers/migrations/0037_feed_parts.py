"""Large feeds are laid by in parts until a worker has taken them."""

import django.db.models.deletion
import staff.sealing
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0036_organisation_of_pay'),
        ('staff', '0011_jobs_of_clients'),
    ]

    operations = [
        migrations.CreateModel(
            name='FeedPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first', models.PositiveIntegerField()),
                ('lines', staff.sealing.SealedField()),
            ],
            options={
                'ordering': ['first'],
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='feedpart',
            name='job',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='feed_parts', to='staff.job'),
        ),
        migrations.AddConstraint(
            model_name='feedpart',
            constraint=models.UniqueConstraint(fields=('job', 'first'), name='feed_part_once'),
        ),
    ]
