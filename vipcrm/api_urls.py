"""The API's addresses, its token endpoint, its schema and the browsable reference."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.decorators.http import conditional_page
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from churn.api import churn_alert_acknowledge, churn_alerts, churn_scores
from contacts import contacts_api, events_api, messages_api
from customers import assignments_api, read_api
from customers.feed_api import feed_urls
from staff.api.token import token
from vipcrm.changes_api import changes
from vipcrm.days_api import day_close
from vipcrm.kpi_api import kpis

app_name = "api"


def _read(view):
    """Open a list to clients: with an ETag, so that what has not changed is answered by 304."""
    return login_not_required(conditional_page(view))


urlpatterns = [
    path("oauth/token/", token, name="token"),
    *feed_urls(),
    path("customers/", _read(read_api.customers), name="customers"),
    path("customers/<str:customer_no>/", _read(read_api.customer), name="customer"),
    path("tier-changes/", _read(read_api.tier_changes), name="tier_changes"),
    path("consents/", _read(read_api.consents), name="consents"),
    path("contacts/", _read(contacts_api.contacts), name="contacts"),
    path("events/", _read(events_api.events), name="events"),
    path("opportunities/", _read(contacts_api.opportunities), name="opportunities"),
    path("churn/scores/", _read(churn_scores), name="churn_scores"),
    path("churn/alerts/<int:pk>:acknowledge", login_not_required(churn_alert_acknowledge), name="churn_acknowledge"),
    path("assignments/", _read(assignments_api.assignments), name="assignments"),
    path("assignments/proposal/", login_not_required(assignments_api.proposal), name="assignments_proposal"),
    path("assignments:apply", login_not_required(assignments_api.apply), name="assignments_apply"),
    path("churn/alerts/", _read(churn_alerts), name="churn_alerts"),
    path("sms:delivered", login_not_required(messages_api.sms_delivered), name="sms_delivered"),
    path("sms:replied", login_not_required(messages_api.sms_replied), name="sms_replied"),
    path("days/<str:day>:close", login_not_required(day_close), name="day_close"),
    path("kpis/", _read(kpis), name="kpis"),
    path("changes/", login_not_required(changes), name="changes"),
    path("schema/", login_not_required(SpectacularAPIView.as_view()), name="schema"),
    path("docs/", login_not_required(SpectacularSwaggerSplitView.as_view(url_name="api:schema")), name="docs"),
]
