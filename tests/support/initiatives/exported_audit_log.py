"""An unpacked export in the hands of somebody who changes it."""

import hashlib
import json
import random
from pathlib import Path

from governance.offline import verify


def resealed(folder: Path, **changes) -> None:
    """Make the manifest fit the files again, as somebody who knows how it is made would."""
    manifest = json.loads((folder / verify.MANIFEST).read_bytes()) | changes
    for name in manifest["files"]:
        content = (folder / name).read_bytes()
        manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    (folder / verify.MANIFEST).write_bytes(verify.manifest_bytes(manifest))


def flip_missed(chance: random.Random, folder: Path) -> str | None:
    """Flip one bit of one file, check, flip it back. None when the right file, and in it the right line, was named."""
    path = chance.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    name = path.relative_to(folder).as_posix()
    content = bytearray(path.read_bytes())
    place, bit = chance.randrange(len(content)), 1 << chance.randrange(8)
    line = content.count(b"\n", 0, place) + 1
    content[place] ^= bit
    path.write_bytes(content)
    try:
        verify.Export(folder).check()
        said = "nothing"
    except verify.Rejected as found:
        said = str(found)
    finally:
        content[place] ^= bit
        path.write_bytes(content)
    wanted = f"{name}, line {line}: " if name in (verify.ENTRIES, verify.EVIDENCE) else name
    return None if said.startswith(wanted) else f"{wanted}, bit {bit} of byte {place}: {said}"
