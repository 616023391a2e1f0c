"""What goes out is shown to whoever is asked to approve it, and to nobody else; the approval is for exactly that."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction

from governance import clock
from governance.authorization import approval_previews
from governance.database import database_roles
from governance.models import Entry, User
from governance.permission_result import Refused
from governance.privacy import erasure, retention
from initiatives import tasks
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.approvals import queries as approval_queries
from initiatives.models import ApprovalOpening, ApprovalPreview, ApprovalRequest
from initiatives.portfolio.units import leaving
from tests.acceptance.audit_log.test_erasure import traces
from tests.app.initiatives.contracts.approvals.test_approvals import answer, stand_in, use
from tests.support import factories
from tests.support.factories import make_evaluation_request, make_request
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.servers.asking_systems import System, logged

pytestmark = pytest.mark.django_db

LETTER = "Dear Ms Keller,\n<b>we pay</b> [1200](https://evil.example/) **EUR** back."
LINK = "https://files.example.org/letters/7?token=abc"


def asked(text=LETTER, kind="text", **context):
    """A request that hands over what goes out."""
    return make_evaluation_request(context={"channel": "mail", "preview": {kind: text}} | context)


def sealed(text=LETTER, kind="text"):
    """The same request as it reaches an approval."""
    return approval_previews.sealed(asked(text, kind))[0]


def page_of(client, request):
    return text_of(client.get(request.get_absolute_url()))


def content_of(request) -> str:
    return ApprovalPreview.objects.get(request=request).content


# --- Asking ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def system(cast, initiative):
    return System(factories.make_key(cast, initiative)[1].text)


def test_it_lies_in_its_own_row_and_nowhere_else(cast, initiative, system):
    """Not in the request, the audit log, the log of decisions, its files or a mail: they have the digest."""
    call = asked("Zebra crossing at noon")
    answered = system.send("/access/v1/evaluation", call).json()
    assert answered["context"]["outcome"] == "needs_approval"
    assert not ApprovalPreview.objects.exists(), "a denial keeps only the digest"
    assert system.ask_person(call, answered).status_code == 202
    spooled = "".join(path.read_text() for path in settings.DECISIONS_DIR.iterdir())
    (line,) = logged()
    preview = ApprovalPreview.objects.get()
    assert (preview.kind, preview.content, preview.words) == ("text", "Zebra crossing at noon", 4)
    assert preview.digest in spooled
    assert "Zebra" not in spooled
    assert line.request["context"]["preview"] == {"kind": "text", "sha256": preview.digest}
    assert Entry.objects.acts().latest("pk").facts["facts"]["preview"] == preview.digest
    assert traces("Zebra crossing") == {"initiatives_approvalpreview": 1}
    assert database_roles.hidden_from_auditors()["initiatives_approvalpreview"] == ("content",)


def test_what_is_no_preview_is_answered_400(system):
    for wrong in (
        {"text": "x" * 20_001},
        {"text": ""},
        "text",
        {"link": "javascript:alert(1)"},
        {"link": "data:text/html,x"},
        {"link": "http://files.example.org/"},
    ):
        evaluation_request = make_evaluation_request(context={"preview": wrong})
        told = system.send("/access/v1/evaluation", evaluation_request)
        assert told.status_code == 400, wrong
        assert told.json().startswith("context.preview")
        (one,) = system.ask_all({"evaluations": [evaluation_request]})["evaluations"]
        assert (one["decision"], one["context"]["error"]["status"]) == (False, 400)
    assert (logged(), ApprovalRequest.objects.count()) == ([], 0)


def test_a_call_that_nobody_is_asked_about_keeps_nothing(system):
    told = system.send("/access/v1/evaluation", asked() | {"action": {"name": "delete_notes"}}).json()
    assert told["decision"] is False
    assert not ApprovalPreview.objects.exists()
    assert "Keller" not in str(logged()[0].request)


def test_an_approval_is_for_exactly_this_preview(cast, initiative, key, system):
    request = make_request(initiative, key, evaluation_request=asked())
    assert make_request(initiative, key, evaluation_request=asked()).pk == request.pk
    assert make_request(initiative, key, evaluation_request=asked(LETTER + " ")).pk != request.pk
    assert make_request(initiative, key, evaluation_request=asked(LINK, "link")).pk != request.pk
    assert make_request(initiative, key, evaluation_request=make_evaluation_request()).pk != request.pk
    answer(request, cast.support)
    for other in (sealed(LETTER + " "), sealed(LINK, "link"), make_evaluation_request()):
        assert use(request, key, other).code == "approval_for_other_arguments"
    assert use(request, key, sealed())

    denied = system.send("/access/v1/evaluation", asked()).json()
    for other in (asked("Another letter"), make_evaluation_request(context={"channel": "mail"})):
        assert system.ask_person(other, denied).status_code == 400, "the token is for this preview"
    told = system.ask_person(asked(), denied).json()["task"]
    answer(ApprovalRequest.objects.get(reference=told["id"]), cast.support)
    approval = {"id": told["id"]}
    swapped = system.send("/access/v1/evaluation", asked("Another letter", approval=approval)).json()
    assert swapped["context"]["code"] == "approval_for_other_arguments"
    assert system.send("/access/v1/evaluation", asked(approval=approval)).json()["decision"] is True


def test_the_database_keeps_it_as_it_was_asked_about(initiative, key):
    request = make_request(initiative, key, evaluation_request=asked())
    bare = make_request(initiative, key)
    row = ApprovalPreview.objects.get()
    other = {"kind": "text", "content": "Other", "digest": row.digest, "words": 1}
    for change in (
        lambda: ApprovalPreview(request=bare, **other | {"content": LETTER}).save(),
        lambda: ApprovalPreview.objects.filter(pk=row.pk).update(content="Other"),
        lambda: ApprovalPreview.objects.filter(pk=row.pk).update(digest="0" * 64),
        lambda: row.delete(),
    ):
        with pytest.raises(DatabaseError, match=r"what (was|is) shown"), transaction.atomic():
            change()
    assert content_of(request) == LETTER


# --- Who reads it ----------------------------------------------------------------------------------------------------


def test_it_is_shown_as_plain_text_with_its_digest(cast, as_, initiative, key):
    request = make_request(initiative, key, evaluation_request=asked(LETTER + "\r\n\tpay\u202eno\u200bw"))
    response = as_(cast.support).get(request.get_absolute_url())
    raw = response.content.decode()
    assert "&lt;b&gt;we pay&lt;/b&gt; [1200](https://evil.example/) **EUR** back." in raw
    assert "<b>we pay" not in raw
    assert 'href="https://evil.example' not in raw
    assert "\n\tpay[U+202E]no[U+200B]w</pre>" in raw
    assert ApprovalPreview.objects.get().digest in raw
    assert "no-store" in response["Cache-Control"]


def test_a_link_is_shown_with_its_host_and_leads_there(cast, as_, initiative, key):
    request = make_request(initiative, key, evaluation_request=asked(LINK, "link"))
    page = page_of(as_(cast.support), request)
    assert "<b>files.example.org</b>" in page
    assert f'<a href="{LINK}" rel="noopener noreferrer nofollow">{LINK}</a>' in page
    assert "can change" in page


def test_only_whoever_is_asked_reads_it(cast, as_, initiative, key):
    """The lead, the board, the auditor and the admin see the call and its digest; strangers see nothing."""
    request = make_request(initiative, key, evaluation_request=asked())
    digest = ApprovalPreview.objects.get().digest
    for person in (cast.support, cast.owner):
        assert "Dear Ms Keller" in page_of(as_(person), request)
    for person in (cast.lead, cast.steward, cast.seat_risk, cast.chair, cast.auditor, cast.admin):
        page = page_of(as_(person), request)
        assert ("Keller" in page, digest in page) == (False, True), person
        assert "Only the approvers" in page
    assert as_(cast.outsider).get(request.get_absolute_url()).status_code == 404
    for person in (cast.support, cast.seat_risk, cast.auditor):
        client = as_(person)
        for url in (
            at("approvals", initiative.ref),
            at("contract", initiative.ref),
            "/",
            "/search/?q=Keller",
        ):
            assert "Ms Keller" not in text_of(client.get(url)), url


def test_once_it_is_answered_only_whoever_answered_reads_it(cast, as_, initiative, key):
    request = make_request(initiative, key, evaluation_request=asked())
    answer(request, cast.support)
    assert "Dear Ms Keller" in page_of(as_(cast.support), request)
    assert "Keller" not in page_of(as_(cast.owner), request)


def test_whom_the_system_acts_for_does_not_read_it_and_a_stand_in_does(cast, as_, initiative, key):
    stand_in(cast.support, cast.sponsor)
    request = make_request(
        initiative, key, evaluation_request=asked() | {"subject": {"type": "user", "id": "owner"}}
    )
    assert "Keller" not in page_of(as_(cast.owner), request)
    assert "Dear Ms Keller" in page_of(as_(cast.sponsor), request)


def test_a_call_without_one_says_nothing_of_it(cast, as_, initiative, key):
    assert "Content of the call" not in page_of(as_(cast.support), make_request(initiative, key))


# --- Erased ----------------------------------------------------------------------------------------------------------


def test_it_is_erased_ninety_days_after_the_answer_or_its_time_and_not_while_held(cast, as_, initiative, key):
    start = clock.now()
    answered = make_request(initiative, key, evaluation_request=asked(), at=start)
    expired = make_request(initiative, key, evaluation_request=asked("Nobody answered"), at=start)
    ninety = timedelta(days=90)
    with clock.simulated(start + timedelta(hours=1)):
        answer(answered, cast.support)
    digest = answered.arguments["context"]["preview"]["sha256"]
    hold = retention.open_hold(initiative_ref=initiative.ref, reason="An inquiry", by=cast.auditor)
    with clock.simulated(start + timedelta(hours=5) + ninety):
        assert approval_actions.erase_previews() == 0, "the initiative is held"
    retention.lift_hold(hold=hold, reason="It is over", by=cast.auditor)
    with clock.simulated(start + timedelta(minutes=59) + ninety):
        assert approval_actions.erase_previews() == 0
    with clock.simulated(start + timedelta(hours=1) + ninety):
        tasks.erase_previews()
        assert (content_of(answered), content_of(expired)) == ("", "Nobody answered")
        assert approval_actions.erase_previews() == 0, "once"
        page = page_of(as_(cast.support), answered)
        assert "Plumbline keeps the content for at most 90 days" in page
        assert digest in page
    with clock.simulated(start + timedelta(hours=4) + ninety):
        assert approval_actions.erase_previews() == 1
    assert traces("Keller", "Nobody answered") == {}


def test_an_erasure_takes_the_whole_text_that_names_the_person(cast, initiative, key):
    person = factories.make_person("dana.whitfield", cast.unit, full_name="Dana Whitfield")
    named = make_request(initiative, key, evaluation_request=asked("Refund for Dana Whitfield: 12 EUR"))
    other = make_request(initiative, key, evaluation_request=asked("Refund for Ms Keller"))
    leaving.deactivate(person=person, reason="Left", by=cast.admin)
    erasure.erase(person=User.objects.get(pk=person.pk), why="Asked", duty="GDPR, Article 17", by=cast.admin)
    row = ApprovalPreview.objects.get(request=named)
    assert (row.content, row.digest) == ("", named.arguments["context"]["preview"]["sha256"])
    assert content_of(other) == "Refund for Ms Keller"

    with pytest.raises(Refused, match="erased before the call was approved"):
        answer(named, cast.support)
    again = make_request(initiative, key, evaluation_request=asked("Refund for Dana Whitfield: 12 EUR"))
    assert again.pk != named.pk, "what nobody can see is put before people anew"
    answer(named, cast.support, "refuse", reason="It cannot be read any more.")


# --- How approvals are given -----------------------------------------------------------------------------------------


def test_the_board_sees_how_fast_each_person_answers_and_how_often_they_refuse(cast, as_, initiative, key):
    start = clock.now()
    for number, (seconds, verdict) in enumerate([(5, "approve"), (40, "refuse"), (600, "approve")]):
        request = make_request(initiative, key, evaluation_request=asked(f"Letter {number}"), at=start)
        ApprovalOpening.objects.create(request=request, person=cast.support, at=start)
        with clock.simulated(start + timedelta(seconds=seconds)):
            client = as_(cast.support)
            client.post(
                request.get_absolute_url(),
                {"verdict": verdict, "digest": request.arguments_digest, "reason": "Wrong." * 9},
            )
    page = as_(cast.seat_risk).get(at("approvals", initiative.ref))
    (row,) = page.context["approvers"]
    assert (row.person, row.answered, row.refused, row.seconds) == ("Karim Haddad", 3, 1, 40)
    assert "Median seconds from opening to answer" in text_of(page)
    assert "Median seconds" in text_of(as_(cast.auditor).get(at("approvals", initiative.ref)))
    for person in (cast.owner, cast.support, cast.admin):
        closed = as_(person).get(at("approvals", initiative.ref))
        assert (closed.context["approvers"], "Median seconds" in text_of(closed)) == ([], False)


def test_what_is_shown_counts_as_something_to_read(cast, initiative, key):
    for text in ("one two three", "word " * 1000):
        answer(make_request(initiative, key, evaluation_request=asked(text)), cast.support)
    longer, shorter = (row.words for row in approval_queries.answers_of(initiative, clock.now()))
    assert longer - shorter == 997
