package rest

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

const testAddress = "https://panel.example"

// testPanel speaks as the real ones do: a 404 is "not found" only with a msg of the panel's own.
func testPanel() Panel {
	return Panel{
		Name: "testpanel", Prefix: "/api/v1",
		Authorize: func(_ context.Context, h http.Header) error {
			h.Set("Authorization", "Bearer planted-token")
			return nil
		},
		Refusal: func(status int, _ http.Header, body []byte) Refused {
			msg, ok := strings.CutPrefix(string(body), `{"msg":"`)
			if !ok {
				return Refused{}
			}
			r := Refused{Message: strings.TrimSuffix(msg, `"}`)}
			if status == http.StatusNotFound {
				r.Kind = provisioning.NotFound
			}
			return r
		},
	}
}

// step answers one request.
type step func(*http.Request) (*http.Response, error)

// script is a transport in memory. It answers with its steps in turn, the last one again and again, and keeps what it saw.
type script struct {
	mu    sync.Mutex
	steps []step
	seen  []request
}

type request struct {
	at            time.Time
	method, uri   string
	header        http.Header
	body          string
	contentLength int64
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	seen := request{at: time.Now(), method: r.Method, uri: r.URL.RequestURI(), header: r.Header.Clone(), contentLength: r.ContentLength}
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		seen.body = string(b)
	}
	s.mu.Lock()
	s.seen = append(s.seen, seen)
	next := s.steps[min(len(s.seen), len(s.steps))-1]
	s.mu.Unlock()
	return next(r)
}

func (s *script) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

func (s *script) pauses() []time.Duration {
	var pauses []time.Duration
	for i, r := range s.requests() {
		if i > 0 {
			pauses = append(pauses, r.at.Sub(s.seen[i-1].at))
		}
	}
	return pauses
}

// answer is a step that answers; headers are "Name: value".
func answer(status int, body string, headers ...string) step {
	return func(r *http.Request) (*http.Response, error) {
		return response(r, status, strings.NewReader(body), int64(len(body)), headers...), nil
	}
}

func response(r *http.Request, status int, body io.Reader, length int64, headers ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		h.Set(name, value)
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: io.NopCloser(body), ContentLength: length, Request: r}
}

// fail is a step that has no answer.
func fail(err error) step {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// traced lets net/http's trace show whether a connection was obtained, then fails.
func traced(obtained bool, err error) step {
	return func(r *http.Request) (*http.Response, error) {
		if t := httptrace.ContextClientTrace(r.Context()); t != nil {
			t.GetConn("panel.example:443")
			if obtained {
				t.GotConn(httptrace.GotConnInfo{})
			}
		}
		return nil, err
	}
}

// hang is a step that ends with the context of the attempt.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// cut is a step whose body ends early, with an error.
func cut(status int, body string, err error) step {
	return func(r *http.Request) (*http.Response, error) {
		return response(r, status, io.MultiReader(strings.NewReader(body), failingReader{err}), int64(len(body)+100)), nil
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

var (
	errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	errReset   = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
)

func newClient(t testing.TB, rt http.RoundTripper, opts ...Option) *Client {
	t.Helper()
	return newPanelClient(t, testPanel(), rt, opts...)
}

func newPanelClient(t testing.TB, p Panel, rt http.RoundTripper, opts ...Option) *Client {
	t.Helper()
	c, err := New(p, testAddress, append([]Option{WithHTTPClient(&http.Client{Transport: rt})}, opts...)...)
	require.NoError(t, err)
	return c
}

type server struct {
	ID   Int    `json:"id"`
	Name string `json:"name"`
}

// calls are one call of each class. Their answers need an id.
func readCall(out *server) Call {
	return Call{Op: "getServer", Class: Read, Method: http.MethodGet, Path: []any{"servers", 7}, Out: out}
}

func setCall(out *server) Call {
	return Call{Op: "renameServer", Class: Set, Method: http.MethodPut, Path: []any{"servers", 7, "name"}, In: map[string]string{"name": "a"}, Out: out}
}

func onceCall(out *server) Call {
	return Call{Op: "createServer", Class: Once, Method: http.MethodPost, Path: []any{"servers"}, In: map[string]string{"name": "a"}, Out: out}
}

func callOf(class Class, out *server) Call {
	return [...]func(*server) Call{Read: readCall, Set: setCall, Once: onceCall}[class](out)
}

var classNames = map[Class]string{Read: "read", Set: "set", Once: "once"}

// failed returns the error of a call, which must be a *provisioning.Error itself, not something around it.
func failed(t testing.TB, err error) *provisioning.Error {
	t.Helper()
	require.Error(t, err)
	e, ok := err.(*provisioning.Error) //nolint:errorlint // that is the point
	require.True(t, ok, "%T", err)
	return e
}

func randomBody(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + rand.N(26))
	}
	return string(b)
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var connInfo httptrace.GotConnInfo

func httptraceOf(r *http.Request) *httptrace.ClientTrace {
	return httptrace.ContextClientTrace(r.Context())
}
