package rest

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{answer(200, `{"id":7}`)}}
	c := newClient(t, s, WithUserAgent("billing/2"))
	require.NoError(t, c.Do(t.Context(), readCall(new(server))))
	require.NoError(t, c.Do(t.Context(), onceCall(new(server))))
	require.NoError(t, newClient(t, s).Do(t.Context(), Call{Op: "boot", Class: Set, Method: http.MethodPost, Path: []any{"servers", 7, "power", "boot"}}))
	read, create, boot := s.seen[0], s.seen[1], s.seen[2]
	assert.Equal(t, http.Header{"Accept": {"application/json"}, "User-Agent": {"billing/2"}, "Authorization": {"Bearer planted-token"}}, read.header)
	assert.Equal(t, []string{"application/json"}, create.header["Content-Type"])
	assert.Equal(t, `{"name":"a"}`, create.body)
	assert.Equal(t, int64(12), create.contentLength)
	assert.Equal(t, []string{"hvpanels/" + Version}, boot.header["User-Agent"])
	assert.NotContains(t, boot.header, "Content-Type")
	for _, r := range s.seen {
		assert.NotContains(t, r.header, "Idempotency-Key")
		assert.NotContains(t, r.header, "X-Idempotency-Key")
	}
}

func TestCredentialsAreAskedForAtEveryAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keys := []string{"old", "new"}
		p := testPanel()
		p.Authorize = func(_ context.Context, h http.Header) error {
			h.Set("X-API-Key", keys[0])
			keys = keys[1:]
			return nil
		}
		s := &script{steps: []step{answer(503, ``), answer(200, `{"id":7}`)}}
		require.NoError(t, newPanelClient(t, p, s).Do(t.Context(), readCall(new(server))))
		assert.Equal(t, "old", s.seen[0].header.Get("X-Api-Key"))
		assert.Equal(t, "new", s.seen[1].header.Get("X-Api-Key"))
	})
}

func TestCredentialsThatCannotBeHadEndTheCallUnsent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  string
		err  error
		kind provisioning.Kind
	}{
		"a plain error":       {err: errors.New("key store is locked"), kind: provisioning.Unauthorized},
		"an error of a panel": {err: &provisioning.Error{Kind: provisioning.Unavailable, Status: 502, MaybeApplied: true}, kind: provisioning.Unavailable},
		"a line break":        {set: "planted-token\n", kind: provisioning.Invalid},
		"not ASCII":           {set: "schlüssel", kind: provisioning.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := testPanel()
			p.Authorize = func(_ context.Context, h http.Header) error {
				h.Set("Authorization", c.set)
				return c.err
			}
			s := &script{steps: []step{answer(200, `{"id":7}`)}}
			e := failed(t, newPanelClient(t, p, s).Do(t.Context(), onceCall(new(server))))
			assert.Empty(t, s.requests())
			assert.Equal(t, c.kind, e.Kind)
			assert.Zero(t, e.Attempts)
			assert.False(t, errors.Is(e, provisioning.ErrMaybeApplied), "what was unclear was the login, not the call")
			assert.NotContains(t, e.Error(), "planted-token")
		})
	}
}

// loginPanel has a token that Login renews.
func loginPanel(logins *int, login func() error) Panel {
	p := testPanel()
	token := "stale"
	p.Authorize = func(_ context.Context, h http.Header) error { h.Set("Authorization", "Bearer "+token); return nil }
	p.Login = func(context.Context) error {
		*logins++
		token = "fresh"
		return login()
	}
	return p
}

func TestA401IsAnsweredWithOneLoginAndOneRepetition(t *testing.T) {
	t.Parallel()
	for class, name := range classNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				logins, start := 0, time.Now()
				s := &script{steps: []step{answer(401, ``), answer(200, `{"id":7}`)}}
				c := newPanelClient(t, loginPanel(&logins, func() error { return nil }), s, WithRetry(RetryPolicy{MaxAttempts: 1}))
				require.NoError(t, c.Do(t.Context(), callOf(class, new(server))))
				assert.Equal(t, 1, logins)
				assert.Equal(t, "Bearer stale", s.seen[0].header.Get("Authorization"))
				assert.Equal(t, "Bearer fresh", s.seen[1].header.Get("Authorization"))
				assert.Equal(t, s.seen[0].body, s.seen[1].body)
				assert.Zero(t, time.Since(start), "without a pause")
			})
		})
	}
}

func TestASecond401IsFinal(t *testing.T) {
	t.Parallel()
	logins := 0
	s := &script{steps: []step{answer(401, `{"msg":"token expired"}`)}}
	e := failed(t, newPanelClient(t, loginPanel(&logins, func() error { return nil }), s).Do(t.Context(), onceCall(new(server))))
	assert.Equal(t, 1, logins)
	assert.Len(t, s.requests(), 2)
	assert.Equal(t, provisioning.Unauthorized, e.Kind)
	assert.Equal(t, "token expired", e.Message)
	assert.False(t, e.MaybeApplied)
}

func TestTheLoginDoesNotUseUpAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		logins := 0
		s := &script{steps: []step{answer(503, ``), answer(401, ``), answer(503, ``)}}
		e := failed(t, newPanelClient(t, loginPanel(&logins, func() error { return nil }), s).Do(t.Context(), readCall(new(server))))
		assert.Equal(t, 5, e.Attempts)
	})
}

func TestAFailedLoginIsTheErrorOfTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		logins := 0
		refuse := func() error {
			return &provisioning.Error{Op: "login", Kind: provisioning.Unauthorized, Status: 401, Message: "wrong password", MaybeApplied: true}
		}
		s := &script{steps: []step{answer(401, ``)}}
		e := failed(t, newPanelClient(t, loginPanel(&logins, refuse), s).Do(t.Context(), onceCall(new(server))))
		assert.Equal(t, provisioning.Unauthorized, e.Kind)
		assert.Equal(t, "createServer", e.Op)
		assert.Contains(t, e.Message, "wrong password")
		assert.Len(t, s.requests(), 1)
		assert.False(t, errors.Is(e, provisioning.ErrMaybeApplied))

		s = &script{steps: []step{answer(504, ``), answer(401, ``)}}
		e = failed(t, newPanelClient(t, loginPanel(&logins, refuse), s).Do(t.Context(), setCall(new(server))))
		assert.True(t, e.MaybeApplied, "the 504 before it leaves its doubt")
	})
}

func TestALoginThatIsCancelledIsACancelledCall(t *testing.T) {
	t.Parallel()
	logins := 0
	ctx, cancel := context.WithCancel(t.Context())
	s := &script{steps: []step{answer(401, ``)}}
	e := failed(t, newPanelClient(t, loginPanel(&logins, func() error { cancel(); return errors.New("lost") }), s).Do(ctx, readCall(new(server))))
	require.ErrorIs(t, e, context.Canceled)
}

func TestCookiesOfTheCallersJarAreSentOnceAnAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		jar.SetCookies(&url.URL{Scheme: "https", Host: "panel.example"}, []*http.Cookie{{Name: "session", Value: "1"}})
		s := &script{steps: []step{answer(503, ``)}}
		c, err := New(testPanel(), testAddress, WithHTTPClient(&http.Client{Transport: s, Jar: jar}))
		require.NoError(t, err)
		_ = failed(t, c.Do(t.Context(), readCall(new(server))))
		require.Len(t, s.requests(), 4)
		for _, r := range s.requests() {
			assert.Equal(t, []string{"session=1"}, r.header["Cookie"])
		}
	})
}
