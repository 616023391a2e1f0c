"""The leaders' page: every figure against one worked out in plain Python from raw rows of random organisations."""

import random
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test.utils import CaptureQueriesContext

from adoption import leading, reasons
from adoption.matters import MATTERS, blurred
from adoption.models import PostMortem
from governance import actions as people
from governance import clock, gates, standards
from governance.history import acting
from governance.models import Contract, ContractVersion, Rulebook
from governance.rulebook import load_default
from initiatives import permissions, standing
from initiatives.actions.moves import STOP_REASONS
from initiatives.models import (
    Continuation,
    Coverage,
    Evidence,
    FundingDecision,
    Initiative,
    Obligation,
    RoleAssignment,
    ScopeVersion,
    Span,
    StageChange,
    Standing,
    Voiding,
)
from initiatives.models.versions import LAYERS
from tests import factories

pytestmark = pytest.mark.django_db

RANK = {"proposed": 0, "prototype": 1, "mvp": 2, "production": 3}
TABLES = (
    Initiative,
    StageChange,
    Span,
    Standing,
    ScopeVersion,
    Evidence,
    Coverage,
    Voiding,
    FundingDecision,
    Continuation,
    RoleAssignment,
    Contract,
    ContractVersion,
    PostMortem,
    Obligation,
)
CASES = 70


def settle(cast, seed: int) -> None:
    """An organisation of any past, put there as rows: no acts lead to every past within a second."""
    draw = random.Random(seed)
    now, book = clock.now(), Rulebook.objects.current()
    other = people.load_rulebook(source=load_default().replace('"2026.1"', '"2026.2"'), by=cast.admin)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table._meta.db_table} DISABLE TRIGGER USER")
    for place in range(1, CASES + 1):
        _case(cast, draw, place, now, book if draw.random() < 0.9 else other)


def _case(cast, draw, place: int, now, book) -> None:
    def ago(most=700):
        return now - timedelta(days=draw.randrange(most), hours=draw.randrange(24))

    def sometimes(share=0.5):
        return draw.random() < share

    person = cast.second_admin
    stage = draw.choice([*RANK, "mvp", "mvp", "production", "stopped", "retired"])
    basis = "import" if sometimes(0.2) else "decision"
    (contract,) = Contract.objects.bulk_create([Contract()]) if sometimes(0.6) else (None,)
    case = Initiative(
        number=10_000 + place,
        title=f"Case {place}",
        problem="-",
        unit=cast.elsewhere if sometimes(0.3) else cast.unit,
        stage=stage,
        basis=basis if stage != "proposed" else "registered",
        since=ago(),
        registered_at=now - timedelta(days=800),
        registered_by=person,
        contract=contract,
        tier=draw.choice(["", "high"]),
        tier_confirmed_by=None,
        withdrawn_at=ago() if stage == "proposed" and sometimes(0.3) else None,
    )
    if case.tier:
        case.tier_confirmed_by, case.tier_confirmed_at = person, now
    Initiative.objects.bulk_create([case])
    moments = sorted(ago() for _ in range(4))
    path = ["proposed", "prototype", "mvp", "production"]
    for n in range(draw.randrange(4)):
        StageChange.objects.bulk_create(
            [
                StageChange(
                    initiative=case,
                    from_stage=path[n],
                    to_stage=path[n + 1],
                    at=moments[n],
                    by=person,
                    basis="import" if basis == "import" else "decision",
                    entry_id=1,
                )
            ]
        )
    if sometimes(0.4):
        old = draw.choice(path)
        new = {"production": "mvp"}.get(old, "stopped")
        why = STOP_REASONS[draw.choice(["answered_no", "cost"])]
        StageChange.objects.bulk_create(
            [
                StageChange(
                    initiative=case,
                    from_stage=old,
                    to_stage=new,
                    at=moments[3],
                    by=person,
                    entry_id=1,
                    basis="stopped" if new == "stopped" else "step back",
                    reason=f"{why}. So.",
                )
            ]
        )
    last = StageChange.objects.filter(initiative=case).order_by("pk").last()
    if last or stage != "proposed":
        end = {"stopped": "stopped", "proposed": "reopened"}.get(stage, "decision")
        StageChange.objects.bulk_create(
            [
                StageChange(
                    initiative=case,
                    from_stage=last.to_stage if last else "proposed",
                    to_stage=stage,
                    at=case.since,
                    by=person,
                    basis="import" if case.basis == "import" else end,
                    entry_id=1,
                )
            ]
        )
    Standing.objects.create(initiative=case, rulebook=book, computed_at=now)
    claimed = RANK.get(stage, 0)
    reached = draw.randint(0, claimed)
    Span.objects.create(
        initiative=case,
        from_at=now - timedelta(days=1),
        until_at=now + timedelta(days=1) if sometimes() else None,
        supported=path[reached],
        shortfall=claimed - reached,
        governance=sometimes(0.7),
        integration=sometimes(0.7),
        adoption=sometimes(0.7),
        gaps={layer: draw.randint(1, 4) for layer in LAYERS if sometimes(0.2)},
    )
    if sometimes():
        ScopeVersion.objects.bulk_create(
            [
                ScopeVersion(
                    initiative=case,
                    number=1,
                    users="-",
                    user_count=5,
                    rollout=sometimes(0.7),
                    by=person,
                    starts_at=ago() if sometimes(0.8) else now + timedelta(days=3),
                    ended_at=ago() if sometimes(0.2) else None,
                )
            ]
        )
    for _ in range(draw.randrange(5)):
        seen = ago(400)
        item = Evidence(
            initiative=case,
            kind="telemetry",
            title="Reading",
            observed_on=clock.local_day(seen),
            author=person,
            added_at=seen + timedelta(hours=1),
            result=draw.choice(["pass", "pass", "fail", "partial", ""]),
            withdrawn_at=now if sometimes(0.15) else None,
            missing_since=now if sometimes(0.1) else None,
        )
        Evidence.objects.bulk_create([item])
        for key in draw.sample(["adopt.usage", "adopt.trust", "mvp.risk"], draw.randint(1, 2)):
            Coverage.objects.bulk_create([Coverage(evidence=item, requirement=key, added_at=seen)])
        if sometimes(0.15):
            when = now + timedelta(days=draw.choice([-2, 2]))
            Voiding.objects.bulk_create(
                [
                    Voiding(
                        evidence=item,
                        requirement="adopt.usage",
                        trigger="-",
                        cause="-",
                        effective_at=when,
                        recorded_at=now,
                    )
                ]
            )
    for _ in range(draw.randrange(3)):
        back = sometimes(0.2)
        FundingDecision.objects.bulk_create(
            [
                FundingDecision(
                    initiative=case,
                    by=person,
                    at=now,
                    decided_on=clock.local_day(ago()),
                    decided_by="X",
                    basis="-",
                    claimed="mvp",
                    supported="prototype",
                    label=draw.choice(["", "Larger prototype"]),
                    withdrawn_at=now if back else None,
                    withdrawn_by=person if back else None,
                    withdrawn_reason="-" if back else "",
                )
            ]
        )
    if stage in ("mvp", "prototype") and sometimes(0.3):
        Continuation.objects.bulk_create(
            [
                Continuation(
                    initiative=case,
                    stage=stage,
                    reason="-",
                    by=person,
                    at=ago(),
                    until=clock.today() + timedelta(days=draw.choice([-30, 30])),
                )
            ]
        )
    if sometimes(0.6):
        RoleAssignment.objects.bulk_create(
            [
                RoleAssignment(
                    initiative=case,
                    role="support_owner",
                    person=person,
                    proposed_by=person,
                    proposed_at=now,
                    accepted_at=ago() if sometimes(0.8) else None,
                    ended_at=now if sometimes(0.2) else None,
                )
            ]
        )
    if contract and sometimes(0.8):
        ContractVersion.objects.bulk_create(
            [
                ContractVersion(
                    contract=contract,
                    number=1,
                    author=person,
                    written_at=now,
                    state="in_force",
                    digest="-",
                    starts_at=ago(),
                )
            ]
        )


class Raw:
    """The rows as they lie there, looked at one by one; no query of the page is used."""

    def __init__(self, person, since=None, until=None, unit=None):
        self.now, self.since, self.until = clock.now(), since, until
        self.book = Rulebook.objects.current()
        seen = set(permissions.visible_to(person).values_list("pk", flat=True))
        self.cases = [
            case
            for case in Initiative.objects.select_related("unit")
            if case.pk in seen
            and not case.withdrawn_at
            and (unit is None or case.unit.path.startswith(unit.path))
        ]
        self.of = {
            model: self._by(model)
            for model in (
                StageChange,
                ScopeVersion,
                Evidence,
                FundingDecision,
                Continuation,
                RoleAssignment,
                Span,
            )
        }
        self.covers = {}
        for row in Coverage.objects.all():
            self.covers.setdefault(row.requirement, set()).add(row.evidence_id)
        self.void = [(row.evidence_id, row.requirement, row.effective_at) for row in Voiding.objects.all()]

    @staticmethod
    def _by(model):
        found: dict = {}
        for row in model.objects.order_by("pk"):
            found.setdefault(row.initiative_id, []).append(row)
        return found

    def rows(self, model, case):
        return self.of[model].get(case.pk, [])

    def within(self, day) -> bool:
        return not ((self.since and day < self.since) or (self.until and day > self.until))

    def span(self, case):
        if case.standing.rulebook_id != self.book.pk:
            return None
        return next(
            (
                s
                for s in self.rows(Span, case)
                if s.from_at <= self.now and (not s.until_at or s.until_at > self.now)
            ),
            None,
        )

    def passes_all(self, case):
        span = self.span(case)
        return span and span.governance and span.integration and span.adoption

    def pilot(self, case):
        days = self.book.book.stages["mvp"].max_days_before_review
        continued = any(
            row.at >= case.since and row.until >= clock.today() for row in self.rows(Continuation, case)
        )
        return case.stage == "mvp" and self.now - case.since > timedelta(days=days) and not continued

    def scalable(self, case):
        return case.stage == "mvp" and bool(self.passes_all(case)) and not self.pilot(case)

    def trial(self, case):
        return case.stage == "mvp" and self.span(case) and not self.passes_all(case) and not self.pilot(case)

    def deployed(self, case):
        rolled = any(
            row.rollout and row.starts_at <= self.now and not (row.ended_at and row.ended_at <= self.now)
            for row in self.rows(ScopeVersion, case)
        )
        return case.stage == "production" or (case.stage == "mvp" and rolled)

    def used(self, case):
        readings = [
            item
            for item in self.rows(Evidence, case)
            if item.pk in self.covers.get("adopt.usage", ())
            and item.result
            and not (item.withdrawn_at or item.missing_since)
            and not any(
                key == item.pk and of == "adopt.usage" and at <= self.now for key, of, at in self.void
            )
        ]
        if not readings:
            return False
        newest = max(readings, key=lambda item: (item.observed_on, item.added_at, item.pk))
        days = self.book.book.requirements["adopt.usage"].days(case.tier == "high")
        current = not days or newest.observed_on + timedelta(days=days) >= clock.today()
        return newest.result == "pass" and current

    def funded(self, case):
        return any(
            row.label and not row.withdrawn_at and self.within(row.decided_on)
            for row in self.rows(FundingDecision, case)
        )

    def oversold(self, case):
        span = self.span(case)
        larger = case.stage == "mvp" and case.basis != "import" and span and RANK[span.supported] < 2
        return bool(larger) or self.funded(case)

    def underdesigned(self, case):
        if case.stage != "mvp" or case.basis == "import":
            return False
        held = any(
            row.accepted_at and not row.ended_at and row.person.is_active
            for row in self.rows(RoleAssignment, case)
            if row.role == "support_owner"
        )
        span = self.span(case)
        return not held or bool(span and {"application", "integration"} & set(span.gaps))

    def too_early(self, case):
        live = [
            row
            for row in self.rows(StageChange, case)
            if row.to_stage == "production" and row.basis != "import" and self.within(clock.local_day(row.at))
        ]
        back = any(
            other.from_stage == "production"
            and other.pk > row.pk
            and other.at <= row.at + timedelta(days=180)
            for row in live
            for other in self.rows(StageChange, case)
        )
        span = self.span(case)
        return back or bool(live and case.stage == "production" and span and span.shortfall)

    def late(self, case):
        starts = [
            row.starts_at
            for row in ContractVersion.objects.filter(contract=case.contract_id)
            if row.starts_at
        ]
        accepted = [
            row.accepted_at
            for row in self.rows(RoleAssignment, case)
            if row.role == "support_owner" and row.accepted_at
        ]
        for row in self.rows(StageChange, case):
            if row.basis == "import" or not self.within(clock.local_day(row.at)):
                continue
            if (row.from_stage, row.to_stage) == ("prototype", "mvp") and not any(
                at <= row.at for at in starts
            ):
                return True
            if row.to_stage == "production" and not any(at <= row.at for at in accepted):
                return True
        return False

    def trust_lost(self, case):
        for key in (key for key in self.covers if key.startswith("adopt.")):
            items = [
                item
                for item in self.rows(Evidence, case)
                if item.pk in self.covers[key] and item.result and not item.withdrawn_at
            ]
            items.sort(key=lambda item: (item.observed_on, item.added_at, item.pk))
            passed = any(item.result == "pass" for item in items[:-1])
            if passed and items[-1].result != "pass" and self.within(items[-1].observed_on):
                return True
        return False

    def answered_no(self, case):
        most = timedelta(days=self.book.book.stages["prototype"].max_days_before_review)
        moves = self.rows(StageChange, case)
        for place, row in enumerate(moves):
            said = row.basis == "stopped" and row.reason.startswith("Answered: it is not worth going on")
            if case.stage != "stopped" or not said or not self.within(clock.local_day(row.at)):
                continue
            began = [other.at for other in moves[:place] if other.to_stage == "prototype"]
            if row.from_stage == "proposed" or (
                row.from_stage == "prototype" and began and row.at <= began[-1] + most
            ):
                return True
        return False

    def figures(self) -> dict[str, set[int]]:
        """Every figure of the page, by its key, as the keys of its cases."""
        by_rule = {
            "scalable": self.scalable,
            "pilots": self.pilot,
            "trials": self.trial,
            "funded": self.funded,
            "oversold": self.oversold,
            "underdesigned": self.underdesigned,
            "too-early": self.too_early,
            "late": self.late,
            "trust-lost": self.trust_lost,
            "answered-no": self.answered_no,
        }
        for stage in ("mvp", "production"):
            at = lambda case, stage=stage: case.stage == stage and self.deployed(case)  # noqa: E731
            by_rule[f"deployed-{stage}"] = at
            by_rule[f"used-{stage}"] = lambda case, at=at: at(case) and self.used(case)
            by_rule[f"unused-{stage}"] = lambda case, at=at: at(case) and not self.used(case)
        for stage in RANK:
            by_rule[f"in-{stage}"] = lambda case, stage=stage: case.stage == stage and case.basis != "import"
        return {key: {case.pk for case in self.cases if rule(case)} for key, rule in by_rule.items()}


def shown(client, path: str):
    """A page, its links by address, and its response."""
    response = client.get(path)
    assert response.status_code == 200, path
    return BeautifulSoup(response.content, "html.parser")


def behind(client, link: str) -> set[str]:
    """The references on all pages of the rows behind a figure."""
    found, page = set(), 1
    while True:
        text = shown(client, f"{link}{'&' if '?' in link else '?'}page={page}")
        refs = {one.text for one in text.select("main tbody .ref")}
        if not refs - found:
            return found
        found |= refs
        page += 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_figure_is_what_the_rows_say(cast, seed):
    settle(cast, seed)
    today = clock.today()
    for person, since, until, unit in (
        (cast.auditor, None, None, None),
        (cast.chair, today - timedelta(days=400), today - timedelta(days=60), None),
        (cast.outsider, None, None, None),
        (cast.auditor, today - timedelta(days=200), None, cast.elsewhere),
    ):
        wanted = leading.Wanted(clock.now(), Rulebook.objects.in_force(), since, until)
        cases = leading.annotated(permissions.visible_to(person), wanted)
        if unit:
            cases = cases.filter(unit__path__startswith=unit.path)
        told = {
            key: set(one.cases(cases, wanted).values_list("pk", flat=True))
            for key, one in leading.FIGURES.items()
        }
        raw = Raw(person, since, until, unit).figures()
        assert told.keys() == raw.keys()
        for key in told:
            assert told[key] == raw[key], (key, person.login, since)
    everything = Raw(cast.auditor).figures()
    assert sum(bool(everything[key]) for key in everything) > len(everything) - 4, (
        "the organisation is varied"
    )


def test_each_number_on_the_page_is_that_of_the_rows_it_leads_to(cast, as_):
    settle(cast, 4)
    client, raw = as_(cast.auditor), Raw(cast.auditor).figures()
    refs = dict(Initiative.objects.values_list("pk", "number"))
    page = shown(client, "/leaders/")
    numbers: dict[str, set[int]] = {}
    for one in page.select('main a[href^="/leaders/"]'):
        for label in one.select(".unseen"):
            label.extract()
        first, *_ = one.text.split()
        if first.isdecimal():
            numbers.setdefault(one["href"], set()).add(int(first))
    for key, cases in raw.items():
        link = f"/leaders/{key}/"
        if key.startswith("in-") and not cases:
            continue
        assert numbers[link] == {len(cases)}, key
        assert behind(client, link) == {f"AI-{refs[pk]:04d}" for pk in cases}, key
    rows = list(PostMortem.objects.filter(state="published"))
    rows = [row for row in rows if row.initiative_id in {case.pk for case in Raw(cast.auditor).cases}]
    assert numbers.get("/leaders/blamed/", {0}) == {len(rows)}
    # What a page says of a case stands beside it.
    for key in ("funded", "late", "trust-lost", "too-early", "answered-no", "oversold", "underdesigned"):
        found = list(Initiative.objects.filter(pk__in=raw[key]))
        wanted = leading.Wanted(clock.now(), Rulebook.objects.in_force())
        cases = leading.annotated(Initiative.objects.all(), wanted)
        why = reasons.of(key, list(leading.FIGURES[key].cases(cases, wanted)), wanted)
        assert all(why.get(case.pk) for case in found), key


def test_gaps_and_claims_lead_to_the_portfolio_with_as_many_cases(cast, as_):
    settle(cast, 5)
    client = as_(cast.auditor)
    raw = Raw(cast.auditor)
    page = shown(client, "/leaders/")
    hard = page.find(id="hard").find_parent("section")
    for row in hard.select("tbody tr"):
        gaps, cases = (cell.text.split()[0] for cell in row.select("td"))
        layer = next(key for key, words in LAYERS.items() if words == row.th.text)
        spans = [raw.span(case) for case in raw.cases]
        counts = [span.gaps[layer] for span in spans if span and layer in span.gaps]
        assert (int(gaps), int(cases)) == (sum(counts), len(counts))
    short = page.find(id="blurred").find_parent("section").find("a")
    spans = [raw.span(case) for case in raw.cases if case.stage in RANK]
    assert short.text.startswith(f"{sum(bool(span and span.shortfall) for span in spans)} ")
    assert "shortfall=on" in short["href"]


def test_matters_are_the_nine_standards_of_the_claimed_stage(cast, as_):
    """Real cases, judged once more one by one, from the facts alone."""
    factories.make_mvp(cast)
    bare = factories.make_prototype(cast, title="Bare claim")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE initiatives_initiative DISABLE TRIGGER USER")
    Initiative.objects.filter(pk=bare.pk).update(stage="mvp")
    bare = Initiative.objects.get(pk=bare.pk)
    with acting(system="test", reason="A claim without proof"):
        standing.rewrite([bare])
    (row,) = blurred([bare], Rulebook.objects.current(), clock.now())
    facts, book, now = standing.facts_of(bare), Rulebook.objects.current().book, clock.now()
    states = gates.states_at(facts, book, now)
    wanted = {
        matter
        for matter, stages in standards.SHOWN_BY.items()
        if any(states[key].state == "waived" or not states[key].grounded for key in stages["mvp"])
    }
    assert set(row.matters) == wanted
    assert len(wanted) > 5
    assert MATTERS.keys() == standards.SHOWN_BY.keys()
    client = as_(cast.chair)
    page = shown(client, "/leaders/").find(id="blurred").find_parent("section")
    for words in MATTERS.values():
        line = next(line for line in page.select("tbody tr") if line.th.text == words)
        matter = next(key for key, said in MATTERS.items() if said == words)
        assert line.td.text.split()[0] == str(int(matter in wanted)), words
        assert behind(client, line.a["href"]) == ({bare.ref} if matter in wanted else set())


def test_an_mvp_is_named_with_the_test_it_fails_and_what_is_missing(cast, as_):
    case = factories.make_mvp(cast)
    page = shown(as_(cast.chair), "/leaders/")
    told = " ".join(page.find(id="scale").find_parent("section").text.split())
    assert case.title in told
    assert "Fails adoption: Can users see why it said what it said?" in told
    later = clock.now() + timedelta(days=300)
    with clock.simulated(later):
        wanted = leading.Wanted(later, Rulebook.objects.in_force())
        cases = leading.annotated(Initiative.objects.all(), wanted)
        (old,) = leading.pilots(cases, wanted)
        (why,) = reasons.of("pilots", [old], wanted).values()
    assert "past its 270 days" in why[0]
    assert any(words.startswith("Fails ") for words in why)


def test_strangers_count_nothing_of_what_they_may_not_see(cast, as_):
    factories.make_mvp(cast)
    assert "Customer summary" in as_(cast.chair).get("/leaders/").content.decode()
    page = as_(cast.outsider).get("/leaders/")
    assert page.status_code == 200
    assert "Customer summary" not in page.content.decode()
    assert as_(cast.outsider).get("/leaders/nothing-like-it/").status_code == 404


def test_the_page_asks_no_more_of_many_cases(cast, as_):
    client = as_(cast.auditor)

    def asked(path="/leaders/"):
        client.get(path)
        with CaptureQueriesContext(connection) as found:
            assert client.get(path).status_code == 200
        return len(found)

    factories.make_mvp(cast)
    few = asked()
    settle(cast, 6)
    assert asked() <= max(few + 2, 25) <= 25
    assert all(asked(f"/leaders/{key}/") <= 20 for key in ("pilots", "oversold", "late", "unused-mvp"))
