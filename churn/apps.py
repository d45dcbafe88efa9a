from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChurnConfig(AppConfig):
    """Floor 4: who is about to take money away, why, and what was done about it."""

    name = "churn"
    verbose_name = _("Churn")

    def ready(self):
        from churn import reasons
        from contacts.reasons import CAUSES, SENTENCES

        SENTENCES.update(reasons.SENTENCES)
        CAUSES.update(reasons.CAUSES)
