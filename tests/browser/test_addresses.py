"""Which addresses the walk over every page opens: all, or there is a reason."""

from tests.access import TABLE
from tests.browser import pages


def test_every_address_is_a_page_that_is_opened_or_says_why_not():
    """A new address has to be in the table of addresses; there it is opened by whoever may, or has its line here."""
    for name in set(TABLE) - set(pages.NO_PAGE):
        assert name in pages.OWN or TABLE[name].opens, (
            f"{name}: pages.py needs a state in which it opens, or a reason"
        )
    stale = (
        set(pages.NO_PAGE) - set(TABLE) | set(pages.OWN) - set(TABLE) | set(pages.NO_PAGE) & set(pages.OWN)
    )
    assert not stale
