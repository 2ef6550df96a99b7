package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
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

func TestBadOptionsAreRefusedByName(t *testing.T) {
	t.Parallel()
	for field, o := range map[string]Option{
		"retry": WithRetry(RetryPolicy{MaxAttempts: -1}), "attemptTimeout": WithAttemptTimeout(0), "userAgent": WithUserAgent("a\r\nX-Evil: 1"), "maxBodyBytes": WithMaxBodyBytes(0),
		"rootCAs": WithRootCAs([]byte("not PEM")), "rateLimit": WithRateLimit(0, 0),
	} {
		_, err := New(testPanel(), testAddress, o)
		e := failed(t, err)
		assert.Equal(t, provisioning.Invalid, e.Kind, field)
		assert.Contains(t, e.Fields, field)
		assert.Equal(t, "testpanel", e.Panel)
	}
	_, err := New(testPanel(), testAddress, WithHTTPClient(&http.Client{Transport: &script{}}), WithRootCAs(testCA(t)))
	assert.Contains(t, failed(t, err).Fields, "rootCAs")
}

func TestNothingThatIsNilPanics(t *testing.T) {
	t.Parallel()
	c, err := New(Panel{}, testAddress, nil, WithHTTPClient(nil), WithLogger(nil))
	require.NoError(t, err)
	c.transport = &script{steps: []step{answer(404, ``), answer(200, ``)}}
	e := failed(t, c.Do(t.Context(), Call{Method: http.MethodGet}, nil))
	assert.Equal(t, provisioning.NoRoute, e.Kind)
	require.NoError(t, c.Do(t.Context(), Call{Method: http.MethodGet}, nil, NotAfter(time.Time{}), AttemptTimeout(0), CaptureResponse(nil)))
	assert.Equal(t, "rest.Client(nil)", fmt.Sprintf("%+v", (*Client)(nil)))
	assert.NotPanics(t, func() { _ = fmt.Sprintf("%v %+v %#v", Client{}, Client{}, Client{}) })
}

func TestWithoutATransportTheDefaultIsClonedWithShortIdleConnections(t *testing.T) {
	t.Parallel()
	c, err := New(testPanel(), testAddress, WithHTTPClient(&http.Client{Timeout: time.Hour}))
	require.NoError(t, err)
	transport, ok := c.transport.(*http.Transport)
	require.True(t, ok)
	assert.NotSame(t, http.DefaultTransport, transport)
	assert.Equal(t, 30*time.Second, transport.IdleConnTimeout)
	assert.NotNil(t, transport.Proxy)
	assert.Equal(t, 30*time.Second, c.timeout, "the caller's longer timeout does not count")
}

func TestTheCallersClientIsNotChanged(t *testing.T) {
	t.Parallel()
	transport := &http.Transport{IdleConnTimeout: time.Hour}
	hc := &http.Client{Transport: transport, Timeout: 7 * time.Second}
	before := *hc
	c, err := New(testPanel(), testAddress, WithHTTPClient(hc))
	require.NoError(t, err)
	assert.Same(t, transport, c.transport)
	assert.Equal(t, 7*time.Second, c.timeout, "it limits one attempt")
	withCA, err := New(testPanel(), testAddress, WithRootCAs(testCA(t)), WithHTTPClient(hc))
	require.NoError(t, err)
	assert.NotSame(t, transport, withCA.transport)
	assert.Equal(t, &before, hc)
	assert.Equal(t, time.Hour, transport.IdleConnTimeout)
	assert.True(t, transport.TLSClientConfig == nil || transport.TLSClientConfig.RootCAs == nil)
}

func testCA(t *testing.T) []byte {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return certificatePEM(s)
}

func certificatePEM(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// closeCounter is a transport that notices when somebody closes its connections.
type closeCounter struct {
	*script
	closed atomic.Int32
}

func (c *closeCounter) CloseIdleConnections() { c.closed.Add(1) }

func TestConnectionsOfTheCallerAreNeverClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt := &closeCounter{script: &script{steps: []step{answer(503, ``), fail(errRefused), answer(404, ``), answer(200, `{`)}}}
		c := newClient(t, rt)
		for range 20 {
			_ = failed(t, c.Do(t.Context(), readCall(new(server))))
		}
		ctx, cancel := context.WithCancel(t.Context())
		rt.steps = []step{answer(503, ``, "Retry-After: 20")}
		time.AfterFunc(time.Second, cancel)
		require.ErrorIs(t, c.Do(ctx, readCall(new(server))), context.Canceled)
		assert.Zero(t, rt.closed.Load())
	})
}

func TestTwentyFailingCallsUseOneConnection(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	status := []int{500, 404, 422, 423, 501, 302, 200, 409}
	var n atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status[int(n.Add(1))%len(status)])
		_, _ = io.WriteString(w, randomBody(20_000)) // much more than the library would drain
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c, err := New(testPanel(), s.URL)
	require.NoError(t, err)
	for range 20 {
		_ = failed(t, c.Do(t.Context(), readCall(new(server))))
	}
	assert.Equal(t, int32(20), n.Load())
	assert.Equal(t, int32(1), connections.Load())
}

func TestNoGoroutineIsStartedForACall(t *testing.T) { // not parallel: it counts goroutines
	during := make([]int, 0, 10)
	rt := transportFunc(func(r *http.Request) (*http.Response, error) {
		during = append(during, runtime.NumGoroutine())
		return answer(200, `{"id":7}`)(r)
	})
	c := newClient(t, rt)
	before := runtime.NumGoroutine()
	for range cap(during) {
		require.NoError(t, c.Do(t.Context(), onceCall(new(server))))
	}
	for _, n := range during {
		assert.LessOrEqual(t, n, before)
	}
}

// keyTransport is the kind of transport people write: a value that holds a key.
type keyTransport struct {
	Key  string
	next http.RoundTripper
}

func (k keyTransport) RoundTrip(r *http.Request) (*http.Response, error) { return k.next.RoundTrip(r) }

func TestSecretsAppearNowhere(t *testing.T) {
	t.Parallel()
	const (
		token, key, password, query, inAnswer = "planted-token-1", "planted-key-2", "planted-password-3", "planted-query-4", "planted-answer-5"
	)
	p := testPanel()
	p.Authorize = func(_ context.Context, h http.Header) error {
		h.Set("Authorization", "Bearer "+token)
		h.Set("X-API-Key", key)
		return nil
	}
	plainRefusal := func(int, http.Header, []byte) Refused {
		return Refused{Message: "bad key " + key + " and Bearer " + token, Fields: map[string][]string{key: {token}}}
	}
	echoURL := func(r *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: fmt.Errorf("%s: %s %w", r.URL, r.Header.Get("Authorization"), errReset)}
	}
	steps := map[string]step{
		"echoed key":   answer(403, `{}`, "X-Request-Id: "+token),
		"plain 401":    answer(401, token),
		"page":         answer(502, `<p>`+token+`</p>`),
		"redirect":     answer(307, ``, "Location: https://u:"+inAnswer+"@other.example/?t="+inAnswer),
		"bad redirect": answer(307, ``, "Location: https://other.example/%zz?t="+inAnswer),
		"bad JSON":     answer(200, `{"id":"`+inAnswer+`"}`),
		"not JSON":     answer(200, inAnswer),
		"echoed URL":   echoURL,
		"reset":        traced(true, errReset),
		"success":      answer(200, `{"id":7,"name":"`+inAnswer+`"}`),
	}
	secrets := []string{token, key, password, query, inAnswer}
	for name, does := range steps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var logs bytes.Buffer
				handler := slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug})
				p := p
				if name == "echoed key" {
					p.Refusal = plainRefusal
				}
				c := newPanelClient(t, p, keyTransport{key, &script{steps: []step{does}}}, WithLogger(slog.New(handler)))
				call := setCall(new(server))
				call.In = map[string]any{"password": provisioning.Secret(password)}
				call.Query = url.Values{"token": {query}}
				err := c.Do(t.Context(), call)
				require.NotEmpty(t, logs.String())
				slog.New(handler).Error("failed", "error", err, "client", c, "panel", p)
				printed := logs.String() + fmt.Sprintf("%v %+v %#v %s %q", c, c, c, c, c) + fmt.Sprintf("%v %+v %#v", *c, *c, *c) + fmt.Sprintf("%v %+v %#v", p, p, p) +
					fmt.Sprintf("%v %+v", struct{ c *Client }{c}, struct{ c Client }{*c})
				for e := err; e != nil; e = errors.Unwrap(e) {
					j, _ := json.Marshal(e)
					printed += fmt.Sprintf("%v %+v %#v %s %q %s", e, e, e, e, e, j)
				}
				for _, secret := range secrets {
					assert.NotContains(t, printed, secret)
				}
			})
		})
	}
}

func TestOneLogLineAnAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logs bytes.Buffer
		log := slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		s := &script{steps: []step{func(r *http.Request) (*http.Response, error) {
			<-time.After(2 * time.Second)
			return answer(504, ``)(r)
		}, answer(200, `{"id":7}`)}}
		require.NoError(t, newClient(t, s, WithLogger(log)).Do(t.Context(), setCall(new(server))))
		assert.Equal(t, `level=DEBUG msg="panel call" panel=testpanel op=renameServer method=PUT path=/servers/7/name attempt=1 status=504 duration=2s kind=unavailable maybe_applied=true
level=DEBUG msg="panel call" panel=testpanel op=renameServer method=PUT path=/servers/7/name attempt=2 status=200 duration=0s
`, logs.String())
	})
}

func TestAHundredGoroutinesShareAClient(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		switch {
		case strings.HasSuffix(id, "3"):
			w.WriteHeader(http.StatusLocked)
		case strings.HasSuffix(id, "5"):
			w.WriteHeader(http.StatusBadGateway)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"id":"%s","name":"%s"}`, id, strings.Repeat(id, 500))
		}
	}))
	defer s.Close()
	c, err := New(testPanel(), s.URL, WithRetry(RetryPolicy{BaseDelay: 1, MaxDelay: 1}), WithLogger(slog.New(slog.NewTextHandler(new(bytes.Buffer), &slog.HandlerOptions{Level: slog.LevelDebug}))))
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range 100 {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := i * 10; n < i*10+10; n++ {
				var got server
				err := c.Do(t.Context(), Call{Op: "get", Class: Class(n % 3), Method: http.MethodPut, Path: []any{"servers", n}, In: got, Out: &got})
				switch n % 10 {
				case 3:
					assert.ErrorIs(t, err, provisioning.Locked)
				case 5:
					assert.ErrorIs(t, err, provisioning.Unavailable)
				default:
					assert.NoError(t, err)
					assert.Equal(t, Int(n), got.ID)
					assert.Equal(t, strings.Repeat(fmt.Sprint(n), 500), got.Name)
				}
			}
		}()
	}
	all.Wait()
}

func TestAThousandCallsAtOnceInFakedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answer(503, ``, "Retry-After: 20")}}
		c := newClient(t, s)
		start := time.Now()
		var all sync.WaitGroup
		for range 1000 {
			all.Add(1)
			go func() {
				defer all.Done()
				assert.ErrorIs(t, c.Do(t.Context(), setCall(new(server))), provisioning.ErrMaybeApplied)
			}()
		}
		all.Wait()
		assert.Equal(t, time.Minute, time.Since(start))
		assert.Len(t, s.requests(), 4000)
	})
}

// closing is a body that counts how often it is closed.
type closing struct {
	io.Reader
	closed *int
}

func (c closing) Close() error {
	*c.closed++
	return nil
}

func TestEveryBodyIsClosedAndEveryAttemptIsReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, does := range map[string]step{
			"success": answer(200, `{"id":7}`), "refused": answer(422, `{}`), "retried": answer(503, `{}`), "redirect": answer(302, `moved`, "Location: /x"),
			"unreadable redirect": answer(302, `moved`, "Location: https://%zz"), "too large": answer(200, strings.Repeat(" ", 2000)), "cut": cut(200, `{`, errReset),
			"no answer": fail(errReset),
		} {
			opened, closed := 0, 0
			var attempts []context.Context
			rt := transportFunc(func(r *http.Request) (*http.Response, error) {
				resp, err := does(r)
				attempts = append(attempts, r.Context())
				if err == nil {
					opened++
					resp.Body = closing{resp.Body, &closed}
				}
				return resp, err
			})
			_ = newClient(t, rt, WithMaxBodyBytes(1000)).Do(t.Context(), readCall(new(server)))
			assert.Equal(t, opened, closed, name)
			for _, ctx := range attempts {
				assert.Error(t, ctx.Err(), name)
			}
		}
	})
}

// A transport may still read the headers of an attempt that was given up, while the next one is prepared: the race detector would see it if they were shared.
func TestAnAttemptThatWasGivenUpSharesNothingWithTheNext(t *testing.T) {
	t.Parallel()
	var stragglers sync.WaitGroup
	s := &script{steps: []step{func(r *http.Request) (*http.Response, error) {
		stragglers.Add(1)
		go func() {
			defer stragglers.Done()
			for range 1000 {
				_ = r.Header.Get("Authorization")
				_ = r.URL.String()
				runtime.Gosched()
			}
		}()
		return nil, io.EOF
	}}}
	_ = failed(t, newClient(t, s, WithRetry(RetryPolicy{BaseDelay: 1, MaxDelay: 1})).Do(t.Context(), setCall(new(server))))
	stragglers.Wait()
}
