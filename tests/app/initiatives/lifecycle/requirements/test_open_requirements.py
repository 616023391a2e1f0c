"""Whose turn an open requirement is."""

from types import SimpleNamespace

import pytest

from governance.gates.requirement_state import State
from governance.vocabulary import Role
from initiatives.lifecycle.facts import open_requirements


@pytest.mark.parametrize(
    ("key", "state", "fixed_by", "whose"),
    [
        ("mvp.problem", "unanswered", "", Role.OWNER),
        ("mvp.problem", "waiting", "", ""),
        ("adopt.usage", "weak", "its seat", ""),  # a seat verifies what is there
        ("adopt.usage", "register", "who declared the measure", Role.OWNER),
        ("int.inventory", "register", "the owner of the system", ""),
    ],
)
def test_a_requirement_is_the_turn_of_the_team_or_of_somebody_else(key, state, fixed_by, whose):
    states = {key: State(key, state, "", "", fixed_by=fixed_by)}
    rulebook = SimpleNamespace(requirements={key: SimpleNamespace(answered_by="business_owner")})
    judged = SimpleNamespace(
        states=states, rulebook=rulebook, facts=SimpleNamespace(people={Role.OWNER: "Ann"})
    )
    assert open_requirements.turn(judged, key) == whose
