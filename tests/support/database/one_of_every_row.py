"""One row of every governed table: those an initiative in review brings along, and the rest made up field by field."""

import uuid
from datetime import timedelta
from decimal import Decimal

from django.apps import apps
from django.db import models

from adoption.demo import initiative_acts
from governance import clock
from governance.audit_log import row_capture
from governance.database.row_history import acting
from governance.models import User
from initiatives.lifecycle.reviews import actions as review_actions
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

# What a constraint asks of a made-up row beyond what its fields ask.
ASKED = {
    "adoption.Measure": {"counterfactual": lambda: "The year before"},
    "adoption.AgendaPoint": {"words": lambda: "Dates"},
    "adoption.Lesson": {
        "source": lambda: "A report",
        "entered_by_id": lambda: User.objects.earliest("pk").pk,
        "entered_at": clock.now,
    },
    "governance.ApiToken": {"expires_at": lambda: clock.now() + timedelta(days=1)},
    "governance.EventReceiver": {"key_box": lambda: b"key"},
    "governance.Directory": {"expires_at": lambda: clock.now() + timedelta(days=1)},
    "governance.Passkey": {"algorithm": lambda: -7, "signs_from": lambda: clock.now() + timedelta(days=1)},
    "governance.FactorReset": {"asked_by_id": lambda: _another()},
    "governance.IdentityProvider": {"scopes": lambda: "openid", "issuer": lambda: "https://id.example"},
    "governance.SignatureProof": {
        **{"strength": lambda: "password", "evidence": dict, "nonce": str},
        "shown_at": lambda: clock.now() - timedelta(minutes=1),
    },
    "initiatives.PerformancePromise": {"median": lambda: 1, "most": lambda: 2, "errors": lambda: 0.0},
    "governance.BreakGlass": {"marked_by_id": lambda: _another()},
    "governance.SamePerson": {"one_id": lambda: _marked_as_pair()},
    "governance.LegalHold": {"initiative_ref": lambda: "AI-0001"},
    "initiatives.Handover": {"successor_id": lambda: User.objects.earliest("pk").pk},
    "initiatives.ScopeVersion": {"starts_at": clock.now},
    "initiatives.Dependant": {"ended_at": clock.now},
    "initiatives.DefinitionConflict": {
        "one_id": lambda: _definitions()[0],
        "other_id": lambda: _definitions()[1],
    },
    "initiatives.Effort": {"hours": lambda: 1},
    "initiatives.LinkAnswer": {"accepts": lambda: True},
    "initiatives.ModelEvaluation": {"threshold": lambda: Decimal("0.9")},
    "initiatives.Pipeline": {"issuer": lambda: "https://issuer.example"},
    "initiatives.TraceSample": {"low": lambda: 0.0, "high": lambda: 1.0},
    "initiatives.UnitPolicy": {"allowed": lambda: ["EU"]},
    "initiatives.VendorTerm": {"allowed": lambda: ["EU"]},
    "initiatives.AcceptedRisk": {"until": lambda: clock.today(), "review_days": lambda: 30},
    "initiatives.Waiver": {"until": lambda: clock.today()},
}


def one_of_each() -> list[models.Model]:
    """A row of every governed model, saved by the system where no act of the initiative in review made one."""
    cast = factories.make_cast()
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    initiative_acts.sign_offs(
        review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner), cast.team
    )
    return [row_of(model) for model in row_capture.governed_models()]


def _another() -> int:
    """The key of another person than the newest, who stands in every other column."""
    return User.objects.earliest("pk").pk


def _marked_as_pair() -> int:
    """The key of the first person, once they and the newest are marked as accounts of one."""
    with acting(system="test", reason="Made up"):
        for person in (User.objects.earliest("pk"), User.objects.latest("pk")):
            person.may_be_another = True
            person.save()
    return _another()


def _definitions() -> list[int]:
    """Keys of two definitions, in order."""
    model = apps.get_model("initiatives.TermDefinition")
    row = row_of(model)
    row.pk = None
    with unguarded(model._meta.db_table), acting(system="test", reason="Made up"):
        row.save(force_insert=True)
    return list(model.objects.order_by("pk").values_list("pk", flat=True)[:2])


def row_of(model: type[models.Model]) -> models.Model:
    """The newest row of a model; made up where there is none."""
    row = model._base_manager.order_by("-pk").first()
    if row is None:
        row = model()
        for field in model._meta.concrete_fields:
            if not field.primary_key and field.name != "xact":
                setattr(row, field.attname, _value(row, field))
        for name, value in ASKED.get(model._meta.label, {}).items():
            setattr(row, name, value())
        # Guards ask who may; a made-up row has nobody.
        with unguarded(model._meta.db_table), acting(system="test", reason="Made up"):
            row.save()
    return row


def _value(row, field):
    """The least that a field takes."""
    if field.is_relation:
        if field.null:
            return None
        return row_of(apps.get_model(field.related_model._meta.label)).pk
    if field.has_default():
        return field.get_default()
    if field.null:
        return None
    if field.choices:
        return field.choices[0][0]
    by_kind = {
        models.DateTimeField: clock.now(),
        models.DateField: clock.today(),
        models.BooleanField: False,
        models.JSONField: [],
        models.BinaryField: b"x",
        models.UUIDField: uuid.uuid4(),
    }
    for kind, value in by_kind.items():
        if isinstance(field, kind):
            return value
    return 1 if isinstance(field, models.IntegerField) else "x"
