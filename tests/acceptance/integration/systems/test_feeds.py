"""What a stop ends in the register is shut only once the owner of each system has said so."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock
from governance.models import Entry, Notification
from governance.notifications import due
from governance.permission_result import Conflict, Refused
from governance.vocabulary import ObligationKind
from initiatives.integration.links import feed_shutdowns
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Obligation
from tests.support import factories
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db


def feeds(initiative):
    return Obligation.objects.filter(initiative=initiative, kind=ObligationKind.FEED).order_by("pk")


@pytest.fixture
def stopped(cast):
    """A stopped MVP that was tied to two systems, one of them twice; one has an owner elsewhere, one has none."""
    initiative = factories.make_mvp(cast)
    ledger = factories.make_system(cast, "Customer ledger", owner=cast.outsider)
    factories.make_link(cast, initiative, ledger)
    factories.make_link(cast, initiative, ledger, pattern="audit")
    factories.make_link(cast, initiative, factories.make_system(cast, "Policy share", owner=None))
    stage_actions.stop(initiative=initiative, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    return initiative


def test_each_system_of_a_stopped_initiative_must_give_one_word(cast, stopped):
    asked, orphan = feeds(stopped)
    assert (asked.responsible, asked.text) == (
        cast.outsider,
        f"Confirm that the feed between Customer ledger and {stopped.ref} is switched off",
    )
    assert asked.due == clock.today() + timedelta(days=14)
    assert orphan.responsible is None


def test_it_stands_on_the_owners_inbox_and_their_word_completes_it(cast, as_, stopped):
    obligation = feeds(stopped).first()
    there, owner = reverse("feed-shut", args=[obligation.pk]), as_(cast.outsider)
    assert f'href="{there}"' in text_of(owner.get("/"))
    page = text_of(owner.get(there))
    assert "Is the feed switched off?" in page
    assert (
        reverse("initiative", args=[stopped.ref]) not in page
    )  # the owner of a system sees no initiative by it
    assert owner.get(reverse("initiative", args=[stopped.ref])).status_code == 404
    assert (
        "Describe how you know" in text_of(owner.post(there, {"reason": " "}))
        or owner.post(there).status_code == 200
    )
    assert feeds(stopped).first().completed_at is None
    assert owner.post(there, {"reason": "The job was removed on the ledger's side."}).status_code == 302
    obligation.refresh_from_db()
    assert (obligation.completed_by, obligation.completed_note) == (
        cast.outsider,
        "The job was removed on the ledger's side.",
    )
    entry = Entry.objects.acts().filter(kind="obligation completed").latest("pk")
    assert entry.actor_id == cast.outsider.pk
    assert f'href="{there}"' not in text_of(owner.get("/"))
    assert "confirmed on" in text_of(owner.get(there))


def test_nobody_says_it_for_the_owner_of_the_system(cast, as_, stopped):
    obligation, orphan = feeds(stopped)
    for person in (cast.owner, cast.chair, cast.admin):
        with pytest.raises(Refused, match="Only Sam Brook can confirm"):
            feed_shutdowns.confirm_shut(obligation=obligation, words="It is.", by=person)
    with pytest.raises(Refused, match="The system's owner completes this obligation"):
        hold_deeds.complete_obligation(obligation=obligation, note="It is.", by=cast.owner)
    assert as_(cast.sponsor).get(reverse("feed-shut", args=[obligation.pk])).status_code == 404
    assert (
        as_(cast.owner).post(reverse("feed-shut", args=[obligation.pk]), {"reason": "It is."}).status_code
        == 403
    )
    # While a system has no owner, whoever leads the initiative says it; once it has one, that person does.
    with pytest.raises(Refused):
        feed_shutdowns.confirm_shut(obligation=orphan, words="It is.", by=cast.owner)
    feed_shutdowns.confirm_shut(obligation=orphan, words="The share was unmounted.", by=cast.chair)
    with pytest.raises(ValidationError, match="Describe how you know"):
        feed_shutdowns.confirm_shut(obligation=obligation, words=" ", by=cast.outsider)
    feed_shutdowns.confirm_shut(obligation=obligation, words="Gone.", by=cast.outsider)
    with pytest.raises(Conflict, match="already"):
        feed_shutdowns.confirm_shut(obligation=obligation, words="Gone.", by=cast.outsider)


def test_its_owner_is_reminded_and_nothing_is_open_obligations_of_what_was_registered_by_mistake(
    cast, stopped
):
    due.run(clock.now())
    obligation = feeds(stopped).first()
    notification = Notification.objects.filter(
        person=cast.outsider, link=reverse("feed-shut", args=[obligation.pk])
    ).first()
    assert notification is not None
    idea = factories.make_initiative(cast)
    factories.make_link(cast, idea, factories.make_system(cast, "Wiki", owner=cast.outsider))
    detail_actions.withdraw(initiative=idea, reason="By mistake.", by=cast.owner)
    assert not feeds(idea).exists()


def test_a_later_owner_of_the_system_can_say_it_too(cast, stopped):
    obligation = feeds(stopped).first()
    system = stopped.links.filter(system=obligation.system_key).first().system
    system.owner = cast.sponsor
    with_history(system, cast)
    feed_shutdowns.confirm_shut(obligation=obligation, words="Gone.", by=cast.sponsor)
    assert feeds(stopped).first().completed_by == cast.sponsor


def with_history(row, cast) -> None:
    from governance.database.row_history import acting

    with acting(by=cast.admin, reason="Handed over"):
        row.save()
