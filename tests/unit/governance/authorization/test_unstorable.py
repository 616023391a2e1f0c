"""Characters that no database keeps, in requests: they are looked for wherever JSON can write them."""

import pytest

from governance.authorization import authzen
from governance.vocabulary import readable_text


def test_every_way_to_write_an_unstorable_character_is_looked_for():
    for number in range(0x10000):
        for written in (f"\\u{number:04x}", f"\\u{number:04X}"):
            body = f'{{"subject": "a{written}b"}}'.encode()
            if readable_text.UNSTORABLE.search(authzen.read(body)["subject"]):
                assert authzen.may_be_unstorable(body), written


@pytest.mark.parametrize("letter", ["\x00", "\ud83d"])
def test_one_that_is_not_escaped_is_not_json(letter):
    body = f'{{"subject": "a{letter}b"}}'.encode("utf-8", "surrogatepass")
    with pytest.raises(ValueError, match="not JSON"):
        authzen.read(body)
