"""Check of the web server's settings: one request at a time would deny systems while a page is made."""

import argparse
import os
import shlex

import structlog
from django.core.checks import Warning as Advice

log = structlog.get_logger("plumbline.web")

ALONE = (
    "The web server answers one request at a time: a page that takes long holds up every request of a system."
)
ADVICE = "Start gunicorn with --workers and --threads. See docs/operate/install.md."


def watched(application):
    """Return the application. It records at the first request if this process is single, with one thread.

    The server itself passes with each request how it serves (PEP 3333).
    """
    looked = False

    def serve(environ, start_response):
        nonlocal looked
        if not looked:
            looked = True
            if not (environ.get("wsgi.multithread") or environ.get("wsgi.multiprocess")):
                log.warning(ALONE, advice=ADVICE)
        return application(environ, start_response)

    return serve


def check_server(app_configs, **_) -> list[Advice]:
    """`check --deploy`: a warning unless the environment gives gunicorn more than one process or thread.

    The command line is not visible here. docs/operate/install.md puts the options into the environment.
    """
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("-w", "--workers", type=int, default=os.environ.get("WEB_CONCURRENCY", "1"))
    options.add_argument("--threads", type=int, default=1)
    options.error = _unreadable
    try:
        found, _ = options.parse_known_args(shlex.split(os.environ.get("GUNICORN_CMD_ARGS", "")))
        several = found.workers * found.threads > 1
    except ValueError:
        several = False
    return (
        []
        if several
        else [
            Advice(
                ALONE,
                hint=f"{ADVICE} Plumbline reads both options from GUNICORN_CMD_ARGS.",
                id="plumbline.W001",
            )
        ]
    )


def _unreadable(words: str):
    raise ValueError(words)
