"""Backups by rule: named by their time, encrypted to a public key, and removed when they are old.

An encrypted backup is one file: the folder that `backup.take` writes, as a tar in the format of age
(https://age-encryption.org/v1). The host that makes backups has only the public key, so a thief of the host reads no
backup.
"""

import contextlib
import os
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
from django.conf import settings

from governance import clock
from governance.storage import backup
from governance.storage.backup import BackupTrouble

NAME = "%Y-%m-%dT%H%M%SZ"
ENCRYPTED = ".tar.age"
PLAIN = ".plain"  # of a folder that is about to be encrypted
MARGIN = 100_000_000  # bytes that the disk keeps free beside a backup
ALL_OF, WEEKLY_OF = timedelta(days=7), timedelta(days=28)


def place() -> Path:
    """Return the folder of all backups. Raises BackupTrouble if none is set."""
    if settings.BACKUPS is None:
        raise BackupTrouble(
            "PLUMBLINE_BACKUPS is not set. Set it to a folder, or name the folder of this backup."
        )
    return settings.BACKUPS


def take(*, tell: Callable[[str], None] = lambda line: None) -> tuple[Path, dict[str, Any], str]:
    """Make the backup of this moment and remove old ones.

    Returns its path, its manifest and the SHA-256 of the manifest. Raises BackupTrouble.
    """
    folder, now = place(), clock.now()
    for left in {*folder.glob(f"*{PLAIN}*"), *folder.glob("*.partial")}:  # of a run that was killed
        remove(left)
    demand_room(folder)
    target = folder / now.astimezone(UTC).strftime(NAME)
    if settings.BACKUP_KEY:
        plain = target.with_name(f"{target.name}{PLAIN}")
        try:
            manifest = backup.take(plain, tell=tell)
            fingerprint = backup.fingerprint_of(plain)
            target = target.with_name(f"{target.name}{ENCRYPTED}")
            encrypt(plain, target, settings.BACKUP_KEY)
        finally:
            shutil.rmtree(plain, ignore_errors=True)
    else:
        manifest = backup.take(target, tell=tell)
        fingerprint = backup.fingerprint_of(target)
    for old in outdated(folder, now):
        remove(old)
        tell(f"Removed the backup {old.name}.")
    return target, manifest, fingerprint


def remove(path: Path) -> None:
    """Remove a backup, or the draft of one: a folder or a file."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def size_of(path: Path) -> int:
    """Return the bytes of a backup."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def demand_room(folder: Path) -> None:
    """Raise BackupTrouble if the disk has no room for a backup as large as the newest, and for its encrypted copy."""
    for newest in all_in(folder):
        needed, free = 2 * size_of(newest) + MARGIN, shutil.disk_usage(folder).free
        if free < needed:
            raise BackupTrouble(
                f"the disk of {folder} has {free // 1_000_000} MB left, and a backup needs {needed // 1_000_000} MB. "
                "Free disk space, or set PLUMBLINE_BACKUP_DAYS lower."
            )
        return


def all_in(folder: Path) -> dict[Path, datetime]:
    """Return the complete backups of a folder with their time, the newest first."""
    found = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(ValueError):
            found[path] = datetime.strptime(path.name.removesuffix(ENCRYPTED), NAME).replace(tzinfo=UTC)
    return dict(sorted(found.items(), key=lambda one: one[1], reverse=True))


def newest() -> Path:
    """Return the newest backup. Raises BackupTrouble if there is none."""
    for path in all_in(place()):
        return path
    raise BackupTrouble(f"{place()} has no backup. Run `manage.py backup`.")


def outdated(folder: Path, now: datetime) -> list[Path]:
    """Return the backups to remove: all but those of 7 days and the newest of each week for 28 days.

    Backups older than PLUMBLINE_BACKUP_DAYS go, because keys that were destroyed since are in them. The newest stays.
    """
    weeks: set[tuple[int, int]] = set()
    found = []
    for number, (path, moment) in enumerate(all_in(folder).items()):
        age, week = now - moment, moment.isocalendar()[:2]
        stays = age <= ALL_OF or (age <= WEEKLY_OF and week not in weeks)
        weeks.add(week)
        if number and (not stays or age > timedelta(days=settings.BACKUP_DAYS)):
            found.append(path)
    return found


# --- Encryption -------------------------------------------------------------------------------------------------------


def new_key(path: Path) -> str:
    """Write a new private key into a new file, and return its public key. Raises BackupTrouble."""
    key = pyrage.x25519.Identity.generate()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{key}\n")
    except OSError as trouble:
        raise BackupTrouble(f"{path} cannot be written ({trouble.strerror}). Name a new file.") from None
    return str(key.to_public())


def public_key(path: Path) -> str:
    """Return the public key of the private key in the file, which is made first if it is missing.

    Raises BackupTrouble.
    """
    if not path.exists():
        return new_key(path)
    return str(_private_key(path).to_public())


def _private_key(path: Path) -> pyrage.x25519.Identity:
    try:
        return pyrage.x25519.Identity.from_str(path.read_text().strip())
    except (OSError, ValueError, pyrage.IdentityError):
        raise BackupTrouble(
            f"{path} has no private key of a backup. Name the file with the private key."
        ) from None


def encrypt(folder: Path, target: Path, key: str) -> None:
    """Write the folder into one encrypted file, which gets its name when it is complete. Raises BackupTrouble."""
    draft = target.with_name(f"{target.name}.partial")
    receiver = pyrage.x25519.Recipient.from_str(key)
    draft.unlink(missing_ok=True)
    private = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with _piped(lambda end: _pack(folder, end)) as source, os.fdopen(private, "wb") as file:
        pyrage.encrypt_io(source, file, [receiver])
        file.flush()
        os.fsync(file.fileno())
    draft.rename(target)


@contextlib.contextmanager
def opened(path: Path, key: Path | None = None) -> Iterator[Path]:
    """Yield the folder of a backup, decrypted with the private key in the file `key` if the backup is encrypted.

    Raises BackupTrouble for a missing or wrong key, and for a file that was changed or cut off.
    """
    if path.is_dir() or not path.name.endswith(ENCRYPTED):
        yield path
        return
    if key is None:
        raise BackupTrouble(f"{path} is encrypted. Add --key with the file of the private key.")
    identity = _private_key(key)
    with tempfile.TemporaryDirectory(prefix="plumbline-backup-") as room:
        folder = Path(room) / path.name.removesuffix(ENCRYPTED)
        try:
            with _piped(lambda end: _decrypt(path, end, identity)) as source:
                with tarfile.open(fileobj=source, mode="r|") as packed:
                    _unpack(packed, folder)
                while source.read(backup.CHUNK):  # the tar has ended, and what follows must be genuine too
                    pass
        except (pyrage.DecryptError, tarfile.TarError, OSError, ValueError) as trouble:
            raise BackupTrouble(
                f"{path} was changed or cut off, or {key} is another key, so the backup cannot be decrypted. Use "
                "another copy or the right key."
            ) from trouble
        yield folder


def _pack(folder: Path, end: Any) -> None:
    with tarfile.open(fileobj=end, mode="w|") as packed:
        packed.add(folder, arcname=".")


def _unpack(packed: tarfile.TarFile, folder: Path) -> None:
    """Write the files and folders of the tar. Raises ValueError for a link, and for a path out of the folder."""
    for member in packed:
        target = folder / member.name
        if not (member.isfile() or member.isdir()) or not target.resolve().is_relative_to(folder.resolve()):
            raise ValueError(member.name)
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        with open(target, "wb") as file:
            shutil.copyfileobj(packed.extractfile(member), file)


def _decrypt(path: Path, end: Any, identity: Any) -> None:
    with open(path, "rb") as file:
        pyrage.decrypt_io(file, end, [identity])


@contextlib.contextmanager
def _piped(write: Callable[[Any], None]) -> Iterator[Any]:
    """Yield a file to read what `write` writes meanwhile in a thread. Raises what `write` raises."""
    reads, writes = os.pipe()
    trouble: list[BaseException] = []

    def work() -> None:
        try:
            with os.fdopen(writes, "wb") as end:
                write(end)
        except BaseException as reason:  # told to whoever reads
            trouble.append(reason)

    thread = threading.Thread(target=work, name="pack a backup")
    thread.start()
    try:
        with os.fdopen(reads, "rb") as source:
            yield source
    except BaseException:
        thread.join()
        if trouble and not isinstance(trouble[0], BrokenPipeError):
            raise trouble[0] from None
        raise
    thread.join()
    if trouble:
        raise trouble[0]
