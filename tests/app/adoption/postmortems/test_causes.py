"""Assumed against found layers: every figure is the rows behind it, and only what was published counts."""

from datetime import timedelta

import pytest

from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems.cause_analysis import assumed_and_found, overdue
from adoption.postmortems.writing import write
from governance import clock
from governance.database.row_history import acting
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative
from tests.app.adoption.postmortems.test_postmortems import LESSON, WHOLE
from tests.support import factories

pytestmark = pytest.mark.django_db


def said(side, how, layer, by_whom="") -> dict:
    grounds = "It was looked at for two days." if how == "found" else ""
    return {"side": side, "said": how, "layer": layer, "by_whom": by_whom, "grounds": grounds}


# By hand: what each account says, and whether it is published.
ACCOUNTS = [
    ([said("failure", "found", "integration"), said("failure", "assumed", "model", "press")], True),
    (
        [
            said("failure", "found", "model"),
            said("failure", "found", "policy"),
            said("failure", "assumed", "model", "team"),
            said("failure", "assumed", "model", "management"),
        ],
        True,
    ),
    ([said("success", "found", "integration"), said("success", "assumed", "model", "management")], True),
    ([said("failure", "found", "runtime"), said("failure", "assumed", "model")], False),
]


def test_each_figure_is_the_rows_behind_it(cast, django_assert_num_queries):
    initiative = factories.make_initiative(cast)
    kept = []
    for number, (causes, published) in enumerate(ACCOUNTS):
        with acting(system="test"):
            obligation = open_obligation(
                initiative,
                "post_mortem",
                source=f"test:{number}",
                text="Post-mortem",
                due=clock.today() - timedelta(days=number),
                responsible=cast.owner,
            )
        row = postmortem_actions.start(obligation=obligation, by=cast.owner)
        row = write(post_mortem=row, lessons=[LESSON], by=cast.owner, **WHOLE | {"causes": causes})
        row = postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner)
        if published:
            row = postmortem_actions.confirm(post_mortem=row, version=row.version, by=cast.seat_adoption)
        kept.append(row)
    with django_assert_num_queries(2):
        found = assumed_and_found(Initiative.objects.all())
    one, two, three, in_review = kept
    layers = {row.layer: row for row in found.layers}
    assert layers["model"].assumed == [two, one], "three voices, two accounts"
    assert layers["model"].found == [two]
    assert layers["integration"].found == [one]
    assert layers["policy"].found == [two]
    assert layers["runtime"].found == [], "what is in review counts nowhere yet"
    assert (layers["model"].credited, layers["integration"].carried) == ([three], [three])
    assert (found.mistaken, found.wrongly_credited) == ([one], [three])
    assert found.read == [three, two, one]
    assert assumed_and_found(Initiative.objects.none()).read == []
    late = overdue(Initiative.objects.all(), clock.today())
    assert [obligation.post_mortem for obligation in late] == [in_review], "in review it is still due"


def test_a_stopped_initiative_is_on_the_list_the_day_after_its_day(cast):
    initiative = factories.make_prototype(cast)
    stage_actions.stop(initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.owner)
    every, due = Initiative.objects.all(), initiative.obligations.get(kind="post_mortem").due
    assert not overdue(every, due)
    assert [obligation.initiative for obligation in overdue(every, due + timedelta(days=1))] == [initiative]


def test_the_layer_it_lay_in_most_decides_whether_the_blame_went_elsewhere(cast, as_):
    """The order that is kept counts: integration first, then the model that was assumed."""
    initiative = factories.make_initiative(cast)
    with acting(system="test"):
        obligation = open_obligation(
            initiative,
            "post_mortem",
            source="test:0",
            text="Post-mortem",
            due=clock.today(),
            responsible=cast.owner,
        )
    row = postmortem_actions.start(obligation=obligation, by=cast.owner)
    causes = [
        said("failure", "found", "integration"),
        said("failure", "found", "model"),
        said("failure", "assumed", "model", "press"),
    ]
    row = write(post_mortem=row, lessons=[LESSON], by=cast.owner, **WHOLE | {"causes": causes})
    row = postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner)
    postmortem_actions.confirm(post_mortem=row, version=row.version, by=cast.seat_adoption)
    assert assumed_and_found(Initiative.objects.all()).mistaken == [row]
    page = " ".join(as_(cast.chair).get("/insights/causes/?column=elsewhere").content.decode().split())
    assert "Actual cause: integration, then model" in page
    assert "Assumed cause: model" in page
