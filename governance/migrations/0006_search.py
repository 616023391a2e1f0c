"""Words of titles and names, as the search looks for them; see governance/database/text_search.py."""

import django.contrib.postgres.indexes
from django.db import migrations

import governance.database.text_search

# Capitals, accents and strokes go; what is neither letter nor digit parts words; the first 60 letters tell a word. An
# index runs them with a search path of the system's own, so they name their schema. They are dear, and say so: where a
# word is rare the planner asks the index, and reads rows in their order only where nearly every one has the word.
FUNCTIONS = r"""
CREATE FUNCTION plumbline_split(said text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 5000
AS $$
DECLARE
  bare text := lower(said);
BEGIN
  IF octet_length(bare) = length(bare) THEN
    bare := regexp_replace(bare, '[^a-z0-9]+', ' ', 'g');
  ELSE
    bare := regexp_replace(normalize(bare, NFKD), '[\u0300-\u036f]', '', 'g');
    -- Letters that no decomposition takes their strokes from.
    bare := translate(bare, 'øłđðħŧ' || U&'\0131', 'olddhti');
    bare := replace(replace(replace(replace(bare, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
    bare := regexp_replace(bare, '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u00d7\u00f7'
      '\u02b0-\u02ff\u2000-\u2bff\u3000-\u303f]+', ' ', 'g');
  END IF;
  IF bare ~ '[^ ]{61}' THEN
    bare := regexp_replace(bare, '([^ ]{60})[^ ]+', '\1', 'g');
  END IF;
  RETURN array_remove(string_to_array(bare, ' '), '');
END $$;
CREATE FUNCTION plumbline_words(said text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 5000
AS $$BEGIN RETURN array_to_tsvector(public.plumbline_split(said)); END$$;
CREATE FUNCTION plumbline_asked(said text) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
  $$SELECT string_agg('''' || word || ''':*', ' & ')::tsquery FROM unnest(public.plumbline_split(said)) word$$;
"""
NO_FUNCTIONS = """
DROP FUNCTION plumbline_asked(text);
DROP FUNCTION plumbline_words(text);
DROP FUNCTION plumbline_split(text);
"""


class Migration(migrations.Migration):

    dependencies = [("governance", "0005_organisation")]

    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.AddIndex(
            model_name="user",
            index=django.contrib.postgres.indexes.GinIndex(
                governance.database.text_search.Words("full_name"), name="people_by_words"
            ),
        ),
    ]
