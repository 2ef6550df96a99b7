package rest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// want is a cell of the retry table, for an event that happens again and again.
type want struct {
	attempts int
	kind     provisioning.Kind
	maybe    bool
}

// row is a row of the table: what the transport does, and the three cells.
type row struct {
	name            string
	does            step
	read, set, once want
	change          func(*Call)
	status          int
}

func same(name string, does step, status int, w want) row {
	return row{name: name, does: does, status: status, read: w, set: w, once: w}
}

// unclear rows are repeated unless repeating may do it twice.
func unclear(name string, does step, status int) row {
	const k = provisioning.Unavailable
	return row{name: name, does: does, status: status, read: want{4, k, false}, set: want{4, k, true}, once: want{1, k, true}}
}

// failing rows are not repeated, but leave doubt about writes.
func failing(name string, does step, status int, kind provisioning.Kind) row {
	return row{name: name, does: does, status: status, read: want{1, kind, false}, set: want{1, kind, true}, once: want{1, kind, true}}
}

func tableRows() []row {
	rows := []row{
		same("the dial is refused", fail(errRefused), 0, want{4, provisioning.Unavailable, false}),
		same("the proxy refuses to connect", fail(&net.OpError{Op: "proxyconnect", Err: errors.New("forbidden")}), 0, want{4, provisioning.Unavailable, false}),
		same("the name does not resolve", fail(&net.DNSError{Err: "no such host", Name: "panel.example", IsNotFound: true}), 0, want{4, provisioning.Unavailable, false}),
		same("the TLS handshake fails, so that no connection was ever obtained", traced(false, io.EOF), 0, want{4, provisioning.Unavailable, false}),
		same("the certificate is not trusted", fail(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), 0, want{1, provisioning.Unavailable, false}),
		same("the server does not speak TLS", fail(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), 0, want{1, provisioning.Unavailable, false}),
		same("429", answer(429, `{}`), 429, want{4, provisioning.RateLimited, false}),
		unclear("the connection is reset", traced(true, errReset), 0),
		unclear("the connection ends", traced(true, io.EOF), 0),
		unclear("a foreign transport fails without a trace", fail(io.ErrUnexpectedEOF), 0),
		unclear("the attempt times out", hang, 0),
		unclear("the body is cut with an error", cut(200, `{"id":`, io.ErrUnexpectedEOF), 200),
		unclear("the body is cut without an error", cut(200, `{"id":`, io.EOF), 200),
		unclear("the body is cut of an answer that is no success", cut(503, `{"id":`, errReset), 503),
		failing("success without the body that is needed", answer(200, ``), 200, provisioning.Unexpected),
		failing("success with white space instead of a body", answer(200, " \r\n"), 200, provisioning.Unexpected),
		failing("success with null instead of an object", answer(200, `null`), 200, provisioning.Unexpected),
		failing("success with text", answer(200, `OK`, "Content-Type: text/plain"), 200, provisioning.Unexpected),
		failing("success with half of the JSON, complete as far as HTTP can tell", answer(200, `{"id": 7, "na`), 200, provisioning.Unexpected),
		failing("success with another type", answer(200, `{"id": [7]}`), 200, provisioning.Unexpected),
		failing("success with a page", answer(200, `<html>login</html>`, "Content-Type: text/html"), 200, provisioning.NoRoute),
		failing("success that declares itself a page", answer(200, `{"id":7}`, "Content-Type: Text/HTML; charset=utf-8"), 200, provisioning.NoRoute),
		failing("success with an unlabelled page", answer(200, "\xef\xbb\xbf\n<!doctype html>"), 200, provisioning.NoRoute),
		failing("a status that HTTP does not know", answer(600, `{}`), 600, provisioning.Unexpected),
	}
	for _, s := range []int{502, 503, 504, 520, 521, 522, 523, 524} {
		rows = append(rows, unclear(fmt.Sprint(s), answer(s, `{}`), s))
	}
	for _, s := range []int{500, 501, 505, 507, 525, 599} {
		rows = append(rows, failing(fmt.Sprint(s), answer(s, `{}`), s, provisioning.Unavailable))
	}
	for _, s := range []int{300, 301, 302, 303, 304, 307, 308} {
		rows = append(rows, same(fmt.Sprint(s), answer(s, ``, "Location: https://other.example/?token=planted-query"), s, want{1, provisioning.NoRoute, false}))
	}
	for s, kind := range map[int]provisioning.Kind{
		400: provisioning.Invalid, 401: provisioning.Unauthorized, 402: provisioning.Unexpected, 403: provisioning.Forbidden, 404: provisioning.NoRoute, 405: provisioning.NoRoute,
		408: provisioning.Unexpected, 409: provisioning.Conflict, 410: provisioning.Unexpected, 422: provisioning.Invalid, 423: provisioning.Locked, 451: provisioning.Unexpected,
	} {
		rows = append(rows, same(fmt.Sprint(s), answer(s, `{}`), s, want{1, kind, false}))
	}
	return append(rows,
		same("the panel's own not found", answer(404, `{"msg":"server not found"}`), 404, want{1, provisioning.NotFound, false}),
		same("a refusal whose body is cut", cut(422, `{"errors":`, errReset), 422, want{1, provisioning.Invalid, false}),
		same("a not found whose body is cut, so that nobody knows whose it is", cut(404, `{"msg":"server not`, errReset), 404, want{1, provisioning.NoRoute, false}),
		declaring(same("a declared refusal", answer(503, `{"msg":"hypervisor is down"}`), 503, want{1, provisioning.Unavailable, false}), Refusal),
		declaring(unclear("a status the operation does not declare after all", answer(503, `{}`), 503), Foreign),
		declaring(failing("a declared result that cannot be decoded", answer(503, `[]`), 503, provisioning.Unexpected), Result),
		checking(failing("an answer that does not fit the call", answer(200, `{"id":7}`), 200, provisioning.Unexpected), errors.New("no uuid")),
		checking(failing("an answer that belongs to another object", answer(200, `{"id":7}`), 200, provisioning.Mismatch), &provisioning.Error{Kind: provisioning.Mismatch}),
	)
}

func declaring(r row, v Verdict) row {
	r.change = func(c *Call) { c.Declared = func(int, []byte) Verdict { return v } }
	return r
}

func checking(r row, err error) row {
	r.change = func(c *Call) { c.Check = func() error { return err } }
	return r
}

func TestEveryCellOfTheRetryTable(t *testing.T) {
	t.Parallel()
	for _, r := range tableRows() {
		for class, w := range map[Class]want{Read: r.read, Set: r.set, Once: r.once} {
			t.Run(r.name+"/"+classNames[class], func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := &script{steps: []step{r.does}}
					call := callOf(class, new(server))
					if r.change != nil {
						r.change(&call)
					}
					e := failed(t, newClient(t, s).Do(t.Context(), call))
					assert.Len(t, s.requests(), w.attempts)
					assert.Equal(t, w.attempts, e.Attempts)
					assert.Equal(t, w.kind, e.Kind)
					assert.Equal(t, w.maybe, e.MaybeApplied)
					assert.Equal(t, w.maybe, errors.Is(e, provisioning.ErrMaybeApplied))
					assert.Equal(t, r.status, e.Status)
					assert.NotErrorIs(t, e, context.DeadlineExceeded)
					assert.Less(t, len(e.Error()), 300)
					assertPauses(t, s, r.name == "the attempt times out")
				})
			})
		}
	}
}

// assertPauses checks the limits of full jitter: 250 ms, doubled each time.
func assertPauses(t *testing.T, s *script, timedOut bool) {
	limit := 250 * time.Millisecond
	for _, p := range s.pauses() {
		if timedOut {
			p -= defaultAttemptTimeout
		}
		assert.GreaterOrEqual(t, p, time.Duration(0))
		assert.LessOrEqual(t, p, limit)
		limit *= 2
	}
}

func TestAfterEveryRepeatableFailureTheNextGoodAnswerIsTheResult(t *testing.T) {
	t.Parallel()
	for _, r := range tableRows() {
		for class, w := range map[Class]want{Read: r.read, Set: r.set, Once: r.once} {
			if w.attempts == 1 {
				continue
			}
			t.Run(r.name+"/"+classNames[class], func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := &script{steps: []step{r.does, answer(200, `{"id":7}`)}}
					var got server
					call := callOf(class, &got)
					if r.change != nil {
						r.change(&call)
					}
					require.NoError(t, newClient(t, s).Do(t.Context(), call))
					assert.Len(t, s.requests(), 2)
					assert.Equal(t, Int(7), got.ID)
				})
			})
		}
	}
}

func TestDoubtIsSticky(t *testing.T) {
	t.Parallel()
	deletion := func(*server) Call {
		return Call{Op: "deleteServer", Class: Set, Method: http.MethodDelete, Path: []any{"servers", 7}}
	}
	for _, c := range []struct {
		name  string
		steps []step
		call  func(*server) Call
		kind  provisioning.Kind // "" for success
		maybe bool
	}{
		{"504, then locked by its own task", []step{answer(504, ``), answer(423, `{}`)}, setCall, provisioning.Locked, true},
		{"504, then not found", []step{answer(504, ``), answer(404, `{"msg":"server not found"}`)}, setCall, provisioning.NotFound, true},
		{"504, then refused at the dial until the attempts are used up", []step{answer(504, ``), fail(errRefused)}, setCall, provisioning.Unavailable, true},
		{"504, then 429 until the attempts are used up", []step{answer(504, ``), answer(429, ``)}, setCall, provisioning.RateLimited, true},
		{"504, then unauthorized", []step{answer(504, ``), answer(401, ``)}, setCall, provisioning.Unauthorized, true},
		{"504, then success", []step{answer(504, ``), answer(200, `{"id":7}`)}, setCall, "", false},
		{"refused at the dial, then locked", []step{fail(errRefused), answer(423, `{}`)}, setCall, provisioning.Locked, false},
		{"a read, 504, then not found", []step{answer(504, ``), answer(404, `{"msg":"server not found"}`)}, readCall, provisioning.NotFound, false},
		{"429, then reset of a create", []step{answer(429, ``), traced(true, errReset)}, onceCall, provisioning.Unavailable, true},
		{"a deletion, 504, then the panel's own not found", []step{answer(504, ``), answer(404, `{"msg":"server not found"}`)}, deletion, "", false},
		{"a deletion, reset, 429, then the panel's own not found", []step{traced(true, errReset), answer(429, ``), answer(404, `{"msg":"x"}`)}, deletion, "", false},
		{"a deletion, 504, then a 404 of somebody else", []step{answer(504, ``), answer(404, `page not found`)}, deletion, provisioning.NoRoute, true},
		{"a deletion of something that never existed", []step{answer(404, `{"msg":"server not found"}`)}, deletion, provisioning.NotFound, false},
		{"a deletion that was never sent, then not found", []step{fail(errRefused), answer(429, ``), answer(404, `{"msg":"x"}`)}, deletion, provisioning.NotFound, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: c.steps}
				err := newClient(t, s).Do(t.Context(), c.call(new(server)))
				if c.kind == "" {
					require.NoError(t, err)
					assert.Len(t, s.requests(), len(c.steps))
					return
				}
				e := failed(t, err)
				assert.Equal(t, c.kind, e.Kind)
				assert.Equal(t, c.maybe, e.MaybeApplied)
			})
		})
	}
}

func TestRetryAfterIsWaitedForExactly(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]func() string{
		"seconds":   func() string { return "20" },
		"HTTP date": func() string { return time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				busy := func(r *http.Request) (*http.Response, error) {
					return answer(503, ``, "Retry-After: "+header())(r)
				}
				s := &script{steps: []step{busy, busy, answer(200, `{"id":7}`)}}
				require.NoError(t, newClient(t, s).Do(t.Context(), setCall(new(server))))
				assert.Equal(t, []time.Duration{20 * time.Second, 20 * time.Second}, s.pauses())
			})
		})
	}
}

func TestARetryAfterThatIsTooLongEndsTheCallAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		deadline    time.Duration
		options     []CallOption
		told        time.Duration
	}{
		{name: "beyond the limit", value: "31", told: 31 * time.Second},
		{name: "a day", value: "86400", told: 24 * time.Hour},
		{name: "beyond the deadline", value: "10", deadline: 5 * time.Second, told: 10 * time.Second},
		{name: "more than fits", value: "99999999999999999999", told: math.MaxInt64},
		{name: "beyond the time to send", value: "10", options: []CallOption{NotAfter(time.Date(2000, 1, 1, 0, 0, 5, 0, time.UTC))}, told: 10 * time.Second},
	} {
		for _, status := range []int{429, 503} {
			for class, name := range classNames {
				t.Run(fmt.Sprintf("%s/%d/%s", c.name, status, name), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { // the clock of a bubble starts at 2000-01-01 00:00 UTC
						ctx := t.Context()
						if c.deadline > 0 {
							var cancel context.CancelFunc
							ctx, cancel = context.WithTimeout(ctx, c.deadline)
							defer cancel()
						}
						start := time.Now()
						s := &script{steps: []step{answer(status, ``, "Retry-After: "+c.value)}}
						e := failed(t, newClient(t, s).Do(ctx, callOf(class, new(server)), c.options...))
						assert.Zero(t, time.Since(start))
						assert.Len(t, s.requests(), 1)
						assert.Equal(t, c.told, e.RetryAfter)
						assert.Equal(t, kindOf(status), e.Kind)
						assert.Equal(t, status == 503 && class != Read, e.MaybeApplied)
					})
				})
			}
		}
	}
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, " 7 ": 7 * time.Second, "-3": 0, "soon": 0, "1.5": 0,
		"9223372036854775807":           math.MaxInt64,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second,
		"Fri, 02 Jan 2026 03:04:00 GMT": 0,
	} {
		assert.Equal(t, want, parseRetryAfter(value, now), "%q", value)
	}
}

func TestJitterCoversItsWholeRangeAndNeverLeavesIt(t *testing.T) {
	t.Parallel()
	p := RetryPolicy{BaseDelay: 100 * time.Millisecond, MaxDelay: 350 * time.Millisecond}
	for n, limit := range map[int]time.Duration{1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 3: 350 * time.Millisecond, 99: 350 * time.Millisecond} {
		var low, high bool
		for range 2000 {
			p := jitter(p, n)
			require.GreaterOrEqual(t, p, time.Duration(0))
			require.LessOrEqual(t, p, limit)
			low, high = low || p < limit/4, high || p > limit/4*3
		}
		assert.True(t, low && high, "attempt %d", n)
	}
}

func TestTheRetryPolicyCanBeChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answer(503, ``)}}
		e := failed(t, newClient(t, s, WithRetry(RetryPolicy{MaxAttempts: 1})).Do(t.Context(), readCall(new(server))))
		assert.Equal(t, 1, e.Attempts)

		s = &script{steps: []step{answer(503, ``)}}
		e = failed(t, newClient(t, s, WithRetry(RetryPolicy{MaxAttempts: 7, MaxDelay: 300 * time.Millisecond})).Do(t.Context(), readCall(new(server))))
		assert.Equal(t, 7, e.Attempts)
		for _, p := range s.pauses() {
			assert.LessOrEqual(t, p, 300*time.Millisecond)
		}
	})
}

func TestARepeatableWriteIsRetriedLikeASet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answer(504, ``), answer(201, `{"id":7}`)}}
		require.NoError(t, newClient(t, s).Do(t.Context(), onceCall(new(server)), Repeatable()))
		assert.Len(t, s.requests(), 2)
		assert.Equal(t, s.seen[0].body, s.seen[1].body)

		e := failed(t, newClient(t, &script{steps: []step{answer(504, ``)}}).Do(t.Context(), readCall(new(server)), Repeatable()))
		assert.False(t, e.MaybeApplied, "a read stays a read")
	})
}

func TestTheCallersContextEndsTheCall(t *testing.T) {
	t.Parallel()
	type end struct {
		name string
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		is   error
	}
	cancelled := end{"cancelled", func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second, cancel)
		return ctx, cancel
	}, context.Canceled}
	expired := end{"deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, time.Second)
	}, context.DeadlineExceeded}
	hangInBody := func(r *http.Request) (*http.Response, error) {
		return response(r, 200, ctxReader{r.Context()}, -1), nil
	}
	hangInDial := func(r *http.Request) (*http.Response, error) {
		_, _ = traced(false, nil)(r)
		return hang(r)
	}
	for _, e := range []end{cancelled, expired} {
		for _, c := range []struct {
			name         string
			steps        []step
			maybe, pause bool
		}{
			{"while there is no answer", []step{hang}, true, false},
			{"while the body is read", []step{hangInBody}, true, false},
			{"while it is dialled", []step{hangInDial}, false, false},
			{"while it is dialled again after a lost answer", []step{answer(504, ``), hangInDial}, true, false},
			{"in a pause after 429", []step{answer(429, ``, "Retry-After: 29")}, false, true},
			{"in a pause after 503", []step{answer(503, ``, "Retry-After: 29")}, true, true},
		} {
			if c.pause && errors.Is(e.is, context.DeadlineExceeded) {
				continue // a pause beyond the deadline is never begun: see TestARetryAfterThatIsTooLongEndsTheCallAtOnce
			}
			t.Run(e.name+" "+c.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := e.ctx(t.Context())
					defer cancel()
					start := time.Now()
					s := &script{steps: c.steps}
					got := failed(t, newClient(t, s).Do(ctx, setCall(new(server))))
					require.ErrorIs(t, got, e.is)
					assert.Equal(t, provisioning.Unavailable, got.Kind)
					assert.Equal(t, c.maybe, got.MaybeApplied)
					assert.Equal(t, time.Second, time.Since(start))
				})
			})
		}
	}
}

type ctxReader struct{ ctx context.Context }

func (c ctxReader) Read([]byte) (int, error) {
	<-c.ctx.Done()
	return 0, c.ctx.Err()
}

func TestAnAttemptTimeoutInTheMiddleOfABodyIsNotTheCallersDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{func(r *http.Request) (*http.Response, error) {
			return response(r, 200, ctxReader{r.Context()}, -1), nil
		}}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		e := failed(t, newClient(t, s).Do(ctx, onceCall(new(server)), AttemptTimeout(3*time.Second)))
		assert.Equal(t, provisioning.Unavailable, e.Kind)
		assert.Equal(t, 200, e.Status)
		assert.True(t, e.MaybeApplied)
		assert.NotErrorIs(t, e, context.DeadlineExceeded)
		assert.NotErrorIs(t, e, context.Canceled)
		assert.Contains(t, e.Error(), "time limit of one attempt")
	})
}

func TestContextErrorsOfATransportAreNotTheCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, foreign := range []error{context.Canceled, context.DeadlineExceeded, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}} {
			e := failed(t, newClient(t, &script{steps: []step{fail(foreign)}}).Do(t.Context(), readCall(new(server))))
			assert.NotErrorIs(t, e, context.Canceled)
			assert.NotErrorIs(t, e, context.DeadlineExceeded)
			assert.Equal(t, 4, e.Attempts)
		}
	})
}

func TestThePanelsAnswerWinsOverAContextThatEndsLater(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := &script{steps: []step{func(r *http.Request) (*http.Response, error) {
		cancel()
		return answer(423, `{"msg":"locked"}`)(r)
	}}}
	e := failed(t, newClient(t, s).Do(ctx, setCall(new(server))))
	assert.Equal(t, provisioning.Locked, e.Kind)
	assert.False(t, e.MaybeApplied)
}

func TestNotAfter(t *testing.T) {
	t.Parallel()
	t.Run("nothing is sent when it is too late", func(t *testing.T) {
		t.Parallel()
		s := &script{steps: []step{answer(200, `{"id":7}`)}}
		e := failed(t, newClient(t, s).Do(t.Context(), onceCall(new(server)), NotAfter(time.Now().Add(-time.Millisecond))))
		assert.Empty(t, s.requests())
		assert.Equal(t, provisioning.Unavailable, e.Kind)
		assert.Zero(t, e.Attempts)
		assert.False(t, e.MaybeApplied)
	})
	t.Run("a pause that would end too late is not begun", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{answer(503, ``, "Retry-After: 5")}}
			e := failed(t, newClient(t, s).Do(t.Context(), setCall(new(server)), NotAfter(time.Now().Add(4*time.Second))))
			assert.Len(t, s.requests(), 1)
			assert.True(t, e.MaybeApplied, "the first attempt is in doubt")
		})
	})
	t.Run("the credentials took too long", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := testPanel()
			p.Authorize = func(context.Context, http.Header) error {
				<-time.After(2 * time.Second)
				return nil
			}
			s := &script{steps: []step{answer(200, `{"id":7}`)}}
			e := failed(t, newPanelClient(t, p, s).Do(t.Context(), onceCall(new(server)), NotAfter(time.Now().Add(time.Second))))
			assert.Empty(t, s.requests())
			assert.Zero(t, e.Attempts)
			assert.False(t, e.MaybeApplied)
		})
	})
	t.Run("the dial took too long: the body is never written", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var sent []byte
			slow := func(r *http.Request) (*http.Response, error) {
				trace := httptraceOf(r)
				trace.GetConn("")
				<-time.After(2 * time.Second)
				trace.GotConn(connInfo)
				var err error
				sent, err = io.ReadAll(r.Body)
				again, getErr := r.GetBody() // as net/http does when it takes another connection
				require.NoError(t, getErr)
				more, _ := io.ReadAll(again)
				sent = append(sent, more...)
				return nil, err
			}
			e := failed(t, newClient(t, transportFunc(slow)).Do(t.Context(), onceCall(new(server)), NotAfter(time.Now().Add(time.Second))))
			assert.Empty(t, sent)
			assert.False(t, e.MaybeApplied)
			assert.Equal(t, provisioning.Unavailable, e.Kind)
			assert.Equal(t, 1, e.Attempts)
		})
	})
	t.Run("a body that was begun in time is finished", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			slow := func(r *http.Request) (*http.Response, error) {
				_, err := io.ReadFull(r.Body, make([]byte, 5))
				require.NoError(t, err)
				<-time.After(2 * time.Second)
				_, err = io.ReadAll(r.Body)
				require.NoError(t, err)
				return answer(201, `{"id":7}`)(r)
			}
			require.NoError(t, newClient(t, transportFunc(slow)).Do(t.Context(), onceCall(new(server)), NotAfter(time.Now().Add(time.Second))))
		})
	})
}
