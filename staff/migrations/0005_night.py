import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("staff", "0004_outbox")]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("part", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="NightRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("business_date", models.DateField(unique=True, verbose_name="business date")),
                (
                    "status",
                    models.CharField(
                        choices=[("running", "Running"), ("done", "Complete"), ("failed", "With failures")],
                        default="running",
                        max_length=8,
                    ),
                ),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "done"), _negated=True), ("finished_at__isnull", False), _connector="OR"
                        ),
                        name="night_run_done_has_an_end",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="NightStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.CharField(max_length=24)),
                (
                    "position",
                    models.PositiveSmallIntegerField(help_text="a step begins when the branch's lower ones are done"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Complete"),
                            ("failed", "Failed"),
                            ("skipped", "Not due"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("rows", models.PositiveIntegerField(default=0)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "branch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="staff.branch",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="staff.nightrun"
                    ),
                ),
            ],
            options={
                "ordering": ["position", "branch", "id"],
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="nightstep",
            constraint=models.UniqueConstraint(
                fields=("run", "step", "branch"), name="night_step_once_a_branch", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="nightstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "done"), _negated=True), ("finished_at__isnull", False), _connector="OR"
                ),
                name="night_step_done_has_an_end",
            ),
        ),
    ]
