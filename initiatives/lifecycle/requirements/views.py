"""Requirements: what a gate asks as a task list, one page a requirement; and the declaration of the MVP."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.gates import criteria, requirements
from governance.models import Rulebook
from governance.permission_result import Conflict
from governance.rulebook.judgements import JUDGEMENTS, judgement_of
from governance.templatetags.plumbline import stage_word
from governance.transparency_log import as_of
from governance.vocabulary import EvidenceKind, Level, Seat
from governance.web.middleware import on_any_day
from initiatives.contributions import contributed, parts_shown
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence import preview as evidence_preview
from initiatives.lifecycle.evidence.forms import added_kinds, elsewhere
from initiatives.lifecycle.facts.wording import profile_of, profile_words
from initiatives.lifecycle.initiative.act import together
from initiatives.lifecycle.initiative.initiative_frame import fix, initiative_context, layers_of, pick
from initiatives.lifecycle.requirements import actions, preview
from initiatives.lifecycle.requirements.forms import (
    AnswerForm,
    DeclareForm,
    OfferForm,
    OutcomeForm,
    RowEvidenceForm,
)
from initiatives.lifecycle.requirements.requirement_rows import save_row
from initiatives.lifecycle.requirements.row_presentation import (
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
    "mine": gettext_lazy("what waits for me"),
    "open": gettext_lazy("what is not met"),
}
LONGEST_DRAFT = 100_000  # characters of one draft; beyond that it is kept in the browser only


@on_any_day(initiative_lookup.initiative_on_any_day)
def all_requirements(request, ref):
    """The requirements of a gate as a task list: yours, waiting for others, ready."""
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
        if (show == "all" or row["group"] == "mine" or (show == "open" and row["group"] == "others"))
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
        "declares": chosen.key in ("mvp", "production"),
        "may_index": chosen.key == "production" and bool(context["may"].manage),
        "fallen": _fallen(context, sheets) if chosen.gate == gate_out_of(initiative.stage) else 0,
        "sums": _counted(context, chosen, rows),
    }
    return render(request, "initiatives/requirements/requirements.html", context)


def _groups(rows: list[dict], *, asked_for: bool) -> list[dict]:
    """The requirements by whose turn it is; what does not wait for whoever looks is folded.

    Where nothing waits for them the first group stands open, if it is short or somebody `asked_for` some of it.
    """
    groups = [
        {"words": words, "rows": [row for row in rows if row["group"] == group], "open": group == "mine"}
        for group, words in (
            ("mine", _("Yours")),
            ("others", _("Waiting for others")),
            ("met", _("Ready")),
        )
    ]
    shown = [group for group in groups if group["rows"]]
    if shown and (asked_for or len(shown[0]["rows"]) <= LINES):
        shown[0]["open"] = True
    return shown


def _counted(context, chosen, rows: list[dict]) -> dict:
    """How many requirements are met and wait for whom, the first for whoever looks, and whether the board can be
    asked.
    """
    counts = {group: sum(row["group"] == group for row in rows) for group in ("mine", "others", "met")}
    return {
        "total": len(rows),
        "counts": counts,
        "profile": profile_words(profile_of(context["states"], chosen.keys)),
        "first": next((row["key"] for row in rows if row["group"] == "mine"), ""),
        "all_there": chosen.gate == gate_out_of(context["initiative"].stage) and counts["met"] == len(rows),
    }


def _fallen(context, sheets) -> int:
    """How many requirements of an approved stage that is not supported lack current evidence: the gate ahead does
    not ask them again.
    """
    if context["support"].supports_approved_stage:
        return 0
    judged = context["judged"]
    return len(criteria.gaps_to(judged, context["initiative"].stage))


@on_any_day(initiative_lookup.initiative_on_any_day)
def row(request, ref, key):
    """One requirement a page: what a good answer is, the answer, and its evidence."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "requirements")
    rulebook = context["rulebook"]
    if key not in rulebook.requirements:
        raise Http404("The rulebook has no such requirement.")
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
        **_impact(request, initiative, context),
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
    """Whether the owner's word alone can be enough here: it is evidence, and no more than stated is asked at this
    tier.
    """
    rulebook, tier = context["rulebook"], context["facts"].tier
    gates = [chosen.gate] if chosen.gate else rulebook.gates_asking(asked.key)
    return (
        "attestation" in asked.evidence
        and not asked.min_evidence
        and all(asked.level_for(tier, gate) in ("", Level.STATED) for gate in gates)
    )


def _evidence_opened(row: dict, forms: dict, draft, word_counts: bool) -> bool:
    """Whether the form for new evidence stands open: it was begun, or none is there that could be chosen."""
    if forms["evidence_form"] is None:
        return False
    missing = not row["state"].satisfied and not word_counts and not row["items"] and not forms["offer_form"]
    return bool(forms["evidence_form"].errors or draft or missing)


def _forms(request, initiative, rulebook, asked, stored):
    """The forms of a row, filled with what was sent, else with the person's draft, else with what stands."""
    sent, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    draft = None
    if sent is None:
        draft = AnswerDraft.objects.filter(
            initiative=initiative, requirement=asked.key, person=request.user
        ).first()
    kept = draft.fields if draft else {}
    forms = {
        "answer_form": AnswerForm(sent, initial=_kept(kept, AnswerForm), requirement=asked, row=stored),
        "evidence_form": None,
        "offer_form": None,
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
        offer = OfferForm(sent, initial=_kept(kept, OfferForm), initiative=initiative, requirement=asked)
        forms["offer_form"] = offer if offer.fields["offer"].queryset.exists() else None
    return forms, draft


def _kept(kept: dict, form) -> dict:
    """The fields of a draft that belong to a form."""
    return {name: value for name, value in kept.items() if name in form.base_fields}


def _save(request, initiative, asked, forms) -> tuple[bool, int, Answer | None]:
    """Save the row in one act. Whether that was done; else the status of the page that says otherwise, and the answer
    that somebody else saved meanwhile."""
    answer, added, offer = forms["answer_form"], forms["evidence_form"], forms["offer_form"]
    checked = [form.is_valid() for form in (answer, added, offer) if form is not None]
    if not all(checked):
        return False, 422, None
    try:
        save_row(
            initiative=initiative,
            requirement=asked.key,
            reply=answer.reply(),
            evidence=added.act() if added is not None and added.meant else None,
            offer=offer.cleaned_data["offer"] if offer is not None else None,
            by=request.user,
        )
    except ValidationError as error:
        _fix_row(forms, error)
        return False, 422, None
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
    """Put what was wrong on the form it belongs to: the answer's fields, else the evidence's."""
    answer, added = forms["answer_form"], forms["evidence_form"]
    problems = error.error_dict if hasattr(error, "error_dict") else {"__all__": error.error_list}
    of_answer = {name: found for name, found in problems.items() if name in answer.fields and name != "kind"}
    of_evidence = {name: found for name, found in problems.items() if name not in of_answer}
    if added is None or not added.meant:
        of_answer, of_evidence = problems, {}
    if of_answer:
        fix(answer, ValidationError(of_answer))
    if of_evidence:
        fix(added, ValidationError(of_evidence))


def _saved(request, initiative, key, chosen):
    """After saving: back to the list at the row, or on to the next open requirement."""
    following = ""
    if "then" in request.POST:
        following = next_open(initiative_context(request, initiative, "requirements"), chosen, key)
    if following:
        messages.success(request, _("Saved. This is the next requirement that is open for you."))
        return redirect(_place_of(initiative, following, chosen))
    messages.success(
        request, _("Saved. Nothing else here waits for you.") if "then" in request.POST else _("Saved.")
    )
    return redirect(f"{reverse('requirements', args=[initiative.ref])}?gate={chosen.key}#row-{key}")


def _place_of(initiative, key: str, chosen) -> str:
    """The address of a requirement in its list."""
    return f"{reverse('requirement', args=[initiative.ref, key])}?gate={chosen.key}"


def _impact(request, initiative, context) -> dict:
    """What saving this row would end: other words, and a result other than pass. Asked only where something stands."""
    row, rulebook = context["row"], context["rulebook"]
    if not context["may"].collaborate or not (row["state"].satisfied or context["open_review"]):
        return {"answer_effects": [], "result_effects": []}
    asked, key = row["asked"], row["asked"].key
    told = preview.of_answer(initiative, key, by=request.user) if row["answer"] else []
    kind = next((kind for kind in asked.evidence if kind in rulebook.result_kinds), None)
    failing = (
        evidence_preview.of_evidence(initiative, covers=[key], kind=kind, result="fail", by=request.user)
        if kind
        else []
    )
    return {"answer_effects": told, "result_effects": failing}


def _typed(request) -> dict:
    """What was typed, without files and without what only the page needs."""
    typed = {}
    for name in request.POST:
        if name in ("csrfmiddlewaretoken", "step", "then"):
            continue
        values = request.POST.getlist(name)
        typed[name] = values if name.endswith("names") else values[-1] if values else ""
    return typed


def draft(request, ref, key):
    """Keep what somebody typed and did not save yet."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    if request.method != "POST":
        return redirect("requirement", initiative.ref, key)
    typed = _typed(request)
    if (
        key not in Rulebook.objects.current().parsed.requirements
        or sum(len(name) + len(str(value)) for name, value in typed.items()) > LONGEST_DRAFT
    ):
        raise Http404("No draft is kept of that.")
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
        raise Http404("There is no such answer.")
    actions.accept_not_applicable(
        initiative=initiative, requirement=key, version=int(version), by=request.user
    )
    messages.success(request, _("Accepted: it does not apply, for as long as evidence would last."))
    return redirect("requirement", initiative.ref, key)


def declaration(request, ref):
    """What the MVP will show: declared before its gate, frozen by it, with the results beside it later. One form."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    keys = actions.declared_goal_keys()
    stored = {item.key: item for item in initiative.declared_goals.select_related("evidence")}
    sent = request.POST if request.method == "POST" else None
    forms = {key: _declaration_form(initiative, key, stored.get(key), sent) for key in keys}
    if sent is not None:
        initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
        saved = _declare(initiative, forms, request.user)
        if saved is not None:
            messages.success(request, _("Saved.") if saved else _("Nothing was changed."))
            return redirect("requirements" if "then" in request.POST else "declaration", initiative.ref)
    context = initiative_context(request, initiative, "declaration")
    criteria = {name: c for c in context["rulebook"].criteria.values() for name in c.declared_goals}
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
    """The form that fits: what will be shown, or, once that is frozen, what came of it."""
    if sent is not None and not any(name.startswith(f"{key}-") for name in sent):
        sent = None
    # A row may stay empty while others are saved: the browser asks for none of them.
    own = {"prefix": key, "use_required_attribute": False}
    if item is not None and item.frozen_at:
        initial = {"result": item.result, "outcome": item.outcome, "evidence": item.evidence}
        return OutcomeForm(sent, initial=initial, initiative=initiative, **own)
    return DeclareForm(sent, initial={"text": item.declared if item else ""}, **own)


def _declare(initiative, forms: dict, by) -> int | None:
    """Save what was changed, all of it or nothing: how many rows; None when something is to fix."""
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
        fix(form, error)
        return None
    return len(changed)
