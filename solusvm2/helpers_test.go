package solusvm2_test

import (
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

const (
	panelURL  = "https://solus.example.com:4444"
	testToken = provisioning.Secret("fixture-token-0123456789")
	uuid      = "8c1f6c1e-3b0a-4a51-9d0e-5f2a7c1b9e42"
	publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFixtureFixtureFixtureFixtureFixtureFixtur fixture"
)

// fixture reads an answer from testdata and requires that it says where it comes from.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	path := filepath.Join("..", "testdata", "solusvm2", name)
	body, err := os.ReadFile(path + ".json")
	require.NoError(t, err)
	source, err := os.ReadFile(path + ".source")
	require.NoError(t, err)
	kind, _, _ := strings.Cut(string(source), ":")
	require.Contains(t, []string{"vendor-shaped", "observed", "constructed"}, kind, "%s.source", name)
	return body
}

// answer is one scripted answer of the panel.
type answer struct {
	status int
	body   []byte
	header http.Header
	err    error // instead of an answer
}

// asked is a request as the panel sees it.
type asked struct {
	method, path, query, body string
	header                    http.Header
}

// script is a transport that gives scripted answers, the last one again and again, and keeps the requests.
type script struct {
	mu      sync.Mutex
	answers []answer
	asked   []asked
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	s.asked = append(s.asked, asked{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body), r.Header.Clone()})
	a := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	return a.response(r)
}

func (a answer) response(r *http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	resp := httpmock.NewBytesResponse(a.status, a.body)
	if a.header != nil {
		resp.Header = a.header
	} else if len(a.body) > 0 {
		resp.Header.Set("Content-Type", "application/json")
	}
	resp.Request = r
	return resp, nil
}

func (s *script) requests() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]asked(nil), s.asked...)
}

// newClient makes a client of a panel that gives these answers.
func newClient(t testing.TB, answers ...answer) (*solusvm2.Client, *script) {
	t.Helper()
	s := &script{answers: answers}
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(s.RoundTrip)
	return clientOf(t, transport), s
}

func clientOf(t testing.TB, transport http.RoundTripper, opts ...solusvm2.Option) *solusvm2.Client {
	t.Helper()
	c, err := solusvm2.New(panelURL, testToken, append(opts, solusvm2.WithHTTPClient(&http.Client{Transport: transport}))...)
	require.NoError(t, err)
	return c
}

// from is the answer of a fixture, whose name ends in its status: "getServer.200".
func from(t testing.TB, name string) answer {
	t.Helper()
	status := 0
	for _, digit := range name[strings.LastIndexByte(name, '.')+1:] {
		status = status*10 + int(digit-'0')
	}
	return answer{status: status, body: fixture(t, name)}
}

// json200 is an answer with this body.
func json200(body string) answer { return answer{status: 200, body: []byte(body)} }

// page is what the panel answers to an address it does not know.
func page(status int) answer {
	return answer{status: status, body: []byte("<!doctype html><html><body>SolusVM 2</body></html>"), header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}}}
}

func sameJSON(t testing.TB, want, got string) {
	t.Helper()
	if want == "" {
		require.Empty(t, got, "a body was sent")
		return
	}
	require.JSONEq(t, want, got)
}

func ptr[T any](v T) *T { return &v }

func all[T any](rows iter.Seq2[T, error]) ([]T, error) {
	var got []T
	for row, err := range rows {
		if err != nil {
			return got, err
		}
		got = append(got, row)
	}
	return got, nil
}
