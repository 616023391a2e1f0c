"""Pages of requirements: a task list, a page each, the MVP declaration."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.database.rehearsing import Unconfirmed
from governance.gates import requirements
from governance.models import Rulebook
from governance.permission_result import Conflict
from governance.rulebook.judgements import JUDGEMENTS, judgement_of
from governance.templatetags.plumbline import stage_word
from governance.transparency_log import as_of
from governance.vocabulary import RUNNING_STAGES, EvidenceKind, Level, Seat
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from governance.web.middleware import on_any_day
from initiatives.contributions import contributed, parts_shown
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.evidence.forms import added_kinds, elsewhere
from initiatives.lifecycle.facts import initiative_rows, open_requirements
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import together
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, layers_of, pick
from initiatives.lifecycle.requirements import actions
from initiatives.lifecycle.requirements.forms import (
    AnswerForm,
    DeclareForm,
    OutcomeForm,
    RowEvidenceForm,
)
from initiatives.lifecycle.requirements.known_answers import known_words
from initiatives.lifecycle.requirements.requirement_rows import save_row
from initiatives.lifecycle.requirements.row_presentation import (
    LIVE,
    example_of,
    next_open,
    row_of,
    rows_of,
    sheet_of,
    sheets_of,
)
from initiatives.models import Answer, AnswerDraft
from initiatives.models.initiative import gate_out_of

LINES = 10  # of requirements that wait for others, or for nobody, shown without unfolding them
SHOWN = {
    "all": gettext_lazy("everything"),
    "mine": gettext_lazy("my tasks"),
    "open": gettext_lazy("open requirements"),
}
SHOWS = {"mine": ("mine",), "open": ("mine", "others")}  # the groups of rows behind each
LONGEST_DRAFT = 100_000  # characters of one draft; beyond that it is kept in the browser only


@on_any_day(initiative_lookup.initiative_on_any_day)
def all_requirements(request, ref):
    """Show the requirements of a gate as a task list, by whose turn it is."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "requirements")
    rulebook = context["rulebook"]
    sheets = sheets_of(initiative, rulebook)
    chosen = sheet_of(initiative, sheets, request.GET.get("gate"))
    show = pick(request.GET.get("show"), SHOWN, "all")
    layer = pick(request.GET.get("layer"), rulebook.layers)
    judgement = pick(request.GET.get("judgement"), JUDGEMENTS)
    rows = rows_of(context, chosen)
    wanted = [
        row
        for row in rows
        if (show == "all" or (row["group"] in SHOWS[show] and row["asked"].blocking))
        and layer in ("", row["asked"].layer)
        and judgement in ("", judgement_of(row["asked"]))
    ]
    context |= {
        "title": chosen.title,
        "sheets": sheets,
        "chosen": chosen,
        "shown": SHOWN,
        "show": show,
        "layers": layers_of(rulebook),
        "layer": layer,
        "judgements": JUDGEMENTS,
        "judgement": judgement,
        "groups": _groups(wanted, asked_for=show != "all" or bool(layer or judgement)),
        "nothing": not wanted,
        "open_here": _open_here(context, chosen),
        "declares": chosen.key in ("mvp", "production"),
        "may_index": chosen.key == "production" and bool(context["may"].manage),
        "fallen": chosen.gate == gate_out_of(initiative.stage)
        and open_requirements.total(context["open"], open_requirements.APPROVED),
        "sums": _counted(context, chosen, rows),
        "recorded_first": _recorded_first(rows) if context["may"].change_what_runs else [],
    }
    return render(request, "initiatives/requirements/requirements.html", context)


def _groups(rows: list[dict], *, asked_for: bool) -> list[dict]:
    """Return the requirements by whose turn it is. Groups not waiting for the reader are folded.

    If none waits for the reader, the first group is unfolded if it is short or the reader `asked_for` part of it.
    """
    waited = dict.fromkeys(row["who"] for row in rows if row["group"] == "others")
    groups = [
        {
            "words": words,
            "rows": [row for row in rows if row["group"] == group and who in ("", row["who"])],
            "open": group == "mine",
        }
        for group, who, words in (
            ("mine", "", _("You can do now")),
            *(("others", who, phrase("Waits for {}", who)) for who in waited),
            ("met", "", _("Met")),
        )
    ]
    shown = [group for group in groups if group["rows"]]
    if shown and (asked_for or len(shown[0]["rows"]) <= LINES):
        shown[0]["open"] = True
    return shown


def _counted(context, chosen, rows: list[dict]) -> dict:
    """Return the first requirement of the reader, and True if the board can be asked. Advice does not block."""
    mine = [row for row in rows if row["group"] == "mine"]
    ahead = chosen.gate == gate_out_of(context["initiative"].stage)
    return {
        "first": next((row["key"] for row in mine if not row["first"]), ""),
        "several": len(mine) > 1,
        "all_there": ahead
        and all(row["group"] == "met" or row["later"] or not row["asked"].blocking for row in rows)
        and not initiative_rows.objections(context["open_review"]),
    }


def _open_here(context, chosen) -> str:
    """Return the count of the list in the words of all pages, or "" for another gate."""
    if chosen.key == LIVE:
        return context["open_words"][open_requirements.APPROVED]
    ahead = context["rulebook"].gates.get(gate_out_of(context["initiative"].stage))
    rises = ahead is not None and ahead.key == chosen.gate and ahead.to in RUNNING_STAGES
    return context["open_words"][open_requirements.NEXT] if rises else ""


def _recorded_first(rows: list[dict]) -> list[dict]:
    """Return what is recorded before the evidence of open requirements, with its page."""
    waiting = {row["first"]: row for row in reversed(rows) if row["first"] and not row["later"]}
    return [{"words": row["first_words"], "page": row["first_page"]} for row in waiting.values()]


@on_any_day(initiative_lookup.initiative_on_any_day)
def row(request, ref, key):
    """Show one requirement: the rules for a good answer, the answer, and its evidence."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "requirements")
    rulebook = context["rulebook"]
    if key not in rulebook.requirements:
        raise Http404("The rulebook has no requirement with this name.")
    asked = rulebook.requirements[key]
    stored = (
        Answer.objects.filter(initiative=initiative, requirement=key)
        .select_related("by", "accepted_by")
        .first()
    )
    sheets = sheets_of(initiative, rulebook)
    chosen = sheet_of(initiative, sheets, request.GET.get("gate"), key)
    context |= {
        "row": row_of(context, key, stored, chosen),
        "chosen": chosen,
        "title": asked.question,
        "generated": key in requirements.GENERATED_ONLY,
        "frame": "form",
        "place": chosen.keys.index(key) + 1 if key in chosen.keys else 0,
    }
    if as_of.current():
        return render(request, "initiatives/requirements/requirement.html", context)
    context["against"] = parts_shown(contributed.beside_requirement, request.user, (context, key))
    forms, draft = _forms(request, initiative, rulebook, asked, stored)
    status, other = 200, None
    if request.method == "POST":
        saved, status, other = _save(request, initiative, asked, forms)
        if saved:
            return _saved(request, initiative, key, chosen)
    word_counts = _word_counts(context, asked, chosen)
    context["example"] = example_of(key, initiative, request.user)
    context["editable"] = bool(context["may"].collaborate) and key not in requirements.GENERATED_ONLY
    context["entry"] = {
        **forms,
        "draft": draft,
        "other": other,
        "following": next_open(context, chosen, key),
        "word_counts": word_counts,
        "opened": _evidence_opened(context["row"], forms, draft, word_counts),
        "elsewhere": elsewhere(
            initiative, rulebook, rulebook.register_kinds & set(asked.evidence) - {EvidenceKind.ATTESTATION}
        ),
        "in_person": requirements.ACCEPTED_IN_PERSON.get(key, "").replace("_", " "),
    }
    return render(request, "initiatives/requirements/requirement.html", context, status=status)


def _word_counts(context, asked, chosen) -> bool:
    """Return True if the owner's word alone can be enough for the requirement.

    It is evidence there, and this tier asks for no level above "stated".
    """
    rulebook, tier = context["rulebook"], context["facts"].tier
    gates = [chosen.gate] if chosen.gate else rulebook.gates_asking(asked.key)
    return (
        "attestation" in asked.evidence
        and not asked.min_evidence
        and all(asked.level_for(tier, gate) in ("", Level.STATED) for gate in gates)
    )


def _evidence_opened(row: dict, forms: dict, draft, word_counts: bool) -> bool:
    """Return True if the evidence form is unfolded: begun, or no item to choose."""
    if forms["evidence_form"] is None:
        return False
    missing = not row["state"].satisfied and not word_counts and not row["items"]
    return bool(forms["evidence_form"].errors or draft or missing)


def _forms(request, initiative, rulebook, asked, stored):
    """Return a row's forms with the input, else the draft, else saved values."""
    sent, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    draft = None
    if sent is None:
        draft = (
            AnswerDraft.objects.select_related("token")
            .filter(initiative=initiative, requirement=asked.key, person=request.user)
            .first()
        )
    kept = draft.fields if draft else {}
    forms = {
        "answer_form": AnswerForm(
            sent,
            initial=_kept(kept, AnswerForm),
            requirement=asked,
            row=stored,
            known=known_words(initiative, asked.key),
        ),
        "evidence_form": None,
    }
    if added_kinds(rulebook).keys() & set(asked.evidence):
        forms["evidence_form"] = RowEvidenceForm(
            sent,
            files,
            initial={
                name.removeprefix("evidence-"): value
                for name, value in kept.items()
                if name.startswith("evidence-")
            },
            prefix="evidence",
            initiative=initiative,
            rulebook=rulebook,
            requirement=asked,
        )
    return forms, draft


def _kept(kept: dict, form) -> dict:
    """Return the fields of a draft that belong to a form."""
    return {name: value for name, value in kept.items() if name in form.base_fields}


def _save(request, initiative, asked, forms) -> tuple[bool, int, Answer | None]:
    """Save the row in one act. Returns success, the status of the page on failure, and an answer of someone else."""
    answer, added = forms["answer_form"], forms["evidence_form"]
    checked = [form.is_valid() for form in (answer, added) if form is not None]
    if not all(checked):
        return False, 422, None
    try:
        save_row(
            initiative=initiative,
            requirement=asked.key,
            reply=answer.reply(),
            evidence=added.act() if added is not None and added.meant else None,
            offer=added.cleaned_data.get("offer") if added is not None else None,
            by=request.user,
        )
    except ValidationError as error:
        _fix_row(forms, error)
        return False, 422, None
    except Unconfirmed:
        return False, 200, None
    except Conflict:
        # The typed words stay in the form and in the draft; saving again is then a decision, not an accident.
        now = Answer.objects.select_related("by").get(initiative=initiative, requirement=asked.key)
        actions.keep_draft(
            initiative=initiative, requirement=asked.key, fields=_typed(request), by=request.user
        )
        answer.data = answer.data.copy()
        answer.data["based_on"] = str(now.version)
        return False, 409, now
    return True, 200, None


def _fix_row(forms, error: ValidationError) -> None:
    """Put the errors on their form: the answer's fields, else the evidence's."""
    answer, added = forms["answer_form"], forms["evidence_form"]
    problems = error.error_dict if hasattr(error, "error_dict") else {"__all__": error.error_list}
    of_answer = {name: found for name, found in problems.items() if name in answer.fields and name != "kind"}
    of_evidence = {name: found for name, found in problems.items() if name not in of_answer}
    if added is None or not added.meant:
        of_answer, of_evidence = problems, {}
    if of_answer:
        put_errors(answer, ValidationError(of_answer))
    if of_evidence:
        put_errors(added, ValidationError(of_evidence))


def _saved(request, initiative, key, chosen):
    """Return the page after saving: the list at the row, or the next open requirement."""
    following = ""
    if "then" in request.POST:
        following = next_open(initiative_context(request, initiative, "requirements"), chosen, key)
    if following:
        messages.success(request, _("Saved. Your next open requirement is shown below."))
        return redirect(_place_of(initiative, following, chosen))
    messages.success(request, _("Saved."))
    return redirect(f"{reverse('requirements', args=[initiative.ref])}?gate={chosen.key}#row-{key}")


def _place_of(initiative, key: str, chosen) -> str:
    """Return the address of a requirement in its list."""
    return f"{reverse('requirement', args=[initiative.ref, key])}?gate={chosen.key}"


def _typed(request) -> dict:
    """Return the input, without files and without fields that only the page needs."""
    typed = {}
    for name in request.POST:
        if name in ("csrfmiddlewaretoken", "step", "then"):
            continue
        values = request.POST.getlist(name)
        typed[name] = values if name.endswith("names") else values[-1] if values else ""
    return typed


def draft(request, ref, key):
    """Keep the unsaved input of a person, or discard it with `discard`."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    if request.method != "POST":
        return redirect("requirement", initiative.ref, key)
    if "discard" in request.POST:
        actions.discard_draft(initiative=initiative, requirement=key, by=request.user)
        messages.success(request, _("The draft is discarded."))
        return redirect("requirement", initiative.ref, key)
    typed = _typed(request)
    if (
        key not in Rulebook.objects.current().parsed.requirements
        or sum(len(name) + len(str(value)) for name, value in typed.items()) > LONGEST_DRAFT
    ):
        raise Http404("Plumbline does not save a draft of this form.")
    actions.keep_draft(initiative=initiative, requirement=key, fields=typed, by=request.user)
    return HttpResponse(status=204)


def accept(request, ref, key):
    """Accept, as a seat, that a requirement does not apply."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    version = request.POST.get("version", "")
    if request.method != "POST":
        return redirect("requirement", initiative.ref, key)
    if (
        not version.isascii()
        or not version.isdecimal()
        or not initiative.answers.filter(requirement=key).exists()
    ):
        raise Http404("This answer does not exist.")
    actions.accept_not_applicable(
        initiative=initiative, requirement=key, version=int(version), by=request.user
    )
    messages.success(
        request, _("Accepted as not applicable. The acceptance expires after the same time as evidence.")
    )
    return redirect("requirement", initiative.ref, key)


def declaration(request, ref):
    """Show and save the MVP's goals and, once frozen, their results."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    stored = {item.key: item for item in initiative.declared_goals.select_related("evidence")}
    asked = actions.declared_goal_keys(initiative.tier)
    keys = [key for key in actions.declared_goal_keys() if key in asked or key in stored]
    sent = request.POST if request.method == "POST" else None
    forms = {key: _declaration_form(initiative, key, stored.get(key), sent) for key in keys}
    if sent is not None:
        initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
        saved = _declare(initiative, forms, request.user)
        if saved is not None:
            messages.success(request, _("Saved.") if saved else _("You changed nothing."))
            return redirect("requirements" if "then" in request.POST else "declaration", initiative.ref)
    context = initiative_context(request, initiative, "declaration")
    here = context["rulebook"].criteria
    every = Rulebook.objects.current().parsed.criteria.values()
    criteria = {name: here.get(one.key, one) for one in every for name in one.declared_goals}
    context |= {
        "title": _("MVP declaration"),
        "rows": [
            {
                "key": name,
                "words": name.replace("_", " ").capitalize(),
                "question": criteria[name].question,
                "seat": Seat.word(criteria[name].seat).lower(),
                "item": stored.get(name),
                "form": forms[name],
            }
            for name in keys
        ],
        "next_word": stage_word("mvp"),
    }
    return render(
        request, "initiatives/requirements/declaration.html", context, status=200 if sent is None else 422
    )


def _declaration_form(initiative, key, item, sent):
    """Return the fitting form: the goal, or its result once the goal is frozen."""
    if sent is not None and not any(name.startswith(f"{key}-") for name in sent):
        sent = None
    # A row may stay empty while others are saved: the browser asks for none of them.
    own = {"prefix": key, "use_required_attribute": False}
    if item is not None and item.frozen_at:
        initial = {"result": item.result, "outcome": item.outcome, "evidence": item.evidence}
        return OutcomeForm(sent, row=item, initial=initial, initiative=initiative, **own)
    return DeclareForm(sent, row=item or initiative, initial={"text": item.declared if item else ""}, **own)


def _declare(initiative, forms: dict, by) -> int | None:
    """Save all changed rows or none, and return their number. Returns None if there are errors."""
    changed = {key: form for key, form in forms.items() if form.is_bound and form.has_changed()}
    checked = [
        form.is_valid() for form in changed.values()
    ]  # each, so that all that is to fix is shown at once
    if not all(checked):
        return None
    form = None
    try:
        with together():
            for key, form in changed.items():
                act = actions.report_outcome if isinstance(form, OutcomeForm) else actions.declare
                act(initiative=initiative, key=key, by=by, **form.cleaned_data)
    except ValidationError as error:
        put_errors(form, error)
        return None
    return len(changed)
