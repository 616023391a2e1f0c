"""What people without an account write by a unit's link: taken, slowed down, answered by the chair, forgotten."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from adoption import tasks as adoption_tasks
from governance import clock
from governance.database.row_history import acting
from governance.models import Delivery, Entry, Notification, PasswordLink, User
from governance.notifications import inbox as notification_inbox
from governance.organisation import actions as organisation_actions
from governance.permission_result import Conflict, Refused
from governance.privacy import retention, subject_access
from initiatives.inbox.absences import actions as absence_actions
from initiatives.models import Initiative, IntakeLink, IntakeRequest, IntakeSender
from initiatives.portfolio.intake import actions as intake_actions
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db
SENT = {
    "name": "Quill Feather",
    "email": "quill@partner.example",
    "problem": "Returns of <b>customers</b> are typed twice.",
    "users": "The returns desk",
    "hurts": "Two hours a day.",
}


@pytest.fixture
@snapshots.kept
def link(cast) -> IntakeLink:
    """The intake link of a unit whose board has a chair."""
    return intake_actions.make_link(unit=cast.unit, until=clock.today() + timedelta(days=30), by=cast.chair)


def received(link, **changed) -> IntakeRequest:
    return intake_actions.receive(link=link, **(SENT | changed))


def inbox(person) -> list[str]:
    return [line.text for line in notification_inbox.tasks_for(person) if "idea for" in line.text]


def test_from_the_link_to_the_idea(cast, link, as_):
    anybody, place = Client(), reverse("intake-write", args=[link.token])
    people, page = User.objects.count(), anybody.get(place).content.decode()
    assert "Account management" in page
    once = re.search(r'name="once" value="([^"]+)"', page)[1]
    for _ in range(2):
        assert anybody.post(place, SENT | {"once": once})["Location"] == reverse("intake-sent")
    row = IntakeRequest.objects.get()
    assert inbox(cast.chair) == ["New idea for Account management"]
    for other in (cast.deputy_chair, cast.admin, cast.owner, cast.seat_risk):
        assert inbox(other) == []
    shown = as_(cast.chair).get(row.get_absolute_url()).content.decode()
    assert "&lt;b&gt;customers" in shown
    assert "quill@partner.example" in shown
    chair = as_(cast.chair)
    said = {"title": "Returns entered once", "owner": cast.owner.pk, "invite": "on"}
    assert chair.post(reverse("intake-idea", args=[row.pk]), said)["Location"] == row.get_absolute_url()
    initiative = Initiative.objects.get(title="Returns entered once")
    assert initiative.problem == (
        f"{SENT['problem']}\n\nWho would use it: The returns desk\n\nEffects today: Two hours a day."
    )
    assert (initiative.unit, initiative.registered_by) == (cast.unit, cast.chair)
    assert initiative.roles.waiting().get().person == cast.owner
    row.refresh_from_db()
    assert (row.state, row.initiative, row.decided_by) == ("idea", initiative, cast.chair)
    assert inbox(cast.chair) == []
    assert inbox(cast.admin) == ["Invite the sender of an idea for Account management"]
    assert User.objects.count() == people, "no account is made by a form"
    assert (
        "Only admins can add accounts. The request is in the inbox of the admins."
        in chair.get(row.get_absolute_url()).content.decode()
    )
    with pytest.raises(Conflict):
        intake_actions.decline(request=row, reason="No", by=cast.chair)


def test_nobody_is_written_to_and_no_name_enters_the_audit_log(cast, link):
    before = (Delivery.objects.count(), Notification.objects.count(), PasswordLink.objects.count())
    row = received(link)
    intake_actions.decline(request=row, reason="Another unit does this.", by=cast.chair)
    assert (Delivery.objects.count(), Notification.objects.count(), PasswordLink.objects.count()) == before
    assert mail.outbox == []
    told = str([entry.facts for entry in Entry.objects.filter(pk__gt=0)])
    assert "Returns of" in told, "what was written is kept"
    assert "Quill" not in told
    assert "quill@" not in told


def test_the_admin_invites_the_sender_or_not(cast, link, as_):
    row, other = received(link), received(link, email=cast.lead.email or "lead@example.org")
    for one, title in ((row, "Zebra crossing"), (other, "Ostrich farm")):
        intake_actions.make_idea(request=one, title=title, owner=cast.owner, invite=True, by=cast.chair)
    address = reverse("intake-invite", args=[row.pk])
    assert as_(cast.chair).get(address).status_code == 403
    with pytest.raises(Refused):
        intake_actions.invite_sender(
            request=row, login="quill", full_name="Quill Feather", unit=cast.unit, by=cast.chair
        )
    admin = as_(cast.admin)
    assert "quill@partner.example" in admin.get(address).content.decode()
    wrong = admin.post(address, {"full_name": "Quill Feather", "login": "not a login", "unit": cast.unit.pk})
    assert wrong.status_code == 200
    admin.post(address, {"full_name": "Quill Feather", "login": "quill", "unit": cast.unit.pk})
    person = User.objects.get(login="quill")
    assert (person.email, person.unit) == ("quill@partner.example", cast.unit)
    assert PasswordLink.objects.get(person=person).purpose == "invitation"
    with pytest.raises(Conflict):
        intake_actions.leave_sender(request=row, reason="No", by=cast.admin)
    intake_actions.leave_sender(request=other, reason="They are here already.", by=cast.admin)
    assert inbox(cast.admin) == []
    assert set(IntakeRequest.objects.values_list("invitation", flat=True)) == {"invited", "left"}


def test_an_address_that_somebody_has_is_told_to_the_chair_and_invited_twice_never(cast, link, as_):
    with unguarded("governance_user"), acting(by=cast.admin, reason="test"):
        cast.lead.email = "ravi@northgate.example"
        cast.lead.save()
    row = received(link, email="Ravi@Northgate.example")
    page = as_(cast.chair).get(reverse("intake-idea", args=[row.pk])).content.decode()
    assert 'name="invite"' not in page
    assert "Ravi Menon" in as_(cast.chair).get(row.get_absolute_url()).content.decode()
    intake_actions.make_idea(request=row, title="Zebra", owner=cast.owner, invite=True, by=cast.chair)
    with pytest.raises(ValidationError):
        intake_actions.invite_sender(request=row, login="x", full_name="X", unit=None, by=cast.admin)


def test_a_link_that_ended_or_is_over_opens_nothing_and_takes_nothing(cast, link):
    place, anybody = reverse("intake-write", args=[link.token]), Client()
    with clock.simulated(clock.now() + timedelta(days=31)):
        over = anybody.get(place)
        with pytest.raises(Refused):
            received(link)
    newer = intake_actions.make_link(unit=cast.unit, until=clock.today(), by=cast.admin)
    ended, unknown = anybody.get(place), anybody.get(reverse("intake-write", args=["nobody-has-this"]))
    assert over.status_code == ended.status_code == unknown.status_code == 404
    assert ended.content == unknown.content
    intake_actions.close_link(link=newer, by=cast.chair)
    with pytest.raises(Conflict):
        intake_actions.close_link(link=newer, by=cast.chair)
    assert anybody.post(reverse("intake-write", args=[newer.token]), SENT).status_code == 404
    assert not IntakeRequest.objects.exists()


def test_links_are_made_by_the_chair_and_admins_where_somebody_answers(cast, link):
    until = clock.today() + timedelta(days=3)
    for other in (cast.owner, cast.seat_risk, cast.auditor, cast.outsider):
        with pytest.raises(Refused):
            intake_actions.make_link(unit=cast.unit, until=until, by=other)
        with pytest.raises(Refused):
            intake_actions.close_link(link=link, by=other)
    with pytest.raises(ValidationError, match="has no chair who could answer"):
        intake_actions.make_link(unit=cast.elsewhere, until=until, by=cast.admin)
    for day in (clock.today() - timedelta(days=1), clock.today() + timedelta(days=400)):
        with pytest.raises(ValidationError):
            intake_actions.make_link(unit=cast.unit, until=day, by=cast.chair)
    assert IntakeLink.objects.not_ended().get() == link


def test_a_form_that_is_wrong_says_so_and_loses_nothing(link):
    anybody, place = Client(), reverse("intake-write", args=[link.token])
    for change in (
        {"name": " "},
        {"email": "nobody"},
        {"problem": ""},
        {"problem": "x" * 2001},
        {"users": "x" * 501},
        {"hurts": "x" * 1001},
        {"once": "junk"},
    ):
        page = anybody.post(place, SENT | change)
        assert page.status_code == 422, change
        assert "The returns desk" in page.content.decode() or "users" in change
    for key, text in (("problem", "x" * 2001), ("name", "")):
        with pytest.raises(ValidationError):
            received(link, **{key: text})
    assert not IntakeRequest.objects.exists()


def test_too_many_are_slowed_down_by_address_and_by_link(link, monkeypatch):
    place = reverse("intake-write", args=[link.token])
    for number in range(20):
        assert Client().post(place, SENT | {"once": str(uuid4())}).status_code == 302, number
    slowed = Client().post(place, SENT)
    assert slowed.status_code == 429
    assert int(slowed["Retry-After"]) > 0
    assert "The returns desk" in slowed.content.decode()
    assert Client(REMOTE_ADDR="192.0.2.7").post(place, SENT).status_code == 302
    monkeypatch.setattr("initiatives.portfolio.intake.views.PER_LINK", 21)
    assert Client(REMOTE_ADDR="192.0.2.8").post(place, SENT).status_code == 429
    assert IntakeRequest.objects.count() == 21


def test_the_form_is_protected_against_other_sites(link):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(reverse("intake-write", args=[link.token]), SENT).status_code == 403
    assert not IntakeRequest.objects.exists()


def test_what_is_said_to_the_sender_depends_on_no_initiative(cast, link):
    anybody, place = Client(), reverse("intake-write", args=[link.token])
    before = anybody.post(place, SENT)
    factories.make_initiative(cast, title="Returns of customers typed twice", problem=SENT["problem"])
    after = anybody.post(place, SENT)
    assert (before.status_code, before["Location"]) == (after.status_code, after["Location"])
    assert anybody.get(place).content.decode().count("AI-") == 0


def test_the_deputy_answers_while_the_chair_is_away(cast, link):
    row = received(link)
    with pytest.raises(Refused):
        intake_actions.decline(request=row, reason="No", by=cast.deputy_chair)
    today = clock.today()
    absence_actions.plan_absence(first=today, last=today + timedelta(days=3), asked=[], by=cast.chair)
    assert inbox(cast.chair) == []
    assert inbox(cast.deputy_chair) == ["New idea for Account management"]
    with pytest.raises(Refused):
        intake_actions.decline(request=row, reason="No", by=cast.chair)
    intake_actions.decline(request=row, reason="Another unit does this.", by=cast.deputy_chair)


def test_the_chair_sees_similar_initiatives_and_is_not_asked_why_it_is_new(cast, link, as_):
    old = factories.make_initiative(cast, title="Returns entered by hand")
    row, chair = received(link), as_(cast.chair)
    place = reverse("intake-idea", args=[row.pk])
    said = {"title": "Returns entered once", "owner": cast.owner.pk}
    page = chair.post(place, said | {"owner": ""}).content.decode()
    assert old.ref in page
    assert "Is one of these the same idea?" in page
    assert Initiative.objects.count() == 1
    assert chair.post(place, said).status_code == 302
    assert Initiative.objects.count() == 2


def test_senders_are_forgotten_after_the_answer_or_at_once(cast, link, as_):
    declined, idea, waiting, asked = (received(link, name=f"Sender {n}") for n in range(4))
    intake_actions.decline(request=declined, reason="No.", by=cast.chair)
    initiative = intake_actions.make_idea(
        request=idea, title="Zebra", owner=cast.owner, invite=False, by=cast.chair
    )
    intake_actions.make_idea(request=asked, title="Ostrich", owner=cast.owner, invite=True, by=cast.chair)
    hold = retention.open_hold(initiative_ref=initiative.ref, reason="An inquiry", by=cast.auditor)
    with clock.simulated(clock.now() + timedelta(days=89)):
        assert intake_actions.forget_senders() == 0
    with clock.simulated(clock.now() + timedelta(days=91)):
        assert intake_actions.forget_senders() == 1
        assert not IntakeSender.objects.filter(request=declined).exists()
        retention.lift_hold(hold=hold, reason="It is over", by=cast.auditor)
        adoption_tasks.forget_contacts()
        assert set(IntakeSender.objects.values_list("request", flat=True)) == {waiting.pk, asked.pk}
    with clock.simulated(clock.now() + timedelta(days=367)):
        assert intake_actions.forget_senders() == 1, "whom nobody answered is not known for ever"
    with pytest.raises(Refused):
        intake_actions.remove_sender(request=asked, by=cast.chair)
    later = received(link)
    with pytest.raises(Refused):
        intake_actions.remove_sender(request=later, by=cast.owner)
    as_(cast.admin).post(reverse("intake-forget", args=[later.pk]))
    assert not IntakeSender.objects.filter(request=later).exists()
    assert "Deleted." in as_(cast.chair).get(later.get_absolute_url()).content.decode()


def test_a_sender_who_has_an_account_finds_it_in_their_report(cast, link, tmp_path):
    received(link, name="Marta Lindqvist", problem="Marta Lindqvist types returns twice.")
    counts = subject_access.take(person=cast.owner, to=tmp_path / "report.zip", by=cast.admin)
    assert counts["initiatives_intakesender"] == 1
    assert counts["initiatives_intakerequest"] == 1


def test_strangers_find_neither_links_nor_requests(cast, link, as_):
    row = received(link)
    for person in (cast.owner, cast.seat_risk, cast.auditor, cast.outsider):
        client = as_(person)
        for address in (
            reverse("intake"),
            row.get_absolute_url(),
            reverse("intake-idea", args=[row.pk]),
            reverse("intake-decline", args=[row.pk]),
        ):
            assert client.get(address).status_code == 403, address
    board = organisation_actions.add_board(name="Far board", unit=cast.elsewhere, by=cast.admin)
    organisation_actions.appoint(board=board, person=cast.outsider, seat="chair", by=cast.admin)
    far = as_(cast.outsider)
    assert link.token not in far.get(reverse("intake")).content.decode()
    assert far.get(row.get_absolute_url()).status_code == 404
    assert far.post(reverse("intake-link-close", args=[link.pk])).status_code == 404


def test_the_database_keeps_what_became_of_a_request(cast, link):
    row = received(link)
    for change in (
        {"state": "idea", "decided_by": cast.chair, "decided_at": clock.now()},
        {"state": "declined", "decided_by": cast.chair, "decided_at": clock.now()},
        {"state": "declined", "reason": "No."},
        {"invitation": "asked"},
    ):
        wrong = IntakeRequest.objects.get(pk=row.pk)
        for name, value in change.items():
            setattr(wrong, name, value)
        with pytest.raises(IntegrityError), transaction.atomic(), acting(system="test", reason="Wrong"):
            wrong.save()


def test_a_unit_that_was_merged_takes_nothing_and_its_request_goes_on(cast, link):
    row = received(link)
    with acting(by=cast.admin, reason="Merged"):
        cast.unit.merged_into = cast.elsewhere
        cast.unit.save()
    assert Client().get(reverse("intake-write", args=[link.token])).status_code == 404
    initiative = intake_actions.make_idea(
        request=IntakeRequest.objects.get(pk=row.pk),
        title="Zebra",
        owner=cast.owner,
        invite=False,
        by=cast.chair,
    )
    assert initiative.unit == cast.elsewhere
