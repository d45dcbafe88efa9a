"""The pages of signing in; there is none for signing up, and none for mail addresses."""

from allauth.account import views
from django.urls import include, path

from staff.sign_in import SignInView

urlpatterns = [
    path("login/", SignInView.as_view(), name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("2fa/", include("allauth.mfa.urls")),
]
