"""The one file of settings, read from the environment; docs/operate.md explains every name.

A clone runs with no environment at all: SQLite, the embedded broker and a folder of bytes in var/.
"""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import broker
from config.env import (
    address,
    cache_server,
    database,
    envbool,
    envfolder,
    envint,
    envlist,
    envmail,
    envpath,
    envsecret,
    envstr,
    envzone,
    kept_secret,
    mail_server,
    s3_origins,
    web_address,
)
from restoration.engine.generative.rows import FAMILIES  # light: rows of names, no library

HERE = Path(__file__).resolve().parent
BASE_DIR = HERE.parent.parent

# --- where this site lives ---------------------------------------------------------------------
VAR_DIR = envfolder("REKINDLE_VAR_DIR", BASE_DIR / "var")

DEBUG = envbool("REKINDLE_DEBUG")
SECRET_KEY = envsecret("REKINDLE_SECRET_KEY") or kept_secret(VAR_DIR / "secret-key")
SITE_URL = web_address(
    "REKINDLE_SITE_URL",
    envstr("REKINDLE_SITE_URL", "http://localhost:8000").rstrip("/"),
    "https://photos.example.org",
)
SITE_HOST = urlsplit(SITE_URL).hostname or ""
HTTPS = SITE_URL.startswith("https://")
ALLOWED_HOSTS = [SITE_HOST, "localhost", "127.0.0.1", "[::1]", *envlist("REKINDLE_HOSTS")]
# How many proxies of ours stand before the site; their X-Forwarded headers are believed.
PROXIES = envint("REKINDLE_PROXIES", 0)
# The commit that an image was built from; a checkout knows its own. A backup names it.
REVISION = envstr("REKINDLE_REVISION")

# --- what it is made of ------------------------------------------------------------------------
INSTALLED_APPS = [
    "config",
    "api",
    "accounts",
    "exhibit",
    "restoration",
    "archive",
    "accounts.apps.StewardAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "config.static_files.BundledStaticFiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_filters",
    "csp",
    "allauth",
    "allauth.account",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
]
MIDDLEWARE = [
    "config.logs.RequestIds",
    "config.metrics.RequestTimes",
    "django.middleware.security.SecurityMiddleware",
    # Outside of all that looks for a person: a kept page costs none of it.
    "config.kept_pages.KeptPages",
    # Inside of it: what is kept says so too.
    "config.elsewhere.ReadableElsewhere",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Closed by default: a page for strangers says so with @login_not_required.
    "config.signed_out.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # Innermost: a verb's "no" becomes an answer while messages can still be written.
    "config.refusals.RefusalMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "config.form_renderer.Renderer"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # The wheel carries the templates beside this file, a checkout at its root.
        "DIRS": [p for p in (HERE / "_templates", BASE_DIR / "templates") if p.is_dir()],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.nav.nav",
            ],
        },
    },
]

# --- rows --------------------------------------------------------------------------------------
DATABASES = {
    "default": database(
        "REKINDLE_DATABASE_URL",
        envsecret("REKINDLE_DATABASE_URL", f"sqlite:///{VAR_DIR / 'rekindle.sqlite3'}"),
    )
}
_CACHE_URL = cache_server("REKINDLE_CACHE_URL", envsecret("REKINDLE_CACHE_URL"))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _CACHE_URL,
    }
    if _CACHE_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # What each process remembers of the pages that are kept, a few megabytes; config.kept_pages.
    "pages": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "pages",
        "OPTIONS": {"MAX_ENTRIES": 2000},
    },
}
# For how long a page that is the same for every stranger is shown again before it is made anew;
# a change of what is public makes it anew at once. 0: never kept. See config.kept_pages.
PAGES_KEPT_SECONDS = envint("REKINDLE_PAGES_KEPT_SECONDS", 3600)

# --- bytes -------------------------------------------------------------------------------------
# The address of a bucket's server is also named in the content security policy below.
S3_BUCKET = envstr("REKINDLE_S3_BUCKET")
S3_ENDPOINT = web_address(
    "REKINDLE_S3_ENDPOINT", envstr("REKINDLE_S3_ENDPOINT"), "https://s3.example.org"
)
S3_REGION = envstr("REKINDLE_S3_REGION", "us-east-1")
S3_ADDRESSING = envstr("REKINDLE_S3_ADDRESSING", "path", among=("path", "virtual"))
_FOLDER: dict[str, Any] = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    # No base_url: private bytes never have an address of their own.
    "OPTIONS": {"location": str(envpath("REKINDLE_BYTES_DIR", VAR_DIR / "bytes"))},
}
# Also what `--to s3://…` and `--restore s3://…` reach, with another bucket's name.
BUCKET_STORAGE: dict[str, Any] = {
    "BACKEND": "archive.bucket.Bucket",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "endpoint_url": S3_ENDPOINT or None,
        "access_key": envsecret("REKINDLE_S3_KEY") or None,
        "secret_key": envsecret("REKINDLE_S3_SECRET") or None,
        "region_name": S3_REGION,
        "addressing_style": S3_ADDRESSING,
        "signature_version": "s3v4",
        "default_acl": None,  # the bucket is private, and so is what we put there
        "querystring_auth": True,
        "querystring_expire": 600,
        "file_overwrite": False,
    },
}
STORAGES: dict[str, dict[str, Any]] = {
    "default": BUCKET_STORAGE if S3_BUCKET else _FOLDER,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.static_files.ManifestStorage",
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = envpath("REKINDLE_STATIC_DIR", VAR_DIR / "static")
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_USE_FINDERS = DEBUG

# Where curators may take scans in from: folders that the operator puts out, buckets read with the
# key above, hosts on the web, and hosts that may be in a private network and speak plain http.
INGEST_DIR = envpath("REKINDLE_INGEST_DIR", VAR_DIR) if envstr("REKINDLE_INGEST_DIR") else None
INGEST_BUCKETS = envlist("REKINDLE_INGEST_BUCKETS")
INGEST_HOSTS = envlist("REKINDLE_INGEST_HOSTS")
INGEST_PRIVATE_HOSTS = envlist("REKINDLE_INGEST_PRIVATE_HOSTS")

# Every kept file is hashed again when its last check is so old (0: never by itself), and how many
# megabytes are read for it in an hour.
FIXITY_DAYS = envint("REKINDLE_FIXITY_DAYS", 30)
FIXITY_MB_PER_HOUR = envint("REKINDLE_FIXITY_MB_PER_HOUR", 4096, least=1)
# How many pictures an hour get new sizes and tiles when there is a newer way to make them.
REMAKES_PER_HOUR = envint("REKINDLE_REMAKES_PER_HOUR", 600, least=1)
# What one upload may weigh, and how many pixels a scan may have before it is refused unread.
MAX_UPLOAD_BYTES = envint("REKINDLE_MAX_UPLOAD_BYTES", 512 * 1024**2, least=1)
# What a ZIP of scans may weigh that is sent in one piece.
MAX_BATCH_BYTES = envint("REKINDLE_MAX_BATCH_BYTES", 4 * 1024**3, least=1)
# An upload that was cut off may go on for so long, and one person may have so many of them.
UPLOAD_HOURS = envint("REKINDLE_UPLOAD_HOURS", 48, least=1)
UPLOADS_OPEN = envint("REKINDLE_UPLOADS_OPEN", 20, least=1)
MAX_PIXELS = envint("REKINDLE_MAX_PIXELS", 100_000_000, least=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024**2  # painted masks arrive as form fields
FILE_UPLOAD_TEMP_DIR = str(VAR_DIR)  # the same disk, so that keeping a scan is a rename
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_HANDLERS = [
    "archive.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- work --------------------------------------------------------------------------------------
CELERY_BROKER_URL = envsecret("REKINDLE_BROKER_URL", "fsatomic://localhost")
_BROKER_AT = address("REKINDLE_BROKER_URL", CELERY_BROKER_URL)
_BROKER = _BROKER_AT.scheme
CELERY_BROKER_TRANSPORT_OPTIONS = broker.transport_options(_BROKER, VAR_DIR / "broker")
if CELERY_BROKER_TRANSPORT_OPTIONS is None:
    raise ImproperlyConfigured(
        "REKINDLE_BROKER_URL must begin with fsatomic://, redis://, rediss://, amqp:// or amqps://."
    )
if _BROKER != broker.ALIAS and not _BROKER_AT.hostname:  # the library would ask this machine
    raise ImproperlyConfigured(
        "REKINDLE_BROKER_URL names no host; write it as amqp://USER:PASSWORD@HOST:PORT// or"
        " redis://HOST:PORT/0."
    )
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "cpu"
BELLS_EXCHANGE = "rekindle"
CELERY_TASK_QUEUES = broker.queues(_BROKER, BELLS_EXCHANGE, {family.name for family in FAMILIES})
CELERY_TASK_DEFAULT_EXCHANGE = BELLS_EXCHANGE
CELERY_TASK_CREATE_MISSING_QUEUES = False  # a misspelled name is an error, not a new queue
CELERY_TASK_IGNORE_RESULT = True  # the job's row is the truth, the message only a doorbell
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Only Redis heeds this: a busy worker takes no bell that an idle one could answer.
CELERY_WORKER_DISABLE_PREFETCH = _BROKER in {"redis", "rediss"}
# A worker that lost its link to the broker ends its job: the row knows whose it is.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_ENABLE_UTC = True
# Or Celery would make a new link to the database for every task; config.worker looks after it.
CELERY_DB_REUSE_MAX = 10**9
# A job whose worker has not beaten for this long goes to the next worker.
JOB_LEASE_SECONDS = envint("REKINDLE_JOB_LEASE_SECONDS", 90, least=1)
# A job that works for longer than this has failed.
JOB_LIMIT_SECONDS = envint("REKINDLE_JOB_LIMIT_SECONDS", 1800, least=1)
# A file whose reader said nothing for so long goes to the next; longer than reading one takes.
READING_LEASE_SECONDS = envint("REKINDLE_READING_LEASE_SECONDS", 300, least=1)
# A worker that is asked to stop works on for so long, and hands back what is not finished then.
DRAIN_SECONDS = envint("REKINDLE_DRAIN_SECONDS", 1800)
# Machine time that a person gets in a day, in percent of archive/trust.py; 0: nobody counts.
ALLOWANCE_PERCENT = envint("REKINDLE_ALLOWANCE_PERCENT", 100)
# The queues that the workers started here serve.
WORKER_KINDS = envlist("REKINDLE_WORKER_KINDS", "cpu", among=("cpu", "generative"))
# Where an operator keeps the weights of generative models; nothing is ever fetched while working.
MODELS_DIR = envpath("REKINDLE_MODELS_DIR", BASE_DIR / "models")
# Where `manage.py fetch_models` gets them, and whether ones that may not earn money are let in.
MODELS_HUB = web_address(
    "REKINDLE_MODELS_HUB",
    envstr("REKINDLE_MODELS_HUB", "https://huggingface.co").rstrip("/"),
    "https://huggingface.co",
)
MODELS_HUB_TOKEN = envsecret("REKINDLE_MODELS_HUB_TOKEN")
NONCOMMERCIAL_MODELS = envbool("REKINDLE_NONCOMMERCIAL_MODELS")
# What models work on: a card, and without one nothing; or the processor, which takes hours.
MODELS_DEVICE = envstr("REKINDLE_MODELS_DEVICE", "cuda", among=("cuda", "cpu"))
# What a worker's models may take of the memory, work included; 0: most of the card, or of the RAM.
MODELS_MEMORY_GB = envint("REKINDLE_MODELS_MEMORY_GB", 0)

# --- watching ----------------------------------------------------------------------------------
# Who bears it may read the figures at /metrics; without one there is no such page.
METRICS_TOKEN = envsecret("REKINDLE_METRICS_TOKEN")
# Who takes traces, by OpenTelemetry's own names; without an address there are none. Its library
# reads the other OTEL_ variables, so it must find these as they are.
OTEL_ENDPOINT = web_address(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    envstr("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or envstr("OTEL_EXPORTER_OTLP_ENDPOINT"),
    "http://collector:4318",
)
OTEL_SERVICE_NAME = envstr("OTEL_SERVICE_NAME", "rekindle")
OTEL_SDK_DISABLED = envbool("OTEL_SDK_DISABLED")

# --- people ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": name}
    for name in (
        "accounts.passwords.UnlikeTheName",
        "accounts.passwords.LongEnough",
        "django.contrib.auth.password_validation.CommonPasswordValidator",
        "django.contrib.auth.password_validation.NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "signup": "accounts.forms.SignUpForm",
    "add_email": "accounts.forms.AddEmailForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
}
# Limits are the account's: forty people in a classroom have one address. Only against floods, and
# before there is an account, an address counts too: far above what any classroom does.
ACCOUNT_RATE_LIMITS = {
    "signup": "200/m/ip",
    "login": "600/m/ip",
    # By one account and source, and by one account from anywhere: see accounts.guesses.
    "login_failed": "5/300s/key",
    "login_failed_anywhere": "30/300s/key",
    "reset_password": "200/m/ip,5/m/key",
    "reset_password_from_key": "200/m/ip",
}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
# The page of signing up says of every address the same; its owner's letter says more. Two accounts
# may so have one address, and one of them may confirm it.
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Rekindle] "
ACCOUNT_USERNAME_VALIDATORS = "accounts.passwords.NAMES"
# A session that was left open or stolen takes no account: whoever changes where letters go says
# the password again, once in so many seconds, and the address from before is told.
ACCOUNT_REAUTHENTICATION_REQUIRED = ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
# For how long the link to a new password works, in a letter or handed over by a steward.
PASSWORD_RESET_TIMEOUT = 24 * 3600
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
_MAIL, EMAIL_PORT = mail_server("REKINDLE_MAIL_URL", envsecret("REKINDLE_MAIL_URL", "console://"))
EMAIL_BACKEND = (
    "django.core.mail.backends.console.EmailBackend"
    if _MAIL.scheme == "console"
    else "django.core.mail.backends.smtp.EmailBackend"
)
EMAIL_HOST = _MAIL.hostname or ""
EMAIL_HOST_USER = unquote(_MAIL.username or "")
EMAIL_HOST_PASSWORD = unquote(_MAIL.password or "")
EMAIL_TIMEOUT = 5  # seconds that a page waits for the mail server
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.scheme == "smtp+tls", _MAIL.scheme == "smtps"
# Where somebody whose account is suspended can write to, and a visitor who knows somebody in a
# picture whose collection names no contact. Nobody made the mailbox of the default.
CONTACT_MAIL = envmail("REKINDLE_CONTACT_MAIL", f"steward@{SITE_HOST}")
DEFAULT_FROM_EMAIL = envmail("REKINDLE_MAIL_FROM", f"rekindle@{SITE_HOST}", named=True)

# --- languages and clocks ----------------------------------------------------------------------
LANGUAGE_CODE = envstr("REKINDLE_LANGUAGE", "en", among=("en", "zh-hans"))
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [p for p in (HERE / "_locale", BASE_DIR / "locale") if p.is_dir()]
FORMAT_MODULE_PATH = "config.formats"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
USE_I18N = True
USE_TZ = True
TIME_ZONE = envzone("REKINDLE_TIME_ZONE", "UTC")

# --- safety ------------------------------------------------------------------------------------
# A presigned address leads to the bucket's server, so pictures may come from there too.
_S3_ORIGIN = s3_origins(S3_ENDPOINT, S3_REGION, S3_BUCKET if S3_ADDRESSING == "virtual" else "")
if not (S3_ENDPOINT or S3_BUCKET):
    _S3_ORIGIN = []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:", *_S3_ORIGIN],
        "connect-src": ["'self'", *_S3_ORIGIN],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS and not DEBUG
CSRF_TRUSTED_ORIGINS = [SITE_URL] if HTTPS else []
SECURE_SSL_REDIRECT = HTTPS and not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS and not DEBUG else 0
# The other names under the institution's domain are not ours to bind to https.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None

# --- the door for programs ---------------------------------------------------------------------
REST_FRAMEWORK = {
    # The token first: its answer to strangers is 401, that of a session 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.PlainJson"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.negotiation.OneKind",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "api.pages.Pages",
    "DEFAULT_FILTER_BACKENDS": ["api.filters.Filters"],
    "DEFAULT_THROTTLE_RATES": {"token": "10/min"},
    "NUM_PROXIES": PROXIES,
    "EXCEPTION_HANDLER": "config.away.handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Rekindle",
    "DESCRIPTION": "The verbs of the restoration wall, for programs.",
    "VERSION": "0.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.schema.tell_problems",
    ],
    # Many things have a state or a kind; each list of choices has its own name.
    "ENUM_NAME_OVERRIDES": {
        "PhotoState": "archive.lifecycle.PhotoState",
        "ClaimState": "restoration.lifecycle.ClaimState",
        "JobState": "restoration.lifecycle.JobState",
        "JobKind": "restoration.lifecycle.JobKind",
        "VersionState": "restoration.lifecycle.VersionState",
        "VersionKind": "restoration.lifecycle.VersionKind",
        "ReviewState": "restoration.lifecycle.ReviewState",
        "ReviewReason": "restoration.lifecycle.ReviewReason",
        "PublicationState": "restoration.lifecycle.PublicationState",
    },
}

# Plain lines for a person at a terminal; JSON for a collector, without anything personal.
LOG_FORMAT = envstr("REKINDLE_LOG_FORMAT", "plain", among=("plain", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(levelname)s %(name)s: %(message)s"},
        "json": {"()": "config.logs.JsonLines"},
    },
    "filters": {"one_name": {"()": "config.logs.OneName"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {
        "handlers": ["console"],
        "level": envstr("REKINDLE_LOG_LEVEL", "INFO", among=("DEBUG", "INFO", "WARNING", "ERROR")),
    },
    "loggers": {
        "pyvips": {"level": "WARNING"},  # it tells of every operation
        # A person at a terminal sees the pages; a collector gets a line for each.
        "config.requests": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
        # Of a refused request that line tells all; without it, Django's own does.
        "django.request": {"level": "ERROR" if LOG_FORMAT == "json" else "WARNING"},
        # Where two workers have one name, a sentence instead of thirty lines of the library.
        "celery.worker": {"filters": ["one_name"]},
        # It warns of tasks that are sent to be done later. None are: what waits, waits in its row,
        # and the sweeper rings when its time has come.
        "kombu.transport.native_delayed_delivery": {"level": "ERROR"},
        # At debug level it logs statements with their values.
        "django.db.backends": {"level": "INFO"},
    },
}

# Generic classes of Django take their type in brackets while running, as the type checker wants.
django_stubs_ext.monkeypatch()
