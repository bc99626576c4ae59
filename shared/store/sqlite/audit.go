package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

const entryColumns = `entry_id, action, actor, request_id, change_id, version, changes`

const auditQuery = `SELECT organization, ` + entryColumns + ` FROM audit
	WHERE organization = ? AND entry_id < ? ORDER BY entry_id DESC LIMIT ?`

// Audit implements store.Trail. The cursor is the last identifier of a page.
func (s *Store) Audit(ctx context.Context, id organization.ID, cursor string, limit int) ([]store.Entry, string, error) {
	op := "reading the audit trail of " + string(id)
	if err := checkLimit(limit); err != nil {
		return nil, "", fail(ctx, op, err)
	}
	if cursor == "" {
		cursor = "~" // sorts after every identifier, as these begin with a digit
	}
	entries, err := all(ctx, s.reader, of(id, readEntry), auditQuery, string(id), cursor, int64(limit)+1)
	if err = s.inPlace(err); err != nil {
		return nil, "", fail(ctx, op, err)
	}
	entries, next := page(entries, limit, func(e store.Entry) string { return e.ID })
	return entries, next, nil
}

// changeItem is the JSON of one change. The column changes has a JSON array of them.
type changeItem struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

func writeEntry(ctx context.Context, tx *sql.Tx, id organization.ID, e store.Entry) error {
	const statement = `INSERT INTO audit (organization, ` + entryColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	items := make([]changeItem, 0, len(e.Changes))
	for _, c := range e.Changes {
		items = append(items, changeItem(c))
	}
	changes, err := json.Marshal(items)
	if err != nil {
		return fmt.Errorf("encoding the changes: %w", err)
	}
	_, err = tx.ExecContext(ctx, statement,
		string(id), e.ID, string(e.Action), e.Actor, e.RequestID, optionalName(e.ChangeID), e.Version, string(changes))
	return err
}

// readEntry reads a row of the organization that an entry belongs to, and entryColumns.
func readEntry(row scanner) (organization.ID, store.Entry, error) {
	var owner organization.ID
	var e store.Entry
	var changes string
	var changeID *string
	err := row.Scan(
		(*string)(&owner), &e.ID, (*string)(&e.Action), &e.Actor, &e.RequestID, &changeID, &e.Version, &changes)
	if err != nil {
		return "", store.Entry{}, err
	}
	if changeID != nil {
		e.ChangeID = *changeID
	}
	var d decoder
	var items []changeItem
	d.check("changes", json.Unmarshal([]byte(changes), &items))
	for _, item := range items {
		e.Changes = append(e.Changes, organization.Change(item))
	}
	if err := d.err("audit", e.ID); err != nil {
		return "", store.Entry{}, err
	}
	return owner, e, nil
}
