"""Addresses of customers: the list, the search, Customer 360 and its panels, Assignment."""

from django.urls import include, path

from customers import views, views_detail, views_panels

app_name = "customers"

urlpatterns = [
    path("customers/", views.customer_list, name="customer_list"),
    path("search/", views.search, name="search"),
    path("customers/<int:pk>/", views_detail.customer_detail, name="customer_detail"),
    path("customers/<int:pk>/facts/", views_detail.customer_facts, name="customer_facts"),
    path("customers/<int:pk>/reveal/", views_detail.reveal, name="reveal"),
    path("customers/<int:pk>/ladder/", views_panels.panel_ladder, name="panel_ladder"),
    path("customers/<int:pk>/assets/", views_panels.panel_assets, name="panel_assets"),
    path("customers/<int:pk>/holdings/", views_panels.panel_holdings, name="panel_holdings"),
    path("customers/<int:pk>/suitability/", views_panels.panel_suitability, name="panel_suitability"),
    path("customers/<int:pk>/profile/", views_panels.panel_profile, name="panel_profile"),
    path("customers/<int:pk>/history/", views_panels.panel_history, name="panel_history"),
    path("assignment/", include("customers.assignment_urls")),
]
