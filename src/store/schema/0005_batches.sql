-- Batches of eligibility questions. What names a patient (a batch's name, an item's question and reference) is sealed;
-- a finished item points at its stored answer by the question's id.
CREATE TABLE batch(
  practice   TEXT NOT NULL REFERENCES practice(id),
  id         TEXT NOT NULL,
  -- Digest of the caller's idempotency key. Never erased.
  idem       BLOB NOT NULL CHECK (length(idem) = 32),
  -- Sealed digest of what was handed in: the digest alone would let patients be guessed.
  content    BLOB NOT NULL,
  name       BLOB,
  -- In whose name the questions are put.
  actor      TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('running', 'paused', 'cancelled', 'done')),
  reason     TEXT,
  items      INTEGER NOT NULL CHECK (items > 0),
  left_out   INTEGER NOT NULL,
  made_at    INTEGER NOT NULL,
  ended_at   INTEGER,
  PRIMARY KEY (practice, id),
  UNIQUE (practice, idem)
) STRICT;
CREATE INDEX batch_open ON batch(practice) WHERE state IN ('running', 'paused');

CREATE TABLE batch_item(
  practice   TEXT NOT NULL,
  batch      TEXT NOT NULL,
  n          INTEGER NOT NULL CHECK (n > 0),
  carrier    TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('waiting', 'asking', 'answered', 'refused', 'failed', 'cancelled')),
  -- Why it waits again, or failed: a fixed word.
  reason     TEXT,
  -- The question that was put for it last; its answer is stored under this id.
  question   TEXT,
  tries      INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  first_at   INTEGER,
  ended_at   INTEGER,
  sealed     BLOB NOT NULL,
  PRIMARY KEY (practice, batch, n),
  FOREIGN KEY (practice, batch) REFERENCES batch(practice, id)
) STRICT;
CREATE INDEX batch_item_open ON batch_item(practice, batch) WHERE state IN ('waiting', 'asking');
