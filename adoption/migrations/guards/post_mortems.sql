-- Post-mortems, lessons and the words by which lessons are found.

CREATE FUNCTION plumbline_guard_written_obligation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF OLD.completed_at IS NULL AND NEW.completed_at IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM adoption_postmortem WHERE obligation_id = NEW.id AND state = 'published')
     -- Two incidents that turned out to be one are told once, by the earlier day.
     AND NOT EXISTS (
       SELECT 1 FROM initiatives_obligation other
         JOIN adoption_incident newer ON newer.merged_into_id IS NOT NULL
          AND ARRAY['incident:' || newer.id, 'incident:' || newer.merged_into_id]
              @> ARRAY[NEW.source::text, other.source::text]
        WHERE other.initiative_id = NEW.initiative_id AND other.kind = NEW.kind AND other.source <> NEW.source
          AND other.completed_at IS NULL AND other.due <= NEW.due) THEN
    RAISE EXCEPTION 'Plumbline: what is due in writing is completed by its published post-mortem alone.'
      USING ERRCODE = 'PL070', HINT = 'Write it, hand it in, and let the adoption seat confirm it.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER written_obligations_stand BEFORE UPDATE ON initiatives_obligation
  FOR EACH ROW WHEN ((OLD.kind IN ('post_mortem', 'retrospective'))) EXECUTE FUNCTION plumbline_guard_written_obligation();

CREATE FUNCTION plumbline_guard_post_mortem() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'draft' THEN
      RAISE EXCEPTION 'Plumbline: a post-mortem begins as a draft.' USING ERRCODE = 'PL071';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.state = 'published' AND (OLD.state <> 'review' OR NEW.confirmed_by_id IN (NEW.author_id, NEW.published_by_id)
     OR NEW.confirmed_by_id = (SELECT responsible_id FROM initiatives_obligation WHERE id = NEW.obligation_id)) THEN
    RAISE EXCEPTION 'Plumbline: a post-mortem is published out of review, by somebody who neither wrote nor had to write it.'
      USING ERRCODE = 'PL071', HINT = 'The adoption seat of the board confirms it.';
  END IF;
  IF NEW.state = 'published' AND EXISTS (
       SELECT 1 FROM initiatives_roleassignment r
        WHERE r.initiative_id = NEW.initiative_id AND r.accepted_at IS NOT NULL
          AND r.person_id IN (SELECT plumbline_accounts(NEW.confirmed_by_id))
          AND (r.ended_at IS NULL OR r.ended_at >= (
                SELECT opened_at FROM initiatives_obligation WHERE id = NEW.obligation_id))) THEN
    RAISE EXCEPTION 'Plumbline: a post-mortem is published by somebody who had no role on the initiative since it happened.'
      USING ERRCODE = 'PL071', HINT = 'Another holder of the adoption seat confirms it.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER post_mortems_stand BEFORE INSERT OR UPDATE ON adoption_postmortem
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_post_mortem();

CREATE FUNCTION plumbline_lesson_words(told text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
  SELECT to_tsvector('pg_catalog.english'::regconfig, translate(lower(told), '/_.@', '    '))
$$;

CREATE FUNCTION plumbline_listed(listed jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(string_agg(one, '; '), '')
    FROM jsonb_array_elements_text(CASE jsonb_typeof(listed) WHEN 'array' THEN listed ELSE '[]' END) AS one
$$;

CREATE FUNCTION plumbline_index_lesson(asked bigint) RETURNS void LANGUAGE plpgsql AS $$
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

CREATE FUNCTION plumbline_follow_lesson() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM plumbline_index_lesson(NEW.id);
  RETURN NULL;
END
$$;
CREATE TRIGGER a_lesson_is_found_by_its_words AFTER INSERT OR UPDATE ON adoption_lesson
  FOR EACH ROW EXECUTE FUNCTION plumbline_follow_lesson();

CREATE FUNCTION plumbline_follow_post_mortem() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM plumbline_index_lesson(l.id) FROM (
    SELECT id FROM adoption_lesson WHERE post_mortem_id = NEW.id ORDER BY id) l;
  RETURN NULL;
END
$$;
CREATE TRIGGER published_lessons_are_found AFTER UPDATE OF state ON adoption_postmortem
  FOR EACH ROW WHEN ((NEW.state IS DISTINCT FROM OLD.state)) EXECUTE FUNCTION plumbline_follow_post_mortem();
