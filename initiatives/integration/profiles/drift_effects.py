"""Effects of changed data: definitions in question, evidence that ends. Writes nothing."""

import hashlib
from dataclasses import dataclass

from governance.audit_log.entries import canonical
from governance.models import User
from initiatives.integration.systems.permissions import may_change_system
from initiatives.lifecycle.changes.actions import would_void
from initiatives.models import Evidence, Initiative, Link, Profile, System, TermDefinition, Voiding

SOURCE_ITSELF = {"rows"}  # not what rows mean, but how many of them come
LONGEST = 300


@dataclass(frozen=True)
class Consequences:
    """The effects of a confirmed drift: trigger, definitions in question, voidings.

    `voidings` is by initiative. `relying` are the initiatives with evidence.
    """

    trigger: str
    what: str
    definitions: list[TermDefinition]
    voidings: dict[int, list[Voiding]]
    relying: frozenset[int]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the effects that a page shows before a confirmation."""
        rows = sorted((row.evidence_id, row.requirement) for some in self.voidings.values() for row in some)
        terms = sorted(row.pk for row in self.definitions)
        said = {
            "trigger": self.trigger,
            "what": self.what,
            "voids": [list(row) for row in rows],
            "terms": terms,
        }
        return hashlib.sha256(canonical(said)).hexdigest()


def initiatives_of(profile: Profile, person: User) -> set[int]:
    """Return keys of the initiatives in which this person's word on a profile counts.

    This is the initiative of the profile. If the person may change the system, all initiatives that are tied to the
    system or its collection count too.
    """
    row = System.objects.select_related("owner").get(pk=profile.system_id)
    if not may_change_system(row, person):
        return {profile.initiative_id}
    wanted = [key for key in (row.pk, row.collection_id) if key]
    links = Link.objects.current().filter(system__in=wanted)
    return {profile.initiative_id} | set(links.values_list("initiative", flat=True))


def consequences(profile: Profile, initiatives: list[Initiative]) -> Consequences:
    """Return what confirming this profile would do in these initiatives."""
    found = profile.changes
    trigger = "data_source" if {one["kind"] for one in found} <= SOURCE_ITSELF else "integration_schema"
    what = f"{profile.system}: {' '.join(one['words'] for one in found)}"
    what = what if len(what) <= LONGEST else what[: LONGEST - 1] + "\u2026"
    fields = {one["column"].casefold() for one in found if one["column"]}
    rows = TermDefinition.objects.current().filter(system=profile.system_id).select_related("term", "system")
    definitions = [row for row in rows if row.field.casefold() in fields]
    relied = set(
        Evidence.objects.filter(initiative__in=initiatives, withdrawn_at__isnull=True).values_list(
            "initiative", flat=True
        )
    )
    voided = {
        initiative.pk: would_void(initiative, [trigger], system=profile.system)
        for initiative in initiatives
        if initiative.pk in relied
    }
    return Consequences(trigger, what, definitions, voided, frozenset(relied))
