"""Passwords that rest on the names of the house."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from governance.sign_in import password_validators

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def house(cast, settings):
    """Northgate, at plumbline.northgate.example."""
    settings.ADDRESS = "https://board.northgate.example"


@pytest.mark.parametrize(
    "password",
    [
        "Northgate2026",
        "PLUMBLINE!!",
        "plumbline-northgate",
        "1northgate1",
        "board-board-board",
        "Example2026",
    ],
)
def test_names_of_the_house_are_no_password(password):
    with pytest.raises(ValidationError, match="easy to guess here"):
        validate_password(password)


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "northgate lies behind seven hills", "x7!Qw2-mnB4"]
)
def test_what_is_long_enough_without_them_is(password):
    validate_password(password)


def test_short_words_are_left_alone(settings):
    settings.ADDRESS = "https://ai.co.uk"
    assert password_validators.words() == {"plumbline", "northgate"}
