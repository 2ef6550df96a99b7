package contract

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"sync"
)

// Exchange is one request that passed, with its answer.
type Exchange struct {
	Operation string // "" when the file has none for the request
	Method    string
	Path      string
	Status    int // 0 when there was no answer
	Request   []string
	Answer    []string // what is wrong with each
}

// Recorder is an http.RoundTripper that checks what passes. It changes nothing, and goes on after a violation.
type Recorder struct {
	spec *Spec
	next http.RoundTripper

	mu   sync.Mutex
	seen []Exchange
}

// Record puts a Recorder before next.
func (s *Spec) Record(next http.RoundTripper) *Recorder { return &Recorder{spec: s, next: next} }

// Exchanges returns what passed so far, in the order of the answers.
func (rec *Recorder) Exchanges() []Exchange {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.seen)
}

// RoundTrip implements http.RoundTripper.
func (rec *Recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := drain(r.Body)
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = io.NopCloser(bytes.NewReader(body))
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	x := Exchange{Method: r.Method, Path: r.URL.EscapedPath()}
	x.Operation, x.Request = rec.spec.CheckRequest(r, body)
	resp, err := rec.next.RoundTrip(out)
	if err != nil {
		rec.add(x)
		return nil, err
	}
	answer, err := drain(resp.Body)
	if err != nil {
		rec.add(x)
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	x.Status, x.Answer = resp.StatusCode, rec.spec.CheckAnswer(r, resp.StatusCode, resp.Header, answer)
	rec.add(x)
	return resp, nil
}

func (rec *Recorder) add(x Exchange) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.seen = append(rec.seen, x)
}

func drain(body io.ReadCloser) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	defer func() { _ = body.Close() }()
	return io.ReadAll(body)
}
