"""What a customer is worth, could become and is known by: columns that lists and segments ask for."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0005_assignment_replaced'),
        ('staff', '0006_idempotency'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='customer',
            name='archive_completeness',
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='customer',
            name='clv',
            field=models.DecimalField(blank=True, decimal_places=2, help_text='over 5 years', max_digits=18, null=True),
        ),
        migrations.AddField(
            model_name='customer',
            name='contribution_quintile',
            field=models.PositiveSmallIntegerField(blank=True, help_text='1 for the fifth of the outlet that brings most … 5', null=True),
        ),
        migrations.AddField(
            model_name='customer',
            name='do_not_contact',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='customer',
            name='ev',
            field=models.DecimalField(blank=True, decimal_places=2, help_text='a year', max_digits=18, null=True),
        ),
        migrations.AddField(
            model_name='customer',
            name='gv',
            field=models.DecimalField(blank=True, decimal_places=2, help_text='over 5 years', max_digits=18, null=True),
        ),
        migrations.AddField(
            model_name='customer',
            name='id_no_hash',
            field=models.CharField(blank=True, db_default='', default='', help_text='blind index', max_length=64),
        ),
        migrations.AddField(
            model_name='customer',
            name='key_customer',
            field=models.BooleanField(db_default=False, default=False, help_text='marked by the branch head'),
        ),
        migrations.AddField(
            model_name='customer',
            name='key_groups',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), blank=True, db_default=models.Value([], django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), size=None)), default=list, size=None),
        ),
        migrations.AddField(
            model_name='customer',
            name='merged_into',
            field=models.ForeignKey(blank=True, help_text='the record that took this one over; both numbers lead to it', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged_from', to='customers.customer'),
        ),
        migrations.AddField(
            model_name='customer',
            name='mobile_hash',
            field=models.CharField(blank=True, db_default='', default='', help_text='blind index', max_length=64),
        ),
        migrations.AddField(
            model_name='customer',
            name='potential_reasons',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), blank=True, db_default=models.Value([], django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), size=None)), default=list, size=None),
        ),
        migrations.AddField(
            model_name='customer',
            name='pv',
            field=models.DecimalField(blank=True, decimal_places=2, help_text='a year', max_digits=18, null=True),
        ),
        migrations.AddField(
            model_name='customer',
            name='value_class',
            field=models.CharField(blank=True, choices=[('mvc', 'Most valuable'), ('mgc', 'Most growable'), ('bzc', 'Below zero'), ('general', 'General')], db_default='', default='', max_length=8),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(condition=models.Q(('id_no_hash', ''), _negated=True), fields=['id_no_hash'], name='customer_by_id_no'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(condition=models.Q(('mobile_hash', ''), _negated=True), fields=['mobile_hash'], name='customer_by_mobile'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('archive_completeness__range', (0, 100))), name='customer_archive_completeness_percent'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('merged_into', None), models.Q(('merged_into', models.F('pk')), _negated=True), _connector='OR'), name='customer_not_merged_into_itself'),
        ),
    ]
