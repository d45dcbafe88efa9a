"""Institutions and the people who work in them."""

from decimal import Decimal

import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff.roles import SEES_BANDS, SEES_NAMES_MASKED, Role, Scope, permissions_of, scope_of


class BranchQuerySet(models.QuerySet):
    def under(self, branch_id):
        """Keep a branch and all beneath it, in one query: each path names every branch above."""
        return self.filter(path__contains=f"/{branch_id}/")

    def above(self, branch_id):
        """Keep a branch and all above it, in one query."""
        named = Concat(Value("/"), Cast(OuterRef("pk"), models.CharField()), Value("/"))
        return self.filter(Exists(Branch.objects.filter(pk=branch_id, path__contains=named)))

    def outlets(self):
        """Keep the institutions where customers are served."""
        return self.filter(level=Branch.Level.OUTLET)

    def active(self):
        return self.filter(active=True)


class Branch(models.Model):
    """An institution of the bank's tree: head office, branches, sub-branches, outlets.

    `path` is every id from the root down to this one, "/1/3/7/". The database writes it, whatever
    inserts or moves a branch, moves everything beneath along, and refuses a circle.
    """

    class Level(models.TextChoices):
        HEAD_OFFICE = "head_office", _("Head office")
        BRANCH = "branch", pgettext_lazy("level", "Branch")
        SUB_BRANCH = "sub_branch", _("Sub-branch")
        OUTLET = "outlet", _("Outlet")

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=80)
    level = models.CharField(_("level"), max_length=12, choices=Level)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=200, default="", blank=True, editable=False)
    address = models.CharField(_("address"), max_length=200, blank=True)
    active = models.BooleanField(_("active"), default=True)
    sequence = models.BigIntegerField(default=-1, db_default=-1, help_text=_("version of the feed's row"))

    objects = BranchQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                name="branch_head_office_is_the_root", condition=~Q(level="head_office") | Q(parent=None)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="branch_path_of_parent",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("parent_id"),
                declare=[("above", "text")],
                func="""
                    above := COALESCE((SELECT path FROM staff_branch WHERE id = NEW.parent_id), '/');
                    IF above LIKE '%/' || NEW.id || '/%' THEN
                        RAISE EXCEPTION 'branch % cannot be beneath itself', NEW.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'branch_not_beneath_itself';
                    END IF;
                    NEW.path := above || NEW.id || '/';
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="branch_path_moves_along",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("parent_id"),
                condition=pgtrigger.Condition("OLD.path IS DISTINCT FROM NEW.path"),
                func="""
                    UPDATE staff_branch SET path = NEW.path || substr(path, length(OLD.path) + 1)
                    WHERE path LIKE OLD.path || '%' AND id <> NEW.id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        self.refresh_from_db(fields=["path"])


class StaffQuerySet(models.QuerySet):
    def active(self):
        """Keep those who may sign in."""
        return self.filter(is_active=True)

    def of_role(self, *roles):
        return self.filter(role__in=roles)

    def members_of(self, branch_id):
        """Keep the people of a branch and of all beneath it."""
        return self.filter(branch__in=Branch.objects.under(branch_id))


class StaffManager(BaseUserManager.from_queryset(StaffQuerySet)):
    def create_user(self, staff_no, password=None, **fields):
        """Make a member of staff; without a password nobody can sign in as them."""
        staff = self.model(staff_no=staff_no, **fields)
        staff.set_password(password)
        staff.save()
        return staff

    def get_by_natural_key(self, staff_no):
        return self.get(staff_no=staff_no)


class Staff(AbstractBaseUser):
    """A member of staff, who signs in with the employee number. One role each, so administrators stay apart.

    `capacity_factor` is how much of a full load the member can carry, 1.00 = 100 %.
    """

    class Theme(models.TextChoices):
        AUTO = "auto", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    class Language(models.TextChoices):
        CHINESE = "zh-hans", "中文"
        ENGLISH = "en", "English"

    staff_no = models.CharField(_("employee number"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=40)
    role = models.CharField(_("role"), max_length=24, choices=Role)
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="staff", verbose_name=_("branch"))
    mobile = models.CharField(_("mobile"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    post_since = models.DateField(_("in post since"), null=True, blank=True)
    capacity_factor = models.DecimalField(max_digits=3, decimal_places=2, default=1, db_default=1)
    mentor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="mentored")
    skills = models.CharField(max_length=120, blank=True, help_text=_("what the member is good at, spaces between"))
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    language = models.CharField(max_length=8, choices=Language, default=Language.CHINESE, db_default="zh-hans")
    theme = models.CharField(max_length=5, choices=Theme, default=Theme.AUTO, db_default="auto")
    sequence = models.BigIntegerField(default=-1, db_default=-1, help_text=_("version of the feed's row"))
    single_keys = models.BooleanField(default=True, db_default=True, help_text=_("single-key shortcuts are on"))

    objects = StaffManager()

    USERNAME_FIELD = "staff_no"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name", "role", "branch"]

    class Meta:
        default_permissions = ()
        ordering = ["staff_no"]
        constraints = [
            models.CheckConstraint(
                name="staff_capacity_factor_in_range",
                condition=Q(capacity_factor__range=(Decimal("0.10"), Decimal("1.50"))),
            ),
            models.CheckConstraint(name="staff_role_is_known", condition=Q(role__in=[str(role) for role in Role])),
        ]
        indexes = [
            # Members of a branch by role: assignment, night mails.
            models.Index(name="staff_active_by_branch", fields=["branch", "role"], condition=Q(is_active=True)),
        ]

    def __str__(self):
        return self.name

    def get_full_name(self):
        return self.name

    def get_short_name(self):
        return self.name

    def get_session_auth_hash(self):
        """Return what a session is bound to: a new password, role or branch ends every session at once."""
        bound = f"{self.password}|{self.role}|{self.branch_id}"
        return salted_hmac("staff.models.Staff.session", bound, algorithm="sha256").hexdigest()

    @property
    def scope(self) -> Scope:
        return scope_of(self.role)

    @property
    def sees_many(self) -> bool:
        """Say whether the member sees the customers of more than one outlet: counting those takes seconds."""
        return self.scope in (Scope.ALL, Scope.BENEATH) and self.branch.level != Branch.Level.OUTLET

    @property
    def sees_names_masked(self) -> bool:
        return self.role in SEES_NAMES_MASKED

    @property
    def sees_bands(self) -> bool:
        return self.role in SEES_BANDS

    def has_perm(self, perm, obj=None):
        """Say whether the role grants an action such as "customers.assign_customer"."""
        return self.is_active and perm in permissions_of(self.role)

    def has_perms(self, perm_list, obj=None):
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label):
        return self.is_active and any(perm.startswith(f"{app_label}.") for perm in permissions_of(self.role))
