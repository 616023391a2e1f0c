"""Which addresses the walk over every page opens: all, or there is a reason."""

from tests.support.browser import every_page
from tests.support.web.access_table import TABLE


def test_every_address_is_a_page_that_is_opened_or_says_why_not():
    """A new address has to be in the table of addresses; there it is opened by whoever may, or has its line here."""
    for name in every_page.names_of_pages():
        assert name in every_page.OWN or TABLE[name].opens, (
            f"{name}: every_page.py needs a state in which it opens, or a reason"
        )
    stale = set(every_page.NO_PAGE) - {name for name, row in TABLE.items() if row.read} | set(
        every_page.OWN
    ) - set(every_page.names_of_pages())
    assert not stale
