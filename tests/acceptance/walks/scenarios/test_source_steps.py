"""Scenario 2, step 1: "the" knowledge base is four, and three of them are not fit to stand on (S1-14)."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from governance import clock
from tests.support import factories
from tests.support.cases.case_pages import at, text_of
from tests.support.cases.register_findings import against

pytestmark = pytest.mark.django_db


def test_the_knowledge_base_is_four(cast, as_):
    triage = factories.make_mvp(cast, title="Ticket triage")
    base = factories.make_system(cast, "Knowledge base", kind="knowledge_collection")
    with pytest.raises(ValidationError, match="none is listed"):
        factories.make_link(cast, triage, base, pattern="anchor", by=cast.lead)
    page = as_(cast.lead).post(
        at("link-add", triage.ref),
        {"system": base.pk, "pattern": "anchor", "direction": "reads", "access": "api"},
    )
    assert "is a collection of sources, and none is listed" in text_of(page), "The page says why, too."
    assert not triage.links.exists(), "Nothing is kept of what was refused."

    today = clock.today()
    for name, fields in {
        "KB-A": {"kind": "wiki", "last_updated_on": today, "editable": True},
        "KB-B": {"kind": "wiki", "last_updated_on": date(2023, 6, 30), "editable": True},
        "Wiki-C": {"kind": "wiki", "last_updated_on": today, "editable": False},
        "Share-D": {"kind": "file_share", "organised_on": date(2019, 4, 1), "owner": None},
    }.items():
        factories.make_system(cast, name, collection=base, **fields)
    said = {row.name: row.condition(today) for row in base.members.select_related("owner")}
    assert said == {"KB-A": "maintained", "KB-B": "stale", "Wiki-C": "frozen", "Share-D": "orphaned"}

    factories.make_link(cast, triage, base, pattern="anchor", agreed=True, by=cast.lead)
    assert sorted(against(triage, "int.sources_condition")) == [
        "KB-B is out of date: it was last updated on 30 June 2023.",
        "Share-D has no owner; last organised in 2019.",
        "Wiki-C is frozen: nobody can edit it.",
    ]
    tab = text_of(as_(cast.chair).get(at("integration", triage.ref)))
    for words in against(triage, "int.sources_condition"):
        assert words in tab, "The tab names each of them."
    facts = _state(triage)
    assert not facts.satisfied, "int.sources_condition is not met."


def _state(case):
    from governance.gates import criteria
    from governance.models import Rulebook
    from initiatives.facts import supported_stage

    book, now = Rulebook.objects.current().book, clock.now()
    return criteria.states_at(supported_stage.facts_of(case), book, now)["int.sources_condition"]
