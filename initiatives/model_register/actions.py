"""Acts on the model register: models added, proposed while a version is recorded, changed, confirmed."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from governance import clock
from governance.ledger import record
from governance.models import User
from governance.vocabulary import Layer
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.access import permissions as case_permissions
from initiatives.cases.act import act
from initiatives.components import actions as component_actions
from initiatives.components.vendors import vendor_named
from initiatives.findings.sync import follow, lock_cases
from initiatives.model_register import permissions
from initiatives.model_register.queries import cases_of
from initiatives.models import ComponentVersion, Initiative, ModelVersion, Vendor


def add_model(
    *,
    vendor: Vendor,
    family: str,
    version: str,
    region: str = "",
    end_of_life: date | None = None,
    end_of_life_source: str = "",
    successor: ModelVersion | None = None,
    by: User,
) -> ModelVersion:
    """List a model for every case that runs it, now or later. Raises ValidationError or Refused.

    `end_of_life`: the first day on which its vendor no longer stands behind it; its source is a link or words.
    """
    with act("add model", by=by, register=True):
        permissions.may_keep_models(by).or_refuse()
        now = clock.now()
        model = ModelVersion(added_by=by, added_at=now, confirmed_by=by, confirmed_at=now)
        _take(model, vendor, family, version, region, end_of_life, end_of_life_source, successor)
        _save_new(model)
    return model


def change_model(
    *,
    model: ModelVersion,
    vendor: Vendor,
    family: str,
    version: str,
    region: str,
    end_of_life: date | None,
    end_of_life_source: str,
    successor: ModelVersion | None,
    by: User,
) -> ModelVersion:
    """Change what is said of a model, and confirm it where it was only proposed; the cases that run it hear of it."""
    with act("change model", by=by, register=True):
        permissions.may_keep_models(by).or_refuse()
        cases = lock_cases(cases_of(model))
        model = ModelVersion.objects.select_related("vendor", "successor").get(pk=model.pk)
        before = _said(model)
        _take(model, vendor, family, version, region, end_of_life, end_of_life_source, successor)
        if model.confirmed_at is None:
            model.confirmed_by, model.confirmed_at = by, clock.now()
        _check(model)
        after = _said(model)
        changed = [name for name in after if after[name] != before[name]]
        if not changed:
            return model
        model.save()
        record.record(
            EntryKind.MODEL_CHANGED,
            model=str(model),
            model_id=model.pk,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
        follow(cases)
    return model


def record_component(
    *,
    case: Initiative,
    layer: str,
    vendor: str = "",
    version: str = "",
    region: str = "",
    model_version: ModelVersion | None = None,
    family: str = "",
    by: User,
    **fields,
) -> ComponentVersion:
    """Record a version of a component as `components.actions.record_component` does, whose other fields these are.

    `family`: of a model that is not in the person's list; with this vendor, version and region it is proposed, and
    waits for whoever keeps the register. One that is there already is named instead.
    """
    if not family.strip():
        family = ""
    elif model_version is not None:
        raise ValidationError({"family": "Choose a model of the register, or name a new one; not both."})
    elif layer != Layer.MODEL:
        raise ValidationError({"family": "Only a component of the layer model names a model."})
    elif not vendor.strip():
        raise ValidationError({"vendor": "Name the vendor of the model; for your own, your organisation."})
    with act("record component", by=by, case=case, register=True) as case:
        case_permissions.may_change_what_runs(case, by).or_refuse()
        if family:
            model_version = ModelVersion(added_by=by, added_at=clock.now())
            _take(model_version, vendor_named(vendor), family, version, region, None, "", None)
            known = _same(model_version).first()
            if known is None:
                _save_new(model_version)
            model_version = known or model_version
        return component_actions.record_component(
            case=case,
            layer=layer,
            vendor=vendor,
            version=version,
            region=region,
            model_version=model_version,
            by=by,
            **fields,
        )


def _take(model: ModelVersion, vendor, family, version, region, end_of_life, source, successor) -> None:
    model.vendor, model.successor = vendor, successor
    model.family, model.version, model.region = family.strip(), version.strip(), region.strip()
    model.end_of_life, model.end_of_life_source = end_of_life, source.strip()


def _save_new(model: ModelVersion) -> None:
    _check(model)
    model.save()
    kept = {name: value for name, value in _said(model).items() if value}
    record.record(EntryKind.MODEL_ADDED, model=str(model), model_id=model.pk, said=kept)


def _said(model: ModelVersion) -> dict:
    """What the record keeps of a model."""
    return {
        "vendor": model.vendor.name,
        "family": model.family,
        "version": model.version,
        "region": model.region,
        "end_of_life": model.end_of_life,
        "end_of_life_source": model.end_of_life_source,
        "successor": str(model.successor) if model.successor else None,
        "confirmed": model.confirmed_at is not None,
    }


def _check(model: ModelVersion) -> None:
    wrong = {}
    if not model.family:
        wrong["family"] = "Name the model family, for instance as its vendor does."
    if not model.version:
        wrong["version"] = "Say which version it is."
    if not wrong and _same(model).exclude(pk=model.pk).exists():
        wrong["family"] = f"{model} of {model.vendor} is in the register already; choose it there."
    if model.end_of_life and not model.end_of_life_source:
        wrong["end_of_life_source"] = "Say where the end of life stands: a link, or who said it and when."
    if model.successor is not None and _leads_to(model.successor.pk, model):
        wrong["successor"] = f"{model.successor} is itself followed by {model}; choose another."
    if wrong:
        raise ValidationError(wrong)


def _same(model: ModelVersion) -> QuerySet[ModelVersion]:
    """The row of the register that says what this one says of itself."""
    return ModelVersion.objects.select_related("vendor").filter(
        vendor=model.vendor,
        family__iexact=model.family,
        version__iexact=model.version,
        region__iexact=model.region,
    )


def _leads_to(key: int | None, model: ModelVersion) -> bool:
    """Whether this model comes by successors from the one with that key, as they stand."""
    seen: set[int] = set()
    while key is not None and key not in seen:
        if key == model.pk:
            return True
        seen.add(key)
        key = ModelVersion.objects.values_list("successor", flat=True).get(pk=key)
    return False
