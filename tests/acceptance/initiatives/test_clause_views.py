"""Writing the contract clause by clause: by kind, without script, two people at once, its words and comments."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup

from adoption.demo import initiative_acts
from governance import clock
from governance.contracts.clauses import MOST_CLAUSES, Terms, Test
from governance.contracts.templates import STARTERS
from governance.models import Clause, ClauseComment, Notification
from governance.permission_result import Refused
from governance.vocabulary import ClauseKind
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import clause_actions, comments
from initiatives.contracts.documents.actions import Written
from initiatives.contracts.documents.clause_actions import Overtaken
from initiatives.inbox.absences import actions as absence_actions
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import acts, at, text_of

pytestmark = pytest.mark.django_db

FULL = Terms(
    action="send_reply",
    resource="enquiry",
    audience=("account_managers",),
    weekdays=(1, 2, 5),
    from_minute=9 * 60,
    until_minute=24 * 60,
    holds_from=date(2030, 1, 1),
    holds_until=date(2030, 12, 31),
    over=50_00,
    up_to=1_234_56,
    currency="EUR",
    most=3,
    tests=(
        Test("resource", "status", "one_of", ("open", "waiting")),
        Test("context", "risk", "at_most", 7),
        Test("subject", "trained", "equals", True),
    ),
    approvers=("owner", "sponsor"),
    minutes=90,
    four_eyes=True,
)
WORDS = [*initiative_acts.VOCABULARY, ("resource", "enquiry", "customer enquiries")]


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """An idea whose contract is drafted."""
    initiative = factories.make_initiative(cast)
    contract_actions.save_contract(
        initiative=initiative, clauses=initiative_acts.CLAUSES, vocabulary=WORDS, by=cast.owner
    )
    return initiative_acts.fresh(initiative)


def of_page(response, main: str = "form[data-guard]") -> dict:
    """What a browser sends for the form of a page as it is: every field with what stands in it."""
    form = BeautifulSoup(response.content, "html.parser").select_one(f"main {main}")
    sent: dict = {}
    for field in form.select("input, select, textarea"):
        if (
            field.name == "input"
            and field.get("type") in ("checkbox", "radio")
            and not field.has_attr("checked")
        ):
            continue
        values = [field.get("value", "on" if field.get("type") == "checkbox" else "")]
        if field.name == "textarea":
            values = [field.text.lstrip("\n")]
        elif field.name == "select":
            values = [one["value"] for one in field.select("option[selected]")] or [
                field.select_one("option")["value"]
            ]
        sent.setdefault(field["name"], []).extend(values)
    return sent


def _removing(initiative, number: int) -> str:
    """The page that takes a clause of the newest version out."""
    return at("row-act", "clauses", now(initiative, number).pk, "remove")


def now(initiative, number: int) -> Clause:
    """The clause in the newest version."""
    return (
        initiative_acts.fresh(initiative)
        .contract.versions.order_by("-number")
        .first()
        .clauses.get(number=number)
    )


def add(initiative, by, kind="retention", number=None, seen="", **terms) -> Clause:
    """Save a clause through its act."""
    clause = Written(kind, terms=Terms(**terms), number=number)
    return clause_actions.save_clause(
        initiative=initiative_acts.fresh(initiative), clause=clause, seen=seen, by=by
    )


# --- One clause ------------------------------------------------------------------------------------------------------


def test_each_kind_asks_for_what_matters_to_it_and_nothing_else(cast, as_, initiative):
    for kind in ClauseKind:
        fields = set(of_page(as_(cast.owner).get(at("clause-edit", initiative.ref, "new", kind=kind))))
        shown = {
            name: name in fields
            for name in (
                "action",
                "up_to",
                "test-0-name",
                "approvers",
                "wait",
                "failure",
                "then",
                "days",
                "regions",
            )
        }
        acts_on = kind in ("autonomy", "human_approval", "edge_policy")
        asks = kind in ("human_approval", "edge_policy")
        assert shown == {
            "action": acts_on,
            "up_to": acts_on,
            "test-0-name": acts_on,
            "approvers": False,  # none is ticked yet
            "wait": asks,
            "failure": acts_on,
            "then": kind == "edge_policy",
            "days": kind == "retention",
            "regions": kind == "residency",
        }
        assert ("sentence" in fields) == (kind != "record_owner")


@pytest.mark.parametrize(
    "kind", ["autonomy", "human_approval", "edge_policy", "audience", "retention", "residency"]
)
def test_opened_and_sent_as_it_stands_a_clause_loses_nothing(cast, as_, initiative, kind):
    terms = {
        "autonomy": Terms.read(
            {k: v for k, v in FULL.stored().items() if k not in ("approvers", "minutes", "four_eyes")}
        ),
        "human_approval": replace(FULL, failure="sources_conflict"),
        "edge_policy": Terms.read(FULL.stored() | {"failure": "low_confidence", "then": "ask"}),
        "audience": Terms(audience=("account_managers",)),
        "retention": Terms(days=1000),
        "residency": Terms(regions=("eu-west", "eu-north")),
    }[kind]
    clause = clause_actions.save_clause(
        initiative=initiative, clause=Written(kind, terms=terms), by=cast.owner
    )
    client, url = as_(cast.owner), at("clause-edit", initiative.ref, clause.number)
    sent = of_page(client.get(url))
    if kind == "retention":
        sent["days"] = ["1001"]
    with acts() as kinds:
        assert client.post(url, sent).status_code == 302
    saved = now(initiative, clause.number)
    if kind == "retention":
        assert (saved.said.days, kinds) == (1001, ["clause written"])
    else:
        assert (saved.said, saved.sentence, kinds) == (terms, clause.sentence, [])


def test_what_is_typed_becomes_terms(cast, as_, initiative):
    client, url = as_(cast.owner), at("clause-edit", initiative.ref, "new", kind="human_approval")
    sent = of_page(client.get(url)) | {
        "action": "send_reply",
        "resource": "enquiry",
        "audience": ["account_managers"],
        "weekdays": ["1", "2", "5"],
        "from_time": "09:00",
        "until_time": "00:00",
        "holds_from": "2030-01-01",
        "holds_until": "2030-12-31",
        "over": "50.00",
        "up_to": "1234.56",
        "currency": "eur",
        "most": "3",
        "test-0-of": "resource",
        "test-0-name": "status",
        "test-0-how": "one_of",
        "test-0-value": "open, waiting",
        "test-1-of": "context",
        "test-1-name": "risk",
        "test-1-how": "at_most",
        "test-1-value": "7",
        "test-2-of": "subject",
        "test-2-name": "trained",
        "test-2-how": "equals",
        "test-2-value": "Yes",
        "test-2-kind": "yes_no",
        "approvers": ["owner", "sponsor"],
        "wait": "90",
        "wait_unit": "minutes",
        "four_eyes": "on",
    }
    look = text_of(client.post(url, sent | {"step": "read"}))
    assert "above 50.00 EUR and up to 1234.56 EUR" in look
    assert initiative_acts.fresh(initiative).contract.versions.get().clauses.count() == len(
        initiative_acts.CLAUSES
    ), "looked at only"
    answer = client.post(url, sent)
    assert answer.status_code == 302
    assert answer["Location"] == at("contract-edit", initiative.ref) + "#clause-10"
    assert now(initiative, 10).said == FULL


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(cast, as_, initiative):
    for kind, typed, says in (
        ("autonomy", {}, "Choose here, or write the clause in your own words below."),
        (
            "autonomy",
            {"action": "summarise", "up_to": "5,001", "currency": "EUR"},
            "5,001 can mean 5.001, 5001.",
        ),
        (
            "autonomy",
            {"action": "summarise", "up_to": "0.555", "currency": "EUR"},
            "EUR has 2 decimals",
        ),
        ("autonomy", {"action": "summarise", "up_to": "5.5", "currency": "JPY"}, "JPY has no decimals"),
        ("autonomy", {"action": "summarise", "up_to": "5"}, "ISO 4217"),
        (
            "autonomy",
            {"action": "summarise", "over": "9", "up_to": "5", "currency": "EUR"},
            "The smallest amount is not below the largest",
        ),
        ("autonomy", {"action": "summarise", "from_time": "09:00"}, "Enter both hours, or leave both empty."),
        ("autonomy", {"action": "summarise", "from_time": "9 o'clock"}, "Enter a valid time"),
        ("autonomy", {"action": "summarise", "sentence": "Anything."}, "make the sentence"),
        ("autonomy", {"action": "summarise", "new_action": "sing"}, "or add a new word, not both."),
        ("autonomy", {"new_action": "summarise"}, "choose this word above"),
        ("autonomy", {"new_action": "!!!"}, "Plumbline cannot make a key from these words"),
        ("autonomy", {"new_action": "sing", "new_action_key": "a b"}, "no spaces"),
        ("autonomy", {"new_action_key": "sing"}, "Enter the words that people read for this key"),
        ("autonomy", {"new_action": "sing", "new_resource": "sing"}, "Enter a different key for each word"),
        ("autonomy", {"action": "nothing-like-it"}, "Select a valid choice"),
        ("autonomy", {"action": "summarise", "test-0-value": "x"}, "Name the attribute"),
        (
            "autonomy",
            {"action": "summarise", "test-0-name": "a b", "test-0-value": "x"},
            "as your system names it",
        ),
        ("autonomy", {"action": "summarise", "test-0-name": "risk"}, "Enter the value to compare with."),
        (
            "autonomy",
            {"action": "summarise", "test-0-name": "n", "test-0-how": "at_least", "test-0-value": "much"},
            "Enter a whole number.",
        ),
        (
            "autonomy",
            {"action": "summarise", "test-0-name": "n", "test-0-kind": "yes_no", "test-0-value": "perhaps"},
            "Type yes or no.",
        ),
        ("edge_policy", {"failure": "low_confidence"}, "Then: Choose here, or write"),
        ("autonomy", {"failure": "low_confidence"}, "Action: Choose here, or write"),
        ("human_approval", {"action": "summarise", "wait": "31", "wait_unit": "days"}, "thirty days"),
        ("retention", {"days": "10"}, "730 days or more"),
        ("residency", {"regions": ", ,"}, "Choose here, or write"),
        ("retention", {"days": "many"}, "Enter a whole number"),
    ):
        client, url = as_(cast.owner), at("clause-edit", initiative.ref, "new", kind=kind)
        sent = of_page(client.get(url)) | typed
        with acts() as kinds:
            answer = client.post(url, sent)
        page = BeautifulSoup(answer.content, "html.parser")
        assert answer.status_code == 200
        assert kinds == []
        assert says in page.select_one("[role=alert]").text
        kept = of_page(answer)
        shown = {name: kept[name][-1] for name in typed if name in kept and name != "action"}
        assert shown == {name: typed[name] for name in shown}
        closed = page.select("details:not([open]) .err")
        assert closed == [], "what is wrong is not folded away"


def test_a_word_is_added_with_the_clause_and_its_key_is_made_from_it(cast, as_, initiative):
    client, url = as_(cast.owner), at("clause-edit", initiative.ref, "new", kind="autonomy")
    sent = of_page(client.get(url)) | {
        "new_action": "File a note",
        "new_resource": "the case file",
        "new_resource_key": "urn:file",
        "new_audience": "Night shift",
    }
    assert client.post(url, sent).status_code == 302
    clause = now(initiative, 10)
    assert clause.said == Terms(action="file_a_note", resource="urn:file", audience=("night_shift",))
    assert clause.sentence == "It may File a note on the case file on its own, for Night shift."
    again = text_of(client.get(at("clause-edit", initiative.ref, "new", kind="autonomy")))
    assert 'value="file_a_note"' in again


def test_where_no_field_makes_a_sentence_the_owner_writes_it(cast, as_, initiative):
    client, url = as_(cast.owner), at("clause-edit", initiative.ref, "new", kind="edge_policy")
    sent = of_page(client.get(url)) | {"sentence": "If a note mentions a legal claim, it hands over."}
    client.post(url, sent)
    assert now(initiative, 10).sentence == "If a note mentions a legal claim, it hands over."
    sent = of_page(client.get(at("clause-edit", initiative.ref, 10)))
    assert sent["sentence"] == ["If a note mentions a legal claim, it hands over."]


def test_a_clause_is_made_another_kind(cast, as_, initiative):
    client, url = as_(cast.owner), at("clause-edit", initiative.ref, 1, kind="human_approval")
    sent = of_page(client.get(url)) | {"approvers": ["owner"], "wait": "2"}
    assert (sent["kind"], sent["action"]) == (["human_approval"], ["summarise"])
    client.post(url, sent)
    clause = now(initiative, 1)
    assert (clause.kind, clause.said.minutes, clause.said.most) == ("human_approval", 120, 200)


def test_sent_from_two_pages_it_is_one_clause(cast, as_, initiative):
    client, url = as_(cast.owner), at("clause-edit", initiative.ref, "new", kind="retention")
    first, second = (of_page(client.get(url)) | {"days": "900"} for _ in range(2))
    assert client.post(url, first).status_code == 302
    second = client.post(url, second)
    assert "Clause 10 already has exactly this text." in text_of(second)
    assert (
        initiative_acts.fresh(initiative).contract.versions.get().clauses.count()
        == len(initiative_acts.CLAUSES) + 1
    )


def test_what_is_not_there_is_not_found(cast, as_, initiative):
    client = as_(cast.owner)
    for number in ("99", "x", "0", "²", "999999999999"):
        assert client.get(at("clause-edit", initiative.ref, number)).status_code == 404
    assert client.get(at("row-act", "clauses", 10**9, "remove")).status_code == 404
    assert client.get(at("clause", initiative.ref, 99)).status_code == 404
    assert client.get(at("row-act", "words", 10**9, "reword")).status_code == 404
    assert client.get(at("contract-start", initiative.ref, "junk")).status_code == 404
    assert client.post(at("contract-edit", initiative.ref), {"up": "x"}).status_code == 404
    assert client.post(at("contract-edit", initiative.ref), {"up": "99"}).status_code == 403
    assert client.post(at("row-act", "comments", 10**9, "resolve")).status_code == 404
    unkind = client.get(at("clause-edit", initiative.ref, "new", kind="junk"))
    assert unkind["Location"] == at("contract-edit", initiative.ref) + "#add"


def test_words_and_comments_of_another_initiative_are_not_found(cast, as_, initiative):
    other = factories.make_initiative(cast, title="Another")
    contract_actions.save_contract(
        initiative=other, clauses=initiative_acts.CLAUSES, vocabulary=WORDS, by=cast.owner
    )
    comment = comments.comment_on_clause(
        initiative=initiative_acts.fresh(other), number=1, text="Why?", by=cast.seat_risk
    )
    with pytest.raises(ClauseComment.DoesNotExist):
        comments.resolve_comment(initiative=initiative, comment=comment, by=cast.owner)


# --- Order, removal, the next version ---------------------------------------------------------------------------------


def order(initiative) -> list[int]:
    """The numbers of the newest version, in order."""
    newest = initiative_acts.fresh(initiative).contract.versions.order_by("-number").first()
    return list(newest.clauses.values_list("number", flat=True))


def test_clauses_change_places_among_their_kind(cast, as_, initiative):
    client, url = as_(cast.owner), at("contract-edit", initiative.ref)
    with acts() as kinds:
        client.post(url, {"up": "4"})
        client.post(url, {"down": "3"})
        client.post(url, {"up": "1"})  # the only one of its kind
    assert order(initiative) == [1, 2, 4, 5, 3, 6, 7, 8, 9]
    assert kinds == ["clause moved", "clause moved"]


def test_a_removed_clause_is_out_and_its_number_is_never_given_again(cast, as_, initiative):
    client, url = as_(cast.owner), _removing(initiative, 9)
    page = client.get(url)
    assert "The record owner of this initiative" in text_of(page)
    assert client.post(url, of_page(page)).status_code == 302
    assert 9 not in order(initiative)
    assert add(initiative, cast.owner, days=900).number == 10


def test_the_first_change_begins_the_next_version_and_leaves_the_signed_one(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    client, url = as_(cast.owner), at("clause-edit", initiative.ref, 1)
    page = text_of(client.get(at("contract-edit", initiative.ref)))
    assert "Your first change begins the next version" in page
    assert client.post(at("contract-edit", initiative.ref), {"wanted_from": ""}).status_code == 403
    sent = of_page(client.get(url))
    client.post(url, sent)
    assert initiative_acts.fresh(initiative).contract.versions.count() == 1, "nothing changed"
    client.post(url, sent | {"most": "7"})
    first, second = initiative_acts.fresh(initiative).contract.versions.order_by("number")
    assert (first.clauses.get(number=1).said.most, second.clauses.get(number=1).said.most) == (200, 7)
    rest = [
        list(version.clauses.exclude(number=1).values_list("number", "fingerprint"))
        for version in (first, second)
    ]
    assert rest[0] == rest[1]
    assert second.clauses.first().history.count() == 2, "begun and changed, both in the audit log"


def test_from_when_it_is_wanted(cast, as_, initiative):
    client, url = as_(cast.owner), at("contract-edit", initiative.ref)
    later = clock.today() + timedelta(days=9)
    with acts() as kinds:
        assert client.post(url, {"wanted_from": later.isoformat()}).status_code == 302
        assert client.post(url, {"wanted_from": later.isoformat()}).status_code == 302
        assert "The start of the contract is in the past" in text_of(
            client.post(url, {"wanted_from": "2001-01-01"})
        )
    assert kinds == ["contract start planned"]
    assert initiative_acts.fresh(initiative).contract.versions.get().wanted_from == later
    add(initiative, cast.owner, days=900)
    assert initiative_acts.fresh(initiative).contract.versions.get().wanted_from == later, (
        "writing a clause leaves it"
    )


def test_a_contract_has_at_most_so_many_clauses(cast, as_):
    initiative = factories.make_initiative(cast)
    many = [Written("retention", terms=Terms(days=1000 + more)) for more in range(MOST_CLAUSES)]
    contract_actions.save_contract(initiative=initiative, clauses=many, by=cast.owner)
    client, url = as_(cast.owner), at("clause-edit", initiative.ref, "new", kind="retention")
    assert "at most 200 clauses" in text_of(client.get(at("contract-edit", initiative.ref)))
    sent = of_page(client.get(url)) | {"days": "900"}
    assert "at most 200 clauses" in text_of(client.post(url, sent))
    assert add(initiative, cast.owner, days=900, number=1, seen=now(initiative, 1).fingerprint).number == 1


# --- Two people ------------------------------------------------------------------------------------------------------


@pytest.fixture
def deputy(cast, initiative, as_):
    """Somebody who stands in for the owner and may write, too."""
    from initiatives.models import RoleAssignment

    absence = absence_actions.plan_absence(
        first=clock.today(),
        last=clock.today(),
        asked=[absence_actions.Asked(cast.lead)],
        by=cast.owner,
    )
    absence_actions.accept_delegation(delegation=absence.delegations.get(), by=cast.lead)
    assert RoleAssignment.objects.filter(initiative=initiative, role="owner").exists()
    return cast.lead


def test_what_somebody_else_saved_meanwhile_comes_back_beside_what_was_typed(cast, as_, initiative, deputy):
    url = at("clause-edit", initiative.ref, 1)
    mine, theirs = as_(cast.owner), as_(deputy)
    opened = of_page(mine.get(url))
    assert theirs.post(url, of_page(theirs.get(url)) | {"most": "50"}).status_code == 302
    typed = opened | {"most": "20", "holds_until": "2031-05-01"}
    with acts() as kinds:
        answer = mine.post(url, typed)
    page = text_of(answer)
    assert answer.status_code == 409
    assert kinds == ["refused"]
    assert f"{deputy.full_name} saved this clause (" in page
    assert "at most 50 at a time" in page
    assert "at most 20 at a time" in page
    assert "<del>50</del> <ins>20</ins>" in page
    back = of_page(answer)
    assert (back["most"], back["holds_until"]) == (["20"], ["2031-05-01"]), "still in the form"
    assert now(initiative, 1).said.most == 50, "theirs stands until it is chosen"
    assert mine.post(url, back).status_code == 302, "Replace the saved text with mine"
    assert (now(initiative, 1).said.most, now(initiative, 1).said.holds_until) == (20, date(2031, 5, 1))


def test_a_third_person_in_between_is_noticed_too(cast, as_, initiative, deputy):
    url, mine, theirs = at("clause-edit", initiative.ref, 1), as_(cast.owner), as_(deputy)
    opened = of_page(mine.get(url))
    theirs.post(url, of_page(theirs.get(url)) | {"most": "50"})
    back = of_page(mine.post(url, opened | {"most": "20"}))
    theirs.post(url, of_page(theirs.get(url)) | {"most": "60"})
    assert mine.post(url, back).status_code == 409
    assert now(initiative, 1).said.most == 60


def test_a_clause_that_was_removed_meanwhile_can_be_put_back_as_it_was_typed(cast, as_, initiative, deputy):
    url, mine, theirs = at("clause-edit", initiative.ref, 1), as_(cast.owner), as_(deputy)
    opened = of_page(mine.get(url))
    gone = _removing(initiative, 1)
    theirs.post(gone, of_page(theirs.get(gone)))
    answer = mine.post(url, opened | {"most": "20"})
    assert answer.status_code == 409
    assert f"{deputy.full_name} removed this clause (" in text_of(answer)
    assert mine.post(url, of_page(answer)).status_code == 302
    assert now(initiative, 1).said.most == 20


def test_what_changed_since_it_was_seen_is_not_removed_unseen(cast, as_, initiative, deputy):
    url, mine, theirs = _removing(initiative, 1), as_(cast.owner), as_(deputy)
    seen = of_page(mine.get(url))
    edit = at("clause-edit", initiative.ref, 1)
    theirs.post(edit, of_page(theirs.get(edit)) | {"most": "50"})
    assert mine.post(url, seen).status_code == 409
    assert now(initiative, 1).said.most == 50


def test_different_clauses_do_not_meet(cast, as_, initiative, deputy):
    mine, theirs = as_(cast.owner), as_(deputy)
    one, other = at("clause-edit", initiative.ref, 1), at("clause-edit", initiative.ref, 2)
    opened = of_page(mine.get(one))
    theirs.post(other, of_page(theirs.get(other)) | {"wait": "3"})
    theirs.post(at("contract-edit", initiative.ref), {"up": "4"})
    assert mine.post(one, opened | {"most": "20"}).status_code == 302
    assert (now(initiative, 1).said.most, now(initiative, 2).said.minutes) == (20, 180)


def test_the_same_change_by_both_is_no_conflict(cast, as_, initiative, deputy):
    url, mine, theirs = at("clause-edit", initiative.ref, 1), as_(cast.owner), as_(deputy)
    opened = of_page(mine.get(url))
    theirs.post(url, of_page(theirs.get(url)) | {"most": "50"})
    assert mine.post(url, opened | {"most": "50"}).status_code == 302


def test_a_whole_draft_that_moved_on_is_not_overwritten(cast, initiative):
    edition = initiative_acts.fresh(initiative).contract.versions.get().edition
    add(initiative, cast.owner, days=900)
    with pytest.raises(Refused):
        contract_actions.save_contract(
            initiative=initiative, clauses=initiative_acts.CLAUSES, edition=edition, by=cast.owner
        )
    assert order(initiative)[-1] == 10


# --- Words -----------------------------------------------------------------------------------------------------------


def test_words_are_added_worded_otherwise_and_retired(cast, as_, initiative):
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "add-word")
    with acts() as kinds:
        client.post(url, {"kind": "resource", "words": "contracts of suppliers", "key": ""})
    assert kinds == ["word written"]
    word = initiative_acts.fresh(initiative).contract.vocabulary.get(key="contracts_of_suppliers")
    taken = text_of(client.post(url, {"kind": "action", "words": "sign", "key": word.key}))
    assert "already means “contracts of suppliers”" in taken
    page = at("row-act", "words", word.pk, "reword")
    client.post(page, of_page(client.get(page)) | {"words": "supplier contracts"})
    with acts() as kinds:
        client.post(at("row-act", "words", word.pk, "retire"))
        client.post(at("row-act", "words", word.pk, "retire"))
    assert kinds == ["word retired"]
    word.refresh_from_db()
    assert (word.words, bool(word.retired_at)) == ("supplier contracts", True)
    offered = text_of(client.get(at("clause-edit", initiative.ref, "new", kind="autonomy")))
    assert word.key not in offered
    client.post(page, of_page(client.get(page)))
    word.refresh_from_db()
    assert word.retired_at is None


def test_a_word_in_use_is_not_retired_and_other_words_change_the_draft_alone(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    word = initiative_acts.fresh(initiative).contract.vocabulary.get(key="summarise")
    client, page = as_(cast.owner), at("row-act", "words", word.pk, "reword")
    refused = client.post(at("row-act", "words", word.pk, "retire"))
    assert refused.status_code == 403
    assert "is used by clause 1" in text_of(refused)
    client.post(page, of_page(client.get(page)) | {"words": "condense notes"})
    signed, draft = initiative_acts.fresh(initiative).contract.versions.order_by("number")
    assert "summarise the notes of an account" in signed.clauses.get(number=1).sentence
    assert "condense notes" in draft.clauses.get(number=1).sentence
    assert signed.digest == contract_actions.contract_digest(signed)
    others = [
        list(one.clauses.exclude(number=1).values_list("fingerprint", flat=True)) for one in (signed, draft)
    ]
    assert others[0] == others[1]


def test_two_who_word_it_otherwise_are_told(cast, as_, initiative, deputy):
    word = initiative.contract.vocabulary.get(key="summarise")
    page, mine, theirs = at("row-act", "words", word.pk, "reword"), as_(cast.owner), as_(deputy)
    opened = of_page(mine.get(page))
    theirs.post(page, of_page(theirs.get(page)) | {"words": "condense"})
    answer = mine.post(page, opened | {"words": "shorten"})
    assert "Someone changed this word to “condense”" in text_of(answer)
    assert of_page(answer)["words"] == ["shorten"]
    mine.post(page, of_page(answer))
    word.refresh_from_db()
    assert word.words == "shorten"


# --- Contracts to begin with -----------------------------------------------------------------------------------------


def as_offered(client, url: str) -> dict:
    """What the form of a contract to begin with is filled with, and the two words that it asks for."""
    fields = client.get(url).context["form"].fields
    given = {name: field.initial for name, field in fields.items() if field.initial is not None}
    return given | {"audience": "the account team", "resource": "account notes"}


@pytest.mark.parametrize("key", STARTERS)
def test_a_contract_to_begin_with_is_read_first_and_then_taken_over(cast, as_, key):
    initiative = factories.make_initiative(cast)
    client, url = as_(cast.owner), at("contract-start", initiative.ref, key)
    sent = as_offered(client, url)
    page = (
        text_of(client.get(url))
        .replace("[audience]", sent["audience"])
        .replace("[resource]", sent["resource"])
    )
    shown = re.findall(r"Clause \d+\. ([^<]+)</p>", page)
    with acts() as kinds:
        assert client.post(url, sent).status_code == 302
    assert kinds == ["contract written"]
    draft = initiative_acts.fresh(initiative).contract.versions.get()
    assert sorted(shown) == sorted(draft.clauses.values_list("sentence", flat=True))
    assert len(shown) == len(STARTERS[key].clauses)
    assert client.get(url).status_code == 403, "there are clauses now"
    assert client.post(url).status_code == 403


def test_words_that_are_there_already_keep_reading_as_they_do(cast, as_):
    initiative = factories.make_initiative(cast)
    clause_actions.save_word(
        initiative=initiative, kind="action", key="write_summary", words="sum up", by=cast.owner
    )
    client, url = as_(cast.owner), at("contract-start", initiative.ref, "summarise")
    client.post(url, as_offered(client, url))
    assert "It may sum up on account notes" in now(initiative, 1).sentence


# --- Comments --------------------------------------------------------------------------------------------------------


def test_comments_stand_beside_their_clause_until_somebody_resolves_them(cast, as_, initiative):
    url = at("clause", initiative.ref, 2)
    with acts() as kinds:
        as_(cast.seat_risk).post(url, {"text": "Four hours are long."})
        as_(cast.owner).post(url, {"text": "The inbox is small."})
    assert kinds == ["clause commented", "clause commented"]
    assert as_(cast.auditor).get(url).status_code == 200
    assert as_(cast.auditor).post(url, {"text": "I only read."}).status_code == 403
    assert as_(cast.outsider).post(url, {"text": "I see nothing."}).status_code == 404
    told = Notification.objects.get(kind="comment")
    assert (told.person, told.link, told.text) == (cast.owner, url, "Four hours are long.")
    for page in ("contract", "contract-edit"):
        assert "2 open comments" in text_of(as_(cast.owner).get(at(page, initiative.ref)))
    initiative_acts.staff(initiative, cast.team)
    contract_actions.propose_contract(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    assert "2 open comments" in text_of(as_(cast.seat_risk).get(at("contract-approve", initiative.ref)))
    first, second = ClauseComment.objects.all()
    resolve = at("row-act", "comments", second.pk, "resolve")
    assert as_(cast.seat_value).post(resolve).status_code == 403, "neither the owner nor the author"
    assert as_(cast.seat_risk).post(resolve).status_code == 403
    with acts() as kinds:
        as_(cast.seat_risk).post(at("row-act", "comments", first.pk, "resolve"))
        as_(cast.owner).post(resolve)
    assert kinds == ["comment resolved", "comment resolved"]
    assert as_(cast.owner).post(resolve).status_code == 409
    assert "open comment" not in text_of(as_(cast.owner).get(at("contract", initiative.ref)))


def test_a_comment_stays_with_the_number_when_the_clause_is_gone(cast, as_, initiative):
    comments.comment_on_clause(initiative=initiative, number=9, text="Who is it?", by=cast.seat_risk)
    clause_actions.remove_clause(
        initiative=initiative_acts.fresh(initiative),
        number=9,
        seen=now(initiative, 9).fingerprint,
        by=cast.owner,
    )
    assert "clause 9" in text_of(as_(cast.owner).get(at("contract-edit", initiative.ref)))
    page = text_of(as_(cast.owner).get(at("clause", initiative.ref, 9)))
    assert "Who is it?" in page
    assert "No version of the contract has this clause now." in page


def test_an_empty_comment_says_nothing(cast, as_, initiative):
    with acts() as kinds:
        page = text_of(as_(cast.owner).post(at("clause", initiative.ref, 2), {"text": "  "}))
    assert kinds == []
    assert "There is a problem" in page


def test_a_clause_says_since_when_it_reads_as_it_does(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    add(initiative, cast.owner, days=900)
    page = text_of(as_(cast.owner).get(at("clause", initiative.ref, 1)))
    assert "Since version 1" in page
    assert "Since version 2" not in page
    with pytest.raises(Overtaken):
        add(initiative, cast.owner, kind="retention", number=10, seen="other", days=901)
