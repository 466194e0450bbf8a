-- Each name, address, dialled address, room, owner and bridge once, so that a search
-- anywhere in a text looks at a short list instead of at every leg. The index of
-- trigrams is made when the archive is opened, where pg_trgm may be created.
CREATE TABLE search_terms (
  id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind         TEXT COLLATE "C" NOT NULL,
  term         TEXT COLLATE "C" NOT NULL,
  -- term with the letters A to Z in lower case, and with all letters in lower case.
  term_key     TEXT COLLATE "C" NOT NULL,
  folded       TEXT COLLATE "C" NOT NULL,
  last_seen_at TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX search_terms_by_key ON search_terms (kind, term_key);
CREATE INDEX search_terms_by_folded ON search_terms (folded);
CREATE INDEX search_terms_by_time ON search_terms (last_seen_at);
