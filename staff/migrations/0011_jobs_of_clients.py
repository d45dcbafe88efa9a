"""A system that calls the API may ask for long work, as a member of staff may."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('staff', '0010_sequence_of_feeds'),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='client',
            field=models.ForeignKey(blank=True, help_text='the system that asked, where no member of staff did', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
        ),
        migrations.AddField(
            model_name='jobfault',
            name='code',
            field=models.CharField(blank=True, db_default='', default='', help_text='for a system that asked', max_length=40),
        ),
        migrations.AlterField(
            model_name='job',
            name='asked_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('asked_by__isnull', True), ('client__isnull', True), _connector='XOR'), name='job_asked_for_by_one'),
        ),
    ]
