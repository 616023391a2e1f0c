"""Which addresses ask for a signature: by walking the list of addresses, and reading what each view calls."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from types import FunctionType
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, resolve

from governance.sign_in.signing import SigningForm
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PLAIN_ACTS, ROW_ACTS

OURS = ("governance.", "initiatives.", "adoption.")


def signing_addresses() -> set[str]:
    """Return the names of all addresses whose view makes a form that signs, and of all page steps with such a form."""
    views = {
        str(pattern.name) for pattern in _patterns(get_resolver()) if _makes_one(_plain(pattern.callback))
    }
    steps = {
        name
        for name, step in (INITIATIVE_ACTS | ROW_ACTS | PLAIN_ACTS).items()
        if step.signed or (isinstance(step.form, type) and issubclass(step.form, SigningForm))
    }
    return views | steps


def name_of(address: str) -> str:
    """Return the name of the address, or of the page step that it shows."""
    found = resolve(address)
    if found.url_name in ("initiative-act", "plain-act"):
        return str(found.kwargs["verb"])
    return (
        f"{found.kwargs['rows']}/{found.kwargs['verb']}"
        if found.url_name == "row-act"
        else str(found.url_name)
    )


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from _patterns(one)
        else:
            yield one


def _plain(view: Any) -> Any:
    """The view as it was written, below its decorators."""
    return inspect.unwrap(getattr(view, "func", view))


def _makes_one(view: Any) -> bool:
    waiting, seen = [view], set()
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            makes, calls = _read(one)
            if makes:
                return True
            waiting += calls
    return False


@cache
def _read(function: Any) -> tuple[bool, list[FunctionType]]:
    """Whether a function of ours makes such a form itself, and which other functions of ours it names."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False, []
    nodes = [*ast.walk(tree)]
    names = [node for node in nodes if isinstance(node, ast.Name | ast.Attribute)]
    own = {node.id for node in names if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    known = {name: value for name, value in function.__globals__.items() if name not in own}
    made = [_named(node.func, known) for node in nodes if isinstance(node, ast.Call)]
    if any(isinstance(one, type) and issubclass(one, SigningForm) for one in made):
        return True, []
    named = [_plain(_named(node, known)) for node in names]
    return False, [one for one in named if isinstance(one, FunctionType) and one.__module__.startswith(OURS)]


def _named(node: ast.AST, known: dict[str, Any]) -> Any:
    """What a name, or a name of a module, stands for; None for anything else."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return getattr(known.get(node.value.id), node.attr, None)
    return None
