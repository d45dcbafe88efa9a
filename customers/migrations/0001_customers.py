"""Customers, tiers, products, quotas, loads, assignments."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import staff.sealing
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('staff', '0006_idempotency'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_no', models.CharField(max_length=32, unique=True, verbose_name='customer number')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('pinyin', models.CharField(blank=True, help_text='syllables without tones, a space between: shen ya qin', max_length=200)),
                ('gender', models.CharField(blank=True, choices=[('m', 'Male'), ('f', 'Female'), ('', 'Unknown')], default='', max_length=1)),
                ('birth_date', models.DateField(blank=True, null=True)),
                ('lunar_birthday', models.CharField(blank=True, help_text='month-day of the lunar calendar, -6-15 in a leap month', max_length=6)),
                ('id_no', staff.sealing.SealedField(blank=True)),
                ('id_no_masked', models.CharField(blank=True, max_length=32)),
                ('mobile', staff.sealing.SealedField(blank=True)),
                ('mobile_masked', models.CharField(blank=True, max_length=20)),
                ('mobile_last4', models.CharField(blank=True, max_length=4)),
                ('address', staff.sealing.SealedField(blank=True)),
                ('address_masked', models.CharField(blank=True, max_length=120)),
                ('occupation', models.CharField(blank=True, max_length=60)),
                ('employer', models.CharField(blank=True, max_length=80)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, default=list, size=None)),
                ('needs', models.CharField(blank=True, help_text='what the customer looks for, in a few words', max_length=120)),
                ('low_disturb', models.BooleanField(default=False)),
                ('special_care', models.CharField(blank=True, max_length=40)),
                ('risk_grade', models.PositiveSmallIntegerField(blank=True, help_text='1–5 for C1–C5', null=True)),
                ('risk_assessed_on', models.DateField(blank=True, null=True)),
                ('relation_status', models.CharField(choices=[('none', 'No relation'), ('potential', 'Potential'), ('signed', 'Signed'), ('terminated', 'Terminated'), ('closed', 'Closed')], default='none', max_length=10)),
                ('opened_on', models.DateField(blank=True, null=True)),
                ('signed_on', models.DateField(blank=True, null=True)),
                ('source_fingerprint', models.CharField(blank=True, help_text='keyed hash of the newest feed row: an equal one changes nothing', max_length=64)),
                ('source_sequence', models.BigIntegerField(default=0, help_text='of the newest feed row taken in')),
                ('created_at', models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now())),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('service_tier', models.PositiveSmallIntegerField(choices=[(0, 'General'), (1, 'Gold'), (2, 'Platinum'), (3, 'Diamond')], default=0)),
                ('asset_tier', models.PositiveSmallIntegerField(choices=[(0, 'General'), (1, 'Gold'), (2, 'Platinum'), (3, 'Diamond')], default=0)),
                ('tier_state', models.CharField(choices=[('normal', 'Normal'), ('watch', 'On watch')], default='normal', max_length=8)),
                ('months_below_floor', models.PositiveSmallIntegerField(default=0)),
                ('is_private_banking', models.BooleanField(default=False)),
                ('aum', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('aum_30d_before', models.DecimalField(blank=True, decimal_places=2, max_digits=18, null=True)),
                ('month_avg', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('year_avg', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('data_date', models.DateField(blank=True, null=True)),
                ('data_gap', models.BooleanField(default=False)),
                ('next_maturity_on', models.DateField(blank=True, null=True)),
                ('next_maturity_amount', models.DecimalField(blank=True, decimal_places=2, max_digits=18, null=True)),
                ('product_marks', models.CharField(blank=True, help_text='categories held, by code, spaces between', max_length=80)),
                ('last_contact_on', models.DateField(blank=True, null=True)),
                ('next_contact_due_on', models.DateField(blank=True, null=True)),
                ('contact_state', models.CharField(choices=[('met', 'On regime'), ('open', 'In progress'), ('at_risk', 'At risk'), ('missed', 'Missed'), ('exempt', 'Exempt')], default='open', max_length=8)),
                ('contact_phones', models.PositiveSmallIntegerField(default=0, help_text='in the window of the regime')),
                ('contact_meetings', models.PositiveSmallIntegerField(default=0, help_text='in the window of the regime')),
                ('contact_count', models.PositiveSmallIntegerField(default=0, help_text='valid contacts this quarter')),
                ('missed_last_window', models.BooleanField(default=False)),
                ('churn_probability', models.FloatField(blank=True, help_text='0–1', null=True)),
                ('churn_level', models.PositiveSmallIntegerField(blank=True, choices=[(1, 'Low'), (2, 'Medium'), (3, 'High')], null=True)),
                ('money_at_risk', models.DecimalField(blank=True, decimal_places=2, max_digits=18, null=True)),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='customers', to='staff.branch')),
                ('manager', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='managed_customers', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('primary', 'Primary'), ('backup', 'Backup'), ('adviser', 'Adviser')], default='primary', max_length=8)),
                ('start', models.DateField()),
                ('end', models.DateField(blank=True, null=True)),
                ('source', models.CharField(choices=[('manual', 'By hand'), ('auto', 'Proposal'), ('transfer', 'Hand-over'), ('cover', 'Leave cover')], default='manual', max_length=8)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('assigned_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to=settings.AUTH_USER_MODEL)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='customers.customer')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Load',
            fields=[
                ('staff', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='load', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('potential', models.PositiveIntegerField(default=0)),
                ('gold', models.PositiveIntegerField(default=0)),
                ('platinum', models.PositiveIntegerField(default=0)),
                ('diamond', models.PositiveIntegerField(default=0)),
                ('potential_limit', models.PositiveIntegerField(default=0, null=True)),
                ('gold_limit', models.PositiveIntegerField(default=0, null=True)),
                ('platinum_limit', models.PositiveIntegerField(default=0, null=True)),
                ('diamond_limit', models.PositiveIntegerField(default=0, null=True)),
                ('potential_weight', models.PositiveIntegerField(default=0)),
                ('gold_weight', models.PositiveIntegerField(default=0)),
                ('platinum_weight', models.PositiveIntegerField(default=0)),
                ('diamond_weight', models.PositiveIntegerField(default=0)),
                ('potential_over', models.PositiveIntegerField(default=0)),
                ('gold_over', models.PositiveIntegerField(default=0)),
                ('platinum_over', models.PositiveIntegerField(default=0)),
                ('diamond_over', models.PositiveIntegerField(default=0)),
                ('capacity', models.PositiveIntegerField(default=0, help_text='units, capacity factor applied')),
                ('full_capacity', models.PositiveIntegerField(default=1, help_text='units that are 100 %')),
                ('units_over', models.PositiveIntegerField(default=0)),
                ('units', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('potential'), '*', models.F('potential_weight')), '+', django.db.models.expressions.CombinedExpression(models.F('gold'), '*', models.F('gold_weight'))), '+', django.db.models.expressions.CombinedExpression(models.F('platinum'), '*', models.F('platinum_weight'))), '+', django.db.models.expressions.CombinedExpression(models.F('diamond'), '*', models.F('diamond_weight'))), output_field=models.IntegerField())),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('capacity__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('potential'), '*', models.F('potential_weight')), '+', django.db.models.expressions.CombinedExpression(models.F('gold'), '*', models.F('gold_weight'))), '+', django.db.models.expressions.CombinedExpression(models.F('platinum'), '*', models.F('platinum_weight'))), '+', django.db.models.expressions.CombinedExpression(models.F('diamond'), '*', models.F('diamond_weight'))), '-', models.F('units_over')))), name='load_within_capacity'), models.CheckConstraint(condition=models.Q(('potential_limit', None), ('potential__lte', django.db.models.expressions.CombinedExpression(models.F('potential_limit'), '+', models.F('potential_over'))), _connector='OR'), name='load_potential_within_quota'), models.CheckConstraint(condition=models.Q(('gold_limit', None), ('gold__lte', django.db.models.expressions.CombinedExpression(models.F('gold_limit'), '+', models.F('gold_over'))), _connector='OR'), name='load_gold_within_quota'), models.CheckConstraint(condition=models.Q(('platinum_limit', None), ('platinum__lte', django.db.models.expressions.CombinedExpression(models.F('platinum_limit'), '+', models.F('platinum_over'))), _connector='OR'), name='load_platinum_within_quota'), models.CheckConstraint(condition=models.Q(('diamond_limit', None), ('diamond__lte', django.db.models.expressions.CombinedExpression(models.F('diamond_limit'), '+', models.F('diamond_over'))), _connector='OR'), name='load_diamond_within_quota')],
            },
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=24, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('category', models.CharField(choices=[('channel', 'Channel'), ('payroll', 'Payroll'), ('deposit', 'Deposit'), ('card', 'Credit card'), ('loan', 'Loan'), ('wealth', 'Wealth product'), ('fund', 'Fund'), ('gold', 'Precious metal'), ('insurance', 'Insurance'), ('private', 'Private banking')], max_length=10)),
                ('ladder_rank', models.PositiveSmallIntegerField(help_text='1 easy (channel) … 8 private banking')),
                ('risk_level', models.PositiveSmallIntegerField(blank=True, help_text='1–5 for R1–R5', null=True)),
                ('term_days', models.PositiveIntegerField(blank=True, null=True)),
                ('annual_rate', models.DecimalField(blank=True, decimal_places=3, help_text='percent', max_digits=6, null=True)),
                ('min_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('is_agency', models.BooleanField(default=False)),
                ('on_sale_from', models.DateField(blank=True, null=True)),
                ('on_sale_to', models.DateField(blank=True, null=True)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('risk_level', None), ('risk_level__range', (1, 5)), _connector='OR'), name='product_risk_r1_to_r5')],
            },
        ),
        migrations.CreateModel(
            name='Holding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(max_length=40, unique=True)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=18)),
                ('annual_rate', models.DecimalField(blank=True, decimal_places=3, help_text='percent', max_digits=6, null=True)),
                ('opened_on', models.DateField()),
                ('matures_on', models.DateField(blank=True, null=True)),
                ('status', models.CharField(choices=[('active', 'Held'), ('ended', 'Ended')], default='active', max_length=8)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holdings', to='customers.customer')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holdings', to='customers.product')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='QuotaRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('branch_head', 'Branch head'), ('sub_branch_president', 'Sub-branch president'), ('retail_admin', 'Retail banking administration'), ('relationship_manager', 'Relationship manager'), ('wealth_manager', 'Wealth manager'), ('wealth_adviser', 'Wealth adviser'), ('financial_adviser', 'Financial adviser'), ('lobby_manager', 'Lobby manager'), ('teller', 'Teller'), ('product_specialist', 'Product specialist'), ('outreach_marketer', 'Outreach marketer'), ('trainer', 'Trainer'), ('auditor', 'Auditor'), ('sys_admin', 'System administrator')], max_length=24)),
                ('tier', models.PositiveSmallIntegerField(choices=[(0, 'General'), (1, 'Gold'), (2, 'Platinum'), (3, 'Diamond')])),
                ('quota', models.PositiveIntegerField()),
                ('is_limit', models.BooleanField(default=True)),
                ('effective_from', models.DateField()),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('role', 'tier', 'effective_from'), name='quota_rule_once_a_day'), models.CheckConstraint(condition=models.Q(('quota__gt', 0)), name='quota_positive')],
            },
        ),
        migrations.CreateModel(
            name='TierChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField()),
                ('kind', models.CharField(choices=[('reached', 'Reached, not upgraded'), ('up', 'Upgraded'), ('watch', 'Put on watch'), ('cleared', 'Watch cleared'), ('down', 'Downgraded')], max_length=8)),
                ('from_tier', models.PositiveSmallIntegerField(choices=[(0, 'General'), (1, 'Gold'), (2, 'Platinum'), (3, 'Diamond')])),
                ('to_tier', models.PositiveSmallIntegerField(choices=[(0, 'General'), (1, 'Gold'), (2, 'Platinum'), (3, 'Diamond')])),
                ('month_avg', models.DecimalField(decimal_places=2, max_digits=18)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tier_changes', to='customers.customer')),
            ],
        ),
        migrations.CreateModel(
            name='TierRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tier', models.PositiveSmallIntegerField(choices=[(0, 'General'), (1, 'Gold'), (2, 'Platinum'), (3, 'Diamond')])),
                ('floor', models.DecimalField(decimal_places=2, help_text='yuan', max_digits=18)),
                ('effective_from', models.DateField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('tier', 'effective_from'), name='tier_rule_once_a_day'), models.CheckConstraint(condition=models.Q(('floor__gt', 0)), name='tier_rule_floor_positive'), models.CheckConstraint(condition=models.Q(('tier__in', [1, 2, 3])), name='tier_rule_for_vip_tiers')],
            },
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['branch', '-aum', '-id'], name='customer_branch_by_aum'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['manager', '-aum', '-id'], name='customer_manager_by_aum'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['-aum', '-id'], name='customer_by_aum'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(condition=models.Q(('manager', None), ('relation_status__in', ['signed', 'potential'])), fields=['branch', '-service_tier', '-aum'], name='customer_waiting'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('aum__gte', 0)), name='customer_aum_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('churn_probability', None), ('churn_probability__range', (0, 1)), _connector='OR'), name='customer_churn_probability_in_range'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('risk_grade', None), ('risk_grade__range', (1, 5)), _connector='OR'), name='customer_risk_grade_c1_to_c5'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('service_tier__range', (0, 3)), ('asset_tier__range', (0, 3))), name='customer_tier_in_range'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('relation_status', 'signed'), _negated=True), ('signed_on__isnull', False), _connector='OR'), name='customer_signed_has_a_date'),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(condition=models.Q(('end', None)), fields=['staff', 'customer'], name='assignment_open_by_staff'),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(fields=['updated_at', 'id'], name='assignment_by_update'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.UniqueConstraint(condition=models.Q(('end', None), ('role', 'primary')), fields=('customer',), name='assignment_one_open_primary'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.UniqueConstraint(condition=models.Q(('end', None), ('role', 'adviser')), fields=('customer',), name='assignment_one_open_adviser'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('end', None), ('end__gte', models.F('start')), _connector='OR'), name='assignment_ends_after_start'),
        ),
        migrations.AddIndex(
            model_name='holding',
            index=models.Index(condition=models.Q(('status', 'active')), fields=['matures_on', 'customer'], name='holding_by_maturity'),
        ),
        migrations.AddConstraint(
            model_name='holding',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='holding_amount_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='holding',
            constraint=models.CheckConstraint(condition=models.Q(('matures_on', None), ('matures_on__gte', models.F('opened_on')), _connector='OR'), name='holding_matures_after_opening'),
        ),
        migrations.AddConstraint(
            model_name='tierchange',
            constraint=models.UniqueConstraint(fields=('customer', 'on', 'kind'), name='tier_change_once'),
        ),
    ]
