"""What evidence says against itself: found in the rows of whatever database is asked, without the product's verdicts.

Each function yields sentences. `compared` counts how much was looked at, so that silence can be told from no look.
"""

from collections import Counter
from collections.abc import Iterator

from governance import clock
from governance.gates import remarks
from governance.models import Rulebook
from governance.vocabulary import EvidenceKind, Stage
from governance.vocabulary.readable_text import sentence_key
from initiatives.models import (
    Deployment,
    Drill,
    Evidence,
    Initiative,
    Link,
    SupportedStagePeriod,
    Verification,
)

RUNNING = (Stage.MVP, Stage.PRODUCTION)
WITHOUT_PAGES = ("text/csv", "application/json", "application/jsonl", "text/plain")


def all_of(compared: Counter) -> Iterator[str]:
    """Everything that contradicts something else."""
    for find in (subjects, drills, counts, verifications, governance_tests, models_declared):
        yield from find(compared)


def subjects(compared: Counter) -> Iterator[str]:
    """Items that cover a requirement about something else."""
    asked = Rulebook.objects.current().parsed.requirements
    rows = Evidence.objects.filter(withdrawn_at__isnull=True).prefetch_related("coverage")
    for item in rows.select_related("initiative"):
        for cover in item.coverage.all():
            compared["subjects of evidence"] += 1
            if not asked[cover.requirement].takes(item.kind, item.details.get("tested", "")):
                yield f"{item.initiative.ref}: “{item.title}” is about something else than {cover.requirement}."


def drills(compared: Counter) -> Iterator[str]:
    """Links of production without a fallback drill of their own that production is not said to lack."""
    drilled = set(Drill.objects.current().filter(kind="fallback").values_list("link", flat=True))
    rows = Link.objects.filter(ended_at__isnull=True, initiative__stage=Stage.PRODUCTION)
    for link in rows.select_related("initiative", "system"):
        compared["links and their drills"] += 1
        said = link.initiative.requirement_findings.current().filter(source__startswith=f"drill:{link.pk}:")
        if link.pk not in drilled and not said.exists():
            yield f"{link.initiative.ref}: the link to {link.system} was no drill yet, and nothing says so."


def counts(compared: Counter) -> Iterator[str]:
    """Titles and forms that state another count than their rows."""
    for item in Evidence.objects.filter(withdrawn_at__isnull=True).select_related("initiative"):
        if remarks.rows_of(item.kind, item.details) is not None:
            compared["stated counts"] += 1
        if said := remarks.stated_beside_found(item.kind, item.title, item.details):
            yield f"{item.initiative.ref}: “{item.title}”: {said}."


def verifications(compared: Counter) -> Iterator[str]:
    """Sentences used on two artefacts, verdicts without time to read, pages of what has none, and no refusal at all."""
    seen: dict[tuple[int, str], str] = {}
    refused = 0
    rows = Verification.objects.select_related("evidence__initiative", "opening").order_by("pk")
    for one in rows:
        compared["verifications"] += 1
        refused += not one.shows
        of = f"{one.evidence.initiative.ref}: {one.verifier_id} on “{one.evidence.title}”"
        key = (one.verifier_id, sentence_key(one.words))
        if seen.setdefault(key, one.fingerprint) != one.fingerprint:
            yield f"{of} uses a sentence again: {one.words}"
        if one.at <= one.opening.at:
            yield f"{of} took no time."
        if one.evidence.content_type in WITHOUT_PAGES and "page" in one.place.lower():
            yield f"{of} names a page of a file without pages."
    if compared["verifications"] > 50 and not refused:
        yield "Nobody ever refused."


def governance_tests(compared: Counter) -> Iterator[str]:
    """Initiatives in production without a key that asked or a log, whose governance test reads as passed."""
    rows = SupportedStagePeriod.objects.covering(clock.now()).filter(initiative__stage=Stage.PRODUCTION)
    for row in rows.select_related("initiative"):
        compared["governance tests of production"] += 1
        if row.runs_without and row.governance == "passes":
            yield f"{row.initiative.ref}: governance passes without {', '.join(row.runs_without)}."


def models_declared(compared: Counter) -> Iterator[str]:
    """Running initiatives with a test of a model and no model in the register of components."""
    for initiative in Initiative.objects.filter(stage__in=RUNNING).exclude(basis="import"):
        compared["models of initiatives"] += 1
        tested = initiative.evidence.filter(kind=EvidenceKind.TEST_REPORT, details__tested="quality")
        if (
            tested.exists()
            and not Deployment.objects.filter(initiative=initiative, version__layer="model").exists()
        ):
            yield f"{initiative.ref}: a model was tested and none is declared."
