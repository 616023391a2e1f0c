"""The layout holds: migrations run one way, only moves move, folders and names stay as docs/architecture.md says.

Who may import whom is in pyproject.toml (`make lint`).
"""

import ast
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FLOORS = ["governance", "initiatives", "adoption"]  # each may import what stands before it
# The project package: the only modules below that may name the apps above, and only by string (docs/architecture.md).
FRONT_HALL = {f"governance/{name}.py" for name in ("settings", "urls", "celery", "wsgi", "asgi")}
# The only modules that may call a transition: the moves, and the reported stages of imports.
MOVERS = {
    "initiatives/lifecycle/stages/actions.py",
    "initiatives/portfolio/imports/removal/actions.py",
    "initiatives/portfolio/imports/inventories/reported_stages.py",
}
# Acts that write what separates duties, and the audit log itself.
WRITERS = {
    "governance/audit_log/entries.py",
    "initiatives/lifecycle/requirements/actions.py",
    "initiatives/lifecycle/changes/actions.py",
    "initiatives/portfolio/imports/removal/actions.py",
    "initiatives/portfolio/imports/inventories/reported_stages.py",
    "initiatives/lifecycle/reviews/sign_offs/actions.py",
    "initiatives/lifecycle/stages/actions.py",
}
MOST_MODULES = 12
# Names of modules that mean the same in every noun; any other name is borne by one module.
KINDS = set(
    re.findall(
        r"\w+",
        """
__init__ __main__ actions admin api apps calendar charts contribution contributions entry_wording findings forms inbox
inbox_tasks mails permissions presentation preview queries remedies reminders search tasks urls views wording
""",
    )
)
# Django names the modules of these folders, or they are named after their nouns.
OWN_NAMES = ("/management/", "/migrations/", "/models/", "/demo/", "/templatetags/")
IN_FUNCTIONS = 10  # imports inside functions, apart from what waits for the apps to be ready
ALSO_WORDS = {"stop", "retire"}  # moves whose names others have too


@cache
def tree_of(path: Path) -> ast.Module:
    """A module as Python reads it, read once for all tests."""
    return ast.parse(path.read_text())


@cache
def nodes_of(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All nodes of a module, walked once for all tests."""
    return tuple(ast.walk(tree))


def modules(*, migrations=False):
    """Every module of the three floors, with its path and its tree."""
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if ("/migrations/" in name) == migrations:
                yield name, tree_of(path)


def imported(tree):
    """The top-level packages that a module imports, wherever in it."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("import_module", "import_string")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value).split(".")[0]


def above(name):
    return set(FLOORS[FLOORS.index(name.split("/")[0]) + 1 :])


def test_only_the_front_hall_names_the_apps_above():
    wrong = []
    for name, tree in modules():
        if name in FRONT_HALL:
            continue
        for node in nodes_of(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                label = node.value.split(".")[0]
                if label in above(name) and re.fullmatch(r"\w+\.[\w.]+", node.value):
                    wrong.append(f"{name} names {node.value}")
    assert wrong == []


def test_migrations_run_one_way():
    wrong = []
    for name, tree in modules(migrations=True):
        for node in nodes_of(tree):
            pair = [getattr(part, "value", None) for part in node.elts] if isinstance(node, ast.Tuple) else []
            depends = len(pair) == 2 and re.fullmatch(r"\d{4}_\w+|__\w+__", str(pair[1]))
            if depends and pair[0] in above(name):
                wrong.append(f"{name} depends on {pair[0]}")
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                label, _, model = node.value.partition(".")
                if label in above(name) and re.fullmatch(r"\w+", model):
                    wrong.append(f"{name} names {node.value}")
        wrong += [f"{name} imports {package}" for package in imported(tree) if package in above(name)]
    for path in ROOT.glob("*/migrations/*/*.sql"):
        name = path.relative_to(ROOT).as_posix()
        tables = re.findall(r"\b(\w+?)_\w+", path.read_text())
        wrong += [f"{name} names a table of {app}" for app in above(name) & set(tables)]
    assert wrong == []


MACHINE = ("initiatives/models/initiative.py", "initiatives/models/moves_of_reports.py")


def transitions():
    """The names of the moves, read from the models' source."""
    trees = [tree_of(ROOT / name) for name in MACHINE]
    return {
        node.name
        for tree in trees
        for node in nodes_of(tree)
        if isinstance(node, ast.FunctionDef)
        and any(
            isinstance(d, ast.Call) and getattr(d.func, "id", "") in ("move", "correction")
            for d in node.decorator_list
        )
    }


def test_only_the_moves_call_transitions():
    moves = transitions()
    assert len(moves) == 16, moves
    wrong = []
    for name, tree in modules():
        if name in MOVERS:
            continue
        for node in nodes_of(tree):
            if isinstance(node, ast.Attribute) and node.attr in moves:
                owner = node.value.id if isinstance(node.value, ast.Name) else ""
                if (
                    owner == "actions"
                    or owner.endswith(("_actions", "_views"))
                    or (node.attr in ALSO_WORDS and name.startswith("governance/"))
                ):
                    continue  # the act of the same name; a server that stops
                wrong.append(f"{name}:{node.lineno} {owner}.{node.attr}")
            if isinstance(node, ast.Constant) and node.value in moves - ALSO_WORDS:
                wrong.append(f"{name}:{node.lineno} names {node.value}")
            if isinstance(node, ast.ImportFrom) and "make_move" in {one.name for one in node.names}:
                wrong.append(f"{name}:{node.lineno} imports make_move")
    assert wrong == []


def test_transition_bodies_are_one_sentence_and_nothing_else():
    nodes = [node for name in MACHINE for node in nodes_of(tree_of(ROOT / name))]
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and node.name in transitions():
            assert len(node.body) == 1, f"{node.name} does something"
            assert ast.get_docstring(node).count("\n") == 0, node.name


def test_only_acts_write_what_separates_duties():
    # Sign-offs, stage changes and entries come from acts; pages, forms and reminders never write them.
    wrong = []
    for name, tree in modules():
        if name in WRITERS or "/models/" in name:
            continue
        for node in nodes_of(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "SignOff",
                "StageChange",
                "Entry",
                "Voiding",
            ):
                wrong.append(f"{name}:{node.lineno} makes a {node.func.id}")
    assert wrong == []


def test_no_signals_between_apps():
    # Django's own pre/post signals of migration, simple-history's stamp and what Celery says of its workers are wiring,
    # not a way to talk.
    allowed = {
        ("governance/database/row_history.py", "pre_create_historical_record"),
        ("governance/apps.py", "post_migrate"),
        ("governance/apps.py", "pre_migrate"),
        ("governance/operations/heartbeats.py", "signal"),
        ("governance/celery.py", "worker_init"),
        ("governance/celery.py", "beat_init"),
        ("governance/storage/embedded_postgres.py", "self"),  # a connection, no signal
    }
    wrong = []
    for name, tree in modules():
        for node in nodes_of(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "connect"
            ):
                signal = getattr(node.func.value, "id", getattr(node.func.value, "attr", ""))
                if (name, signal) not in allowed and not signal.startswith(("psycopg", "connection")):
                    wrong.append(f"{name}:{node.lineno} connects {signal}")
            called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if called in ("receiver", "Signal"):
                wrong.append(f"{name}:{node.lineno} {node.func.id}")
    assert wrong == []


def test_no_template_takes_words_for_markup():
    """Text is escaped where it is shown; what is markup was made safe where it was made."""
    trusting = re.compile(r"\|\s*safe(?:seq)?\b|autoescape\s+off")
    paths = (ROOT / "templates").rglob("*.html")
    assert [path.name for path in paths if trusting.search(path.read_text())] == []


def test_no_field_shows_a_reference_as_initiatives_bear_it():
    """A placeholder is on the page of everybody: a test that looks for an initiative there would find the
    forty-second.
    """
    shown = re.compile(r"placeholder\W{1,5}[^\n\"]*AI-\d{4}")
    paths = [*(ROOT / "templates").rglob("*.html"), *(ROOT / name for name, _ in modules())]
    assert [path.name for path in paths if shown.search(path.read_text())] == []


def test_no_test_takes_the_day_as_it_is_loaded():
    """What a module asks as it is loaded is yesterday's day to a suite that runs past midnight."""

    def asked(node):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"today", "now"}:
            yield node.lineno
        for part in at_loading(node):
            yield from asked(part)

    def at_loading(node):
        if isinstance(node, ast.FunctionDef):
            return [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        return () if isinstance(node, ast.Lambda) else ast.iter_child_nodes(node)

    wrong = [
        f"{path.name}:{line}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for line in asked(ast.parse(path.read_text()))
    ]
    assert wrong == []


def test_every_public_function_of_the_rules_says_what_it_means():
    silent = [
        f"{name}: {node.name}"
        for name, tree in modules()
        if name.startswith("governance/gates/") or Path(name).stem in ("actions", "permissions", "findings")
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_each_floor_is_there():
    # The other tests walk these folders; an empty walk would find nothing wrong.
    for migrations in (False, True):
        assert {name.partition("/")[0] for name, _ in modules(migrations=migrations)} == set(FLOORS)


def test_no_folder_holds_more_modules_than_one_can_look_over():
    held = Counter(
        Path(name).parent.as_posix()
        for name, _ in modules()
        if Path(name).stem != "__init__" and "/management/" not in name
    )
    assert {folder: count for folder, count in held.items() if count > MOST_MODULES} == {}


def test_a_name_has_one_meaning():
    named = defaultdict(list)
    for name, _ in modules():
        if Path(name).stem not in KINDS and not any(part in name for part in OWN_NAMES):
            named[Path(name).stem].append(name)
    assert {stem: names for stem, names in named.items() if len(names) > 1} == {}


def test_the_glossary_lists_the_names_of_modules_that_repeat():
    part = (ROOT / "docs/glossary.md").read_text().partition("## Names of modules that repeat")[2]
    assert {name for name in KINDS if "__" not in name} == set(re.findall(r"`(\w+)`", part))


def test_imports_stand_at_the_top():
    """What an app hangs up when it is ready is imported there; elsewhere each says why it stands inside a function."""
    inside, silent = [], []
    for name, tree in modules():
        lines = (ROOT / name).read_text().splitlines()
        for function in nodes_of(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or name.endswith("apps.py"):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    inside.append(f"{name}:{node.lineno}")
                    if "#" not in lines[node.lineno - 1]:
                        silent.append(f"{name}:{node.lineno}")
    assert silent == []
    assert len(set(inside)) <= IN_FUNCTIONS, inside
