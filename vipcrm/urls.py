"""All addresses: the rooms under one roof, the API, health, sign-in."""

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from staff import health
from vipcrm import views

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("accounts/", include("staff.sign_in_urls")),
    path("", include("staff.urls")),
    path("", include("customers.urls")),
    path("", include("contacts.urls")),
    path("churn/", include("churn.urls")),
    path("api/v1/", include("vipcrm.api_urls")),
    path("gallery/", views.gallery, name="gallery"),
    path("mailbox/", views.mailbox, name="mailbox"),
    path("mailbox/<str:key>/", views.mailbox, name="mailbox_mail"),
    path("mailbox/<str:key>/html/", views.mailbox_html, name="mailbox_html"),
]
