"""Settings of the broker from its address, with a time limit on everything that is asked of it."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

PATIENCE = 3  # seconds for one answer of the queue


def transport_options(url: str, folder: Path) -> dict:
    """Return Celery's options for the queue at this address, with files in `folder`. Raises ImproperlyConfigured."""
    kind = url.partition("://")[0]
    if kind == "filesystem":
        return {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.1,
        }
    if kind in ("redis", "rediss"):
        # A task whose worker was killed comes back after this many seconds: twice the longest task, and more.
        return {
            "visibility_timeout": 600,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": PATIENCE,
            "socket_timeout": PATIENCE,
        }
    if kind in ("amqp", "amqps"):
        return {"connect_timeout": PATIENCE}
    raise ImproperlyConfigured(
        "CELERY_BROKER_URL is not valid. Set it to redis://host:6379/0 or "
        "amqp://user:password@host:5672//, or unset it to use files."
    )
