"""Whether a model that a log names is one that the register names: pins, aliases, and whatever is another model."""

import random

import pytest

from governance.vocabulary.model_names import is_declared, key_of, keys_of, names_of


@pytest.mark.parametrize(
    ("name", "version", "model", "answered", "declared"),
    [
        # The register names the alias: every pin of it.
        ("gpt-4o", "", "gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4o", "", "gpt-4o-2024-08-06", "", True),
        ("Chat model", "gpt-4o", "gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt", "4o", "gpt-4o", "gpt-4o-2024-11-20", True),
        ("Language model", "m-4", "m-4", "m-4-20260806", True),
        ("Language model", "m-4", "m-4-latest", "", True),
        ("gemini-1.5-pro", "", "gemini-1.5-pro", "gemini-1.5-pro-002", True),
        # The register names a pin: that one, and the alias where the log says no more.
        ("gpt-4o", "2024-08-06", "gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4o", "2024-08-06", "gpt-4o", "", True),
        ("gpt-4o", "2024-08-06", "gpt-4o", "gpt-4o-2024-11-20", False),
        ("Chat model", "gpt-4o-2024-08-06", "gpt-4o", "", True),
        ("Chat model", "gpt-4o-2024-08-06", "", "gpt-4o-2024-11-20", False),
        # Other models, however much of a name they share.
        ("gpt-4o", "", "gpt-4o-mini", "", False),
        ("gpt-4o", "", "gpt-4o", "gpt-4o-mini-2024-07-18", False),
        ("gpt-4o-mini", "", "gpt-4o", "", False),
        ("gpt-4o", "", "gpt-4o", "llama-3", False),
        ("Language model", "m-4", "m-5", "m-5-2026-01-01", False),
        # Capitals, paths, spaces.
        ("Claude Sonnet", "4", "anthropic/claude-sonnet-4", "", True),
        ("GPT-4o", "", "openai/gpt-4o", "", True),
    ],
)
def test_what_answers_is_one_of_the_names_recorded_or_another_model(name, version, model, answered, declared):
    assert is_declared(model, answered, names_of(name, version)) is declared


def test_where_nothing_is_recorded_every_model_is_another():
    assert not is_declared("m-4", "", set())


def test_twenty_of_another_model_are_found_among_a_hundred_thousand_and_nothing_else():
    draw = random.Random(7)
    known = names_of("gpt-4o", "") | names_of("embedder", "2026-03-01")
    fine = [
        ("gpt-4o", "gpt-4o-2024-08-06"),
        ("gpt-4o", "gpt-4o-2024-11-20"),
        ("openai/GPT-4o", ""),
        ("embedder", "embedder-2026-03-01"),
        ("embedder", ""),
    ]
    other = [("gpt-4o", "gpt-4o-mini"), ("embedder", "embedder-2026-09-01"), ("gpt-5", "")]
    calls = [(draw.choice(fine), False) for _ in range(100_000)] + [(other[n % 3], True) for n in range(20)]
    draw.shuffle(calls)
    found = [planted for (model, version), planted in calls if not is_declared(model, version, known)]
    assert found == [True] * 20


@pytest.mark.parametrize(
    ("name", "version", "seen", "declared"),
    [
        # Capitals, spaces, underscores.
        ("GPT 4o", "", "gpt-4o", True),
        ("gpt-4o", "", "  GPT_4o ", True),
        # The provider in front, as gateways, Bedrock and others write it.
        ("gpt-4o", "", "openai/gpt-4o", True),
        ("gpt-4o", "", "openai:gpt-4o", True),
        ("gpt-4o", "", "openrouter/openai/gpt-4o", True),
        ("claude-3-haiku", "", "anthropic.claude-3-haiku-20240307-v1:0", True),
        ("claude-3-haiku", "", "eu.anthropic.claude-3-haiku-20240307-v1:0", True),
        ("claude-3-haiku", "", "claude-3-haiku@20240307", True),
        # A date behind it, on either side.
        ("gpt-4o", "2024-08-06", "gpt-4o-2024-11-20", True),
        ("gpt-4o-2024-08-06", "", "gpt-4o", True),
        ("Scribe", "4", "scribe-4-20260101", True),
        ("Drafting model", "d-2", "D-2", True),
        # Other models.
        ("gpt-4o", "", "gpt-4o-mini", False),
        ("gpt-4o", "", "gpt-5", False),
        ("llama3", "", "llama3:8b", False),
        ("Scribe", "4", "Scribe 5", False),
    ],
)
def test_for_all_initiatives_together_every_spelling_provider_and_pin_is_one_name(
    name, version, seen, declared
):
    assert (key_of(seen) in keys_of(name, version)) is declared


def test_a_name_of_nothing_but_spaces_has_no_key():
    assert key_of("  ") == ""
    assert keys_of("", "") == set()
