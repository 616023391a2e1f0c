-- The transaction and the moment that rows are stamped with.

CREATE FUNCTION plumbline_simulated() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  -- Any login can set a custom parameter, so the parameter alone proves nothing: membership decides.
  RETURN coalesce(current_setting('plumbline.now', true), '') <> ''
     AND EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'plumbline_clock')
     AND pg_has_role(session_user, 'plumbline_clock', 'member');
END $$;

CREATE FUNCTION plumbline_now() RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF plumbline_simulated() THEN
    RETURN current_setting('plumbline.now')::timestamptz;
  END IF;
  RETURN clock_timestamp();
END $$;

-- The id of the running transaction in the audit log. A restore on another server, which counts anew, moves the count
-- past what the audit log knows (`governance.backup`), so that an id never means two transactions.
CREATE FUNCTION plumbline_xact() RETURNS bigint
  LANGUAGE sql STABLE AS $$SELECT pg_current_xact_id()::text::bigint + 0$$;
