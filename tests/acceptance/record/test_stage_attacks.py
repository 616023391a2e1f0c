"""Attacks on the stage, past the acts: by ORM, SQL, fixture, template, admin. All are refused and leave a trace.

The guards run in the database, so these tests commit for real (docs/architecture.md, trap 15).
"""

import json
from itertools import product

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from structlog.testing import capture_logs

from governance import clock
from governance.database import row_history
from governance.database.row_history import acting
from governance.ledger import record
from governance.models import Entry
from governance.permission_result import Refused
from initiatives.cases.act import act
from initiatives.models import Initiative, StageChange
from initiatives.models.stage_machine import Judgement, judged
from initiatives.registration import actions as registration_actions
from initiatives.reviews import actions as review_actions
from initiatives.stages import actions as stage_actions
from tests.support import factories
from tests.support.claims import make_claim

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db):
    """The cast, committed."""
    return factories.make_cast()


@pytest.fixture
def case(cast):
    """A claimed prototype."""
    return make_claim(cast, "prototype")


def execute(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def read(pk):
    return Initiative.objects.get(pk=pk)


def with_act(case, *, source="prototype", target="mvp", basis="import", **fields):
    """The two rows that a true move writes first: its entry and its StageChange."""
    about = fields.pop("about", case)
    kind = fields.pop("kind", "stage changed")
    entry = fields.pop("entry", None) or record.record(kind, case=about)
    change = StageChange(
        initiative=fields.pop("initiative", case),
        from_stage=source,
        to_stage=target,
        basis=basis,
        by=fields.pop("by", row_history.current().person),  # it names who acts
        at=clock.now(),
        entry_id=entry.pk,
        **fields,
    )
    change.save()
    return change


# Past every act


def _move_and_save(case):
    with judged(case, Judgement(gate="mvp")):  # whoever attacks lies to the machine, too
        case.promote_to_mvp()
    case.save()


def _move_and_save_the_field(case):
    with judged(case, Judgement(gate="mvp")):
        case.promote_to_mvp()
    case.save(update_fields=["stage"])


def _into_the_dictionary(case):
    case.__dict__["stage"] = "production"
    case.save()


def _bulk_update(case):
    case.__dict__["stage"] = "production"
    Initiative.objects.bulk_update([case], ["stage"])


def _loaddata(case, folder):
    path = folder / "case.json"
    row = {
        "model": "initiatives.initiative",
        "pk": case.pk,
        "fields": {**_fields(case), "stage": "production"},
    }
    path.write_text(json.dumps([row], default=str))
    call_command("loaddata", str(path), verbosity=0)


def _fields(case):
    names = [field.attname for field in case._meta.concrete_fields if not field.primary_key]
    return {name.removesuffix("_id"): getattr(case, name) for name in names}


def _constructor(case):
    new = Initiative(
        number=990,
        title="New",
        unit=case.unit,
        problem="p",
        stage="production",
        registered_by=case.registered_by,
    )
    new.save()


def _created_with_a_basis(case):
    Initiative.objects.create(number=991, title="New", unit=case.unit, problem="p", basis="import")


def _bulk_create(case):
    rows = [Initiative(number=992, title="New", unit=case.unit, problem="p", stage="mvp")]
    Initiative.objects.bulk_create(rows)


def _basis_alone(case):
    Initiative.objects.filter(pk=case.pk).update(basis="decision")


def _reference(case):
    Initiative.objects.filter(pk=case.pk).update(number=4711)


PAST_THE_ACTS = {
    "the transition and save()": _move_and_save,
    "the transition and save(update_fields)": _move_and_save_the_field,
    "the attribute's dictionary": _into_the_dictionary,
    "update()": lambda case: Initiative.objects.filter(pk=case.pk).update(stage="production"),
    "update() to stopped": lambda case: Initiative.objects.filter(pk=case.pk).update(stage="stopped"),
    "bulk_update": _bulk_update,
    "raw SQL": lambda case: execute(
        "UPDATE initiatives_initiative SET stage = 'production' WHERE id = %s", case.pk
    ),
    "the constructor with a stage": _constructor,
    "create() with a basis": _created_with_a_basis,
    "bulk_create with a stage": _bulk_create,
    "the basis without a move": _basis_alone,
    "another reference": _reference,
    "delete()": lambda case: Initiative.objects.filter(pk=case.pk).delete(),
    "raw delete": lambda case: Initiative.objects.filter(pk=case.pk)._raw_delete("default"),
    "DELETE": lambda case: execute("DELETE FROM initiatives_initiative WHERE id = %s", case.pk),
    "TRUNCATE": lambda case: execute("TRUNCATE initiatives_initiative CASCADE"),
}


def test_past_the_acts_nothing_moves(cast, case, tmp_path):
    attacks = PAST_THE_ACTS | {"loaddata": lambda case: _loaddata(case, tmp_path)}
    before = list(Initiative.objects.order_by("pk").values())
    for name, attack in attacks.items():
        refused = (DatabaseError, ProtectedError)
        with (
            capture_logs() as logs,
            pytest.raises(refused) as error,
            act("attack", by=cast.admin, case=case.pk),
        ):
            attack(read(case.pk))
        assert list(Initiative.objects.order_by("pk").values()) == before, f"{name} changed something"
        if isinstance(error.value, DatabaseError) and not isinstance(error.value, ProtectedError):
            assert [log for log in logs if log["event"] == "refused by the database"], (
                f"{name} left no log line"
            )


# With forged rows beside it


def _forged_and_unused(cast, case, other):
    with_act(case, target="stopped", basis="stopped")


def _used_twice(cast, case, other):
    with_act(case, source="proposed", target="prototype", initiative=other, about=other)
    _update(other, "prototype")
    _update(other, "proposed", check=False)
    _update(other, "prototype")


def _from_elsewhere(cast, case, other):
    with_act(case, source="proposed", target="mvp")
    _update(case, "mvp")


def _to_elsewhere(cast, case, other):
    with_act(case, source="mvp", target="stopped", basis="stopped")
    _update(case, "stopped", basis="stopped")


def _of_another_case(cast, case, other):
    with_act(case, source="proposed", target="mvp", initiative=other, about=other)
    _update(case, "mvp")


def _entry_of_another_case(cast, case, other):
    with_act(case, source="prototype", target="stopped", basis="stopped", about=other)
    _update(case, "stopped", basis="stopped")


def _entry_of_another_kind(cast, case, other):
    with_act(case, source="prototype", target="stopped", basis="stopped", kind="answered")
    _update(case, "stopped", basis="stopped")


def _entry_of_long_ago(cast, case, other):
    old = Entry.objects.acts().filter(kind="stage changed").first()
    with_act(case, source="prototype", target="stopped", basis="stopped", entry=old)
    _update(case, "stopped", basis="stopped")


def _another_basis(cast, case, other):
    with_act(case, source="prototype", target="stopped", basis="stopped")
    _update(case, "stopped", basis="emergency")


def _born_consumed(cast, case, other):
    with_act(case, source="prototype", target="stopped", basis="stopped", consumed=True)


def _consumed_by_hand(cast, case, other):
    change = with_act(case, source="prototype", target="stopped", basis="stopped")
    StageChange.objects.filter(pk=change.pk).update(consumed=True)


def _no_such_move(cast, case, other):
    with pytest.raises(DatabaseError, match="there is no move"), transaction.atomic():
        with_act(case, source="prototype", target="production", basis="stopped")
    _update(case, "production", basis="stopped")


def _a_decision_without_a_review(cast, case, other):
    with_act(case, source="prototype", target="mvp", basis="decision")
    _update(case, "mvp", basis="decision")


def _a_decision_of_an_open_review(cast, case, other):
    review = review_actions.open_review(case=case, by=cast.owner)
    with_act(case, source="prototype", target="mvp", basis="decision", review=review)
    _update(case, "mvp", basis="decision")


def _update(case, stage, basis="import", check=True):
    rows = Initiative.objects.filter(pk=case.pk)
    if check or rows.get().stage != stage:
        rows.update(stage=stage, basis=basis)


FORGED = [
    _forged_and_unused,
    _used_twice,
    _from_elsewhere,
    _to_elsewhere,
    _of_another_case,
    _entry_of_another_case,
    _entry_of_another_kind,
    _entry_of_long_ago,
    _another_basis,
    _born_consumed,
    _consumed_by_hand,
    _no_such_move,
    _a_decision_without_a_review,
    _a_decision_of_an_open_review,
]


def test_forged_rows_move_nothing(cast, case):
    other = factories.make_case(cast, title="Another")
    before, changes = list(Initiative.objects.order_by("pk").values()), StageChange.objects.count()
    # By who may stop it and by who may import, so that nothing but the forgery itself is refused.
    for attack, by in product(FORGED, (cast.owner, cast.admin)):
        with pytest.raises(DatabaseError, match="Plumbline"), acting(by=by, reason="Attack"):
            attack(cast, case, other)
        assert list(Initiative.objects.order_by("pk").values()) == before, attack.__name__
        assert StageChange.objects.count() == changes, attack.__name__


def test_with_its_own_rows_a_move_is_one_update_and_no_more(cast, case):
    # The defence above is not merely "no": the true pair is accepted, once.
    with acting(by=cast.owner, reason="Stop"):
        with_act(case, source="prototype", target="stopped", basis="stopped")
        moved = read(case.pk)
        moved.stop()
        moved.basis = "stopped"
        moved.save()
        assert read(case.pk).stage == "stopped"
        assert StageChange.objects.get(initiative=case, to_stage="stopped").consumed
        with pytest.raises(DatabaseError, match="without a recorded decision"), transaction.atomic():
            _update(case, "prototype", basis="reopened")


def test_a_stage_change_is_kept_as_it_was_written(case):
    change = case.stage_changes.get()
    for attack in [
        lambda: StageChange.objects.filter(pk=change.pk).update(reason="Another reason"),
        lambda: StageChange.objects.filter(pk=change.pk).update(consumed=False),
        lambda: StageChange.objects.filter(pk=change.pk)._raw_delete("default"),
        lambda: execute("TRUNCATE initiatives_stagechange CASCADE"),
    ]:
        with pytest.raises(DatabaseError, match="keeps what was written"), transaction.atomic():
            attack()


def test_the_application_role_cannot_switch_the_guard_off(case, application):
    for statement in [
        f"UPDATE initiatives_initiative SET stage = 'production' WHERE id = {case.pk}",
        "ALTER TABLE initiatives_initiative DISABLE TRIGGER stage_is_guarded",
        "DROP TRIGGER stage_is_guarded ON initiatives_initiative",
        "SET session_replication_role = replica",
        "TRUNCATE initiatives_initiative CASCADE",
        "CREATE OR REPLACE FUNCTION plumbline_guard_stage() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NEW; END'",
    ]:
        with pytest.raises(Exception, match=r"Plumbline|permission denied|must be owner"):
            application.execute(statement)
    assert read(case.pk).stage == "prototype"


# Pages, templates, acts


def test_a_template_that_prints_a_move_does_not_make_it(case):
    names = [
        *(f"promote_to_{stage}" for stage in ("prototype", "mvp", "production")),
        *(
            "stop",
            "retire",
            "reopen_as_prototype",
            "step_back_to_prototype",
            "claim_production",
            "delete",
            "save",
        ),
    ]
    source = "".join(f"{{{{ case.{name} }}}}" for name in names)
    loaded = read(case.pk)
    assert Template(source).render(Context({"case": loaded})) == ""
    assert loaded.stage == "prototype"
    assert read(case.pk).stage == "prototype"


def test_no_address_makes_a_transition(cast, case):
    client = Client()
    client.force_login(cast.admin)
    for name in (
        "promote",
        "promote_to_mvp",
        "promote-to-mvp",
        "transition/promote_to_mvp",
        "stage",
        "claim",
    ):
        assert client.post(f"/cases/{case.ref}/{name}/", {"stage": "mvp"}).status_code == 404
    assert read(case.pk).stage == "prototype"


def test_what_an_act_refuses_leaves_its_entry(cast, case):
    scope = {"users": "Nobody", "user_count": 0}
    attempts = {
        "stop": lambda by: stage_actions.stop(case=case, reason_code="cost", reason="No.", by=by),
        "step back": lambda by: stage_actions.step_back(
            case=case, reason="No.", users_told="No.", scope=scope, by=by
        ),
        "retire": lambda by: stage_actions.retire(case=case, reason="No.", by=by),
        "reopen": lambda by: stage_actions.reopen(case=case, reason="No.", by=by),
        "withdraw": lambda by: registration_actions.withdraw(case=case, reason="No.", by=by),
        "re-attest": lambda by: stage_actions.reattest(case=case, reason="No.", by=by),
        "open review": lambda by: review_actions.open_review(case=case, by=by),
    }
    for name, attempt in attempts.items():
        last = Entry.objects.acts().order_by("-pk").first().pk
        with pytest.raises(Refused) as refused:
            attempt(cast.outsider)
        (entry,) = Entry.objects.acts().filter(pk__gt=last)
        assert (entry.kind, entry.actor_id, entry.case_ref) == ("refused", cast.outsider.pk, case.ref), name
        assert entry.facts["facts"] == {"act": name, "answer": str(refused.value)}
    assert read(case.pk).stage == "prototype"


MOVING_PAGES = {
    "case-stop": {"reason_code": "cost", "reason": "Attack"},
    "case-retire": {"reason": "Attack", "confirm": "on"},
    "case-reopen": {"reason": "Attack"},
    "case-step-back": {"reason": "Attack", "users_told": "Attack", "users": "x", "user_count": "0"},
    "case-reattest": {"reason": "Attack"},
    "case-withdraw": {"reason": "Attack"},
}


def test_the_pages_that_move_refuse_whoever_may_not(cast, case):
    people = [(cast.support, 403), (cast.seat_value, 403), (cast.admin, 403), (cast.outsider, 404)]
    for who, expected in people:
        client = Client()
        client.force_login(who)
        for name, fields in MOVING_PAGES.items():
            last = Entry.objects.acts().order_by("-pk").first().pk
            status = client.post(reverse(name, args=[case.ref]), fields).status_code
            assert read(case.pk).stage == "prototype", f"{name}: {who} moved it"
            assert status == expected, f"{name}, {who}: {status}"
            left = Entry.objects.acts().filter(
                pk__gt=last, kind="refused", actor_id=who.pk, case_ref=case.ref
            )
            assert left.count() == (expected == 403), f"{name}, {who}: {left.count()} entries"


def test_the_admin_site_does_not_change_a_stage(cast, case):
    assert Initiative in admin.site._registry
    client = Client()
    client.force_login(cast.admin)
    address = reverse("admin:initiatives_initiative_change", args=[case.pk])
    page = client.get(address)
    assert page.status_code == 200
    assert b'name="stage"' not in page.content
    client.post(address, {"title": case.title, "stage": "production", "basis": "decision"})
    assert read(case.pk).stage == "prototype"
    client.post(reverse("admin:initiatives_initiative_delete", args=[case.pk]), {"post": "yes"})
    assert Initiative.objects.filter(pk=case.pk).exists()
    client.post(
        reverse("admin:initiatives_initiative_changelist"),
        {"action": "delete_selected", "_selected_action": [case.pk], "post": "yes"},
    )
    assert Initiative.objects.filter(pk=case.pk).exists()
