"""The register of an initiative as evidence: its content of today, kept as a file."""

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from governance import clock
from governance.models import Rulebook, User
from governance.permission_result import no
from governance.vocabulary import EvidenceRegister
from initiatives.integration.record import register_text
from initiatives.lifecycle.evidence.actions import add_evidence
from initiatives.lifecycle.evidence.renewal import answered_by_the_register
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Evidence, Initiative

FILE_NAME = "register-{ref}.txt"


def record_register(*, initiative: Initiative, covers: list[str], by: User) -> Evidence:
    """Keep the present register as an item of evidence (`system_record`).

    The new item replaces the earlier one and takes over its requirements. The item is about the whole register, so
    that a change of any system voids it if the rulebook lists that. Raises ValidationError if `covers` is wrong,
    Refused without links.
    """
    if not covers or set(covers) - set(answered_by_the_register(Rulebook.objects.current().parsed)):
        raise ValidationError(
            {"covers": "Choose at least one requirement for which the register is the evidence."}
        )
    with act("record register", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if not initiative.links.current().exists():
            no("This initiative has no links yet.", "First add the links of the initiative.").or_refuse()
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
