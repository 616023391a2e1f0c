-- The interaction log: one partition for each month.

CREATE TABLE governance_interaction (
    id bigserial NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    key_id bigint,
    holder_key bigint NOT NULL,
    batch_id bigint NOT NULL,
    initiative_number integer NOT NULL,
    place integer NOT NULL,
    size integer NOT NULL,
    stored integer NOT NULL,
    tokens_in integer,
    tokens_out integer,
    sampled double precision,
    odd_clock boolean NOT NULL,
    kind varchar(10) NOT NULL,
    model varchar(120) NOT NULL,
    version varchar(120) NOT NULL,
    call bytea NOT NULL,
    mark bytea NOT NULL,
    conversation bytea,
    subject bytea,
    decision bytea,
    digest bytea NOT NULL,
    action varchar(100) DEFAULT '' NOT NULL,
    has_input boolean DEFAULT false NOT NULL,
    has_output boolean DEFAULT false NOT NULL,
    has_source boolean,
    failed boolean,
    milliseconds integer,
    unread jsonb,
    CONSTRAINT governance_interaction_kind_check CHECK (kind IN ('call', 'tool', 'retrieval', 'events', 'wrapper', 'other')),
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE INDEX interactions_by_batch ON governance_interaction USING brin (batch_id);
CREATE INDEX interactions_by_call ON governance_interaction (call);
CREATE INDEX interactions_by_initiative ON governance_interaction (initiative_number, at DESC, id DESC);
CREATE INDEX interactions_by_conversation ON governance_interaction (conversation) WHERE ((conversation IS NOT NULL) AND (subject IS NULL));
CREATE INDEX interactions_by_decision ON governance_interaction (decision) WHERE (decision IS NOT NULL);
CREATE INDEX interactions_by_subject ON governance_interaction (subject, at DESC) WHERE (subject IS NOT NULL);
CREATE INDEX interactions_unread ON governance_interaction (initiative_number, at DESC) WHERE (unread IS NOT NULL);

-- Bodies, by month of receipt. They are compressed and encrypted, so PostgreSQL does not try to compress them again.
CREATE TABLE governance_interactionbody (
    id bigserial NOT NULL,
    day date NOT NULL,
    initiative_number integer NOT NULL,
    batch_id bigint NOT NULL,
    place integer NOT NULL,
    content bytea NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (batch_id, place, day)
) PARTITION BY RANGE (day);
CREATE INDEX interaction_bodies_by_initiative ON governance_interactionbody (initiative_number, day);
ALTER TABLE governance_interactionbody ALTER COLUMN content SET STORAGE EXTERNAL;
