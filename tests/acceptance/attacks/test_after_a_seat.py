"""L8: what a seat was told stays theirs to read while the seat lasts. L9: two pages that told or opened too much."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from governance import clock
from governance.models import Delivery, Membership, Notification
from governance.notifications import daily_mail
from governance.notifications.notify import notify
from governance.organisation import actions as organisation_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.rules.plain_rulebook import plain_text

pytestmark = pytest.mark.django_db

SECRET = "Layoffs assistant"


def told(cast, initiative, person=None, kind="seat asked"):
    notify(
        person or cast.seat_risk,
        kind,
        f"initiative:{initiative.pk}",
        subject=f"{initiative.ref} {initiative.title}: sign for your seat",
        text=f"{initiative.title} waits.",
        link=initiative.get_absolute_url(),
        initiative_ref=initiative.ref,
    )


def leave(cast) -> None:
    row = Membership.objects.held_at(clock.now()).get(person=cast.seat_risk, seat="risk_compliance")
    leaving.revoke_membership(membership=row, reason="Moved", by=cast.admin)


def test_l8_notifications_of_a_time_in_a_seat_are_not_read_after_it(cast, as_, mailoutbox):
    initiative = factories.make_initiative(cast, title=SECRET)
    open_to_all = factories.make_initiative(cast, title="Call summaries")
    detail_actions.change_details(
        initiative=initiative, problem="Who leaves.", platform="", confidential=True, by=cast.owner
    )
    for one in (initiative, open_to_all):
        told(cast, one)
    client = as_(cast.seat_risk)
    assert SECRET in client.get("/").content.decode()
    leave(cast)
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        client = as_(cast.seat_risk)
        page = " ".join(client.get("/").content.decode().split())
        assert SECRET not in page
        assert client.get(initiative.get_absolute_url()).status_code == 404
        daily_mail.deliver(kind=Delivery.DAY)
        assert not any(SECRET in mail.body for mail in mailoutbox if cast.seat_risk.email in mail.to)
        told(cast, initiative, kind="told anew")
        assert SECRET not in client.get("/").content.decode()
    assert Notification.objects.filter(person=cast.seat_risk, initiative_ref=initiative.ref).count() == 2


def test_l8_somebody_who_never_was_near_the_initiative_reads_no_message_about_it(cast, as_):
    initiative = factories.make_initiative(cast, title=SECRET)
    told(cast, initiative, person=cast.sponsor)
    assert SECRET not in as_(cast.sponsor).get("/").content.decode()


def test_who_registered_an_initiative_opens_it_until_somebody_owns_it(cast, as_):
    """Handed over, in another unit, confidential: neither page, nor evidence, nor the search knows it (4b)."""
    initiative = factories.make_prototype(cast, title=SECRET)
    item = initiative.evidence.exclude(file="").first()
    handed = role_actions.propose_role(
        initiative=initiative, role="owner", person=cast.sponsor, by=cast.owner
    )
    role_actions.accept_role(assignment=handed, by=cast.sponsor)
    moved = {"full_name": cast.owner.full_name, "unit": cast.elsewhere.pk, "reason": "Moved"}
    as_(cast.admin).post(reverse("admin:governance_user_change", args=[cast.owner.pk]), moved)
    detail_actions.change_details(
        initiative=initiative, problem="Who leaves.", platform="", confidential=True, by=cast.sponsor
    )
    client = as_(cast.owner)
    assert client.get(initiative.get_absolute_url()).status_code == 404
    assert client.get(reverse("evidence-file", args=[initiative.ref, item.pk])).status_code == 404
    assert SECRET not in client.get(reverse("search"), {"q": "Layoffs"}).content.decode()
    asked = factories.make_initiative(cast, title="Nobody owns it yet", owner=cast.sponsor)
    assert client.get(asked.get_absolute_url()).status_code == 200


def test_l9_the_page_that_publishes_a_draft_is_for_those_who_publish(cast, as_):
    draft = organisation_actions.load_rulebook(
        source=plain_text().replace('version = "0.9"', 'version = "2027.1"'),
        by=cast.admin,
    )
    there = reverse("rulebook-publish", args=[draft.version])
    for person in (cast.owner, cast.seat_risk, cast.outsider, cast.auditor):
        assert as_(person).get(there).status_code == 403, person
    for person in (cast.admin, cast.chair, cast.deputy_chair):
        assert as_(person).get(there).status_code == 200, person


def test_l9_handing_over_names_nobody_to_strangers(cast, as_):
    client = as_(cast.outsider)
    answers = [client.get(reverse("handover", args=[pk])) for pk in (cast.owner.pk, 999_999)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert all(cast.owner.full_name not in answer.content.decode() for answer in answers)
    assert client.post(reverse("handover", args=[cast.owner.pk]), {}).status_code == 404
    assert as_(cast.owner).get(reverse("handover", args=[cast.owner.pk])).status_code == 200
    assert as_(cast.admin).get(reverse("handover", args=[cast.owner.pk])).status_code == 200
