"""Contributions: what is wrong with one is said when the app starts."""

import pytest

from governance.contributions import Contribution


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
