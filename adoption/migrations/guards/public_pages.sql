-- Public pages.

CREATE FUNCTION plumbline_guard_public_page() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: a public page is withdrawn, never deleted.' USING ERRCODE = 'PL073';
  END IF;
  IF TG_OP = 'UPDATE' AND (OLD.ended_at IS NOT NULL
     OR to_jsonb(NEW) - ARRAY['purpose', 'ended_at', 'ended_by_id']
        IS DISTINCT FROM to_jsonb(OLD) - ARRAY['purpose', 'ended_at', 'ended_by_id']) THEN
    RAISE EXCEPTION 'Plumbline: a public page that was withdrawn opens nothing again, and none changes its address.'
      USING ERRCODE = 'PL073', HINT = 'Make another one.';
  END IF;
  IF NEW.ended_at IS NULL
     AND (SELECT i.confidential FROM initiatives_initiative i WHERE i.id = NEW.initiative_id FOR SHARE) THEN
    RAISE EXCEPTION 'Plumbline: a confidential initiative has no public page.' USING ERRCODE = 'PL073';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER public_pages_stand BEFORE INSERT OR DELETE OR UPDATE ON adoption_publicpage
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_public_page();

-- An act that makes an initiative confidential withdraws its page in the same transaction, after the change of the initiative.
CREATE FUNCTION plumbline_guard_secrecy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM adoption_publicpage p WHERE p.initiative_id = NEW.id AND p.ended_at IS NULL)
     AND (SELECT i.confidential FROM initiatives_initiative i WHERE i.id = NEW.id) THEN
    RAISE EXCEPTION 'Plumbline: a confidential initiative has no public page.'
      USING ERRCODE = 'PL073', HINT = 'Withdraw the page first.';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER no_public_page_of_a_secret AFTER UPDATE OF confidential ON initiatives_initiative
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.confidential) EXECUTE FUNCTION plumbline_guard_secrecy();
