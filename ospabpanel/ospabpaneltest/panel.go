// Package ospabpaneltest simulates an OSPAB panel: a table of VPS records behind the sync API, panel users with tokens behind the user API, and the ways in
// which such a panel fails. It keeps state, needs no network, and runs inside testing/synctest, where time costs nothing.
//
//	panel := ospabpaneltest.New(t)
//	alice := panel.AddUser("alice")
//	sync, err := ospabpanel.New(panel.URL(), panel.Key(), ospabpanel.WithHTTPClient(panel.HTTPClient()))
//	...
//	panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter}) // the row is made, the answer is lost
//	rows := panel.Records()                                                         // the truth
//
// Operation ids for fault rules are syncVPS (all three actions), listVPS, getVPS, startVPS, stopVPS, restartVPS, rebootVPS, getVPSStats, login, register,
// getStatus and getVersion.
//
// No live panel was at hand. The simulation follows the public manuals and an older public version of the panel's code; where they disagree or are silent,
// Options holds the variants, and the comments say what is a guess.
package ospabpaneltest

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/internal/fakeserver"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// DefaultKey is the sync key of a panel whose Options name none. It opens simulated panels only.
const DefaultKey provisioning.Secret = "simulated-panel-sync-key-0123456789"

// ErrorStyle is how the panel words its refusals. Both are known from its code.
type ErrorStyle string

// The styles.
const (
	ErrorAndMessage ErrorStyle = ""        // {"error": "Bad Request", "message": "Missing required fields"}
	ErrorOnly       ErrorStyle = "error"   // {"error": "Missing required fields"}
	MessageOnly     ErrorStyle = "message" // {"message": "Missing required fields"}
)

// Options says which of the possible panels this one is. The zero value is the panel of the manuals.
type Options struct {
	// Key is the sync key, DefaultKey when empty.
	Key provisioning.Secret
	// CreateStatus is the HTTP status of a create: one manual says 200, which is the default, another 201.
	CreateStatus int
	// FullAnswer answers syncs with all columns instead of the four of the manual's example.
	FullAnswer bool
	// NullAddressBug fails every create with 500 after the row was made, as the older code does where ip_address has no default.
	NullAddressBug bool
	// RefuseUnknownID answers an update or a delete of an unknown id with a JSON 404. The older code reports success.
	RefuseUnknownID bool
	// AcceptUnknownUser stores rows of users that do not exist, where nobody can see them. Otherwise such a create fails with 500, as a foreign key would have
	// it.
	AcceptUnknownUser bool
	// Errors is the style of refusals.
	Errors ErrorStyle
	// ListKey wraps the list of GET /api/vps under "vps" or "data"; "" answers the bare list, and null when it is empty. The real shape is not known.
	ListKey string
	// WrapVPS answers GET /api/vps/{id} as {"vps": {...}} instead of the bare record. The real shape is not known.
	WrapVPS bool
	// ActionTime is how long start, stop, restart and reboot take after they were accepted: 2 s when zero, no time when negative.
	ActionTime time.Duration
	// Stats is the answer of GET /api/vps/{id}/stats, {} when nil. No field of it is documented.
	Stats json.RawMessage
}

// Option changes the Options of a panel.
type Option func(*Options)

func (o *Options) apply(opts []Option) {
	for _, opt := range opts {
		opt(o)
	}
	o.CreateStatus = cmp.Or(o.CreateStatus, http.StatusOK)
	o.ActionTime = cmp.Or(o.ActionTime, 2*time.Second)
	if o.Stats == nil {
		o.Stats = json.RawMessage("{}")
	}
}

// Panel is a simulated panel. It is an http.Handler, for programs that serve it on a port, and has a Transport for tests. All methods are safe for concurrent
// use.
type Panel struct {
	server *fakeserver.Server

	mu      sync.Mutex // never held over I/O or time
	state   *State     // with options a pointer, so that printing a panel shows no key
	options *Options
}

// NewPanel makes a panel without users and records. It must be closed, and to be used inside testing/synctest it must be made there.
func NewPanel(o Options) *Panel {
	o.apply(nil)
	p := &Panel{server: fakeserver.New(), options: &o}
	p.state = &State{Key: cmp.Or(o.Key, DefaultKey), JWTSecret: "simulated-jwt-secret"} //nolint:gosec // it signs tokens of simulated panels only
	p.routes()
	return p
}

// TB is the part of testing.TB that New needs.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
}

// New makes a panel that lives as long as the test. When the test ends, fault rules that were never used fail it: a test whose fault does not happen proves
// nothing.
func New(t TB, opts ...Option) *Panel {
	t.Helper()
	var o Options
	o.apply(opts)
	p := NewPanel(o)
	t.Cleanup(func() {
		t.Helper()
		p.Close()
		if left := p.server.Faults().Unused(); len(left) > 0 {
			t.Errorf("ospabpaneltest: these faults were not used: %+v", left)
		}
	})
	return p
}

// Configure changes the options of a running panel. Key is not among them: see SetKey.
func (p *Panel) Configure(opts ...Option) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.options.apply(opts)
}

// URL is the base URL for clients that use Transport.
func (p *Panel) URL() string { return "https://panel.ospab.test" }

// Transport reaches the panel through memory, whatever host the URL names.
func (p *Panel) Transport() http.RoundTripper { return p.server.Transport() }

// HTTPClient is an http.Client over Transport.
func (p *Panel) HTTPClient() *http.Client { return &http.Client{Transport: p.Transport()} }

// ServeHTTP serves the panel, faults included.
func (p *Panel) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.server.ServeHTTP(w, r) }

// Inject adds a fault rule.
func (p *Panel) Inject(f provisioningtest.Fault) { p.server.Inject(f) }

// Faults returns the fault rules.
func (p *Panel) Faults() *provisioningtest.Faults { return p.server.Faults() }

// Request is one request that arrived, with its credentials masked.
type Request = fakeserver.Request

// Requests returns what arrived so far, oldest first. Requests that a fault refused did not arrive.
func (p *Panel) Requests() []Request { return p.server.Requests() }

// Count says how many requests of an operation arrived.
func (p *Panel) Count(op string) int { return p.server.Count(op) }

// Close ends the panel with everything that still runs in it.
func (p *Panel) Close() { p.server.Close() }

// reply is one answer, worked out while the state is locked and written afterwards.
type reply struct {
	status int
	body   any
}

// refuse words a refusal in the panel's style.
func (p *Panel) refuse(status int, message string) reply {
	body := map[string]string{"error": http.StatusText(status), "message": message}
	switch p.options.Errors {
	case ErrorOnly:
		body = map[string]string{"error": message}
	case MessageOnly:
		body = map[string]string{"message": message}
	}
	return reply{status, body}
}

func (p *Panel) routes() {
	p.server.Fallback(func(w http.ResponseWriter, _ *http.Request, allowed []string) {
		if len(allowed) > 0 {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		http.Error(w, "404 page not found", http.StatusNotFound) // gorilla/mux
	})
	p.handle("syncVPS", "POST /api/vps/sync", p.sync)
	p.handle("login", "POST /api/auth/login", func(_ *http.Request, body []byte) reply { return p.login(body) })
	p.handle("register", "POST /api/auth/register", func(_ *http.Request, body []byte) reply { return p.register(body) })

	p.handleUser("getStatus", "GET /api/status", func(_, _ int64) reply {
		return reply{http.StatusOK, map[string]string{"status": "ok", "message": "simulated panel", "version": "0.1-alpha"}}
	})
	p.handleUser("getVersion", "GET /api/version", func(_, _ int64) reply {
		return reply{http.StatusOK, map[string]string{"version": "0.1-alpha", "build_date": "2025-10-04", "environment": "simulated"}}
	})
	p.handleUser("listVPS", "GET /api/vps", func(user, _ int64) reply { return p.list(user) })
	p.handleUser("getVPS", "GET /api/vps/{id}", p.get)
	p.handleUser("getVPSStats", "GET /api/vps/{id}/stats", p.stats)
	for _, a := range []struct{ op, verb, next string }{
		{"startVPS", "start", "running"}, {"stopVPS", "stop", "stopped"}, {"restartVPS", "restart", "running"}, {"rebootVPS", "reboot", "running"},
	} {
		p.handleUser(a.op, "POST /api/vps/{id}/"+a.verb, func(user, id int64) reply { return p.act(user, id, a.next) })
	}
}

// handle adds an operation. Its handler runs with the state locked.
func (p *Panel) handle(op, pattern string, h func(r *http.Request, body []byte) reply) {
	p.server.Handle(op, pattern, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		p.state.settle(time.Now())
		answer := h(r, body)
		p.mu.Unlock()
		fakeserver.WriteJSON(w, answer.status, answer.body)
	})
}

// handleUser adds an operation of the user API. An id in the path that is not a number counts as 0, as in the panel's code.
func (p *Panel) handleUser(op, pattern string, h func(user, id int64) reply) {
	p.handle(op, pattern, func(r *http.Request, _ []byte) reply {
		user, refused := p.authenticate(r)
		if refused != nil {
			return *refused
		}
		id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
		return h(user, id)
	})
}
