package virtfusion_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

const (
	newHookToken = "planted-token-new-0001"
	oldHookToken = "planted-token-old-0002"

	hookBody = `{"event":"server.create","created":"2023-04-07T07:18:15.316192Z","hookId":"4","hookEventId":1,"eventStatus":"success",` +
		`"controlDomain":"cp.example.net","controlName":"Example","controlSupportLink":"https://example.net/help",` +
		`"data":{"errors":[],"server":{"id":"42","uuid":"c0ffee00-0000-4000-8000-000000000042",` +
		`"settings":{"decryptedPassword":"planted-password"}},"args":{"packageId":1},"allocation":false}}`
)

func webhookOptions() virtfusion.WebhookOptions {
	return virtfusion.WebhookOptions{
		Tokens: []provisioning.Secret{newHookToken, oldHookToken}, AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, MaxBodyBytes: 2000,
	}
}

// hookCall is a webhook as it arrives from the panel.
func hookCall(body io.Reader) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hook", body)
	r.Header.Set("Authorization", "Bearer "+base64.StdEncoding.EncodeToString([]byte(newHookToken)))
	r.RemoteAddr = "192.0.2.1:40000"
	return r
}

func bearer(scheme, credentials string) *http.Request {
	r := hookCall(strings.NewReader(hookBody))
	r.Header.Set("Authorization", scheme+" "+credentials)
	return r
}

func TestWebhookHandlerAnswers(t *testing.T) {
	t.Parallel()
	encode := base64.StdEncoding.EncodeToString
	with := func(change func(*http.Request)) func() *http.Request {
		return func() *http.Request {
			r := hookCall(strings.NewReader(hookBody))
			change(r)
			return r
		}
	}
	body := func(text string) func() *http.Request {
		return func() *http.Request { return hookCall(strings.NewReader(text)) }
	}
	for _, tc := range []struct {
		name   string
		r      func() *http.Request
		want   int
		stored bool
	}{
		{"a webhook is stored", with(func(*http.Request) {}), 204, true},
		{"the old token is still accepted", func() *http.Request { return bearer("Bearer", encode([]byte(oldHookToken))) }, 204, true},
		{"the scheme in small letters", func() *http.Request { return bearer("bearer", encode([]byte(newHookToken))) }, 204, true},
		{"base64 without padding", func() *http.Request { return bearer("Bearer", strings.TrimRight(encode([]byte(newHookToken)), "=")) }, 204, true},
		{"an unknown event", body(`{"event":"user.create","data":{"new":[1]}}`), 204, true},
		{"an event with nothing that is known", body(`{}`), 204, true},
		{"members of other kinds than documented", body(`{"event":7,"created":[],"hookId":{},"eventStatus":null,"data":"x"}`), 204, true},
		{"another content type", with(func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }), 204, true},
		{"the token as it is, not in base64", func() *http.Request { return bearer("Bearer", newHookToken) }, 401, false},
		{"a wrong token", func() *http.Request { return bearer("Bearer", encode([]byte("planted-token-new-0003"))) }, 401, false},
		{"a part of the token", func() *http.Request { return bearer("Bearer", encode([]byte(newHookToken[:21]))) }, 401, false},
		{"another scheme", func() *http.Request { return bearer("Basic", encode([]byte(newHookToken))) }, 401, false},
		{"an empty token", func() *http.Request { return bearer("Bearer", "") }, 401, false},
		{"no token", with(func(r *http.Request) { r.Header.Del("Authorization") }), 401, false},
		{"two tokens", with(func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }), 401, false},
		{"a foreign source", with(func(r *http.Request) { r.RemoteAddr = "198.51.100.1:1" }), 403, false},
		{"GET", with(func(r *http.Request) { r.Method = http.MethodGet }), 405, false},
		{"a huge announced body", with(func(r *http.Request) { r.ContentLength = 2001 }), 413, false},
		{"a huge unannounced body", func() *http.Request {
			return hookCall(io.MultiReader(strings.NewReader(`{"a":"` + strings.Repeat("x", 2000))))
		}, 413, false},
		{"a body of the greatest size", body(`{"a":"` + strings.Repeat("x", 1992) + `"}`), 204, true},
		{"a huge URL", with(func(r *http.Request) { r.URL.RawQuery = strings.Repeat("x", 64<<10) }), 414, false},
		{"a huge header", with(func(r *http.Request) { r.Header.Set("X-VirtFusion-Event", strings.Repeat("x", 8<<10+1)) }), 431, false},
		{"no body", func() *http.Request { return hookCall(nil) }, 400, false},
		{"a body that breaks off", body(hookBody[:100]), 400, false},
		{"an array", body(`[]`), 400, false},
		{"null", body(`null`), 400, false},
		{"text after the object", body(`{}{}`), 400, false},
		{"deep nesting", body(`{"a":` + strings.Repeat("[", 1900)), 400, false},
		{"a broken body of a stranger tells nothing about JSON", func() *http.Request {
			r := hookCall(strings.NewReader("{"))
			r.Header.Del("Authorization")
			return r
		}, 401, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var stored []virtfusion.WebhookEvent
			h, err := virtfusion.NewWebhookHandler(webhookOptions(), func(_ context.Context, e virtfusion.WebhookEvent) error { stored = append(stored, e); return nil })
			require.NoError(t, err)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, tc.r())
			assert.Equal(t, tc.want, w.Code)
			assert.Empty(t, w.Body.String())
			verified, verifyErr := virtfusion.VerifyWebhook(tc.r(), webhookOptions())
			if tc.stored {
				require.NoError(t, verifyErr)
				assert.Equal(t, []virtfusion.WebhookEvent{verified}, stored)
				return
			}
			assert.Empty(t, stored)
			var refused *provisioning.Error
			require.ErrorAs(t, verifyErr, &refused)
			assert.Equal(t, tc.want, refused.Status)
			assert.Equal(t, "virtfusion", refused.Panel)
			assert.NotContains(t, fmt.Sprintf("%v %+v", verifyErr, verifyErr), "planted")
		})
	}
}

func TestWebhookBodiesOfStrangersAreNotRead(t *testing.T) {
	t.Parallel()
	h, err := virtfusion.NewWebhookHandler(webhookOptions(), func(context.Context, virtfusion.WebhookEvent) error { return nil })
	require.NoError(t, err)
	body := &countingReader{}
	r := hookCall(body)
	r.Header.Set("Authorization", "Bearer x")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	assert.Equal(t, 401, w.Code)
	assert.Zero(t, body.reads)
}

type countingReader struct{ reads int }

func (c *countingReader) Read([]byte) (int, error) { c.reads++; return 0, io.EOF }

func TestWebhookHandlerNeedsTokensAndAStore(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*virtfusion.WebhookOptions)
		want   string
	}{
		{"no tokens", func(o *virtfusion.WebhookOptions) { o.Tokens = nil }, "Tokens: at least one"},
		{"an empty token", func(o *virtfusion.WebhookOptions) { o.Tokens[0] = "" }, "Tokens"},
		{"a short token", func(o *virtfusion.WebhookOptions) { o.Tokens[1] = "planted" }, "Tokens: number 2"},
		{"a bad source", func(o *virtfusion.WebhookOptions) { o.AllowFrom = []netip.Prefix{{}} }, "AllowFrom"},
		{"a bad limit", func(o *virtfusion.WebhookOptions) { o.MaxBodyBytes = -1 }, "MaxBodyBytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := webhookOptions()
			tc.change(&o)
			h, err := virtfusion.NewWebhookHandler(o, func(context.Context, virtfusion.WebhookEvent) error { return nil })
			assert.Nil(t, h)
			require.ErrorIs(t, err, provisioning.Invalid)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "planted")
			_, err = virtfusion.VerifyWebhook(hookCall(nil), o)
			require.ErrorContains(t, err, tc.want)
		})
	}
	h, err := virtfusion.NewWebhookHandler(webhookOptions(), nil)
	assert.Nil(t, h)
	assert.ErrorContains(t, err, "store")
}

func TestWebhookHandlerAnswers503WhenNothingIsStored(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]func(context.Context, virtfusion.WebhookEvent) error{
		"store fails":      func(context.Context, virtfusion.WebhookEvent) error { return errors.New("disk full") },
		"store panics":     func(context.Context, virtfusion.WebhookEvent) error { panic("boom") },
		"the context ends": func(ctx context.Context, _ virtfusion.WebhookEvent) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := virtfusion.NewWebhookHandler(webhookOptions(), store)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, hookCall(strings.NewReader(hookBody)).WithContext(ctx))
			assert.Equal(t, 503, w.Code)
		})
	}
}

func TestParseWebhookEventDecodesTheDocumentedMembers(t *testing.T) {
	t.Parallel()
	e, err := virtfusion.ParseWebhookEvent([]byte(hookBody))
	require.NoError(t, err)
	assert.Equal(t, virtfusion.WebhookServerCreate, e.Event)
	assert.Equal(t, virtfusion.WebhookSuccess, e.Status)
	assert.Equal(t, "2023-04-07T07:18:15.316192Z", e.Created.Format("2006-01-02T15:04:05.000000Z07:00"))
	assert.Equal(t, virtfusion.Int(4), e.HookID)
	assert.Equal(t, virtfusion.Int(1), e.HookEventID)
	assert.Equal(t, "cp.example.net", e.ControlDomain)
	assert.Equal(t, "Example", e.ControlName)
	assert.Equal(t, "https://example.net/help", e.ControlSupportLink)
	assert.Empty(t, e.Errors)
	assert.Empty(t, e.Problems)
	assert.JSONEq(t, hookBody, string(e.Body))

	server, ok := e.Server()
	require.True(t, ok)
	assert.Equal(t, virtfusion.WebhookServer{ID: 42, UUID: "c0ffee00-0000-4000-8000-000000000042"}, server)
	data, ok := e.ServerCreate()
	require.True(t, ok)
	assert.Contains(t, string(data.Server), `"id":"42"`)
	assert.JSONEq(t, `{"packageId":1}`, string(data.Args))
	assert.Nil(t, data.Allocation)
	for _, other := range []func() bool{
		func() bool { _, ok := e.ServerBuild(); return ok }, func() bool { _, ok := e.ServerDestroy(); return ok }, func() bool { _, ok := e.AssignIPv6(); return ok },
	} {
		assert.False(t, other(), "the data of another event")
	}
}

func TestWebhookMembersMayBeFalse(t *testing.T) {
	t.Parallel()
	for _, none := range []string{`false`, `null`, `""`, `[]`} {
		e, err := virtfusion.ParseWebhookEvent([]byte(`{"event":"server.create","eventStatus":"fail",` +
			`"data":{"errors":["no room"],"server":` + none + `,"allocation":` + none + `}}`))
		require.NoError(t, err)
		assert.Equal(t, virtfusion.WebhookFail, e.Status)
		assert.Equal(t, []string{"no room"}, e.Errors)
		_, ok := e.Server()
		assert.False(t, ok)
		data, ok := e.ServerCreate()
		require.True(t, ok)
		assert.Equal(t, virtfusion.WebhookServerCreateData{}, data)

		e, err = virtfusion.ParseWebhookEvent([]byte(`{"event":"server.assign.ipv6",` +
			`"data":{"server":{"id":7},"ipv6":{"subnet":{"id":1},"block":` + none + `,"ip":` + none + `}}}`))
		require.NoError(t, err)
		assigned, ok := e.AssignIPv6()
		require.True(t, ok)
		assert.JSONEq(t, `{"id":7}`, string(assigned.Server))
		assert.JSONEq(t, `{"id":1}`, string(assigned.IPv6.Subnet))
		assert.Nil(t, assigned.IPv6.Block)
		assert.Nil(t, assigned.IPv6.IP)
		assert.Nil(t, assigned.IPv6.RouteBlock)

		e, err = virtfusion.ParseWebhookEvent([]byte(`{"event":"server.assign.ipv6","data":{"ipv6":` + none + `}}`))
		require.NoError(t, err)
		assigned, ok = e.AssignIPv6()
		assert.True(t, ok)
		assert.Equal(t, virtfusion.WebhookAssignIPv6Data{}, assigned)

		e, err = virtfusion.ParseWebhookEvent([]byte(`{"event":"server.build","data":` + none + `}`))
		require.NoError(t, err)
		assert.Nil(t, e.Data)
		_, ok = e.ServerBuild()
		assert.False(t, ok)
	}
}

func TestWebhookServerEventsHaveTheirData(t *testing.T) {
	t.Parallel()
	e, err := virtfusion.ParseWebhookEvent([]byte(`{"event":"server.build","data":{"server":{"id":7}}}`))
	require.NoError(t, err)
	build, ok := e.ServerBuild()
	assert.True(t, ok)
	assert.JSONEq(t, `{"id":7}`, string(build.Server))
	e, err = virtfusion.ParseWebhookEvent([]byte(`{"event":"server.destroy","data":{"server":{"id":7}}}`))
	require.NoError(t, err)
	destroy, ok := e.ServerDestroy()
	assert.True(t, ok)
	assert.JSONEq(t, `{"id":7}`, string(destroy.Server))
}

func TestWebhookErrorsAreInsideTheData(t *testing.T) {
	t.Parallel()
	for data, want := range map[string][]string{
		`{"errors":["a","b"]}`:                   {"a", "b"},
		`{"errors":[{"code":7},3,null]}`:         {`{"code":7}`, "3", "null"},
		`{"errors":"text"}`:                      {"text"},
		`{"errors":{"field":["text"]}}`:          {`{"field":["text"]}`},
		`{"errors":false}`:                       nil,
		`{}`:                                     nil,
		`"text"`:                                 nil,
		`{"errors":[]},"errors":["not here"]`:    nil,
		`{"server":{"errors":["nor in there"]}}`: nil,
	} {
		e, err := virtfusion.ParseWebhookEvent([]byte(`{"data":` + data + `}`))
		require.NoError(t, err)
		assert.Equal(t, want, e.Errors, data)
	}
}

func TestUnknownWebhooksAreKept(t *testing.T) {
	t.Parallel()
	body := `{"event":"moon.landing","eventStatus":"maybe","hookEventId":1000,"created":"yesterday","hookId":"x","data":{"server":{"id":"x"},"crew":3},"new":true}`
	e, err := virtfusion.ParseWebhookEvent([]byte(body))
	require.NoError(t, err)
	assert.Equal(t, virtfusion.WebhookName("moon.landing"), e.Event)
	assert.Equal(t, virtfusion.WebhookStatus("maybe"), e.Status)
	assert.False(t, e.Event.Known() || e.Status.Known())
	assert.Equal(t, []string{"created", "hookId"}, e.Problems)
	assert.True(t, e.Created.IsZero())
	assert.Equal(t, body, string(e.Body))
	_, ok := e.Server()
	assert.False(t, ok)
	for _, name := range []virtfusion.WebhookName{"server.create", "server.destroy", "server.build", "server.assign.ipv6", "catch.all"} {
		assert.True(t, name.Known(), name)
	}
}

func TestWebhookEventsSurviveJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{hookBody, `{}`, `{"event":"x","data":[],"created":"?"}`} {
		before, err := virtfusion.ParseWebhookEvent([]byte(body))
		require.NoError(t, err)
		text, err := json.Marshal(before)
		require.NoError(t, err)
		assert.Equal(t, body, string(text))
		var after virtfusion.WebhookEvent
		require.NoError(t, json.Unmarshal(text, &after))
		assert.Equal(t, before, after)
	}
	var e virtfusion.WebhookEvent
	assert.ErrorIs(t, json.Unmarshal([]byte(`[]`), &e), provisioning.Invalid)
}

func TestWebhooksPrintAndLogNoSecret(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := webhookOptions()
	o.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	failing := false
	h, err := virtfusion.NewWebhookHandler(o, func(_ context.Context, e virtfusion.WebhookEvent) error {
		o.Logger.Info("stored", "event", e, "data", e.Data)
		if failing {
			return fmt.Errorf("insert %v %+v %#v: disk full", e, e, e)
		}
		return nil
	})
	require.NoError(t, err)
	serve := func(r *http.Request) { h.ServeHTTP(httptest.NewRecorder(), r) }
	serve(hookCall(strings.NewReader(hookBody)))
	serve(bearer("Bearer", newHookToken))
	serve(hookCall(strings.NewReader(hookBody + "planted")))
	failing = true
	serve(hookCall(strings.NewReader(hookBody)))
	for _, want := range []string{`"server_id":42`, `"status":204`, `"status":401`, `"status":400`, `"status":503`, "disk full"} {
		assert.Contains(t, log.String(), want)
	}
	assert.NotContains(t, log.String(), "planted")
	assert.NotContains(t, log.String(), base64.StdEncoding.EncodeToString([]byte(newHookToken)))
	o.Logger = nil
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v %v %+v %#v", o, o, o, h, &o, &h), "planted")
}

func TestWebhookTestRequestsAreWhatThePanelSends(t *testing.T) {
	t.Parallel()
	want, err := virtfusion.ParseWebhookEvent([]byte(hookBody))
	require.NoError(t, err)
	r, err := virtfusion.NewWebhookTestRequest(t.Context(), "https://billing.example.com/hooks/vf", webhookOptions(), want)
	require.NoError(t, err)
	assert.Equal(t, http.MethodPost, r.Method)
	for name, value := range map[string]string{
		"Authorization": "Bearer cGxhbnRlZC10b2tlbi1uZXctMDAwMQ==", "Content-Type": "application/json", "Accept": "application/json",
		"User-Agent": "VirtFusion-Hookshot/57HE28D3RT", "X-VirtFusion-Hook": "4", "X-VirtFusion-Hook-Event": "1",
		"X-VirtFusion-Created": "2023-04-07T07:18:15.316192Z", "X-VirtFusion-Event": "server.create", "X-VirtFusion-Event-Status": "success",
	} {
		assert.Equal(t, value, r.Header.Get(name), name)
	}
	r.RemoteAddr = "192.0.2.1:1"
	got, err := virtfusion.VerifyWebhook(r, webhookOptions())
	require.NoError(t, err)
	assert.Equal(t, want, got)

	made := want
	made.Body, made.Errors = nil, []string{"no room"}
	r, err = virtfusion.NewWebhookTestRequest(t.Context(), "https://billing.example.com/hooks/vf", webhookOptions(), made)
	require.NoError(t, err)
	r.RemoteAddr = "192.0.2.1:1"
	got, err = virtfusion.VerifyWebhook(r, webhookOptions())
	require.NoError(t, err)
	assert.Equal(t, []string{"no room"}, got.Errors)
	assert.Equal(t, []any{want.Event, want.Status, want.Created, want.HookID, want.HookEventID, want.ControlDomain, want.ControlName, want.ControlSupportLink},
		[]any{got.Event, got.Status, got.Created, got.HookID, got.HookEventID, got.ControlDomain, got.ControlName, got.ControlSupportLink})
	server, ok := got.Server()
	assert.True(t, ok)
	assert.Equal(t, virtfusion.ServerID(42), server.ID)

	_, err = virtfusion.NewWebhookTestRequest(t.Context(), "://", webhookOptions(), want)
	require.ErrorIs(t, err, provisioning.Invalid)
	_, err = virtfusion.NewWebhookTestRequest(t.Context(), "https://billing.example.com", virtfusion.WebhookOptions{}, want)
	require.ErrorIs(t, err, provisioning.Invalid)
	_, err = virtfusion.NewWebhookTestRequest(t.Context(), "https://billing.example.com", webhookOptions(), virtfusion.WebhookEvent{Data: virtfusion.WebhookJSON(`7`)})
	assert.ErrorIs(t, err, provisioning.Invalid)
}

func TestABurstOfWebhooksLosesNothingThatWasAccepted(t *testing.T) {
	t.Parallel()
	const calls, workers = 2_000, 16
	var mu sync.Mutex
	stored := map[virtfusion.ServerID]int{}
	o := virtfusion.WebhookOptions{Tokens: []provisioning.Secret{newHookToken}}
	h, err := virtfusion.NewWebhookHandler(o, func(_ context.Context, e virtfusion.WebhookEvent) error {
		server, _ := e.Server()
		if server.ID%10 == 0 {
			return errors.New("database is locked")
		}
		mu.Lock()
		defer mu.Unlock()
		stored[server.ID]++
		return nil
	})
	require.NoError(t, err)
	server := httptest.NewServer(h)
	defer server.Close()
	server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = workers

	answers := make([]int, calls+1)
	ids := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for id := range ids {
				answers[id] = sendHook(t, server, o, id)
			}
		})
	}
	for id := 1; id <= calls; id++ {
		ids <- id
	}
	close(ids)
	wg.Wait()

	for id := 1; id <= calls; id++ {
		want, count := http.StatusNoContent, 1
		if id%10 == 0 {
			want, count = http.StatusServiceUnavailable, 0
		}
		if answers[id] != want || stored[virtfusion.ServerID(id)] != count {
			t.Fatalf("server %d: answer %d, want %d; stored %d times, want %d", id, answers[id], want, stored[virtfusion.ServerID(id)], count)
		}
	}
	assert.Len(t, stored, calls-calls/10)
}

func sendHook(t *testing.T, server *httptest.Server, o virtfusion.WebhookOptions, id int) int {
	r, err := virtfusion.NewWebhookTestRequest(t.Context(), server.URL, o, virtfusion.WebhookEvent{
		Event: virtfusion.WebhookServerBuild, Status: virtfusion.WebhookSuccess, Data: virtfusion.WebhookJSON(fmt.Sprintf(`{"server":{"id":%d}}`, id)),
	})
	if !assert.NoError(t, err) {
		return 0
	}
	resp, err := server.Client().Do(r)
	if !assert.NoError(t, err) {
		return 0
	}
	assert.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

func FuzzVerifyWebhook(f *testing.F) {
	for _, body := range []string{
		hookBody, `{}`, `[]`, `null`, `{"data":[]}`, `{"data":{"errors":[{"a":1}],"server":false}}`, `{"event":"server.assign.ipv6","data":{"ipv6":{"ip":false}}}`,
		`{"hookId":1e99,"created":0,"event":{},"data":"x"}`, `{"event":"server.create","data":{"server":{"id":"7"},"args":[],"allocation":{}}}`, "{\"event\":\"\xff\\u0000\"}",
		strings.Repeat(`{"data":`, 500) + "1" + strings.Repeat("}", 500),
	} {
		f.Add(body, base64.StdEncoding.EncodeToString([]byte(oldHookToken)))
		f.Add(body, "x")
	}
	o := virtfusion.WebhookOptions{Tokens: []provisioning.Secret{newHookToken, oldHookToken}}
	f.Fuzz(func(t *testing.T, body, credentials string) {
		stranger := hookCall(strings.NewReader(body))
		stranger.Header.Set("Authorization", "Bearer "+credentials)
		if _, err := virtfusion.VerifyWebhook(stranger, o); !errors.Is(err, provisioning.Unauthorized) {
			token, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(credentials), "="))
			if string(token) != newHookToken && string(token) != oldHookToken && len(credentials) <= 8<<10-len("Bearer ") {
				t.Fatalf("%q got past the token: %v", credentials, err)
			}
		}
		e, err := virtfusion.VerifyWebhook(hookCall(strings.NewReader(body)), o)
		isObject := json.Valid([]byte(body)) && strings.HasPrefix(strings.TrimLeft(body, " \t\r\n"), "{")
		if (err == nil) != isObject {
			t.Fatalf("object: %v, error: %v", isObject, err)
		}
		if err != nil {
			return
		}
		e.Server()
		e.ServerCreate()
		e.ServerBuild()
		e.ServerDestroy()
		e.AssignIPv6()
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var again virtfusion.WebhookEvent
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatalf("%s cannot be read back: %v", text, err)
		}
		if fmt.Sprintf("%q %q %v %q", again.Event, again.Status, again.HookID, again.Problems) != fmt.Sprintf("%q %q %v %q", e.Event, e.Status, e.HookID, e.Problems) {
			t.Fatalf("%s says something else than the event", text)
		}
	})
}

func BenchmarkWebhookHandler(b *testing.B) {
	var mu sync.Mutex
	var table []byte
	insert := func(body []byte) {
		mu.Lock()
		defer mu.Unlock()
		table = append(table[:0], body...)
	}
	verified, err := virtfusion.NewWebhookHandler(webhookOptions(), func(_ context.Context, e virtfusion.WebhookEvent) error { insert(e.Body); return nil })
	require.NoError(b, err)
	for _, bc := range []struct {
		name string
		h    http.Handler
	}{
		{"ours", verified},
		{"bare", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // no checks, no decoding
			body, err := io.ReadAll(r.Body)
			if err != nil {
				b.Error(err)
			}
			insert(body)
			w.WriteHeader(http.StatusNoContent)
		})},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			body := strings.NewReader(hookBody)
			r := hookCall(body)
			for b.Loop() {
				body.Reset(hookBody)
				w := httptest.NewRecorder()
				bc.h.ServeHTTP(w, r)
				if w.Code != http.StatusNoContent {
					b.Fatalf("answer %d", w.Code)
				}
			}
		})
	}
}
