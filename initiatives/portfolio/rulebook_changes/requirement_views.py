"""Pages of a draft's requirements: add, remove, and ask at a tier or leave out."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse

from governance.people import permissions as people_permissions
from governance.rulebook import RulebookErrors, diff
from governance.rulebook.editing import Text, read
from governance.rulebook.requirement_editing import Reference, references, without_requirement
from governance.vocabulary import RUNNING_STAGES, Seat, Tier
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.initiative_frame import fix, sent
from initiatives.models import Answer
from initiatives.portfolio.rulebook_changes import draft_actions
from initiatives.portfolio.rulebook_changes.draft_actions import Overtaken
from initiatives.portfolio.rulebook_changes.draft_views import (
    add_page,
    beside,
    draft_of,
    number_of,
    said_now,
    seen_text,
)
from initiatives.portfolio.rulebook_changes.requirement_forms import AddForm, AskedForm


def add(request, pk, gate):
    """Add a requirement that criteria of a gate ask. `?like=` starts from another."""
    people_permissions.may_draft(request.user).or_refuse()
    row = draft_of(pk)
    number = number_of(request) or row.number
    text = read(seen_text(row, number))
    if gate not in RUNNING_STAGES[1:]:
        raise Http404("You cannot add a requirement here.")
    form = AddForm(sent(request), text=text, gate=gate, number=number, like=request.GET.get("like", ""))
    overtaken = None
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            draft_actions.add_requirement(
                draft=row,
                row=form.row(),
                asked_by=said["asked_by"],
                fate=said["fate"],
                based_on=number,
                by=request.user,
            )
        except Overtaken as meanwhile:
            row, overtaken = meanwhile.draft, meanwhile
            text = read(row.source)
            form = AddForm(
                text=text,
                gate=gate,
                number=row.number,
                initial={name: said[name] for name in said if name != "based_on"},
            )
        except RulebookErrors as errors:
            form.fix(errors)
        except ValidationError as wrong:
            fix(form, wrong)
        else:
            messages.success(request, phrase("Added: “{}”.", said["question"]).in_language())
            return redirect(f"{reverse('rulebook-draft', args=[row.pk])}#asked-{gate}")
    return add_page(request, row, text.raw["gates"][gate]["title"], gate, form, overtaken)


def remove(request, pk, key):
    """Remove a requirement, after showing what goes with it or needs it."""
    people_permissions.may_draft(request.user).or_refuse()
    row = draft_of(pk)
    text, overtaken = read(row.source), None
    if request.method == "POST":
        try:
            draft_actions.remove_requirement(draft=row, key=key, based_on=number_of(request), by=request.user)
        except Overtaken as meanwhile:
            row, overtaken = meanwhile.draft, meanwhile
            text = read(row.source)
        except RulebookErrors:
            pass  # the page says why below
        else:
            messages.success(request, phrase("Removed: {}.", key).in_language())
            return redirect("rulebook-draft", row.pk)
    asked = text.row("requirement", key)
    if asked is None:
        raise Http404("The draft does not contain this requirement.")
    try:
        without_requirement(text, key)
    except RulebookErrors as errors:
        refused = [
            f"{one.what[:1].upper()}{one.what[1:]} {one.remedy[:1].upper()}{one.remedy[1:]}"
            for one in errors.problems
        ]
    else:
        refused = []
    context = beside(row) | {
        "asked": asked,
        "refused": refused,
        "happens": [*(_goes(text, key, one) for one in references(text, key)), _answered(key)],
        "overtaken": overtaken,
        "now": said_now(overtaken),
        "back": reverse("rulebook-draft", args=[row.pk]),
    }
    return render(request, "initiatives/rulebook_changes/draft_remove.html", context)


def _goes(text: Text, key: str, one: Reference) -> str:
    """Return what happens to a place that names a removed requirement."""
    if one.kind == "criterion":
        row = text.row("criterion", one.key) or {}
        gate = text.raw["gates"][row["gate"]]["title"]
        return (
            f"The criterion “{row['question']}” ({gate}, signed by {Seat.word(row['seat'])}) no longer "
            "depends on the requirement."
        )
    if one.kind == "scale test":
        left = len(text.raw["scale_tests"][one.key]["items"]) - 1
        return f"The scale test {one.key} has {left} item{'' if left == 1 else 's'} left."
    if one.kind == "fate":
        return (
            "The requirement is removed from the list "
            f"“{diff.NAMES.get(one.key, one.key.replace('_', ' '))}”."
        )
    new = text.value(("carry_forward", "replaced_at_production", one.key))
    old = (text.row("requirement", one.key) or text.row("criterion", one.key) or {}).get("question", one.key)
    if one.key == key:
        other = (text.row("requirement", new) or text.row("criterion", new) or {}).get("question", new)
        return f"“{other}” no longer replaces the requirement in production."
    return (
        f"The requirement no longer replaces “{old}” in production. The answer to “{old}” must stay current."
    )


def _answered(key: str) -> str:
    count = Answer.objects.filter(requirement=key).count()
    initiatives = (
        f"{count} initiative{' has' if count == 1 else 's have'} answered the requirement. " if count else ""
    )
    return f"{initiatives}Answers and evidence stay recorded. No one is asked for them under this version."


def asked(request, pk, gate, tier):
    """Show the demands of a gate at one tier as an editable list, and save them."""
    people_permissions.may_draft(request.user).or_refuse()
    row = draft_of(pk)
    number = number_of(request) or row.number
    text = read(seen_text(row, number))
    if gate not in text.raw["gates"] or tier not in Tier:
        raise Http404("The draft does not contain this list.")
    form = AskedForm(sent(request), text=text, gate=gate, tier=tier, number=number)
    overtaken = None
    if request.method == "POST" and form.is_valid():
        try:
            saved = draft_actions.edit_draft(
                draft=row, values=form.changed(), based_on=number, by=request.user
            )
        except Overtaken as meanwhile:
            row, overtaken, typed = meanwhile.draft, meanwhile, form.typed()
            form = AskedForm(text=read(row.source), gate=gate, tier=tier, number=row.number)
            for name in typed.keys() & form.fields.keys():
                form.initial[name] = typed[name]
        except RulebookErrors as errors:
            form.fix(errors)
        else:
            said = (
                "You changed nothing, so nothing was saved."
                if saved.number == row.number
                else f"Saved: {saved.said}"
            )
            messages.success(request, said)
            return redirect(f"{reverse('rulebook-draft', args=[row.pk])}#asked-{gate}")
    context = beside(row) | {
        "form": form,
        "gate": text.raw["gates"][gate],
        "tier": tier,
        "tier_says": text.raw["risk_tiers"][tier],
        "overtaken": overtaken,
        "now": said_now(overtaken),
    }
    return render(request, "initiatives/rulebook_changes/draft_asked.html", context)
