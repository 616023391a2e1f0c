"""The contract: read, compared, sent, withdrawn, approved for a seat on exactly one text."""

import re
from contextlib import nullcontext
from datetime import timedelta

import pytest

from adoption.demo import initiative_acts
from governance import clock
from governance.contracts.clauses import Terms, Test
from governance.permission_result import Refused
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import clause_actions
from initiatives.contracts.documents.actions import Written
from initiatives.lifecycle.roles import actions as role_actions
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, acts, at, text_of
from tests.support.rules.authzen_fixture import ALWAYS, EVERYBODY, may

pytestmark = pytest.mark.django_db

APPROVES = {"verdict": "approve"} | SIGNED

SUMMARISES = "It may summarise the notes of an account on its own"
LESS = Written(
    "autonomy", terms=Terms(action="summarise", audience=initiative_acts.ACCOUNT_MANAGERS, most=20), number=1
)


def drafted(cast, initiative, clauses=initiative_acts.CLAUSES):
    """The initiative with a draft and its people; the draft."""
    initiative_acts.staff(initiative, cast.team)
    return contract_actions.save_contract(
        initiative=initiative, clauses=clauses, vocabulary=initiative_acts.VOCABULARY, by=cast.owner
    )


def test_an_empty_contract_is_begun_by_its_owner_alone(cast, as_):
    initiative = factories.make_initiative(cast)
    page = text_of(as_(cast.owner).get(at("contract", initiative.ref)))
    assert "No contract yet" in page
    assert at("contract-start", initiative.ref, "triage") in page
    assert at("contract-edit", initiative.ref) not in text_of(
        as_(cast.seat_risk).get(at("contract", initiative.ref))
    )
    assert as_(cast.seat_risk).get(at("contract-edit", initiative.ref)).status_code == 403
    assert as_(cast.outsider).get(at("contract", initiative.ref)).status_code == 404
    assert as_(cast.owner).get(at("contract-changes", initiative.ref)).status_code == 404


def test_versions_that_are_not_there_are_not_found(cast, as_):
    initiative = factories.make_initiative(cast)
    drafted(cast, initiative)
    client = as_(cast.owner)
    assert SUMMARISES in text_of(client.get(at("contract", initiative.ref)))
    for junk in ("99", "junk", "-1", "1.0"):
        assert client.get(at("contract", initiative.ref, version=junk)).status_code == 404
        assert client.get(at("contract-changes", initiative.ref, old=junk)).status_code == 404


def test_the_contract_goes_to_its_seats_and_comes_into_force(cast, as_):
    initiative = factories.make_initiative(cast)
    drafted(cast, initiative)
    owner = as_(cast.owner)
    with acts() as kinds:
        owner.post(at("initiative-act", initiative.ref, "send-contract"))
    assert kinds == ["contract proposed"]
    version = initiative_acts.fresh(initiative).contract.versions.get()
    page = text_of(as_(cast.seat_risk).get(at("contract-approve", initiative.ref)))
    assert version.digest in page
    assert SUMMARISES in page
    assert "Sign for the seat risk and compliance" in page
    url = at("contract-approve", initiative.ref)
    assert (
        as_(cast.seat_risk).post(url, {"seat": "risk_compliance", "digest": "other"} | APPROVES).status_code
        == 409
    )
    assert as_(cast.seat_risk).post(url, {"seat": "junk", "digest": version.digest}).status_code == 403
    assert owner.post(url, {"seat": "risk_compliance", "digest": version.digest}).status_code == 403
    with acts() as kinds:
        as_(cast.seat_risk).post(url, {"seat": "risk_compliance", "digest": version.digest} | APPROVES)
        as_(cast.seat_value).post(url, {"seat": "business_value", "digest": version.digest} | APPROVES)
    assert kinds[:3] == ["contract approved", "contract approved", "contract in force"]
    assert {*kinds[3:]} == {"answered", "evidence added"}
    page = text_of(owner.get(at("contract", initiative.ref)))
    assert "in force" in page
    assert version.digest in page
    late = as_(cast.seat_value).post(url, {"seat": "business_value", "digest": version.digest} | APPROVES)
    assert late.status_code == 409


def test_a_version_is_taken_back_to_change_it(cast, as_):
    initiative = factories.make_initiative(cast)
    drafted(cast, initiative)
    client = as_(cast.owner)
    assert client.get(at("initiative-act", initiative.ref, "withdraw-contract")).status_code == 403
    contract_actions.propose_contract(initiative=initiative, by=cast.owner)
    refused = client.get(at("contract-edit", initiative.ref))
    assert refused.status_code == 403
    assert at("initiative-act", initiative.ref, "withdraw-contract") in text_of(refused)
    assert client.post(at("clause-edit", initiative.ref, "1"), {"kind": "autonomy"}).status_code == 403
    with acts() as kinds:
        client.post(
            at("initiative-act", initiative.ref, "withdraw-contract"), {"reason": "One clause is unclear."}
        )
    assert kinds == ["contract withdrawn"]
    assert client.get(at("contract-edit", initiative.ref)).status_code == 200


def test_every_gap_is_named_with_its_fix_and_none_of_them_goes_to_the_board(cast, as_):
    """No record owner, no clause of a required kind, and an approval that nobody can give: all three at once."""
    initiative = factories.make_initiative(cast)
    nobody = Written("human_approval", terms=Terms(action="send_reply", minutes=60))
    kept = [one for one in initiative_acts.CLAUSES if one.kind not in ("human_approval", "autonomy")]
    contract_actions.save_contract(
        initiative=initiative, clauses=[nobody, *kept], vocabulary=initiative_acts.VOCABULARY, by=cast.owner
    )
    page = text_of(as_(cast.owner).get(at("contract", initiative.ref)))
    editor = text_of(as_(cast.owner).get(at("contract-edit", initiative.ref)))
    for text in (page, editor):
        assert at("clause-edit", initiative.ref, "1") in text
        assert at("role-propose", initiative.ref, role="record_owner") in text
        assert text.count("to fix first") >= 3
    assert "Send the draft to the board" not in page
    with acts() as kinds:
        refused = as_(cast.owner).post(at("initiative-act", initiative.ref, "send-contract"))
    assert refused.status_code == 403
    assert kinds == ["refused"]
    with pytest.raises(Refused) as found:
        contract_actions.propose_contract(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    reasons = found.value.answer.reasons
    assert len(reasons) == editor.count("to fix first")
    assert all(reason.remedy and reason.link for reason in reasons)
    assert all(reason.text in text_of(refused).replace("&#x27;", "'") for reason in reasons)


def test_the_next_version_shows_what_came_and_went(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    client = as_(cast.owner)
    assert "Both versions are the same." not in text_of(client.get(at("contract-changes", initiative.ref)))
    clause_actions.save_clause(
        initiative=initiative_acts.fresh(initiative), clause=LESS, seen=_print(initiative, 1), by=cast.owner
    )
    clause_actions.remove_clause(
        initiative=initiative_acts.fresh(initiative), number=8, seen=_print(initiative, 8), by=cast.owner
    )
    clause_actions.save_clause(
        initiative=initiative_acts.fresh(initiative),
        clause=Written("retention", terms=Terms(days=900)),
        by=cast.owner,
    )
    pages = [
        text_of(client.get(at("contract", initiative.ref, version=2))),
        text_of(client.get(at("contract-changes", initiative.ref))),
    ]
    for page in pages:
        assert "<del>200</del> <ins>20</ins>" in page, "the words that changed, not the sentence"
        assert "<ins>Records of what it does are kept for 900 days.</ins>" in page
        assert "<del>When the model does not answer in time, it does nothing.</del>" in page
    back = text_of(client.get(at("contract-changes", initiative.ref, old=2, new=1)))
    assert "<del>20</del> <ins>200</ins>" in back
    same = text_of(client.get(at("contract-changes", initiative.ref, old=1, new=1)))
    assert "<del>" not in same
    assert "Version 2 is a draft" in text_of(client.get(at("contract", initiative.ref)))


def test_many_changes_have_a_page_of_their_own(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    days = [Written("retention", terms=Terms(days=900 + more)) for more in range(8)]
    contract_actions.save_contract(
        initiative=initiative_acts.fresh(initiative), clauses=[*_numbered(initiative), *days], by=cast.owner
    )
    page = text_of(as_(cast.owner).get(at("contract", initiative.ref, version=2)))
    assert "And 3 more." in page
    assert text_of(as_(cast.owner).get(at("contract-changes", initiative.ref))).count("New in version 2") == 8


def test_a_version_is_shown_clause_by_clause_with_who_answers_for_it(cast, as_):
    initiative = factories.make_initiative(cast)
    drafted(cast, initiative)
    answer = as_(cast.seat_risk).get(at("contract", initiative.ref))
    page = text_of(answer)
    assert all(f"Clause {number}</a>" in page for number in range(1, 10))
    (_, alone), (_, asked), (_, never), (_, others) = answer.context["columns"]
    assert {clause.kind for clause in alone} == {"autonomy"}
    assert {clause.kind for clause in asked} == {"human_approval", "edge_policy"}
    assert {clause.said.then for clause in never} == {"refuse"}
    assert not {clause.kind for clause in others} & {"autonomy", "human_approval", "edge_policy"}
    assert sum(len(clauses) for _, clauses in answer.context["columns"]) == alone[0].version.clauses.count()
    assert "A draft has no fingerprint" in page
    assert "Karim Haddad" in page


def _print(initiative, number: int) -> str:
    """The fingerprint of a clause of the newest version."""
    newest = initiative_acts.fresh(initiative).contract.versions.order_by("-number").first()
    return newest.clauses.get(number=number).fingerprint


def _numbered(initiative) -> list[Written]:
    """The clauses of the newest version, to be written again."""
    newest = initiative_acts.fresh(initiative).contract.versions.order_by("-number").first()
    return [Written(row.kind, row.sentence, row.said, row.number) for row in newest.clauses.all()]


def test_what_the_check_kept_is_for_the_same_words_people_and_day_only(cast):
    initiative = factories.make_initiative(cast)
    drafted(cast, initiative)

    def found(on=None) -> set[str]:
        with clock.simulated(on) if on else nullcontext():
            rows = initiative_acts.fresh(initiative).contract.versions.get().clauses.all()
            return {gap.code for gap in contract_actions.gaps_of(initiative_acts.fresh(initiative), rows)}

    assert found() == found() == set()
    row = initiative_acts.fresh(initiative).roles.in_force().get(role="record_owner")
    role_actions.revoke_role(assignment=row, reason="Left", by=cast.support)
    assert found() == {"record_owner_vacant"}
    ends = Written("retention", terms=Terms(days=900, holds_until=clock.today()))
    clause_actions.save_clause(initiative=initiative_acts.fresh(initiative), clause=ends, by=cast.owner)
    assert found() == {"record_owner_vacant"}
    assert found(clock.now() + timedelta(days=2)) == {"record_owner_vacant", "expired"}
    for more in range(contract_actions.MOST_KEPT + 5):
        clause = Written("retention", terms=Terms(days=1000 + more))
        clause_actions.save_clause(initiative=initiative_acts.fresh(initiative), clause=clause, by=cast.owner)
        found()
    assert len(contract_actions._found) == contract_actions.MOST_KEPT


def test_a_contract_to_begin_with_is_taken_with_what_differs_and_leads_on_to_sending_it(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.staff(initiative, cast.team)
    client = as_(cast.owner)
    place = at("contract-start", initiative.ref, "summarise")
    fields = {"most-0": "200", "regions": "eu-west, eu-north", "then": "send"}
    fields |= {"audience": "the minutes takers", "resource": "Meeting notes"}
    days = next(name for name in _names(client.get(place)) if name.startswith("days-"))
    wrong = client.post(place, fields | {"most-0": "0", days: "730"})
    assert "There is a problem" in text_of(wrong)
    assert not initiative.contract_id
    answer = client.post(place, fields | {days: "1000"})
    assert answer.url == at("initiative-act", initiative.ref, "send-contract")
    initiative = initiative_acts.fresh(initiative)
    said = " ".join(initiative.contract.versions.get().clauses.values_list("sentence", flat=True))
    for words in (
        "at most 200 at a time",
        "eu-west",
        "eu-north",
        "1000 days",
        "minutes takers",
        "Meeting notes",
    ):
        assert words in said
    assert "account" not in said
    keys = set(initiative.contract.vocabulary.values_list("key", flat=True))
    assert keys == {"write_summary", "share_summary", "meeting_notes", "the_minutes_takers"}


def test_the_contract_names_what_a_system_may_not_leave_out(cast, as_):
    frozen = Terms(action="write", tests=(Test("resource", "frozen", "equals", True),), then="refuse")
    clauses = [may("write"), Written("edge_policy", terms=frozen), EVERYBODY, *ALWAYS]
    initiative = factories.make_contract(cast, factories.make_prototype(cast), clauses)
    clause = initiative.contract.versions.get().clauses.get(number=2)
    client = as_(cast.owner)
    for place in (at("contract", initiative.ref), at("clause", initiative.ref, 2)):
        assert clause.without in text_of(client.get(place))


def test_a_draft_that_was_started_is_thrown_away_and_another_one_is_chosen(cast, as_):
    initiative = factories.make_initiative(cast)
    client = as_(cast.owner)
    begun = {"audience": "the claims office", "resource": "claims", "regions": ""}
    for key in ("triage", "summarise"):
        place = at("contract-start", initiative.ref, key)
        names = set(_names(client.get(place)))
        assert "the service desk" not in text_of(client.get(place))
        numbers = {name: "730" if name.startswith("days-") else "9" for name in names if "-" in name}
        assert client.post(place, begun | numbers).status_code == 302
        page = at("initiative-act", initiative.ref, "discard-draft")
        assert page in text_of(client.get(at("contract-edit", initiative.ref)))
        (edition,) = re.findall('name="edition" value="([0-9]+)"', text_of(client.get(page)))
        assert client.post(page, {"edition": "99"}).status_code == 409
        assert client.post(page, {"edition": edition}).status_code == 302
        contract = initiative_acts.fresh(initiative).contract
        assert not contract.versions.get().clauses.exists()
        assert not contract.vocabulary.filter(retired_at=None).exists()
        assert client.get(page).status_code == 403


def test_a_later_draft_that_is_thrown_away_says_what_the_version_before_says(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    initiative = initiative_acts.fresh(initiative)
    first = initiative.contract.versions.get()
    sentences = list(first.clauses.values_list("number", "sentence"))
    seen = first.clauses.get(number=1).fingerprint
    clause_actions.remove_clause(initiative=initiative, number=1, seen=seen, by=cast.owner)
    draft = initiative.contract.versions.get(state="draft")
    page = at("initiative-act", initiative.ref, "discard-draft")
    as_(cast.owner).post(page, {"edition": draft.edition})
    assert list(draft.clauses.values_list("number", "sentence")) == sentences


def test_a_contract_that_lacks_something_is_not_led_on_to_sending(cast, as_):
    initiative = factories.make_initiative(cast)  # nobody accepted to own the change log
    client = as_(cast.owner)
    place = at("contract-start", initiative.ref, "summarise")
    days = next(name for name in _names(client.get(place)) if name.startswith("days-"))
    answer = client.post(
        place,
        {
            "most-0": "50",
            days: "730",
            "then": "send",
            "audience": "the account team",
            "resource": "account notes",
        },
    )
    assert answer.url == at("contract", initiative.ref)
    initiative = initiative_acts.fresh(initiative)
    assert not initiative.contract.versions.get().clauses.filter(kind="residency").exists()


def _names(page) -> list[str]:
    return re.findall(r'name="([^"]+)"', text_of(page))
