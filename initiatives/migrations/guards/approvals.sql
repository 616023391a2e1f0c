-- Approvals that a contract asks of a person.

CREATE FUNCTION plumbline_guard_approval_answer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  asked initiatives_approvalrequest;
BEGIN
  SELECT * INTO asked FROM initiatives_approvalrequest WHERE id = NEW.request_id FOR UPDATE;
  IF NEW.person_id = ANY (asked.principals) THEN
    RAISE EXCEPTION 'Plumbline: the system acts for this person, who therefore does not approve what it asks.'
      USING ERRCODE = 'PL051', HINT = 'Somebody else in the role answers.';
  END IF;
  IF asked.decided_at IS NOT NULL THEN
    RAISE EXCEPTION 'Plumbline: this request was answered already.' USING ERRCODE = 'PL051';
  END IF;
  IF NEW.at >= asked.expires_at OR plumbline_now() >= asked.expires_at THEN
    RAISE EXCEPTION 'Plumbline: the time to answer this request is over; nothing was done.' USING ERRCODE = 'PL051';
  END IF;
  IF NEW.digest <> asked.arguments_digest THEN
    RAISE EXCEPTION 'Plumbline: an answer is for exactly the arguments that were shown.' USING ERRCODE = 'PL051';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER answer_is_for_these_arguments BEFORE INSERT ON initiatives_approvalanswer
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_approval_answer();

-- Whether the approval of a call that a person gave in a role, for themselves or for whom they stood in, counts at a moment:
-- the person is active and has spoken in that role without a break.
CREATE FUNCTION plumbline_speaks(of_initiative bigint, who bigint, on_behalf bigint, part text, given_at timestamptz, moment timestamptz)
  RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM initiatives_roleassignment r
      JOIN governance_user holder ON holder.id = r.person_id AND holder.is_active
      JOIN governance_user speaker ON speaker.id = who AND speaker.is_active
     WHERE r.initiative_id = of_initiative AND r.role = part AND r.accepted_at <= given_at
       AND r.declined_at IS NULL AND r.ended_at IS NULL AND r.person_id = coalesce(on_behalf, who)
       AND (on_behalf IS NULL OR EXISTS (
             SELECT FROM governance_absence a JOIN governance_delegation d ON d.absence_id = a.id
              WHERE a.person_id = r.person_id AND a.starts_at <= given_at AND a.ends_at > moment
                AND d.membership_id IS NULL AND d.accepted_at <= given_at AND d.ended_at IS NULL
                AND d.delegate_id = who)))
$$;

CREATE FUNCTION plumbline_guard_approval_use() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  asked initiatives_approvalrequest;
  voices integer;
BEGIN
  SELECT * INTO asked FROM initiatives_approvalrequest WHERE id = NEW.request_id FOR UPDATE;
  SELECT count(DISTINCT person_id) FILTER (WHERE verdict = 'approve' AND plumbline_speaks(
           asked.initiative_id, person_id, on_behalf_of_id, role, at, NEW.at))
         - 1000 * count(*) FILTER (WHERE verdict <> 'approve')
    INTO voices FROM initiatives_approvalanswer WHERE request_id = NEW.request_id;
  IF NOT asked.granted OR voices < 0 THEN
    RAISE EXCEPTION 'Plumbline: nobody approved this call.' USING ERRCODE = 'PL051';
  END IF;
  IF voices < (CASE WHEN asked.four_eyes THEN 2 ELSE 1 END) THEN
    RAISE EXCEPTION 'Plumbline: too few approvals of this call count now.' USING ERRCODE = 'PL052';
  END IF;
  IF NEW.arguments_digest <> asked.arguments_digest THEN
    RAISE EXCEPTION 'Plumbline: an approval is for exactly the arguments that were approved.' USING ERRCODE = 'PL051';
  END IF;
  IF NEW.at >= asked.expires_at OR plumbline_now() >= asked.expires_at THEN
    RAISE EXCEPTION 'Plumbline: this approval is too old.' USING ERRCODE = 'PL051';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER use_is_approved BEFORE INSERT ON initiatives_approvaluse
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_approval_use();

CREATE FUNCTION plumbline_guard_approval_preview() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.digest <> encode(sha256(convert_to(NEW.content, 'UTF8')), 'hex') OR NOT EXISTS (
         SELECT FROM initiatives_approvalrequest r WHERE r.id = NEW.request_id
            AND r.arguments #> '{context,preview}' = jsonb_build_object('kind', NEW.kind, 'sha256', NEW.digest)) THEN
      RAISE EXCEPTION 'Plumbline: what is shown for an approval is what was asked about.' USING ERRCODE = 'PL051';
    END IF;
  ELSIF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'content' IS DISTINCT FROM to_jsonb(OLD) - 'content'
     OR NEW.content <> '' THEN
    RAISE EXCEPTION 'Plumbline: what was shown for an approval is erased, and never changed.'
      USING ERRCODE = 'PL051';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER preview_is_what_was_asked BEFORE INSERT OR DELETE OR UPDATE ON initiatives_approvalpreview
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_approval_preview();
