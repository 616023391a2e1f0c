-- Events on their way to receivers, and how far the copies of the audit log have come.

-- An event that waits is not deleted, and one that was sent or given up stays for 90 days.
CREATE FUNCTION plumbline_guard_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ended timestamptz := coalesce(OLD.sent_at, OLD.given_up_at);
BEGIN
  IF ended IS NULL OR ended > plumbline_rule_time('infinity') - interval '89 days' THEN
    RAISE EXCEPTION 'Plumbline: an event stays until 90 days after it was sent or given up.' USING ERRCODE = 'PL048';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER kept_for_its_time BEFORE DELETE ON governance_eventdelivery
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_delivery();

-- A place moves on by one batch at most, and never beyond what is sealed. The stream to syslog begins with the first entry.
-- Each line of that stream has its place, so its receiver sees a place that was left out.
CREATE FUNCTION plumbline_guard_place() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  batch bigint := CASE WHEN NEW.receiver_id IS NULL THEN 500 ELSE 20000 END;
BEGIN
  IF TG_OP = 'INSERT' AND NEW.receiver_id IS NULL AND NEW.position <> 0
     OR TG_OP = 'UPDATE' AND NEW.position <> OLD.position
        AND (NEW.position NOT BETWEEN OLD.position AND OLD.position + batch
             OR NEW.position > (SELECT max(size) FROM governance_checkpoint)) THEN
    RAISE EXCEPTION 'Plumbline: the place of a copy of the audit log moves on by what was sent.' USING ERRCODE = 'PL048';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER moves_on_by_batches BEFORE INSERT OR UPDATE ON governance_auditlogreader
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_place();
