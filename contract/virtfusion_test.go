package contract

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// vf is a VirtFusion panel with something of everything, seen by a client through a recorder.
type vf struct {
	*virtfusion.Client
	rec *Recorder

	server     virtfusion.ServerID // built, with two disks and two interfaces
	allocated  virtfusion.ServerID // not built
	user       virtfusion.UserID   // the owner of both
	other      virtfusion.UserID
	ext        virtfusion.ExtRelationID // of user
	rel        virtfusion.RelStr        // of user
	group      virtfusion.HypervisorGroupID
	hypervisor virtfusion.HypervisorID
	small      virtfusion.PackageID // smaller than what the server has
	template   virtfusion.OperatingSystemID
	ruleset    virtfusion.FirewallRulesetID
	dns        virtfusion.DNSServiceID
	iso        virtfusion.ISOID
	asset      virtfusion.HypervisorAssetID
	hourly     virtfusion.HourlyGroupProfileID
	resource   virtfusion.ResourceGroupProfileID
	pack       virtfusion.ResourcePackID // that is offered
}

// vfCall is one call of the client's. It may make others first to get at what it needs.
type vfCall struct {
	op   string
	name string // what is special about this one
	do   func(ctx context.Context, p *vf) error
}

// instant lets everything on a simulated panel be over at the next look.
var instant = virtfusiontest.Timing{Queue: -1, Build: -1, Power: -1, Restart: -1, Shutdown: -1, ResetPassword: -1, Suspend: -1, Delete: -1,
	RemoteState: -1, RemoteTimeout: -1}

func vfCalls() []vfCall {
	return slices.Concat(vfServerCalls(), vfPowerCalls(), vfHardwareCalls(), vfAddressCalls(), vfInterfaceCalls(), vfFirewallCalls(), vfTrafficCalls(),
		vfHypervisorCalls(), vfIPBlockCalls(), vfCatalogueCalls(), vfUserCalls(), vfSelfServiceCalls(), vfGeneralCalls())
}

// newVF makes a simulated panel of a version. What happens before connect is not recorded.
func newVF(t *testing.T, version string) (*vf, *virtfusiontest.Panel) {
	t.Helper()
	panel := virtfusiontest.New(t, virtfusiontest.WithVersion(version), virtfusiontest.WithTiming(instant))
	p := &vf{
		user:  virtfusion.UserID(panel.AddUser(virtfusiontest.User{Name: "Otto Owner", Email: "otto@example.com", ExtRelationID: 7001, RelStr: "cust-7"})),
		other: virtfusion.UserID(panel.AddUser(virtfusiontest.User{Name: "Olga Other", Email: "olga@example.com", ExtRelationID: 7002})),
		ext:   7001, rel: "cust-7", group: virtfusion.HypervisorGroupID(virtfusiontest.GroupAmsterdam), small: virtfusion.PackageID(virtfusiontest.PackageSmall),
		template: virtfusion.OperatingSystemID(virtfusiontest.TemplateDebian), ruleset: virtfusion.FirewallRulesetID(virtfusiontest.RulesetWeb),
		dns: virtfusion.DNSServiceID(virtfusiontest.DNSServiceMain), iso: virtfusion.ISOID(virtfusiontest.ImageRescue),
		hourly: virtfusion.HourlyGroupProfileID(virtfusiontest.HourlyProfile), resource: virtfusion.ResourceGroupProfileID(virtfusiontest.ResourceProfile),
		pack: virtfusion.ResourcePackID(virtfusiontest.PackSmall),
	}
	c, err := virtfusion.New(panel.URL(), panel.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: panel.Transport()}))
	require.NoError(t, err)
	order := virtfusion.CreateServerRequest{PackageID: virtfusion.PackageID(virtfusiontest.PackageLarge), UserID: p.user, HypervisorGroupID: p.group}
	server, err := c.Servers.Create(t.Context(), order)
	require.NoError(t, err)
	_, err = c.Servers.Build(t.Context(), server.ID, virtfusion.BuildServerRequest{OperatingSystemID: p.template, Name: "web-1", Hostname: "web-1.example.com"})
	require.NoError(t, err)
	allocated, err := c.Servers.Create(t.Context(), order)
	require.NoError(t, err)
	panel.AddBackup(int64(server.ID))
	p.server, p.allocated, p.hypervisor = server.ID, allocated.ID, server.HypervisorID
	p.asset = virtfusion.HypervisorAssetID(panel.AddAsset(int64(server.HypervisorID)))
	return p, panel
}

// connect gives the panel its client.
func (p *vf) connect(t *testing.T, w *workload, panel http.RoundTripper, token provisioning.Secret) *vf {
	t.Helper()
	p.rec = w.watch(t, panel)
	c, err := virtfusion.New("https://virtfusion.test", token, virtfusion.WithHTTPClient(&http.Client{Transport: p.rec}),
		virtfusion.WithRetry(virtfusion.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	p.Client = c
	return p
}

// TestVirtFusionClientAndSimulatedPanelKeepToTheFile makes each call of the client's against a panel of its own, and sees it succeed.
func TestVirtFusionClientAndSimulatedPanelKeepToTheFile(t *testing.T) {
	t.Parallel()
	w := newWorkload(t, "virtfusion")
	t.Run("calls", func(t *testing.T) {
		for _, c := range vfCalls() {
			t.Run(strings.TrimSpace(c.op+" "+c.name), func(t *testing.T) {
				t.Parallel()
				p, panel := newVF(t, virtfusiontest.V71)
				p.connect(t, w, panel.Transport(), panel.Token())
				err := c.do(t.Context(), p)
				if notSimulated[c.op] != "" {
					require.ErrorIs(t, err, provisioning.NoRoute, "take the operation out of notSimulated")
					p = recordedVF(t, w)
					err = c.do(t.Context(), p)
				}
				require.NoError(t, err)
				assert.True(t, slices.ContainsFunc(p.rec.Exchanges(), func(x Exchange) bool { return x.Operation == c.op }), "the call makes other requests")
			})
		}
	})
	t.Run("refusals", func(t *testing.T) { vfRefusals(t, w) })
	t.Run("older panels", func(t *testing.T) { vfOlderPanels(t, w) })
	w.summary(t, "virtfusion")
}

// vfRefusals makes each call where it is refused. It need not be: a list of nothing is no refusal.
func vfRefusals(t *testing.T, w *workload) {
	for _, c := range vfCalls() {
		if c.name != "" || notSimulated[c.op] != "" {
			continue // one of each operation
		}
		t.Run(c.op, func(t *testing.T) {
			t.Parallel()
			p, panel := newVF(t, virtfusiontest.V71)
			p.connect(t, w, panel.Transport(), "not-the-token")
			require.ErrorIs(t, c.do(t.Context(), p), provisioning.Unauthorized)

			p, panel = newVF(t, virtfusiontest.V71)
			p.connect(t, w, panel.Transport(), panel.Token())
			panel.Forbid(c.op)
			require.ErrorIs(t, c.do(t.Context(), p), provisioning.Forbidden)

			p, panel = newVF(t, virtfusiontest.V71)
			p.connect(t, w, panel.Transport(), panel.Token())
			p.server, p.allocated, p.user, p.ext, p.rel, p.group, p.hypervisor, p.small, p.template = 9999, 9999, 9999, 9999, "nobody", 9999, 9999, 9999, 9999
			p.ruleset, p.dns, p.iso, p.asset, p.hourly, p.resource, p.pack = 9999, 9999, 9999, 9999, 9999, 9999, 9999
			if err := c.do(t.Context(), p); err != nil {
				kinds := []provisioning.Kind{provisioning.NotFound, provisioning.Invalid, provisioning.NoRoute}
				assert.True(t, slices.ContainsFunc(kinds, func(k provisioning.Kind) bool { return errors.Is(err, k) }), "%v", err)
			}
		})
	}
	vfSpecialRefusals(t, w)
}

// vfSpecialRefusals are those that need a panel in a certain state.
func vfSpecialRefusals(t *testing.T, w *workload) {
	for name, c := range map[string]struct {
		prepare func(*virtfusiontest.Panel, *vf)
		call    func(context.Context, *vf) error
		want    error // nil when it is no refusal
	}{
		"a host in maintenance": {func(panel *virtfusiontest.Panel, _ *vf) { panel.SetMaintenance(true) },
			func(ctx context.Context, p *vf) error { return second(p.Servers.Boot(ctx, p.server)) }, provisioning.Maintenance},
		"do not disturb": {func(panel *virtfusiontest.Panel, p *vf) { panel.SetDoNotDisturb(int64(p.server), true) },
			func(ctx context.Context, p *vf) error {
				return p.Servers.Delete(ctx, p.server, virtfusion.DeleteServerOptions{})
			}, provisioning.Locked},
		"a failed deferred action": {func(panel *virtfusiontest.Panel, p *vf) { panel.FailDeferred(int64(p.allocated)) },
			func(ctx context.Context, p *vf) error {
				return second(p.Servers.Build(ctx, p.allocated, virtfusion.BuildServerRequest{OperatingSystemID: p.template}))
			}, provisioning.Locked},
		"a template that is too large": {func(_ *virtfusiontest.Panel, p *vf) { p.template = 4711 },
			func(ctx context.Context, p *vf) error {
				return second(p.Servers.Build(ctx, p.allocated, virtfusion.BuildServerRequest{OperatingSystemID: p.template}))
			}, provisioning.Invalid},
		"a group without room": {func(*virtfusiontest.Panel, *vf) {},
			func(ctx context.Context, p *vf) error {
				return second(p.Servers.Create(ctx, virtfusion.CreateServerRequest{PackageID: p.small, UserID: p.user, HypervisorGroupID: p.group, Memory: 2 << 20}))
			}, provisioning.Capacity},
		"an address that is taken": {func(*virtfusiontest.Panel, *vf) {},
			func(ctx context.Context, p *vf) error {
				return second(p.Users.Create(ctx, virtfusion.CreateUserRequest{Name: "Otto Owner", Email: "otto@example.com"}))
			}, provisioning.Invalid},
		"an owner of servers": {func(*virtfusiontest.Panel, *vf) {},
			func(ctx context.Context, p *vf) error { return p.Users.Delete(ctx, p.ext) }, provisioning.Conflict},
		"an ailing control server": {func(panel *virtfusiontest.Panel, _ *vf) { panel.SetControlHealthy(false) },
			func(ctx context.Context, p *vf) error { return second(p.General.ControlStatus(ctx)) }, nil},
		"a failed build": {func(panel *virtfusiontest.Panel, _ *vf) { panel.FailNextBuild("no space left on device") },
			func(ctx context.Context, p *vf) error {
				if _, err := p.Servers.Build(ctx, p.allocated, virtfusion.BuildServerRequest{OperatingSystemID: p.template}); err != nil {
					return err
				}
				return p.Servers.WaitBuilt(ctx, p.allocated, provisioning.WaitOptions{})
			}, provisioning.ErrTaskFailed},
		"a failed queue item": {func(panel *virtfusiontest.Panel, _ *vf) { panel.FailNext(virtfusiontest.TaskBoot, "libvirt error") },
			func(ctx context.Context, p *vf) error {
				id, err := p.Servers.Boot(ctx, p.server)
				if err != nil {
					return err
				}
				return second(p.Queue.Get(ctx, id))
			}, nil},
		"a host that does not answer": {func(panel *virtfusiontest.Panel, _ *vf) { panel.SetHypervisorReachable(false) },
			func(ctx context.Context, p *vf) error {
				return second(p.Servers.Get(ctx, p.server, virtfusion.GetServerOptions{RemoteState: true}))
			}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, panel := newVF(t, virtfusiontest.V71)
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

// vfOlderPanels runs what panels before 7.1 have.
func vfOlderPanels(t *testing.T, w *workload) {
	for _, version := range []string{virtfusiontest.V62, virtfusiontest.V70} {
		for _, c := range vfCalls() {
			t.Run(version+" "+strings.TrimSpace(c.op+" "+c.name), func(t *testing.T) {
				t.Parallel()
				p, panel := newVF(t, version)
				p.connect(t, w, panel.Transport(), panel.Token())
				if err := c.do(t.Context(), p); !errors.Is(err, provisioning.NoRoute) && !errors.Is(err, provisioning.Unsupported) {
					require.NoError(t, err)
				}
			})
		}
	}
}

// recordedVF is a panel that answers each operation with what is in testdata, which is checked by itself, and where there is nothing with nothing.
func recordedVF(t *testing.T, w *workload) *vf {
	t.Helper()
	p := &vf{server: 417, allocated: 417, user: 23, other: 24, ext: 7001, rel: "cust-7", group: 2, hypervisor: 9, small: 3, template: 31, ruleset: 4,
		dns: 1, iso: 14, asset: 8, hourly: 2, resource: 3, pack: 9}
	answers, _ := recordedAnswers(t, "virtfusion")
	return p.connect(t, w, answering(func(r *http.Request) recorded {
		rt, _ := w.spec.find(r)
		i := slices.IndexFunc(answers, func(a recorded) bool {
			return a.operation == rt.Operation.OperationID && a.status < 300 && outside["virtfusion/"+a.name] == ""
		})
		if i >= 0 {
			return answers[i]
		}
		t.Logf("%s: neither simulated nor recorded", rt.Operation.OperationID)
		return recorded{status: http.StatusOK, kind: "json", body: []byte(`{"data":{}}`)}
	}), "token")
}

// answering is a panel that knows one answer for each request.
type answering func(*http.Request) recorded

func (f answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a := f(r)
	return &http.Response{StatusCode: a.status, Header: a.header(), Body: io.NopCloser(bytes.NewReader(a.body)), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}

func second[T any](_ T, err error) error { return err }

func each[T any](rows iter.Seq2[T, error]) error {
	for _, err := range rows {
		if err != nil {
			return err
		}
	}
	return nil
}

func first[T any](rows iter.Seq2[T, error]) (T, error) {
	for row, err := range rows {
		return row, err
	}
	var none T
	return none, provisioning.NotFound
}

func ptr[T any](v T) *T { return &v }

// TestTheSecondFormOfOpeningAConsoleIsOutsideOfTheFile is about {"vnc":true}, which one integration found to work on panel 7.0 where every description says
// {"action":"enable"}. The client has both forms, the file the documented one only, so the second one is expected to be a violation.
func TestTheSecondFormOfOpeningAConsoleIsOutsideOfTheFile(t *testing.T) {
	t.Parallel()
	for version, accepted := range map[string]bool{virtfusiontest.V70: true, virtfusiontest.V71: false} {
		p, panel := newVF(t, version)
		rec := load(t, "virtfusion").Record(panel.Transport())
		c, err := virtfusion.New(panel.URL(), panel.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: rec}))
		require.NoError(t, err)
		_, err = c.Servers.SwitchVNC(t.Context(), p.server, true)
		assert.Equal(t, accepted, err == nil, "%s: %v", version, err)
		require.Len(t, rec.Exchanges(), 1)
		assert.Equal(t, []string{"/vnc is not documented", "the body at '': missing property 'action'"}, rec.Exchanges()[0].Request)
		assert.Empty(t, rec.Exchanges()[0].Answer)
	}
}
