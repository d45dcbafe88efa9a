"""Pay that comes in names who pays it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0035_fed_assessments'),
    ]

    operations = [
        migrations.AddField(
            model_name='transactionevent',
            name='organisation',
            field=models.CharField(blank=True, db_default='', default='', help_text='who pays, of a payroll', max_length=80),
        ),
    ]
