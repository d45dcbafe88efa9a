"""Assessments of the counter come by feed, under the core system's key."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0034_fed_portfolio'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='riskassessment',
            name='external_id',
            field=models.CharField(blank=True, max_length=64, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='riskassessment',
            name='sequence',
            field=models.BigIntegerField(db_default=-1, default=-1, help_text="version of the feed's row"),
        ),
        migrations.AlterField(
            model_name='riskassessment',
            name='by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='riskassessment',
            name='confirmed',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddConstraint(
            model_name='riskassessment',
            constraint=models.CheckConstraint(condition=models.Q(('by__isnull', False), ('external_id__isnull', False), _connector='OR'), name='risk_assessment_by_somebody'),
        ),
    ]
