"""Second looks: blind looks by another verifier at drawn verifications."""

from django.db.models import CharField, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast

from governance import clock
from governance.audit_log import entries
from governance.gates import drawing
from governance.models import Entry, Rulebook, User
from governance.people.permissions import may_audit
from governance.permission_result import no
from governance.transparency_log import sealing
from governance.vocabulary import RUNNING_STAGES
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.signers import accounts_of
from initiatives.lifecycle.evidence.verification.permissions import may_verify
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Answer, Initiative, SecondLook, Verification

MOST = 200  # drawn at once
ROUND = "second looks"  # what the order of a draw is made of, beside the root and the initiative


def current() -> QuerySet[Verification]:
    """Return current verifications of running initiatives that are not refused."""
    pair = {"evidence": OuterRef("evidence"), "requirement": OuterRef("requirement")}
    said = Answer.objects.filter(
        initiative=OuterRef("evidence__initiative"), requirement=OuterRef("requirement")
    )
    refused = Verification.objects.filter(
        **pair, answer_version=OuterRef("answer_version"), shows=False, pk__gt=OuterRef("pk")
    )
    return Verification.objects.filter(
        ~Exists(refused),
        shows=True,
        answer_version=Subquery(said.values("version")),
        evidence__coverage__requirement=F("requirement"),
        evidence__withdrawn_at__isnull=True,
        evidence__superseded_by__isnull=True,
        evidence__initiative__stage__in=RUNNING_STAGES,
        evidence__initiative__withdrawn_at__isnull=True,
    )


def waiting() -> QuerySet[Verification]:
    """Return verifications that count, were drawn, and wait for their second look."""
    return current().filter(drawn__isnull=False, second__isnull=True)


def open_for(initiative: Initiative, person: User) -> dict[tuple[int, str], Verification]:
    """Return by item and requirement the open second looks of this person.

    A person who gave an earlier verdict on the item for this answer does not look a second time.
    """
    own = Verification.objects.filter(
        verifier__in=accounts_of(person),
        evidence=OuterRef("evidence"),
        requirement=OuterRef("requirement"),
        answer_version=OuterRef("answer_version"),
    )
    rows = waiting().filter(~Exists(own), evidence__initiative=initiative).select_related("evidence")
    rulebook = Rulebook.objects.current().parsed
    return {
        (row.evidence_id, row.requirement): row
        for row in rows
        if may_verify(initiative, row.evidence, rulebook, row.requirement, person)
    }


def refuse_before_looking(initiative: Initiative, person: User) -> None:
    """Raise Refused if the person's second look would see a first verdict."""
    row = next(iter(open_for(initiative, person).values()), None)
    if row is not None:
        no(
            phrase(
                "Your second verification of {} is not done yet, and this page quotes the first verifier.",
                row.evidence,
            ),
            "Open the item and choose whether it shows the answer.",
            f"/initiatives/{initiative.ref}/evidence/{row.evidence_id}/verify/{row.requirement}/",
        ).or_refuse()


def draw(*, size: int, initiative: Initiative | None, reason: str, by: User) -> list[SecondLook]:
    """Draw this many verifications that count for a second look.

    They are of one initiative or of all. The root of the newest checkpoint decides. The candidates are the
    verifications that it sealed, one for an item and requirement, without earlier drawn ones (docs/adr/0017).
    """
    with act("draw second looks", by=by, initiative=initiative, reason=reason):
        may_audit(by).or_refuse()
        head = sealing.newest()
        if head is None:
            no(
                "The audit log has no checkpoint yet.",
                "Wait for the first checkpoint of the audit log, then draw the sample again.",
            ).or_refuse()
        sealed = Entry.objects.filter(
            table=Verification._meta.db_table,
            key=OuterRef("text_key"),
            operation="+",
            leaf__position__lt=head.size,
        )
        drawn = SecondLook.objects.filter(
            verification__evidence=OuterRef("evidence"),
            verification__requirement=OuterRef("requirement"),
            verification__answer_version=OuterRef("answer_version"),
        )
        found = current().annotate(text_key=Cast("pk", CharField()))
        found = found.filter(Exists(sealed), ~Exists(drawn))
        if initiative is not None:
            found = found.filter(evidence__initiative=initiative)
        pairs = {
            (item, requirement): pk
            for pk, item, requirement in found.order_by("-pk").values_list("pk", "evidence", "requirement")
        }
        if not pairs:
            no(
                "No sealed verification is left for a second verification.",
                "Draw the sample again after more evidence is verified.",
            ).or_refuse()
        root, ref = bytes(head.root), initiative.ref if initiative is not None else ""
        order = [int(key) for key in drawing.in_order(root, ref, ROUND, map(str, pairs.values()))]
        rows = [
            SecondLook(verification_id=key, checkpoint=head, drawn_by=by, drawn_at=clock.now())
            for key in order[:size]
        ]
        for row in rows:
            row.save()
        entries.record(
            EntryKind.SECOND_LOOKS_DRAWN,
            initiative=initiative,
            checkpoint=head.size,
            root=root.hex(),
            number=len(rows),
            drawn=order[:size],
            among=order,
        )
    return rows
