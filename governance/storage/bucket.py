"""A bucket of an S3-compatible store, in place of the folder of files.

Needs the extra `s3`. No address of a file is ever given out: Plumbline serves files itself.
"""

import base64
import contextlib
import hashlib
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from governance import clock
from governance.storage.kept_files import PASSING, StoreAway
from governance.storage.sealed_files import temporary

TAKEN = ("PreconditionFailed", "ConditionalRequestConflict")  # codes for a name that is not free
CHUNK = 1 << 18
SECONDS = 5, 30  # to connect, and to wait for an answer


class Bucket(S3Storage):
    """The files below a prefix of a bucket. Locked for some days if `lock_days` is set."""

    def __init__(self, *, lock_days: int = 0, endpoint_url: str | None = None, **options: Any):
        self.lock_days = lock_days
        connect, read = SECONDS
        config = Config(
            connect_timeout=connect,
            read_timeout=read,
            retries={"total_max_attempts": 2, "mode": "standard"},
            # Stores other than that of Amazon often know buckets only in the path, and no checksums in trailers.
            s3={"addressing_style": "path" if endpoint_url else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(
            endpoint_url=endpoint_url or None, file_overwrite=False, client_config=config, **options
        )

    @property
    def address(self) -> str:
        """Return the address in the form of the setting."""
        return f"s3://{self.bucket_name}/{self.location}".rstrip("/")

    def exists(self, name: str) -> bool:
        """Return True if the bucket has the file. Raises StoreAway."""
        with self._answering():
            return super().exists(name)

    def delete(self, name: str) -> None:
        """Delete the file. In a bucket with versions, the version stays until its lock ends. Raises StoreAway."""
        with self._answering():
            super().delete(name)

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        """Return the names of folders and files below a path. Raises StoreAway."""
        with self._answering():
            return super().listdir(name)

    def get_modified_time(self, name: str) -> datetime:
        """Return when the file was stored. Raises FileNotFoundError, StoreAway."""
        with self._answering():
            return super().get_modified_time(name)

    def _open(self, name: str, mode: str = "rb") -> File:
        found = temporary()
        with self._answering():
            answer = self.bucket.Object(self._key(name)).get()
            with contextlib.closing(answer["Body"]) as body:
                shutil.copyfileobj(body, found, CHUNK)
        found.seek(0)
        return File(found, name)

    def _save(self, name: str, content: File) -> str:
        """Put the file under its name, or under another if the name is taken. The store compares the checksum."""
        content.seek(0)
        digest = hashlib.file_digest(content, "sha256").digest()
        options: dict[str, Any] = {
            "ChecksumAlgorithm": "SHA256",
            "ChecksumSHA256": base64.b64encode(digest).decode(),
            "IfNoneMatch": "*",
        }
        if self.lock_days and clean_name(name).partition("/")[0] not in PASSING:
            until = clock.now() + timedelta(days=self.lock_days)
            options |= {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        while True:
            content.seek(0)
            try:
                with self._answering():
                    self.bucket.Object(self._key(name)).put(Body=content, **options)
                return clean_name(name)
            except FileExistsError:
                name = self.get_available_name(name)

    def _key(self, name: str) -> str:
        return self._normalize_name(clean_name(name))

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn what the store says into FileNotFoundError, FileExistsError and StoreAway."""
        try:
            yield
        except ClientError as trouble:
            code = trouble.response.get("Error", {}).get("Code", "")
            if code in ("NoSuchKey", "404"):
                raise FileNotFoundError(f"{self.address} does not have the file") from None
            if code in TAKEN:
                raise FileExistsError(f"{self.address} has a file of this name") from None
            raise StoreAway(f"the store {self.address} refuses ({code})") from trouble
        except BotoCoreError as trouble:
            raise StoreAway(
                f"the store {self.address} does not answer ({type(trouble).__name__})"
            ) from trouble
