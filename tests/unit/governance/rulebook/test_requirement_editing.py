"""Requirements added, taken out and asked otherwise in a rulebook's text: always sound, and taken back."""

import difflib
import random
from collections import Counter

import pytest

from governance.rulebook import RulebookErrors, parse, shipped_text
from governance.rulebook.editing import problems_at, read, with_values
from governance.rulebook.requirement_editing import (
    Asked,
    asked_of,
    fates_of,
    list_of,
    places_of,
    references,
    with_requirement,
    without_requirement,
)
from governance.vocabulary import Level, Tier


def with_duty(text, criterion, key):
    """The text in which this criterion asks for this requirement too."""
    place = list_of(text, criterion)
    return with_values(text, {place: [*(text.value(place) or ()), key]})


def without_duty(text, criterion, key):
    """The text in which this criterion asks for it no longer."""
    place = list_of(text, criterion)
    left = [word for word in text.value(place) if word != key]
    return with_values(text, {place: left or None})


ROW = {
    "key": "prod.energy",
    "stage": "production",
    "group": "stage",
    "layer": "model",
    "origin": "added",
    "question": 'How much energy does it take, "all in"?',
    "counts": "kWh a month, with how it was measured",
    "evidence": ["document", "telemetry"],
    "fresh_days": 365,
    "triggers": ["model_version"],
    "why_fresh": "annual figure",
    "answered_by": "technical_lead",
    "severity": "blocking",
    "waivable": True,
    "level": {"limited": "documented", "high": "verified"},
    "left_out": {"minimal": "it is too small to count"},
}

ANY = [Asked("", "not here"), *(Asked(level) for level in Level)]


@pytest.fixture(scope="module")
def text():
    return read(shipped_text())


def differing(before: str, after: str) -> tuple[int, int]:
    """How many lines of the one text are not in the other, and the other way round."""
    signs = [line[0] for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0)][2:]
    return signs.count("-"), signs.count("+")


def test_a_requirement_comes_behind_its_neighbours_and_goes_without_a_trace(text):
    asked_by = ["production.layers_auditable", "production.test_governance", "production.lessons_captured"]
    more = with_requirement(text, ROW, asked_by=asked_by, fate="frozen_at_production")
    keys = [row["key"] for row in more.raw["requirement"]]
    assert keys[keys.index("prod.energy") - 1] == "prod.maintenance"
    assert more.row("requirement", "prod.energy") == ROW
    rulebook = parse(more.source)
    assert {c.key for c in rulebook.criteria_using("prod.energy")} == set(asked_by)
    assert "prod.energy" in rulebook.scale_items
    assert "prod.energy" in rulebook.carry.frozen["production"]
    assert asked_of(rulebook.requirements["prod.energy"], "production", "minimal") == Asked(
        "", "it is too small to count"
    )
    # Three lists say more; a fourth, the row with its heading and the blank line above it are new.
    assert differing(text.source, more.source) == (3, 3 + 1 + len(ROW) + 2)
    assert without_requirement(more, "prod.energy").source == text.source


def test_where_no_neighbour_stands_it_comes_behind_those_of_its_stage(text):
    row = ROW | {"key": "mvp.law", "stage": "mvp", "group": "contract"}
    keys = [one["key"] for one in with_requirement(text, row, asked_by=[]).raw["requirement"]]
    assert keys[keys.index("mvp.law") - 1] == "mvp.expectations"


@pytest.mark.parametrize("criterion", ["mvp.lessons_read", "mvp.data_reality"])
def test_a_duty_is_given_and_taken_back(text, criterion):
    more = with_duty(text, criterion, "proto.scope")
    assert "proto.scope" in parse(more.source).criteria[criterion].requirements
    assert without_duty(more, criterion, "proto.scope").source == text.source
    with pytest.raises(RulebookErrors, match="twice"):
        with_duty(more, criterion, "proto.scope")


def test_a_list_over_several_lines_keeps_its_remarks(text):
    old = 'requirements = ["mvp.problem", "mvp.possibility"]'
    new = 'requirements = [ # both\n  "mvp.problem", # first\n  "mvp.possibility",\n  # last\n] # end'
    source = text.source.replace(old, new, 1)
    before = read(source)
    more = with_duty(before, "mvp.real_use_case", "mvp.users")
    assert '  "mvp.possibility",\n  # last\n  "mvp.users"\n] # end' in more.source
    assert without_duty(more, "mvp.real_use_case", "mvp.users").source == source
    fewer = without_duty(before, "mvp.real_use_case", "mvp.possibility")
    assert '[ # both\n  "mvp.problem", # first\n  # last\n] # end' in fewer.source
    fewer = without_duty(before, "mvp.real_use_case", "mvp.problem")
    assert 'requirements = [ # both\n  "mvp.possibility",\n  # last\n] # end' in fewer.source


def test_whoever_writes_tables_otherwise_keeps_them(text):
    """Levels with dots or under a heading, values with a remark behind them, a text that ends without a line end."""
    level = 'level = { minimal = "documented", limited = "documented", high = "documented" }'
    was = level + '\ncrosswalk = { iso_42001 = ["A.7.3"], soc2 = ["P1.1"] }'
    assert text.source.count(was) == 1
    dots = 'level.minimal = "documented"\nlevel.limited = "documented"  # low\nlevel.high = "documented"'
    heading = f"[requirement.level] # by tier\n{dots.replace('level.', '')}"
    key = "proto.personal_data"
    for said in (dots, heading):
        before = read(text.source.replace(was, said))
        more = with_values(before, {("requirement", key, "level", "limited"): "verified"})
        assert 'limited = "verified"  # low' in more.source
        assert more.value(("requirement", key, "level")) == {
            "minimal": "documented",
            "limited": "verified",
            "high": "documented",
        }
        out = with_values(
            before,
            {
                ("requirement", key, "level", "minimal"): None,
                ("requirement", key, "left_out", "minimal"): "small",
                ("requirement", key, "fresh_days_high_risk"): 9,
            },
        )
        assert out.value(("requirement", key, "left_out")) == {"minimal": "small"}
        assert out.value(("requirement", key, "fresh_days_high_risk")) == 9
        back = with_values(
            out,
            {
                ("requirement", key, "level", "minimal"): "stated",
                ("requirement", key, "left_out", "minimal"): None,
            },
        )
        assert back.value(("requirement", key, "level", "minimal")) == "stated"
        assert "left_out" not in back.row("requirement", key)
        gone = without_requirement(with_requirement(before, ROW, asked_by=[]), "prod.energy")
        assert gone.source == before.source
        assert key not in without_requirement(before, key).source
    bare = read(text.source.rstrip("\n"))
    assert not bare.source.endswith("\n")
    more = with_duty(bare, "production.behaviour", "mvp.users")
    assert without_duty(more, "production.behaviour", "mvp.users").source == bare.source + "\n"


def test_a_requirement_at_the_very_end_of_a_text(text):
    """The row is written last, with no line end behind it."""
    first = text.source.index("[[requirement]]")
    last = text.source.index("[gates.mvp]")
    gates = text.source.index("[[criterion]]")
    source = (
        text.source[:first] + text.source[last:gates] + text.source[gates:] + "\n" + text.source[first:last]
    )
    before = read(source.rstrip("\n"))
    row = ROW | {"stage": "production", "group": "layer"}
    more = with_requirement(before, row, asked_by=["production.model_current"])
    assert more.source.endswith('left_out = {minimal = "it is too small to count"}\n\n')
    assert without_requirement(more, "prod.energy").source == before.source + "\n"


def test_whatever_names_a_requirement_goes_with_it(text):
    found = {(one.kind, one.key) for one in references(text, "mvp.owner")}
    assert found == {("criterion", "mvp.named_owner"), ("replaced", "mvp.owner")}
    found = {(one.kind, one.key) for one in references(text, "prod.q11_expectations")}
    assert found == {
        ("criterion", "production.business_depends"),
        ("scale test", "adoption"),
        ("replaced", "mvp.expectations"),
    }
    fewer = without_requirement(text, "prod.performance")
    assert "prod.performance" not in fewer.source
    assert fewer.value(("carry_forward", "replaced_at_production")).keys() == {
        "mvp.owner",
        "mvp.duty",
        "mvp.observability",
        "mvp.expectations",
    }
    with pytest.raises(KeyError):
        without_requirement(text, "nobody.asks")


def test_a_remark_of_the_row_goes_and_every_other_stays(text):
    old = 'requirement = "Which people and departments use it?"\n'
    source = text.source.replace(old, f"# names, not numbers\n{old}", 1)
    fewer = without_requirement(read(source), "mvp.users").source
    assert "# names, not numbers" not in fewer
    assert [line for line in fewer.splitlines() if line.startswith("#")] == [
        line for line in text.source.splitlines() if line.startswith("#")
    ]


def test_what_cannot_stand_without_it_refuses(text):
    with pytest.raises(RulebookErrors, match="has no other requirement") as caught:
        without_requirement(text, "int.systems_owned")
    assert caught.value.problems[0].path == ("criterion", "production.systems_owned", "requirements")
    # Of four items of the integration test that are asked at minimal risk one may go, the next may not.
    fewer = without_requirement(text, "int.residency")
    with pytest.raises(RulebookErrors, match="the scale test integration has 2 items at minimal risk"):
        without_requirement(fewer, "int.sources_condition")
    with pytest.raises(RulebookErrors, match="scale test integration"):
        with_values(
            fewer,
            places_of(parse(fewer.source), "production", "minimal", {"int.fallback": Asked("", "none runs")}),
        )


def test_problems_come_back_at_their_field(text):
    with pytest.raises(RulebookErrors) as caught:
        with_requirement(
            text,
            ROW | {"key": "Not a key", "min_evidence": "log_sample", "level": {"limited": "believed"}},
            asked_by=["mvp.contract_first"],
        )
    found = problems_at(text, caught.value, "requirement", "Not a key", fields={"key", "level"})
    assert set(found) == {"key", "min_evidence", "level"}
    with pytest.raises(RulebookErrors, match="already exists") as caught:
        with_requirement(text, ROW | {"key": "mvp.owner"}, asked_by=[])
    assert set(problems_at(text, caught.value, "requirement", "mvp.owner", fields={"key"})) == {"key"}
    with pytest.raises(RulebookErrors, match="nobody"):
        with_values(text, {("criterion", "mvp.named_owner", "seat"): "nobody"})
    alone = with_values(text, {("criterion", "mvp.rollout_bounded", "seat"): "adoption_change"})
    with pytest.raises(RulebookErrors) as caught:
        with_values(alone, {("criterion", "mvp.contract_first", "seat"): "adoption_change"})
    (problem,) = problems_at(alone, caught.value, "criterion", "mvp.contract_first")["seat"]
    assert 'the seat "risk_compliance" must sign' in problem.what


def test_one_gate_asks_otherwise_and_the_others_as_before(text):
    """Level by level: `int.definitions` is asked by two gates, at MVP below production."""
    rulebook = parse(text.source)
    key, row = "int.definitions", rulebook.requirements["int.definitions"]
    assert [asked_of(row, gate, "limited").level for gate in ("mvp", "production")] == [
        "documented",
        "verified",
    ]

    def then(gate, wanted, start=text):
        after = with_values(start, places_of(parse(start.source), gate, "limited", {key: wanted}))
        row = parse(after.source).requirements[key]
        return after, [asked_of(row, gate, "limited") for gate in ("mvp", "production")]

    _, levels = then("mvp", Asked("verified"))
    assert levels == [Asked("verified"), Asked("verified")]
    lower, levels = then("production", Asked("documented"))
    assert levels == [Asked("documented"), Asked("documented")]
    back, levels = then("production", Asked("verified"), lower)
    assert levels == [Asked("documented"), Asked("verified")]
    assert back.raw == text.raw
    out, levels = then("mvp", Asked("", "no figures leave the team"))
    assert levels == [Asked("", "no figures leave the team")] * 2
    assert "limited" not in out.value(("requirement", key, "level_at_mvp"))
    _, levels = then("mvp", Asked("stated"), out)
    assert levels == [Asked("stated")] * 2
    assert places_of(rulebook, "mvp", "limited", {key: Asked("documented")}) == {}
    # What only one gate asks is said once; a criterion's own question is edited where it stands.
    only = places_of(
        rulebook, "mvp", "high", {"mvp.owner": Asked("documented"), "mvp.lessons_read": Asked("stated")}
    )
    assert only == {
        ("requirement", "mvp.owner", "level", "high"): "documented",
        ("criterion", "mvp.lessons_read", "level", "high"): "stated",
    }


def test_the_fates_of_an_answer_fit_its_stage():
    assert fates_of("prototype") == ("frozen_at_mvp",)
    assert "ended_at_production" in fates_of("mvp")
    assert fates_of("production") == ("frozen_at_production",)


@pytest.mark.parametrize("turn", range(2))
def test_random_changes_stay_sound_and_are_taken_back(text, turn):
    """Adds, removals and levels in any order: each is sound, and taken back it leaves what was there."""
    chance, now = random.Random(turn), text
    done: Counter[str] = Counter()
    for step in range(14):
        what = (add, remove, ask)[step % 3] if step < 6 else chance.choice((add, remove, ask))
        after = what(now, chance, f"try.n{step}")
        done[what.__name__ if after is not now else "refused"] += 1
        now = after
    assert {"add", "remove", "ask"} <= set(done)


def add(now, chance, key):
    """One more requirement, of a random stage and group, asked somewhere."""
    stage = chance.choice(("prototype", "mvp", "production"))
    criteria = [row["key"] for row in now.raw["criterion"] if row["gate"] == stage]
    out = {tier: "small" for tier in Tier if chance.random() < 0.3}
    row = ROW | {
        "key": key,
        "stage": stage,
        "group": chance.choice(("stage", "contract", "integration", "adoption", "layer")),
        "level": {tier: chance.choice(list(Level)) for tier in Tier if tier not in out},
        "left_out": out,
    }
    row = {name: value for name, value in row.items() if value != {}}
    fate = chance.choice(("", *fates_of(stage)))
    after = with_requirement(now, row, asked_by=chance.sample(criteria, chance.randint(0, 2)), fate=fate)
    assert without_requirement(after, key).source == now.source
    return after


def remove(now, chance, _):
    """One requirement less, unless something cannot stand without it."""
    key = chance.choice(now.raw["requirement"])["key"]
    try:
        after = without_requirement(now, key)
    except RulebookErrors:
        return now
    assert f'"{key}"' not in after.source
    return after


def ask(now, chance, _):
    """One requirement asked otherwise by one gate at one tier, unless a scale test would lose too much."""
    rulebook = parse(now.source)
    gate = chance.choice([gate for gate in rulebook.gates.values() if gate.requirements()])
    key, tier = chance.choice(gate.requirements()), chance.choice(list(Tier))
    was = {one: asked_of(rulebook.requirements[key], one, tier) for one in rulebook.gates_asking(key)}
    wanted = chance.choice([one for one in ANY if one != was[gate.key]])
    try:
        after = with_values(now, places_of(rulebook, gate.key, tier, {key: wanted}))
    except RulebookErrors:
        return now
    row = parse(after.source).requirements[key]
    got = {one: asked_of(row, one, tier) for one in was}
    assert got[gate.key] == wanted
    if wanted.level and was[gate.key].level:  # whether it is asked at all holds for every gate
        assert got | {gate.key: None} == was | {gate.key: None}
    places = places_of(rulebook, gate.key, tier, {key: wanted})
    assert with_values(after, {place: now.value(place) for place in places}).raw == now.raw
    return after
