"""The two asset tables, partitioned by month, and the function that makes partitions as they are needed."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import staff.sealing
from django.conf import settings
from django.db import migrations, models

KINDS = (
    "demand", "time_deposit", "structured", "wealth", "fund", "insurance", "bond", "gold", "trust", "custody_cash"
)

DAILY = f"""
CREATE TABLE customers_dailyasset (
    customer_id bigint NOT NULL,
    data_date date NOT NULL,
    {" ".join(f"{kind} numeric(18,2) NOT NULL DEFAULT 0 CHECK ({kind} >= 0)," for kind in KINDS)}
    total numeric(18,2) GENERATED ALWAYS AS ({" + ".join(KINDS)}) STORED,
    loan_balance numeric(18,2) NOT NULL DEFAULT 0 CHECK (loan_balance >= 0),
    card_outstanding numeric(18,2) NOT NULL DEFAULT 0 CHECK (card_outstanding >= 0),
    sequence bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (customer_id, data_date)
) PARTITION BY RANGE (data_date)
"""

MONTHLY = f"""
CREATE TABLE customers_monthlyasset (
    customer_id bigint NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    days smallint NOT NULL CHECK (days > 0),
    {" ".join(f"{name} numeric(18,2) NOT NULL," for name in (
        "month_avg", "year_avg", "month_end", "last7_avg", "lowest", "highest", "inflow", "outflow"))}
    {", ".join(f"{kind} numeric(18,2) NOT NULL DEFAULT 0" for kind in KINDS)},
    PRIMARY KEY (customer_id, month)
) PARTITION BY RANGE (month)
"""

ENSURE = """
CREATE FUNCTION customers_ensure_partitions(first date, last date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    month date := date_trunc('month', first);
    base text;
    made integer := 0;
BEGIN
    WHILE month <= last LOOP
        FOREACH base IN ARRAY ARRAY['customers_dailyasset', 'customers_monthlyasset'] LOOP
            IF to_regclass(format('%s_%s', base, to_char(month, 'YYYY_MM'))) IS NULL THEN
                -- Two feeds may need a month at once: one makes it, the other finds it made.
                PERFORM pg_advisory_xact_lock(hashtext('customers_ensure_partitions'));
                EXECUTE format('CREATE TABLE IF NOT EXISTS %s_%s PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                               base, to_char(month, 'YYYY_MM'), base, month, (month + interval '1 month')::date);
                made := made + 1;
            END IF;
        END LOOP;
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN made;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_customers")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(DAILY, "DROP TABLE customers_dailyasset"),
                migrations.RunSQL(MONTHLY, "DROP TABLE customers_monthlyasset"),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='DailyAsset',
                    fields=[
                        ('pk', models.CompositePrimaryKey('customer_id', 'data_date', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('data_date', models.DateField()),
                        ('demand', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('time_deposit', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('structured', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('wealth', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('fund', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('insurance', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('bond', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('gold', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('trust', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('custody_cash', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('total', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('demand'), '+', models.F('time_deposit')), '+', models.F('structured')), '+', models.F('wealth')), '+', models.F('fund')), '+', models.F('insurance')), '+', models.F('bond')), '+', models.F('gold')), '+', models.F('trust')), '+', models.F('custody_cash')), output_field=models.DecimalField(decimal_places=2, max_digits=18))),
                        ('loan_balance', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('card_outstanding', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('sequence', models.BigIntegerField(db_default=0, default=0)),
                        ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='daily_assets', to='customers.customer')),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='MonthlyAsset',
                    fields=[
                        ('pk', models.CompositePrimaryKey('customer_id', 'month', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('month', models.DateField(help_text='its first day')),
                        ('days', models.PositiveSmallIntegerField(help_text='days counted so far: the divisor of the average')),
                        ('month_avg', models.DecimalField(decimal_places=2, max_digits=18)),
                        ('year_avg', models.DecimalField(decimal_places=2, max_digits=18)),
                        ('month_end', models.DecimalField(decimal_places=2, help_text='AUM of the last day counted', max_digits=18)),
                        ('last7_avg', models.DecimalField(decimal_places=2, max_digits=18)),
                        ('lowest', models.DecimalField(decimal_places=2, max_digits=18)),
                        ('highest', models.DecimalField(decimal_places=2, max_digits=18)),
                        ('inflow', models.DecimalField(decimal_places=2, max_digits=18)),
                        ('outflow', models.DecimalField(decimal_places=2, max_digits=18)),
                        ('demand', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('time_deposit', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('structured', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('wealth', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('fund', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('insurance', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('bond', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('gold', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('trust', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('custody_cash', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=18)),
                        ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='monthly_assets', to='customers.customer')),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
            ],
        ),
        migrations.RunSQL(ENSURE, "DROP FUNCTION customers_ensure_partitions(date, date)"),
    ]
