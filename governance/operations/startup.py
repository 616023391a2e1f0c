"""Ending a start that cannot succeed: one sentence, no traceback, exit code 2."""

import os
import sys
from typing import NoReturn

# gunicorn starts a worker anew when it ends, except with this code, its own for "the application does not load".
GUNICORN_APP_LOAD_ERROR = 4


def refuse_wrong_folder(**_: object) -> None:
    """End the process unless the folder of files is the one that the database names
    (`governance.storage.data_folder`)."""
    from governance.storage import data_folder  # which imports models: only once Django is set up

    try:
        data_folder.demand_at_start()
    except data_folder.WrongFolder as wrong:
        refuse(wrong)


def refuse(reason: object) -> NoReturn:
    """Say `reason` on the error output and end the process."""
    print(f"Plumbline cannot start: {reason}", file=sys.stderr, flush=True)
    if "gunicorn" in sys.modules:
        os._exit(GUNICORN_APP_LOAD_ERROR)
    sys.exit(2)
