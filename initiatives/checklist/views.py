"""The checklist: what a gate asks, one row a question, answered and documented in place; and the declaration."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from governance.gates import criteria, requirements
from governance.gates.judgements import JUDGEMENTS, judgement_of
from governance.models import Rulebook
from governance.permission_result import Conflict
from governance.templatetags.plumbline import stage_word
from governance.transparency_log import as_of
from governance.vocabulary import EvidenceKind, Seat
from governance.web.middleware import on_any_day
from initiatives.access import case_lookup
from initiatives.cases.case_frame import case_context, layers_of, mend, pick
from initiatives.checklist import actions, preview
from initiatives.checklist.checklist_rows import save_row
from initiatives.checklist.forms import AnswerForm, DeclareForm, OfferForm, OutcomeForm, RowProofForm
from initiatives.checklist.row_presentation import row_of, rows_of, sheet_of, sheets_of
from initiatives.evidence import preview as evidence_preview
from initiatives.evidence.forms import added_kinds, elsewhere
from initiatives.facts.wording import profile_of, profile_words
from initiatives.integration.remedies import against
from initiatives.models import Answer, AnswerDraft
from initiatives.models.initiative import gate_out_of

SHOWN = {"all": "everything", "mine": "what waits for me", "open": "what is not met"}
LONGEST_DRAFT = 100_000  # characters of one draft; beyond that it is kept in the browser only


@on_any_day(case_lookup.case_on_any_day)
def checklist(request, ref):
    """The questions of a gate in three groups: waiting for you, waiting for others, met."""
    case = case_lookup.case_for(request.user, ref)
    context = case_context(request, case, "checklist")
    book = context["book"]
    sheets = sheets_of(case, book)
    chosen = sheet_of(case, sheets, request.GET.get("gate"))
    show = pick(request.GET.get("show"), SHOWN, "all")
    layer = pick(request.GET.get("layer"), book.layers)
    judgement = pick(request.GET.get("judgement"), JUDGEMENTS)
    rows = rows_of(context, chosen)
    counts = {group: sum(1 for row in rows if row["group"] == group) for group in ("mine", "others", "met")}
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
        "layers": layers_of(book),
        "layer": layer,
        "judgements": JUDGEMENTS,
        "judgement": judgement,
        "total": len(rows),
        "profile": profile_words(profile_of(context["states"], chosen.keys)),
        "counts": counts,
        "groups": [
            (words, [row for row in wanted if row["group"] == group])
            for group, words in (
                ("mine", "Waiting for you"),
                ("others", "Waiting for others"),
                ("met", "Met"),
            )
        ],
        "nothing": not wanted,
        "declares": chosen.key in ("mvp", "production"),
        "may_index": chosen.key == "production" and bool(context["may"].manage),
        "fallen": _fallen(context, sheets) if chosen.gate == gate_out_of(case.stage) else 0,
        "all_there": chosen.gate == gate_out_of(case.stage) and counts["met"] == len(rows),
    }
    return render(request, "initiatives/checklist/checklist.html", context)


def _fallen(context, sheets) -> int:
    """How many questions of a claim that does not hold lack current proof: the gate ahead does not ask them again."""
    if context["support"].supports_claim:
        return 0
    judged = context["judged"]
    return len(criteria.gaps_to(judged.rulebook.book, judged.states, context["case"].stage))


@on_any_day(case_lookup.case_on_any_day)
def row(request, ref, key):
    """One question: read it, answer it, prove it. A fragment for htmx, a whole page otherwise."""
    case = case_lookup.case_for(request.user, ref)
    context = case_context(request, case, "checklist")
    book = context["book"]
    if key not in book.requirements:
        raise Http404("The rulebook asks no such question.")
    asked = book.requirements[key]
    stored = (
        Answer.objects.filter(initiative=case, requirement=key).select_related("by", "accepted_by").first()
    )
    sheets = sheets_of(case, book)
    chosen = sheet_of(case, sheets, request.GET.get("gate"), key)
    context |= {
        "row": row_of(context, key, stored, chosen),
        "chosen": chosen,
        "title": asked.question,
        "generated": key in requirements.GENERATED_ONLY,
    }
    if request.htmx and "closed" in request.GET:
        return render(request, "initiatives/checklist/_checklist_row.html", context)
    if as_of.current():
        return render(request, "initiatives/checklist/checklist_row.html", context)
    context["against"] = against(context, key)
    forms, draft = _forms(request, case, book, asked, stored)
    status, other = 200, None
    if request.method == "POST":
        saved, status, other = _save(request, case, asked, forms)
        if saved:
            return _saved(request, case, key, chosen)
    context["editable"] = bool(context["may"].collaborate) and key not in requirements.GENERATED_ONLY
    context["entry"] = {
        **forms,
        **_impact(request, case, context),
        "draft": draft,
        "other": other,
        "alone": not request.htmx,
        "word_counts": "attestation" in asked.evidence and not asked.min_evidence,
        "elsewhere": elsewhere(
            case, book, book.register_kinds & set(asked.evidence) - {EvidenceKind.ATTESTATION}
        ),
        "in_person": requirements.ACCEPTED_IN_PERSON.get(key, "").replace("_", " "),
    }
    template = (
        "initiatives/checklist/_checklist_row_form.html"
        if request.htmx
        else "initiatives/checklist/checklist_row.html"
    )
    # htmx swaps only what succeeded; a form to mend is an answer like any other.
    return render(request, template, context, status=200 if request.htmx else status)


def _forms(request, case, book, asked, stored):
    """The forms of a row, filled with what was sent, else with the person's draft, else with what stands."""
    sent, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    draft = None
    if sent is None:
        draft = AnswerDraft.objects.filter(
            initiative=case, requirement=asked.key, person=request.user
        ).first()
    kept = draft.fields if draft else {}
    # Several rows may stand open on one page: each has its own ids.
    ids = f"id-{asked.key}-%s"
    forms = {
        "answer_form": AnswerForm(
            sent, auto_id=ids, initial=_kept(kept, AnswerForm), requirement=asked, row=stored
        ),
        "proof_form": None,
        "offer_form": None,
    }
    if added_kinds(book).keys() & set(asked.evidence):
        forms["proof_form"] = RowProofForm(
            sent,
            files,
            initial={
                name.removeprefix("proof-"): value
                for name, value in kept.items()
                if name.startswith("proof-")
            },
            prefix="proof",
            auto_id=ids,
            case=case,
            book=book,
            requirement=asked,
        )
        offer = OfferForm(sent, auto_id=ids, initial=_kept(kept, OfferForm), case=case, requirement=asked)
        forms["offer_form"] = offer if offer.fields["offer"].queryset.exists() else None
    return forms, draft


def _kept(kept: dict, form) -> dict:
    """The fields of a draft that belong to a form."""
    return {name: value for name, value in kept.items() if name in form.base_fields}


def _save(request, case, asked, forms) -> tuple[bool, int, Answer | None]:
    """Save the row in one act. Whether that was done; else the status of the page that says otherwise, and the answer
    that somebody else saved meanwhile."""
    answer, added, offer = forms["answer_form"], forms["proof_form"], forms["offer_form"]
    checked = [form.is_valid() for form in (answer, added, offer) if form is not None]
    if not all(checked):
        return False, 422, None
    try:
        save_row(
            case=case,
            requirement=asked.key,
            reply=answer.reply(),
            proof=added.act() if added is not None and added.meant else None,
            offer=offer.cleaned_data["offer"] if offer is not None else None,
            by=request.user,
        )
    except ValidationError as error:
        _mend_row(forms, error)
        return False, 422, None
    except Conflict:
        # The typed words stay in the form and in the draft; saving again is then a decision, not an accident.
        now = Answer.objects.select_related("by").get(initiative=case, requirement=asked.key)
        actions.keep_draft(case=case, requirement=asked.key, fields=_typed(request), by=request.user)
        answer.data = answer.data.copy()
        answer.data["based_on"] = str(now.version)
        return False, 409, now
    return True, 200, None


def _mend_row(forms, error: ValidationError) -> None:
    """Put what was wrong on the form it belongs to: the answer's fields, else the proof's."""
    answer, added = forms["answer_form"], forms["proof_form"]
    problems = error.error_dict if hasattr(error, "error_dict") else {"__all__": error.error_list}
    of_answer = {name: found for name, found in problems.items() if name in answer.fields and name != "kind"}
    of_proof = {name: found for name, found in problems.items() if name not in of_answer}
    if added is None or not added.meant:
        of_answer, of_proof = problems, {}
    if of_answer:
        mend(answer, ValidationError(of_answer))
    if of_proof:
        mend(added, ValidationError(of_proof))


def _saved(request, case, key, chosen):
    """After saving: the row as it stands now, or back to the list at the row."""
    if request.htmx:
        context = case_context(request, case, "checklist")
        stored = (
            Answer.objects.filter(initiative=case, requirement=key)
            .select_related("by", "accepted_by")
            .first()
        )
        context |= {"row": row_of(context, key, stored, chosen), "chosen": chosen, "saved": True}
        return render(request, "initiatives/checklist/_checklist_row.html", context)
    messages.success(request, "Saved.")
    return redirect(f"{reverse('checklist', args=[case.ref])}?gate={chosen.key}#row-{key}")


def _impact(request, case, context) -> dict:
    """What saving this row would end: other words, and a result other than pass. Asked only where something stands."""
    row, book = context["row"], context["book"]
    if not context["may"].collaborate or not (row["state"].satisfied or context["open_review"]):
        return {"answer_effects": [], "result_effects": []}
    asked, key = row["asked"], row["asked"].key
    told = preview.of_answer(case, key, by=request.user) if row["answer"] else []
    kind = next((kind for kind in asked.evidence if kind in book.result_kinds), None)
    failing = (
        evidence_preview.of_evidence(case, covers=[key], kind=kind, result="fail", by=request.user)
        if kind
        else []
    )
    return {"answer_effects": told, "result_effects": failing}


def _typed(request) -> dict:
    """What was typed, without files and without what only the page needs."""
    typed = {}
    for name in request.POST:
        if name in ("csrfmiddlewaretoken", "step"):
            continue
        values = request.POST.getlist(name)
        typed[name] = values if name.endswith("names") else values[-1] if values else ""
    return typed


def draft(request, ref, key):
    """Keep what somebody typed and did not save yet."""
    case = case_lookup.case_for(request.user, ref)
    if request.method != "POST":
        return redirect("checklist-row", case.ref, key)
    typed = _typed(request)
    if (
        key not in Rulebook.objects.current().book.requirements
        or sum(len(name) + len(str(value)) for name, value in typed.items()) > LONGEST_DRAFT
    ):
        raise Http404("No draft is kept of that.")
    actions.keep_draft(case=case, requirement=key, fields=typed, by=request.user)
    return HttpResponse(status=204)


def accept(request, ref, key):
    """Accept, as a seat, that a question does not apply."""
    case = case_lookup.case_for(request.user, ref)
    version = request.POST.get("version", "")
    if request.method != "POST":
        return redirect("checklist-row", case.ref, key)
    if not version.isascii() or not version.isdecimal() or not case.answers.filter(requirement=key).exists():
        raise Http404("There is no such answer.")
    actions.accept_not_applicable(case=case, requirement=key, version=int(version), by=request.user)
    messages.success(request, "Accepted: it does not apply, for as long as proof would last.")
    return redirect("checklist-row", case.ref, key)


def declaration(request, ref):
    """What the MVP will prove: declared before its gate, frozen by it, with the result beside it later."""
    case = case_lookup.case_for(request.user, ref)
    keys = actions.proof_keys()
    stored = {item.key: item for item in case.proof_items.select_related("evidence")}
    key = request.POST.get("key", "")
    failed = None
    if request.method == "POST":
        if key not in keys:
            raise Http404("The rulebook asks for no such declaration.")
        failed = _declare(request, case, key, stored.get(key))
        if failed is None:
            messages.success(request, "Saved.")
            return redirect(f"{reverse('declaration', args=[case.ref])}#{key}")
    context = case_context(request, case, "checklist")
    criteria = {name: c for c in context["book"].criteria.values() for name in c.proof_items}
    context |= {
        "title": "What the MVP will prove",
        "rows": [
            {
                "key": name,
                "words": name.replace("_", " ").capitalize(),
                "question": criteria[name].question,
                "seat": Seat.word(criteria[name].seat).lower(),
                "item": stored.get(name),
                "form": failed
                if failed is not None and name == key
                else _declaration_form(case, name, stored.get(name)),
            }
            for name in keys
        ],
        "next_word": stage_word("mvp"),
    }
    return render(
        request, "initiatives/checklist/declaration.html", context, status=422 if failed is not None else 200
    )


def _declaration_form(case, key, item, sent=None):
    """The form that fits: what will be shown, or, once that is frozen, what came of it."""
    if item is not None and item.frozen_at:
        initial = {"result": item.result, "outcome": item.outcome, "evidence": item.evidence}
        return OutcomeForm(sent, initial=initial, prefix=key, case=case)
    return DeclareForm(sent, initial={"text": item.declared if item else ""}, prefix=key)


def _declare(request, case, key, item):
    """The one act that the form asks for; the form itself when something is to mend."""
    form = _declaration_form(case, key, item, request.POST)
    if not form.is_valid():
        return form
    act = actions.report_outcome if isinstance(form, OutcomeForm) else actions.declare
    try:
        act(case=case, key=key, by=request.user, **form.cleaned_data)
    except ValidationError as error:
        mend(form, error)
        return form
    return None
