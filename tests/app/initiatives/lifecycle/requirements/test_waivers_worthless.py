"""A waiver asked for under a hold that makes it worthless says so, before it is asked for and before it is granted."""

from datetime import timedelta

import pytest
from django.urls import reverse

from governance import clock
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.requirements.waivers import WAIVERS
from tests.support import factories
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db


def test_the_page_of_the_waivers_and_of_the_agreement_say_what_holds_the_initiative(cast, as_):
    initiative = factories.make_mvp(cast)
    until = clock.today() + timedelta(days=20)
    waiver = WAIVERS.ask(
        initiative, key="production.mvp_goals", reason="Next month.", until=until, by=cast.owner
    )
    pages = [
        (as_(cast.owner), reverse("waivers", args=[initiative.ref])),
        (as_(cast.chair), reverse("row-act", args=["waivers", waiver.pk, "agree"])),
        (as_(cast.seat_risk), reverse("row-act", args=["waivers", waiver.pk, "agree"])),
    ]
    for client, address in pages:
        assert "A waiver has no effect" not in text_of(client.get(address))
    concern = hold_deeds.hold(initiative=initiative, reason="Complaints of customers", by=cast.owner)
    words = (
        "Held: someone raised a concern. Complaints of customers. A waiver has no effect "
        "until this hold is closed. The end date of the waiver stays the same."
    )
    for client, address in pages:
        assert words in text_of(client.get(address))
    hold_deeds.lift_hold(hold=concern, reason="Looked into.", by=cast.chair)
    for client, address in pages:
        assert "A waiver has no effect" not in text_of(client.get(address))
