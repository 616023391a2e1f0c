"""Reviews, decisions of chairs and seats, and the decision log of systems."""

from datetime import date, datetime, timedelta

from django.http import Http404
from django.urls import reverse
from ninja import Query as Parameters
from ninja import Schema
from pydantic import Field

from adoption.read_api.api import One, Page, PageQuery, Query, endpoint, page_at, paging_of, whole
from adoption.read_api.cursors import Paging
from governance.authorization import decision_queries, outcome_reports
from governance.models import Rulebook
from governance.models.sign_in import READ_DECISIONS, READ_INITIATIVES
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import DecisionOutcome, ReviewOutcome
from governance.web.machine_api import Answered
from initiatives.contracts.enforcement.key_forms import ToldForm
from initiatives.contracts.enforcement.logged_decision_views import keys_of, presented
from initiatives.inbox.review_list.views import reviews_seen_by
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.access.initiative_lookup import (
    initiative_for,
    portfolio_on_any_day,
    review_for,
    review_on_any_day,
    with_ref,
)
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import presentation
from initiatives.models import Review
from initiatives.portfolio.insights import decision_register
from initiatives.portfolio.insights.forms import DecidedForm

TICK = timedelta(microseconds=1)


# --- Reviews ---------------------------------------------------------------------------------------------------------


class ReviewsQuery(PageQuery):
    """Which reviews."""

    initiative: str = Field("", description="Reference of an initiative")
    gate: str = Field("", description="Key of a gate")
    outcome: str = Field("", description="open, or an outcome")


class ReviewRow(Schema):
    """One attempt at one gate."""

    id: int
    initiative: str
    gate: str
    outcome: str
    opened_by: str
    opened_at: datetime
    expires_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    reason: str | None
    page: str


@endpoint("/reviews", scope=READ_INITIATIVES, answer=Page[ReviewRow], on_day=portfolio_on_any_day)
def reviews(request: SignedInRequest, query: Parameters[ReviewsQuery]) -> dict:
    """List reviews, the newest first."""
    paging = paging_of(request, query)
    rows = reviews_seen_by(request.user).select_related("opened_by")
    if query.initiative:
        seen = visibility.visible_to(request.user)
        only = with_ref(seen, query.initiative)
        rows = rows.filter(initiative=only or initiative_for(request.user, query.initiative))
    if query.gate:
        rows = rows.filter(gate=query.gate)
    if query.outcome:
        if query.outcome not in ReviewOutcome.values:
            known = ", ".join(ReviewOutcome.values)
            raise Answered(400, f"The parameter “outcome” is wrong. Use one of these: {known}.")
        rows = rows.filter(outcome=query.outcome)
    return paging.page(paging.of_rows(rows, newest_first=True), _review_row, lambda row: row.pk)


def _review_row(row: Review) -> dict:
    return {
        "id": row.pk,
        "initiative": row.initiative.ref,
        "gate": row.gate,
        "outcome": row.outcome,
        "opened_by": row.opened_by.full_name,
        "opened_at": row.opened_at,
        "expires_at": row.expires_at,
        "ended_by": row.ended_by.full_name if row.ended_by else None,
        "ended_at": row.ended_at,
        "reason": row.reason or None,
        "page": page_at(row.get_absolute_url()),
    }


class CriterionOut(Schema):
    """A criterion of a review: live while the review is open, else as it was decided."""

    key: str
    question: str
    seat: str
    state: str
    reasons: list[str]
    requirements_met: int
    requirements: int


class SignOffOut(Schema):
    """The current sign-off of one seat."""

    id: int
    seat: str
    person: str
    verdict: str
    reason: str | None
    at: datetime
    digest: str
    stale: list[str] = Field(description="Why it no longer counts, or empty")
    page: str


class ConditionOut(Schema):
    """A task with a last day, set with the decision."""

    id: int
    text: str
    owner: str
    due: date
    met_at: datetime | None


class ReviewOut(ReviewRow):
    """One review."""

    criteria: list[CriterionOut]
    sign_offs: list[SignOffOut]
    conditions: list[ConditionOut]


@endpoint("/reviews/{int:pk}", scope=READ_INITIATIVES, answer=One[ReviewOut], on_day=review_on_any_day)
def review(request: SignedInRequest, pk: int, query: Parameters[Query]) -> dict:
    """Show one review with its criteria, sign-offs and conditions."""
    row = review_for(request.user, pk)
    if row.is_open:
        snapshot = review_state.snapshot_of(row)
        lines, sign_offs = presentation.live_lines(snapshot), presentation.live_sign_offs(snapshot)
        conditions = []
    else:
        lines, sign_offs = presentation.frozen_lines(row), presentation.frozen_sign_offs(row)
        conditions = list(row.conditions.select_related("owner").order_by("pk"))
    data = _review_row(row) | {
        "criteria": [
            {
                "key": line.key,
                "question": line.question,
                "seat": line.seat,
                "state": line.word,
                "reasons": line.reasons,
                "requirements_met": sum(asked["met"] for asked in line.requirements),
                "requirements": len(line.requirements),
            }
            for line in lines
        ],
        "sign_offs": [
            {
                "id": cast.row.pk,
                "seat": cast.row.seat,
                "person": cast.row.person.full_name,
                "verdict": cast.row.verdict,
                "reason": cast.row.reason or None,
                "at": cast.row.at,
                "digest": cast.row.digest,
                "stale": list(cast.stale),
                "page": page_at(reverse("sign-off", args=[cast.row.pk])),
            }
            for cast in sign_offs.values()
        ],
        "conditions": [
            {
                "id": one.pk,
                "text": one.text,
                "owner": one.owner.full_name,
                "due": one.due,
                "met_at": one.met_at,
            }
            for one in conditions
        ],
    }
    return {"data": data}


# --- Decisions of people ---------------------------------------------------------------------------------------------


class DecisionsQuery(PageQuery):
    """The filters of the page of decisions."""

    q: str = Field("", description="Words of reason, title or reference")
    what: str = Field("", description="Kind of decision")
    gate: str = Field("", description="Key of a gate")
    board: str = Field("", description="Key of a board")
    unit: str = Field("", description="Key of a unit")
    who: str = Field("", description="Name of the person who decided")
    since: str = Field("", description="First day, 2026-10-01")
    until: str = Field("", description="Last day, 2026-10-31")


class DecisionOut(Schema):
    """A decision of a chair or a seat."""

    what: str
    at: datetime
    by: str
    about: str
    reason: str
    initiative: str
    title: str
    unit: str
    page: str


@endpoint("/decisions", scope=READ_DECISIONS, answer=Page[DecisionOut])
def decisions(request: SignedInRequest, query: Parameters[DecisionsQuery]) -> dict:
    """List decisions of chairs and seats, the newest first."""
    paging, rulebook = paging_of(request, query), Rulebook.objects.current().parsed
    form = whole(DecidedForm(request.GET, rulebook=rulebook))
    rows, skipped = _decided(request, form.decided, paging)
    # A decision has no key of its own, so that a place is a moment, and how many of it came before.
    moments = [row[decision_register.COLUMNS.index("moment")] for row in rows]
    told = decision_register.told(rows, rulebook)

    def place(number: int) -> list:
        same = sum(moment == moments[number] for moment in moments[: number + 1])
        before = skipped if paging.after and moments[number].isoformat() == paging.after[0] else 0
        return [moments[number].isoformat(), same + before]

    return paging.page(list(range(len(rows))), lambda number: _decision(told[number]), place)


def _decided(request: SignedInRequest, wanted: decision_register.Wanted, paging: Paging) -> tuple[list, int]:
    """Return the rows of this page, and how many of their first moment came before."""
    skipped = 0
    if paging.after is not None:
        until = datetime.fromisoformat(paging.after[0]) + TICK
        skipped = paging.after[1]
        kept = vars(wanted) | {"until": min(filter(None, (wanted.until, until)))}
        wanted = decision_register.Wanted(**kept)
    found = decision_register.decisions(visibility.visible_to(request.user), wanted)
    return list(found[skipped : skipped + paging.limit + 1]), skipped


def _decision(one: decision_register.Decision) -> dict:
    return {
        "what": one.what,
        "at": one.moment,
        "by": one.who,
        "about": one.about,
        "reason": one.said or "",
        "initiative": one.ref,
        "title": one.title,
        "unit": one.unit,
        "page": page_at(one.link),
    }


# --- The decision log of systems -------------------------------------------------------------------------------------


class LoggedQuery(PageQuery):
    """The filters of the decision log."""

    outcome: str = Field("", description="allow, deny or needs_approval")
    code: str = Field("", description="Code of a reason")
    action: str = Field("", description="Name of an action")
    subject: str = Field("", description="type:id of a subject. Not for those who cannot read requests")
    clause: str = Field("", description="Number of a clause")
    key: str = Field("", description="Key of a row of a service key")
    since: str = Field("", description="First day, 2026-10-01")
    until: str = Field("", description="Last day, 2026-10-31")


class ClauseCited(Schema):
    """A clause that a decision rests on."""

    number: int
    sentence: str


class LoggedDecision(Schema):
    """The answer to a request of a system."""

    id: str = Field(description="Place in the log, as in the address of its page")
    at: datetime
    outcome: str
    code: str
    action: str
    subject: str | None = Field(description="null: erased, or not for the owner of the token")
    resource: str | None
    reason: str | None
    clauses: list[ClauseCited]
    system: str | None
    contract_version: int | None
    approval: str | None
    erased: bool
    page: str | None


@endpoint("/initiatives/{ref}/decisions", scope=READ_DECISIONS, answer=Page[LoggedDecision])
def logged_decisions(request: SignedInRequest, ref: str, query: Parameters[LoggedQuery]) -> dict:
    """List the decisions that systems of an initiative were told, the newest first.

    A page may have few rows, or none, and still a next page. A filter looks through a part of the log at a time.
    """
    paging, row = paging_of(request, query), initiative_for(request.user, ref)
    reads = bool(visibility.may_read_decision_requests(row, request.user))
    keys = keys_of(row)
    if query.subject and not reads:
        visibility.may_read_decision_requests(row, request.user).or_refuse()
    form = whole(ToldForm(request.GET, keys=keys.values(), subjects=reads))
    before = decision_queries.Place.read(paging.after) if paging.after else None
    found = decision_queries.page(row.number, form.wanted, before, query.limit)
    return {
        "data": [_logged(one, row, reads) for one in presented(row, found.rows, keys)],
        "next": paging.cursor(str(found.more)) if found.more else None,
    }


def _logged(one: dict, initiative, reads: bool) -> dict:
    row = one["row"]
    shown = reads and not one["erased"]
    place = reverse("told-one", args=[initiative.ref, str(one["place"])])
    return {
        "id": str(one["place"]),
        "at": row.at,
        "outcome": row.outcome,
        "code": row.code,
        "action": row.action,
        "subject": row.subject if shown else None,
        "resource": row.resource if shown else None,
        "reason": row.reason if reads else None,
        "clauses": [{"number": number, "sentence": sentence} for number, sentence in one["clauses"]],
        "system": one["key"].system if one["key"] else None,
        "contract_version": row.version_number,
        "approval": str(row.approval) if row.approval else None,
        "erased": one["erased"],
        "page": page_at(place) if reads else None,
    }


class LoggedDecisionWhole(LoggedDecision):
    """One decision with the whole request."""

    name: str = Field(description="The id by which the system knows the decision")
    request: dict | None = Field(description="The request as the system sent it. null: erased")


@endpoint("/initiatives/{ref}/decisions/{place}", scope=READ_DECISIONS, answer=One[LoggedDecisionWhole])
def logged_decision(request: SignedInRequest, ref: str, place: str, query: Parameters[Query]) -> dict:
    """Show one decision that a system was told, with the whole request."""
    initiative = initiative_for(request.user, ref)
    visibility.may_read_decision_requests(initiative, request.user).or_refuse()
    at = decision_queries.Place.read(place)
    row = decision_queries.one(initiative.number, at) if at else None
    if row is None:
        raise Http404("This initiative has no decision with this id.")
    (shown,) = presented(initiative, [row], keys_of(initiative))
    named = outcome_reports.Named(row.at, bytes(row.digest), row.outcome == DecisionOutcome.ALLOW)
    data = _logged(shown, initiative, True) | {
        "name": outcome_reports.issued(initiative.number, named),
        "request": None if shown["erased"] else row.request,
    }
    return {"data": data}
