package ospabpanel_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
)

const gib = provisioning.GiB

// inBubble runs a test with simulated time.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

func newSync(t *testing.T, panel *ospabpaneltest.Panel, opts ...ospabpanel.Option) *ospabpanel.Sync {
	t.Helper()
	s, err := ospabpanel.New(panel.URL(), panel.Key(), append([]ospabpanel.Option{ospabpanel.WithHTTPClient(panel.HTTPClient())}, opts...)...)
	require.NoError(t, err)
	return s
}

// panelWithUsers has the users 1 to n.
func panelWithUsers(t *testing.T, n int, opts ...ospabpaneltest.Option) *ospabpaneltest.Panel {
	t.Helper()
	panel := ospabpaneltest.New(t, opts...)
	for _, name := range []string{"alice", "bob", "carol", "dave", "erin"}[:n] {
		panel.AddUser(name)
	}
	return panel
}

// order is a valid request for the user with id 5.
func order() ospabpanel.CreateRequest {
	return ospabpanel.CreateRequest{UserID: 5, Name: "order-1042", CPUCores: 2, Memory: 8 * gib, Disk: 40 * gib, OS: "Debian 12"}
}

// created makes a record and returns its id.
func created(t *testing.T, s *ospabpanel.Sync) ospabpanel.VPSID {
	t.Helper()
	v, err := s.Create(t.Context(), order())
	require.NoError(t, err)
	return v.ID
}

// bodies returns the bodies of all requests that arrived.
func bodies(panel *ospabpaneltest.Panel) []string {
	var all []string
	for _, r := range panel.Requests() {
		all = append(all, string(r.Body))
	}
	return all
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answering is an http.Client that gives one answer to everything.
func answering(status int, contentType, body string) *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
			_ = r.Body.Close()
		}
		return response(r, status, contentType, body), nil
	})}
}

func response(r *http.Request, status int, contentType, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {contentType}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// syncOver is a Sync over a client of the test's own, without repetition.
func syncOver(t *testing.T, hc *http.Client) *ospabpanel.Sync {
	t.Helper()
	once := ospabpanel.WithRetry(ospabpanel.RetryPolicy{MaxAttempts: 1})
	s, err := ospabpanel.New("https://panel.example", ospabpaneltest.DefaultKey, ospabpanel.WithHTTPClient(hc), once)
	require.NoError(t, err)
	return s
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
