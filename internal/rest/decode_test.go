package rest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestEvery2xxIsASuccess(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 201, 202, 204, 207} {
		for name, body := range map[string]string{"nothing": "", "JSON": `{"id":7}`, "null": "null", "text": "OK", "half a document": `{"id`} {
			s := &script{steps: []step{answer(status, body)}}
			assert.NoError(t, newClient(t, s).Do(t.Context(), onceCallWithoutAnswer()), "%d %s", status, name)
		}
	}
}

func onceCallWithoutAnswer() Call {
	return Call{Op: "boot", Class: Once, Method: http.MethodPost, Path: []any{"servers", 7, "boot"}}
}

func TestAPageIsNeverASuccess(t *testing.T) {
	t.Parallel()
	for name, headers := range map[string][]string{"declared": {"Content-Type: text/html; charset=UTF-8"}, "not declared": {"Content-Type: "}, "declared as JSON": nil} {
		for _, call := range []Call{onceCallWithoutAnswer(), {Op: "list", Method: http.MethodGet}} {
			s := &script{steps: []step{answer(200, " \n<!DOCTYPE html><title>Login</title>", headers...)}}
			e := failed(t, newClient(t, s).Do(t.Context(), call))
			assert.Equal(t, provisioning.NoRoute, e.Kind, name)
			assert.Equal(t, call.Class == Once, e.MaybeApplied, name)
			assert.Len(t, s.requests(), 1)
		}
	}
}

func TestAnEmptyAnswerLabelledAsHTMLIsASuccessWhereNothingIsNeeded(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{answer(201, "", "Content-Type: text/html; charset=UTF-8")}}
	require.NoError(t, newClient(t, s).Do(t.Context(), onceCallWithoutAnswer()))
}

func TestOptionalAnswers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		body string
		want Int
	}{{"", 0}, {" \n", 0}, {"null", 0}, {`{"id":"7"}`, 7}, {"\xef\xbb\xbf{\"id\":7}\r\n", 7}} {
		var got server
		call := readCall(&got)
		call.Optional = true
		checked := false
		call.Check = func() error { checked = true; return nil }
		require.NoError(t, newClient(t, &script{steps: []step{answer(200, row.body)}}).Do(t.Context(), call), "%q", row.body)
		assert.Equal(t, row.want, got.ID)
		assert.Equal(t, row.want != 0, checked, "Check runs when something was decoded")
	}
}

func TestNullIsAnAnswerWhereTheTypeTakesIt(t *testing.T) {
	t.Parallel()
	c := newClient(t, &script{steps: []step{answer(200, "null")}})
	for _, out := range []any{new([]server), new(map[string]int), new(*server), new(any), new(json.RawMessage), new(List[server]), new(Maybe[server])} {
		assert.NoError(t, c.Do(t.Context(), Call{Op: "x", Method: http.MethodGet, Out: out}), "%T", out)
	}
	assert.Error(t, c.Do(t.Context(), Call{Op: "x", Method: http.MethodGet, Out: new(server)}))
}

func TestAnOutThatIsNoPointerIsAnErrorNotAPanic(t *testing.T) {
	t.Parallel()
	c := newClient(t, &script{steps: []step{answer(200, `{"id":7}`), answer(200, `null`)}})
	for range 2 {
		e := failed(t, c.Do(t.Context(), Call{Op: "x", Method: http.MethodGet, Out: server{}}))
		assert.Equal(t, provisioning.Unexpected, e.Kind)
	}
	assert.Error(t, c.Do(t.Context(), Call{Op: "x", Method: http.MethodGet, Out: (*server)(nil)}))
}

func TestADeclaredResultIsDecoded(t *testing.T) {
	t.Parallel()
	var got server
	call := readCall(&got)
	call.Declared = func(status int, body []byte) Verdict {
		if status == 503 && strings.Contains(string(body), "id") {
			return Result
		}
		return Foreign
	}
	require.NoError(t, newClient(t, &script{steps: []step{answer(503, `{"id":7}`)}}).Do(t.Context(), call))
	assert.Equal(t, Int(7), got.ID)
}

func TestADeclaredRefusalSpeaksInThePanelsWords(t *testing.T) {
	t.Parallel()
	call := onceCallWithoutAnswer()
	call.Declared = func(status int, _ []byte) Verdict { return map[int]Verdict{503: Refusal}[status] }
	e := failed(t, newClient(t, &script{steps: []step{answer(503, `{"msg":"hypervisor is offline"}`)}}).Do(t.Context(), call))
	assert.Equal(t, "hypervisor is offline", e.Message)
	assert.Equal(t, 1, e.Attempts)
	assert.False(t, e.MaybeApplied)
}

func TestDecodeErrorsNameTheFieldAndTheKindNeverTheValue(t *testing.T) {
	t.Parallel()
	type answerType struct {
		Server struct {
			ID     Int            `json:"id"`
			Plain  int8           `json:"plain"`
			Time   Time           `json:"time"`
			List   List[server]   `json:"list"`
			Strict strictTestType `json:"strict"`
		} `json:"server"`
	}
	for body, want := range map[string]string{
		`{"server":{"id":"planted"}}`:              "server.id",
		`{"server":{"id":123456789012345678901}}`:  "server.id",
		`{"server":{"plain":987654}}`:              "server.plain",
		`{"server":{"plain":"planted"}}`:           "server.plain",
		`{"server":{"time":"planted"}}`:            "server.time",
		`{"server":{"list":[{"id":["planted"]}]}}`: "server.list.id",
		`{"server":{"list":{"planted":{}}}}`:       "server.list",
		`{"server":{"strict":"planted"}}`:          "strictTestError",
		`{"server":planted}`:                       "byte 11",
		`{"server":{"id":7}} planted`:              "byte 21",
	} {
		s := &script{steps: []step{answer(200, body)}}
		e := failed(t, newClient(t, s).Do(t.Context(), Call{Op: "x", Class: Once, Method: http.MethodPost, Out: new(answerType)}))
		assert.Contains(t, e.Error(), want, body)
		for _, value := range []string{"planted", "12345", "98765"} {
			assert.NotContains(t, e.Error(), value, body)
		}
		assert.Equal(t, provisioning.Unexpected, e.Kind)
		assert.True(t, e.MaybeApplied)
	}
}

type strictTestType struct{}

type strictTestError string

func (e strictTestError) Error() string { return string(e) }

func (*strictTestType) UnmarshalJSON(b []byte) error { return strictTestError(b) }

func TestNothingOfTheAnswerSharesTheBuffer(t *testing.T) {
	t.Parallel()
	type answerType struct {
		Raw  json.RawMessage `json:"raw"`
		Text String          `json:"text"`
		List List[string]    `json:"list"`
	}
	s := &script{steps: []step{answer(200, `{"raw":{"a":1},"text":"first","list":["x"]}`), answer(200, strings.Repeat(" ", 20)+`{"raw":"###","text":"##"}`)}}
	c := newClient(t, s)
	var first, second answerType
	var info ResponseInfo
	require.NoError(t, c.Do(t.Context(), Call{Op: "x", Method: http.MethodGet, Out: &first}, CaptureResponse(&info)))
	for range 20 {
		require.NoError(t, c.Do(t.Context(), Call{Op: "x", Method: http.MethodGet, Out: &second}))
	}
	assert.Equal(t, answerType{Raw: json.RawMessage(`{"a":1}`), Text: "first", List: List[string]{"x"}}, first)
	assert.JSONEq(t, `{"raw":{"a":1},"text":"first","list":["x"]}`, string(info.Body))
}

func TestBodiesAtTheLimit(t *testing.T) {
	t.Parallel()
	body := `{"id":7,"name":"` + strings.Repeat("x", 100) + `"}`
	for limit, ok := range map[int]bool{len(body) - 1: false, len(body): true, len(body) + 1: true} {
		for name, length := range map[string]int64{"announced": int64(len(body)), "not announced": -1} {
			s := &script{steps: []step{func(r *http.Request) (*http.Response, error) {
				return response(r, 200, strings.NewReader(body), length), nil
			}}}
			err := newClient(t, s, WithMaxBodyBytes(int64(limit))).Do(t.Context(), setCall(new(server)))
			if ok {
				require.NoError(t, err, "%d %s", limit, name)
				continue
			}
			e := failed(t, err)
			assert.Equal(t, provisioning.Unexpected, e.Kind)
			assert.True(t, e.MaybeApplied)
			assert.Contains(t, e.Message, "larger than")
			assert.Len(t, s.requests(), 1)
		}
	}
}

func TestLargeBuffersAreNotKept(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{answer(200, `{"name":"`+strings.Repeat("x", 2<<20)+`"}`)}}
	c := newClient(t, s)
	require.NoError(t, c.Do(t.Context(), readCall(new(server))))
	for range 10 {
		buf, ok := c.buffers.Get().(interface{ Cap() int })
		require.True(t, ok)
		assert.LessOrEqual(t, buf.Cap(), maxPooled)
	}
}

func TestCaptureResponse(t *testing.T) {
	t.Parallel()
	t.Run("a success after a failure", func(t *testing.T) {
		t.Parallel()
		info := ResponseInfo{Attempts: 99, Body: []byte("old")}
		s := &script{steps: []step{answer(429, `busy`), answer(201, `{"id":7}`, "X-Test: yes")}}
		require.NoError(t, newClient(t, s, WithRetry(RetryPolicy{BaseDelay: 1, MaxDelay: 1})).Do(t.Context(), onceCall(new(server)), CaptureResponse(&info)))
		assert.Equal(t, 201, info.Status)
		assert.Equal(t, "yes", info.Header.Get("X-Test"))
		assert.JSONEq(t, `{"id":7}`, string(info.Body))
		assert.Equal(t, 2, info.Attempts)
	})
	t.Run("a refusal", func(t *testing.T) {
		t.Parallel()
		var info ResponseInfo
		s := &script{steps: []step{answer(302, `moved`, "Location: https://other.example/x")}}
		_ = failed(t, newClient(t, s).Do(t.Context(), onceCall(new(server)), CaptureResponse(&info)))
		assert.Equal(t, 302, info.Status)
		assert.Equal(t, "https://other.example/x", info.Header.Get("Location"))
		assert.Equal(t, "moved", string(info.Body))
	})
	t.Run("no answer at all", func(t *testing.T) {
		t.Parallel()
		info := ResponseInfo{Status: 200, Body: []byte("old")}
		_ = failed(t, newClient(t, &script{steps: []step{fail(io.EOF)}}).Do(t.Context(), onceCall(new(server)), CaptureResponse(&info)))
		assert.Equal(t, ResponseInfo{Attempts: 1}, info)
	})
}

func TestACheckSeesTheDecodedAnswer(t *testing.T) {
	t.Parallel()
	var got server
	call := onceCall(&got)
	call.Check = func() error {
		if got.ID != 8 {
			return errors.New("another server")
		}
		return nil
	}
	c := newClient(t, &script{steps: []step{answer(201, `{"id":7}`), answer(201, `{"id":8}`)}})
	e := failed(t, c.Do(t.Context(), call))
	assert.True(t, e.MaybeApplied)
	assert.Equal(t, 201, e.Status)
	require.NoError(t, c.Do(t.Context(), call))
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, "application/json", []byte(`{"id":"7"}`))
	f.Add(503, "text/html", []byte(`<html>`))
	f.Add(404, "", []byte("\xef\xbb\xbf"))
	f.Fuzz(func(t *testing.T, status int, kind string, body []byte) {
		if status < 100 || status > 999 {
			return
		}
		s := &script{steps: []step{answer(status, string(body), "Content-Type: "+kind, "Retry-After: "+kind, "Location: "+kind)}}
		err := newClient(t, s, WithRetry(RetryPolicy{MaxAttempts: 1})).Do(t.Context(), onceCall(new(server)))
		if err == nil {
			require.Equal(t, 2, status/100)
			require.NotContains(t, strings.ToLower(kind), "text/html")
			require.NotEmpty(t, trim(body))
			return
		}
		e := failed(t, err)
		require.LessOrEqual(t, len(e.Error()), 600)
		require.NotContains(t, e.Error(), "<")
		require.Equal(t, status/100 == 2 || status/100 == 5 || status/100 == 1 || status >= 600, e.MaybeApplied)
	})
}
