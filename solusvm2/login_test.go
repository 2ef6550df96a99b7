package solusvm2_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

const loginPassword = provisioning.Secret("fixture-login-password")

// loginPanel hands out tokens, each of which replaces the one before, and answers GET /account to whoever has the present one.
type loginPanel struct {
	mu       sync.Mutex
	logins   int
	accounts int
	body     string // of the last login
	valid    string // the present token
	expires  string // what is told about its end, as JSON
	takes    time.Duration
	refuse   *answer // to logins
}

func (p *loginPanel) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/api/v1/auth/login" {
		select {
		case <-time.After(p.takes):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.URL.Path != "/api/v1/auth/login" {
		p.accounts++
		if p.valid == "" || r.Header.Get("Authorization") != "Bearer "+p.valid {
			return answer{status: 401, body: []byte(`{"message":"Unauthenticated."}`)}.response(r)
		}
		return json200(`{"data":{"id":1,"email":"admin@example.com"}}`).response(r)
	}
	p.logins++
	body, _ := io.ReadAll(r.Body)
	p.body = string(body)
	if p.refuse != nil {
		return p.refuse.response(r)
	}
	p.valid = fmt.Sprintf("fixture-login-token-%d", p.logins)
	expires := "null"
	if p.expires != "" {
		expires = p.expires
	}
	return json200(`{"data":{"credentials":{"access_token":"` + p.valid + `","token_type":"Bearer","expires_at":` + expires + `}}}`).response(r)
}

func (p *loginPanel) revoke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.valid = ""
}

func (p *loginPanel) client(t *testing.T, opts ...solusvm2.Option) *solusvm2.Client {
	t.Helper()
	c, err := solusvm2.NewWithLogin(panelURL, "admin@example.com", loginPassword, append(opts, solusvm2.WithHTTPClient(&http.Client{Transport: p}))...)
	require.NoError(t, err)
	return c
}

func TestTheFirstCallLogsInAndLaterCallsDoNot(t *testing.T) {
	t.Parallel()
	p := &loginPanel{}
	c := p.client(t)
	assert.Zero(t, p.logins, "making a client calls nobody")
	for range 3 {
		u, err := c.Account.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "admin@example.com", u.Email)
	}
	assert.Equal(t, 1, p.logins)
	assert.JSONEq(t, `{"email":"admin@example.com","password":"fixture-login-password"}`, p.body)
}

func TestTheFixtureOfALoginIsRead(t *testing.T) {
	t.Parallel()
	s := &script{answers: []answer{from(t, "login.200"), from(t, "getAccount.200")}}
	c, err := solusvm2.NewWithLogin(panelURL, "admin@example.com", loginPassword, solusvm2.WithHTTPClient(&http.Client{Transport: s}))
	require.NoError(t, err)
	_, err = c.Account.Get(t.Context())
	require.NoError(t, err)
	asked := s.requests()
	require.Len(t, asked, 2)
	assert.Equal(t, "POST /api/v1/auth/login", asked[0].method+" "+asked[0].path)
	assert.Empty(t, asked[0].header.Get("Authorization"))
	assert.Equal(t, "Bearer fixture-login-token-1", asked[1].header.Get("Authorization"))
}

func TestALoginIsRepeatedAfterAnUnclearAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		panel := &script{answers: []answer{badGateway}}
		c, err := solusvm2.NewWithLogin(panelURL, "admin@example.com", loginPassword, solusvm2.WithHTTPClient(&http.Client{Transport: panel}))
		require.NoError(t, err)
		_, err = c.Account.Get(t.Context())
		require.ErrorIs(t, err, provisioning.Unavailable)
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied, "the call itself was not sent")
		asked := panel.requests()
		require.Len(t, asked, 4)
		for _, a := range asked {
			assert.Equal(t, "POST /api/v1/auth/login", a.method+" "+a.path)
		}
	})
}

func TestConcurrentCallsShareOneLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &loginPanel{takes: time.Second}
		c := p.client(t)
		together := func() {
			var calls sync.WaitGroup
			for range 50 {
				calls.Go(func() {
					_, err := c.Account.Get(t.Context())
					assert.NoError(t, err)
				})
			}
			calls.Wait()
		}
		together()
		assert.Equal(t, 1, p.logins)
		p.revoke()
		together()
		assert.Equal(t, 2, p.logins, "fifty 401 and one login")
		assert.Equal(t, 50+50+50, p.accounts, "each call was repeated once")
	})
}

func TestATokenIsRenewedBeforeItsKnownEnd(t *testing.T) {
	t.Parallel()
	// A synctest bubble begins on 2000-01-01 at midnight UTC.
	for name, c := range map[string]struct {
		expires string
		logins  int // after two hours of calls every ten minutes
	}{
		"with a time":                            {`"2000-01-01T01:00:00.000000Z"`, 2},
		"with a time that has no zone":           {`"2000-01-01 01:00:00"`, 2},
		"unless the panel does not tell it":      {`null`, 1},
		"unless it has passed already":           {`"1999-12-31T23:00:00Z"`, 1},
		"unless it is nearly over when it comes": {`"2000-01-01T00:01:30Z"`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &loginPanel{expires: c.expires}
				client := p.client(t)
				for range 12 {
					_, err := client.Account.Get(t.Context())
					require.NoError(t, err)
					time.Sleep(10 * time.Minute)
				}
				assert.Equal(t, c.logins, p.logins)
				assert.Equal(t, 12, p.accounts, "no call met a 401")
			})
		})
	}
}

func TestARefusedLoginIsUnauthorizedAndNotAskedAgainByThoseWhoWaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := from(t, "login.422")
		p := &loginPanel{takes: time.Second, refuse: &refused}
		c := p.client(t)
		var calls sync.WaitGroup
		for range 20 {
			calls.Go(func() {
				_, err := c.Servers.Restart(t.Context(), 42, solusvm2.PowerOptions{})
				assert.ErrorIs(t, err, provisioning.Unauthorized)
				assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied, "nothing was sent")
				assert.ErrorContains(t, err, "credentials do not match")
			})
		}
		calls.Wait()
		assert.Equal(t, 1, p.logins, "more would lock the account")
		assert.Zero(t, p.accounts)
		_, err := c.Account.Get(t.Context())
		require.ErrorIs(t, err, provisioning.Unauthorized)
		assert.Equal(t, 2, p.logins, "a later call tries again")
	})
}

func TestALoginEndsWithItsCallerAndTheNextOneTakesOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &loginPanel{takes: 10 * time.Second}
		c := p.client(t)
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var calls sync.WaitGroup
		calls.Go(func() {
			_, err := c.Account.Get(hasty)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
		})
		synctest.Wait()
		calls.Go(func() {
			_, err := c.Account.Get(t.Context())
			assert.NoError(t, err)
		})
		start := time.Now()
		calls.Wait()
		assert.Equal(t, 11*time.Second, time.Since(start))
	})
}

func TestAnAccountThatIsRefusedAfterTheLoginIsNotLoggedInForEver(t *testing.T) {
	t.Parallel()
	s := &script{answers: []answer{from(t, "login.200"), from(t, "getAccount.401"), from(t, "login.200"), from(t, "getAccount.401")}}
	c, err := solusvm2.NewWithLogin(panelURL, "admin@example.com", loginPassword, solusvm2.WithHTTPClient(&http.Client{Transport: s}))
	require.NoError(t, err)
	_, err = c.Account.Get(t.Context())
	require.ErrorIs(t, err, provisioning.Unauthorized)
	assert.Len(t, s.requests(), 4)
}

func TestALoginWithoutAUsableTokenIsAnError(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]answer{
		"no credentials":             json200(`{"data":{}}`),
		"an empty token":             json200(`{"data":{"credentials":{"access_token":""}}}`),
		"a token with a line break":  json200(`{"data":{"credentials":{"access_token":"a\nb"}}}`),
		"the page of another server": page(200),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &loginPanel{refuse: &a}
			_, err := p.client(t).Account.Get(t.Context())
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			assert.Contains(t, []provisioning.Kind{provisioning.Unexpected, provisioning.NoRoute}, e.Kind)
			assert.Zero(t, p.accounts)
		})
	}
}

func TestALoginShowsNoSecret(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p := &loginPanel{}
	c := p.client(t, solusvm2.WithLogger(logger))
	_, err := c.Account.Get(t.Context())
	require.NoError(t, err)
	echo := from(t, "login.422")
	p.refuse = &echo
	p.revoke()
	_, err = c.Account.Get(t.Context())
	require.Error(t, err)
	out := printed(c, *c, c.Servers, *c.Servers, err) + log.String()
	assert.Contains(t, log.String(), "op=login")
	assertAbsent(t, out, []string{loginPassword.Reveal(), "fixture-login-token-1"})
}

// printed is everything that a program might print by mistake.
func printed(vs ...any) string {
	var b strings.Builder
	for _, v := range vs {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			fmt.Fprintf(&b, verb+"\n", v)
		}
		if err, ok := v.(error); ok {
			for ; err != nil; err = errors.Unwrap(err) {
				fmt.Fprintf(&b, "%v %+v %#v\n", err, err, err)
			}
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("printed", "v", v)
		b.Write(logged.Bytes())
	}
	return b.String()
}

func TestNewChecksItsInputAndCallsNobody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url   string
		token provisioning.Secret
		field string
	}{
		"no address":            {"", testToken, "baseURL"},
		"plain http":            {"http://solus.example.com", testToken, "baseURL"},
		"no scheme":             {"solus.example.com", testToken, "baseURL"},
		"a query":               {panelURL + "?x=1", testToken, "baseURL"},
		"a password in the URL": {"https://u:fixture-url-password@solus.example.com", testToken, "baseURL"},
		"no token":              {panelURL, "", "token"},
		"a copied line break":   {panelURL, testToken + "\n", "token"},
		"quotes":                {panelURL, `"` + testToken + `"`, "token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := solusvm2.New(c.url, c.token)
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, provisioning.Invalid, e.Kind)
			assert.Contains(t, e.Fields, c.field)
			assert.NotContains(t, err.Error(), "fixture-")
		})
	}
	for name, c := range map[string]struct {
		email    string
		password provisioning.Secret
		field    string
	}{"no address": {"", loginPassword, "email"}, "a user name": {"admin", loginPassword, "email"}, "no password": {"admin@example.com", "", "password"}} {
		t.Run("login with "+name, func(t *testing.T) {
			t.Parallel()
			_, err := solusvm2.NewWithLogin(panelURL, c.email, c.password)
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			assert.Contains(t, e.Fields, c.field)
		})
	}
}

// assertAbsent shows where a secret was found, without the megabytes around it.
func assertAbsent(t *testing.T, out string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if i := strings.Index(out, secret); i >= 0 {
			t.Errorf("%s was printed: ...%s", secret, out[max(0, i-300):i+len(secret)])
		}
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	secrets := []string{testToken.Reveal(), "fixture-vnc-password", "fixture-old-vnc-password", "fixture-vnc-token", "fixture-new-password",
		"fixture-root-password", "fixture-billing-token",
		"fixture-one-time-token", "fixture-private-key", "fixture-storage-password", "fixture-backup-key", "fixture-mail-password"}
	var log bytes.Buffer
	logger := solusvm2.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	scripted := func(a answer) *solusvm2.Client { return clientOf(t, &script{answers: []answer{a}}, logger) }
	client := scripted(answer{status: 500})
	var out strings.Builder
	out.WriteString(printed(client, *client, client.Servers, *client.Servers, fullOrder(), ptr(fullOrder()),
		solusvm2.ReinstallServerRequest{Password: "fixture-new-password"}, solusvm2.CreateUserRequest{Password: "fixture-new-password",
			BillingToken: "fixture-billing-token"},
		solusvm2.UpdateUserRequest{Password: "fixture-new-password"}, solusvm2.CreateComputeResourceRequest{Key: "fixture-private-key", Password: "fixture-new-password"}))
	for _, op := range operations() {
		got, err := op.call(t.Context(), scripted(from(t, op.fixture)))
		require.NoError(t, err)
		if _, raw := got.(json.RawMessage); !raw {
			out.WriteString(printed(got))
		}
		// An answer that cannot be decoded and holds all the secrets, and a refusal that repeats the credentials.
		_, err = op.call(t.Context(), scripted(json200(`{"data":"`+strings.Join(secrets, " ")+`"}`)))
		if err != nil {
			out.WriteString(printed(err))
		}
		_, err = op.call(t.Context(), scripted(answer{status: 403, body: []byte(`{"message":"bad header Bearer ` + testToken.Reveal() + `"}`)}))
		require.ErrorIs(t, err, provisioning.Forbidden)
		out.WriteString(printed(err))
	}
	old, err := scripted(from(t, "getServer-legacy.200")).Servers.Get(t.Context(), 44)
	require.NoError(t, err)
	out.WriteString(printed(old, *old))
	assertAbsent(t, out.String()+log.String(), secrets)
	assert.Contains(t, log.String(), "createServer")

	raw, err := json.Marshal(solusvm2.SecretJSON{Secret: `{"password":"x"}`})
	require.NoError(t, err)
	assert.JSONEq(t, `{"password":"x"}`, string(raw))
}
