package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// The tests of this file are the ones that no SDK we looked at passes all of. Each panel package repeats those that need its lists, tasks and types.

// fleet is a small panel that sells servers.
type fleet struct {
	mu      sync.Mutex
	servers int
	spoil   func(n int, w http.ResponseWriter) bool // may ruin the answer to the n-th create, after the commit
}

func (f *fleet) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	f.servers++
	n := f.servers
	f.mu.Unlock()
	if f.spoil != nil && f.spoil(n, w) {
		return
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprintf(w, `{"id":%d}`, n)
}

func TestAcceptance01CreateAnswered504AfterCommitMakesOneServer(t *testing.T) {
	t.Parallel()
	f := &fleet{spoil: func(_ int, w http.ResponseWriter) bool { w.WriteHeader(http.StatusGatewayTimeout); return true }}
	s := httptest.NewServer(f)
	defer s.Close()
	err := wireClient(t, s.URL).Do(t.Context(), onceCall(new(server)))
	require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
	require.ErrorIs(t, err, provisioning.Unavailable)
	assert.Equal(t, 1, f.servers)
}

func TestAcceptance02CreateRefusedAtTheDialIsRetriedAndMakesOneServer(t *testing.T) {
	t.Parallel()
	f := &fleet{}
	s := httptest.NewServer(f)
	defer s.Close()
	var dials atomic.Int32
	rt := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials.Add(1) < 3 {
			address = "127.0.0.1:1" // nobody listens there
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	defer rt.CloseIdleConnections()
	var got server
	require.NoError(t, wireClient(t, s.URL, WithHTTPClient(&http.Client{Transport: rt})).Do(t.Context(), onceCall(&got)))
	assert.Equal(t, Int(1), got.ID)
	assert.Equal(t, 1, f.servers)
	assert.Equal(t, int32(3), dials.Load())
}

func TestAcceptance03ARetrySendsTheSameBytes(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var bodies []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		bodies = append(bodies, fmt.Sprint(r.ContentLength, " ", string(b)))
		if len(bodies) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, `{"id":7}`)
	}))
	defer s.Close()
	call := setCall(new(server))
	call.In = map[string]any{"z": 1, "a": "<&>", "m": map[string]int{"y": 1, "x": 2}}
	require.NoError(t, wireClient(t, s.URL).Do(t.Context(), call))
	require.Len(t, bodies, 3)
	assert.Equal(t, bodies[0], bodies[1])
	assert.Equal(t, bodies[0], bodies[2])
	assert.Equal(t, `50 {"a":"\u003c\u0026\u003e","m":{"x":2,"y":1},"z":1}`, bodies[0])
}

func TestAcceptance04DeadlineDuringBackoffReturnsPromptly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, steps := range map[string][]step{"pauses of its own": {answer(503, ``)}, "a Retry-After": {answer(503, ``, "Retry-After: 20")}} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			start := time.Now()
			err := newClient(t, &script{steps: steps}, WithRetry(RetryPolicy{MaxAttempts: 100})).Do(ctx, readCall(new(server)))
			require.ErrorIs(t, err, provisioning.Unavailable, name)
			assert.LessOrEqual(t, time.Since(start), 50*time.Millisecond, name)
			cancel()
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		start := time.Now()
		err := newClient(t, &script{steps: []step{answer(503, ``, "Retry-After: 20")}}).Do(ctx, readCall(new(server)))
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 50*time.Millisecond, time.Since(start))
	})
}

func TestAcceptance05ARetryAfterOfADayNeverSleeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		e := failed(t, newClient(t, &script{steps: []step{answer(429, ``, "Retry-After: 86400")}}).Do(t.Context(), readCall(new(server))))
		assert.Zero(t, time.Since(start))
		assert.Equal(t, 24*time.Hour, e.RetryAfter)
	})
}

func TestAcceptance06NotFoundIsAnError(t *testing.T) {
	t.Parallel()
	err := newClient(t, &script{steps: []step{answer(404, `{"msg":"server not found"}`)}}).Do(t.Context(), readCall(new(server)))
	require.Error(t, err)
	require.ErrorIs(t, err, provisioning.NotFound)
}

// page is a list as Laravel pages it, with its links.
type page struct {
	Data []server `json:"data"`
	Next string   `json:"next_page_url"`
	Last Int      `json:"last_page"`
}

// list is how the panel packages walk: page numbers are built, links are never followed, each page is a new value, and values are yielded.
func list(ctx context.Context, c *Client) iter.Seq2[server, error] {
	return func(yield func(server, error) bool) {
		for n, last := 1, 1; n <= last; n++ {
			var p page
			if err := c.Do(ctx, Call{Op: "list", Method: http.MethodGet, Path: []any{"servers"}, Query: url.Values{"page": {fmt.Sprint(n)}}, Out: &p}); err != nil {
				yield(server{}, err)
				return
			}
			for _, s := range p.Data {
				if !yield(s, nil) {
					return
				}
			}
			last = int(p.Last)
		}
	}
}

func pages() *script {
	return &script{steps: []step{func(r *http.Request) (*http.Response, error) {
		return answer(200, map[string]string{
			"1": `{"data":[{"id":1,"name":"one"},{"id":2,"name":"two"}],"next_page_url":"https://evil.example/servers?page=2","last_page":2}`,
			"2": `{"data":[{"id":3,"name":null},{"id":4}],"next_page_url":null,"last_page":"2"}`,
		}[r.URL.Query().Get("page")])(r)
	}}}
}

func TestAcceptance07ALinkToAnotherHostIsNeverFollowed(t *testing.T) {
	t.Parallel()
	var hosts []string
	pages := pages()
	rt := transportFunc(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host)
		return pages.RoundTrip(r)
	})
	for _, err := range list(t.Context(), newClient(t, rt)) {
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"panel.example", "panel.example"}, hosts)
}

func TestAcceptance08TheSecondPageNeverChangesItemsOfTheFirst(t *testing.T) {
	t.Parallel()
	var got []server
	for s, err := range list(t.Context(), newClient(t, pages())) {
		require.NoError(t, err)
		got = append(got, s)
	}
	assert.Equal(t, []server{{1, "one"}, {2, "two"}, {3, ""}, {4, ""}}, got)
}

func TestAcceptance09RangingTwiceGivesTheSameAndABreakMakesNoFurtherRequest(t *testing.T) {
	t.Parallel()
	s := pages()
	all := list(t.Context(), newClient(t, s))
	for range 2 {
		var ids []Int
		for s, err := range all {
			require.NoError(t, err)
			ids = append(ids, s.ID)
		}
		assert.Equal(t, []Int{1, 2, 3, 4}, ids)
	}
	before := len(s.requests())
	for _, err := range all {
		require.NoError(t, err)
		break
	}
	assert.Len(t, s.requests(), before+1)
}

func TestAcceptance10AnUnknownStatusSurvives(t *testing.T) {
	t.Parallel()
	type state string
	type openServer struct {
		State state `json:"state"`
	}
	var got openServer
	require.NoError(t, newClient(t, &script{steps: []step{answer(200, `{"state":"levitating"}`)}}).Do(t.Context(), Call{Op: "x", Method: http.MethodGet, Out: &got}))
	b, err := json.Marshal(got)
	require.NoError(t, err)
	assert.JSONEq(t, `{"state":"levitating"}`, string(b))
}

func TestAcceptance11NumbersMayComeAsText(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"id":"7"}`, `{"id":7}`, `{"id":7.0}`} {
		var got server
		require.NoError(t, newClient(t, &script{steps: []step{answer(200, body)}}).Do(t.Context(), readCall(&got)))
		assert.Equal(t, Int(7), got.ID)
	}
}

func TestAcceptance12AnHTML502IsAShortErrorWithItsStatus(t *testing.T) {
	t.Parallel()
	page := "<html><body>" + strings.Repeat("<h1>Bad Gateway</h1>", 400) + "</body></html>"
	e := failed(t, newClient(t, &script{steps: []step{answer(502, page, "Content-Type: text/html")}}).Do(t.Context(), onceCall(new(server))))
	assert.Less(t, len(e.Error()), 300)
	assert.Contains(t, e.Error(), "502")
	assert.NotContains(t, e.Error(), "<")
}

func TestAcceptance13SecretsArePrintedNowhere(t *testing.T) {
	t.Parallel()
	// Logs, errors and printed clients: TestSecretsAppearNowhere. Here: passwords in answers that cannot be decoded.
	type answerType struct {
		Password provisioning.Secret `json:"password"`
		Port     Int                 `json:"port"`
	}
	for _, body := range []string{`{"password":"planted","port":"planted"}`, `{"password":["planted"]}`, `{"password":"planted"`, `planted`} {
		var got answerType
		e := failed(t, newClient(t, &script{steps: []step{answer(200, body)}}).Do(t.Context(), Call{Op: "resetPassword", Class: Once, Method: http.MethodPost, Out: &got}))
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v %v %+v %#v", e, e, e, got, got, got), "planted")
	}
}

func TestAcceptance14ATextual404IsNoRouteAndACancelledCallIsNeverNil(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"404 page not found\n", "", "<html>Not Found</html>", `{"error":"nope"}`} {
		err := newClient(t, &script{steps: []step{answer(404, body, "Content-Type: text/plain")}}).Do(t.Context(), readCall(new(server)))
		require.ErrorIs(t, err, provisioning.NoRoute)
		require.NotErrorIs(t, err, provisioning.NotFound)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &script{steps: []step{answer(200, `{"id":7}`)}}
	e := failed(t, newClient(t, s).Do(ctx, onceCall(new(server))))
	require.ErrorIs(t, e, context.Canceled)
	assert.False(t, e.MaybeApplied, "nothing was sent")
	assert.Empty(t, s.requests())
}

func TestAcceptance15NilOptionsNeverPanic(t *testing.T) {
	t.Parallel()
	c, err := New(testPanel(), testAddress, nil, WithHTTPClient(nil), WithLogger(nil), WithRetry(RetryPolicy{}))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, c.Do(ctx, readCall(nil), nil, CaptureResponse(nil)), context.Canceled)
}

func TestAcceptance16AHundredGoroutinesUseOneClient(t *testing.T) {
	t.Parallel()
	f := &fleet{spoil: func(n int, w http.ResponseWriter) bool {
		if n%10 == 0 {
			w.WriteHeader(http.StatusBadGateway)
		}
		return n%10 == 0
	}}
	s := httptest.NewServer(f)
	defer s.Close()
	c := wireClient(t, s.URL)
	var made, unclear atomic.Int32
	var all sync.WaitGroup
	for range 100 {
		all.Add(1)
		go func() {
			defer all.Done()
			var got server
			switch err := c.Do(t.Context(), onceCall(&got)); {
			case err == nil && got.ID > 0:
				made.Add(1)
			case errors.Is(err, provisioning.ErrMaybeApplied):
				unclear.Add(1)
			}
		}()
	}
	all.Wait()
	assert.Equal(t, 100, f.servers)
	assert.Equal(t, int32(90), made.Load())
	assert.Equal(t, int32(10), unclear.Load())
}

func TestAcceptance17TheCallersClientAndTransportAreUnchanged(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }))
	defer s.Close()
	transport := &http.Transport{MaxIdleConns: 3}
	defer transport.CloseIdleConnections()
	followed := false
	hc := &http.Client{Transport: transport, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { followed = true; return nil }}
	c, err := New(testPanel(), s.URL, WithHTTPClient(hc), WithAttemptTimeout(time.Second), WithRetry(RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	_ = failed(t, c.Do(t.Context(), readCall(new(server))))
	assert.Same(t, transport, hc.Transport)
	assert.Equal(t, time.Minute, hc.Timeout)
	assert.NotNil(t, hc.CheckRedirect)
	assert.False(t, followed)
	assert.Equal(t, 3, transport.MaxIdleConns)
	assert.Zero(t, transport.IdleConnTimeout)
}

// flood is a body of a given size that counts what is read of it.
type flood struct{ left, read int64 }

func (f *flood) Read(p []byte) (int, error) {
	n := min(int64(len(p)), f.left)
	if n == 0 {
		return 0, io.EOF
	}
	f.left -= n
	f.read += n
	for i := range p[:n] {
		p[i] = '['
	}
	return int(n), nil
}

func TestAcceptance18ABodyOfAGibibyteStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 422, 502} {
		for name, length := range map[string]int64{"announced": 1 << 30, "not announced": -1} {
			body := &flood{left: 1 << 30}
			rt := transportFunc(func(r *http.Request) (*http.Response, error) { return response(r, status, body, length), nil })
			e := failed(t, newClient(t, rt, WithMaxBodyBytes(1<<20)).Do(t.Context(), onceCall(new(server))))
			assert.LessOrEqual(t, body.read, int64(1<<20+1), "%d %s", status, name)
			assert.True(t, length < 0 || body.read == 0, "what is announced as too long is not read at all")
			assert.Equal(t, status, e.Status)
			assert.Equal(t, status != 422, e.MaybeApplied, "%d %s", status, name)
		}
	}
}
