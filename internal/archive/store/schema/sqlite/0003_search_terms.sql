-- Each name, address, dialled address, room, owner and bridge once, so that a search
-- anywhere in a text looks at a short list instead of at every leg.
CREATE TABLE search_terms (
  id           INTEGER PRIMARY KEY,
  kind         TEXT NOT NULL,
  term         TEXT NOT NULL,
  -- term with the letters A to Z in lower case, and with all letters in lower case.
  term_key     TEXT NOT NULL,
  folded       TEXT NOT NULL,
  last_seen_at TEXT NOT NULL
);

CREATE UNIQUE INDEX search_terms_by_key ON search_terms (kind, term_key);
CREATE INDEX search_terms_by_folded ON search_terms (folded);
CREATE INDEX search_terms_by_time ON search_terms (last_seen_at);

CREATE VIRTUAL TABLE search_trigrams USING fts5 (folded, content='search_terms', content_rowid='id', tokenize='trigram');

CREATE TRIGGER search_terms_inserted AFTER INSERT ON search_terms BEGIN
  INSERT INTO search_trigrams (rowid, folded) VALUES (new.id, new.folded);
END;

CREATE TRIGGER search_terms_deleted AFTER DELETE ON search_terms BEGIN
  INSERT INTO search_trigrams (search_trigrams, rowid, folded) VALUES ('delete', old.id, old.folded);
END;
