from django.urls import path

from staff import views

app_name = "staff"
urlpatterns = [
    path("audit/", views.audit_trail, name="audit"),
    path("night/", views.night, name="night"),
    path("night/mails/<int:pk>/send-again/", views.mail_send_again, name="mail_send_again"),
    path("preferences/", views.preferences_page, name="preferences_page"),
    path("preferences/save/", views.preferences, name="preferences"),
]
