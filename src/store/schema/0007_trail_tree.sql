-- The Merkle tree over each trail, what records commit to without saying it, and the signed checkpoints.

-- A code over the record and all before it, which needs the vault's key: names the record from which on a trail was
-- re-written. Not that of the chain's end: with that, a trail could be cut at any record.
ALTER TABLE trail ADD COLUMN mac BLOB;
CREATE INDEX trail_of_ask ON trail(practice, ask_id) WHERE ask_id IS NOT NULL;

-- The roots of the tree's full subtrees, largest first. NULL until the first record after this step is appended.
ALTER TABLE trail_head ADD COLUMN frontier BLOB;
-- Raised when a trail that was put back to an earlier state is accepted: a new log, as far as checkpoints go.
ALTER TABLE trail_head ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1;

-- The root of every 256 records, so that a proof need not read all of them. Proven by the head, not by itself.
CREATE TABLE trail_tile(
  practice TEXT NOT NULL,
  n        INTEGER NOT NULL CHECK (n >= 0),
  hash     BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (practice, n)
) STRICT;

-- What a record commits to: sealed, with the salt of the commitment. `patient` is a code by which a patient is found.
CREATE TABLE trail_detail(
  practice TEXT NOT NULL,
  seq      INTEGER NOT NULL,
  patient  BLOB,
  sealed   BLOB NOT NULL,
  PRIMARY KEY (practice, seq)
) STRICT;
CREATE INDEX trail_detail_of_patient ON trail_detail(practice, patient) WHERE patient IS NOT NULL;

-- The keys that sign checkpoints; the newest one signs. `announcement` is the record's text: signed by the key before.
CREATE TABLE trail_key(
  n            INTEGER PRIMARY KEY CHECK (n > 0),
  public       BLOB NOT NULL UNIQUE CHECK (length(public) = 32),
  sealed       BLOB NOT NULL,
  announcement TEXT NOT NULL,
  created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE trail_checkpoint(
  practice TEXT NOT NULL,
  epoch    INTEGER NOT NULL,
  size     INTEGER NOT NULL CHECK (size > 0),
  note     TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (practice, epoch, size)
) STRICT;

-- The evidence packets that were made; the next one proves that the trail continues the one that the last one showed.
CREATE TABLE trail_packet(
  practice TEXT NOT NULL,
  id       TEXT NOT NULL,
  epoch    INTEGER NOT NULL,
  size     INTEGER NOT NULL,
  digest   BLOB NOT NULL CHECK (length(digest) = 32),
  at       INTEGER NOT NULL,
  PRIMARY KEY (practice, id)
) STRICT;
