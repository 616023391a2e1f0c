"""Every kind of consent is asked again when it would take effect: by the act, by the database, by the verifier.

The table has the kinds of consents down and what happens to the first giver across. The verifier is asked about what
the database would have refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.models import ContractVersion, Membership, Rulebook
from governance.organisation import actions as organisation_actions
from governance.permission_result import Conflict, Refused
from governance.transparency_log import verification
from initiatives.contracts.documents import actions as contract_actions
from initiatives.lifecycle.access.signers import EligibleSigners
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements import standalone
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Answer, Review, StandaloneDeclaration, Waiver
from initiatives.portfolio.units import actions as unit_actions
from initiatives.portfolio.units import leaving
from tests.acceptance.walks import story
from tests.support import factories
from tests.support.attacks.unguarded_writes import an_hour_later, unguarded

pytestmark = pytest.mark.django_db


@dataclass
class Open:
    """Something that waits for its last consent, `first` being the person whose consent it has."""

    initiative: object
    first: object
    seat: str
    last: Callable  # (cast) -> gives the last consent, or decides
    took_effect: Callable  # () -> bool
    tables: tuple[str, ...]


# What waits for its last consent


def _a_review(cast) -> Open:
    initiative = initiative_acts.fresh(factories.make_initiative(cast))
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    return Open(
        initiative,
        cast.seat_value,
        "business_value",
        lambda cast: review_actions.decide(
            review=Review.objects.get(pk=review.pk), outcome="approved", reason="Go.", by=cast.chair
        ),
        lambda: Review.objects.get(pk=review.pk).outcome == "approved",
        ("initiatives_review", "initiatives_stagechange", "initiatives_initiative"),
    )


def _a_contract(cast) -> Open:
    initiative = factories.make_prototype(cast)
    contract_actions.save_contract(
        initiative=initiative,
        clauses=initiative_acts.CLAUSES,
        vocabulary=initiative_acts.VOCABULARY,
        by=cast.owner,
    )
    initiative_acts.staff(initiative, cast.team)
    initiative = initiative_acts.fresh(initiative)
    version = contract_actions.propose_contract(initiative=initiative, by=cast.owner)
    first, last = Rulebook.objects.current().parsed.contract.seats

    def approve(seat, person):
        contract_actions.approve_contract(
            version=ContractVersion.objects.get(pk=version.pk), seat=seat, digest=version.digest, by=person
        )

    approve(first, cast.seats[first])
    return Open(
        initiative,
        cast.seats[first],
        first,
        lambda cast: approve(last, cast.seats[last]),
        lambda: ContractVersion.objects.get(pk=version.pk).state == ContractVersion.IN_FORCE,
        ("governance_contractversion", "governance_contractapproval"),
    )


def _waived(cast) -> tuple:
    initiative = factories.make_prototype(cast)
    row = WAIVERS.ask(
        initiative=initiative,
        key="mvp.workflow_known",
        reason="The map is drawn next month.",
        until=clock.today() + timedelta(days=30),
        by=cast.owner,
    )
    return initiative, row, lambda: Waiver.objects.get(pk=row.pk).granted_at is not None


def _a_waiver_that_the_risk_seat_agreed_to(cast) -> Open:
    initiative, row, runs = _waived(cast)
    WAIVERS.agree(row=row, by=cast.seat_risk)
    tables = ("initiatives_waiver",)
    return Open(
        initiative,
        cast.seat_risk,
        "risk_compliance",
        lambda cast: WAIVERS.agree(row=row, by=cast.chair),
        runs,
        tables,
    )


def _a_waiver_that_the_chair_agreed_to(cast) -> Open:
    initiative, row, runs = _waived(cast)
    WAIVERS.agree(row=row, by=cast.chair)
    tables = ("initiatives_waiver",)
    return Open(
        initiative, cast.chair, "chair", lambda cast: WAIVERS.agree(row=row, by=cast.seat_risk), runs, tables
    )


def _of_high_risk(cast):
    row = factories.make_prototype(cast)
    initiative_acts.propose_and_confirm_tier(row, cast.team, "high")
    return initiative_acts.fresh(row)


def _an_answer_that_does_not_apply(cast) -> Open:
    initiative, key = _of_high_risk(cast), "gov.impact"
    version = requirement_actions.answer(
        initiative=initiative,
        requirement=key,
        kind="not_applicable",
        text="It decides nothing.",
        by=cast.owner,
    ).version

    def accept(person):
        requirement_actions.accept_not_applicable(
            initiative=initiative_acts.fresh(initiative), requirement=key, version=version, by=person
        )

    accept(cast.seat_risk)
    return Open(
        initiative,
        cast.seat_risk,
        "risk_compliance",
        lambda cast: accept(cast.second_risk),
        lambda: Answer.objects.get(initiative=initiative, requirement=key).second_at is not None,
        ("initiatives_answer",),
    )


def _a_declaration_of_no_systems(cast) -> Open:
    initiative = _of_high_risk(cast)
    row = standalone.declare(initiative=initiative, reason="Notes are typed in.", by=cast.owner)
    standalone.accept(declaration=row, by=cast.seat_architecture)
    return Open(
        initiative,
        cast.seat_architecture,
        "architecture_integration",
        lambda cast: standalone.accept(declaration=row, by=cast.second_architecture),
        lambda: StandaloneDeclaration.objects.get(pk=row.pk).second_at is not None,
        ("initiatives_standalonedeclaration",),
    )


KINDS = [
    _a_review,
    _a_contract,
    _a_waiver_that_the_risk_seat_agreed_to,
    _a_waiver_that_the_chair_agreed_to,
    _an_answer_that_does_not_apply,
    _a_declaration_of_no_systems,
]


# What happens to whoever gave the first


def _seat_of(cast, asked: Open) -> Membership:
    return cast.board.memberships.get(person=asked.first, seat=asked.seat, ends_at=None)


def _loses_the_seat(cast, asked):
    leaving.revoke_membership(membership=_seat_of(cast, asked), reason="Reorganised", by=cast.admin)


def _gets_the_seat_again(cast, asked):
    _loses_the_seat(cast, asked)
    organisation_actions.appoint(board=cast.board, person=asked.first, seat=asked.seat, by=cast.admin)


def _is_deactivated(cast, asked):
    leaving.deactivate(person=asked.first, reason="Left", by=cast.admin)


def _is_proposed(cast, asked):
    return role_actions.propose_role(
        initiative=asked.initiative, role="deputy", person=asked.first, by=cast.owner
    )


def _accepts_a_role(cast, asked):
    role_actions.accept_role(assignment=_is_proposed(cast, asked), by=asked.first)


def _owns_it_for_a_while(cast, asked):
    for proposer, owner in ((cast.owner, asked.first), (asked.first, cast.owner)):
        role = role_actions.propose_role(initiative=asked.initiative, role="owner", person=owner, by=proposer)
        role_actions.accept_role(assignment=role, by=owner)


def _another_board_decides(cast, asked):
    """The other board has everybody but whoever gave the first consent."""
    board = organisation_actions.add_board(name="Logistics board", unit=cast.elsewhere, by=cast.admin)
    for row in cast.board.memberships.filter(ends_at=None).exclude(person=asked.first):
        organisation_actions.appoint(board=board, person=row.person, seat=row.seat, by=cast.admin)
    with clock.simulated(clock.now() + timedelta(days=2)):
        unit_actions.move_unit(unit=cast.unit, into=cast.elsewhere, reason="Reorganised", by=cast.admin)


CHANGES = [
    _loses_the_seat,
    _gets_the_seat_again,
    _is_deactivated,
    _accepts_a_role,
    _is_proposed,
    _owns_it_for_a_while,
    _another_board_decides,
]


@pytest.fixture
def second(cast):
    """Second holders of the seats that accept twice, and of the seat without which nothing is decided."""
    for login, seat in (
        ("second-risk", "risk_compliance"),
        ("second-architecture", "architecture_integration"),
        ("second-value", "business_value"),
    ):
        cast.people[login] = factories.make_person(login)
        factories.make_seat(cast, cast.people[login], seat)


def later(change) -> timedelta:
    """When the last consent is given: after a day where new seats have to cool off."""
    return timedelta(days=2, hours=1) if change is _another_board_decides else timedelta(hours=1)


def _takes_effect(asked, cast) -> bool:
    """Give the last consent as the act allows it, and return whether the request took effect."""
    with story.undone():
        try:
            asked.last(cast)
        except (Refused, Conflict):
            return False
        return asked.took_effect()


def _past_the_act(cast, asked) -> None:
    """Give the last consent, with the guards that wait for the end of the transaction. Undone."""
    with story.undone():
        asked.last(cast)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def _judged() -> set[str]:
    with an_hour_later():
        return {one.table for one in verification.verify().findings if one.place == "judged"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_consent_counts_only_from_who_may_still_give_it(kind, cast, second, monkeypatch):
    asked = kind(cast)
    with story.undone():
        asked.last(cast)
        assert asked.took_effect(), "nothing happened meanwhile"
    for change in CHANGES:
        with story.undone():
            change(cast, asked)
            with clock.simulated(clock.now() + later(change)):
                assert not _takes_effect(asked, cast), f"{change.__name__}: the act"
                with monkeypatch.context() as without, story.undone():
                    without.setattr(EligibleSigners, "why_lapsed", lambda *given: [])
                    without.setattr(review_state, "stale_of", lambda *given: [])
                    with pytest.raises(DatabaseError, match="Plumbline"):
                        pytest.fail(f"{change.__name__}: the database took {_past_the_act(cast, asked)}")
                    with unguarded(*asked.tables):
                        asked.last(cast)
                    assert asked.took_effect(), f"{change.__name__}: past the guards"
                    assert _judged() & set(asked.tables), f"{change.__name__}: the verifier"


def test_who_holds_the_seat_now_is_asked_and_can_consent(cast, second, as_):
    """A lapsed approval or agreement is named on its page, and its line is in the inbox of the new holder."""
    contract = _a_contract(cast)
    waiver = _a_waiver_that_the_chair_agreed_to(cast)
    _loses_the_seat(cast, contract)
    _loses_the_seat(cast, waiver)
    with clock.simulated(clock.now() + timedelta(days=2)):
        approve = reverse("contract-approve", args=[contract.initiative.ref])
        waivers = reverse("waivers", args=[waiver.initiative.ref])
        holders = {approve: as_(cast.second_value), waivers: as_(cast.deputy_chair)}
        former = {approve: contract.first, waivers: waiver.first}
        for address, holder in holders.items():
            assert address in holder.get("/").content.decode()
            assert former[address].full_name in holder.get(address).content.decode()
        assert (
            contract.first.full_name
            in as_(cast.owner).get(reverse("contract", args=[contract.initiative.ref])).content.decode()
        )
        version = ContractVersion.objects.get(contract=initiative_acts.fresh(contract.initiative).contract)
        contract_actions.approve_contract(
            version=version, seat=contract.seat, digest=version.digest, by=cast.second_value
        )
        contract.last(cast)
        assert contract.took_effect()
        waiver.last(cast)
        row = Waiver.objects.get(initiative=waiver.initiative)
        assert (row.chair, row.risk) == (None, cast.seat_risk), "the lapsed agreement is taken out"
        WAIVERS.agree(row=row, by=cast.deputy_chair)
        assert waiver.took_effect()
