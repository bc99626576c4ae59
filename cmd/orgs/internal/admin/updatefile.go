package admin

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/strictjson"
)

// maxLineLength is the longest line of a file of changes, in bytes. The largest metadata and users fit into it, even if
// each of their characters is escaped.
const maxLineLength = 1 << 20

// fileLine is one line of a file of changes.
type fileLine struct {
	number  int64
	id      organization.ID
	request store.RevisionRequest
}

// parseLine reads a line. The organization is "" if the line does not name one. The error quotes only names of members,
// because the values may be secret.
func parseLine(text []byte) (fileLine, error) {
	var l fileLine
	v, err := strictjson.Parse(text)
	if err != nil {
		return l, err
	}
	if v.Kind() != strictjson.Object {
		return l, errors.New("a line is a JSON object")
	}
	var problems []string
	var version *int64
	changes := 0
	for name, value := range v.Members() {
		var err error
		switch name {
		case "organization_id":
			l.id, err = organization.ParseID(value.Str())
		case "id":
			l.request.ChangeID, err = value.Str(), store.CheckChangeID(value.Str())
		case "if_version":
			n, ok := value.Integer(1 << 62)
			if version = &n; !ok || n < 0 {
				err = errors.New("a version is a whole number, 0 or more")
			}
		default:
			changes++
			err = setMember(&l.request.Revision, name, value)
		}
		if err != nil {
			problems = append(problems, term.Printable(name)+": "+err.Error())
		}
	}
	if !slices.ContainsFunc(problems, func(p string) bool { return strings.HasPrefix(p, "organization_id") }) && l.id == "" {
		problems = append(problems, "organization_id is missing")
	}
	if changes == 0 {
		problems = append(problems, "it has no field to change")
	}
	if problems != nil {
		return l, errors.New(strings.Join(problems, "; "))
	}
	l.request.Check = mayBeUpdated(version)
	return l, nil
}

func setMember(r *organization.Revision, name string, v strictjson.Value) error {
	for _, p := range properties() {
		if p.field == name {
			return p.setMember(r, v)
		}
	}
	return errors.New("there is no such field to change")
}

// fileRun is a run of a file of changes.
type fileRun struct {
	app      *cli.App
	store    *backend.Store
	dryRun   bool
	progress *term.Progress

	mutex   sync.Mutex // guards what follows
	report  fileReport
	problem error // of writing the report
}

// fileReport counts which lines changed something and which did not.
type fileReport struct {
	Lines     int64         `json:"lines"`
	Changed   int64         `json:"changed"`
	Unchanged int64         `json:"unchanged"` // the organization was like that already
	Repeated  int64         `json:"repeated"`  // the change was made by an earlier run
	Refused   []refusedLine `json:"refused"`   // in the order of the file
	DryRun    bool          `json:"dry_run"`

	refused int64
}

// refusedLine is a line that changed nothing.
type refusedLine struct {
	Line         int64           `json:"line"`
	Organization organization.ID `json:"organization_id,omitempty"`
	Error        *term.Failure   `json:"error"`
}

// updateFromFile makes the changes of a file. It stops when the store fails or ctx ends. Before it stops, it finishes
// the lines that it has begun.
func updateFromFile(ctx context.Context, a *cli.App, s *backend.Store, f *updateFlags) error {
	lines, err := linesOf(ctx, a, f.file)
	if err != nil {
		return fmt.Errorf("reading the changes: %w", err)
	}
	defer cli.OutliveReader()()
	run := &fileRun{app: a, store: s, dryRun: f.dryRun, progress: a.Progress("updating", lines, true)}
	run.report.DryRun, run.report.Refused = f.dryRun, []refusedLine{}
	err = run.readAll(ctx, a.Stream(ctx, f.file), int(f.workers.Value))
	run.progress.End()
	return errors.Join(run.print(), run.failure(ctx, err))
}

// linesOf returns how many lines the file has. It returns 0 if only reading the changes can show that.
func linesOf(ctx context.Context, a *cli.App, path string) (int64, error) {
	if path == "-" {
		return 0, nil
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 0, err
	}
	return countLines(a.Stream(ctx, path))
}

func countLines(in io.Reader) (int64, error) {
	var lines int64
	buffer := make([]byte, 64<<10)
	for {
		n, err := in.Read(buffer)
		lines += int64(bytes.Count(buffer[:n], []byte{'\n'}))
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// readAll reads the lines and hands each to a worker. All lines of one organization go to the same worker, so they are
// made in the order of the file.
func (r *fileRun) readAll(ctx context.Context, in io.Reader, workers int) error {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	seed := maphash.MakeSeed()
	queues := make([]chan fileLine, max(workers, 1))
	var group sync.WaitGroup
	for i := range queues {
		queues[i] = make(chan fileLine, 1)
		group.Go(func() {
			for l := range queues[i] {
				if running.Err() != nil {
					continue // the lines that are left were not begun
				}
				// A change is never cut off, so that it is known what became of it.
				if err := r.make(context.WithoutCancel(ctx), l); err != nil {
					stop(fmt.Errorf("line %d: %w", l.number, err))
				}
			}
		})
	}
	err := eachLine(in, func(number int64, text []byte, err error) error {
		if running.Err() != nil {
			return context.Cause(running)
		}
		var l fileLine
		if err == nil {
			l, err = parseLine(text)
		}
		l.number = number
		if err != nil {
			r.refuse(ctx, l, term.Fail(term.Usage, "%s", err))
			return nil
		}
		queues[maphash.String(seed, string(l.id))%uint64(len(queues))] <- l
		return nil
	})
	for _, queue := range queues {
		close(queue)
	}
	group.Wait()
	return cmp.Or(context.Cause(running), err)
}

var errLineTooLong = fmt.Errorf("the line is longer than %d bytes", maxLineLength)

// eachLine calls do for each line that is not blank, with its number and without its end. For a line that is too long
// it calls do with errLineTooLong. It returns the first error that do returns.
func eachLine(in io.Reader, do func(number int64, text []byte, err error) error) error {
	reader := bufio.NewReaderSize(in, maxLineLength)
	for number := int64(1); ; number++ {
		text, err := reader.ReadSlice('\n')
		tooLong := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = reader.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the changes: %w", err)
		}
		var problem error
		switch text = bytes.TrimSpace(text); {
		case tooLong:
			problem = do(number, nil, errLineTooLong)
		case len(text) > 0:
			problem = do(number, bytes.Clone(text), nil)
		}
		if problem != nil || err != nil {
			return problem
		}
	}
}

// make makes the change of a line. It returns an error, which ends the run, only if the store cannot be used.
func (r *fileRun) make(ctx context.Context, l fileLine) error {
	l.request.DryRun, l.request.RequestID = r.dryRun, newRequestID()
	u, err := store.Revise(ctx, r.store, l.id, l.request, r.app.Now)
	failure := new(term.Failure)
	if err != nil && store.KindOf(err) != store.Applied {
		err = updateFailure(r.store, l.id, err)
		if !errors.As(err, &failure) || failure.Kind == term.Unavailable {
			return err
		}
		r.refuse(ctx, l, err)
		return nil
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	switch {
	case err != nil:
		r.report.Repeated++
	case len(u.Audit.Changes) == 0:
		r.report.Unchanged++
	default:
		r.report.Changed++
	}
	r.report.Lines++
	r.progress.Add(1)
	return nil
}

// refuse reports a line that changed nothing. On a terminal it does so at once. With --json the report comes at the
// end.
func (r *fileRun) refuse(ctx context.Context, l fileLine, err error) {
	refused := refusedLine{Line: l.number, Organization: l.id, Error: r.app.Failure(ctx, err)}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.report.refused++
	r.report.Lines++
	if r.app.JSON {
		r.report.Refused = append(r.report.Refused, refused)
	} else {
		r.progress.End()
		_, writeErr := fmt.Fprintf(r.app.Stdout, "line %d: %s\n", l.number, refused.Error.Message)
		r.problem = cmp.Or(r.problem, writeErr)
	}
	r.progress.Add(1)
}

// print prints the report.
func (r *fileRun) print() error {
	slices.SortFunc(r.report.Refused, func(x, y refusedLine) int { return cmp.Compare(x.Line, y.Line) })
	changed := "changed"
	if r.dryRun {
		changed = "would be changed"
	}
	text := fmt.Sprintf("%s lines: %s %s, %s like that already, %s made by an earlier run, %s refused.",
		term.Grouped(r.report.Lines), term.Grouped(r.report.Changed), changed, term.Grouped(r.report.Unchanged),
		term.Grouped(r.report.Repeated), term.Grouped(r.report.refused))
	if r.dryRun {
		return cmp.Or(r.problem, r.app.Print(r.report, text))
	}
	done := fmt.Sprintf("%s of %s lines changed something", term.Grouped(r.report.Changed), term.Grouped(r.report.Lines))
	return cmp.Or(r.app.PrintDone(done, r.report, text), r.problem)
}

// failure returns an error if the run did not make all changes of the file. It says why.
func (r *fileRun) failure(ctx context.Context, err error) error {
	const again = "run the same file again: what has an id is not made twice"
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return term.Fail(term.Interrupted, "interrupted; %s", again)
	case err != nil:
		return term.Fail(r.app.Failure(ctx, err).Kind, "%s; %s", err, again)
	case r.report.refused > 0:
		return term.Fail(term.Conflict, "%s of %s lines were refused", term.Grouped(r.report.refused), term.Grouped(r.report.Lines))
	default:
		return nil
	}
}
