"""Fill the hashes by which the same identity number and mobile are found again."""

from django.db import migrations

CHUNK = 2000


def fill(apps, schema_editor):
    from customers.identity import hash_of, identity_key, mobile_key

    Customer = apps.get_model("customers", "Customer")
    last = 0
    while True:
        part = list(Customer.objects.filter(pk__gt=last).only("pk", "id_no", "mobile").order_by("pk")[:CHUNK])
        if not part:
            return
        for customer in part:
            customer.id_no_hash = hash_of(identity_key(customer.id_no or ""))
            customer.mobile_hash = hash_of(mobile_key(customer.mobile or ""))
        Customer.objects.bulk_update(part, ["id_no_hash", "mobile_hash"])
        last = part[-1].pk


class Migration(migrations.Migration):

    dependencies = [
        ("customers", "0014_import_batches"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
