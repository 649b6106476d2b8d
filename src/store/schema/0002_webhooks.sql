-- Where a practice wants its events delivered. The signing secret is sealed. `cursor` is the number of the last trail
-- record that was delivered or is no event.
CREATE TABLE webhook(
  practice     TEXT NOT NULL REFERENCES practice(id),
  id           TEXT NOT NULL,
  url          TEXT NOT NULL,
  kinds        TEXT NOT NULL,
  sealed       BLOB NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('active', 'disabled', 'deleted')),
  cursor       INTEGER NOT NULL,
  failures     INTEGER NOT NULL,
  failing_since INTEGER,
  next_at      INTEGER NOT NULL,
  last_status  INTEGER,
  delivered_at INTEGER,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (practice, id)
) STRICT;
CREATE INDEX webhook_due ON webhook(next_at) WHERE state = 'active';
