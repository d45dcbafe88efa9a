"""Products and holdings come by feed, and the net values of products."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0033_buildings_of_addresses'),
    ]

    operations = [
        migrations.CreateModel(
            name='ProductValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('data_date', models.DateField()),
                ('value', models.DecimalField(decimal_places=6, max_digits=16)),
                ('sequence', models.BigIntegerField(db_default=-1, default=-1)),
            ],
            options={
                'ordering': ['-data_date'],
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='holding',
            name='sequence',
            field=models.BigIntegerField(db_default=-1, default=-1, help_text="version of the feed's row"),
        ),
        migrations.AddField(
            model_name='product',
            name='sequence',
            field=models.BigIntegerField(db_default=-1, default=-1, help_text="version of the feed's row"),
        ),
        migrations.AddField(
            model_name='productvalue',
            name='product',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='values', to='customers.product'),
        ),
        migrations.AddConstraint(
            model_name='productvalue',
            constraint=models.UniqueConstraint(fields=('product', 'data_date'), name='product_value_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='productvalue',
            constraint=models.CheckConstraint(condition=models.Q(('value__gte', 0)), name='product_value_not_negative'),
        ),
    ]
