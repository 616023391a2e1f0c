"""Reading and signing a statement: exactly those bytes, by exactly that person, with a password, or not at all."""

import hashlib
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.gates import criteria, requirements
from governance.models import SignInAttempt
from governance.models.audit_log import Entry
from governance.permission_result import Refused
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative_pages import confirmation
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
from initiatives.models import SignOff
from tests.support.factories import PASSWORD
from tests.support.initiatives.initiative_pages import SIGNED
from tests.support.initiatives.open_reviews import before_mvp, before_prototype

pytestmark = pytest.mark.django_db


def soup_of(response):
    return BeautifulSoup(response.content, "html.parser")


def words(response) -> str:
    return " ".join(soup_of(response).find("main").get_text(" ").split())


def sign_url(review, seat, query="verdict=approve") -> str:
    return reverse("sign", args=[review.pk, seat]) + f"?{query}"


def write(client, review, seat, verdict="approve", **typed):
    """Post the words of a sign-off, and go where that leads: to the statement made of them, or back to the form."""
    return client.post(sign_url(review, seat, f"verdict={verdict}"), {"reason": ""} | typed, follow=True)


def statement_url(review, seat, verdict) -> str:
    return sign_url(review, seat, f"verdict={verdict}&step=statement")


def sealed(page) -> str:
    return soup_of(page).select_one("input[name=statement]")["value"]


def sign(client, url, *, password=PASSWORD, page=None):
    """Open the page, then sign what it showed."""
    page = page or client.get(url)
    return client.post(url, {"statement": sealed(page), "password": password})


def test_what_is_shown_is_what_is_signed(cast, as_):
    review = before_prototype(cast)
    client, url = as_(cast.seat_value), sign_url(review, "business_value")
    page = client.get(url)
    shown = soup_of(page).select_one(".statement .text").get_text()
    assert f"sha-256 {hashlib.sha256(shown.encode()).hexdigest()}" in words(page)
    assert not SignOff.objects.exists()
    answer = sign(client, url, page=page)
    sign_off = SignOff.objects.get()
    assert answer.url == reverse("inbox"), "the next task"
    assert sign_off.statement == shown
    address = reverse("sign-off", args=[sign_off.pk])
    signed = client.get(address)
    assert soup_of(signed).select_one(".statement .text").get_text() == shown
    assert "This sign-off is current and counts." in words(signed)
    entry = Entry.objects.acts().get(kind="signed off")
    assert f"entry {entry.pk}" in words(signed)
    plain = client.get(address + "?as=text")
    assert hashlib.sha256(plain.content).hexdigest() == sign_off.digest
    assert plain["Content-Type"].startswith("text/plain")
    requirement_actions.answer(
        initiative=review.initiative,
        requirement="proto.question",
        kind="answered",
        text="Other.",
        by=cast.owner,
    )
    assert "This sign-off no longer counts. The answer changed" in words(client.get(address))


@pytest.mark.parametrize("verdict", ["approve", "recuse"])
def test_a_signature_judges_the_review_once(cast, as_, monkeypatch, verdict):
    """In the act, after its lock, with the new sign-off in it: the page judges nothing that it does not show."""
    review = before_prototype(cast)
    client = as_(cast.seat_value)
    page = write(
        client, review, "business_value", verdict, reason="Not now.", criteria=["prototype.selected"]
    )
    judgements = count_judgements(monkeypatch)
    answer = sign(client, statement_url(review, "business_value", verdict), page=page)
    assert answer.url == reverse("inbox")
    assert SignOff.objects.exists()
    assert [one for one in judgements if one not in review.rulebook.parsed.requirements] == [
        "snapshot_of",
        "judge",
        "verdict_of",
    ]
    assert Counter(judgements) == Counter(set(judgements)), "no requirement is judged twice"
    assert set(review.rulebook.parsed.requirements) < set(judgements)


def test_a_decision_judges_the_review_once(cast, as_, monkeypatch):
    review = before_prototype(cast)
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    judgements = count_judgements(monkeypatch)
    answer = as_(cast.chair).post(
        f"/reviews/{review.pk}/decide/", {"outcome": "approved", "reason": "Go."} | SIGNED
    )
    assert answer.url == review.get_absolute_url()
    assert judgements.count("snapshot_of") == judgements.count("judge") == judgements.count("verdict_of") == 1


def test_a_rehearsed_decision_judges_each_state_once(cast, as_, monkeypatch):
    """Its view rehearsed, the initiative after that and before it, and its view for good."""
    review = before_prototype(cast)
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    judged, judge = [], criteria.judge
    monkeypatch.setattr(criteria, "judge", lambda *given: judged.append(given) or judge(*given))
    sent = {"outcome": "approved", "reason": "Go."} | SIGNED
    assert as_(cast.chair).post(f"/reviews/{review.pk}/decide/", sent).status_code == 302
    assert len(judged) == 4


def count_judgements(monkeypatch) -> list[str]:
    """Return what judges, each time that it is called from now on: by its name, and each requirement by its key.

    The rehearsal before the act looks at the initiative twice more. It is left out here.
    """
    monkeypatch.setattr(confirmation, "rehearsed", lambda request, run: [])
    called = []

    def counted(name, real):
        return lambda *args, **named: called.append(name) or real(*args, **named)

    for module, name in ((review_state, "snapshot_of"), (criteria, "judge"), (criteria, "verdict_of")):
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    state_of = requirements.state_of
    monkeypatch.setattr(
        requirements,
        "state_of",
        lambda facts, rulebook, key, at: called.append(key) or state_of(facts, rulebook, key, at),
    )
    return called


def test_the_page_opens_with_the_sentence_and_the_exact_bytes_are_folded(cast, as_):
    review = before_mvp(cast)
    own, other = (
        review.rulebook.parsed.criteria_of("mvp", seat)[0] for seat in ("risk_compliance", "business_value")
    )
    for criterion, text in ((own, "Which law?"), (other, "What does it cost?")):
        review_actions.ask_question(review=review, criterion=criterion.key, text=text, by=cast.seat_risk)
    page = soup_of(as_(cast.seat_risk).get(sign_url(review, "risk_compliance")))
    main = page.select_one("main")
    opening, whole = main.select(".statement")
    signed = whole.select_one(".text").get_text()
    scope = next(row for row in review_state.snapshot_of(review).judged.facts.scopes if row.planned)
    assert f", for {scope.words}, meets these criteria" in opening.p.get_text()
    assert signed.startswith(opening.p.get_text() + "\n")
    assert f"Open question by {cast.seat_risk}: Which law?" in signed
    assert f"Worst credible harm: {review.initiative.worst_credible_harm}" in signed
    folded = whole.find_parent("details")
    folded.extract()
    shown = main.get_text(" ")
    assert shown.index("Which law?") < shown.index("Your password")
    assert "What does it cost?" not in shown, "the seat is asked about its own criteria"
    assert review.initiative.worst_credible_harm in shown
    rulebook = review.rulebook.parsed
    for criterion in rulebook.criteria_of("mvp", "risk_compliance"):
        assert criterion.question in shown
        raw = [key for key in (criterion.key, *criterion.requirements) if f"({key}" in shown]
        assert not raw
    assert "sha-256" not in shown
    assert f"person {cast.seat_risk.pk}" not in shown
    assert cast.seat_value.full_name in shown, "who was asked"
    assert "Your password" in shown


def test_a_remark_becomes_part_of_the_statement(cast, as_):
    review = before_prototype(cast)
    client = as_(cast.seat_value)
    url = sign_url(review, "business_value")
    page = write(client, review, "business_value", reason="Cheap to try.")
    assert "Reason: Cheap to try." in words(page)
    assert "Reason: Cheap to try." in words(client.get(url))
    sign(client, url)
    assert SignOff.objects.get().reason == "Cheap to try."


def test_a_wrong_password_signs_nothing_and_loses_nothing(cast, as_):
    review = before_prototype(cast)
    client, url = as_(cast.seat_value), sign_url(review, "business_value")
    write(client, review, "business_value", reason="Cheap to try.")
    answer = sign(client, url, password="guess")
    assert "The password is wrong. No statement was signed." in words(answer)
    assert "Reason: Cheap to try." in words(answer)
    assert not SignOff.objects.exists()
    entry = Entry.objects.get(kind="password refused")
    assert entry.actor_id == cast.seat_value.pk
    purpose = f"sign as business value on {review.initiative.ref}"
    assert entry.facts["facts"] == {"login": "seat-value", "purpose": purpose, "address": "127.0.0.1"}
    listed = words(as_(cast.auditor).get("/audit/sign-ins/"))
    assert f"typed a wrong password to {purpose}, from 127.0.0.1." in listed
    assert "guess" not in listed
    assert sign(client, url, page=answer).status_code == 302
    assert SignOff.objects.count() == 1


def test_five_wrong_passwords_lock_signing_for_ten_minutes_whatever_the_cookie(cast, as_):
    review = before_prototype(cast)
    url = sign_url(review, "business_value")
    start = clock.now()
    with time_machine.travel(start, tick=False) as travel:
        for _ in range(5):
            assert sign(as_(cast.seat_value), url, password="guess").status_code == 200
        locked = sign(as_(cast.seat_value), url)
        assert locked.status_code == 429
        assert "Too many wrong passwords" in words(locked)
        assert not SignOff.objects.exists()
        travel.move_to(start + timedelta(minutes=11))
        assert sign(as_(cast.seat_value), url).status_code == 302
    assert not SignInAttempt.objects.exists()


def test_the_owner_cannot_sign_and_the_attempt_is_recorded(cast, as_):
    review = before_mvp(cast)
    url = sign_url(review, "risk_compliance")
    client = as_(cast.owner)
    assert client.get(url).status_code == 403
    assert not Entry.objects.acts().filter(kind="refused").exists()
    stolen = sealed(as_(cast.seat_risk).get(url))
    for body in ({"statement": stolen, "password": PASSWORD}, {}):
        answer = client.post(url, body)
        assert answer.status_code == 403
        assert "Marta lindqvist is business owner of this initiative".lower() in words(answer).lower()
    assert not review.sign_offs.exists()
    entries = Entry.objects.acts().filter(kind="refused", actor_id=cast.owner.pk)
    assert [entry.facts["facts"]["act"] for entry in entries] == ["sign off", "sign off"]
    assert as_(cast.outsider).get(url).status_code == 404
    assert as_(cast.seat_risk).get(reverse("sign", args=[review.pk, "no_seat"])).status_code == 404


def test_another_seat_or_person_or_an_old_page_signs_nothing(cast, as_):
    review = before_mvp(cast)
    risk, security = sign_url(review, "risk_compliance"), sign_url(review, "security_privacy")
    others = sealed(as_(cast.seat_security).get(security))
    answer = as_(cast.seat_risk).post(risk, {"statement": others, "password": PASSWORD})
    assert "so the statement below is new" in words(answer)
    answer = as_(cast.seat_risk).post(risk, {"statement": "rubbish", "password": PASSWORD})
    assert "so the statement below is new" in words(answer)
    client, start = as_(cast.seat_risk), clock.now()
    with time_machine.travel(start, tick=False) as travel:
        page = client.get(risk)
        travel.move_to(start + timedelta(minutes=61))
        answer = sign(client, risk, page=page)
        assert "so the statement below is new" in words(answer)
        assert not review.sign_offs.exists()
        assert sign(client, risk, page=answer).status_code == 302
    assert review.sign_offs.get().seat == "risk_compliance"


def test_facts_that_moved_since_are_named(cast, as_):
    review = before_prototype(cast)
    client, url = as_(cast.seat_value), sign_url(review, "business_value")
    page = client.get(url)
    requirement_actions.answer(
        initiative=review.initiative,
        requirement="proto.question",
        kind="answered",
        text="Other.",
        by=cast.owner,
    )
    answer = sign(client, url, page=page)
    assert answer.status_code == 409
    question = review.rulebook.parsed.requirements["proto.question"].question
    assert f"Changed after you opened the page: the answer changed: {question}" in words(answer)
    assert not SignOff.objects.exists()


def test_a_wrong_password_on_facts_that_moved_shows_the_new_statement(cast, as_):
    review = before_prototype(cast)
    client, url = as_(cast.seat_value), sign_url(review, "business_value")
    page = client.get(url)
    item = review.initiative.evidence.filter(coverage__requirement="proto.question").first()
    evidence_actions.withdraw_evidence(evidence=item, reason="Wrong file.", by=cast.owner)
    answer = sign(client, url, page=page, password="guess")
    assert "changed after you opened this page" in words(answer)


def test_two_tabs_of_one_seat_the_second_is_told_who_was_first(cast, as_):
    review = before_prototype(cast)
    client = as_(cast.seat_value)
    approve = client.get(sign_url(review, "business_value"))
    objection = statement_url(review, "business_value", "object")
    typed = {"criteria": "prototype.honest", "reason": "No limits named."}
    other = write(client, review, "business_value", "object", **typed)
    assert sign(client, objection, page=other).status_code == 302
    late = sign(client, sign_url(review, "business_value"), page=approve)
    assert late.status_code == 409
    assert "Amara Diallo signed off first for this seat: object" in words(late)
    assert "This seat has already signed off." in words(client.get(sign_url(review, "business_value")))


def test_an_objection_names_criteria_and_says_why(cast, as_):
    review = before_prototype(cast)
    client = as_(cast.seat_value)
    first = client.get(sign_url(review, "business_value", "verdict=object"))
    assert "Criteria you object to" in words(first)
    bare = write(client, review, "business_value", "object", reason="No limits.")
    assert "Choose the criteria of your seat that you object to." in words(bare)
    assert "No limits." in bare.content.decode()
    foreign = write(client, review, "business_value", "object", criteria="mvp.named_owner", reason="No.")
    assert not soup_of(foreign).select("input[name=password]")
    page = write(client, review, "business_value", "object", criteria="prototype.honest", reason="No limits.")
    assert sign(client, statement_url(review, "business_value", "object"), page=page).status_code == 302
    sign_off = SignOff.objects.get()
    assert sign_off.criteria == ["prototype.honest"]
    page = words(as_(cast.chair).get(review.get_absolute_url()))
    assert "objects" in page
    assert "Business value objects to “Is it an honest prototype" in page


def test_recusal_asks_why_and_keeps_the_quorum(cast, as_):
    review = before_mvp(cast)
    client = as_(cast.seat_risk)
    assert "Reason to recuse yourself" in words(
        client.get(sign_url(review, "risk_compliance", "verdict=recuse"))
    )
    url = statement_url(review, "risk_compliance", "recuse")
    page = write(client, review, "risk_compliance", "recuse", reason="I advised them.")
    assert "The quorum stays 3. If you recuse yourself, 5 seats can still sign." in words(page)
    assert sign(client, url, page=page).status_code == 302
    text = words(as_(cast.chair).get(review.get_absolute_url()))
    assert "Ines Okafor recused themselves" in text
    assert "recused Ines Okafor" in text


def test_a_condition_is_written_out_before_it_is_signed(cast, as_):
    review = before_prototype(cast)
    client, due = as_(cast.seat_value), clock.today() + timedelta(days=9)
    typed = {"condition_text": "Name it.", "condition_owner": cast.owner.pk}
    seat, verdict = "business_value", "approve_with_condition"
    late = write(client, review, seat, verdict, condition_due=clock.today() - timedelta(days=1), **typed)
    assert "Choose today or a later day." in words(late)
    page = write(client, review, seat, verdict, condition_due=due, **typed)
    assert f"Condition: Name it. - Marta Lindqvist, by {due}." in words(page)
    url = statement_url(review, seat, verdict)
    assert sign(client, url).status_code == 302
    assert SignOff.objects.get().condition["owner"] == cast.owner.pk


def test_what_is_not_met_cannot_be_approved_and_the_page_says_so(cast, as_):
    review = before_prototype(cast)
    for item in review.initiative.evidence.filter(coverage__requirement="proto.question"):
        evidence_actions.withdraw_evidence(evidence=item, reason="Wrong file.", by=cast.owner)
    client, url = as_(cast.seat_value), sign_url(review, "business_value")
    page = client.get(url)
    assert "You cannot approve, because these criteria are not met" in words(page)
    assert not soup_of(page).select("input[name=password]")
    # Nor with a condition, which is said before its words are typed; and the act refuses both, whatever a page shows.
    asked = client.get(sign_url(review, "business_value", "verdict=approve_with_condition"))
    assert "You cannot approve this yet: You cannot approve, because these criteria are not met" in words(
        asked
    )
    assert not soup_of(asked).select("main textarea"), "no form leads to a refusal"
    at, fields = clock.now(), {"reason": "Soon.", "criteria": ()}
    condition = {"text": "Show it.", "owner": cast.owner.pk, "owner_name": "Marta", "due": "2099-01-01"}
    snapshot = review_state.snapshot_of(review)
    for verdict, more in (("approve", {}), ("approve_with_condition", {"condition": condition})):
        text, _ = sign_off_actions.statement_for(
            snapshot, "business_value", cast.seat_value, verdict=verdict, at=at, **fields, **more
        )
        with pytest.raises(Refused, match="You cannot approve, because these criteria are not met"):
            sign_off_actions.sign_off(
                review=review,
                seat="business_value",
                verdict=verdict,
                digest=hashlib.sha256(text.encode()).hexdigest(),
                prepared_at=at,
                by=cast.seat_value,
                **fields,
                **more,
            )
    assert not SignOff.objects.exists()


def test_the_words_of_a_sign_off_stand_in_no_address(cast, as_):
    review, client = before_prototype(cast), as_(cast.seat_value)
    said = "Nobody-else-should-read-this"
    for verdict, more in (
        ("approve", {}),
        ("object", {"criteria": "prototype.honest"}),
        ("recuse", {}),
        (
            "approve_with_condition",
            {"condition_text": said, "condition_owner": cast.owner.pk, "condition_due": clock.today()},
        ),
    ):
        form = soup_of(client.get(sign_url(review, "business_value", f"verdict={verdict}"))).select_one(
            "form:has([name=reason])"
        )
        assert form["method"] == "post"
        page = write(client, review, "business_value", verdict, reason=said, **more)
        assert f"Reason: {said}" in words(page)
        addresses = [there for there, _ in page.redirect_chain]
        addresses += [
            there.get("href") or there.get("action") or "" for there in soup_of(page).select("a, form")
        ]
        assert len(page.redirect_chain) == 1
        assert not any(said in there for there in addresses), verdict
    answer = sign(client, statement_url(review, "business_value", "approve_with_condition"), page=page)
    assert said not in answer.url
    assert SignOff.objects.get().condition["text"] == said


def test_going_back_keeps_what_was_typed_until_it_is_signed(cast, as_):
    review, client = before_prototype(cast), as_(cast.seat_value)
    page = write(client, review, "business_value", "object", criteria="prototype.honest", reason="No limits.")
    differently = soup_of(page).find("a", string="Change your text")["href"]
    form = soup_of(client.get(reverse("sign", args=[review.pk, "business_value"]) + differently))
    assert form.select_one("textarea[name=reason]").text.strip() == "No limits."
    assert form.select_one("input[name=criteria][checked]")["value"] == "prototype.honest"
    # Another verdict begins with nothing, and leaves what was typed for this one.
    assert "No limits." not in words(client.get(sign_url(review, "business_value", "verdict=recuse")))
    url = statement_url(review, "business_value", "object")
    assert "Reason: No limits." in words(client.get(url))
    assert sign(client, url).status_code == 302
    again = soup_of(client.get(sign_url(review, "business_value", "verdict=object")))
    assert again.select_one("textarea[name=reason]").text.strip() == ""


def test_two_tabs_sign_what_each_of_them_showed(cast, as_):
    review, client = before_prototype(cast), as_(cast.seat_value)
    first = write(client, review, "business_value", reason="The first tab.")
    write(client, review, "business_value", reason="The second tab.")
    assert sign(client, sign_url(review, "business_value"), page=first).status_code == 302
    assert SignOff.objects.get().reason == "The first tab."


def test_a_new_session_loses_no_more_than_the_words_that_the_browser_keeps(cast, as_):
    review, client = before_prototype(cast), as_(cast.seat_value)
    page = write(client, review, "business_value", "object", criteria="prototype.honest", reason="No limits.")
    other, url = as_(cast.seat_value), statement_url(review, "business_value", "object")
    form = soup_of(other.get(url)).select_one("form[data-draft]")
    assert form["data-draft"] == f"sign_off-{review.pk}-business_value-object"
    # What a page showed carries its words: with it, a password is enough in the new session too.
    assert sign(other, url, page=page).status_code == 302
    assert SignOff.objects.get().reason == "No limits."


def test_withdrawing_is_for_the_signer_and_stays_readable(cast, as_):
    review = before_prototype(cast)
    sign_off = initiative_acts.sign_off(review, "business_value", cast.seat_value)
    url = reverse("row-act", args=["sign-offs", sign_off.pk, "withdraw"])
    assert as_(cast.outsider).get(url).status_code == 404
    assert as_(cast.seat_risk).post(url, {"reason": "Not mine."}).status_code == 403
    assert Entry.objects.acts().filter(kind="refused", actor_id=cast.seat_risk.pk).exists()
    client = as_(cast.seat_value)
    assert client.post(url, {"reason": ""}).status_code == 200
    assert client.post(url, {"reason": "I misread the limits."}).status_code == 302
    page = words(client.get(reverse("sign-off", args=[sign_off.pk])))
    assert "Withdrawn by Amara Diallo" in page
    assert "I misread the limits." in page
    assert client.post(url, {"reason": "Again."}).status_code == 409


def test_after_the_end_nobody_sign_offs_and_the_statement_says_how_it_stood(cast, as_):
    review = before_prototype(cast)
    client, url = as_(cast.seat_value), sign_url(review, "business_value")
    page = client.get(url)
    sign_off = initiative_acts.sign_off(review, "business_value", cast.seat_value)
    review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)
    late = sign(client, url, page=page)
    assert late.status_code == 409
    assert "This review was already approved by Elena Novak at" in words(late)
    assert client.get(url).status_code == 302
    assert "This sign-off counted when the review ended." in words(
        client.get(reverse("sign-off", args=[sign_off.pk]))
    )
