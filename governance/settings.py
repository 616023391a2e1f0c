"""All settings, read from the environment. A wrong value stops the start with an error that names the fix."""

import ipaddress
import os
import re
import tomllib
import zoneinfo
from pathlib import Path
from urllib.parse import urlsplit

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from governance.offline.verify import COSIGNATURE, KEY_NAME, Rejected, parse_key
from governance.queue import broker_settings
from governance.runtime import logging_setup
from governance.runtime.environment import (
    another_database,
    embeddings_service,
    file_stores,
    host_names,
    key_seed,
    secret,
    syslog_receiver,
    whole_number,
    witnesses,
    yes_or_no,
)
from governance.runtime.secret_files import KEPT_SIGNING_KEY, kept
from governance.storage import embedded_postgres

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- Where things lie ---------------------------------------------------------------------------------------

DATA_DIR = Path(os.environ.get("PLUMBLINE_DATA") or BASE_DIR / ".data").expanduser().absolute()
try:
    if not DATA_DIR.is_dir():
        DATA_DIR.mkdir(parents=True)
        DATA_DIR.chmod(0o755)  # what is private in it lies in folders and files of its own with narrow modes
    for private in ("uploads", "mail", "queue"):
        (DATA_DIR / private).mkdir(mode=0o700, exist_ok=True)
except OSError as trouble:
    raise ImproperlyConfigured(
        f"the folder {DATA_DIR} cannot be used ({trouble.strerror}). Set PLUMBLINE_DATA to a folder this "
        "user may write to."
    ) from None

DEBUG = yes_or_no("PLUMBLINE_DEBUG")
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

# --- Database -----------------------------------------------------------------------------------------------

DATABASE_URL = secret("DATABASE_URL")
EMBEDDED = not os.environ.keys() & {"DATABASE_URL", "DATABASE_URL_FILE"}
EMBEDDED_DATABASE = embedded_postgres.Server(DATA_DIR / "database")
if EMBEDDED:
    try:
        DATABASE_URL = EMBEDDED_DATABASE.url()
    except embedded_postgres.DatabaseTrouble as trouble:
        raise ImproperlyConfigured(str(trouble)) from None
elif not re.match(r"(postgres|postgresql)://.*/.+", DATABASE_URL):
    raise ImproperlyConfigured(
        "DATABASE_URL is not the address of a PostgreSQL database. Set it to "
        "postgresql://user:password@host:5432/name, or unset it to use the embedded database."
    )
try:
    connection = env.db_url_config(DATABASE_URL)
except ValueError:
    raise ImproperlyConfigured(
        "DATABASE_URL cannot be read. Write the characters @ : / # in its password as %40 %3A %2F %23."
    ) from None
# A socket folder arrives as ?host=..., because the host part of an address cannot hold a path.
connection["HOST"] = connection.get("OPTIONS", {}).pop("host", connection["HOST"])
# After so many seconds a statement is stopped; 0 is never. The web server sets it (governance/wsgi.py); commands and
# the worker do long work.
STATEMENT_SECONDS = whole_number("PLUMBLINE_STATEMENT_SECONDS", 0, 0, 86_400, "seconds, or 0 for never")
# A pooler that hands each transaction another connection: nothing may be kept on one beyond its transaction, neither
# cursors nor prepared statements, and none is told a time limit at its start (the role has it: `database_roles`).
POOLER = os.environ.get("PLUMBLINE_POOLER", "")
if POOLER not in ("", "transaction"):
    raise ImproperlyConfigured(
        f"PLUMBLINE_POOLER is {POOLER!r}. Set it to transaction. If each session keeps its connection, unset "
        "PLUMBLINE_POOLER."
    )
DATABASES = {
    "default": connection
    | {
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": "plumbline",
            "connect_timeout": 5,
            "pool": yes_or_no("PLUMBLINE_DATABASE_POOL"),
            # At once, of the cursors that can prepare: those of `governance.database.prepared_statements`.
            # None: not even those.
            "prepare_threshold": None if POOLER else 0,
        }
        # Said also where it is never, because the role may have a limit of its own for those behind a pooler.
        | ({} if POOLER else {"options": f"-c statement_timeout={STATEMENT_SECONDS}s"})
        | connection.get("OPTIONS", {}),
    }
}
if POOLER:
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
if DATABASES["default"]["OPTIONS"]["pool"]:
    DATABASES["default"]["CONN_MAX_AGE"] = 0  # Django allows one of the two
# A login of its own for whoever seals the audit log, where the application's may not (`manage.py database_roles`).
sealer = another_database("PLUMBLINE_SEALER_URL", "the name and password of the sealer")
if sealer:
    DATABASES["sealer"] = DATABASES["default"] | sealer | {"OPTIONS": DATABASES["default"]["OPTIONS"]}
# A streaming replica, from which pages that only show much are read (`governance.database.replica`). One that is away
# must not delay them, so a connection is waited for a shorter time than one to the primary.
replica = another_database("PLUMBLINE_REPLICA_URL", "the address of the replica")
REPLICA_LAG_SECONDS = whole_number("PLUMBLINE_REPLICA_LAG_SECONDS", 10, 2, 60, "seconds, 2 to 60")
if replica:
    shared = DATABASES["default"]["OPTIONS"] | {"connect_timeout": 2, "tcp_user_timeout": 3000}
    if shared["pool"]:
        shared["pool"] = {"timeout": 2}
    DATABASES["replica"] = DATABASES["default"] | replica | {"OPTIONS": shared | replica.get("OPTIONS", {})}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Secrets ------------------------------------------------------------------------------------------------
# Read without django-environ, which takes a leading $ for the name of another variable.

SECRET_KEY = secret("PLUMBLINE_SECRET_KEY")
if not SECRET_KEY:
    if not EMBEDDED and not DEBUG:
        raise ImproperlyConfigured(
            "PLUMBLINE_SECRET_KEY is not set. Set it to a long random text, the same for every process "
            "(needed whenever DATABASE_URL is set)."
        )
    try:
        SECRET_KEY = kept(DATA_DIR, "secret-key", size=48)
    except OSError as trouble:
        raise ImproperlyConfigured(
            f"the file {DATA_DIR / 'secret-key'} cannot be used ({trouble.strerror}). Start as the user who "
            "owns it, or set PLUMBLINE_DATA to another folder."
        ) from None
elif len(SECRET_KEY) < 20:
    raise ImproperlyConfigured("PLUMBLINE_SECRET_KEY is too short. Set it to at least 20 random characters.")

# What signs the checkpoints of the audit log. The embedded database is of one machine, which makes it once and keeps it
# in DATA_DIR; elsewhere each would make its own, and the audit log would be signed by keys that nobody else knows.
SIGNING_KEY = key_seed("PLUMBLINE_SIGNING_KEY")
if SIGNING_KEY is None and not EMBEDDED and not DEBUG:
    here = DATA_DIR / KEPT_SIGNING_KEY
    raise ImproperlyConfigured(
        "PLUMBLINE_SIGNING_KEY is not set. Set it to 32 random bytes in Base64 (openssl rand -base64 32). "
        "Use the same key for every process on every machine. The key is required if DATABASE_URL is set."
        + (
            f" The current key is in {here}. Set PLUMBLINE_SIGNING_KEY_FILE to this file."
            if here.exists()
            else ""
        )
    )
# Whoever reads /metrics sends it. Without it there is no such page.
METRICS_TOKEN = secret("PLUMBLINE_METRICS_TOKEN")
if METRICS_TOKEN and len(METRICS_TOKEN) < 20:
    raise ImproperlyConfigured(
        "PLUMBLINE_METRICS_TOKEN is too short. Set it to at least 20 random characters."
    )
ORIGIN = os.environ.get("PLUMBLINE_ORIGIN", "")  # the audit log's name under its checkpoints, for good
if ORIGIN and not (KEY_NAME.match(ORIGIN) and ORIGIN.isprintable() and len(ORIGIN) <= 120):
    raise ImproperlyConfigured(
        f"PLUMBLINE_ORIGIN is {ORIGIN!r}. Set it to an address without https://, such as "
        "plumbline.example.org/audit-log."
    )
# Public keys of earlier days, which still verify.
FORMER_KEYS = os.environ.get("PLUMBLINE_FORMER_KEYS", "").split()
for text in FORMER_KEYS:
    try:
        parse_key(text)
    except Rejected as why:
        raise ImproperlyConfigured(
            f"PLUMBLINE_FORMER_KEYS names {text!r}: {why} Set it to public keys as the audit log page shows them, "
            "with spaces between them."
        ) from None
# Others that cosign checkpoints after they checked that the audit log only grew: address and public key of each.
WITNESSES = witnesses("PLUMBLINE_WITNESSES", lambda text: parse_key(text, (COSIGNATURE,)))
# An authority that stamps checkpoints with its time (RFC 3161), such as http://time.example.org/tsr.
TIMESTAMP_URL = os.environ.get("PLUMBLINE_TIMESTAMP_URL", "")
if TIMESTAMP_URL and not re.match(r"https?://\S+\Z", TIMESTAMP_URL):
    raise ImproperlyConfigured(
        f"PLUMBLINE_TIMESTAMP_URL is {TIMESTAMP_URL!r}. Set it to an address such as "
        "http://time.example.org/tsr."
    )
EMBEDDINGS_URL, EMBEDDINGS_MODEL, EMBEDDINGS_KEY = embeddings_service()

# How long records of decisions are kept after their initiative was stopped or retired (docs/domain.md, invariant 18).
LEAST_RETENTION_DAYS = 730
RETENTION_DAYS = whole_number(
    "PLUMBLINE_RETENTION_DAYS",
    LEAST_RETENTION_DAYS,
    LEAST_RETENTION_DAYS,
    None,
    "a number of days for keeping decisions after an initiative stopped or was retired, "
    f"{LEAST_RETENTION_DAYS} or more",
)

# The password of every demo login. Empty: `demo` makes one and keeps it in DATA_DIR.
DEMO_PASSWORD = os.environ.get("PLUMBLINE_DEMO_PASSWORD", "")

# --- Addresses ----------------------------------------------------------------------------------------------

PORT = whole_number("PLUMBLINE_PORT", 8000, 1, 65535, "a number from 1 to 65535")

# The address people type, without a slash at its end; mails link to it, and passkeys are made for its name.
if not (EMBEDDED or DEBUG or os.environ.get("PLUMBLINE_ADDRESS")):
    raise ImproperlyConfigured(
        "PLUMBLINE_ADDRESS is not set. Set it to the address that people type, such as "
        "https://plumbline.example.org. Emails link to this address, and https protects cookies. The address is "
        "required if DATABASE_URL is set."
    )
ADDRESS = os.environ.get("PLUMBLINE_ADDRESS", f"http://localhost:{PORT}").rstrip("/")
try:
    address = urlsplit(ADDRESS)
    understood = address.scheme in ("http", "https") and address.hostname and not address.path
except ValueError:
    understood = False
if not understood:
    raise ImproperlyConfigured(
        f"PLUMBLINE_ADDRESS is {ADDRESS!r}. Set it to the address that people type, such as "
        "https://plumbline.example.org, without a path."
    )
OVER_TLS = address.scheme == "https"

ALLOWED_HOSTS = [host.strip() for host in os.environ.get("PLUMBLINE_HOSTS", "").split(",") if host.strip()]
for host in ALLOWED_HOSTS:
    if "/" in host or " " in host:
        raise ImproperlyConfigured(
            f"PLUMBLINE_HOSTS names {host!r}. Set it to host names with commas between them, without "
            "http:// and without paths."
        )
ALLOWED_HOSTS += sorted({"localhost", "127.0.0.1", "[::1]", str(address.hostname)} - set(ALLOWED_HOSTS))
CSRF_TRUSTED_ORIGINS = [ADDRESS]

# Proxies in front of the application, whose word on where a connection came from is taken. Nobody else's is.
PROXIES = []
for text in os.environ.get("PLUMBLINE_PROXIES", "").replace(",", " ").split():
    try:
        PROXIES.append(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ImproperlyConfigured(
            f"PLUMBLINE_PROXIES names {text!r}. Set it to addresses or networks with commas between them, "
            "such as 127.0.0.1,10.1.2.0/24."
        ) from None

# --- Time and language --------------------------------------------------------------------------------------

TIME_ZONE = os.environ.get("PLUMBLINE_TIME_ZONE", "UTC")
try:
    zoneinfo.ZoneInfo(TIME_ZONE)
except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
    raise ImproperlyConfigured(
        f"PLUMBLINE_TIME_ZONE is {TIME_ZONE!r}. Set it to a name from the time zone database, such as "
        "Europe/Zurich or America/New_York."
    ) from None
USE_TZ = True
CLOCK_MAY_DIFFER: float | None = 30.0  # seconds from the database's clock; beyond, nothing by the day
LANGUAGE_CODE = "en"
# The languages of pages and emails (adoption/locale). The audit log and signed statements are in English.
USE_I18N = True
LANGUAGES = [("en", "English"), ("de", "Deutsch")]

# --- Mail ---------------------------------------------------------------------------------------------------

MAIL_SCHEMES = ("smtp", "smtps", "smtp+tls", "smtp+ssl", "consolemail", "filemail", "memorymail", "dummymail")
MAILS_A_WEEK = whole_number("PLUMBLINE_MAILS_A_WEEK", 5, 1, 100, "emails to one person in a week, 1 to 100")
EMAIL_URL = secret("EMAIL_URL")
if EMAIL_URL:
    if not EMAIL_URL.startswith(tuple(f"{scheme}:" for scheme in MAIL_SCHEMES)):
        raise ImproperlyConfigured(
            "EMAIL_URL is not valid. Set it to smtp+tls://user:password@host:587, or unset it to "
            f"write mails as files into {DATA_DIR / 'mail'}."
        )
    try:
        mail = env.email_url_config(EMAIL_URL)
    except (ValueError, ImproperlyConfigured):
        raise ImproperlyConfigured(
            "EMAIL_URL cannot be read. Write the characters @ : / # in its password as %40 %3A %2F %23."
        ) from None
    EMAIL_BACKEND = mail["EMAIL_BACKEND"]
    EMAIL_HOST = mail.get("EMAIL_HOST") or "localhost"
    EMAIL_PORT = mail.get("EMAIL_PORT") or 25
    EMAIL_HOST_USER = mail.get("EMAIL_HOST_USER") or ""
    EMAIL_HOST_PASSWORD = mail.get("EMAIL_HOST_PASSWORD") or ""
    EMAIL_USE_TLS = mail.get("EMAIL_USE_TLS", False)
    EMAIL_USE_SSL = mail.get("EMAIL_USE_SSL", False)
    EMAIL_FILE_PATH = mail.get("EMAIL_FILE_PATH") or str(DATA_DIR / "mail")
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(DATA_DIR / "mail")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("PLUMBLINE_FROM_EMAIL") or f"Plumbline <plumbline@{address.hostname}>"
if "@" not in DEFAULT_FROM_EMAIL or "\n" in DEFAULT_FROM_EMAIL:
    raise ImproperlyConfigured(
        f"PLUMBLINE_FROM_EMAIL is {DEFAULT_FROM_EMAIL!r}. Set it to a mail address, such as 'Plumbline "
        "<plumbline@example.org>'."
    )
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Queue --------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = secret("CELERY_BROKER_URL") or "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = broker_settings.transport_options(CELERY_BROKER_URL, DATA_DIR / "queue")
# Correctness lives in our tables (what is due is a query, what is written a row); the queue only carries messages.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2, "interval_max": 0.2}
CELERY_TASK_TIME_LIMIT = 240
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives any outage of the queue
CELERY_TIMEZONE = TIME_ZONE
# What belongs to the night runs every hour or few, because machines sleep; a message that waited too long is dropped.
CELERY_BEAT_SCHEDULER = "governance.operations.heartbeats:Scheduler"
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": schedule, "options": {"expires": 240}}
    for name, task, schedule in (
        ("send reminders", "governance.tasks.run_reminders", crontab(minute="*/15")),
        ("deliver mail", "governance.tasks.deliver_mail", crontab(minute="2-59/5")),
        ("mail approvals", "initiatives.tasks.mail_approvals", crontab()),
        ("mail checkpoints", "initiatives.tasks.mail_checkpoints", crontab()),
        ("send digests", "initiatives.tasks.send_digests", crontab(minute="17-59/15")),
        ("draw requirements", "initiatives.tasks.draw_requirements", crontab(minute="1-59/5")),
        ("recompute supported stages", "initiatives.tasks.recompute_supported_stages", crontab(minute="7")),
        ("follow the register", "initiatives.tasks.follow_register", crontab(minute="6")),
        ("queue long imports", "initiatives.tasks.queue_long_imports", crontab(minute="3-59/5")),
        ("expire reviews", "initiatives.tasks.expire_reviews", crontab(minute="9")),
        ("open measurement obligations", "adoption.tasks.open_measurement_obligations", crontab(minute="12")),
        ("send events", "governance.tasks.send_events", crontab()),
        ("send the audit log by syslog", "governance.tasks.stream_audit_log", crontab()),
        ("forget contacts", "adoption.tasks.forget_contacts", crontab(minute="14")),
        ("tend exports", "adoption.tasks.tend_exports", crontab(minute="4-59/5")),
        ("open obligations of vacancies", "initiatives.tasks.open_vacancy_obligations", crontab(minute="11")),
        ("open gaps of accepted risks", "initiatives.tasks.open_gaps_of_risks", crontab(minute="8")),
        ("find missing files", "initiatives.tasks.find_missing_files", crontab(minute="13", hour="*/4")),
        ("erase previews", "initiatives.tasks.erase_previews", crontab(minute="3-59/5")),
        ("end old sessions", "governance.tasks.end_old_sessions", crontab(minute="17")),
        ("add timestamps to the audit log", "governance.tasks.stamp_audit_log", crontab(minute="4-59/10")),
        ("cosign the audit log", "governance.tasks.cosign_audit_log", crontab()),
        ("compare logs", "initiatives.tasks.reconcile_logs", crontab(minute="*/5")),
        ("tend interactions", "governance.tasks.tend_interactions", crontab(minute="22", hour="*/4")),
    )
}
SEALING = {"task": "governance.tasks.seal_audit_log", "schedule": 3.0, "options": {"expires": 10}}
LOADING = SEALING | {"task": "governance.tasks.load_interactions", "schedule": 5.0}
CELERY_BEAT_SCHEDULE |= {"seal the audit log": SEALING, "load interactions": LOADING}

# --- The application ----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "governance",
    "initiatives",
    "adoption",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_fsm",
    "simple_history",
    "django_htmx",
    "django_filters",
    "csp",
]
MIDDLEWARE = [
    "governance.web.middleware.Machines",
    "governance.web.middleware.Unknown",
    "governance.web.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "governance.web.middleware.PackedPages",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "governance.web.middleware.Probes",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "governance.web.middleware.ReadablePages",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "governance.web.middleware.OneLook",
    "governance.web.middleware.Language",
    "governance.web.middleware.DemoBeingBuilt",
    "governance.web.middleware.SignedInOnly",
    "governance.web.middleware.SeenNow",
    "governance.web.middleware.PlainText",
    "django.contrib.messages.middleware.MessageMiddleware",
    "governance.web.sent_once.SentOnce",
    "governance.web.middleware.RefusalPages",
    "governance.web.middleware.Replica",
    "governance.web.middleware.AsOf",
    "initiatives.lifecycle.initiative_pages.confirmation.Confirmation",
]
ROOT_URLCONF = "governance.urls"
WSGI_APPLICATION = "governance.wsgi.application"
ASGI_APPLICATION = "governance.asgi.application"
TEMPLATES: list[dict] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "governance.web.context_processors.everywhere",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # finds templates/django/forms/field.html

AUTH_USER_MODEL = "governance.User"
AUTH_PASSWORD_VALIDATORS: list[dict] = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTH_PASSWORD_VALIDATORS.append({"NAME": "governance.sign_in.password_validators.NotOnlyHouseWords"})
AUTH_PASSWORD_VALIDATORS[0]["OPTIONS"] = {"user_attributes": ("login", "full_name", "email")}
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "sign-in"
SIMPLE_HISTORY_REVERT_DISABLED = True  # a row of history is never pressed back into the present
# The redirect to https belongs to the TLS proxy; to be preloaded is for the owner of the whole domain to ask. Without
# TLS nothing is promised of it (W004), and cookies cannot be told to insist on it (W012, W016).
SILENCED_SYSTEM_CHECKS = ["security.W008", "security.W021"]
if not OVER_TLS:
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W012", "security.W016"]

# --- Files --------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".static"  # of the installed version; no process writes there while it serves
WHITENOISE_USE_FINDERS = True  # what was not collected is served from the packages
# Uploads lie outside every folder that is served, or in a bucket; a view that asks who may hands them out.
MEDIA_ROOT = DATA_DIR / "uploads"
MEDIA_URL = ""
STORE = file_stores()
STORAGES: dict[str, dict] = {
    "default": {"BACKEND": "governance.storage.kept_files.KeptFiles", "OPTIONS": STORE},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "governance.operations.static_files.StaticFiles"
    },
}
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]  # never whole in memory
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "uploads"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
UPLOAD_MAX_BYTES = 25 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024  # everything in a request but its files
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 20

# Whether people may have links captured, and hosts of the house that may be asked although their addresses are private.
CAPTURE_LINKS = yes_or_no("PLUMBLINE_CAPTURE_LINKS")
CAPTURE_HOSTS = host_names("PLUMBLINE_CAPTURE_HOSTS")
EVENT_HOSTS = host_names("PLUMBLINE_EVENT_HOSTS")  # the same for receivers of events
SYSLOG = syslog_receiver()  # of the audit log

# --- Systems that ask for decisions -------------------------------------------------------------------------

# Requests and reports a second that one key may send each web process, before it is told to come back.
DECISION_RATE = whole_number("PLUMBLINE_DECISION_RATE", 500, 1, None, "requests a second, 1 or more")
INTERACTION_RATE = whole_number("PLUMBLINE_INTERACTION_RATE", 5000, 1, None, "reports a second, 1 or more")
INTERACTION_DAYS = whole_number("PLUMBLINE_INTERACTION_DAYS", 730, 183, 3650, "a number of days, 183 to 3650")
DECISIONS_DIR = DATA_DIR / "decisions"  # where decisions wait until they are in the database
DECISION_LOG_WRITES_ITSELF = True  # by a thread of each web process; tests write when they look
DECISION_FRESH = 0.4  # seconds for which a web process relies on what it read of keys, contracts and switches
INTERACTIONS_DIR = DATA_DIR / "interactions"  # encrypted bodies that wait for the worker
# Master keys of bodies. Copy this folder by itself: a backup beside it would open what was to be erased.
INTERACTION_KEYS_DIR = Path(os.environ.get("PLUMBLINE_INTERACTION_KEYS") or DATA_DIR / "interaction-keys")
INTERACTION_RESERVE = 256 << 20  # bytes of the disk that reports leave to everything else
BACKUP_DAYS = whole_number("PLUMBLINE_BACKUP_DAYS", 35, 1, None, "days, 1 or more")  # then no backup is left
BACKUPS = Path(os.environ["PLUMBLINE_BACKUPS"]).absolute() if os.environ.get("PLUMBLINE_BACKUPS") else None
BACKUP_KEY = os.environ.get("PLUMBLINE_BACKUP_KEY", "")  # public; the private key is on no host that serves
if BACKUP_KEY and not re.fullmatch(r"age1[02-9ac-hj-np-z]{58}", BACKUP_KEY):
    raise ImproperlyConfigured(
        f"PLUMBLINE_BACKUP_KEY is {BACKUP_KEY!r}. Set it to the public key that `manage.py backup --new-key FILE` "
        "prints, such as age1..."
    )

# --- The browser's side -------------------------------------------------------------------------------------

# In the memory of each process: how much waits for whom, and reviews at a glance. Both are compared, not trusted.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 5_000}}
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {f"{kind}-src": [SELF] for kind in ("default", "script", "style", "img", "font", "connect")}
    | {"form-action": [SELF], "frame-ancestors": [NONE], "base-uri": [NONE], "object-src": [NONE]}
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_ENGINE = "governance.sign_in.sessions"
# A browser takes a cookie of that name only over TLS, for this host alone and for all of it.
_HOST = "__Host-" if OVER_TLS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, KNOWN_COOKIE_NAME = f"{_HOST}session", f"{_HOST}csrf", f"{_HOST}known"
WROTE_COOKIE_NAME = f"{_HOST}wrote"  # up to where the replica must be for a person to see what they did
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_IDLE_MINUTES = whole_number("PLUMBLINE_IDLE_MINUTES", 120, 0, None, "minutes, 0 for never")
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = OVER_TLS
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if OVER_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = OVER_TLS

# --- Logs ---------------------------------------------------------------------------------------------------

# What must not stand in a log, whoever writes the line.
OWN_SECRETS = [
    SECRET_KEY,
    DEMO_PASSWORD,
    os.environ.get("PLUMBLINE_SIGNING_KEY", ""),
    *(database["PASSWORD"] or "" for database in DATABASES.values()),
    EMAIL_URL and EMAIL_HOST_PASSWORD,
    METRICS_TOKEN,
    EMBEDDINGS_KEY,
    *(place["secret_key"] or "" for place in (STORE["here"], *STORE["former"]) if place),
    *(os.environ.get(f"PLUMBLINE_STORE_{name}ENCRYPTION_KEY", "") for name in ("", "FORMER_")),
    urlsplit(CELERY_BROKER_URL).password or "",
]
LOG = os.environ.get("PLUMBLINE_LOG", "text")
if LOG not in ("text", "json"):
    raise ImproperlyConfigured(f"PLUMBLINE_LOG is {LOG!r}. Set it to json or text.")
LOGGING = logging_setup.lines(debug=DEBUG, secrets=OWN_SECRETS, as_json=LOG == "json")
