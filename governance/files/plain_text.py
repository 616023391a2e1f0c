"""Text that people read unchanged. Not a web page or a script under another name."""

import codecs
import re

from governance.files import NotTaken
from governance.tables.encodings import is_text, looks_like_a_page

WORD, PART = re.compile(r"[^\W_]+"), re.compile(r"\S+")


def check(content: bytes, extension: str) -> None:
    """Refuse what is not text, or is a page or script under another name."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise NotTaken("The text is in UTF-16. Save the text as UTF-8 and send the new file.")
    if not is_text(content):
        raise NotTaken(
            f"The content is not text, although the file ending is .{extension}. Open the file in its program, save "
            "it as PDF and send the PDF."
        )
    if looks_like_a_page(content):
        raise NotTaken(
            f"The content is a web page, a script or another kind of file, although the file ending is "
            f".{extension}. Save the content as PDF and send the PDF."
        )


def emptiness(text: str, question: str = "") -> str:
    """Return why a text is empty, with the fix, or "" if it may be an answer.

    Refused are blank texts, one character or one word again and again, and the words of `question` repeated. A reader
    judges if any other text is an answer.
    """
    said = text.casefold()
    letters = {letter for letter in set(said) if letter.isalnum()}
    if not letters:
        return "The answer has no words. Describe the facts."
    if len(letters) == 1:
        return "The answer repeats one character. Describe the facts in words."
    parts = (word for part in PART.finditer(said) if (word := "".join(WORD.findall(part.group()))))
    first, second = next(parts), next(parts, None)
    if first == second and all(part == first for part in parts):
        return "The answer repeats one word. Describe the facts."
    if question and WORD.findall(said) == WORD.findall(question.casefold()):
        return "The answer repeats the requirement. Answer in your own words."
    return ""
