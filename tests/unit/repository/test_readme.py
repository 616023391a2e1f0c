"""What README.md claims is what the code does."""

import re

import pytest
from django.core.management import get_commands

from adoption.demo import people
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text()
# Names that look like settings and are read by Django, Celery and the tests, not by us.
VARIABLE = re.compile(r"\b(?:PLUMBLINE_[A-Z_]+[A-Z]|DATABASE_URL|CELERY_[A-Z_]+_URL|EMAIL_URL)\b")


def own_commands() -> set[str]:
    return {name for name, app in get_commands().items() if app in ("governance", "initiatives", "adoption")}


def test_every_make_target_named_exists():
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", README))
    assert named - targets == set()
    assert targets - named <= {"help"}


def test_every_command_named_exists():
    named = set(re.findall(r"manage\.py ([a-z_]+)", README))
    assert named - set(get_commands()) == set()


def test_every_command_of_ours_is_named():
    assert own_commands() - set(re.findall(r"manage\.py ([a-z_]+)", README)) == set()


def test_every_variable_named_is_read_and_every_one_read_is_named():
    settings = "".join(
        (ROOT / "governance" / name).read_text() for name in ("settings.py", "runtime/environment.py")
    )
    read = set(
        re.findall(
            r"""(?:environ(?:\.get\(|\[)|yes_or_no\(|whole_number\(|host_names\(|environ, |^    ")\s*"([A-Z_]+)\"""",
            settings,
        )
    )
    read |= set(re.findall(r'"([A-Z_]+)" (?:not )?in os\.environ', settings))
    table = README.partition("## Settings")[2].partition("\n## ")[0]
    assert set(VARIABLE.findall(table)) == read


def test_links_to_files_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_the_logins_are_those_of_the_demo():
    table = README.partition("## A first hour")[2].partition("\n1. ")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^,|]+)", table, re.MULTILINE)
    assert [(login, name.strip()) for login, name in rows] == [(p.login, p.name) for p in people.logins()]


def test_what_the_first_hour_says_to_press_stands_on_pages():
    steps = README.partition("## A first hour")[2].partition("\n## ")[0].partition("\n1. ")[2]
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
    steps = README.partition("## A first hour")[2].partition("\n## ")[0]
    minutes = [int(found) for found in re.findall(r"\((\d+) min\)$", steps, re.MULTILINE)]
    assert len(minutes) == len(re.findall(r"^\d+\. ", steps, re.MULTILINE)) <= 14
    assert 50 <= sum(minutes) <= 65


@pytest.mark.parametrize("words", re.findall(r"(?<!\*)\*([A-Z][a-z][^*]+)\*(?!\*)", README))
def test_every_initiative_named_is_told_in_the_demo(words):
    from adoption.demo.initiatives import INITIATIVES

    assert words in {initiative.title for initiative in INITIATIVES.values()}


def test_the_initiative_an_outsider_may_not_see_is_told_before_the_outsiders():
    from adoption.demo.stories import STORIES

    number = int(re.search(r"/initiatives/AI-(\d+)/", README)[1])
    assert STORIES[number - 1].__name__ == "ready_for_the_chair"
