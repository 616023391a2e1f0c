"""Keys and the name of the audit log: read from the environment, and a wrong one ends the start with a sentence."""

import base64
import os
import runpy

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from governance.offline.verify import COSIGNATURE, verifier_key

SEED = base64.b64encode(bytes(range(32))).decode()
VKEY = str(
    verifier_key(
        "plumbline.invalid/old",
        bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
    )
)
WITNESS = str(
    verifier_key(
        "witness.example.org/w1",
        bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
        COSIGNATURE,
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
    assert (found["SIGNING_KEY"], found["WITNESSES"]) == (None, [])
    assert (found["ORIGIN"], found["FORMER_KEYS"], found["TIMESTAMP_URL"]) == ("", [], "")


def test_the_key_comes_from_a_variable_or_a_file(load, tmp_path):
    file = tmp_path / "key"
    file.write_text(SEED + "\n")
    assert load(PLUMBLINE_SIGNING_KEY=SEED)["SIGNING_KEY"] == bytes(range(32))
    assert load(PLUMBLINE_SIGNING_KEY_FILE=str(file))["SIGNING_KEY"] == bytes(range(32))


def test_witnesses_are_pairs_of_an_address_and_a_key(load):
    other = WITNESS.replace("w1+eba12634", "w2+17d5a9c8")
    pairs = f"https://one.example.org/a/ {WITNESS}; \n http://127.0.0.1:8900  {other}\n"
    found = load(PLUMBLINE_WITNESSES=pairs)["WITNESSES"]
    assert [(url, str(key)) for url, key in found] == [
        ("https://one.example.org/a", WITNESS),
        ("http://127.0.0.1:8900", other),
    ]


def test_former_keys_are_separated_by_spaces(load):
    assert load(PLUMBLINE_FORMER_KEYS=f"{VKEY} {VKEY}\n")["FORMER_KEYS"] == [VKEY, VKEY]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "PLUMBLINE_SIGNING_KEY",
            "not base64!",
            "PLUMBLINE_SIGNING_KEY is not a key. Set it to 32 random bytes",
        ),
        ("PLUMBLINE_SIGNING_KEY", SEED[:-4], "PLUMBLINE_SIGNING_KEY is not a key"),
        ("PLUMBLINE_WITNESSES", "https://w.example.org", "The format of a key is wrong"),
        ("PLUMBLINE_WITNESSES", f"http://w.example.org {WITNESS}", "does not begin with https://"),
        ("PLUMBLINE_WITNESSES", f"https://w.example.org {VKEY}", "is not an Ed25519 key of a witness"),
        ("PLUMBLINE_WITNESSES", f"https://w.example.org {WITNESS.replace('w1', 'w9')}", "have the hash"),
        ("PLUMBLINE_WITNESSES", f"https://a.org {WITNESS};https://b.org {WITNESS}", "w1 is named twice"),
        ("PLUMBLINE_FORMER_KEYS", WITNESS, "is not an Ed25519 key"),
        ("PLUMBLINE_SIGNING_KEY_FILE", "/does/not/exist", "PLUMBLINE_SIGNING_KEY_FILE names /does/not/exist"),
        ("PLUMBLINE_SIGNING_KEY_FILE", os.devnull, "PLUMBLINE_SIGNING_KEY is not a key"),
        ("PLUMBLINE_ORIGIN", "two words", "Set it to an address without https://"),
        ("PLUMBLINE_ORIGIN", "one+two", "Set it to an address without https://"),
        ("PLUMBLINE_ORIGIN", "x" * 121, "Set it to an address without https://"),
        ("PLUMBLINE_FORMER_KEYS", VKEY[:-1] + "!", "PLUMBLINE_FORMER_KEYS names"),
        ("PLUMBLINE_FORMER_KEYS", VKEY.replace("old", "new"), "does not have the hash"),
        ("PLUMBLINE_TIMESTAMP_URL", "time.example.org", "Set it to an address such as http://"),
    ],
)
def test_a_wrong_one_ends_the_start_with_a_sentence(load, name, value, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        load(**{name: value})


def test_a_key_is_not_set_twice(load):
    with pytest.raises(ImproperlyConfigured, match=r"are both set\. Set only one of the two"):
        load(PLUMBLINE_SIGNING_KEY=SEED, PLUMBLINE_SIGNING_KEY_FILE="/some/file")


def test_the_worker_seals_every_few_seconds(load):
    scheduled = load()["CELERY_BEAT_SCHEDULE"]["seal the audit log"]
    assert scheduled == {
        "task": "governance.tasks.seal_audit_log",
        "schedule": 3.0,
        "options": {"expires": 10},
    }
