"""The parameters of rating as dated rows; tier changes keep what caused them."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0009_exact_year_averages'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='tierchange',
            name='figures',
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict, help_text='what caused it: measure, floor in force, the months below it with their averages'),
        ),
        migrations.CreateModel(
            name='RatingRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('effective_from', models.DateField(unique=True, verbose_name='in force from')),
                ('rating_measure', models.CharField(choices=[('month_avg', 'Month average'), ('year_avg', 'Year average')], default='month_avg', max_length=9, verbose_name='average that decides the tier')),
                ('year_avg_basis', models.CharField(choices=[('last_365', 'Last 365 days'), ('year_to_date', 'Since 1 January')], default='last_365', max_length=12, verbose_name='days of the year average')),
                ('months_until_down', models.PositiveSmallIntegerField(default=3, verbose_name='months below the floor until the tier falls')),
                ('months_until_down_private', models.PositiveSmallIntegerField(default=6, verbose_name='the same for private banking')),
                ('near_percent', models.PositiveSmallIntegerField(default=80, verbose_name='near the threshold from, percent of the next floor')),
                ('private_floor', models.DecimalField(decimal_places=2, default=6000000, max_digits=18, verbose_name='private banking from')),
                ('loan_floor', models.DecimalField(decimal_places=2, default=300000, max_digits=18, verbose_name='potential by loans from')),
                ('custody_floor', models.DecimalField(decimal_places=2, default=10000, max_digits=18, verbose_name='potential by custody cash from')),
                ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('made_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('months_until_down__range', (1, 12)), ('months_until_down_private__range', (1, 12))), name='rating_rule_months_in_range'), models.CheckConstraint(condition=models.Q(('near_percent__range', (1, 100))), name='rating_rule_near_in_range'), models.CheckConstraint(condition=models.Q(('custody_floor__gt', 0), ('loan_floor__gt', 0), ('private_floor__gt', 0)), name='rating_rule_floors_positive')],
            },
        ),
    ]
