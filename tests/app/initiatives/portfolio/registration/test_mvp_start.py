"""The page "Start the MVP" records parts by the steps of their own pages: what is filled in, all of it or nothing."""

import pytest

from adoption.demo import initiative_acts
from governance.models import Entry
from initiatives.inbox.tasks.inbox_tasks import tasks
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts.initiative_rows import scope_ahead
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, acts, at, text_of

pytestmark = pytest.mark.django_db

MODEL = {"record-version-name": "Language model", "record-version-version": "m-4"}
SCOPE = {"record-scope-user_count": "14", "record-scope-places": "Lisbon"}
TIER = {"propose-tier-tier": "limited", "propose-tier-worst_credible_harm": "A wrong price."}
ALONE = {"declare-alone-reason": "People type the questions."}


@pytest.fixture
def prototype(cast, monkeypatch):
    """A prototype that has not recorded what runs."""
    with monkeypatch.context() as without:
        without.setattr(initiative_acts, "parts", lambda *_said, **_more: None)
        return initiative_acts.to_prototype(factories.make_initiative(cast), cast.team)


def sent(client, url, **typed) -> dict:
    """What a browser sends back: the fields of the page as they stand, and what was typed."""
    form = client.get(url).context
    fields = {}
    for part in form["parts"]:
        for field in part["form"] or ():
            value = field.value()
            if isinstance(value, list):
                value = ", ".join(value)
            if value not in (None, False):
                fields[field.html_name] = value
    fields["shown"] = [part["verb"] for part in form["parts"] if part["form"]]
    return fields | typed


def test_what_is_typed_is_recorded_and_with_its_seats_at_once(cast, as_, prototype):
    client, url = as_(cast.owner), at("mvp-start", prototype.ref)
    people = {"role-propose-support_owner": cast.support.pk}
    with acts() as kinds:
        answer = client.post(url, sent(client, url, **MODEL, **SCOPE, **TIER, **ALONE, **people))
    assert answer.status_code == 302, text_of(answer)
    assert {"scope planned", "risk tier proposed", "standalone declared", "role proposed"} <= {*kinds}
    scope = scope_ahead(prototype)
    assert (scope.for_stage, scope.user_count, scope.places) == ("mvp", 14, ["Lisbon"])
    assert [str(row.version) for row in prototype.deployments.all()] != []
    asked = {one.verb for one in tasks(cast.seat_risk) if one.ref == prototype.ref}
    assert "confirm" in asked
    shown = client.get(url).context["parts"]
    assert [bool(part["recorded"]) for part in shown] == [True, True, True, False, True]


def test_a_part_alone_is_saved_and_the_suggestions_of_the_others_are_not(cast, as_, prototype):
    client, url = as_(cast.owner), at("mvp-start", prototype.ref)
    with acts() as kinds:
        assert client.post(url, sent(client, url, **TIER)).status_code == 302
    assert kinds == ["risk tier proposed"]
    assert client.post(url, sent(client, url)).status_code == 200


def test_a_wrong_part_saves_none_and_keeps_what_was_typed(cast, as_, prototype):
    client, url = as_(cast.owner), at("mvp-start", prototype.ref)
    with acts() as kinds:
        answer = client.post(url, sent(client, url, **(SCOPE | {"record-scope-user_count": "many"}), **TIER))
    assert (answer.status_code, kinds) == (200, [])
    assert 'value="many"' in text_of(answer)
    wrong = {"record-scope-ends_on": "2001-01-01"}
    with acts() as kinds:
        answer = client.post(url, sent(client, url, **SCOPE, **wrong, **TIER))
    assert (answer.status_code, kinds) == (200, [])
    prototype = type(prototype).objects.get(pk=prototype.pk)
    assert prototype.proposed_tier == ""


def test_what_somebody_else_recorded_meanwhile_is_named_and_nothing_is_saved(cast, as_, prototype):
    client, url = as_(cast.owner), at("mvp-start", prototype.ref)
    form = sent(client, url, **TIER, **ALONE)
    detail_actions.propose_tier(
        initiative=prototype, tier="high", worst_credible_harm="Money is lost.", by=cast.owner
    )
    with acts() as kinds:
        answer = client.post(url, form)
    assert (answer.status_code, kinds) == (409, [])
    assert "People type the questions." in text_of(answer)


def test_who_takes_a_role_signs_the_role_and_nothing_else_of_the_page(cast, as_, prototype):
    client, url = as_(cast.owner), at("mvp-start", prototype.ref)
    form = sent(client, url, **SCOPE, **TIER) | {"role-propose-technical_lead": cast.owner.pk}
    assert client.post(url, form).status_code == 200  # it asks for a signature first
    last = Entry.objects.latest("pk").pk
    assert client.post(url, form | SIGNED).status_code == 302
    made = Entry.objects.acts().of_initiative(prototype.ref).filter(pk__gt=last)
    signed = {entry.kind for entry in made if "signature" in entry.facts["facts"]}
    assert "role accepted" in signed
    assert not signed & {"scope planned", "risk tier proposed"}
    assert {"scope planned", "risk tier proposed"} <= {entry.kind for entry in made}


def test_a_template_leads_to_its_clauses(cast, as_, prototype):
    client, url = as_(cast.owner), at("mvp-start", prototype.ref)
    starter = client.get(url).context["form"].fields["starter"].choices[1][0]
    answer = client.post(url, sent(client, url, starter=starter))
    assert answer.url == at("contract-start", prototype.ref, starter)


def test_an_idea_has_no_mvp_to_start_and_others_do_not_start_one(cast, as_):
    idea = factories.make_initiative(cast)
    assert as_(cast.owner).get(at("mvp-start", idea.ref)).status_code == 403
    prototype = factories.make_prototype(cast)
    assert as_(cast.seat_risk).get(at("mvp-start", prototype.ref)).status_code == 403
    main = as_(cast.owner).get(prototype.get_absolute_url()).context["next"]
    assert main["link"] == at("mvp-start", prototype.ref)
