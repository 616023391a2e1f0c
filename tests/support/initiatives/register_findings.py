"""What tests of the register ask: what it says against an initiative now, the digest of a link, evidence that names a
system.
"""

from datetime import timedelta

from adoption.demo import artefacts
from governance import clock
from governance.database.row_history import acting
from initiatives.integration.systems import findings as system_findings
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.models import Evidence, EvidenceNames, Initiative, Link, System, Voiding


def against(initiative: Initiative, requirement: str = "", *, in_days: int = 0) -> list[str]:
    """What the register says against the initiative now, in words; of one requirement alone where it is named.

    Where none is, what links do not say of failure is left out: test_drills asks that. `in_days`: then, if nobody
    finds out what is unknown now.
    """
    then = clock.now() + timedelta(days=in_days)
    rows = initiative.requirement_findings.current().filter(since__lte=then).order_by("requirement", "pk")
    wanted = rows.filter(requirement=requirement) if requirement else rows.exclude(requirement="int.fallback")
    return [row.words for row in wanted]


def voided(initiative: Initiative) -> set[str]:
    """Titles of the evidence that `data_source` ended."""
    rows = Voiding.objects.filter(evidence__initiative=initiative, trigger="data_source")
    return set(rows.values_list("evidence__title", flat=True))


def read(link: Link) -> str:
    """The digest of a link as it reads now."""
    link = Link.objects.get(pk=link.pk)
    return system_findings.digest(
        link, list(link.transfers.filter(ended_at__isnull=True).order_by("position"))
    )[1]


def evidence_about(
    cast, initiative: Initiative, title: str, *systems: System, covers: str = "int.residency"
) -> Evidence:
    """An item of evidence that speaks of these systems, or of none."""
    item = evidence_actions.add_evidence(
        initiative=initiative,
        kind="system_record",
        title=title,
        observed_on=clock.today(),
        covers=[covers],
        file=artefacts.pdf(title),
        by=cast.owner,
    )
    with acting(system="test", reason="What it speaks of"):
        for system in systems:
            EvidenceNames(evidence=item, system=system).save()
    return item
