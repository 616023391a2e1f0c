"""Every act leaves exactly the entries it should, nobody can change what was written, and nobody writes unnamed."""

import hashlib
import hmac
import json
from datetime import date, timedelta

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.audit_log import entries
from governance.contracts.clauses import Terms
from governance.database.row_history import NoActor, acting
from governance.models import Entry, EntryBody, Unit
from governance.permission_result import Refused
from governance.transparency_log import database_guards, sealing
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import clause_actions, comments, control_mapping
from initiatives.contracts.enforcement import kill_switch, system_keys
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.changes import actions as change_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
from initiatives.lifecycle.risks import actions as risks
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative
from initiatives.portfolio.efforts import notes
from initiatives.portfolio.units import leaving
from tests.acceptance.walks import story
from tests.support import factories

# By hand, so that a table which loses its guard is missed here.
WRITTEN_ONCE = [
    "adoption_minutes",
    "adoption_pack",
    "governance_entry",
    "governance_entrybody",
    "governance_checkpoint",
    "governance_cosignature",
    "governance_contractapproval",
    "governance_leaf",
    "governance_node",
    "governance_sealing",
    "governance_timestamp",
    "initiatives_approvalanswer",
    "initiatives_approvaluse",
    "initiatives_continuation",
    "initiatives_excuse",
    "initiatives_formertitle",
    "initiatives_pastsupportedstage",
    "adoption_goal",
    "initiatives_signoff",
    "initiatives_voiding",
]


def left(act) -> list[str]:
    """The kinds of entries that an act leaves, oldest first."""
    last = Entry.objects.acts().order_by("-pk").values_list("pk", flat=True).first() or 0
    act()
    return list(Entry.objects.acts().filter(pk__gt=last).order_by("pk").values_list("kind", flat=True))


def refused(act) -> None:
    """Try what is refused."""
    with pytest.raises(Refused):
        act()


@pytest.mark.django_db
def test_every_act_leaves_exactly_its_entries(cast):
    initiative = factories.make_initiative(cast)
    owner, seat, made = cast.owner, cast.seat_risk, {}

    def keep(name, value):
        made[name] = value

    def component(version):
        return components_actions.record_component(
            initiative=initiative, layer="model", name="Language model", version=version, by=owner
        )

    def clause(days, **said):
        written = contract_actions.Written("retention", terms=Terms(days=days), **said)
        return clause_actions.save_clause(initiative=initiative, clause=written, by=owner)

    table = [
        (
            ["registered", "role proposed", "role accepted", "evidence added"],
            lambda: factories.make_initiative(cast, title="Another"),
        ),
        (
            ["registered", "role proposed"],
            lambda: factories.make_initiative(cast, title="Third", owner=cast.lead),
        ),
        (
            ["details changed"],
            lambda: detail_actions.change_details(
                initiative=initiative, problem="New", platform="", confidential=False, by=owner
            ),
        ),
        (
            [],
            lambda: detail_actions.change_details(
                initiative=initiative, problem="New", platform="", confidential=False, by=owner
            ),
        ),
        (
            ["renamed"],
            lambda: detail_actions.rename(initiative=initiative, title="New", reason="Clearer", by=owner),
        ),
        (
            ["event recorded"],
            lambda: keep(
                "event",
                notes.record_event(
                    initiative=initiative, kind="demo", happened_on=clock.today(), words="Shown", by=owner
                ),
            ),
        ),
        (
            ["funding recorded"],
            lambda: notes.record_funding(
                initiative=initiative,
                decided_on=clock.today(),
                decided_by="Steering",
                basis="A demo",
                by=owner,
            ),
        ),
        (
            ["observed"],
            lambda: notes.observe(
                initiative=initiative,
                layer="application",
                observed_on=clock.today(),
                words="Unused",
                by=owner,
            ),
        ),
        (["note withdrawn"], lambda: notes.withdraw(note=made["event"], reason="Not shown", by=owner)),
        (
            ["risk tier proposed"],
            lambda: detail_actions.propose_tier(
                initiative=initiative, tier="limited", worst_credible_harm="Time", by=owner
            ),
        ),
        (
            ["risk tier confirmed"],
            lambda: detail_actions.confirm_tier(initiative=initiative, tier="limited", by=cast.seat_risk),
        ),
        (["component recorded"], lambda: component("m-4")),
        (["component recorded", "changed"], lambda: component("m-5")),
        (
            ["scope in force"],
            lambda: scope_actions.record_scope(
                initiative=initiative, users="Ten people", user_count=10, by=owner
            ),
        ),
        (
            ["scope in force", "changed"],
            lambda: scope_actions.record_scope(initiative=initiative, users="All", user_count=90, by=owner),
        ),
        (
            ["changed"],
            lambda: change_actions.report_change(
                initiative=initiative, triggers=["workflow"], what="Redesigned", by=owner
            ),
        ),
        (
            ["answered", "evidence added"],
            lambda: requirement_actions.answer(
                initiative=initiative, requirement="mvp.users", kind="answered", text="Ten", by=owner
            ),
        ),
        (
            ["answered", "evidence added"],
            lambda: requirement_actions.answer(
                initiative=initiative,
                requirement="proto.question",
                kind="answered",
                text="Can it?",
                true_as_of=clock.today(),
                by=owner,
            ),
        ),
        (
            ["answered"],
            lambda: requirement_actions.answer(
                initiative=initiative, requirement="mvp.success", kind="not_applicable", text="No", by=owner
            ),
        ),
        (
            ["not applicable accepted"],
            lambda: requirement_actions.accept_not_applicable(
                initiative=initiative, requirement="mvp.success", version=1, by=cast.seat_value
            ),
        ),
        (
            ["declared"],
            lambda: requirement_actions.declare(
                initiative=initiative, key="workflow_fit", text="It fits by June", by=owner
            ),
        ),
        (
            ["evidence added"],
            lambda: keep(
                "item",
                evidence_actions.add_evidence(
                    initiative=initiative,
                    kind="document",
                    title="Users",
                    observed_on=clock.today(),
                    covers=["mvp.users"],
                    file=artefacts.pdf("Users"),
                    by=owner,
                ),
            ),
        ),
        (
            ["evidence offered"],
            lambda: evidence_actions.cover(evidence=made["item"], requirements=["mvp.problem"], by=owner),
        ),
        ([], lambda: evidence_actions.cover(evidence=made["item"], requirements=["mvp.problem"], by=owner)),
        (
            ["evidence withdrawn"],
            lambda: evidence_actions.withdraw_evidence(evidence=made["item"], reason="Wrong file", by=owner),
        ),
        (
            ["role proposed"],
            lambda: keep(
                "role",
                role_actions.propose_role(
                    initiative=initiative, role="support_owner", person=cast.support, by=owner
                ),
            ),
        ),
        (
            ["role accepted", "evidence added"],
            lambda: role_actions.accept_role(assignment=made["role"], by=cast.support),
        ),
        (
            ["role accepted again", "evidence added"],
            lambda: role_actions.reaccept_role(assignment=made["role"], by=cast.support),
        ),
        (
            ["role ended", "changed"],
            lambda: role_actions.revoke_role(assignment=made["role"], reason="Moved", by=cast.support),
        ),
        (
            ["role proposed"],
            lambda: keep(
                "role",
                role_actions.propose_role(
                    initiative=initiative, role="technical_lead", person=cast.lead, by=owner
                ),
            ),
        ),
        (["role declined"], lambda: role_actions.decline_role(assignment=made["role"], by=cast.lead)),
        (
            ["hold opened"],
            lambda: keep("hold", hold_deeds.hold(initiative=initiative, reason="Wait", by=cast.seat_risk)),
        ),
        (["hold lifted"], lambda: hold_deeds.lift_hold(hold=made["hold"], reason="Fine", by=cast.chair)),
        (
            ["gap opened"],
            lambda: keep(
                "gap",
                hold_deeds.open_gap(
                    initiative=initiative,
                    text="A report",
                    owner=owner,
                    due=clock.today(),
                    downstream=["Sales"],
                    by=owner,
                ),
            ),
        ),
        (["gap closed"], lambda: hold_deeds.close_gap(gap=made["gap"], by=owner)),
        (
            ["waiver requested"],
            lambda: keep(
                "waiver",
                WAIVERS.ask(
                    initiative,
                    key="mvp.users",
                    reason="Later",
                    until=clock.today() + timedelta(days=5),
                    by=owner,
                ),
            ),
        ),
        (["waiver agreed"], lambda: WAIVERS.agree(row=made["waiver"], by=cast.chair)),
        (["waiver refused"], lambda: WAIVERS.refuse(row=made["waiver"], reason="No", by=cast.seat_risk)),
        (["acceptance of a risk requested"], lambda: keep("risk", factories.ask_risk(cast, initiative))),
        (["risk accepted"], lambda: ACCEPTED_RISKS.agree(row=made["risk"], by=seat)),
        (["accepted risk reviewed"], lambda: risks.review(risk=made["risk"], looked_at="x", by=seat)),
        (["accepted risk ended", "gap opened"], lambda: risks.end(risk=made["risk"], reason="x", by=seat)),
        (
            ["contract written"],
            lambda: contract_actions.save_contract(
                initiative=initiative, clauses=initiative_acts.CLAUSES, by=owner
            ),
        ),
        (
            ["architecture decided"],
            lambda: keep(
                "decision",
                control_mapping.record_architecture_decision(
                    initiative=initiative,
                    title="One queue",
                    text="Fewer parts",
                    decided_on=clock.today(),
                    by=owner,
                ),
            ),
        ),
        (
            ["architecture decision withdrawn"],
            lambda: control_mapping.withdraw_architecture_decision(
                decision=made["decision"], reason="Two queues", by=owner
            ),
        ),
        (["key made"], lambda: keep("key", factories.make_key(cast, initiative)[0])),
        (
            ["key made"],
            lambda: system_keys.rotate_key(
                key=made["key"], expires_at=clock.now() + timedelta(days=60), by=owner
            ),
        ),
        (["key revoked"], lambda: system_keys.revoke_key(key=made["key"], reason="Lost", by=owner)),
        (
            ["switched off"],
            lambda: keep(
                "switch", kill_switch.switch_off(initiative=initiative, reason="Wrong tone", by=cast.chair)
            ),
        ),
        (["switched on"], lambda: kill_switch.switch_on(initiative=initiative, reason="Fixed", by=owner)),
        (
            ["evidence added"],
            lambda: kill_switch.record_drill(pressed=made["switch"], covers=["prod.q10_outage"], by=owner),
        ),
        (["clause written"], lambda: keep("clause", clause(900))),
        ([], lambda: clause(900, number=made["clause"].number)),
        (["clause written"], lambda: keep("other", clause(901))),
        (
            ["clause moved"],
            lambda: clause_actions.move_clause(
                initiative=initiative, number=made["clause"].number, up=False, by=owner
            ),
        ),
        (
            [],
            lambda: clause_actions.move_clause(
                initiative=initiative, number=made["clause"].number, up=False, by=owner
            ),
        ),
        (
            ["clause removed"],
            lambda: clause_actions.remove_clause(
                initiative=initiative, number=made["other"].number, seen=made["other"].fingerprint, by=owner
            ),
        ),
        (
            ["refused"],
            lambda: refused(
                lambda: clause_actions.remove_clause(
                    initiative=initiative, number=made["clause"].number, seen="", by=owner
                )
            ),
        ),
        (
            ["contract start planned"],
            lambda: clause_actions.plan_start(
                initiative=initiative, wanted_from=clock.today() + timedelta(days=3), by=owner
            ),
        ),
        (
            ["word written"],
            lambda: clause_actions.save_word(
                initiative=initiative, kind="action", key="file", words="file it", by=owner
            ),
        ),
        (
            ["word written"],
            lambda: clause_actions.save_word(
                initiative=initiative,
                kind="action",
                key="file",
                words="put it away",
                seen="file it",
                by=owner,
            ),
        ),
        (
            ["word retired"],
            lambda: clause_actions.retire_word(initiative=initiative, kind="action", key="file", by=owner),
        ),
        (
            ["clause commented"],
            lambda: keep(
                "comment",
                comments.comment_on_clause(
                    initiative=initiative, number=1, text="Why 200?", by=cast.seat_risk
                ),
            ),
        ),
        (
            ["comment resolved"],
            lambda: comments.resolve_comment(initiative=initiative, comment=made["comment"], by=owner),
        ),
        (
            ["review opened"],
            lambda: keep("review", review_actions.open_review(initiative=initiative, by=owner)),
        ),
        (
            ["asked"],
            lambda: keep(
                "question",
                review_actions.ask_question(
                    review=made["review"], criterion="prototype.honest", text="Why?", by=cast.seat_risk
                ),
            ),
        ),
        (
            ["question answered"],
            lambda: review_actions.answer_question(question=made["question"], text="Because", by=owner),
        ),
        (
            ["signed off"],
            lambda: keep(
                "sign_off",
                initiative_acts.sign_off(
                    made["review"],
                    "business_value",
                    cast.seat_value,
                    "object",
                    reason="No",
                    criteria=("prototype.honest",),
                ),
            ),
        ),
        (
            ["sign-off withdrawn"],
            lambda: sign_off_actions.withdraw_sign_off(
                sign_off=made["sign_off"], reason="Looked again", by=cast.seat_value
            ),
        ),
        (
            ["review returned"],
            lambda: review_actions.return_review(review=made["review"], reason="Answer first", by=cast.chair),
        ),
        (
            ["review opened"],
            lambda: keep("review", review_actions.open_review(initiative=initiative, by=owner)),
        ),
        (
            ["review withdrawn"],
            lambda: review_actions.withdraw_review(review=made["review"], reason="Not yet", by=owner),
        ),
        (
            ["refused"],
            lambda: refused(
                lambda: stage_actions.retire(initiative=initiative, reason="Attack", by=cast.outsider)
            ),
        ),
        (
            ["evidence added", "stage changed", "scope ended"],
            lambda: stage_actions.stop(initiative=initiative, reason_code="cost", reason="Dear", by=owner),
        ),
        (
            ["key revoked", "stage changed"],
            lambda: stage_actions.reopen(initiative=initiative, reason="Cheap", by=cast.chair),
        ),
        (
            ["withdrawn"],
            lambda: detail_actions.withdraw(initiative=initiative, reason="By mistake", by=owner),
        ),
        (
            ["role ended", "account deactivated", "changed"],
            lambda: leaving.deactivate(person=owner, reason="Left", by=cast.admin),
        ),
        (["account reactivated"], lambda: leaving.reactivate(person=owner, reason="Back", by=cast.admin)),
        (
            ["seat left"],
            lambda: leaving.revoke_membership(
                membership=cast.board.memberships.get(person=cast.seat_risk), reason="Left", by=cast.admin
            ),
        ),
    ]
    for place, (expected, act) in enumerate(table):
        initiative = Initiative.objects.get(pk=initiative.pk)
        found = left(act)
        if expected == [
            "role ended",
            "account deactivated",
            "changed",
        ]:  # one for each role she held, on all her initiatives
            found = list(dict.fromkeys(found))
        assert found == expected, f"act {place}"


@pytest.mark.django_db
def test_every_act_about_an_approval_leaves_exactly_its_entries(cast):
    initiative = factories.make_mvp(cast)
    key = factories.make_key(cast, initiative, principal=cast.lead)[0]
    made = {}

    def ask():
        made["request"] = factories.make_request(initiative, key)

    def answer(verdict, by):
        request = made["request"]
        approval_actions.answer_approval(
            request=request,
            verdict=verdict,
            digest=request.arguments_digest,
            reason="Because",
            opened_at=clock.now(),
            by=by,
        )

    def use():
        evaluation_request = factories.make_evaluation_request()
        approval_actions.use_approval(
            reference=str(made["request"].reference), key=key, evaluation_request=evaluation_request
        )

    table = [
        (["approval asked"], ask),
        ([], ask),  # the same call waits
        ([], use),  # nobody has answered: a poll is no act
        (["refused"], lambda: refused(lambda: answer("approve", cast.lead))),
        (["refused"], lambda: refused(lambda: answer("approve", cast.chair))),
        (["approval answered"], lambda: answer("approve", cast.support)),
        (["approval used"], use),
        ([], use),
        (["approval asked"], ask),
        (["approval answered"], lambda: answer("refuse", cast.owner)),
        ([], use),
    ]
    for place, (expected, act) in enumerate(table):
        assert left(act) == expected, f"act {place}"


@pytest.mark.django_db
def test_a_decision_leaves_its_grounds_in_one_transaction(cast):
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=story.fresh(initiative), by=cast.owner)
    initiative_acts.sign_offs(review, cast.team)
    found = left(
        lambda: review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)
    )
    assert found == ["review approved", "stage changed"]
    decided = Entry.objects.acts().of_initiative(initiative.ref).filter(kind="review approved").get()
    moved = Entry.objects.acts().of_initiative(initiative.ref).filter(kind="stage changed").get()
    assert decided.xact == moved.xact
    assert decided.facts["facts"]["findings"]["sign_offs"][0]["digest"] == review.sign_offs.get().digest
    assert initiative.stage_changes.get().entry_id == moved.pk
    assert moved.facts["actor"] == {"id": cast.chair.pk, "name": "Elena Novak"}


@pytest.mark.django_db
def test_the_digest_of_an_entry_is_the_hmac_of_its_body(cast):
    initiative = factories.make_initiative(cast)
    for entry in Entry.objects.acts().of_initiative(initiative.ref):
        body = bytes(entry.body.body)
        assert bytes(entry.digest) == hmac.new(bytes(entry.body.salt), body, hashlib.sha256).digest()
        assert len(bytes(entry.body.salt)) == 32
        assert entries.canonical(json.loads(body)) == body, "the bytes are the canonical form"
    salts = list(EntryBody.objects.values_list("salt", flat=True))
    assert len({bytes(salt) for salt in salts}) == len(salts), "each its own salt"
    assert "problem" not in {field.name for field in Entry._meta.fields}


def test_what_has_no_written_form_is_refused():
    assert entries.canonical({"b": date(2026, 1, 2), "a": {2, 1}}) == b'{"a":[1,2],"b":"2026-01-02"}'
    with pytest.raises(TypeError, match="no canonical form"):
        entries.canonical({"a": object()})


@pytest.mark.django_db
def test_nobody_writes_unnamed(cast):
    initiative = factories.make_initiative(cast)
    initiative.title = "By nobody"
    for row in (initiative, Unit(name="Nobody's", code="nobody")):
        with pytest.raises(DatabaseError, match="would be written by nobody"), transaction.atomic():
            row.save()
    with pytest.raises(NoActor):
        entries.record("answered", initiative=initiative)
    with pytest.raises(NoActor), acting():
        pass
    governed = [model for model in apps.get_models() if hasattr(model, "history")]
    assert len(governed) > 20


@pytest.mark.django_db
def test_history_says_who_and_why(cast):
    initiative = factories.make_initiative(cast)
    detail_actions.rename(initiative=initiative, title="Renamed", reason="Clearer", by=cast.owner)
    row = initiative.history.first()
    assert (row.title, row.history_user_id, row.history_user_name, row.history_change_reason) == (
        "Renamed",
        cast.owner.pk,
        "Marta Lindqvist",
        "Clearer",
    )
    assert row.history_xact


@pytest.mark.django_db
def test_a_refusal_leaves_its_entry_and_nothing_else(cast):
    initiative = factories.make_initiative(cast)
    before = Initiative.objects.filter(pk=initiative.pk).values().get(), initiative.history.count()
    with pytest.raises(Refused):
        stage_actions.stop(initiative=initiative, reason_code="cost", reason="Attack", by=cast.outsider)
    entry = Entry.objects.acts().of_initiative(initiative.ref).first()
    assert (entry.kind, entry.actor_id) == ("refused", cast.outsider.pk)
    assert "Only the owner or the chair can stop an initiative" in entry.facts["facts"]["answer"]
    assert (Initiative.objects.filter(pk=initiative.pk).values().get(), initiative.history.count()) == before


@pytest.mark.django_db(transaction=True)
def test_what_was_written_stays_as_it_was_for_everybody(application):
    cast = factories.make_cast()
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    initiative_acts.sign_offs(
        review_actions.open_review(initiative=story.fresh(initiative), by=cast.owner), cast.team
    )
    components_actions.record_component(
        initiative=initiative, layer="model", name="Language model", version="m-5", by=cast.owner
    )
    sealing.seal()
    tables = [*WRITTEN_ONCE, *database_guards.history_tables()]
    assert set(database_guards.audit_log_tables()) >= set(tables)
    assert len(tables) > 25
    with connection.cursor() as cursor:
        for table in tables:
            column = connection.introspection.get_primary_key_column(cursor, table)
            cursor.execute(f"SELECT count(*) FROM {table}")
            filled = cursor.fetchone()[0] > 0
            attacks = [f"TRUNCATE {table} CASCADE"]
            if filled:
                attacks += [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"]
            for statement in attacks:
                with pytest.raises(DatabaseError, match="keeps what was written"), transaction.atomic():
                    cursor.execute(statement)
                with pytest.raises(psycopg.Error, match=r"keeps what was written|permission denied"):
                    application.execute(statement)
            with pytest.raises(psycopg.Error, match="must be owner"):
                application.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)"
            " AND NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'append_only'"
            " AND tgenabled = 'O')",
            [tables],
        )
        assert cursor.fetchall() == [], "a table without its guard"


@pytest.mark.django_db
def test_what_enforces_the_contract_leaves_its_entries(cast):
    initiative = factories.make_mvp(cast)
    item = evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="Audit",
        observed_on=clock.today(),
        covers=["layer.policy"],
        file=artefacts.pdf("Audit"),
        by=cast.owner,
    )
    clause = initiative.contract.in_force_at(clock.now()).clauses.first()
    named = {"clause": clause, "layer": "policy", "control": "Denied.", "evidence": item}
    made = []
    acts = {
        "clause mapped": lambda: made.append(
            control_mapping.map_clause(initiative=initiative, by=cast.lead, **named)
        ),
        "mapping closed": lambda: control_mapping.close_mapping(mapping=made[0], by=cast.lead),
    }
    assert {kind: left(act) for kind, act in acts.items()} == {kind: [kind] for kind in acts}
