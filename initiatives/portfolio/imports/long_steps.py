"""Long steps of an imported file, which the worker does."""

from typing import Any

from django.contrib import messages
from django.utils.translation import gettext as _

from governance.runtime.signed_in_request import SignedInRequest
from initiatives.models import ImportBatch
from initiatives.portfolio.imports.inventories import import_runs


def long_run(
    request: SignedInRequest, batch: ImportBatch, kind: str, rows: int, options: dict[str, Any]
) -> bool:
    """Have the worker do a step of a long file, and tell the person. Return False for a short file."""
    if rows <= import_runs.LONG:
        return False
    import_runs.ask_run(kind=kind, batch=batch, rows=rows, options=options, by=request.user)
    messages.success(request, _("The rows are read or imported in the background. You can leave this page."))
    return True
