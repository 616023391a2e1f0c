"""Pages of the admin that ask before they act: what will happen, a form, one button."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy

from governance.permission_result import Conflict
from governance.vocabulary.form_errors import put_errors


class ReasonForm(forms.Form):
    """The reason of an act, for the audit log."""

    reason = forms.CharField(
        label=gettext_lazy("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


def change_url(row) -> str:
    """Return the page of the row in the admin."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def act_page(model_admin, request, row, *, verb, happens, act, done, links=()):
    """Ask for a reason, then act. Refusals have separate pages. `links` are (words, address) to read first."""
    if not request.user.is_admin:
        raise PermissionDenied
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if (
        request.method == "POST"
        and form.is_valid()
        and _acted(form, lambda: act(form.cleaned_data["reason"]))
    ):
        model_admin.message_user(request, done, messages.SUCCESS)
        return redirect(change_url(row))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{verb}: {row}",
        "opts": model_admin.model._meta,
        "original": row,
        "form": form,
        "happens": happens,
        "verb": verb,
        "links": links,
        "back_url": change_url(row),
    }
    return render(request, "admin/act.html", context)


@dataclass(frozen=True)
class Look:
    """The result of a previewed form: done, or the plan to show. `changed` is the conflict since the last look."""

    done: bool = False
    shown: Any = None
    changed: str = ""


def looked_or_done(request, form, plan: Callable, act: Callable) -> Look:
    """Do the shown plan if `seen` has its digest, else return the plan to show.

    `plan(cleaned)` has `sentences()` and a `digest`. `act(cleaned, digest)` raises Conflict if its effect has changed
    since. The new plan is then shown, and the typed text stays.
    """
    changed = ""
    if request.method != "POST" or not form.is_valid():
        return Look()
    if seen := request.POST.get("seen", ""):
        try:
            if _acted(form, lambda: act(form.cleaned_data, seen)):
                return Look(done=True)
        except Conflict as conflict:
            changed = str(conflict)
    if not form.is_valid():
        return Look()
    try:
        return Look(shown=plan(form.cleaned_data), changed=changed)
    except ValidationError as wrong:
        put_errors(form, wrong)
        return Look()


def _acted(form, act) -> bool:
    """Return True if the act was done. Its validation errors go to the form."""
    try:
        act()
    except ValidationError as wrong:
        put_errors(form, wrong)
        return False
    return True
