"""The register of an initiative as evidence: what it says today, kept as a file with its hash."""

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from governance import clock
from governance.models import Rulebook, User
from governance.permission_result import no
from governance.vocabulary import EvidenceRegister
from initiatives.integration.record import register_text
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence.actions import add_evidence
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Evidence, Initiative

FILE_NAME = "register-{ref}.txt"


def answered_by_the_register() -> list[str]:
    """Requirements that a record of the register can ground: those of the integration test that take one."""
    rulebook = Rulebook.objects.current().parsed
    asked = [rulebook.requirements[key] for key in rulebook.scale_tests["integration"].items]
    return [
        one.key
        for one in asked
        if "system_record" in one.evidence and one.min_evidence in ("", "system_record", None)
    ]


def record_register(*, initiative: Initiative, covers: list[str], by: User) -> Evidence:
    """Keep the register as it stands now as an item of evidence (`system_record`); it takes the place of the one
    before.

    It speaks of the whole register, so that a change of any system in it voids it where that is listed. Raises
    ValidationError where there is nothing to keep, or Refused.
    """
    if not covers or set(covers) - set(answered_by_the_register()):
        raise ValidationError({"covers": "Choose at least one requirement that the register answers."})
    with act("record register", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if not initiative.links.current().exists():
            no("No system is linked to this initiative yet.", "Add its links first.").or_refuse()
        name = FILE_NAME.format(ref=initiative.ref)
        earlier = initiative.evidence.filter(
            kind="system_record", file_name=name, superseded_by__isnull=True, withdrawn_at__isnull=True
        )
        earlier = earlier.order_by("-pk").first()
        # What is superseded no longer counts: the new one takes over all that the old one was offered for.
        kept = earlier.coverage.values_list("requirement", flat=True) if earlier else ()
        return add_evidence(
            initiative=initiative,
            kind="system_record",
            title=f"The register of {clock.today():%-d %B %Y}",
            observed_on=clock.today(),
            covers=list(dict.fromkeys([*covers, *kept])),
            file=ContentFile(register_text.as_text(initiative).encode(), name=name),
            supersedes=earlier,
            register=EvidenceRegister.INTEGRATION,
            by=by,
        )
