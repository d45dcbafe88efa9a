"""The contact rules a bank begins with (domain.md §7)."""

from datetime import date

from django.db import migrations

BEGINNING = date(1990, 1, 1)

RULES = [
    {"code": "weekly_10", "contacts": 10},
    {"code": "quarterly_1", "contacts": 1},
    {"code": "diamond_month", "tier": 3, "phones": 2, "meetings": 1},
    {"code": "platinum_month", "tier": 2, "phones": 4, "meetings": 2},
    {"code": "gold_inactive", "tier": 1, "idle_days": 7},
]


def add(apps, schema_editor):
    rule = apps.get_model("contacts", "FrequencyRule")
    for values in RULES:
        rule.objects.get_or_create(code=values["code"], effective_from=BEGINNING, defaults=values)


def remove(apps, schema_editor):
    apps.get_model("contacts", "FrequencyRule").objects.filter(effective_from=BEGINNING).delete()


class Migration(migrations.Migration):
    dependencies = [("contacts", "0002_opportunity_moves")]

    operations = [migrations.RunPython(add, remove)]
