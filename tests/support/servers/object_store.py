"""A store as S3 has it, in this process: for the buckets of tests."""

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

import boto3
from django.conf import settings
from django.core.cache import cache
from django.test import override_settings
from moto.server import ThreadedMotoServer

from governance.storage import data_folder

ACCOUNT = {"access_key": "tester", "secret_key": "a secret of tests"}


@contextlib.contextmanager
def running() -> Iterator[str]:
    """The address of a server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


class Admin:
    """The storage admin: makes a bucket of the server, and may do anything to what lies in it."""

    def __init__(self, endpoint: str, *, locks: bool = False):
        self.bucket, self.endpoint = f"files-{secrets.token_hex(6)}", endpoint
        self.client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCOUNT["access_key"],
            aws_secret_access_key=ACCOUNT["secret_key"],
        )
        self.client.create_bucket(Bucket=self.bucket, ObjectLockEnabledForBucket=locks)

    def told(self, **more: Any) -> dict[str, Any]:
        """The arguments of the bucket, as the settings give them."""
        place = {"bucket_name": self.bucket, "location": "plumbline", "region_name": "us-east-1"}
        return place | {"endpoint_url": self.endpoint} | ACCOUNT | more

    def get(self, name: str) -> bytes:
        """The bytes of a file."""
        return self.client.get_object(Bucket=self.bucket, Key=f"plumbline/{name}")["Body"].read()

    def put(self, name: str, content: bytes) -> None:
        """Overwrite a file."""
        self.client.put_object(Bucket=self.bucket, Key=f"plumbline/{name}", Body=content)

    def remove(self, name: str) -> None:
        """Delete a file."""
        self.client.delete_object(Bucket=self.bucket, Key=f"plumbline/{name}")

    def names(self) -> set[str]:
        """What is there."""
        found = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {one["Key"].removeprefix("plumbline/") for one in found}


def files_in(here: dict | None, **more: Any) -> Any:
    """From here on the files lie in another store, of one or more."""
    cache.clear()  # which has the mark of a bucket
    options = {"here": here, "former": [], "keys": [], "encrypts": False} | more
    storages = settings.STORAGES | {"default": settings.STORAGES["default"] | {"OPTIONS": options}}
    return override_settings(STORAGES=storages)


@contextlib.contextmanager
def marked(here: dict | None, **more: Any) -> Iterator[None]:
    """The files lie in another store, which the database names."""
    with files_in(here, **more):
        data_folder.take()
        yield
