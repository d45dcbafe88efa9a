from django.urls import path

from staff import views

app_name = "staff"
urlpatterns = [
    path("audit/", views.audit_trail, name="audit"),
    path("night/", views.night, name="night"),
    path("preferences/", views.preferences_page, name="preferences_page"),
    path("preferences/save/", views.preferences, name="preferences"),
]
