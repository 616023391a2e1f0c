"""Contributions: what is wrong with one is said when the app starts."""

import re

import pytest

from governance.contributions import Contribution
from initiatives.contributions import Contribution as OfInitiatives
from tests.support.commands.gauges import APPS
from tests.support.paths import ROOT


def lines(person):
    return []


def test_a_field_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="inbox_line"):
        Contribution(inbox_line=[lines])


@pytest.mark.parametrize(
    "wrong",
    [
        {"inbox_tasks": lines},
        {"inbox_tasks": (lines,)},
        {"inbox_tasks": ["lines"]},
        {"quiet_acts": "signed in"},
        {"quiet_acts": ["signed in"]},
        {"notification_verbs": {"checkpoint"}},
    ],
    ids=["a function", "a tuple", "a list of words", "a text", "a list", "a set"],
)
def test_a_value_of_another_type_is_refused(wrong):
    with pytest.raises(TypeError, match=next(iter(wrong))):
        Contribution().take(Contribution(**wrong))


def test_what_is_taken_keeps_its_order_and_its_source():
    whole, first, second = (
        Contribution(),
        Contribution(inbox_tasks=[lines]),
        Contribution(inbox_tasks=[print]),
    )
    for one in (first, second):
        whole.take(one)
    assert whole.inbox_tasks == [lines, print]
    assert first.inbox_tasks == [lines]


def test_every_field_that_code_reads_exists_and_every_field_is_read():
    fields = {field for kind in (Contribution, OfInitiatives) for field in kind.__dataclass_fields__}
    code = [path.read_text() for app in APPS for path in (ROOT / app).rglob("*.py")]
    read = {name for text in code for name in re.findall(r"\bcontributed\.(\w+)", text)}
    assert read <= fields
    assert [name for name in fields if not any(f".{name}" in text for text in code)] == []
