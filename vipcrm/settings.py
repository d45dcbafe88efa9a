"""Settings of the whole product, read from the environment.

Every variable is named in docs/operations.md. A secret without a value stops the start, unless
DEMO is on. What the bank tunes (thresholds, quotas, contact rules) is data in tables, not here.
"""

import sys
from datetime import timedelta
from pathlib import Path

import environ
import structlog
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

ROOT = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- What kind of start this is ---------------------------------------------------------------
DEMO = env.bool("DEMO", default=False)
DEBUG = env.bool("DEBUG", default=False)
VAR = Path(env.str("VAR", default=str(ROOT / "var")))


def secret(name: str) -> str:
    """Return a secret of the environment; without one only a demo may start."""
    value = env.str(name, default="")
    if not value and not DEMO:
        raise ImproperlyConfigured(f"Set {name} in the environment (docs/operations.md says how to make one).")
    return value or DEMO_SECRETS[name]


DEMO_SECRETS = {
    "SECRET_KEY": "demo-only-secret-key-never-used-outside-a-demonstration",
    "FIELD_KEYS": "demo:ZGVtby1vbmx5LWZpZWxkLWtleS0zMi1ieXRlcyEhISE=",
}

SECRET_KEY = secret("SECRET_KEY")
FIELD_KEYS = secret("FIELD_KEYS")
"""Keys of encrypted columns, `id:base64` with commas between; the last one encrypts, all decrypt."""

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEMO else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if not DEMO and (DEBUG or "*" in ALLOWED_HOSTS):
    raise ImproperlyConfigured("DEBUG and ALLOWED_HOSTS=* are for demonstrations only.")

# --- The house --------------------------------------------------------------------------------
BRAND = {
    "name": _("VIP Steward"),
    "bank": env.str("BANK_NAME", default="澜江银行"),
    "service_desk": env.str("SERVICE_DESK", default="6001"),
    "version": "1.0.0",
}

INSTALLED_APPS = [
    "vipcrm",
    "churn",
    "contacts",
    "customers",
    "staff",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "oauth2_provider",
    "pgtrigger",
    "rest_framework",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "staff.api.problem.ProblemMiddleware",
    "staff.request_context.NoNulMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "staff.request_context.RequestContextMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "staff.session.SessionRulesMiddleware",
    "staff.session.PreferredLanguageMiddleware",
    "staff.session.SecondFactorMiddleware",
    "vipcrm.navigation.CountAgainMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "vipcrm.urls"
WSGI_APPLICATION = "vipcrm.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "vipcrm.navigation.page_shell",
            ],
            "builtins": ["staff.templatetags.icon"],
        },
    }
]

# --- Stores -----------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default="postgres://vipcrm:vipcrm@localhost:5432/vipcrm")}
DATABASES["default"] |= {
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": False,
}
STATEMENT_TIMEOUT = env.str("STATEMENT_TIMEOUT", default="")
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"]["options"] = " ".join(
    # Disks without a moving arm: reading an outlet's rows by the index beats reading a whole month.
    ["-c lock_timeout=3s", "-c idle_in_transaction_session_timeout=60s", "-c random_page_cost=1.1"]
    + ([f"-c statement_timeout={STATEMENT_TIMEOUT}"] if STATEMENT_TIMEOUT else [])
)

REDIS_URL = env.str("REDIS_URL", default="redis://localhost:6379")


def redis_database(number: int, *, scheme: str = "") -> str:
    """Return the URL of one Redis database; a Unix socket is `unix:///path`, for Celery `redis+socket`."""
    if REDIS_URL.startswith("unix://"):
        path = REDIS_URL.removeprefix("unix://").split("?")[0]
        return f"redis+socket://{path}?virtual_host={number}" if scheme else f"unix://{path}?db={number}"
    return f"{REDIS_URL.rstrip('/')}/{number}"


CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": redis_database(env.int("CACHE_DATABASE", default=1)),
        "KEY_PREFIX": env.str("CACHE_PREFIX", default="vipcrm"),
    }
}

# --- Work that runs by itself -----------------------------------------------------------------
CELERY_BROKER_URL = redis_database(0, scheme="celery")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 1800,
    "unacked_restore_throttle": 1,
    "unacked_restore_interval": 10,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    # The night of the day that ended begins at 02:00 (domain.md §14); a start is idempotent, so every
    # ten minutes until six it is offered again, which catches up a missed or broken one.
    "night": {"task": "vipcrm.tasks.night", "schedule": crontab(hour="2-6", minute="*/10")},
    "jobs": {"task": "staff.tasks.sweep_jobs", "schedule": timedelta(seconds=30)},
    "forget-jobs": {"task": "staff.tasks.forget_jobs", "schedule": timedelta(hours=1)},
    "outbox": {"task": "staff.tasks.send_outbox", "schedule": timedelta(seconds=30)},
    "messages": {"task": "contacts.tasks.send_messages", "schedule": timedelta(seconds=60)},
    "forget-feeds": {"task": "vipcrm.tasks.forget_feeds", "schedule": timedelta(hours=6)},
    "webhooks": {"task": "vipcrm.tasks.tell_webhooks", "schedule": timedelta(seconds=30)},
    "forget-deliveries": {"task": "vipcrm.tasks.forget_deliveries", "schedule": timedelta(hours=6)},
    "forget-answers": {"task": "staff.tasks.forget_answers", "schedule": timedelta(hours=6)},
    "beat-heartbeat": {"task": "staff.tasks.heartbeat", "schedule": timedelta(seconds=60)},
}

# --- Mail -------------------------------------------------------------------------------------
vars().update(env.email("EMAIL_URL", default="smtp://localhost:25"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="vip@bank.example")
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{env.int('PORT', default=8000)}")

# --- Text messages: http(s)://… a provider, file:///… a file; with nothing they wait (the demo: sms.jsonl in VAR) ---
SMS_URL = env.str("SMS_URL", default="")
SMS_KEY = env.str("SMS_KEY", default="")

# --- Client certificates: the header in which the proxy that ends TLS names the SHA-256 of the one it saw; none: nobody shows one ---
CLIENT_CERT_HEADER = env.str("CLIENT_CERT_HEADER", default="")

# --- Webhooks: hosts that clients may have told of events, spaces between; none: nobody ---
WEBHOOK_HOSTS = env.str("WEBHOOK_HOSTS", default="").split()

# --- Language and time ------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# --- Static files -----------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or "pytest" in sys.modules
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or "pytest" in sys.modules

# --- Signing in -------------------------------------------------------------------------------
AUTH_USER_MODEL = "staff.Staff"
LOGIN_REDIRECT_URL = "home"
LOGIN_URL = "account_login"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "staff.sign_in.StaffAdapter"
ACCOUNT_FORMS = {"login": "staff.sign_in.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = "staff_no"
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True  # the 20 minutes of SESSION_COOKIE_AGE, also after the browser closes
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# axes locks a name at an address; this is the wider limit, of a name from anywhere.
ACCOUNT_RATE_LIMITS = {"login": "600/m/ip", "login_failed": "20/15m/key"}
MFA_ADAPTER = "staff.sign_in.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = BRAND["bank"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
SECOND_FACTOR_REQUIRED = not DEMO
DEMO_SIGN_INS = DEMO * [
    "head",
    "manager",
    "manager2",
    "adviser",
    "lobby",
    "teller",
    "president",
    "office",
    "auditor",
    "sysadmin",
]
ONE_SESSION_PER_PERSON = not DEMO
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "staff.sign_in.tried_name"
AXES_LOCKOUT_CALLABLE = "staff.sign_in.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_VERBOSE = False

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "staff.sign_in.StaffBackend",
]
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
SESSION_COOKIE_AGE = 20 * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_ABSOLUTE_AGE = timedelta(hours=10)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Safety -----------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if not DEMO:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"

# --- API --------------------------------------------------------------------------------------
OAUTH2_PROVIDER_APPLICATION_MODEL = "staff.ApiClient"
OAUTH2_PROVIDER = {
    "SCOPES": {
        "customers:read": "Read customers",
        "customers:write": "Feed customers",
        "assets:write": "Feed end-of-day assets",
        "holdings:write": "Feed holdings",
        "products:write": "Feed products and net values",
        "staff:write": "Feed institutions and members of staff",
        "assignments:read": "Read who looks after whom",
        "assignments:write": "Assign customers",
        "contacts:read": "Read contacts and opportunities",
        "contacts:write": "Log contacts and open opportunities for members of staff",
        "churn:read": "Read churn scores and alerts",
        "churn:write": "Say that an alert is being followed up",
        "kpis:read": "Read the figures of outlets",
        "messages:write": "Report deliveries and answers of text messages",
    },
    "SCOPES_BACKEND_CLASS": "staff.api.authentication.ClientScopes",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 900,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    # RFC 9700: nothing but client credentials is offered, tokens travel in the header and are stored hashed.
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
}
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["staff.api.body.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["staff.api.authentication.ClientAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["staff.api.authentication.IsClient"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "staff.api.problem.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "VIP Steward API",
    "DESCRIPTION": "What the core banking system sends and reads. The guide is docs/api.md.",
    "VERSION": BRAND["version"],
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "staff.api.documentation.strict_requests",
        "staff.api.documentation.cut_rows",
        "staff.api.documentation.with_examples",
    ],
}

# --- Logs -------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processor": structlog.processors.JSONRenderer(ensure_ascii=False),
            "foreign_pre_chain": [
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.format_exc_info,
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {"django.request": {"level": "ERROR"}, "django_structlog": {"level": "ERROR"}},
}
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
