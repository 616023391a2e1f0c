"""R1: whatever is open has a line in an inbox, its button opens what resolves it, and doing that removes the line.

The suite tries every tenth of some states; `--rounds 500` tries every state. `-s` prints the counts.
"""

from collections import Counter

import pytest

from tests.support.initiatives import inbox_answers, open_states

pytestmark = pytest.mark.django_db
COUNTED: Counter[str] = Counter()
FULL, EVERY = 500, 10  # rounds from which every state is tried, not every tenth


def pytest_generate_tests(metafunc):
    """One test a state: how many there are, `--rounds` says."""
    if "state" in metafunc.fixturenames:
        rounds = metafunc.config.getoption("rounds")
        found = open_states.chosen(rounds)
        # Between the states whose buttons are pressed in tests/long/test_primary_buttons.py.
        metafunc.parametrize("state", found if rounds >= FULL else found[EVERY // 2 :: EVERY], ids=str)


@pytest.fixture(scope="module", autouse=True)
def _print_counts():
    yield
    print("\nR1:", ", ".join(f"{number} {what}" for what, number in COUNTED.items()))


def test_what_is_open_is_in_an_inbox_and_done_from_there(cast, as_, unsealed, state):
    with open_states.laid_down(cast, state) as initiative:
        if initiative is None:
            return
        COUNTED["states"] += 1
        wrong = list(inbox_answers.wrong_in(cast, as_, initiative, COUNTED))
    unknown = [one for one in wrong if not inbox_answers.known(one)]
    assert not unknown, "\n".join(unknown)
