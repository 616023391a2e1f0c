"""Pages of rulebook drafts: copy, edit as a text beside the changes, and load."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from governance.models import Rulebook
from governance.people import permissions as people_permissions
from governance.rulebook import RulebookErrors, diff, parse
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.initiative_frame import page_of, sent
from initiatives.models import Forecast, RulebookDraft
from initiatives.portfolio.rulebook_changes import draft_actions
from initiatives.portfolio.rulebook_changes.draft_actions import Overtaken as DraftOvertaken
from initiatives.portfolio.rulebook_changes.forms import CopyForm, TextForm


def drafts(request):
    """Show the open drafts, and the form that starts another."""
    people_permissions.may_forecast(request.user).or_refuse()
    base = request.GET.get("base") or getattr(Rulebook.objects.in_force(), "version", None)
    form = CopyForm(sent(request), initial={"base": base})
    if request.method == "POST":
        people_permissions.may_draft(request.user).or_refuse()
        if form.is_valid():
            try:
                draft = draft_actions.copy_rulebook(**form.cleaned_data, by=request.user)
            except ValidationError as wrong:
                put_errors(form, wrong)
            else:
                messages.success(
                    request,
                    phrase(
                        "The draft of {} is a copy of {}.", draft.version, draft.base.version
                    ).in_language(),
                )
                return redirect("rulebook-draft", draft.pk)
    rows = RulebookDraft.objects.current().select_related("base", "by").defer("source").order_by("-at")
    context = {
        "nav": "rulebook",
        "form": form,
        "page": page_of(request, rows),
        "may_draft": people_permissions.may_draft(request.user),
    }
    return render(request, "initiatives/rulebook_changes/drafts.html", context)


def draft(request, pk):
    """Show the changes of a draft from the rulebook in force, and its texts."""
    people_permissions.may_forecast(request.user).or_refuse()
    row = draft_of(pk)
    texts = row.history.order_by("-number", "-history_id").values("number", "said", "at", "by__full_name")
    context = beside(row) | {
        "texts": page_of(request, texts.filter(loaded__isnull=True, dropped_at__isnull=True)),
        "editable": people_permissions.may_draft(request.user) and not (row.loaded_id or row.dropped_at),
        "forecast": Forecast.objects.of(row.digest).defer("source").first(),
    }
    return render(request, "initiatives/rulebook_changes/draft.html", context)


def text(request, pk):
    """Show the whole text of a draft, to edit or to replace by a file."""
    people_permissions.may_draft(request.user).or_refuse()
    row = draft_of(pk)
    form = TextForm(
        *((request.POST, request.FILES) if request.method == "POST" else ()),
        initial={"text": row.source, "based_on": row.number},
    )
    if request.method == "POST" and form.is_valid():
        try:
            draft_actions.replace_draft(
                draft=row,
                source=form.cleaned_data["source"],
                based_on=form.cleaned_data["based_on"],
                by=request.user,
            )
        except RulebookErrors as errors:
            form.add_error(None, [str(problem) for problem in errors.problems])
        except DraftOvertaken as meanwhile:
            form.add_error(None, meanwhile)
            form.data = form.data.copy()
            form.data["based_on"] = str(meanwhile.draft.number)
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            messages.success(request, _("The text is saved."))
            return redirect("rulebook-draft", row.pk)
    if form.is_bound and form.cleaned_data.get("source"):
        form.data = form.data.copy()  # what came as a file is kept as text, so that it can be fixed here
        form.data["text"] = form.cleaned_data["source"]
    return render(request, "initiatives/rulebook_changes/draft_text.html", beside(row) | {"form": form})


@require_POST
def load(request, pk):
    """Make the draft a version. An admin proposes it on its page."""
    people_permissions.may_draft(request.user).or_refuse()
    rulebook = draft_actions.load_draft(draft=draft_of(pk), based_on=number_of(request), by=request.user)
    messages.success(
        request,
        phrase("Version {} is final, and an admin can propose it now.", rulebook.version).in_language(),
    )
    return redirect("rulebook-version", rulebook.version)


@require_POST
def drop(request, pk):
    """Give a draft up."""
    people_permissions.may_draft(request.user).or_refuse()
    row = draft_actions.drop_draft(draft=draft_of(pk), by=request.user)
    messages.success(
        request,
        phrase("The draft of {} is discarded. The audit log keeps its texts.", row.version).in_language(),
    )
    return redirect("rulebook-drafts")


def number_of(request) -> int:
    said = request.POST.get("based_on", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 9 else 0


def draft_of(pk: int) -> RulebookDraft:
    """Return the draft, open or not. Raises Http404."""
    return get_object_or_404(RulebookDraft.objects.select_related("base", "by", "loaded"), pk=pk)


def beside(row: RulebookDraft) -> dict:
    """Return the context of draft pages: changes from the base and the one in force."""
    in_force, rulebook = Rulebook.objects.current(), parse(row.source)
    sections = diff.differences(row.base.parsed, rulebook)
    others = diff.differences(in_force.parsed, rulebook) if in_force.pk != row.base_id else []
    return {"nav": "rulebook", "draft": row, "in_force": in_force, "sections": sections, "others": others}
