from django.urls import path

from staff import views, views_clients, views_jobs, views_qualifications, views_webhooks

app_name = "staff"
urlpatterns = [
    path("audit/", views.audit_trail, name="audit"),
    path("night/", views.night, name="night"),
    path("night/mails/<int:pk>/send-again/", views.mail_send_again, name="mail_send_again"),
    path("clients/", views_clients.client_list, name="client_list"),
    path("clients/<int:pk>/webhooks/", views_webhooks.webhook_list, name="webhook_list"),
    path("clients/webhooks/<int:pk>/step/", views_webhooks.webhook_step, name="webhook_step"),
    path("clients/webhooks/<int:pk>/resend/", views_webhooks.webhook_resend, name="webhook_resend"),
    path("clients/<int:pk>/step/", views_clients.client_step, name="client_step"),
    path("jobs/", views_jobs.job_list, name="job_list"),
    path("jobs/bell/", views_jobs.bell, name="bell"),
    path("jobs/<int:pk>/", views_jobs.job, name="job"),
    path("jobs/<int:pk>/stop/", views_jobs.job_stop, name="job_stop"),
    path("jobs/<int:pk>/again/", views_jobs.job_again, name="job_again"),
    path("jobs/<int:pk>/errors/", views_jobs.job_errors, name="job_errors"),
    path("jobs/<int:pk>/result/", views_jobs.job_result, name="job_result"),
    path("qualifications/", views_qualifications.qualification_list, name="qualification_list"),
    path(
        "qualifications/<int:pk>/withdraw/", views_qualifications.qualification_withdraw, name="qualification_withdraw"
    ),
    path("preferences/", views.preferences_page, name="preferences_page"),
    path("preferences/save/", views.preferences, name="preferences"),
]
