-- What accounting events tell of a SIP dialog, and its parties by name and address.
ALTER TABLE dialogs ADD COLUMN result TEXT;
ALTER TABLE dialogs ADD COLUMN from_name TEXT;
ALTER TABLE dialogs ADD COLUMN to_name TEXT;
ALTER TABLE dialogs ADD COLUMN setup_seconds REAL;
ALTER TABLE dialogs ADD COLUMN ring_delay_seconds REAL;
ALTER TABLE dialogs ADD COLUMN ring_seconds REAL;
ALTER TABLE dialogs ADD COLUMN answered_seconds REAL;
ALTER TABLE dialogs ADD COLUMN responses TEXT;

CREATE INDEX dialogs_by_from_party ON dialogs (lower(from_party), started_at) WHERE from_party IS NOT NULL;
CREATE INDEX dialogs_by_to_party ON dialogs (lower(to_party), started_at) WHERE to_party IS NOT NULL;
CREATE INDEX dialogs_by_from_name ON dialogs (lower(from_name), started_at) WHERE from_name IS NOT NULL;
CREATE INDEX dialogs_by_to_name ON dialogs (lower(to_name), started_at) WHERE to_name IS NOT NULL;
