package main

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

func TestAnOSPABPanelThatFailsNeverFailsAnOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil  func(r *rig)
		repair func(r *rig)
		why    string
	}{
		"it refuses the key": {
			func(r *rig) { r.ospab.SetKey("another key of thirty-two letters!") }, func(r *rig) { r.ospab.SetKey(ospabpaneltest.DefaultKey) },
			"panel ospab is paused (credentials: ",
		},
		"it has no sync API": {
			func(r *rig) {
				r.ospab.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 404, Body: "404 page not found\n", Times: -1})
			}, func(r *rig) { r.ospab.Faults().Clear() }, "panel ospab is paused (address: ",
		},
		"it is overloaded": {
			func(r *rig) {
				r.ospab.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 429, Times: -1})
			}, func(r *rig) { r.ospab.Faults().Clear() }, "rate limited",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newSite(t)
			c.spoil(r)
			r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
			d := r.until("order-1", func(d serviceDocument) bool { return d.State == engine.Ready && strings.Contains(d.Why, c.why) })
			assert.False(t, d.AsDesired, "its record is not")
			assert.Empty(t, d.Record.ID)
			c.repair(r)
			r.until("order-1", asDesired)
			require.Len(t, r.ospab.Records(), 1)
			assert.Equal(t, "running", r.ospab.Records()[0].Status)
		})
	}
}

// TestWhileNobodyListensAtTheOSPABPanelServersAreMadeAndDeleted closes the panel's port, and opens it again.
func TestWhileNobodyListensAtTheOSPABPanelServersAreMadeAndDeleted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.ospabHTTP.Close()
	address := ownAddress(t)
	r.ospabHTTP = serveAt(t, address, r.ospab)
	r.env["OSPAB_PANEL_URL"] = r.ospabHTTP.URL
	r.begin()
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.until("order-1", asDesired)
	r.ospabHTTP.Close()

	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-2", "124"))
	d := r.until("order-2", func(d serviceDocument) bool { return online(d) && strings.Contains(d.Why, "connection refused") })
	assert.False(t, d.AsDesired)
	r.want(http.StatusAccepted, "DELETE", "/vps/order-1", "")
	d = r.until("order-1", func(d serviceDocument) bool { return d.State == engine.Gone })
	assert.False(t, d.AsDesired, "its record is still shown")
	assert.Len(t, r.ospab.Records(), 1)

	r.ospabHTTP = serveAt(t, address, r.ospab)
	r.until("order-1", asDesired)
	r.until("order-2", asDesired)
	require.Len(t, r.ospab.Records(), 1)
	assert.Equal(t, "order-2", r.ospab.Records()[0].Name)
	assert.Equal(t, "running", r.ospab.Records()[0].Status)
	assert.Equal(t, 2, r.vf.Count("createServer"))
}

// ownAddress is one with a port that the system gives to nobody by itself: no other test gets it while it is closed.
func ownAddress(t *testing.T) string {
	t.Helper()
	for range 20 {
		address := fmt.Sprintf("127.0.0.1:%d", 15000+rand.IntN(5000))
		if l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address); err == nil {
			require.NoError(t, l.Close())
			return address
		}
	}
	require.Fail(t, "no port is free")
	return ""
}

func serveAt(t *testing.T, address string, h http.Handler) *httptest.Server {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(h)
	require.NoError(t, server.Listener.Close())
	server.Listener = l
	server.Start()
	return server
}

func TestAVirtFusionPanelThatIsDownLosesNoOrder(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	r := newRig(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if down.Load() {
				http.Error(w, "<html>502</html>", http.StatusBadGateway)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	r.open(slog.New(slog.DiscardHandler))
	r.customers()
	down.Store(true)
	for _, key := range []string{"order-1", "order-2", "order-3"} {
		r.want(http.StatusAccepted, "POST", "/vps", orderOf(key, "123"))
	}
	d := r.until("order-1", func(d serviceDocument) bool { return strings.Contains(d.Why, "HTTP 502") })
	assert.Nil(t, d.Server)
	down.Store(false)
	for _, key := range []string{"order-1", "order-2", "order-3"} {
		r.until(key, asDesired)
	}
	assert.Len(t, r.vf.Servers(), 3)
	assert.Len(t, r.ospab.Records(), 3)
}

func TestALostAnswerToACreateIsOneServer(t *testing.T) {
	t.Parallel()
	for name, action := range map[string]provisioningtest.Action{"it was made": provisioningtest.CutAfter, "it was not made": provisioningtest.CutBefore} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newSite(t)
			r.vf.Inject(provisioningtest.Fault{Op: "createServer", Do: action})
			r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
			r.until("order-1", asDesired)
			assert.Len(t, r.vf.Servers(), 1)
			assert.Len(t, r.ospab.Records(), 1)
		})
	}
}

func TestACustomerWithoutAUserOnTheOSPABPanelGetsServersAndLaterRecords(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.timings.GiveUp = time.Millisecond // waiting for a customer is no failure that would end with that
	r.begin()
	r.want(http.StatusOK, "PUT", "/customers/1", `{"name": "Cid", "email": "cid@example.com"}`)
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "1"))
	r.until("order-1", func(d serviceDocument) bool {
		return online(d) && strings.Contains(d.Why, "customer 1 has no user there yet") && d.Record.State == engine.Waiting
	})
	assert.Empty(t, r.ospab.Requests(), "the main site's id is no id of the panel, although it has a user 1")
	r.want(http.StatusOK, "PUT", "/customers/1", `{"name": "Cid", "email": "cid@example.com", "ospabUserId": 4}`)
	r.until("order-1", asDesired)
	require.Len(t, r.ospab.Records(), 1)
	assert.Equal(t, int64(4), r.ospab.Records()[0].UserID)
	assert.Len(t, r.vf.Servers(), 1)
}

func TestWithoutAnOSPABPanelServersAreSoldAndTheirRecordsFollow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(env map[string]string)
		why   string
	}{
		"it is not set":     {func(env map[string]string) { delete(env, "OSPAB_PANEL_URL"); delete(env, "VPS_SYNC_API_KEY") }, "OSPAB_PANEL_URL and VPS_SYNC_API_KEY are not set"},
		"its key is not":    {func(env map[string]string) { delete(env, "VPS_SYNC_API_KEY") }, "VPS_SYNC_API_KEY is not set, but OSPAB_PANEL_URL is"},
		"its key is broken": {func(env map[string]string) { env["VPS_SYNC_API_KEY"] = "short" }, "VPS_SYNC_API_KEY has 5 characters, at least 32 are needed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			good := map[string]string{}
			for k, v := range r.env {
				good[k] = v
			}
			c.spoil(r.env)
			r.open(slog.New(slog.DiscardHandler))
			r.customers()
			r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
			r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-2", "124"))
			d := r.until("order-1", func(d serviceDocument) bool { return online(d) && strings.Contains(d.Why, "panel ospab is paused") })
			assert.Contains(t, d.Why, c.why)
			r.until("order-2", online)
			r.want(http.StatusAccepted, "DELETE", "/vps/order-2", "")
			r.until("order-2", asDesired)
			assert.Equal(t, provisioning.StateOnline, r.until("order-1", online).Server.State)
			r.stop()

			r.env = good
			r.open(slog.New(slog.DiscardHandler))
			r.until("order-1", asDesired)
			require.Len(t, r.ospab.Records(), 1)
			assert.Equal(t, "running", r.ospab.Records()[0].Status)
			assert.Equal(t, 2, r.vf.Count("createServer"))
		})
	}
}
