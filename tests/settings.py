"""Settings of the test suite: the real ones, from an environment that holds nothing of ours but DATABASE_URL."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

KEPT = ("PLUMBLINE_TEST_", "PLUMBLINE_SHOTS")  # where the walks in a browser leave their pictures
for name in list(os.environ):
    if name.startswith(("PLUMBLINE_", "CELERY_", "EMAIL_")) and not name.startswith(KEPT):
        del os.environ[name]
# Outside the tree, so that whatever imports these settings (a type checker, an editor) leaves nothing in it; one folder
# for each place the project lies at and each user, kept from run to run with the template of the database. In memory,
# where there is room: a database is two thousand files, and the tests make hundreds of databases.
MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30
PLACE = f"{Path(__file__).resolve().parent.parent}:{os.getuid()}"
NAME = f"plumbline-tests-{hashlib.sha256(PLACE.encode()).hexdigest()[:12]}"
# The folder that the first process of a run made decides for its workers, however full the memory is by then.
IN_MEMORY = (MEMORY / NAME).is_dir() or (
    MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
)
FOLDER = (MEMORY if IN_MEMORY else Path(tempfile.gettempdir())) / NAME
FOLDER.mkdir(mode=0o755, exist_ok=True)
if FOLDER.stat().st_uid != os.getuid():
    raise SystemExit(f"{FOLDER} belongs to another user; remove it.")
os.environ["PLUMBLINE_DATA"] = str(FOLDER)
os.environ["PLUMBLINE_SECRET_KEY"] = "a key for tests, known to everybody"
if (
    "DATABASE_URL" in os.environ
):  # then each process is told the key that signs; else the data folder keeps one
    os.environ["PLUMBLINE_SIGNING_KEY"] = "QSBrZXkgZm9yIHRlc3RzLCBrbm93biB0byBhbGwgLi4="
os.environ["PLUMBLINE_ADDRESS"] = "http://127.0.0.1:8000"
# The workers of one run share this mark; two runs at once keep apart.
RUN = os.environ.setdefault("PLUMBLINE_TEST_RUN", str(os.getpid()))

from governance.settings import *  # noqa: E402, F403
from governance.settings import DATA_DIR, DATABASES, EMBEDDED_DATABASE, STORAGES, TEMPLATES  # noqa: E402
from tests.support.web.undefined_names import UNDEFINED  # noqa: E402

EMBEDDED_DATABASE.durable = False
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["TEST"] = {"NAME": f"test_plumbline_{RUN}"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True
DECISION_LOG_WRITES_ITSELF = False
DECISION_FRESH = 0.0
CLOCK_MAY_DIFFER = None  # tests freeze the time, and the database's clock goes on
CELERY_TASK_EAGER_PROPAGATES = True
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = False  # every test client would look through all static files
MEDIA_ROOT = DATA_DIR / f"uploads-{RUN}-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
FOLDER_MARK = "the folder of tests"  # of every database that is copied from the template
FILE_UPLOAD_TEMP_DIR = MEDIA_ROOT
DECISIONS_DIR = MEDIA_ROOT / "decisions"
INTERACTIONS_DIR = MEDIA_ROOT / "interactions"
INTERACTION_KEYS_DIR = MEDIA_ROOT / "interaction-keys"
INTERACTION_RESERVE = 0
TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = UNDEFINED
