"""A person is erased from the interaction log: signed, tried, recorded by a pseudonym, never against a legal hold."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from governance import clock
from governance.interaction_log import keys, loading, reading
from governance.interaction_log.intake import interactions
from governance.interaction_log.shape import Kind, ToolCall
from governance.interaction_retention import destroyed, holds, subject_erasure
from governance.models import Entry, Interaction, InteractionKey
from governance.permission_result import Conflict, Refused
from governance.privacy import retention
from governance.transparency_log import sealing, verification
from initiatives.interactions import actions
from tests.app.governance.interaction_log.test_kept import keep, report
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, at

pytestmark = pytest.mark.django_db

PERSON = "customer 4"
ASKED = {"subject": PERSON, "why": "They asked for it", "duty": "GDPR, Article 17"}


@pytest.fixture
def other(cast):
    return factories.make_mvp(cast, title="Another")


def erase(initiative, cast, **changes):
    return actions.erase_subject(
        initiative=initiative, by=cast.admin, **({"everywhere": False} | ASKED | changes)
    )


def opens(initiative, **filters) -> list[bool]:
    """Of the rows of an initiative, in order of arrival, which can be read."""
    rows = (
        Interaction.objects.filter(initiative_number=initiative.number, **filters)
        .order_by("id")
        .select_related("batch")
    )
    return [bool(reading.bodies_of([row])[0]) for row in rows]


def test_in_one_initiative_everything_of_the_person_goes_and_nothing_of_others(initiative, other, cast):
    keep(
        report(1),
        report(2, subject="", kind=Kind.TOOL, tool=ToolCall("look up", "their number")),
        report(3, subject="customer 5", conversation="c-5"),
        report(4, subject="", conversation="c-6"),
        initiative=initiative.number,
    )
    keep(report(1), initiative=other.number)
    done = erase(initiative, cast)
    assert (done.keys, done.tried, done.unopened) == (2, 2, 2)
    assert opens(initiative) == [False, False, True, True]
    assert opens(other) == [True]
    (entry,) = Entry.objects.filter(kind="interactions erased")
    told = entry.facts
    assert told["facts"] == {
        "subject": keys.pseudonym("subject", PERSON).hex(),
        "everywhere": False,
        "duty": "GDPR, Article 17",
        "keys": 2,
        "tried": 2,
        "unopened": 2,
    }
    assert PERSON not in json.dumps(told)
    sealing.seal()
    assert [finding.words for finding in verification.verify().findings] == []


def test_events_that_came_apart_go_with_their_call(initiative, cast):
    keep(report(1), initiative=initiative.number)
    keep(report(1, kind=Kind.EVENTS, subject="", conversation=""), initiative=initiative.number)
    assert erase(initiative, cast).tried == 2
    assert opens(initiative) == [False, False]


def test_in_all_initiatives_it_goes_everywhere_also_where_it_only_waits(initiative, other, cast):
    keep(report(1), initiative=initiative.number)
    keep(report(1), initiative=other.number)
    interactions.keep(
        [report(2)], initiative=other.number, key=None, decision_of=lambda text: None, now=clock.now()
    )
    done = erase(initiative, cast, everywhere=True)
    assert (done.keys, done.tried, done.unopened) == (2, 2, 2)
    interactions.bring_over()
    loading.loader.bring_orphans(interactions._folder)
    assert opens(initiative) + opens(other) == [False, False, False]


def test_a_body_that_still_opens_ends_it_with_nothing_erased(initiative, cast, monkeypatch):
    keep(report(1), initiative=initiative.number)
    monkeypatch.setattr(keys, "destroy", lambda rows: len(list(rows)))
    with pytest.raises(Conflict, match="1 of 1 bodies could still be read"):
        erase(initiative, cast)
    assert not Entry.objects.filter(kind="interactions erased").exists()


def test_only_admins_erase_and_the_words_name_nobody(initiative, cast):
    keep(report(1), initiative=initiative.number)
    for person in (cast.owner, cast.auditor, cast.chair, cast.seat_risk):
        with pytest.raises(Refused):
            actions.erase_subject(initiative=initiative, everywhere=False, by=person, **ASKED)
    assert Entry.objects.filter(kind="refused", actor_id=cast.owner.pk).exists()
    with pytest.raises(ValidationError) as wrong:
        erase(initiative, cast, why=f"For {PERSON.upper()}", duty=" ")
    assert set(wrong.value.message_dict) == {"why", "duty"}
    with pytest.raises(ValidationError, match="No interactions are stored"):
        erase(initiative, cast, subject="17")  # which Article 17 does not name
    with pytest.raises(ValidationError, match="No interactions are stored"):
        erase(initiative, cast, subject="customer 44")
    assert opens(initiative) == [True]


def test_a_hold_on_the_initiative_forbids_it_to_the_database_too(initiative, other, cast, as_):
    keep(report(1), initiative=initiative.number)
    keep(report(1), initiative=other.number)
    hold = retention.open_hold(initiative_ref=initiative.ref, reason="A claim", by=cast.auditor)
    with pytest.raises(Refused, match=f"A legal hold covers {initiative.ref}"):
        erase(initiative, cast)
    with pytest.raises(Refused, match=f"A legal hold covers {initiative.ref}"):
        erase(other, cast, everywhere=True)
    rows = InteractionKey.objects.filter(initiative_number=initiative.number)
    with pytest.raises(DatabaseError, match="legal hold keeps this key"), transaction.atomic():
        keys.destroy([row.pk for row in rows])
    assert opens(initiative) == [True]
    page = as_(cast.admin).get(reverse("interactions", args=[initiative.ref])).content.decode()
    assert "This initiative has a legal hold" in page
    assert reverse("retention") in page
    assert erase(other, cast).unopened == 1, "of the other initiative it is not held"
    retention.lift_hold(hold=hold, reason="Ended", by=cast.auditor)
    assert erase(initiative, cast).unopened == 1


def test_a_hold_on_a_person_keeps_what_systems_reported_under_their_names(initiative, cast):
    keep(
        report(1, subject=cast.outsider.login.upper()),
        report(2, subject=cast.outsider.email),
        initiative=initiative.number,
    )
    retention.open_hold(person=cast.outsider, reason="A claim", by=cast.auditor)
    assert keys.pseudonym("subject", cast.outsider.login) in holds.held_people().subjects
    with pytest.raises(Refused, match="covers this person"):
        erase(initiative, cast, subject=cast.outsider.email)
    assert opens(initiative) == [True, True]


def test_keys_made_before_each_was_of_one_initiative_are_not_destroyed_under_others(initiative, other, cast):
    keep(report(1), initiative=initiative.number)
    keep(report(1), initiative=other.number)
    one, two = (InteractionKey.objects.get(initiative_number=row.number) for row in (initiative, other))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_interactionkey DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE governance_interactionkey SET initiative_number = NULL WHERE id = %s", [one.pk]
        )
        cursor.execute("ALTER TABLE governance_interaction DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE governance_interaction SET holder_key = %s WHERE holder_key = %s", [one.pk, two.pk]
        )
        for table in ("governance_interactionkey", "governance_interaction"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    with pytest.raises(Conflict, match="other initiatives share"):
        erase(initiative, cast)
    retention.open_hold(initiative_ref=other.ref, reason="A claim", by=cast.auditor)
    with pytest.raises(DatabaseError, match="legal hold keeps this key"), transaction.atomic():
        keys.destroy([one.pk])


def test_the_page_is_signed_and_shows_the_count(initiative, cast, as_):
    keep(report(1), report(2), initiative=initiative.number)
    log, page = (
        reverse("interactions", args=[initiative.ref]),
        at("erase-person", initiative.ref),
    )
    assert page not in as_(cast.owner).get(log).content.decode()
    assert as_(cast.owner).get(page).status_code == 403
    admin = as_(cast.admin)
    assert page in admin.get(log).content.decode()
    sent = ASKED | {"everywhere": "this"}
    wrong = admin.post(page, sent | {"password": "guessed"})
    assert wrong.status_code == 200
    assert opens(initiative) == [True, True]
    answer = admin.post(page, sent | SIGNED, follow=True)
    assert "2 bodies were checked, and 2 of them are no longer readable" in answer.content.decode()
    assert opens(initiative) == [False, False]
    history = as_(cast.owner).get(reverse("initiative-activity", args=[initiative.ref])).content.decode()
    assert "Bodies checked: 2, 2 of them unreadable" in history
    assert PERSON not in history


@pytest.mark.django_db(transaction=True)
def test_what_was_destroyed_is_listed_once_it_is_committed_and_destroyed_again_in_an_older_database(cast):
    initiative = factories.make_mvp(cast)
    keep(report(1), report(2, subject="customer 5", conversation="c-5"), initiative=initiative.number)
    before = list(InteractionKey.objects.values("pk", "wrapped"))
    erase(initiative, cast)
    (line,) = destroyed.lines()
    assert set(line) == {"key", "made_at", "destroyed_at"}
    assert destroyed.write() == 0, "each once"
    with transaction.atomic(), connection.cursor() as cursor:  # as an older copy of the database has it
        cursor.execute("ALTER TABLE governance_interactionkey DISABLE TRIGGER USER")
        for row in before:
            cursor.execute(
                "UPDATE governance_interactionkey SET wrapped = %s, destroyed_at = NULL WHERE id = %s",
                [row["wrapped"], row["pk"]],
            )
        cursor.execute("ALTER TABLE governance_interactionkey ENABLE TRIGGER USER")
    assert opens(initiative) == [True, True]
    retention.open_hold(initiative_ref=initiative.ref, reason="Not lifted yet in that copy", by=cast.auditor)
    with transaction.atomic():
        assert destroyed.again(as_owner=True) == 1
    assert opens(initiative) == [False, True]
    assert destroyed.forget(clock.today() + timedelta(days=729)) == 0
    assert destroyed.forget(clock.today() + timedelta(days=731)) == 1
    assert destroyed.lines() == []


def test_tries_counts_what_opens(initiative):
    keep(report(1), report(2), initiative=initiative.number)
    rows = list(Interaction.objects.select_related("batch"))
    assert subject_erasure.tries(rows) == (2, 2)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_interactionbody DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM governance_interactionbody")
    assert subject_erasure.tries(rows) == (0, 0)
