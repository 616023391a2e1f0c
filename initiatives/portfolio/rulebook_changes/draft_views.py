"""Pages of rulebook drafts: copy, edit by part beside the changes, and load."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from governance.models import Rulebook
from governance.people import permissions as people_permissions
from governance.permission_result import Conflict
from governance.rulebook import RulebookErrors, diff, parse
from governance.rulebook.editing import PARTS, Text, read
from governance.rulebook.parsed_rulebook import ParsedRulebook
from governance.rulebook.requirement_editing import asked_of, gates_asking
from governance.rulebook.schema import MOVES, ROWS, SIGNED_ACTS
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import RUNNING_STAGES, Tier
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.initiative_frame import fix, page_of, sent
from initiatives.models import Forecast, RulebookDraft
from initiatives.portfolio.rulebook_changes import draft_actions
from initiatives.portfolio.rulebook_changes.draft_actions import Overtaken as DraftOvertaken
from initiatives.portfolio.rulebook_changes.forms import CopyForm, PartForm, TextForm, shown
from initiatives.portfolio.rulebook_changes.requirement_forms import AddForm

ALL = "all"  # the key of a part that has no rows
TITLES = {
    "freshness": "Terms of the whole rulebook",
    "levels": "Waivers, and who signs at minimal risk",
    "signatures": "Signatures: minimum strength for each",
    "stages": "Stages",
    "gates": "Gates",
    "criterion": "Criteria: what the board signs",
    "requirement": "Requirements: what the owner answers",
}
# Parts without rows, each with what it is about.
WHOLE = {
    "freshness": "Days and limits for every initiative",
    "levels": "The number of waivers for one initiative, and the seats that sign at minimal risk",
}
NAMED_BY = {"fate": "list", "replaced": "replacement of"}


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
                fix(form, wrong)
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
    """Show the changes of a draft from the rulebook in force, its parts and its texts."""
    people_permissions.may_forecast(request.user).or_refuse()
    row = draft_of(pk)
    text, rulebook = read(row.source), parse(row.source)
    texts = row.history.order_by("-number", "-history_id").values("number", "said", "at", "by__full_name")
    context = beside(row) | {
        "asked": [_asked(rulebook, key) for key in MOVES if rulebook.gates[key].requirements()],
        "unasked": [one for one in rulebook.requirements.values() if not rulebook.gates_asking(one.key)],
        "tiers": list(Tier),
        "parts": [(part, TITLES[part], _rows_of(text, part)) for part in PARTS if _has(text, part)],
        "texts": page_of(request, texts.filter(loaded__isnull=True, dropped_at__isnull=True)),
        "editable": people_permissions.may_draft(request.user) and not (row.loaded_id or row.dropped_at),
        "forecast": Forecast.objects.of(row.digest).filter(kind=Forecast.INITIATIVES).defer("source").first(),
    }
    return render(request, "initiatives/rulebook_changes/draft.html", context)


def edit(request, pk, part, key):
    """Edit one part of a draft beside its changes. Conflicting edits keep the typed text."""
    people_permissions.may_draft(request.user).or_refuse()
    row = draft_of(pk)
    number = number_of(request) or row.number
    text, key = read(seen_text(row, number)), "" if key == ALL else key
    known = part in PARTS and _has(text, part) and text.row(part, key) is not None
    if not known or (part not in WHOLE) != bool(key):
        raise Http404("This part of the draft does not exist.")
    form = PartForm(sent(request), text=text, part=part, key=key, number=number)
    overtaken = None
    if request.method == "POST" and form.is_valid():
        values = form.changed()
        try:
            saved = draft_actions.edit_draft(draft=row, values=values, based_on=number, by=request.user)
        except DraftOvertaken as meanwhile:
            row, overtaken = meanwhile.draft, meanwhile
            newest = read(row.source)
            if part == "requirement" and newest.row(part, key) is None:
                return _gone(request, row, form, overtaken)
            if newest.row(part, key) is not None:
                form = _again(newest, row.number, form, values)
        except RulebookErrors as errors:
            form.fix(errors)
        except ValidationError as wrong:
            fix(form, wrong)
        else:
            said = (
                "You changed nothing, so nothing was saved."
                if saved.number == row.number
                else f"Saved: {saved.said}"
            )
            messages.success(request, said)
            return redirect("rulebook-draft-edit", row.pk, part, key or ALL)
    context = beside(row) | {
        "form": form,
        "part": part,
        "key": key,
        "heading": f"Minimum signature for a {key.replace('_', '-')}"
        if part == "signatures"
        else key or TITLES[part],
        "question": (text.row(part, key) or {}).get("question", "")
        or (text.row(part, key) or {}).get("title", ""),
        "overtaken": overtaken,
        "now": said_now(overtaken),
    }
    return render(request, "initiatives/rulebook_changes/draft_edit.html", context)


def _again(newest: Text, number: int, form: PartForm, values: dict) -> PartForm:
    """Return the form on the newest text, with the typed values. Edits of others stay."""
    again = PartForm(text=newest, part=form.part, key=form.key, number=number)
    for name in form.changed_data:
        if name in again.fields and name != "based_on":
            again.initial[name] = shown(form.cleaned_data[name])
    return again


def _gone(request, row: RulebookDraft, form: PartForm, overtaken: DraftOvertaken):
    """Show the form for a new requirement with the typed values, as the old is gone."""
    newest = read(row.source)
    gates = [gate for gate in gates_asking(form.text, form.key) if gate in RUNNING_STAGES] or ["production"]
    add = AddForm(text=form.text, gate=gates[0], number=row.number, like=form.key)
    add.initial |= {name: form.cleaned_data[name] for name in form.changed_data if name in add.fields}
    add.initial |= {"key": form.key, "based_on": row.number}
    return add_page(request, row, newest.raw["gates"][gates[0]]["title"], gates[0], add, overtaken)


def add_page(request, row: RulebookDraft, title: str, gate: str, form: AddForm, overtaken=None):
    """Show the page with the form that adds a requirement to a draft."""
    context = beside(row) | {
        "form": form,
        "gate": gate,
        "title": title,
        "back_url": reverse("rulebook-draft", args=[row.pk]),
        "overtaken": overtaken,
        "now": said_now(overtaken),
    }
    return render(request, "initiatives/rulebook_changes/draft_add.html", context)


def said_now(overtaken: DraftOvertaken | None) -> list[str]:
    """Return what others wrote meanwhile, each place in a sentence."""
    if overtaken is None:
        return []
    newest, found = read(overtaken.draft.source), []
    for place, value in overtaken.now.items():
        part, *names = place
        if part == draft_actions.REFERENCE:
            kind, key = NAMED_BY.get(names[0], names[0]), names[1].replace("_", " ")
            found.append(f"The {kind} {key} {'now names it' if value else 'no longer names it'}.")
        elif part in ROWS and newest.row(part, names[0]) is None:
            found.append(f"{names[0]} is no longer in the draft.")
        else:
            words = [
                diff.NAMES.get(name, name.replace("_", " ")) for name in names[1 if part in ROWS else 0 :]
            ]
            said = ", ".join([*(names[:1] if part in ROWS else ()), *words]) or part
            found.append(f"{said[:1].upper() + said[1:]} is now {_said(value)}.")
    return list(dict.fromkeys(found))


def _said(value) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_said(one)}" for name, one in value.items())
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else "yes" if value else "no"
    return str(value)


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
            fix(form, wrong)
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


def seen_text(row: RulebookDraft, number: int) -> str:
    """Return the text with the number on which a form was filled in. Raises Conflict."""
    if number == row.number:
        return row.source
    kept = row.history.filter(number=number).values_list("source", flat=True).first()
    if kept is None:
        raise Conflict(
            "This version of the draft does not exist.",
            "Open the draft again.",
            reverse("rulebook-draft", args=[row.pk]),
        )
    return kept


def beside(row: RulebookDraft) -> dict:
    """Return the context of draft pages: changes from the base and the one in force."""
    in_force, rulebook = Rulebook.objects.current(), parse(row.source)
    sections = diff.differences(row.base.parsed, rulebook)
    others = diff.differences(in_force.parsed, rulebook) if in_force.pk != row.base_id else []
    return {"nav": "rulebook", "draft": row, "in_force": in_force, "sections": sections, "others": others}


def _asked(rulebook: ParsedRulebook, gate: str) -> dict:
    """Return the requirements of a gate at each tier, and `counts` of them."""
    rows = [
        {
            "asked": row,
            "seats": rulebook.seats_for(row.key, gate),
            "tiers": [(tier, asked_of(row, gate, tier)) for tier in Tier],
        }
        for row in rulebook.requirements_at(gate)
    ]
    counts = [
        (tier, sum(bool(row.level_for(tier, gate)) for row in rulebook.requirements_at(gate)))
        for tier in Tier
    ]
    return {"gate": rulebook.gates[gate], "rows": rows, "counts": counts, "may_add": gate in RUNNING_STAGES}


def _has(text: Text, part: str) -> bool:
    """Return True if a part can be edited: it is in the text, or it is the signatures."""
    return part in text.raw or part == "signatures"


def _rows_of(text: Text, part: str) -> list[tuple[str, str]]:
    """Return the rows of a part: key and subject."""
    if part in WHOLE:
        return [(ALL, WHOLE[part])]
    if part == "signatures":
        return [(act, act.replace("_", "-").capitalize()) for act in SIGNED_ACTS]
    if part == "stages":
        return [(key, stage_word(key)) for key in RUNNING_STAGES[1:]]
    if part == "gates":
        return [(key, table["title"]) for key, table in text.raw[part].items()]
    return [(row["key"], row["question"]) for row in text.raw[part]]
