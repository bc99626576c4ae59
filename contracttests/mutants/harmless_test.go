package mutants

import (
	"context"
	"net/http"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// HarmlessMutants return mutants that do nothing, by each of the ways in which the others do something. A suite that
// catches one of them has caught the tool and not the departure.
func HarmlessMutants() []Mutant {
	return []Mutant{
		{"harmless-pass", "", "passes everything on", mutateSend(func(ctx context.Context, _ *World, next harness.Target, r judge.Request) (judge.Response, error) {
			return next.Send(ctx, r)
		})},
		{"harmless-request", "", "copies requests", mutateRequest(func(context.Context, *World, *judge.Request) {})},
		{"harmless-answer", "", "copies answers", mutateAnswer(func(*World, judge.Request, *judge.Response) {})},
		{"harmless-members", "", "takes organizations apart and puts them together", mutateBody(onAll, func(body []byte) []byte {
			if o, ok := readRawObject(body); ok {
				return o.text()
			}
			return body
		})},
		{"harmless-update", "", "takes updates apart and puts them together", mutateEntity(func(body []byte) []byte {
			if o, ok := readRawObject(body); ok && len(body) <= harness.MaxBodyBytes {
				return o.text()
			}
			return body
		})},
		{"harmless-tags", "", "translates tags to themselves", retagging(func(_ *World, _ judge.Request, _ rawObject, etag string) string { return etag })},
		{"harmless-loss", "", "looks at every update and loses nothing", losing()},
		{"harmless-replay", "", "answers reads with the record of before that is still the same", mutateSend(func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
			record, etag, ok := w.read(ctx, r)
			out, err := next.Send(ctx, r)
			if err == nil && ok && r.Method == http.MethodGet && out.Status == http.StatusOK && etagOf(out) == etag {
				(&answerOf{body: record.text(), etag: etag}).put(&out)
			}
			return out, err
		})},
	}
}
