"""R4: no button leads to a refusal, whoever presses it in whatever state.

One person walks every tenth state, another each time; `--rounds 500` sends everybody through every state. `-s` prints
the counts. `make test` walks one state, in tests/app/initiatives/inbox/tasks/test_every_answer.py. A change in
initiatives/lifecycle/access or in many templates asks for it.
"""

from collections import Counter

import pytest

from tests.support.initiatives import open_states, walked_pages

pytestmark = pytest.mark.django_db
COUNTED: Counter[str] = Counter()
WALKING = 1  # of the cast in each state
FULL, EVERY = 500, 10  # rounds from which every state is walked, not every tenth


def pytest_generate_tests(metafunc):
    """One test a state: how many there are, `--rounds` says."""
    if "state" in metafunc.fixturenames:
        rounds = metafunc.config.getoption("rounds")
        found = list(enumerate(open_states.chosen(rounds)))[:: 1 if rounds >= FULL else EVERY]
        metafunc.parametrize(("place", "state"), found, ids=[str(state) for _, state in found])


@pytest.fixture(scope="module", autouse=True)
def _print_counts():
    yield
    print("\nR4:", ", ".join(f"{number} {what}" for what, number in COUNTED.items()))


def test_no_button_leads_to_a_refusal(cast, as_, unsealed, rounds, place, state):
    people = list(cast.people.values())
    walking = (
        people if rounds >= FULL else [people[(place * WALKING + n) % len(people)] for n in range(WALKING)]
    )
    with open_states.laid_down(cast, state) as initiative:
        if initiative is None:
            return
        COUNTED["states"] += 1
        wrong = [
            one for person in walking for one in walked_pages.refused_to(person, as_, initiative, COUNTED)
        ]
    assert not wrong, "\n".join(wrong)
