"""The composition of the product. Kept empty: the supervisor imports `vipcrm.stack` without Celery or Django."""
