// Package virtfusiontest is a simulated VirtFusion panel. It keeps users, packages, servers, queue items and addresses as a panel does, lets operations take time, checks
// what a panel checks, and breaks in the ways that fault rules describe.
//
// It is built from documented facts about panels 6.2 to 7.1. Where nobody has seen what a panel does, the comment says "guess", and a client should not rely on it.
// What time does to servers and queue items is computed when somebody looks, so the whole panel is data: Snapshot and Restore carry it to another process.
//
// A test makes one with New and gives Transport to its client; nothing touches the network. It works inside testing/synctest when it is made there. A program makes one
// with NewPanel and serves it as an http.Handler.
package virtfusiontest

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hvpanels/hvpanels/internal/fakeserver"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// Versions of the panel. Operations that came with 7.1 have no route on the older ones.
const (
	V62 = "6.2"
	V70 = "7.0"
	V71 = "7.1"
)

// Options describe a simulated panel. The zero value is a 7.1 panel with the default catalogue and realistic timing.
type Options struct {
	Token   provisioning.Secret // the one token that is accepted; generated when empty
	Version string              // V62, V70 or V71, which is the default
	URL     string              // what URL returns, "https://virtfusion.test" when empty; a program that listens somewhere sets it
	Timing  Timing
	Speed   float64 // divides every duration of Timing; 0 means 1. The delay of a deletion is the caller's own number and stays.
	Empty   bool    // no catalogue: only the administrator, user 1
}

// Option changes Options.
type Option func(*Options)

// WithToken sets the token.
func WithToken(token provisioning.Secret) Option { return func(o *Options) { o.Token = token } }

// WithVersion sets the version of the panel.
func WithVersion(version string) Option { return func(o *Options) { o.Version = version } }

// WithTiming sets how long things take.
func WithTiming(t Timing) Option { return func(o *Options) { o.Timing = t } }

// WithSpeed divides all durations.
func WithSpeed(factor float64) Option { return func(o *Options) { o.Speed = factor } }

// WithoutCatalogue leaves packages, templates, hypervisors and addresses out.
func WithoutCatalogue() Option { return func(o *Options) { o.Empty = true } }

// Timing says how long a panel takes. A zero field has the default, a negative one takes no time.
type Timing struct {
	Queue         time.Duration // how long a queue item waits before it starts; 1 s. Part of the durations below.
	Build         time.Duration // from the request until the server is usable; 23 s
	Power         time.Duration // boot and poweroff; 3 s
	Restart       time.Duration // 5 s
	Shutdown      time.Duration // 6 s
	ResetPassword time.Duration // 5 s
	Suspend       time.Duration // until the suspended flag changes; no time by default
	Delete        time.Duration // from the end of the delay until the server is gone; 2 s
	RemoteState   time.Duration // what asking a hypervisor adds to an answer; 400 ms
	RemoteTimeout time.Duration // the same when the hypervisor does not answer; 10 s
}

// scaled fills in the defaults and divides by the speed.
func (t Timing) scaled(speed float64) Timing {
	if speed <= 0 {
		speed = 1
	}
	d := func(value, def time.Duration) time.Duration {
		return time.Duration(float64(max(cmp.Or(value, def), 0)) / speed)
	}
	return Timing{
		Queue: d(t.Queue, time.Second), Build: d(t.Build, 23*time.Second), Power: d(t.Power, 3*time.Second), Restart: d(t.Restart, 5*time.Second),
		Shutdown: d(t.Shutdown, 6*time.Second), ResetPassword: d(t.ResetPassword, 5*time.Second), Suspend: d(t.Suspend, 0), Delete: d(t.Delete, 2*time.Second),
		RemoteState: d(t.RemoteState, 400*time.Millisecond), RemoteTimeout: d(t.RemoteTimeout, 10*time.Second),
	}
}

// Panel is one simulated panel. It is safe for concurrent use.
type Panel struct {
	server  *fakeserver.Server
	url     string
	version string
	timing  Timing

	mu    sync.Mutex // never held over I/O or time
	state *state
	hooks hooks
}

// New makes a panel that ends with the test. The test fails when a fault was injected that never happened.
func New(t testing.TB, opts ...Option) *Panel {
	t.Helper()
	var o Options
	for _, opt := range opts {
		opt(&o)
	}
	p := NewPanel(o)
	t.Cleanup(func() {
		p.Close()
		for _, f := range p.Faults().Unused() {
			t.Errorf("virtfusiontest: injected fault was not used as often as it says: %+v", f)
		}
	})
	return p
}

// NewPanel makes a panel that must be closed.
func NewPanel(o Options) *Panel {
	p := &Panel{
		server:  fakeserver.New(),
		url:     cmp.Or(o.URL, "https://virtfusion.test"),
		version: cmp.Or(o.Version, V71),
		timing:  o.Timing.scaled(o.Speed),
		state:   newState(clock(), cmp.Or(o.Token.Reveal(), "vf-"+rand.Text()+rand.Text())),
	}
	if !o.Empty {
		p.state.seed(clock())
	}
	p.routes()
	return p
}

// URL is the base address of the panel, without the API prefix. With Transport the host does not matter.
func (p *Panel) URL() string { return p.url }

// Token is the token that the panel accepts.
func (p *Panel) Token() provisioning.Secret {
	p.mu.Lock()
	defer p.mu.Unlock()
	return provisioning.Secret(p.state.Token)
}

// Transport returns a RoundTripper that reaches the panel without a network.
func (p *Panel) Transport() http.RoundTripper { return p.server.Transport() }

// ServeHTTP serves the panel through a listener of the caller.
func (p *Panel) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.server.ServeHTTP(w, r) }

// Inject adds a fault rule.
func (p *Panel) Inject(f provisioningtest.Fault) { p.server.Inject(f) }

// Faults returns the fault rules.
func (p *Panel) Faults() *provisioningtest.Faults { return p.server.Faults() }

// Request is one request that arrived.
type Request = fakeserver.Request

// Requests returns the requests that arrived, oldest first, with credentials masked. Bodies are as they were sent.
func (p *Panel) Requests() []Request { return p.server.Requests() }

// Count says how many requests of an operation arrived ("createServer").
func (p *Panel) Count(op string) int { return p.server.Count(op) }

// Close ends hanging requests, drops late commits and closes the connections of Transport.
func (p *Panel) Close() {
	p.endHooks()
	p.server.Close()
}
