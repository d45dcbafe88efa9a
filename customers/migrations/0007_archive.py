"""The personal archive: values with who said what since when, hobbies, resources and consents."""

import django.db.models.deletion
import django.db.models.functions.datetime
import staff.sealing
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0006_standing_value_and_identity'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ConsentRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('care', 'Care greetings'), ('marketing', 'Marketing'), ('profiling', 'Personal recommendations'), ('activity', 'Activity invitations'), ('sharing', 'Sharing with partners')], max_length=10)),
                ('channel', models.CharField(choices=[('phone', 'Phone'), ('sms', 'SMS'), ('wechat', 'WeChat'), ('email', 'E-mail'), ('post', 'Post')], max_length=8)),
                ('granted', models.BooleanField()),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('evidence', models.CharField(blank=True, help_text="form number, recording, or the customer's words", max_length=120)),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='customers.customer')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['customer', 'purpose', 'channel', '-at', '-id'], name='consent_newest')],
            },
        ),
        migrations.CreateModel(
            name='Hobby',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('customer', 'Told by the customer'), ('observed', 'Observed by staff'), ('system', 'System'), ('referral', 'Referral')], default='customer', max_length=8)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('word', models.CharField(help_text='from the list of hobbies', max_length=20)),
                ('level', models.PositiveSmallIntegerField(choices=[(1, 'Likes it'), (2, 'Does it often'), (3, 'Expert')], default=1)),
                ('earns', models.BooleanField(default=False, help_text='brings income')),
                ('by', models.ForeignKey(blank=True, help_text='none for the system', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hobbies', to='customers.customer')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('ended_at', None)), fields=['word', 'customer'], name='hobby_current')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('customer', 'word'), name='hobby_once')],
            },
        ),
        migrations.CreateModel(
            name='ProfileValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('customer', 'Told by the customer'), ('observed', 'Observed by staff'), ('system', 'System'), ('referral', 'Referral')], default='customer', max_length=8)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('field', models.CharField(help_text='a code of customers.archive.fields', max_length=32)),
                ('value', models.JSONField()),
                ('sealed', staff.sealing.SealedField(blank=True)),
                ('by', models.ForeignKey(blank=True, help_text='none for the system', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='profile_values', to='customers.customer')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('ended_at', None)), fields=['field', 'value'], name='profile_value_current')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('customer', 'field'), name='profile_value_one_open')],
            },
        ),
        migrations.CreateModel(
            name='Resource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('customer', 'Told by the customer'), ('observed', 'Observed by staff'), ('system', 'System'), ('referral', 'Referral')], default='customer', max_length=8)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('direction', models.CharField(choices=[('need', 'Needs'), ('offer', 'Offers')], max_length=5)),
                ('word', models.CharField(help_text='from the list of resources', max_length=20)),
                ('urgency', models.PositiveSmallIntegerField(choices=[(1, 'Some day'), (2, 'This year'), (3, 'Now')], default=1)),
                ('note', models.CharField(blank=True, max_length=120)),
                ('by', models.ForeignKey(blank=True, help_text='none for the system', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='resources', to='customers.customer')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('ended_at', None)), fields=['direction', 'word', 'customer'], name='resource_current')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('customer', 'direction', 'word'), name='resource_once')],
            },
        ),
    ]
