"""Set-up of logging: one line an event, as key=value or as JSON, on the error output, without secrets.

A line has the id of its request, the key of the person who is signed in, the initiative in the address, and the id of
the task that writes it, where it has one of these.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import structlog

from governance.runtime.redaction import BlackOut

Row = TypeVar("Row")
Made = TypeVar("Made")
log = structlog.get_logger("plumbline.rows")
LOG_STEPS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def lines(*, debug: bool, secrets: list[str], as_json: bool = False) -> dict:
    """Set structlog up, and return what plain logging is configured with, so that both write alike.

    As JSON every request is a line too, because programs read it.
    """
    renderer: Any = structlog.processors.KeyValueRenderer(
        key_order=["timestamp", "level", "logger", "event"], drop_missing=True
    )
    if as_json:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*LOG_STEPS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": LOG_STEPS,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    BlackOut(secrets),
                    renderer,
                ],
            }
        },
        "filters": {"one_line": {"()": lambda: _without_traceback}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "plumbline": {"level": "DEBUG" if debug else "INFO"},
            "plumbline.requests": {"level": "INFO" if as_json else "WARNING"},
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            # Programs that look for holes send foreign host names by the thousand: one line each.
            "django.security.DisallowedHost": {"filters": ["one_line"]},
            "django.server": {"handlers": [], "level": "INFO", "propagate": True},
            "celery": {"level": "WARNING"},
            "kombu": {"level": "ERROR"},  # warns that filesystem:// names no host
        },
    }


def _without_traceback(record: logging.LogRecord) -> bool:
    record.exc_info = None
    return True


def each_row(
    rows: Iterable[Row], make: Callable[[Row], Made]
) -> Iterator[tuple[Row, Made | None, Exception | None]]:
    """Yield each row with what `make` returns for it, or with its error, which is logged.

    One row that fails does not stop a page or a run over many rows.
    """
    for row in rows:
        try:
            made = make(row)
        except Exception as problem:
            log.exception("a row failed", row=str(row), what=f"{make.__module__}.{make.__qualname__}")
            yield row, None, problem
        else:
            yield row, made, None
