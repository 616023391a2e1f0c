"""Hostile and broken tables: refused in words, within bounds of time and memory, and nothing is kept."""

import time
import tracemalloc

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from governance.tables.reader import read_table
from initiatives.models import System
from tests.support.input import hostile_tables

MOST_SECONDS = 20  # of work, on a machine that has other work
MOST_MEMORY = 400 * 2**20  # bytes of Python objects, beside the file itself
FILES = hostile_tables.files()


def test_there_are_enough_of_them_and_each_is_another():
    assert len({(file.name, file.content) for file in FILES}) == len(FILES) >= 24


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.what)
def test_each_is_refused_in_words_within_bounds(file):
    before = time.process_time()
    with pytest.raises(ValidationError) as refusal:
        read_table(file.content)
    assert file.words in " ".join(refusal.value.messages)
    assert time.process_time() - before < MOST_SECONDS


@pytest.mark.parametrize("what", ["cells without end", "rows without end"])
def test_what_they_would_become_is_never_built(what):
    file = next(one for one in FILES if one.what == what)
    tracemalloc.start()
    try:
        with pytest.raises(ValidationError):
            read_table(file.content)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.django_db
def kept_lines() -> set[str]:
    """The files of lines in the store, which other tests may have left there."""
    return set(default_storage.listdir("lines")[1]) if default_storage.exists("lines") else set()


def test_the_page_says_why_and_nothing_is_kept(cast, as_):
    client, wrong, before = as_(cast.admin), [], kept_lines()
    for what in ("rows without end", "bytes", "cut off", "a page"):
        file = next(one for one in FILES if one.what == what)
        answer = client.post(
            reverse("systems-from-table"), {"file": SimpleUploadedFile(file.name, file.content)}
        )
        if answer.status_code not in (200, 422) or file.words not in answer.content.decode():
            wrong.append(f"{what}: {answer.status_code}")
    assert not wrong
    assert not System.objects.exists()
    assert kept_lines() == before
