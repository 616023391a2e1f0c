"""Tasks of the inbox from initiatives, made of rows that are read once for the whole inbox."""

from datetime import date, datetime, timedelta

from django.urls import reverse

from governance import clock
from governance.gates.requirements import ACCEPTED_IN_PERSON, GENERATED_ONLY, expiry
from governance.models import User
from governance.notifications.inbox import InboxTask
from governance.permission_result import ended
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import STAGE_RANK, WRITTEN_OBLIGATIONS, ObligationKind, Seat, Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contracts.approvals.inbox import approvals
from initiatives.contributions import contributed
from initiatives.inbox.absences.wording import days_between
from initiatives.inbox.rows.inbox_queries import ageing
from initiatives.inbox.rows.person_rows import Look, look_of
from initiatives.inbox.tasks import contract_tasks, role_tasks
from initiatives.inbox.tasks.stage_expiry_tasks import ends
from initiatives.integration.components import inbox as component_inbox
from initiatives.integration.systems import inbox as system_inbox
from initiatives.lifecycle.holds import alert_inbox
from initiatives.lifecycle.reviews import inbox as review_inbox
from initiatives.models import Evidence, Initiative, SupportedStagePeriod, Waiver
from initiatives.portfolio.initiative_list.portfolio_export import gap_words
from initiatives.portfolio.intake import inbox as intake_inbox

AGEING_DAYS = 30
# Completed by a written account: their tasks come from the app above.
WRITTEN = (*WRITTEN_OBLIGATIONS, ObligationKind.MEASUREMENT)  # tasks of the app above
# Who is asked what: the rulebook says whose inbox a requirement lies on; owner and deputy see all of them.
ANSWERING = {
    "technical_lead": "technical_lead",
    "support_owner": "support_owner",
    "data_steward": "data_steward",
}


def tasks(person: User) -> list[InboxTask]:
    """Everything that waits for the person because of initiatives."""
    look = look_of(person)
    found = [task for part in [*PARTS, *contributed.inbox_parts] for task in part(look)]
    return found


def questions(look: Look):
    """Questions of the board that wait on initiatives the person owns, as `review_turn.moves` says; others may answer
    too.
    """
    asked_of: dict[int, list] = {}
    for row in look.rows("questions"):
        asked_of.setdefault(row.initiative, []).append(row)
    for pk, rows in asked_of.items():
        initiative = look.working[pk][0]
        yield InboxTask(
            "answer",
            initiative.title,
            reverse("question-answer", args=[rows[0].pk])
            if len(rows) == 1
            else reverse("review", args=[rows[0].review_id]),
            "Answer",
            f"The board asks: {rows[0].text}" + (f" And {len(rows) - 1} more." if len(rows) > 1 else ""),
            initiative.ref,
            clock.local_day(rows[0].expires_at),
            on_behalf=look.standing_in_on.get(initiative.pk, ""),
            waited_for=True,
        )


def seat_acts(look: Look):
    """What seats do apart from reviews: contracts, risk tiers, exceptions, waivers."""
    if not look.seats_by_unit:
        return
    yield from contract_tasks.to_sign(look)
    for initiative in look.rows("tiers"):
        if initiative.pk not in look.team_initiatives:
            yield InboxTask(
                "confirm",
                f"Risk tier of {initiative.title}",
                reverse("initiative-tier-confirm", args=[initiative.ref]),
                "Read and confirm",
                f"Proposed: {initiative.get_proposed_tier_display().lower()}. "
                "It counts once the risk seat confirms it.",
                initiative.ref,
            )
    yield from _exceptions(look)
    for waiver in look.waivers:
        yield from _waiver(look, waiver)


def verifying(look: Look):
    """Answers of running initiatives that wait to be verified by a seat of the person; those of a review stand with
    it.
    """
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
                "Open and verify",
                f"{_count(len(mine), 'answer', 'answers')} that {initiative.get_stage_display()} rests on "
                f"{'waits' if len(mine) == 1 else 'wait'} for your seat ({Seat.word(seat).lower()}).",
                initiative.ref,
                on_behalf=look.holder_on(initiative, seat),
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
                "Read and answer",
                f"{initiative.title}: {answer.by} says that it does not apply. That counts once a seat accepts it.",
                initiative.ref,
            )


def _waiver(look: Look, waiver: Waiver):
    initiative = waiver.initiative
    if initiative.pk in look.team_initiatives or waiver.requested_by_id == look.person.pk:
        return
    if look.person.pk in (waiver.chair_id, waiver.risk_id):
        return
    chair = waiver.chair_id is None and initiative.pk in look.chaired
    risk = waiver.risk_id is None and "risk_compliance" in look.seats_on(initiative)
    if chair or risk:
        asked = look.rulebook and (
            look.rulebook.requirements.get(waiver.key) or look.rulebook.criteria.get(waiver.key)
        )
        yield InboxTask(
            "agree",
            f"Waiver for {initiative.title}",
            waiver.get_absolute_url(),
            "Read and answer",
            f'{waiver.requested_by} asks not to be asked "{asked.question if asked else waiver.key}" until '
            f"{day(waiver.until)}: "
            f"{waiver.reason}",
            initiative.ref,
        )


def my_initiatives(look: Look):
    """Requirements that wait, evidence that ages, changes without approver, systems that are off, where the person
    works.
    """
    if not look.working:
        return
    yield from _switched_off(look)
    for pk, (initiative, held) in look.working.items():
        yield from _questions(look, initiative, held, look.spans.get(pk), look.answered.get(pk, set()))
    yield from _ageing(look, look.spans)
    for change in look.rows("changes"):
        initiative = look.working[change.initiative_id][0]
        yield InboxTask(
            "complete",
            change.what,
            reverse("row-act", args=["changes", change.pk, "complete"]),
            "Complete the audit log",
            f"{initiative.title}: the change names no {'approver' if change.approver_id is None else 'way back'}.",
            initiative.ref,
            on_behalf=look.standing_in_on.get(initiative.pk, ""),
        )


def _switched_off(look: Look):
    """Initiatives of the person whose systems are switched off: they stay so until somebody switches them on."""
    for row in look.rows("switched_off"):
        initiative, held = look.working[row.initiative_id]
        if held & {"owner", "deputy"}:
            yield InboxTask(
                "see",
                f"The systems of {initiative.title} are switched off",
                reverse("initiative-switch-on", args=[initiative.ref]),
                "See what is needed",
                f"{row.pressed_by} switched them off: {ended(row.reason)} Whatever they ask is denied.",
                initiative.ref,
                when=f"since {day(row.pressed_at)}",
                on_behalf=look.standing_in_on.get(initiative.pk, ""),
            )


def _questions(look: Look, initiative: Initiative, held: set[str], span, answered: set[str]):
    link = reverse("requirements", args=[initiative.ref])
    leads = bool(held & {"owner", "deputy"})
    missing = sum(span.gaps.values()) if span else 0
    if missing and leads and not initiative.imported:
        yield InboxTask(
            "refresh",
            initiative.title,
            link,
            "See what is missing",
            f"Approved as {stage_word(initiative.stage)}; {_count(missing, 'answer lacks', 'answers lack')} current "
            f"evidence: {gap_words(span.gaps)}.",
            initiative.ref,
            on_behalf=look.standing_in_on.get(initiative.pk, ""),
        )
    following = [
        stage
        for stage in ("prototype", "mvp", "production")
        if STAGE_RANK[stage] == STAGE_RANK[initiative.stage] + 1
    ]
    gate = look.rulebook.gate_to(following[0]) if following and look.rulebook else None
    if gate is None or initiative.imported:
        return
    later = look.rulebook.deferred(gate)
    open_keys = [
        key
        for key in gate.requirements()
        if key not in answered
        and key not in later
        and key not in ACCEPTED_IN_PERSON
        and key not in GENERATED_ONLY
        and (leads or ANSWERING.get(look.rulebook.requirements[key].answered_by) in held)
    ]
    if open_keys:
        count = len(open_keys)
        yield InboxTask(
            "answer",
            initiative.title,
            link,
            "Open the requirements",
            f"{gate.title}: {_count(count, 'requirement has', 'requirements have')} no answer yet.",
            initiative.ref,
            on_behalf=look.standing_in_on.get(initiative.pk, ""),
        )


def _ageing(look: Look, spans: dict[int, SupportedStagePeriod]):
    # Counted to the last day on which it is current, as pages say it: the next one is the first on which it is not.
    last = look.today + timedelta(days=AGEING_DAYS + 1)
    soon = {
        pk: span.next_expiry_on
        for pk, span in spans.items()
        if span.next_expiry_on and span.next_expiry_on <= last and look.working[pk][1] != {"sponsor"}
    }
    if not soon or look.rulebook is None:
        return
    items = list(ageing(list(soon)))
    for pk, expires_on in soon.items():
        initiative = look.working[pk][0]
        ending = {
            item.title: (item, key)
            for item in items
            for key in item.covers
            if item.initiative_id == pk
            and _last_day(look, key, item, initiative) == expires_on - timedelta(days=1)
        }
        titles = list(ending)
        if len(titles) > 1:
            why = f"“{titles[0]}” and {len(titles) - 1} more expire."
        else:
            why = f"“{titles[0]}” expires." if titles else "Evidence that the initiative rests on expires."
        link, button = (
            _renewed(initiative, *ending[titles[0]]) if len(titles) == 1 else _all_ageing(initiative)
        )
        behalf = look.standing_in_on.get(pk, "")
        current_until = expires_on - timedelta(days=1)
        yield InboxTask(
            "refresh", initiative.title, link, button, why, initiative.ref, current_until, on_behalf=behalf
        )


def _renewed(initiative: Initiative, item: Evidence, key: str) -> tuple[str, str]:
    """Where the one item that ends is renewed, and what is done there: by its person, one's word, or a newer item."""
    if key in ACCEPTED_IN_PERSON:
        return reverse("people", args=[initiative.ref]), "See who accepts again"
    if item.generated:
        return reverse("evidence-index", args=[initiative.ref]), "Generate it anew"
    if item.kind == "attestation":
        return reverse("requirement", args=[initiative.ref, key]), "Answer anew"
    return f"{reverse('evidence-add', args=[initiative.ref])}?supersedes={item.pk}", "Add newer evidence"


def _all_ageing(initiative: Initiative) -> tuple[str, str]:
    return f"{reverse('evidence', args=[initiative.ref])}?state=aging", "See what ends"


def _last_day(look: Look, key: str, item: Evidence, initiative: Initiative) -> date | None:
    requirement = look.rulebook.requirements.get(key)
    return expiry(requirement, item, initiative.tier) if requirement else None


def obligations(look: Look):
    """Conditions and obligations that the person has to complete, accounts to write apart."""
    for condition in look.conditions:
        yield InboxTask(
            "meet",
            condition.text,
            reverse("condition-meet", args=[condition.pk]),
            "Say that it is met",
            f"A condition of the decision on {condition.initiative_title}. Overdue, it blocks the next decision.",
            Initiative.ref_of(condition.initiative_number),
            condition.due,
            on_behalf=_behalf(look, condition.owner),
        )
    for obligation in look.obligations:
        if obligation.kind in WRITTEN:
            continue
        initiative = obligation.initiative
        link, verb = initiative.get_absolute_url(), "Open the initiative"
        if obligation.kind == "criterion":
            link, verb = reverse("row-act", args=["obligations", obligation.pk, "complete"]), "Complete it"
        elif obligation.account_key is not None:
            link, verb = reverse("account-close", args=[obligation.account_key]), "Close it"
        elif obligation.system_key is not None:
            link, verb = reverse("feed-shut", args=[obligation.pk]), "Say that it is shut"
        yield InboxTask(
            "complete",
            obligation.text,
            link,
            verb,
            f"An obligation on {initiative.title}.",
            initiative.ref,
            obligation.due,
            on_behalf=_behalf(look, obligation.responsible),
        )


def _behalf(look: Look, person: User) -> str:
    return "" if person.pk == look.person.pk else person.full_name


def house(look: Look):
    """What admins and chairs do for everybody: imports to confirm, a rulebook to publish."""
    for batch in look.imports:
        yield InboxTask(
            "confirm",
            f"Import of {batch['file']}",
            reverse("import", args=[batch["pk"]]),
            "Look and confirm",
            "Nothing of it is live until it is confirmed.",
            when=f"since {day(datetime.fromisoformat(batch['at']))}",
        )
    for rulebook in look.drafts:
        yield InboxTask(
            "decide",
            f"Rulebook {rulebook['version']}",
            reverse("rulebook-publish", args=[rulebook["version"]]),
            "Read and publish",
            f"Proposed by {rulebook['name']}. It binds nobody until a chair publishes it.",
        )


def sheet_changes(look: Look):
    """What a sheet says otherwise of an initiative that the person owns."""
    for row in look.sheet_changes:
        ref = Initiative.ref_of(row["number"])
        yield InboxTask(
            "answer",
            row["title"],
            reverse("initiative-changes", args=[ref]),
            "Take or leave them",
            f"{row['file']} proposes changes.",
            ref,
        )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def asked(look: Look):
    """Absences in which the person is asked to stand in, and what they are asked to take over."""
    for row in look.asked_to_stand_in:
        what = f"the seat {Seat(row.seat).label} of {row.board}" if row.seat else "roles on initiatives"
        yield InboxTask(
            "accept",
            f"Stand in for {row.who}",
            reverse("delegation", args=[row.pk]),
            "Read and answer",
            f"For {what}. Nobody can accept this for you.",
            when=days_between(row.since, row.until),
        )
    leavers: dict[str, list[str]] = {}
    for row in look.rows("handovers"):
        leavers.setdefault(row.who, []).append(row.reason)
    for who, reasons in leavers.items():
        yield InboxTask(
            "accept",
            f"Take over from {who}: {_count(len(reasons), 'initiative', 'initiatives')}",
            reverse("handovers"),
            "Read and answer",
            f"{ended(reasons[0])} Nobody can accept this for you.",
        )


PARTS = [
    approvals,
    review_inbox.tasks,
    questions,
    role_tasks.to_accept,
    asked,
    verifying,
    seat_acts,
    contract_tasks.objected,
    alert_inbox.tasks,
    my_initiatives,
    ends,
    obligations,
    system_inbox.tasks,
    component_inbox.tasks,
    intake_inbox.tasks,
    sheet_changes,
    house,
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
    EntryKind.KEY_MADE,
    EntryKind.KEY_REVOKED,
    EntryKind.MAPPING_CLOSED,
    EntryKind.NOT_APPLICABLE_ACCEPTED,
    EntryKind.OBSERVED,
    EntryKind.OUTCOME_REPORTED,
    EntryKind.QUESTION_ANSWERED,
    EntryKind.REVIEW_OPENED,
    EntryKind.RISK_TIER_CONFIRMED,
    EntryKind.RISK_TIER_PROPOSED,
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
