from django.apps import AppConfig


class VipcrmConfig(AppConfig):
    """Floor 5: what puts the rooms together. No table of its own."""

    name = "vipcrm"

    def ready(self):
        from vipcrm import celery  # noqa: F401  the app that shared tasks are sent through
