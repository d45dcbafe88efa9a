"""Addresses of contacts: the day, the log, the opportunities, and the panels of Customer 360."""

from django.urls import path

from contacts import (
    views_compliance,
    views_events,
    views_log,
    views_messages,
    views_opportunities,
    views_panels,
    views_planning,
    views_potential,
    views_reports,
    views_today,
)

app_name = "contacts"

urlpatterns = [
    path("today/", views_today.today, name="today"),
    path("customers/<int:pk>/snooze/", views_today.snooze, name="snooze"),
    path("customers/<int:pk>/snooze/undo/", views_today.snooze_undo, name="snooze_undo"),
    path("tasks/<int:pk>/dismiss/", views_today.dismiss, name="dismiss"),
    path("tasks/<int:pk>/dismiss/undo/", views_today.dismiss_undo, name="dismiss_undo"),
    path("customers/<int:pk>/log/", views_log.log, name="log"),
    path("customers/<int:pk>/log/effects/", views_log.effects, name="log_effects"),
    path("customers/<int:pk>/dial/", views_log.dial, name="dial"),
    path("contacts/<int:pk>/void/", views_log.void, name="log_void"),
    path("customers/<int:pk>/timeline/", views_panels.panel_timeline, name="panel_timeline"),
    path("customers/<int:pk>/note/", views_panels.note, name="note"),
    path("customers/<int:pk>/opportunities/", views_panels.panel_opportunities, name="panel_opportunities"),
    path("events/", views_events.event_list, name="event_list"),
    path("events/new/", views_events.event_new, name="event_new"),
    path("events/<int:pk>/", views_events.event_detail, name="event"),
    path("events/<int:pk>/withdraw/", views_events.event_withdraw, name="event_withdraw"),
    path("reports/", views_reports.report_list, name="report_list"),
    path("reports/<int:pk>/", views_reports.report_page, name="report"),
    path("reports/<int:pk>/write/", views_reports.report_write, name="report_write"),
    path("reports/<int:pk>/answer/", views_reports.report_answer, name="report_answer"),
    path("compliance/", views_compliance.compliance_page, name="compliance"),
    path("compliance/<slug:rule>/<slug:first>/", views_compliance.compliance_window, name="compliance_window"),
    path("messages/", views_messages.message_list, name="message_list"),
    path("messages/act/", views_messages.message_act, name="message_act"),
    path("messages/words/", views_messages.template_list, name="template_list"),
    path("messages/words/<slug:kind>/edit/", views_messages.template_edit, name="template_edit"),
    path("messages/words/<int:pk>/approve/", views_messages.template_approve, name="template_approve"),
    path("planning/month/", views_planning.planning_month, name="planning_month"),
    path("potential/", views_potential.potential_list, name="potential_list"),
    path("opportunities/", views_opportunities.opportunity_list, name="opportunity_list"),
    path("opportunities/new/", views_opportunities.opportunity_create, name="opportunity_create"),
    path("opportunities/drop/", views_opportunities.opportunity_drop, name="opportunity_drop"),
    path("opportunities/<int:pk>/", views_opportunities.opportunity_detail, name="opportunity_detail"),
    path("opportunities/<int:pk>/move/", views_opportunities.opportunity_move, name="opportunity_move"),
    path("opportunities/<int:pk>/undo/", views_opportunities.opportunity_undo, name="opportunity_undo"),
]
