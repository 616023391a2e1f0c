"""What initiatives contribute to retention and erasure: when they ended, which rows decide, what an item of proof
is.
"""

from governance import clock
from governance.contributions import InitiativeEnd, NamedProof
from governance.vocabulary import CLOSED_STAGES
from initiatives.initiative.act import lock, settle_standing
from initiatives.models import Evidence, Initiative, SignOff

DECISION_TABLES = [
    "initiatives_approvalanswer",
    "initiatives_approvalrequest",
    "initiatives_approvaluse",
    "initiatives_bodyterm",
    "initiatives_condition",
    "initiatives_drawnquestion",
    "initiatives_outputjudgement",
    "initiatives_outputsample",
    "initiatives_performancepromise",
    "initiatives_review",
    "initiatives_sampledoutput",
    "initiatives_signoff",
    "initiatives_stagechange",
    "initiatives_waiver",
]
HASHES_OF_TEXT = {
    ("initiatives_approvalrequest", "arguments"): "arguments_digest",
    ("initiatives_signoff", "statement"): "digest",
    ("initiatives_importrow", "raw"): "raw_digest",
}
ERASED_WHOLE = {("initiatives_approvalpreview", "content")}


def ends(refs: list[str] | None) -> list[InitiativeEnd]:
    """The initiatives of these references, or all: stopped, retired or withdrawn when, or not at all."""
    initiatives = Initiative.objects.all()
    if refs is not None:
        initiatives = initiatives.filter(number__in=[int(ref[3:]) for ref in refs if ref[3:].isdecimal()])
    return [
        InitiativeEnd(
            initiative.ref,
            initiative.title,
            initiative.since if initiative.stage in CLOSED_STAGES else initiative.withdrawn_at,
        )
        for initiative in initiatives.only("number", "title", "stage", "since", "withdrawn_at").iterator()
    ]


def proof_named(keys: list[int]) -> list[NamedProof]:
    """These items, and every other that has the same file: its content is stored once."""
    named = Evidence.objects.filter(pk__in=keys)
    files = [name for name in named.values_list("file", flat=True) if name]
    rows = named | Evidence.objects.filter(file__in=files)
    return [
        NamedProof(
            table=Evidence._meta.db_table,
            key=str(row.pk),
            initiative_ref=row.initiative.ref,
            values={
                "title": "erased",
                "note": "",
                "details": {},
                "file": "",
                "file_name": "",
                "sha256": "",
                "link": "",
                "missing_since": (row.missing_since or clock.now()).isoformat(),
            },
            terms=tuple(term for term in (row.title, row.file_name, row.sha256) if _names_it(term)),
            cited=SignOff.objects.filter(covered_evidence__contains=[row.pk]).exists(),
        )
        for row in rows.select_related("initiative").order_by("pk")
    ]


def _names_it(term: str) -> bool:
    """Whether a title or file name can be looked for without finding ordinary words."""
    return len(term) >= 12 or len(term.split()) > 1


def after_erasure(refs: set[str]) -> None:
    """Rewrite the standing of initiatives that lost proof."""
    for ref in sorted(refs):
        settle_standing(lock(Initiative.objects.get(number=int(ref[3:]))))
