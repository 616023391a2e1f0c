"""H6 and L1: a text that takes its reader for ever stops no process; it is refused where it is typed."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ValidationError

from initiatives import actions
from initiatives.disagreeing import Definition, find, isolated
from initiatives.models import TermDefinition
from tests import factories

DOTS = "10 digits, check digit" + "." * 34 + "x"
SLASHES = "/" * 30_000
# Seconds of processor time; before, the first took minutes and the second half a minute.
COMPARE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
from initiatives.disagreeing import Definition, find
which, text = sys.argv[1], sys.stdin.read()
find(Definition("customer", "CRM", "id", **{which: text}), Definition("customer", "ERP", "no", **{which: "10 digits"}))
"""


@pytest.mark.parametrize(
    ("which", "text"), [("identifier_format", DOTS), ("business_logic", SLASHES)], ids=["H6", "L1"]
)
def test_the_two_texts_are_read_in_no_time(which, text):
    command = [sys.executable, "-c", COMPARE, which]
    subprocess.run(command, input=text, text=True, check=True, cwd=isolated.ROOT)


@pytest.fixture
def impatient(monkeypatch):
    """Comparisons are ended after a blink of processor time."""
    monkeypatch.setattr(isolated, "SECONDS", 0.02)
    monkeypatch.setattr(isolated, "_child", None)
    yield
    if isolated._child is not None:
        isolated._child.kill()
        isolated._child.wait()


def test_a_comparison_that_takes_too_long_is_ended_and_the_next_one_is_answered(impatient, monkeypatch):
    slow = Definition("customer", "CRM", "id", business_logic=SLASHES)
    with pytest.raises(isolated.TooLong, match="took too long"):
        isolated.find_all([(slow, isolated.PLAIN)])
    monkeypatch.setattr(isolated, "SECONDS", 10)
    one, other = (
        Definition("customer", name, "id", identifier_format=f"{n} digits")
        for name, n in (("A", 8), ("B", 9))
    )
    assert isolated.find_all([(one, other)]) == [find(one, other)] != [[]]


def test_what_takes_too_long_to_compare_is_not_written_down(cast, impatient):
    case = factories.make_mvp(cast)
    system = factories.make_system(cast, "CRM")
    factories.make_link(cast, case, system)
    term = actions.name_term(name="customer", by=cast.admin)
    with pytest.raises(ValidationError, match="fewer and plainer words"):
        actions.define(
            term=term, system=system, field="id", meaning="a person", business_logic=SLASHES, by=cast.lead
        )
    assert not TermDefinition.objects.exists()


def test_the_child_knows_no_secret(monkeypatch):
    monkeypatch.setenv("PLUMBLINE_SECRET_KEY", "a secret")
    monkeypatch.setattr(isolated, "_child", None)
    child = isolated._running()
    try:
        with open(f"/proc/{child.pid}/environ", "rb") as environment:
            assert b"PLUMBLINE" not in environment.read()
        assert os.getpgid(child.pid) == child.pid
    finally:
        child.kill()
        child.wait()
