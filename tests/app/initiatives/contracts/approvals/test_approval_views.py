"""The pages of what systems ask people: a call is shown whole, who may answers it; the inbox and one mail tell of
it.
"""

from datetime import timedelta

import pytest
from django.core import mail

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Delivery, Notification
from governance.notifications import daily_mail, due
from governance.notifications import inbox as notification_inbox
from initiatives.contracts.approvals import mails as approval_mails
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import ApprovalOpening, ApprovalRequest
from tests.app.initiatives.contracts.approvals.test_approvals import answer, stand_in
from tests.support.factories import make_evaluation_request, make_request
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_(initiative, key):
    return make_request(initiative, key)


def send(client, request, verdict, **fields):
    given = {"verdict": verdict, "digest": request.arguments_digest, "reason": ""} | fields
    return client.post(request.get_absolute_url(), given)


def again(row):
    return type(row).objects.get(pk=row.pk)


# --- One call --------------------------------------------------------------------------------------------------------


def test_the_page_shows_everything_that_was_asked(cast, as_, request_):
    page = text_of(as_(cast.support).get(request_.get_absolute_url()))
    for words in (
        "Reply drafts asks: send a reply to a customer",
        "120.00 EUR",
        "12000 in minor units",
        "“dana”",
        "“4711”",
        "“mail”",
        "action.properties.currency",
        "Contract, version 1",
        "but only after the support owner or the business owner approved it within 4 hours.",
        "If no one answers, the call is denied.",
        "Approve this call",
        request_.arguments_digest,
        "3 hours left",
    ):
        assert words in page, words


def test_approve_and_refuse(cast, as_, initiative, key, request_):
    support = as_(cast.support)
    support.get(request_.get_absolute_url())
    with acts() as kinds:
        answered = send(support, request_, "approve")
    assert (answered.status_code, kinds) == (302, ["approval answered"])
    assert again(request_).granted
    page = text_of(support.get(request_.get_absolute_url()))
    assert "Karim Haddad</b> approved the call as support owner, " in page
    assert "Approve this call" not in page

    other = make_request(initiative, key, evaluation_request=make_evaluation_request(context={}))
    without = send(support, other, "refuse")
    assert (
        without.status_code,
        "Give a reason, so that the owner of the system can fix the cause." in text_of(without),
    ) == (200, True)
    assert send(support, other, "refuse", reason="Wrong amount.").status_code == 302
    assert "Wrong amount." in text_of(as_(cast.owner).get(other.get_absolute_url()))


def test_others_see_it_and_are_refused(cast, as_, request_):
    for person in (cast.lead, cast.seat_risk, cast.auditor):
        client = as_(person)
        page = client.get(request_.get_absolute_url())
        assert (page.status_code, 'name="verdict"' in text_of(page)) == (200, False)
        assert send(client, request_, "approve").status_code == 403
    assert as_(cast.outsider).get(request_.get_absolute_url()).status_code == 404
    assert send(as_(cast.outsider), request_, "approve").status_code == 404
    assert again(request_).decided_at is None


def test_who_the_system_acts_for_is_told_why_not(cast, as_, initiative, key):
    request = make_request(
        initiative, key, evaluation_request=make_evaluation_request(subject={"type": "user", "id": "owner"})
    )
    page = text_of(as_(cast.owner).get(request.get_absolute_url()))
    assert "The system acts for you here" in page
    assert 'name="verdict"' not in page
    only = make_request(
        initiative,
        key,
        approvers=("owner",),
        evaluation_request=make_evaluation_request(subject={"type": "user", "id": "owner"}),
    )
    assert "No one else can approve this call" in text_of(as_(cast.owner).get(only.get_absolute_url()))


def test_a_second_press_and_a_second_person_are_told_who_was_first(cast, as_, request_):
    support, owner = as_(cast.support), as_(cast.owner)
    send(support, request_, "approve")
    mine = send(support, request_, "approve")
    assert (mine.status_code, "You approved the call at" in text_of(mine)) == (409, True)
    late = send(owner, request_, "refuse", reason="No.")
    assert (late.status_code, "Karim Haddad approved the call at" in text_of(late)) == (409, True)


def test_an_answer_to_other_arguments_than_those_shown_is_a_conflict(cast, as_, request_):
    assert send(as_(cast.support), request_, "approve", digest="0" * 64).status_code == 409
    assert again(request_).decided_at is None


def test_two_people_have_to_approve_where_the_clause_says_so(cast, as_, initiative, key):
    request = make_request(initiative, key, four_eyes=True)
    first = as_(cast.support)
    assert "Two people must approve the call." in text_of(first.get(request.get_absolute_url()))
    send(first, request, "approve")
    assert "A second person must also approve the call" in text_of(first.get(request.get_absolute_url()))
    send(as_(cast.owner), request, "approve")
    assert again(request).granted


def test_when_it_was_first_opened_is_kept_by_the_server(cast, as_, request_):
    """Looking again, another session and whatever a browser sends change nothing; who may not answer leaves nothing."""
    start = clock.now()
    as_(cast.lead).get(request_.get_absolute_url())
    as_(cast.support).head(request_.get_absolute_url())
    assert not ApprovalOpening.objects.exists()
    with clock.simulated(start + timedelta(minutes=5)):
        as_(cast.support).get(request_.get_absolute_url())
    with clock.simulated(start + timedelta(minutes=9)):
        support = as_(cast.support)
        support.get(request_.get_absolute_url())
        send(support, request_, "approve", opened_at="2001-01-01T00:00:00Z", opened=str(start))
    given = request_.answers.get()
    assert given.at - given.opened_at == timedelta(minutes=4)
    assert "4 minutes after opening the call" in text_of(as_(cast.owner).get(request_.get_absolute_url()))


def test_who_never_opened_it_took_no_time(cast, as_, request_):
    send(as_(cast.support), request_, "approve")
    given = request_.answers.get()
    assert given.at - given.opened_at < timedelta(seconds=5)


# --- All of an initiative
# ---------------------------------------------------------------------------------------------------


def test_what_waits_comes_first_and_outcomes_can_be_chosen(cast, as_, initiative, key):
    rows = [
        make_request(
            initiative, key, evaluation_request=make_evaluation_request(context={"n": n}), minutes=60 - n
        )
        for n in range(4)
    ]
    answer(rows[0], cast.support)
    answer(rows[1], cast.support, "refuse", reason="Not this one.")
    owner = as_(cast.owner)
    listed = owner.get(at("approvals", initiative.ref))
    shown = [line["row"].pk for line in listed.context["lines"]]
    assert shown[:2] == [rows[3].pk, rows[2].pk], "soonest over first"
    assert set(shown[2:]) == {rows[0].pk, rows[1].pk}
    assert "Not this one." in text_of(listed)
    for outcome, wanted in (
        ("waiting", {rows[2].pk, rows[3].pk}),
        ("refused", {rows[1].pk}),
        ("approved", {rows[0].pk}),
        ("used", set()),
        ("junk", {row.pk for row in rows}),
    ):
        lines = owner.get(at("approvals", initiative.ref, outcome=outcome)).context["lines"]
        assert {line["row"].pk for line in lines} == wanted, outcome
    with clock.simulated(clock.now() + timedelta(hours=2)):
        lines = as_(cast.owner).get(at("approvals", initiative.ref, outcome="expired")).context["lines"]
        assert {line["row"].pk for line in lines} == {row.pk for row in rows} - {rows[1].pk}


def test_a_initiative_without_any_says_so(cast, as_, initiative):
    page = text_of(as_(cast.owner).get(at("approvals", initiative.ref)))
    assert "No approvals yet" in page
    contract = text_of(as_(cast.owner).get(at("contract", initiative.ref)))
    assert at("approvals", initiative.ref) in contract


def stamped(initiative, key, person, count=20):
    for number in range(count):
        answer(
            make_request(initiative, key, evaluation_request=make_evaluation_request(context={"n": number})),
            person,
        )


def test_the_board_sees_signs_with_their_figures_and_others_do_not(cast, as_, initiative, key):
    stamped(initiative, key, cast.support)
    page = text_of(as_(cast.seat_risk).get(at("approvals", initiative.ref)))
    for words in (
        "Answered faster than a person can read: Karim Haddad",
        "Karim Haddad answered 20 requests, and half of these requests within less than a second of opening.",
        "Everything approved: Karim Haddad",
        "Karim Haddad approved 20 requests in a row, and refused none of 20.",
        "One person decides: Karim Haddad",
        "Karim Haddad gave 20 of all 20 answers.",
    ):
        assert words in page, words
    for person in (cast.owner, cast.support, cast.admin):
        assert "faster than" not in text_of(as_(person).get(at("approvals", initiative.ref)))
    assert "faster than" in text_of(as_(cast.auditor).get(at("approvals", initiative.ref)))


def test_what_there_was_to_read_is_counted_in_the_clauses_that_ask(cast, initiative, key):
    from initiatives.contracts.approvals import queries as approval_queries

    stamped(initiative, key, cast.support, 10)
    (fast, *_) = [sign for sign in approval_queries.signs_of(initiative, clock.now()) if sign.kind == "fast"]
    row = ApprovalRequest.objects.first()
    sentences = [clause.sentence for clause in row.version.clauses.all() if clause.number in row.clauses]
    assert len(sentences) == 1
    words = len(" ".join(approval_queries.texts_of(row.arguments, sentences, row.why)).split())
    assert f"Reading a request takes {round(words / 240 * 60)} seconds" in fast.figures


def test_a_sign_stands_on_the_review_of_the_production_gate(cast, as_, initiative, key):
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    board = as_(cast.seat_risk)
    assert "Some people possibly approved calls without reading them." not in text_of(
        board.get(review.get_absolute_url())
    )
    stamped(initiative, key, cast.support)
    page = text_of(board.get(review.get_absolute_url()))
    assert "Some people possibly approved calls without reading them." in page
    assert "Everything approved: Karim Haddad" in page
    assert "Some people possibly approved calls without reading them." not in text_of(
        as_(cast.owner).get(review.get_absolute_url())
    )


# --- The inbox --------------------------------------------------------------------------------------------------------


def lines(person):
    return [line for line in notification_inbox.tasks_for(person) if line.verb == "approve"]


def test_it_stands_on_the_inbox_of_everybody_who_may_answer_with_the_time_left(
    cast, as_, initiative, key, request_
):
    (line,) = lines(cast.support)
    assert (line.text, line.when, line.link) == (
        "Reply drafts: send a reply to a customer, 120.00 EUR",
        "3 hours left",
        request_.get_absolute_url(),
    )
    assert len(lines(cast.owner)) == 1
    for person in (cast.lead, cast.steward, cast.chair, cast.outsider, cast.admin):
        assert lines(person) == []
    page = text_of(as_(cast.support).get("/"))
    assert "3 hours left" in page
    answer(request_, cast.support)
    assert lines(cast.owner) == []


def test_the_inbox_asks_nobody_whom_the_system_acts_for_or_who_has_answered(cast, initiative, key):
    make_request(
        initiative,
        key,
        evaluation_request=make_evaluation_request(subject={"type": "user", "id": "owner"}),
        four_eyes=True,
    )
    assert (len(lines(cast.owner)), len(lines(cast.support))) == (0, 1)
    both = make_request(initiative, key, four_eyes=True)
    answer(both, cast.support)
    assert (len(lines(cast.owner)), len(lines(cast.support))) == (1, 1)
    with clock.simulated(both.expires_at):
        assert (lines(cast.owner), lines(cast.support)) == ([], [])


def test_a_stand_in_sees_for_whom(cast, request_):
    stand_in(cast.owner, cast.sponsor)
    (line,) = lines(cast.sponsor)
    assert line.on_behalf == "Marta Lindqvist"
    answer(request_, cast.sponsor)
    assert lines(cast.sponsor) == []


def test_however_many_wait_a_inbox_shows_few_of_a_initiative(cast, as_, initiative, key):
    client = as_(cast.support)
    before = query_counts.asked(client, "/")
    for number in range(8):
        make_request(
            initiative,
            key,
            evaluation_request=make_evaluation_request(context={"n": number}),
            minutes=60 + number,
        )
    assert [line.text for line in lines(cast.support)][-1] == "3 more calls of Customer summary assistant"
    assert len(lines(cast.support)) == 6
    assert query_counts.asked(client, "/") <= max(before, 10)


# --- The mail --------------------------------------------------------------------------------------------------------


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Run what leaves after commit, as the worker would."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def to(person):
    return [one for one in mail.outbox if one.to == [person.email]]


def test_a_mail_leaves_at_once_to_each_who_may_answer_and_only_once(cast, initiative, key, committed):
    with committed():
        request = make_request(initiative, key)
    (told,) = to(cast.support)
    html = told.alternatives[0][0]
    assert told.subject == f"{initiative.ref}: Reply drafts asks for your approval"
    for words in (request.get_absolute_url(), "120.00 EUR", "If no one answers, the call is denied"):
        assert words in told.body
        assert words in html
    assert len(to(cast.owner)) == 1
    assert len(mail.outbox) == 2
    approval_mails.send()
    for days in (0, 1):
        with clock.simulated(clock.now() + timedelta(days=days, minutes=2)):
            approval_mails.send()
            due.run()
            daily_mail.deliver()
    approvals = [one for one in mail.outbox if "asks for your approval" in one.subject + one.body]
    assert len(approvals) == 2, "neither again nor with the day's mail"
    assert Notification.objects.filter(kind="approval").count() == 2


def test_many_calls_of_a_minute_are_one_mail_and_the_next_minute_s_another(cast, initiative, key):
    start = clock.now().replace(second=1)
    for number in range(12):
        make_request(
            initiative, key, evaluation_request=make_evaluation_request(context={"n": number}), at=start
        )
    with clock.simulated(start):
        approval_mails.send()
        make_request(initiative, key, at=start)
        approval_mails.send()
    (first,) = to(cast.support)
    assert first.subject.endswith("and 11 more")
    assert "2 more tasks are in your inbox" in first.body
    with clock.simulated(start + timedelta(minutes=1)):
        approval_mails.send()
    assert len(to(cast.support)) == 2


def test_the_day_s_mail_repeats_no_approval(cast, initiative, key):
    """Also when it goes out first: the notification waits for the mail of its own."""
    make_request(initiative, key)
    due.run()
    daily_mail.deliver()
    assert not [one for one in mail.outbox if "asks for your approval" in one.subject + one.body]
    approval_mails.send()
    assert len(to(cast.support)) >= 1
    assert "asks for your approval" in to(cast.support)[-1].body


def test_what_was_answered_read_or_ran_out_before_is_not_mailed(cast, initiative, key):
    request = make_request(initiative, key, minutes=5)
    due.run()
    answer(request, cast.owner)
    approval_mails.send()
    assert mail.outbox == []
    other = make_request(initiative, key, minutes=5, evaluation_request=make_evaluation_request(context={}))
    due.run()
    with clock.simulated(other.expires_at):
        approval_mails.send()
    assert mail.outbox == []
    assert not Delivery.objects.filter(kind=Delivery.APPROVALS, sent_at__isnull=True).exists()


def test_a_mail_server_that_is_down_delays_and_loses_nothing(cast, initiative, key, monkeypatch):
    make_request(initiative, key)
    start = clock.now()
    with monkeypatch.context() as down, clock.simulated(start):
        down.setattr("django.core.mail.EmailMultiAlternatives.send", lambda self: 1 / 0)
        assert approval_mails.send().failed == 2
    with clock.simulated(start + timedelta(minutes=11)):
        assert approval_mails.send().sent == 2
        assert approval_mails.send().sent == 0
    assert {one.to[0] for one in mail.outbox} == {cast.support.email, cast.owner.email}


def test_the_mail_of_somebody_away_goes_to_who_stands_in(cast, initiative, key):
    stand_in(cast.owner, cast.sponsor)
    make_request(initiative, key)
    approval_mails.send()
    (told,) = to(cast.sponsor)
    assert "You are the deputy of Marta Lindqvist, who is away." in told.body
    assert to(cast.owner) == []


def test_nobody_is_mailed_whom_the_system_acts_for(cast, initiative, key):
    make_request(
        initiative, key, evaluation_request=make_evaluation_request(subject={"type": "user", "id": "owner"})
    )
    approval_mails.send()
    assert [one.to for one in mail.outbox] == [[cast.support.email]]
