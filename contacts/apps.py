from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactsConfig(AppConfig):
    """Floor 3: contacts, the contact regime, the Today list, opportunities."""

    name = "contacts"
    verbose_name = _("Contacts")
