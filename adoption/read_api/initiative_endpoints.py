"""Initiatives, and what one has: requirements, contract, obligations, and tasks of the reader."""

from datetime import date, datetime
from typing import Any

from django.urls import reverse
from ninja import Query as Parameters
from ninja import Schema
from pydantic import Field

from adoption.read_api.api import One, Page, PageQuery, Query, endpoint, page_at, paging_of, whole
from governance import clock
from governance.models import Rulebook
from governance.models.sign_in import READ_INITIATIVES, READ_TASKS
from governance.notifications import inbox
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import Level, Stage
from governance.web.machine_api import Answered
from initiatives.contracts.documents import views as contract_views
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.access.initiative_lookup import (
    initiative_for,
    initiative_on_any_day,
    portfolio_on_any_day,
    with_ref,
)
from initiatives.lifecycle.facts import open_requirements, supported_stage
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.lifecycle.initiative_pages.views import people_rows
from initiatives.lifecycle.requirements.row_presentation import rows_of, sheet_of, sheets_of
from initiatives.models import Obligation
from initiatives.portfolio.initiative_list.portfolio_paging import Listing
from initiatives.portfolio.initiative_list.views import chosen_initiatives

# --- Initiatives -----------------------------------------------------------------------------------------------------


class InitiativesQuery(PageQuery):
    """The filters of the portfolio page, without its order: the list is by reference."""

    q: str = Field("", description="Words of title, reference or owner")
    approved_stage: str = Field("", description="proposed, prototype, mvp, production, stopped or retired")
    supported: str = Field("", description="production, mvp, prototype, proposed or recomputing")
    unit: str = Field("", description="Key of a unit, as in the address of the portfolio")
    whose: str = Field("", description="external for the inventories of other organisations")
    layer: str = Field("", description="A layer with a gap")
    tier: str = Field("", description="minimal, limited, high or unset")
    report: str = Field("", description="A report of the portfolio")
    figure: str = Field("", description="A figure of Insights")
    mine: str = Field("", description="true: initiatives of the owner of the token")
    unsupported: str = Field("", description="true: approved above the supported stage")
    held: str = Field("", description="true: on hold")
    imported: str = Field("", description="true: brought by an import")


class InitiativeRow(Schema):
    """An initiative as the portfolio shows it."""

    ref: str
    title: str
    unit: str
    approved_stage: str
    supported_stage: str | None = Field(description="null: no stage is supported, or it is being recomputed")
    recomputing: bool
    unsupported_stages: int = Field(description="Stages between the approved and the supported stage")
    held: bool
    reported: bool = Field(
        description="The approved stage is one that an import reports, without evidence here"
    )
    withdrawn: bool
    risk_tier: str | None = Field(description="null: not confirmed")
    owner: str | None
    open_requirements: int | None = Field(description="For the approved stage")
    levels: dict[str, int] = Field(description="Number of answers by level")
    in_stage_since: datetime
    next_due: date | None
    page: str


@endpoint("/initiatives", scope=READ_INITIATIVES, answer=Page[InitiativeRow], on_day=portfolio_on_any_day)
def initiatives(request: SignedInRequest, query: Parameters[InitiativesQuery]) -> dict:
    """List initiatives.

    They are those of the portfolio of the owner of the token, by reference, with the same filters.
    """
    paging, rulebook = paging_of(request, query), Rulebook.objects.in_force()
    chosen = chosen_initiatives(request, rulebook)
    whole(chosen.form)
    seen: Any = visibility.visible_to(request.user)
    listing = Listing(chosen, seen.own(), rulebook, clock.now())
    found = paging.of_rows(chosen.qs.values_list("pk", "number"), "number")
    rows = {row.pk: row for row in listing.rows(pk for pk, _ in found)}
    return paging.page(found, lambda one: _initiative_row(rows.get(one[0])), lambda one: one[1])


def _initiative_row(row: Any) -> dict | None:
    if row is None:  # withdrawn while it was read
        return None
    known = row.supported != "recomputing"
    profile = (row.profile or {}) if known else {}
    return {
        "ref": row.ref,
        "title": row.title,
        "unit": row.unit_name,
        "approved_stage": row.stage,
        "supported_stage": row.supported if known and row.supported != Stage.PROPOSED else None,
        "recomputing": not known,
        "unsupported_stages": row.unsupported_stages,
        "held": row.held,
        "reported": row.imported,
        "withdrawn": row.withdrawn_at is not None,
        "risk_tier": row.tier or None,
        "owner": row.owner_name,
        "open_requirements": open_requirements.total(row.open_requirements, open_requirements.APPROVED)
        if known
        else None,
        "levels": {level: profile[level] for level in Level if level in profile},
        "in_stage_since": row.since,
        "next_due": row.next_due,
        "page": page_at(row.get_absolute_url()),
    }


class RoleOut(Schema):
    """A person in a role, or proposed for one."""

    role: str
    person: str
    accepted_at: datetime | None = Field(description="null: proposed, and not accepted")


class GapOut(Schema):
    """Something known to be missing."""

    id: int
    text: str
    owner: str | None
    due: date | None


class InitiativeOut(Schema):
    """One initiative as its overview shows it."""

    ref: str
    title: str
    former_titles: list[str]
    problem: str
    unit: str
    platform: str
    confidential: bool
    approved_stage: str
    in_stage_since: datetime
    basis: str = Field(description="The basis of the approved stage, in words")
    supported_stage: str | None
    unsupported_stages: int
    scale_tests: dict[str, str] = Field(description="Outcome by scale test, from MVP on")
    held_by: list[str] = Field(description="Kinds of the holds that cap the supported stage")
    waived: list[str] = Field(description="Requirements and criteria that a waiver leaves out")
    open_requirements: dict[str, int] = Field(description="Number by count: approved, next")
    open_review: int | None
    risk_tier: str | None
    proposed_risk_tier: str | None
    withdrawn: bool
    reported: bool
    review_by: date | None = Field(description="Day by which the chair decides to continue or stop")
    people: list[RoleOut]
    gaps: list[GapOut]
    page: str


@endpoint(
    "/initiatives/{ref}", scope=READ_INITIATIVES, answer=One[InitiativeOut], on_day=initiative_on_any_day
)
def initiative(request: SignedInRequest, ref: str, query: Parameters[Query]) -> dict:
    """Show one initiative."""
    row = initiative_for(request.user, ref)
    context = initiative_context(request, row, "initiative")
    support, review = context["support"], context["open_review"]
    asks = row.stage in (Stage.MVP, Stage.PRODUCTION)
    data = {
        "ref": row.ref,
        "title": row.title,
        "former_titles": context["former"],
        "problem": row.problem,
        "unit": row.unit.name,
        "platform": row.platform,
        "confidential": row.confidential,
        "approved_stage": row.stage,
        "in_stage_since": row.since,
        "basis": context["rests_on"],
        "supported_stage": support.supported if support.supported not in (None, Stage.PROPOSED) else None,
        "unsupported_stages": support.unsupported_stages,
        "scale_tests": {key: str(outcome) for key, outcome in support.tests.items()} if asks else {},
        "held_by": list(support.held_by),
        "waived": [key for key, _ in support.waived],
        "open_requirements": {
            which: open_requirements.total(context["open"], which) for which in open_requirements.FOR
        },
        "open_review": review.pk if review else None,
        "risk_tier": row.tier or None,
        "proposed_risk_tier": row.proposed_tier or None,
        "withdrawn": row.withdrawn_at is not None,
        "reported": row.imported,
        "review_by": supported_stage.review_by(row),
        "people": [
            {"role": one.role, "person": one.person.full_name, "accepted_at": one.accepted_at}
            for one in people_rows(row)
        ],
        "gaps": [
            {"id": gap.pk, "text": gap.text, "owner": _name(gap.owner), "due": gap.due}
            for gap in row.gaps.filter(closed_at__isnull=True).select_related("owner").order_by("pk")
        ],
        "page": page_at(row.get_absolute_url()),
    }
    return {"data": data}


def _name(person) -> str | None:
    return person.full_name if person is not None else None


# --- Requirements ----------------------------------------------------------------------------------------------------


class RequirementsQuery(PageQuery):
    """The list of a gate, and what is shown of it."""

    gate: str = Field("", description="Key of a gate, or live. Empty: the list that the page shows first")
    open: bool = Field(False, description="true: those that are not met")


class AnswerOut(Schema):
    """The answer to a requirement."""

    kind: str
    text: str
    version: int
    by: str
    at: datetime
    accepted_by: str | None
    accepted_at: datetime | None


class RequirementOut(Schema):
    """A requirement of an initiative with the level of its answer."""

    key: str
    question: str
    gate: str
    layer: str
    blocking: bool
    state: str
    met: bool
    level: str | None = Field(description="stated, documented, verified or measured")
    required_level: str | None
    waits_for: str | None = Field(
        description="The person or role that has to act. null: the requirement is met"
    )
    last_day: date | None = Field(description="Last day on which it is met if nothing changes")
    answer: AnswerOut | None
    evidence: list[int] = Field(description="Keys of the items that show the answer")
    page: str


@endpoint(
    "/initiatives/{ref}/requirements",
    scope=READ_INITIATIVES,
    answer=Page[RequirementOut],
    on_day=initiative_on_any_day,
)
def requirements(request: SignedInRequest, ref: str, query: Parameters[RequirementsQuery]) -> dict:
    """List the requirements of an initiative with their levels, in the order of the rulebook."""
    paging, row = paging_of(request, query), initiative_for(request.user, ref)
    context = initiative_context(request, row, "requirements")
    sheets = sheets_of(row, context["rulebook"])
    if query.gate and query.gate not in {sheet.key for sheet in sheets}:
        known = ", ".join(sheet.key for sheet in sheets)
        raise Answered(400, f"The parameter “gate” is wrong. Use one of these: {known}.")
    chosen = sheet_of(row, sheets, query.gate or None)
    places = {key: place for place, key in enumerate(chosen.keys)}
    rows = [one for one in rows_of(context, chosen) if not (query.open and one["group"] == "met")]
    found = paging.of_list(rows, lambda one: places[one["key"]])
    return paging.page(
        found, lambda one: _requirement(one, context, chosen, request), lambda one: places[one["key"]]
    )


def _requirement(row: dict, context, sheet, request: SignedInRequest) -> dict:
    asked, state, answer, rulebook = row["asked"], row["state"], row["answer"], context["rulebook"]
    gate = sheet.gate or next((one.gate for one in rulebook.criteria_using(row["key"])), "")
    met = row["group"] == "met"
    waits = None if met else request.user.full_name if row["who"] == "You" else str(row["who"])
    ref = context["initiative"].ref
    return {
        "key": row["key"],
        "question": asked.question,
        "gate": gate,
        "layer": asked.layer,
        "blocking": asked.blocking,
        "state": state.state,
        "met": met,
        "level": state.level or None,
        "required_level": asked.level_for(context["facts"].tier, gate) or None,
        "waits_for": waits,
        "last_day": state.last_day,
        "answer": {
            "kind": answer.kind,
            "text": answer.text,
            "version": answer.version,
            "by": answer.by.full_name,
            "at": answer.at,
            "accepted_by": _name(answer.accepted_by),
            "accepted_at": answer.accepted_at,
        }
        if answer is not None
        else None,
        "evidence": [item.id for item in state.items or context["facts"].items_for(row["key"])],
        "page": page_at(reverse("requirement", args=[ref, row["key"]])),
    }


# --- Tasks -----------------------------------------------------------------------------------------------------------


class TasksQuery(PageQuery):
    """Whose initiative."""

    initiative: str = Field("", description="Reference of an initiative")


class TaskOut(Schema):
    """A task in the inbox of the owner of the token."""

    verb: str
    text: str
    why: str
    initiative: str | None
    due: date | None
    late: bool
    since: date
    on_behalf_of: str | None
    to_know: bool = Field(description="Someone else has to do it")
    snoozed_until: date | None
    page: str


@endpoint("/tasks", scope=READ_TASKS, answer=Page[TaskOut])
def tasks(request: SignedInRequest, query: Parameters[TasksQuery]) -> dict:
    """List the open tasks of the owner of the token, as the inbox has them."""
    paging, person = paging_of(request, query), request.user
    if query.initiative:
        initiative_for(person, query.initiative)
    now, snoozed = inbox.tasks_and_snoozed(person)
    until = {id(task): day for task, day in snoozed}
    rows = [task for task in (*now, *until_tasks(snoozed)) if query.initiative in ("", task.ref)]
    rows.sort(key=_place_of_task)
    return paging.page(
        paging.of_list(rows, _place_of_task), lambda task: _task(task, until.get(id(task))), _place_of_task
    )


def until_tasks(snoozed) -> list[inbox.InboxTask]:
    """Return the snoozed tasks without their days."""
    return [task for task, _ in snoozed]


def _place_of_task(task: inbox.InboxTask) -> list:
    due = task.due.isoformat() if task.due else "9999"
    return [list(inbox.VERBS).index(task.verb), due, task.ref, task.key, task.text]


def _task(task: inbox.InboxTask, snoozed_until: date | None) -> dict:
    return {
        "verb": task.verb,
        "text": task.text,
        "why": task.why,
        "initiative": task.ref or None,
        "due": task.due,
        "late": task.late,
        "since": task.since,
        "on_behalf_of": task.on_behalf or None,
        "to_know": task.to_know,
        "snoozed_until": snoozed_until,
        "page": page_at(task.link),
    }


# --- Contract --------------------------------------------------------------------------------------------------------


class ContractQuery(Query):
    """Which version."""

    version: str = Field("", description="Number of a version. Empty: the version in force, else the newest")


class ContractVersionOut(Schema):
    """A version of a contract."""

    number: int
    state: str
    author: str
    starts_at: datetime | None
    ends_at: datetime | None
    digest: str | None


class ClauseOut(Schema):
    """One sentence of a contract."""

    number: int
    kind: str
    sentence: str


class ApprovalOut(Schema):
    """The approval of a version by one seat."""

    seat: str
    person: str | None
    at: datetime | None


class ContractOut(Schema):
    """The contract of an initiative."""

    initiative: str
    versions: list[ContractVersionOut]
    shown: int | None = Field(description="Number of the version with these clauses and approvals")
    in_force: int | None
    clauses: list[ClauseOut]
    approvals: list[ApprovalOut]
    page: str


@endpoint(
    "/initiatives/{ref}/contract",
    scope=READ_INITIATIVES,
    answer=One[ContractOut],
    on_day=initiative_on_any_day,
)
def contract(request: SignedInRequest, ref: str, query: Parameters[ContractQuery]) -> dict:
    """Show the contract of an initiative: its versions, and the clauses of one."""
    row = initiative_for(request.user, ref)
    versions = contract_views.versions_of(row)
    in_force, _, shown = contract_views.version_shown(versions, query.version, clock.now())
    rulebook = Rulebook.objects.current().parsed.at_tier(row.tier)
    clauses = contract_views.clauses_of(shown)[shown.pk] if shown else []
    data = {
        "initiative": row.ref,
        "versions": [
            {
                "number": one.number,
                "state": one.state,
                "author": one.author.full_name,
                "starts_at": one.starts_at,
                "ends_at": one.ends_at,
                "digest": one.digest or None,
            }
            for one in versions
        ],
        "shown": shown.number if shown else None,
        "in_force": in_force.number if in_force else None,
        "clauses": [
            {"number": clause.number, "kind": clause.kind, "sentence": clause.sentence} for clause in clauses
        ],
        "approvals": [
            {
                "seat": seat,
                "person": approval.person.full_name if approval else None,
                "at": approval.at if approval else None,
                "lapsed": approval.lapsed if approval else "",
            }
            for seat, (_, approval) in zip(
                rulebook.contract.seats, contract_views.approvals_shown(row, shown, rulebook), strict=False
            )
        ],
        "page": page_at(reverse("contract", args=[row.ref])),
    }
    return {"data": data}


# --- Obligations -----------------------------------------------------------------------------------------------------


class ObligationsQuery(PageQuery):
    """Of which initiative."""

    initiative: str = Field("", description="Reference of an initiative")


class ObligationOut(Schema):
    """What one person has to give by a day."""

    id: int
    initiative: str
    kind: str
    text: str
    responsible: str | None
    due: date
    overdue: bool
    opened_at: datetime
    page: str


@endpoint("/obligations", scope=READ_INITIATIVES, answer=Page[ObligationOut], on_day=portfolio_on_any_day)
def obligations(request: SignedInRequest, query: Parameters[ObligationsQuery]) -> dict:
    """List the open obligations of initiatives that the owner of the token may open."""
    paging, seen = paging_of(request, query), visibility.visible_to(request.user)
    if query.initiative:
        only = with_ref(seen, query.initiative)
        only = only if only is not None else initiative_for(request.user, query.initiative)
        seen = seen.filter(pk=only.pk)
    rows = Obligation.objects.open().filter(initiative__in=seen.order_by().values("pk"))
    found = paging.of_rows(rows.select_related("initiative", "responsible"))
    return paging.page(found, _obligation, lambda row: row.pk)


def _obligation(row: Obligation) -> dict:
    return {
        "id": row.pk,
        "initiative": row.initiative.ref,
        "kind": row.kind,
        "text": row.text,
        "responsible": _name(row.responsible),
        "due": row.due,
        "overdue": row.due < clock.today(),
        "opened_at": row.opened_at,
        "page": page_at(row.initiative.get_absolute_url()),
    }
