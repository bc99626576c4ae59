package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// applicationID marks our files in their header: "ORGS". With it we recognise the files of other applications.
const applicationID = 0x4F524753

// migrations returns the statements for each version of the schema, which turn the version before into it. The first
// ones start with an empty file. Never change the statements of a released version: add a new version.
func migrations() []string {
	return []string{schema1, schemaKeyLife, schemaOperator, schemaKeySecrets, schemaNSFW}
}

// Times are text from organization.FormatTime, so that they sort. Objects and lists are the JSON text of the caller.
const schema1 = `
CREATE TABLE organizations (
	id                   TEXT PRIMARY KEY NOT NULL,
	internal_id          TEXT NOT NULL,
	name                 TEXT NOT NULL,
	logo_url             TEXT,
	tier                 TEXT NOT NULL,
	credits              INTEGER NOT NULL,
	metadata             TEXT NOT NULL,
	billing_email        TEXT,
	notifications_email  TEXT,
	limit_metadata       INTEGER NOT NULL,
	limit_data           INTEGER NOT NULL,
	limit_search         INTEGER NOT NULL,
	limit_upload         INTEGER NOT NULL,
	limit_compute        INTEGER NOT NULL,
	auto_billing         INTEGER NOT NULL CHECK (auto_billing IN (0, 1)),
	billing_cycle_start  INTEGER NOT NULL,
	current_month_usage  INTEGER NOT NULL,
	created_at           TEXT NOT NULL,
	updated_at           TEXT NOT NULL,
	users                TEXT,
	auth_provider_org_id TEXT,
	credentials          TEXT NOT NULL,
	api_url              TEXT,
	version              INTEGER NOT NULL,
	deleted_at           TEXT
) STRICT;

CREATE TABLE keys (
	organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
	hash         TEXT NOT NULL,
	key_id       TEXT NOT NULL,
	permission   TEXT NOT NULL,
	mode         TEXT NOT NULL,
	issued_at    TEXT NOT NULL,
	expires_at   TEXT,
	revoked_at   TEXT,
	PRIMARY KEY (organization, hash),
	UNIQUE (organization, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
	organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
	entry_id     TEXT NOT NULL,
	action       TEXT NOT NULL,
	actor        TEXT NOT NULL,
	request_id   TEXT NOT NULL,
	version      INTEGER NOT NULL,
	changes      TEXT NOT NULL,
	PRIMARY KEY (organization, entry_id)
) STRICT;

CREATE TABLE counters (
	organization TEXT NOT NULL,
	category     TEXT NOT NULL,
	window_start TEXT NOT NULL,
	requests     INTEGER NOT NULL,
	PRIMARY KEY (organization, category, window_start)
) STRICT;
CREATE INDEX counters_by_age ON counters (window_start);
`

// schemaKeyLife adds the rotation of keys and the times of their use. A new key gets a row in key_uses without a time.
// Keys from before this version get their row with the first use. The organization of a row must exist, its key need
// not.
const schemaKeyLife = `
ALTER TABLE keys ADD COLUMN replaced_by TEXT;

CREATE TABLE key_uses (
	organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
	key_id       TEXT NOT NULL,
	used_at      TEXT,
	PRIMARY KEY (organization, key_id)
) STRICT, WITHOUT ROWID;
`

// schemaOperator adds the labels of keys and the identifiers of the operator's changes. An entry is what remembers that
// a change was made, so the index makes a change possible once.
const schemaOperator = `
ALTER TABLE keys ADD COLUMN label TEXT;
ALTER TABLE audit ADD COLUMN change_id TEXT;
CREATE UNIQUE INDEX audit_by_change ON audit (organization, change_id) WHERE change_id IS NOT NULL;
`

// schemaKeySecrets adds the secrets with which keys are made. The first one makes new keys.
const schemaKeySecrets = `
CREATE TABLE key_secrets (
	position INTEGER PRIMARY KEY,
	secret   TEXT NOT NULL UNIQUE
) STRICT;
`

// schemaNSFW adds the settings of the check for content that is not safe for work. Both are off in organizations from
// before this version.
const schemaNSFW = `
ALTER TABLE organizations ADD COLUMN nsfw_check       INTEGER NOT NULL DEFAULT 0 CHECK (nsfw_check IN (0, 1));
ALTER TABLE organizations ADD COLUMN nsfw_fail_closed INTEGER NOT NULL DEFAULT 0 CHECK (nsfw_fail_closed IN (0, 1));
`

// prepare brings the schema up to this version. It returns an error if the database is not ours. To turn on WAL, SQLite
// needs the file for itself and does not wait, so prepare retries while other processes use the file.
func (s *Store) prepare(ctx context.Context) error {
	const pause = 5 * time.Millisecond
	for deadline := time.Now().Add(s.patience); ; {
		err := s.tryPrepare(ctx)
		if !busy(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (s *Store) tryPrepare(ctx context.Context) error {
	version, err := schemaVersion(ctx, s.writer) // before any write, as the file may not be ours
	if err != nil {
		return err
	}
	if err := s.turnOnWAL(ctx); err != nil {
		return err
	}
	if version == len(migrations()) {
		return nil
	}
	return s.migrate(ctx)
}

func (s *Store) turnOnWAL(ctx context.Context) error {
	var mode string
	if err := s.writer.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return fmt.Errorf("turning on WAL: %w", err)
	}
	if mode != "wal" {
		return fmt.Errorf("turning on WAL: the file system cannot do it; the mode stays %s", mode)
	}
	return nil
}

// migrate brings the schema up to this version in one transaction, so only one of several processes does it.
func (s *Store) migrate(ctx context.Context) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("starting to set up the schema: %w", err)
	}
	defer tx.Rollback() // does nothing after Commit
	version, err := schemaVersion(ctx, tx)
	if err != nil {
		return err
	}
	for i, statements := range migrations()[version:] {
		if _, err := tx.ExecContext(ctx, statements); err != nil {
			return fmt.Errorf("setting up schema %d: %w", version+i+1, err)
		}
	}
	if err := ensureSecret(ctx, tx); err != nil {
		return fmt.Errorf("making a secret for keys: %w", err)
	}
	header := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(migrations()))
	if _, err := tx.ExecContext(ctx, header); err != nil {
		return fmt.Errorf("noting the schema's version: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing the schema: %w", err)
	}
	return nil
}

// schemaVersion returns the version of the database's schema. It returns 0 for an empty file, and an error if the
// database is from another application or a newer version.
func schemaVersion(ctx context.Context, db queryer) (int, error) {
	const query = `SELECT application_id, user_version, EXISTS (SELECT 1 FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`
	var application, version int
	var used bool
	if err := db.QueryRowContext(ctx, query).Scan(&application, &version, &used); err != nil {
		return 0, fmt.Errorf("reading the schema's version: %w", err)
	}
	switch latest := len(migrations()); {
	case application == 0 && version == 0 && !used:
		return 0, nil
	case application != applicationID || version < 1:
		return 0, errors.New("the file is the database of another application; choose another file")
	case version > latest:
		return 0, fmt.Errorf("the database was written by a newer version: its schema is %d, this version knows up to %d",
			version, latest)
	}
	return version, nil
}
