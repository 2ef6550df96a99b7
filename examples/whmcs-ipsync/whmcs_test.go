package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func whmcsAt(t *testing.T, h http.HandlerFunc) *whmcs {
	t.Helper()
	w, err := newWHMCS("https://billing.example.com", credentials, transport(h))
	require.NoError(t, err)
	return w
}

func TestCredentialsTravelInTheBodyOnly(t *testing.T) {
	t.Parallel()
	var seen *http.Request
	var body url.Values
	w := whmcsAt(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r
		b, _ := io.ReadAll(r.Body)
		body, _ = url.ParseQuery(string(b))
		_, _ = fmt.Fprint(w, `{"result":"success"}`)
	})
	require.NoError(t, w.UpdateClientProduct(t.Context(), 7, map[string]string{"dedicatedip": "192.0.2.1"}, []string{"assignedips", "notes"}))
	assert.Equal(t, "POST https://billing.example.com/includes/api.php", seen.Method+" "+seen.URL.String())
	noSecretIn(t, fmt.Sprint(seen.URL, seen.Header))
	assert.Equal(t, url.Values{
		"identifier": {plantedIdentifier}, "secret": {plantedSecret}, "accesskey": {plantedAccessKey}, "action": {"UpdateClientProduct"}, "responsetype": {"json"},
		"serviceid": {"7"}, "dedicatedip": {"192.0.2.1"}, "unset[]": {"assignedips", "notes"},
	}, body)
}

func TestNoErrorOfWHMCSHoldsASecret(t *testing.T) {
	t.Parallel()
	echo := fmt.Sprintf("%s and %s and %s are wrong\nsaid the server", plantedIdentifier, plantedSecret, plantedAccessKey)
	for name, h := range map[string]http.HandlerFunc{
		"a refusal that repeats them": func(w http.ResponseWriter, r *http.Request) { refuse(http.StatusOK, echo)(w, "") },
		"a long refusal": func(w http.ResponseWriter, r *http.Request) {
			refuse(http.StatusForbidden, strings.Repeat("x", 190)+echo)(w, "")
		},
		"a page that repeats them": func(w http.ResponseWriter, r *http.Request) { http.Error(w, echo, http.StatusTeapot) },
		"a redirect that repeats them": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.example/?"+url.QueryEscape(echo), http.StatusFound)
		},
		"products that are something else": func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, `{"result":"success","products":%q}`, echo)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := whmcsAt(t, h)
			_, err := w.GetClientsProducts(t.Context(), 7)
			require.Error(t, err)
			for _, printed := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), fmt.Sprintf("%+v %#v %v", w, w, *w)} {
				noSecretIn(t, printed)
				assert.NotContains(t, printed, "\n")
			}
		})
	}
}

func TestARefusalIsAnErrorWhateverItsStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  int
		message string
		blocked bool
	}{
		{200, "Service ID Not Found", false},
		{200, "Authentication Failed", true},
		{200, "Invalid or missing credentials", true},
		{200, `Invalid Permissions: API action "x" is not allowed`, true},
		{200, "Invalid IP 192.0.2.1", true},
		{200, "IP Banned", true},
		{403, "something new", true},
		{401, "", true},
		{400, "Invalid nextduedate", false},
	} {
		t.Run(fmt.Sprint(c.status, c.message), func(t *testing.T) {
			t.Parallel()
			w := whmcsAt(t, func(w http.ResponseWriter, _ *http.Request) { refuse(c.status, c.message)(w, "") })
			err := w.UpdateClientProduct(t.Context(), 7, nil, nil)
			var refused *whmcsError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, c.status, refused.Status)
			assert.Equal(t, c.blocked, refused.blocked())
			assert.ErrorContains(t, err, c.message[:min(len(c.message), 15)])
		})
	}
}

func TestOnlyWhatMayBeRepeatedIsRepeated(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]int{actionGetService: whmcsAttempts, actionSetService: whmcsAttempts, "AddOrder": 1, "ModuleCreate": 1} {
		for name, h := range map[string]http.HandlerFunc{
			"503":               func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
			"429":               func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
			"broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		} {
			t.Run(action+" after "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					calls := 0
					w := whmcsAt(t, func(w http.ResponseWriter, r *http.Request) {
						calls++
						b, err := io.ReadAll(r.Body)
						assert.NoError(t, err)
						assert.Contains(t, string(b), "action="+action, "every attempt carries the whole form")
						h(w, r)
					})
					err := w.Call(t.Context(), action, nil, nil)
					require.Error(t, err)
					assert.Equal(t, want, calls)
					assert.Equal(t, want == 1, errors.Is(err, provisioning.ErrMaybeApplied))
				})
			})
		}
	}
}

func TestWhatNoRepetitionCuresIsNotRepeated(t *testing.T) {
	t.Parallel()
	calls := 0
	count := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { calls++; h(w, r) }
	}
	for _, h := range []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.com/", http.StatusMovedPermanently)
		},
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.com/", http.StatusTemporaryRedirect)
		},
		func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>hello</html>") },
		func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"products":""}`) },
	} {
		calls = 0
		_, err := whmcsAt(t, count(h)).GetClientsProducts(t.Context(), 7)
		require.ErrorContains(t, err, "without an answer of WHMCS's API: is the address right, and is WHMCS in maintenance?")
		assert.Equal(t, 1, calls, "and no redirect is followed: the form would go along")
	}
}

// counting counts the attempts that reach a transport.
type counting struct {
	http.RoundTripper
	n int
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n++
	return c.RoundTripper.RoundTrip(r)
}

func TestACertificateThatNobodyVouchesForEndsACall(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	attempts := &counting{RoundTripper: &http.Transport{}}
	w, err := newWHMCS(server.URL, credentials, attempts)
	require.NoError(t, err)
	_, err = w.GetClientsProducts(t.Context(), 7)
	require.ErrorAs(t, err, new(x509.UnknownAuthorityError))
	assert.Equal(t, 1, attempts.n)
}

func TestALongRetryAfterIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := whmcsAt(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		_, err := w.GetClientsProducts(t.Context(), 7)
		require.Error(t, err)
		assert.Equal(t, 3*whmcsMaxPause, time.Since(began))
	})
}

func TestAnEndedContextEndsACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := whmcsAt(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }).GetClientsProducts(ctx, 7)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 100*time.Millisecond, time.Since(began))
	})
}

func TestProductsAreReadInEveryShapeThatPHPWrites(t *testing.T) {
	t.Parallel()
	const row = `"status":"Active","dedicatedip":"192.0.2.1","assignedips":"192.0.2.1\r\n192.0.2.2"`
	found := service{ID: "7", Status: "Active", DedicatedIP: "192.0.2.1", AssignedIPs: "192.0.2.1\r\n192.0.2.2"}
	for products, want := range map[string]error{
		`{"product":[{"id":"7",` + row + `}]}`:                             nil,
		`{"product":[{"id":7,` + row + `}]}`:                               nil,
		`{"product":[{"id":"6","dedicatedip":null},{"id":7,` + row + `}]}`: nil,
		`{"product":[{"id":"17",` + row + `}]}`:                            errNoService, // another one than asked for
		`{"product":[]}`:                                                   errNoService,
		`{}`:                                                               errNoService,
		`[]`:                                                               errNoService,
		`""`:                                                               errNoService,
		`null`:                                                             errNoService,
	} {
		t.Run(products, func(t *testing.T) {
			t.Parallel()
			s, err := whmcsAt(t, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `{"result":"success","totalresults":"1","products":%s}`, products)
			}).GetClientsProducts(t.Context(), 7)
			require.ErrorIs(t, err, want)
			if want == nil {
				assert.Equal(t, found, s)
			}
		})
	}
	var s service
	require.NoError(t, json.Unmarshal([]byte(`{"id":1,"dedicatedip":null,"assignedips":false}`), &s))
	assert.Equal(t, service{ID: "1"}, s)
	require.Error(t, json.Unmarshal([]byte(`{"id":1,"dedicatedip":["192.0.2.1"]}`), &s))
}

func TestAddressesOfWHMCS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, want, problem string }{
		{"https://billing.example.com", "https://billing.example.com/includes/api.php", ""},
		{"https://billing.example.com/", "https://billing.example.com/includes/api.php", ""},
		{" https://example.com/whmcs/\n", "https://example.com/whmcs/includes/api.php", ""},
		{"https://example.com/whmcs/includes/api.php", "https://example.com/whmcs/includes/api.php", ""},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/includes/api.php", ""},
		{"http://[::1]:8080", "http://[::1]:8080/includes/api.php", ""},
		{"http://localhost", "http://localhost/includes/api.php", ""},
		{"http://billing.example.com", "", "must be https"},
		{"billing.example.com", "", "must begin with https://"},
		{"", "", "must begin with https://"},
		{"https://user:pw@billing.example.com", "", "must not have a user"},
		{"https://billing.example.com/?x=1", "", "must not have a user, a query"},
	} {
		w, err := newWHMCS(c.address, credentials, nil)
		if c.problem != "" {
			require.ErrorContains(t, err, c.problem, c.address)
			assert.NotContains(t, err.Error(), "pw")
			continue
		}
		require.NoError(t, err, c.address)
		assert.Equal(t, c.want, w.url)
	}
	_, err := newWHMCS("https://billing.example.com", whmcsCredentials{Secret: plantedSecret}, nil)
	require.ErrorContains(t, err, "identifier")
	_, err = newWHMCS("https://billing.example.com", whmcsCredentials{Identifier: plantedIdentifier}, nil)
	require.ErrorContains(t, err, "secret")
}

func TestTheSimulatedWHMCSChecksWhoCalls(t *testing.T) {
	t.Parallel()
	fake := newFakeWHMCS(credentials)
	fake.add(7, "Active", "192.0.2.1", "")
	for name, c := range map[string]struct {
		credentials whmcsCredentials
		action      string
		want        string
	}{
		"a wrong identifier": {whmcsCredentials{Identifier: "x", Secret: plantedSecret, AccessKey: plantedAccessKey}, actionGetService, "Invalid or missing credentials"},
		"a wrong secret":     {whmcsCredentials{Identifier: plantedIdentifier, Secret: "x", AccessKey: plantedAccessKey}, actionGetService, "Authentication Failed"},
		"no access key":      {whmcsCredentials{Identifier: plantedIdentifier, Secret: plantedSecret}, actionGetService, "Authentication Failed"},
		"another action":     {credentials, "AddOrder", "is not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := newWHMCS("https://billing.example.com", c.credentials, transport(fake.ServeHTTP))
			require.NoError(t, err)
			require.ErrorContains(t, w.Call(t.Context(), c.action, nil, nil), c.want)
		})
	}
}
