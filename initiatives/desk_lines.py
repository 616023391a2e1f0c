"""What waits on somebody's desk because of cases: sets of rows, read once a desk, never case by case.

Only a review that looks ready, or a vote that something has touched since, is judged in full.
"""

from datetime import timedelta

from django.db.models import F, Q
from django.urls import reverse

from governance import clock, gates
from governance.answers import ended
from governance.desk import Line
from governance.models import ContractVersion, Rulebook, User
from governance.models.people import CHAIR, SEATS
from governance.templatetags.plumbline import day, stage_word
from initiatives import board
from initiatives.desk_ends import ends
from initiatives.desk_look import Look
from initiatives.exports import gap_words
from initiatives.models import (
    Answer,
    ChangeRecord,
    Condition,
    Coverage,
    ImportBatch,
    Initiative,
    Obligation,
    Review,
    SignOff,
    Span,
    Waiver,
)
from initiatives.models.initiative import RANK, ROLES, RUNNING
from initiatives.time_away import days_between
from initiatives.visibility import stood_in_for

AGEING_DAYS = 30
# Settled by a written account: their lines come from the floor above.
WRITTEN = ("post_mortem", "retrospective")
# Who is asked what: the rulebook says whose desk a question lies on; owner and deputy see all of them.
ANSWERING = {
    "technical_lead": "technical_lead",
    "support_owner": "support_owner",
    "data_steward": "data_steward",
}


def lines(person: User) -> list[Line]:
    """Everything that waits for the person because of cases."""
    look = Look(person)
    found = [line for part in PARTS for line in part(look)]
    return found


def reviews(look: Look):
    """Reviews to sign, votes that went stale, reviews to decide, questions to answer."""
    for review in look.open_reviews:
        case = review.initiative
        if case.pk not in look.party_to:
            yield from _votes(look, review)
        if case.pk in look.chaired:
            yield from _decisions(look, review)
        roles = look.working.get(case.pk, (None, set()))[1]
        if review.unanswered and roles:
            count = len(review.unanswered)
            yield Line(
                "answer",
                case.title,
                reverse("question-answer", args=[review.unanswered[0].pk])
                if count == 1
                else review.get_absolute_url(),
                "Answer",
                f"The board asks: {review.unanswered[0].text}"
                + (f" And {count - 1} more." if count > 1 else ""),
                case.ref,
                clock.local_day(review.expires_at),
                on_behalf=look.standing_in_on.get(case.pk, ""),
            )


def _votes(look: Look, review: Review):
    book, case = review.rulebook.book, review.initiative
    gate = book.gates[review.gate]
    for seat in look.seats_on(case):
        if not book.criteria_of(gate, seat):
            continue
        vote = next((row for row in review.votes if row.seat == seat), None)
        due = clock.local_day(review.expires_at)
        if vote is None:
            must = f", {SEATS[seat].lower()} among them" if seat in gate.must_include else ""
            yield Line(
                "sign",
                case.title,
                review.get_absolute_url(),
                "Read and sign",
                f"{gate.title}. {_count(len(review.votes), 'seat has', 'seats have')} voted; the gate needs "
                f"{gate.quorum_for(case.tier)}{must}.",
                case.ref,
                due,
                on_behalf=look.holder_on(case, seat),
            )
        elif vote.person_id == look.person.pk and vote.approves and touched(look, review, vote):
            reasons = _stale_reasons(review, seat)
            if reasons:
                yield Line(
                    "sign",
                    case.title,
                    review.get_absolute_url(),
                    "See what changed",
                    ended(
                        f"{gate.title}. Your approval of {day(vote.at)} went stale: {'; '.join(reasons[:2])}"
                    ),
                    case.ref,
                    due,
                )


def touched(look: Look, review: Review, vote: SignOff) -> bool:
    """Whether anything can have made the vote stale: a change of the case since, or a day that has passed."""
    standing = getattr(review.initiative, "standing", None)
    if standing is None or standing.computed_at > vote.at:
        return True
    if standing.valid_until and standing.valid_until <= look.now:
        return True
    days = review.rulebook.book.freshness.sign_off_max_age_days
    if clock.local_day(vote.at) + timedelta(days=days) < look.today:
        return True
    ends = [fact["until"] for fact in vote.facts.get("requirements", {}).values() if fact.get("until")]
    return bool(ends) and min(ends) < look.today.isoformat()


def _sitting(review: Review):
    if not hasattr(review, "sitting_now"):
        review.sitting_now = board.sit(review)
    return review.sitting_now


def _stale_reasons(review: Review, seat: str) -> list[str]:
    return next((list(vote.stale) for vote in _sitting(review).votes if vote.seat == seat), [])


def _decisions(look: Look, review: Review):
    case = review.initiative
    gate = review.rulebook.book.gates[review.gate]
    approving = {vote.seat for vote in review.votes if vote.approves}
    if len(approving) < gate.quorum_for(case.tier) or not set(gate.must_include) <= approving:
        return
    if _sitting(review).verdict.decidable:
        yield Line(
            "decide",
            case.title,
            review.get_absolute_url(),
            "Read and decide",
            f"{gate.title}. {_count(len(approving), 'seat approves', 'seats approve')}; "
            "everything the gate asks for is there.",
            case.ref,
            clock.local_day(review.expires_at),
        )


def roles(look: Look):
    """Roles proposed to the person; those of a handover are answered together with it."""
    for row in look.roles:
        if row.accepted_at is None and row.person_id == look.person.pk and row.handover_id is None:
            waits = (look.today - clock.local_day(row.proposed_at)).days
            yield Line(
                "accept",
                ROLES[row.role],
                reverse("role", args=[row.pk]),
                "Read and answer",
                f"{row.initiative.title}. Proposed by {row.proposed_by}. Nobody can accept this for you.",
                row.initiative.ref,
                when="since today" if waits <= 0 else f"open for {_count(waits, 'day', 'days')}",
            )


def seat_acts(look: Look):
    """What seats do apart from reviews: contracts, risk tiers, exceptions, waivers; and holds a chair may lift."""
    if not look.seats_by_unit:
        return
    yield from _contracts(look)
    for case in Initiative.objects.live().filter(
        ~Q(proposed_tier=""),
        ~Q(proposed_tier=F("tier")),
        stage__in=RUNNING,
        unit__in=look.units_with(["risk_compliance"]),
    ):
        if case.pk not in look.party_to:
            yield Line(
                "confirm",
                f"Risk tier of {case.title}",
                reverse("case-tier-confirm", args=[case.ref]),
                "Read and confirm",
                f"Proposed: {case.get_proposed_tier_display().lower()}. It counts once the risk seat confirms it.",
                case.ref,
            )
    yield from _exceptions(look)
    for waiver in look.waivers:
        yield from _waiver(look, waiver)
    for hold in look.holds:
        if hold.initiative_id in look.chaired:
            yield Line(
                "decide",
                f"Hold on {hold.initiative.title}",
                reverse("hold-lift", args=[hold.pk]),
                "Look at the hold",
                f"{hold.get_kind_display()}: {hold.reason}",
                hold.initiative.ref,
                when=f"since {day(hold.opened_at)}",
            )


def _contracts(look: Look):
    wanted = look.book.contract.seats if look.book else ()
    rows = (
        ContractVersion.objects.filter(
            state=ContractVersion.IN_REVIEW, contract__initiative__unit__in=look.units_with(wanted)
        )
        .exclude(author=look.person)
        .select_related("contract__initiative", "author")
        .prefetch_related("approvals")
    )
    for version in rows:
        case = version.contract.initiative
        signed = {row.seat for row in version.approvals.all() if row.digest == version.digest}
        mine = [seat for seat in look.seats_on(case) if seat in wanted and seat not in signed]
        if mine and case.pk not in look.party_to:
            yield Line(
                "sign",
                f"Contract of {case.title}, version {version.number}",
                reverse("contract", args=[case.ref]),
                "Read and sign",
                f"Proposed by {version.author}; your seat ({SEATS[mine[0]].lower()}) has not signed it.",
                case.ref,
            )


def _exceptions(look: Look):
    if look.book is None:
        return
    rows = Answer.objects.filter(
        kind="not_applicable",
        accepted_at__isnull=True,
        initiative__unit__in=look.units_with(SEATS),
        initiative__stage__in=RUNNING,
        initiative__withdrawn_at__isnull=True,
    ).select_related("initiative", "by")
    for answer in rows:
        case = answer.initiative
        signing = {criterion.seat for criterion in look.book.criteria_using(answer.requirement)}
        if case.pk not in look.party_to and signing & set(look.seats_on(case)):
            yield Line(
                "agree",
                look.book.requirements[answer.requirement].question,
                reverse("checklist-accept", args=[case.ref, answer.requirement]),
                "Read and answer",
                f"{case.title}: {answer.by} says that it does not apply. That counts once a seat accepts it.",
                case.ref,
            )


def _waiver(look: Look, waiver: Waiver):
    case = waiver.initiative
    if case.pk in look.party_to or waiver.requested_by_id == look.person.pk:
        return
    if look.person.pk in (waiver.chair_id, waiver.risk_id):
        return
    chair = waiver.chair_id is None and case.pk in look.chaired
    risk = waiver.risk_id is None and "risk_compliance" in look.seats_on(case)
    if chair or risk:
        asked = look.book and (look.book.requirements.get(waiver.key) or look.book.criteria.get(waiver.key))
        yield Line(
            "agree",
            f"Waiver for {case.title}",
            reverse("waivers", args=[case.ref]),
            "Read and answer",
            f'{waiver.requested_by} asks not to be asked "{asked.question if asked else waiver.key}" until '
            f"{day(waiver.until)}: "
            f"{waiver.reason}",
            case.ref,
        )


def my_cases(look: Look):
    """Questions that wait, proof that ages, changes without approver, on cases the person works on."""
    if not look.working:
        return
    spans = {
        span.initiative_id: span
        for span in Span.objects.covering(look.now).filter(initiative__in=look.working)
    }
    answered: dict[int, set[str]] = {}
    for pk, key in Answer.objects.filter(initiative__in=look.working).values_list(
        "initiative_id", "requirement"
    ):
        answered.setdefault(pk, set()).add(key)
    for pk, (case, held) in look.working.items():
        yield from _questions(look, case, held, spans.get(pk), answered.get(pk, set()))
    yield from _ageing(look, spans)
    recording = [pk for pk, (_, held) in look.working.items() if held & {"owner", "technical_lead"}]
    for change in ChangeRecord.objects.filter(
        Q(approver__isnull=True) | Q(rollback=""), ~Q(layer=""), initiative__in=recording
    ):
        case = look.working[change.initiative_id][0]
        yield Line(
            "settle",
            change.what,
            reverse("change-complete", args=[change.pk]),
            "Complete the record",
            f"{case.title}: the change names no {'approver' if change.approver_id is None else 'way back'}.",
            case.ref,
            on_behalf=look.standing_in_on.get(case.pk, ""),
        )


def _questions(look: Look, case: Initiative, held: set[str], span, answered: set[str]):
    link = reverse("checklist", args=[case.ref])
    leads = bool(held & {"owner", "deputy"})
    missing = sum(span.gaps.values()) if span else 0
    if missing and leads and not case.imported:
        yield Line(
            "refresh",
            case.title,
            link,
            "See what is missing",
            f"Claimed as {stage_word(case.stage)}; {_count(missing, 'answer lacks', 'answers lack')} current proof: "
            f"{gap_words(span.gaps)}.",
            case.ref,
            on_behalf=look.standing_in_on.get(case.pk, ""),
        )
    following = [stage for stage in ("prototype", "mvp", "production") if RANK[stage] == RANK[case.stage] + 1]
    gate = look.book.gate_to(following[0]) if following and look.book else None
    if gate is None or case.imported:
        return
    later = look.book.deferred(gate)
    open_keys = [
        key
        for key in gate.requirements()
        if key not in answered
        and key not in later
        and key not in gates.ACCEPTED_IN_PERSON
        and key not in gates.GENERATED_ONLY
        and (leads or ANSWERING.get(look.book.requirements[key].answered_by) in held)
    ]
    if open_keys:
        count = len(open_keys)
        yield Line(
            "answer",
            case.title,
            link,
            "Open the checklist",
            f"{gate.title}: {_count(count, 'question has', 'questions have')} no answer yet.",
            case.ref,
            on_behalf=look.standing_in_on.get(case.pk, ""),
        )


def _ageing(look: Look, spans: dict[int, Span]):
    last = look.today + timedelta(days=AGEING_DAYS)
    soon = {
        pk: span.next_stale_on
        for pk, span in spans.items()
        if span.next_stale_on and span.next_stale_on <= last and look.working[pk][1] != {"sponsor"}
    }
    if not soon or look.book is None:
        return
    named: dict[int, list[str]] = {}
    rows = Coverage.objects.filter(
        evidence__initiative__in=soon,
        evidence__withdrawn_at__isnull=True,
        evidence__superseded_by__isnull=True,
    ).select_related("evidence")
    for row in rows:
        requirement = look.book.requirements.get(row.requirement)
        case = look.working[row.evidence.initiative_id][0]
        end = gates.expiry(requirement, row.evidence, case.high_risk) if requirement else None
        if end is not None and end + timedelta(days=1) == soon[case.pk]:
            named.setdefault(case.pk, []).append(row.evidence.title)
    for pk, stale_on in soon.items():
        case = look.working[pk][0]
        titles = list(dict.fromkeys(named.get(pk, [])))
        if len(titles) > 1:
            why = f"{titles[0]} and {len(titles) - 1} more go stale."
        else:
            why = f"{titles[0]} goes stale." if titles else "Proof that the case rests on goes stale."
        link = reverse("evidence", args=[case.ref])
        behalf = look.standing_in_on.get(pk, "")
        yield Line("refresh", case.title, link, "Add newer proof", why, case.ref, stale_on, on_behalf=behalf)


def debts(look: Look):
    """Conditions and obligations that the person owes, accounts to write apart."""
    away = stood_in_for(look.person)
    for condition in Condition.objects.filter(
        Q(owner=look.person) | Q(owner__in=away), met_at__isnull=True
    ).select_related("review__initiative", "owner"):
        case = condition.review.initiative
        yield Line(
            "meet",
            condition.text,
            reverse("condition-meet", args=[condition.pk]),
            "Say that it is met",
            f"A condition of the decision on {case.title}. Overdue, it blocks the next decision.",
            case.ref,
            condition.due,
            on_behalf=_behalf(look, condition.owner),
        )
    theirs = Q(debtor=look.person) | Q(debtor__in=away)
    owed = Obligation.objects.unsettled().filter(theirs).exclude(kind__in=WRITTEN)
    for debt in owed.select_related("initiative", "debtor"):
        case = debt.initiative
        by_hand = debt.kind == "criterion"
        yield Line(
            "settle",
            debt.text,
            reverse("obligation-settle", args=[debt.pk]) if by_hand else case.get_absolute_url(),
            "Settle it" if by_hand else "Open the case",
            f"{case.title}: {debt.get_kind_display().lower()}.",
            case.ref,
            debt.due,
            on_behalf=_behalf(look, debt.debtor),
        )


def _behalf(look: Look, person: User) -> str:
    return "" if person.pk == look.person.pk else person.full_name


def house(look: Look):
    """What admins and chairs do for everybody: imports to confirm, a rulebook to publish."""
    if look.person.is_admin and look.person.is_active:
        for batch in ImportBatch.objects.filter(confirmed_at__isnull=True, repeats__isnull=True):
            yield Line(
                "confirm",
                f"Import of {batch.file_name}",
                reverse("import", args=[batch.pk]),
                "Look and confirm",
                "Nothing of it is live until it is confirmed.",
                when=f"since {day(batch.uploaded_at)}",
            )
    if any(member.seat == CHAIR for member in look.memberships):
        for rulebook in (
            Rulebook.objects.filter(published_at__isnull=True, admin__isnull=False)
            .exclude(admin=look.person)
            .select_related("admin")
            .defer("source")
        ):
            yield Line(
                "decide",
                f"Rulebook {rulebook.version}",
                reverse("rulebook-publish", args=[rulebook.version]),
                "Read and publish",
                f"Proposed by {rulebook.admin}. It binds nobody until a chair publishes it.",
            )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def asked(look: Look):
    """Absences in which the person is asked to stand in, and what they are asked to take over."""
    leavers: dict[str, list[str]] = {}
    for key, who, words, seat, where, starts_at, ends_at in look.asked:
        if key is None:
            leavers.setdefault(who, []).append(words)
            continue
        what = f"the seat {SEATS[seat]} of {where}" if seat else "roles on cases"
        yield Line(
            "accept",
            f"Stand in for {who}",
            reverse("delegation", args=[key]),
            "Read and answer",
            f"For {what}. Nobody can accept this for you.",
            when=days_between(starts_at, ends_at),
        )
    for who, reasons in leavers.items():
        yield Line(
            "accept",
            f"Take over from {who}: {_count(len(reasons), 'case', 'cases')}",
            reverse("handovers"),
            "Read and answer",
            f"{ended(reasons[0])} Nobody can accept this for you.",
        )


PARTS = [reviews, roles, asked, seat_acts, my_cases, ends, debts, house]
LINES = [lines]
