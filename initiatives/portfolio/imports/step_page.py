"""The page that asks for one step of an imported file: confirm, discard or undo."""

from collections.abc import Sequence

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from initiatives.models import ImportBatch


def ask_step(
    request: HttpRequest,
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
    context = {
        "nav": "imports",
        "batch": batch,
        "title": title,
        "lede": lede,
        "happens": happens,
        "form": form,
        "verb": verb,
        "danger": danger,
    }
    return render(request, "initiatives/imports/import_step.html", context)
