"""Money and load equal sums over raw rows, by currency; of others, and of what one may not open, nothing is told."""

import csv
import io
import random
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from django.urls import reverse

from governance import clock
from governance.database.row_history import acting
from governance.models import Rulebook
from governance.organisation import actions as organisation_actions
from initiatives.models import BusinessCase, FundingDecision, Initiative, Obligation, RoleAssignment
from initiatives.portfolio.efforts import notes
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.insights import money, people
from tests.support import factories
from tests.support.reported_stages import make_reported

pytestmark = pytest.mark.django_db


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
                for name in ("given", "decisions", "budget", "run_cost", "benefit"):
                    told[line.currency][name] += getattr(line, name)
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
    assert "No gate asks for these figures" in page
    rows = list(
        csv.DictReader(io.StringIO(client.get(reverse("cost-export")).getvalue().decode("utf-8-sig")))
    )
    wanted = money_by_hand()
    for currency, counts in wanted.items():
        told = sum(Decimal(row["Given"]) for row in rows if row["Currency"] == currency)
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
    assert "By vendor" not in as_(cast.outsider).get(reverse("insights-money")).content.decode()
    assert as_(cast.outsider).get(reverse("cost-export")).status_code == 403


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
    assert "EUR" not in as_(other).get(reverse("cost-export")).getvalue().decode()


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
    assert "Who carries how much" not in as_(cast.outsider).get(reverse("insights-people")).content.decode()
    assert as_(cast.outsider).get(reverse("capacity-export")).status_code == 403
    rows = csv.DictReader(
        io.StringIO(as_(cast.chair).get(reverse("capacity-export")).getvalue().decode("utf-8-sig"))
    )
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
    assert "nobody yet" in text
    assert "neither is a criterion" in text
