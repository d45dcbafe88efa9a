from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StaffConfig(AppConfig):
    """Floor 1: branches, people and their roles; and what every room stands on (audit, outbox, night log, API doors)."""

    name = "staff"
    verbose_name = _("Staff")
