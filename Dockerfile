# The image of web, worker and beat: the locked dependencies, the code, its translations and static files.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=vipcrm.settings VAR=/srv/vipcrm/var
WORKDIR /srv/vipcrm

COPY requirements/app.txt requirements/app.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/app.txt

COPY manage.py ./
COPY locale locale
COPY static static
COPY templates templates
COPY staff staff
COPY customers customers
COPY contacts contacts
COPY churn churn
COPY vipcrm vipcrm
# DEMO for this line only: static files are collected without the secrets, which the image never holds.
RUN python -m vipcrm.stack messages \
    && DEMO=1 python manage.py collectstatic --no-input -v0 \
    && useradd --system --uid 10001 --no-create-home vipcrm && chown vipcrm var

USER vipcrm
EXPOSE 8000
CMD ["gunicorn", "vipcrm.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "4", "--threads", "4", "--preload", "--timeout", "60", "--graceful-timeout", "20", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
