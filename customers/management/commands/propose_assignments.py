"""`manage.py propose_assignments --branch CODE`: the best sharing of those who wait at an outlet, with its proof."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localdate

from customers import proposal_record
from customers.assignment import Line
from customers.branch_proposal import as_figures, propose_branch
from customers.models import Customer
from staff.models import Branch, Staff
from staff.refusal import Refused
from staff.roles import Role


class Command(BaseCommand):
    help = "Propose managers for the customers of an outlet who wait; --apply assigns them in one transaction."

    def add_arguments(self, parser):
        parser.add_argument("--branch", required=True, help="code of the outlet")
        parser.add_argument("--apply", action="store_true", help="assign, in the name of the branch head")
        parser.add_argument(
            "--moving", action="store_true", help="let present relations move where others find a place by it"
        )
        parser.add_argument("--json", type=Path, help="write the lines to this file")

    def handle(self, *, branch, apply, json, moving, **options):
        outlet = Branch.objects.filter(code=branch).first()
        if outlet is None:
            raise CommandError(f"No institution has the code {branch}.")
        head = Staff.objects.active().of_role(Role.BRANCH_HEAD).filter(branch=outlet).order_by("staff_no").first()
        if head is None:
            raise CommandError(f"{outlet.name} has no active branch head, in whose sight and name this is done.")
        on = localdate()
        proposal, members = propose_branch(viewer=head, branch=outlet, on=on, moving=moving)
        figures = as_figures(proposal)
        for name in ("objective", "bound", "gap", "assigned", "unassigned", "managers_short", "seconds"):
            self.stdout.write(f"{name:<15} {figures[name]:,}")
        if json:
            self._write(json, proposal, members, figures, head)
        if apply and proposal.lines:
            self._apply(proposal, outlet, figures, head, on)

    def _write(self, path: Path, proposal, members, figures, head: Staff) -> None:
        numbers = dict(
            Customer.objects.visible_to(head)
            .filter(pk__in=[line.customer.id for line in proposal.lines])
            .values_list("pk", "customer_no")
        )
        lines = [
            {"customer_no": numbers[line.customer.id], "staff_no": members[line.member_id].staff_no, "reason": line.reason}
            for line in proposal.lines
        ]  # fmt: skip
        path.write_text(json.dumps(figures | {"lines": lines}, ensure_ascii=False, indent=1))
        self.stdout.write(f"Written to {path}.")

    def _apply(self, proposal, outlet: Branch, figures, head: Staff, on) -> None:
        customers = Customer.objects.visible_to(head).in_bulk([line.customer.id for line in proposal.lines])
        receivers = Staff.objects.in_bulk({line.member_id for line in proposal.lines})
        lines = [Line(customers[line.customer.id], receivers[line.member_id]) for line in proposal.lines]
        try:
            made = proposal_record.apply(
                branch=outlet, lines=lines, figures=figures, by=head, on=on, reason="propose_assignments"
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{len(made):,} assigned.")
