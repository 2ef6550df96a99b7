package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestAnErrorSaysWhatHappened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := testPanel()
		p.Refusal = func(_ int, _ http.Header, body []byte) Refused {
			return Refused{Kind: provisioning.Locked, Message: string(body), Fields: map[string][]string{"name": {"is taken"}}}
		}
		s := &script{steps: []step{answer(423, "Two tasks\nare pending", "X-Request-Id: r-1", "Retry-After: 7")}}
		e := failed(t, newPanelClient(t, p, s).Do(t.Context(), Call{
			Op: "renameServer", Class: Set, Method: http.MethodPut, Path: []any{"servers", 7, "name"}, Query: url.Values{"q": {"1"}}, In: struct{}{},
		}))
		assert.Equal(t, &provisioning.Error{
			Panel: "testpanel", Op: "renameServer", Method: "PUT", Path: "/servers/7/name", Status: 423, Attempts: 1, Kind: provisioning.Locked, Message: "Two tasks are pending",
			Fields: map[string][]string{"name": {"is taken"}}, RequestID: "r-1", RetryAfter: 7 * time.Second,
		}, e)
		assert.Equal(t, "testpanel: renameServer: locked (HTTP 423): Two tasks are pending; name: is taken, retry after 7s", e.Error())
	})
}

func TestAMissingRouteNamesTheVersionThatHasIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		since   string
		status  int
		kind    provisioning.Kind // as the panel's words say
		message string
	}{
		"no route":                           {"7.1", 404, provisioning.NoRoute, "the panel's words; this operation needs panel 7.1 or later"},
		"a route without the method":         {"7.1", 405, "", "the panel's words; this operation needs panel 7.1 or later"},
		"a missing record":                   {"7.1", 404, provisioning.NotFound, "the panel's words"},
		"a refusal":                          {"7.1", 403, "", "the panel's words"},
		"an operation that was always there": {"", 404, provisioning.NoRoute, "the panel's words"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := testPanel()
			p.Refusal = func(int, http.Header, []byte) Refused { return Refused{Kind: c.kind, Message: "the panel's words"} }
			s := &script{steps: []step{answer(c.status, "{}")}}
			call := onceCall(new(server))
			call.Since = c.since
			assert.Equal(t, c.message, failed(t, newPanelClient(t, p, s).Do(t.Context(), call)).Message)
		})
	}
}

func TestTheErrorBelowCanBeFound(t *testing.T) {
	t.Parallel()
	below := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	s := &script{steps: []step{fail(fmt.Errorf("proxy: %w", below))}}
	e := failed(t, newClient(t, s).Do(t.Context(), onceCall(new(server))))
	var op *net.OpError
	require.ErrorAs(t, e, &op)
	assert.Equal(t, below, op)
	require.ErrorIs(t, e, syscall.ECONNRESET)
	assert.Contains(t, e.Error(), "proxy: read tcp: connection reset by peer")
}

func TestTheAddressIsNotPartOfTheErrorBelow(t *testing.T) {
	t.Parallel()
	below := &url.Error{Op: "Get", URL: "https://panel.example/?token=planted", Err: &url.Error{Op: "Get", URL: "https://proxy.example/?planted", Err: syscall.ECONNRESET}}
	e := failed(t, newClient(t, &script{steps: []step{fail(below)}}).Do(t.Context(), onceCall(new(server))))
	require.ErrorIs(t, e, syscall.ECONNRESET)
	assert.Equal(t, "testpanel: createServer: unavailable: connection reset by peer; it may have been applied", e.Error())
	var withURL *url.Error
	assert.False(t, errors.As(e, &withURL))
}

func TestPagesNeverReachTheErrorText(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		page := "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>" + strings.Repeat("<p>nginx</p>", 1000) + "</body></html>"
		for name, refusal := range map[string]func(int, http.Header, []byte) Refused{
			"without words":    nil,
			"words from pages": func(_ int, _ http.Header, body []byte) Refused { return Refused{Message: string(body)} },
		} {
			p := testPanel()
			p.Refusal = refusal
			for _, status := range []int{200, 301, 404, 500, 502, 520} {
				s := &script{steps: []step{answer(status, page, "Content-Type: text/html")}}
				e := failed(t, newPanelClient(t, p, s).Do(t.Context(), onceCall(new(server))))
				assert.Less(t, len(e.Error()), 300, "%s %d", name, status)
				assert.NotContains(t, e.Error(), "<")
				assert.Equal(t, status, e.Status)
			}
		}
		s := &script{steps: []step{answer(502, page)}}
		assert.Equal(t, "Bad Gateway (an HTML page, not the panel's answer)", failed(t, newClient(t, s).Do(t.Context(), onceCall(new(server)))).Message)
		s = &script{steps: []step{answer(404, "404 page not found")}}
		assert.Equal(t, "Not Found (text, not JSON)", failed(t, newClient(t, s).Do(t.Context(), onceCall(new(server)))).Message)
		s = &script{steps: []step{answer(520, "")}}
		assert.Equal(t, "status 520", failed(t, newClient(t, s).Do(t.Context(), onceCall(new(server)))).Message)
	})
}

func TestARedirectNamesOnlyTheOtherHost(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"":                                     "redirects are refused",
		"/login?next=planted":                  "a redirect within the same host was refused",
		"https://u:planted@other.example:8/?q": `a redirect to host "other.example:8" was refused`,
		"https://other.example/%zz?planted":    "redirects are refused",
		"//other.example/planted":              `a redirect to host "other.example" was refused`,
	} {
		for _, status := range []int{302, 307, 308} {
			s := &script{steps: []step{answer(status, "", "Location: "+location)}}
			e := failed(t, newClient(t, s).Do(t.Context(), onceCall(new(server))))
			assert.Equal(t, want, e.Message)
			assert.Equal(t, provisioning.NoRoute, e.Kind)
			assert.Equal(t, status, e.Status)
			assert.Len(t, s.requests(), 1)
			assert.NotContains(t, e.Error(), "planted")
		}
	}
}

func TestMessagesFromOutsideAreTidied(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 5000)
	for in, want := range map[string]string{
		"plain":                      "plain",
		" two\r\n\tlines\x00 ":       "two lines",
		"a <b>bold</b> word":         "a bold word",
		"a < b":                      "a",
		"bad \xff byte":              "bad byte",
		"line\u2028separator":        "line separator",
		long:                         strings.Repeat("ä", 98) + "...",
		strings.Repeat("<p>", 10000): "",
		"":                           "",
		"Сервер не найден: проверьте номер": "Сервер не найден: проверьте номер",
	} {
		got := shorten(in, maxMessage)
		assert.Equal(t, want, got)
		assert.LessOrEqual(t, len(got), maxMessage)
		assert.True(t, utf8.ValidString(got))
	}
}

func TestFieldsAreLimited(t *testing.T) {
	t.Parallel()
	p := testPanel()
	p.Refusal = func(int, http.Header, []byte) Refused {
		fields := map[string][]string{}
		for i := range 100 {
			fields[fmt.Sprintf("field%d", i)] = []string{strings.Repeat("x", 1000), "b", "c", "d", "e", "f"}
		}
		return Refused{Fields: fields}
	}
	e := failed(t, newPanelClient(t, p, &script{steps: []step{answer(422, `{}`)}}).Do(t.Context(), onceCall(new(server))))
	assert.Len(t, e.Fields, maxFields)
	for _, messages := range e.Fields {
		assert.Len(t, messages, maxPerField)
		assert.LessOrEqual(t, len(messages[0]), maxMessage)
	}
}

func TestBodiesThatCannotBeWrittenAreRefused(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{answer(200, `{}`)}}
	e := failed(t, newClient(t, s).Do(t.Context(), Call{Op: "x", Class: Once, Method: http.MethodPost, In: map[string]any{"planted": make(chan int)}}))
	assert.Equal(t, provisioning.Invalid, e.Kind)
	assert.Contains(t, e.Fields, "body")
	assert.NotContains(t, e.Error(), "planted")
	for _, method := range []string{"", "GET POST", "G\nET", "GÉT"} {
		e = failed(t, newClient(t, s).Do(t.Context(), Call{Op: "x", Method: method}))
		assert.Contains(t, e.Fields, "method")
	}
	var noContext context.Context
	e = failed(t, newClient(t, s).Do(noContext, Call{Op: "x", Method: "GET"}))
	assert.Contains(t, e.Fields, "ctx")
	assert.Empty(t, s.requests())
}

func TestATransportThatBreaksItsContractIsAnErrorToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, does := range map[string]step{
			"neither answer nor error": func(*http.Request) (*http.Response, error) { return nil, nil },
			"no body": func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, ContentLength: 5}, nil
			},
			"no header": func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusInternalServerError, Body: http.NoBody}, nil
			},
			"answer and error": func(r *http.Request) (*http.Response, error) {
				return response(r, 200, strings.NewReader(`{"id":7}`), 8), io.ErrClosedPipe
			},
		} {
			e := failed(t, newClient(t, &script{steps: []step{does}}).Do(t.Context(), onceCall(new(server))))
			assert.Equal(t, provisioning.Unavailable, e.Kind, name)
			assert.True(t, e.MaybeApplied, name)
			assert.Equal(t, 1, e.Attempts, name)
		}
	})
}

func TestACheckThatNamesAKindOrAMessageKeepsIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		kind provisioning.Kind
		text string
	}{
		"text":       {errors.New("no uuid"), provisioning.Unexpected, "testpanel: getServer: unexpected (HTTP 200): the answer does not fit the call: no uuid"},
		"kind":       {fmt.Errorf("%w of ids", provisioning.Mismatch), provisioning.Mismatch, "testpanel: getServer: mismatch (HTTP 200): the answer does not fit the call: mismatch of ids"},
		"full error": {&provisioning.Error{Kind: provisioning.Mismatch, Message: "another server"}, provisioning.Mismatch, "testpanel: getServer: mismatch (HTTP 200): another server"},
	} {
		call := readCall(new(server))
		call.Check = func() error { return c.err }
		e := failed(t, newClient(t, &script{steps: []step{answer(200, `{"id":7}`)}}).Do(t.Context(), call))
		assert.Equal(t, c.kind, e.Kind, name)
		assert.Equal(t, c.text, e.Error(), name)
	}
}
