from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    """Floor 2: the customers, their money, and who looks after them."""

    name = "customers"
    verbose_name = _("Customers")
