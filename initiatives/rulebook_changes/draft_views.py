"""Drafts of the rulebook: copied, edited part by part beside what they change, loaded as a version that is proposed."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from governance.models import Rulebook
from governance.people import permissions as people_permissions
from governance.permission_result import Conflict
from governance.rulebook import RulebookErrors, diff, parse
from governance.rulebook.editing import PARTS, Text, read
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import RUNNING_STAGES
from initiatives.cases.case_frame import mend, page_of, sent
from initiatives.models import Forecast, RulebookDraft
from initiatives.rulebook_changes import draft_actions
from initiatives.rulebook_changes.draft_actions import Overtaken as DraftOvertaken
from initiatives.rulebook_changes.forms import CopyForm, PartForm, TextForm

ALL = "all"  # the key of a part that has no rows
TITLES = {
    "freshness": "Terms of the whole rulebook",
    "stages": "Stages",
    "gates": "Gates",
    "criterion": "Criteria: what the board signs",
    "requirement": "Requirements: what the owner answers",
}


def drafts(request):
    """Every draft that is worked on, and the form that begins another."""
    people_permissions.may_forecast(request.user).or_refuse()
    base = request.GET.get("base") or getattr(Rulebook.objects.in_force(), "version", None)
    form = CopyForm(sent(request), initial={"base": base})
    if request.method == "POST":
        people_permissions.may_draft(request.user).or_refuse()
        if form.is_valid():
            try:
                draft = draft_actions.copy_rulebook(**form.cleaned_data, by=request.user)
            except ValidationError as wrong:
                mend(form, wrong)
            else:
                messages.success(
                    request, f"The draft of {draft.version} says what {draft.base.version} says."
                )
                return redirect("rulebook-draft", draft.pk)
    rows = RulebookDraft.objects.standing().select_related("base", "by").defer("source").order_by("-at")
    context = {
        "nav": "rulebook",
        "form": form,
        "page": page_of(request, rows),
        "may_draft": people_permissions.may_draft(request.user),
    }
    return render(request, "initiatives/rulebook_changes/drafts.html", context)


def draft(request, pk):
    """What a draft says otherwise than the rulebook in force, its parts, and every text it had."""
    people_permissions.may_forecast(request.user).or_refuse()
    row = _draft(pk)
    text = read(row.source)
    texts = row.history.order_by("-number", "-history_id").values("number", "said", "at", "by__full_name")
    context = _beside(row) | {
        "parts": [(part, TITLES[part], _rows_of(text, part)) for part in PARTS],
        "texts": page_of(request, texts.filter(loaded__isnull=True, dropped_at__isnull=True)),
        "may_draft": people_permissions.may_draft(request.user),
        "forecast": Forecast.objects.of(row.digest).filter(kind=Forecast.CASES).defer("source").first(),
    }
    return render(request, "initiatives/rulebook_changes/draft.html", context)


def edit(request, pk, part, key):
    """Edit one part of a draft, what it changes beside it. Nothing typed is lost, and nobody overwrites anybody."""
    people_permissions.may_draft(request.user).or_refuse()
    row = _draft(pk)
    text, key = read(row.source), "" if key == ALL else key
    if part not in PARTS or text.row(part, key) is None or (part != "freshness") != bool(key):
        raise Http404("The draft has no such part.")
    form = PartForm(sent(request), text=text, part=part, key=key, number=row.number)
    overtaken = None
    if request.method == "POST" and form.is_valid():
        seen = read(_seen(row, form.cleaned_data["based_on"]))
        values = form.changed(seen)
        try:
            saved = draft_actions.edit_draft(
                draft=row, values=values, based_on=form.cleaned_data["based_on"], by=request.user
            )
        except DraftOvertaken as meanwhile:
            row, overtaken = meanwhile.draft, meanwhile
            form = _again(row, part, key, values)
        except RulebookErrors as errors:
            form.mend(errors)
        except ValidationError as wrong:
            mend(form, wrong)
        else:
            said = "Nothing was changed." if saved.number == row.number else f"Saved: {saved.said}"
            messages.success(request, said)
            return redirect("rulebook-draft-edit", row.pk, part, key or ALL)
    context = _beside(row) | {
        "form": form,
        "part": part,
        "key": key,
        "heading": key or TITLES[part],
        "question": (text.row(part, key) or {}).get("question", "")
        or (text.row(part, key) or {}).get("title", ""),
        "overtaken": overtaken,
        "now": [
            (form.fields[place[-1]].label, _said(value))
            for place, value in (overtaken.now.items() if overtaken else ())
        ],
    }
    return render(request, "initiatives/rulebook_changes/draft_edit.html", context)


def _of_others(overtaken: DraftOvertaken | None) -> list[tuple[tuple, object]]:
    """What others wrote meanwhile where the person was writing."""
    return list(overtaken.now.items()) if overtaken else []


def _again(row: RulebookDraft, part: str, key: str, values: dict) -> PartForm:
    """The form on the newest text, with what the person had typed: what others changed elsewhere stays theirs."""
    typed = {place[-1]: value if value is not None else "" for place, value in values.items()}
    return PartForm(text=read(row.source), part=part, key=key, number=row.number, initial=typed)


def _said(value) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return (
        {True: "yes", False: "no", None: "nothing"}.get(value, value)
        if not isinstance(value, int)
        else str(value)
    )


def text(request, pk):
    """The whole text of a draft, to be edited or replaced by a file."""
    people_permissions.may_draft(request.user).or_refuse()
    row = _draft(pk)
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
            mend(form, wrong)
        else:
            messages.success(request, "The text is saved.")
            return redirect("rulebook-draft", row.pk)
    if form.is_bound and form.cleaned_data.get("source"):
        form.data = form.data.copy()  # what came as a file is kept as text, so that it can be mended here
        form.data["text"] = form.cleaned_data["source"]
    return render(request, "initiatives/rulebook_changes/draft_text.html", _beside(row) | {"form": form})


@require_POST
def load(request, pk):
    """Make the draft a version; an admin proposes it on its page."""
    people_permissions.may_draft(request.user).or_refuse()
    rulebook = draft_actions.load_draft(draft=_draft(pk), based_on=_number(request), by=request.user)
    messages.success(request, f"Version {rulebook.version} does not change any more. It can be proposed now.")
    return redirect("rulebook-version", rulebook.version)


@require_POST
def drop(request, pk):
    """Give a draft up."""
    people_permissions.may_draft(request.user).or_refuse()
    row = draft_actions.drop_draft(draft=_draft(pk), by=request.user)
    messages.success(request, f"The draft of {row.version} is dropped; its texts stay in the record.")
    return redirect("rulebook-drafts")


def _number(request) -> int:
    said = request.POST.get("based_on", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 9 else 0


def _draft(pk: int) -> RulebookDraft:
    """The draft, worked on or not. Raises Http404."""
    return get_object_or_404(RulebookDraft.objects.select_related("base", "by", "loaded"), pk=pk)


def _seen(row: RulebookDraft, number: int) -> str:
    """The text under the number that a form was filled in on."""
    if number == row.number:
        return row.source
    kept = row.history.filter(number=number).values_list("source", flat=True).first()
    if kept is None:
        raise Conflict(
            "This draft never was what you say you saw.",
            "Open it again.",
            reverse("rulebook-draft", args=[row.pk]),
        )
    return kept


def _beside(row: RulebookDraft) -> dict:
    """What every page of a draft shows: what it says otherwise than the rulebook in force."""
    in_force = Rulebook.objects.current()
    sections = [one for one in diff.differences(in_force.book, parse(row.source)) if one.lines]
    return {"nav": "rulebook", "draft": row, "in_force": in_force, "sections": sections}


def _rows_of(text: Text, part: str) -> list[tuple[str, str]]:
    """The rows of a part: key, and what it is about."""
    if part == "freshness":
        return [(ALL, "Days and limits that hold for every case")]
    if part == "stages":
        return [(key, stage_word(key)) for key in RUNNING_STAGES[1:]]
    if part == "gates":
        return [(key, table["title"]) for key, table in text.raw[part].items()]
    return [(row["key"], row["question"]) for row in text.raw[part]]
