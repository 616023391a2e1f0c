"""Pages of the log of decisions: the list, one decision, the file."""

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
from governance.database.replica import reads_replica
from governance.models import Clause, Entry, PolicyDecision
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import DecisionOutcome, Stage
from initiatives.contracts.enforcement import code_examples
from initiatives.contracts.enforcement.key_forms import ToldForm
from initiatives.contracts.enforcement.key_views import OUTCOME_TONES
from initiatives.lifecycle.access import initiative_lookup, visibility
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.models import Initiative

MOST_EXPORTED = 100_000
HEADING = [
    "When",
    "Outcome",
    "Code",
    "Subject",
    "Action",
    "Resource",
    "Reason",
    "Clauses",
    "Contract version",
    "System",
    "Key",
    "Approval",
    "Request",
    "Question",
]


@reads_replica
@require_safe
def decisions(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the log, newest first, as a page or a file, with filters on all parts."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    if request.GET.get("format") == "csv":
        return _file_of(request, initiative)
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
    """Return the keys of the initiative by row, also those that ended."""
    return {key.pk: key for key in initiative.contract.keys.all()} if initiative.contract_id else {}


def presented(initiative, rows, keys) -> list[dict]:
    """Return decisions as the page shows them, with the signed sentences of clauses."""
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
    """Return for an MVP the recent number of subjects, beside the users in its scope."""
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
    """Show one decision with the whole request, and if the audit log has sealed it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    visibility.may_read_decision_requests(initiative, request.user).or_refuse()
    place = decision_queries.Place.read(moment)
    row = decision_queries.one(initiative.number, place) if place else None
    if row is None:
        raise Http404("This initiative has no decision with this id.")
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


def _file_of(request: SignedInRequest, initiative: Initiative) -> HttpResponse:
    """Return the filtered log as a CSV file, newest first, up to the limit of a file."""
    visibility.may_read_decision_requests(initiative, request.user).or_refuse()
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
