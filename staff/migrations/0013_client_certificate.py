"""A client may be bound to a certificate, which the proxy that ends TLS checks."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('staff', '0012_webhooks'),
    ]

    operations = [
        migrations.AddField(
            model_name='apiclient',
            name='certificate',
            field=models.CharField(blank=True, db_default='', default='', help_text='SHA-256 of the certificate, 64 hexadecimal digits; none: no certificate is asked for.', max_length=64, verbose_name='client certificate'),
        ),
    ]
