"""Acts that bind: none is done without the password of whoever does it, and nothing typed is lost for want of it."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.identity import actions as provider_actions
from governance.identity.proofs import demands
from governance.models import (
    ClauseComment,
    ContractApproval,
    ContractVersion,
    Delegation,
    Entry,
    Membership,
    ReportedIdentity,
    SignatureProof,
)
from governance.offline import verify
from governance.organisation import actions as organisation_actions
from governance.permission_result import Refused
from governance.privacy import retention
from governance.rulebook import shipped_text
from governance.rulebook.schema import SIGNED_ACTS
from governance.vocabulary import Strength
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import comments
from initiatives.contracts.enforcement import kill_switch
from initiatives.inbox.absences import actions as absences
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence.verification import actions as verification_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements import standalone
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.roles import handovers
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import AcceptedRisk, RoleAssignment, Waiver
from tests.app.governance.interaction_log.test_kept import keep, report
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, acts, at, seen, text_of
from tests.support.initiatives.open_reviews import before_prototype, signed_off
from tests.support.reported_stages import make_reported
from tests.support.rules.plain_rulebook import VERSION, plain_text
from tests.support.servers import pipeline_issuers

pytestmark = pytest.mark.django_db
REASON = {"reason": "Words kept."}
READ = "evidence opened"  # by the page that is shown again


@dataclass(frozen=True)
class Binding:
    """One act that binds: who sends what where, and the entry that it leaves."""

    person: str
    url: str
    sent: dict
    kind: str


def _contract(cast):
    initiative = factories.make_initiative(cast)
    initiative_acts.staff(initiative, cast.team)
    contract_actions.save_contract(
        initiative=initiative_acts.fresh(initiative), clauses=initiative_acts.CLAUSES, by=cast.owner
    )
    version = contract_actions.propose_contract(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    return initiative, {"seat": "risk_compliance", "digest": version.digest}


def approves_contract(cast):
    initiative, sent = _contract(cast)
    url = at("contract-approve", initiative.ref)
    return Binding("seat_risk", url, sent | {"verdict": "approve"}, "contract approved")


def objects_to_contract(cast):
    initiative, sent = _contract(cast)
    said = {"verdict": "object", "reason": "Nobody answers for the log.", "number": "0"}
    return Binding("seat_risk", at("contract-approve", initiative.ref), sent | said, "contract objected to")


def decides(cast):
    url = at("review-decide", signed_off(cast).pk)
    return Binding("chair", url, REASON | {"outcome": "approved"}, "review approved")


def accepts_role(cast):
    row = role_actions.propose_role(
        initiative=factories.make_initiative(cast), role="technical_lead", person=cast.lead, by=cast.owner
    )
    return Binding("lead", at("roles/accept", row.pk), {"words": "Words kept."}, "role accepted")


def accepts_role_again(cast):
    initiative = factories.make_initiative(cast)
    row = RoleAssignment.objects.get(initiative=initiative, role="owner")
    return Binding("owner", at("roles/accept-again", row.pk), {"words": "Words kept."}, "role accepted again")


def takes_role_themselves(cast):
    sent = {"technical_lead": cast.owner.pk, "step": "save"}
    return Binding("owner", at("role-propose", factories.make_initiative(cast).ref), sent, "role accepted")


def takes_over(cast):
    initiative = factories.make_initiative(cast)
    row = handovers.propose_handover(
        person=cast.owner, chosen={initiative: cast.lead}, reason="Leaving.", by=cast.owner
    )[0]
    sent = {"take": row.pk, "step": "accept"} | _seen(cast.lead, reverse("handovers"))
    return Binding("lead", reverse("handovers"), sent, "handover accepted")


def stands_in(cast):
    first = clock.today() + timedelta(days=1)
    absence = absences.plan_absence(first=first, last=first, asked=[absences.Asked(cast.lead)], by=cast.owner)
    url = at("delegations/accept", Delegation.objects.get(absence=absence).pk)
    return Binding("lead", url, {}, "delegation accepted")


def accepts_roles_together(cast):
    row = role_actions.propose_role(
        initiative=factories.make_initiative(cast), role="technical_lead", person=cast.lead, by=cast.owner
    )
    url = reverse("roles-to-accept")
    return Binding("lead", url, {"take": row.pk} | _seen(cast.lead, url), "role accepted")


def confirms_a_tier_beside_the_contract(cast):
    one = confirms_a_tier(cast)
    url = one.url.replace("do/confirm-tier", "decide")
    return Binding(one.person, url, {"take": 0} | _seen(getattr(cast, one.person), url), one.kind)


def _seen(person, url: str) -> dict:
    client = Client()
    client.force_login(person)
    return seen(client.get(url))


def switches_off(cast):
    initiative = factories.make_prototype(cast)
    return Binding("owner", at("initiative-act", initiative.ref, "switch-off"), REASON, "switched off")


def switches_on(cast):
    initiative = factories.make_prototype(cast)
    kill_switch.switch_off(initiative=initiative, reason="Wrong tone.", by=cast.owner)
    return Binding("chair", at("initiative-act", initiative.ref, "switch-on"), REASON, "switched on")


def agrees_to_waiver(cast):
    url = at("row-act", "waivers", _waiver(cast).pk, "agree")
    return Binding("chair", url, {}, "waiver agreed")


def refuses_waiver(cast):
    url = reverse("row-act", args=["waivers", _waiver(cast).pk, "refuse"])
    return Binding("seat_risk", url, {"reason": "Words kept."}, "waiver refused")


def accepts_risk(cast):
    url = at("row-act", "accepted-risks", _risk(cast).pk, "agree")
    return Binding("seat_risk", url, {}, "risk accepted")


def refuses_risk(cast):
    url = at("row-act", "accepted-risks", _risk(cast).pk, "refuse")
    return Binding("seat_risk", url, {"reason": "Words kept."}, "acceptance of a risk refused")


def reviews_risk(cast):
    row = ACCEPTED_RISKS.agree(row=_risk(cast), by=cast.seat_risk)
    url = at("row-act", "accepted-risks", row.pk, "review")
    return Binding("seat_risk", url, {"looked_at": "Words kept."}, "accepted risk reviewed")


def ends_risk(cast):
    row = ACCEPTED_RISKS.agree(row=_risk(cast), by=cast.seat_risk)
    url = at("row-act", "accepted-risks", row.pk, "end")
    return Binding("seat_risk", url, {"reason": "Words kept."}, "accepted risk ended")


def _risk(cast) -> AcceptedRisk:
    return factories.ask_risk(cast, factories.make_prototype(cast))


def _waiver(cast) -> Waiver:
    until = clock.today() + timedelta(days=30)
    said = {"key": "mvp.workflow_known", "reason": "Next month.", "until": until}
    return WAIVERS.ask(factories.make_prototype(cast), **said, by=cast.owner)


def erases_a_person_from_the_log(cast):
    initiative = factories.make_initiative(cast)
    keep(report(1), initiative=initiative.number)
    sent = {"subject": "customer 4", "everywhere": "this", "duty": "GDPR, Article 17", "why": "Words kept."}
    return Binding("admin", at("erase-person", initiative.ref), sent, "interactions erased")


def lays_a_legal_hold(cast):
    sent = {"hold-initiative": factories.make_initiative(cast).ref, "hold-why": "Words kept."}
    return Binding("auditor", reverse("retention"), sent, "legal hold opened")


def lifts_a_legal_hold(cast):
    hold = retention.open_hold(person=cast.outsider, reason="A claim", by=cast.auditor)
    sent = {"lift-hold": hold.pk, "lift-why": "Words kept."}
    return Binding("admin", reverse("retention"), sent, "legal hold lifted")


def sign_offs(cast):
    url = at("sign", before_prototype(cast).pk, "business_value", verdict="approve")
    client = Client()
    client.force_login(cast.seat_value)
    page = BeautifulSoup(client.get(url).content, "html.parser")
    sent = {"statement": page.select_one("input[name=statement]")["value"]}
    return Binding("seat_value", url, sent, "signed off")


def verifies(cast):
    return _verification(cast, {"verdict": "shows", "place": "Week 1"}, "evidence verified")


def says_that_it_does_not_show_it(cast):
    return _verification(cast, {"verdict": "not"}, "evidence does not show it")


def _verification(cast, said: dict, kind: str) -> Binding:
    initiative, key = factories.make_prototype(cast), "mvp.rollout"
    initiative_acts.propose_and_confirm_tier(initiative, cast.team)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    requirement_actions.answer(
        initiative=initiative, requirement=key, kind="answered", text="Forty.", by=cast.owner
    )
    plan = evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="Rollout plan",
        observed_on=clock.today(),
        covers=[key],
        file=ContentFile(b"Week 1: forty account managers.", "plan.txt"),
        by=cast.owner,
    )
    verification_actions.open_item(initiative=initiative, evidence=plan, way="look", by=cast.seat_risk)
    sent = {"words": "Words kept.", "fingerprint": plan.fingerprint, "answer": "1"} | said
    return Binding("seat_risk", at("evidence-verify", initiative.ref, plan.pk, key), sent, kind)


def accepts_production_again(cast):
    initiative = factories.make_production(cast)
    for role in ("owner", "support_owner"):
        row = initiative.roles.in_force().get(role=role)
        role_actions.reaccept_role(assignment=row, by=row.person)
    return Binding("chair", at("initiative-act", initiative.ref, "confirm-production"), REASON, "re-attested")


def stops(cast):
    initiative = factories.make_prototype(cast)
    sent = {"reason_code": "cost", "reason": "Words kept."}
    return Binding("owner", at("initiative-act", initiative.ref, "stop"), sent, "stage changed")


def retires_in_an_emergency(cast):
    initiative = make_reported(cast, "production")
    return Binding("chair", at("initiative-act", initiative.ref, "retire"), REASON, "stage changed")


def reopens(cast):
    initiative = factories.make_initiative(cast)
    stage_actions.stop(initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.owner)
    return Binding("chair", at("initiative-act", initiative.ref, "reopen"), REASON, "stage changed")


def demotes(cast):
    initiative = factories.make_mvp(cast)
    sent = REASON | {"users": "One team", "user_count": "5", "users_told": "By mail."}
    return Binding("chair", at("initiative-act", initiative.ref, "demote"), sent, "stage changed")


def continues(cast):
    text = plain_text().replace("max_days_before_review = 180", "max_days_before_review = 20")
    factories.make_rulebook(cast.admin, cast.chair, source=text.replace(f'"{VERSION}"', '"0.9.1"', 1))
    initiative = factories.make_prototype(cast)
    was = supported_stage.review_by(initiative)
    sent = REASON | {"until": clock.today() + timedelta(days=10), "was": was}
    return Binding("chair", at("initiative-act", initiative.ref, "continue"), sent, "continued")


def puts_on_hold(cast):
    initiative = factories.make_prototype(cast)
    return Binding("seat_risk", at("initiative-act", initiative.ref, "hold"), REASON, "hold opened")


def lifts_a_hold(cast):
    initiative = factories.make_prototype(cast)
    hold = hold_deeds.hold(initiative=initiative, reason="Wrong data.", by=cast.seat_risk)
    return Binding("chair", at("row-act", "holds", hold.pk, "lift"), REASON, "hold lifted")


def confirms_a_tier(cast):
    initiative = factories.make_initiative(cast)
    detail_actions.propose_tier(
        initiative=initiative, tier="limited", worst_credible_harm="A wrong letter.", by=cast.owner
    )
    url = at("initiative-act", initiative.ref, "confirm-tier")
    return Binding("seat_risk", url, {"tier": "limited"}, "risk tier confirmed")


def refuses_a_tier(cast):
    initiative = factories.make_initiative(cast)
    detail_actions.propose_tier(
        initiative=initiative, tier="high", worst_credible_harm="A wrong letter.", by=cast.owner
    )
    url = at("initiative-act", initiative.ref, "refuse-tier")
    return Binding("seat_risk", url, REASON | {"tier": "high"}, "risk tier refused")


def accepts_that_it_stands_alone(cast):
    initiative = factories.make_initiative(cast)
    standalone.declare(initiative=initiative, reason="Typed in by hand.", by=cast.owner)
    url = at("initiative-act", initiative.ref, "accept-alone")
    return Binding("seat_architecture", url, {}, "standalone accepted")


def confirms_a_pipeline(cast):
    row = pipeline_issuers.make_declared(cast, factories.make_mvp(cast))
    return Binding("seat_security", at("row-act", "pipelines", row.pk, "confirm"), {}, "pipeline confirmed")


def confirms_a_bar(cast):
    row = pipeline_issuers.make_declared(cast, factories.make_mvp(cast))
    bar = pipeline_issuers.make_bar(cast, row, confirmed=False)
    return Binding("seat_architecture", at("row-act", "bars", bar.pk, "confirm"), {}, "bar confirmed")


def grants_a_seat(cast):
    sent = {"seat": "risk_compliance", "person": cast.outsider.pk, "step": "save"}
    return Binding("admin", at("seat-grant", cast.board.pk), sent, "appointed")


def revokes_a_seat(cast):
    seat = Membership.objects.get(person=cast.seat_risk, seat="risk_compliance")
    return Binding("admin", at("seats/revoke", seat.pk), REASON, "seat left")


def confirms_a_seat(cast):
    factories.make_prototype(cast)  # the installation is no longer being set up
    seat = organisation_actions.appoint(
        board=cast.board, person=cast.outsider, seat="risk_compliance", by=cast.admin
    )
    return Binding("chair", at("seat-confirm", seat.pk), {}, "seat confirmed")


def takes_over_an_address(cast):
    provider = provider_actions.add_provider(
        name="House",
        slug="house",
        kind="other",
        issuer="https://house.example",
        client_id="x",
        authentication="secret",
        secret="x",
        scopes="openid",
        key_claim="sub",
        by=cast.admin,
    )
    row = ReportedIdentity.objects.create(
        person=cast.lead, kind="address", provider=provider, value="new@example.org"
    )
    url = reverse("identity-reported")
    return Binding("admin", url, {"take": row.pk} | _seen(cast.admin, url), "account changed")


def fills_seats_from_a_table(cast):
    text = (
        "user name,name,mail,unit,manager,board,seat\nsponsor,Ada Moreau,,,,Retail board,Risk and compliance"
    )
    return Binding("admin", reverse("accounts-add"), {"text": text, "step": "enter"}, "appointed")


def publishes_a_rulebook(cast):
    row = organisation_actions.load_rulebook(source=shipped_text(), by=cast.admin)
    organisation_actions.propose_publication(rulebook=row, by=cast.admin)
    return Binding("chair", at("rulebook-publish", row.version), {}, "rulebook published")


# By what the rulebook calls it ([signatures]) and by address: nothing of it may ever be done unsigned.
ACTS = [
    ("sign_off", "sign", sign_offs),
    ("decision", "review-decide", decides),
    ("contract", "contract-approve", approves_contract),
    ("contract", "contract-approve", objects_to_contract),
    ("role", "delegations/accept", stands_in),
    ("role", "roles/accept", accepts_role),
    ("role", "roles/accept-again", accepts_role_again),
    ("role", "roles-to-accept", accepts_roles_together),
    ("role", "role-propose", takes_role_themselves),
    ("role", "handovers", takes_over),
    ("waiver", "waivers/agree", agrees_to_waiver),
    ("waiver", "waivers/refuse", refuses_waiver),
    ("waiver", "accepted-risks/agree", accepts_risk),
    ("waiver", "accepted-risks/refuse", refuses_risk),
    ("waiver", "accepted-risks/review", reviews_risk),
    ("waiver", "accepted-risks/end", ends_risk),
    ("verification", "evidence-verify", verifies),
    ("verification", "evidence-verify", says_that_it_does_not_show_it),
    ("attestation", "confirm-production", accepts_production_again),
    ("switch", "switch-off", switches_off),
    ("switch", "switch-on", switches_on),
    ("hold", "retention", lays_a_legal_hold),
    ("hold", "retention", lifts_a_legal_hold),
    ("erasure", "erase-person", erases_a_person_from_the_log),
    ("stage", "stop", stops),
    ("stage", "retire", retires_in_an_emergency),
    ("stage", "reopen", reopens),
    ("stage", "demote", demotes),
    ("stage", "continue", continues),
    ("stage", "hold", puts_on_hold),
    ("stage", "holds/lift", lifts_a_hold),
    ("tier", "confirm-tier", confirms_a_tier),
    ("tier", "seat-decisions", confirms_a_tier_beside_the_contract),
    ("tier", "refuse-tier", refuses_a_tier),
    ("standalone", "accept-alone", accepts_that_it_stands_alone),
    ("verification", "pipelines/confirm", confirms_a_pipeline),
    ("verification", "bars/confirm", confirms_a_bar),
    ("seat", "seat-grant", grants_a_seat),
    ("seat", "seats/revoke", revokes_a_seat),
    ("seat", "seat-confirm", confirms_a_seat),
    ("seat", "accounts-add", fills_seats_from_a_table),
    ("identity", "identity-reported", takes_over_an_address),
    ("rulebook", "rulebook-publish", publishes_a_rulebook),
]
# One act of each kind of form. What SigningForm and BatchSigningForm do with a proof is tried in full at these.
FORMS = [
    decides,  # on a page of its own
    switches_off,  # in a step of an initiative's page
    lifts_a_hold,  # in a step of a row
    agrees_to_waiver,  # an answer to who asks
    takes_role_themselves,  # entered, shown and then saved
    fills_seats_from_a_table,  # with a signature that is a form beside another
    lifts_a_legal_hold,  # one of two forms on a page
    accepts_roles_together,  # several statements, signed together
    takes_over,  # the same, of which some may be turned down
]


def test_everything_that_the_rulebook_knows_to_be_signed_is_tried():
    assert {act for act, _, _ in ACTS} == set(SIGNED_ACTS)


@pytest.mark.parametrize(
    ("act", "make"),
    [(act, make) for act, _, make in ACTS if make in FORMS],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_nothing_binds_without_the_password_of_whoever_signs(cast, as_, monkeypatch, act, make):
    """Nor with it where the rulebook asks for more; a password leaves the word of the installation for a proof."""
    one = make(cast)
    client = as_(getattr(cast, one.person))
    least = {act: Strength.PASSKEY}
    with monkeypatch.context() as asking, acts() as kinds:
        asking.setattr(demands, "least_for", lambda asked, tier: least.get(asked, Strength.PASSWORD))
        answer = client.post(one.url, one.sent | SIGNED)
    assert "requires a signature by at least: passkey" in text_of(answer)
    assert [kind for kind in kinds if kind != READ] == []
    for password in ({}, {"password": ""}, {"password": "another one"}):
        with acts() as kinds:
            answer = client.post(one.url, one.sent | password)
        assert answer.status_code == 200
        assert one.kind not in kinds
        page = text_of(answer)
        assert "Your password" in page
        assert all(word in page for word in one.sent.values() if word == "Words kept.")
    assert [kind for kind in kinds if kind != READ] == ["password refused"]
    wrong = Entry.objects.acts().filter(kind="password refused").latest("id")
    assert wrong.actor_id == getattr(cast, one.person).pk
    assert not SignatureProof.objects.exists()
    with acts() as kinds:
        answer = client.post(one.url, one.sent | SIGNED)
    assert answer.status_code == 302, text_of(answer)
    assert one.kind in kinds
    proof = SignatureProof.objects.get()
    assert (proof.strength, proof.passkey, proof.evidence, proof.nonce) == ("password", None, {}, "")
    row = Entry.objects.rows().get(table="governance_signatureproof").facts["after"]
    assert verify.check_signature(row) == "password"


def test_too_many_wrong_passwords_close_every_act_that_binds(cast, as_):
    off, client = switches_off(cast), as_(cast.owner)
    again = accepts_role_again(cast)
    for _ in range(20):
        answer = client.post(off.url, off.sent | {"password": "wrong"})
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    with acts() as kinds:
        assert client.post(again.url, again.sent | SIGNED).status_code == 429
    assert kinds == []


def test_an_objection_keeps_the_contract_out_of_force_until_it_is_withdrawn(cast, as_):
    one = objects_to_contract(cast)
    risk, value = as_(cast.seat_risk), as_(cast.seat_value)
    without = risk.post(one.url, one.sent | SIGNED | {"reason": " "})
    assert "Give a reason, so that the owner can answer it" in text_of(without)
    assert risk.post(one.url, one.sent | SIGNED).status_code == 302
    objection = ClauseComment.objects.objections().get()
    version, initiative = objection.contract.versions.get(), objection.contract.initiative
    page = at("contract", initiative.ref)
    assert "Nobody answers for the log." in text_of(as_(cast.owner).get(page))
    assert "Objection to the contract of" in text_of(as_(cast.owner).get(reverse("inbox")))
    assert risk.post(one.url, one.sent | SIGNED).status_code == 409
    approves = {"seat": "business_value", "digest": version.digest, "verdict": "approve"} | SIGNED
    assert value.post(one.url, approves).status_code == 302
    version.refresh_from_db()
    assert version.state == "in_review"
    resolve = at("row-act", "comments", objection.pk, "resolve")
    for person in (cast.owner, cast.seat_value, cast.chair):
        assert as_(person).post(resolve).status_code == 403
    with acts() as kinds:
        assert risk.post(one.url, one.sent | SIGNED | {"verdict": "approve"}).status_code == 302
    assert kinds[:3] == ["contract objection withdrawn", "contract approved", "contract in force"]
    assert "Objection to the contract of" not in text_of(as_(cast.owner).get(reverse("inbox")))


def test_a_seat_that_contracts_do_not_ask_objects_to_none(cast):
    one = objects_to_contract(cast)
    version = ContractVersion.objects.get(digest=one.sent["digest"])
    with pytest.raises(Refused, match="does not name this seat for contracts"):
        comments.object_to_contract(
            version=version,
            seat="adoption_change",
            number=0,
            text="No.",
            digest=version.digest,
            by=cast.seat_adoption,
        )
    assert not ClauseComment.objects.exists()


def test_whoever_objected_withdraws_it_and_so_does_who_holds_the_seat_after_them(cast, as_):
    one = objects_to_contract(cast)
    as_(cast.seat_risk).post(one.url, one.sent | SIGNED)
    objection = ClauseComment.objects.objections().get()
    other = factories.make_seat(cast, factories.make_person("next.risk"), "risk_compliance").person
    resolve = at("row-act", "comments", objection.pk, "resolve")
    approves = one.sent | SIGNED | {"verdict": "approve"}
    assert as_(other).post(one.url, approves).status_code == 403
    assert as_(cast.seat_risk).post(resolve).status_code == 302
    objection.refresh_from_db()
    assert objection.resolved_by == cast.seat_risk
    assert as_(other).post(one.url, approves).status_code == 302


def test_the_database_keeps_an_objected_contract_out_of_force(cast):
    one = objects_to_contract(cast)
    version = ContractVersion.objects.get(digest=one.sent["digest"])
    comments.object_to_contract(
        version=version,
        seat="risk_compliance",
        number=0,
        text="No.",
        digest=version.digest,
        by=cast.seat_risk,
    )
    contract_actions.approve_contract(
        version=version, seat="business_value", digest=version.digest, by=cast.seat_value
    )
    with pytest.raises(DatabaseError, match="while a seat objects"):
        _force(version, cast.seat_risk)


def _force(version: ContractVersion, person) -> None:
    """Approve and put in force as the application would, without asking about objections."""
    with transaction.atomic(), acting(by=person):
        ContractApproval(
            version=version, seat="risk_compliance", person=person, digest=version.digest, at=clock.now()
        ).save()
        version.state, version.starts_at = "in_force", clock.now()
        version.save()
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
