from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChurnConfig(AppConfig):
    """Floor 4: who is about to take money away, why, and what was done about it."""

    name = "churn"
    verbose_name = _("Churn")

    def ready(self):
        from churn import reasons
        from churn.alerts import OPPORTUNITIES
        from contacts.opportunity_sources import SOURCES
        from contacts.reasons import CAUSES, SENTENCES

        SOURCES.append(OPPORTUNITIES)

        SENTENCES.update(reasons.SENTENCES)
        CAUSES.update(reasons.CAUSES)
