"""Every alert that there was had been given to its manager on the morning it opened."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("churn", "0004_alert_cases")]

    operations = [
        migrations.RunSQL("UPDATE churn_churnalert SET sent_on = opened_on WHERE sent_on IS NULL", migrations.RunSQL.noop),
    ]
