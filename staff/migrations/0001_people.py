from decimal import Decimal

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Staff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("staff_no", models.CharField(max_length=20, unique=True, verbose_name="employee number")),
                ("name", models.CharField(max_length=40, verbose_name="name")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("branch_head", "Branch head"),
                            ("sub_branch_president", "Sub-branch president"),
                            ("retail_admin", "Retail banking administration"),
                            ("relationship_manager", "Relationship manager"),
                            ("wealth_manager", "Wealth manager"),
                            ("wealth_adviser", "Wealth adviser"),
                            ("financial_adviser", "Financial adviser"),
                            ("lobby_manager", "Lobby manager"),
                            ("teller", "Teller"),
                            ("product_specialist", "Product specialist"),
                            ("outreach_marketer", "Outreach marketer"),
                            ("trainer", "Trainer"),
                            ("auditor", "Auditor"),
                            ("sys_admin", "System administrator"),
                        ],
                        max_length=24,
                        verbose_name="role",
                    ),
                ),
                ("mobile", models.CharField(blank=True, max_length=20, verbose_name="mobile")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("post_since", models.DateField(blank=True, null=True, verbose_name="in post since")),
                ("capacity_factor", models.DecimalField(db_default=1, decimal_places=2, default=1, max_digits=3)),
                (
                    "skills",
                    models.CharField(
                        blank=True, help_text="what the member is good at, spaces between", max_length=120
                    ),
                ),
                ("is_active", models.BooleanField(db_default=True, default=True, verbose_name="active")),
                (
                    "language",
                    models.CharField(
                        choices=[("zh-hans", "中文"), ("en", "English")],
                        db_default="zh-hans",
                        default="zh-hans",
                        max_length=8,
                    ),
                ),
                (
                    "theme",
                    models.CharField(
                        choices=[("auto", "As the system"), ("light", "Light"), ("dark", "Dark")],
                        db_default="auto",
                        default="auto",
                        max_length=5,
                    ),
                ),
                (
                    "single_keys",
                    models.BooleanField(db_default=True, default=True, help_text="single-key shortcuts are on"),
                ),
                (
                    "mentor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mentored",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["staff_no"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Branch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20, unique=True, verbose_name="code")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("head_office", "Head office"),
                            ("branch", "Branch"),
                            ("sub_branch", "Sub-branch"),
                            ("outlet", "Outlet"),
                        ],
                        max_length=12,
                        verbose_name="level",
                    ),
                ),
                ("path", models.CharField(blank=True, default="", editable=False, max_length=200)),
                ("address", models.CharField(blank=True, max_length=200, verbose_name="address")),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="staff.branch",
                    ),
                ),
            ],
            options={
                "ordering": ["code"],
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="staff",
            name="branch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="staff",
                to="staff.branch",
                verbose_name="branch",
            ),
        ),
        migrations.AddConstraint(
            model_name="branch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("level", "head_office"), _negated=True), ("parent", None), _connector="OR"
                ),
                name="branch_head_office_is_the_root",
            ),
        ),
        migrations.AddIndex(
            model_name="staff",
            index=models.Index(
                condition=models.Q(("is_active", True)), fields=["branch", "role"], name="staff_active_by_branch"
            ),
        ),
        migrations.AddConstraint(
            model_name="staff",
            constraint=models.CheckConstraint(
                condition=models.Q(("capacity_factor__range", (Decimal("0.10"), Decimal("1.50")))),
                name="staff_capacity_factor_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="staff",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "branch_head",
                            "sub_branch_president",
                            "retail_admin",
                            "relationship_manager",
                            "wealth_manager",
                            "wealth_adviser",
                            "financial_adviser",
                            "lobby_manager",
                            "teller",
                            "product_specialist",
                            "outreach_marketer",
                            "trainer",
                            "auditor",
                            "sys_admin",
                        ],
                    )
                ),
                name="staff_role_is_known",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="branch",
            trigger=pgtrigger.compiler.Trigger(
                name="branch_path_of_parent",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE above text;",
                    func="\n                    above := COALESCE((SELECT path FROM staff_branch WHERE id = NEW.parent_id), '/');\n                    IF above LIKE '%/' || NEW.id || '/%' THEN\n                        RAISE EXCEPTION 'branch % cannot be beneath itself', NEW.id\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'branch_not_beneath_itself';\n                    END IF;\n                    NEW.path := above || NEW.id || '/';\n                    RETURN NEW;\n                ",
                    hash="d07a907a257935800f3636b3613e730c28c7f814",
                    operation='INSERT OR UPDATE OF "parent_id"',
                    pgid="pgtrigger_branch_path_of_parent_69ef7",
                    table="staff_branch",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="branch",
            trigger=pgtrigger.compiler.Trigger(
                name="branch_path_moves_along",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.path IS DISTINCT FROM NEW.path)",
                    func="\n                    UPDATE staff_branch SET path = NEW.path || substr(path, length(OLD.path) + 1)\n                    WHERE path LIKE OLD.path || '%' AND id <> NEW.id;\n                    RETURN NULL;\n                ",
                    hash="9d49aa5403b66b110640b608eee468e1c1872691",
                    operation='UPDATE OF "parent_id"',
                    pgid="pgtrigger_branch_path_moves_along_8fe92",
                    table="staff_branch",
                    when="AFTER",
                ),
            ),
        ),
    ]
