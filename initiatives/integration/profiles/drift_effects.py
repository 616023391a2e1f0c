"""Effects of drift: definitions it puts in question, proof it ends. Writes nothing."""

import hashlib
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from governance.ledger.record import canonical
from governance.models import User
from initiatives.components.actions import would_void
from initiatives.integration.measurement.drift import drift
from initiatives.integration.systems.permissions import may_change_system
from initiatives.models import Evidence, Initiative, Link, Profile, System, TermDefinition, Voiding

SOURCE_ITSELF = {"volume", "late"}  # not what rows mean, but how many of them come, and when
LONGEST = 300


@dataclass(frozen=True)
class Consequences:
    """What confirming does: the trigger and its words, definitions in question, voidings by case, cases relying."""

    trigger: str
    what: str
    definitions: list[TermDefinition]
    voidings: dict[int, list[Voiding]]
    relying: frozenset[int]

    @property
    def digest(self) -> str:
        """What a page shows before it is confirmed, in one word: another list is another word."""
        rows = sorted((row.evidence_id, row.requirement) for some in self.voidings.values() for row in some)
        terms = sorted(row.pk for row in self.definitions)
        said = {
            "trigger": self.trigger,
            "what": self.what,
            "voids": [list(row) for row in rows],
            "terms": terms,
        }
        return hashlib.sha256(canonical(said)).hexdigest()


def check(earlier: Profile, later: Profile) -> None:
    """Raises ValidationError unless both are measured, of one system and case, and in their order."""
    if earlier.pk == later.pk or earlier.system_id != later.system_id:
        raise ValidationError("Compare two samples of one system.")
    if earlier.initiative_id != later.initiative_id:
        raise ValidationError("Compare two samples of one initiative.")
    if earlier.state != "measured" or later.state != "measured":
        raise ValidationError("Both samples have to be measured first.")
    if (earlier.taken_on, earlier.pk) > (later.taken_on, later.pk):
        raise ValidationError("The earlier sample comes first.")


def findings(earlier: Profile, later: Profile) -> list[dict]:
    """What changed from one measured profile to the other (`profiling.drift`)."""
    return drift(_plain(earlier), _plain(later))


def _plain(profile: Profile) -> dict:
    return {
        "rows": profile.rows,
        "columns": profile.columns,
        "findings": profile.findings,
        "taken_on": profile.taken_on,
    }


def cases_of(later: Profile, person: User) -> set[int]:
    """Keys of the cases in which this person's word on the later sample counts: the sample's own.

    Where the person may change the system: all that are tied to it, or to the collection it is a member of.
    """
    row = System.objects.select_related("owner").get(pk=later.system_id)
    if not may_change_system(row, person):
        return {later.initiative_id}
    wanted = [key for key in (row.pk, row.collection_id) if key]
    links = Link.objects.standing().filter(system__in=wanted)
    return {later.initiative_id} | set(links.values_list("initiative", flat=True))


def consequences(
    earlier: Profile, later: Profile, found: list[dict], cases: list[Initiative]
) -> Consequences:
    """What confirming these findings would do in these cases."""
    trigger = "data_source" if {one["kind"] for one in found} <= SOURCE_ITSELF else "integration_schema"
    what = f"{later.system}: {' '.join(one['words'] for one in found)}"
    what = what if len(what) <= LONGEST else what[: LONGEST - 1] + "\u2026"
    fields = {name.strip().casefold() for one in found for name in one["column"].split(",") if name.strip()}
    rows = TermDefinition.objects.standing().filter(system=later.system_id).select_related("term", "system")
    definitions = [row for row in rows if row.field.casefold() in fields]
    relied = set(
        Evidence.objects.filter(initiative__in=cases, withdrawn_at__isnull=True).values_list(
            "initiative", flat=True
        )
    )
    voided = {
        case.pk: would_void(case, [trigger], system=later.system) for case in cases if case.pk in relied
    }
    return Consequences(trigger, what, definitions, voided, frozenset(relied))
