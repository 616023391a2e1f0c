"""The day by which an imported initiative shows what it lacks: set by its owner, and looked at by no gate."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock
from governance.permission_result import Refused
from governance.vocabulary import ObligationKind
from initiatives.lifecycle.facts.supported_stage import BLOCKING_OBLIGATIONS
from initiatives.lifecycle.holds import deeds
from initiatives.models import Obligation
from tests.support.initiatives.imported_portfolio import give_owner, make_portfolio

pytestmark = pytest.mark.django_db


@pytest.fixture
def imported(cast):
    (initiative,) = make_portfolio(cast, titles=["Letter sorter"])
    give_owner(cast, initiative, cast.owner)
    return initiative


def day(days: int):
    return clock.today() + timedelta(days=days)


def test_the_owner_sets_one_day_and_changes_it_with_a_reason(cast, imported):
    first = deeds.set_day(initiative=imported, due=day(90), by=cast.owner)
    assert (first.responsible, first.due) == (cast.owner, day(90))
    with pytest.raises(ValidationError, match="Explain why the day changes"):
        deeds.set_day(initiative=imported, due=day(60), by=cast.owner)
    deeds.set_day(initiative=imported, due=day(60), reason="Sooner.", by=cast.owner)
    assert Obligation.objects.open().get(initiative=imported).due == day(60)
    assert Obligation.objects.get(pk=first.pk).completed_note == "Another day: Sooner."


def test_nobody_else_sets_it_and_no_day_lies_in_the_past(cast, imported):
    for person in (cast.admin, cast.chair, cast.lead):
        with pytest.raises(Refused, match="Only the owner can set this day"):
            deeds.set_day(initiative=imported, due=day(1), by=person)
    with pytest.raises(ValidationError, match="in the past"):
        deeds.set_day(initiative=imported, due=day(-1), by=cast.owner)
    assert not Obligation.objects.filter(initiative=imported).exists()


def test_it_holds_up_nothing_and_ends_once_nothing_is_missing(cast, imported):
    assert ObligationKind.SHOWN_BY not in BLOCKING_OBLIGATIONS
    row = deeds.set_day(initiative=imported, due=day(1), by=cast.owner)
    with pytest.raises(Refused, match="are not met yet"):
        deeds.complete_obligation(obligation=row, note="Done", by=cast.owner)


def test_the_portfolio_filters_by_it_and_the_page_offers_it(cast, as_, imported):
    client, url = as_(cast.owner), reverse("initiative-act", args=[imported.ref, "set-day"])
    assert url in client.get(imported.get_absolute_url()).content.decode()
    assert client.post(url, {"due": f"{day(1):%Y-%m-%d}"}).status_code == 302
    portfolio = reverse("portfolio")
    assert imported.title in client.get(f"{portfolio}?report=to-be-shown").content.decode()
    assert imported.title not in client.get(f"{portfolio}?report=shown-late").content.decode()
    with clock.simulated(clock.now() + timedelta(days=3)):
        assert imported.title in as_(cast.owner).get(f"{portfolio}?report=shown-late").content.decode()
