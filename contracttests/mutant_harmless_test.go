package contracttests

import (
	"context"
	"net/http"
)

// HarmlessMutants return mutants that do nothing, by each of the ways in which the others do something. A suite that
// catches one of them has caught the tool and not the departure.
func HarmlessMutants() []Mutant {
	return []Mutant{
		{"harmless-pass", "", "passes everything on", mutateSend(func(ctx context.Context, _ *World, next Target, r Request) (Response, error) {
			return next.Send(ctx, r)
		})},
		{"harmless-request", "", "copies requests", mutateRequest(func(context.Context, *World, *Request) {})},
		{"harmless-answer", "", "copies answers", mutateAnswer(func(*World, Request, *Response) {})},
		{"harmless-members", "", "takes organizations apart and puts them together", mutateBody(onAll, func(body []byte) []byte {
			if o, ok := readRawObject(body); ok {
				return o.text()
			}
			return body
		})},
		{"harmless-update", "", "takes updates apart and puts them together", mutateEntity(func(body []byte) []byte {
			if o, ok := readRawObject(body); ok && len(body) <= maxBodyBytes {
				return o.text()
			}
			return body
		})},
		{"harmless-tags", "", "translates tags to themselves", retagging(func(_ *World, _ Request, _ rawObject, etag string) string { return etag })},
		{"harmless-loss", "", "looks at every update and loses nothing", losing()},
		{"harmless-replay", "", "answers reads with the record of before that is still the same", mutateSend(func(ctx context.Context, w *World, next Target, r Request) (Response, error) {
			record, etag, ok := w.read(ctx, r)
			out, err := next.Send(ctx, r)
			if err == nil && ok && r.Method == http.MethodGet && out.Status == http.StatusOK && out.etag() == etag {
				(&answerOf{body: record.text(), etag: etag}).put(&out)
			}
			return out, err
		})},
	}
}
