"""No package grows without a reason: each has a budget of lines, which is its size up to the next twenty."""

from tests.support.commands import line_budgets


def test_no_package_is_over_its_budget():
    assert line_budgets.over() == {}, line_budgets.FIX


def test_budgets_fall_with_what_is_removed():
    assert line_budgets.loose() == {}, line_budgets.FIX
