from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactsConfig(AppConfig):
    """Floor 3: contacts, the contact regime, the Today list, opportunities."""

    name = "contacts"
    verbose_name = _("Contacts")

    def ready(self):
        """Let the floor below draw the meter of the regime and know who has talked with whom; register the words of events and the jobs."""
        from contacts import (
            event_words,  # noqa: F401
            familiarity,
            handing_over,
            meters,
            planning,  # noqa: F401
        )
        from customers import handover, regime_meter, ties

        regime_meter.read_by(meters.meters_of)
        handover.along(handing_over.move_along)
        handover.work_by(handing_over.open_work)
        ties.familiar_by(familiarity.talked)
