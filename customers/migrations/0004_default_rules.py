"""The thresholds and quotas a bank begins with (domain.md §§3, 5)."""

from datetime import date

from django.db import migrations

BEGINNING = date(1990, 1, 1)

FLOORS = {1: 100_000, 2: 500_000, 3: 1_000_000}

MANAGER = {3: (30, True), 2: (100, True), 1: (200, True), 0: (200, False)}
QUOTAS = {
    "relationship_manager": MANAGER,
    "wealth_manager": MANAGER,
    "branch_head": {3: (30, True)},
    "wealth_adviser": {3: (60, True)},
    "financial_adviser": {3: (60, True), 2: (400, True)},
    "lobby_manager": {1: (200, True)},
    "teller": {1: (200, True)},
}


def add(apps, schema_editor):
    tier_rule, quota_rule = apps.get_model("customers", "TierRule"), apps.get_model("customers", "QuotaRule")
    for tier, floor in FLOORS.items():
        tier_rule.objects.get_or_create(tier=tier, effective_from=BEGINNING, defaults={"floor": floor})
    for role, tiers in QUOTAS.items():
        for tier, (quota, is_limit) in tiers.items():
            quota_rule.objects.get_or_create(
                role=role, tier=tier, effective_from=BEGINNING, defaults={"quota": quota, "is_limit": is_limit}
            )


def remove(apps, schema_editor):
    for name in ("TierRule", "QuotaRule"):
        apps.get_model("customers", name).objects.filter(effective_from=BEGINNING).delete()


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_load_follows_assignments")]

    operations = [migrations.RunPython(add, remove)]
