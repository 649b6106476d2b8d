-- The vault's keys, each wrapped by the one above it. What stands beside a wrapped key is bound into the wrapping: a row
-- that is changed or moved does not open.

-- Ways to the root key, side by side. A recovery code and a key file are random already and need no slow hash. The code
-- lets an open vault tell that a row was changed whose secret it does not have.
CREATE TABLE vault_wrapping(
  way        TEXT PRIMARY KEY CHECK (way IN ('key_file', 'passphrase', 'recovery')),
  root       INTEGER NOT NULL CHECK (root > 0),
  salt       BLOB NOT NULL,
  memory_kib INTEGER NOT NULL,
  passes     INTEGER NOT NULL,
  wrapped    BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  code       BLOB NOT NULL
) STRICT;

-- One key for each practice and rotation, wrapped by the root key; the highest number is the newest. A practice whose keys
-- are erased here is erased: nobody opens what they sealed.
CREATE TABLE vault_key(
  practice   TEXT NOT NULL REFERENCES practice(id),
  id         INTEGER PRIMARY KEY CHECK (id >= 0),
  root       INTEGER NOT NULL,
  wrapped    BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- How far re-wrapping has come. No row: there is nothing to re-wrap.
CREATE TABLE vault_rewrap(
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  practice   TEXT NOT NULL,
  kind       INTEGER NOT NULL,
  place      TEXT NOT NULL,
  begun_at   INTEGER NOT NULL
) STRICT;

-- A rotation exchanges the key of a text that is sealed, of an ended attempt too: that column says nothing of how it ended.
-- All others are still kept as they were.
-- only sqlite
DROP TRIGGER attempt_ends_once;
CREATE TRIGGER attempt_ends_once BEFORE UPDATE OF practice, submission, id, n, worker, wire_digest, numbers, intent_at,
    armed_at, ended_at, outcome, failure, evidence ON attempt
  WHEN (OLD.outcome IS NOT NULL AND OLD.outcome <> 'unknown')
    OR (OLD.outcome = 'unknown' AND NEW.outcome NOT IN ('unknown', 'confirmed_absent', 'confirmed_present'))
    OR (OLD.armed_at IS NOT NULL AND (NEW.armed_at IS NULL OR NEW.outcome = 'not_sent'))
    OR NEW.practice <> OLD.practice OR NEW.submission <> OLD.submission OR NEW.n <> OLD.n
  BEGIN SELECT RAISE(ABORT, 'an attempt ends once'); END;
-- only postgres
DROP TRIGGER attempt_ends_once ON attempt;
CREATE TRIGGER attempt_ends_once BEFORE UPDATE OF practice, submission, id, n, worker, wire_digest, numbers, intent_at,
    armed_at, ended_at, outcome, failure, evidence ON attempt
  FOR EACH ROW EXECUTE FUNCTION attempt_ends_once();
-- both
