package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
)

// diagnosis is what doctor says.
type diagnosis struct {
	Level  string
	Checks []struct{ Check, Level, Detail, Advice string }
}

func (d diagnosis) levels() map[string]string {
	levels := make(map[string]string)
	for _, c := range d.Checks {
		levels[c.Check] = c.Level
	}
	return levels
}

// examined runs doctor --json.
func examined(t *testing.T, env environment, wantCode int) diagnosis {
	t.Helper()
	r := orgs(t, env, "doctor", "--json")
	if r.code != wantCode {
		t.Errorf("orgs doctor = %+v, want %d", r, wantCode)
	}
	return decode[diagnosis](t, r.stdout)
}

func TestDoctorOnSQLite(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	path := strings.TrimPrefix(env[cli.StoreVariable], "sqlite:")
	well := map[string]string{"orgs": "ok", "store": "ok", "file": "ok", "schema": "ok", "contents": "ok", "writing": "ok"}
	if diff := cmp.Diff(well, examined(t, env, exitOK).levels()); diff != "" {
		t.Errorf("a good store (-want +got):\n%s", diff)
	}
	match(t, must(t, env, "doctor"), `(?m)^ok    schema    version \d+ of \d+, SQLite 3\.`)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	got := examined(t, env, exitFailed)
	if got.Level != "fail" || got.levels()["store"] != "fail" || !strings.Contains(got.Checks[1].Detail, "chmod 600") {
		t.Errorf("a file for everyone to read: %+v, want it refused and what to do", got)
	}
}

// TestDoctorOnADamagedFile overwrites a page of the file.
func TestDoctorOnADamagedFile(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	for range 30 {
		must(t, env, "create", "--name", strings.Repeat("x", 100))
	}
	file, err := os.OpenFile(strings.TrimPrefix(env[cli.StoreVariable], "sqlite:"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	if _, err := file.WriteAt([]byte(strings.Repeat("\xff", page)), info.Size()-page); err != nil {
		t.Fatal(err)
	}
	if got := examined(t, env, exitFailed); got.Level != "fail" || got.levels()["contents"] != "fail" {
		t.Errorf("a damaged file: %+v, want its contents to fail", got)
	}
}

// older takes the file of a store back to the first schema, and returns its content.
func older(t *testing.T, path string) string {
	t.Helper()
	db := openRaw(t, path)
	_, err := db.ExecContext(t.Context(), "DROP TABLE key_uses; ALTER TABLE keys DROP COLUMN replaced_by; PRAGMA user_version = 1")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return contentOf(t, path)
}

func contentOf(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// schemaOf returns the version of the schema in the file.
func schemaOf(t *testing.T, path string) (version int) {
	t.Helper()
	db := openRaw(t, path)
	err := db.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return version
}

func openRaw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// TestDoctorOnAnOlderSchema examines a file of an older version, which must stay usable for that version.
func TestDoctorOnAnOlderSchema(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	path := strings.TrimPrefix(env[cli.StoreVariable], "sqlite:")
	older(t, path)
	got := examined(t, env, exitOK)
	if got.Level != "warn" || got.levels()["schema"] != "warn" {
		t.Errorf("an older schema: %+v, want a warning of it", got)
	}
	if version := schemaOf(t, path); version != 1 {
		t.Errorf("doctor makes the schema %d, want it left at 1", version)
	}
	must(t, env, "list")
	if diff := cmp.Diff("ok", examined(t, env, exitOK).levels()["schema"]); diff != "" {
		t.Errorf("the schema after another command (-want +got):\n%s", diff)
	}
}

// TestDoctorInterrupted is stopped before it has looked at anything.
func TestDoctorInterrupted(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"doctor"}, env.get, &stdout, &stderr)
	if code != exitInterrupted || stderr.String() != "orgs doctor: interrupted; not everything was looked at\n" || strings.Contains(stdout.String(), "damaged") {
		t.Errorf("orgs doctor, interrupted = %d, %q, %q", code, &stdout, &stderr)
	}
}

func TestDoctorWithoutAStore(t *testing.T) {
	t.Parallel()
	env := environment{cli.StoreVariable: "sqlite:" + filepath.Join(t.TempDir(), "no.db")}
	got := examined(t, env, exitFailed)
	if got.levels()["store"] != "fail" || !strings.Contains(got.Checks[1].Detail, "orgs create") {
		t.Errorf("without a store: %+v, want store to fail and what makes one", got)
	}
	r := orgs(t, env, "doctor")
	if r.stderr != "orgs doctor: 1 of 2 checks failed\n" || !strings.Contains(r.stdout, "fail  store  there is no file") {
		t.Errorf("orgs doctor = %+v", r)
	}
}

func TestDoctorOnDynamoDB(t *testing.T) {
	t.Parallel()
	env := newTables(t)
	prefix := strings.TrimPrefix(env[cli.StoreVariable], "dynamodb:")
	organizations, counters := "table "+prefix+"-organizations", "table "+prefix+"-counters"
	want := map[string]string{
		"orgs": "ok", "store": "ok", "credentials": "ok", "endpoint": "ok", "clock": "ok",
		organizations: "fail", counters: "fail", "time to live": "fail", "reading": "fail", "writing": "fail",
	}
	if diff := cmp.Diff(want, examined(t, env, exitFailed).levels()); diff != "" {
		t.Errorf("without tables (-want +got):\n%s", diff)
	}
	must(t, env, "tables", "create")
	for name, level := range want {
		if level == "fail" {
			want[name] = "ok"
		}
	}
	got := examined(t, env, exitOK).levels()
	for _, recovery := range []string{"recovery of ", "protection of "} { // versions of DynamoDB Local differ in these
		delete(got, recovery+prefix+"-organizations")
		delete(got, recovery+prefix+"-counters")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with tables (-want +got):\n%s", diff)
	}
}

// awsAnswers are fixed answers by operation, also to operations that DynamoDB Local lacks. Date is how far its clock is
// ahead of ours.
type awsAnswers map[string]string

func (answers awsAnswers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.Header()["Date"] = nil // none: on a busy machine an answer may be read seconds after it was sent
	if off, err := time.ParseDuration(answers["Date"]); err == nil {
		w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
	}
	answer, ok := answers[operation]
	if operation != "" && (!ok || strings.Contains(answer, "__type")) {
		w.WriteHeader(http.StatusBadRequest)
	}
	_, _ = w.Write([]byte(answer))
}

func TestDoctorOnAWS(t *testing.T) {
	t.Parallel()
	const (
		table = `{"Table": {"TableName": "x", "TableStatus": "ACTIVE", "DeletionProtectionEnabled": true,
			"AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}, {"AttributeName": "SK", "AttributeType": "S"}],
			"KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}]}}`
		recovery = `{"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED",
			"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}}}`
		ttl    = `{"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}}`
		denied = `{"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"}`
	)
	well := awsAnswers{
		"DescribeTable": table, "DescribeContinuousBackups": recovery, "DescribeTimeToLive": ttl, "GetItem": "{}",
		"TransactWriteItems": "{}",
	}
	tests := []struct {
		name              string
		operation, answer string // the one that differs from well
		check, level      string
	}{
		{"all is well", "", "", "recovery of p-organizations", "ok"},
		{"no recovery", "DescribeContinuousBackups", strings.ReplaceAll(recovery, "ENABLED", "DISABLED"), "recovery of p-organizations", "warn"},
		{"not protected", "DescribeTable", strings.Replace(table, "true", "false", 1), "protection of x", "warn"},
		{"other keys", "DescribeTable", strings.ReplaceAll(table, `"PK"`, `"id"`), "table p-counters", "fail"},
		{"numbers for keys", "DescribeTable", strings.ReplaceAll(table, `"S"`, `"N"`), "table p-counters", "fail"},
		{"being made", "DescribeTable", strings.Replace(table, "ACTIVE", "CREATING", 1), "table p-organizations", "fail"},
		{"no look at tables", "DescribeTable", denied, "table p-organizations", "warn"},
		{"no reading", "GetItem", denied, "reading", "fail"},
		{"no writing", "TransactWriteItems", denied, "writing", "warn"},
		{"no key of encryption", "TransactWriteItems", `{"__type": "x#ValidationException", "message": "KMS key is disabled"}`, "writing", "fail"},
		{"no time to live", "DescribeTimeToLive", strings.Replace(ttl, "ENABLED", "DISABLED", 1), "time to live", "warn"},
		{"minutes off", "Date", "-2m", "clock", "warn"}, // far from what is tolerated and from what is refused
		{"an hour off", "Date", "1h", "clock", "fail"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answers := awsAnswers{test.operation: test.answer}
			for operation, answer := range well {
				if operation != test.operation {
					answers[operation] = answer
				}
			}
			server := httptest.NewServer(answers)
			t.Cleanup(server.Close)
			env := environment{cli.StoreVariable: "dynamodb:p", backend.EndpointVariable: server.URL}
			wantCode := map[string]int{"ok": exitOK, "warn": exitOK, "fail": exitFailed}[test.level]
			got := examined(t, env, wantCode)
			if got.levels()[test.check] != test.level || got.Level != test.level {
				t.Errorf("doctor finds %+v, want %s to be the worst, with %s", got, test.check, test.level)
			}
		})
	}
}
