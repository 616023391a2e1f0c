"""Holds, obligations and gaps on their pages."""

from datetime import timedelta

import pytest
import time_machine

from adoption.demo import initiative_acts
from adoption.incidents import actions as incident_actions
from governance import clock
from governance.models import Entry
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds import deeds
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.page_steps import buttons
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, acts, at, text_of

pytestmark = pytest.mark.django_db


def test_a_concern_is_raised_by_the_board_and_lifted_by_the_chair(cast, as_):
    initiative = factories.make_initiative(cast)
    url = at("initiative-act", initiative.ref, "hold")
    with acts() as kinds:
        assert "Not saved yet" in text_of(as_(cast.seat_risk).post(url, {"reason": " "}))
        as_(cast.seat_risk).post(url, SIGNED | {"reason": "It named a customer."})
    assert kinds == ["hold opened"]
    hold = initiative.holds.get()
    lift = at("row-act", "holds", hold.pk, "lift")
    assert as_(cast.seat_risk).get(lift).status_code == 403
    assert as_(cast.outsider).get(lift).status_code == 404
    assert as_(cast.outsider).get(url).status_code == 404
    assert as_(cast.auditor).get(url).status_code == 403
    assert "Lift the hold" in text_of(as_(cast.chair).get(at("initiative", initiative.ref)))
    with acts() as kinds:
        as_(cast.chair).post(lift, SIGNED | {"reason": "Masked since."})
    assert kinds == ["hold lifted"]
    assert as_(cast.chair).post(lift, SIGNED | {"reason": "Again."}).status_code == 409


def test_obligations_of_evidence_need_their_evidence_and_post_mortems_their_page(cast, as_):
    initiative = factories.make_prototype(cast)
    stage_actions.stop(initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.owner)
    client = as_(cast.owner)
    post_mortem = initiative.obligations.get(kind="post_mortem")
    refused = text_of(
        client.post(at("row-act", "obligations", post_mortem.pk, "complete"), {"note": "Done."})
    )
    assert "A published and confirmed post-mortem completes" in refused
    obligation = initiative.obligations.filter(kind="criterion").first()
    page = text_of(client.get(at("row-act", "obligations", obligation.pk, "complete")))
    assert "Answer these requirements with evidence first" in page
    url = at("row-act", "obligations", obligation.pk, "complete")
    assert client.post(url, {"note": "Done."}).status_code == 403
    assert as_(cast.outsider).get(url).status_code == 404
    assert as_(cast.seat_risk).get(url).status_code == 403


def test_the_chair_lets_one_decision_pass_an_obligation_once(cast, as_):
    stopped = factories.make_prototype(cast)
    waiting = factories.make_prototype(cast, title="Invoice reader")
    initiative_acts.propose_and_confirm_tier(waiting, cast.team)
    stage_actions.stop(initiative=stopped, reason_code="cost", reason="Too dear.", by=cast.owner)
    obligation = stopped.obligations.get(kind="post_mortem")
    url = at("obligation-excuse", obligation.pk)
    review = review_actions.open_review(initiative=Initiative.objects.get(pk=waiting.pk), by=cast.owner)
    assert as_(cast.owner).get(url).status_code == 403
    typed = {"initiative": waiting.pk, "reason": "The owner is ill."}
    assert "so it blocks no decision" in text_of(as_(cast.chair).post(url, typed)), "it is not overdue yet"
    with time_machine.travel(clock.now() + timedelta(days=31), tick=False):
        client = as_(cast.chair)
        assert f'href="{url}"' in client.get(review.get_absolute_url()).content.decode()
        with acts() as kinds:
            assert "Not saved yet" in text_of(client.post(url, typed | {"reason": ""}))
            assert "Not saved yet" in text_of(client.post(url, typed | {"initiative": stopped.pk}))
            client.post(url, typed)
        assert kinds == ["obligation excused"]
        assert f'href="{url}"' not in client.get(review.get_absolute_url()).content.decode()
        assert f"one decision on {waiting.ref}" in text_of(client.get(at("initiative", stopped.ref)))
        assert client.post(url, typed | {"reason": "Again."}).status_code == 403


def test_a_gap_is_recorded_and_closed_with_evidence_or_by_its_owner(cast, as_):
    initiative = factories.make_initiative(cast)
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "record-gap")
    due = clock.today() + timedelta(days=30)
    typed = {
        "text": "No field for payer",
        "owner": cast.lead.pk,
        "due": due.isoformat(),
        "downstream": "Billing",
    }
    with acts() as kinds:
        past = text_of(client.post(url, typed | {"due": "2001-01-01"}))
        junk = text_of(client.post(url, typed | {"due": "junk"}))
    assert kinds == []
    assert "is in the past" in past
    assert "No field for payer" in junk
    with acts() as kinds:
        client.post(url, typed)
    assert kinds == ["gap opened"]
    gap = initiative.gaps.get()
    close = at("row-act", "gaps", gap.pk, "close")
    assert "Not saved yet" in text_of(client.post(close, {})), "without evidence only its owner closes it"
    assert as_(cast.outsider).get(close).status_code == 404
    assert "Not saved yet" in text_of(client.post(close, {"evidence": "99999999"}))
    evidence = initiative.evidence.first()
    assert close in client.get(initiative.get_absolute_url()).content.decode()
    assert [url for url, _ in buttons(gap, cast.owner)] == [close]
    assert buttons(gap, cast.owner, without=deeds.close_gap) == []
    assert buttons(gap, cast.seat_risk) == [], "no button of an act that this person may not do"
    with acts() as kinds:
        client.post(close, {"evidence": evidence.pk})
    assert kinds == ["gap closed"]
    gap.refresh_from_db()
    assert buttons(gap, cast.owner) == [], "no button of an act whose matter has ended"
    assert client.post(close, {"evidence": evidence.pk}).status_code == 409


def test_other_initiatives_show_no_words_of_a_confidential_one(cast, as_):
    """C20: an obligation on it holds a review of another initiative. Who may not open it reads that it is due."""
    hidden = factories.make_mvp(cast, title="Zebra severance letters")
    waiting = factories.make_prototype(cast, title="Invoice reader")
    initiative_acts.propose_and_confirm_tier(waiting, cast.team)
    incident_actions.open_incident(initiative=hidden, severity=1, title="Okapi letters", by=cast.owner)
    obligation = hidden.obligations.get(kind="post_mortem")
    detail_actions.change_details(
        initiative=Initiative.objects.get(pk=hidden.pk),
        problem="Who leaves.",
        platform="",
        confidential=True,
        by=cast.owner,
    )
    review = review_actions.open_review(initiative=Initiative.objects.get(pk=waiting.pk), by=cast.owner)
    colleague = factories.make_person("colleague", cast.unit)
    secrets = ("Okapi", "Zebra", hidden.ref)
    pages = (at("initiative", waiting.ref), review.get_absolute_url(), at("initiative-activity", waiting.ref))
    with time_machine.travel(clock.now() + timedelta(days=60), tick=False):
        client = as_(colleague)
        read = [text_of(client.get(page)) for page in pages]
        assert not [(secret, page) for secret in secrets for page in read if secret in page]
        due = clock.local_day(clock.now())
        assert obligation.due < due
        assert f"overdue since {obligation.due:%-d %B %Y}" in read[1]
        assert "Okapi" in text_of(as_(cast.owner).get(pages[0])), "the owner may open it"
        blockers = " ".join(str(one) for one in review_state.snapshot_of(review).verdict.blockers)
        assert not [secret for secret in secrets if secret in blockers]
        as_(cast.chair).post(
            at("obligation-excuse", obligation.pk), {"initiative": waiting.pk, "reason": "The owner is ill."}
        )
        entry = Entry.objects.acts().get(kind="obligation excused")
        assert not [secret for secret in secrets if secret in str(entry.facts)]
        assert not [secret for secret in secrets if secret in text_of(client.get(pages[2]))]


def test_a_confidential_initiative_that_an_idea_joined_is_named_for_who_may_open_it(cast, as_):
    """4f: the words of the idea say what the other initiative is about."""
    idea, hidden = factories.make_initiative(cast), factories.make_initiative(cast, title="Zebra")
    detail_actions.change_details(
        initiative=hidden, problem="Who leaves.", platform="", confidential=True, by=cast.owner
    )
    detail_actions.withdraw(initiative=idea, reason="", joined_to=hidden, by=cast.owner)
    client = as_(factories.make_person("colleague", cast.unit))
    assert hidden.ref not in client.get(at("initiative", idea.ref)).content.decode()
    assert hidden.ref not in client.get(at("initiative-activity", idea.ref)).content.decode()
    assert hidden.ref in text_of(as_(cast.owner).get(at("initiative", idea.ref)))
