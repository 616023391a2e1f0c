"""The runner of deeds keeps one order of the protections of an act."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType

import pytest

from governance.audit_log.deed import Deed, EntryOf, sentences
from governance.permission_result import Conflict, Refused, no, yes
from governance.vocabulary.entry_kinds import EntryKind


@dataclass(frozen=True)
class Noted(EntryOf):
    """An entry that is noted, and not recorded."""

    steps: list = field(default_factory=list)

    def record(self, row, initiative=None):
        self.steps.append(("entry", row, initiative))


@dataclass(frozen=True, kw_only=True)
class Traced(Deed):
    """A deed that notes each step of the runner."""

    steps: list

    @contextmanager
    def frame(self, row, *, by, reason):
        self.steps.append(("frame", row, by, reason))
        yield "locked"
        self.steps.append(("done",))

    def again(self, row, locked):
        self.steps.append(("again", row, locked))
        return f"{row} again"

    def follow(self, locked):
        self.steps.append(("follow", locked))


def traced(*, answer=None, ended="", made=None) -> Traced:
    steps: list = []

    def step(name, result):
        def call(*args, **fields):
            steps.append((name, *args, *fields.items()))
            return result

        return call

    return Traced(
        name="close",
        noun="row",
        may=step("may", yes() if answer is None else answer),
        ended=step("ended", ended),
        effect=step("effect", made),
        entry=Noted(EntryKind.GAP_CLOSED, "closed.", lambda row: {}, steps),
        reason="why",
        then=step("then", None),
        steps=steps,
    )


def test_the_runner_keeps_one_order():
    deed = traced()
    assert deed(row="row", why="Because.", by="Ann") == "row again"
    assert deed.steps == [
        ("frame", "row", "Ann", "Because."),
        ("again", "row", "locked"),
        ("ended", "row again"),
        ("may", "row again", "Ann"),
        ("effect", "row again", ("by", "Ann"), ("why", "Because.")),
        ("entry", "row again", "locked"),
        ("follow", "locked"),
        ("then", "row again", "Ann"),
        ("done",),
    ]


def test_what_the_effect_makes_is_recorded_and_returned():
    deed = traced(made="new")
    assert deed(row="row", by="Ann") == "new"
    assert ("entry", "new", "locked") in deed.steps
    assert ("then", "new", "Ann") in deed.steps
    assert deed.steps[0] == ("frame", "row", "Ann", "")


@pytest.mark.parametrize(
    ("deed", "error", "last"),
    [
        (traced(ended="Closed already.", answer=no("Not you.")), Conflict, "ended"),
        (traced(answer=no("Not you.")), Refused, "may"),
    ],
    ids=["ended first", "not allowed"],
)
def test_a_refused_deed_changes_and_records_nothing(deed, error, last):
    with pytest.raises(error):
        deed(row="row", by="Ann")
    assert deed.steps[-1][0] == last


def test_a_module_has_the_sentences_of_its_entries_and_deeds():
    module = ModuleType("deeds")
    module.opened = EntryOf(EntryKind.GAP_OPENED, "opened.", dict)
    module.close, module.other = traced(), "words"
    assert sentences(module) == {EntryKind.GAP_OPENED: "opened.", EntryKind.GAP_CLOSED: "closed."}
