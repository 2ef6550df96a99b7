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
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

const (
	newSecret = "planted-secret-new-0001"
	oldSecret = "planted-secret-old-0002"
)

func eventOptions() solusvm2.EventOptions {
	return solusvm2.EventOptions{Secrets: []provisioning.Secret{newSecret, oldSecret}, AllowFrom: nets("192.0.2.0/24")}
}

// panelCall is a notification as it arrives from the management node.
func panelCall(query string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hook", nil)
	r.URL.RawQuery = query
	r.RemoteAddr = "192.0.2.1:40000"
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEventHandlerAnswers(t *testing.T) {
	t.Parallel()
	good := fullQuery + "&secret=" + newSecret
	with := func(change func(*http.Request)) *http.Request {
		r := panelCall(good)
		change(r)
		return r
	}
	for _, tc := range []struct {
		name   string
		r      *http.Request
		want   int
		stored bool
	}{
		{"a notification is stored", panelCall(good), 204, true},
		{"the old secret is still accepted", panelCall(fullQuery + "&secret=" + oldSecret), 204, true},
		{"the secret may come first", panelCall("secret=" + newSecret + "&" + fullQuery), 204, true},
		{"a notification with nothing but the secret", panelCall("secret=" + newSecret), 204, true},
		{"a secret under an escaped name", panelCall("%73ecret=" + newSecret), 204, true},
		{"a body of any type is not even read", with(func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(errors.New("it was read"))), 5
			r.Header.Set("Content-Type", "image/png")
		}), 204, true},
		{"a body of unknown length", with(func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", 2<<20))), -1
		}), 204, true},
		{"a broken list does not lose the notification", panelCall("serverId=42&serverIps=[&secret=" + newSecret), 204, true},
		{"an IPv4-mapped peer", with(func(r *http.Request) { r.RemoteAddr = "[::ffff:192.0.2.1]:1" }), 204, true},
		{"a wrong secret", panelCall(fullQuery + "&secret=planted-secret-new-0003"), 401, false},
		{"a part of the secret", panelCall(fullQuery + "&secret=planted-secret-new-000"), 401, false},
		{"an empty secret", panelCall(fullQuery + "&secret="), 401, false},
		{"no secret", panelCall(fullQuery), 401, false},
		{"a badly escaped secret", panelCall("secret=%zz" + newSecret), 401, false},
		{"of several secrets the first counts", panelCall("secret=wrong&secret=" + newSecret), 401, false},
		{"the secret under another name", panelCall("secret[]=" + newSecret + "&Secret=" + newSecret), 401, false},
		{"the secret in a header", with(func(r *http.Request) { r.URL.RawQuery = fullQuery; r.Header.Set("Secret", newSecret) }), 401, false},
		{"the secret in the body", func() *http.Request {
			r := httptest.NewRequest(http.MethodPost, "/hook?"+fullQuery, strings.NewReader("secret="+newSecret))
			r.RemoteAddr = "192.0.2.1:1"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return r
		}(), 401, false},
		{"a foreign source", with(func(r *http.Request) { r.RemoteAddr = "198.51.100.1:1" }), 403, false},
		{"a foreign source that forges a header", with(func(r *http.Request) {
			r.RemoteAddr = "198.51.100.1:1"
			r.Header.Set("X-Forwarded-For", "192.0.2.1")
		}), 403, false},
		{"GET, as a redirect would make of it", with(func(r *http.Request) { r.Method = http.MethodGet }), 405, false},
		{"PUT", with(func(r *http.Request) { r.Method = http.MethodPut }), 405, false},
		{"a huge announced body", with(func(r *http.Request) { r.ContentLength = 1<<20 + 1 }), 413, false},
		{"a URL of 64 KiB", panelCall(padded(good, 64<<10-len("/hook?"))), 204, true},
		{"a longer URL", panelCall(padded(good, 64<<10-len("/hook?")+1)), 414, false},
		{"a huge header", with(func(r *http.Request) { r.Header.Set("User-Agent", strings.Repeat("x", 8<<10+1)) }), 431, false},
		{"a badly escaped value", panelCall(good + "&other=%zz"), 400, false},
		{"a badly escaped name", panelCall(good + "&%z=1"), 400, false},
		{"1000 parameters", panelCall("secret=" + newSecret + strings.Repeat("&a=", 999)), 204, true},
		{"1001 parameters", panelCall("secret=" + newSecret + strings.Repeat("&a=", 1000)), 400, false},
		{"a badly escaped query of a stranger tells nothing about escaping", panelCall("other=%zz&secret=wrong"), 401, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var stored []solusvm2.Event
			h, err := solusvm2.NewEventHandler(eventOptions(), func(_ context.Context, e solusvm2.Event) error { stored = append(stored, e); return nil })
			require.NoError(t, err)
			verified, verifyErr := solusvm2.VerifyEvent(tc.r, eventOptions())
			w := serve(h, tc.r)
			assert.Equal(t, tc.want, w.Code)
			assert.Empty(t, w.Body.String())
			if tc.stored {
				require.NoError(t, verifyErr)
				assert.Equal(t, []solusvm2.Event{verified}, stored)
				assertNoSecret(t, verified)
				return
			}
			assert.Empty(t, stored)
			var refused *provisioning.Error
			require.ErrorAs(t, verifyErr, &refused)
			assert.Equal(t, tc.want, refused.Status)
			assert.Equal(t, "solusvm2", refused.Panel)
			assert.NotContains(t, fmt.Sprintf("%v %+v", verifyErr, verifyErr), "planted")
			assert.Equal(t, solusvm2.Event{}, verified)
		})
	}
}

func padded(query string, length int) string {
	return query + "&pad=" + strings.Repeat("x", length-len(query)-len("&pad="))
}

func assertNoSecret(t *testing.T, e solusvm2.Event) {
	t.Helper()
	text, err := json.Marshal(e)
	require.NoError(t, err)
	assert.NotContains(t, string(text)+fmt.Sprintf("%v %+v %#v", e, e, e), "planted-secret")
}

func TestEventHandlerNeedsSecretsAndAStore(t *testing.T) {
	t.Parallel()
	store := func(context.Context, solusvm2.Event) error { return nil }
	for _, tc := range []struct {
		name   string
		change func(*solusvm2.EventOptions)
		want   string
	}{
		{"no secrets", func(o *solusvm2.EventOptions) { o.Secrets = nil }, "Secrets: at least one"},
		{"an empty secret", func(o *solusvm2.EventOptions) { o.Secrets[0] = "" }, "Secrets"},
		{"a short secret", func(o *solusvm2.EventOptions) { o.Secrets[1] = "planted" }, "Secrets: number 2"},
		{"a secret's name that the panel uses", func(o *solusvm2.EventOptions) { o.SecretParam = "serverid" }, "SecretParam"},
		{"a secret's name that PHP would change", func(o *solusvm2.EventOptions) { o.SecretParam = "my.secret" }, "SecretParam"},
		{"a bad source", func(o *solusvm2.EventOptions) { o.AllowFrom = []netip.Prefix{{}} }, "AllowFrom"},
		{"a bad proxy", func(o *solusvm2.EventOptions) { o.TrustedProxies = nets("::/0") }, "TrustedProxies"},
		{"a bad limit", func(o *solusvm2.EventOptions) { o.MaxURLBytes = -1 }, "MaxURLBytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := eventOptions()
			tc.change(&o)
			h, err := solusvm2.NewEventHandler(o, store)
			assert.Nil(t, h)
			require.ErrorIs(t, err, provisioning.Invalid)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "planted")
			_, err = solusvm2.VerifyEvent(panelCall(""), o)
			require.ErrorContains(t, err, tc.want)
		})
	}
	h, err := solusvm2.NewEventHandler(eventOptions(), nil)
	assert.Nil(t, h)
	assert.ErrorContains(t, err, "store")
}

func TestTheSecretMayHaveAnotherName(t *testing.T) {
	t.Parallel()
	o := eventOptions()
	o.SecretParam = "token"
	e, err := solusvm2.VerifyEvent(panelCall("token="+newSecret+"&secret=mine&serverId=42"), o)
	require.NoError(t, err)
	assert.Equal(t, url.Values{"secret": {"mine"}}, e.Extra)
	assert.Equal(t, "token=redacted&secret=mine&serverId=42", e.RawQuery)
	_, err = solusvm2.VerifyEvent(panelCall("secret="+newSecret), o)
	assert.ErrorIs(t, err, provisioning.Unauthorized)
}

func TestRawQueryKeepsEverythingButTheSecret(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, query, want string }{
		{"the secret", "a=%41&secret=" + newSecret + "&b=;x", "a=%41&secret=redacted&b=;x"},
		{"the secret again", "secret=" + newSecret + "&secret=" + oldSecret, "secret=redacted&secret=redacted"},
		{"list forms and letter case", "secret=" + newSecret + "&SECRET=" + oldSecret + "&secret[]=x", "secret=redacted&SECRET=redacted&secret%5B%5D=redacted"},
		{"the user-defined parameters as one JSON text", "secret=" + newSecret + "&params=" + url.QueryEscape(`{"secret":"`+newSecret+`"}`), "secret=redacted&params=redacted"},
		{"the secret as a name", "secret=" + newSecret + "&x" + newSecret + "=1", "secret=redacted&redacted=redacted"},
		{"the secret as a name with the mask as its value", "secret=" + newSecret + "&" + newSecret + "=redacted", "secret=redacted&redacted=redacted"},
		{"the secret in escapes", "secret=" + newSecret + "&x=" + strings.Replace(newSecret, "p", "%70", 1), "secret=redacted&x=redacted"},
		{"empty pairs", "&&secret=" + newSecret + "&&a", "secret=redacted&a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e, err := solusvm2.VerifyEvent(panelCall(tc.query), eventOptions())
			require.NoError(t, err)
			assert.Equal(t, tc.want, e.RawQuery)
			assertNoSecret(t, e)
		})
	}
}

func TestSemicolonsAreOrdinaryText(t *testing.T) {
	t.Parallel()
	e, err := solusvm2.VerifyEvent(panelCall("note=a;b&secret="+newSecret+"&serverHostname=x%3By"), eventOptions())
	require.NoError(t, err)
	assert.Equal(t, "a;b", e.Extra.Get("note"))
	assert.Equal(t, "x;y", e.ServerHostname)
}

func TestEventHandlerAnswers503WhenNothingIsStored(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]func(context.Context, solusvm2.Event) error{
		"store fails":  func(context.Context, solusvm2.Event) error { return errors.New("disk full") },
		"store panics": func(context.Context, solusvm2.Event) error { panic("boom") },
		"the context ends": func(ctx context.Context, _ solusvm2.Event) error {
			<-ctx.Done()
			return ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := solusvm2.NewEventHandler(eventOptions(), store)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			assert.Equal(t, 503, serve(h, panelCall("secret="+newSecret).WithContext(ctx)).Code)
		})
	}
}

func TestForwardedAddressesCountBehindANamedProxy(t *testing.T) {
	t.Parallel()
	o := eventOptions()
	o.TrustedProxies = nets("10.0.0.0/8")
	r := panelCall("secret=" + newSecret)
	r.RemoteAddr = "10.0.0.5:1"
	r.Header.Set("X-Forwarded-For", "203.0.113.1, 192.0.2.1")
	_, err := solusvm2.VerifyEvent(r, o)
	require.NoError(t, err)
	r.Header.Set("X-Forwarded-For", "192.0.2.1, 203.0.113.1")
	_, err = solusvm2.VerifyEvent(r, o)
	assert.ErrorIs(t, err, provisioning.Forbidden)
}

func TestEventHandlerLogsNoSecret(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := eventOptions()
	o.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
	failing := false
	h, err := solusvm2.NewEventHandler(o, func(context.Context, solusvm2.Event) error {
		if failing {
			return errors.New("disk full")
		}
		return nil
	})
	require.NoError(t, err)
	query := "planted=planted&secret=" + newSecret
	serve(h, panelCall(query))
	serve(h, panelCall(query+"x"))
	serve(h, panelCall(query+"&%zz"))
	failing = true
	serve(h, panelCall(query))
	assert.Equal(t, 4, strings.Count(log.String(), "\n"))
	assert.NotContains(t, log.String(), "planted")
	o.Logger = nil
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v %v %+v %#v", o, o, o, h, &o, &h), "planted")
}

func TestTestRequestsAreWhatThePanelSends(t *testing.T) {
	t.Parallel()
	want, err := solusvm2.VerifyEvent(panelCall(fullQuery+"&event=ip_changed&secret="+newSecret), eventOptions())
	require.NoError(t, err)
	r, err := solusvm2.NewEventTestRequest(t.Context(), "https://billing.example.com/hooks/solus", eventOptions(), want)
	require.NoError(t, err)
	assert.Equal(t, http.MethodPost, r.Method)
	assert.Equal(t, "/hooks/solus", r.URL.Path)
	assert.Equal(t, fullQuery+"&event=ip_changed&secret="+newSecret, r.URL.RawQuery)
	r.RemoteAddr = "192.0.2.1:1"
	got, err := solusvm2.VerifyEvent(r, eventOptions())
	require.NoError(t, err)
	assert.Equal(t, want, got)

	_, err = solusvm2.NewEventTestRequest(t.Context(), "://", eventOptions(), want)
	require.ErrorIs(t, err, provisioning.Invalid)
	_, err = solusvm2.NewEventTestRequest(t.Context(), "https://billing.example.com", solusvm2.EventOptions{}, want)
	assert.ErrorIs(t, err, provisioning.Invalid)
}

func TestTestRequestsDistinguishAbsentAndEmpty(t *testing.T) {
	t.Parallel()
	r, err := solusvm2.NewEventTestRequest(t.Context(), "http://localhost", eventOptions(), solusvm2.Event{
		ServerID: provisioning.Null[solusvm2.ServerID](), ServerIPs: provisioning.Some(addrs()), UserAllowedIPs: provisioning.Some(nets("10.0.0.1/32", "10.1.0.0/16")),
	})
	require.NoError(t, err)
	query := r.URL.Query()
	assert.Equal(t, []string{""}, query["serverId"])
	assert.NotContains(t, query, "userId")
	assert.Equal(t, "[]", query.Get("serverIps"))
	assert.Equal(t, `["10.0.0.1","10.1.0.0/16"]`, query.Get("userAllowedIps"))
}

func TestEventSetupIsReadyToPaste(t *testing.T) {
	t.Parallel()
	s, err := solusvm2.NewEventSetup(eventOptions(), solusvm2.EventSetupRequest{
		Name: "billing-ip", URL: "https://billing.example.com/hooks/solus", Event: solusvm2.EventAdditionalIP, Tag: "ip_changed", Extra: map[string]string{"handler": "prod<eu1>"},
	})
	require.NoError(t, err)
	assert.Equal(t, `{"event":"ip_changed","handler":"prod<eu1>","secret":"`+newSecret+`"}`, s.Parameters.Reveal())
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", s, s, s), "planted")
	var text strings.Builder
	n, err := s.WriteTo(&text)
	require.NoError(t, err)
	assert.Equal(t, int64(text.Len()), n)
	for _, want := range []string{"Settings > Event Handlers > Add Webhook", "billing-ip", s.URL, "Add or remove an additional IP", s.Parameters.Reveal()} {
		assert.Contains(t, text.String(), want)
	}

	// What was pasted comes back as parameters that the receiver accepts.
	var parameters map[string]string
	require.NoError(t, json.Unmarshal([]byte(s.Parameters.Reveal()), &parameters))
	query := url.Values{"serverId": {"42"}}
	for name, value := range parameters {
		query.Set(name, value)
	}
	e, err := solusvm2.VerifyEvent(panelCall(query.Encode()), eventOptions())
	require.NoError(t, err)
	assert.Equal(t, "ip_changed", e.Tag())
	assert.Equal(t, "prod<eu1>", e.Extra.Get("handler"))
}

func TestEventSetupRefusesWhatWouldNotWork(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*solusvm2.EventOptions, *solusvm2.EventSetupRequest)
		want   string
	}{
		{"no secret", func(o *solusvm2.EventOptions, _ *solusvm2.EventSetupRequest) { o.Secrets = nil }, "Secrets"},
		{"no name", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) { r.Name = " " }, "Name"},
		{"a name of two lines", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) { r.Name = "a\nb" }, "Name"},
		{"no event", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) { r.Event = "" }, "Event"},
		{"a relative URL", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) { r.URL = "/hooks" }, "URL"},
		{"another scheme", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) { r.URL = "ftp://billing.example.com" }, "URL"},
		{"a URL with a query", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) { r.URL += "?a=1" }, "URL"},
		{"a URL with an empty query", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) { r.URL += "?" }, "URL"},
		{"a URL with a password", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) {
			r.URL = "https://u:planted@billing.example.com"
		}, "URL"},
		{"no tag", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) { r.Tag = "" }, "Tag"},
		{"a tag with blanks", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) { r.Tag = "a b" }, "Tag"},
		{"an extra parameter of the panel", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) {
			r.Extra = map[string]string{"ServerID": "1"}
		}, "Extra"},
		{"an extra secret", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) {
			r.Extra = map[string]string{"secret": "1"}
		}, "Extra"},
		{"an extra event", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) {
			r.Extra = map[string]string{"event": "1"}
		}, "Extra"},
		{"an extra parameter without a plain name", func(_ *solusvm2.EventOptions, r *solusvm2.EventSetupRequest) { r.Extra = map[string]string{"a.b": "1"} }, "Extra"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o, r := eventOptions(), solusvm2.EventSetupRequest{Name: "n", URL: "https://billing.example.com/h", Event: "e", Tag: "t"}
			tc.change(&o, &r)
			_, err := solusvm2.NewEventSetup(o, r)
			require.ErrorIs(t, err, provisioning.Invalid)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "planted")
		})
	}
}

// inbox stores events by server id, and fails for every tenth server.
type inbox struct {
	mu     sync.Mutex
	stored map[solusvm2.ServerID]int
}

func (b *inbox) store(_ context.Context, e solusvm2.Event) error {
	id := e.ServerID.Or(0)
	if id%10 == 0 {
		return errors.New("database is locked")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stored[id]++
	return nil
}

func TestABurstLosesNothingThatWasAccepted(t *testing.T) {
	t.Parallel()
	const calls, workers = 10_000, 16
	box := &inbox{stored: map[solusvm2.ServerID]int{}}
	o := solusvm2.EventOptions{Secrets: []provisioning.Secret{newSecret}, AllowFrom: nets("127.0.0.0/8", "::1/128")}
	h, err := solusvm2.NewEventHandler(o, box.store)
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
				answers[id] = send(t, server, o, solusvm2.ServerID(id))
			}
		})
	}
	for id := 1; id <= calls; id++ {
		ids <- id
	}
	close(ids)
	wg.Wait()

	for id := 1; id <= calls; id++ {
		want, stored := http.StatusNoContent, 1
		if id%10 == 0 {
			want, stored = http.StatusServiceUnavailable, 0
		}
		if answers[id] != want || box.stored[solusvm2.ServerID(id)] != stored {
			t.Fatalf("server %d: answer %d, want %d; stored %d times, want %d", id, answers[id], want, box.stored[solusvm2.ServerID(id)], stored)
		}
	}
	assert.Len(t, box.stored, calls-calls/10)
}

func send(t *testing.T, server *httptest.Server, o solusvm2.EventOptions, id solusvm2.ServerID) int {
	r, err := solusvm2.NewEventTestRequest(t.Context(), server.URL, o, solusvm2.Event{ServerID: provisioning.Some(id)})
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

func FuzzVerifyEvent(f *testing.F) {
	for _, query := range []string{
		fullQuery, fullQuery + "&event=ip_changed&handler=prod-eu1",
		"serverStatus=not%20exist", "serverStatus=not+exist", "serverStatus=not exists", "serverStatus=n%C3%A3o+existe",
		"serverIps[]=192.0.2.1&serverIps[]=192.0.2.2", "serverIps%5B1%5D=192.0.2.1&serverIps%5B0%5D=192.0.2.2", "serverIps=192.0.2.1&serverIps=2001:db8::1",
		"serverIps=192.0.2.1,2001:db8::1", `serverIps=[{"ip":"192.0.2.1"},null,5]`, `serverIps=["`, "serverIps=[]&userAllowedIps=null", `userAllowedIps=["10.0.0.0/8"]`,
		"crId=&serverId=null&userId=x", "serverId=1&serverId=2", "secret=wrong", "secret=" + oldSecret, "a=" + newSecret, newSecret + "=redacted", "%zz", "a;b=c;d", "\x00=\xff",
		strings.Repeat("serverIps[]=::1&", 900), "pad=" + strings.Repeat("%22", 21<<10),
	} {
		f.Add(query)
	}
	o := solusvm2.EventOptions{Secrets: []provisioning.Secret{newSecret, oldSecret}}
	f.Fuzz(func(t *testing.T, query string) {
		if _, err := solusvm2.VerifyEvent(panelCall(query), o); err == nil {
			if decoded, err := url.QueryUnescape(query); err != nil || !strings.Contains(decoded, "secret="+newSecret) && !strings.Contains(decoded, "secret="+oldSecret) {
				t.Fatalf("%q was accepted without a secret", query)
			}
		}
		e, err := solusvm2.VerifyEvent(panelCall("secret="+newSecret+"&"+query), o)
		if err != nil {
			var refused *provisioning.Error
			if !errors.As(err, &refused) || refused.Status != 400 && refused.Status != 414 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), newSecret) {
			t.Fatalf("the secret is in %s", text)
		}
		again, err := solusvm2.VerifyEvent(panelCall("secret="+newSecret+"&"+strings.TrimPrefix(e.RawQuery, "secret=redacted")), o)
		if err != nil {
			t.Fatalf("RawQuery %q cannot be decoded: %v", e.RawQuery, err)
		}
		if fmt.Sprint(again.ServerID, again.ServerIPs, again.ServerStatus, again.UserAllowedIPs, again.Extra) !=
			fmt.Sprint(e.ServerID, e.ServerIPs, e.ServerStatus, e.UserAllowedIPs, e.Extra) {
			t.Fatalf("RawQuery %q says something else than the event", e.RawQuery)
		}
	})
}

// discard is a ResponseWriter that keeps only the status.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// BenchmarkEventHandler compares the handler with a bare one that stores the same bytes: no checks, no decoding.
func BenchmarkEventHandler(b *testing.B) {
	query := fullQuery + "&event=ip_changed&secret=" + newSecret
	var mu sync.Mutex
	var table []byte
	insert := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		table = append(table[:0], text...)
	}
	verified, err := solusvm2.NewEventHandler(eventOptions(), func(_ context.Context, e solusvm2.Event) error { insert(e.RawQuery); return nil })
	require.NoError(b, err)
	for _, bc := range []struct {
		name string
		h    http.Handler
	}{
		{"ours", verified},
		{"bare", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			insert(r.URL.RawQuery)
			w.WriteHeader(http.StatusNoContent)
		})},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			r, w := panelCall(query), &discard{header: http.Header{}}
			for b.Loop() {
				bc.h.ServeHTTP(w, r)
			}
			if w.status != http.StatusNoContent {
				b.Fatalf("answer %d", w.status)
			}
		})
	}
	b.Run("ours over loopback", func(b *testing.B) { benchmarkLoopback(b, verified, query) })
	b.Run("bare over loopback", func(b *testing.B) {
		benchmarkLoopback(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			insert(r.URL.RawQuery)
			w.WriteHeader(http.StatusNoContent)
		}), query)
	})
}

func benchmarkLoopback(b *testing.B, h http.Handler, query string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "192.0.2.1:40000"
		h.ServeHTTP(w, r)
	}))
	defer server.Close()
	b.ReportAllocs()
	for b.Loop() {
		resp, err := server.Client().Post(server.URL+"?"+query, "", nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusNoContent {
			b.Fatalf("answer %d, %v", resp.StatusCode, err)
		}
	}
}
