"""What one seat decides at one time is signed once: each decision by its own act, all of them or none."""

import pytest
from django.urls import reverse

from adoption.demo import initiative_acts
from governance.models import SignatureProof
from governance.permission_result import no
from governance.rulebook import shipped_text
from initiatives.contracts.documents import actions as contract_actions
from initiatives.inbox.tasks.inbox_tasks import tasks
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.requirements import standalone
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, acts, at, seen

pytestmark = pytest.mark.django_db
TIER, ALONE, CONTRACT = range(3)


@pytest.fixture
def waiting(cast):
    """A prototype whose tier, declaration and contract wait for the risk seat."""
    initiative = factories.make_prototype(cast)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    initiative_acts.staff(initiative, cast.team)
    detail_actions.propose_tier(
        initiative=initiative, tier="minimal", worst_credible_harm="A wrong price.", by=cast.owner
    )
    standalone.declare(initiative=initiative, reason="People type the questions.", by=cast.owner)
    contract_actions.save_contract(
        initiative=initiative,
        clauses=initiative_acts.CLAUSES,
        vocabulary=initiative_acts.VOCABULARY,
        by=cast.owner,
    )
    contract_actions.propose_contract(initiative=initiative, by=cast.owner)
    return initiative


def page(initiative) -> str:
    return at("seat-decisions", initiative.ref)


def sent(client, initiative, *ticked) -> dict:
    return {"take": ticked} | seen(client.get(page(initiative))) | SIGNED


def test_one_signature_does_three_acts_and_each_keeps_its_own_statement(cast, as_, waiting):
    client = as_(cast.seat_risk)
    with acts() as kinds:
        answer = client.post(page(waiting), sent(client, waiting, TIER, ALONE, CONTRACT))
    assert answer.status_code == 302, answer.content.decode()
    assert kinds == ["risk tier confirmed", "standalone accepted", "contract approved"]
    proofs = list(SignatureProof.objects.order_by("-id")[:3][::-1])
    assert [proof.act for proof in proofs] == ["tier", "standalone", "contract"]
    assert len({proof.statement for proof in proofs}) == 3
    assert all(proof.digests == [one.digest for one in proofs] for proof in proofs)
    waiting = initiative_acts.fresh(waiting)
    assert (waiting.tier, waiting.tier_confirmed_by) == ("minimal", cast.seat_risk)
    assert client.get(page(waiting)).context["decisions"] == []


def test_nothing_is_ticked_and_what_is_not_ticked_goes_on_waiting(cast, as_, waiting):
    client = as_(cast.seat_risk)
    shown = client.get(page(waiting)).context["decisions"]
    assert not any(one["ticked"] for one in shown)
    assert 'fact tier: ""' in shown[TIER]["statement"]
    assert 'fact tier: "minimal"' in shown[ALONE]["statement"]
    assert client.post(page(waiting), sent(client, waiting)).status_code == 200
    with acts() as kinds:
        answer = client.post(page(waiting), sent(client, waiting, TIER))
    assert (kinds, answer.url) == (["risk tier confirmed"], page(waiting))
    assert [one["key"] for one in client.get(page(waiting)).context["decisions"]] == [ALONE, CONTRACT]


def test_what_the_tier_gives_to_the_seat_waits_for_the_tier(cast, as_, waiting):
    client = as_(cast.seat_risk)
    assert client.post(page(waiting), sent(client, waiting, ALONE)).status_code == 403
    assert standalone.current_declaration(waiting).accepted_at is None


def test_what_changed_since_it_was_shown_signs_nothing(cast, as_, waiting):
    client = as_(cast.seat_risk)
    ticked = sent(client, waiting, TIER, ALONE)
    detail_actions.propose_tier(
        initiative=waiting, tier="high", worst_credible_harm="A wrong price.", by=cast.owner
    )
    before = SignatureProof.objects.count()
    answer = client.post(page(waiting), ticked)
    assert answer.status_code == 409
    assert SignatureProof.objects.count() == before
    assert standalone.current_declaration(waiting).accepted_at is None


def test_one_that_fails_undoes_the_others(cast, as_, waiting, monkeypatch):
    client = as_(cast.seat_risk)
    ticked = sent(client, waiting, TIER, CONTRACT)
    monkeypatch.setattr(contract_actions, "approve_contract", _refused)
    assert client.post(page(waiting), ticked).status_code == 403
    assert initiative_acts.fresh(waiting).tier == ""


def _refused(**_said):
    no("The contract was taken back.").or_refuse()


def test_each_person_finds_only_what_waits_for_their_seat(cast, as_, waiting):
    def shown(person):
        return [one["key"] for one in as_(person).get(page(waiting)).context["decisions"]]

    assert shown(cast.seat_risk) == [TIER, ALONE, CONTRACT]
    assert shown(cast.seat_value) == [CONTRACT]
    assert shown(cast.owner) == shown(cast.chair) == []


def test_the_inbox_has_one_line_for_what_is_signed_together(cast, waiting):
    found = [one for one in tasks(cast.seat_risk) if one.ref == waiting.ref and one.link == page(waiting)]
    assert {one.verb for one in found} == {"confirm", "sign"}
    assert len({one.matter for one in found}) == 1
    alone = [one.link for one in tasks(cast.seat_value) if one.ref == waiting.ref]
    assert alone == [reverse("contract-approve", args=[waiting.ref])]


def test_the_next_task_is_one_of_the_same_initiative_and_then_the_first_of_the_inbox(cast, as_, waiting):
    client = as_(cast.seat_risk)
    assert client.get(reverse("next-task"), {"after": waiting.ref}).url == page(waiting)
    client.post(page(waiting), sent(client, waiting, TIER, ALONE, CONTRACT))
    assert client.get(reverse("next-task")).url == reverse("inbox")
