package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

// orderSolusVM2 makes a server on the SolusVM 2 panel, as a client of a real one does, and waits until it runs.
func orderSolusVM2(t *testing.T, p *program, key string) provisioning.Instance {
	t.Helper()
	client, err := solusvm2.New(p.env["SOLUSVM2_URL"], provisioning.Secret(p.env["SOLUSVM2_TOKEN"]))
	require.NoError(t, err)
	panel := solusvm2.NewProvider(client, solusvm2.ProviderOptions{})
	plan, err := provisioning.FindPlan(t.Context(), panel, "VPS M")
	require.NoError(t, err)
	image, err := provisioning.FindImage(t.Context(), panel, plan.ID, "Debian 12")
	require.NoError(t, err)
	c, err := provisioning.CreateOnce(t.Context(), panel, &provisioning.MemIntents{}, provisioning.CreateRequest{
		Key: key, Hostname: key + ".example.com", Plan: plan.ID, Image: image.ID, Owner: provisioning.Owner{Ref: "123", Email: "ann@example.com"}, IPv4: 1,
	}, provisioning.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, c.Wait(t.Context(), provisioning.WaitOptions{}))
	i, err := panel.Instance(t.Context(), c.ID)
	require.NoError(t, err)
	return i
}

func TestTheSolusVM2PanelIsUsedLikeARealOne(t *testing.T) {
	t.Parallel()
	p := start(t, "-solusvm2-token", "another-token", "-virtfusion", "", "-ospab", "")
	assert.Equal(t, map[string]string{"SOLUSVM2_URL": p.env["SOLUSVM2_URL"], "SOLUSVM2_TOKEN": "another-token"}, p.env)
	i := orderSolusVM2(t, p, "order-1")
	assert.Equal(t, provisioning.StateOnline, i.State())
	servers := get[[]solusVM2Server](t, p.env["SOLUSVM2_URL"]+"/_sim/servers")
	require.Len(t, servers, 1)
	s := servers[0]
	assert.Equal(t, []any{i.UUID, "order-1.example.com", "order-1", 1, true, false}, []any{s.UUID, s.Name, s.Description, s.Builds, s.Running, s.Busy})
	assert.Equal(t, []int64{2048, 2, 40}, []int64{s.MemoryMiB, s.VCPUs, s.DiskGiB})
	assert.Len(t, s.IPv4, 1)

	send(t, "POST", p.env["SOLUSVM2_URL"]+"/_sim/faults", `[{"op": "createServer", "do": "cut after"}]`)
	orderSolusVM2(t, p, "order-2")
	assert.Len(t, get[[]solusVM2Server](t, p.env["SOLUSVM2_URL"]+"/_sim/servers"), 2, "the lost one was found, not made again")
}

// receiver is a receiver of webhooks as a user of this module builds one.
type receiver struct {
	url    string
	events chan solusvm2.Event
}

const webhookSecret = "a-secret-of-this-test"

func newReceiver(t *testing.T, store func(solusvm2.Event) error) receiver {
	t.Helper()
	r := receiver{events: make(chan solusvm2.Event, 10)}
	handler, err := solusvm2.NewEventHandler(solusvm2.EventOptions{Secrets: []provisioning.Secret{webhookSecret}}, func(_ context.Context, e solusvm2.Event) error {
		if store != nil {
			return store(e)
		}
		r.events <- e
		return nil
	})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	r.url = server.URL + "/webhook"
	return r
}

// next is the next event that was received.
func (r receiver) next(t *testing.T) solusvm2.Event {
	t.Helper()
	select {
	case e := <-r.events:
		return e
	case <-time.After(10 * time.Second):
		require.Fail(t, "no webhook was called")
		return solusvm2.Event{}
	}
}

// delivery is a row of /_sim/deliveries.
type delivery struct {
	Event  string `json:"event"`
	Status int    `json:"status"`
	Done   bool   `json:"done"`
	Failed bool   `json:"failed"`
	Reason string `json:"reason"`
}

// deliveries waits until n calls were made and have ended.
func deliveries(t *testing.T, url string, n int) []delivery {
	t.Helper()
	var list []delivery
	require.Eventually(t, func() bool {
		list = get[[]delivery](t, url+"/_sim/deliveries")
		for _, d := range list {
			if !d.Done {
				return false
			}
		}
		return len(list) >= n
	}, 10*time.Second, 10*time.Millisecond)
	return list
}

func handlerFor(r receiver, name, secret, event string) string {
	return `{"name": "` + name + `", "url": "` + r.url + `", "events": ["` + event + `"], "parameters": {"secret": "` + secret + `", "event": "` + name + `"}, "enabled": true}`
}

func TestAnEventHandlerCallsAReceiverOverTheNetwork(t *testing.T) {
	t.Parallel()
	p, r := start(t), newReceiver(t, nil)
	url := p.env["SOLUSVM2_URL"]
	handlers := url + "/_sim/event-handlers"
	const form = "Content-Type: application/x-www-form-urlencoded" // what curl -d sends

	status, made := send(t, "POST", handlers, handlerFor(r, "server_created", webhookSecret, "Create a server"), form)
	require.Equal(t, http.StatusCreated, status, made)
	assert.Equal(t, 1.0, made["id"])
	status, made = send(t, "POST", handlers, handlerFor(r, "ip_changed", webhookSecret, solusvm2.EventAdditionalIP), form)
	require.Equal(t, http.StatusCreated, status, made)

	i := orderSolusVM2(t, p, "order-1")
	e := r.next(t)
	assert.Equal(t, "server_created", e.Tag())
	assert.Equal(t, string(i.ID), e.ServerID.String())
	assert.Equal(t, []string{i.UUID, "123", "ann@example.com", "started"}, []string{e.ServerUUID, e.BillingUserID, e.UserEmail, string(e.ServerStatus)})
	assert.NotContains(t, e.RawQuery, webhookSecret)
	assert.Empty(t, e.Problems)
	assert.Equal(t, []delivery{{Event: "Create a server", Status: http.StatusNoContent, Done: true}}, deliveries(t, url, 1))

	status, changed := send(t, "PATCH", handlers+"/1", `{"enabled": false}`, form)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, []any{"server_created", false}, []any{changed["name"], changed["enabled"]})
	orderSolusVM2(t, p, "order-2")
	assert.Len(t, deliveries(t, url, 1), 1, "it is switched off")

	status, _ = send(t, "PATCH", handlers+"/1", `{"enabled": true}`, form)
	assert.Equal(t, http.StatusOK, status)
	i = orderSolusVM2(t, p, "order-3")
	assert.Equal(t, string(i.ID), r.next(t).ServerID.String())

	status, _ = send(t, "DELETE", handlers+"/1", "")
	assert.Equal(t, http.StatusNoContent, status)
	assert.Len(t, get[[]map[string]any](t, handlers), 1)
	orderSolusVM2(t, p, "order-4")
	assert.Len(t, deliveries(t, url, 2), 2, "it is gone")
	assert.Empty(t, r.events)
}

func TestTheReceiversAnswerIsWhatTheDeliverySays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		secret string
		store  func(solusvm2.Event) error
		status int
		reason string
	}{
		"another secret":            {"another-secret-of-a-test", nil, http.StatusUnauthorized, "The receiver answered 401."},
		"the event is not stored":   {webhookSecret, func(solusvm2.Event) error { return errors.New("the disk is full") }, http.StatusServiceUnavailable, "The receiver answered 503."},
		"nobody listens any longer": {webhookSecret, nil, 0, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, r := start(t), newReceiver(t, c.store)
			if c.status == 0 {
				gone := httptest.NewServer(nil)
				r.url = gone.URL
				gone.Close()
			}
			url := p.env["SOLUSVM2_URL"]
			status, answer := send(t, "POST", url+"/_sim/event-handlers", handlerFor(r, "shop", c.secret, "Create a server"))
			require.Equal(t, http.StatusCreated, status, answer)
			orderSolusVM2(t, p, "order-1")
			got := deliveries(t, url, 1)
			require.Len(t, got, 1)
			assert.True(t, got[0].Failed)
			assert.Equal(t, c.status, got[0].Status)
			assert.Contains(t, got[0].Reason, c.reason)
			assert.NotContains(t, got[0].Reason, c.secret)
		})
	}
}

func TestEventHandlersThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	p, r := start(t), receiver{url: "http://127.0.0.1:9000/webhook"}
	handlers := p.env["SOLUSVM2_URL"] + "/_sim/event-handlers"
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"no JSON":               {"POST", "", "name=shop", http.StatusBadRequest, "wanted a JSON object with name, url, events, parameters and enabled"},
		"an unknown event":      {"POST", "", handlerFor(r, "shop", webhookSecret, "Paint a server"), http.StatusUnprocessableEntity, `there is no event "Paint a server"`},
		"no URL":                {"POST", "", handlerFor(receiver{}, "shop", webhookSecret, "Create a server"), http.StatusUnprocessableEntity, "needs the http or https URL"},
		"one that is not there": {"PATCH", "/7", `{"enabled": false}`, http.StatusNotFound, "there is no such event handler"},
		"another path":          {"GET", "-of-another-kind", "", http.StatusNotFound, "there are GET /_sim/servers, POST /_sim/faults and DELETE /_sim/faults, and /_sim/event-handlers, /_sim/events"},
	} {
		status, answer := send(t, c.method, handlers+c.path, c.body)
		assert.Equal(t, c.status, status, name)
		assert.Contains(t, answer["error"], c.want, name)
	}
	assert.Empty(t, get[[]any](t, handlers))
	assert.Contains(t, get[[]string](t, p.env["SOLUSVM2_URL"]+"/_sim/events"), "Create a server")
	status, _ := send(t, "GET", p.env["VIRTFUSION_URL"]+"/_sim/event-handlers", "")
	assert.Equal(t, http.StatusNotFound, status, "the VirtFusion panel has none")
}

func TestEventHandlersAreKeptInTheStateFile(t *testing.T) {
	t.Parallel()
	file, r := filepath.Join(t.TempDir(), "state.json"), newReceiver(t, nil)
	p := start(t, "-state", file)
	status, answer := send(t, "POST", p.env["SOLUSVM2_URL"]+"/_sim/event-handlers", handlerFor(r, "server_created", webhookSecret, "Create a server"))
	require.Equal(t, http.StatusCreated, status, answer)
	kept, err := readState(file, nil)
	require.NoError(t, err)
	assert.Contains(t, string(kept.parts["solusvm2"]), "server_created", "it is written while the program runs")
	assert.Zero(t, p.end())

	p = start(t, "-state", file)
	i := orderSolusVM2(t, p, "order-1")
	assert.Equal(t, string(i.ID), r.next(t).ServerID.String())
	assert.Len(t, get[[]map[string]any](t, p.env["SOLUSVM2_URL"]+"/_sim/event-handlers"), 1)
	assert.Zero(t, p.end())
	assert.Empty(t, p.stderr.String())
}
