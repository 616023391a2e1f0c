"""Keys and the name of the audit log: read from the environment, and a wrong one ends the start with a sentence."""

import base64
import os
import runpy

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from governance.offline.verify import verifier_key

SEED = base64.b64encode(bytes(range(32))).decode()
VKEY = str(
    verifier_key(
        "plumbline.invalid/old",
        bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
    )
)


@pytest.fixture
def load(monkeypatch, tmp_path):
    """The settings as they come out of an environment that holds just these variables."""

    def load(**variables):
        for name in list(os.environ):
            if name.startswith(("PLUMBLINE_", "CELERY_", "EMAIL_", "DATABASE_")):
                monkeypatch.delenv(name)
        monkeypatch.setenv("PLUMBLINE_DATA", str(tmp_path / "data"))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(settings.BASE_DIR / "governance" / "settings.py"))

    return load


def test_without_anything_set_nothing_is_named(load):
    found = load()
    assert (found["SIGNING_KEY"], found["WITNESS_KEY"]) == (None, None)
    assert (found["ORIGIN"], found["FORMER_KEYS"], found["TIMESTAMP_URL"]) == ("", [], "")


def test_keys_come_from_variables_or_files(load, tmp_path):
    file = tmp_path / "witness"
    file.write_text(SEED + "\n")
    found = load(PLUMBLINE_SIGNING_KEY=SEED, PLUMBLINE_WITNESS_KEY_FILE=str(file))
    assert found["SIGNING_KEY"] == found["WITNESS_KEY"] == bytes(range(32))


def test_former_keys_are_separated_by_spaces(load):
    assert load(PLUMBLINE_FORMER_KEYS=f"{VKEY} {VKEY}\n")["FORMER_KEYS"] == [VKEY, VKEY]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "PLUMBLINE_SIGNING_KEY",
            "not base64!",
            "PLUMBLINE_SIGNING_KEY is not a key; set it to 32 random bytes",
        ),
        ("PLUMBLINE_SIGNING_KEY", SEED[:-4], "PLUMBLINE_SIGNING_KEY is not a key"),
        ("PLUMBLINE_WITNESS_KEY", "AAAA", "PLUMBLINE_WITNESS_KEY is not a key"),
        ("PLUMBLINE_SIGNING_KEY_FILE", "/does/not/exist", "PLUMBLINE_SIGNING_KEY_FILE names /does/not/exist"),
        ("PLUMBLINE_SIGNING_KEY_FILE", os.devnull, "PLUMBLINE_SIGNING_KEY is not a key"),
        ("PLUMBLINE_ORIGIN", "two words", "set it to an address without https://"),
        ("PLUMBLINE_ORIGIN", "one+two", "set it to an address without https://"),
        ("PLUMBLINE_ORIGIN", "x" * 121, "set it to an address without https://"),
        ("PLUMBLINE_FORMER_KEYS", VKEY[:-1] + "!", "PLUMBLINE_FORMER_KEYS names"),
        ("PLUMBLINE_FORMER_KEYS", VKEY.replace("old", "new"), "does not have the hash"),
        ("PLUMBLINE_TIMESTAMP_URL", "time.example.org", "set it to an address such as http://"),
    ],
)
def test_a_wrong_one_ends_the_start_with_a_sentence(load, name, value, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        load(**{name: value})


def test_a_key_is_not_set_twice(load):
    with pytest.raises(ImproperlyConfigured, match="are both set; set one of them"):
        load(PLUMBLINE_SIGNING_KEY=SEED, PLUMBLINE_SIGNING_KEY_FILE="/some/file")


def test_the_worker_seals_every_few_seconds(load):
    scheduled = load()["CELERY_BEAT_SCHEDULE"]["seal the audit log"]
    assert scheduled == {
        "task": "governance.tasks.seal_audit_log",
        "schedule": 3.0,
        "options": {"expires": 10},
    }
