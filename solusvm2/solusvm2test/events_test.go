package solusvm2test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// receiver takes the calls of webhooks without a network, at any host.
type receiver struct {
	answer http.HandlerFunc // nil answers 204

	mu    sync.Mutex
	calls []*http.Request
}

func (rc *receiver) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if b, err := io.ReadAll(r.Body); err != nil || len(b) > 0 {
			return nil, fmt.Errorf("the body is not empty: %q, %w", b, err)
		}
	}
	rc.mu.Lock()
	rc.calls = append(rc.calls, r)
	rc.mu.Unlock()
	w := httptest.NewRecorder()
	if rc.answer == nil {
		w.WriteHeader(http.StatusNoContent)
	} else {
		rc.answer(w, r)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// queries are the parameters of the calls so far, once all of them are made. It needs a bubble.
func (rc *receiver) queries() []url.Values {
	synctest.Wait()
	rc.mu.Lock()
	defer rc.mu.Unlock()
	var list []url.Values
	for _, r := range rc.calls {
		list = append(list, r.URL.Query())
	}
	return list
}

const hookURL = "https://billing.example.com/hooks/solusvm2"

func (a *api) handle(h EventHandler) EventHandler {
	a.t.Helper()
	h.URL = hookURL
	if h.Name == "" {
		h.Name = "handler"
	}
	h.Enabled = true
	h, err := a.p.AddEventHandler(h)
	require.NoError(a.t, err)
	return h
}

func TestAWebhookIsAPOSTWithEverythingInItsURL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rc := &receiver{}
		a := newAPI(t, WithWebhooks(rc))
		ann := a.p.AddUser(User{Email: "ann+1@example.com", BillingUserID: "1001", AllowedIPs: []string{"10.0.0.0/8", "127.0.0.1"}})
		s := a.foreign(Server{UserID: ann, Name: "web-1.example.com"})
		a.handle(EventHandler{Events: []string{EventAdditionalIP}, Parameters: `{"secret":"p4ss & w0rd","event":"ip"}`})
		a.want(200, "POST", serverPath(s.ID, "/ips"), obj{"count": 1})
		time.Sleep(5 * time.Second)
		synctest.Wait()

		require.Len(t, rc.calls, 1)
		r := rc.calls[0]
		assert.Equal(t, "POST", r.Method)
		assert.Equal(t, "billing.example.com/hooks/solusvm2", r.URL.Host+r.URL.Path)
		assert.Zero(t, r.ContentLength)
		assert.Equal(t, "crId=6&crHostname=ams-1.solusvm2.test&crStatus=active&crLicenseType=standard&serverId=101"+
			"&serverIps=%5B%22198.18.0.2%22%2C%22198.18.0.3%22%5D&serverHostname=web-1.example.com&serverUuid="+s.UUID+"&serverStatus=started"+
			"&userId=2&billingUserId=1001&userEmail=ann%2B1%40example.com&userStatus=active&userAllowedIps=%5B%2210.0.0.0%2F8%22%2C%22127.0.0.1%22%5D"+
			"&event=ip&secret=p4ss+%26+w0rd", r.URL.RawQuery)

		d := a.p.Deliveries()
		require.Len(t, d, 1)
		assert.Equal(t, []any{EventAdditionalIP, 204, true, false, 0}, []any{d[0].Event, d[0].Status, d[0].Done, d[0].Failed, d[0].Redirects})
		assert.NotContains(t, fmt.Sprintf("%+v %#v", d, d), "p4ss")
		assert.NotContains(t, fmt.Sprintf("%+v %#v", a.p.EventHandlers(), a.p.EventHandlers()), "p4ss")
		task := a.get(fmt.Sprintf("/tasks/%d", d[0].TaskID))
		assert.Equal(t, []any{"webhook", "done"}, []any{dig(task, "data", "action"), dig(task, "data", "status")})
		assert.Equal(t, 1.0, dig(a.get("/activity_logs?filter[event]=external_integration_requested"), "meta", "total"))
	})
}

func TestHandlersFireOnRealChangesWhoeverCausedThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rc := &receiver{}
		a := newAPI(t, WithWebhooks(rc))
		for _, event := range Events() {
			params, err := json.Marshal(obj{"event": event})
			require.NoError(t, err)
			a.handle(EventHandler{Name: event, Events: []string{event}, Parameters: provisioning.Secret(params)})
		}
		// events waits and returns what fired since the last time.
		seen := 0
		events := func(wait time.Duration) []string {
			time.Sleep(wait) // nothing looks at the panel meanwhile
			var list []string
			all := rc.queries()
			for _, q := range all[seen:] {
				list = append(list, q.Get("event"))
			}
			seen = len(all)
			slices.Sort(list)
			return list
		}
		last := func() url.Values { return rc.queries()[seen-1] }

		ann := id(a.want(201, "POST", "/users", obj{"email": "ann@example.com"}))
		assert.Equal(t, []string{EventUserCreated}, events(0))
		assert.Equal(t, []string{"", "", "[]", "ann@example.com", "[]"},
			[]string{last().Get("crId"), last().Get("serverId"), last().Get("serverIps"), last().Get("userEmail"), last().Get("userAllowedIps")})
		project := a.p.Users()[1].ProjectID

		server := id(a.as(ann).want(201, "POST", fmt.Sprintf("/projects/%d/servers", project), projectOrder()))
		assert.Empty(t, events(30*time.Second-1), "not before the server is there")
		assert.Equal(t, []string{EventServerCreated}, events(1))
		assert.Equal(t, []string{"started", `["198.18.0.2"]`, "2"}, []string{last().Get("serverStatus"), last().Get("serverIps"), last().Get("userId")})

		a.as(ann).want(200, "POST", serverPath(server, "/ips"), nil)
		assert.Equal(t, []string{EventAdditionalIP}, events(5*time.Second))
		extra := dig(a.get(serverPath(server, "")), "data", "ip_addresses", "ipv4", 1, "id")
		a.want(204, "DELETE", serverPath(server, "/ips"), obj{"ids": []any{extra}})
		assert.Equal(t, []string{EventAdditionalIP}, events(5*time.Second))
		assert.Equal(t, `["198.18.0.2"]`, last().Get("serverIps"), "after the change")
		a.p.FailNext(TaskNetwork, TaskFailed, "no")
		a.want(200, "POST", serverPath(server, "/ips"), nil)
		a.want(200, "POST", serverPath(a.foreign(Server{}).ID, "/restart"), nil)
		assert.Empty(t, events(time.Minute), "nothing was added, and a restart is no event")

		_, err := a.p.Migrate(server, NodeAmsterdam2)
		require.NoError(t, err)
		assert.Equal(t, []string{EventServerMigrated}, events(40*time.Second), "the addresses are the same")
		_, err = a.p.Migrate(server, NodeFrankfurt)
		require.NoError(t, err)
		assert.Equal(t, []string{EventAdditionalIP, EventServerMigrated}, events(40*time.Second))
		assert.Equal(t, []string{`["198.18.32.2"]`, "fra-1.solusvm2.test"}, []string{last().Get("serverIps"), last().Get("crHostname")})
		_, err = a.p.Migrate(server, NodeFrankfurt)
		require.Error(t, err)

		a.as(ann).want(200, "DELETE", serverPath(server, ""), nil)
		assert.Equal(t, []string{EventServerDeleted}, events(5*time.Second))
		assert.Equal(t, []string{"not exist", itoa(server)}, []string{last().Get("serverStatus"), last().Get("serverId")})
		a.p.SetComputeResourceStatus(NodeFrankfurt, "unavailable")
		assert.Equal(t, []string{EventComputeResourceStatus}, events(0))
		assert.Equal(t, []string{"8", "unavailable", ""}, []string{last().Get("crId"), last().Get("crStatus"), last().Get("serverId")})
		a.p.SetComputeResourceStatus(NodeFrankfurt, "unavailable")
		a.want(204, "DELETE", fmt.Sprintf("/users/%d", ann), nil)
		assert.Equal(t, []string{EventUserDeleted}, events(0))
		for _, q := range rc.queries() {
			for _, name := range []string{
				"crId", "crHostname", "crStatus", "crLicenseType", "serverId", "serverIps", "serverHostname", "serverUuid", "serverStatus", "userId", "billingUserId",
				"userEmail", "userStatus", "userAllowedIps",
			} {
				assert.True(t, q.Has(name), "%s is always passed", name)
			}
		}
	})
}

func TestRedirectsAreFollowedFiveTimes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		status   int
		hops     int
		location string // of the last hop; "" for one that takes the query along
		failed   bool
		method   string
		secret   bool // at the end
	}{
		{"302 turns POST into GET and loses the query", 302, 1, "/end", false, "GET", false},
		{"301 does so too", 301, 1, "/end", false, "GET", false},
		{"303 does so too", 303, 1, "/end", false, "GET", false},
		{"307 keeps POST", 307, 1, "/end", false, "POST", false},
		{"308 keeps POST, and the query when its address has it", 308, 1, "", false, "POST", true},
		{"five", 307, 5, "", false, "POST", true},
		{"six", 307, 6, "", true, "", false},
		{"to a receiver that refuses", 302, 2, "/refuse", true, "GET", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				hops := 0
				rc := &receiver{answer: func(w http.ResponseWriter, r *http.Request) {
					switch {
					case r.URL.Path == "/refuse":
						w.WriteHeader(http.StatusForbidden)
						return
					case hops == tt.hops:
						w.WriteHeader(http.StatusOK)
						return
					}
					hops++
					to := tt.location
					if hops < tt.hops || to == "" {
						to = "/hop?" + r.URL.RawQuery
					}
					w.Header().Set("Location", to)
					w.WriteHeader(tt.status)
				}}
				a := newAPI(t, WithWebhooks(rc))
				a.handle(EventHandler{Events: []string{EventUserCreated}, Parameters: `{"secret":"s3cret"}`})
				a.want(201, "POST", "/users", obj{"email": "ann@example.com"})
				synctest.Wait()
				d := a.p.Deliveries()[0]
				assert.Equal(t, tt.failed, d.Failed, d.Reason)
				assert.NotContains(t, d.Reason, "s3cret")
				last := rc.calls[len(rc.calls)-1]
				for _, r := range rc.calls[1:] {
					assert.Empty(t, r.Header.Get("Referer"), "it would hold the secret")
				}
				if tt.method == "" {
					assert.Len(t, rc.calls, 6)
					return
				}
				assert.Equal(t, []any{tt.method, tt.secret, tt.hops}, []any{last.Method, last.URL.Query().Get("secret") == "s3cret", d.Redirects})
			})
		})
	}
}

func TestAFailedCallIsAFailedTaskAndNotRepeated(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		wait   time.Duration
		failed bool
		reason string
	}{
		{"200", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 3<<20)) }, 0, false, ""},
		{"400", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }, 0, true, "The receiver answered 400."},
		{"401", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, 0, true, "The receiver answered 401."},
		{"503", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, 0, true, "The receiver answered 503."},
		{"an answer that never comes", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 30 * time.Second, true, "context deadline exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rc := &receiver{answer: tt.answer}
				a := newAPI(t, WithWebhooks(rc))
				a.handle(EventHandler{Events: []string{EventUserCreated}, Parameters: `{"secret":"s3cret"}`})
				a.want(201, "POST", "/users", obj{"email": "ann@example.com"})
				if synctest.Wait(); tt.wait > 0 {
					assert.Equal(t, "running", dig(a.get("/tasks"), "data", 0, "status"))
					time.Sleep(tt.wait)
				}
				time.Sleep(24 * time.Hour)
				task := a.get("/tasks?filter[action]=webhook")
				assert.Equal(t, tt.failed, dig(task, "data", 0, "status") == "failed")
				assert.Equal(t, tt.reason, dig(task, "data", 0, "output"))
				assert.Len(t, rc.calls, 1)
			})
		})
	}
}

func TestCloseEndsCallsThatHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPanel(Options{Webhooks: &receiver{answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}})
		_, err := p.AddEventHandler(EventHandler{Name: "h", URL: hookURL, Events: []string{EventComputeResourceStatus, EventServerDeleted}, Enabled: true})
		require.NoError(t, err)
		a := &api{t, p, p.Token()}
		a.want(200, "DELETE", serverPath(a.foreign(Server{}).ID, ""), nil)
		p.SetComputeResourceStatus(NodeFrankfurt, "failed")
		synctest.Wait()
		start := time.Now()
		p.Close()
		assert.Zero(t, time.Since(start))
		d := p.Deliveries()
		require.Len(t, d, 1)
		assert.True(t, d[0].Failed)
		time.Sleep(time.Minute)
		assert.Len(t, p.Servers(), 1, "what ends after that is still known")
		assert.False(t, p.Deliveries()[1].Done, "and calls nobody")
	})
}

func TestOverTheNetworkNoCertificateIsChecked(t *testing.T) {
	t.Parallel()
	arrived := make(chan url.Values, 10)
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- r.URL.Query()
		w.WriteHeader(http.StatusNoContent)
	}))
	defer web.Close()
	a := newAPI(t, WithTiming(Timing{Network: time.Millisecond}))
	s := a.foreign(Server{})
	for _, target := range []string{web.URL + "/hook?own=1", "http://127.0.0.1:1/"} { // nobody listens at port 1
		_, err := a.p.AddEventHandler(EventHandler{Name: target, URL: target, Events: []string{EventAdditionalIP}, Enabled: true})
		require.NoError(t, err)
	}
	a.want(200, "POST", serverPath(s.ID, "/ips"), nil)
	q := <-arrived
	assert.Equal(t, itoa(s.ID), q.Get("serverId"))
	assert.False(t, q.Has("own"), "a query of its own is replaced")
	require.Eventually(t, func() bool {
		d := a.p.Deliveries()
		return len(d) == 2 && d[0].Done && d[1].Done
	}, 10*time.Second, time.Millisecond)
	d := a.p.Deliveries()
	assert.Equal(t, []bool{false, true}, []bool{d[0].Failed, d[1].Failed})
	assert.NotContains(t, d[1].Reason, "serverId")
}

func TestHandlersAreChangedSwitchedOffAndRemoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rc := &receiver{}
		a := newAPI(t, WithWebhooks(rc))
		h := a.handle(EventHandler{Events: []string{EventUserCreated}})
		n := 0
		fires := func() int {
			n++
			before := len(rc.queries())
			a.want(201, "POST", "/users", obj{"email": fmt.Sprintf("u%d@example.com", n)})
			return len(rc.queries()) - before
		}
		assert.Equal(t, 1, fires())
		second := a.handle(EventHandler{Name: "second", Events: []string{EventUserCreated, EventUserDeleted}})
		assert.Equal(t, 2, fires())
		h.Enabled = false
		require.NoError(t, a.p.ChangeEventHandler(h))
		assert.Equal(t, 1, fires())
		h.Enabled, h.Events, h.Parameters = true, []string{EventServerCreated}, `{"x":"y"}`
		require.NoError(t, a.p.ChangeEventHandler(h))
		assert.Equal(t, 1, fires())
		assert.Equal(t, []EventHandler{h, {ID: second.ID, Name: "second", URL: hookURL, Events: second.Events, Enabled: true, Parameters: "{}"}}, a.p.EventHandlers())
		require.NoError(t, a.p.RemoveEventHandler(second.ID))
		assert.Zero(t, fires())
		require.Error(t, a.p.RemoveEventHandler(second.ID))
		require.Error(t, a.p.ChangeEventHandler(second))
		require.Error(t, a.p.ChangeEventHandler(EventHandler{Name: "new", URL: hookURL, Events: Events()}))
		assert.Len(t, a.p.EventHandlers(), 1)
	})
}

func TestAHandlerThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.handle(EventHandler{Events: []string{EventUserCreated}})
	for name, tt := range map[string]struct {
		change func(*EventHandler)
		says   string
	}{
		"no name":             {func(h *EventHandler) { h.Name = " " }, "needs a name"},
		"a name that is used": {func(h *EventHandler) { h.Name = "handler" }, `name "handler"`},
		"no URL":              {func(h *EventHandler) { h.URL = "" }, "URL"},
		"another scheme":      {func(h *EventHandler) { h.URL = "ftp://example.com" }, "URL"},
		"no events":           {func(h *EventHandler) { h.Events = nil }, "needs an event"},
		"an unknown event":    {func(h *EventHandler) { h.Events = []string{"server.create"} }, EventAdditionalIP},
		"parameters: a list":  {func(h *EventHandler) { h.Parameters = `["s3cret"]` }, "JSON object"},
		"parameters: no JSON": {func(h *EventHandler) { h.Parameters = `{"s3cret"` }, "JSON object"},
		"parameters: two":     {func(h *EventHandler) { h.Parameters = `{}{"a":"s3cret"}` }, "JSON object"},
	} {
		h := EventHandler{Name: "new", URL: hookURL, Events: []string{EventUserCreated}}
		tt.change(&h)
		_, err := a.p.AddEventHandler(h)
		require.ErrorContains(t, err, tt.says, name)
		assert.NotContains(t, err.Error(), "s3cret")
	}
	assert.Len(t, a.p.EventHandlers(), 1)
}

func TestNestedParametersAreWrittenAsPHPDoes(t *testing.T) {
	t.Parallel()
	got, err := extraParams(json.RawMessage(`{"b":{"y":2,"x":[true,null,"z"]},"a":1.50,"c":null,"d":false,"serverId":"mine"}`))
	require.NoError(t, err)
	assert.Equal(t, []pair{{"a", "1.50"}, {"b[x][0]", "1"}, {"b[x][2]", "z"}, {"b[y]", "2"}, {"d", "0"}, {"serverId", "mine"}}, got)
}

func TestHandlersAreManagedOverHTTP(t *testing.T) {
	t.Parallel()
	a := newAPI(t, WithWebhooks(&receiver{}))
	do := func(method, path, in string) (int, string) {
		w := httptest.NewRecorder()
		a.p.EventHandlersAPI().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(in)))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	one := `{"id":1,"name":"ip","url":"` + hookURL + `","events":["` + EventAdditionalIP + `"],"parameters":{"secret":"s"},"enabled":true}`
	for _, tt := range []struct {
		method, path, in string
		status           int
		out              string
	}{
		{"GET", "/_sim/event-handlers", "", 200, `[]`},
		{"POST", "/_sim/event-handlers", strings.Replace(one, `"id":1,`, "", 1), 201, one},
		{"POST", "/_sim/event-handlers", one, 422, "there is an event handler with the name"},
		{"POST", "/_sim/event-handlers", `{"name":"x","colour":"red"}`, 400, "wanted a JSON object"},
		{"POST", "/_sim/event-handlers", "", 400, "wanted a JSON object"},
		{"GET", "/_sim/event-handlers/1", "", 200, one},
		{"GET", "/_sim/event-handlers", "", 200, "[" + one + "]"},
		{"PATCH", "/_sim/event-handlers/1", `{"enabled":false}`, 200, strings.Replace(one, `"enabled":true`, `"enabled":false`, 1)},
		{"PATCH", "/_sim/event-handlers/1", `{"id":7,"events":[]}`, 422, "needs an event"},
		{"PATCH", "/_sim/event-handlers/7", `{"enabled":false}`, 404, "no such event handler"},
		{"GET", "/_sim/event-handlers/x", "", 404, "no such event handler"},
		{"GET", "/_sim/events", "", 200, EventAdditionalIP},
		{"GET", "/_sim/deliveries", "", 200, `[]`},
		{"DELETE", "/_sim/event-handlers/1", "", 204, ""},
		{"DELETE", "/_sim/event-handlers/1", "", 404, "no such event handler"},
		{"GET", "/api/v1/event_handlers", "", 404, ""},
	} {
		status, body := do(tt.method, tt.path, tt.in)
		assert.Equal(t, tt.status, status, "%s %s: %s", tt.method, tt.path, body)
		assert.Contains(t, body, tt.out)
	}
	a.handle(EventHandler{Events: []string{EventUserCreated}, Parameters: `{"secret":"s3cret"}`})
	a.want(201, "POST", "/users", obj{"email": "ann@example.com"})
	_, body := do("GET", "/_sim/deliveries", "")
	assert.Contains(t, body, `"event":"Create a user"`)
	assert.NotContains(t, body, "s3cret")
}

func TestManyHandlersAndChangesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rc := &receiver{answer: func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			w.WriteHeader(http.StatusNoContent)
		}}
		a := newAPI(t, WithWebhooks(rc))
		for n := range 3 {
			a.handle(EventHandler{Name: itoa(int64(n)), Events: []string{EventServerCreated}})
		}
		var clients sync.WaitGroup
		for range 40 {
			clients.Go(func() {
				status, body, err := a.send(t.Context(), "POST", "/servers", nodeOrder())
				assert.NoError(t, err)
				assert.Equal(t, 201, status, body)
			})
		}
		clients.Wait()
		time.Sleep(31 * time.Second)
		assert.Len(t, rc.queries(), 120)
		for _, d := range a.p.Deliveries() {
			assert.True(t, d.Done && !d.Failed)
		}
	})
}

func TestAConnectionErrorIsAFailedTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, WithWebhooks(brokenTransport{}))
		a.handle(EventHandler{Events: []string{EventUserCreated}, Parameters: `{"secret":"s3cret"}`})
		a.want(201, "POST", "/users", obj{"email": "ann@example.com"})
		synctest.Wait()
		d := a.p.Deliveries()[0]
		assert.Equal(t, []any{true, 0, "connection refused"}, []any{d.Failed, d.Status, d.Reason})
	})
}

type brokenTransport struct{}

func (brokenTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}
