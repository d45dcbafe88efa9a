"""The Celery app. `vipcrm.apps` imports it, so that a shared task called from a page finds the broker."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vipcrm.settings")

app = Celery("vipcrm")
app.set_default()  # for every thread of the web server, not only the one that imported it
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
