// Package fakeserver is the HTTP side that all simulated panels share: routes by operation id, fault rules around every route, a log of what arrived, and a transport
// that needs no network. It knows nothing about any panel.
//
// A handler is run into a buffer and never sees the connection. So every fault is one order of three steps (run the handler, answer, close the connection), and a
// handler may hold a mutex without a bubble of testing/synctest ever standing still: nothing in it waits for the other side.
package fakeserver

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

const (
	maxBody     = 16 << 20 // a larger request is answered 413
	maxRequests = 50_000   // the log keeps at least half of it
)

// Server is one simulated HTTP server. It is an http.Handler for a program that listens by itself, and it has a Transport for tests. Routes are added before the
// first request; everything else is safe for concurrent use. To be used inside testing/synctest it must be made there.
type Server struct {
	routes   []*route
	fallback func(w http.ResponseWriter, r *http.Request, allowed []string)
	faults   provisioningtest.Faults
	pipe     *pipe

	done    chan struct{}
	running sync.WaitGroup // requests and late commits

	mu      sync.Mutex // never held over I/O or time
	closed  bool
	log     []Request
	counts  map[string]int
	late    map[*time.Timer]struct{}
	tickets map[string]provisioningtest.Fault // by number: faults of requests on their way through Transport
	issued  int
}

// Request is one request that arrived. A refused one did not arrive.
type Request struct {
	Time     time.Time
	Op       string // operation id; "" when no route matches
	Method   string
	Path     string
	RawQuery string
	Header   http.Header // credentials are masked
	Body     []byte
	Fault    provisioningtest.Action // what the fault rules did to it, "" when nothing
}

// New makes a server without routes. It must be closed.
func New() *Server {
	s := &Server{done: make(chan struct{}), counts: map[string]int{}, late: map[*time.Timer]struct{}{}, tickets: map[string]provisioningtest.Fault{}}
	s.fallback = func(w http.ResponseWriter, _ *http.Request, allowed []string) {
		if len(allowed) > 0 {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}
	s.pipe = newPipe(s)
	return s
}

// Fallback sets the handler of requests that no route takes. allowed holds the methods of the routes with this path, nil when there is none.
func (s *Server) Fallback(h func(w http.ResponseWriter, r *http.Request, allowed []string)) {
	s.fallback = h
}

// Inject adds a fault rule.
func (s *Server) Inject(f provisioningtest.Fault) { s.faults.Inject(f) }

// Faults returns the fault rules.
func (s *Server) Faults() *provisioningtest.Faults { return &s.faults }

// Requests returns what arrived so far, oldest first. Of more than 50,000 the oldest are dropped.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.log)
	for i := range list {
		list[i].Header = list[i].Header.Clone()
		list[i].Body = bytes.Clone(list[i].Body)
	}
	return list
}

// Count says how many requests of an operation arrived, over the whole life of the server.
func (s *Server) Count(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[op]
}

// Transport returns a RoundTripper that reaches this server through memory, whatever host the URL names. It is a real http.Transport in front of a real http.Server
// on net.Pipe, with connections that are kept alive; https needs no certificate. All calls return the same one.
//
// Being real, it repeats a GET by itself when a connection that was used before is closed without an answer: CutBefore or CutAfter of a read is then never seen by the
// client, and only the log shows both requests. A write is never repeated.
func (s *Server) Transport() http.RoundTripper { return s.pipe }

// Close drops late commits, ends hanging requests, closes the connections of Transport and waits until nothing runs any more. A program that serves the Server through
// a listener of its own closes that first. Close may be called again.
func (s *Server) Close() {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	if first {
		close(s.done)
	}
	for t := range s.late {
		t.Stop()
	}
	clear(s.late)
	s.mu.Unlock()
	s.pipe.close()
	s.running.Wait()
}

// enter counts a request or late commit as running; false after Close.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	return true
}

// ServeHTTP routes one request, applies the fault rules and logs it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		cut(w)
		return
	}
	defer s.running.Done()
	handler, op, values := s.find(r)
	fault := s.decide(op, r.Header)
	if fault.Do == provisioningtest.Refuse { // the transport refuses by itself; this is a program's listener, where the connection exists already
		s.pause(fault.Delay)
		reset(w)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "request body cut or too large", http.StatusRequestEntityTooLarge)
		return
	}
	s.record(r, op, body, fault.Do)
	if !s.pause(fault.Delay) {
		cut(w)
		return
	}
	commit := func() *answer {
		req := r.Clone(context.WithoutCancel(r.Context())) // the panel does not notice that its client is gone
		req.Body = io.NopCloser(bytes.NewReader(body))
		for name, value := range values {
			req.SetPathValue(name, value)
		}
		a := &answer{header: http.Header{}}
		handler(a, req)
		return a
	}
	s.act(w, r, fault, commit)
}

// record writes the log.
func (s *Server) record(r *http.Request, op string, body []byte, fault provisioningtest.Action) {
	header := r.Header.Clone()
	for _, name := range []string{"Authorization", "Proxy-Authorization", "X-Api-Key", "Cookie"} {
		if header.Get(name) != "" {
			header.Set(name, "[masked]")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.log) == maxRequests {
		s.log = append(s.log[:0:0], s.log[maxRequests/2:]...)
	}
	s.log = append(s.log, Request{
		Time: time.Now(), Op: op, Method: r.Method, Path: r.URL.Path, RawQuery: r.URL.RawQuery, Header: header, Body: body, Fault: fault,
	})
	s.counts[op]++
}

// pause waits; false when the server was closed meanwhile. That the client has gone does not end it: a real panel works on.
func (s *Server) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.done:
		return false
	}
}
