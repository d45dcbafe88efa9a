"""Addresses of customers: the list, the search, Customer 360 and its panels, Assignment."""

from django.urls import include, path

from customers import (
    views,
    views_archive,
    views_bulk,
    views_detail,
    views_lists,
    views_nomination,
    views_panels,
    views_rules,
    views_saved,
    views_segments,
)

app_name = "customers"

urlpatterns = [
    path("customers/", views.customer_list, name="customer_list"),
    path("customers/filters/", views.filter_sheet, name="filter_sheet"),
    path("customers/columns/", views_saved.list_choice, name="list_choice"),
    path("customers/views/", views_saved.view_list, name="view_list"),
    path("customers/views/save/", views_saved.view_save, name="view_save"),
    path("customers/views/<int:pk>/update/", views_saved.view_update, name="view_update"),
    path("customers/views/<int:pk>/delete/", views_saved.view_delete, name="view_delete"),
    path("customers/views/<int:pk>/restore/", views_saved.view_restore, name="view_restore"),
    path("customers/views/<int:pk>/pin/", views_saved.view_pin, name="view_pin"),
    path("customers/bulk/", views_bulk.bulk_action, name="bulk_action"),
    path("customers/export/", views_bulk.customer_export, name="customer_export"),
    path("adjustments/", views_bulk.adjustment_list, name="adjustment_list"),
    path("adjustments/<int:pk>/settle/", views_bulk.adjustment_settle, name="adjustment_settle"),
    path("search/", views.search, name="search"),
    path("customers/<int:pk>/", views_detail.customer_detail, name="customer_detail"),
    path("customers/<int:pk>/facts/", views_detail.customer_facts, name="customer_facts"),
    path("customers/<int:pk>/reveal/", views_detail.reveal, name="reveal"),
    path("customers/<int:pk>/nominate/", views_nomination.nominate, name="nominate"),
    path("nominations/<int:pk>/withdraw/", views_nomination.withdraw, name="nomination_withdraw"),
    path("customers/<int:pk>/ladder/", views_panels.panel_ladder, name="panel_ladder"),
    path("customers/<int:pk>/assets/", views_panels.panel_assets, name="panel_assets"),
    path("customers/<int:pk>/holdings/", views_panels.panel_holdings, name="panel_holdings"),
    path("customers/<int:pk>/suitability/", views_panels.panel_suitability, name="panel_suitability"),
    path("customers/<int:pk>/profile/", views_archive.panel_profile, name="panel_profile"),
    path("customers/<int:pk>/completeness/", views_archive.panel_completeness, name="panel_completeness"),
    path("customers/<int:pk>/profile/interests/", views_archive.interest_add, name="interest_add"),
    path("customers/<int:pk>/profile/<slug:kind>/<int:row>/end/", views_archive.interest_end, name="interest_end"),
    path(
        "customers/<int:pk>/profile/values/<int:value>/restore/", views_archive.profile_restore, name="profile_restore"
    ),
    path(
        "customers/<int:pk>/profile/values/<int:value>/confirm/", views_archive.profile_confirm, name="profile_confirm"
    ),
    path("customers/<int:pk>/profile/<slug:code>/", views_archive.profile_field, name="profile_field"),
    path("customers/<int:pk>/consents/", views_archive.panel_consents, name="panel_consents"),
    path("customers/<int:pk>/consents/record/", views_archive.consent_record, name="consent_record"),
    path("customers/<int:pk>/history/", views_panels.panel_history, name="panel_history"),
    path("segments/", views_segments.segment_list, name="segment_list"),
    path("segments/new/", views_segments.segment_build, name="segment_new"),
    path("segments/preview/", views_segments.segment_preview, name="segment_preview"),
    path("segments/cross/", views_segments.segment_cross, name="segment_cross"),
    path("segments/<int:pk>/", views_segments.segment_detail, name="segment_detail"),
    path("segments/<int:pk>/edit/", views_segments.segment_build, name="segment_edit"),
    path("segments/<int:pk>/strategy/", views_segments.segment_strategy, name="segment_strategy"),
    path("segments/<int:pk>/retire/", views_segments.segment_retire, name="segment_retire"),
    path("lists/", views_lists.named_lists_page, name="named_lists"),
    path("lists/new/", views_lists.named_list_new, name="named_list_new"),
    path("lists/members/<int:pk>/state/", views_lists.list_member_state, name="list_member_state"),
    path("lists/<int:pk>/", views_lists.named_list, name="named_list"),
    path("lists/<int:pk>/close/", views_lists.named_list_close, name="named_list_close"),
    path("rules/", views_rules.rules_page, name="rules_page"),
    path("rules/simulate/", views_rules.rules_simulate, name="rules_simulate"),
    path("rules/save/", views_rules.rules_save, name="rules_save"),
    path("rules/<int:pk>/withdraw/", views_rules.rules_withdraw, name="rules_withdraw"),
    path("assignment/", include("customers.assignment_urls")),
]
