package rest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestTheBaseURLMayBeWrittenInManyWays(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://panel.example":                "https://panel.example",
		"https://panel.example/":               "https://panel.example",
		"https://panel.example//":              "https://panel.example",
		"https://panel.example/api/v1":         "https://panel.example",
		"https://panel.example/api/v1/":        "https://panel.example",
		"HTTPS://Panel.Example:443/api/v1":     "https://panel.example",
		"https://panel.example:8443":           "https://panel.example:8443",
		"https://panel.example:":               "https://panel.example",
		"https://panel.example/panel":          "https://panel.example/panel",
		"https://panel.example/panel/api/v1/":  "https://panel.example/panel",
		"https://panel.example/a%2Fb/api/v1":   "https://panel.example/a%2Fb",
		"https://[2001:db8::1]:8443/":          "https://[2001:db8::1]:8443",
		"http://127.0.0.1:5050":                "http://127.0.0.1:5050",
		"http://[::ffff:127.0.0.1]":            "http://[::ffff:127.0.0.1]",
		"http://[::1]:5050/":                   "http://[::1]:5050",
		"http://localhost:80/api/v1":           "http://localhost",
		"http://fake.localhost":                "http://fake.localhost",
		"https://panel.example/api/v1/api/v1/": "https://panel.example/api/v1",
	} {
		c, err := New(testPanel(), raw)
		require.NoError(t, err, raw)
		assert.Equal(t, want, c.BaseURL(), raw)
		again, err := New(testPanel(), c.BaseURL())
		require.NoError(t, err)
		if raw != "https://panel.example/api/v1/api/v1/" {
			assert.Equal(t, want, again.BaseURL())
		}
	}
}

func TestBadBaseURLsAreRefusedWithoutShowingThem(t *testing.T) {
	t.Parallel()
	for raw, reason := range map[string]string{
		"":                                      "empty",
		"panel.example":                         "https://",
		"panel.example:8443":                    "https://",
		"//panel.example":                       "https://",
		"/api/v1":                               "https://",
		"ftp://panel.example":                   "https://",
		"https:panel.example":                   "https://",
		"https://":                              "host",
		"https:///api/v1":                       "host",
		"https://:8443":                         "host",
		"https://bücher.example":                "xn--",
		"https://a*b.example":                   "xn--",
		"https://panel.example:0":               "port",
		"https://panel.example:70000":           "port",
		"https://user:hunter2@panel.example":    "user name",
		"https://hunter2@panel.example":         "user name",
		"https://user:hunter2@panel.example:x":  "https://", // not a URL at all: the parser's error would show the password
		"https://panel.example/?token=hunter2":  "query",
		"https://panel.example?":                "query",
		"https://panel.example/#hunter2":        "fragment",
		"https://panel.example/#":               "fragment",
		"https://panel.example/a b":             "spaces",
		"https://panel.example\n":               "spaces",
		"https://panel.example/a/../b":          "path",
		"https://panel.example/a//b":            "path",
		"https://panel.example/%2e%2e/b":        "path",
		"http://panel.example":                  "WithInsecureHTTP",
		"http://127.0.0.1.example":              "WithInsecureHTTP",
		"http://10.0.0.1":                       "WithInsecureHTTP",
		"http://192.0.2.1":                      "WithInsecureHTTP",
		"http://localhost.example/?key=hunter2": "query",
	} {
		_, err := New(testPanel(), raw)
		e := failed(t, err)
		require.Equal(t, provisioning.Invalid, e.Kind, raw)
		require.Len(t, e.Fields["baseURL"], 1, raw)
		assert.Contains(t, e.Fields["baseURL"][0], reason, raw)
		assert.NotContains(t, e.Error(), "hunter2", raw)
	}
}

func TestPlainHTTPCanBeAllowed(t *testing.T) {
	t.Parallel()
	c, err := New(testPanel(), "http://panel.example", WithInsecureHTTP())
	require.NoError(t, err)
	assert.Equal(t, "http://panel.example", c.BaseURL())
}

type (
	namedID   int64
	namedText string
	namedSize uint16
)

func TestPathElementsAreEscapedInOnePlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		elements []any
		want     string
	}{
		{nil, ""},
		{[]any{"servers", 7, "modify", "name"}, "/servers/7/modify/name"},
		{[]any{namedID(-7), namedText("x y"), namedSize(9), int8(1), uint64(18446744073709551615)}, "/-7/x%20y/9/1/18446744073709551615"},
		{[]any{"a/b", "a%2Fb", "?x=1#y", "ümlaut", "..."}, "/a%2Fb/a%252Fb/%3Fx=1%23y/%C3%BCmlaut/..."},
		{[]any{"%2e%2e", "a;b", "a:b@c"}, "/%252e%252e/a%3Bb/a:b@c"},
	} {
		s := &script{steps: []step{answer(404, ``)}}
		e := failed(t, newClient(t, s).Do(t.Context(), Call{Op: "x", Method: http.MethodGet, Path: c.elements, Query: url.Values{"q": {"1"}}}))
		assert.Equal(t, c.want, e.Path)
		assert.Equal(t, "/api/v1"+c.want+"?q=1", s.requests()[0].uri)
	}
}

func TestBadPathElementsAreRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	for _, bad := range []any{"", ".", "..", namedText(".."), "a\nb", "a\x00", "\x7f", "a\u0085", nil, 1.5, true, []string{"a"}, struct{}{}, (*int)(nil)} {
		s := &script{steps: []step{answer(200, `{}`)}}
		e := failed(t, newClient(t, s).Do(t.Context(), Call{Op: "x", Class: Once, Method: http.MethodPost, Path: []any{"servers", bad}}))
		assert.Equal(t, provisioning.Invalid, e.Kind, "%#v", bad)
		assert.Contains(t, e.Fields, "path")
		assert.Empty(t, s.requests())
		assert.False(t, e.MaybeApplied)
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	type options struct {
		Page int    `url:"page"`
		Name string `url:"name,omitempty"`
	}
	for _, c := range []struct {
		query any
		want  string
	}{
		{nil, ""},
		{url.Values{"b": {"2"}, "a": {"1 &"}}, "?a=1+%26&b=2"},
		{options{Page: 2}, "?page=2"},
		{&options{Page: 2, Name: "x/y"}, "?name=x%2Fy&page=2"},
		{(*options)(nil), ""},
	} {
		s := &script{steps: []step{answer(200, `{}`)}}
		require.NoError(t, newClient(t, s).Do(t.Context(), Call{Op: "x", Method: http.MethodGet, Path: []any{"servers"}, Query: c.query}))
		assert.Equal(t, "/api/v1/servers"+c.want, s.requests()[0].uri)
	}
	s := &script{steps: []step{answer(200, `{}`)}}
	e := failed(t, newClient(t, s).Do(t.Context(), Call{Op: "x", Method: http.MethodGet, Query: map[string]string{"hunter2": "hunter2"}}))
	assert.Contains(t, e.Fields, "query")
	assert.NotContains(t, e.Error(), "hunter2")
	assert.Empty(t, s.requests())
}

func FuzzBaseURL(f *testing.F) {
	for _, s := range []string{"https://panel.example/api/v1/", "http://[::1%25lo]:80/%2f", "https://u:p@h/?q#f", "https://h:/a/../b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		origin, api, err := parseBase(raw, "/api/v1", false)
		if err != nil {
			return
		}
		u, err := url.Parse(origin)
		require.NoError(t, err)
		require.True(t, u.Scheme == "https" || isLoopback(u.Hostname()), "%q", raw)
		require.NotEmpty(t, u.Hostname())
		require.Nil(t, u.User)
		require.False(t, strings.ContainsAny(origin, "?# "), "%q", origin)
		require.Equal(t, origin+"/api/v1", api.String())
	})
}

func FuzzPathElement(f *testing.F) {
	for _, s := range []string{"7", "a/b", "..", "%2e", "\xff", "a\u202eb", "?#;"} {
		f.Add(s)
	}
	_, api, err := parseBase("https://panel.example/x", "/api/v1", false)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, element string) {
		u, path, err := joinPath(api, []any{"servers", element, "boot"})
		if err != nil {
			return
		}
		require.Equal(t, "/x/api/v1"+path, u.EscapedPath())
		parsed, err := url.Parse(u.String())
		require.NoError(t, err)
		elements := strings.Split(parsed.EscapedPath(), "/")
		require.Len(t, elements, 7, "%q", element)
		got, err := url.PathUnescape(elements[5])
		require.NoError(t, err)
		require.Equal(t, element, got)
		require.Empty(t, parsed.RawQuery+parsed.Fragment)
	})
}
