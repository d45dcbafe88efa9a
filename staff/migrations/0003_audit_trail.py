import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

HASH_FUNCTION = """
CREATE OR REPLACE FUNCTION staff_audit_hash(event staff_auditevent, at_position bigint, before text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        before, at_position, event.id, extract(epoch FROM event.at), event.staff_id, event.client_id, event.action,
        event.object_type, event.object_id, event.object_label, event.figures, host(event.ip), event.request_id
    )::text, 'UTF8')), 'hex')
$$
"""
"""Hashes a row in the database, so that the writer and the check read the same bytes."""


class Migration(migrations.Migration):
    dependencies = [("staff", "0002_api_clients")]

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "action",
                    models.CharField(help_text="such as customer.assigned", max_length=60, verbose_name="action"),
                ),
                ("object_type", models.CharField(blank=True, max_length=60)),
                ("object_id", models.CharField(blank=True, max_length=40)),
                ("object_label", models.CharField(blank=True, help_text="masked", max_length=120)),
                ("figures", models.JSONField(default=dict)),
                ("ip", models.GenericIPAddressField(blank=True, null=True)),
                ("request_id", models.CharField(blank=True, max_length=40)),
                ("position", models.BigIntegerField(editable=False, null=True, unique=True)),
                ("previous_hash", models.CharField(default="", editable=False, max_length=64)),
                ("hash", models.CharField(default="", editable=False, max_length=64)),
                (
                    "client",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="audit_events",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="audit_events",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["object_type", "object_id", "-id"], name="audit_by_object"),
                    models.Index(fields=["staff", "-id"], name="audit_by_staff"),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditevent",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_never_changes",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."position" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="76ccb7d211f9c799bb621df8ab251a74c91a7c25",
                    operation="UPDATE",
                    pgid="pgtrigger_audit_never_changes_2ac56",
                    table="staff_auditevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditevent",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_never_goes",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="ab20e9b2d396f7e0361a4e81938a3848bf40e258",
                    operation="DELETE",
                    pgid="pgtrigger_audit_never_goes_2a6a8",
                    table="staff_auditevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditevent",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_never_emptied",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'the audit trail cannot be emptied' USING ERRCODE = 'insufficient_privilege';",
                    hash="9932ee8b77e519b79deaf64a3279ab28470e2333",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_audit_never_emptied_aec97",
                    table="staff_auditevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(HASH_FUNCTION, "DROP FUNCTION staff_audit_hash(staff_auditevent, bigint, text)"),
        pgtrigger.migrations.AddTrigger(
            model_name="auditevent",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_joins_the_chain",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    constraint="CONSTRAINT",
                    declare="DECLARE last_position bigint; last_hash text; lock_taken text;",
                    func="\n                    SELECT pg_advisory_xact_lock(7201125)::text INTO lock_taken;\n                    SELECT position, hash INTO last_position, last_hash FROM staff_auditevent\n                        WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1;\n                    UPDATE staff_auditevent event SET\n                        position = COALESCE(last_position, 0) + 1,\n                        previous_hash = COALESCE(last_hash, ''),\n                        hash = staff_audit_hash(event, COALESCE(last_position, 0) + 1, COALESCE(last_hash, ''))\n                    WHERE id = NEW.id;\n                    RETURN NULL;\n                ",
                    hash="33595f47a9bea8db168eda00abb1d461d1dc8680",
                    operation="INSERT",
                    pgid="pgtrigger_audit_joins_the_chain_1460d",
                    table="staff_auditevent",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
    ]
