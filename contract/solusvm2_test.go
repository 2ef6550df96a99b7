package contract

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
)

// sv is a SolusVM 2 node with something of everything, seen by an administrator's client through a recorder.
type sv struct {
	*solusvm2.Client
	rec *Recorder

	server   solusvm2.ServerID // that runs
	uuid     string            // of server
	user     solusvm2.UserID   // the owner
	project  solusvm2.ProjectID
	plan     solusvm2.PlanID
	bigger   solusvm2.PlanID
	location solusvm2.LocationID
	node     solusvm2.ComputeResourceID // of server
	other    solusvm2.ComputeResourceID // that shares its addresses
	image    solusvm2.OSImageID
	version  solusvm2.OSImageVersionID
	app      solusvm2.ApplicationID
}

// svCall is one call of the client's. It may make others first to get at what it needs.
type svCall struct {
	op   string
	name string // what is special about this one
	do   func(ctx context.Context, p *sv) error
}

func svCalls() []svCall {
	return slices.Concat(svAccountCalls(), svServerCalls(), svActionCalls(), svCopyCalls(), svPlanCalls(), svImageCalls(), svNodeCalls(), svOwnerCalls())
}

// instantNode lets every task be over at the next look.
var instantNode = solusvm2test.Timing{Queue: -1, Create: -1, Reinstall: -1, Start: -1, Stop: -1, ForceStop: -1, Restart: -1, Suspend: -1, Resize: -1,
	Delete: -1, Password: -1, Network: -1, Snapshot: -1, Backup: -1, Migrate: -1, Commission: -1}

const (
	svEmail    = "otto@example.com"
	svPassword = provisioning.Secret("password-of-otto")
)

func newSV(t *testing.T, opts ...solusvm2test.Option) (*sv, *solusvm2test.Panel) {
	t.Helper()
	panel := solusvm2test.New(t, append(opts, solusvm2test.WithTiming(instantNode))...)
	owner := panel.AddUser(solusvm2test.User{Email: svEmail, Password: svPassword, BillingUserID: "7001"})
	project := panel.AddProject(owner, "Otto's servers")
	s, err := panel.AddServer(solusvm2test.Server{UserID: owner, ProjectID: project, Name: "web-1.example.com", IPv6: true})
	require.NoError(t, err)
	return &sv{
		server: solusvm2.ServerID(s.ID), uuid: s.UUID, user: solusvm2.UserID(owner), project: solusvm2.ProjectID(project),
		plan:   solusvm2.PlanID(solusvm2test.PlanSmall),
		bigger: solusvm2.PlanID(solusvm2test.PlanMedium), location: solusvm2.LocationID(solusvm2test.LocationAmsterdam),
		node: solusvm2.ComputeResourceID(solusvm2test.NodeAmsterdam1), other: solusvm2.ComputeResourceID(solusvm2test.NodeAmsterdam2),
		image: solusvm2.OSImageID(solusvm2test.ImageDebian), version: solusvm2.OSImageVersionID(solusvm2test.VersionDebian12),
		app: solusvm2.ApplicationID(solusvm2test.ApplicationNginx),
	}, panel
}

// connect gives the panel its client.
func (p *sv) connect(t *testing.T, w *workload, panel http.RoundTripper, token provisioning.Secret) *sv {
	t.Helper()
	p.rec = w.watch(t, panel)
	c, err := solusvm2.New("https://solusvm2.test", token, solusvm2.WithHTTPClient(&http.Client{Transport: p.rec}),
		solusvm2.WithRetry(solusvm2.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	p.Client = c
	return p
}

// TestSolusVM2ClientAndSimulatedPanelKeepToTheFile makes each call of the client's against a panel of its own, and sees it succeed.
func TestSolusVM2ClientAndSimulatedPanelKeepToTheFile(t *testing.T) {
	t.Parallel()
	w := newWorkload(t, "solusvm2")
	t.Run("calls", func(t *testing.T) {
		for _, c := range svCalls() {
			t.Run(strings.TrimSpace(c.op+" "+c.name), func(t *testing.T) {
				t.Parallel()
				p, panel := newSV(t)
				p.connect(t, w, panel.Transport(), panel.Token())
				require.NoError(t, c.do(t.Context(), p))
				assert.True(t, slices.ContainsFunc(p.rec.Exchanges(), func(x Exchange) bool { return x.Operation == c.op }), "the call makes other requests")
			})
		}
	})
	t.Run("older nodes", func(t *testing.T) {
		for _, c := range svCalls() {
			t.Run(strings.TrimSpace(c.op+" "+c.name), func(t *testing.T) {
				t.Parallel()
				p, panel := newSV(t, solusvm2test.WithOldShapes())
				p.connect(t, w, panel.Transport(), panel.Token())
				require.NoError(t, c.do(t.Context(), p))
			})
		}
	})
	t.Run("refusals", func(t *testing.T) { svRefusals(t, w) })
	w.summary(t, "solusvm2")
}

// svRefusals makes each call where it is refused. It need not be: a list of nothing is no refusal.
func svRefusals(t *testing.T, w *workload) {
	for _, c := range svCalls() {
		if c.name != "" || c.op == "login" {
			continue // one of each operation
		}
		t.Run(c.op, func(t *testing.T) {
			t.Parallel()
			p, panel := newSV(t)
			p.connect(t, w, panel.Transport(), "not-the-token")
			require.ErrorIs(t, c.do(t.Context(), p), provisioning.Unauthorized)

			p, panel = newSV(t)
			p.connect(t, w, panel.Transport(), panel.Token())
			panel.Forbid(c.op)
			require.ErrorIs(t, c.do(t.Context(), p), provisioning.Forbidden)

			p, panel = newSV(t)
			p.connect(t, w, panel.Transport(), panel.TokenFor(int64(p.user))) // a customer
			refusedAs(t, c.do(t.Context(), p), provisioning.Forbidden)

			p, panel = newSV(t)
			p.connect(t, w, panel.Transport(), panel.Token())
			p.server, p.uuid, p.user, p.project, p.plan, p.bigger, p.location = 9999, "00000000-0000-4000-8000-000000000000", 9999, 9999, 9999, 9999, 9999
			p.node, p.other, p.image, p.version, p.app = 9999, 9999, 9999, 9999, 9999
			refusedAs(t, c.do(t.Context(), p), provisioning.NotFound, provisioning.Invalid)
		})
	}
	svSpecialRefusals(t, w)
}

// svSpecialRefusals are those that need a panel in a certain state.
func svSpecialRefusals(t *testing.T, w *workload) {
	nothing := func(*solusvm2test.Panel, *sv) {}
	for name, c := range map[string]struct {
		prepare func(*solusvm2test.Panel, *sv)
		call    func(context.Context, *sv) error
		want    error // nil when it is no refusal
	}{
		"a login with a wrong password": {nothing, func(ctx context.Context, p *sv) error {
			c, err := solusvm2.NewWithLogin("https://solusvm2.test", svEmail, "wrong", solusvm2.WithHTTPClient(&http.Client{Transport: p.rec}))
			if err != nil {
				return err
			}
			return second(c.Account.Get(ctx))
		}, provisioning.Unauthorized},
		"an address that is taken": {nothing, func(ctx context.Context, p *sv) error {
			return second(p.Users.Create(ctx, solusvm2.CreateUserRequest{Email: svEmail}))
		}, provisioning.Invalid},
		"a failed task": {func(panel *solusvm2test.Panel, _ *sv) {
			panel.FailNext(solusvm2test.TaskRestart, solusvm2test.TaskFailed, "libvirt error")
		},
			func(ctx context.Context, p *sv) error {
				task, err := p.Servers.Restart(ctx, p.server, solusvm2.PowerOptions{})
				if err != nil {
					return err
				}
				return second(p.Tasks.Get(ctx, task.ID))
			}, nil},
		"a console that is switched off": {func(panel *solusvm2test.Panel, p *sv) { panel.SetVNC(int64(p.server), false) },
			func(ctx context.Context, p *sv) error { return second(p.Servers.Get(ctx, p.server)) }, nil},
		"a node that is unavailable": {func(panel *solusvm2test.Panel, p *sv) { panel.SetComputeResourceStatus(int64(p.node), "unavailable") },
			func(ctx context.Context, p *sv) error { return second(p.ComputeResources.Get(ctx, p.node)) }, nil},
		"the servers of a customer, as the customer": {nothing, func(ctx context.Context, p *sv) error {
			return each(p.Servers.ListByProject(ctx, p.project, solusvm2.ListOptions{}))
		}, nil},
		"a state that nobody knows": {func(panel *solusvm2test.Panel, p *sv) { panel.SetState(int64(p.server), "dreaming") },
			func(ctx context.Context, p *sv) error { return second(p.Servers.Get(ctx, p.server)) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, panel := newSV(t)
			c.prepare(panel, p)
			p.connect(t, w, panel.Transport(), panel.Token())
			if err := c.call(t.Context(), p); c.want != nil {
				require.ErrorIs(t, err, c.want)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// refusedAs wants no error, or one of these kinds.
func refusedAs(t *testing.T, err error, kinds ...provisioning.Kind) {
	t.Helper()
	if err != nil {
		assert.True(t, slices.ContainsFunc(kinds, func(k provisioning.Kind) bool { return errors.Is(err, k) }), "%v", err)
	}
}

// TestWebhooksOfTheSimulatedPanelKeepToTheFile lets every event happen that the simulated panel knows, with a handler for all of them.
func TestWebhooksOfTheSimulatedPanelKeepToTheFile(t *testing.T) {
	t.Parallel()
	s := load(t, "solusvm2")
	synctest.Test(t, func(t *testing.T) {
		calls := make(chan *http.Request, 100)
		receiver := answering(func(r *http.Request) recorded {
			calls <- r
			return recorded{status: http.StatusNoContent}
		})
		p, panel := newSV(t, solusvm2test.WithWebhooks(receiver))
		_, err := panel.AddEventHandler(solusvm2test.EventHandler{
			Name: "all", URL: "https://billing.test/hook", Events: solusvm2test.Events(), Enabled: true, Parameters: `{"secret":"of-this-test"}`,
		})
		require.NoError(t, err)
		c, err := solusvm2.New(panel.URL(), panel.Token(), solusvm2.WithHTTPClient(&http.Client{Transport: panel.Transport()}))
		require.NoError(t, err)
		ctx := t.Context()
		require.NoError(t, second(c.Servers.AddIPs(ctx, p.server, solusvm2.AddIPsRequest{Count: 1})))
		order := solusvm2.CreateServerRequest{Name: "a.example.com", Plan: p.plan, Location: p.location, OS: p.version}
		require.NoError(t, second(c.Servers.CreateInProject(ctx, p.project, order)))
		require.NoError(t, second(panel.Migrate(int64(p.server), solusvm2test.NodeFrankfurt)))
		time.Sleep(time.Second)
		require.NoError(t, second(c.Servers.Delete(ctx, p.server)))
		made, err := c.Users.Create(ctx, solusvm2.CreateUserRequest{Email: "nina@example.com", AllowedIPs: []string{"198.51.100.0/24"}})
		require.NoError(t, err)
		require.NoError(t, c.Users.Delete(ctx, made.ID))
		panel.SetComputeResourceStatus(solusvm2test.NodeAmsterdam2, "unavailable")
		time.Sleep(time.Second)
		synctest.Wait()
		events := map[string]bool{}
		for _, d := range panel.Deliveries() {
			events[d.Event] = true
			assert.False(t, d.Failed, d.Reason)
		}
		assert.Len(t, events, len(solusvm2test.Events()), "each event once: %v", events)
		assert.NotEmpty(t, calls)
		for range len(calls) {
			r := <-calls
			assert.Empty(t, s.CheckWebhook("eventHandlerFired", r), r.URL.RawQuery)
		}
	})
}
