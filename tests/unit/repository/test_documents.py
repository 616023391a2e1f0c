"""What README.md and docs/ claim is what the code does: commands, settings, the demo, words of pages."""

import re
import shlex

from django.core.management import CommandError, get_commands, load_command_class

from adoption.demo import people
from tests.support.paths import ROOT

DOCS = ROOT / "docs"
TUTORIAL = (DOCS / "tutorial.md").read_text()
PAGES = [ROOT / "README.md", *(page for page in sorted(DOCS.rglob("*.md")) if page.parent.name != "adr")]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text() for page in PAGES}
COMMANDS = (DOCS / "operate/commands.md").read_text()
# Names that look like settings and are read by Django, Celery and the tests, not by us.
VARIABLE = re.compile(r"\b(?:PLUMBLINE_[A-Z_]+[A-Z]|(?:DATABASE|CELERY_[A-Z_]+|EMAIL)_URL(?:_FILE)?)\b")


def own_commands() -> set[str]:
    return {name for name, app in get_commands().items() if app in ("governance", "initiatives", "adoption")}


def test_every_command_named_exists():
    named = {
        (page, name) for page, text in TEXTS.items() for name in re.findall(r"manage\.py ([a-z_]+)", text)
    }
    assert len(named) > 30
    wrong = [one for one in sorted(named) if one[1] not in get_commands()]
    assert not wrong, wrong


def test_every_command_of_ours_is_listed():
    assert own_commands() - set(re.findall(r"manage\.py ([a-z_]+)", COMMANDS)) == set()


def written_commands() -> list[str]:
    """Return every line of a code block that starts a command of Plumbline."""
    blocks = [block for text in TEXTS.values() for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]
    lines = [
        line.strip().removeprefix(".venv/bin/python ") for block in blocks for line in block.splitlines()
    ]
    return [line for line in lines if line.startswith("manage.py ")]


def test_every_command_written_takes_its_options():
    wrong, apps = [], get_commands()
    assert len(written_commands()) > 10
    for line in written_commands():
        _, name, *options = shlex.split(line, comments=True)
        app = apps[name]
        command = load_command_class(app, name) if isinstance(app, str) else app
        try:
            command.create_parser("manage.py", name).parse_args(options)
        except CommandError as error:
            wrong.append(f"{line}: {error}")
    assert not wrong, "\n".join(wrong)


def test_every_variable_named_is_read_and_every_one_read_is_named():
    settings = "".join(
        (ROOT / "governance" / name).read_text() for name in ("settings.py", "runtime/environment.py")
    )
    read = set(
        re.findall(
            r"""(?:environ(?:\.get\(|\[)|(?:yes_or_no|whole_number|host_names|witnesses)\(|environ, |^    ")\s*"""
            r'"([A-Z_]+)"',
            settings,
        )
    )
    for name in re.findall(r'(?:secret|another_database|key_seed)\("([A-Z_]+)"', settings):
        read |= {name, f"{name}_FILE"}
    assert set(VARIABLE.findall((DOCS / "operate/settings.md").read_text())) == read


def test_the_logins_are_those_of_the_demo():
    table = TUTORIAL.partition("\n1. ")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^,|]+)", table, re.MULTILINE)
    assert [(login, name.strip()) for login, name in rows] == [(p.login, p.name) for p in people.logins()]


def test_what_the_first_hour_says_to_press_stands_on_pages():
    steps = TUTORIAL.partition("\n1. ")[2]
    named = set(re.findall(r"“([^”]+)”", steps))
    assert len(named) > 30
    sources = [ROOT / "templates", *(ROOT / app for app in ("governance", "initiatives", "adoption"))]
    shown = "\n".join(
        path.read_text()
        for source in sources
        for path in source.rglob("*")
        if path.suffix in (".html", ".py") and "migrations" not in path.parts
    )
    assert {words for words in named if words not in shown} == set()


def test_the_first_hour_is_an_hour():
    steps = TUTORIAL
    minutes = [int(found) for found in re.findall(r"\((\d+) min\)$", steps, re.MULTILINE)]
    assert len(minutes) == len(re.findall(r"^\d+\. ", steps, re.MULTILINE)) <= 14
    assert 50 <= sum(minutes) <= 65


def test_every_initiative_named_is_told_in_the_demo():
    from adoption.demo.initiatives import INITIATIVES

    named = set(re.findall(r"(?<!\*)\*([A-Z][a-z][^*]+)\*(?!\*)", TUTORIAL))
    assert len(named) > 5
    assert named - {initiative.title for initiative in INITIATIVES.values()} == set()


def test_the_initiative_an_outsider_may_not_see_is_told_before_the_outsiders():
    from adoption.demo.stories import STORIES

    number = int(re.search(r"/initiatives/AI-(\d+)/", TUTORIAL)[1])
    assert STORIES[number - 1].__name__ == "enforced_production"
