"""Who may see and do what, by role (domain.md §4). Data, no database."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    BRANCH_HEAD = "branch_head", _("Branch head")
    SUB_BRANCH_PRESIDENT = "sub_branch_president", _("Sub-branch president")
    RETAIL_ADMIN = "retail_admin", _("Retail banking administration")
    RELATIONSHIP_MANAGER = "relationship_manager", _("Relationship manager")
    WEALTH_MANAGER = "wealth_manager", _("Wealth manager")
    WEALTH_ADVISER = "wealth_adviser", _("Wealth adviser")
    FINANCIAL_ADVISER = "financial_adviser", _("Financial adviser")
    LOBBY_MANAGER = "lobby_manager", _("Lobby manager")
    TELLER = "teller", _("Teller")
    PRODUCT_SPECIALIST = "product_specialist", _("Product specialist")
    OUTREACH_MARKETER = "outreach_marketer", _("Outreach marketer")
    TRAINER = "trainer", _("Trainer")
    AUDITOR = "auditor", _("Auditor")
    SYS_ADMIN = "sys_admin", _("System administrator")


class Scope(models.TextChoices):
    """Which customers a viewer sees: all, those of a branch and beneath it, those served, none."""

    ALL = "all"
    BENEATH = "beneath"
    OWN = "own"
    NONE = "none"


SCOPES = {
    Role.BRANCH_HEAD: Scope.BENEATH,
    Role.SUB_BRANCH_PRESIDENT: Scope.BENEATH,
    Role.RETAIL_ADMIN: Scope.BENEATH,
    Role.RELATIONSHIP_MANAGER: Scope.OWN,
    Role.WEALTH_MANAGER: Scope.OWN,
    Role.WEALTH_ADVISER: Scope.OWN,
    Role.FINANCIAL_ADVISER: Scope.OWN,
    Role.LOBBY_MANAGER: Scope.OWN,
    Role.TELLER: Scope.OWN,
    Role.AUDITOR: Scope.ALL,
}
"""Roles that are not here see no customer."""

_SERVE = {
    "customers.view_customer",
    "customers.edit_profile",
    "customers.tag_customer",
    "customers.nominate_customer",
    "customers.reveal_sensitive",
    "contacts.log_contact",
    "contacts.enter_event",
    "contacts.move_opportunity",
}
_FOLLOW_RISK = {"churn.view_alert", "churn.handle_alert"}
_SUPERVISE = {
    "customers.view_customer",
    "customers.assign_customer",
    "customers.reveal_sensitive",
    "customers.export_customer",
    "customers.tag_customer",
    "customers.manage_segment",
    "customers.import_file",
    "customers.merge_customer",
    "churn.view_alert",
    "churn.handle_alert",
    "churn.view_model",
    "staff.view_night",
    "customers.view_rules",
    "contacts.enter_event",
    "contacts.publish_event",
    "contacts.view_compliance",
}
_ASK = {"customers.ask_adjustment"}
_WRITE = {"contacts.release_message", "contacts.plan_activity"}
"""Lobby managers and tellers may not write to customers (domain.md §7), nor plan activities."""

PERMISSIONS = {
    Role.BRANCH_HEAD: _SUPERVISE | _SERVE | _WRITE | {"staff.manage_qualification", "contacts.edit_template"},
    Role.SUB_BRANCH_PRESIDENT: _SUPERVISE | _WRITE | {"contacts.edit_template", "contacts.approve_template"},
    Role.RETAIL_ADMIN: {
        "customers.view_customer",
        "contacts.enter_event",
        "contacts.publish_event",
        "contacts.view_compliance",
        "contacts.edit_template",
        "contacts.approve_template",
        "customers.view_rules",
        "customers.edit_rules",
        "customers.edit_product",
        "staff.manage_qualification",
        "customers.manage_segment",
        "customers.export_customer",
        "customers.reveal_sensitive",
        "churn.view_alert",
        "churn.view_model",
        "churn.release_model",
        "staff.view_night",
        "staff.view_outbox",
    },
    Role.RELATIONSHIP_MANAGER: _SERVE | _FOLLOW_RISK | _ASK | _WRITE | {"contacts.view_compliance"},
    Role.WEALTH_MANAGER: _SERVE | _FOLLOW_RISK | _ASK | _WRITE | {"contacts.view_compliance"},
    Role.WEALTH_ADVISER: {"customers.view_customer", "contacts.log_contact"},
    Role.FINANCIAL_ADVISER: {"customers.view_customer", "contacts.log_contact"},
    Role.LOBBY_MANAGER: _SERVE - {"contacts.move_opportunity"} | _FOLLOW_RISK | _ASK,
    Role.TELLER: _SERVE - {"contacts.move_opportunity", "customers.reveal_sensitive", "customers.edit_profile"},
    Role.AUDITOR: {
        "customers.view_customer",
        "contacts.view_compliance",
        "customers.view_rules",
        "churn.view_alert",
        "churn.view_model",
        "staff.view_audit",
    },
    Role.SYS_ADMIN: {
        "staff.manage_staff",
        "staff.manage_client",
        "staff.view_night",
        "staff.view_outbox",
        "staff.send_mail_again",
    },
}
"""What a role may do, asked for at the door of a page; which rows is `visible_to`'s question."""

HEADS = (Role.BRANCH_HEAD, Role.SUB_BRANCH_PRESIDENT)
"""Those who decide over the people and customers of a branch."""

SELLERS = (
    Role.BRANCH_HEAD,
    Role.RELATIONSHIP_MANAGER,
    Role.WEALTH_MANAGER,
    Role.WEALTH_ADVISER,
    Role.FINANCIAL_ADVISER,
    Role.LOBBY_MANAGER,
    Role.TELLER,
)
"""Those who sell at an outlet, and so need qualifications for some products."""

SEES_NAMES_MASKED = {Role.RETAIL_ADMIN, Role.AUDITOR}
"""Those who see many customers and serve none (reliability.md §3)."""

SEES_BANDS = {Role.TELLER}
"""Those who see amounts as bands only (domain.md §4)."""


def scope_of(role: str) -> Scope:
    """Return which customers a role sees; none unless the table grants it."""
    return SCOPES.get(role, Scope.NONE)


def permissions_of(role: str) -> frozenset[str]:
    """Return what a role may do; nothing unless the table grants it."""
    return frozenset(PERMISSIONS.get(role, ()))
