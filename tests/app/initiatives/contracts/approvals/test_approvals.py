"""Asking a person before a system acts: asked once, answered by who may, used once and only for what was shown."""

import copy
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from adoption.demo import initiative_acts
from governance import clock
from governance.authorization.decision import Approval
from governance.contracts.cedar_policies import Malformed
from governance.database.row_history import acting
from governance.models import Entry
from governance.permission_result import Conflict, Refused
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.approvals import queries as approval_queries
from initiatives.contracts.approvals.actions import MOST_WAITING, TooManyWaiting, principals, status_of
from initiatives.contracts.approvals.permissions import may_answer_approval
from initiatives.contracts.documents import actions as contract_actions
from initiatives.inbox.absences import actions as absence_actions
from initiatives.inbox.absences.actions import Asked
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import ApprovalAnswer, ApprovalRequest, ApprovalUse
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.factories import make_evaluation_request, make_request

pytestmark = pytest.mark.django_db


def key_of(cast, initiative, principal=None, system="Reply drafts"):
    """A key that acts for the technical lead, unless it says for whom."""
    key, _ = factories.make_key(cast, initiative, principal=principal or cast.lead, system=system)
    return key


def answer(request, by, verdict="approve", **fields):
    values = {"digest": request.arguments_digest, "opened_at": clock.now(), "reason": ""} | fields
    return approval_actions.answer_approval(request=request, verdict=verdict, by=by, **values)


def use(request, key, evaluation_request=None, **fields):
    return approval_actions.use_approval(
        reference=str(request.reference),
        key=key,
        evaluation_request=evaluation_request or make_evaluation_request(),
        **fields,
    )


def state(request):
    return status_of(ApprovalRequest.objects.get(pk=request.pk), clock.now())


# --- Asking ----------------------------------------------------------------------------------------------------------


def test_a_call_is_put_before_people_once_and_used_once(cast, initiative, key):
    request = make_request(initiative, key)
    assert (request.expires_at - request.asked_at, state(request)) == (timedelta(hours=4), "waiting")
    assert use(request, key).code == "approval_waiting"
    assert make_request(initiative, key).pk == request.pk
    answer(request, cast.support)
    assert state(request) == "approved"
    assert make_request(initiative, key).pk == request.pk, "approved and not used: still the same call"
    evaluation_request = make_evaluation_request()
    evaluation_request["context"]["approval"] = {"id": str(request.reference)}
    assert use(request, key, evaluation_request)
    assert state(request) == "used"
    again = use(request, key, evaluation_request)
    assert (bool(again), again.code) == (False, "approval_used")
    assert make_request(initiative, key).pk != request.pk, "used up: the next call asks anew"
    assert ApprovalUse.objects.count() == 1


def test_it_is_asked_by_the_system_and_the_audit_log_says_so(cast, initiative, key):
    request = make_request(initiative, key)
    answer(request, cast.support, reason="The reply is right.")
    use(request, key)
    told = Entry.objects.acts().order_by("-pk")[:3]
    said = [entry.facts for entry in told]
    assert [entry.kind for entry in told] == ["approval used", "approval answered", "approval asked"]
    assert [one["actor"]["name"] for one in said] == [
        "system: Reply drafts",
        "Karim Haddad",
        "system: Reply drafts",
    ]
    assert said[1]["facts"]["digest"] == request.arguments_digest
    assert {entry.initiative_ref for entry in told} == {initiative.ref}


def test_no_context_and_an_empty_one_are_the_same_and_the_reference_is_no_argument():
    evaluation_request = make_evaluation_request(context={})
    without = {name: part for name, part in evaluation_request.items() if name != "context"}
    with_reference = evaluation_request | {"context": {"approval": "anything"}}
    digests = {
        approval_queries.arguments_digest(one) for one in (evaluation_request, without, with_reference)
    }
    assert len(digests) == 1
    assert approval_queries.arguments_digest(make_evaluation_request()) not in digests


def changed_once(value):
    """Every value that differs from this one in one place: a byte of a text, a number by one, a name, a part gone."""
    if isinstance(value, dict):
        for name, inner in value.items():
            rest = {other: part for other, part in value.items() if other != name}
            yield rest
            yield rest | {f"{name}x": inner}
            for other in changed_once(inner):
                yield value | {name: other}
        yield value | {"added": ""}
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield [*value[:place], *value[place + 1 :]]
            for other in changed_once(inner):
                yield [*value[:place], other, *value[place + 1 :]]
        yield [*value, ""]
    elif isinstance(value, str):
        for place in range(len(value)):
            yield value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
        yield value + " "
        yield value.upper() if value.upper() != value else value + "X"
    elif isinstance(value, int):
        yield from (value + 1, value - 1, float(value), str(value))


def test_changed_arguments_are_never_accepted(cast, initiative, key):
    """Every field, one byte each: none is the approved call, and the approved one still is."""
    request = make_request(initiative, key)
    answer(request, cast.support)
    evaluation_request = make_evaluation_request()
    tried = 0
    for part in ("subject", "action", "resource", "context"):
        for other in changed_once(evaluation_request[part]):
            found = use(request, key, evaluation_request | {part: other})
            assert found.code == "approval_for_other_arguments", (part, other)
            tried += 1
    assert tried > 100
    assert use(request, key, evaluation_request)


def test_a_key_of_another_system_or_initiative_knows_nothing_of_it(cast, initiative, key):
    request = make_request(initiative, key)
    answer(request, cast.support)
    other_initiative = factories.make_mvp(cast, title="Another")
    strangers = [
        key_of(cast, other_initiative),
        key_of(cast, initiative, system="Another system"),
        key_of(cast, initiative, cast.support),  # the approver would have asked herself
    ]
    assert [use(request, one).code for one in strangers] == ["approval_unknown"] * 3
    assert [use(request, one).request for one in strangers] == [None] * 3
    assert (
        approval_actions.use_approval(
            reference="x", key=key, evaluation_request=make_evaluation_request()
        ).code
        == "approval_unknown"
    )
    with pytest.raises(Refused, match="another initiative"):
        make_request(initiative, strangers[0])
    assert use(request, key_of(cast, initiative)), "the same system with its next key"


def test_what_cannot_be_kept_is_malformed(initiative, key):
    for value in ("a\0b", "\ud800", float("nan"), {"\0": 1}):
        evaluation_request = make_evaluation_request(context={"note": value})
        with pytest.raises(Malformed):
            make_request(initiative, key, evaluation_request=evaluation_request)
    told = make_request(
        initiative, key, evaluation_request=make_evaluation_request(context={"note": "\\u0000", "rate": 1e22})
    )
    assert told.arguments["context"]["note"] == "\\u0000"


def test_using_one_takes_one_short_transaction(cast, initiative, key):
    request = make_request(initiative, key)
    answer(request, cast.support)
    with CaptureQueriesContext(connection) as queries:
        assert approval_actions.use_approval(
            reference=str(request.reference), key=key.pk, evaluation_request=make_evaluation_request()
        )
    assert len(queries) <= 8, [query["sql"][:80] for query in queries]
    assert not any("supportedstage" in query["sql"] or "FOR UPDATE" in query["sql"] for query in queries)


def test_a_flood_of_calls_is_not_put_before_people(initiative, key, monkeypatch):
    monkeypatch.setattr(approval_actions, "MOST_WAITING", 3)
    entries = Entry.objects.acts().count()
    for number in range(3):
        make_request(initiative, key, evaluation_request=make_evaluation_request(context={"number": number}))
    with pytest.raises(TooManyWaiting, match="3 calls"):
        make_request(initiative, key, evaluation_request=make_evaluation_request(context={"number": 3}))
    assert Entry.objects.acts().count() == entries + 3
    assert MOST_WAITING == 100


# --- Who answers -----------------------------------------------------------------------------------------------------


def test_people_the_system_acts_for_are_found_by_key_login_and_address(cast, key):
    def found(**parts):
        return set(principals(key, make_evaluation_request(**parts))) - {cast.lead.pk}

    assert principals(key, make_evaluation_request()) == [cast.lead.pk]
    assert found(subject={"type": "user", "id": "OWNER"}) == {cast.owner.pk}
    assert found(subject={"type": "user", "id": " Owner@Example.org "}) == {cast.owner.pk}
    behalf = {"type": "agent", "id": "a", "properties": {"on_behalf_of": ["support@example.org", "owner"]}}
    assert found(subject=behalf) == {cast.support.pk, cast.owner.pk}
    assert found(context={"principal": {"type": "user", "id": "support"}}) == {cast.support.pk}
    assert found(subject={"type": "user", "id": ""}) == set()


def test_whom_the_system_acts_for_does_not_answer(cast, initiative, key):
    """By the server; and around it by the database. Named by the request, by the key, or by a name borne since."""
    request = make_request(
        initiative, key, evaluation_request=make_evaluation_request(subject={"type": "user", "id": "support"})
    )
    may = may_answer_approval
    assert "acts for you" in str(may(request, cast.support))
    assert may(request, cast.owner)
    with pytest.raises(Refused, match="acts for you"):
        answer(request, cast.support)
    with (
        pytest.raises(DatabaseError, match="acts for this person"),
        transaction.atomic(),
        acting(by=cast.support),
    ):
        row(request, cast.support).save()
    of_key = make_request(
        initiative,
        key_of(cast, initiative, cast.owner),
        evaluation_request=make_evaluation_request(context={}),
    )
    assert "acts for you" in str(may(of_key, cast.owner))
    of_nobody = make_request(
        initiative, key, evaluation_request=make_evaluation_request(subject={"type": "user", "id": "karim.h"})
    )
    assert may(of_nobody, cast.support)
    with unguarded("governance_user"), acting(system="test", reason="Renamed"):
        cast.support.login = "karim.h"
        cast.support.save()
    assert "acts for you" in str(may(of_nobody, cast.support))


def row(request, person, **fields):
    """An answer as a row, past the act."""
    now = clock.now()
    values = {
        "role": "owner",
        "verdict": "approve",
        "digest": request.arguments_digest,
        "opened_at": now,
        "at": now,
    }
    return ApprovalAnswer(request=request, person=person, **values | fields)


def use_row(request, **fields):
    """A use as a row, past the act."""
    return ApprovalUse(
        **{"request": request, "arguments_digest": request.arguments_digest, "at": clock.now()} | fields
    )


def test_only_the_roles_of_the_clause_answer(cast, initiative, key):
    request = make_request(initiative, key, approvers=("owner",))
    for person in (cast.support, cast.chair, cast.admin, cast.outsider):
        assert "Only the business owner" in str(may_answer_approval(request, person))
        with pytest.raises(Refused):
            answer(request, person)
    answer(request, cast.owner)
    assert state(request) == "approved"


def stand_in(person, delegate):
    today = clock.today()
    absence = absence_actions.plan_absence(
        first=today, last=today + timedelta(days=7), asked=[Asked(delegate)], by=person
    )
    return absence_actions.accept_delegation(delegation=absence.delegations.get(), by=delegate)


def test_a_stand_in_answers_for_who_is_away_but_not_for_a_principal(cast, initiative, key):
    stand_in(cast.owner, cast.sponsor)
    request = make_request(initiative, key, approvers=("owner",))
    answer(request, cast.sponsor)
    given = request.answers.get()
    assert (given.person, given.on_behalf_of, given.role) == (cast.sponsor, cast.owner, "owner")
    assert Entry.objects.acts().latest("pk").on_behalf_of_id == cast.owner.pk
    of_owner = make_request(
        initiative,
        key,
        approvers=("owner",),
        evaluation_request=make_evaluation_request(subject={"type": "user", "id": "owner"}),
    )
    with pytest.raises(Refused, match="Only the business owner"):
        answer(of_owner, cast.sponsor)


def test_four_eyes_needs_two_different_voices(cast, initiative, key):
    request = make_request(initiative, key, four_eyes=True)
    answer(request, cast.support)
    assert state(request) == "waiting"
    with pytest.raises(Conflict, match="You approved the call at"):
        answer(request, cast.support)
    assert use(request, key).code == "approval_waiting"
    answer(request, cast.owner)
    assert use(request, key)

    stand_in(cast.owner, cast.sponsor)
    once_more = make_request(initiative, key, four_eyes=True)
    answer(once_more, cast.sponsor)
    with pytest.raises(Refused, match="The person who stands in for you already answered this request"):
        answer(once_more, cast.owner)
    answer(once_more, cast.support)
    assert state(once_more) == "approved"


def test_one_refusal_decides_it_and_the_system_is_told_why(cast, initiative, key):
    request = make_request(initiative, key, four_eyes=True)
    with pytest.raises(
        ValidationError, match="Give a reason, so that the owner of the system can fix the cause"
    ):
        answer(request, cast.support, "refuse", reason=" ")
    with pytest.raises(ValidationError):
        answer(request, cast.support, "perhaps")
    answer(request, cast.support, "refuse", reason="The amount is wrong.")
    assert state(request) == "refused"
    found = use(request, key)
    assert (found.code, found.words) == (
        "approval_refused",
        "The support owner refused the call: The amount is wrong.",
    )
    assert "Karim" not in found.words
    with pytest.raises(Conflict, match=r"Karim Haddad refused the call at \d\d:\d\d on"):
        answer(request, cast.owner)
    assert make_request(initiative, key, four_eyes=True).pk != request.pk


def test_an_answer_is_for_what_was_shown(cast, initiative, key):
    request = make_request(initiative, key)
    other = make_request(
        initiative, key, evaluation_request=make_evaluation_request(context={"channel": "chat"})
    )
    with pytest.raises(
        Conflict, match="The arguments of the request differ from the arguments in your answer"
    ):
        answer(request, cast.support, digest=other.arguments_digest)
    with (
        pytest.raises(DatabaseError, match="exactly the arguments"),
        transaction.atomic(),
        acting(system="t"),
    ):
        row(request, cast.support, digest=other.arguments_digest).save()


def test_the_time_to_decide_lies_between_asking_and_answering(cast, initiative, key):
    asked = clock.now()
    request = make_request(initiative, key, at=asked)
    with clock.simulated(asked + timedelta(minutes=9)):
        answer(request, cast.support, opened_at=asked - timedelta(days=3))
    assert request.answers.get().opened_at == asked


# --- Time ------------------------------------------------------------------------------------------------------------


def test_what_is_too_old_is_neither_answered_nor_used(cast, initiative, key):
    """By the server with the clock set on; around it by the database, whatever moment the row claims."""
    now = clock.now()
    request = make_request(initiative, key, minutes=10, at=now)
    approved = make_request(
        initiative, key, minutes=10, at=now, evaluation_request=make_evaluation_request(context={})
    )
    answer(approved, cast.support)
    with clock.simulated(request.expires_at):
        with pytest.raises(Refused, match="The time to answer ended"):
            answer(request, cast.support)
        assert use(approved, key, make_evaluation_request(context={})).code == "approval_expired"
        assert (state(request), state(approved)) == ("expired", "expired")
        assert make_request(initiative, key, minutes=10).pk != request.pk
        for moment in (request.asked_at, request.expires_at):
            with pytest.raises(DatabaseError, match="is over"), transaction.atomic(), acting(system="t"):
                row(request, cast.support, at=moment).save()
            with pytest.raises(DatabaseError, match="too old"), transaction.atomic(), acting(system="t"):
                use_row(approved, at=moment).save()
    with clock.simulated(request.expires_at - timedelta(seconds=1)):
        answer(request, cast.support)
        assert use(approved, key, make_evaluation_request(context={}))


def test_the_database_s_clock_is_believed_where_it_is_ahead(cast, initiative, key):
    request = make_request(initiative, key, minutes=10)
    answer(request, cast.support)
    with clock.simulated(request.expires_at):
        found = use(request, key, at=request.asked_at)
    assert (bool(found), found.code) == (False, "approval_expired")
    assert not ApprovalUse.objects.exists()


def test_an_approval_under_a_contract_that_has_ended_is_good_for_nothing(cast, initiative, key):
    waiting = make_request(initiative, key)
    approved = make_request(initiative, key, evaluation_request=make_evaluation_request(context={}))
    answer(approved, cast.support)
    contract_actions.save_contract(initiative=initiative, clauses=initiative_acts.CLAUSES, by=cast.owner)
    version = contract_actions.propose_contract(initiative=initiative, by=cast.owner)
    for seat, person in cast.seats.items():
        if version.state == "in_review" and seat in ("business_value", "risk_compliance", "security_privacy"):
            version = contract_actions.approve_contract(
                version=version, seat=seat, digest=version.digest, by=person
            )
    assert version.state == "in_force"
    assert (state(waiting), state(approved)) == ("expired", "expired")
    with pytest.raises(Refused, match="no longer in force"):
        answer(waiting, cast.support)
    assert use(approved, key, make_evaluation_request(context={})).code == "approval_expired"
    assert make_request(initiative, key).version == version


def test_an_approval_of_fewer_or_other_people_is_not_enough(cast, initiative, key):
    request = make_request(initiative, key)
    answer(request, cast.support)
    asked = ("support_owner", "owner")
    for wanted in (Approval(asked, 240, True), Approval(("owner",), 240)):
        assert use(request, key, approval=wanted).code == "approval_for_other_terms"
    assert use(request, key, approval=Approval((*asked, "sponsor"), 5))


def test_status_is_the_same_in_python_and_in_a_query(cast, initiative, key):
    rows = [
        make_request(
            initiative, key, evaluation_request=make_evaluation_request(context={"n": n}), minutes=10 + n
        )
        for n in range(5)
    ]
    answer(rows[0], cast.support)
    use(rows[0], key, make_evaluation_request(context={"n": 0}))
    answer(rows[1], cast.support)
    answer(rows[2], cast.support, "refuse", reason="No.")
    seen = set()
    for minutes in (0, 10, 11, 12, 13, 14, 15):
        at = rows[0].asked_at + timedelta(minutes=minutes)
        for one in ApprovalRequest.objects.with_state(at):
            assert one.state == one.state_at(at)
            seen.add(one.state)
        waiting = set(ApprovalRequest.objects.waiting_at(at))
        assert waiting == {
            one for one in rows if status_of(ApprovalRequest.objects.get(pk=one.pk), at) == "waiting"
        }
    assert seen == {"waiting", "approved", "used", "refused", "expired"}


# --- Past the acts ---------------------------------------------------------------------------------------------------


def raw(sql, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_the_database_holds_what_was_asked_and_that_somebody_approved(cast, initiative, key):
    request = make_request(initiative, key)
    table = ApprovalRequest._meta.db_table
    with acting(system="test"):
        for change in (
            "expires_at = expires_at + interval '1 day'",
            "four_eyes = true",
            "arguments = '{}'",
            "principals = '{}'",
        ):
            with pytest.raises(DatabaseError, match="of initiatives_approvalrequest stays"):
                raw(f"UPDATE {table} SET {change} WHERE id = %s", request.pk)
        with pytest.raises(DatabaseError, match="nobody approved"), transaction.atomic():
            use_row(request).save()
    answer(request, cast.support)
    with (
        acting(system="test"),
        pytest.raises(DatabaseError, match="exactly the arguments"),
        transaction.atomic(),
    ):
        use_row(request, arguments_digest="0" * 64).save()
    use(request, key)
    with acting(system="test"), pytest.raises(DatabaseError), transaction.atomic():
        use_row(request).save()


# --- What is shown ---------------------------------------------------------------------------------------------------


def shown(evaluation_request) -> dict[str, str]:
    groups = approval_queries.rows_of(approval_queries.arguments_of(evaluation_request))
    return {one.path: one.value for _, rows in groups for one in rows}


def test_everything_that_is_hashed_is_shown_and_nothing_looks_like_something_else():
    evaluation_request = copy.deepcopy(make_evaluation_request())
    evaluation_request["action"]["properties"] |= {
        "to": {"name": "A", "lines": ["x", 2]},
        "sure": True,
        "said": "yes",
        "none": None,
        "empty": [],
    }
    evaluation_request["context"]["note"] = "pay \u202e001 EUR\u200b\n now"
    evaluation_request["subject"]["extra"] = {"deep": [{"er": 1}]}
    rows = shown(evaluation_request)
    assert rows["action.properties.amount"] == "120.00 EUR"
    assert rows["action.properties.to.lines[2]"] == "2"
    assert (rows["action.properties.sure"], rows["action.properties.said"]) == ("yes", "“yes”")
    assert (rows["action.properties.none"], rows["action.properties.empty"]) == ("nothing", "an empty list")
    assert rows["context.note"] == "“pay [U+202E]001 EUR[U+200B]\n now”"
    assert rows["subject.extra.deep[1].er"] == "1"
    assert rows["resource.id"] == "“4711”"
    before = shown(make_evaluation_request())
    for other in changed_once(make_evaluation_request()["action"]["properties"]):
        evaluation_request = make_evaluation_request(action={"name": "send_reply", "properties": other})
        assert shown(evaluation_request) != before, other


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"amount": 5000, "currency": "EUR"}, "50.00 EUR"),
        ({"amount": -5050, "currency": "EUR"}, "-50.50 EUR"),
        ({"amount": 5000, "currency": "JPY"}, "5000 JPY"),
        ({"amount": 5000}, ""),
        ({"amount": "5000", "currency": "EUR"}, ""),
        ({"amount": True, "currency": "EUR"}, ""),
        ({"amount": 5000, "currency": "eur"}, ""),
        ("EUR", ""),
    ],
)
def test_an_amount_is_money_where_it_is_one(properties, words):
    assert approval_queries.amount_of({"name": "pay", "properties": properties}) == words


def test_time_left_in_words():
    now = clock.now()
    left = {
        -1: "expired",
        30: "less than a minute left",
        60: "1 minute left",
        45 * 60 + 59: "45 minutes left",
        119 * 60: "119 minutes left",
        150 * 60: "2 hours left",
        50 * 3600: "2 days left",
    }
    for seconds, words in left.items():
        assert approval_queries.time_left(now + timedelta(seconds=seconds), now) == words


# --- Who may still give it -------------------------------------------------------------------------------------------


def _leaves(cast, initiative, person, role):
    leaving.deactivate(person=person, reason="Left", by=cast.admin)


def _lays_down(cast, initiative, person, role):
    row = initiative.roles.get(person=person, role=role, ended_at=None)
    role_actions.revoke_role(assignment=row, reason="Other tasks", by=person)


def _takes_it_again(cast, initiative, person, role):
    _lays_down(cast, initiative, person, role)
    row = role_actions.propose_role(initiative=initiative, role=role, person=person, by=cast.owner)
    role_actions.accept_role(assignment=row, by=person)


GONE = [_leaves, _lays_down, _takes_it_again]


@pytest.mark.parametrize("change", GONE)
def test_an_approval_counts_while_its_giver_may_give_it(cast, initiative, key, change, as_):
    """It lapses for the call, for the page and in the database, and the system can ask again."""
    request = make_request(initiative, key)
    answer(request, cast.support)
    change(cast, initiative, cast.support, "support_owner")
    assert use(request, key).code == "approval_lapsed"
    page = as_(cast.owner).get(request.get_absolute_url()).content.decode()
    assert "This approval no longer counts." in page
    again = make_request(initiative, key)
    assert again.pk != request.pk
    answer(again, cast.owner)
    assert use(again, key)


@pytest.mark.parametrize("change", GONE)
def test_the_first_of_two_approvals_lapses_and_another_person_is_asked(cast, initiative, key, change):
    request = make_request(
        initiative, key, four_eyes=True, approvers=("owner", "support_owner", "technical_lead")
    )
    answer(request, cast.support)
    change(cast, initiative, cast.support, "support_owner")
    answer(request, cast.owner)
    assert state(request) == "waiting"
    assert use(request, key).code == "approval_waiting"


def test_who_is_back_answers_after_the_stand_in_has_left(cast, initiative, key):
    stand_in(cast.owner, cast.sponsor)
    request = make_request(initiative, key, approvers=("owner",), four_eyes=True)
    answer(request, cast.sponsor)
    assert not may_answer_approval(request, cast.owner)
    leaving.deactivate(person=cast.sponsor, reason="Left", by=cast.admin)
    assert may_answer_approval(request, cast.owner)
