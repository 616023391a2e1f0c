"""What a backup holds of the interaction log beside its tables, put back: bodies that wait, and segments."""

import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings

from governance.interaction_log import segments
from governance.models import InteractionBatch
from governance.runtime.spool_files import sync_folder
from governance.storage.backup import INTERACTIONS, BackupTrouble, evidence_place, sha256_of


def put(folder: Path, manifest: dict[str, Any]) -> int:
    """Put the files of a backup into their places; how many. Raises BackupTrouble where another file has one."""
    base = Path(settings.INTERACTIONS_DIR)
    names = manifest.get("interactions", [])
    for name in names:
        evidence_place(name)  # leads nowhere else
        target, place = base / PurePosixPath(name), f"{INTERACTIONS}/{name}"
        if target.exists():
            with open(target, "rb") as there:
                if sha256_of(there) != manifest["files"][place]["sha256"]:
                    raise BackupTrouble(
                        f"the interaction log has another file {target}; set PLUMBLINE_DATA to a new folder."
                    )
            continue
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = target.with_name(f"{target.name}.draft")
        shutil.copyfile(folder / place, draft)
        draft.chmod(0o400 if target.suffix == ".parquet" else 0o600)
        draft.rename(target)
        sync_folder(target.parent)
    return len(names)


def take_out_unknown(made_at: datetime) -> None:
    """Take out of the segments what the tables of the backup do not have: it was written after their moment.

    Their batches will be numbered anew, and must not find bodies of others under their number.
    """
    first = made_at.date() - timedelta(days=1)  # clocks of hosts differ
    for segment in segments.segments():
        if segment.day >= first:
            segments.keep_only(segment, _batches(segment))


def _batches(segment: segments.Segment) -> Iterable[int]:
    return list(InteractionBatch.objects.filter(day=segment.day).values_list("pk", flat=True))
