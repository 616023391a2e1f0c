"""One person signs one seat: as many seats as can be are filled at once, and why one stays empty is said."""

from itertools import permutations, product
from random import Random

from governance.gates.criteria import SeatState, reach
from governance.gates.separation_of_duties import contested, seated
from governance.rulebook import parse, shipped_text

RULEBOOK = parse(shipped_text())


def by_trying(seats, wanted=()) -> tuple[int, int]:
    """How many of `wanted`, and how many seats at all, can be filled: by trying every way."""
    names = list(seats)
    most, most_wanted = 0, 0
    for chosen in product(*([None, *seats[name]] for name in names)):
        there = [one for one in chosen if one is not None]
        if len(there) == len(set(there)):
            most = max(most, len(there))
            of_wanted = [one for name, one in zip(names, chosen, strict=True) if name in wanted]
            most_wanted = max(most_wanted, len(of_wanted) - of_wanted.count(None))
    return most_wanted, most


def test_no_other_way_fills_more_seats():
    draw = Random(7)
    for _ in range(300):
        names = [f"s{number}" for number in range(draw.randint(1, 6))]
        seats = {name: draw.sample(range(5), draw.randint(0, 3)) for name in names}
        wanted = draw.sample(names, draw.randint(0, len(names)))
        filled = seated(seats, first=wanted)
        assert len(set(filled.values())) == len(filled)
        assert all(person in seats[seat] for seat, person in filled.items())
        assert (sum(seat in filled for seat in wanted), len(filled)) == by_trying(seats, wanted)
        for sharing, people in contested(seats, filled, names):
            # Hall: these seats have fewer people between them than they are.
            assert {person for seat in sharing for person in seats[seat]} == people
            assert len(people) == len(sharing) - 1


def test_the_order_in_which_seats_are_looked_at_does_not_matter():
    seats = {"a": [1], "b": [1, 2], "c": [2, 3]}
    for order in permutations(seats):
        assert seated({name: seats[name] for name in order}) == {"a": 1, "b": 2, "c": 3}


def seat_holders(**people: int) -> dict[str, SeatState]:
    """A board on which each seat has this person, by key; the others nobody."""
    return {
        seat: SeatState(seat, (f"Person {people[seat]}",), (), (people[seat],))
        if seat in people
        else SeatState(seat)
        for seat in RULEBOOK.seats
    }


def test_a_quorum_of_two_is_no_comfort_where_one_person_holds_both_seats_that_must_sign():
    seats = seat_holders(business_value=1, risk_compliance=1, adoption_change=2, security_privacy=3)
    (reason,) = reach(RULEBOOK, "mvp", "limited", seats)
    assert "Business value and Risk and compliance must be signed by different people" in reason.text
    assert "only Person 1 can" in reason.text
    assert "delegate" in reason.remedy


def test_two_accounts_of_one_human_sign_once():
    seats = seat_holders(business_value=1, risk_compliance=2, adoption_change=3)
    assert reach(RULEBOOK, "mvp", "limited", seats) == ()
    one = {
        key: SeatState(key, row.eligible, (), row.people, (1,)) if row.people == (2,) else row
        for key, row in seats.items()
    }
    assert any(
        "One person can sign for only one seat" in reason.text
        for reason in reach(RULEBOOK, "mvp", "limited", one)
    )


def test_fewer_seats_sign_at_minimal_risk():
    small = seat_holders(business_value=1, risk_compliance=2)
    for gate in ("prototype", "mvp", "production"):
        assert reach(RULEBOOK, gate, "minimal", small) == ()
    (short,) = [one for one in reach(RULEBOOK, "production", "limited", small) if "quorum" in one.text]
    assert "3 more people must sign." in short.remedy
