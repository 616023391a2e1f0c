"""The contract: drafted, sent, taken back, approved for a seat on exactly one text."""

import pytest

from adoption.demo import life
from initiatives import actions
from tests import factories
from tests.initiatives.looking import acts, at, text_of

pytestmark = pytest.mark.django_db


def rows(clauses, extra: int = 1, **more) -> dict:
    """What a browser sends for a draft with these clauses and some empty rows."""
    sent = {"clause-TOTAL_FORMS": str(len(clauses) + extra), "clause-INITIAL_FORMS": "0"}
    for number, (kind, sentence) in enumerate([*clauses, *[("", "")] * extra]):
        sent |= {f"clause-{number}-kind": kind, f"clause-{number}-sentence": sentence}
    return sent | more


def test_a_draft_is_written_clause_by_clause(cast, as_):
    case = factories.make_case(cast)
    client = as_(cast.owner)
    assert "No contract is written yet" in text_of(client.get(at("contract", case.ref)))
    with acts() as kinds:
        answer = client.post(at("contract-edit", case.ref), rows(life.CLAUSES))
    assert answer.status_code == 302
    assert kinds == ["contract written"]
    page = text_of(client.get(at("contract", case.ref)))
    assert "complaints desk" in page
    assert "Propose a record owner" in page
    assert as_(cast.seat_risk).get(at("contract-edit", case.ref)).status_code == 403
    assert as_(cast.outsider).get(at("contract", case.ref)).status_code == 404
    assert client.get(at("contract", case.ref, version="99")).status_code == 404
    assert client.get(at("contract", case.ref, version="junk")).status_code == 404


def test_more_rows_and_bad_rows_keep_what_was_typed(cast, as_):
    case = factories.make_case(cast)
    client, url = as_(cast.owner), at("contract-edit", case.ref)
    with acts() as kinds:
        more = text_of(client.post(url, rows(life.CLAUSES, step="rows")))
        bad = text_of(client.post(url, rows([("", "A sentence without a kind.")])))
        past = text_of(client.post(url, rows(life.CLAUSES, wanted_from="2001-01-01")))
        broken = client.post(url, {"clause-TOTAL_FORMS": "junk"})
    assert kinds == []
    assert 'name="clause-6-sentence"' in more
    assert "complaints desk" in more
    assert "Choose a kind for this clause" in bad
    assert "A sentence without a kind." in bad
    assert "does not start in the past" in past
    assert broken.status_code == 200


def test_the_contract_goes_to_its_seats_and_comes_into_force(cast, as_):
    case = factories.make_case(cast)
    life.staff(case, cast.team, ("record_owner",))
    actions.save_contract(case=case, clauses=life.CLAUSES, by=cast.owner)
    owner = as_(cast.owner)
    assert "No sign-off and no gate is touched" in text_of(owner.get(at("contract-propose", case.ref)))
    with acts() as kinds:
        owner.post(at("contract-propose", case.ref))
    assert kinds == ["contract proposed"]
    version = life.fresh(case).contract.versions.get()
    page = text_of(as_(cast.seat_risk).get(at("contract-approve", case.ref)))
    assert version.digest in page
    assert "complaints desk" in page
    assert "Approve for the seat risk and compliance" in page
    url = at("contract-approve", case.ref)
    assert as_(cast.seat_risk).post(url, {"seat": "risk_compliance", "digest": "other"}).status_code == 409
    assert as_(cast.seat_risk).post(url, {"seat": "junk", "digest": version.digest}).status_code == 403
    assert owner.post(url, {"seat": "risk_compliance", "digest": version.digest}).status_code == 403
    with acts() as kinds:
        as_(cast.seat_risk).post(url, {"seat": "risk_compliance", "digest": version.digest})
        as_(cast.seat_value).post(url, {"seat": "business_value", "digest": version.digest})
    assert kinds == ["contract approved", "contract approved", "contract in force"]
    page = text_of(owner.get(at("contract", case.ref)))
    assert "in force" in page
    assert version.digest in page
    late = as_(cast.seat_value).post(url, {"seat": "business_value", "digest": version.digest})
    assert late.status_code == 409


def test_a_version_is_taken_back_to_change_it(cast, as_):
    case = factories.make_case(cast)
    life.staff(case, cast.team, ("record_owner",))
    actions.save_contract(case=case, clauses=life.CLAUSES, by=cast.owner)
    client = as_(cast.owner)
    assert client.get(at("contract-take-back", case.ref)).status_code == 404
    actions.propose_contract(case=case, by=cast.owner)
    refused = client.post(at("contract-edit", case.ref), rows(life.CLAUSES))
    assert refused.status_code == 403
    with acts() as kinds:
        client.post(at("contract-take-back", case.ref), {"reason": "One clause is unclear."})
    assert kinds == ["contract taken back"]


def test_the_next_version_shows_what_came_and_went(cast, as_):
    case = factories.make_case(cast)
    life.staff(case, cast.team, ("record_owner",))
    life.contract(life.fresh(case), cast.team)
    client = as_(cast.owner)
    client.post(at("contract-edit", case.ref), rows([*life.CLAUSES[1:], ("autonomy", "It may do less.")]))
    page = text_of(client.get(at("contract", case.ref, version=2)))
    assert "<ins>It may do less.</ins>" in page
    assert "<del>It may summarise account notes" in page
    assert "Version 2 is a draft" in text_of(client.get(at("contract", case.ref)))
