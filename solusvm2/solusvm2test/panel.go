// Package solusvm2test is a simulated SolusVM 2 management node. It keeps users, projects, plans, compute resources, addresses, servers and tasks as a panel
// does, lets tasks take time, checks what a panel checks, breaks in the ways that fault rules describe, and really calls the webhooks of its event handlers.
//
// It is built from what public clients and the vendor's guides show. Where nobody has seen what a panel does, the comment says "guess", and a client should
// not rely on it. What time does to servers and tasks is computed when somebody looks, so the whole panel is data: Snapshot and Restore carry it to another
// process.
//
// A test makes one with New and gives Transport to its client; nothing touches the network. It works inside testing/synctest when it is made there. A program
// makes one with NewPanel and serves it as an http.Handler.
package solusvm2test

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hvpanels/hvpanels/internal/fakeserver"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// Options describe a simulated panel. The zero value is a panel with the default catalogue and realistic timing.
type Options struct {
	Token     provisioning.Secret // the API token of the administrator, which does not expire; generated when empty
	URL       string              // what URL returns, "https://solusvm2.test" when empty; a program that listens somewhere sets it
	Timing    Timing
	Speed     float64       // divides every duration of Timing; 0 means 1
	TokenLife time.Duration // how long a token from a login is good; 12 h when 0, which is a guess
	Empty     bool          // no catalogue: only the administrator, user 1, with the built-in roles
	OldShapes bool          // answer as older nodes do, see WithOldShapes
	// Webhooks carries the calls of event handlers; nil is the network, without a check of certificates, as the panel does it. Redirects are followed above it.
	Webhooks http.RoundTripper
}

// Option changes Options.
type Option func(*Options)

// WithToken sets the token of the administrator.
func WithToken(token provisioning.Secret) Option { return func(o *Options) { o.Token = token } }

// WithTiming sets how long things take.
func WithTiming(t Timing) Option { return func(o *Options) { o.Timing = t } }

// WithSpeed divides all durations.
func WithSpeed(factor float64) Option { return func(o *Options) { o.Speed = factor } }

// WithTokenLife sets how long a token from a login is good.
func WithTokenLife(d time.Duration) Option { return func(o *Options) { o.TokenLife = d } }

// WithoutCatalogue leaves plans, images, locations, compute resources and addresses out.
func WithoutCatalogue() Option { return func(o *Options) { o.Empty = true } }

// WithOldShapes lets answers look as clients saw them on older nodes: "not exists" for "not exist", one object instead of a list of IPv6 networks, the VNC
// password in settings.vnc, the flat list ips, public_key for the text of a key, and times without a zone.
func WithOldShapes() Option { return func(o *Options) { o.OldShapes = true } }

// WithWebhooks sends the calls of event handlers through a transport, such as that of a receiver in the same process.
func WithWebhooks(rt http.RoundTripper) Option { return func(o *Options) { o.Webhooks = rt } }

// Timing says how long a panel takes. A zero field has the default, a negative one takes no time. Only the default of Create rests on what
// somebody measured.
type Timing struct {
	Queue      time.Duration // how long a task waits before it starts; 1 s. Part of the durations below.
	Create     time.Duration // from the request until the server runs; 30 s
	Reinstall  time.Duration // 30 s
	Start      time.Duration // 3 s
	Stop       time.Duration // a guest that shuts down; 6 s
	ForceStop  time.Duration // 2 s
	Restart    time.Duration // 8 s
	Suspend    time.Duration // and resume; 4 s
	Resize     time.Duration // 10 s
	Delete     time.Duration // until the server is gone; 5 s
	Password   time.Duration // 4 s
	Network    time.Duration // addresses added or removed; 5 s
	Snapshot   time.Duration // made, reverted or removed; 10 s
	Backup     time.Duration // made or restored; 20 s
	Migrate    time.Duration // 40 s
	Commission time.Duration // of a compute resource; 60 s
	Webhook    time.Duration // how long a receiver may take to answer; 30 s, a guess. Not divided by the speed.
}

// scaled fills in the defaults and divides by the speed.
func (t Timing) scaled(speed float64) Timing {
	if speed <= 0 {
		speed = 1
	}
	d := func(value time.Duration, seconds int) time.Duration {
		return time.Duration(float64(max(cmp.Or(value, time.Duration(seconds)*time.Second), 0)) / speed)
	}
	return Timing{
		Queue: d(t.Queue, 1), Create: d(t.Create, 30), Reinstall: d(t.Reinstall, 30), Start: d(t.Start, 3), Stop: d(t.Stop, 6), ForceStop: d(t.ForceStop, 2),
		Restart: d(t.Restart, 8), Suspend: d(t.Suspend, 4), Resize: d(t.Resize, 10), Delete: d(t.Delete, 5), Password: d(t.Password, 4), Network: d(t.Network, 5),
		Snapshot: d(t.Snapshot, 10), Backup: d(t.Backup, 20), Migrate: d(t.Migrate, 40), Commission: d(t.Commission, 60),
		Webhook: cmp.Or(t.Webhook, 30*time.Second),
	}
}

// Panel is one simulated panel. It is safe for concurrent use.
type Panel struct {
	server    *fakeserver.Server
	url       string
	timing    Timing
	tokenLife time.Duration
	old       bool
	webhooks  *http.Client

	calls sync.WaitGroup // webhooks being called
	ctx   context.Context
	stop  context.CancelFunc

	mu    sync.Mutex // never held over I/O or time
	state *state
	ended bool
	timer *time.Timer // runs when the next task ends, while there are event handlers
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
			t.Errorf("solusvm2test: injected fault was not used as often as it says: %+v", f)
		}
	})
	return p
}

// NewPanel makes a panel that must be closed.
func NewPanel(o Options) *Panel {
	p := &Panel{
		server:    fakeserver.New(),
		url:       cmp.Or(o.URL, "https://solusvm2.test"),
		timing:    o.Timing.scaled(o.Speed),
		tokenLife: cmp.Or(o.TokenLife, 12*time.Hour),
		old:       o.OldShapes,
		webhooks:  webhookClient(o.Webhooks),
		state:     newState(clock(), cmp.Or(o.Token.Reveal(), rand.Text()+rand.Text())),
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	if !o.Empty {
		p.state.seed(clock())
	}
	p.routes()
	return p
}

// URL is the base address of the panel, without the API prefix. With Transport the host does not matter.
func (p *Panel) URL() string { return p.url }

// Token is the API token of the administrator. See TokenFor for those of other users.
func (p *Panel) Token() provisioning.Secret {
	p.mu.Lock()
	defer p.mu.Unlock()
	return provisioning.Secret(p.state.AdminToken)
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

// Close ends hanging requests and calls of webhooks, drops late commits and closes the connections of Transport.
func (p *Panel) Close() {
	p.server.Close()
	p.mu.Lock()
	p.ended = true
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	p.stop()
	p.calls.Wait()
}

// look runs f on the state as it is now, then starts the calls of webhooks that are due.
func (p *Panel) look(f func(c *call)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := clock()
	p.state.settle(now)
	f(&call{state: p.state, panel: p, now: now})
	p.state.settle(now) // what takes no time
	p.dispatch()
}

// view is look for what returns something.
func view[T any](p *Panel, f func(c *call) T) (v T) {
	p.look(func(c *call) { v = f(c) })
	return v
}
