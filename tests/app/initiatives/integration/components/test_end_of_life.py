"""A model's end of life: asked about ninety days before, and from its day on a finding that counts."""

from datetime import timedelta

import pytest

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.gates import criteria
from governance.models import Rulebook
from governance.notifications.due import find
from governance.notifications.inbox import tasks_for
from governance.rulebook import shipped_text
from governance.vocabulary import Stage, TakesEffect
from initiatives.integration.components.findings import REQUIREMENT
from initiatives.integration.components.inbox import components_ending
from initiatives.integration.components.register import actions as register_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.findings.sync import follow_register
from initiatives.models import RequirementFinding
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.initiatives.register_findings import against

pytestmark = pytest.mark.django_db


def in_days(days: int):
    return clock.today() + timedelta(days=days)


def on(days: int):
    """Noon, some days from now."""
    return clock.simulated(clock.midnight_before(in_days(days)) + timedelta(hours=12))


def changed(cast, model, **fields):
    said = {name: getattr(model, name) for name in register_actions.SAID} | {
        "end_of_life_source": "The vendor's calendar"
    }
    return register_actions.keep_component(component=model, by=cast.admin, **said | fields)


@pytest.fixture
def initiative(cast):
    return factories.make_mvp(cast)


def reminded() -> set[str]:
    """The logins of who is told now that a model ends."""
    return {due.person.login for due in find(queries=[components_ending]).values()}


def supported(initiative) -> str:
    """What the evidence of the initiative supports now."""
    facts, rulebook, now = (
        supported_stage.facts_of(initiative_acts.fresh(initiative)),
        Rulebook.objects.current().parsed,
        clock.now(),
    )
    return criteria.judge(facts, rulebook, now).support.supported


def asked(person) -> list:
    return [line for line in tasks_for(person) if "replaces" in line.text]


def test_it_counts_from_its_day_on_and_not_before(cast, initiative):
    model = factories.make_model(cast, end_of_life=in_days(100))
    use = factories.make_use(cast, initiative, model)
    row = RequirementFinding.objects.current().get(source=f"component:{use.pk}:end_of_life")
    assert row.requirement == REQUIREMENT == "prod.performance"
    assert row.since == clock.midnight_before(in_days(100))
    assert against(initiative, REQUIREMENT) == []
    with on(99):
        assert against(initiative, REQUIREMENT) == []
    with on(100):
        assert against(initiative, REQUIREMENT) == [row.words]


def test_production_is_not_supported_past_the_end_of_life_and_is_until_then(cast):
    initiative = factories.make_production(cast)
    use = initiative.deployments.get(version__layer="model", runs_to__isnull=True)
    assert supported(initiative) == Stage.PRODUCTION
    model = factories.make_model(cast, end_of_life=in_days(20))
    # The same version, named in the register now: no other model runs.
    with unguarded("initiatives_deployment"), acting(by=cast.owner, reason="Named later"):
        use.version = model
        use.save()
    changed(cast, model, region="eu-west")
    assert supported(initiative) == Stage.PRODUCTION
    ends = clock.midnight_before(in_days(20))
    with clock.simulated(ends - timedelta(seconds=1)):
        assert supported(initiative) == Stage.PRODUCTION
    with clock.simulated(ends):
        assert supported(initiative) == Stage.MVP


def test_the_question_opens_ninety_days_before_on_the_inboxes_of_owner_and_technical_lead(cast, initiative):
    model = factories.make_model(cast, end_of_life=in_days(100))
    factories.make_use(cast, initiative, model)
    with on(9):
        assert reminded() == set()
        assert asked(cast.owner) == asked(cast.lead) == []
    with on(10):
        assert reminded() == {cast.owner.login, cast.lead.login}
        (line,) = asked(cast.lead)
        assert (line.ref, line.due, line.verb) == (initiative.ref, model.end_of_life, "answer")
        assert len(asked(cast.owner)) == 1
        assert asked(cast.steward) == asked(cast.chair) == []
    with on(108):
        assert cast.chair.login in reminded(), "a week past it the chair hears of it"


def test_what_depends_on_a_model_asks_about_it_before_its_end(cast, as_, initiative):
    successor = factories.make_model(cast, version="5")
    model = factories.make_model(cast, end_of_life=in_days(100), successor=successor)
    factories.make_use(cast, initiative, model)
    depends, other = (
        at("requirement", initiative.ref, REQUIREMENT),
        at("requirement", initiative.ref, "proto.scope"),
    )
    said = f"reaches its end of life on {in_days(100):%-d %B %Y}"
    with on(9):
        assert said not in text_of(as_(cast.lead).get(depends))
    with on(10):
        page = text_of(as_(cast.lead).get(depends))
        assert said in page
        assert model.get_absolute_url() in page
        assert f"Successor: {successor}" in page
        assert "Record the replacement" in page
        assert said not in text_of(as_(cast.lead).get(other)), "it lists no trigger of a model"
        stranger = text_of(as_(cast.seat_risk).get(depends))
        assert said in stranger
        assert "Ask the owner or the technical lead to record the replacement." in stranger
    factories.make_use(cast, initiative, successor, runs_from=clock.midnight_before(in_days(50)))
    with on(20):
        assert said not in text_of(as_(cast.lead).get(depends))


def test_the_rulebook_says_how_many_days_before_the_question_opens(cast, initiative):
    source = shipped_text().replace("component_end_days = 90", "component_end_days = 20")
    factories.make_rulebook(cast.admin, cast.chair, source=source, takes_effect=TakesEffect.AT_ONCE)
    factories.make_use(cast, initiative, factories.make_model(cast, end_of_life=in_days(100)))
    with on(79):
        assert reminded() == set()
        assert asked(cast.lead) == []
    with on(80):
        assert reminded() == {cast.owner.login, cast.lead.login}
        assert len(asked(cast.lead)) == 1


def test_a_initiative_that_recorded_what_replaces_it_is_left_alone(cast, initiative):
    successor = factories.make_model(cast, version="5")
    model = factories.make_model(cast, end_of_life=in_days(30), successor=successor)
    factories.make_use(cast, initiative, model)
    assert reminded() == {cast.owner.login, cast.lead.login}
    (line,) = asked(cast.owner)
    assert f"replaces={initiative.deployments.get(version=model).pk}&listed={successor.pk}" in line.link
    factories.make_use(cast, initiative, successor, runs_from=clock.midnight_before(in_days(29)))
    assert reminded() == set()
    assert asked(cast.owner) == []
    assert not RequirementFinding.objects.current().filter(source__startswith="component:").exists()
    with on(31):
        assert against(initiative, REQUIREMENT) == []


def test_one_that_is_replaced_too_late_counts_in_between(cast, initiative):
    model = factories.make_model(cast, end_of_life=in_days(30))
    factories.make_use(cast, initiative, model)
    factories.make_use(
        cast,
        initiative,
        factories.make_model(cast, version="5"),
        runs_from=clock.midnight_before(in_days(40)),
    )
    (row,) = RequirementFinding.objects.current().filter(source__startswith="component:")
    assert (row.since, row.until) == (
        clock.midnight_before(in_days(30)),
        clock.midnight_before(in_days(40)),
    )
    with on(41):
        follow_register()
        assert not RequirementFinding.objects.current().filter(source__startswith="component:").exists()


def test_every_initiative_that_runs_it_hears_of_a_change_at_once(cast, initiative):
    model = factories.make_model(cast)
    other = factories.make_prototype(cast, title="Another one")
    for one in (initiative, other):
        factories.make_use(cast, one, model)
    rows = RequirementFinding.objects.current().filter(source__startswith="component:")
    assert not rows.exists()
    model = changed(cast, model, end_of_life=in_days(-1))
    assert set(rows.values_list("initiative", flat=True)) == {initiative.pk, other.pk}
    assert against(initiative, REQUIREMENT), "it is past: it counts at once"
    changed(cast, model, end_of_life=None, end_of_life_source="")
    assert not rows.exists()


def test_the_finding_leads_to_where_it_is_fixed(cast, as_, initiative):
    factories.make_use(cast, initiative, factories.make_model(cast, end_of_life=in_days(-1)))
    page = text_of(as_(cast.lead).get(at("integration", initiative.ref)))
    assert "Record the replacement" in page
    assert "Record the replacement" not in text_of(as_(cast.seat_risk).get(at("integration", initiative.ref)))
    assert "end of life since" in text_of(as_(cast.seat_risk).get(at("deployments", initiative.ref)))


def test_of_another_layer_it_is_asked_what_replaces_it_and_nothing_counts_less(cast, initiative):
    gateway = register_actions.keep_component(
        layer="policy",
        vendor=None,
        name="Gateway",
        version="2",
        end_of_life=in_days(-1),
        end_of_life_source="Its release notes",
        by=cast.admin,
    )
    factories.make_use(cast, initiative, gateway)
    (line,) = asked(cast.lead)
    assert "Gateway 2" in line.text
    assert cast.lead.login in reminded()
    assert not RequirementFinding.objects.current().filter(source__startswith="component:").exists()
