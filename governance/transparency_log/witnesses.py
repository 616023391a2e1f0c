"""Witnesses: other organisations that cosign a checkpoint after they checked that the audit log only grew.

The requests follow c2sp.org/tlog-witness, and the signatures c2sp.org/tlog-cosignature. A witness keeps the newest
checkpoint that it cosigned. It cosigns the next one only with a proof that the new one continues the last one, so a
rewritten audit log gets no further cosignature. Their keys are not ours: the settings have only the public ones.
"""

import base64
import http.client
import re
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from governance import clock
from governance.database.request_memo import once
from governance.models import Checkpoint, Cosignature, WitnessRefusal
from governance.offline import verify
from governance.runtime import outgoing_request
from governance.runtime.outgoing_request import Answer
from governance.transparency_log import sealing, signing_keys
from governance.transparency_log.merkle_tree import Tree
from governance.vocabulary.readable_text import shown

SECONDS = 10.0  # to wait for one witness
LONGEST = 1 << 16  # bytes of an answer
LONGEST_WORDS = 200  # characters of a fault, which can hold words of the witness
LATE = timedelta(days=1)  # without a cosignature, after which admins are told
SIZE = re.compile(rb"(?:0|[1-9][0-9]{0,18})\n?\Z")


class NotCosigned(RuntimeError):
    """A witness did not cosign the checkpoint. The text has the reason and what to do."""


class Contradicted(NotCosigned):
    """A witness has cosigned another audit log under this name."""


@dataclass(frozen=True)
class Progress:
    """The last cosignature of a witness, its last refusal, and since when a checkpoint waits (None: none waits)."""

    name: str
    size: int
    at: datetime | None
    waits_since: datetime | None
    refusal: str

    @property
    def late(self) -> bool:
        """Return True if a checkpoint waits for longer than a day."""
        return self.waits_since is not None and self.waits_since < clock.now() - LATE


# --- Asking ---------------------------------------------------------------------------------------------------------


def cosign() -> None:
    """Have each witness cosign the newest checkpoint, if it has not yet.

    Every witness is asked, and its refusal is kept until it cosigns. Then a group of NotCosigned is raised, with one
    for each that did not cosign.
    """
    troubles = []
    refusals = WitnessRefusal.objects.using(sealing.database())
    for url, key in settings.WITNESSES:
        try:
            _cosign(url, key)
        except NotCosigned as why:
            troubles.append(why)
            said = {"contradicted": isinstance(why, Contradicted), "words": str(why)}
            refusals.update_or_create(witness=str(key), defaults=said)
        else:
            refusals.filter(witness=str(key)).delete()
    if troubles:
        raise ExceptionGroup("Not every witness cosigned.", troubles)


def _cosign(url: str, key: verify.VerifierKey) -> None:
    using = sealing.database()
    checkpoint, old = _newest(using), _cosigned_size(str(key), using)
    if checkpoint is None or checkpoint.size <= old:
        return
    answer = _ask(url, key, checkpoint, old)
    size = _size_in(answer)
    if size is not None and size != old:  # it has cosigned more or less than is known here
        checkpoint, old = _newest(using) or checkpoint, size
        if size > checkpoint.size:
            raise Contradicted(
                f"The witness {key.name} cosigned {size} entries, but this audit log has {checkpoint.size}. Entries "
                "were removed, or an older backup was restored. Ask the witness for its checkpoint, and run "
                "verify_audit_log --checkpoint FILE."
            )
        answer = _ask(url, key, checkpoint, old)
    if answer.status != 200:
        raise _refused(key, answer.status, old)
    row = Cosignature(checkpoint=checkpoint, witness=str(key), line=_line_in(answer.content, key, checkpoint))
    Cosignature.objects.using(using).bulk_create([row], ignore_conflicts=True)


def _newest(using: str) -> Checkpoint | None:
    return Checkpoint.objects.using(using).order_by("-size", "-pk").first()


def _cosigned_size(witness: str, using: str) -> int:
    """Return the size up to which the witness is known to have cosigned, or 0."""
    rows = Cosignature.objects.using(using).filter(witness=witness)
    return rows.order_by("-checkpoint").values_list("checkpoint__size", flat=True).first() or 0


def _ask(url: str, key: verify.VerifierKey, checkpoint: Checkpoint, old: int) -> Answer:
    """Return the answer to the checkpoint with the proof that it continues one of `old` entries."""
    try:
        proof = Tree(sealing.database()).consistency(old, checkpoint.size)
    except verify.Rejected as gap:
        raise NotCosigned(f"{gap} Run verify_audit_log.") from None
    lines = [f"old {old}", *(base64.b64encode(hash).decode() for hash in proof), "", checkpoint.note]
    question = urllib.request.Request(
        f"{url}/add-checkpoint", "\n".join(lines).encode(), {"Content-Type": "text/plain; charset=utf-8"}
    )
    try:
        return outgoing_request.ask(question, seconds=SECONDS, longest=LONGEST)
    except (OSError, http.client.HTTPException, ValueError) as trouble:
        why = getattr(trouble, "reason", trouble)
        said = shown(str(getattr(why, "strerror", "") or why)[:LONGEST_WORDS])
        raise NotCosigned(
            f"The witness {key.name} does not answer ({said}). Check its address in PLUMBLINE_WITNESSES, or ask its "
            "operator."
        ) from None


def _size_in(answer: Answer) -> int | None:
    """Return the size that the witness cosigned last, if that is its answer."""
    if answer.status == 409 and answer.kind == "text/x.tlog.size" and SIZE.match(answer.content):
        return int(answer.content)
    return None


def _refused(key: verify.VerifierKey, status: int, old: int) -> NotCosigned:
    """Return the refusal of a witness in words."""
    if status in (409, 422):
        return Contradicted(
            f"The witness {key.name} cosigned another audit log up to {old} entries ({status}). An entry was changed "
            "or removed. Ask the witness for its checkpoint, and run verify_audit_log --checkpoint FILE."
        )
    words = {
        403: "does not know the key of this audit log",
        404: "does not know this audit log",
    }
    own = signing_keys.signer(signing_keys.origin(sealing.database())).vkey
    if status in words:
        return NotCosigned(f"The witness {key.name} {words[status]} ({status}). Give it the key {own}.")
    return NotCosigned(f"The witness {key.name} answers with status {status}. Ask its operator.")


def _line_in(content: bytes, key: verify.VerifierKey, checkpoint: Checkpoint) -> str:
    """Return the line of this witness in its answer, verified. Raises NotCosigned."""
    try:
        body, _ = verify.split_note(checkpoint.note)
        _, lines = verify.split_note(checkpoint.note.encode() + content)
        own = [line for line in lines if (line.name, line.key_id) == (key.name, key.key_id)]
        verify.cosignatures_of(body, own, [key])
    except verify.Rejected as why:
        raise NotCosigned(f"The witness {key.name} gave no valid cosignature: {why}") from None
    if not own:
        raise NotCosigned(
            f"The witness {key.name} signed with another key. Compare its key with PLUMBLINE_WITNESSES."
        )
    return verify.signature_line(own[0])


# --- What was cosigned ----------------------------------------------------------------------------------------------


def cosigned_note(checkpoint: Checkpoint) -> str:
    """Return the note of a checkpoint with the lines of its witnesses under it."""
    return checkpoint.note + "".join(checkpoint.cosignatures.order_by("pk").values_list("line", flat=True))


def keys(using: str = "default") -> list[str]:
    """Return the public keys of witnesses: those of the settings, then others that cosigned earlier."""
    earlier = Cosignature.objects.using(using).order_by("witness").values_list("witness", flat=True)
    return list(dict.fromkeys([*(str(key) for _, key in settings.WITNESSES), *earlier.distinct()]))


def progress() -> list[Progress]:
    """Return how far each witness of the settings cosigned."""
    return once(("witnesses",), _progress_of_all)


def _progress_of_all() -> list[Progress]:
    refusals = {row.witness: row.words for row in _refusals()}
    return [_progress(key, refusals) for _, key in settings.WITNESSES]


def _progress(key: verify.VerifierKey, refusals: dict[str, str]) -> Progress:
    rows = Cosignature.objects.filter(witness=str(key)).select_related("checkpoint")
    last = rows.order_by("-checkpoint").first()
    size = last.checkpoint.size if last else 0
    waiting = Checkpoint.objects.filter(size__gt=size).order_by("size", "pk")
    since = waiting.values_list("at", flat=True).first()
    return Progress(key.name, size, last.at if last else None, since, refusals.get(str(key), ""))


def failure() -> str:
    """Return in sentences why witnesses did not cosign when last asked, or "" if all did."""
    return " ".join(row.words for row in _refusals())


def contradicted() -> bool:
    """Return True if a witness cosigned another audit log when last asked."""
    return any(row.contradicted for row in _refusals())


def _refusals() -> list[WitnessRefusal]:
    """Return the refusals of the witnesses of the settings, those that contradict first."""
    rows = WitnessRefusal.objects.filter(witness__in=[str(key) for _, key in settings.WITNESSES])
    return list(rows.order_by("-contradicted", "pk")) if settings.WITNESSES else []
