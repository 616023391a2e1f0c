"""Finding rows by words in their titles and names: whole or begun, in any order, with or without accents.

The database splits a text into words by one rule, `plumbline_split`, for what is kept and for what is asked; no
dictionary is asked, so a title in any language is found, and no extension is needed (the migration `0006_search`). An
index holds the words of a column (`GinIndex(Words("title"), ...)`), and `says` asks it:
`Initiative.objects.filter(title__says="summ cust")`.
"""

from django.contrib.postgres.search import SearchVectorField
from django.db.models import CharField, Func, Lookup, TextField

LONGEST = 200  # letters of a question
MOST_WORDS = 8
SHORTEST = 2  # letters of a word; a single letter begins half the words there are


class Words(Func):
    """The words of a column, or of several together."""

    template = "plumbline_words(%(expressions)s)"
    arg_joiner = " || ' ' || "
    output_field = SearchVectorField()


@SearchVectorField.register_lookup
class Says(Lookup):
    """Whether every word that is asked for begins one of the words kept."""

    lookup_name = "says"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        """`words @@ asked`, as the index answers it."""
        left, of_left = self.process_lhs(compiler, connection)
        return f"{left} @@ plumbline_asked(%s)", [*of_left, str(self.rhs)]


@CharField.register_lookup
@TextField.register_lookup
class TextSays(Says):
    """The same of a column of text: of its words."""

    def process_lhs(self, compiler, connection, lhs=None):
        """The words of the column."""
        left, of_left = super().process_lhs(compiler, connection, lhs)
        return f"plumbline_words({left})", of_left


def question(text: str) -> str:
    """What is looked for: the first words of what somebody typed, without single letters; "" when nothing is left.

    The database splits it again, by its own rule.
    """
    found = [word for word in text[:LONGEST].split() if _tells(word)]
    return " ".join(found[:MOST_WORDS])


def _tells(word: str) -> bool:
    letters = [letter for letter in word if letter.isalnum()]
    return len(letters) >= SHORTEST or any(letter.isdecimal() for letter in letters)
