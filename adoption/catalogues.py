"""Translation files without the tools of gettext: read .po, write .mo, and say which texts the sources ask for.

The compiled files are kept beside their sources, so that nothing has to be installed or made at the start; a test
holds both to each other. Plurals and contexts are not used here, and refused.
"""

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import trim_whitespace

LOCALE = Path(__file__).parent / "locale"
MAGIC = 0x950412DE
LINE = re.compile(r'(?:(msgid|msgstr) )?(".*")')
TAG = re.compile(r"{%\s*translate\s+(\"[^\"]*\"|'[^']*')")
BLOCK = re.compile(r"{%\s*blocktranslate([^%]*)%}(.*?){%\s*endblocktranslate\s*%}", re.DOTALL)
VARIABLE = re.compile(r"{{\s*(\w+)\s*}}")


def read(text: str) -> dict[str, str]:
    """The texts of a .po file with their translations; the empty text is its head. Raises ValueError by line."""
    found: list[list[str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if (
            match is None
            or (match[1] != "msgid" and not found)
            or (match[1] == "msgstr" and len(found[-1]) != 1)
        ):
            raise ValueError(f"line {number} is not understood: {line[:60]}")
        part = ast.literal_eval(match[2])
        if match[1] == "msgid":
            found.append([part])
        elif match[1] == "msgstr":
            found[-1].append(part)
        else:
            found[-1][-1] += part
    if len({msgid for msgid, _ in found}) != len(found):
        raise ValueError("a text stands there twice")
    return dict(found)


def compiled(messages: dict[str, str]) -> bytes:
    """The same as a .mo file: texts in the order of their bytes, then their translations."""
    rows = sorted((msgid.encode(), msgstr.encode()) for msgid, msgstr in messages.items() if msgstr)
    head = 7 * 4
    start = head + 16 * len(rows)
    tables, body = [b"", b""], b""
    for column in (0, 1):
        for row in rows:
            tables[column] += struct.pack("<II", len(row[column]), start + len(body))
            body += row[column] + b"\0"
    first = struct.pack("<7I", MAGIC, 0, len(rows), head, head + 8 * len(rows), 0, start)
    return first + tables[0] + tables[1] + body


def sources() -> list[Path]:
    """The .po files of every language."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def asked_in_template(text: str) -> Iterator[str]:
    """The texts that a template has translated."""
    yield from (ast.literal_eval(found) for found in TAG.findall(text))
    for options, block in BLOCK.findall(text):
        asked = trim_whitespace(block) if "trimmed" in options.split() else block
        yield VARIABLE.sub(r"%(\1)s", asked)


def asked_in_module(text: str) -> Iterator[str]:
    """The texts that a module has translated."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "gettext", "gettext_lazy"):
            yield ast.literal_eval(node.args[0])
