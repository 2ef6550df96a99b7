package fakeserver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// shop is a server with one write and one read, and a count of what was committed.
type shop struct {
	*Server
	mu        sync.Mutex
	committed []time.Time
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{Server: New()}
	s.Handle("buy", "POST /api/items/{item}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.committed = append(s.committed, time.Now())
		s.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		WriteJSON(w, http.StatusCreated, map[string]string{"item": r.PathValue("item"), "got": string(body)})
	})
	s.Handle("look", "GET /api/items/{item}", func(w http.ResponseWriter, r *http.Request) {
		WriteJSON(w, http.StatusOK, map[string]string{"item": r.PathValue("item")})
	})
	s.Handle("drop", "DELETE /api/items/{item}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	t.Cleanup(s.Close)
	return s
}

func (s *shop) commits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.committed)
}

func (s *shop) buy(ctx context.Context) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://shop.test/api/items/milk", strings.NewReader(`{"n":1}`))
	if err != nil {
		return 0, "", err
	}
	return send(s.Transport(), req)
}

func send(rt http.RoundTripper, req *http.Request) (status int, body string, err error) {
	resp, err := (&http.Client{Transport: rt}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

const answered = `{"got":"{\"n\":1}","item":"milk"}`

func TestEveryFaultActionDoesWhatItSays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		fault   provisioningtest.Fault
		status  int
		body    string
		wantErr error         // nil: the answer arrives whole
		took    time.Duration // until the client knew
		commits int           // when the client knew
		later   int           // 100 seconds after that
	}{
		{"no delay and no fault", provisioningtest.Fault{Op: "other"}, 201, answered, nil, 0, 1, 1},
		{"slow", provisioningtest.Fault{Do: provisioningtest.Slow, Delay: 7 * time.Second}, 201, answered, nil, 7 * time.Second, 1, 1},
		{"refuse", provisioningtest.Fault{Do: provisioningtest.Refuse, Delay: time.Second}, 0, "", syscall.ECONNREFUSED, time.Second, 0, 0},
		{"cut before the commit", provisioningtest.Fault{Do: provisioningtest.CutBefore, Delay: time.Second}, 0, "", io.EOF, time.Second, 0, 0},
		{"cut after the commit", provisioningtest.Fault{Do: provisioningtest.CutAfter}, 0, "", io.EOF, 0, 1, 1},
		{"commit late", provisioningtest.Fault{Do: provisioningtest.CommitLate, Late: 90 * time.Second}, 0, "", io.EOF, 0, 0, 1},
		{"answer instead", provisioningtest.Fault{Do: provisioningtest.Answer, Status: 423, Body: `{"msg":"busy"}`}, 423, `{"msg":"busy"}`, nil, 0, 0, 0},
		{"answer without a status", provisioningtest.Fault{Do: provisioningtest.Answer}, 500, "", nil, 0, 0, 0},
		{"commit and another answer", provisioningtest.Fault{Do: provisioningtest.AnswerLate, Status: 504, Delay: time.Minute}, 504, "", nil, time.Minute, 1, 1},
		{"page of a proxy", provisioningtest.Fault{Do: provisioningtest.HTML}, 502, HTMLPage(502), nil, 0, 0, 0},
		{"page with another status", provisioningtest.Fault{Do: provisioningtest.HTML, Status: 404}, 404, HTMLPage(404), nil, 0, 0, 0},
		{"cut body", provisioningtest.Fault{Do: provisioningtest.CutBody}, 201, answered[:len(answered)/2], io.ErrUnexpectedEOF, 0, 1, 1},
		{"hang", provisioningtest.Fault{Do: provisioningtest.Hang}, 0, "", context.DeadlineExceeded, time.Hour, 0, 0},
		{"hang after the commit", provisioningtest.Fault{Do: provisioningtest.HangAfter}, 0, "", context.DeadlineExceeded, time.Hour, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t)
				s.Inject(tt.fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				start := time.Now()
				status, body, err := s.buy(ctx)
				if tt.wantErr == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, tt.wantErr)
				}
				assert.Equal(t, tt.status, status)
				assert.Equal(t, tt.body, body)
				assert.Equal(t, tt.took, time.Since(start))
				assert.Equal(t, tt.commits, s.commits())
				time.Sleep(100 * time.Second)
				assert.Equal(t, tt.later, s.commits())

				_, _, err = s.buy(ctx)
				if tt.took < time.Hour {
					require.NoError(t, err, "the rule is used up")
				}
			})
		})
	}
}

func TestALateCommitComesExactlyWhenTheRuleSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.Inject(provisioningtest.Fault{Do: provisioningtest.CommitLate, Delay: 5 * time.Second, Late: 40 * time.Second})
		start := time.Now()
		_, _, err := s.buy(t.Context())
		require.Error(t, err)
		time.Sleep(time.Minute)
		s.mu.Lock()
		defer s.mu.Unlock()
		require.Len(t, s.committed, 1)
		assert.Equal(t, 45*time.Second, s.committed[0].Sub(start))
	})
}

func TestARefusedRequestIsProvablyNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		_, _, err := s.buy(t.Context())
		require.NoError(t, err, "so that an idle connection exists")
		s.Inject(provisioningtest.Fault{Op: "buy", Do: provisioningtest.Refuse})
		got := false
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got = true }})
		_, _, err = s.buy(ctx)
		var op *net.OpError
		require.ErrorAs(t, err, &op)
		assert.Equal(t, "dial", op.Op)
		assert.False(t, got, "no connection was handed over")
		assert.Equal(t, 1, s.Count("buy"), "a refused request does not arrive")
		assert.Empty(t, s.Faults().Unused())
	})
}

func TestAnAnswerWithoutABodyIsCutInsideItsHead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.Inject(provisioningtest.Fault{Op: "drop", Do: provisioningtest.CutBody})
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://shop.test/api/items/milk", nil)
		_, _, err := send(s.Transport(), req)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}

func TestRetryAfterIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.Inject(provisioningtest.Fault{Do: provisioningtest.Answer, Status: 429, RetryAfter: "17"})
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://shop.test/api/items/milk", nil)
		resp, err := s.Transport().RoundTrip(req)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		assert.Equal(t, "17", resp.Header.Get("Retry-After"))
		assert.Same(t, req, resp.Request)
	})
}

func TestSkipAndTimesCountOnlyMatchingRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.Inject(provisioningtest.Fault{Op: "buy", Do: provisioningtest.Answer, Status: 503, Skip: 1, Times: 2})
		var got []int
		for range 5 {
			look, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://shop.test/api/items/x", nil)
			status, _, err := send(s.Transport(), look)
			require.NoError(t, err)
			require.Equal(t, 200, status)
			status, _, err = s.buy(t.Context())
			require.NoError(t, err)
			got = append(got, status)
		}
		assert.Equal(t, []int{201, 503, 503, 201, 201}, got)
	})
}

func TestCloseEndsHangingRequestsAndDropsLateCommits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the bubble itself fails when a goroutine is left
		s := newShop(t)
		s.Inject(provisioningtest.Fault{Do: provisioningtest.CommitLate, Late: time.Minute})
		s.Inject(provisioningtest.Fault{Do: provisioningtest.Hang})
		s.Inject(provisioningtest.Fault{Do: provisioningtest.Slow, Delay: time.Hour})
		_, _, err := s.buy(t.Context())
		require.Error(t, err)
		var clients sync.WaitGroup
		for range 2 {
			clients.Go(func() {
				_, _, err := s.buy(context.Background())
				assert.Error(t, err)
			})
		}
		synctest.Wait()
		s.Close()
		s.Close()
		clients.Wait()
		time.Sleep(2 * time.Hour)
		assert.Zero(t, s.commits())
		_, _, err = s.buy(t.Context())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	})
}

func TestAClientThatLeavesDoesNotStopASlowPanel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.Inject(provisioningtest.Fault{Do: provisioningtest.Slow, Delay: 30 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, _, err := s.buy(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, s.commits())
		time.Sleep(time.Minute)
		assert.Equal(t, 1, s.commits())
	})
}

func TestTheLogHoldsWhatArrivedAndNoCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.Inject(provisioningtest.Fault{Op: "buy", Do: provisioningtest.CutAfter})
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://shop.test/api/items/a%2Fb?q=1", strings.NewReader("body"))
		req.Header.Set("Authorization", "Bearer planted")
		req.Header.Set("X-API-Key", "planted")
		req.Header.Set("X-Other", "kept")
		_, _, err := send(s.Transport(), req)
		require.Error(t, err)
		log := s.Requests()
		require.Len(t, log, 1)
		got := log[0]
		assert.Equal(t, "buy", got.Op)
		assert.Equal(t, "POST", got.Method)
		assert.Equal(t, "/api/items/a/b", got.Path)
		assert.Equal(t, "q=1", got.RawQuery)
		assert.Equal(t, "body", string(got.Body))
		assert.Equal(t, provisioningtest.CutAfter, got.Fault)
		assert.Equal(t, time.Now(), got.Time)
		assert.Equal(t, "kept", got.Header.Get("X-Other"))
		assert.Equal(t, "[masked]", got.Header.Get("Authorization"))
		assert.Equal(t, "[masked]", got.Header.Get("X-Api-Key"))
		assert.Empty(t, got.Header.Get(ticketHeader))
		got.Body[0], got.Header = 'B', nil
		assert.Equal(t, "body", string(s.Requests()[0].Body), "callers get copies")
	})
}

func TestTheLogForgetsTheOldest(t *testing.T) {
	t.Parallel()
	s := New()
	defer s.Close()
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	for range maxRequests + 1 {
		s.record(req, "op", nil, "")
	}
	assert.Len(t, s.Requests(), maxRequests/2+1)
	assert.Equal(t, maxRequests+1, s.Count("op"))
}

func TestRoutesPreferLiteralSegments(t *testing.T) {
	t.Parallel()
	s := New()
	defer s.Close()
	var values map[string]string
	for _, pattern := range []string{
		"GET /servers/{serverId}", "GET /servers/{serverId}/templates", "GET /servers/user/{userId}", "DELETE /servers/{serverId}", "GET /servers",
	} {
		s.Handle(pattern, pattern, func(http.ResponseWriter, *http.Request) {})
	}
	for _, tt := range []struct{ method, path, op, value string }{
		{"GET", "/servers", "GET /servers", ""},
		{"GET", "/servers/5", "GET /servers/{serverId}", "5"},
		{"DELETE", "/servers/a%2Fb", "DELETE /servers/{serverId}", "a/b"},
		{"GET", "/servers/user/7", "GET /servers/user/{userId}", "7"},
		{"GET", "/servers/7/templates", "GET /servers/{serverId}/templates", "7"},
		{"GET", "/servers/user/templates", "GET /servers/user/{userId}", "templates"},
		{"GET", "/servers/", "", ""},
		{"PUT", "/servers/5", "", ""},
		{"GET", "/", "", ""},
	} {
		var op string
		_, op, values = s.find(httptest.NewRequest(tt.method, tt.path, nil))
		assert.Equal(t, tt.op, op, "%s %s", tt.method, tt.path)
		assert.Equal(t, tt.value, values["serverId"]+values["userId"], "%s %s", tt.method, tt.path)
	}
}

func TestTheFallbackKnowsTheAllowedMethods(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for path, want := range map[string]int{"/api/items/milk": 405, "/elsewhere": 404} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPatch, path, nil))
		assert.Equal(t, want, w.Code)
	}
	var allowed []string
	s.Fallback(func(w http.ResponseWriter, _ *http.Request, methods []string) { allowed = methods; w.WriteHeader(499) })
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPatch, "/api/items/milk", nil))
	assert.Equal(t, 499, w.Code)
	assert.Equal(t, []string{"DELETE", "GET", "POST"}, allowed)
}

func TestDelayWaitsAfterTheWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New()
		defer s.Close()
		var worked time.Time
		s.Handle("op", "GET /", func(w http.ResponseWriter, _ *http.Request) {
			worked = time.Now()
			Delay(w, 3*time.Second)
			WriteJSON(w, 200, []int{})
		})
		start := time.Now()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x.test/", nil)
		_, body, err := send(s.Transport(), req)
		require.NoError(t, err)
		assert.Equal(t, "[]", body)
		assert.Equal(t, start, worked)
		assert.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestAHundredConnectionsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.Inject(provisioningtest.Fault{Op: "buy", Do: provisioningtest.Refuse, Skip: 30, Times: 10})
		s.Inject(provisioningtest.Fault{Op: "buy", Do: provisioningtest.CutAfter, Skip: 20, Times: 10})
		var mu sync.Mutex
		var refused, cut, fine int
		var clients sync.WaitGroup
		for range 100 {
			clients.Go(func() {
				_, _, err := s.buy(t.Context())
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					fine++
				case errors.Is(err, syscall.ECONNREFUSED):
					refused++
				default:
					cut++
				}
			})
		}
		clients.Wait()
		assert.Equal(t, []int{80, 10, 10}, []int{fine, refused, cut})
		assert.Equal(t, 90, s.commits())
		assert.Equal(t, 90, s.Count("buy"))
	})
}

// TestAProgramServesTheSameFaults runs the faults that close connections over loopback TCP.
func TestAProgramServesTheSameFaults(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	web := httptest.NewServer(s)
	defer web.Close()
	post := func() (int, error) {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Post(web.URL+"/api/items/milk", "application/json", bytes.NewReader([]byte(`{}`)))
		if err != nil {
			return 0, err
		}
		defer func() { _ = resp.Body.Close() }()
		_, err = io.ReadAll(resp.Body)
		return resp.StatusCode, err
	}
	for _, tt := range []struct {
		do      provisioningtest.Action
		commits int
	}{{provisioningtest.Refuse, 0}, {provisioningtest.CutBefore, 0}, {provisioningtest.CutAfter, 1}, {provisioningtest.CutBody, 2}} {
		s.Inject(provisioningtest.Fault{Op: "buy", Do: tt.do})
		_, err := post()
		require.Error(t, err, tt.do)
		assert.Equal(t, tt.commits, s.commits(), tt.do)
	}
	status, err := post()
	require.NoError(t, err)
	assert.Equal(t, 201, status)
}

func TestAConnectionThatCannotBeClosedIsAnsweredLoudly(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.Inject(provisioningtest.Fault{Do: provisioningtest.CutAfter})
	s.Inject(provisioningtest.Fault{Do: "no such action"})
	for range 2 {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/items/milk", nil))
		assert.Equal(t, http.StatusNotImplemented, w.Code)
	}
}

func TestATooLargeBodyIsRefused(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/items/milk", bytes.NewReader(make([]byte, maxBody+1))))
	assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	assert.Zero(t, s.commits())
}

func TestAValueThatIsNotJSONIsAnswered500(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	WriteJSON(w, 200, func() {})
	assert.Equal(t, 500, w.Code)
}

func TestAReadOnAUsedConnectionIsRepeatedByNetHTTPAndAWriteIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		look := func() error {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://shop.test/api/items/milk", nil)
			_, _, err := send(s.Transport(), req)
			return err
		}
		require.NoError(t, look())
		s.Inject(provisioningtest.Fault{Op: "look", Do: provisioningtest.CutBefore})
		require.NoError(t, look(), "the client never saw it")
		assert.Equal(t, 3, s.Count("look"))
		s.Inject(provisioningtest.Fault{Op: "buy", Do: provisioningtest.CutBefore})
		_, _, err := s.buy(t.Context())
		require.Error(t, err)
		assert.Equal(t, 1, s.Count("buy"))
	})
}
