package virtfusion_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

func TestNewChecksItsInputAndCallsNobody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url   string
		token provisioning.Secret
		field string
	}{
		"an empty token":                {panelURL, "", "token"},
		"a token with a line break":     {panelURL, "abc\n", "token"},
		"a token with a blank before":   {panelURL, " abc", "token"},
		"a token in quotes":             {panelURL, `"abc"`, "token"},
		"a token in single quotes":      {panelURL, `'abc'`, "token"},
		"a token with a letter outside": {panelURL, "abcö", "token"},
		"no address":                    {"", testToken, "baseURL"},
		"an address without a scheme":   {"cp.example.com", testToken, "baseURL"},
		"plain http":                    {"http://cp.example.com", testToken, "baseURL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := virtfusion.New(c.url, c.token)
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			require.ErrorIs(t, err, provisioning.Invalid)
			assert.Contains(t, e.Fields, c.field)
			if c.token != "" {
				assert.NotContains(t, err.Error(), strings.TrimSpace(c.token.Reveal()))
			}
		})
	}
	for _, url := range []string{"https://cp.example.com", "https://cp.example.com/", "https://cp.example.com/api/v1", "https://CP.example.com:443/api/v1/"} {
		c, err := virtfusion.New(url, testToken, nil)
		require.NoError(t, err)
		assert.Equal(t, panelURL, c.BaseURL())
	}
	_, err := virtfusion.New("http://cp.example.com", testToken, virtfusion.WithInsecureHTTP())
	require.NoError(t, err)
}

func TestDoReachesOperationsThatAreNotHere(t *testing.T) {
	t.Parallel()
	c, panel := newClient(t, answer{status: 200, body: []byte(`{"data":{"enabled":true}}`)})
	var out struct {
		Data struct {
			Enabled bool `json:"enabled"`
		} `json:"data"`
	}
	require.NoError(t, c.Do(t.Context(), http.MethodGet, "/servers/417/firewall/a%2Fb?x=1&y=a%20b", nil, &out))
	assert.True(t, out.Data.Enabled)
	asked := panel.requests()[0]
	assert.Equal(t, "/api/v1/servers/417/firewall/a%2Fb", asked.path)
	assert.Equal(t, "x=1&y=a+b", asked.query)
	assert.Empty(t, asked.body)

	c, panel = newClient(t, answer{status: 200})
	require.NoError(t, c.Do(t.Context(), http.MethodPost, "servers/417/firewall/primary/enable", map[string]bool{"sync": true}, nil))
	sameJSON(t, `{"sync":true}`, panel.requests()[0].body)

	for name, bad := range map[string][2]string{
		"an empty element": {"GET", "/servers//7"}, "a parent": {"GET", "/servers/../users"},
		"an escaped parent": {"GET", "/servers/%2e%2e/users"}, "no path": {"GET", ""},
		"a slash at the end": {"GET", "/servers/"}, "a fragment": {"GET", "/servers#x"}, "an address": {"GET", "https://elsewhere.example.com/servers"},
		"a bad escape": {"GET", "/servers/%zz"}, "a bad query": {"GET", "/servers?%zz"}, "another method": {"TRACE", "/servers"},
	} {
		c, panel := newClient(t, answer{status: 200})
		require.ErrorIs(t, c.Do(t.Context(), bad[0], bad[1], nil, nil), provisioning.Invalid, name)
		assert.Empty(t, panel.requests())
	}
}

func TestDoSendsAWriteOnceUnlessItIsDeclaredRepeatable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, panel := newClient(t, answer{status: 502})
		require.ErrorIs(t, c.Do(t.Context(), http.MethodPut, "/servers/417/modify/memory", map[string]int{"memory": 512}, nil), provisioning.ErrMaybeApplied)
		assert.Len(t, panel.requests(), 1)
		c, panel = newClient(t, answer{status: 502}, answer{status: 201})
		require.NoError(t, c.Do(t.Context(), http.MethodPut, "/servers/417/modify/memory", map[string]int{"memory": 512}, nil, virtfusion.Repeatable()))
		assert.Len(t, panel.requests(), 2)
		c, panel = newClient(t, answer{status: 502})
		err := c.Do(t.Context(), http.MethodGet, "/servers", nil, nil)
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.ErrorContains(t, err, "virtfusion: do")
		assert.Len(t, panel.requests(), 4)
	})
}

func TestCallOptionsReachTheCall(t *testing.T) {
	t.Parallel()
	c, panel := newClient(t, from(t, "getServer.404"))
	var info virtfusion.ResponseInfo
	_, err := c.Servers.Get(t.Context(), 417, virtfusion.GetServerOptions{}, virtfusion.CaptureResponse(&info))
	require.ErrorIs(t, err, provisioning.NotFound)
	assert.Equal(t, 404, info.Status)
	assert.JSONEq(t, `{"msg":"server not found"}`, string(info.Body))
	assert.Equal(t, 1, info.Attempts)

	_, err = c.Servers.Create(t.Context(), virtfusion.CreateServerRequest{PackageID: 3, UserID: 23, HypervisorGroupID: 2},
		virtfusion.NotAfter(time.Now().Add(-time.Second)))
	require.Error(t, err)
	require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
	assert.Len(t, panel.requests(), 1, "nothing is sent after the time until which it may be sent")
}

func TestAllOptionsOfTheCoreAreHere(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	panel := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "shop/1", r.UserAgent())
		_, _ = w.Write([]byte(`[]`))
	}))
	defer panel.Close()
	c, err := virtfusion.New(panel.URL, testToken, virtfusion.WithUserAgent("shop/1"), virtfusion.WithRetry(virtfusion.RetryPolicy{MaxAttempts: 1}),
		virtfusion.WithRateLimit(100, 1), virtfusion.WithAttemptTimeout(time.Minute), virtfusion.WithMaxBodyBytes(1000),
		virtfusion.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	require.NoError(t, err)
	require.NoError(t, c.General.TestConnection(t.Context(), virtfusion.AttemptTimeout(time.Minute)))
	assert.Contains(t, log.String(), "op=testConnection")
	assert.NotContains(t, log.String(), testToken.Reveal())
	_, err = virtfusion.New(panel.URL, testToken, virtfusion.WithRootCAs([]byte("no certificate")))
	require.ErrorIs(t, err, provisioning.Invalid)
}

func TestAClientIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	c, panel := newClient(t, from(t, "getServer.200"))
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			s, err := c.Servers.Get(t.Context(), 417, virtfusion.GetServerOptions{})
			assert.NoError(t, err)
			assert.Equal(t, "web-17", s.Name)
		})
	}
	all.Wait()
	assert.Len(t, panel.requests(), 100)
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
	}
	return b.String()
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	secrets := []string{testToken.Reveal(), "fixture-root-password", "fixture-encrypted-password", "fixture-new-password",
		"fixture-vnc-password", "fixture-vnc-token",
		"fixture-panel-password", "fixture-encrypted-token", "fixture-rescue-password", "fixture-login-user-one", "fixture-login-user-two", "fixture-login-server-one"}
	var log bytes.Buffer
	logger := virtfusion.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	scripted := func(a answer) *virtfusion.Client {
		s := &script{answers: []answer{a}}
		c, err := virtfusion.New(panelURL, testToken, logger, virtfusion.WithHTTPClient(&http.Client{Transport: roundTripper(s.respond)}))
		require.NoError(t, err)
		return c
	}
	option := virtfusion.WithHTTPClient(nil)
	out := printed(scripted(from(t, "getServer.200")), *scripted(from(t, "getServer.200")), option)
	for _, group := range operationTables() {
		for _, op := range group {
			got, err := op.call(t.Context(), scripted(from(t, op.fixture)))
			require.NoError(t, err)
			out += printed(got)
			logger := slog.New(slog.NewTextHandler(&log, nil))
			logger.Info("answer", "got", got)
			// An answer that cannot be decoded, whose body holds all the secrets, and a refusal that repeats the credentials.
			_, err = op.call(t.Context(), scripted(answer{status: 200, body: []byte(`{"data":"` + strings.Join(secrets, " ") + `"}`)}))
			out += printed(err)
			_, err = op.call(t.Context(), scripted(answer{status: 422, body: []byte(`{"errors":["bad header Bearer ` + testToken.Reveal() + `"]}`)}))
			require.Error(t, err)
			out += printed(err)
			logger.Error("refused", "err", err)
		}
	}
	vnc := virtfusion.VNC{}
	vnc.WSS.URL = "//elsewhere.example.com/?token=fixture-vnc-token"
	_, err := vnc.WebSocketURL(panelURL)
	require.ErrorIs(t, err, provisioning.Unexpected, "the token is not sent to another host")
	out += printed(err, vnc)
	for _, secret := range secrets {
		assert.NotContains(t, out, secret)
		assert.NotContains(t, log.String(), secret)
	}

	raw, err := json.Marshal(virtfusion.ServerPasswordReset{ExpectedPassword: "fixture-new-password"})
	require.NoError(t, err)
	assert.Contains(t, string(raw), "fixture-new-password", "as JSON a secret is what travels on the wire")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTheSocketAddressStaysOnTheControlServer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ base, path, want string }{
		"https":                    {"https://cp.example.com", "/vnc/?token=a", "wss://cp.example.com/vnc/?token=a"},
		"http on loopback":         {"http://127.0.0.1:8080", "/vnc/?token=a", "ws://127.0.0.1:8080/vnc/?token=a"},
		"another host":             {"https://cp.example.com", "https://elsewhere.example.com/vnc", ""},
		"another authority, short": {"https://cp.example.com", "//elsewhere.example.com/vnc", ""},
		"a backslash":              {"https://cp.example.com", `/\elsewhere.example.com`, ""},
		"no address":               {"https://cp.example.com", "", ""},
		"no base":                  {"", "/vnc/?token=a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := virtfusion.VNC{}
			v.WSS.URL = provisioning.Secret(c.path)
			got, err := v.WebSocketURL(c.base)
			assert.Equal(t, c.want, got.Reveal())
			assert.Equal(t, c.want == "", err != nil)
		})
	}
}
