"""Every regular expression of the product: those that its modules hold, and those that its source builds inline."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from types import ModuleType

from django import forms
from django.core.validators import RegexValidator

from tests.support.input.growing import USES, Found, trees

FLAGS_AT = {"compile": 1, "split": 3, "sub": 4, "subn": 4}  # else 2
EVERY_USE = frozenset(("search", "fullmatch", "sub"))


def found() -> tuple[list[Found], list[str]]:
    """Return all patterns, each once, and the places that build one from a variable: path::function."""
    sources = trees()
    for path, tree in sources.items():
        _insist_on_plain_imports(path, tree)
    patterns: dict[tuple, tuple[str, set[str]]] = {}

    def add(place: str, source, flags: int, uses) -> None:
        known = patterns.setdefault((source, flags), (place, set()))
        known[1].update(uses)

    built = []
    for path, tree in sources.items():
        for function, call in _calls(tree):
            one = _inline(call)
            if one is None:
                built.append(f"{path}::{function}")
            elif function:  # a module's own patterns are seen at run time
                add(f"{path}::{function}", *one)
    used = _uses(sources)
    for path in sources:
        module = importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        for name, pattern in _held(module):
            add(f"{path}::{name}", pattern.pattern, pattern.flags & ~re.UNICODE, used.get(name) or EVERY_USE)
    every = [Found(place, *key, frozenset(uses)) for key, (place, uses) in patterns.items()]
    return every, sorted(set(built))


def _insist_on_plain_imports(path: str, tree: ast.Module) -> None:
    """Raise AssertionError where `re` is imported under another name, so that its calls are not seen here."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.module not in ("re", "regex"), f"{path} imports from {node.module}: write import re"
        elif isinstance(node, ast.Import):
            for name in node.names:
                assert name.name != "regex", f"{path} imports regex"
                assert name.name != "re" or not name.asname, f"{path} calls re {name.asname}"


def _calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of `re`, with the name of its function; "" at the level of the module."""

    def walk(node: ast.AST, inside: str) -> Iterator[tuple[str, ast.Call]]:
        for child in ast.iter_child_nodes(node):
            name = inside
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                name = child.name
            elif (
                isinstance(child, ast.Call)
                and isinstance(child.func, ast.Attribute)
                and isinstance(child.func.value, ast.Name)
                and child.func.value.id == "re"
                and child.func.attr in (*USES, "compile")
            ):
                yield inside, child
            yield from walk(child, name)

    return walk(tree, "")


def _inline(call: ast.Call) -> tuple[str | bytes, int, list[str]] | None:
    """The source, flags and use of a call whose pattern is written out; None where it is put together."""
    name, first = call.func.attr, call.args[0]
    if not isinstance(first, ast.Constant):
        return None
    at = FLAGS_AT.get(name, 2)
    flags = next((word.value for word in call.keywords if word.arg == "flags"), None)
    flags = flags or (call.args[at] if len(call.args) > at else None)
    value = eval(ast.unparse(flags), {"re": re}) if flags else 0
    return first.value, int(value), [name] if name != "compile" else list(EVERY_USE)


def _uses(sources: dict[str, ast.Module]) -> dict[str, set[str]]:
    """By the name of a pattern: the methods that are called on it anywhere."""
    used = defaultdict(set)
    for tree in sources.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in USES:
                if isinstance(node.value, ast.Name):
                    used[node.value.id].add(node.attr)
                elif isinstance(node.value, ast.Attribute):
                    used[node.value.attr].add(node.attr)
    return used


def _held(module: ModuleType) -> Iterator[tuple[str, re.Pattern]]:
    """Patterns in the names of a module, in its collections, classes, forms, fields and validators."""
    for name, value in vars(module).items():
        if not name.startswith("__"):
            for pattern in _within(value, module.__name__, 0):
                yield name, pattern


def _within(value, module: str, depth: int) -> Iterator[re.Pattern]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, RegexValidator):
        yield value.regex
    elif isinstance(value, forms.Field):
        for one in value.validators:
            yield from _within(one, module, depth)
    elif depth > 4:
        return
    elif isinstance(value, dict):
        for part in (*value.keys(), *value.values()):
            yield from _within(part, module, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _within(part, module, depth + 1)
    elif isinstance(value, type) and value.__module__ == module:
        for part in list(vars(value).values()):
            yield from _within(part, module, depth + 1)
        for part in getattr(value, "base_fields", {}).values():
            yield from _within(part, module, depth + 1)
        if hasattr(value, "_meta") and hasattr(value._meta, "get_fields") and not value._meta.abstract:
            for part in value._meta.concrete_fields:
                for one in part.validators:
                    yield from _within(one, module, depth + 1)
