"""Addresses of Assignment, under /assignment/."""

from django.urls import path, re_path

from customers import assignment_views as views
from customers import views_override, views_proposals

urlpatterns = [
    path("", views.assignment_page, name="assignment"),
    path("<int:pk>/", views.assignment_pick, name="assignment_pick"),
    path("<int:pk>/why-not/<int:member>/", views.why_not, name="assignment_why_not"),
    path("<int:pk>/end/", views.assignment_end, name="assignment_end"),
    path("<int:pk>/lock/", views.assignment_lock, name="assignment_lock"),
    path("assign/", views.assignment_assign, name="assignment_assign"),
    path("assign/<int:to>/", views.assignment_assign, name="assignment_assign_to"),
    path("assign-many/", views.assignment_assign_many, name="assignment_assign_many"),
    path("to-reassign/", views.to_reassign_page, name="to_reassign"),
    path("overrides/", views_override.override_list, name="override_list"),
    path("overrides/<int:pk>/withdraw/", views_override.override_withdraw, name="override_withdraw"),
    path("propose/", views.assignment_propose, name="assignment_propose"),
    path("draft/", views.assignment_draft, name="assignment_draft"),
    path("history/", views_proposals.assignment_history, name="assignment_history"),
    path("history/<int:pk>/", views_proposals.assignment_applied, name="assignment_applied"),
    path("apply/", views.assignment_apply, name="assignment_apply"),
    re_path(
        r"^undo/(?P<rows>\d{1,18}(-\d{1,18})?(,\d{1,18}(-\d{1,18})?)*)/$", views.assignment_undo, name="assignment_undo"
    ),
]
