"""The tables of study.db."""

VERSION = 3
READABLE = (2, VERSION)
"""Tables of version 2 hold pairs only; what is asked of them is the same."""

# Times are UTC seconds since the epoch. Teams and samples are known by name in here alone.
# A rating has one team, and one clip, which is the left one; its answers are the points as text.
# A step has names of its own for its two clips: a clip that comes again is not known by its name.
SCHEMA = """
CREATE TABLE study (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  config TEXT NOT NULL,
  created REAL NOT NULL,
  admin_hash TEXT NOT NULL,
  join_key TEXT NOT NULL
) STRICT;
CREATE TABLE team (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE sample (
  name TEXT PRIMARY KEY,
  identity TEXT NOT NULL,
  prompt TEXT NOT NULL,
  timeline TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE picture (
  sample TEXT NOT NULL REFERENCES sample,
  position INTEGER NOT NULL,
  media TEXT NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (sample, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE clip (
  id INTEGER PRIMARY KEY,
  sample TEXT NOT NULL REFERENCES sample,
  team TEXT NOT NULL REFERENCES team,
  corrupted INTEGER NOT NULL CHECK (corrupted IN (0, 1)),
  media TEXT NOT NULL UNIQUE,
  duration REAL NOT NULL CHECK (duration > 0),
  UNIQUE (sample, team, corrupted)
) STRICT;
CREATE TABLE comparison (
  sample TEXT NOT NULL REFERENCES sample,
  one TEXT NOT NULL REFERENCES team,
  other TEXT REFERENCES team,
  wanted INTEGER NOT NULL CHECK (wanted > 0),
  CHECK (one < other)
) STRICT;
CREATE UNIQUE INDEX one_comparison ON comparison (sample, one, coalesce(other, ''));
CREATE TABLE left_out (
  sample TEXT NOT NULL REFERENCES sample,
  one TEXT NOT NULL REFERENCES team,
  other TEXT REFERENCES team,
  without TEXT NOT NULL,
  winner TEXT,
  reason TEXT NOT NULL
) STRICT;
CREATE TABLE sheet (id INTEGER PRIMARY KEY) STRICT;
CREATE TABLE item (
  id INTEGER PRIMARY KEY,
  sheet INTEGER NOT NULL REFERENCES sheet,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('pair', 'rating', 'repeat', 'corrupted', 'training')),
  left_clip INTEGER NOT NULL REFERENCES clip,
  right_clip INTEGER REFERENCES clip,
  left_media TEXT NOT NULL UNIQUE,
  right_media TEXT UNIQUE,
  origin INTEGER REFERENCES item,
  UNIQUE (sheet, position)
) STRICT;
CREATE TABLE annotator (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  pid TEXT UNIQUE,
  sheet INTEGER NOT NULL UNIQUE REFERENCES sheet,
  created REAL NOT NULL,
  released INTEGER NOT NULL DEFAULT 0 CHECK (released IN (0, 1)),
  completion_code TEXT NOT NULL
) STRICT;
CREATE TABLE token (
  hash TEXT PRIMARY KEY,
  annotator INTEGER NOT NULL REFERENCES annotator,
  created REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE shown (
  item INTEGER PRIMARY KEY REFERENCES item,
  at REAL NOT NULL
) STRICT;
CREATE TABLE watched (
  item INTEGER NOT NULL REFERENCES item,
  side TEXT NOT NULL CHECK (side IN ('left', 'right')),
  at REAL NOT NULL,
  PRIMARY KEY (item, side)
) STRICT, WITHOUT ROWID;
CREATE TABLE vote (
  id INTEGER PRIMARY KEY,
  item INTEGER NOT NULL REFERENCES item,
  question INTEGER NOT NULL,
  answer TEXT NOT NULL CHECK (answer IN ('left', 'right', 'draw') OR answer GLOB '[0-9]'),
  at REAL NOT NULL,
  seconds REAL NOT NULL,
  undone REAL
) STRICT;
CREATE UNIQUE INDEX one_vote ON vote (item, question) WHERE undone IS NULL;
CREATE INDEX item_clip ON item (left_clip);
"""
