"""The API's addresses, its token endpoint, its schema and the browsable reference."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from churn.api import churn_alerts
from contacts import messages_api
from customers import assignments_api
from customers.api import assets_batch, assignments, customers_batch, transactions_batch
from staff.api.token import token

app_name = "api"

urlpatterns = [
    path("oauth/token/", token, name="token"),
    path("customers:batch", login_not_required(customers_batch), name="customers_batch"),
    path("assets:batch", login_not_required(assets_batch), name="assets_batch"),
    path("transactions:batch", login_not_required(transactions_batch), name="transactions_batch"),
    path("assignments/", login_not_required(assignments), name="assignments"),
    path("assignments/proposal/", login_not_required(assignments_api.proposal), name="assignments_proposal"),
    path("assignments:apply", login_not_required(assignments_api.apply), name="assignments_apply"),
    path("churn/alerts/", login_not_required(churn_alerts), name="churn_alerts"),
    path("sms:delivered", login_not_required(messages_api.sms_delivered), name="sms_delivered"),
    path("sms:replied", login_not_required(messages_api.sms_replied), name="sms_replied"),
    path("schema/", login_not_required(SpectacularAPIView.as_view()), name="schema"),
    path("docs/", login_not_required(SpectacularSwaggerSplitView.as_view(url_name="api:schema")), name="docs"),
]
