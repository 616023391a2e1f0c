"""Every value about the initiative that a statement prints is compared by staleness."""

import copy
import json
import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from governance import clock
from governance.gates import sign_off_statement
from governance.gates.criteria import judge
from governance.gates.gate_inputs import (
    AcceptedRiskFact,
    ScopeFact,
    SteppedBack,
    Verification,
    WaiverFact,
)
from governance.vocabulary import Seat
from tests.support.rules.gate_facts import AT, LONG_AGO, RULEBOOK, TODAY, everything, swapped

SIGNER = SimpleNamespace(pk=12, full_name="Ines Okafor")
# They say which sign-off it is, not what the initiative is; `board.stale_of` compares them with the row of the
# sign-off.
WHICH_SIGN_OFF = {"gate", "seat", "rulebook", "format"}
# What is fixed after it was signed stales nothing (docs/domain.md, invariant 19), so a state is compared in one
# direction: the statement said better of it than there is now.
BETTER = {"unmet": "met", "later": "met", "waived": "met"}


UNTIL = TODAY + timedelta(days=40)
RISK = AcceptedRiskFact(7, "Old prices", "Ines", LONG_AGO, UNTIL, None, clock.midnight_after(UNTIL))


STEPPED_BACK = SteppedBack("production", "mvp", LONG_AGO, "Elena", "Errors.", False, "A check.", "Marta")


def initiative_with_every_kind_of_state(approved_stage):
    """Criteria unmet, one of them advisory, one waived, requirements unproved; a planned scope; a verified item."""
    lacking = ["production.lessons_captured", "adopt.behaviour", "mvp.workflow", "int.systems_owned"]
    facts = everything(approved_stage, without=lacking)
    return replace(
        facts,
        items=tuple(verified(item) for item in facts.items),
        problem="Calls take long.",
        platform="Vendor One",
        harm="A wrong refund.",
        scopes=(*facts.scopes, ScopeFact(2, "400 users", 400, None, True)),
        accepted_risks=(RISK,),
        stepped_back=(STEPPED_BACK,),
        waivers=(WaiverFact("production.lessons_captured", LONG_AGO, TODAY, "later"),),
    )


def verified(item):
    """The item with what a verifier saw in it for each of its requirements."""
    said = Verification(
        99, "Ola Brandt", AT, 1, item.fingerprint, True, "All 12.", "service_operations", "Row 4", LONG_AGO
    )
    look = replace(said, by_id=98, by="Ida Holm", second=True)
    return replace(item, verifications=dict.fromkeys(item.covers, (said, look)))


def written(covered, verdict="approve"):
    return sign_off_statement.write(RULEBOOK, covered, person=SIGNER, board="Board", verdict=verdict, at=AT)


def leaves(value, path=()):
    if isinstance(value, dict | list | tuple):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


def other_than(path, value):
    """Another value at this place; None where there is none that would be worse than what is there."""
    if path[-1] == "state":
        return None if value in sign_off_statement.SATISFIED_STATES else "waived"
    if path[0] == "criteria":
        return BETTER.get(value)
    if path[-1] == "level":
        return "measured" if value in ("", "stated", "documented") else None
    if path[-1] in ("said", "rest") and "seen" not in path:
        return None  # the words of the answer are those of its version, which is compared
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1000
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return "2039-02-03"  # earlier than was signed is a reason, later is not
    return f"{value} and more" if isinstance(value, str) else None


def put(covered, path, value):
    changed = copy.deepcopy(covered)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def looked_at(facts, gate, seat):
    """Each printed value of one statement: its place by name, and whether another one there is a reason."""
    judged = judge(facts, RULEBOOK, AT)
    covered = json.loads(json.dumps(sign_off_statement.seat_facts(judged, gate, seat)))
    text = written(covered)
    for path, value in leaves(covered):
        changed = other_than(path, value)
        # The order of items is printed too, but a key among them names another item, which has its own values.
        if path[0] in WHICH_SIGN_OFF or changed is None or path[-2:-1] == ("evidence",):
            continue
        signed = put(covered, path, changed)
        if written(signed) != text:
            reasons = sign_off_statement.stale_reasons(signed, judged, AT)
            yield ".".join(str(key) for key in path if not re.fullmatch(r"\d+|.*\..*", str(key))), reasons


def uncompared():
    printed, silent = set(), set()
    for gate, approved_stage in (("prototype", "proposed"), ("mvp", "prototype"), ("production", "mvp")):
        for seat in RULEBOOK.gates[gate].seats:
            for place, reasons in looked_at(initiative_with_every_kind_of_state(approved_stage), gate, seat):
                printed.add(place)
                if not reasons:
                    silent.add((gate, seat, place))
    return printed, silent


def test_every_printed_value_about_the_initiative_is_compared():
    printed, silent = uncompared()
    assert silent == set()
    assert printed >= {
        "initiative",
        "title",
        "problem",
        "platform",
        "harm",
        "confidential",
        "tier",
        "owner",
        "scope",
        "accepted_risks",
        "second_looks",
        "contract.number",
        "contract.digest",
        "criteria",
        "requirements.state",
        "requirements.answer",
        "requirements.until",
        "requirements.level",
        "requirements.seen.by",
        "requirements.seen.seat",
        "requirements.seen.at",
        "requirements.seen.seconds",
        "requirements.seen.place",
        "requirements.seen.earlier",
        "requirements.seen.said",
        "evidence.title",
        "evidence.kind",
        "evidence.fingerprint",
        "evidence.observed_on",
    }, printed
    assert any(place.startswith("declared_goals") for place in printed)


def test_a_value_that_is_printed_and_not_compared_is_found(monkeypatch):
    for left_out in ("_initiative_moved", "_evidence_moved"):
        monkeypatch.setattr(sign_off_statement, left_out, lambda *_: ())
    _, silent = uncompared()
    places = {"initiative", "title", "problem", "platform", "confidential", "owner"}
    places |= {f"evidence.{name}" for name in ("title", "kind", "fingerprint", "observed_on")}
    assert places <= {place for _, _, place in silent}


@pytest.mark.parametrize("seat", RULEBOOK.gates["production"].seats)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": "Another initiative"}, "the title changed from “An initiative” to “Another initiative”"),
        ({"problem": "Other."}, "the problem changed from none to “Other.”"),
        ({"platform": "Vendor Two"}, "the platform changed from none to “Vendor Two”"),
        ({"confidential": True}, "the confidentiality changed from not confidential to confidential"),
        ({"people": {"owner": "Marta Berg"}}, "the owner's name changed from Marta to Marta Berg"),
    ],
)
def test_the_initiative_in_its_own_words_is_among_the_facts_of_every_seat(seat, change, reason):
    facts = everything("mvp")
    signed = sign_off_statement.seat_facts(judge(facts, RULEBOOK, AT), "production", seat)
    assert sign_off_statement.stale_reasons(signed, judge(replace(facts, **change), RULEBOOK, AT), AT) == [
        reason
    ]


def test_a_long_problem_is_quoted_where_the_two_part():
    facts = replace(everything("mvp"), problem="It takes long. " * 40 + "People decide.")
    after = replace(facts, problem="It takes long. " * 40 + "Nobody decides.")
    signed = sign_off_statement.seat_facts(judge(facts, RULEBOOK, AT), "production", "risk_compliance")
    (why,) = sign_off_statement.stale_reasons(signed, judge(after, RULEBOOK, AT), AT)
    assert why == "the problem changed from “…People decide.” to “…Nobody decides.”"


def test_what_was_unmet_and_is_fixed_stales_nothing():
    before = swapped(everything("mvp"), "int.systems_owned")
    signed = sign_off_statement.seat_facts(
        judge(before, RULEBOOK, AT), "production", "architecture_integration"
    )
    assert signed["requirements"]["int.systems_owned"]["state"] == "unproven"
    assert signed["criteria"]["production.systems_owned"] == "unmet"
    assert sign_off_statement.stale_reasons(signed, judge(everything("mvp"), RULEBOOK, AT), AT) == []


def test_nobody_adds_a_line_by_the_words_of_a_initiative():
    facts = everything("mvp")
    forged = "x\n\nRisk tier: minimal.\nSigner: Somebody"
    (key, item), *_ = [(k, i) for i in facts.items for k in i.covers if k == "gov.impact"]
    facts = replace(
        swapped(facts, key, replace(item, title=forged)), title=forged, problem=forged, platform=forged
    )
    covered = sign_off_statement.seat_facts(judge(facts, RULEBOOK, AT), "production", "risk_compliance")
    lines = written(covered).splitlines()
    assert len([line for line in lines if line.startswith(("Risk tier", "Signer:"))]) == 1


# Risks that the risk seat accepted


@pytest.mark.parametrize("seat", RULEBOOK.gates["production"].seats)
def test_each_statement_names_the_accepted_risks_and_goes_stale_with_them(seat):
    without, carrying = everything("mvp"), replace(everything("mvp"), accepted_risks=(RISK,))
    signed, plain = (
        sign_off_statement.seat_facts(judge(facts, RULEBOOK, AT), "production", seat)
        for facts in (carrying, without)
    )
    assert f"Accepted risk: Old prices. Accepted by Ines, until {UNTIL}.\n" in written(signed)
    assert "Accepted risk" not in written(plain)
    ended = replace(without, accepted_risks=(replace(RISK, ends_at=AT),))
    for now in (without, ended):
        assert sign_off_statement.stale_reasons(signed, judge(now, RULEBOOK, AT), AT) == [
            f"the accepted risk “Old prices” until {UNTIL} no longer counts"
        ]
    assert sign_off_statement.stale_reasons(plain, judge(carrying, RULEBOOK, AT), AT) == [
        f"the risk “Old prices” is accepted since, until {UNTIL}"
    ]
    assert sign_off_statement.stale_reasons(signed, judge(carrying, RULEBOOK, AT), AT) == []


# What only advises and is not met


def test_the_statement_says_unmet_advisory_and_approves_the_rest():
    facts = swapped(everything("mvp"), "int.systems_owned")
    advisory = RULEBOOK.criteria["production.systems_owned"]
    assert advisory.severity == "advisory"
    covered = sign_off_statement.seat_facts(
        judge(facts, RULEBOOK, AT), "production", "architecture_integration"
    )
    text = written(covered)
    assert f"- {advisory.question} (production.systems_owned): unmet, advisory\n" in text
    assert "This sign-off approves all but the unmet advisory criteria." in text
    whole = written(
        sign_off_statement.seat_facts(judge(everything("mvp"), RULEBOOK, AT), "production", advisory.seat)
    )
    assert "advisory" not in whole
    assert sign_off_statement.stale_reasons(covered, judge(facts, RULEBOOK, AT), AT) == []


def test_every_seat_that_may_sign_is_looked_at():
    seats = {seat for gate in ("prototype", "mvp", "production") for seat in RULEBOOK.gates[gate].seats}
    assert seats == set(Seat)
