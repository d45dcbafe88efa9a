"""Fill the hash of the building for addresses that are here already."""

from django.db import migrations

CHUNK = 2000


def fill(apps, schema_editor):
    from customers.identity import building_key, hash_of

    Customer = apps.get_model("customers", "Customer")
    last = 0
    while True:
        part = list(
            Customer.objects.filter(pk__gt=last).exclude(address_masked="").only("pk", "address").order_by("pk")[:CHUNK]
        )
        if not part:
            return
        for customer in part:
            customer.building_hash = hash_of(building_key(customer.address or ""))
        Customer.objects.bulk_update(part, ["building_hash"])
        last = part[-1].pk


class Migration(migrations.Migration):

    dependencies = [
        ("customers", "0032_building_hash"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
