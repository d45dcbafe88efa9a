"""The door for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vipcrm.settings")

application = get_wsgi_application()
_ = get_resolver().url_patterns  # read before gunicorn forks its workers, which then share what it imports
