"""Money and load equal sums over raw rows, by currency; of others, and of what one may not open, nothing is told."""

import csv
import io
import random
from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Rulebook
from governance.organisation import actions as organisation_actions
from governance.rulebook import shipped_text
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence.verification import actions as verification_actions
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.models import BusinessCase, FundingDecision, Initiative, Obligation, RoleAssignment
from initiatives.portfolio.efforts import notes
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.insights import money, people
from tests.support import factories
from tests.support.reported_stages import make_reported

pytestmark = pytest.mark.django_db
COSTS, LOADS = "/insights/money/?format=csv", "/insights/people/?format=csv"


@pytest.fixture
def portfolio(cast):
    """Some initiatives with amounts drawn by a fixed seed."""
    drawn = random.Random(27)
    stages = ("proposed", "prototype", "mvp", "production")
    initiatives = [
        make_reported(cast, drawn.choice(stages), title=f"Initiative {number}") for number in range(8)
    ]
    with acting(by=cast.admin, reason="Stated"):
        for initiative in initiatives[:6]:
            amounts = {
                name: Decimal(drawn.randrange(1, 10_000)) / 4 for name in ("budget", "run_cost", "benefit")
            }
            BusinessCase(
                initiative=initiative,
                currency=drawn.choice(("EUR", "USD")),
                vendor=drawn.choice(("Acme", "acme ", "")),
                **amounts,
            ).save()
    for initiative in initiatives:
        for _ in range(drawn.randrange(3)):
            notes.record_funding(
                initiative=initiative,
                decided_on=clock.today(),
                decided_by="The investment committee",
                basis="Its plan",
                amount=Decimal(drawn.randrange(1, 50_000)) / 100,
                currency=drawn.choice(("EUR", "USD", "CHF")),
                by=cast.chair,
            )
    taken = notes.record_funding(
        initiative=initiatives[0],
        decided_on=clock.today(),
        decided_by="X",
        basis="Y",
        amount=Decimal(999),
        currency="EUR",
        by=cast.chair,
    )
    notes.withdraw(note=taken, reason="Never decided.", by=cast.chair)
    return initiatives


def money_by_hand() -> dict[str, Counter]:
    """By currency, sums over raw rows."""
    found: dict[str, Counter] = defaultdict(Counter)
    for row in FundingDecision.objects.all():
        if row.withdrawn_at is None and row.amount is not None:
            found[row.currency]["given"] += row.amount
            found[row.currency]["decisions"] += 1
    for row in BusinessCase.objects.all():
        for name in ("budget", "run_cost", "benefit"):
            found[row.currency][name] += getattr(row, name) or 0
    return found


def costed():
    initiatives = Initiative.objects.own().live()
    return money.costed(initiatives, Rulebook.objects.in_force(), clock.now())


def test_sums_equal_those_over_raw_rows_in_all_and_in_each_table(cast, portfolio):
    wanted = money_by_hand()
    found = costed()
    assert {one.currency for one in money.summed(found)} == set(wanted)
    for tables in (
        [money.Group("", "", money.summed(found))],
        money.by_stage(found),
        money.by_vendor(found),
    ):
        told: dict[str, Counter] = defaultdict(Counter)
        for group in tables:
            for line in group.sums:
                told[line.currency].update(line.sums | {"decisions": line.decisions})
        assert {currency: +counts for currency, counts in told.items()} == {
            currency: +counts for currency, counts in wanted.items()
        }


def test_a_failing_test_counts_what_shows_less_than_its_approved_stage(cast, portfolio):
    found = costed()
    imported = [one for one in found if one.stage in ("mvp", "production")]
    assert imported
    assert all(set(one.failing) == set(money.TESTS) for one in imported), "an import shows nothing"
    assert not any(one.failing for one in found if one.stage not in ("mvp", "production"))
    for group in money.by_failing_test(found):
        assert sum(line.initiatives for line in group.sums) == sum(len(one.money) for one in imported)


def test_the_file_and_the_page_say_the_same_and_nothing_of_others(cast, as_, portfolio):
    client = as_(cast.chair)
    page = client.get(reverse("insights-money")).content.decode()
    assert "Gates do not depend on these figures" in page
    rows = list(csv.DictReader(io.StringIO(client.get(COSTS).getvalue().decode("utf-8-sig"))))
    wanted = money_by_hand()
    for currency, counts in wanted.items():
        told = sum(Decimal(row["Given"] or 0) for row in rows if row["Currency"] == currency)
        assert told == counts["given"]
    batch = inventory_actions.upload_batch(
        content=b"Name,Agency,Stage\nTheirs,Other Org,Pilot\n",
        file_name="t.csv",
        source="theirs",
        by=cast.admin,
    )
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    with acting(by=cast.admin, reason="Stated"):
        theirs = Initiative.objects.get(title="Theirs")
        BusinessCase(initiative=theirs, currency="EUR", budget=Decimal(1)).save()
    for person in (cast.chair, cast.admin):
        assert as_(person).get(reverse("insights-money")).content.decode().count("Theirs") == 0
    assert "Money by vendor" not in as_(cast.outsider).get(reverse("insights-money")).content.decode()
    assert as_(cast.outsider).get(COSTS).status_code == 403


def test_a_confidential_initiative_is_counted_for_who_opens_it_alone(cast, as_):
    initiative = factories.make_initiative(cast, title="Secret plan")
    with acting(by=cast.admin, reason="Of a person"):
        initiative.confidential = True
        initiative.save()
    notes.record_funding(
        initiative=initiative,
        decided_on=clock.today(),
        decided_by="X",
        basis="Y",
        amount=Decimal(5),
        currency="EUR",
        by=cast.chair,
    )
    assert "Secret plan" in as_(cast.chair).get(reverse("insights-money")).content.decode()
    board = organisation_actions.add_board(name="Another", unit=cast.elsewhere, by=cast.admin)
    other = factories.make_person("elsewhere-chair")
    organisation_actions.appoint(board=board, person=other, seat="chair", by=cast.admin)
    answer = as_(other).get(reverse("insights-money"))
    assert answer.status_code == 200
    assert "Secret plan" not in answer.content.decode()
    assert "EUR" not in as_(other).get(COSTS).getvalue().decode()


def test_load_equals_counts_over_raw_rows(cast, as_, portfolio):
    today = clock.today()
    found = {load.person.pk: load for load in people.loads(Initiative.objects.own(), today, clock.now())}
    held = Counter(
        row.person_id
        for row in RoleAssignment.objects.select_related("initiative", "person")
        if row.in_force and row.initiative.stage not in ("stopped", "retired")
    )
    assert held
    assert {pk: load.held for pk, load in found.items() if load.held} == dict(held)
    open_obligations = Counter(row.responsible_id for row in Obligation.objects.open() if row.responsible_id)
    assert {pk: load.due for pk, load in found.items() if load.due} == dict(open_obligations)
    text = as_(cast.chair).get(reverse("insights-people")).content.decode()
    assert cast.owner.full_name in text
    assert "Workload by person" not in as_(cast.outsider).get(reverse("insights-people")).content.decode()
    assert as_(cast.outsider).get(LOADS).status_code == 403
    rows = csv.DictReader(io.StringIO(as_(cast.chair).get(LOADS).getvalue().decode("utf-8-sig")))
    assert {row["Person"]: int(row["Roles held"]) for row in rows}[cast.owner.full_name] == held[
        cast.owner.pk
    ]


def test_ideas_side_by_side_show_cost_benefit_and_people(cast, as_):
    initiative = factories.make_initiative(cast, title="Claims triage")
    with acting(by=cast.admin, reason="Stated"):
        BusinessCase(
            initiative=initiative, currency="EUR", budget=Decimal(1000), benefit=Decimal(2500)
        ).save()
    text = as_(cast.chair).get(reverse("ideas"), {"initiative": initiative.ref}).content.decode()
    assert "EUR 1,000.00" in text
    assert "EUR 2,500.00" in text
    assert "Benefit a year, stated" in text
    assert "no one yet" in text
    assert "are not criteria of the gate" in text


def test_what_nobody_states_is_not_a_zero(cast, as_):
    initiatives = [factories.make_initiative(cast, title=title) for title in ("One", "Two")]
    with acting(by=cast.admin, reason="Stated"):
        BusinessCase(initiative=initiatives[0], currency="EUR", budget=Decimal(1000)).save()
        BusinessCase(initiative=initiatives[1], currency="EUR", run_cost=Decimal(0)).save()
    (line,) = money.summed(costed())
    assert line.words == {
        "given": "not stated",
        "budget": "1,000.00 (1 of 2 stated)",
        "run_cost": "0.00 (1 of 2 stated)",
        "benefit": "not stated",
    }
    page = as_(cast.chair).get(reverse("insights-money")).content.decode()
    assert "Budget: 1,000.00 (1 of 2 stated)" in page
    assert "Given: not stated" in page


class TestVerifying:
    KEY = "mvp.rollout"

    @pytest.fixture
    def initiative(self, cast):
        """A prototype with two plans, one verified after 40 seconds and one refused after 100, by one person."""
        initiative = factories.make_prototype(cast)
        initiative_acts.propose_and_confirm_tier(initiative, cast.team)
        factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
        initiative = initiative_acts.fresh(initiative)
        requirement_actions.answer(
            initiative=initiative, requirement=self.KEY, kind="answered", text="Forty people.", by=cast.owner
        )
        for name, seconds, shows in (("Plan", 40, True), ("Annex", 100, False)):
            item = evidence_actions.add_evidence(
                initiative=initiative,
                kind="document",
                title=name,
                observed_on=clock.today(),
                covers=[self.KEY],
                file=ContentFile(f"{name}: forty account managers in the north.".encode(), "plan.txt"),
                by=cast.owner,
            )
            self.say(item, cast.seat_risk, seconds, shows)
        return initiative

    def say(self, item, by, seconds, shows):
        verification_actions.open_item(initiative=item.initiative, evidence=item, way="look", by=by)
        with clock.simulated(clock.now() + timedelta(seconds=seconds)):
            verification_actions.verify(
                evidence=item,
                requirement=self.KEY,
                shows=shows,
                place="Line 1",
                words=f"{item} names forty people.",
                fingerprint=item.fingerprint,
                answer_version=1,
                by=by,
            )

    def test_it_is_summed_by_seat_and_person(self, cast, initiative):
        self.say(initiative.evidence.get(title="Plan"), cast.seat_risk, 400, shows=True)
        (row,) = people.verifying(Initiative.objects.filter(pk=initiative.pk))
        assert (row.person, row.seat, row.count) == (cast.seat_risk, "risk_compliance", 3)
        assert (row.refused, row.repeated) == (1, 1)
        assert 99 < row.median_seconds < 101
        assert people.verifying(Initiative.objects.exclude(pk=initiative.pk)) == []

    def test_auditors_and_chairs_read_it_and_nobody_else(self, cast, initiative, as_):
        address = reverse("insights-people")
        for person in (cast.auditor, cast.chair):
            shown = as_(person).get(address).content.decode()
            assert "Verification of evidence" in shown
            assert "50 %" in shown
        for person in (cast.seat_risk, cast.owner, cast.admin):
            assert "Verification of evidence" not in as_(person).get(address).content.decode(), person
