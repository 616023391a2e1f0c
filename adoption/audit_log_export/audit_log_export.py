"""The audit log as a file for someone who does not trust us.

The file has entries, proofs, checkpoints, evidence, and their checker. Everything is written as it is read, so memory
does not grow with the audit log. The index page states what the file proves and what it does not. The file includes
`governance/offline/verify.py`, which checks it without Plumbline.
"""

import base64
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.template.loader import render_to_string

from governance import clock
from governance.audit_log import entries
from governance.database import replica
from governance.database.row_history import acting
from governance.models import Checkpoint, Rulebook
from governance.offline import verify
from governance.storage import file_fingerprints
from governance.transparency_log import sealing, signing_keys, witnesses
from governance.transparency_log.merkle_tree import Tree
from governance.transparency_log.recomputation import Log, one_look, stream
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.readable_text import shown
from initiatives.lifecycle.activity import entry_wording as activity_entry_wording
from initiatives.models import Initiative

MOST_ACTS = 5000  # in the index page; all are in entries.jsonl
PROOFS_A_TREE = 512  # after so many proofs the hashes read for them are forgotten
CHUNK = 1 << 20

SELECTED = """
  FROM governance_leaf l
  JOIN governance_entry e ON e.id = l.entry_id
  JOIN governance_entrybody b ON b.entry_id = e.id
 WHERE l.position < %(size)s AND {scope}
"""
ENTRIES = "SELECT l.position, l.data, l.hash, b.body, b.salt" + SELECTED + " ORDER BY l.position"
ACTS = (
    """
SELECT l.position, e.at, e.initiative_ref, e.kind, e.simulated, b.body
"""
    + SELECTED
    + " AND e.\"table\" = '' ORDER BY l.position LIMIT %(most)s"
)
# Each checkpoint that first covered something exported; of a longer time the last one of each day, and each that first
# covered a key by which people sign, so that it is seen to have been there before its first signature. Of each witness
# the last one that it cosigned. Of several of one size it is one with cosignatures.
CHECKPOINTS = (
    """
SELECT DISTINCT ON (c.size) c.size, c.note || coalesce(g.lines, '') FROM governance_checkpoint c
  LEFT JOIN LATERAL (SELECT string_agg(line, '' ORDER BY id) AS lines FROM governance_cosignature
                      WHERE checkpoint_id = c.id) g ON true
 WHERE c.size <= %(size)s AND (c.id IN (
  SELECT max(checkpoint_id) FROM governance_cosignature GROUP BY witness) OR c.id IN (
  SELECT {newest} FROM governance_checkpoint h WHERE h.id IN (
    SELECT s.checkpoint_id FROM governance_sealing s WHERE s.xact IN (SELECT e.xact"""
    + SELECTED
    + """)) {by_day}) OR c.id IN (
  SELECT s.checkpoint_id FROM governance_sealing s WHERE s.xact IN (SELECT e.xact"""
    + SELECTED
    + """ AND e."table" IN ('governance_passkey', 'governance_providerkey') AND e.operation = '+')))
 ORDER BY c.size, g.lines IS NULL, c.id
"""
)
EVIDENCE = (
    """
SELECT v.id, 'AI-' || lpad(i.number::text, greatest(4, length(i.number::text)), '0'), v.title, v.sha256, v.size,
       v.file, v.file_name
  FROM initiatives_evidence v
  JOIN initiatives_initiative i ON i.id = v.initiative_id
 WHERE v.id::text IN (SELECT e.key"""
    + SELECTED
    + """
   AND e."table" = 'initiatives_evidence' AND e.operation = '+' AND length(b.body) > 0)
 ORDER BY v.id
"""
)


@dataclass(frozen=True)
class Scope:
    """The scope of an export: one initiative, a period of days, or everything."""

    initiative: Initiative | None = None
    first: date | None = None
    last: date | None = None

    @property
    def whole(self) -> bool:
        """Return True if the scope is the whole audit log."""
        return self.initiative is None and self.first is None

    @property
    def said(self) -> dict[str, str]:
        """Return the scope for the manifest and for the entry that an export leaves."""
        if self.initiative is not None:
            return {"kind": "initiative", "initiative": self.initiative.ref}
        if self.whole:
            return {"kind": "all"}
        return {"kind": "period", "from": self.first.isoformat(), "to": self.last.isoformat()}

    def __str__(self) -> str:
        """Return the scope in words."""
        if self.initiative is not None:
            return f"initiative {self.initiative.ref}"
        return "the whole audit log" if self.whole else f"{self.first.isoformat()} to {self.last.isoformat()}"

    def sql(self) -> tuple[str, dict[str, Any]]:
        """Return a condition on the entry `e`, and its values."""
        if self.initiative is not None:
            return "e.initiative_ref = %(ref)s", {"ref": self.initiative.ref}
        if self.whole:
            return "true", {}
        ends = {"begins": clock.midnight_before(self.first), "ends": clock.midnight_after(self.last)}
        return "e.recorded_at >= %(begins)s AND e.recorded_at < %(ends)s", ends


@dataclass
class Exported:
    """The result of an export: counts, size of the tree, and missing evidence files."""

    entries: int = 0
    size: int = 0
    evidence: int = 0
    missing: list[str] = field(default_factory=list)


class NothingSealed(RuntimeError):
    """The error that no checkpoint exists yet, so that the export could prove nothing."""


def export(
    *,
    out: Path,
    scope: Scope,
    with_files: bool = False,
    held: Iterable[verify.Note] = (),
    by=None,
    system: str = "",
) -> Exported:
    """Write the export to `out`, which appears when it is complete.

    The export is recorded, and the file contains that entry. Only the user of this process can read the file. `held`
    are checkpoints that the receiver has. The export has proofs that this audit log begins with them. Raises
    NothingSealed, and OSError if the file cannot be written.
    """
    with acting(by=by, system=system, reason=f"Export of {scope}"):
        entries.record(
            EntryKind.AUDIT_LOG_EXPORTED, initiative=scope.initiative, scope=str(scope), with_files=with_files
        )
    sealing.seal()
    draft = out.with_name(f".{out.name}.{os.getpid()}")

    def write() -> Exported:
        with (
            one_look("default"),
            open(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            return _Writing(archive, re.sub(r"[^A-Za-z0-9._-]", "-", out.stem), scope, with_files).write(
                known
            )

    known = list(held)
    try:
        done = replica.read(write)
        os.replace(draft, out)
    finally:
        draft.unlink(missing_ok=True)
    return done


class _Writing:
    """One export being written: the files in the order in which they are known, the manifest last."""

    def __init__(self, archive: zipfile.ZipFile, folder: str, scope: Scope, with_files: bool) -> None:
        self.archive, self.folder, self.scope, self.with_files = archive, folder, scope, with_files
        self.files: dict[str, dict] = {}
        self.done = Exported()
        condition, values = scope.sql()
        self.final = Checkpoint.objects.order_by("-size", "-pk").first()
        if self.final is None:
            raise NothingSealed("No entry is sealed yet. Wait for the first checkpoint.")
        self.done.size = self.final.size
        self.values = values | {"size": self.final.size, "most": MOST_ACTS}
        self.condition = condition

    def write(self, held: Iterable[verify.Note]) -> Exported:
        """Write all files."""
        self._put("keys.txt", "".join(f"{key}\n" for key in [*signing_keys.known(), *witnesses.keys()]))
        self._checkpoints(held)
        with self._file("entries.jsonl") as put:
            for line in self._entries():
                put(line)
        self._evidence()
        self._put("index.html", self._index())
        self._put("verify.py", Path(verify.__file__).read_bytes())
        manifest = {
            "format": verify.EXPORT,
            "made_at": clock.now().isoformat(),
            "origin": self.final.origin,
            "scope": self.scope.said,
            "whole": self.scope.whole,
            "entries": self.done.entries,
            "size": self.final.size,
            "files": dict(self.files),
        }
        self._put(verify.MANIFEST, verify.manifest_bytes(manifest))
        return self.done

    @contextmanager
    def _file(self, name: str) -> Iterator:
        """Yield a function that writes bytes into the file. The fingerprint is kept for the manifest."""
        digest, size = hashlib.sha256(), 0
        with self.archive.open(f"{self.folder}/{name}", "w", force_zip64=True) as file:

            def put(content: bytes) -> None:
                nonlocal size
                digest.update(content)
                size += len(content)
                file.write(content)

            yield put
        self.files[name] = {"sha256": digest.hexdigest(), "size": size}

    def _put(self, name: str, content: str | bytes) -> None:
        with self._file(name) as put:
            put(content.encode() if isinstance(content, str) else content)

    def _rows(self, query: str, **parts: str) -> Iterator[tuple]:
        return stream("default", query.format(scope=self.condition, **parts), self.values)

    # --- Entries and heads ------------------------------------------------------------------------------------------

    def _entries(self) -> Iterator[bytes]:
        tree, final = Tree(), self.final
        for position, data, hash, body, salt in self._rows(ENTRIES):
            proof = None
            if not self.scope.whole:
                if self.done.entries % PROOFS_A_TREE == 0:
                    tree = Tree()
                proof = [encoded(hash) for hash in tree.inclusion(position, final.size)]
            self.done.entries += 1
            erased = not salt
            yield verify.line_bytes(
                {
                    "position": position,
                    "leaf": data.decode(),
                    "hash": encoded(hash),
                    "body": None if erased else body.decode(),
                    "salt": None if erased else encoded(salt),
                    "proof": proof,
                }
            )

    def _checkpoints(self, held: Iterable[verify.Note]) -> None:
        """Write the heads and those held, with proofs that the final head extends each."""
        by_initiative = self.scope.initiative is not None
        rows = self._rows(
            CHECKPOINTS,
            newest="h.id" if by_initiative else "max(h.id)",
            by_day="" if by_initiative else "GROUP BY h.at::date",
        )
        sizes = {note.size for note in held if note.size <= self.final.size}
        for size, note in rows:
            sizes.add(size)
            self._put(f"checkpoints/{size}.txt", note)
        self._put("checkpoints/final.txt", witnesses.cosigned_note(self.final))
        tree = Tree()
        with self._file("checkpoints/proofs.jsonl") as put:
            for size in sorted(sizes):
                proof = [encoded(hash) for hash in tree.consistency(size, self.final.size)]
                put(verify.line_bytes({"size": size, "proof": proof}))

    # --- Evidence ---------------------------------------------------------------------------------------------------

    def _evidence(self) -> None:
        lines = []
        with self._file("evidence.jsonl") as put:
            for key, ref, title, sha256, size, path, name in self._rows(EVIDENCE):
                file = None
                if self.with_files and path:
                    file = f"evidence/{key}.{extension(name)}"
                    if file_fingerprints.state(path, sha256) == file_fingerprints.THERE:
                        lines.append((file, path))
                    else:  # the list names a file that is not here: verify.py calls that wrong
                        self.done.missing.append(f"{ref}: {title}")
                self.done.evidence += 1
                fingerprint = {
                    "id": key,
                    "initiative": ref,
                    "title": title,
                    "sha256": sha256,
                    "size": size,
                    "file": file,
                }
                put(verify.line_bytes(fingerprint))
        for file, path in lines:
            with self._file(file) as put, default_storage.open(path) as source:
                while chunk := source.read(CHUNK):
                    put(chunk)

    # --- The page ---------------------------------------------------------------------------------------------------

    def _index(self) -> str:
        in_force = Rulebook.objects.in_force()
        rulebook = in_force.parsed if in_force else None
        acts = []
        for position, at, ref, kind, simulated, body in self._rows(ACTS):
            told = json.loads(body) if body else {}
            acts.append(
                {
                    "position": position,
                    "at": at,
                    "ref": ref,
                    "who": told["actor"]["name"] if told else "",
                    "words": activity_entry_wording.sentence(kind, told.get("facts") or {}, rulebook)
                    if told
                    else "",
                    "reason": told.get("reason", ""),
                    "kind": kind,
                    "erased": not told,
                    "simulated": simulated,
                }
            )
        context = {
            "scope": self.scope,
            "made_at": clock.now(),
            "done": self.done,
            "final": self.final,
            "acts": acts,
            "cut": len(acts) == MOST_ACTS,
            "with_files": self.with_files,
            "keys": signing_keys.known(),
            "witnesses": witnesses.keys(),
        }
        return shown(render_to_string("adoption/audit_log_export/export_index.html", context))


def encoded(content: bytes) -> str:
    """Return the content in Base64, as verify.py reads it."""
    return base64.b64encode(content).decode()


def extension(name: str) -> str:
    """Return the extension of a file's name if every system takes it, else "bin"."""
    end = name.rpartition(".")[2].lower()
    return end if re.fullmatch(r"[a-z0-9]{1,8}", end) else "bin"


def held_notes(contents: Iterable[bytes]) -> list[verify.Note]:
    """Return the checkpoints of this log that someone holds. Raises verify.Rejected."""
    log = Log.read("default")
    return [log.check(content) for content in contents]
