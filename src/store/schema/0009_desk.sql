-- Patients and the schedule. What names or describes a patient is sealed; an id of ours says nothing of a person.
CREATE TABLE patient(
  practice   TEXT NOT NULL REFERENCES practice(id),
  id         TEXT NOT NULL,
  version    INTEGER NOT NULL CHECK (version > 0),
  sealed     BLOB NOT NULL,
  made_at    INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (practice, id)
) STRICT;

-- Which questions were put from a patient's page. Others are found by the codes of the paper trail.
CREATE TABLE patient_ask(
  practice   TEXT NOT NULL,
  ask        TEXT NOT NULL,
  patient    TEXT NOT NULL,
  carrier    TEXT NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (practice, ask),
  FOREIGN KEY (practice, patient) REFERENCES patient(practice, id)
) STRICT;
CREATE INDEX patient_ask_of_patient ON patient_ask(practice, patient, at);

-- What somebody was told on the carrier's phone.
CREATE TABLE patient_call(
  practice   TEXT NOT NULL,
  id         TEXT NOT NULL,
  patient    TEXT NOT NULL,
  carrier    TEXT NOT NULL,
  actor      TEXT NOT NULL,
  at         INTEGER NOT NULL,
  sealed     BLOB NOT NULL,
  PRIMARY KEY (practice, id),
  FOREIGN KEY (practice, patient) REFERENCES patient(practice, id)
) STRICT;
CREATE INDEX patient_call_of_patient ON patient_call(practice, patient, at);
