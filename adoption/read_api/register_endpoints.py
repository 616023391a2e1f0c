"""The registers, each a list with one shape: what everyone may read, and what hangs on initiatives one may open."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from ninja import Query as Parameters
from ninja import Schema
from pydantic import Field

from adoption.read_api.api import Page, PageQuery, endpoint, page_at, paging_of
from governance import clock
from governance.models import User
from governance.models.sign_in import READ_REGISTERS
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.integration.components import queries as component_queries
from initiatives.lifecycle.access.visibility import visible_to
from initiatives.models import ComponentVersion, Deployment, Link, System, Term, TermDefinition, Vendor
from initiatives.models.integration.definitions import STATED


class RegisterRow(Schema):
    """A row of a register. `fields` has what its register keeps, by name."""

    id: int
    name: str
    initiative: str | None = Field(description="Reference, if the row belongs to an initiative")
    fields: dict[str, Any]
    page: str


@dataclass(frozen=True)
class Register:
    """A register: the rows that a person may read, and their fields. `owned` rows belong to an initiative."""

    rows: Callable[[User], QuerySet]
    fields: Callable[[Any, date], dict[str, Any]]
    owned: bool = False


def _component(row: ComponentVersion, today: date) -> dict[str, Any]:
    return {
        "layer": row.layer,
        "component": row.name,
        "version": row.version,
        "region": row.region or None,
        "vendor": row.vendor.name if row.vendor else None,
        "end_of_life": row.end_of_life,
        "end_of_life_source": row.end_of_life_source or None,
        "successor": row.successor_id,
        "confirmed": row.confirmed_at is not None,
    }


def _deployment(row: Deployment, today: date) -> dict[str, Any]:
    return {
        "component": row.version_id,
        "layer": row.version.layer,
        "part": row.part,
        "region": row.region or None,
        "runs_from": row.runs_from,
        "runs_to": row.runs_to,
    }


def _system(row: System, today: date) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "owner": row.owner.full_name if row.owner else None,
        "conditions": row.conditions(today),
        "purpose": row.purpose or None,
        "location": row.location or None,
        "regions": row.regions,
        "vendor": row.vendor.name if row.vendor else None,
        "unit": row.unit.name if row.unit else None,
        "last_updated_on": row.last_updated_on,
        "source_of_truth_for": row.source_of_truth_for,
        "collection": row.collection_id,
        "duplicate_of": row.duplicate_of_id,
    }


def _link(row: Link, today: date) -> dict[str, Any]:
    return {
        "system": row.system_id,
        "system_name": row.system.name,
        "pattern": row.pattern,
        "direction": row.direction,
        "access": row.access,
        "purpose": row.purpose or None,
        "data_classes": row.data_classes,
        "live": row.live,
        "timeout_seconds": row.timeout_seconds,
        "on_failure": row.on_failure or None,
    }


def _definition(row: TermDefinition, today: date) -> dict[str, Any]:
    stated = {name: getattr(row, name) for name in STATED if getattr(row, name)}
    return {
        "term": row.term.name,
        "system": row.system_id,
        "system_name": row.system.name,
        "field": row.field,
        "meaning": row.meaning,
        "stated": stated,
        "identifier_format": row.identifier_format or None,
        "business_logic": row.business_logic or None,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
    }


def _of_visible(rows: QuerySet, person: User) -> QuerySet:
    return rows.filter(initiative__in=visible_to(person).order_by().values("pk"))


REGISTERS = {
    "components": Register(component_queries.seen_by, _component),
    "deployments": Register(
        lambda person: _of_visible(component_queries.current_uses(), person).select_related(
            "initiative", "version"
        ),
        _deployment,
        owned=True,
    ),
    "systems": Register(
        lambda person: System.objects.current().select_related("owner", "vendor", "unit"), _system
    ),
    "links": Register(
        lambda person: _of_visible(Link.objects.current(), person).select_related("initiative", "system"),
        _link,
        owned=True,
    ),
    "terms": Register(lambda person: Term.objects.all(), lambda row, today: {"meaning": row.meaning}),
    "definitions": Register(
        lambda person: TermDefinition.objects.current().select_related("term", "system"), _definition
    ),
    "vendors": Register(lambda person: Vendor.objects.shared(), lambda row, today: {}),
}


@endpoint("/registers/{name}", scope=READ_REGISTERS, answer=Page[RegisterRow])
def register(request: SignedInRequest, name: str, query: Parameters[PageQuery]) -> dict:
    """List a register: components, deployments, systems, links, terms, definitions or vendors."""
    kept = REGISTERS.get(name)
    if kept is None:
        raise Http404(f"This register does not exist. Use one of these: {', '.join(REGISTERS)}.")
    paging, today = paging_of(request, query), clock.today()
    return paging.page(
        paging.of_rows(kept.rows(request.user)), lambda row: _row(row, kept, today), lambda row: row.pk
    )


def _row(row: Any, kept: Register, today: date) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": str(row),
        "initiative": row.initiative.ref if kept.owned else None,
        "fields": kept.fields(row, today),
        "page": page_at(_page_of(row)),
    }


def _page_of(row: Any) -> str:
    if isinstance(row, Deployment):
        return f"{row.initiative.get_absolute_url()}deployments/"
    if isinstance(row, Link):
        return f"{row.initiative.get_absolute_url()}integration/"
    return row.term.get_absolute_url() if isinstance(row, TermDefinition) else row.get_absolute_url()
