"""Contacts and their rules, tasks, opportunities with their history."""

import django.db.models.deletion
import django.db.models.expressions
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
            name='ContactLog',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('phone', 'Phone'), ('office', 'Meeting at the outlet'), ('visit', 'Visit'), ('video', 'Video'), ('wechat', 'WeChat'), ('sms', 'Text message'), ('email', 'E-mail')], max_length=8, verbose_name='way')),
                ('result', models.CharField(choices=[('connected', 'Connected'), ('met', 'Met'), ('replied', 'Replied'), ('not_reached', 'Not reached')], max_length=12, verbose_name='result')),
                ('at', models.DateTimeField(verbose_name='time')),
                ('on', models.DateField(help_text="the bank's day of `at`")),
                ('entered_on', models.DateField(help_text="the bank's day of entry")),
                ('minutes', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='minutes')),
                ('purpose', models.CharField(choices=[('care', 'Care'), ('after_sale', 'After sale'), ('information', 'Information'), ('wealth_check', 'Wealth check'), ('needs', 'Needs'), ('product', 'Product'), ('invitation', 'Invitation'), ('complaint', 'Complaint'), ('retention', 'Retention'), ('handover', 'Hand-over introduction')], default='care', max_length=12)),
                ('summary', models.TextField(blank=True, verbose_name='what the customer said')),
                ('next_contact_on', models.DateField(blank=True, null=True)),
                ('idempotency_key', models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ('voided_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now())),
                ('counts_as', models.GeneratedField(db_persist=True, expression=models.Case(models.When(models.Q(('voided_at__isnull', False)), then=models.Value('nothing')), models.When(models.Q(('entered_on__gt', django.db.models.expressions.CombinedExpression(models.F('on'), '+', models.Value(7)))), then=models.Value('nothing')), models.When(models.Q(('channel', 'phone'), ('result', 'connected')), then=models.Value('phone')), models.When(models.Q(('channel__in', ['office', 'visit', 'video']), ('result', 'met')), then=models.Value('meeting')), models.When(models.Q(('channel__in', ['wechat', 'sms', 'email']), ('result', 'replied')), then=models.Value('message')), default=models.Value('nothing')), output_field=models.CharField(choices=[('phone', 'Phone'), ('meeting', 'Meeting'), ('message', 'Message'), ('nothing', 'Does not count')], max_length=8))),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contact_logs', to='customers.customer')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contact_logs', to=settings.AUTH_USER_MODEL)),
                ('voided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='FrequencyRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(choices=[('weekly_10', 'Ten customers a week'), ('quarterly_1', 'Every customer once a quarter'), ('diamond_month', 'Diamond, every month'), ('platinum_month', 'Platinum, every month'), ('gold_inactive', 'Gold customer without business')], max_length=16)),
                ('tier', models.PositiveSmallIntegerField(blank=True, choices=[(0, 'General'), (1, 'Gold'), (2, 'Platinum'), (3, 'Diamond')], null=True)),
                ('phones', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('meetings', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('contacts', models.PositiveSmallIntegerField(blank=True, help_text='customers a week, or contacts', null=True)),
                ('idle_days', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('effective_from', models.DateField()),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('code', 'effective_from'), name='frequency_rule_once_a_day'), models.CheckConstraint(condition=models.Q(models.Q(('meetings', None), ('phones', None)), models.Q(('meetings__gt', 0), ('phones__gt', 0)), _connector='OR'), name='frequency_rule_either_or_is_complete')],
            },
        ),
        migrations.CreateModel(
            name='Opportunity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('acquire', 'Acquire'), ('sign_up', 'Sign up'), ('upgrade', 'Upgrade'), ('cross_sell', 'Cross-sell'), ('retention', 'Retention'), ('win_back', 'Win back')], max_length=10)),
                ('title', models.CharField(max_length=80)),
                ('source', models.CharField(default='manual', max_length=24)),
                ('category', models.CharField(blank=True, choices=[('channel', 'Channel'), ('payroll', 'Payroll'), ('deposit', 'Deposit'), ('card', 'Credit card'), ('loan', 'Loan'), ('wealth', 'Wealth product'), ('fund', 'Fund'), ('gold', 'Precious metal'), ('insurance', 'Insurance'), ('private', 'Private banking')], max_length=10)),
                ('stage', models.CharField(choices=[('new', 'To follow up'), ('planned', 'Planned'), ('contacted', 'Contacted'), ('proposed', 'Proposed'), ('agreed', 'Agreed'), ('won', 'Won'), ('lost', 'Lost'), ('on_hold', 'On hold')], default='new', max_length=10)),
                ('stage_since', models.DateField()),
                ('expected_amount', models.DecimalField(blank=True, decimal_places=2, max_digits=18, null=True)),
                ('expected_on', models.DateField(blank=True, null=True)),
                ('next_action', models.CharField(blank=True, max_length=80)),
                ('next_action_on', models.DateField(blank=True, null=True)),
                ('last_touched_on', models.DateField()),
                ('resume_on', models.DateField(blank=True, null=True)),
                ('lost_reason', models.CharField(blank=True, choices=[('unwilling', 'Does not want to be a VIP customer'), ('yield', 'Yield below other banks'), ('other_use', 'Money needed elsewhere'), ('unsuitable', 'Product not suitable'), ('no_need', 'No need'), ('unreachable', 'Cannot be reached'), ('elsewhere', 'Done at another bank'), ('service', 'Unhappy with the service'), ('other', 'Other')], max_length=12)),
                ('result_amount', models.DecimalField(blank=True, decimal_places=2, max_digits=18, null=True)),
                ('closed_on', models.DateField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now())),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='opportunities', to='customers.customer')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='opportunities', to=settings.AUTH_USER_MODEL)),
                ('product', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.product')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ContactTask',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=80, unique=True)),
                ('source', models.CharField(choices=[('alert', 'Alert'), ('regime', 'Contact due'), ('event', 'Event'), ('opportunity', 'Opportunity'), ('manual', 'Planned')], max_length=12)),
                ('reason', models.CharField(help_text='code of the sentence, contacts.reasons', max_length=32)),
                ('figures', models.JSONField(default=dict, help_text='values of the sentence: amounts in yuan, ISO dates')),
                ('stake', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('opened_on', models.DateField()),
                ('due_on', models.DateField()),
                ('allowed_days', models.PositiveSmallIntegerField(default=1)),
                ('status', models.CharField(choices=[('open', 'Open'), ('done', 'Done'), ('dismissed', 'Dismissed'), ('expired', 'Expired')], default='open', max_length=10)),
                ('snoozed_until', models.DateField(blank=True, null=True)),
                ('closed_on', models.DateField(blank=True, null=True)),
                ('dismiss_reason', models.CharField(blank=True, max_length=200)),
                ('closed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('closed_by_log', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='closed_tasks', to='contacts.contactlog')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='customers.customer')),
                ('opportunity', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='contacts.opportunity')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='contactlog',
            name='opportunity',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='contact_logs', to='contacts.opportunity'),
        ),
        migrations.CreateModel(
            name='OpportunityStageHistory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('from_stage', models.CharField(blank=True, choices=[('new', 'To follow up'), ('planned', 'Planned'), ('contacted', 'Contacted'), ('proposed', 'Proposed'), ('agreed', 'Agreed'), ('won', 'Won'), ('lost', 'Lost'), ('on_hold', 'On hold')], max_length=10)),
                ('to_stage', models.CharField(choices=[('new', 'To follow up'), ('planned', 'Planned'), ('contacted', 'Contacted'), ('proposed', 'Proposed'), ('agreed', 'Agreed'), ('won', 'Won'), ('lost', 'Lost'), ('on_hold', 'On hold')], max_length=10)),
                ('at', models.DateTimeField()),
                ('note', models.CharField(blank=True, max_length=200)),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('contact_log', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='stage_moves', to='contacts.contactlog')),
                ('opportunity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='history', to='contacts.opportunity')),
            ],
            options={
                'ordering': ['at', 'id'],
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='opportunity',
            index=models.Index(condition=models.Q(('stage__in', ['won', 'lost']), _negated=True), fields=['owner', 'next_action_on'], name='opportunity_open_by_owner'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.UniqueConstraint(condition=models.Q(('stage__in', ['won', 'lost']), _negated=True), fields=('customer', 'kind', 'category'), name='opportunity_one_open_per_kind'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('stage', 'lost'), _negated=True), models.Q(('lost_reason', ''), _negated=True), _connector='OR'), name='opportunity_lost_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('stage', 'on_hold'), _negated=True), ('resume_on__isnull', False), _connector='OR'), name='opportunity_on_hold_resumes'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('stage', 'agreed'), _negated=True), models.Q(('expected_amount__isnull', False), ('expected_on__isnull', False)), _connector='OR'), name='opportunity_agreed_has_amount_and_date'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('stage__in', ['won', 'lost']), _negated=True), ('closed_on__isnull', False), _connector='OR'), name='opportunity_closed_has_a_day'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('expected_amount', None), ('expected_amount__gte', 0), _connector='OR'), models.Q(('result_amount', None), ('result_amount__gte', 0), _connector='OR')), name='opportunity_amounts_not_negative'),
        ),
        migrations.AddIndex(
            model_name='contacttask',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['customer'], name='contact_task_open'),
        ),
        migrations.AddIndex(
            model_name='contacttask',
            index=models.Index(condition=models.Q(('status', 'open'), _negated=True), fields=['customer', 'closed_on'], name='contact_task_closed'),
        ),
        migrations.AddConstraint(
            model_name='contacttask',
            constraint=models.CheckConstraint(condition=models.Q(('status', 'open'), ('closed_on__isnull', False), _connector='OR'), name='contact_task_closed_has_a_day'),
        ),
        migrations.AddConstraint(
            model_name='contacttask',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'dismissed'), _negated=True), models.Q(('dismiss_reason', ''), _negated=True), _connector='OR'), name='contact_task_dismissed_with_reason'),
        ),
        migrations.AddConstraint(
            model_name='contacttask',
            constraint=models.CheckConstraint(condition=models.Q(('stake__gte', 0)), name='contact_task_stake_not_negative'),
        ),
        migrations.AddIndex(
            model_name='contactlog',
            index=models.Index(fields=['customer', '-on'], name='contact_log_by_customer'),
        ),
        migrations.AddIndex(
            model_name='contactlog',
            index=models.Index(fields=['staff', '-on'], name='contact_log_by_staff'),
        ),
        migrations.AddConstraint(
            model_name='contactlog',
            constraint=models.CheckConstraint(condition=models.Q(('entered_on__gte', models.F('on'))), name='contact_log_entered_after_contact'),
        ),
        migrations.AddConstraint(
            model_name='contactlog',
            constraint=models.CheckConstraint(condition=models.Q(('result', 'not_reached'), models.Q(('channel', 'phone'), ('result', 'connected')), models.Q(('channel__in', ['office', 'visit', 'video']), ('result', 'met')), models.Q(('channel__in', ['wechat', 'sms', 'email']), ('result', 'replied')), _connector='OR'), name='contact_log_result_fits_channel'),
        ),
        migrations.AddConstraint(
            model_name='contactlog',
            constraint=models.CheckConstraint(condition=models.Q(('result', 'not_reached'), models.Q(('summary', ''), _negated=True), _connector='OR'), name='contact_log_says_what_was_said'),
        ),
    ]
