"""Who calls the API, and what each call was answered."""

from datetime import timedelta
from ipaddress import ip_address, ip_network

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractApplication

from staff.models.people import Branch
from staff.roles import Scope


class ApiClient(AbstractApplication):
    """A system that calls the API: an OAuth application bound to a branch, and to the scopes it was granted."""

    branch = models.ForeignKey(Branch, models.PROTECT, related_name="api_clients")
    allowed_scopes = models.TextField(help_text=_("such as customers:write assets:write, spaces between"))
    allowed_addresses = models.TextField(
        _("may call from"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Addresses or networks, spaces between; none: from anywhere."),
    )
    certificate = models.CharField(
        _("client certificate"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text=_("SHA-256 of the certificate, 64 hexadecimal digits; none: no certificate is asked for."),
    )
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta(AbstractApplication.Meta):
        default_permissions = ()

    def __str__(self):
        return self.name

    def may_call_from(self, address: str | None) -> bool:
        """Say whether the client may call from an address; without a list it may from anywhere."""
        networks = [ip_network(each) for each in self.allowed_addresses.split()]
        return not networks or (address is not None and any(ip_address(address) in network for network in networks))

    @property
    def scope(self) -> Scope:
        """Return which customers the client sees: those of its branch and beneath, as `visible_to` asks."""
        return Scope.BENEATH

    @property
    def sees_names_masked(self) -> bool:
        return False

    @property
    def sees_bands(self) -> bool:
        return False


KEPT_FOR = timedelta(days=7)


class IdempotencyRecordQuerySet(models.QuerySet):
    def forgettable(self):
        """Keep answers so old that no caller repeats his call any more."""
        return self.filter(created_at__lt=timezone.now() - KEPT_FOR)


class IdempotencyRecord(models.Model):
    """The answer that one client got for one Idempotency-Key, stored in the transaction of the effect."""

    client = models.ForeignKey(ApiClient, models.CASCADE, related_name="idempotency_records")
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64, help_text=_("SHA-256 of method, path and body"))
    status_code = models.PositiveSmallIntegerField()
    response = models.JSONField()
    created_at = models.DateTimeField(db_default=models.functions.Now())

    objects = IdempotencyRecordQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(name="idempotency_key_once_a_client", fields=["client", "key"])]
        indexes = [
            # What the daily clean-up forgets.
            models.Index(name="idempotency_by_age", fields=["created_at"]),
        ]

    def __str__(self):
        return f"{self.client_id} {self.key}"
