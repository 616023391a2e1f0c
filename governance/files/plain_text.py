"""Text: what people read as it stands. Not a web page or a script that was given another name."""

import codecs
import re

from governance.files import NotTaken
from governance.tables.encodings import is_text, looks_like_a_page

WORD, PART = re.compile(r"[^\W_]+"), re.compile(r"\S+")


def check(content: bytes, extension: str) -> None:
    """Refuse what is not text, or is a page or script under another name."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise NotTaken("The text is in UTF-16; save it as UTF-8 and send that.")
    if not is_text(content):
        raise NotTaken(f"The content is not text, although it is named .{extension}.")
    if looks_like_a_page(content):
        raise NotTaken(
            f"The content is a web page, a script or another kind of file, although it is named .{extension}. "
            "Save what it shows as PDF and send that."
        )


def emptiness(text: str, question: str = "") -> str:
    """Why a text says nothing, as a sentence that says how to fix it; "" where it may say something.

    Refused are blank texts, one character or one word again and again, and the words of `requirement` given back.
    Whether what else is written is an answer, a reader judges.
    """
    said = text.casefold()
    letters = {letter for letter in set(said) if letter.isalnum()}
    if not letters:
        return "There is not a word in it: say what is so."
    if len(letters) == 1:
        return "It is one character and nothing else: say in words what is so."
    parts = (word for part in PART.finditer(said) if (word := "".join(WORD.findall(part.group()))))
    first, second = next(parts), next(parts, None)
    if first == second and all(part == first for part in parts):
        return "It is one word again and again: say what is so."
    if question and WORD.findall(said) == WORD.findall(question.casefold()):
        return "These are the words of the requirement: answer it in your own."
    return ""
