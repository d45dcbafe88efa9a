"""A model may be the mean of several forms: the numbers of the one form there was become the first member."""

import hashlib
import json

from django.db import migrations


def _fingerprint(parameters):
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _rewrite(version, parameters):
    if _fingerprint(version.parameters) == version.sha256:  # numbers that had been changed must go on being refused
        version.sha256 = _fingerprint(parameters)
    version.parameters = parameters
    version.save(update_fields=["parameters", "sha256"])


def wrap(apps, schema_editor):
    for version in apps.get_model("churn", "ChurnModelVersion").objects.all():
        rest = dict(version.parameters)
        member = {"form": "lines", "features": rest.pop("features"), "intercept": rest.pop("intercept")}
        _rewrite(version, rest | {"members": [member]})


def unwrap(apps, schema_editor):
    for version in apps.get_model("churn", "ChurnModelVersion").objects.all():
        rest = dict(version.parameters)
        (member,) = rest.pop("members")  # a blend has no earlier form: take it out of the table first
        _rewrite(version, rest | {"features": member["features"], "intercept": member["intercept"]})


class Migration(migrations.Migration):
    dependencies = [("churn", "0002_scoring_run")]

    operations = [migrations.RunPython(wrap, unwrap)]
