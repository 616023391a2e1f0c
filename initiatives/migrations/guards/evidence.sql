-- Evidence, verifications and answers.

-- A withdrawn row replaces no other any longer; no row begins to replace another afterwards.
CREATE FUNCTION plumbline_guard_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.supersedes_id IS DISTINCT FROM OLD.supersedes_id
     AND (NEW.supersedes_id IS NOT NULL OR NEW.withdrawn_at IS NULL) THEN
    RAISE EXCEPTION 'Plumbline: evidence does not change.'
      USING ERRCODE = 'PL012', HINT = 'Add a newer item that supersedes it.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER evidence_is_immutable BEFORE UPDATE ON initiatives_evidence
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_evidence();

-- A prototype holds no dependant, no rollout, no production data link (domain.md, "Never").
CREATE FUNCTION plumbline_guard_prototype() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  stage_now text;
BEGIN
  SELECT stage INTO stage_now FROM initiatives_initiative WHERE id = NEW.initiative_id;
  IF stage_now IN ('proposed', 'prototype') THEN
    RAISE EXCEPTION 'Plumbline: a % has no dependants, no rollout and no production data.', stage_now
      USING ERRCODE = 'PL016', HINT = 'Pass the MVP gate first, or plan the scope for that stage.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER prototype_has_no_dependants BEFORE INSERT OR UPDATE ON initiatives_dependant
  FOR EACH ROW WHEN ((NEW.ended_at IS NULL)) EXECUTE FUNCTION plumbline_guard_prototype();
CREATE TRIGGER prototype_has_no_live_links BEFORE INSERT OR UPDATE ON initiatives_link
  FOR EACH ROW WHEN (((NEW.ended_at IS NULL) AND NEW.live)) EXECUTE FUNCTION plumbline_guard_prototype();
CREATE TRIGGER prototype_has_no_rollout BEFORE INSERT OR UPDATE ON initiatives_scopeversion
  FOR EACH ROW WHEN (((NEW.ended_at IS NULL) AND (NEW.starts_at IS NOT NULL) AND (NEW.rollout OR NEW.live_data)))
  EXECUTE FUNCTION plumbline_guard_prototype();

CREATE FUNCTION plumbline_guard_declaration() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.frozen_at IS NOT NULL AND NEW.declared IS DISTINCT FROM OLD.declared THEN
    RAISE EXCEPTION 'Plumbline: what was declared at the MVP gate is frozen.' USING ERRCODE = 'PL018';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER declaration_is_frozen BEFORE UPDATE ON initiatives_declaredgoal
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_declaration();

CREATE FUNCTION plumbline_guard_verification() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  item initiatives_evidence%ROWTYPE;
BEGIN
  SELECT * INTO item FROM initiatives_evidence WHERE id = NEW.evidence_id;
  IF NOT EXISTS (SELECT 1 FROM initiatives_evidenceopening o WHERE o.id = NEW.opening_id
                 AND o.evidence_id = NEW.evidence_id AND o.person_id = NEW.verifier_id AND o.at <= NEW.at) THEN
    RAISE EXCEPTION 'Plumbline: nothing is verified unopened.' USING ERRCODE = 'PL032';
  END IF;
  IF item.author_id = NEW.verifier_id THEN
    RAISE EXCEPTION 'Plumbline: nobody verifies what they added.' USING ERRCODE = 'PL032';
  END IF;
  IF plumbline_team_member(item.initiative_id, NEW.verifier_id, NEW.at) THEN
    RAISE EXCEPTION 'Plumbline: nobody verifies on an initiative whose team they are on.' USING ERRCODE = 'PL032';
  END IF;
  IF NOT plumbline_sits(
       plumbline_board_of((SELECT i.unit_id FROM initiatives_initiative i WHERE i.id = item.initiative_id)),
       NEW.verifier_id, NEW.seat, NEW.at) THEN
    RAISE EXCEPTION 'Plumbline: the verifier does not hold the seat % of the board that decides this initiative.', NEW.seat USING ERRCODE = 'PL032';
  END IF;
  IF NEW.fingerprint <> COALESCE(NULLIF(item.sha256, ''), 'item:' || item.id) THEN
    RAISE EXCEPTION 'Plumbline: the item holds something else than what was opened.' USING ERRCODE = 'PL032';
  END IF;
  IF NEW.answer_version <> COALESCE((SELECT a.version FROM initiatives_answer a
        WHERE a.initiative_id = item.initiative_id AND a.requirement = NEW.requirement), 0) THEN
    RAISE EXCEPTION 'Plumbline: the answer changed since it was read.' USING ERRCODE = 'PL032';
  END IF;
  IF NEW.second_to_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM initiatives_secondlook l JOIN initiatives_verification v ON v.id = l.verification_id
       WHERE v.id = NEW.second_to_id AND v.verifier_id <> NEW.verifier_id AND v.evidence_id = NEW.evidence_id
         AND v.requirement = NEW.requirement AND v.answer_version = NEW.answer_version) THEN
    RAISE EXCEPTION 'Plumbline: a second look is at what was drawn and somebody else verified.' USING ERRCODE = 'PL032';
  END IF;
  -- Strips less than `sentence_key`, so that this never refuses what the act takes.
  IF EXISTS (SELECT 1 FROM initiatives_verification v
             WHERE v.verifier_id = NEW.verifier_id AND v.fingerprint <> NEW.fingerprint
               AND regexp_replace(lower(v.words), '[[:space:][:punct:]]+', '', 'g')
                 = regexp_replace(lower(NEW.words), '[[:space:][:punct:]]+', '', 'g')) THEN
    RAISE EXCEPTION 'Plumbline: the verifier used this sentence for another item.' USING ERRCODE = 'PL032';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER verified_from_outside BEFORE INSERT ON initiatives_verification
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_verification();

CREATE FUNCTION plumbline_guard_second_look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM governance_user u WHERE u.id = NEW.drawn_by_id AND u.is_auditor AND u.is_active) THEN
    RAISE EXCEPTION 'Plumbline: only an auditor draws second looks.' USING ERRCODE = 'PL032';
  END IF;
  IF NOT EXISTS (
      SELECT FROM initiatives_verification v
        JOIN governance_entry e ON e."table" = 'initiatives_verification' AND e.key = v.id::text AND e.operation = '+'
        JOIN governance_leaf l ON l.entry_id = e.id
        JOIN governance_checkpoint c ON c.id = NEW.checkpoint_id AND c.size > l.position
       WHERE v.id = NEW.verification_id AND v.shows) THEN
    RAISE EXCEPTION 'Plumbline: a second look is at a verification that its checkpoint sealed.' USING ERRCODE = 'PL032';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER drawn_from_what_was_verified BEFORE INSERT ON initiatives_secondlook
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_second_look();

CREATE FUNCTION plumbline_guard_one_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_RELID <> 'public.initiatives_evidence'::regclass THEN
    RAISE EXCEPTION 'Plumbline: this function guards evidence alone.' USING ERRCODE = 'PL012';
  END IF;
  PERFORM 1 FROM public.initiatives_initiative WHERE id = NEW.initiative_id FOR NO KEY UPDATE;
  IF EXISTS (SELECT 1 FROM public.initiatives_evidence e
              WHERE e.initiative_id = NEW.initiative_id AND e.sha256 = NEW.sha256 AND e.kind <> NEW.kind
                AND e.withdrawn_at IS NULL) THEN
    RAISE EXCEPTION 'Plumbline: one file is one kind of evidence on an initiative.'
      USING ERRCODE = 'PL012', HINT = 'Offer the item that is there for this requirement too.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER one_file_is_one_kind BEFORE INSERT ON initiatives_evidence
  FOR EACH ROW WHEN ((NEW.sha256 <> '')) EXECUTE FUNCTION plumbline_guard_one_kind();

CREATE FUNCTION plumbline_guard_model_evaluation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Plumbline: a threshold is declared before its result.'
    USING ERRCODE = 'PL045', HINT = 'Declare data set, metric and threshold first; then record what was measured.';
END $$;
CREATE TRIGGER evaluations_stand BEFORE INSERT ON initiatives_modelevaluation
  FOR EACH ROW WHEN ((NEW.result IS NOT NULL)) EXECUTE FUNCTION plumbline_guard_model_evaluation();

CREATE FUNCTION plumbline_guard_drawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF plumbline_act(TG_TABLE_NAME)->>'id' IS NOT NULL THEN
    RAISE EXCEPTION 'Plumbline: nobody chooses the requirements that are drawn.' USING ERRCODE = 'PL033';
  END IF;
  IF NEW.review_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM initiatives_review r JOIN initiatives_initiative i ON i.id = r.initiative_id
       WHERE r.id = NEW.review_id AND r.initiative_id = NEW.initiative_id AND i.tier = 'minimal'
         AND r.gate = 'production' AND r.outcome = 'open') THEN
    RAISE EXCEPTION 'Plumbline: requirements are drawn for an open review of production at minimal risk.'
      USING ERRCODE = 'PL033';
  END IF;
  IF NEW.review_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM governance_entry e
        JOIN governance_leaf l ON l.entry_id = e.id
        JOIN governance_checkpoint c ON c.id = NEW.checkpoint_id AND c.size > l.position
       WHERE e."table" = 'initiatives_review' AND e.key = NEW.review_id::text AND e.operation = '+') THEN
    RAISE EXCEPTION 'Plumbline: requirements are drawn by a checkpoint sealed after submission.' USING ERRCODE = 'PL033';
  END IF;
  IF EXISTS (SELECT FROM initiatives_drawnrequirement d
              WHERE d.initiative_id = NEW.initiative_id AND d.review_id IS NOT DISTINCT FROM NEW.review_id
                AND d.renews IS NOT DISTINCT FROM NEW.renews AND d.checkpoint_id <> NEW.checkpoint_id) THEN
    RAISE EXCEPTION 'Plumbline: all requirements of a round are drawn by one checkpoint.' USING ERRCODE = 'PL033';
  END IF;
  IF NEW.replaces_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM initiatives_drawnrequirement d
       WHERE d.id = NEW.replaces_id AND d.initiative_id = NEW.initiative_id
         AND d.review_id IS NOT DISTINCT FROM NEW.review_id AND d.renews IS NOT DISTINCT FROM NEW.renews) THEN
    RAISE EXCEPTION 'Plumbline: a requirement is drawn in place of one of its own round.' USING ERRCODE = 'PL033';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER drawn_by_the_audit_log BEFORE INSERT ON initiatives_drawnrequirement
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_drawn();

CREATE FUNCTION plumbline_guard_acceptance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  told jsonb := to_jsonb(NEW);
  who bigint := (told ->> (TG_ARGV[0] || '_by_id'))::bigint;
  place text := told ->> (TG_ARGV[0] || '_seat');
  moment timestamptz := (told ->> (TG_ARGV[0] || '_at'))::timestamptz;
BEGIN
  IF plumbline_team_member(NEW.initiative_id, who, moment) THEN
    RAISE EXCEPTION 'Plumbline: nobody accepts this for an initiative whose team they are on.' USING ERRCODE = 'PL033';
  END IF;
  IF TG_ARGV[0] = 'second' AND (told ->> 'accepted_by_id')::bigint IN (SELECT plumbline_accounts(who)) THEN
    RAISE EXCEPTION 'Plumbline: two accounts that may be one person''s accept this once.' USING ERRCODE = 'PL033';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM governance_membership m JOIN governance_user u ON u.id = m.person_id
                 WHERE m.person_id = who AND m.seat = place AND u.is_active
                   AND m.starts_at <= moment AND (m.ends_at IS NULL OR m.ends_at > moment)) THEN
    RAISE EXCEPTION 'Plumbline: who accepts this does not hold the seat %.', place USING ERRCODE = 'PL033';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER accepted_from_outside BEFORE INSERT OR UPDATE OF accepted_by_id, accepted_at, accepted_seat ON initiatives_answer
  FOR EACH ROW WHEN ((NEW.accepted_at IS NOT NULL))
  EXECUTE FUNCTION plumbline_guard_acceptance('accepted');
CREATE TRIGGER second_from_outside BEFORE INSERT OR UPDATE OF second_by_id, second_at, second_seat ON initiatives_answer
  FOR EACH ROW WHEN ((NEW.second_at IS NOT NULL)) EXECUTE FUNCTION plumbline_guard_acceptance('second');
CREATE TRIGGER second_from_outside BEFORE INSERT OR UPDATE OF second_by_id, second_at, second_seat ON initiatives_standalonedeclaration
  FOR EACH ROW WHEN (((NEW.second_at IS NOT NULL) AND (NEW.ended_at IS NULL)))
  EXECUTE FUNCTION plumbline_guard_acceptance('second');

-- Evidence is not observed after it was added; 26 hours cover every time zone.
ALTER TABLE initiatives_evidence ADD CONSTRAINT observed_not_after_upload
  CHECK (observed_on <= (added_at + interval '26 hours')::date);

-- What a pipeline reported is written by no person, with its item, for a pipeline that has not ended.
CREATE FUNCTION plumbline_guard_pipeline_report() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  item initiatives_evidence%ROWTYPE;
  declared initiatives_pipeline%ROWTYPE;
BEGIN
  SELECT * INTO item FROM initiatives_evidence WHERE id = NEW.evidence_id;
  SELECT * INTO declared FROM initiatives_pipeline WHERE id = NEW.pipeline_id;
  IF NULLIF(current_setting('plumbline.act', true), '')::jsonb ->> 'id' IS NOT NULL THEN
    RAISE EXCEPTION 'Plumbline: only a pipeline files what it reported.' USING ERRCODE = 'PL074';
  END IF;
  IF declared.ended_at IS NOT NULL OR declared.initiative_id <> item.initiative_id
     OR declared.by_id <> item.author_id THEN
    RAISE EXCEPTION 'Plumbline: the item is not of this pipeline, or the pipeline has ended.' USING ERRCODE = 'PL074';
  END IF;
  IF NOT EXISTS (SELECT FROM initiatives_historicalevidence h
                 WHERE h.id = item.id AND h.history_type = '+' AND h.history_xact = plumbline_xact()) THEN
    RAISE EXCEPTION 'Plumbline: a pipeline reports an item when it files it, and not later.' USING ERRCODE = 'PL074';
  END IF;
  IF jsonb_array_length(NEW.measures) > 0
     AND (declared.keys <> '[]' OR declared.confirmed_until IS NULL OR declared.confirmed_until <= NEW.at
          OR EXISTS (SELECT FROM jsonb_array_elements_text(NEW.measures) key
                      WHERE NOT EXISTS (SELECT FROM initiatives_pipelinebar b
                                         WHERE b.pipeline_id = declared.id AND b.requirement = key AND b.ended_at IS NULL
                                           AND b.confirmed_until > NEW.at))) THEN
    RAISE EXCEPTION 'Plumbline: no seat has confirmed the pipeline and what it must show.' USING ERRCODE = 'PL074';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reported_by_a_pipeline BEFORE INSERT ON initiatives_pipelinereport
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_pipeline_report();

-- The initiative of a row that another row names, by the column that names it.
CREATE FUNCTION plumbline_initiative_named(named text, id bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE named
    WHEN 'acceptance' THEN (SELECT r.initiative_id FROM initiatives_roleassignment r WHERE r.id = $2)
    WHEN 'change' THEN (SELECT c.initiative_id FROM initiatives_changerecord c WHERE c.id = $2)
    WHEN 'clause' THEN (SELECT i.id FROM governance_clause c JOIN governance_contractversion v ON v.id = c.version_id
                          JOIN initiatives_initiative i ON i.contract_id = v.contract_id WHERE c.id = $2)
    WHEN 'contract_version' THEN (SELECT i.id FROM governance_contractversion v
                                    JOIN initiatives_initiative i ON i.contract_id = v.contract_id WHERE v.id = $2)
    WHEN 'deployment' THEN (SELECT d.initiative_id FROM initiatives_deployment d WHERE d.id = $2)
    WHEN 'link' THEN (SELECT l.initiative_id FROM initiatives_link l WHERE l.id = $2)
    WHEN 'pipeline' THEN (SELECT p.initiative_id FROM initiatives_pipeline p WHERE p.id = $2)
    WHEN 'scope_version' THEN (SELECT s.initiative_id FROM initiatives_scopeversion s WHERE s.id = $2)
    ELSE (SELECT e.initiative_id FROM initiatives_evidence e WHERE e.id = $2)
  END $$;

-- What a row is about belongs to one initiative: the report, the drill, the link, the clause and the version it names.
CREATE FUNCTION plumbline_guard_one_initiative() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  told jsonb := to_jsonb(NEW);
  own bigint := (told ->> 'initiative_id')::bigint;
  theirs bigint;
BEGIN
  FOR place IN 0 .. TG_NARGS - 1 LOOP
    theirs := plumbline_initiative_named(TG_ARGV[place], (told ->> (TG_ARGV[place] || '_id'))::bigint);
    IF theirs <> own THEN
      RAISE EXCEPTION 'Plumbline: the % belongs to another initiative.', replace(TG_ARGV[place], '_', ' ')
        USING ERRCODE = 'PL092', HINT = 'Choose one of this initiative.';
    END IF;
    own := COALESCE(own, theirs);
  END LOOP;
  RETURN NEW;
END $$;
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_evidence
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('clause', 'acceptance');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_evidencenames
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('evidence', 'deployment', 'scope_version', 'contract_version');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_voiding
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('evidence', 'change');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_declaredgoal
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('evidence');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_killswitch
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('drill');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_clauseenforcement
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('evidence', 'clause');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_drill
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('link', 'evidence');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_tracesample
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('evidence');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_signonflow
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('diagram');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_definitionconflict
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('mapping_evidence');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_modelevaluation
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('deployment');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_pipelinebar
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('pipeline');
CREATE TRIGGER about_one_initiative BEFORE INSERT OR UPDATE ON initiatives_transfer
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_one_initiative('link', 'deployment');
