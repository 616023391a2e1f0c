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

from adoption.demo import initiative_acts
from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.database.row_history import acting
from governance.models import Entry
from governance.permission_result import Refused
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative, StageChange
from initiatives.models.stage_machine import Judgement, judged
from tests.support import factories
from tests.support.reported_stages import make_reported

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db):
    """The cast, committed."""
    return factories.make_cast()


@pytest.fixture
def initiative(cast):
    """A reported prototype whose risk tier is confirmed."""
    return initiative_acts.propose_and_confirm_tier(make_reported(cast, "prototype"), cast.team)


def execute(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def read(pk):
    return Initiative.objects.get(pk=pk)


def with_act(moved, *, source="prototype", target="mvp", basis="import", **fields):
    """The two rows that a true move writes first: its entry and its StageChange."""
    about = fields.pop("about", moved)
    kind = fields.pop("kind", "stage changed")
    entry = fields.pop("entry", None) or entries.record(kind, initiative=about)
    change = StageChange(
        initiative=fields.pop("initiative", moved),
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


def _move_and_save(initiative):
    with judged(initiative, Judgement(gate="mvp")):  # whoever attacks lies to the machine, too
        initiative.promote_to_mvp()
    initiative.save()


def _move_and_save_the_field(initiative):
    with judged(initiative, Judgement(gate="mvp")):
        initiative.promote_to_mvp()
    initiative.save(update_fields=["stage"])


def _into_the_dictionary(initiative):
    initiative.__dict__["stage"] = "production"
    initiative.save()


def _bulk_update(initiative):
    initiative.__dict__["stage"] = "production"
    Initiative.objects.bulk_update([initiative], ["stage"])


def _loaddata(initiative, folder):
    path = folder / "initiative.json"
    row = {
        "model": "initiatives.initiative",
        "pk": initiative.pk,
        "fields": {**_fields(initiative), "stage": "production"},
    }
    path.write_text(json.dumps([row], default=str))
    call_command("loaddata", str(path), verbosity=0)


def _fields(initiative):
    names = [field.attname for field in initiative._meta.concrete_fields if not field.primary_key]
    return {name.removesuffix("_id"): getattr(initiative, name) for name in names}


def _constructor(initiative):
    new = Initiative(
        number=990,
        title="New",
        unit=initiative.unit,
        problem="p",
        stage="production",
        registered_by=initiative.registered_by,
    )
    new.save()


def _created_with_a_basis(initiative):
    Initiative.objects.create(number=991, title="New", unit=initiative.unit, problem="p", basis="import")


def _bulk_create(initiative):
    rows = [Initiative(number=992, title="New", unit=initiative.unit, problem="p", stage="mvp")]
    Initiative.objects.bulk_create(rows)


def _basis_alone(initiative):
    Initiative.objects.filter(pk=initiative.pk).update(basis="decision")


def _reference(initiative):
    Initiative.objects.filter(pk=initiative.pk).update(number=4711)


PAST_THE_ACTS = {
    "the transition and save()": _move_and_save,
    "the transition and save(update_fields)": _move_and_save_the_field,
    "the attribute's dictionary": _into_the_dictionary,
    "update()": lambda initiative: Initiative.objects.filter(pk=initiative.pk).update(stage="production"),
    "update() to stopped": lambda initiative: Initiative.objects.filter(pk=initiative.pk).update(
        stage="stopped"
    ),
    "bulk_update": _bulk_update,
    "raw SQL": lambda initiative: execute(
        "UPDATE initiatives_initiative SET stage = 'production' WHERE id = %s", initiative.pk
    ),
    "the constructor with a stage": _constructor,
    "create() with a basis": _created_with_a_basis,
    "bulk_create with a stage": _bulk_create,
    "the basis without a move": _basis_alone,
    "another reference": _reference,
    "delete()": lambda initiative: Initiative.objects.filter(pk=initiative.pk).delete(),
    "raw delete": lambda initiative: Initiative.objects.filter(pk=initiative.pk)._raw_delete("default"),
    "DELETE": lambda initiative: execute("DELETE FROM initiatives_initiative WHERE id = %s", initiative.pk),
    "TRUNCATE": lambda initiative: execute("TRUNCATE initiatives_initiative CASCADE"),
}


def test_past_the_acts_nothing_moves(cast, initiative, tmp_path):
    attacks = PAST_THE_ACTS | {"loaddata": lambda initiative: _loaddata(initiative, tmp_path)}
    before = list(Initiative.objects.order_by("pk").values())
    for name, attack in attacks.items():
        refused = (DatabaseError, ProtectedError)
        with (
            capture_logs() as logs,
            pytest.raises(refused) as error,
            act("attack", by=cast.admin, initiative=initiative.pk),
        ):
            attack(read(initiative.pk))
        assert list(Initiative.objects.order_by("pk").values()) == before, f"{name} changed something"
        if isinstance(error.value, DatabaseError) and not isinstance(error.value, ProtectedError):
            assert [log for log in logs if log["event"] == "refused by the database"], (
                f"{name} left no log line"
            )


# With forged rows beside it


def _forged_and_unused(cast, initiative, other):
    with_act(initiative, target="stopped", basis="stopped")


def _used_twice(cast, initiative, other):
    with_act(initiative, source="proposed", target="prototype", initiative=other, about=other)
    _update(other, "prototype")
    _update(other, "proposed", check=False)
    _update(other, "prototype")


def _from_elsewhere(cast, initiative, other):
    with_act(initiative, source="proposed", target="mvp")
    _update(initiative, "mvp")


def _to_elsewhere(cast, initiative, other):
    with_act(initiative, source="mvp", target="stopped", basis="stopped")
    _update(initiative, "stopped", basis="stopped")


def _of_another_initiative(cast, initiative, other):
    with_act(initiative, source="proposed", target="mvp", initiative=other, about=other)
    _update(initiative, "mvp")


def _entry_of_another_initiative(cast, initiative, other):
    with_act(initiative, source="prototype", target="stopped", basis="stopped", about=other)
    _update(initiative, "stopped", basis="stopped")


def _entry_of_another_kind(cast, initiative, other):
    with_act(initiative, source="prototype", target="stopped", basis="stopped", kind="answered")
    _update(initiative, "stopped", basis="stopped")


def _entry_of_long_ago(cast, initiative, other):
    old = Entry.objects.acts().filter(kind="stage changed").first()
    with_act(initiative, source="prototype", target="stopped", basis="stopped", entry=old)
    _update(initiative, "stopped", basis="stopped")


def _another_basis(cast, initiative, other):
    with_act(initiative, source="prototype", target="stopped", basis="stopped")
    _update(initiative, "stopped", basis="emergency")


def _born_consumed(cast, initiative, other):
    with_act(initiative, source="prototype", target="stopped", basis="stopped", consumed=True)


def _consumed_by_hand(cast, initiative, other):
    change = with_act(initiative, source="prototype", target="stopped", basis="stopped")
    StageChange.objects.filter(pk=change.pk).update(consumed=True)


def _no_such_move(cast, initiative, other):
    with pytest.raises(DatabaseError, match="there is no move"), transaction.atomic():
        with_act(initiative, source="prototype", target="production", basis="stopped")
    _update(initiative, "production", basis="stopped")


def _a_decision_without_a_review(cast, initiative, other):
    with_act(initiative, source="prototype", target="mvp", basis="decision")
    _update(initiative, "mvp", basis="decision")


def _a_decision_of_an_open_review(cast, initiative, other):
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    with_act(initiative, source="prototype", target="mvp", basis="decision", review=review)
    _update(initiative, "mvp", basis="decision")


def _update(initiative, stage, basis="import", check=True):
    rows = Initiative.objects.filter(pk=initiative.pk)
    if check or rows.get().stage != stage:
        rows.update(stage=stage, basis=basis)


FORGED = [
    _forged_and_unused,
    _used_twice,
    _from_elsewhere,
    _to_elsewhere,
    _of_another_initiative,
    _entry_of_another_initiative,
    _entry_of_another_kind,
    _entry_of_long_ago,
    _another_basis,
    _born_consumed,
    _consumed_by_hand,
    _no_such_move,
    _a_decision_without_a_review,
    _a_decision_of_an_open_review,
]


def test_forged_rows_move_nothing(cast, initiative):
    other = factories.make_initiative(cast, title="Another")
    before, changes = list(Initiative.objects.order_by("pk").values()), StageChange.objects.count()
    # By who may stop it and by who may import, so that nothing but the forgery itself is refused.
    for attack, by in product(FORGED, (cast.owner, cast.admin)):
        with pytest.raises(DatabaseError, match="Plumbline"), acting(by=by, reason="Attack"):
            attack(cast, initiative, other)
        assert list(Initiative.objects.order_by("pk").values()) == before, attack.__name__
        assert StageChange.objects.count() == changes, attack.__name__


def test_with_its_own_rows_a_move_is_one_update_and_no_more(cast, initiative):
    # The defence above is not merely "no": the true pair is accepted, once.
    with acting(by=cast.owner, reason="Stop"):
        with_act(initiative, source="prototype", target="stopped", basis="stopped")
        moved = read(initiative.pk)
        moved.stop()
        moved.basis = "stopped"
        moved.save()
        assert read(initiative.pk).stage == "stopped"
        assert StageChange.objects.get(initiative=initiative, to_stage="stopped").consumed
        with pytest.raises(DatabaseError, match="without a recorded decision"), transaction.atomic():
            _update(initiative, "prototype", basis="reopened")


def test_a_stage_change_is_kept_as_it_was_written(initiative):
    change = initiative.stage_changes.get()
    for attack in [
        lambda: StageChange.objects.filter(pk=change.pk).update(reason="Another reason"),
        lambda: StageChange.objects.filter(pk=change.pk).update(consumed=False),
        lambda: StageChange.objects.filter(pk=change.pk)._raw_delete("default"),
        lambda: execute("TRUNCATE initiatives_stagechange CASCADE"),
    ]:
        with pytest.raises(DatabaseError, match="keeps what was written"), transaction.atomic():
            attack()


def test_the_application_role_cannot_switch_the_guard_off(initiative, application):
    for statement in [
        f"UPDATE initiatives_initiative SET stage = 'production' WHERE id = {initiative.pk}",
        "ALTER TABLE initiatives_initiative DISABLE TRIGGER stage_is_guarded",
        "DROP TRIGGER stage_is_guarded ON initiatives_initiative",
        "SET session_replication_role = replica",
        "TRUNCATE initiatives_initiative CASCADE",
        "CREATE OR REPLACE FUNCTION plumbline_guard_stage() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NEW; END'",
    ]:
        with pytest.raises(Exception, match=r"Plumbline|permission denied|must be owner"):
            application.execute(statement)
    assert read(initiative.pk).stage == "prototype"


# Pages, templates, acts


def test_a_template_that_prints_a_move_does_not_make_it(initiative):
    names = [
        *(f"promote_to_{stage}" for stage in ("prototype", "mvp", "production")),
        *(
            "stop",
            "retire",
            "reopen_as_prototype",
            "step_back_to_prototype",
            "report_production",
            "delete",
            "save",
        ),
    ]
    source = "".join(f"{{{{ initiative.{name} }}}}" for name in names)
    loaded = read(initiative.pk)
    assert Template(source).render(Context({"initiative": loaded})) == ""
    assert loaded.stage == "prototype"
    assert read(initiative.pk).stage == "prototype"


def test_no_address_makes_a_transition(cast, initiative):
    client = Client()
    client.force_login(cast.admin)
    for name in (
        "promote",
        "promote_to_mvp",
        "promote-to-mvp",
        "transition/promote_to_mvp",
        "stage",
        "reported",
    ):
        assert client.post(f"/initiatives/{initiative.ref}/{name}/", {"stage": "mvp"}).status_code == 404
    assert read(initiative.pk).stage == "prototype"


def test_what_an_act_refuses_leaves_its_entry(cast, initiative):
    scope = {"users": "Nobody", "user_count": 0}
    attempts = {
        "stop": lambda by: stage_actions.stop(initiative=initiative, reason_code="cost", reason="No.", by=by),
        "step back": lambda by: stage_actions.step_back(
            initiative=initiative, reason="No.", users_told="No.", scope=scope, by=by
        ),
        "retire": lambda by: stage_actions.retire(initiative=initiative, reason="No.", by=by),
        "reopen": lambda by: stage_actions.reopen(initiative=initiative, reason="No.", by=by),
        "withdraw": lambda by: detail_actions.withdraw(initiative=initiative, reason="No.", by=by),
        "re-attest": lambda by: stage_actions.reattest(initiative=initiative, reason="No.", by=by),
        "open review": lambda by: review_actions.open_review(initiative=initiative, by=by),
    }
    for name, attempt in attempts.items():
        last = Entry.objects.acts().order_by("-pk").first().pk
        with pytest.raises(Refused) as refused:
            attempt(cast.outsider)
        (entry,) = Entry.objects.acts().filter(pk__gt=last)
        assert (entry.kind, entry.actor_id, entry.initiative_ref) == (
            "refused",
            cast.outsider.pk,
            initiative.ref,
        ), name
        assert entry.facts["facts"] == {"act": name, "answer": str(refused.value)}
    assert read(initiative.pk).stage == "prototype"


MOVING_PAGES = {
    "stop": {"reason_code": "cost", "reason": "Attack"},
    "retire": {"reason": "Attack", "confirm": "on"},
    "reopen": {"reason": "Attack"},
    "demote": {"reason": "Attack", "users_told": "Attack", "users": "x", "user_count": "0"},
    "confirm-production": {"reason": "Attack"},
    "withdraw": {"reason": "Attack"},
}


def test_the_pages_that_move_refuse_whoever_may_not(cast, initiative):
    people = [(cast.support, 403), (cast.seat_value, 403), (cast.admin, 403), (cast.outsider, 404)]
    for who, expected in people:
        client = Client()
        client.force_login(who)
        for name, fields in MOVING_PAGES.items():
            last = Entry.objects.acts().order_by("-pk").first().pk
            status = client.post(reverse("initiative-act", args=[initiative.ref, name]), fields).status_code
            assert read(initiative.pk).stage == "prototype", f"{name}: {who} moved it"
            assert status == expected, f"{name}, {who}: {status}"
            left = Entry.objects.acts().filter(
                pk__gt=last, kind="refused", actor_id=who.pk, initiative_ref=initiative.ref
            )
            assert left.count() == (expected == 403), f"{name}, {who}: {left.count()} entries"


def test_the_admin_site_does_not_change_a_stage(cast, initiative):
    assert Initiative in admin.site._registry
    client = Client()
    client.force_login(cast.admin)
    address = reverse("admin:initiatives_initiative_change", args=[initiative.pk])
    page = client.get(address)
    assert page.status_code == 200
    assert b'name="stage"' not in page.content
    client.post(address, {"title": initiative.title, "stage": "production", "basis": "decision"})
    assert read(initiative.pk).stage == "prototype"
    client.post(reverse("admin:initiatives_initiative_delete", args=[initiative.pk]), {"post": "yes"})
    assert Initiative.objects.filter(pk=initiative.pk).exists()
    client.post(
        reverse("admin:initiatives_initiative_changelist"),
        {"action": "delete_selected", "_selected_action": [initiative.pk], "post": "yes"},
    )
    assert Initiative.objects.filter(pk=initiative.pk).exists()
