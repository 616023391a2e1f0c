"""H6 and L1: a text that took its reader for ever is not read any more, and no mask takes long to match."""

import time

import pytest

from initiatives.integration.comparison import masks
from initiatives.integration.comparison.facets import Definition, compare

DOTS = "10 digits, check digit" + "." * 34 + "x"
SLASHES = "/" * 30_000
# Read as regular expressions these try more ways than there is time for.
GREEDY = "9+X+" * 20
NEARLY = "9{400}A{1}-"


@pytest.mark.parametrize(
    ("which", "text"), [("identifier_format", DOTS), ("business_logic", SLASHES)], ids=["H6", "L1"]
)
def test_the_two_texts_are_compared_in_no_time(which, text):
    start = time.process_time()
    one = Definition("customer", "CRM", "id", **{which: text})
    (difference,) = compare(one, Definition("customer", "ERP", "no", **{which: "10 digits"}))
    assert time.process_time() - start < 0.5
    assert len(difference.words) < 1000


def test_a_mask_of_many_open_pieces_is_matched_in_no_time():
    assert len(GREEDY) == masks.LONGEST
    start = time.process_time()
    assert not masks.fits(GREEDY, NEARLY)
    assert time.process_time() - start < 0.5
