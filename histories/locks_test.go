package histories

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"testing"
	"time"
)

// beyondPatience is longer than a store waits for a lock. One such wait is in each run.
const beyondPatience = 5500 * time.Millisecond

// lockNowAndThen holds the lock of the file as another program may, mostly for a moment, once for longer than a store
// waits, and gives it back with its changes undone or made.
func lockNowAndThen(ctx context.Context, t *testing.T, path string, seed uint64, counted *tally) {
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(2000)")
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS another_program (n)`); err != nil && ctx.Err() == nil {
		t.Errorf("another program at the file: %v", err)
		return
	}
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
