package main

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// watchers tells the requests that follow a service when something has changed. One Watch of the engine serves all of them.
type watchers struct {
	mu sync.Mutex
	of map[string]map[chan struct{}]bool // by key
}

// add returns a channel that receives when the service may have changed.
func (w *watchers) add(key string) (changed <-chan struct{}, remove func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of[key] == nil {
		w.of[key] = map[chan struct{}]bool{}
	}
	w.of[key][c] = true
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.of[key], c)
		if len(w.of[key]) == 0 {
			delete(w.of, key)
		}
	}
}

func (w *watchers) tell(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.of[key] {
		select {
		case c <- struct{}{}:
		default: // it has not looked yet since the last time
		}
	}
}

// run watches until ctx ends. When the database fails it begins again.
func (w *watchers) run(ctx context.Context, e *engine.Engine) {
	const clocks = time.Hour // by which the database's clock may be behind
	for ctx.Err() == nil {
		for t, err := range e.Watch(ctx, time.Now().Add(-clocks)) {
			if err == nil {
				w.tell(t.Key)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

const (
	lookEvery  = 5 * time.Second // also without a hint, and proof for the connection that somebody is there
	writeLimit = 10 * time.Second
)

// getEvents streams the service, now and whenever it changes, as server-sent events until the caller goes. Every event holds all of it, so nothing is missed by who connects again.
func (s *site) getEvents(w http.ResponseWriter, r *http.Request) error {
	key := r.PathValue("key")
	changed, remove := s.events.add(key)
	defer remove()
	d, err := s.service(r.Context(), key)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	stream := &stream{w: w, c: http.NewResponseController(w)}
	defer func() { _ = stream.c.SetWriteDeadline(time.Time{}) }() // the connection may serve other requests
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	for err == nil {
		if !stream.send(d) {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.ending.Done():
			return nil
		case <-changed:
		case <-ticks.C:
		}
		d, err = s.service(r.Context(), key)
	}
	s.log.WarnContext(r.Context(), "mainsite: a stream of events ended", "key", key, "error", err)
	return nil // the answer has begun: the caller connects again
}

// stream writes events.
type stream struct {
	w    http.ResponseWriter
	c    *http.ResponseController
	last []byte
}

// send writes the service if it is not as it was last, and otherwise a comment. It is false when nobody reads any more.
func (s *stream) send(d serviceDocument) bool {
	b, err := encode(d)
	if err != nil {
		return false
	}
	text := ": as before\n\n"
	if !bytes.Equal(b, s.last) {
		s.last = b
		text = "event: service\ndata: " + string(b) + "\n" // b ends with a line break
	}
	if s.c.SetWriteDeadline(time.Now().Add(writeLimit)) != nil {
		return false
	}
	if _, err := s.w.Write([]byte(text)); err != nil { // #nosec G705 -- JSON
		return false
	}
	return s.c.Flush() == nil
}
