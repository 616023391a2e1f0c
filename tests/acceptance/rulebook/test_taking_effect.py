"""From when a new rulebook decides what the evidence of an initiative supports: at once, on a day, or case by case."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Rulebook
from governance.organisation import actions as organisation_actions
from governance.rulebook import shipped_text
from governance.vocabulary import TakesEffect
from initiatives.lifecycle.facts import rulebook_in_effect, supported_stage
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.lifecycle.stages import periodic
from initiatives.models import Initiative, Obligation, SupportedStage
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import SIGNED
from tests.support.initiatives.open_reviews import signed_off
from tests.support.rules.plain_rulebook import plain_text

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def company(cast):
    factories.make_production(cast, title="Runs")
    return cast


def initiative_of(title="Runs") -> Initiative:
    return Initiative.objects.get(title=title)


def publish(company, source=None, **published) -> Rulebook:
    return factories.make_rulebook(
        company.admin,
        company.chair,
        source or shipped_text(),
        **{"takes_effect": "case_by_case"} | published,
    )


def alike(version: str) -> str:
    """The rules of 0.9 under another name: who decides is the only thing that differs."""
    return plain_text().replace('version = "0.9"', f'version = "{version}"')


def deciding(initiative: Initiative) -> str:
    """The version that decides, and that the supported stage was written by."""
    version = rulebook_in_effect.rulebook_of(initiative_acts.fresh(initiative)).version
    assert SupportedStage.objects.get(initiative=initiative).rulebook.version == version
    return version


def test_at_once_it_decides_for_every_initiative(company):
    assert supported_stage.judged(initiative_of()).support.supported == "production"
    publish(company, takes_effect="at_once")
    assert deciding(initiative_of()) == "1.0"
    assert supported_stage.judged(initiative_of()).support.supported == "prototype"
    assert Obligation.objects.filter(kind="step_back").count() == 1


@pytest.mark.parametrize(("tier", "days"), [("limited", 365), ("high", 180)])
def test_case_by_initiative_nothing_falls_until_the_last_day(company, tier, days):
    with unguarded("initiatives_initiative"), acting(by=company.admin, reason="As the risk seat would."):
        initiative = initiative_of()
        initiative.tier = tier
        initiative.save()
    now = clock.now()
    with clock.simulated(now):
        publish(company)
        initiative = initiative_of()
        assert deciding(initiative) == "0.9"
        assert not Obligation.objects.filter(kind="step_back").exists()
    last = clock.midnight_after(clock.local_day(now) + timedelta(days=days))
    assert rulebook_in_effect.successor(initiative, now) == (last, Rulebook.objects.current())
    # The supported stage foretells the moment, so that whoever reads it needs no task to have run.
    assert initiative.spans.get(from_at=last).supported == "prototype"
    with clock.simulated(last - timedelta(microseconds=1)):
        assert rulebook_in_effect.rulebook_of(initiative).version == "0.9"
    with clock.simulated(last):
        assert initiative.pk in periodic.recompute()
        assert deciding(initiative) == "1.0"
        assert rulebook_in_effect.successor(initiative, last) is None


def test_on_a_day_it_decides_from_its_first_moment(company):
    day = clock.today() + timedelta(days=20)
    publish(company, takes_effect="on_a_day", effective_on=day)
    initiative, first = initiative_of(), clock.midnight_before(day)
    assert deciding(initiative) == "0.9"
    assert initiative.spans.get(from_at=first).supported == "prototype"
    with clock.simulated(first - timedelta(microseconds=1)):
        assert supported_stage.judged(initiative).support.supported == "production"
    with clock.simulated(first):
        assert supported_stage.judged(initiative).support.supported == "prototype"
        periodic.recompute()
        assert deciding(initiative) == "1.0"
        (obligation,) = Obligation.objects.filter(kind="step_back")
        assert obligation.due == clock.last_day_before(first) + timedelta(days=14)


def test_a_initiative_registered_since_stands_under_it(company):
    publish(company)
    assert deciding(factories.make_initiative(company, title="New")) == "1.0"


def test_re_attestation_moves_a_initiative(company):
    publish(company, source=alike("2027.1"))
    initiative = initiative_of()
    with clock.simulated(clock.now() + timedelta(days=3)):
        for row in initiative.roles.in_force().filter(role__in=("owner", "support_owner")):
            role_actions.reaccept_role(assignment=row, by=row.person)
        assert deciding(initiative) == "0.9"
        stage_actions.reattest(initiative=initiative, reason="It still serves.", by=company.chair)
        assert deciding(initiative) == "2027.1"


def test_a_review_that_was_open_keeps_its_version_and_so_does_the_initiative(company):
    review = signed_off(company)
    initiative = review.initiative
    publish(company, source=alike("2027.1"))
    review_actions.decide(review=review, outcome="approved", reason="It is useful.", by=company.chair)
    assert (initiative_acts.fresh(initiative).stage, deciding(initiative)) == ("mvp", "0.9")


def test_a_gate_decided_under_it_moves_a_initiative(company):
    idea = factories.make_prototype(company, title="Before")
    publish(company, source=alike("2027.1"))
    assert deciding(idea) == "0.9"
    initiative_acts.to_mvp(idea, company.team)
    assert deciding(idea) == "2027.1"
    idea = initiative_acts.fresh(idea)
    moved = idea.reviews.get(gate="mvp").ended_at
    assert rulebook_in_effect.rulebook_of(idea, moved - timedelta(microseconds=1)).version == "0.9"
    assert rulebook_in_effect.rulebook_of(idea, moved).version == "2027.1"


def test_a_newer_version_at_once_ends_the_waiting_for_one_before_it(company):
    publish(company, source=alike("2027.1"))
    assert deciding(initiative_of()) == "0.9"
    publish(company, source=alike("2027.2"), takes_effect="at_once")
    assert deciding(initiative_of()) == "2027.2"
    assert rulebook_in_effect.successor(initiative_of(), clock.now()) is None


def test_two_that_wait_decide_one_after_the_other(company):
    now = clock.now()
    publish(
        company,
        source=alike("2027.1"),
        takes_effect="on_a_day",
        effective_on=clock.today() + timedelta(days=10),
    )
    publish(
        company,
        source=alike("2027.2"),
        takes_effect="on_a_day",
        effective_on=clock.today() + timedelta(days=30),
    )
    told = rulebook_in_effect.deciding_from(initiative_of(), clock.now())
    assert [row.version for _, row in told] == ["0.9", "2027.1", "2027.2"]
    publish(
        company,
        source=alike("2027.3"),
        takes_effect="on_a_day",
        effective_on=clock.today() + timedelta(days=20),
    )
    told = rulebook_in_effect.deciding_from(initiative_of(), clock.now())
    assert [row.version for _, row in told] == ["0.9", "2027.1", "2027.3"], "the newest one lasts"
    assert [since > now for since, _ in told] == [True, True, True]


@pytest.mark.parametrize(
    ("published", "field"),
    [
        ({"takes_effect": "on_a_day"}, "effective_on"),
        ({"takes_effect": "on_a_day", "effective_on": 0}, "effective_on"),
        ({"takes_effect": "on_a_day", "effective_on": 731}, "effective_on"),
        ({"takes_effect": "case_by_case", "grace_until": 10}, "grace_until"),
        ({"takes_effect": "one day"}, "takes_effect"),
    ],
)
def test_what_does_not_fit_together_is_refused_at_its_field(company, published, field):
    days = {
        name: clock.today() + timedelta(days=value) if isinstance(value, int) else value
        for name, value in published.items()
    }
    with pytest.raises(ValidationError) as refused:
        publish(company, **days)
    assert list(refused.value.error_dict) == [field]
    assert Rulebook.objects.current().version == "0.9"


def test_the_database_keeps_how_a_published_one_takes_effect(company):
    rulebook = publish(company)
    with (
        pytest.raises(DatabaseError, match="takes_effect of governance_rulebook stays"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE governance_rulebook SET takes_effect = %s WHERE id = %s",
            [TakesEffect.AT_ONCE, rulebook.pk],
        )
    draft = organisation_actions.load_rulebook(source=alike("2028.1"), by=company.admin)
    with (
        pytest.raises(DatabaseError, match="effective_day"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE governance_rulebook SET takes_effect = %s WHERE id = %s", [TakesEffect.ON_A_DAY, draft.pk]
        )


def test_the_page_of_the_initiative_says_who_decides_and_what_comes(company, as_):
    publish(company)
    initiative, last = initiative_of(), clock.today() + timedelta(days=366)
    text = as_(company.owner).get(initiative.get_absolute_url()).content.decode()
    assert "Rulebook 0.9 decides the supported stage here." in text
    assert f"at the latest from {last:%-d %B %Y}" in text
    assert "evidence supports Prototype" in text
    assert "approved, evidence supports it" in text
    portfolio = as_(company.owner).get("/initiatives/?unsupported=on").content.decode()
    assert initiative.ref not in portfolio


def test_the_chair_chooses_on_the_page(company, as_):
    rulebook = organisation_actions.load_rulebook(source=alike("2027.1"), by=company.admin)
    organisation_actions.propose_publication(rulebook=rulebook, by=company.admin)
    chair, address = as_(company.chair), "/rulebook/2027.1/publish/"
    page = chair.get(address).content.decode()
    assert re.search(r'value="case_by_case"[^>]*checked', page)
    refused = chair.post(address, SIGNED | {"takes_effect": "on_a_day"})
    assert refused.status_code == 200
    assert "Choose a future day" in refused.content.decode()
    day = clock.today() + timedelta(days=9)
    assert chair.post(address, SIGNED | {"takes_effect": "on_a_day", "effective_on": day}).status_code == 302
    published = Rulebook.objects.current()
    assert (published.version, published.takes_effect, published.effective_on) == ("2027.1", "on_a_day", day)
