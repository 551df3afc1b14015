"""Every setting of MediSync, read from the environment.

A setting without a default here is required: the process refuses to start and names it.
Combinations that are unsafe are reported by `manage.py check --deploy` (see `checks.py`).
`docs/configuration.md` explains each one to whoever runs a server.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import django_stubs_ext
import environ
import structlog
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from common.logs import drop_query, drop_request_started, mask_secrets

# Lets generic classes of Django and DRF be subscripted at runtime as well.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def _secret(name: str, *, least: int) -> str:
    """A required secret that is long enough to be one."""
    value: str = env.str(name)
    if len(value) < least:
        raise environ.ImproperlyConfigured(f"{name} must have at least {least} characters.")
    return value


# --- Essentials ---------------------------------------------------------------------------

SECRET_KEY = _secret("SECRET_KEY", least=50)
DEBUG: bool = env.bool("DEBUG", default=False)
SITE_URL: str = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
# Whether medicines under international control are dispensed only by pharmacies that an
# administrator has approved.
CONTROLLED_ONLY_AT_APPROVED_PHARMACIES: bool = env.bool(
    "CONTROLLED_ONLY_AT_APPROVED_PHARMACIES", default=False
)
CORS_URLS_REGEX = r"^/api/"
CORS_EXPOSE_HEADERS = ["Location", "Retry-After"]

# How many reverse proxies stand in front; only that many X-Forwarded-For hops are believed.
TRUSTED_PROXY_COUNT: int = env.int("TRUSTED_PROXY_COUNT", default=0)

# "id:base64key" pairs, the first of which encrypts; the others only decrypt older values.
FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEYS")
# Keyed digests that keep encrypted values unique; it cannot change once values exist.
BLIND_INDEX_KEY = _secret("BLIND_INDEX_KEY", least=32)

# Base64 of DER, the first of which signs health cards; the others are only published.
HEALTH_CARD_SIGNING_KEYS: list[str] = env.list("HEALTH_CARD_SIGNING_KEYS")

# Where the development mail sink keeps messages; set by `manage.py devstack` only.
DEV_INBOX_DIR: str = env.str("DEV_INBOX_DIR", default="")

INSTALLED_APPS = [
    "daphne",
    "medisync.apps.MedisyncConfig",
    "qrverify",
    "chat",
    "appointments",
    "prescriptions",
    "records",
    "connections",
    "accounts",
    "specializations",
    "audit",
    "notifications",
    "common",
    "medisync.apps.MedisyncAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "auditlog",
    "channels",
    "corsheaders",
    "csp",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "lucide",
    "pgtrigger",
    "phonenumber_field",
    "rest_framework",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "common.middleware.CookieGuardMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "common.middleware.RequestGuardMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.DeviceSessionMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.middleware.StandingMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "common.pages.DomainErrorPageMiddleware",
]

ROOT_URLCONF = "medisync.urls"
WSGI_APPLICATION = "medisync.wsgi.application"
ASGI_APPLICATION = "medisync.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "medisync.context_processors.page",
            ],
            "builtins": ["lucide.templatetags.lucide", "common.templatetags.ui"],
        },
    }
]
FORM_RENDERER = "common.forms.Renderer"

# --- PostgreSQL, Redis --------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url("DATABASE_URL")}
if "postgresql" not in DATABASES["default"]["ENGINE"]:
    raise environ.ImproperlyConfigured("DATABASE_URL: MediSync needs PostgreSQL 15 or newer.")
DATABASES["default"] |= {"CONN_MAX_AGE": 300, "CONN_HEALTH_CHECKS": True}
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL: str = env.str("REDIS_URL")
# How long a Redis that hangs may hold up each question put to it.
REDIS_TIMEOUT_SECONDS = 0.5

CACHES = {
    "default": {
        "BACKEND": "common.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "medisync",
        "OPTIONS": {
            "socket_timeout": REDIS_TIMEOUT_SECONDS,
            "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        },
    }
}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "common.layer.LiveLayer",
        "CONFIG": {"url": REDIS_URL, "timeout": REDIS_TIMEOUT_SECONDS},
    }
}

# --- Celery -------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A worker's own waits (BRPOP) are 1 s long.
    "socket_timeout": 2,
    "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
    "global_keyprefix": "medisync:celery:",
    "visibility_timeout": 600,
    # One attempt to connect when publishing; worker and beat have a patience of their own.
    "max_retries": 0,
}
# The outbox row is the promise; a publish that fails is made good by the sweep, so it never
# holds a request up.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TIMEZONE = "UTC"
# What is done each hour or day has a time of its own, in UTC: a period that is counted from the
# start of the clock would begin anew with each deployment. By day people are told, by night things
# are tidied.
CELERY_BEAT_SCHEDULE = {
    "requeue-due-emails": {
        "task": "notifications.jobs.requeue_due_emails",
        "schedule": dt.timedelta(seconds=15),
        "options": {"expires": 15},
    },
    "prepare-left-behind-resets": {
        "task": "accounts.jobs.prepare_left_behind_resets",
        "schedule": dt.timedelta(seconds=15),
        "options": {"expires": 15},
    },
    "delete-expired-proofs": {
        "task": "accounts.jobs.delete_expired_proofs",
        "schedule": crontab(minute="3"),
        "options": {"expires": 3600},
    },
    "delete-expired-registrations": {
        "task": "accounts.jobs.delete_expired_registrations",
        "schedule": crontab(minute="8"),
        "options": {"expires": 3600},
    },
    "delete-lapsed-sign-ins": {
        "task": "accounts.jobs.delete_lapsed_sign_ins",
        "schedule": crontab(minute="13"),
        "options": {"expires": 3600},
    },
    "tell-of-unread-messages": {
        "task": "chat.jobs.tell_of_unread_messages",
        "schedule": dt.timedelta(seconds=30),
        "options": {"expires": 30},
    },
    "tell-of-ending-licences": {
        "task": "accounts.jobs.tell_of_ending_licences",
        "schedule": crontab(hour="7", minute="0"),
        "options": {"expires": 24 * 3600},
    },
    "requeue-due-exports": {
        "task": "medisync.jobs.requeue_due_exports",
        "schedule": dt.timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "delete-expired-exports": {
        "task": "medisync.jobs.delete_expired_exports",
        "schedule": crontab(minute="18"),
        "options": {"expires": 3600},
    },
    "refresh-directory-words": {
        "task": "accounts.jobs.refresh_directory_words",
        "schedule": crontab(hour="1", minute="0"),
        "options": {"expires": 24 * 3600},
    },
    "delete-old-sessions": {
        "task": "accounts.jobs.delete_old_sessions",
        "schedule": crontab(hour="1", minute="5"),
        "options": {"expires": 24 * 3600},
    },
    "delete-old-emails": {
        "task": "notifications.jobs.delete_old_emails",
        "schedule": crontab(hour="1", minute="10"),
        "options": {"expires": 24 * 3600},
    },
    "delete-old-notifications": {
        "task": "notifications.jobs.delete_old_notifications",
        "schedule": crontab(hour="1", minute="15"),
        "options": {"expires": 24 * 3600},
    },
    "delete-expired-cookies": {
        "task": "medisync.jobs.delete_expired_cookies",
        "schedule": crontab(hour="1", minute="20"),
        "options": {"expires": 24 * 3600},
    },
    "expire-requests": {
        "task": "connections.jobs.expire_requests",
        "schedule": crontab(minute="23"),
        "options": {"expires": 3600},
    },
    "delete-lost-images": {
        "task": "connections.jobs.delete_lost_images",
        "schedule": crontab(hour="1", minute="25"),
        "options": {"expires": 24 * 3600},
    },
    "remind-of-grants": {
        "task": "connections.jobs.remind_of_grants",
        "schedule": crontab(hour="7", minute="10"),
        "options": {"expires": 24 * 3600},
    },
    "delete-stale-qr-tokens": {
        "task": "qrverify.jobs.delete_stale_tokens",
        "schedule": crontab(minute="28"),
        "options": {"expires": 3600},
    },
    "expire-dispense-claims": {
        "task": "prescriptions.jobs.expire_claims",
        "schedule": dt.timedelta(minutes=5),
        "options": {"expires": 300},
    },
    "remind-of-course-ends": {
        "task": "prescriptions.jobs.remind_of_course_ends",
        "schedule": crontab(minute="33"),
        "options": {"expires": 3600},
    },
    "remind-of-cases": {
        "task": "connections.jobs.remind_of_cases",
        "schedule": crontab(hour="7", minute="20"),
        "options": {"expires": 86400},
    },
    "seal-access-log": {
        "task": "audit.jobs.seal_access_log",
        "schedule": crontab(minute="38"),
        "options": {"expires": 3600},
    },
}

# --- Mail ---------------------------------------------------------------------------------

_email = env.email_url("EMAIL_URL")
EMAIL_BACKEND: str = _email["EMAIL_BACKEND"]
EMAIL_HOST: str = _email["EMAIL_HOST"] or "localhost"
EMAIL_PORT: int = _email["EMAIL_PORT"] or 25
EMAIL_HOST_USER: str = _email["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD: str = _email["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS: bool = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL: bool = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="MediSync <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Files --------------------------------------------------------------------------------


def file_storage(url: str) -> dict[str, Any]:
    """`file:///path` or `s3://key:secret@bucket?endpoint=…&region=…` as a Django storage."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": unquote(parts.path), "base_url": None},
        }
    if parts.scheme == "s3":
        query = dict(parse_qsl(parts.query))
        options: dict[str, Any] = {
            "bucket_name": parts.hostname,
            "access_key": unquote(parts.username or "") or None,
            "secret_key": unquote(parts.password or "") or None,
            "endpoint_url": query.get("endpoint"),
            "region_name": query.get("region"),
            "default_acl": "private",
            "file_overwrite": False,
            "querystring_auth": True,
        }
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    raise environ.ImproperlyConfigured("STORAGE_URL must start with file:// or s3://.")


STORAGE_URL: str = env.str("STORAGE_URL", default=f"file://{BASE_DIR / 'media'}")
STORAGES = {
    "default": file_storage(STORAGE_URL),
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "medisync.staticfiles.HashedFiles"
        )
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
# Documents a doctor uploads, one file each.
DOCUMENT_MAX_BYTES = 10 * 1024 * 1024

# --- Who is who ---------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": dt.timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": dt.timedelta(days=7),
    "ALGORITHM": "HS256",
    "AUDIENCE": "medisync",
    "ISSUER": "medisync",
    "AUTH_HEADER_TYPES": ("Bearer",),
    "UPDATE_LAST_LOGIN": False,
}
SESSION_COOKIE_AGE = 7 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
# Origins of apps that may use the passkeys of this site, beside the site itself.
PASSKEY_APP_ORIGINS: list[str] = env.list("PASSKEY_APP_ORIGINS", default=[])
# Sign-in with Google, by OpenID Connect; without a client there is none.
GOOGLE_CLIENT_ID: str = env.str("GOOGLE_CLIENT_ID", default="")
GOOGLE_CLIENT_SECRET: str = env.str("GOOGLE_CLIENT_SECRET", default="")
GOOGLE_ISSUER: str = env.str("GOOGLE_ISSUER", default="https://accounts.google.com")
# Other clients, those of apps, whose id_tokens are accepted.
GOOGLE_APP_CLIENT_IDS: list[str] = env.list("GOOGLE_APP_CLIENT_IDS", default=[])
if bool(GOOGLE_CLIENT_ID) != bool(GOOGLE_CLIENT_SECRET):
    raise environ.ImproperlyConfigured("GOOGLE_CLIENT_ID needs GOOGLE_CLIENT_SECRET, and it that.")
# A MaxMind DB file that tells where addresses are; without one, no place is shown.
GEOIP_DATABASE: str = env.str("GEOIP_DATABASE", default="")
PHONENUMBER_DEFAULT_REGION = "EG"
PHONENUMBER_DB_FORMAT = "E164"

# Both logs would believe any X-Forwarded-For.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
AUDITLOG_DISABLE_REMOTE_ADDR = True

RATELIMIT_USE_CACHE = "default"
RATELIMIT_FAIL_OPEN = True

# --- Languages and time -------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ar", _("Arabic"))]
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="Africa/Cairo")
USE_TZ = True

# --- Transport security -------------------------------------------------------------------

SECURE_SITE = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SITE
SECURE_SSL_REDIRECT = SECURE_SITE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE_SITE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_SITE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: []
    for name in ("accelerometer", "display-capture", "geolocation", "gyroscope", "payment", "usb")
} | {"camera": ["self"]}

# --- REST API -----------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.IsActiveAccount"],
    "DEFAULT_RENDERER_CLASSES": ["common.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": None,
    "EXCEPTION_HANDLER": "common.problems.api_exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    # The description is OpenAPI's; OPTIONS is CORS's alone.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_THROTTLE_CLASSES": ["common.throttling.CallerThrottle"],
    # Values leave as they are; the renderer writes every instant as RFC 3339 in UTC.
    "DATETIME_FORMAT": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_FORMATTER_CLASS": "common.problems.ProblemFormatter",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MediSync API",
    "DESCRIPTION": "Medical follow-up between doctors and patients.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "Role": "accounts.models.Role",
        "OpenRole": "accounts.models.OPEN_ROLES",
        "AccountStatus": "accounts.models.Status",
        "RegistrationStep": "accounts.models.Registration.Step",
        "SignInMethod": "accounts.models.SignInMethod",
        "Factor": "accounts.models.Factor",
        "ExportStatus": "accounts.models.DataExport.Status",
        "ConnectionStatus": "connections.models.Connection.Status",
        "RequestStatus": "connections.models.ConnectionRequest.Status",
        "DataCategory": "connections.models.DataCategory",
        "Purpose": "connections.models.Purpose",
        "GrantEndReason": "connections.models.AccessGrant.EndReason",
        "NotificationKind": "notifications.wording.Kind",
        "NotificationEvent": "notifications.serializers.EVENT_CHOICES",
        "RecordKind": "records.models.Record.Kind",
        "PrescriptionState": "prescriptions.models.Prescription.State",
        "StopReason": "prescriptions.models.StopReason",
        "OverrideReason": "prescriptions.safety.OverrideReason",
        "EmergencyReason": "qrverify.models.EmergencyScan.Reason",
        "LinkContent": "qrverify.models.SharedLink.Content",
        "LinkCategory": "qrverify.models.LinkedData",
        "LinkState": "qrverify.models.SharedLink.State",
        "QrKind": "qrverify.payloads.Kind",
        "QrCodeKind": "qrverify.serializers.tokens.KIND_CHOICES",
        "QrTokenState": "qrverify.models.QrToken.State",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "common.schema.add_problem_responses",
    ],
}

# --- Logs: JSON lines, and no personal data -----------------------------------------------

LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO")
_SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.format_exc_info,
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        drop_request_started,
        *_SHARED_PROCESSORS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                drop_query,
                mask_secrets,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": _SHARED_PROCESSORS,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django.server": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        # It writes down which credential was used.
        "fido2": {"level": "WARNING"},
    },
}
