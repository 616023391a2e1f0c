-- Rows of initiatives that need an entry of the audit log in the same transaction.

-- The initiative that a row belongs to.
CREATE FUNCTION plumbline_initiative_of(place text, told jsonb) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE place
    WHEN 'initiatives_initiative' THEN (told ->> 'id')::bigint
    WHEN 'initiatives_condition' THEN
      (SELECT r.initiative_id FROM initiatives_review r WHERE r.id = (told ->> 'review_id')::bigint)
    WHEN 'governance_servicekey' THEN
      (SELECT i.id FROM initiatives_initiative i WHERE i.contract_id = (told ->> 'contract_id')::bigint)
    ELSE (told ->> 'initiative_id')::bigint END
$$;

-- Arguments: the kinds of acts on the initiative, one of which stands in this transaction, of whoever changed the row.
CREATE FUNCTION plumbline_guard_told_of_initiative() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  told jsonb := to_jsonb(NEW);
  ref text := (SELECT plumbline_reference(number) FROM initiatives_initiative
                WHERE id = plumbline_initiative_of(TG_TABLE_NAME, to_jsonb(NEW)));
BEGIN
  IF NOT EXISTS (
       SELECT FROM governance_entry e
        WHERE e.xact = plumbline_xact() AND e."table" = ''
          AND (e.kind = 'erased' OR e.kind = ANY (TG_ARGV) AND e.initiative_ref = ref
               AND EXISTS (SELECT FROM governance_entry r
                            WHERE r."table" = TG_TABLE_NAME AND r.key = told ->> 'id'
                              AND r.xact - plumbline_xact() = 0 AND r.actor_id IS NOT DISTINCT FROM e.actor_id))) THEN
    RAISE EXCEPTION 'Plumbline: row % of % changed without its act (%).',
      told ->> 'id', TG_TABLE_NAME, array_to_string(TG_ARGV, ', ')
      USING ERRCODE = 'PL047', HINT = 'Change it through its action, which records the act in the same transaction.';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER has_its_act_accepted AFTER UPDATE ON initiatives_roleassignment
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.accepted_at IS DISTINCT FROM NEW.accepted_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('role accepted');
CREATE CONSTRAINT TRIGGER has_its_act_attested AFTER UPDATE ON initiatives_initiative
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.reattested_at IS DISTINCT FROM NEW.reattested_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('re-attested');
CREATE CONSTRAINT TRIGGER has_its_act_shown AFTER UPDATE ON initiatives_initiative
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.confidential AND (NOT NEW.confidential)))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('details changed');
CREATE CONSTRAINT TRIGGER has_its_act_accepted AFTER UPDATE ON initiatives_acceptedrisk
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.risk_at IS DISTINCT FROM NEW.risk_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('risk accepted');
CREATE CONSTRAINT TRIGGER has_its_act_ended AFTER UPDATE ON initiatives_acceptedrisk
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.ended_at IS DISTINCT FROM NEW.ended_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('accepted risk ended');
CREATE CONSTRAINT TRIGGER has_its_act_refused AFTER UPDATE ON initiatives_acceptedrisk
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.refused_at IS DISTINCT FROM NEW.refused_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('acceptance of a risk refused', 'acceptance of a risk lapsed');
CREATE CONSTRAINT TRIGGER has_its_act_requested AFTER INSERT ON initiatives_acceptedrisk
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('acceptance of a risk requested');
CREATE CONSTRAINT TRIGGER has_its_act_reviewed AFTER UPDATE ON initiatives_acceptedrisk
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.reviewed_at IS DISTINCT FROM NEW.reviewed_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('accepted risk reviewed');
CREATE CONSTRAINT TRIGGER has_its_act_chair AFTER UPDATE ON initiatives_waiver
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.chair_at IS DISTINCT FROM NEW.chair_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('waiver agreed');
CREATE CONSTRAINT TRIGGER has_its_act_continued AFTER INSERT ON initiatives_continuation
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told_of_initiative('continued');
CREATE CONSTRAINT TRIGGER has_its_act_ended AFTER UPDATE ON initiatives_review
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.outcome IS DISTINCT FROM NEW.outcome))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('review approved', 'review approved with conditions', 'review refused', 'review returned', 'review withdrawn', 'review expired');
CREATE CONSTRAINT TRIGGER has_its_act_excused AFTER INSERT ON initiatives_excuse
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told_of_initiative('obligation excused');
CREATE CONSTRAINT TRIGGER has_its_act_fixed AFTER INSERT ON initiatives_condition
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told_of_initiative('condition fixed');
CREATE CONSTRAINT TRIGGER has_its_act_lifted AFTER UPDATE ON initiatives_hold
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.lifted_at IS DISTINCT FROM NEW.lifted_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('hold lifted');
CREATE CONSTRAINT TRIGGER has_its_act_made AFTER INSERT ON governance_servicekey
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told_of_initiative('key made');
CREATE CONSTRAINT TRIGGER has_its_act_named AFTER UPDATE ON governance_servicekey
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.principal_id IS DISTINCT FROM NEW.principal_id))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('key principal named');
CREATE CONSTRAINT TRIGGER has_its_act_met AFTER UPDATE ON initiatives_condition
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.met_at IS DISTINCT FROM NEW.met_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('condition met', 'condition not met');
CREATE CONSTRAINT TRIGGER has_its_act_opened AFTER INSERT ON initiatives_hold
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told_of_initiative('hold opened');
CREATE CONSTRAINT TRIGGER has_its_act_opened AFTER INSERT ON initiatives_review
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told_of_initiative('review opened');
CREATE CONSTRAINT TRIGGER has_its_act_declared AFTER INSERT ON initiatives_pipeline
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told_of_initiative('pipeline declared');
CREATE CONSTRAINT TRIGGER has_its_act_ended AFTER UPDATE ON initiatives_pipeline
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.ended_at IS DISTINCT FROM NEW.ended_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('pipeline ended');
CREATE CONSTRAINT TRIGGER has_its_act_confirmed AFTER UPDATE ON initiatives_pipeline
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.confirmed_at IS DISTINCT FROM NEW.confirmed_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('pipeline confirmed');
CREATE CONSTRAINT TRIGGER has_its_act_declared AFTER INSERT ON initiatives_pipelinebar
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told_of_initiative('bar declared');
CREATE CONSTRAINT TRIGGER has_its_act_confirmed AFTER UPDATE ON initiatives_pipelinebar
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.confirmed_at IS DISTINCT FROM NEW.confirmed_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('bar confirmed');
CREATE CONSTRAINT TRIGGER has_its_act_pressed AFTER INSERT ON initiatives_killswitch
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told_of_initiative('switched off');
CREATE CONSTRAINT TRIGGER has_its_act_refused AFTER UPDATE ON initiatives_waiver
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.refused_at IS DISTINCT FROM NEW.refused_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('waiver refused', 'waiver lapsed', 'stage changed');
CREATE CONSTRAINT TRIGGER has_its_act_released AFTER UPDATE ON initiatives_killswitch
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.released_at IS DISTINCT FROM NEW.released_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('switched on');
CREATE CONSTRAINT TRIGGER has_its_act_requested AFTER INSERT ON initiatives_waiver
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told_of_initiative('waiver requested');
CREATE CONSTRAINT TRIGGER has_its_act_risk AFTER UPDATE ON initiatives_waiver
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.risk_at IS DISTINCT FROM NEW.risk_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('waiver agreed');
CREATE CONSTRAINT TRIGGER has_its_act_tier AFTER UPDATE ON initiatives_initiative
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.tier IS DISTINCT FROM NEW.tier))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('risk tier confirmed');
CREATE CONSTRAINT TRIGGER has_its_act_withdrawn AFTER UPDATE ON initiatives_initiative
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.withdrawn_at IS DISTINCT FROM NEW.withdrawn_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('withdrawn');

-- An obligation decides: of a demotion that is due, until when systems are answered as before.
CREATE CONSTRAINT TRIGGER has_its_act_opened AFTER INSERT ON initiatives_obligation
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told_of_initiative('obligation opened');
CREATE CONSTRAINT TRIGGER has_its_act_completed AFTER UPDATE ON initiatives_obligation
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.completed_at IS DISTINCT FROM NEW.completed_at))
  EXECUTE FUNCTION plumbline_guard_told_of_initiative('obligation completed');
