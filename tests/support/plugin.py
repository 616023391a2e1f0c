"""What every test stands on: a database, the application's own login to it, a browser, the length of a race.

The database of a run is a copy of a template that has every migration: made once per state of the migrations,
copied in a second. What a test with `transaction=True` leaves behind is removed by anew.py.
"""

import ast
import contextlib
import gc
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as drawn
from psycopg import sql
from psycopg._preparing import PrepareManager

from governance.audit_log import row_capture
from governance.database import database_roles
from governance.management.commands.collectstatic import compile_translations
from governance.offline import verify
from governance.storage import data_folder, embedded_postgres
from governance.transparency_log import as_of, database_guards
from initiatives.models import initiative
from tests.support.database.reset import as_it_was, drop_used, server, url_of
from tests.support.web import page_text

TEMPLATE_PREFIX = "plumbline_template_"
BUILDER = pytest.StashKey[threading.Thread]()
TEMPLATES_KEPT = 3
# On a server that is not ours, an application role of that name may be somebody's real one.
LOGINS = (
    database_roles.Names()
    if settings.EMBEDDED
    else database_roles.Names(
        "plumbline_app_of_tests", "plumbline_sealer_of_tests", "plumbline_auditor_of_tests"
    )
)
# What a run may leave out, and nothing else where CI is set: programs that it has not, logins that a foreign server
# refuses us, and what is for runs of full length.
MAY_BE_SKIPPED = (
    "no PgBouncer on this machine",
    "no redis-server on this machine",
    "no rsyslog with TLS on this machine",
    "oidc-provider is not installed",
    "PLUMBLINE_TEST_OIDC_PYTHON names no Python",
    "the server in DATABASE_URL is not ours",
    "the user in DATABASE_URL may not",
    "every page is opened at full length only",
)
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Playwright's synchronous interface runs an event loop, and Django then refuses to touch the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    """How often each race is run."""
    parser.addoption("--rounds", type=int, default=5, help="rounds of each race between people (default: 5)")


def pytest_configure(config: pytest.Config) -> None:
    """Start the embedded server, and the template beside what else a run begins with, once for all its workers."""
    mark_folder(settings.MEDIA_ROOT)
    page_text.install()
    TransactionTestCase._fixture_teardown = as_it_was
    keep_prepared_statements()
    # A busy machine is no fault of what is tested.
    drawn.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    drawn.load_profile("suite")
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    compile_translations()
    if settings.EMBEDDED:
        try:
            settings.EMBEDDED_DATABASE.start()
        except embedded_postgres.DatabaseTrouble as trouble:
            pytest.exit(str(trouble), returncode=2)
    try:
        server().close()
    except psycopg.OperationalError as trouble:
        pytest.exit(f"The database does not answer: {str(trouble).strip()}", returncode=2)
    config.stash[BUILDER] = threading.Thread(target=make_template)
    config.stash[BUILDER].start()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The databases of this run are copies of the template; by now it is there, or nearly."""
    template = make_template()
    if template is not None:
        settings.DATABASES["default"]["TEST"] |= {"TEMPLATE": template, "MIGRATE": False}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The copy gets the rights that the template has: Django migrates it once more, and on the database itself."""
    with django_db_blocker.unblock(), psycopg.connect(url_of(connection.settings_dict["NAME"])) as inside:
        database_roles.grant(inside, LOGINS)


# Files that take longest, started first: a long one begun last would leave the other worker idle.
LONG_FILES = (
    "tests/unit/",  # which need no database: it is being made meanwhile
    "browser/test_tiers_walk",
    "adoption/test_demo_company",
    "acceptance/browser/",
    "operations/test_run_command",
    "acceptance/races/",
    "audit_log/test_backup",
    "acceptance/walks/",
    "pages/test_inbox_answers",
    "pages/test_admin_pages",
    "audit_log/test_erasure",
    "pages/test_query_counts",
    "pages/test_access",
    "rulebook/test_forecast_views",
    "input/test_generated_input",
    "acceptance/audit_log/",
    "acceptance/initiatives/",
    "initiatives/test_clause_views",
    "integration/test_systems",
    "audit_log/test_entries",
)


def keep_prepared_statements() -> None:
    """What a connection prepared stays prepared when a test is rolled back, as it does from one request to the next.

    psycopg lets go of all of it at each ROLLBACK, so that every test had the server plan the same statements anew.
    They speak of tables of migrations alone, which no rollback takes away.
    """
    lets_go = re.compile(rb"^(?:DROP|ALTER|DISCARD ALL|DEALLOCATE ALL)\b").match
    PrepareManager._should_discard.__defaults__ = (lets_go,)
    PrepareManager.prepared_max = 1000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; inside a file the order stays."""

    def place(item: pytest.Item) -> int:
        return next((n for n, name in enumerate(LONG_FILES) if name in item.nodeid), len(LONG_FILES))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: it is not looked through for cycles again and again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Every test that was skipped is told with its reason: none is left out unseen."""
    for report in terminalreporter.getreports("skipped"):
        terminalreporter.write_line(f"skipped: {report.nodeid}: {reason_of(report)}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a test that is skipped for any other reason than those written down is a failure."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and terminal is not None and session.exitstatus == pytest.ExitCode.OK:
        reasons = map(reason_of, terminal.getreports("skipped"))
        if any(not reason.startswith(MAY_BE_SKIPPED) for reason in reasons):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def reason_of(report: pytest.TestReport) -> str:
    """Why a test was skipped."""
    return report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, unless another run uses it, and remove what tests uploaded."""
    gc.unfreeze()
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)
    if BUILDER in config.stash:
        config.stash[BUILDER].join()
    if settings.EMBEDDED and not hasattr(config, "workerinput"):
        if BUILDER in config.stash:
            drop_used()
        settings.EMBEDDED_DATABASE.leave()


# --- The template ----------------------------------------------------------------------------------------------------


def make_template() -> str | None:
    """The name of a database with every migration. None if they do not run: then the tests themselves show why.

    Whoever asks first makes it, and the others wait.
    """
    name = TEMPLATE_PREFIX + state_of_migrations()
    with server() as at:
        at.execute("SELECT pg_advisory_lock(hashtext('plumbline template'))")  # freed with the connection
        tidy(at)
        if not settings.EMBEDDED:
            make_roles_elsewhere(at)
        if at.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return name
        draft = sql.Identifier(f"{name}_draft")
        at.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(draft))
        at.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(draft))
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=settings.BASE_DIR,
            env=dict(os.environ) | {"DATABASE_URL": url_of(f"{name}_draft")},
            capture_output=True,
        )
        if done.returncode:
            at.execute(sql.SQL("DROP DATABASE {}").format(draft))
            return None
        with psycopg.connect(url_of(f"{name}_draft")) as inside:
            inside.execute("UPDATE governance_datafolder SET mark = %s", [settings.FOLDER_MARK])
            database_roles.grant(inside, LOGINS)
        at.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(draft, sql.Identifier(name)))
    return name


def mark_folder(uploads: Path) -> None:
    """Make this the folder of files of every database that is a copy of the template."""
    uploads.mkdir(parents=True, exist_ok=True)
    (uploads / data_folder.MARK).write_text(settings.FOLDER_MARK)


def state_of_migrations() -> str:
    """A digest of all migrations and the modules of ours they import (models apart: a migration carries its own)."""
    paths = {
        Path(database_roles.__file__),
        *(Path(module.__file__) for module in (as_of, row_capture, database_guards, initiative, verify)),
        *settings.BASE_DIR.glob("governance/rulebook/*.toml"),
        *settings.BASE_DIR.glob("*/migrations/*/*.sql"),
    }
    for path in settings.BASE_DIR.glob("*/migrations/*.py"):
        paths.add(path)
        for line in ast.walk(ast.parse(path.read_text())):
            if isinstance(line, ast.ImportFrom) and line.module:
                modules = [line.module, *(f"{line.module}.{name.name}" for name in line.names)]
            else:
                modules = [name.name for name in line.names] if isinstance(line, ast.Import) else []
            files = (
                settings.BASE_DIR / f"{name.replace('.', '/')}.py"
                for name in modules
                if ".models" not in name
            )
            paths |= {file for file in files if file.is_file()}
    seen = hashlib.sha256()
    for path in sorted(paths):
        seen.update(str(path.relative_to(settings.BASE_DIR)).encode() + path.read_bytes())
    return seen.hexdigest()[:12]


def tidy(at: psycopg.Connection[Any]) -> None:
    """Drop templates of older migrations and, on our own server, what killed runs left."""
    names = [name for (name,) in at.execute("SELECT datname FROM pg_database ORDER BY oid")]
    old = [name for name in names if name.startswith(TEMPLATE_PREFIX)][:-TEMPLATES_KEPT]
    for name in names:
        if not settings.EMBEDDED and name not in old:
            continue  # the number in its name may be a process of another machine
        run = name.removeprefix("test_plumbline_").partition("_")[0]
        if name in old or (name.startswith("test_plumbline_") and not psutil.pid_exists(int(run))):
            at.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def make_roles_elsewhere(at: psycopg.Connection[Any]) -> None:
    """The roles on a server that is not ours, if we may; without them the tests that need them say so."""
    with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
        database_roles.make_roles(at, passwords=dict.fromkeys(LOGINS, settings.SECRET_KEY))


# --- Fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often to run a race: few in the suite, many in `make races`."""
    return request.config.getoption("rounds")


def address_for(login: str) -> str:
    """The address of the test's database for one of our logins; skips where the server does not let us make them."""
    password = settings.EMBEDDED_DATABASE.password(login) if settings.EMBEDDED else settings.SECRET_KEY
    with server() as at:
        if not at.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login]).fetchone():
            pytest.skip("the user in DATABASE_URL may not create roles")
    place = urlsplit(url_of(connection.settings_dict["NAME"]))
    address = place.netloc.rpartition("@")[2]
    password = password.replace(" ", "%20").replace(",", "%2C")
    return place._replace(netloc=f"{login}:{password}@{address}").geturl()


@pytest.fixture
def application_url(transactional_db: None) -> str:
    """The address of the test's database for the role that web and worker have."""
    return address_for(LOGINS.application)


@pytest.fixture
def application(application_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the role that web and worker have: what it must not do, the database refuses."""
    with psycopg.connect(application_url, autocommit=True) as login:
        yield login


@pytest.fixture
def sealer(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the role that seals."""
    with psycopg.connect(address_for(LOGINS.sealer), autocommit=True) as login:
        yield login


@pytest.fixture
def auditor_login(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the role that reads."""
    with psycopg.connect(address_for(LOGINS.auditor), autocommit=True) as login:
        yield login


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Where Chromium is. Without one the test is skipped; in CI, which installs it, the test fails."""
    # The shell is Chromium without its windows: the same pages in three quarters of the time.
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        reason = "no Chromium on this machine; on Debian: apt-get install chromium-headless-shell"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return Path(found)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium: Path) -> dict[str, Any]:
    """Playwright's `browser`, `context` and `page` run on the machine's own Chromium."""
    return browser_type_launch_args | {"executable_path": str(chromium), "args": CHROMIUM_ARGUMENTS}
