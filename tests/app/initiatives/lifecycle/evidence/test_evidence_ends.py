"""What ends with an act, beside the triggers: what was attested of other words, and all of it at a reopening."""

from datetime import timedelta

import pytest

from adoption.demo import initiative_acts
from governance import clock
from governance.gates.requirement_state import State
from governance.gates.requirements import state_of
from governance.models import Rulebook
from governance.transparency_log import verification
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements import standalone
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.models.reviews import ConsentState
from tests.support import factories
from tests.support.servers import pipeline_issuers as issuers

pytestmark = pytest.mark.django_db


def state(initiative, key: str) -> State:
    """The state of one requirement of the initiative now."""
    return state_of(
        supported_stage.facts_of(initiative_acts.fresh(initiative)),
        Rulebook.objects.current().parsed,
        key,
        clock.now(),
    )


def test_other_words_are_not_attested_by_the_old_attestation(cast):
    initiative = factories.make_initiative(cast)
    today = clock.today()
    say = {"initiative": initiative, "requirement": "proto.question", "kind": "answered", "by": cast.owner}
    requirement_actions.answer(**say, text="Can it sort letters?", true_as_of=today)
    assert state(initiative, "proto.question").satisfied
    first = initiative.evidence.get(coverage__requirement="proto.question")

    requirement_actions.answer(**say, text="Can it write letters?")
    assert first.voidings.get().cause == "the attested answer was changed"
    assert [item.id for item in state(initiative, "proto.question").items] == [
        initiative.evidence.latest("pk").pk
    ]


def test_the_same_words_saved_again_keep_their_attestation(cast):
    initiative = factories.make_initiative(cast)
    for _ in range(2):
        requirement_actions.answer(
            initiative=initiative,
            requirement="proto.question",
            kind="answered",
            text="Can it sort letters?",
            true_as_of=clock.today(),
            by=cast.owner,
        )
    assert state(initiative, "proto.question").satisfied
    assert not initiative.evidence.filter(voidings__isnull=False).exists()


def test_reopening_ends_accepted_exceptions_and_waivers_too(cast):
    """No old evidence, acceptance or waiver is current after a reopening (docs/domain.md, "reopen")."""
    initiative = factories.make_prototype(cast)
    row = requirement_actions.answer(
        initiative=initiative,
        requirement="mvp.expectations",
        kind="not_applicable",
        text="Nobody uses it.",
        by=cast.owner,
    )
    requirement_actions.accept_not_applicable(
        initiative=initiative, requirement=row.requirement, version=row.version, by=cast.seat_risk
    )
    until = clock.today() + timedelta(days=30)
    waiver = WAIVERS.ask(initiative, key="mvp.workflow_known", reason="Later.", until=until, by=cast.owner)
    WAIVERS.agree(row=waiver, by=cast.chair)
    WAIVERS.agree(row=waiver, by=cast.seat_risk)
    assert state(initiative, "mvp.expectations").satisfied
    factories.stop_and_reopen(cast, initiative)
    assert initiative_acts.fresh(initiative).stage == "prototype"
    assert state(initiative, "mvp.expectations").state == "waiting"
    assert supported_stage.facts_of(initiative_acts.fresh(initiative)).waivers == ()
    assert state(initiative, "proto.question").state == "voided"


def test_reopening_ends_pipelines_risks_and_the_declaration_of_no_links(cast):
    initiative = factories.make_prototype(cast)
    pipeline = issuers.make_pipeline(cast, initiative)
    standalone.declare(initiative=initiative, reason="It reads one file.", by=cast.owner)
    running, asked = (
        factories.ask_risk(cast, initiative, title=title) for title in ("Old prices", "Old names")
    )
    ACCEPTED_RISKS.agree(row=running, by=cast.seat_risk)
    factories.stop_and_reopen(cast, initiative)
    for row in (pipeline, running, asked):
        row.refresh_from_db()
    assert pipeline.ended_by == cast.chair
    assert (running.state, running.ended_by) == (ConsentState.PAST, cast.chair)
    assert asked.refused_by == cast.chair
    assert standalone.current_declaration(initiative) is None
    assert verification.verify().findings == []
