"""What the audit trail calls the actions that rooms record, for people to read."""

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "staff.signed_in": _("Signed in"),
    "staff.signed_out": _("Signed out"),
    "staff.sign_in_failed": _("Wrong password"),
    "customer.assigned": _("Customer assigned"),
    "customer.unassigned": _("Assignment ended"),
    "customer.assignment_undone": _("Assignment taken back"),
    "customer.viewed": _("Customer viewed"),
    "customer.dialled": _("Customer dialled"),
    "customer.revealed": _("Field revealed"),
    "customer.exported": _("Customers exported"),
    "feed.taken": _("Rows of the core bank taken"),
    "contact.logged": _("Contact logged"),
    "contact.voided": _("Contact voided"),
    "task.snoozed": _("Task put off"),
    "task.dismissed": _("Task dismissed"),
    "task.reopened": _("Task reopened"),
    "opportunity.opened": _("Opportunity opened"),
    "opportunity.moved": _("Opportunity moved"),
    "opportunity.move_undone": _("Move of an opportunity taken back"),
    "alert.settled": _("Alert settled"),
    "alert.followed_up": _("Alert followed up"),
    "alert.reopened": _("Outcome of an alert taken back"),
    "model.trained": _("Churn model trained"),
    "model.released": _("Churn model released"),
    "client.created": _("API client created"),
    "job.stopped": _("Job stopped"),
    "job.again": _("Job begun again"),
    "job.result_taken": _("Result of a job downloaded"),
    "mail.offered_again": _("Mail sent again"),
}

OBJECTS = {
    "staff.staff": _("Staff"),
    "staff.branch": _("Institution"),
    "staff.apiclient": _("API client"),
    "staff.outboxemail": _("Mail"),
    "staff.job": _("Job"),
    "customers.customer": _("Customer"),
    "contacts.contactlog": _("Contact"),
    "contacts.contacttask": _("Task"),
    "contacts.opportunity": _("Opportunity"),
    "churn.churnalert": _("Alert"),
    "churn.churnmodelversion": _("Churn model"),
}

FIGURES = {
    "amount": _("amount"),
    "before": _("before"),
    "branch": _("branch"),
    "channel": _("way"),
    "day": _("day"),
    "field": _("field"),
    "kind": _("kind"),
    "new": _("new"),
    "old": _("old"),
    "on": _("day"),
    "purpose": _("purpose"),
    "reason": _("reason"),
    "result": _("result"),
    "scopes": _("scopes"),
    "to": _("to"),
    "until": _("until"),
}

STEPS = {
    "assets": _("Assets complete"),
    "averages": _("Averages"),
    "rating": _("Rating"),
    "regime": _("Contact regime"),
    "scores": _("Churn scores"),
    "alerts": _("Alerts"),
    "tasks": _("Today's tasks"),
    "mail": _("E-mails"),
}
"""What the run log calls the steps of a night."""
