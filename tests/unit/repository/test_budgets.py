"""No package grows without a reason: each has a budget of lines, which is the size it has."""

from tests.support.commands import line_budgets


def test_no_package_is_over_its_budget():
    allowed = line_budgets.budgets()
    over = {
        name: f"{lines} lines, {allowed.get(name, 0)} allowed"
        for name, lines in line_budgets.sizes().items()
        if lines > allowed.get(name, 0)
    }
    assert over == {}, (
        "Make it smaller, or raise its budget in tests/data/line_budgets.toml and say why in the commit."
    )


def test_budgets_fall_with_what_is_removed():
    now = line_budgets.sizes()
    loose = {
        name: f"{now.get(name, 0)} lines, {lines} allowed"
        for name, lines in line_budgets.budgets().items()
        if now.get(name, 0) < lines - 20
    }
    assert loose == {}, "Run `make budgets`."
