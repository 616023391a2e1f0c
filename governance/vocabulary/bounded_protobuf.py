"""Bounds on protobuf from outside: messages are counted before objects are built.

Texts are read as bytes. A message of two bytes becomes objects of some hundred bytes, so the length of a request does
not bound its memory.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import ModuleType
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # how a field is written


class Malformed(ValueError):
    """The bytes are not a message of the kind."""


class TooMany(ValueError):
    """The message holds more messages of a kind, or deeper ones, than is read.

    `kind` is the full name of the kind, or empty if all other kinds together are too many. `counts` has the number of
    earlier messages of each watched kind.
    """

    def __init__(self, kind: str, counts: Mapping[str, int]):
        super().__init__(kind)
        self.kind, self.counts = kind, counts


class Schema:
    """The messages of some compiled files, read with every text as bytes.

    A message is kept if one of its texts was cut within a character.
    """

    def __init__(
        self, *files: ModuleType, most: Mapping[str, int], most_others: int, nested: str, deepest: int
    ):
        """`most` bounds messages of a kind by full name, `most_others` all other kinds together.

        Messages of the kind `nested` contain each other at most `deepest` levels deep.
        """
        self._files, self._most, self._most_others = files, most, most_others
        self._nested, self._deepest = nested, deepest
        self._inner: dict[str, dict[int, str]] = {}

    @cached_property
    def _pool(self) -> descriptor_pool.DescriptorPool:
        pool = descriptor_pool.DescriptorPool()
        for module in self._files:
            file = descriptor_pb2.FileDescriptorProto()
            module.DESCRIPTOR.CopyToProto(file)
            for message in _all(file.message_type):
                for one in message.field:
                    if one.type == FieldDescriptor.TYPE_STRING:
                        one.type = FieldDescriptor.TYPE_BYTES
            pool.Add(file)
        return pool

    def parsed(self, kind: str, body: bytes) -> Any:
        """Return the message of this kind (full name) that `body` is. Raises TooMany, Malformed."""
        _Walk(self, body).through(kind, 0, len(body), 0)
        try:
            return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(kind)).FromString(body)
        except DecodeError:
            raise Malformed(kind) from None

    def inner(self, kind: str) -> dict[int, str]:
        """Return the fields of a kind that are messages: by number, the kind of each."""
        if kind not in self._inner:
            fields = self._pool.FindMessageTypeByName(kind).fields
            self._inner[kind] = {
                one.number: one.message_type.full_name for one in fields if one.message_type is not None
            }
        return self._inner[kind]


def _all(messages: Iterable[Any]) -> Iterable[Any]:
    for message in messages:
        yield message
        yield from _all(message.nested_type)


class _Walk:
    """One walk through the bytes of a message, which stops at the first bound."""

    def __init__(self, schema: Schema, body: bytes):
        self._schema, self._body = schema, body
        self._counts = dict.fromkeys(schema._most, 0)
        self._others = 0

    def through(self, kind: str, at: int, end: int, depth: int) -> None:
        """Count the messages within one of this kind. Raises TooMany, Malformed."""
        body, inner = self._body, self._schema.inner(kind)
        if kind == self._schema._nested:
            depth += 1
            if depth > self._schema._deepest + 1:
                raise TooMany(kind, self._counts)
        try:
            while at < end:
                tag, at = _number(body, at)
                wire = tag & 7
                if wire == _BYTES:
                    length, at = _number(body, at)
                    stop = at + length
                    if stop > end:
                        raise Malformed(kind)
                    if (child := inner.get(tag >> 3)) is not None:
                        self._count(child)
                        self.through(child, at, stop, depth)
                    at = stop
                elif wire == _VARINT:
                    _, at = _number(body, at)
                elif wire == _FIXED64:
                    at += 8
                elif wire == _FIXED32:
                    at += 4
                else:
                    raise Malformed(kind)
        except IndexError:
            raise Malformed(kind) from None

    def _count(self, kind: str) -> None:
        if kind in self._counts:
            self._counts[kind] += 1
            if self._counts[kind] > self._schema._most[kind]:
                raise TooMany(kind, self._counts)
        else:
            self._others += 1
            if self._others > self._schema._most_others:
                raise TooMany("", self._counts)


def _number(body: bytes, at: int) -> tuple[int, int]:
    """Return the number (varint) at `at` and the next place. Raises IndexError, Malformed."""
    found = body[at]
    at += 1
    if found > 0x7F:
        found &= 0x7F
        for shift in range(7, 70, 7):
            part = body[at]
            at += 1
            found |= (part & 0x7F) << shift
            if part <= 0x7F:
                return found, at
        raise Malformed("a number has more than ten bytes")
    return found, at
