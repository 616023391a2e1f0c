"""Races of alerts: sixteen connections send the same, or the end before the beginning. One row, one draft, one day."""

from datetime import timedelta
from functools import partial

import pytest

from adoption.models import Alert, IncidentDraft, MonitoringLook
from adoption.monitoring import actions
from adoption.reports.actions import judge
from governance import clock
from tests.support import factories
from tests.support.database.concurrent_connections import SIZE, Ring
from tests.support.initiatives.alerts import sent

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_many_send_at_once_is_one_row_one_draft_and_one_day():
    cast = factories.make_cast()
    initiative = factories.make_mvp(cast)
    actions.map_alerts(initiative=initiative, rule="", severity="critical", becomes="draft", by=cast.owner)
    key = factories.make_key(cast, initiative, scopes=["alerts"], system="Monitoring")[0]
    began = clock.now() - timedelta(hours=1)
    fires, over = sent(started=began), sent(started=began, ended=began + timedelta(minutes=30))
    with Ring() as ring:
        acts = [partial(actions.take, initiative=initiative, key=key, sent=(one,)) for one in (fires, over)]
        found = ring.run(acts * (SIZE // 2))
    assert {one.kind for one in found} == {"done"}, found
    assert sum(one.value.new for one in found) == 1
    row = Alert.objects.get()
    assert row.ended_at == began + timedelta(minutes=30)
    assert IncidentDraft.objects.get().pk == row.draft_id
    assert MonitoringLook.objects.count() == 1


def test_of_many_who_judge_a_draft_one_does_and_the_others_are_told():
    cast = factories.make_cast()
    initiative = factories.make_mvp(cast)
    actions.map_alerts(initiative=initiative, rule="", severity="critical", becomes="draft", by=cast.owner)
    key = factories.make_key(cast, initiative, scopes=["alerts"], system="Monitoring")[0]
    actions.take(initiative=initiative, key=key, sent=(sent(),))
    draft = IncidentDraft.objects.get()
    with Ring() as ring:
        fields = {"title": "Full", "severity": 4}
        confirm = partial(judge, report=draft, outcome="incident", answer="Yes.", fields=fields, by=cast.lead)
        dismiss = partial(judge, report=draft, outcome="answered", answer="A test.", by=cast.owner)
        found = ring.run([confirm, dismiss] * (SIZE // 2))
    assert sum(one.kind == "done" for one in found) == 1, found
    draft.refresh_from_db()
    assert draft.outcome in ("incident", "answered")
