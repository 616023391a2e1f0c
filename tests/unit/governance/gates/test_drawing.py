"""The requirements that a seed draws at minimal risk: which, in what order, how often, and what it asks of them."""

import hashlib
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from governance.gates import drawing, levels
from governance.gates.criteria import judge
from governance.gates.gate_inputs import Drawn, Measured, Verification, WaiverFact
from governance.gates.requirements import BY_VERIFYING, state_of, states_at
from governance.gates.turning_points import outlook
from governance.rulebook import parse, shipped_text
from governance.vocabulary import Level
from tests.support.rules.gate_facts import AT, LONG_AGO, TODAY, everything, item, reply

RULEBOOK = parse(shipped_text())
ROOT = bytes(range(32))
ROUND = "review 7"
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
KEY = "prod.q08_change_control"
OTHER = "prod.q05_wrong_output"


def minimal(*drawn, **fields):
    """An MVP of minimal risk with a paper for everything that production asks, and these requirements drawn."""
    return everything(
        "mvp", tier="minimal", described=((LONG_AGO, None),), drawn=drawn, round=ROUND, **fields
    )


def drawn(key, **fields):
    values = {"round": ROUND, "drawn_at": AT - DAY, "since": AT - DAY, "answer_version": 1}
    values["items"] = drawing.offered(minimal(), RULEBOOK, key)
    return Drawn(key, **(values | fields))


def said(facts, key, *, shows=True, at=AT, version=1, person=98):
    """The facts after a verifier spoke of what is offered for a requirement."""
    word = Verification(person, "Ines", at, version, "", shows, "Page 2.")
    items = tuple(
        replace(
            one,
            verifications={
                key: (*one.verifications.get(key, ()), replace(word, fingerprint=one.fingerprint))
            },
        )
        if key in one.covers
        else one
        for one in facts.items
    )
    return replace(facts, items=items)


def draws_due(facts, rulebook=RULEBOOK):
    return drawing.draws_due(judge(facts, rulebook, AT))


def next_drawn(facts, root=ROOT):
    return drawing.draw(judge(facts, RULEBOOK, AT), root)


def drawable(facts, rulebook=RULEBOOK):
    return levels.drawable(facts, rulebook, states_at(facts, rulebook, AT))


class TestWhichQuestions:
    def test_a_ticket_is_what_anybody_works_out_from_the_audit_log(self):
        text = f"{ROOT.hex()}\nAI-0001\nreview 7\n{KEY}"
        assert drawing.ticket(ROOT, "AI-0001", ROUND, KEY) == hashlib.sha256(text.encode()).hexdigest()

    def test_the_first_five_tickets_are_drawn_whoever_asks_and_in_whatever_order(self):
        facts = minimal()
        tickets = sorted(drawable(facts), key=lambda key: drawing.ticket(ROOT, facts.ref, ROUND, key))
        found = next_drawn(facts)
        assert [one.requirement for one in found] == tickets[:5]
        assert [one.in_place_of for one in found] == [""] * 5
        again = replace(facts, items=tuple(reversed(facts.items)))
        assert next_drawn(again) == found

    @pytest.mark.parametrize("other", ["root", "initiative", "round"])
    def test_another_seed_initiative_or_round_draws_another_order(self, other):
        keys = drawable(minimal())
        seed = {"root": (ROOT, "AI-0001", ROUND)}
        seed |= {"initiative": (ROOT, "AI-0002", ROUND), "round": (ROOT, "AI-0001", "review 8")}
        with_other_root = (bytes(32), "AI-0001", ROUND)
        changed = with_other_root if other == "root" else seed[other]
        assert drawing.in_order(*seed["root"], keys) != drawing.in_order(*changed, keys)

    def test_every_requirement_has_its_chance(self):
        keys, chance = drawable(minimal()), random.Random(4)
        first = dict.fromkeys(keys, 0)
        for _ in range(2000):
            for key in drawing.in_order(chance.randbytes(32), "AI-0001", ROUND, keys)[:5]:
                first[key] += 1
        expected = 2000 * 5 / len(keys)
        assert all(0.8 * expected < count < 1.2 * expected for count in first.values()), first

    def test_what_needs_no_look_is_not_drawn(self):
        facts = minimal()
        assert KEY in drawable(facts)
        assert "gov.autonomy" not in drawable(facts), "clauses that seats approved measure it"
        assert "mvp.advance_evidence" in drawable(facts)
        decided = replace(facts, decided={"mvp": TODAY})
        assert "mvp.advance_evidence" not in drawable(decided), "it stands as decided"
        assert KEY not in drawable(said(facts, KEY))
        assert "adopt.usage" in drawable(facts)
        measured = replace(facts, measured=(Measured("adopt.usage", "measurements", "41 of 60.", LONG_AGO),))
        assert "adopt.usage" not in drawable(measured)
        key = next(key for key in drawable(facts) if RULEBOOK.waivable_requirement(key))
        unanswered = minimal(without=(key,))
        assert key in drawable(unanswered)
        waiver = WaiverFact(key, LONG_AGO, TODAY, "later")
        assert key not in drawable(replace(unanswered, waivers=(waiver,)))
        no = replace(facts, answers=facts.answers | {KEY: reply("not_applicable", accepted_on=TODAY)})
        assert KEY not in drawable(no)

    def test_what_is_missing_may_be_drawn(self):
        facts = minimal(without=(KEY,))
        assert state_of(facts, RULEBOOK, KEY, AT).state == "unanswered"
        assert KEY in drawable(facts)

    def test_only_what_a_blocking_criterion_asks_documented(self):
        gate = RULEBOOK.gates["production"]
        nothing = replace(minimal(), items=(), answers={}, contracts=(), deployments=(), described=())
        assert len(drawable(nothing)) > len(drawable(minimal()))
        for key in drawable(nothing):
            assert RULEBOOK.requirements[key].level_for("minimal", "production") == Level.DOCUMENTED
            assert RULEBOOK.requirements[key].blocking
            assert any(one.blocking for one in gate.criteria if key in one.requirements)

    @pytest.mark.parametrize("tier", ["", "limited", "high"])
    def test_no_other_tier_draws(self, tier):
        assert draws_due(replace(minimal(), tier=tier)) == []

    def test_a_rulebook_that_says_nothing_of_it_draws_none(self):
        text = shipped_text().replace("drawn_at_minimal = 5\n", "")
        assert "drawn_at_minimal = " not in text
        silent = parse(text)
        assert silent.drawn_at_minimal == 0
        assert draws_due(minimal(), silent) == []
        assert state_of(minimal(drawn(KEY)), silent, KEY, AT).satisfied


class TestHowMany:
    def test_five_and_then_none(self):
        assert draws_due(minimal()) == [""] * 5
        rows = [drawn(one.requirement) for one in next_drawn(minimal())]
        assert draws_due(minimal(*rows[:4])) == [""]
        assert draws_due(minimal(*rows)) == []
        assert drawing.waits(judge(minimal(), RULEBOOK, AT)).text.startswith(
            "The requirements to verify are drawn"
        )
        assert drawing.waits(judge(minimal(*rows), RULEBOOK, AT)) is None

    def test_all_where_there_are_fewer(self):
        facts = minimal()
        for key in drawable(facts)[3:]:
            facts = said(facts, key)
        left = drawable(facts)
        assert len(left) == 3
        assert sorted(one.requirement for one in next_drawn(facts)) == sorted(left)
        rows = [Drawn(key, ROUND, AT, AT, None, 1, drawing.offered(facts, RULEBOOK, key)) for key in left]
        assert draws_due(replace(facts, drawn=tuple(rows))) == []

    def test_another_round_begins_anew(self):
        rows = [drawn(one.requirement) for one in next_drawn(minimal())]
        assert draws_due(replace(minimal(*rows), round="review 8")) == [""] * 5

    def test_a_refused_one_brings_the_next_in_the_same_order(self):
        first = next_drawn(minimal())
        rows = [drawn(one.requirement) for one in first]
        facts = said(minimal(*rows), rows[2].requirement, shows=False)
        assert [one.in_place_of for one in next_drawn(facts)] == [rows[2].requirement]
        order = drawing.in_order(ROOT, facts.ref, ROUND, drawable(minimal()))
        (brought,) = next_drawn(facts)
        assert brought.requirement == order[5]
        assert drawing.waits(judge(facts, RULEBOOK, AT)).text.startswith("A new requirement")
        rows.append(drawn(brought.requirement, in_place_of=brought.in_place_of))
        assert draws_due(replace(facts, drawn=tuple(rows))) == []
        twice = said(replace(facts, drawn=tuple(rows)), brought.requirement, shows=False)
        assert [one.requirement for one in next_drawn(twice)] == [order[6]]

    def test_refused_before_it_was_drawn_brings_none(self):
        rows = [drawn(one.requirement) for one in next_drawn(minimal())]
        early = rows[0].drawn_at - INSTANT
        assert draws_due(said(minimal(*rows), rows[0].requirement, shows=False, at=early)) == []
        at_once = said(minimal(*rows), rows[0].requirement, shows=False, at=rows[0].drawn_at)
        assert draws_due(at_once) == [rows[0].requirement]

    def test_at_most_until_all_are_drawn(self):
        facts, rows = minimal(), []
        for key in drawable(facts):
            rows.append(drawn(key, in_place_of=rows[-1].requirement if len(rows) >= 5 else ""))
        facts = replace(facts, drawn=tuple(rows))
        for row in rows:
            facts = said(facts, row.requirement, shows=False)
        assert draws_due(facts) == []


CHANGES = {
    "the answer": lambda facts: replace(facts, answers=facts.answers | {KEY: reply(version=2)}),
    "one more artefact": lambda facts: replace(facts, items=(*facts.items, item(900, KEY))),
    "withdrawn": lambda facts: changed(facts, withdrawn_at=AT),
    "superseded": lambda facts: changed(facts, superseded_by=900),
    "no answer any more": lambda facts: replace(
        facts, answers={key: one for key, one in facts.answers.items() if key != KEY}
    ),
}


def changed(facts, **fields):
    return replace(
        facts, items=tuple(replace(one, **fields) if KEY in one.covers else one for one in facts.items)
    )


class TestWhatATeamChangesAfterTheDraw:
    @pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
    def test_brings_another(self, change):
        facts = minimal(drawn(KEY))
        assert not drawing.brings_another(facts, RULEBOOK, facts.drawn[0])
        assert drawing.brings_another(change(facts), RULEBOOK, facts.drawn[0])
        assert drawing.brings_another(said(change(facts), KEY, version=2), RULEBOOK, facts.drawn[0]), (
            "that it was verified since takes nothing back"
        )

    @pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
    def test_brings_none_once_it_was_verified_as_it_was_drawn(self, change):
        facts = said(minimal(drawn(KEY)), KEY)
        assert not drawing.brings_another(change(facts), RULEBOOK, facts.drawn[0])

    def test_what_others_bring_is_no_change_of_the_team(self):
        key = "gov.autonomy"
        facts = minimal(drawn(key))
        clause = next(one for one in facts.items if key in one.covers)
        assert drawing.offered(facts, RULEBOOK, key) == frozenset()
        facts = replace(facts, items=(*facts.items, replace(clause, id=900)))
        assert not drawing.brings_another(facts, RULEBOOK, facts.drawn[0])

    def test_of_another_requirement_it_brings_none(self):
        facts = minimal(drawn(OTHER))
        assert not drawing.brings_another(CHANGES["the answer"](facts), RULEBOOK, facts.drawn[0])


class TestWhatIsAsked:
    def test_a_drawn_requirement_waits_to_be_verified(self):
        assert state_of(minimal(), RULEBOOK, KEY, AT).satisfied
        found = state_of(minimal(drawn(KEY)), RULEBOOK, KEY, AT)
        assert (found.state, found.level, found.place) == ("below", Level.DOCUMENTED, BY_VERIFYING)
        assert found.below == {"production"}
        assert found.words.endswith("asks for verified because the requirement was drawn.")
        assert state_of(said(minimal(drawn(KEY)), KEY), RULEBOOK, KEY, AT).satisfied
        assert state_of(minimal(drawn(OTHER)), RULEBOOK, KEY, AT).satisfied

    def test_being_measured_meets_it(self):
        facts = minimal(drawn("adopt.usage"))
        assert not state_of(facts, RULEBOOK, "adopt.usage", AT).satisfied
        measured = (Measured("adopt.usage", "measurements", "41 of 60.", LONG_AGO),)
        assert state_of(replace(facts, measured=measured), RULEBOOK, "adopt.usage", AT).satisfied

    @pytest.mark.parametrize("tier", ["limited", "high"])
    def test_at_a_tier_that_rose_it_has_no_effect(self, tier):
        plain = state_of(replace(minimal(), tier=tier), RULEBOOK, KEY, AT)
        assert state_of(replace(minimal(drawn(KEY)), tier=tier), RULEBOOK, KEY, AT) == plain

    def test_from_its_moment_to_its_moment(self):
        row = drawn(KEY, since=AT, until=AT + DAY)
        facts = minimal(row)
        assert state_of(facts, RULEBOOK, KEY, AT - INSTANT).satisfied
        assert not state_of(facts, RULEBOOK, KEY, AT).satisfied
        assert not state_of(facts, RULEBOOK, KEY, AT + DAY - INSTANT).satisfied
        assert state_of(facts, RULEBOOK, KEY, AT + DAY).satisfied

    def test_the_outlook_turns_with_it(self):
        facts = minimal(drawn(KEY, since=AT + DAY, until=AT + 2 * DAY))
        told = {one.at: one.states[KEY].satisfied for one in outlook(facts, RULEBOOK, AT)}
        assert (told[AT], told[AT + DAY], told[AT + 2 * DAY]) == (True, False, True)

    def test_drawn_for_the_next_acceptance_it_waits_and_takes_nothing(self):
        facts = replace(minimal(drawn(KEY, since=None)), approved_stage="production")
        found = state_of(facts, RULEBOOK, KEY, AT)
        assert (found.state, found.place) == ("below", BY_VERIFYING)
        assert found.satisfies("production")
        asks = "the next acceptance of production asks for verified because the requirement was drawn."
        assert found.words == f"Documented, but {asks}"
        assert drawing.unverified(judge(facts, RULEBOOK, AT)) == [KEY]
        verified = said(facts, KEY)
        assert state_of(verified, RULEBOOK, KEY, AT).satisfied
        assert drawing.unverified(judge(verified, RULEBOOK, AT)) == []
        tomorrow = replace(minimal(drawn(KEY, since=None, drawn_at=AT + DAY)), approved_stage="production")
        assert state_of(tomorrow, RULEBOOK, KEY, AT + DAY - INSTANT).satisfied
        assert not state_of(tomorrow, RULEBOOK, KEY, AT + DAY).satisfied
        back = replace(facts, approved_stage="mvp")
        assert state_of(back, RULEBOOK, KEY, AT).satisfied, "after a step back there is no next acceptance"
        assert state_of(replace(facts, round="review 8"), RULEBOOK, KEY, AT).satisfied, (
            "of a round that is over"
        )

    def test_what_it_replaces_does_not_wait_with_it(self):
        """`mvp.observability` is met by its production form, which waits to be verified; it has no errand itself."""
        new, old = "prod.q03_logged", "mvp.observability"
        facts = replace(minimal(drawn(new, since=None), without=(old,)), approved_stage="production")
        assert state_of(facts, RULEBOOK, new, AT).place == BY_VERIFYING
        found = state_of(facts, RULEBOOK, old, AT)
        assert (found.satisfied, found.place, found.fix) == (True, "", "")

    def test_nobody_could_verify_what_may_be_drawn(self):
        facts, everybody = minimal(), dict.fromkeys(RULEBOOK.seats, (98,))
        states = states_at(facts, RULEBOOK, AT)
        assert levels.too_few_verifiers(facts, RULEBOOK, "production", states, everybody, AT) == ()
        nobody = everybody | {"risk_compliance": ()}
        (short,) = levels.too_few_verifiers(facts, RULEBOOK, "production", states, nobody, AT)
        assert short.text.startswith("No one can verify ")
        assert short.text.endswith("that Risk and compliance signs for.")
        counted = int(short.text.split()[4])
        of_that_seat = [
            key
            for key in drawable(facts)
            if not levels.NEEDS_NOBODY & {*RULEBOOK.requirements[key].ways}
            and RULEBOOK.at_tier("minimal").seats_asking(key) == ("risk_compliance",)
        ]
        assert counted == len(of_that_seat) > 0
        assert levels.too_few_verifiers(facts, RULEBOOK, "mvp", states, {}, AT) == ()
