"""A month keeps the sum of its days, and each day once it is over; late balances mark the month they change."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# What an older row can tell: the average times its days, right to half a cent a day.
FILL = "UPDATE customers_monthlyasset SET balances = month_avg * days WHERE balances IS NULL"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0008_list_memory")]

    operations = [
        migrations.AddField(
            model_name="monthlyasset",
            name="balances",
            field=models.DecimalField(
                max_digits=20, decimal_places=2, null=True, help_text="sum of the end-of-day AUM of the days counted"
            ),
        ),
        migrations.AddField(
            model_name="monthlyasset",
            name="day_cents",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                null=True,
                help_text="AUM of each day of a month that is over, in cents, 0 before opening",
                size=None,
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="monthlyasset",
            name="balances",
            field=models.DecimalField(
                max_digits=20, decimal_places=2, help_text="sum of the end-of-day AUM of the days counted"
            ),
        ),
        migrations.CreateModel(
            name="LateBalance",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id", "month", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("month", models.DateField(help_text="its first day")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
    ]
