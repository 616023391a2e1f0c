"""Lessons come back: fields they are matched by, what they are found by, what later cases said to them."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import governance.database.migration_operations
import governance.database.row_history

# The words of a lesson keep their little ones ("out of date", "sign on"): a phrase is then found as it stands. What a
# lesson is found by follows each change of it and of its post-mortem, and so does the count of each word: one
# transaction after the other, so that two never wait for each other's words.
FINDING = """
CREATE TEXT SEARCH DICTIONARY plumbline_stem (TEMPLATE = pg_catalog.snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION plumbline_lessons (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION plumbline_lessons
  ALTER MAPPING FOR asciiword, asciihword, hword_asciipart, word, hword, hword_part WITH plumbline_stem;

CREATE FUNCTION plumbline_lesson_words(told text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
  SELECT to_tsvector('public.plumbline_lessons'::regconfig, translate(lower(told), '/_.@', '    '))
$$;

CREATE FUNCTION plumbline_listed(listed jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(string_agg(one, '; '), '')
    FROM jsonb_array_elements_text(CASE jsonb_typeof(listed) WHEN 'array' THEN listed ELSE '[]' END) AS one
$$;

CREATE FUNCTION plumbline_index_lesson(asked bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  was tsvector;
  told adoption_lessonwords;
BEGIN
  SELECT l.id,
         setweight(plumbline_lesson_words(l.text), 'A')
           || setweight(plumbline_lesson_words(l.instead), 'B')
           || setweight(plumbline_lesson_words(concat_ws(' ; ', plumbline_listed(l.tags), l.pattern,
                plumbline_listed(l.vendors), (SELECT string_agg(s.name, ' ; ') FROM initiatives_system s
                  WHERE to_jsonb(s.id) <@ l.systems))), 'C')
           || setweight(plumbline_lesson_words(concat_ws(' ; ', l.layer, l.source, i.title)), 'D'),
         ARRAY(SELECT value::bigint FROM jsonb_array_elements_text(l.systems)),
         ARRAY(SELECT lower(value) FROM jsonb_array_elements_text(l.vendors))
    INTO told
    FROM adoption_lesson l
    LEFT JOIN adoption_postmortem p ON p.id = l.post_mortem_id
    LEFT JOIN initiatives_initiative i ON i.id = p.initiative_id
   WHERE l.id = asked AND l.removed_at IS NULL AND (p.state = 'published' OR l.confirmed_at IS NOT NULL);
  IF told.lesson_id IS NULL AND NOT EXISTS (SELECT FROM adoption_lessonwords WHERE lesson_id = asked) THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('plumbline lessons'));
  DELETE FROM adoption_lessonwords WHERE lesson_id = asked RETURNING words INTO was;
  IF was IS NOT NULL THEN
    UPDATE adoption_lessonlexeme SET documents = documents - 1
     WHERE lexeme = ANY (tsvector_to_array(was) || ''::text);
  END IF;
  IF told.lesson_id IS NOT NULL THEN
    INSERT INTO adoption_lessonwords SELECT told.*;
    INSERT INTO adoption_lessonlexeme (lexeme, documents)
    SELECT unnest(tsvector_to_array(told.words) || ''::text), 1
        ON CONFLICT (lexeme) DO UPDATE SET documents = adoption_lessonlexeme.documents + 1;
  END IF;
END
$$;

CREATE FUNCTION plumbline_follow_lesson() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM plumbline_index_lesson(NEW.id);
  RETURN NULL;
END
$$;
CREATE FUNCTION plumbline_follow_post_mortem() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM plumbline_index_lesson(l.id) FROM (
    SELECT id FROM adoption_lesson WHERE post_mortem_id = NEW.id ORDER BY id) l;
  RETURN NULL;
END
$$;
CREATE TRIGGER a_lesson_is_found_by_its_words AFTER INSERT OR UPDATE ON adoption_lesson
  FOR EACH ROW EXECUTE FUNCTION plumbline_follow_lesson();
CREATE TRIGGER published_lessons_are_found AFTER UPDATE OF state ON adoption_postmortem
  FOR EACH ROW WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION plumbline_follow_post_mortem();
SELECT plumbline_index_lesson(id) FROM adoption_lesson;
"""
NO_FINDING = """
DROP TRIGGER published_lessons_are_found ON adoption_postmortem;
DROP TRIGGER a_lesson_is_found_by_its_words ON adoption_lesson;
DROP FUNCTION plumbline_follow_post_mortem;
DROP FUNCTION plumbline_follow_lesson;
DROP FUNCTION plumbline_index_lesson;
DROP FUNCTION plumbline_listed;
DROP FUNCTION plumbline_lesson_words;
DROP TEXT SEARCH CONFIGURATION plumbline_lessons;
DROP TEXT SEARCH DICTIONARY plumbline_stem;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('adoption', '0005_postmortems'),
        ('initiatives', '0017_drills'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.CreateModel(
                    name='LessonLexeme',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('lexeme', models.TextField(unique=True)),
                        ('documents', models.IntegerField(default=0)),
                    ],
                    options={
                        'ordering': ['lexeme'],
                    },
                ),
                migrations.CreateModel(
                    name='LessonResponse',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('version', models.PositiveIntegerField()),
                        ('applies', models.BooleanField()),
                        ('words', models.TextField()),
                        ('digest', models.CharField(max_length=64)),
                        ('at', models.DateTimeField()),
                    ],
                    options={
                        'ordering': ['initiative', 'lesson', 'version'],
                    },
                ),
                migrations.CreateModel(
                    name='LessonWords',
                    fields=[
                        ('lesson', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='words', serialize=False, to='adoption.lesson')),
                        ('words', django.contrib.postgres.search.SearchVectorField()),
                        ('systems', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                        ('vendors', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
                    ],
                    options={
                        'verbose_name_plural': 'lesson words',
                        'ordering': ['lesson'],
                    },
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='confirmed_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='confirmed_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='entered_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='entered_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='repeats',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='adoption.lesson'),
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='source',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='source_link',
                    field=models.URLField(blank=True, default='', max_length=500),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='confirmed_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='confirmed_by',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='entered_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='entered_by',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='repeats',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='came_again', to='adoption.lesson'),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='source',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='source_link',
                    field=models.URLField(blank=True, default='', max_length=500),
                ),
                migrations.AlterField(
                    model_name='lesson',
                    name='post_mortem',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lessons', to='adoption.postmortem'),
                ),
                migrations.AddConstraint(
                    model_name='lesson',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('entered_at__isnull', True), ('entered_by__isnull', True), ('post_mortem__isnull', False), ('source', '')), models.Q(('entered_at__isnull', False), ('entered_by__isnull', False), ('post_mortem__isnull', True), models.Q(('source', ''), _negated=True)), _connector='OR'), name='a_lesson_says_where_it_comes_from'),
                ),
                migrations.AddConstraint(
                    model_name='lesson',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmed_by__isnull', True)), models.Q(('confirmed_at__isnull', False), ('confirmed_by__isnull', False), models.Q(('confirmed_by', models.F('entered_by')), _negated=True)), _connector='OR'), name='a_lesson_from_outside_is_confirmed_by_another'),
                ),
                migrations.AddConstraint(
                    model_name='lesson',
                    constraint=models.CheckConstraint(condition=models.Q(('repeats__isnull', True), models.Q(('repeats', models.F('id')), _negated=True), _connector='OR'), name='no_lesson_repeats_itself'),
                ),
                migrations.AddField(
                    model_name='lessonresponse',
                    name='by',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='lessonresponse',
                    name='initiative',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lesson_responses', to='initiatives.initiative'),
                ),
                migrations.AddField(
                    model_name='lessonresponse',
                    name='lesson',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='adoption.lesson'),
                ),
                migrations.AddIndex(
                    model_name='lessonwords',
                    index=django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=['words'], name='lessons_by_words'),
                ),
                migrations.AddIndex(
                    model_name='lessonwords',
                    index=django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=['systems'], name='lessons_by_systems'),
                ),
                migrations.AddIndex(
                    model_name='lessonwords',
                    index=django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=['vendors'], name='lessons_by_vendors'),
                ),
                migrations.AddConstraint(
                    model_name='lessonresponse',
                    constraint=models.UniqueConstraint(fields=('initiative', 'lesson', 'version'), name='responses_to_a_lesson_are_numbered'),
                ),
                migrations.AddConstraint(
                    model_name='lessonresponse',
                    constraint=models.CheckConstraint(condition=models.Q(('words', ''), _negated=True), name='a_response_says_something'),
                ),
            ]
        ),
        migrations.RunSQL(FINDING, NO_FINDING),
    ]
