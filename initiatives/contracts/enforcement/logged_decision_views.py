"""Pages of the log of decisions: the list of an initiative, one decision, and the log as a file."""

import json
from datetime import timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance import clock
from governance.audit_log import csv_export
from governance.authorization import decision_queries, outcome_reports
from governance.models import Clause, Entry, PolicyDecision
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import DecisionOutcome, Stage
from initiatives.contracts.enforcement import code_examples
from initiatives.contracts.enforcement.key_forms import ToldForm
from initiatives.contracts.enforcement.key_views import OUTCOME_TONES
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative.initiative_frame import initiative_context

MOST_EXPORTED = 100_000
HEADING = [
    "When",
    "Outcome",
    "Code",
    "Who asked",
    "Action",
    "On what",
    "Reason",
    "Clauses",
    "Contract version",
    "System",
    "Key",
    "Approval",
    "Request",
    "Question",
]


@require_safe
def decisions(request: SignedInRequest, ref: str) -> HttpResponse:
    """The log of the initiative, newest first; every part of the request may be looked for."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "api-access")
    keys = keys_of(initiative)
    reads = bool(context["may"].read_decision_requests)
    form = ToldForm(request.GET, keys=keys.values(), subjects=reads)
    found = decision_queries.page(
        initiative.number, form.wanted, decision_queries.Place.read(request.GET.get("before", ""))
    )
    since = context["now"] - timedelta(days=1)
    counts, cut = decision_queries.outcomes(initiative.number, since)
    context |= {
        "title": _("Decision log"),
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "all_url": reverse("told", args=[initiative.ref]),
        "rows": presented(initiative, found.rows, keys),
        "more": found.more,
        "looked_to": found.looked_to,
        "first_page": not request.GET.get("before"),
        "reads": reads,
        "counts": [(DecisionOutcome(key).label, OUTCOME_TONES[key], count) for key, count in counts.items()],
        "cut": decision_queries.STRETCH if cut else 0,
        "most": MOST_EXPORTED,
        "signal": _signal(initiative, context["now"]),
    }
    return render(request, "initiatives/enforcement/told.html", context)


def keys_of(initiative) -> dict:
    """By row, the keys of the initiative, those that ended too."""
    return {key.pk: key for key in initiative.contract.keys.all()} if initiative.contract_id else {}


def presented(initiative, rows, keys) -> list[dict]:
    """Decisions as the page shows them, each with the sentences of its clauses as the board signed them."""
    said = _sentences(initiative, rows)
    return [
        {
            "row": row,
            "place": decision_queries.Place.of(row),
            "word": DecisionOutcome(row.outcome).label,
            "tone": OUTCOME_TONES[row.outcome],
            "key": keys.get(row.key_id),
            "clauses": [(number, said.get((row.version_number, number), "")) for number in row.clauses],
            "erased": row.salt is None,
        }
        for row in rows
    ]


def _sentences(initiative, rows) -> dict[tuple[int, int], str]:
    wanted = {(row.version_number, number) for row in rows for number in row.clauses}
    if not wanted or not initiative.contract_id:
        return {}
    clauses = Clause.objects.filter(
        version__contract=initiative.contract,
        version__number__in={version for version, _ in wanted},
        number__in={number for _, number in wanted},
    )
    return {
        (version, number): sentence
        for version, number, sentence in clauses.values_list("version__number", "number", "sentence")
    }


def _signal(initiative, now) -> dict | None:
    """For an MVP: how many different subjects asked lately, beside how many users its scope names."""
    if initiative.stage != Stage.MVP:
        return None
    begun = [
        row for row in initiative_rows.rows(initiative, "scopes") if row.starts_at and row.starts_at <= now
    ]
    scope = next((row for row in begun if row.ended_at is None or row.ended_at > now), None)
    if scope is None:
        return None
    count = decision_queries.subjects(initiative.number, now - timedelta(days=decision_queries.SIGNAL_DAYS))
    return {
        "count": min(count, decision_queries.MOST_SUBJECTS),
        "or_more": count > decision_queries.MOST_SUBJECTS,
        "users": scope.user_count,
        "over": count > scope.user_count,
        "days": decision_queries.SIGNAL_DAYS,
    }


@require_safe
def decision(request: SignedInRequest, ref: str, moment: str) -> HttpResponse:
    """One decision with the whole request, and whether the audit log has sealed it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_read_decision_requests(initiative, request.user).or_refuse()
    place = decision_queries.Place.read(moment)
    row = decision_queries.one(initiative.number, place) if place else None
    if row is None:
        raise Http404("No such decision of this initiative.")
    context = initiative_context(request, initiative, "api-access")
    (shown,) = presented(initiative, [row], keys_of(initiative))
    named = outcome_reports.Named(row.at, bytes(row.digest), row.outcome == DecisionOutcome.ALLOW)
    batch = Entry.objects.filter(table="governance_decisionbatch", key=str(row.batch_id))
    context |= shown | {
        "title": _("One decision"),
        "meaning": code_examples.CODES.get(row.code, ("", ""))[1],
        "asked": json.dumps(row.request, indent=2, ensure_ascii=False),
        "name": outcome_reports.issued(initiative.number, named),
        "reports": decision_queries.outcomes_of(row),
        "entry": batch.select_related("leaf").first(),
    }
    return render(request, "initiatives/enforcement/told_one.html", context)


@require_safe
def export(request: SignedInRequest, ref: str) -> HttpResponse:
    """The log as a CSV file: what the filters leave, newest first, as many as one file takes."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_read_decision_requests(initiative, request.user).or_refuse()
    keys = keys_of(initiative)
    wanted = ToldForm(request.GET, keys=keys.values(), subjects=True).wanted
    rows = (_line(row, keys) for row in decision_queries.each(initiative.number, wanted, MOST_EXPORTED))
    return csv_export.stream(
        f"{initiative.ref}-decisions",
        HEADING,
        rows,
        of=f"{initiative.ref} {request.GET.urlencode()}".strip(),
        by=request.user,
    )


def _line(row: PolicyDecision, keys) -> list:
    key = keys.get(row.key_id)
    return [
        clock.local(row.at).isoformat(sep=" ", timespec="milliseconds"),
        DecisionOutcome(row.outcome).label,
        row.code,
        row.subject,
        row.action,
        row.resource,
        row.reason,
        ", ".join(str(number) for number in row.clauses),
        row.version_number,
        key.system if key else "",
        key.public if key else "",
        row.approval,
        row.request_id,
        json.dumps(row.request, ensure_ascii=False),
    ]
