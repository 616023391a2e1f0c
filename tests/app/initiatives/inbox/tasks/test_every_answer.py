"""A few states of what tests/acceptance/pages walks: each open thing has its line, and no button leads to a refusal."""

from collections import Counter

import pytest

from tests.support.initiatives import inbox_answers, open_states, walked_pages
from tests.support.initiatives.open_states import State

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "state",
    [
        State("idea", ("owner_revoked",)),
        State("prototype", ("gap", "waiver_asked")),
        State("prototype", ("waiver_half", "role_proposed", "alone_declared")),
    ],
    ids=str,
)
def test_what_is_open_is_in_an_inbox_and_done_from_there(cast, as_, unsealed, state):
    counted = Counter()
    with open_states.laid_down(cast, state) as initiative:
        wrong = [
            one
            for one in inbox_answers.wrong_in(cast, as_, initiative, counted)
            if not inbox_answers.known(one)
        ]
    assert not wrong, "\n".join(wrong)
    assert counted["open things"]
    assert counted["lines"]


def test_no_button_leads_to_a_refusal(cast, as_, unsealed):
    counted = Counter()
    state = State("prototype_manned", ("contract_proposed", "criterion_obligation"))
    with open_states.laid_down(cast, state) as initiative:
        people = (cast.support, cast.seat_value)
        wrong = [one for who in people for one in walked_pages.refused_to(who, as_, initiative, counted)]
    assert not wrong, "\n".join(wrong)
    assert counted["links"]
    assert counted["forms sent"]
