-- Decisions: one partition for each month.

CREATE TABLE governance_policydecision (
    id bigserial NOT NULL,
    at timestamptz NOT NULL,
    initiative_number integer NOT NULL,
    version_number integer,
    contract_digest varchar(64) NOT NULL,
    key_id bigint,
    subject varchar(240) NOT NULL,
    action varchar(120) NOT NULL,
    resource varchar(240) NOT NULL,
    outcome varchar(16) NOT NULL,
    code varchar(40) NOT NULL,
    clauses jsonb NOT NULL,
    reason text NOT NULL,
    request jsonb NOT NULL,
    request_id varchar(80) NOT NULL,
    approval uuid,
    took_us integer NOT NULL,
    batch_id bigint NOT NULL,
    place integer NOT NULL,
    digest bytea NOT NULL,
    salt bytea,
    CONSTRAINT governance_policydecision_outcome_check CHECK (outcome IN ('allow', 'deny', 'needs_approval')),
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE INDEX decisions_by_batch ON governance_policydecision (batch_id);
CREATE INDEX decisions_by_initiative ON governance_policydecision (initiative_number, at DESC, id DESC);
CREATE INDEX decisions_by_key ON governance_policydecision (key_id, at DESC, id DESC);
CREATE INDEX decisions_by_subject ON governance_policydecision (initiative_number, subject, at DESC);
