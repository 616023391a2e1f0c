"""Questions in plain words: forms of words, what means the same, slips of the pen, and nothing but words."""

import pytest

from adoption.lessons import lesson_search
from governance.database.text_search import LONGEST_WORD, MOST_IN_SENTENCE, asked, split, stems, synonyms
from tests.support import factories

KEPT = "adoption_lessonwords.words"

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesson(cast):
    return factories.make_lesson(
        cast,
        text="Superseded timetables were quoted as current.",
        instead="Reconcile weekly.",
        source="Depot",
    )


def found(question: str) -> dict[str, str]:
    return {one.said: one.own for one in asked(question, KEPT)}


def test_a_text_is_taken_apart_into_words_of_bounded_length():
    found = split("The e-mail's (v2.0) R\u00c9SUM\u00c9_x")
    assert found == ["the", "e", "mail", "s", "v2", "0", "r\u00e9sum\u00e9", "x"]
    assert split("x" * 9_000) == ["x" * LONGEST_WORD]


def test_forms_of_a_word_have_one_stem_and_little_words_none():
    assert stems(["quoted", "quoting", "the"]) == {"quoted": "quot", "quoting": "quot", "the": ""}


def test_what_means_the_same_is_looked_for_too(lesson):
    (one,) = asked("outdated", KEPT)
    assert "'supersed'" in one.alike
    assert [hit.lesson for hit in lesson_search.search("outdated")] == [lesson.pk]


def test_a_phrase_of_which_little_words_leave_one_is_no_synonym():
    known = synonyms().of
    assert ("singl", "provid") in known
    assert ("date",) not in known, "as 'out of date' would have it"


def test_a_slip_is_forgiven_where_no_lesson_has_the_word_itself(lesson):
    assert found("superzeded") == {"superzeded": "('supersed')"}
    assert found("superseded") == {"superseded": "('supersed')"}
    assert found("zebra") == {"zebra": "('zebra')"}
    assert [hit.lesson for hit in lesson_search.search("superzeded")] == [lesson.pk]


@pytest.mark.parametrize(
    "text", ["');--", "a&|!:* (timetables", "\\' | 'timetables", "timetables\x01", "<-> timetables <-> !!"]
)
def test_what_is_typed_reaches_the_database_as_words(lesson, text):
    hits = lesson_search.search(text)
    assert [hit.lesson for hit in hits] == ([lesson.pk] if "timetables" in text else [])


def test_a_long_question_is_bounded(lesson):
    many = " ".join(f"w{number}" for number in range(90))
    assert 0 < len(asked(many, KEPT)) <= MOST_IN_SENTENCE
    assert lesson_search.search("x" * 100_000) == []


def test_a_word_that_few_lessons_have_counts_for_more_than_one_of_many(cast):
    rare = factories.make_lesson(cast, text="Rotas were quoted.", source="Depot")
    for number in range(5):
        factories.make_lesson(cast, text=f"Timetables were quoted {number}.", source="Depot")
    assert lesson_search.search("rotas and timetables")[0].lesson == rare.pk


def test_among_those_that_pass_a_filter(lesson, cast):
    other = factories.make_lesson(cast, text="Superseded fares were quoted.", source="Depot")
    among = lesson_search.offered().filter(pk=other.pk)
    assert [hit.lesson for hit in lesson_search.search("superseded", among)] == [other.pk]
