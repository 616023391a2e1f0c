"""How people are told: a calendar that any program can read, behind a secret that is kept nowhere."""

from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import translation

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import CalendarFeed, Entry
from governance.notifications import calendar_feed, mail, preferences
from governance.templatetags.plumbline import stage_word
from governance.vocabulary.readable_text import shown
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Gap
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_guesses_of_another_test():
    cache.clear()


def read(body: bytes) -> list[dict[str, str]]:
    """The events of a calendar, read as RFC 5545 says: unfolded, split at the first colon, unescaped."""
    assert body.endswith(b"\r\n")
    assert b"\n" not in body.replace(b"\r\n", b"")
    for line in body.split(b"\r\n"):
        assert len(line) <= 75
        line.decode("utf-8")  # no letter is cut in two
    lines = body.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    assert "VERSION:2.0" in lines
    assert any(line.startswith("PRODID:") for line in lines)
    events, inside = [], None
    for line in lines:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            inside = {}
        elif line == "END:VEVENT":
            events.append(inside)
            inside = None
        elif inside is not None:
            text, place = "", 0
            while place < len(value):
                step = value[place : place + 2]
                assert step[0] not in ",;" or name not in ("SUMMARY", "UID"), "these part values"
                plain = {"\\n": "\n", "\\,": ",", "\\;": ";", "\\\\": "\\"}.get(step)
                text, place = text + (plain or value[place]), place + (2 if plain else 1)
            assert name not in inside
            inside[name] = text
    return events


@pytest.mark.parametrize(
    "words",
    [
        "Plain",
        "Comma, semicolon; back\\slash and\nnew line",
        "ä" * 90,
        "漢字" * 60,
        "🧭" * 40,
        "a" * 67 + "é" * 3,
        "tab\tand bell\x07 and return\rgone",
    ],
)
def test_any_words_survive_folding_and_escaping(words):
    due = calendar_feed.DueDay("thing-1", date(2026, 12, 31), words, "/initiatives/AI-0001/")
    (event,) = read(calendar_feed.written([due], name="Mine, yours; ours"))
    assert event["SUMMARY"] == shown(words).replace("\r", "\n")
    assert event["DTSTART;VALUE=DATE"] == "20261231"
    assert event["DTEND;VALUE=DATE"] == "20270101", "an all-day event ends where the next day begins"
    assert event["UID"] == "thing-1@127.0.0.1"


@pytest.fixture
@snapshots.kept
def feed(cast):
    """The owner's calendar: something of each kind is due to her."""
    initiative = factories.make_mvp(cast)
    review_actions.open_review(initiative=initiative, by=cast.owner)
    soon = clock.today() + timedelta(days=9)
    hidden = factories.make_initiative(cast, title="Zeppelin pricing")
    for one in (initiative, hidden):
        hold_deeds.open_gap(
            initiative=one, text="Private words.", owner=cast.owner, due=soon, downstream=[], by=cast.owner
        )
    detail_actions.change_details(
        initiative=hidden, problem=hidden.problem, platform="", confidential=True, by=cast.owner
    )
    stopped = factories.make_prototype(cast, title="Contract reader")
    stage_actions.stop(initiative=stopped, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    return initiative, hidden, preferences.make_calendar(by=cast.owner)


def test_what_is_due_to_me_and_nothing_private(cast, feed):
    initiative, hidden, secret = feed
    answer = Client().get(f"/calendar/{secret}.ics")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    events = read(answer.content)
    told = {event["SUMMARY"] for event in events}
    assert f"Close the gap: {initiative.ref} {initiative.title}" in told
    assert f"Close the gap: {hidden.ref}" in told, "of a confidential initiative the reference alone"
    assert any(words.startswith("Write: ") for words in told)
    assert b"Private words" not in answer.content
    assert b"Zeppelin" not in answer.content
    assert len({event["UID"] for event in events}) == len(events)


def test_a_seat_is_told_to_sign_what_can_be_signed_now(cast, feed):
    """A review that still lacks what only its owner can bring waits for the owner, not for the seats."""
    unready, _, _ = feed
    ready = factories.make_ready(cast, factories.make_initiative(cast, title="Minutes writer"), "prototype")
    review = review_actions.open_review(initiative=ready, by=cast.owner)
    secret = preferences.make_calendar(by=cast.seat_value)

    def told() -> set[str]:
        return {event["SUMMARY"] for event in read(Client().get(f"/calendar/{secret}.ics").content)}

    assert unready.reviews.get(ended_at=None) != review
    assert told() == {f"Review and sign: {ready.ref} {ready.title}"}
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    assert told() == set()


def test_what_is_done_leaves_the_calendar_and_what_is_the_same_is_not_sent_again(cast, feed):
    initiative, _, secret = feed
    client = Client()
    first = client.get(f"/calendar/{secret}.ics")
    again = client.get(f"/calendar/{secret}.ics", HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    gap = Gap.objects.get(initiative=initiative)
    hold_deeds.close_gap(gap=gap, by=cast.owner)
    changed = client.get(f"/calendar/{secret}.ics", HTTP_IF_NONE_MATCH=first["ETag"])
    assert changed.status_code == 200
    before, after = ({event["UID"] for event in read(one.content)} for one in (first, changed))
    assert before - after == {f"gap-{gap.pk}@127.0.0.1"}
    assert after < before


def test_the_secret_is_shown_once_kept_nowhere_and_ends(cast, as_):
    owner = as_(cast.owner)
    page = owner.post("/settings/calendar/").content.decode()
    secret = page.partition("/calendar/")[2].partition(".ics")[0]
    assert len(secret) >= 43
    path = f"/calendar/{secret}.ics"
    assert Client().get(path).status_code == 200
    assert secret not in owner.get("/settings/").content.decode()
    row = CalendarFeed.objects.get(person=cast.owner)
    assert secret not in str(vars(row))
    assert not any(secret in str(entry.facts) for entry in Entry.objects.acts().select_related("body"))
    owner.post("/settings/calendar/")
    assert Client().get(path).status_code == 404, "another address ends the one before"
    secret = preferences.make_calendar(by=cast.owner)
    owner.post("/settings/calendar/revoke/")
    assert Client().get(f"/calendar/{secret}.ics").status_code == 404
    kinds = list(Entry.objects.acts().filter(kind__startswith="calendar").values_list("kind", flat=True))
    assert kinds.count("calendar address made") == 3
    assert kinds.count("calendar address revoked") == 1


def test_it_ends_with_the_account_and_does_not_come_back(cast):
    path = f"/calendar/{preferences.make_calendar(by=cast.owner)}.ics"
    person = leaving.deactivate(person=cast.owner, reason="Left.", by=cast.admin)
    assert Client().get(path).status_code == 404
    leaving.reactivate(person=person, reason="Back.", by=cast.admin)
    assert Client().get(path).status_code == 404


def test_it_is_read_so_often_and_no_more(cast, caplog):
    secret = preferences.make_calendar(by=cast.owner)
    CalendarFeed.objects.update(
        hour_from=clock.now() - timedelta(minutes=20), hour_reads=preferences.READS_AN_HOUR - 1
    )
    client = Client()
    assert client.get(f"/calendar/{secret}.ics").status_code == 200
    refused = client.get(f"/calendar/{secret}.ics")
    assert refused.status_code == 429
    assert 2300 < int(refused["Retry-After"]) <= 2400
    CalendarFeed.objects.update(hour_from=clock.now() - timedelta(hours=1))
    assert client.get(f"/calendar/{secret}.ics").status_code == 200
    for _ in range(30):
        assert client.get("/calendar/guess.ics").status_code == 404
    assert client.get(f"/calendar/{secret}.ics").status_code == 404, (
        "who guesses is answered nothing for a while"
    )
    assert "guess" not in caplog.text
    assert secret not in caplog.text


def test_the_digest_is_chosen_on_a_page(cast, as_):
    owner = as_(cast.owner)
    assert owner.post("/settings/", {"digest": "hourly"}).status_code == 200
    assert owner.post("/settings/", {"digest": "never"}).status_code == 302
    assert cast.owner.preferences.digest == "never"
    assert 'value="never"' in owner.get("/settings/").content.decode().partition("checked")[0][-200:]


# --- Language ---------------------------------------------------------------------------------------------------------


def choose(client, language):
    sent = client.post(reverse("settings"), {"digest": "mine", "language": language})
    assert sent.status_code == 302, sent.content


def test_pages_are_in_the_language_that_the_person_chose_also_at_the_next_sign_in(cast, as_):
    client = as_(cast.owner)
    assert "Language and notifications" in client.get(reverse("settings")).content.decode()
    choose(client, "de")
    page = client.get(reverse("settings"))
    assert page.headers["Content-Language"] == "de"
    assert '<html lang="de">' in page.content.decode()
    assert "Sprache und Benachrichtigungen" in page.content.decode()
    assert '<html lang="de">' in as_(cast.owner).get(reverse("inbox")).content.decode(), "another session"
    assert '<html lang="en">' in as_(cast.chair).get(reverse("inbox")).content.decode(), "another person"
    choose(client, "en")
    assert '<html lang="en">' in client.get(reverse("settings")).content.decode()


def test_without_a_choice_pages_are_in_english_and_the_language_of_the_browser_is_offered(cast, as_):
    client, german = as_(cast.owner), {"Accept-Language": "de-CH,de;q=0.9"}
    offer = f'<a href="{reverse("settings")}#id_language" lang="de">Deutsch</a>'
    asked = client.get(reverse("inbox"), headers=german).content.decode()
    assert '<html lang="en">' in asked
    assert offer in asked
    assert offer not in client.get(reverse("inbox"), headers={"Accept-Language": "en, fr"}).content.decode()
    choose(client, "en")
    assert offer not in client.get(reverse("inbox"), headers=german).content.decode()
    refused = as_(cast.owner).post(reverse("settings"), {"digest": "mine", "language": "xx"})
    assert "is not one of the available choices" in refused.content.decode()


def test_what_is_recorded_does_not_depend_on_the_language(cast):
    with translation.override("de"):
        assert stage_word("production") == "Produktion"
        with acting(by=cast.owner):
            assert translation.get_language() == "en"
            assert stage_word("production") == "Production"


def test_a_refusal_is_in_the_language_of_the_reader_and_recorded_in_english(cast, as_):
    initiative = factories.make_mvp(cast)
    client = as_(cast.seat_risk)
    choose(client, "de")
    answer = client.post(reverse("requirement-draft", args=[initiative.ref, "mvp.users"]), {"text": "Mine."})
    assert answer.status_code == 403
    assert "Bitten Sie den Owner, Sie als Stellvertretung" in text_of(answer)
    (entry,) = Entry.objects.acts().filter(kind="refused")
    assert entry.facts["facts"]["answer"].startswith(
        "Your accepted roles on this initiative do not let you answer"
    )


@pytest.mark.parametrize(("language", "words"), [("de", "Abmelden"), ("", "Unsubscribe")])
def test_an_email_is_in_the_language_of_its_reader(cast, language, words):
    preferences.choose_language(language=language, by=cast.owner)
    sent = mail.compose(
        "account",
        to=cast.owner,
        subject="A new passkey",
        key="one",
        context={"notifications": []},
        leave="/digest/leave/one/",
    )
    assert f"{words}: http" in sent.body
    assert f">{words}</a>" in sent.alternatives[0].content
