"""Races around verifying: seats verify while the answer, the file or the verifier's part in the initiative changes.

What counts afterwards is read from rows, in plain words: the newest verdict of somebody who has no part in the
initiative, for the answer that stands, on the item that stands or on the one that it renews (which counts for 14 days).
Six rounds in the suite, `--rounds 500` runs them at full length.
"""

from functools import partial

import pytest
from django.core.files.base import ContentFile

from adoption.demo import initiative_acts
from governance import clock
from governance.gates.requirements import state_of
from governance.models import Rulebook
from governance.rulebook import shipped_text
from governance.vocabulary import Level
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence.verification import actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Answer, Verification
from tests.support import factories
from tests.support.database.concurrent_connections import SIZE, Ring

pytestmark = pytest.mark.django_db(transaction=True)

FULL, SUITE = 500, 6
ON_ONE_INITIATIVE = 15  # rounds, for an initiative gathers the files of all of them
KEY = "mvp.rollout"


@pytest.fixture
def numbers(rounds):
    """The rounds to run."""
    return range(rounds if rounds >= FULL else SUITE)


@pytest.fixture
def cast():
    """An organisation under the shipped rulebook."""
    cast = factories.make_cast()
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    return cast


def fresh_initiative(cast, number):
    """A prototype of limited risk on which nothing was verified yet."""
    row = factories.make_prototype(cast, title=f"Letters {number}")
    initiative_acts.propose_and_confirm_tier(row, cast.team)
    return initiative_acts.fresh(row)


def answer(cast, initiative, number):
    return requirement_actions.answer(
        initiative=initiative,
        requirement=KEY,
        kind="answered",
        text=f"Forty people until March, edition {number}.",
        by=cast.owner,
    )


def offer(cast, initiative, number, before=None):
    return evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title=f"Rollout plan {number}",
        observed_on=clock.today(),
        covers=[KEY],
        file=ContentFile(f"Week 1: forty account managers, edition {number}.".encode(), "plan.txt"),
        supersedes=before,
        by=cast.owner,
    )


def verify(item, person, version):
    return actions.verify(
        evidence=item,
        requirement=KEY,
        shows=True,
        place="Week 1",
        words=f"{item} says forty, and an end.",
        fingerprint=item.fingerprint,
        answer_version=version,
        by=person,
    )


def counts(initiative, item, team_members: set[int]) -> bool:
    """Whether somebody without a part in the initiative verified the item for the answer that stands, or what it
    renews.
    """
    version = Answer.objects.get(initiative=initiative, requirement=KEY).version
    said = Verification.objects.filter(
        evidence__in=[item.pk, item.supersedes_id], shows=True, answer_version=version
    )
    return any(row.verifier_id not in team_members for row in said)


def test_none_counts_that_should_not(cast, numbers):
    rulebook = Rulebook.objects.current().parsed
    seat = rulebook.seats_asking(KEY)[0]
    second = factories.make_person("second")
    factories.make_seat(cast, second, seat)
    people = [cast.team.seats[seat], second]
    met = set()
    with Ring() as ring:
        for number in numbers:
            if number % ON_ONE_INITIATIVE == 0:
                initiative, item = fresh_initiative(cast, number), None
            version = answer(cast, initiative, number).version
            item = offer(cast, initiative, number, item)
            for person in people:
                actions.open_item(initiative=initiative, evidence=item, way="look", by=person)
            rival = (
                partial(answer, cast, initiative, f"{number} again"),
                partial(offer, cast, initiative, f"{number} again", item),
                partial(
                    role_actions.propose_role,
                    initiative=initiative,
                    role="sponsor",
                    person=people[0],
                    by=cast.owner,
                ),
            )[number % 3]
            contenders = [partial(verify, item, person, version) for person in people] * (SIZE // 2)
            found = ring.run([*contenders[: SIZE - 1], rival])
            assert not [one for one in found if one.kind == "error"], [str(one) for one in found]
            assert found[-1].kind == "done", str(found[-1])
            met |= {(number % 3, one.kind) for one in found[:-1]}
            team_members = {
                role.person_id
                for role in initiative.roles.filter(ended_at__isnull=True, declined_at__isnull=True)
            }
            newer = initiative.evidence.filter(supersedes=item).first()
            state = state_of(
                supported_stage.facts_of(initiative_acts.fresh(initiative)), rulebook, KEY, clock.now()
            )
            expected = counts(initiative, newer or item, team_members)
            assert (state.level == Level.VERIFIED) == expected, (number, state)
            if number % 3 == 2:
                role_actions.decline_role(assignment=found[-1].value, by=people[0])
            item = newer or item
    assert {number % 3 for number in numbers} == {0, 1, 2}
    assert {kind for _, kind in met} & {"conflict", "refused"}
