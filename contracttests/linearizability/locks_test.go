package linearizability

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// beyondPatience is longer than a store waits for a lock. Each run has one such lock.
const beyondPatience = 5500 * time.Millisecond

// openAnother opens the file as another program does.
func openAnother(path string) (*sql.DB, error) {
	return sql.Open("sqlite", path+"?_pragma=busy_timeout(2000)")
}

// makeAnother makes the table that another program writes to, before anybody else is at the file.
func makeAnother(t *testing.T, path string) {
	t.Helper()
	db, err := openAnother(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `CREATE TABLE another_program (n)`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// lockNowAndThen locks the file as another program may: mostly for a moment, once for longer than a store waits. It
// ends each lock with a rollback or a commit.
func lockNowAndThen(ctx context.Context, t *testing.T, path string, seed uint64, counted *tally) {
	db, err := openAnother(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	random := rand.New(rand.NewPCG(seed, 2))
	for turn := 0; ctx.Err() == nil; turn++ {
		hold, name := time.Duration(random.Int64N(int64(60*time.Millisecond))), "file locked"
		if turn == 3 {
			hold, name = beyondPatience, "file locked for longer than a store waits"
		}
		connection, err := db.Conn(ctx)
		if err != nil {
			return
		}
		if _, err := connection.ExecContext(ctx, `BEGIN IMMEDIATE`); err == nil {
			counted.add(name)
			_, _ = connection.ExecContext(ctx, `INSERT INTO another_program VALUES (?)`, turn)
			wait(ctx, hold)
			_, _ = connection.ExecContext(context.WithoutCancel(ctx), [...]string{`ROLLBACK`, `COMMIT`}[random.IntN(2)])
			counted.add("another program wrote")
		}
		_ = connection.Close()
		wait(ctx, time.Duration(random.Int64N(int64(80*time.Millisecond))))
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
