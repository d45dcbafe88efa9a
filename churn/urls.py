"""Addresses of early warning: the alerts, the model, how it is computed, the panel of Customer 360."""

from django.urls import path

from churn import views, views_cases, views_model, views_outcomes

app_name = "churn"

urlpatterns = [
    path("", views.alert_list, name="alert_list"),
    path("<int:pk>/settle/", views.alert_settle, name="alert_settle"),
    path("<int:pk>/follow-up/", views.alert_follow_up, name="alert_follow_up"),
    path("<int:pk>/reopen/", views.alert_reopen, name="alert_reopen"),
    path("customers/<int:pk>/reasons/", views.panel_reasons, name="panel_reasons"),
    path("<int:pk>/judge/", views_cases.alert_judge, name="alert_judge"),
    path("reviews/", views_cases.review_list, name="review_list"),
    path("reviews/<int:pk>/", views_cases.review_write, name="review_write"),
    path("customers/<int:pk>/explanation/", views_cases.explanation, name="explanation"),
    path("outcomes/", views_outcomes.outcome_page, name="outcomes"),
    path("outcomes/policy/", views_outcomes.policy_set, name="policy_set"),
    path("model/<int:pk>/assessments/", views_outcomes.assessment_add, name="assessment_add"),
    path("how/", views_model.how, name="how"),
    path("model/", views_model.model, name="model"),
    path("model/<int:pk>/release/", views_model.model_release, name="model_release"),
]
