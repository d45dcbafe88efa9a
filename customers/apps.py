from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    """Floor 2: the customers, their money, and who looks after them."""

    name = "customers"
    verbose_name = _("Customers")

    def ready(self):
        """Register what jobs this floor does."""
        from customers import bulk, export  # noqa: F401
        from customers.feed import loading  # noqa: F401
        from customers.imports import batch  # noqa: F401
