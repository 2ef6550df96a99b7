package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// follow reads the events of a service. The channel is closed at the end of the stream.
func (r *rig) follow(ctx context.Context, key string) <-chan serviceDocument {
	r.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+"/vps/"+key+"/events", nil)
	require.NoError(r.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, resp.StatusCode)
	require.Equal(r.t, "text/event-stream", resp.Header.Get("Content-Type"))
	events := make(chan serviceDocument, 1000)
	go func() {
		defer close(events)
		defer func() { _ = resp.Body.Close() }()
		event := ""
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				event = name
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && assert.Equal(r.t, "service", event) {
				var d serviceDocument
				assert.NoError(r.t, json.Unmarshal([]byte(data), &d))
				events <- d
			}
		}
	}()
	return events
}

func TestEventsTellTheWholeWayOfAnOrder(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-2", "124"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	events := r.follow(ctx, "order-1")
	seen := map[engine.State]bool{}
	var last serviceDocument
	for d := range events {
		require.Equal(t, "order-1", d.Key, "events are about one service")
		assert.NotEqual(t, last, d, "an event tells something new")
		seen[d.State], last = true, d
		if d.AsDesired {
			break
		}
	}
	require.True(t, last.AsDesired, "the stream ended early: %+v", last)
	for _, s := range []engine.State{engine.Building, engine.Ready} { // it may have begun before the stream did
		assert.True(t, seen[s], "%s was not told: %v", s, seen)
	}

	r.want(http.StatusAccepted, "DELETE", "/vps/order-1", "")
	for d := range events {
		if last = d; d.AsDesired && d.Desired == engine.Absent {
			break
		}
	}
	assert.Equal(t, engine.Gone, last.State)
}

func TestWhoConnectsAgainIsToldHowItIsNow(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.until("order-1", asDesired)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 2 {
		d, ok := <-r.follow(ctx, "order-1")
		require.True(t, ok)
		assert.True(t, online(d))
	}
}

func TestStreamsEndWithTheSiteAndWithTheirReader(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	s := r.open(slog.New(slog.DiscardHandler))
	r.customers()
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	watching := func() int {
		s.events.mu.Lock()
		defer s.events.mu.Unlock()
		return len(s.events.of["order-1"])
	}
	ctx, cancel := context.WithCancel(t.Context())
	left := r.follow(ctx, "order-1")
	<-left
	assert.Equal(t, 1, watching())
	cancel()
	eventually(t, "the reader that has left is forgotten", func() bool { return watching() == 0 })

	stays := r.follow(t.Context(), "order-1")
	<-stays
	began := time.Now()
	r.stop()
	for range stays {
		continue
	}
	assert.Less(t, time.Since(began), 15*time.Second)
}
