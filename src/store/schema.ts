/**
 * Forward-only migrations: the database's `user_version` says how many it has had. Times are milliseconds since the
 * epoch. One that was released is never edited.
 */
export const migrations: readonly string[] = [
  `
CREATE TABLE runs (
  id          TEXT PRIMARY KEY,
  kind        TEXT NOT NULL CHECK (kind IN ('check', 'task', 'scan', 'workflow')),
  title       TEXT NOT NULL,
  project     TEXT NOT NULL,
  root        TEXT NOT NULL,
  workflow    TEXT,
  tags        TEXT NOT NULL,
  plan_hash   TEXT NOT NULL,
  plan        TEXT NOT NULL,
  options     TEXT NOT NULL,
  image       TEXT NOT NULL,
  dwf         TEXT NOT NULL,
  engine      TEXT,
  state       TEXT NOT NULL CHECK (state IN ('running', 'passed', 'failed', 'cancelled', 'timed-out', 'interrupted')),
  sessions    INTEGER NOT NULL,
  started_at  INTEGER NOT NULL,
  ended_at    INTEGER,
  ms          INTEGER NOT NULL,
  imported_at INTEGER
) STRICT;
CREATE INDEX runs_by_start ON runs (started_at);
CREATE INDEX runs_by_root ON runs (root, started_at);

CREATE TABLE tasks (
  run        TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  id         TEXT NOT NULL,
  position   INTEGER NOT NULL,
  state      TEXT NOT NULL,
  hash       TEXT NOT NULL,
  inputs     TEXT,
  attempts   INTEGER NOT NULL,
  code       INTEGER,
  reason     TEXT,
  gate       TEXT,
  session    INTEGER,
  started_at INTEGER,
  ended_at   INTEGER,
  ms         INTEGER NOT NULL,
  PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  run        TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  task       TEXT NOT NULL,
  session    INTEGER NOT NULL,
  number     INTEGER NOT NULL,
  state      TEXT NOT NULL,
  code       INTEGER,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER,
  PRIMARY KEY (run, task, session, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE outputs (
  run   TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  task  TEXT NOT NULL,
  name  TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, task, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  run      TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  type     TEXT NOT NULL,
  task     TEXT,
  data     TEXT NOT NULL,
  hash     TEXT NOT NULL,
  PRIMARY KEY (run, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  run       TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  token     INTEGER NOT NULL,
  pid       INTEGER NOT NULL,
  started   TEXT NOT NULL,
  host      TEXT NOT NULL,
  heartbeat INTEGER NOT NULL
) STRICT;

CREATE TABLE locks (
  name     TEXT PRIMARY KEY,
  run      TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  token    INTEGER NOT NULL,
  taken_at INTEGER NOT NULL
) STRICT;
CREATE TABLE lock_tokens (
  name TEXT PRIMARY KEY,
  last INTEGER NOT NULL
) STRICT;

CREATE TABLE tombstones (
  position INTEGER PRIMARY KEY,
  run      TEXT NOT NULL UNIQUE,
  at       INTEGER NOT NULL,
  events   INTEGER NOT NULL,
  head     TEXT NOT NULL,
  hash     TEXT NOT NULL
) STRICT;

CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_leave_with_their_run BEFORE DELETE ON events
WHEN NOT EXISTS (SELECT 1 FROM tombstones WHERE run = OLD.run)
BEGIN SELECT RAISE(ABORT, 'events are never deleted but with their whole run'); END;
CREATE TRIGGER events_follow BEFORE INSERT ON events
WHEN NEW.sequence <> (SELECT COALESCE(MAX(sequence), 0) + 1 FROM events WHERE run = NEW.run)
BEGIN SELECT RAISE(ABORT, 'events follow each other'); END;
CREATE TRIGGER runs_leave_a_tombstone BEFORE DELETE ON runs
WHEN NOT EXISTS (SELECT 1 FROM tombstones WHERE run = OLD.id)
BEGIN SELECT RAISE(ABORT, 'a run leaves a tombstone'); END;
CREATE TRIGGER tombstones_stay BEFORE UPDATE ON tombstones
BEGIN SELECT RAISE(ABORT, 'tombstones are never changed'); END;
CREATE TRIGGER tombstones_remain BEFORE DELETE ON tombstones
BEGIN SELECT RAISE(ABORT, 'tombstones are never deleted'); END;
`,
]
