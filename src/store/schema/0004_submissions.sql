-- What has an effect at a carrier. Ask, answer, bytes and reasons are sealed; the columns beside them hold no patient
-- data. Rows are never deleted: an idempotency key holds for good.
CREATE TABLE submission(
  practice     TEXT NOT NULL REFERENCES practice(id),
  id           TEXT NOT NULL,
  carrier      TEXT NOT NULL,
  kind         TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state IN
    ('queued', 'intent', 'armed', 'unknown', 'accepted', 'rejected', 'cancelled', 'voided')),
  urgent       INTEGER NOT NULL CHECK (urgent IN (0, 1)),
  negatives    INTEGER NOT NULL,
  person       INTEGER NOT NULL CHECK (person IN (0, 1)),
  actor        TEXT NOT NULL,
  key_digest   BLOB NOT NULL CHECK (length(key_digest) = 32),
  content_mac  BLOB NOT NULL CHECK (length(content_mac) = 32),
  receipt_mac  BLOB CHECK (length(receipt_mac) = 32),
  biz_ref      TEXT NOT NULL,
  sealed_ask   BLOB NOT NULL,
  sealed_end   BLOB,
  attempts     INTEGER NOT NULL,
  asked        INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  changed_at   INTEGER NOT NULL,
  unknown_at   INTEGER,
  due_at       INTEGER,
  PRIMARY KEY (practice, id),
  UNIQUE (practice, key_digest),
  UNIQUE (practice, carrier, biz_ref)
) STRICT;
CREATE INDEX submission_content ON submission(practice, carrier, content_mac);
CREATE INDEX submission_receipt ON submission(practice, carrier, receipt_mac) WHERE receipt_mac IS NOT NULL;
CREATE INDEX submission_state ON submission(practice, state, created_at);
CREATE INDEX submission_due ON submission(due_at) WHERE due_at IS NOT NULL;
CREATE INDEX submission_open ON submission(state) WHERE state IN ('intent', 'armed', 'unknown');

CREATE TABLE attempt(
  practice    TEXT NOT NULL,
  submission  TEXT NOT NULL,
  id          TEXT NOT NULL,
  n           INTEGER NOT NULL CHECK (n > 0),
  worker      TEXT NOT NULL,
  sealed_wire BLOB NOT NULL,
  wire_digest BLOB NOT NULL CHECK (length(wire_digest) = 32),
  numbers     TEXT NOT NULL,
  intent_at   INTEGER NOT NULL,
  armed_at    INTEGER,
  ended_at    INTEGER,
  outcome     TEXT CHECK (outcome IN
    ('not_sent', 'rejected_no_effect', 'accepted', 'unknown', 'confirmed_absent', 'confirmed_present')),
  failure     TEXT,
  evidence    TEXT,
  PRIMARY KEY (practice, id),
  UNIQUE (practice, submission, n),
  FOREIGN KEY (practice, submission) REFERENCES submission(practice, id)
) STRICT;
-- At most one attempt whose bytes may be at the carrier without our knowing.
CREATE UNIQUE INDEX attempt_open ON attempt(practice, submission) WHERE outcome IS NULL OR outcome = 'unknown';

CREATE TABLE inquiry(
  practice TEXT NOT NULL,
  attempt  TEXT NOT NULL,
  id       TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  answer   TEXT NOT NULL CHECK (answer IN ('present', 'absent', 'ambiguous')),
  settled  INTEGER NOT NULL CHECK (settled IN (0, 1)),
  evidence TEXT,
  PRIMARY KEY (practice, id),
  FOREIGN KEY (practice, attempt) REFERENCES attempt(practice, id)
) STRICT;
CREATE INDEX inquiry_of_attempt ON inquiry(practice, attempt, asked_at);

CREATE TABLE resolution(
  practice TEXT NOT NULL,
  attempt  TEXT NOT NULL,
  id       TEXT NOT NULL,
  actor    TEXT NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('present', 'absent', 'void')),
  sealed   BLOB NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (practice, id),
  FOREIGN KEY (practice, attempt) REFERENCES attempt(practice, id)
) STRICT;

-- Carriers to which nothing new is sent until somebody says so: after a restore.
CREATE TABLE submission_hold(
  practice TEXT NOT NULL REFERENCES practice(id),
  carrier  TEXT NOT NULL,
  reason   TEXT NOT NULL,
  since    INTEGER NOT NULL,
  PRIMARY KEY (practice, carrier)
) STRICT;

-- The rules that no program may break, this one in a later version included.
-- only sqlite
CREATE TRIGGER attempt_is_the_only_one BEFORE INSERT ON attempt
  WHEN EXISTS (SELECT 1 FROM attempt WHERE practice = NEW.practice AND submission = NEW.submission
    AND (outcome IS NULL OR outcome NOT IN ('not_sent', 'rejected_no_effect', 'confirmed_absent')))
  BEGIN SELECT RAISE(ABORT, 'an earlier attempt may be at the carrier'); END;
CREATE TRIGGER attempt_ends_once BEFORE UPDATE ON attempt
  WHEN (OLD.outcome IS NOT NULL AND OLD.outcome <> 'unknown')
    OR (OLD.outcome = 'unknown' AND NEW.outcome NOT IN ('unknown', 'confirmed_absent', 'confirmed_present'))
    OR (OLD.armed_at IS NOT NULL AND (NEW.armed_at IS NULL OR NEW.outcome = 'not_sent'))
    OR NEW.practice <> OLD.practice OR NEW.submission <> OLD.submission OR NEW.n <> OLD.n
  BEGIN SELECT RAISE(ABORT, 'an attempt ends once'); END;
CREATE TRIGGER attempt_is_kept BEFORE DELETE ON attempt
  BEGIN SELECT RAISE(ABORT, 'attempts are kept'); END;
CREATE TRIGGER submission_is_kept BEFORE DELETE ON submission
  BEGIN SELECT RAISE(ABORT, 'submissions are kept'); END;
-- only postgres
CREATE FUNCTION attempt_is_the_only_one() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF EXISTS (SELECT 1 FROM attempt WHERE practice = NEW.practice AND submission = NEW.submission
      AND (outcome IS NULL OR outcome NOT IN ('not_sent', 'rejected_no_effect', 'confirmed_absent'))) THEN
      RAISE EXCEPTION 'an earlier attempt may be at the carrier' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
  END $$;
CREATE TRIGGER attempt_is_the_only_one BEFORE INSERT ON attempt
  FOR EACH ROW EXECUTE FUNCTION attempt_is_the_only_one();
CREATE FUNCTION attempt_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF (OLD.outcome IS NOT NULL AND OLD.outcome <> 'unknown')
      OR (OLD.outcome = 'unknown' AND NEW.outcome NOT IN ('unknown', 'confirmed_absent', 'confirmed_present'))
      OR (OLD.armed_at IS NOT NULL AND (NEW.armed_at IS NULL OR NEW.outcome = 'not_sent'))
      OR NEW.practice <> OLD.practice OR NEW.submission <> OLD.submission OR NEW.n <> OLD.n THEN
      RAISE EXCEPTION 'an attempt ends once' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
  END $$;
CREATE TRIGGER attempt_ends_once BEFORE UPDATE ON attempt FOR EACH ROW EXECUTE FUNCTION attempt_ends_once();
CREATE FUNCTION kept_for_good() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'kept for good' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER attempt_is_kept BEFORE DELETE OR TRUNCATE ON attempt
  FOR EACH STATEMENT EXECUTE FUNCTION kept_for_good();
CREATE TRIGGER submission_is_kept BEFORE DELETE OR TRUNCATE ON submission
  FOR EACH STATEMENT EXECUTE FUNCTION kept_for_good();
-- both
