"""Secrets of a request: its personal data and copy, under a key to be destroyed.

The key is an InteractionKey without an initiative (number 0). So it follows changes of the master, is in the list of
destroyed keys, and is destroyed again after a restore.
"""

import json
from dataclasses import asdict, dataclass

from governance.interaction_log import bodies, keys
from governance.interaction_retention import destroyed
from governance.models import InteractionKey
from initiatives.models import RequestSecret, SubjectExport, SubjectRequest

NO_INITIATIVE = 0


@dataclass(frozen=True)
class Person:
    """The person who asks: name, address, identifiers, words, texts to search."""

    name: str
    contact: str
    identifiers: tuple[str, ...]
    words: str = ""
    texts: tuple[str, ...] = ()

    def named_in(self, text: str) -> bool:
        """Return True if a text for the audit log names the person."""
        said = text.casefold()
        known = (self.name, self.contact, *self.identifiers, *self.texts)
        return any(len(one) > 2 and one.casefold() in said for one in known)

    @property
    def pseudonyms(self) -> dict[str, bytes]:
        """Return by identifier the pseudonym that rows contain."""
        return {one: keys.pseudonym("subject", one) for one in self.identifiers}


def _holder(request: SubjectRequest) -> bytes:
    return keys.pseudonym("request of a person", str(request.pk))


def _key(request: SubjectRequest) -> bytes:
    pair = (_holder(request), keys.month_of(request.recorded_at))
    return keys.for_writing(NO_INITIATIVE, [pair])[pair][1]


def _closed(request: SubjectRequest, content: bytes) -> dict[str, bytes]:
    own = bodies.new_key()
    return {"wrapped": bodies.wrapped(own, _key(request)), "content": bodies.closed(content, own)}


def keep(request: SubjectRequest, person: Person) -> None:
    """Keep the data on the person, in place of the earlier data. Raises NoMaster."""
    sealed = _closed(request, json.dumps(asdict(person), ensure_ascii=False).encode())
    RequestSecret.objects.update_or_create(request=request, export=None, defaults=sealed)


def keep_file(request: SubjectRequest, export: SubjectExport, content: bytes) -> None:
    """Keep the file of a copy. Raises NoMaster."""
    RequestSecret(request=request, export=export, **_closed(request, content)).save()


def person_of(request: SubjectRequest) -> Person | None:
    """Return the person who asks, or None once the request is forgotten. Raises NoMaster."""
    content = _opened(request, request.secrets.filter(export__isnull=True).first())
    if content is None:
        return None
    said = json.loads(content)
    return Person(
        said["name"], said["contact"], tuple(said["identifiers"]), said["words"], tuple(said["texts"])
    )


def file_of(export: SubjectExport) -> bytes | None:
    """Return the file of a copy, or None once it is gone. Raises NoMaster."""
    return _opened(export.request, RequestSecret.objects.filter(export=export).first())


def _opened(request: SubjectRequest, row: RequestSecret | None) -> bytes | None:
    key = InteractionKey.objects.filter(holder=_holder(request), wrapped__isnull=False).first()
    if row is None or key is None:
        return None
    under = keys.for_reading([key.pk])[key.pk]
    return bodies.opened(bytes(row.content), bodies.unwrapped(bytes(row.wrapped), under))


def forget_file(export: SubjectExport) -> None:
    """Remove the file of a copy."""
    RequestSecret.objects.filter(export=export).delete()


def forget(request: SubjectRequest) -> int:
    """Destroy the keys of a request and remove the contents. Return the number of keys."""
    there = InteractionKey.objects.filter(holder=_holder(request), wrapped__isnull=False)
    gone = keys.destroy(there.values_list("pk", flat=True))
    request.secrets.all().delete()
    destroyed.write_later()
    return gone
