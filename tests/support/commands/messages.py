"""Bring what is marked for translation into the catalogue of a language: `make messages LANGUAGE=fr`.

New texts come in without a translation, those that nothing asks for any more go; what is translated stays.
"""

import ast
import io
import os
import re
import sys
from collections.abc import Iterator

import django
from babel.messages import pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
if __name__ == "__main__":
    django.setup()

from django.apps import apps
from django.utils.translation.template import templatize

from governance.rulebook.judgements import JUDGEMENTS
from governance.vocabulary import Words
from tests.support.paths import ROOT

APPS = ("governance", "initiatives", "adoption")
FUNCTIONS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "phrase": None,
}
# Calls whose texts pages look up where they show them, with the arguments that are texts: refusals, errors of forms
# and notes about what was done (`governance/vocabulary/phrases.py`, `_components/form_errors.html`, `base.html`).
LOOKED_UP = {
    "no": (0, 1),
    "Conflict": (0, 1),
    "Refused": (0, 1),
    "Reason": (0, 1),
    "ValidationError": (0,),
    "add_error": (1,),
    "success": (1,),
    "warning": (1,),
    "error": (1,),
    "info": (1,),
}
WORDS = {"text", "remedy"}  # arguments by name that are texts
# Babel takes a module apart slowly, and two of three call none of these.
CALLED = re.compile(rf"\b(?:{'|'.join(FUNCTIONS)})\(")


def sources() -> list[str]:
    """The files in which texts are marked, seen from the project's folder."""
    modules = (path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
    templates = (path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt"))
    return sorted(path.relative_to(ROOT).as_posix() for path in (*modules, *templates))


def marked_in(name: str) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    """The texts that a file has looked up, with their contexts; a pair is a text for one and one for more."""
    source, method = (ROOT / name).read_text(), "python"
    if not name.endswith(".py"):
        # Django makes calls of a template's tags, with everything else blanked out; only its indents are not Python.
        source, method = templatize(source), "javascript"
    if CALLED.search(source):
        for _, text, _, context in extract(method, io.BytesIO(source.encode()), FUNCTIONS):
            yield text, context
    if name.endswith(".py"):
        yield from ((text, None) for text in looked_up_in(ast.parse(source)))


def looked_up_in(tree: ast.AST) -> Iterator[str]:
    """The constant texts of `LOOKED_UP` in a module."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", None) or getattr(call.func, "attr", "")
        if name in ("success", "warning", "error", "info") and not _of_messages(call.func):
            continue
        for number in LOOKED_UP.get(name, ()):
            yield from _constants(call.args[number]) if number < len(call.args) else ()
        if name in LOOKED_UP:
            for keyword in call.keywords:
                yield from _constants(keyword.value) if keyword.arg in WORDS else ()


def values_in(tree: ast.AST) -> dict[str, str]:
    """What the values of each phrase are, for translators: the expressions, in the order of the places."""
    return {
        call.args[0].value: ", ".join(ast.unparse(value) for value in call.args[1:])
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "phrase"
        and len(call.args) > 1
        and isinstance(call.args[0], ast.Constant)
    }


def _of_messages(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "messages"


def _constants(node: ast.expr) -> Iterator[str]:
    """The sentences among the values that an expression can have."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if " " in node.value:
            yield node.value
    elif isinstance(node, ast.IfExp | ast.BoolOp | ast.Dict | ast.List | ast.Tuple):
        inside = ("body", "orelse") if isinstance(node, ast.IfExp) else ("values", "elts")
        for part in inside:
            found = getattr(node, part, ())
            for one in found if isinstance(found, list) else [found]:
                yield from _constants(one) if isinstance(one, ast.expr) else ()


def vocabulary() -> set[str]:
    """Return the words of Plumbline that pages translate where they show them: labels of choices and of keys."""
    fields = [field for model in apps.get_models() for field in model._meta.get_fields()]
    labels = [label for field in fields for _, label in getattr(field, "flatchoices", None) or ()]
    labels += [label for kind in Words.__subclasses__() for label in kind.labels]
    return {word for word in (*map(str, labels), *JUDGEMENTS.values()) if not word.isdigit()}


def main(language: str) -> str:
    """Write the catalogue of the language, and say what it lacks."""
    asked = Catalog()
    for name in sources():
        values = values_in(ast.parse((ROOT / name).read_text())) if name.endswith(".py") else {}
        for text, context in marked_in(name):
            known = values.get(text) if isinstance(text, str) else None
            asked.add(text, context=context, auto_comments=[f"Values: {known}"] if known else ())
    for word in sorted(vocabulary()):
        asked.add(word)
    place = ROOT / "adoption/locale" / language / "LC_MESSAGES/django.po"
    catalogue = Catalog(locale=language, project="Plumbline", fuzzy=False, header_comment="")
    if place.exists():
        with place.open("rb") as file:
            catalogue = pofile.read_po(file, abort_invalid=True)
    catalogue.update(asked, no_fuzzy_matching=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as file:
        pofile.write_po(
            file, catalogue, width=None, sort_by_file=True, ignore_obsolete=True, no_location=True
        )
    empty = sum(not message.string or message.string == ("", "") for message in catalogue if message.id)
    return f"{place.relative_to(ROOT)}: {len(catalogue)} texts, {empty} without a translation"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say which language: make messages LANGUAGE=fr")
    print(main(sys.argv[1]))
