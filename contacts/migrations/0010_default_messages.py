"""The words a bank begins with; birthday greetings leave by themselves, the rest are released (domain.md §7)."""

from django.db import migrations

WORDS = {
    "birthday": ("{name}{title}，生日快乐！愿您身体康健、诸事顺遂。{branch}{manager}敬上。退订回TD", True),
    "festival": ("{name}{title}，{festival}{wish}！感谢您一直以来的信任，祝您和家人平安喜乐。{branch}{manager}敬上。退订回TD", False),
    "maturity": ("{name}{title}，您的{product}将于{day}到期，如需安排续存或支取，请联系客户经理{manager}。{branch}", False),
}


def add(apps, schema_editor):
    template = apps.get_model("contacts", "MessageTemplate")
    for kind, (body, auto_release) in WORDS.items():
        template.objects.get_or_create(
            kind=kind, status="approved", defaults={"body": body, "auto_release": auto_release}
        )


def remove(apps, schema_editor):
    apps.get_model("contacts", "MessageTemplate").objects.filter(made_by=None).delete()


class Migration(migrations.Migration):
    dependencies = [("contacts", "0009_messages")]
    operations = [migrations.RunPython(add, remove)]
