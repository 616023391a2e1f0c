"""How a model did in an initiative: what is good enough is declared before anybody knows what comes out."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction

from governance import clock
from governance.database.row_history import acting
from governance.permission_result import Conflict, Refused
from initiatives.integration.components.evaluations import actions as evaluation_actions
from initiatives.models import ModelEvaluation
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def evaluation(cast):
    initiative = factories.make_mvp(cast)
    return factories.make_evaluation(cast, initiative)


def recorded(evaluation, cast, **changed) -> ModelEvaluation:
    fields = {"result": Decimal("0.93"), "n": 400, "measured_on": clock.today(), "by": cast.lead}
    return evaluation_actions.record_result(evaluation=evaluation, **fields | changed)


def test_declared_measured_and_shown_as_typed_by_whom(cast, as_, evaluation):
    initiative, client = evaluation.initiative, as_(cast.lead)
    page = text_of(client.get(at("deployments", initiative.ref)))
    assert "at least 0.9" in page
    assert "not measured yet" in page
    with acts() as kinds:
        typed = {"result": "0.93", "n": "400", "measured_on": clock.today().isoformat()}
        client.post(at("row-act", "evaluations", evaluation.pk, "result"), typed)
    assert kinds == ["evaluation result recorded"]
    page = text_of(as_(cast.seat_risk).get(at("deployments", initiative.ref)))
    assert "0.93, n 400" in page
    assert "typed by" in page
    assert "meets its threshold" in page
    assert "Record the result" not in page, "the board reads"
    history = text_of(as_(cast.owner).get(at("initiative-activity", initiative.ref)))
    assert "meets the threshold." in history


@pytest.mark.parametrize(
    ("comparison", "result", "meets"),
    [
        ("at_least", "0.9", True),
        ("at_least", "0.899999", False),
        ("at_most", "0.9", True),
        ("at_most", "0.900001", False),
        ("at_least", "0", False),
    ],
)
def test_whether_it_meets_its_threshold_is_computed(comparison, result, meets):
    row = ModelEvaluation(comparison=comparison, threshold=Decimal("0.9"), result=Decimal(result))
    assert row.meets is meets


def test_a_threshold_declared_after_the_result_is_refused(cast, as_, evaluation):
    with pytest.raises(ValidationError, match=r"The threshold was declared on .*, after this result"):
        recorded(evaluation, cast, measured_on=clock.today() - timedelta(days=1))
    client = as_(cast.lead)
    typed = {"result": "0.95", "n": "400", "measured_on": (clock.today() - timedelta(days=1)).isoformat()}
    with acts() as kinds:
        page = text_of(client.post(at("row-act", "evaluations", evaluation.pk, "result"), typed))
    assert kinds == []
    assert "after this result" in page
    assert "0.95" in page, "nothing typed is lost"


@pytest.mark.parametrize(
    ("wrong", "words"), [({"n": 0}, "number of examples"), ({"later": 1}, "is in the future")]
)
def test_a_result_has_its_number_and_a_day_that_came(cast, evaluation, wrong, words):
    if "later" in wrong:
        wrong = {"measured_on": clock.today() + timedelta(days=1)}
    with pytest.raises(ValidationError, match=words):
        recorded(evaluation, cast, **wrong)


def test_a_result_is_recorded_once_and_what_is_withdrawn_takes_none(cast, evaluation):
    recorded(evaluation, cast)
    with pytest.raises(Conflict):
        recorded(evaluation, cast, result=Decimal("0.99"))
    evaluation_actions.withdraw_evaluation(evaluation=evaluation, reason="The wrong data set.", by=cast.lead)
    with pytest.raises(Conflict):
        evaluation_actions.withdraw_evaluation(evaluation=evaluation, reason="Again.", by=cast.lead)
    other = factories.make_evaluation(cast, evaluation.initiative)
    evaluation_actions.withdraw_evaluation(evaluation=other, reason="Not needed.", by=cast.lead)
    with pytest.raises(Conflict):
        recorded(other, cast)


def test_what_is_withdrawn_stays_to_be_read(cast, as_, evaluation):
    recorded(evaluation, cast, result=Decimal("0.5"))
    client = as_(cast.lead)
    client.post(at("row-act", "evaluations", evaluation.pk, "withdraw"), {"reason": "Labels were wrong."})
    page = text_of(as_(cast.seat_risk).get(at("deployments", evaluation.initiative.ref)))
    assert "Labels were wrong." in page
    assert "0.5, n 400" in page


def test_only_who_works_on_the_initiative_declares_and_records(cast, as_, evaluation):
    initiative = evaluation.initiative
    for who in (cast.seat_risk, cast.chair, cast.admin):
        with pytest.raises(Refused):
            factories.make_evaluation(cast, initiative, by=who)
        with pytest.raises(Refused):
            recorded(evaluation, cast, by=who)
    other = factories.make_initiative(cast, title="Another one")
    with pytest.raises(ValidationError, match="a version of a model that this initiative runs"):
        factories.make_evaluation(cast, other, deployment=evaluation.deployment, by=cast.owner)


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": Decimal("0.5")},
        {"metric": "recall"},
        {"declared_on": date(2026, 1, 2)},
        {"comparison": "at_most"},
    ],
)
def test_the_database_lets_no_threshold_follow_its_result(cast, evaluation, change):
    evaluation = recorded(evaluation, cast, result=Decimal("0.6"))
    for name, value in change.items():
        setattr(evaluation, name, value)
    with pytest.raises(DatabaseError, match="stays as it was written"), acting(by=cast.lead):
        evaluation.save()


def test_the_database_takes_no_result_with_its_threshold_nor_another_one_nor_from_before(cast, evaluation):
    fields = {"result": Decimal("1"), "n": 1, "measured_on": clock.today(), "result_by": cast.lead}
    copy = ModelEvaluation.objects.get(pk=evaluation.pk)
    copy.pk, copy.result_at = None, clock.now()
    for name, value in fields.items():
        setattr(copy, name, value)
    with pytest.raises(DatabaseError, match="declared before its result"), acting(by=cast.lead):
        copy.save(force_insert=True)
    early = ModelEvaluation.objects.get(pk=evaluation.pk)
    for name, value in (fields | {"measured_on": clock.today() - timedelta(days=1)}).items():
        setattr(early, name, value)
    early.result_at = clock.now()
    with (
        pytest.raises(IntegrityError, match="a_threshold_is_declared_before_its_result"),
        acting(by=cast.lead),
    ):
        early.save()
    done = recorded(evaluation, cast)
    done.result = Decimal("0.99")
    with pytest.raises(DatabaseError, match="stays as it was written"), acting(by=cast.lead):
        done.save()
    with pytest.raises(DatabaseError, match="it is not deleted"), acting(by=cast.lead), transaction.atomic():
        done.delete()


def test_a_model_shows_how_it_did_in_initiatives_one_sees(cast, as_):
    model, initiative = factories.make_model(cast), factories.make_mvp(cast)
    use = factories.make_use(cast, initiative, model)
    recorded(factories.make_evaluation(cast, initiative, deployment=use), cast)
    assert "0.93" in text_of(as_(cast.owner).get(at("component", model.pk)))
    assert "0.93" not in text_of(as_(cast.outsider).get(at("component", model.pk)))
