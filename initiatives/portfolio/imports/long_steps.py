"""The steps of an imported file: the page that asks for one, and long ones in the worker."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
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


def ask_step(
    request: SignedInRequest,
    batch: ImportBatch,
    *,
    title: str,
    verb: str,
    happens: Sequence[str],
    form: forms.Form | None = None,
    lede: str = "",
    danger: bool = False,
) -> HttpResponse:
    """Show what the step will do, its form if it has one, and one button."""
    context = {"nav": "imports", "batch": batch, "title": title, "lede": lede, "happens": happens}
    context |= {"form": form, "verb": verb, "danger": danger}
    return render(request, "initiatives/imports/import_step.html", context)
