"""Checks of the real type of a file by its bytes, never by its name. Each kind has one module.

Each `check` raises NotTaken with a sentence for the sender. The checks look for what could harm a reader: two files in
one, scripts, packed files, sizes that no machine can hold. They are not a virus scanner.
"""

import re

from governance.vocabulary.readable_text import shown

# What makes a browser, a shell or an office program take something for more than it claims to be.
ACTIVE = re.compile(
    rb"<\s*(?:!doctype\s+html|html|head|body|script|iframe|object|embed|svg|math|meta|link|style|base)\b|<\?php",
    re.IGNORECASE,
)
HEAD = 2048  # bytes; no browser looks further to guess what something is
ZIP_END = b"PK\x05\x06"
ZIP_TAIL = 66_000  # bytes from the end within which a zip archive has its directory's end


# Addresses that hand over a login or start a program when they are followed: files and shares of other machines, and
# the protocols by which office programs and shells are started. `far_link` says what they are after tidying.
LEADS_OUT = re.compile(
    r"//|(?:file|smb|cifs|nfs|davs?|webdav|ldaps?|mhtml|vbscript|search(?:-ms)?|ms-[a-z-]+|jar|res|shell|telnet):",
    re.IGNORECASE,
)
UNSEEN = re.compile("[\x00-\x20\u00a0\u200b-\u200f\ufeff]")
LONGEST_SHOWN = 80  # characters of an address in a refusal


def far_link(target: str) -> bool:
    """Return True if a link leads to a file, a share or a program, not to a web page or an email address."""
    return bool(LEADS_OUT.match(UNSEEN.sub("", target[:4_096]).replace("\\", "/")))


def named(text: str) -> str:
    """Return a name or address of a file as a refusal shows it: its start, with hidden characters spelled out."""
    said = " ".join(shown(text[: 4 * LONGEST_SHOWN]).split())
    return f"“{said}”" if len(said) <= LONGEST_SHOWN else f"“{said[:LONGEST_SHOWN]}…”"


class NotTaken(ValueError):
    """The content is not taken. The sentence contains the reason and what to send instead."""


def not_two_in_one(content: bytes, what: str) -> None:
    """Refuse a file that another program would take for something else: a web page, a PDF or an archive as well."""
    head = content[:HEAD]
    if ACTIVE.search(head) or (b"%PDF-" in head[:1024] and not head.startswith(b"%PDF-")):
        raise NotTaken(
            f"The {what} begins with a web page or another document. Save the {what} again and "
            "send the new file."
        )
    if ZIP_END in content[-ZIP_TAIL:]:
        raise NotTaken(f"The {what} also contains an archive. Save the {what} again and send the new file.")
