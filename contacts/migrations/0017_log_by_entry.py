"""Contacts in the order of their entry, by which webhooks find them."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0016_referrals_and_special_products'),
        ('customers', '0038_tier_change_time'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='contactlog',
            index=models.Index(fields=['created_at'], name='contact_log_by_entry'),
        ),
    ]
