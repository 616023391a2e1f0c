"""An objection reaches whoever has to answer it, then the seat that objected: on the review, in inboxes, by
notification.
"""

from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core.files.base import ContentFile
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Notification
from governance.notifications import due
from governance.notifications import inbox as notification_inbox
from governance.vocabulary import Seat, SignOffVerdict
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews import review_turn
from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
from initiatives.models import Review
from tests.support import factories
from tests.support.initiatives import open_reviews
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.rules.plain_rulebook import plain_text

pytestmark = pytest.mark.django_db
SEAT = "security_privacy"


def fresh(review: Review) -> Review:
    return Review.objects.select_related("initiative__unit", "rulebook").get(pk=review.pk)


def object_to(cast, review: Review, *keys: str, seat: str = SEAT):
    """The seat objects to these criteria, else to the first of its own."""
    own = [one.key for one in review.rulebook.parsed.criteria_of(review.gate, seat)]
    return initiative_acts.sign_off(
        fresh(review),
        seat,
        cast.seats[seat],
        verdict=SignOffVerdict.OBJECT,
        reason="Prompts are stored.",
        criteria=keys or (own[0],),
    )


def told(kind: str) -> set[str]:
    return set(Notification.objects.filter(kind=kind).values_list("person__login", flat=True))


def named(review: Review) -> dict[str, set[int]]:
    """By kind of move, whom the one computation names."""
    found: dict[str, set[int]] = {}
    for move in review_turn.moves(review_state.snapshot_of(fresh(review))):
        found.setdefault(move.kind, set()).update(move.people)
    return found


def asks(person, review: Review, button: str) -> bool:
    """Whether the inbox of the person leads to the review with these words."""
    link = review.get_absolute_url()
    tasks = notification_inbox.tasks_for(person)
    return any(line.link.startswith(f"{link}#") and line.button == button for line in tasks)


@pytest.fixture
def review(cast) -> Review:
    """An MVP gate at which every seat but security approves, and security objects to its first criterion."""
    review = open_reviews.before_mvp(cast)
    others = [seat for seat in review.rulebook.parsed.gates["mvp"].seats if seat != SEAT]
    initiative_acts.sign_offs(review, cast.team, seats=others)
    object_to(cast, review)
    return fresh(review)


@pytest.fixture
def objected(review) -> list[str]:
    """The requirements behind the criterion that was objected to."""
    return list(review.rulebook.parsed.criteria_of("mvp", SEAT)[0].requirements)


def prove(cast, review, key: str, by=None) -> None:
    """Newer evidence on a requirement, whatever kind it takes."""
    asked = review.rulebook.parsed.requirements[key]
    kind = next(
        kind for kind in asked.evidence if kind in ("document", "test_report", "system_record", "log_sample")
    )
    rulebook = review.rulebook.parsed
    evidence_actions.add_evidence(
        initiative=review.initiative,
        kind=kind,
        title="Storage is off",
        observed_on=clock.today(),
        covers=[key],
        result="pass" if kind in rulebook.result_kinds else "",
        condition="bounded_real" if kind in rulebook.condition_kinds else "",
        file=ContentFile(b"off\n", "off.txt"),
        by=by or cast.lead,
    )


def test_the_owner_and_whoever_answers_what_was_objected_to_are_told_at_once(cast, review, objected):
    answering = {review.rulebook.parsed.requirements[key].answered_by for key in objected}
    replies = review_state.snapshot_of(review).judged.facts.answers
    working = {cast.owner.pk, cast.support.pk, cast.lead.pk, cast.steward.pk}
    people = {cast.owner.pk} | {replies[key].by_id for key in objected if key in replies} & working
    people |= {
        pk
        for role, (pk, _) in review_state.snapshot_of(review).eligible_signers.working.items()
        if role in answering
    }
    assert named(review) == {"answer an objection": people}
    logins = {person.login for person in cast.people.values() if person.pk in people}
    assert told("objection") == logins
    for login in logins:
        assert asks(cast.people[login], review, "Answer the objection"), login
    assert told("look again") == set()


def test_a_missing_seat_is_asked_while_an_objection_stands_one_line_a_person(cast, as_, review):
    other = next(seat for seat in review.rulebook.parsed.gates["mvp"].must_include if seat != SEAT)
    row = review.sign_offs.latest().get(seat=other)
    sign_off_actions.withdraw_sign_off(sign_off=row, reason="Read it anew.", by=row.person)
    assert set(named(review)) == {"answer an objection", "sign"}
    assert any(line.verb == "sign" for line in notification_inbox.tasks_for(row.person))
    page = BeautifulSoup(as_(cast.chair).get(review.get_absolute_url()).content, "html.parser")
    lines = page.select_one("aside section ul").select("li b")
    assert len(lines) == len({line.get_text() for line in lines}), "one line a person"
    assert row.person.full_name in {line.get_text() for line in lines}
    assert cast.seat_security.full_name not in {line.get_text() for line in lines}
    verdict = review_state.snapshot_of(fresh(review)).verdict
    missing = [
        one.text
        for one in verdict.blockers
        if "among the signers" in one.text or "current approval" in one.text
    ]
    must = [f"{Seat.word(other)} must be among the signers.", f"{Seat.word(SEAT)} must be among the signers."]
    assert all(text in must for text in missing), "a missing sign-off is counted once"
    Notification.objects.all().delete()
    with time_machine.travel(clock.now() + timedelta(days=7), tick=False):
        due.run()
    assert row.person.login in told("not signed")
    assert cast.owner.login in told("objection")


def test_the_objection_stands_on_its_criterion_and_on_the_pages_of_the_initiative(
    cast, as_, review, objected
):
    (line,) = [
        one for one in notification_inbox.tasks_for(cast.owner) if one.button == "Answer the objection"
    ]
    address, _, place = line.link.partition("#")
    page = BeautifulSoup(as_(cast.owner).get(address).content, "html.parser").find(id=place)
    assert "Prompts are stored." in page.get_text()
    assert "objected to" in page.get_text()
    acts = {" ".join(link.get_text(" ").split()): link["href"] for link in page.select("a.btn")}
    assert any(words.startswith("Reply") for words in acts)
    assert any("Change this answer" in words for words in acts)
    ref = review.initiative.ref
    for name in ("initiative", "requirements"):
        shown = text_of(as_(cast.owner).get(at(name, ref)))
        assert "Prompts are stored." in shown, name
        assert line.link in shown
        assert "The review is with the board." not in shown
        assert "You have no task here" not in shown


def test_a_reply_is_a_message_of_the_review_and_asks_the_seat_to_look_again(cast, as_, review, objected):
    row = review.sign_offs.latest().get(seat=SEAT)
    url = at("row-act", "sign-offs", row.pk, "reply")
    assert as_(cast.seat_value).post(url, {"text": "Mine."}).status_code == 403
    assert "Prompts are stored." in text_of(as_(cast.owner).get(url))
    assert as_(cast.owner).post(url, {"text": "Storage is off since May."}).status_code == 302
    said = review.questions.get()
    assert (said.text, said.asked_by, said.answer) == (
        "Prompts are stored.",
        row.person,
        "Storage is off since May.",
    )
    assert told("look again") == {"seat-security"}
    assert asks(cast.seat_security, review, "Look again")
    assert not asks(cast.owner, review, "Answer the objection")
    page = text_of(as_(cast.seat_security).get(review.get_absolute_url()))
    assert "Storage is off since May." in page
    assert at("sign-offs/withdraw", row.pk) in page
    sign_off_actions.withdraw_sign_off(sign_off=row, reason="Read.", by=row.person)
    assert as_(cast.owner).get(url).status_code == 403, "nothing is left to reply to"


def test_newer_evidence_passes_the_move_to_the_seat_that_objected_and_is_told_once(cast, review, objected):
    assert not asks(cast.seat_security, review, "Look again")
    prove(cast, review, objected[0])
    assert named(review)["look again"] == {cast.seat_security.pk}
    assert told("look again") == {"seat-security"}
    assert asks(cast.seat_security, review, "Look again")
    assert not asks(cast.owner, review, "Answer the objection")
    prove(cast, review, objected[0])
    assert Notification.objects.filter(kind="look again").count() == 1, "one event, one message"
    assert Notification.objects.filter(kind="objection", person=cast.owner).count() == 1


def test_another_answer_passes_it_too_and_the_seat_is_reminded(cast, review, objected):
    requirement_actions.answer(
        initiative=review.initiative,
        requirement=objected[0],
        kind="answered",
        text="Storage is off.",
        by=cast.owner,
    )
    assert told("look again") == {"seat-security"}
    Notification.objects.all().delete()
    for days, login in ((2, None), (3, "seat-security"), (8, "chair")):
        with time_machine.travel(clock.now() + timedelta(days=days), tick=False):
            due.run()
        assert (login in told("look again")) == (login is not None)


def test_what_is_left_unanswered_stays_with_the_owner(cast):
    review = open_reviews.before_mvp(cast)
    rulebook = review.rulebook.parsed
    own = {seat: [one for one in rulebook.criteria_of("mvp", seat) if one.blocking] for seat in cast.seats}
    seat = max(own, key=lambda seat: len(own[seat]))
    first, second, *_ = own[seat]
    object_to(cast, review, first.key, second.key, seat=seat)
    key = next(key for key in first.requirements if key not in second.requirements)
    requirement_actions.answer(
        initiative=review.initiative, requirement=key, kind="answered", text="Fixed.", by=cast.owner
    )
    found = {move.kind: move for move in review_turn.moves(review_state.snapshot_of(fresh(review)))}
    assert found["look again"].people == (cast.seats[seat].pk,)
    assert cast.owner.pk in found["answer an objection"].people
    assert second.question in found["answer an objection"].what
    assert first.question not in found["answer an objection"].what


def test_a_withdrawn_objection_frees_the_seats_again(cast, review):
    row = review.sign_offs.latest().get(seat=SEAT)
    sign_off_actions.withdraw_sign_off(sign_off=row, reason="Read the terms.", by=row.person)
    assert not named(review).get("answer an objection")
    assert not asks(cast.owner, review, "Answer the objection")


def test_a_seat_whose_sign_off_changes_nothing_is_never_named(cast, as_):
    """Where those that must sign make up the quorum, the others may sign; nobody waits for them."""
    review = open_reviews.before_mvp(cast)
    rules = review.rulebook.parsed.gates["mvp"]
    optional = [seat for seat in rules.seats if seat not in rules.must_include]
    free = rules.quorum_for(review.initiative.tier) - len(rules.must_include)
    assert optional, "the gate has seats that need not sign"
    initiative_acts.sign_offs(review, cast.team, seats=optional[:free])
    waited = {move.seat for move in review_turn.moves(review_state.snapshot_of(fresh(review)))}
    assert waited == set(rules.must_include)
    for seat in optional[free:]:
        assert not any(line.verb == "sign" for line in notification_inbox.tasks_for(cast.seats[seat])), seat
    Notification.objects.all().delete()
    with time_machine.travel(clock.now() + timedelta(days=7), tick=False):
        due.run()
    assert told("not signed") == {factories.SEAT_LOGINS[seat] for seat in rules.must_include}


def test_the_list_of_reviews_and_the_digest_name_the_same_people(cast, as_, review):
    from initiatives.inbox.tasks import weekly_digest

    page = as_(cast.owner).get("/reviews/").content.decode()
    assert "to answer the objection of Security and privacy" in page
    told = weekly_digest.written([cast.unit], cast.owner, since=clock.now() - weekly_digest.WEEK).sections
    (mine,) = [section for section in told if section.words == "For you to do"]
    assert any("to answer the objection" in line.words for line in mine.lines)


def test_nobody_off_the_initiative_hears_of_an_objection(cast, review):
    """Whoever wrote an answer and works there no longer is not told of an initiative that they cannot open."""
    on_initiative = {row.person.login for row in review.initiative.roles.in_force().select_related("person")}
    assert told("objection") <= on_initiative


GONE, STAYS = "mvp.value_measurable", "mvp.real_use_case"


def published_without(cast, *, advisory: bool = False) -> None:
    """A newer rulebook without a criterion of the seat of value, or with that criterion as advice."""
    text = plain_text().replace('version = "0.9"', 'version = "0.91"')
    row = next(one for one in text.split("[[criterion]]") if f'key = "{GONE}"' in one)
    weaker = row.replace('severity = "blocking"', 'severity = "advisory"') if advisory else None
    text = text.replace(f"[[criterion]]{row}", f"[[criterion]]{weaker}" if weaker else "")
    factories.make_rulebook(cast.admin, cast.chair, text)


def moved(cast, *keys: str, advisory: bool = False) -> Review:
    """A review whose other seats approve, moved to that rulebook after value objected to the criteria."""
    review = open_reviews.signed_off(cast)
    object_to(cast, review, *keys, seat="business_value")
    review_actions.ask_question(review=review, criterion=GONE, text="How?", by=cast.seat_risk)
    published_without(cast, advisory=advisory)
    review_actions.rebase_review(review=fresh(review), by=cast.owner)
    for seat in fresh(review).rulebook.parsed.gates["mvp"].seats:
        if seat != "business_value":
            initiative_acts.sign_off(fresh(review), seat, cast.seats[seat])
    return fresh(review)


@pytest.mark.parametrize("advisory", [True, False])
def test_an_objection_that_no_longer_blocks_is_shown_and_its_seat_signs(cast, as_, advisory):
    """1c: a seat that must sign is not left out because it objected under an earlier rulebook."""
    review = moved(cast, GONE, advisory=advisory)
    blockers = [one.text for one in review_state.snapshot_of(review).verdict.blockers]
    assert blockers == ["Business value must be among the signers."]
    assert cast.seat_value.pk in named(review)[review_turn.SIGN]
    for url in (review.get_absolute_url(), reverse("review-decide", args=[review.pk])):
        page = text_of(as_(cast.chair).get(url))
        assert "no longer blocks under rulebook 0.91" in page
        assert "Can value be defined and measured?" in page
    assert "objects." not in text_of(as_(cast.owner).get(review.initiative.get_absolute_url()))
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    assert "no longer blocks" not in text_of(as_(cast.chair).get(review.get_absolute_url()))


def test_an_objection_and_a_question_outlive_their_criterion(cast, as_):
    """1a, 1f: what was written under an earlier rulebook stops no page and no run."""
    review = moved(cast, GONE, STAYS)
    blockers = [one.text for one in review_state.snapshot_of(review).verdict.blockers]
    assert [GONE in text or "be defined and measured" in text for text in blockers] == [False]
    question, objection = review.questions.get(), review.sign_offs.latest().get(verdict="object")
    pages = [
        "/",
        "/reviews/",
        review.get_absolute_url(),
        reverse("review-decide", args=[review.pk]),
        review.initiative.get_absolute_url(),
    ]
    acts = [
        reverse("row-act", args=["questions", question.pk, "answer"]),
        f"{reverse('row-act', args=['sign-offs', objection.pk, 'reply'])}?criterion={GONE}",
    ]
    for person, urls in (
        (cast.chair, pages),
        (cast.seat_value, pages[:3]),
        (cast.owner, [*pages[:3], *acts]),
    ):
        for url in urls:
            assert as_(person).get(url).status_code == 200, url
    assert "How?" in text_of(as_(cast.owner).get(review.get_absolute_url()))
    due.run()
    assert as_(cast.owner).post(acts[0], {"text": "So."}).status_code == 302
    assert as_(cast.owner).post(acts[1], {"text": "So.", "criterion": GONE}).status_code == 302


def test_words_on_a_criterion_that_went_meanwhile_are_written_again(cast, as_):
    """An objection that was shown before the review was moved is not signed."""
    review = open_reviews.before_mvp(cast)
    url = f"{reverse('sign', args=[review.pk, 'business_value'])}?verdict=object"
    client = as_(cast.seat_value)
    shown = client.post(url, {"criteria": [GONE], "reason": "Nobody measures."}, follow=True)
    sealed = BeautifulSoup(shown.content, "html.parser").find("input", {"name": "statement"})["value"]
    published_without(cast)
    review_actions.rebase_review(review=fresh(review), by=cast.owner)
    again = client.post(f"{url}&step=statement", {"statement": sealed, "password": factories.PASSWORD})
    assert again.status_code == 200
    assert not review.sign_offs.exists()


def test_a_review_that_cannot_be_judged_stops_no_other(cast, as_, monkeypatch):
    """1a: it is shown by its reference, and the run of reminders goes on."""
    broken, sound = open_reviews.before_mvp(cast), open_reviews.before_prototype(cast, title="Sound")
    snapshot_of = review_state.snapshot_of

    def judged(review, *args):
        if review.pk == broken.pk:
            raise KeyError("gone")
        return snapshot_of(review, *args)

    monkeypatch.setattr(review_state, "snapshot_of", judged)
    for url in ("/", "/reviews/"):
        page = text_of(as_(cast.seat_value).get(url))
        assert "cannot be judged" in page
        assert broken.initiative.ref in page
        assert sound.initiative.title in page
    with time_machine.travel(clock.now() + timedelta(days=4)), pytest.raises(ExceptionGroup):
        due.run()
    told_of = Notification.objects.filter(kind="not signed", initiative_ref=sound.initiative.ref)
    assert told_of.filter(person=cast.seat_value).exists()
