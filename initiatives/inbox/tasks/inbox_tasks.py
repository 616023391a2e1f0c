"""Tasks of the inbox from initiatives, made from rows that are read once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.urls import reverse

from governance import clock
from governance.gates.levels import INVENTORY
from governance.models import User
from governance.notifications.inbox import InboxTask, made_by
from governance.permission_result import ended
from governance.vocabulary import WRITTEN_OBLIGATIONS, Seat, Stage
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import label, phrase
from initiatives.contracts.approvals.inbox import approvals
from initiatives.contributions import contributed
from initiatives.inbox.rows.person_rows import Look, look_of
from initiatives.inbox.tasks import contract_tasks, evidence_tasks, tier_tasks
from initiatives.integration.components import inbox as component_inbox
from initiatives.integration.pipelines import inbox as pipeline_inbox
from initiatives.integration.resilience import inbox as drill_inbox
from initiatives.integration.systems import inbox as system_inbox
from initiatives.lifecycle.changes import inbox as change_inbox
from initiatives.lifecycle.evidence import file_check_inbox
from initiatives.lifecycle.evidence.verification import inbox as second_look_inbox
from initiatives.lifecycle.facts import open_requirements
from initiatives.lifecycle.facts.open_requirements import APPROVED, NEXT
from initiatives.lifecycle.holds import alert_inbox, dependant_inbox, due_tasks
from initiatives.lifecycle.holds.due_tasks import support_of
from initiatives.lifecycle.requirements import inbox as draft_inbox
from initiatives.lifecycle.reviews import inbox as review_inbox
from initiatives.lifecycle.roles import inbox as role_inbox
from initiatives.lifecycle.stages import inbox as stage_inbox
from initiatives.models import Initiative, SupportedStagePeriod, Waiver
from initiatives.portfolio.found_models import inbox as found_inbox
from initiatives.portfolio.insights.report_links import ENDING


def tasks(person: User) -> list[InboxTask]:
    """Return all tasks of the person on initiatives."""
    return made_by([*PARTS, *contributed.inbox_parts], look_of(person))


def questions(look: Look):
    """Yield board questions on the person's initiatives (`review_turn.moves`). Others may answer too."""
    asked_of: dict[int, list] = {}
    for row in look.rows("questions"):
        asked_of.setdefault(row.initiative, []).append(row)
    for pk, rows in asked_of.items():
        initiative = look.working[pk][0]
        yield InboxTask(
            "answer",
            initiative.title,
            reverse("row-act", args=["questions", rows[0].pk, "answer"])
            if len(rows) == 1
            else reverse("review", args=[rows[0].review_id]),
            phrase("Answer"),
            phrase("The board asks: {}", rows[0].text)
            if len(rows) == 1
            else phrase("The board asks: {} And {} more.", rows[0].text, len(rows) - 1),
            initiative.ref,
            clock.local_day(rows[0].expires_at),
            on_behalf=look.standing_in_on.get(initiative.pk, ""),
            waited_for=True,
            since=min(clock.local_day(row.asked_at) for row in rows),
            matter=f"review:{rows[0].review_id}",
        )


def seat_acts(look: Look):
    """Yield tasks of seats apart from reviews: contracts, tiers, exceptions, waivers."""
    if not look.seats_by_unit:
        return
    yield from _one_line([*contract_tasks.to_sign(look), *tier_tasks.tiers(look), *_alone(look)])
    yield from _exceptions(look)
    yield from pipeline_inbox.to_confirm(look)
    for waiver in look.waivers:
        yield from _waiver(look, waiver)


def own_pages(ref: str) -> list[str]:
    """Return the pages on which tier, standalone and contract of an initiative are decided alone, in this order."""
    steps = [reverse("initiative-act", args=[ref, verb]) for verb in ("confirm-tier", "accept-alone")]
    return [*steps, reverse("contract-approve", args=[ref])]


def _one_line(tasks: list[InboxTask]) -> Iterator[InboxTask]:
    """Yield these tasks. Those of one initiative that can be signed together are one line, and lead to that page."""
    of_ref: dict[str, list[InboxTask]] = {}
    for task in tasks:
        of_ref.setdefault(task.ref, []).append(task)
    for ref, found in of_ref.items():
        alone = own_pages(ref) if len(found) > 1 else []
        together = [task for task in found if task.link in alone]
        matter = next((one.matter for one in together if one.matter), f"seat-decisions:{ref}")
        for task in found:
            if task in together and len(together) > 1:
                link = reverse("seat-decisions", args=[ref])
                task = replace(task, link=link, button=phrase("Read and sign together"), matter=matter)
            yield task


def verifying(look: Look):
    """Yield answers to verify. Their matter is the open review."""
    if not look.seats_by_unit:
        return
    for span in sorted(look.rows("to_verify"), key=lambda row: row.initiative_id):
        initiative = span.initiative
        if initiative.pk in look.team_initiatives:
            continue
        held = look.seats_by_unit[initiative.unit_id]
        mine = [
            one for one in span.to_verify if held & set(one["seats"]) and look.person.pk not in one["not"]
        ]
        if mine:
            seat = next(seat for seat in Seat if seat in held and any(seat in one["seats"] for one in mine))
            yield InboxTask(
                "verify",
                initiative.title,
                reverse("evidence-verify-first", args=[initiative.ref]),
                phrase("Open and verify"),
                _waiting_answers(len(mine), seat),
                initiative.ref,
                on_behalf=look.holder_on(initiative, seat),
                waited_for=True,
                since=min(date.fromisoformat(one["on"]) for one in mine),
                matter=look.review_of(initiative),
                about=(f"board:{initiative.pk}",),
            )


def _exceptions(look: Look):
    if look.rulebook is None:
        return
    for answer in look.rows("exceptions"):
        initiative = answer.initiative
        signing = look.rulebook.at_tier(initiative.tier).seats_asking(answer.requirement)
        # What one person accepted waits for a second where production asks it at high risk.
        twice = Stage.PRODUCTION in look.rulebook.gates_asking(answer.requirement)
        if answer.accepted_at and not twice:
            continue
        mine = set(signing) & set(look.seats_on(initiative)) and answer.accepted_by_id != look.person.pk
        if mine and initiative.pk not in look.team_initiatives:
            yield InboxTask(
                "agree",
                look.rulebook.requirements[answer.requirement].question,
                reverse("requirement-accept", args=[initiative.ref, answer.requirement]),
                phrase("Read and answer"),
                phrase(
                    "{}: {} answered “not applicable”. The answer counts after a seat has accepted it.",
                    initiative.title,
                    answer.by,
                ),
                initiative.ref,
                since=clock.local_day(answer.accepted_at or answer.at),
                matter=look.review_of(initiative),
            )


def _alone(look: Look):
    """Yield standalone declarations, for the seats that sign for the system inventory."""
    for row in look.rows("alone"):
        initiative = row.initiative
        signing = look.rulebook.at_tier(initiative.tier).seats_asking(INVENTORY) if look.rulebook else ()
        mine = set(signing) & set(look.seats_on(initiative)) and row.accepted_by_id != look.person.pk
        if mine and initiative.pk not in look.team_initiatives:
            yield InboxTask(
                "agree",
                phrase("{}: declared standalone", initiative.title),
                reverse("initiative-act", args=[initiative.ref, "accept-alone"]),
                phrase("Read and answer"),
                phrase(
                    "{} declares that the initiative is not linked to any system. The declaration counts "
                    "after a seat has accepted it.",
                    row.declared_by,
                ),
                initiative.ref,
                since=clock.local_day(row.accepted_at or row.declared_at),
                matter=look.review_of(initiative),
            )


def _waiver(look: Look, waiver: Waiver):
    initiative = waiver.initiative
    if initiative.pk in look.team_initiatives or waiver.requested_by_id == look.person.pk:
        return
    counts = {waiver.chair_id: waiver.chair_counts, waiver.risk_id: waiver.risk_counts}
    if counts.get(look.person.pk):
        return
    chair = not waiver.chair_counts and initiative.pk in look.chaired
    risk = not waiver.risk_counts and "risk_compliance" in look.seats_on(initiative)
    if chair or risk:
        asked = look.rulebook and (
            look.rulebook.requirements.get(waiver.key) or look.rulebook.criteria.get(waiver.key)
        )
        yield InboxTask(
            "agree",
            phrase("Waiver for {}", initiative.title),
            waiver.get_absolute_url(),
            phrase("Read and answer"),
            phrase(
                "{} asks for a waiver of “{}” until {}: {}",
                waiver.requested_by,
                asked.question if asked else waiver.key,
                waiver.until,
                waiver.reason,
            ),
            initiative.ref,
            since=clock.local_day(waiver.requested_at),
            matter=f"waiver:{waiver.pk}",
        )


def my_initiatives(look: Look):
    """Yield what waits on initiatives where the person works.

    This is open requirements and systems that are off.
    """
    if not look.working:
        return
    yield from _switched_off(look)
    for pk, (initiative, held) in look.working.items():
        yield from _open(look, initiative, held, look.spans.get(pk))


def _switched_off(look: Look):
    """Yield the person's initiatives whose systems are switched off."""
    for row in look.rows("switched_off"):
        initiative, held = look.working[row.initiative_id]
        if held & {"owner", "deputy"}:
            yield InboxTask(
                "see",
                phrase("The systems of {} are switched off", initiative.title),
                reverse("initiative-act", args=[initiative.ref, "switch-on"]),
                phrase("See what is needed"),
                phrase(
                    "{} switched the systems off: {} Plumbline denies every request.",
                    row.pressed_by,
                    ended(row.reason),
                ),
                initiative.ref,
                on_behalf=look.standing_in_on.get(initiative.pk, ""),
                since=clock.local_day(row.pressed_at),
            )


def _open(look: Look, initiative: Initiative, held: set[str], span: SupportedStagePeriod | None):
    """Yield open requirements of the person, for the approved stage and the next gate."""
    if span is None or initiative.imported:
        return
    requirements = reverse("requirements", args=[initiative.ref])
    for which, kind, gate, since in (
        (APPROVED, "refresh", "?gate=live&show=mine", span.from_at),
        (NEXT, "answer", "?show=mine", look.works_since(initiative)),
    ):
        if open_requirements.yours(span.open_requirements, which, held):
            yield InboxTask(
                kind,
                initiative.title,
                f"{requirements}{gate}",
                phrase("See your requirements"),
                ended(open_requirements.words(span.open_requirements, which, held)),
                initiative.ref,
                on_behalf=look.standing_in_on.get(initiative.pk, ""),
                since=clock.local_day(since),
                matter=support_of(initiative),
            )
    yield from _submitting(look, initiative, held, span)


def _submitting(look: Look, initiative: Initiative, held: set[str], span: SupportedStagePeriod):
    """Yield, for its owner, an initiative that is ready for the next gate."""
    nothing_open = not any(
        open_requirements.total(span.open_requirements, which) for which in (APPROVED, NEXT)
    )
    reviewed = {review.initiative_id for review in look.own_reviews}
    if (
        held & {"owner"}
        and nothing_open
        and initiative.stage != Stage.PRODUCTION
        and initiative.pk not in reviewed
        and _tier_confirmed(look, initiative)
    ):
        yield InboxTask(
            "submit",
            initiative.title,
            reverse("review-open", args=[initiative.ref]),
            phrase("Request a review"),
            phrase("All requirements for the next gate are met."),
            initiative.ref,
            on_behalf=look.standing_in_on.get(initiative.pk, ""),
            since=clock.local_day(span.from_at),
            matter=support_of(initiative),
        )


def _tier_confirmed(look: Look, initiative: Initiative) -> bool:
    """Return True if the tier is confirmed for each scope, planned or in force."""
    rows = [row for row in look.rows("scopes") if row.initiative_id == initiative.pk]
    if initiative.stage == Stage.PROPOSED or not rows:
        return True
    return bool(rows[0].initiative.tier_confirmed_at) and all(
        row.ended_at for row in rows[0].initiative.scopes_without_tier(rows)
    )


def obligations(look: Look):
    """Yield what the person must do by a day. Written accounts stay with their author."""
    mine = [
        row
        for row in look.obligations
        if row.responsible_id == look.person.pk or row.kind not in WRITTEN_OBLIGATIONS
    ]
    found = [
        # The owner of a system has one task for all links that wait for their word (`integration.systems`).
        *(one for one in due_tasks.of_obligations(mine) if one.act.verb != "agree"),
        *due_tasks.of_conditions(look.conditions),
        *due_tasks.of_gaps(look.gaps),
    ]
    for one in found:
        yield one.task(_behalf(look, one.person))
    near = look.today + due_tasks.NEAR
    for one in due_tasks.of_waivers(row for row in look.rows("ending_waivers") if row.until <= near):
        yield one.task(look.standing_in_on.get(one.initiative.pk, ""))


def _behalf(look: Look, person: User) -> str:
    return "" if person.pk == look.person.pk else person.full_name


def more_ends(look: Look):
    """Yield one line for the ends of stages that are beyond the number that is shown."""
    more = look.ending_in_all - len(look.ending)
    if more and any(initiative.pk in look.chaired for initiative, _ in look.ending):
        yield InboxTask(
            "decide",
            phrase("1 more stage ends") if more == 1 else phrase("{} more stages end", more),
            f"{reverse('portfolio')}?report={ENDING}",
            phrase("See all of them"),
            phrase(
                "You see the {} oldest tasks. The others appear when you have decided these tasks.",
                len(look.ending),
            ),
            since=min(due for _, due in look.ending)
            - timedelta(days=max(look.rulebook.freshness.warn_days_before)),
        )


def house(look: Look):
    """Yield tasks of admins and chairs: imports to confirm, rulebooks to publish."""
    for batch in look.imports:
        yield InboxTask(
            "confirm",
            phrase("Import of {}", batch["file"]),
            reverse("import", args=[batch["pk"]]),
            phrase("Check and confirm"),
            phrase("The imported rows appear after you have confirmed the import."),
            since=clock.local_day(datetime.fromisoformat(batch["at"])),
        )
    for rulebook in look.drafts:
        yield InboxTask(
            "decide",
            phrase("Rulebook {}", rulebook["version"]),
            reverse("rulebook-publish", args=[rulebook["version"]]),
            phrase("Read and publish"),
            phrase("Proposed by {}. The rulebook takes effect when a chair publishes it.", rulebook["name"]),
            since=clock.local_day(datetime.fromisoformat(rulebook["at"])),
        )


def sheet_changes(look: Look):
    """Yield changes that a sheet proposes to initiatives of the person."""
    for row in look.sheet_changes:
        ref = Initiative.ref_of(row["number"])
        yield InboxTask(
            "answer",
            row["title"],
            reverse("initiative-act", args=[ref, "take-changes"]),
            phrase("Accept or reject the changes"),
            phrase("{} proposes changes.", row["file"]),
            ref,
            since=clock.local_day(datetime.fromisoformat(row["at"])),
        )


def _waiting_answers(count: int, seat: str) -> str:
    """Return how many answers wait for a seat."""
    name = label(Seat.word(seat), inside=True)
    if count == 1:
        return phrase("1 answer waits for your seat ({}).", name)
    return phrase("{} answers wait for your seat ({}).", count, name)


PARTS = [
    approvals,
    review_inbox.tasks,
    questions,
    role_inbox.to_accept,
    role_inbox.left,
    role_inbox.asked,
    verifying,
    second_look_inbox.tasks,
    seat_acts,
    contract_tasks.objected,
    alert_inbox.tasks,
    obligations,
    my_initiatives,
    evidence_tasks.ageing,
    change_inbox.tasks,
    stage_inbox.tasks,
    more_ends,
    dependant_inbox.tasks,
    system_inbox.tasks,
    component_inbox.tasks,
    pipeline_inbox.to_declare,
    drill_inbox.tasks,
    found_inbox.tasks,
    sheet_changes,
    draft_inbox.tasks,
    house,
    file_check_inbox.remarked,
]

# What these acts change waits, if for anybody, for people on the initiative and its board. No act belongs here that
# names somebody, moves an initiative to another unit, or completes what somebody has to do.
QUIET = {
    EntryKind.ANSWERED,
    EntryKind.APPROVAL_ANSWERED,
    EntryKind.APPROVAL_ASKED,
    EntryKind.APPROVAL_USED,
    EntryKind.ARCHITECTURE_DECIDED,
    EntryKind.ARCHITECTURE_DECISION_WITHDRAWN,
    EntryKind.ASKED,
    EntryKind.CLAUSE_COMMENTED,
    EntryKind.CLAUSE_MAPPED,
    EntryKind.CLAUSE_MOVED,
    EntryKind.CLAUSE_REMOVED,
    EntryKind.CLAUSE_WRITTEN,
    EntryKind.COMMENT_RESOLVED,
    EntryKind.COMPONENT_RECORDED,
    EntryKind.CONFLICT_FOUND,
    EntryKind.CONFLICT_GONE,
    EntryKind.CONTRACT_APPROVED,
    EntryKind.CONTRACT_OBJECTED,
    EntryKind.CONTRACT_OBJECTION_WITHDRAWN,
    EntryKind.CONTRACT_PROPOSED,
    EntryKind.CONTRACT_START_PLANNED,
    EntryKind.CONTRACT_WRITTEN,
    EntryKind.DECLARED,
    EntryKind.DEPLOYMENT_ALLOWED,
    EntryKind.DEPLOYMENT_DENIED,
    EntryKind.DRAFT_DROPPED,
    EntryKind.DRAFT_EDITED,
    EntryKind.DRAFT_LOADED,
    EntryKind.EFFORT_NOTED,
    EntryKind.EFFORT_WITHDRAWN,
    EntryKind.EFFORTS_IMPORTED,
    EntryKind.EVALUATION_DECLARED,
    EntryKind.EVALUATION_RESULT_RECORDED,
    EntryKind.EVALUATION_WITHDRAWN,
    EntryKind.EVENT_RECORDED,
    EntryKind.EVIDENCE_ADDED,
    EntryKind.EVIDENCE_OFFERED,
    EntryKind.EVIDENCE_OPENED,
    EntryKind.EVIDENCE_WITHDRAWN,
    EntryKind.KEY_LEFT,
    EntryKind.KEY_MADE,
    EntryKind.KEY_PRINCIPAL_NAMED,
    EntryKind.KEY_REVOKED,
    EntryKind.MAPPING_CLOSED,
    EntryKind.NOT_APPLICABLE_ACCEPTED,
    EntryKind.OBSERVED,
    EntryKind.OUTCOME_REPORTED,
    EntryKind.BAR_CONFIRMED,
    EntryKind.BAR_DECLARED,
    EntryKind.PIPELINE_CONFIRMED,
    EntryKind.PIPELINE_DECLARED,
    EntryKind.PIPELINE_ENDED,
    EntryKind.QUESTION_ANSWERED,
    EntryKind.REVIEW_OPENED,
    EntryKind.RISK_TIER_CONFIRMED,
    EntryKind.RISK_TIER_PROPOSED,
    EntryKind.RISK_TIER_REFUSED,
    EntryKind.RULEBOOK_COPIED,
    EntryKind.RULEBOOK_TRIED,
    EntryKind.SCOPE_PLANNED,
    EntryKind.SIGNED_OFF,
    EntryKind.SWITCHED_OFF,
    EntryKind.SWITCHED_ON,
    EntryKind.USERS_TOLD,
    EntryKind.SIGN_OFF_WITHDRAWN,
    EntryKind.WAIVER_REQUESTED,
    EntryKind.WORD_RETIRED,
    EntryKind.WORD_WRITTEN,
}
