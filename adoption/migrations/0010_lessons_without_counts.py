"""Lessons are found by the database's own full text: no counts of words are kept, and no configuration of ours."""

from django.db import migrations

# The row of a lesson follows each change of it and of its post-mortem, as before (migration 0006).
FINDING = """
CREATE OR REPLACE FUNCTION plumbline_lesson_words(told text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
  SELECT to_tsvector('pg_catalog.english'::regconfig, translate(lower(told), '/_.@', '    '))
$$;

CREATE OR REPLACE FUNCTION plumbline_index_lesson(asked bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM adoption_lessonwords WHERE lesson_id = asked;
  INSERT INTO adoption_lessonwords (lesson_id, words, systems, vendors)
  SELECT l.id,
         setweight(plumbline_lesson_words(l.text), 'A')
           || setweight(plumbline_lesson_words(l.instead), 'B')
           || setweight(plumbline_lesson_words(concat_ws(' ; ', plumbline_listed(l.tags), l.pattern,
                plumbline_listed(l.vendors), (SELECT string_agg(s.name, ' ; ') FROM initiatives_system s
                  WHERE to_jsonb(s.id) <@ l.systems))), 'C')
           || setweight(plumbline_lesson_words(concat_ws(' ; ', l.layer, l.source, i.title)), 'D'),
         ARRAY(SELECT value::bigint FROM jsonb_array_elements_text(l.systems)),
         ARRAY(SELECT lower(value) FROM jsonb_array_elements_text(l.vendors))
    FROM adoption_lesson l
    LEFT JOIN adoption_postmortem p ON p.id = l.post_mortem_id
    LEFT JOIN initiatives_initiative i ON i.id = p.initiative_id
   WHERE l.id = asked AND l.removed_at IS NULL AND (p.state = 'published' OR l.confirmed_at IS NOT NULL);
END
$$;
DROP TEXT SEARCH CONFIGURATION plumbline_lessons;
DROP TEXT SEARCH DICTIONARY plumbline_stem;
SELECT plumbline_index_lesson(id) FROM adoption_lesson;
"""


class Migration(migrations.Migration):

    dependencies = [("adoption", "0009_signals_stand")]

    operations = [
        migrations.RunSQL(FINDING),
        migrations.DeleteModel("LessonLexeme"),
    ]
