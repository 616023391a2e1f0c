"""What changes around an open review: every page opens, the verdict names what changed, and reminders run.

In the suite each change is tried alone and some with the next one, for four people; `--rounds 500` tries every pair, in
both orders, for eight.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise, permutations

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Board, Rulebook, Unit
from governance.notifications import due
from governance.organisation import actions as organisation_actions
from governance.permission_result import Refused
from initiatives.contracts.documents import actions as contract_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Review
from initiatives.portfolio.units import actions as unit_actions
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import boards, open_reviews, open_states
from tests.support.rules.plain_rulebook import plain_text

pytestmark = pytest.mark.django_db
FULL, EVERY = 500, 4  # rounds from which every pair is tried, not every fourth neighbour
VALUE = "mvp.value_measurable"
OBJECTED = "mvp.real_use_case"
DAY = timedelta(days=1)


def fresh(review: Review) -> Review:
    return Review.objects.select_related("initiative", "rulebook").get(pk=review.pk)


# --- The changes ------------------------------------------------------------------------------------------------------


def rulebook(cast, review, change: Callable[[str], str]) -> None:
    """Publish the rulebook in force with a change, and move the review to it."""
    before = Rulebook.objects.current()
    number = int(before.version.rpartition(".")[2]) + 1
    text = change(before.source or plain_text())
    text = re.sub(r'^version = ".*"$', f'version = "0.{number}"', text, count=1, flags=re.M)
    factories.make_rulebook(cast.admin, cast.chair, text)
    review_actions.rebase_review(review=fresh(review), by=cast.owner)


def criterion(text: str, key: str) -> str:
    """The table of a criterion in the text of a rulebook."""
    return next("[[criterion]]" + one for one in text.split("[[criterion]]") if f'key = "{key}"' in one)


def criterion_added(cast, review):
    def change(text: str) -> str:
        row = criterion(text, VALUE)
        return text.replace(row, row + row.replace(f'key = "{VALUE}"', 'key = "mvp.one_more"'))

    rulebook(cast, review, change)


def criterion_removed(cast, review):
    rulebook(cast, review, lambda text: text.replace(criterion(text, OBJECTED), ""))


def seat_changed(cast, review):
    def change(text: str) -> str:
        row = criterion(text, VALUE)
        return text.replace(row, row.replace('seat = "business_value"', 'seat = "risk_compliance"'))

    rulebook(cast, review, change)


def made_advisory(cast, review):
    def change(text: str) -> str:
        row = criterion(text, VALUE)
        return text.replace(row, row.replace('severity = "blocking"', 'severity = "advisory"'))

    rulebook(cast, review, change)


def _board_elsewhere(cast) -> None:
    if not Board.objects.filter(unit=cast.elsewhere).exists():
        boards.make_board(cast, cast.elsewhere, "Logistics board", chair=factories.make_person("l-chair"))


def unit_moved(cast, review):
    _board_elsewhere(cast)
    unit = Unit.objects.get(pk=review.initiative.unit_id)
    unit_actions.move_unit(unit=unit, into=cast.elsewhere, reason="Another division.", by=cast.admin)


def unit_merged(cast, review):
    unit = Unit.objects.get(pk=review.initiative.unit_id)
    _board_elsewhere(cast)
    into = organisation_actions.add_unit(name="Into", code="into", parent=cast.elsewhere, by=cast.admin)
    unit_actions.merge_units(unit=unit, into=into, reason="One team.", by=cast.admin)


def owner_changed(cast, review):
    row = role_actions.propose_role(
        initiative=initiative_acts.fresh(review.initiative), role="owner", person=cast.lead, by=cast.owner
    )
    role_actions.accept_role(assignment=row, by=cast.lead)


def chair_changed(cast, review):
    row = cast.board.memberships.get(person=cast.chair, seat="chair")
    leaving.revoke_membership(membership=row, reason="Left.", by=cast.admin)
    organisation_actions.appoint(
        board=cast.board, person=factories.make_person("new-chair"), seat="chair", by=cast.admin
    )


def tier_up(cast, review):
    _tier(cast, review, "high")


def tier_down(cast, review):
    _tier(cast, review, "minimal")


def _tier(cast, review, tier):
    initiative = detail_actions.propose_tier(
        initiative=initiative_acts.fresh(review.initiative),
        tier=tier,
        worst_credible_harm="A wrong summary costs a customer money.",
        by=cast.owner,
    )
    detail_actions.confirm_tier(initiative=initiative, tier=tier, by=cast.seat_risk)


def held(cast, review):
    open_states.hold_by_seat(cast, review.initiative)


def held_and_lifted(cast, review):
    hold = hold_deeds.hold(
        initiative=initiative_acts.fresh(review.initiative), reason="A doubt.", by=cast.seat_risk
    )
    hold_deeds.lift_hold(hold=hold, reason="It is right.", by=cast.chair)


def scope_changed(cast, review):
    initiative_acts.plan_scope(initiative_acts.fresh(review.initiative), cast.team, users=900)


def _item(review):
    kinds = ("document", "test_report", "approval")
    rows = review.initiative.evidence.filter(withdrawn_at=None, superseded_by=None, kind__in=kinds)
    return rows.filter(coverage__requirement__startswith="mvp.").order_by("pk").first()


def evidence_withdrawn(cast, review):
    evidence_actions.withdraw_evidence(evidence=_item(review), reason="The wrong file.", by=cast.owner)


def evidence_replaced(cast, review):
    old = _item(review)
    initiative_acts.prove(
        initiative_acts.fresh(review.initiative),
        list(old.coverage.values_list("requirement", flat=True)),
        cast.team,
        title="A newer one",
        supersedes=old,
    )


def contract_proposed(cast, review):
    open_states.contract_proposed(cast, review.initiative)


def contract_in_force(cast, review):
    version = open_states.contract_proposed(cast, review.initiative)
    for seat in Rulebook.objects.current().parsed.contract.seats:
        contract_actions.approve_contract(
            version=version, seat=seat, digest=version.digest, by=cast.seats[seat]
        )


def person_deactivated(cast, review):
    leaving.deactivate(person=cast.seat_value, reason="Left.", by=cast.admin)


def made_confidential(cast, review):
    detail_actions.change_details(
        initiative=initiative_acts.fresh(review.initiative),
        problem=review.initiative.problem,
        platform=review.initiative.platform,
        confidential=True,
        by=cast.owner,
    )


def expired(cast, review):
    """Nothing is done: the pages are opened on a day on which most evidence has expired."""


# By name: the change, and a word of the verdict that names it; "" where the review stays as it was.
CHANGES: dict[str, tuple[Callable, str]] = {
    "criterion added": (criterion_added, "rulebook"),
    "criterion removed": (criterion_removed, "rulebook"),
    "criterion of another seat": (seat_changed, "rulebook"),
    "criterion made advisory": (made_advisory, "rulebook"),
    "unit moved": (unit_moved, "board"),
    "unit merged": (unit_merged, "board"),
    "owner changed": (owner_changed, "owner"),
    "chair changed": (chair_changed, ""),
    "tier up": (tier_up, "tier"),
    "tier down": (tier_down, "tier"),
    "hold": (held, "A doubt"),
    "hold lifted": (held_and_lifted, ""),
    "scope": (scope_changed, "scope"),
    "evidence withdrawn": (evidence_withdrawn, "withdrawn"),
    "evidence replaced": (evidence_replaced, ""),
    "evidence expired": (expired, "aged out"),
    "contract proposed": (contract_proposed, ""),
    "contract in force": (contract_in_force, "contract"),
    "person deactivated": (person_deactivated, "Amara Diallo"),
    "confidential": (made_confidential, ""),
}


# --- What is looked at ------------------------------------------------------------------------------------------------


def pages(review: Review) -> list[str]:
    """The pages on which the review appears."""
    initiative = review.initiative
    sections = ("initiative", "requirements", "evidence", "contract", "people", "initiative-activity")
    return [
        "/",
        "/reviews/",
        review.get_absolute_url(),
        *(reverse(name, args=[initiative.ref]) for name in sections),
        *(reverse("row-act", args=["questions", row.pk, "answer"]) for row in review.questions.all()),
        *(reverse("sign-off", args=[row.pk]) for row in review.sign_offs.all()[:2]),
    ]


def people_of(cast, rounds: int) -> list:
    """Somebody of each role: the team, the board and an admin; with many rounds more of them."""
    names = ["owner", "seat_value", "chair", "admin"]
    if rounds >= FULL:
        names += ["lead", "seat_risk", "deputy_chair", "auditor"]
    return [getattr(cast, name) for name in names]


def failing(cast, as_, review: Review, rounds: int) -> list[str]:
    """The pages that fail for somebody, and what fails in a run of the reminders."""
    review, wrong = fresh(review), []
    for person in people_of(cast, rounds):
        client = as_(person)
        client.raise_request_exception = False
        own = pages(review)
        if person in (cast.chair, cast.deputy_chair):
            own.append(reverse("review-decide", args=[review.pk]))
        for seat, holder in cast.seats.items():
            if holder == person:
                own.append(reverse("sign", args=[review.pk, seat]) + "?verdict=approve")
        for url in own:
            status = client.get(url).status_code
            if status >= 500:
                wrong.append(f"{person.login}: {url} {status}")
    due.run()
    return wrong


def verdict_of(review: Review) -> str:
    """All that a verdict says: what blocks, and why sign-offs are stale."""
    snapshot = review_state.snapshot_of(fresh(review))
    said = [str(reason) for reason in snapshot.verdict.blockers]
    return " ".join([*said, *(why for row in snapshot.judged_sign_offs for why in row.stale)])


@pytest.fixture
@snapshots.kept
def review(cast) -> Review:
    """A review that every seat approved, but for the seat of value, which objects. A question waits."""
    review = open_reviews.signed_off(cast)
    initiative_acts.sign_off(
        review, "business_value", cast.seat_value, "object", reason="No.", criteria=(OBJECTED,)
    )
    review_actions.ask_question(review=review, criterion=OBJECTED, text="Who checks?", by=cast.seat_risk)
    return review


def pytest_generate_tests(metafunc):
    """Some changes with the next one; with many rounds each ordered pair."""
    if "pair" in metafunc.fixturenames:
        names = list(CHANGES)
        full = metafunc.config.getoption("rounds") >= FULL
        neighbours = list(pairwise(names))[::EVERY]
        found = list(permutations(names, 2)) if full else neighbours
        metafunc.parametrize("pair", found, ids=[" then ".join(pair) for pair in found])


def later(names) -> timedelta:
    return 200 * DAY if "evidence expired" in names else timedelta()


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named_by_the_verdict(cast, as_, review, rounds, name):
    change, word = CHANGES[name]
    before = verdict_of(review)
    change(cast, fresh(review))
    with time_machine.travel(clock.now() + later([name]), tick=False):
        after = verdict_of(review)
        assert not failing(cast, as_, review, rounds)
    assert word.lower() in after.lower()
    assert not word or after != before


def test_every_page_opens_and_reminders_run_after_two_changes(cast, as_, review, rounds, pair):
    for name in pair:
        try:
            CHANGES[name][0](cast, fresh(review))
        except (Refused, ValidationError):
            continue  # the first change leaves no room for the second
    with time_machine.travel(clock.now() + later(pair), tick=False):
        assert not failing(cast, as_, review, rounds)
