-- Times are microseconds since 1970 in UTC. Every table that holds something of a practice starts with the practice.

CREATE TABLE practice(
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
-- Owns what belongs to nobody else: a clearinghouse account that all practices use.
INSERT INTO practice(id, name, created_at) VALUES ('gateway', 'The gateway itself', 0);

-- Only the SHA-256 of a key is kept: keys are 256 random bits, so that a slow hash would add nothing.
CREATE TABLE api_key(
  id         TEXT PRIMARY KEY,
  practice   TEXT NOT NULL REFERENCES practice(id),
  label      TEXT NOT NULL,
  scopes     TEXT NOT NULL,
  hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;
CREATE INDEX api_key_of_practice ON api_key(practice, created_at);

-- The root key, wrapped by the key file's key. One row for now; the version leaves room for rotation.
CREATE TABLE vault_root(
  version    INTEGER PRIMARY KEY,
  wrapped    BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- One row for each practice and carrier. A deleted credential keeps its row, so that its generation never comes back.
CREATE TABLE credential(
  practice     TEXT NOT NULL REFERENCES practice(id),
  carrier      TEXT NOT NULL,
  id           TEXT NOT NULL UNIQUE,
  generation   INTEGER NOT NULL CHECK (generation > 0),
  state        TEXT NOT NULL CHECK (state IN ('active', 'stopped', 'deleted')),
  reason       TEXT,
  origins      TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER,
  stopped_at   INTEGER,
  PRIMARY KEY (practice, carrier)
) STRICT;

CREATE TABLE credential_field(
  practice   TEXT NOT NULL,
  carrier    TEXT NOT NULL,
  name       TEXT NOT NULL,
  data_key   BLOB NOT NULL,
  sealed     BLOB NOT NULL,
  PRIMARY KEY (practice, carrier, name),
  FOREIGN KEY (practice, carrier) REFERENCES credential(practice, carrier)
) STRICT;

-- Questions and their answers. Envelope and evidence are sealed; the columns beside them hold no patient data.
CREATE TABLE ask(
  practice     TEXT NOT NULL,
  id           TEXT NOT NULL,
  carrier      TEXT NOT NULL,
  operation    TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('pending', 'answered', 'refused', 'failed')),
  envelope     BLOB,
  evidence_id  TEXT,
  created_at   INTEGER NOT NULL,
  completed_at INTEGER,
  PRIMARY KEY (practice, id)
) STRICT;
CREATE INDEX ask_pending ON ask(practice) WHERE state = 'pending';

-- What was exchanged with the carrier. Its own table: large, rarely read, and the first thing a retention rule removes.
CREATE TABLE evidence(
  practice   TEXT NOT NULL,
  ask        TEXT NOT NULL,
  id         TEXT NOT NULL UNIQUE,
  sealed     BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (practice, ask)
) STRICT;

-- The paper trail. `body` is the record's canonical text; what is filtered by is read out of it, so that there is no
-- second truth to drift.
CREATE TABLE trail(
  practice TEXT NOT NULL,
  seq      INTEGER NOT NULL CHECK (seq > 0),
  at       INTEGER NOT NULL,
  body     TEXT NOT NULL,
  chain    BLOB NOT NULL CHECK (length(chain) = 32),
-- only sqlite
  action   TEXT GENERATED ALWAYS AS (json_extract(body, '$.action'))  VIRTUAL,
  actor    TEXT GENERATED ALWAYS AS (json_extract(body, '$.actor'))   VIRTUAL,
  carrier  TEXT GENERATED ALWAYS AS (json_extract(body, '$.carrier')) VIRTUAL,
  ask_id   TEXT GENERATED ALWAYS AS (json_extract(body, '$.ask_id'))  VIRTUAL,
-- only postgres
  action   TEXT GENERATED ALWAYS AS (body::jsonb ->> 'action')  STORED,
  actor    TEXT GENERATED ALWAYS AS (body::jsonb ->> 'actor')   STORED,
  carrier  TEXT GENERATED ALWAYS AS (body::jsonb ->> 'carrier') STORED,
  ask_id   TEXT GENERATED ALWAYS AS (body::jsonb ->> 'ask_id')  STORED,
-- both
  PRIMARY KEY (practice, seq)
) STRICT;
-- only sqlite
CREATE TRIGGER trail_is_not_edited BEFORE UPDATE ON trail
  BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;
CREATE TRIGGER trail_is_not_erased BEFORE DELETE ON trail
  BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;
-- only postgres
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'the trail is append-only'; END $$;
CREATE TRIGGER trail_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trail
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
-- both

-- The end of each practice's chain, with a code that only the holder of the vault's key can make.
CREATE TABLE trail_head(
  practice TEXT PRIMARY KEY,
  seq      INTEGER NOT NULL,
  chain    BLOB NOT NULL CHECK (length(chain) = 32),
  mac      BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;

-- only postgres
-- Raised by every start: a gateway whose connection was lost sees whether another one ran meanwhile.
CREATE TABLE store_start(number BIGINT NOT NULL);
INSERT INTO store_start(number) VALUES (0);
-- both
