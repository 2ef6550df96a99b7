package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bodyHandler stores bodies; the header X-Secret must be right.
func bodyHandler(t *testing.T, o Options, store func(context.Context, string) error) http.Handler {
	t.Helper()
	rc, err := New("panel", o)
	require.NoError(t, err)
	return Handler(rc, func(r *http.Request) (string, error) {
		if err := rc.Check(r); err != nil {
			return "", err
		}
		if r.Header.Get("X-Secret") != "planted-secret" {
			return "", rc.Refuse(http.StatusUnauthorized, "the secret is missing or wrong")
		}
		body, err := rc.Body(r)
		return string(body), err
	}, store)
}

func post(body io.Reader) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hook?planted-query=1", body)
	r.Header.Set("X-Secret", "planted-secret")
	r.RemoteAddr = "192.0.2.1:4711"
	return r
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	limits := Options{AllowFrom: prefixes("192.0.2.0/24"), MaxURLBytes: 100, MaxHeaderBytes: 50, MaxBodyBytes: 10}
	for _, tc := range []struct {
		name   string
		change func(*http.Request) *http.Request
		want   int
		stored bool
	}{
		{"a good call is stored", nil, 204, true},
		{"GET is not the panel", func(r *http.Request) *http.Request { r.Method = http.MethodGet; return r }, 405, false},
		{"HEAD is not the panel", func(r *http.Request) *http.Request { r.Method = http.MethodHead; return r }, 405, false},
		{"a foreign source is refused before its secret is looked at", func(r *http.Request) *http.Request {
			r.RemoteAddr = "198.51.100.1:1"
			r.Header.Set("X-Secret", "wrong")
			return r
		}, 403, false},
		{"a forged forwarding header does not help", func(r *http.Request) *http.Request {
			r.RemoteAddr = "198.51.100.1:1"
			r.Header.Set("X-Forwarded-For", "192.0.2.1")
			return r
		}, 403, false},
		{"a wrong secret", func(r *http.Request) *http.Request { r.Header.Set("X-Secret", "wrong"); return r }, 401, false},
		{"a URL at the limit", func(r *http.Request) *http.Request { r.URL.RawQuery = strings.Repeat("x", 100-len("/hook?")); return r }, 204, true},
		{"a URL over the limit", func(r *http.Request) *http.Request { r.URL.RawQuery = strings.Repeat("x", 101-len("/hook?")); return r }, 414, false},
		{"a header value over the limit", func(r *http.Request) *http.Request { r.Header.Set("X-Other", strings.Repeat("x", 51)); return r }, 431, false},
		{"a body at the limit", func(*http.Request) *http.Request { return post(strings.NewReader("0123456789")) }, 204, true},
		{"an announced body over the limit is refused before the secret is looked at", func(*http.Request) *http.Request {
			r := post(strings.NewReader("01234567890"))
			r.Header.Set("X-Secret", "wrong")
			return r
		}, 413, false},
		{"an unannounced body over the limit", func(*http.Request) *http.Request { return post(io.MultiReader(strings.NewReader("01234567890"))) }, 413, false},
		{"an endless body is read up to the limit only", func(*http.Request) *http.Request { return post(endless{}) }, 413, false},
		{"a body that breaks off", func(*http.Request) *http.Request { return post(iotest.ErrReader(io.ErrUnexpectedEOF)) }, 400, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			stored := 0
			h := bodyHandler(t, limits, func(context.Context, string) error { stored++; return nil })
			r := post(strings.NewReader("0123"))
			if tc.change != nil {
				r = tc.change(r)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Equal(t, tc.want, w.Code)
			assert.Equal(t, tc.stored, stored == 1)
			assert.Empty(t, w.Body.String())
			assert.Equal(t, tc.want == 405, w.Header().Get("Allow") == http.MethodPost)
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestOnlyWhatIsStoredIsAccepted(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tc := range []struct {
		name   string
		ctx    context.Context
		store  func(context.Context, string) error
		want   int
		called bool
	}{
		{"stored", context.Background(), func(context.Context, string) error { return nil }, 204, true},
		{"store fails", context.Background(), func(context.Context, string) error { return errors.New("disk full") }, 503, true},
		{"store panics", context.Background(), func(context.Context, string) error { panic("boom") }, 503, true},
		{"store panics with http.ErrAbortHandler", context.Background(), func(context.Context, string) error { panic(http.ErrAbortHandler) }, 503, true},
		{"store panics with nil", context.Background(), func(context.Context, string) error { panic(nil) }, 503, true},
		{"the request ended before", ended, func(context.Context, string) error { return nil }, 503, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			called := false
			h := bodyHandler(t, Options{}, func(ctx context.Context, s string) error { called = true; return tc.store(ctx, s) })
			w := httptest.NewRecorder()
			h.ServeHTTP(w, post(strings.NewReader("x")).WithContext(tc.ctx))
			assert.Equal(t, tc.want, w.Code)
			assert.Equal(t, tc.called, called)
		})
	}
}

func TestAStoreThatHangsIsAnswered503AfterTheTimeLimit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		limit, want time.Duration
	}{{0, DefaultStoreTimeout}, {3 * time.Second, 3 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			h := bodyHandler(t, Options{StoreTimeout: tc.limit}, func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() })
			start := time.Now()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, post(strings.NewReader("x")))
			assert.Equal(t, 503, w.Code)
			assert.Equal(t, tc.want, time.Since(start))
		})
	}
}

func TestAnErrorWithoutStatusIsNeverAccepted(t *testing.T) {
	t.Parallel()
	rc, err := New("panel", Options{})
	require.NoError(t, err)
	h := Handler(rc, func(*http.Request) (string, error) { return "", errors.New("plain") }, func(context.Context, string) error { return nil })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, post(nil))
	assert.Equal(t, 500, w.Code)
}

func TestLogsTellWhyAndHoldNoSecret(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*http.Request)
		store  error
		want   []string
	}{
		{"accepted", func(*http.Request) {}, nil, []string{"level=DEBUG", "status=204", "source=192.0.2.1"}},
		{"wrong secret", func(r *http.Request) { r.Header.Set("X-Secret", "planted-secret-wrong") }, nil, []string{"level=WARN", "status=401", "secret is missing or wrong"}},
		{"wrong method", func(r *http.Request) { r.Method = "PLANTED" }, nil, []string{"level=WARN", "status=405"}},
		{"no source", func(r *http.Request) { r.RemoteAddr = "planted" }, nil, []string{"level=WARN", "status=403"}},
		{"not stored", func(*http.Request) {}, errors.New("disk full"), []string{"level=ERROR", "status=503", "disk full"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			o := Options{AllowFrom: prefixes("192.0.2.0/24"), Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
			h := bodyHandler(t, o, func(context.Context, string) error { return tc.store })
			r := post(strings.NewReader("planted-body"))
			r.Header.Set("Authorization", "planted-authorization")
			tc.change(r)
			h.ServeHTTP(httptest.NewRecorder(), r)
			for _, want := range tc.want {
				assert.Contains(t, log.String(), want)
			}
			assert.Equal(t, 1, strings.Count(log.String(), "\n"), "one record a call")
			assert.NotContains(t, strings.ToLower(log.String()), "planted")
		})
	}
}

func TestAPanicIsLoggedWithItsStack(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	h := bodyHandler(t, o, func(context.Context, string) error { panic(fmt.Errorf("boom %d", 7)) })
	h.ServeHTTP(httptest.NewRecorder(), post(strings.NewReader("x")))
	assert.Contains(t, log.String(), "boom 7")
	assert.Contains(t, log.String(), "TestAPanicIsLoggedWithItsStack")
	assert.NotContains(t, log.String(), "planted")
}
