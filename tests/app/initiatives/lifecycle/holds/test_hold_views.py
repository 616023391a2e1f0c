"""Holds, obligations and gaps on their pages."""

from datetime import timedelta

import pytest
import time_machine

from adoption.demo import initiative_acts
from governance import clock
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
    with acts() as kinds:
        client.post(close, {"evidence": evidence.pk})
    assert kinds == ["gap closed"]
    assert client.post(close, {"evidence": evidence.pk}).status_code == 409
