"""Model versions, scores, alerts."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('customers', '0004_default_rules'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ChurnModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, unique=True)),
                ('algorithm', models.CharField(max_length=24)),
                ('trained_at', models.DateTimeField()),
                ('data_from', models.DateField()),
                ('data_to', models.DateField()),
                ('horizon_days', models.PositiveSmallIntegerField(default=90)),
                ('drop_threshold', models.FloatField(default=0.5, help_text='left: average falls to this share or below')),
                ('parameters', models.JSONField()),
                ('sha256', models.CharField(max_length=64)),
                ('backtest', models.JSONField(help_text='figures per candidate and fold, and how many customers they rest on')),
                ('passed_gate', models.BooleanField(default=False)),
                ('status', models.CharField(choices=[('candidate', 'Candidate'), ('released', 'Released'), ('retired', 'Retired')], default='candidate', max_length=10)),
                ('released_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ChurnScore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('data_date', models.DateField()),
                ('probability', models.FloatField(help_text='0–1')),
                ('level', models.PositiveSmallIntegerField(choices=[(1, 'Low'), (2, 'Medium'), (3, 'High')])),
                ('money_at_risk', models.DecimalField(decimal_places=2, max_digits=18)),
                ('reasons', models.JSONField(default=list)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='churn_scores', to='customers.customer')),
                ('model', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='scores', to='churn.churnmodelversion')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ChurnAlert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('opened_on', models.DateField()),
                ('level', models.PositiveSmallIntegerField(choices=[(1, 'Low'), (2, 'Medium'), (3, 'High')])),
                ('probability', models.FloatField()),
                ('money_at_risk', models.DecimalField(decimal_places=2, max_digits=18)),
                ('due_on', models.DateField()),
                ('status', models.CharField(choices=[('open', 'To handle'), ('working', 'Being followed up'), ('retained', 'Retained'), ('lost', 'Left'), ('false_alarm', 'False alarm')], default='open', max_length=12)),
                ('cause', models.CharField(blank=True, choices=[('price', 'Yield or price'), ('service', 'Service'), ('pitching', 'Too many sales calls'), ('product', 'Unsuitable product'), ('own_use', 'Money for own use'), ('moved', 'Moved or changed job'), ('competitor', 'Drawn by another bank'), ('staff_change', 'Change of staff'), ('other', 'Other')], max_length=12)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('closed_on', models.DateField(blank=True, null=True)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('closed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='churn_alerts', to='customers.customer')),
                ('score', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='churn.churnscore')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddConstraint(
            model_name='churnmodelversion',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'released')), fields=('status',), name='churn_model_one_released'),
        ),
        migrations.AddIndex(
            model_name='churnscore',
            index=models.Index(fields=['data_date'], name='churn_score_by_day'),
        ),
        migrations.AddConstraint(
            model_name='churnscore',
            constraint=models.UniqueConstraint(fields=('customer', 'data_date'), name='churn_score_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='churnscore',
            constraint=models.CheckConstraint(condition=models.Q(('probability__range', (0, 1))), name='churn_score_probability_in_range'),
        ),
        migrations.AddIndex(
            model_name='churnalert',
            index=models.Index(fields=['updated_at', 'id'], name='churn_alert_by_update'),
        ),
        migrations.AddConstraint(
            model_name='churnalert',
            constraint=models.UniqueConstraint(fields=('customer', 'opened_on'), name='churn_alert_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='churnalert',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['open', 'working'])), fields=('customer',), name='churn_alert_one_open'),
        ),
        migrations.AddConstraint(
            model_name='churnalert',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['open', 'working']), models.Q(('closed_on__isnull', False), models.Q(('cause', ''), _negated=True)), _connector='OR'), name='churn_alert_settled_has_day_and_cause'),
        ),
    ]
