"""The page that asks for one step of a file that was read: confirm it, throw it away, undo it."""

from collections.abc import Sequence

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from initiatives.models import ImportBatch, SystemImport


def ask_step(
    request: HttpRequest,
    batch: ImportBatch | SystemImport,
    *,
    title: str,
    verb: str,
    happens: Sequence[str],
    form: forms.Form | None = None,
    lede: str = "",
    danger: bool = False,
) -> HttpResponse:
    """The page with what will happen, the form if there is one, and one button."""
    context = {
        "nav": "imports" if isinstance(batch, ImportBatch) else "systems",
        "batch": batch,
        "title": title,
        "lede": lede,
        "happens": happens,
        "form": form,
        "verb": verb,
        "danger": danger,
    }
    return render(request, "initiatives/imports/import_step.html", context)
