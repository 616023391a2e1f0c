"""Attacks on accounts and seats: H4 (an admin signs off in any seat), M1, M3, M6, L5 and L7."""

import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import time_machine
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client

from adoption.demo import initiative_acts
from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import reported_identities
from governance.models import Entry, Membership, Notification, Session, User
from governance.organisation import actions as organisation_actions
from governance.people import cooling_off
from governance.permission_result import Refused
from governance.sign_in import password_links, reauthentication, throttling
from governance.templatetags.plumbline import day
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contracts.documents import actions as contract_actions
from initiatives.inbox.absences import actions as absence_actions
from initiatives.inbox.absences.actions import Asked
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.roles import handovers
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Review
from initiatives.portfolio.units import leaving
from tests.app.initiatives.lifecycle.reviews.test_separation_of_duties import force
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import snapshots
from tests.support.factories import PASSWORD
from tests.support.initiatives.initiative_pages import SIGNED

pytestmark = pytest.mark.django_db
NEW = "a wholly new phrase"
DAY = timedelta(days=1)
SEAT = "business_value"


@pytest.fixture
@snapshots.kept
def review(cast) -> Review:
    """An idea at the prototype gate, everything shown: one seat has to sign."""
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    return review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)


def reset_by(cast, person, *, how="admin") -> None:
    """Somebody else has a link made for this person and sets a password by it."""
    if how == "admin":
        token = password_links.token_of(password_links.send_reset(person=person, by=cast.admin))
    else:
        token = password_links.hand_over(person=person, system="password_link").rstrip("/").rpartition("/")[2]
    password_links.set_password(token=token, password=NEW)


def again(row):
    return type(row).objects.get(pk=row.pk)


def past_the_act(row, by, **fields) -> None:
    """The row saved with these values by the ORM, with its history, as if there were no rules above the database."""
    with acting(by=by, reason="Past the act"):
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()


# --- H4: no page, no signature ------------------------------------------------------------------------------------


def test_h4_no_page_takes_the_password_of_somebody_else(cast, as_):
    """The attack: /admin/governance/user/7/password/, two fields, 302; then sign as the risk seat."""
    client, person = as_(cast.admin), cast.seat_risk
    sent = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    client.post(f"/admin/governance/user/{person.pk}/password/", sent)
    assert again(person).check_password(PASSWORD)
    for path in ("add", f"{person.pk}/change"):
        assert b'type="password"' not in client.get(f"/admin/governance/user/{path}/").content
    assert (
        b"Send a link to choose a password"
        in client.get(f"/admin/governance/user/{person.pk}/change/").content
    )


@pytest.mark.parametrize("how", ["admin", "password_link"])
def test_h4_after_a_reset_by_another_nothing_rises_for_a_day(cast, review, how):
    reset_by(cast, cast.seat_value, how=how)
    signer = again(cast.seat_value)
    with pytest.raises(
        Refused,
        match=r"Someone else reset your password or made you an admin\. You can approve a higher stage",
    ):
        initiative_acts.sign_off(review, SEAT, signer)
    with pytest.raises(DatabaseError, match="reset by somebody else"):
        force(review, signer)
    # What never waits: an objection, a hold, recusing.
    initiative_acts.sign_off(
        review, SEAT, signer, "object", reason="Not by me.", criteria=("prototype.honest",)
    )
    hold_deeds.hold(initiative=review.initiative, reason="Somebody has my account.", by=signer)
    with time_machine.travel(clock.now() + DAY + timedelta(minutes=1), tick=False):
        assert initiative_acts.sign_off(review, SEAT, again(signer)).verdict == "approve"


def test_h4_a_link_one_asked_for_oneself_and_a_first_password_wait_for_nothing(cast, review, mails):
    mails(lambda: password_links.ask_reset(name="seat-value"))
    link = cast.seat_value.password_links.get()
    password_links.set_password(token=password_links.token_of(link), password=NEW)
    assert initiative_acts.sign_off(review, SEAT, again(cast.seat_value)).verdict == "approve"
    newcomer = organisation_actions.add_person(
        login="ana", full_name="Ana Ruiz", email="ana@example.org", by=cast.admin
    )
    (invited,) = password_links.invite(people=[newcomer], by=cast.admin)
    password_links.set_password(token=password_links.token_of(invited), password=NEW)
    assert again(newcomer).signs_from is None


def test_h4_a_seat_approves_nothing_in_its_first_day_unless_confirmed_by_another(cast, review):
    seat = organisation_actions.appoint(board=cast.board, person=cast.outsider, seat=SEAT, by=cast.admin)
    with pytest.raises(Refused, match="Your seat is in its first day"):
        initiative_acts.sign_off(review, SEAT, cast.outsider)
    with pytest.raises(DatabaseError, match="in its first day"):
        force(review, cast.outsider)
    for nobody in (cast.admin, cast.outsider, cast.seat_risk):
        with pytest.raises(Refused):
            organisation_actions.confirm_seat(membership=seat, by=nobody)
    with pytest.raises(DatabaseError, match="is confirmed by the chair"):
        past_the_act(again(seat), cast.admin, confirmed_by=cast.admin, confirmed_at=clock.now())
    organisation_actions.confirm_seat(membership=seat, by=cast.chair)
    assert initiative_acts.sign_off(review, SEAT, cast.outsider).verdict == "approve"
    entry = Entry.objects.acts().get(kind="seat confirmed")
    assert (entry.actor_id, entry.facts["facts"]["granted_by"]) == (cast.chair.pk, "Per Dahl")


def test_h4_a_second_admin_confirms_but_not_one_made_today_nor_one_just_reset(cast, review):
    seat = organisation_actions.appoint(board=cast.board, person=cast.outsider, seat=SEAT, by=cast.admin)
    made = factories.make_person("accomplice", is_admin=True)
    with pytest.raises(Refused, match="more than a day"):
        organisation_actions.confirm_seat(membership=seat, by=made)
    with time_machine.travel(clock.now() + timedelta(hours=23), tick=False):
        reset_by(cast, cast.second_admin)
    with time_machine.travel(clock.now() + timedelta(hours=23, minutes=59), tick=False):
        with pytest.raises(Refused):
            organisation_actions.confirm_seat(membership=seat, by=again(cast.second_admin))
        assert not initiative_permissions.may_sign(again(review), SEAT, cast.outsider)
    with time_machine.travel(clock.now() + timedelta(hours=24, minutes=2), tick=False):
        assert initiative_acts.sign_off(review, SEAT, cast.outsider), (
            "the first day is over, nobody need confirm it"
        )


def test_h4_an_admin_of_more_than_a_day_confirms_what_another_granted(cast, review):
    with time_machine.travel(clock.now() + 2 * DAY, tick=False):
        seat = organisation_actions.appoint(board=cast.board, person=cast.outsider, seat=SEAT, by=cast.admin)
        with pytest.raises(Refused, match="hold this seat or granted it"):
            organisation_actions.confirm_seat(membership=seat, by=cast.admin)
        organisation_actions.confirm_seat(membership=seat, by=cast.second_admin)
        assert initiative_permissions.may_sign(again(review), SEAT, cast.outsider)


def test_h4_the_database_takes_no_seat_that_does_not_wait_and_no_shorter_wait(cast, review):
    fields = {"board": cast.board, "person": cast.outsider, "seat": SEAT, "granted_by": cast.admin}
    for signs_from in (None, clock.now()):
        with (
            pytest.raises(DatabaseError, match="after its first day"),
            acting(by=cast.admin, reason="Past it"),
        ):
            Membership(**fields, starts_at=clock.now(), signs_from=signs_from).save()
    seat = organisation_actions.appoint(board=cast.board, person=cast.outsider, seat=SEAT, by=cast.admin)
    with pytest.raises(DatabaseError, match="signs_from of governance_membership stays"):
        past_the_act(again(seat), cast.admin, signs_from=clock.now())
    reset_by(cast, cast.seat_value)
    with pytest.raises(DatabaseError, match="not made shorter"):
        past_the_act(again(cast.seat_value), cast.admin, signs_from=None)


def test_h4_a_chair_in_the_first_day_or_just_reset_approves_nothing(cast, review):
    initiative_acts.sign_off(review, SEAT, cast.seat_value)
    with acting(by=cast.admin, reason="The chair left"):
        leaving.revoke_membership(
            membership=Membership.objects.get(person=cast.chair, ends_at=None), reason="Left", by=cast.admin
        )
    organisation_actions.appoint(board=cast.board, person=cast.outsider, seat="chair", by=cast.admin)
    with pytest.raises(Refused, match="first day"):
        review_actions.decide(review=review, outcome="approved", reason="", by=cast.outsider)
    with pytest.raises(DatabaseError, match="first day"):
        past_the_act(
            again(review), cast.outsider, outcome="approved", ended_by=cast.outsider, ended_at=clock.now()
        )
    hold = hold_deeds.hold(initiative=review.initiative, reason="Wait.", by=cast.outsider)
    with pytest.raises(Refused, match="first day"):
        hold_deeds.lift_hold(hold=hold, reason="Fine.", by=cast.outsider)
    with acting(system="test", reason="An obligation"):
        obligation = open_obligation(
            review.initiative,
            "post_mortem",
            source="test:1",
            text="Write it",
            due=clock.today(),
            responsible=cast.owner,
        )
    with pytest.raises(Refused, match="first day"):
        hold_deeds.excuse_obligation(
            obligation=obligation, initiative=review.initiative, reason="Fine.", by=cast.outsider
        )
    # What never waits: returning, refusing, stopping.
    assert review_actions.decide(review=again(review), outcome="refused", reason="Not yet.", by=cast.outsider)
    assert stage_actions.stop(
        initiative=initiative_acts.fresh(review.initiative),
        reason_code="no_value",
        reason="No.",
        by=cast.outsider,
    )


def test_h4_the_other_acceptances_wait_as_well(cast, review):
    initiative = review.initiative
    asked = role_actions.propose_role(
        initiative=initiative, role="technical_lead", person=cast.outsider, by=cast.owner
    )
    reset_by(cast, cast.outsider)
    with pytest.raises(Refused, match="reset your password"):
        role_actions.accept_role(assignment=asked, by=again(cast.outsider))
    assert role_actions.decline_role(assignment=asked, by=again(cast.outsider))
    organisation_actions.appoint(board=cast.board, person=cast.sponsor, seat="risk_compliance", by=cast.admin)
    detail_actions.propose_tier(
        initiative=initiative, tier="limited", worst_credible_harm="Time is lost.", by=cast.owner
    )
    with pytest.raises(Refused, match="first day"):
        detail_actions.confirm_tier(initiative=initiative, tier="limited", by=cast.sponsor)


def test_h4_approvals_of_a_contract_wait_on_the_page_and_in_the_database(cast):
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team)
    contract_actions.save_contract(
        initiative=initiative_acts.fresh(initiative), clauses=initiative_acts.CLAUSES, by=cast.owner
    )
    version = contract_actions.propose_contract(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    organisation_actions.appoint(board=cast.board, person=cast.sponsor, seat="risk_compliance", by=cast.admin)
    with pytest.raises(Refused, match="first day"):
        contract_actions.approve_contract(
            version=version, seat="risk_compliance", digest=version.digest, by=cast.sponsor
        )
    given = version.approvals.model(
        version=version, seat="risk_compliance", person=cast.sponsor, digest=version.digest, at=clock.now()
    )
    with pytest.raises(DatabaseError, match="first day"), acting(by=cast.sponsor, reason="Past the act"):
        given.save()


def test_h4_a_stand_in_waits_like_any_seat_and_no_reset_person_lends_a_seat_on(cast, review):
    held = Membership.objects.get(person=cast.seat_value)
    today = clock.today()
    absence = absence_actions.plan_absence(
        first=today, last=today + timedelta(days=7), asked=[Asked(cast.outsider, held)], by=cast.seat_value
    )
    lent = absence_actions.accept_delegation(delegation=absence.delegations.get(), by=cast.outsider).stands
    with pytest.raises(Refused, match="first day"):
        initiative_acts.sign_off(review, SEAT, cast.outsider)
    organisation_actions.confirm_seat(membership=lent, by=cast.chair)
    assert initiative_acts.sign_off(review, SEAT, cast.outsider)


def test_h4_the_person_is_told_of_links_resets_seats_and_addresses(cast, mails, as_):
    def told(act) -> str:
        (message,) = mails(act)
        assert message.to == ["seat-value@example.org"]
        return " ".join(message.body.split())

    person = cast.seat_value
    assert "A link to set your password was made" in told(lambda: call_command("password_link", person.login))
    assert "Your password was set by a link" in told(lambda: reset_twice(person))
    granted = {"board": cast.board, "person": person, "seat": "security_privacy", "by": cast.admin}
    assert "You were given the seat Security and privacy of Retail board" in told(
        lambda: organisation_actions.appoint(**granted)
    )
    client = as_(cast.admin)
    url = f"/admin/governance/user/{person.pk}/change/"
    sent = {"full_name": person.full_name, "email": "mine@example.net", "reason": "Moved"}
    said = told(lambda: client.post(url, sent))
    assert (
        "The email address of your account was changed. Per Dahl changed the address to mine@example.net."
        in said
    )
    kinds = Notification.objects.filter(person=person, kind="account").values_list("subject", flat=True)
    assert len(kinds) == 4


def reset_twice(person) -> None:
    """The link that lies there is used."""
    password_links.set_password(
        token=password_links.token_of(person.password_links.open().first()), password=NEW
    )


def test_h4_a_changed_address_waits_a_day_and_a_reset_by_it_is_one_by_another(cast, mails, as_, review):
    person = cast.seat_value
    with time_machine.travel(clock.now() + 2 * DAY, tick=False) as later:
        url = f"/admin/governance/user/{person.pk}/change/"
        as_(cast.admin).post(url, {"full_name": person.full_name, "email": "mine@example.net"})
        (message,) = mails(lambda: password_links.ask_reset(name=person.login))[:1]
        assert message.to == ["seat-value@example.org"]
        later.shift(timedelta(hours=23))
        (message,) = mails(lambda: password_links.ask_reset(name=person.login))[:1]
        assert message.to == ["seat-value@example.org"]
        later.shift(timedelta(hours=2))
        (message,) = mails(lambda: password_links.ask_reset(name=person.login))[:1]
        assert message.to == ["mine@example.net"]
        token = re.search(r"/password/link/([^/\s]+)/", message.body)[1]
        password_links.set_password(token=token, password=NEW)
        assert not initiative_permissions.may_sign(again(review), SEAT, again(person))
        later.shift(timedelta(hours=25))
        assert initiative_permissions.may_sign(again(review), SEAT, again(person))


def test_h4_two_changes_in_a_row_bring_no_address_forward(cast):
    person = cast.seat_value
    with time_machine.travel(clock.now() + 2 * DAY, tick=False) as later:
        for address in ("typo@example.net", "mine@example.net"):
            row = again(person)
            with acting(by=cast.admin, reason="Address"):
                reported_identities.change_address(person=row, address=address, by=cast.admin)
                row.save()
                entries.record(EntryKind.USER_CHANGED, row_id=row.pk)
            later.shift(timedelta(hours=1))
        later.shift(timedelta(hours=22, minutes=30))  # the first of the two is a day old, and stood an hour
        assert password_links.address_for(again(person)) == "seat-value@example.org"
        later.shift(timedelta(minutes=31))
        assert password_links.address_for(again(person)) == "mine@example.net"


def test_h4_the_review_says_so_beside_the_sign_off(cast, review, as_):
    organisation_actions.appoint(board=cast.board, person=cast.outsider, seat=SEAT, by=cast.admin)
    reset_by(cast, cast.seat_value)
    initiative_acts.sign_off(
        review, SEAT, again(cast.seat_value), "object", reason="Not me.", criteria=("prototype.honest",)
    )
    text = " ".join(as_(cast.owner).get(review.get_absolute_url()).content.decode().split())
    assert "Sam Brook cannot approve before" in text
    assert "the seat is in its first day" in text
    assert "Someone else reset the password of Amara Diallo" in text
    own = " ".join(as_(cast.outsider).get(review.get_absolute_url()).content.decode().split())
    assert "Your seat is in its first day" in own
    assert f"{review.pk}/sign/{SEAT}/?verdict=object" in own, "an objection waits for nothing"


def test_h4_the_chair_finds_the_seat_on_the_inbox_and_confirms_it_there(cast, review, as_):
    seat = organisation_actions.appoint(board=cast.board, person=cast.outsider, seat=SEAT, by=cast.admin)
    url = f"/seats/{seat.pk}/confirm/"
    for person, there in (
        (cast.chair, True),
        (cast.second_admin, True),
        (cast.admin, False),
        (cast.outsider, False),
    ):
        assert (url in as_(person).get("/").content.decode()) == there, person
    assert as_(cast.admin).post(url).status_code == 403
    page = as_(cast.chair).get(url).content.decode()
    assert "Confirm a seat: Sam Brook" in page
    assert "<dd>Business value, Retail board</dd>" in page
    assert "<dt>Granted by</dt><dd>Per Dahl</dd>" in page
    assert as_(cast.chair).post(url, SIGNED).status_code == 302
    assert again(seat).confirmed_by == cast.chair
    assert as_(cast.chair).post(url, SIGNED).status_code == 403, "once"


def test_h4_the_first_set_up_of_an_installation_waits_for_nothing(cast):
    seat = organisation_actions.appoint(board=cast.board, person=cast.outsider, seat=SEAT, by=cast.admin)
    assert cooling_off.first_setup()
    assert seat.signs_from == seat.starts_at
    # A board that an admin adds later is no first set-up: its seats wait.
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    board = organisation_actions.add_board(name="Own board", unit=cast.unit, by=cast.admin)
    seat = organisation_actions.appoint(board=board, person=cast.outsider, seat="chair", by=cast.admin)
    assert seat.signs_from == seat.starts_at + DAY


@pytest.mark.django_db(transaction=True)
def test_h4_the_application_cannot_name_a_later_moment(cast, application):
    """What the act says of the time counts only for logins that may set the clock."""
    with application.transaction(force_rollback=True):
        application.execute(
            "SELECT set_config('plumbline.now', %s, true)", [(clock.now() + 9 * DAY).isoformat()]
        )
        (moment,) = application.execute("SELECT plumbline_rule_time(%s)", [clock.now() + 2 * DAY]).fetchone()
    assert abs(moment - clock.now()) < timedelta(minutes=1)
    with acting(system="test", reason="As if reviews had been opened"):
        entries.record("review opened", review=0)
    organisation_actions.appoint(board=cast.board, person=cast.outsider, seat=SEAT, by=cast.admin)
    asks = "SELECT plumbline_cooled_off(%s, ARRAY['business_value'], %s, %s)"
    with pytest.raises(psycopg.Error, match="first day"):
        application.execute(asks, [cast.outsider.pk, cast.unit.pk, clock.now() + 2 * DAY])


# --- M1: asked once ---------------------------------------------------------------------------------------------


def make_initiative(cast, confidential: bool):
    """An initiative, open to its unit or not."""
    initiative = factories.make_initiative(cast)
    if confidential:
        detail_actions.change_details(
            initiative=initiative, problem=initiative.problem, platform="", confidential=True, by=cast.owner
        )
    return initiative_acts.fresh(initiative)


def opens(as_, person, initiative) -> bool:
    return as_(person).get(initiative.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("confidential", [False, True])
def test_m1_a_proposal_that_was_taken_back_opens_nothing(cast, as_, confidential):
    initiative = make_initiative(cast, confidential)
    item = initiative.evidence.first()
    role = role_actions.propose_role(
        initiative=initiative, role="deputy", person=cast.outsider, by=cast.owner
    )
    assert opens(as_, cast.outsider, initiative), "who is asked reads what they are asked for"
    role_actions.revoke_role(assignment=role, reason="Not after all", by=cast.owner)
    assert not opens(as_, cast.outsider, initiative)
    assert as_(cast.outsider).get(f"/evidence/{item.pk}/").status_code == 404


@pytest.mark.parametrize("confidential", [False, True])
def test_m1_a_role_that_ended_opens_nothing_but_what_is_due(cast, as_, confidential):
    initiative = make_initiative(cast, confidential)
    role = role_actions.propose_role(
        initiative=initiative, role="deputy", person=cast.outsider, by=cast.owner
    )
    role_actions.accept_role(assignment=role, by=cast.outsider)
    page = as_(cast.owner).get(f"/rows/roles/{role.pk}/revoke/").content.decode()
    assert "Sam Brook can then read only what everyone in the unit can read" in " ".join(page.split())
    gap = hold_deeds.open_gap(
        initiative=initiative,
        text="Two lists.",
        owner=cast.outsider,
        due=clock.today() + DAY,
        downstream=[],
        by=cast.owner,
    )
    role_actions.revoke_role(assignment=role, reason="Moved on", by=cast.owner)
    assert opens(as_, cast.outsider, initiative), "who has an open obligation reads what it is about"
    hold_deeds.close_gap(gap=gap, by=cast.outsider)
    assert not opens(as_, cast.outsider, initiative)
    with acting(system="test", reason="An obligation"):
        obligation = open_obligation(
            initiative,
            "vacancy",
            source="test:1",
            text="Complete it",
            due=clock.today() + DAY,
            responsible=cast.outsider,
        )
    assert opens(as_, cast.outsider, initiative)
    with acting(system="test", reason="Ended"):
        hold_actions.complete_row(obligation, by=None, note="Done")
    assert not opens(as_, cast.outsider, initiative)


def test_m1_a_handover_opens_the_initiative_until_it_is_answered(cast, as_):
    initiative = make_initiative(cast, True)
    (row,) = handovers.propose_handover(
        person=cast.owner, chosen={initiative: cast.outsider}, reason="New job", by=cast.owner
    )
    assert opens(as_, cast.outsider, initiative)
    handovers.decline_handovers(handovers=[row], by=cast.outsider)
    assert not opens(as_, cast.outsider, initiative)


# --- M3, L7: whose tries count for whom -----------------------------------------------------------------------------


def test_m3_strangers_who_sign_in_under_any_name_stop_nobody_who_is_signed_in(cast):
    person = cast.seat_risk
    for name in (
        f"sign:{person.pk}",
        f"confirm:{person.pk}",
        str(person.pk),
        person.login,
        f"reset:{person.login}",
    ):
        for _ in range(5):
            assert throttling.enter_try(name, purpose=throttling.SIGN_IN) is None
    for _ in range(4):
        assert "password is wrong" in reauthentication.why_refused(
            person, "a guess", purpose="sign", address=None
        )
    assert reauthentication.why_refused(person, PASSWORD, purpose="sign", address=None) == ""


def test_m3_strangers_on_the_sign_in_page_do_not_stop_the_change_of_a_password(cast, as_):
    person, stranger = cast.seat_risk, Client()
    for _ in range(5):
        stranger.post("/sign-in/", {"username": f"sign:{person.pk}", "password": "guess"})
    sent = {"current": PASSWORD, "password": NEW, "again": NEW}
    assert as_(person).post("/account/password/", sent).status_code == 302


def test_m3_the_purposes_of_tries_never_meet(cast):
    stranger = Client()
    for name in ("reset:chair", "chair"):
        for _ in range(5):
            stranger.post("/sign-in/", {"username": name, "password": "guess"})
    assert Client().post("/password/forgotten/", {"name": "chair"}).status_code == 302


def test_l7_who_signed_in_with_this_browser_before_is_kept_out_by_nobody(cast):
    own, stranger, other = Client(), Client(REMOTE_ADDR="192.0.2.7"), Client(REMOTE_ADDR="192.0.2.8")
    right = {"username": "chair", "password": PASSWORD}
    assert own.post("/sign-in/", right).status_code == 302
    own.post("/sign-out/")
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False) as now:
        for _ in range(12):  # whoever races takes each place that becomes free
            for _ in range(5):
                stranger.post("/sign-in/", {"username": "chair", "password": "guess"})
            assert other.post("/sign-in/", right).status_code == 429, (
                "a browser nobody knows waits with the strangers"
            )
            now.shift(timedelta(minutes=10, seconds=1))
            for _ in range(5):
                stranger.post("/sign-in/", {"username": "chair", "password": "guess"})
        assert own.post("/sign-in/", right).status_code == 302


def test_l7_the_mark_of_a_browser_lets_nobody_in_and_has_tries_of_its_own(cast):
    own = Client()
    own.post("/sign-in/", {"username": "chair", "password": PASSWORD})
    own.post("/sign-out/")
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False):
        for _ in range(5):
            assert own.post("/sign-in/", {"username": "chair", "password": "guess"}).status_code == 200
        assert own.post("/sign-in/", {"username": "chair", "password": PASSWORD}).status_code == 429
        # For another name, or written by somebody, it is worth nothing.
        thief = Client()
        thief.cookies[settings.KNOWN_COOKIE_NAME] = own.cookies[settings.KNOWN_COOKIE_NAME].value
        for _ in range(5):
            thief.post("/sign-in/", {"username": "owner", "password": "guess"})
        assert Client().post("/sign-in/", {"username": "owner", "password": PASSWORD}).status_code == 429


# --- L5 -----------------------------------------------------------------------------------------------------------


def test_l5_an_unknown_link_writes_nothing(cast):
    before = Session.objects.count()
    for n in range(3):
        assert Client().get(f"/password/link/anything-{n}/", follow=True).status_code == 404
    assert Session.objects.count() == before
    link = password_links.send_reset(person=cast.owner, by=cast.admin)
    client = Client()
    client.get(f"/password/link/{password_links.token_of(link)}/")
    client.get("/password/link/anything/")
    assert client.get("/password/").status_code == 404, "a link that is unknown does not open an earlier one"


# --- M6 -----------------------------------------------------------------------------------------------------------


def test_m6_no_seat_begins_before_the_day_it_is_granted(cast, as_):
    past = datetime(2020, 1, 1, tzinfo=UTC)
    seat = {"board": cast.board, "person": cast.outsider, "seat": SEAT}
    with pytest.raises(ValidationError, match="cannot start before today"):
        organisation_actions.appoint(**seat, starts_at=past, by=cast.admin)
    sent = {"person": cast.outsider.pk, "seat": SEAT, "starts_on": "2020-01-01"}
    page = as_(cast.admin).post(f"/organisation/boards/{cast.board.pk}/seat/", sent)
    assert page.status_code == 200
    assert "A seat cannot start before today." in page.content.decode()
    with (
        pytest.raises(DatabaseError, match="before it is granted"),
        acting(by=cast.admin, reason="Past the act"),
    ):
        Membership(**seat, starts_at=past, signs_from=clock.now() + DAY, granted_by=cast.admin).save()
    assert not Membership.objects.filter(person=cast.outsider).exists()
    earlier = clock.now() - timedelta(seconds=30)
    row = organisation_actions.appoint(**seat, starts_at=earlier, by=cast.admin)
    assert row.starts_at > earlier, "earlier on the same day is from now on"


def test_m6_seats_of_before_keep_their_day_and_the_page_says_since_when_they_are_known(cast, as_):
    with unguarded("governance_membership"), acting(by=cast.admin, reason="As it was possible before"):
        Membership(
            board=cast.board,
            person=cast.outsider,
            seat=SEAT,
            granted_by=cast.admin,
            starts_at=datetime(2020, 1, 1, tzinfo=UTC),
        ).save()
    page = " ".join(as_(cast.auditor).get("/audit/rights/").content.decode().split())
    assert f"known since {day(clock.today())}" in page
    row = Membership.objects.get(person=cast.outsider)
    assert row.signs_from is None
    assert leaving.revoke_membership(membership=row, reason="Over", by=cast.admin).ends_at
    assert User.objects.get(pk=cast.outsider.pk)
