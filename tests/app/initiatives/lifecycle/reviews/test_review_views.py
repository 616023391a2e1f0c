"""The board's pages: the list, one review, opening, deciding, requirements and conditions."""

from dataclasses import replace
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models.audit_log import Entry
from governance.permission_result import Conflict
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.decision_views import not_recorded
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Condition, Review, ReviewVisit
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.initiatives.initiative_pages import SIGNED, at
from tests.support.initiatives.open_reviews import before_mvp, before_prototype, signed_off
from tests.support.rules.plain_rulebook import plain_text

pytestmark = pytest.mark.django_db


def words(response) -> str:
    """What a page says in its main part, white space folded."""
    main = BeautifulSoup(response.content, "html.parser").find("main")
    return " ".join(main.get_text(" ").split())


def test_the_list_sorts_reviews_by_whose_move_it_is(cast, as_):
    review = before_prototype(cast)
    page = as_(cast.seat_value).get("/reviews/?show=sign")
    assert review.initiative.title in words(page)
    assert "No review waits for your signature" in words(as_(cast.seat_risk).get("/reviews/?show=sign"))
    assert "No review waits for your decision" in words(as_(cast.chair).get("/reviews/?show=decide"))
    page = words(as_(cast.owner).get("/reviews/"))
    assert "Waiting for Amara Diallo to sign as Business value" in page
    assert "Last activity today." in page
    assert "Signed by me" not in page
    page = words(as_(cast.seat_value).get(review.get_absolute_url()))
    assert page.index(review.initiative.problem) < page.index("Your criteria: Business value")
    other = factories.make_initiative(cast, title="A review that waits for others")
    role_actions.propose_role(initiative=other, role="sponsor", person=cast.seat_value, by=cast.owner)
    with unguarded("initiatives_review"), acting(system="test"):
        days = timedelta(days=10)
        Review(
            initiative=other,
            gate=review.gate,
            rulebook=review.rulebook,
            opened_by=cast.owner,
            opened_at=review.opened_at - days,
            expires_at=review.expires_at - days,
        ).save()
    listed = words(as_(cast.owner).get("/reviews/"))
    assert listed.index(other.title) < listed.index(review.initiative.title), "the one that is open longest"
    listed = words(as_(cast.seat_value).get("/reviews/"))
    assert listed.index(review.initiative.title) < listed.index(other.title), "what waits for me comes first"
    initiative_acts.sign_offs(review, cast.team)
    assert review.initiative.title in words(as_(cast.seat_value).get("/reviews/?show=signed"))
    assert "You have not signed anything yet" in words(as_(cast.seat_risk).get("/reviews/?show=signed"))
    assert "No review waits for your signature" in words(as_(cast.seat_value).get("/reviews/?show=sign"))
    page = words(as_(cast.chair).get("/reviews/?show=decide"))
    assert review.initiative.title in page
    assert "Waiting for Elena Novak to decide, since today." in page
    review_actions.decide(review=review, outcome="approved", reason="Worth it.", by=cast.chair)
    assert review.initiative.title not in words(as_(cast.chair).get("/reviews/"))
    page = words(as_(cast.auditor).get("/reviews/?show=decided"))
    assert "approved by Elena Novak" in page
    page = reverse("initiative-activity", args=[review.initiative.ref])
    history = as_(cast.auditor).get(f"{page}?show=everything").content.decode()
    assert history.count(f'href="{review.get_absolute_url()}">The review') == 4, (
        "opened, signed, decided, moved"
    )


def test_the_list_filters_in_the_url_and_takes_junk(cast, as_):
    review = before_prototype(cast)
    client = as_(cast.owner)
    assert review.initiative.title in words(client.get(f"/reviews/?q={review.initiative.ref}"))
    assert review.initiative.title in words(client.get("/reviews/?gate=prototype&q=summary"))
    assert "No reviews match these filters" in words(client.get("/reviews/?gate=mvp"))
    page = client.get("/reviews/?show=nonsense&gate=%FF&q=99999999999999999999&page=x")
    assert page.status_code == 200
    assert "No review is open" in words(as_(cast.outsider).get("/reviews/"))


def test_strangers_find_nothing(cast, as_):
    review = before_prototype(cast)
    client = as_(cast.outsider)
    names = ["review", "review-decide", "reviews/return", "reviews/withdraw", "reviews/rebase", "reviews/ask"]
    for name in names:
        assert client.get(at(name, review.pk)).status_code == 404
        assert client.post(at(name, review.pk)).status_code in (404, 405)
    assert client.get(reverse("review-open", args=[review.initiative.ref])).status_code == 404
    assert client.get(at("questions/answer", 1)).status_code == 404
    assert client.get(at("conditions/meet", 1)).status_code == 404


def test_the_page_names_what_stands_in_the_way_first(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team, skip=("proto.question",))
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    page = as_(cast.seat_value).get(review.get_absolute_url())
    text = words(page)
    asked = review.rulebook.parsed.requirements["proto.question"].question
    assert "cannot be decided yet" in text
    assert f"{asked} Not answered yet." in text
    assert "Marta Lindqvist can fix it." in text
    problem, own = text.index(initiative.problem), text.index("Your criteria: Business value")
    assert problem < own < text.index("Criteria and seats")
    owners = words(as_(cast.owner).get(review.get_absolute_url()))
    assert owners.index(initiative.problem) < owners.index("Blockers") < owners.index("Criteria and seats")
    assert "not met" in text
    mine = BeautifulSoup(page.content, "html.parser").select_one("#mine")
    offered = {" ".join(link.get_text(" ").split()): link["href"] for link in mine.select("a.btn")}
    assert not any("verdict=approve" in href for href in offered.values()), "no button leads to a refusal"
    assert {"Object", "Ask the owner"} <= offered.keys()
    first = review.rulebook.parsed.criteria_of("prototype", "business_value")
    assert any(mine.select(f'li a[href="#{one.key}"]') for one in first), "what comes first has a link"
    assert "Business value (you)" in text


def test_after_the_last_item_is_verified_a_seat_comes_back_to_its_signature(cast, as_):
    review = before_mvp(cast)
    ref = review.initiative.ref
    came = as_(cast.seat_risk).get(reverse("evidence-verify-first", args=[ref]))
    assert came.url == f"{review.get_absolute_url()}#mine"
    page = as_(cast.seat_risk).get(reverse("evidence-verify-first", args=[ref]), follow=True).content.decode()
    assert f"Now sign {review.initiative.title}." in page
    assert reverse("sign", args=[review.pk, "risk_compliance"]) in page
    review_actions.withdraw_review(review=review, reason="", by=cast.owner)
    assert as_(cast.seat_risk).get(came.request["PATH_INFO"]).url == review.initiative.get_absolute_url()


def test_that_a_proposed_tier_waits_is_said_before_a_review_opens_and_confirming_says_what_goes_stale(
    cast, as_
):
    initiative = factories.make_prototype(cast)
    detail_actions.propose_tier(
        initiative=initiative, tier="limited", worst_credible_harm="A wrong letter.", by=cast.owner
    )
    page = words(as_(cast.owner).get(reverse("review-open", args=[initiative.ref])))
    assert "The proposed risk tier is not confirmed." in page
    assert f"{cast.seat_risk.full_name} can confirm the tier." in page
    confirm = reverse("initiative-act", args=[initiative.ref, "confirm-tier"])
    for_seat = as_(cast.seat_risk).get(reverse("review-open", args=[initiative.ref])).content.decode()
    assert f'href="{confirm}"' in for_seat
    assert "go stale" not in words(as_(cast.seat_risk).get(confirm))
    initiative_acts.propose_and_confirm_tier(initiative_acts.fresh(initiative), cast.team, "limited")
    review = signed_off(cast)
    harm = review.initiative.worst_credible_harm
    detail_actions.propose_tier(
        initiative=review.initiative, tier="high", worst_credible_harm=harm, by=cast.owner
    )
    confirm = reverse("initiative-act", args=[review.initiative.ref, "confirm-tier"])
    page = words(as_(cast.seat_risk).post(confirm, SIGNED | {"tier": "high"}, confirm=False))
    assert "seat will no longer count" in page
    assert cast.seat_value.full_name in page


def test_the_table_of_seats_strikes_stale_sign_offs_through_with_the_reason(cast, as_):
    review = signed_off(cast)
    text = words(as_(cast.chair).get(review.get_absolute_url()))
    assert "ready for decision" in text
    assert "Elena Novak to decide" in text
    requirement_actions.answer(
        initiative=review.initiative,
        requirement="mvp.problem",
        kind="answered",
        text="Another one.",
        by=cast.owner,
    )
    page = as_(cast.seat_value).get(review.get_absolute_url())
    soup = BeautifulSoup(page.content, "html.parser")
    gone = [mark.get_text() for mark in soup.select("table.seats s")]
    assert "Amara Diallo" in gone
    assert "Tomas Ek" not in gone
    assert "the answer changed" in words(page)
    (changes,) = soup.select("section.changes")
    assert any("Another one." in line.get_text() for line in changes.select("ins"))
    assert "mvp.problem" not in changes.get_text(), "in words, without keys"
    assert changes.select("del"), "what was signed stands beside it"
    assert "lines unchanged" in changes.get_text()
    others = as_(cast.seats["architecture_integration"]).get(review.get_absolute_url())
    assert not BeautifulSoup(others.content, "html.parser").select("section.changes"), (
        "nothing of its own changed"
    )
    assert "Business value must sign again" in words(page)
    assert "Show what approval needs" in words(as_(cast.chair).get(review.get_absolute_url()))
    item = (
        review.initiative.evidence.filter(coverage__requirement="mvp.problem")
        .exclude(kind="attestation")
        .first()
    )
    assert soup.find("a", href=reverse("evidence-item", args=[review.initiative.ref, item.pk]))


def test_opening_tells_before_what_it_does(cast, as_):
    initiative = factories.make_initiative(cast)
    url = reverse("review-open", args=[initiative.ref])
    page = words(as_(cast.owner).get(url))
    assert "Some criteria that the board signs are not met yet." in page
    assert "Plumbline notifies the seats that sign: Amara Diallo." in page
    assert not initiative.reviews.exists()
    assert "Only the owner can do this." in words(as_(cast.chair).get(url))
    assert as_(cast.chair).post(url).status_code == 403
    assert Entry.objects.acts().filter(kind="refused", actor_id=cast.chair.pk).count() == 1
    answer = as_(cast.owner).post(url)
    review = initiative.reviews.get()
    assert answer.url == review.get_absolute_url()
    assert "A review is open." in words(as_(cast.owner).get(url))
    assert as_(cast.owner).post(url).status_code == 409


def test_opening_says_that_a_board_cannot_reach_quorum(cast, as_):
    initiative = factories.make_initiative(cast)
    role_actions.propose_role(initiative=initiative, role="sponsor", person=cast.seat_value, by=cast.owner)
    page = words(as_(cast.owner).get(reverse("review-open", args=[initiative.ref])))
    assert "This board cannot decide the review: too few seats can sign." in page
    assert "Amara Diallo is proposed as sponsor of this initiative" in page


def test_the_chair_decides_and_a_second_tab_is_told(cast, as_):
    review = signed_off(cast)
    url = reverse("review-decide", args=[review.pk])
    page = words(as_(cast.chair).get(url))
    assert f"{review.initiative.ref} moves from Prototype to MVP at once." in page
    assert "The planned scope starts: 40 users in Account management, Zurich" in page
    assert "The declaration of the MVP is frozen: 5 goals." in page
    assert initiative_acts.fresh(review.initiative).stage == "prototype"
    assert (
        not Entry.objects.acts()
        .filter(kind="review approved", initiative_ref=review.initiative.ref)
        .exclude(id__lt=Entry.objects.acts().filter(kind="review opened").latest("id").pk)
    )
    assert as_(cast.owner).get(url).status_code == 403
    assert as_(cast.owner).post(url, {"outcome": "approved", "reason": ""} | SIGNED).status_code == 403
    assert Entry.objects.acts().filter(kind="refused", actor_id=cast.owner.pk).exists()
    answer = as_(cast.chair).post(url, {"outcome": "approved", "reason": "Ready."} | SIGNED)
    assert answer.status_code == 302
    assert initiative_acts.fresh(review.initiative).stage == "mvp"
    late = as_(cast.chair).post(url, {"outcome": "refused", "reason": "No."})
    assert late.status_code == 409
    assert "This review was already approved by Elena Novak at" in words(late)
    assert as_(cast.chair).get(url).status_code == 302


def test_the_chair_is_told_what_is_not_recorded_and_what_is_refused_because_of_it(cast, as_):
    review = signed_off(cast)
    url = reverse("review-decide", args=[review.pk])
    page = words(as_(cast.chair).get(url))
    assert "Not recorded An API key : Marta Lindqvist. The systems cannot send requests until then." in page
    assert "A contract in force" not in page
    snapshot = review_state.snapshot_of(review)
    bare = replace(snapshot.judged.facts, contracts=(), scopes=(), deployments=(), tier="")
    judged = replace(snapshot.judged, facts=bare)
    missing = not_recorded(replace(snapshot, judged=judged), clock.now())
    assert [one["what"] for one in missing] == [
        "A contract in force",
        "A scope",
        "The model version in use",
        "A confirmed risk tier",
        "An API key",
    ]
    assert [one["who"] for one in missing if "every call" in one["then"]] == ["Marta Lindqvist"] * 2
    factories.make_key(cast, review.initiative)
    assert not_recorded(snapshot, clock.now()) == []
    assert "Not recorded" not in words(as_(cast.chair).get(url + "?outcome=refused"))
    idea = before_prototype(cast)
    assert "Not recorded" not in words(as_(cast.chair).get(reverse("review-decide", args=[idea.pk])))


def test_what_is_not_decidable_keeps_its_words_and_says_why(cast, as_):
    review = before_prototype(cast)
    url = reverse("review-decide", args=[review.pk])
    client = as_(cast.chair)
    page = client.get(url)
    assert BeautifulSoup(page.content, "html.parser").select("main form button[type=submit]") == []
    assert "must be among the signers" in words(page)
    answer = client.post(url, {"outcome": "approved", "reason": "I insist."} | SIGNED)
    assert answer.status_code == 403
    assert "I insist." in answer.content.decode()
    assert "must be among the signers" in words(answer)
    assert "Return the review with questions instead." in words(client.get(url + "?outcome=refused"))


def test_refusing_past_the_idea_must_give_a_post_mortem_and_says_so(cast, as_):
    review = signed_off(cast)
    url = reverse("review-decide", args=[review.pk]) + "?outcome=refused"
    due = clock.today() + timedelta(days=30)
    assert f"Due from Marta Lindqvist: Post-mortem after refusal, by {due.day} {due:%B}" in words(
        as_(cast.chair).get(url)
    )
    answer = as_(cast.chair).post(url, {"outcome": "refused", "reason": ""} | SIGNED)
    assert "This field is required" in words(answer)
    as_(cast.chair).post(url, {"outcome": "refused", "reason": "Not bounded."} | SIGNED)
    assert review.initiative.obligations.get().text == "Post-mortem after refusal"
    page = words(as_(cast.owner).get(review.get_absolute_url()))
    assert "Refused by Elena Novak" in page
    assert "Not bounded." in page
    assert "Post-mortem after refusal: Marta Lindqvist" in page


def test_conditions_come_from_the_signers_and_the_chair_fixes_them(cast, as_):
    review = before_prototype(cast)
    due = clock.today() + timedelta(days=20)
    condition = {
        "text": "Name the sample.",
        "owner": cast.owner.pk,
        "owner_name": cast.owner.full_name,
        "due": due.isoformat(),
    }
    initiative_acts.sign_off(
        review,
        "business_value",
        cast.seat_value,
        "approve_with_condition",
        condition=condition,
        reason="Fine.",
    )
    url = reverse("review-decide", args=[review.pk])
    client = as_(cast.chair)
    page = client.get(url)
    assert "Approve with conditions" in words(page)
    assert "Name the sample." in page.content.decode()
    refused = client.get(url + "?outcome=approved")
    assert "Amara Diallo signed with a condition." in words(refused)
    assert client.post(url, {"outcome": "approved", "reason": ""} | SIGNED).status_code == 200
    sent = {
        "outcome": "approved_with_conditions",
        "reason": "Good enough.",
        "conditions-TOTAL_FORMS": "2",
        "conditions-INITIAL_FORMS": "1",
        "conditions-0-sign_off": str(review.sign_offs.get(seat="business_value").pk),
        "conditions-0-text": "Name the sample and its size.",
        "conditions-0-owner": str(cast.owner.pk),
        "conditions-0-due": (clock.today() - timedelta(days=1)).isoformat(),
        "conditions-1-text": "",
        "conditions-1-owner": "",
        "conditions-1-due": "",
    }
    wrong = client.post(url, sent | SIGNED)
    assert "Choose today or a later day." in words(wrong)
    assert "Name the sample and its size." in wrong.content.decode()
    assert "Good enough." in wrong.content.decode()
    assert client.post(url, sent | SIGNED | {"conditions-0-due": due.isoformat()}).status_code == 302
    row = Condition.objects.get()
    assert (row.text, row.owner, row.due) == ("Name the sample and its size.", cast.owner, due)
    assert row.proposed_by == cast.seat_value
    assert Review.objects.get(pk=review.pk).outcome == "approved_with_conditions"

    meet = reverse("row-act", args=["conditions", row.pk, "meet"])
    assert as_(cast.seat_risk).post(meet, {"note": "Done."}).status_code == 403
    assert as_(cast.owner).post(meet, {"note": ""}).status_code == 200
    assert as_(cast.owner).post(meet, {"note": "Sample of 200, in the report."}).status_code == 302
    page = words(as_(cast.owner).get(review.get_absolute_url()))
    assert "Sample of 200, in the report." in page
    assert as_(cast.owner).post(meet, {"note": "Again."}).status_code == 409


def test_a_decided_page_stays_as_it_was_decided(cast, as_):
    review = signed_off(cast)
    review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
    client, url = as_(cast.auditor), review.get_absolute_url()

    def shown(page):
        soup = BeautifulSoup(page.content, "html.parser")
        return [
            " ".join(part.get_text(" ").split())
            for part in (
                soup.select_one("table.seats"),
                soup.select_one("#criteria"),
                soup.select_one("#sign-offs"),
            )
        ]

    before = shown(client.get(url))
    assert "not met" not in before[0]
    assert "signed Amara Diallo" in before[0]
    initiative = initiative_acts.fresh(review.initiative)
    for item in initiative.evidence.filter(
        coverage__requirement__in=["mvp.problem", "mvp.workflow"]
    ).distinct():
        if not item.withdrawn_at:
            evidence_actions.withdraw_evidence(evidence=item, reason="Wrong file.", by=cast.owner)
    requirement_actions.answer(
        initiative=initiative, requirement="mvp.problem", kind="no", text="Gone.", by=cast.owner
    )
    assert shown(client.get(url)) == before
    assert Review.objects.get(pk=review.pk).findings["criteria"][0]["state"] == "met"


def test_returning_withdrawing_and_asking(cast, as_):
    review = before_prototype(cast)
    rulebook = review.rulebook.parsed
    key = rulebook.gates["prototype"].criteria[0].key
    ask = reverse("row-act", args=["reviews", review.pk, "ask"])
    assert as_(cast.owner).post(ask, {"criterion": key, "text": "?"}).status_code == 403
    empty = as_(cast.seat_risk).post(ask, {"criterion": key, "text": ""})
    assert empty.status_code == 200
    assert as_(cast.seat_risk).post(ask, {"criterion": "no.such", "text": "Why?"}).status_code == 200
    assert (
        as_(cast.seat_risk).post(ask, {"criterion": key, "text": "On <b>what</b> sample?"}).status_code == 302
    )
    question = review.questions.get()
    reply = reverse("row-act", args=["questions", question.pk, "answer"])
    page = words(as_(cast.owner).get(review.get_absolute_url()))
    assert "On <b>what</b> sample?" in page
    asked = as_(cast.owner).get(reply).content.decode()
    assert "Ines Okafor asks: On &lt;b&gt;what&lt;/b&gt; sample?" in asked, (
        "the words of a person beside a field"
    )
    assert as_(cast.seat_risk).post(reply, {"text": "200 notes."}).status_code == 403
    assert as_(cast.owner).post(reply, {"text": "200 notes."}).status_code == 302
    assert as_(cast.owner).post(reply, {"text": "300 notes."}).status_code == 409
    assert "200 notes." in words(as_(cast.seat_risk).get(review.get_absolute_url()))

    back = reverse("row-act", args=["reviews", review.pk, "return"])
    assert as_(cast.owner).post(back, {"reason": "x"}).status_code == 403
    assert as_(cast.chair).post(back, {"reason": ""}).status_code == 200
    assert as_(cast.chair).post(back, {"reason": "Which sample?"}).status_code == 302
    page = words(as_(cast.owner).get(review.get_absolute_url()))
    assert "Returned with questions by Elena Novak" in page
    assert "The review ended without a decision." in page
    second = review_actions.open_review(initiative=review.initiative, by=cast.owner)
    with pytest.raises(Conflict, match="has been open since"):
        review_actions.open_review(initiative=review.initiative, by=cast.owner)
    gone = reverse("row-act", args=["reviews", second.pk, "withdraw"])
    assert as_(cast.chair).post(gone, {}).status_code == 403
    assert as_(cast.owner).post(gone, {"reason": ""}).status_code == 302
    assert Review.objects.get(pk=second.pk).outcome == "withdrawn"


def test_a_newer_rulebook_is_said_and_the_owner_can_move(cast, as_):
    review = before_prototype(cast)
    initiative_acts.sign_offs(review, cast.team)
    newer = plain_text().replace(f'version = "{review.rulebook.version}"', 'version = "2031.9"')
    factories.make_rulebook(cast.admin, cast.chair, newer)
    assert "Rulebook 2031.9 came into force after the review was opened." in words(
        as_(cast.chair).get(review.get_absolute_url())
    )
    url = reverse("row-act", args=["reviews", review.pk, "rebase"])
    assert as_(cast.chair).post(url).status_code == 403
    assert "All sign-offs go stale and are needed again: Amara Diallo." in words(as_(cast.owner).get(url))
    assert as_(cast.owner).post(url).status_code == 302
    assert "the review was moved to rulebook 2031.9" in words(as_(cast.owner).get(review.get_absolute_url()))
    initiative_acts.sign_offs(Review.objects.get(pk=review.pk), cast.team)
    decided = review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)
    assert decided.findings["rulebook"] == "2031.9"


def test_declared_and_found_stand_beside_each_other(cast, as_):
    initiative = factories.make_mvp(cast)
    row = initiative.declared_goals.first()
    requirement_actions.report_outcome(
        initiative=initiative, key=row.key, result="missed", outcome="Half of them used it.", by=cast.owner
    )
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    page = words(as_(cast.seat_value).get(review.get_absolute_url()))
    assert "Declaration and results" in page
    assert row.declared in page
    assert "Half of them used it. missed" in page
    assert "no result yet" in page


def test_getting_pages_writes_nothing_but_the_visit(cast, as_):
    review = before_mvp(cast)
    entries = Entry.objects.acts().count()
    for person in (cast.owner, cast.chair, cast.seat_risk, cast.auditor):
        client = as_(person)
        for path in ("/reviews/", review.get_absolute_url(), f"/initiatives/{review.initiative.ref}/review/"):
            assert client.get(path).status_code == 200
    as_(cast.chair).get(reverse("review-decide", args=[review.pk]))
    assert Entry.objects.acts().count() == entries
    assert ReviewVisit.objects.count() == 4


def test_the_decision_page_names_a_stopped_twin_whose_post_mortem_is_due(cast, as_):
    """5e: registered anew by somebody else with the same words."""
    words = {"title": "Severance letters writer", "problem": "Clerks draft severance letters by hand."}
    stopped = factories.make_prototype(cast, **words)
    stage_actions.stop(initiative=stopped, reason_code="cost", reason="Too dear.", by=cast.owner)
    again = factories.make_initiative(cast, owner=cast.lead, by=cast.lead, **words)
    review = review_actions.open_review(initiative=again, by=cast.lead)
    page = as_(cast.chair).get(reverse("review-decide", args=[review.pk]))
    assert [stub.ref for stub in page.context["twins"]] == [stopped.ref]
    assert stopped.ref in page.content.decode()
    detail_actions.not_similar(initiative=again, other=stopped, by=cast.lead)
    assert not as_(cast.chair).get(reverse("review-decide", args=[review.pk])).context["twins"]
