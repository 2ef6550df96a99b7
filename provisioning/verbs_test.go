package provisioning_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

var (
	someOp   = provisioning.NewOperation(provisioning.OperationSpec{Instance: "1", Ref: "op"})
	someAddr = netip.MustParseAddr("203.0.113.5")
)

// allround has every capability. It notes the call, and answers with something and an error, which both have to arrive.
type allround struct {
	guard
	calls []string
	err   error
}

func (a *allround) note(verb string, args ...any) error {
	a.calls = append(a.calls, strings.TrimSpace(fmt.Sprintln(append([]any{verb}, args...)...)))
	return a.err
}

func (a *allround) Ping(context.Context) error { return a.note("Ping") }
func (a *allround) Start(_ context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return someOp, a.note("Start", id)
}
func (a *allround) Restart(_ context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return someOp, a.note("Restart", id)
}
func (a *allround) Shutdown(_ context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return someOp, a.note("Shutdown", id)
}
func (a *allround) PowerOff(_ context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return someOp, a.note("PowerOff", id)
}
func (a *allround) Suspend(_ context.Context, id provisioning.ID, reason string) (*provisioning.Operation, error) {
	return someOp, a.note("Suspend", id, reason)
}
func (a *allround) Unsuspend(_ context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return someOp, a.note("Unsuspend", id)
}
func (a *allround) Delete(_ context.Context, id provisioning.ID, o provisioning.DeleteOptions) (*provisioning.Operation, error) {
	return someOp, a.note("Delete", id, o.In)
}
func (a *allround) Rebuild(_ context.Context, id provisioning.ID, r provisioning.RebuildRequest) (provisioning.Rebuilt, error) {
	return provisioning.Rebuilt{Password: "p", Operation: someOp}, a.note("Rebuild", id, r.Image)
}
func (a *allround) Resize(_ context.Context, id provisioning.ID, r provisioning.ResizeRequest) (*provisioning.Operation, error) {
	return someOp, a.note("Resize", id, r.Plan)
}
func (a *allround) Rename(_ context.Context, id provisioning.ID, name string) error {
	return a.note("Rename", id, name)
}
func (a *allround) ResetRootPassword(_ context.Context, id provisioning.ID, o provisioning.PasswordOptions) (provisioning.PasswordReset, error) {
	return provisioning.PasswordReset{Password: "p", Operation: someOp}, a.note("ResetRootPassword", id, o.User)
}
func (a *allround) OpenConsole(_ context.Context, id provisioning.ID) (provisioning.Console, error) {
	return provisioning.Console{Port: 5900}, a.note("OpenConsole", id)
}
func (a *allround) Usage(_ context.Context, id provisioning.ID) (provisioning.Usage, error) {
	return provisioning.Usage{Native: 1}, a.note("Usage", id)
}
func (a *allround) Addresses(_ context.Context, id provisioning.ID) ([]provisioning.Address, error) {
	return []provisioning.Address{{Kind: provisioning.AddressNAT}}, a.note("Addresses", id)
}
func (a *allround) AddIPv4(_ context.Context, id provisioning.ID, count int) ([]provisioning.Address, error) {
	return []provisioning.Address{{Kind: provisioning.AddressExtra}}, a.note("AddIPv4", id, count)
}
func (a *allround) RemoveAddresses(_ context.Context, id provisioning.ID, addresses []netip.Addr) error {
	return a.note("RemoveAddresses", id, addresses)
}
func (a *allround) FindOwner(_ context.Context, ref string) (provisioning.OwnerAccount, error) {
	return provisioning.OwnerAccount{ID: "70"}, a.note("FindOwner", ref)
}
func (a *allround) EnsureOwner(_ context.Context, o provisioning.Owner) (provisioning.OwnerAccount, error) {
	return provisioning.OwnerAccount{ID: "70", Created: true}, a.note("EnsureOwner", o.Ref)
}
func (a *allround) OwnerInstances(_ context.Context, ref string) iter.Seq2[provisioning.Summary, error] {
	err := a.note("OwnerInstances", ref)
	return func(yield func(provisioning.Summary, error) bool) { yield(provisioning.Summary{ID: "1"}, err) }
}
func (a *allround) LoginLink(_ context.Context, ref string, id provisioning.ID) (provisioning.Link, error) {
	return provisioning.Link{URL: "u"}, a.note("LoginLink", ref, id)
}
func (a *allround) ResetPanelPassword(_ context.Context, ref string) (provisioning.Secret, error) {
	return "p", a.note("ResetPanelPassword", ref)
}
func (a *allround) Plans(context.Context) ([]provisioning.PlanInfo, error) {
	return []provisioning.PlanInfo{{ID: "1", Name: "Small"}}, a.note("Plans")
}
func (a *allround) Images(_ context.Context, plan string) ([]provisioning.ImageInfo, error) {
	return []provisioning.ImageInfo{{ID: "2", Name: "Debian 13"}}, a.note("Images", plan)
}
func (a *allround) Locations(context.Context) ([]provisioning.LocationInfo, error) {
	return []provisioning.LocationInfo{{ID: "3", Name: "Riga"}}, a.note("Locations")
}
func (a *allround) Snapshots(_ context.Context, id provisioning.ID) ([]provisioning.Snapshot, error) {
	return []provisioning.Snapshot{{ID: "s"}}, a.note("Snapshots", id)
}
func (a *allround) CreateSnapshot(_ context.Context, id provisioning.ID, name string) (*provisioning.Operation, error) {
	return someOp, a.note("CreateSnapshot", id, name)
}
func (a *allround) RevertSnapshot(_ context.Context, id provisioning.ID, snapshot string) (*provisioning.Operation, error) {
	return someOp, a.note("RevertSnapshot", id, snapshot)
}
func (a *allround) DeleteSnapshot(_ context.Context, id provisioning.ID, snapshot string) (*provisioning.Operation, error) {
	return someOp, a.note("DeleteSnapshot", id, snapshot)
}
func (a *allround) Backups(_ context.Context, id provisioning.ID) ([]provisioning.Backup, error) {
	return []provisioning.Backup{{ID: "b"}}, a.note("Backups", id)
}
func (a *allround) EnterRescue(_ context.Context, id provisioning.ID) (provisioning.Rescue, error) {
	return provisioning.Rescue{Password: "p", Operation: someOp}, a.note("EnterRescue", id)
}
func (a *allround) LeaveRescue(_ context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return someOp, a.note("LeaveRescue", id)
}
func (a *allround) ValidateCreate(_ context.Context, r provisioning.CreateRequest) error {
	return a.note("ValidateCreate", r.Key)
}
func (a *allround) OpenOperation(ref string) (*provisioning.Operation, error) {
	return someOp, a.note("OpenOperation", ref)
}

type verbCall struct {
	verb string
	call func(ctx context.Context, p any) (any, error)
	want string // the call that arrives
	got  any    // what comes back
}

// operation makes the row of a verb that gives an Operation.
func operation(verb string, call func(ctx context.Context, p any) (*provisioning.Operation, error), want string) verbCall {
	return verbCall{verb, func(ctx context.Context, p any) (any, error) {
		op, err := call(ctx, p)
		if op == nil {
			return nil, err
		}
		return op, err
	}, want, someOp}
}

func verbCalls() []verbCall {
	type c = context.Context
	type op = *provisioning.Operation
	return []verbCall{
		{"Ping", func(ctx c, p any) (any, error) { return nil, provisioning.Ping(ctx, p) }, "Ping", nil},
		operation("Start", func(ctx c, p any) (op, error) { return provisioning.Start(ctx, p, "1") }, "Start 1"),
		operation("Restart", func(ctx c, p any) (op, error) { return provisioning.Restart(ctx, p, "1") }, "Restart 1"),
		operation("Shutdown", func(ctx c, p any) (op, error) { return provisioning.Shutdown(ctx, p, "1") }, "Shutdown 1"),
		operation("PowerOff", func(ctx c, p any) (op, error) { return provisioning.PowerOff(ctx, p, "1") }, "PowerOff 1"),
		operation("Suspend", func(ctx c, p any) (op, error) { return provisioning.Suspend(ctx, p, "1", "unpaid") }, "Suspend 1 unpaid"),
		operation("Unsuspend", func(ctx c, p any) (op, error) { return provisioning.Unsuspend(ctx, p, "1") }, "Unsuspend 1"),
		operation("Delete", func(ctx c, p any) (op, error) {
			return provisioning.Delete(ctx, p, "1", provisioning.DeleteOptions{In: 5 * time.Minute})
		}, "Delete 1 5m0s"),
		{"Rebuild", func(ctx c, p any) (any, error) {
			return provisioning.Rebuild(ctx, p, "1", provisioning.RebuildRequest{Image: "2"})
		}, "Rebuild 1 2",
			provisioning.Rebuilt{Password: "p", Operation: someOp}},
		operation("Resize", func(ctx c, p any) (op, error) {
			return provisioning.Resize(ctx, p, "1", provisioning.ResizeRequest{Plan: "3"})
		}, "Resize 1 3"),
		{"Rename", func(ctx c, p any) (any, error) { return nil, provisioning.Rename(ctx, p, "1", "web") }, "Rename 1 web", nil},
		{"ResetRootPassword", func(ctx c, p any) (any, error) {
			return provisioning.ResetRootPassword(ctx, p, "1", provisioning.PasswordOptions{User: "root"})
		}, "ResetRootPassword 1 root", provisioning.PasswordReset{Password: "p", Operation: someOp}},
		{"OpenConsole", func(ctx c, p any) (any, error) { return provisioning.OpenConsole(ctx, p, "1") }, "OpenConsole 1", provisioning.Console{Port: 5900}},
		{"ReadUsage", func(ctx c, p any) (any, error) { return provisioning.ReadUsage(ctx, p, "1") }, "Usage 1", provisioning.Usage{Native: 1}},
		{"Addresses", func(ctx c, p any) (any, error) { return provisioning.Addresses(ctx, p, "1") }, "Addresses 1",
			[]provisioning.Address{{Kind: provisioning.AddressNAT}}},
		{"AddIPv4", func(ctx c, p any) (any, error) { return provisioning.AddIPv4(ctx, p, "1", 2) }, "AddIPv4 1 2",
			[]provisioning.Address{{Kind: provisioning.AddressExtra}}},
		{"RemoveAddresses", func(ctx c, p any) (any, error) {
			return nil, provisioning.RemoveAddresses(ctx, p, "1", []netip.Addr{someAddr})
		}, "RemoveAddresses 1 [203.0.113.5]", nil},
		{"FindOwner", func(ctx c, p any) (any, error) { return provisioning.FindOwner(ctx, p, "7") }, "FindOwner 7", provisioning.OwnerAccount{ID: "70"}},
		{"EnsureOwner", func(ctx c, p any) (any, error) { return provisioning.EnsureOwner(ctx, p, provisioning.Owner{Ref: "7"}) }, "EnsureOwner 7",
			provisioning.OwnerAccount{ID: "70", Created: true}},
		{"OwnerInstances", func(ctx c, p any) (got any, err error) {
			for got, err = range provisioning.OwnerInstances(ctx, p, "7") {
				return got, err
			}
			return nil, errors.New("nothing was yielded")
		}, "OwnerInstances 7", provisioning.Summary{ID: "1"}},
		{"LoginLink", func(ctx c, p any) (any, error) { return provisioning.LoginLink(ctx, p, "7", "1") }, "LoginLink 7 1", provisioning.Link{URL: "u"}},
		{"ResetPanelPassword", func(ctx c, p any) (any, error) { return provisioning.ResetPanelPassword(ctx, p, "7") }, "ResetPanelPassword 7", provisioning.Secret("p")},
		{"Plans", func(ctx c, p any) (any, error) { return provisioning.Plans(ctx, p) }, "Plans", []provisioning.PlanInfo{{ID: "1", Name: "Small"}}},
		{"Images", func(ctx c, p any) (any, error) { return provisioning.Images(ctx, p, "3") }, "Images 3", []provisioning.ImageInfo{{ID: "2", Name: "Debian 13"}}},
		{"Locations", func(ctx c, p any) (any, error) { return provisioning.Locations(ctx, p) }, "Locations", []provisioning.LocationInfo{{ID: "3", Name: "Riga"}}},
		{"Snapshots", func(ctx c, p any) (any, error) { return provisioning.Snapshots(ctx, p, "1") }, "Snapshots 1", []provisioning.Snapshot{{ID: "s"}}},
		operation("CreateSnapshot", func(ctx c, p any) (op, error) { return provisioning.CreateSnapshot(ctx, p, "1", "before") }, "CreateSnapshot 1 before"),
		operation("RevertSnapshot", func(ctx c, p any) (op, error) { return provisioning.RevertSnapshot(ctx, p, "1", "s") }, "RevertSnapshot 1 s"),
		operation("DeleteSnapshot", func(ctx c, p any) (op, error) { return provisioning.DeleteSnapshot(ctx, p, "1", "s") }, "DeleteSnapshot 1 s"),
		{"Backups", func(ctx c, p any) (any, error) { return provisioning.Backups(ctx, p, "1") }, "Backups 1", []provisioning.Backup{{ID: "b"}}},
		{"EnterRescue", func(ctx c, p any) (any, error) { return provisioning.EnterRescue(ctx, p, "1") }, "EnterRescue 1",
			provisioning.Rescue{Password: "p", Operation: someOp}},
		operation("LeaveRescue", func(ctx c, p any) (op, error) { return provisioning.LeaveRescue(ctx, p, "1") }, "LeaveRescue 1"),
		{"ValidateCreate", func(ctx c, p any) (any, error) { return nil, provisioning.ValidateCreate(ctx, p, order("order-1")) }, "ValidateCreate order-1", nil},
		operation("OpenOperation", func(_ c, p any) (op, error) { return provisioning.OpenOperation(p, "op") }, "OpenOperation op"),
	}
}

func TestEveryVerbReachesTheProviderOrSaysUnsupported(t *testing.T) {
	t.Parallel()
	for _, v := range verbCalls() {
		t.Run(v.verb, func(t *testing.T) {
			t.Parallel()
			for _, without := range []any{nil, struct{}{}, guard{&allround{}}, &toyProvider{}} {
				_, err := v.call(t.Context(), without)
				require.ErrorIs(t, err, provisioning.Unsupported, "%T", without)
				require.ErrorContains(t, err, ": unsupported: this panel cannot do it")
			}
			for _, fails := range []error{nil, &provisioning.Error{Kind: provisioning.Locked}} {
				provider := &allround{err: fails}
				for _, with := range []any{provider, providerWrapper{provider}, anyWrapper{provider}} {
					got, err := v.call(t.Context(), with)
					assert.Equal(t, fails, err, "the provider's own error")
					assert.Equal(t, v.got, got)
				}
				assert.Equal(t, []string{v.want, v.want, v.want}, provider.calls)
			}
		})
	}
}

// TestEveryCapabilityMethodIsAVerb reads the capability interfaces, so that a new one cannot be forgotten above.
func TestEveryCapabilityMethodIsAVerb(t *testing.T) {
	t.Parallel()
	notVerbs := map[string]string{
		"Provider": "the core is called directly", "Creator": "the steps of CreateOnce", "Builder": "a step of CreateOnce", "Intents": "no capability",
		"Registrar": "a core of its own", "RegistrarFinder": "its one method is called where As finds it",
		"Peeker": "its verb falls back to Instance",
	}
	renamed := map[string]string{"Usage": "ReadUsage"} // Usage is the type
	var table, methods []string
	for _, v := range verbCalls() {
		table = append(table, v.verb)
	}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if i, ok := spec.Type.(*ast.InterfaceType); ok && notVerbs[spec.Name.Name] == "" {
				for _, m := range i.Methods.List {
					name := m.Names[0].Name
					if renamed[name] != "" {
						name = renamed[name]
					}
					methods = append(methods, name)
				}
			}
			return false
		})
	}
	slices.Sort(table)
	slices.Sort(methods)
	assert.Equal(t, methods, table)
}

// catalog lists what it holds.
type catalog struct {
	plans     []provisioning.PlanInfo
	images    map[string][]provisioning.ImageInfo
	locations []provisioning.LocationInfo
	err       error
}

func (c catalog) Plans(context.Context) ([]provisioning.PlanInfo, error) { return c.plans, c.err }
func (c catalog) Images(_ context.Context, plan string) ([]provisioning.ImageInfo, error) {
	return c.images[plan], c.err
}
func (c catalog) Locations(context.Context) ([]provisioning.LocationInfo, error) {
	return c.locations, c.err
}

func TestFindingByNameNeverGuesses(t *testing.T) {
	t.Parallel()
	c := catalog{
		plans: []provisioning.PlanInfo{
			{ID: "1", Name: "Small"}, {ID: "2", Name: "Large"}, {ID: "3", Name: "large"}, {ID: "4", Name: "Extra  Large"}, {ID: "5", Name: "1"},
			{ID: "6", Name: ""}, {ID: "7", Name: "Small 2"},
		},
		images:    map[string][]provisioning.ImageInfo{"1": {{ID: "9", Name: "Debian 13"}}},
		locations: []provisioning.LocationInfo{{ID: "1", Name: "Riga"}},
	}
	for name, want := range map[string]struct {
		id  string
		err error
	}{
		"Small":         {"1", nil},
		"small":         {"1", nil},
		" SMALL ":       {"1", nil},
		"2":             {"2", nil},
		"1":             {"1", nil}, // an id is stronger than the name of another
		"extra large":   {"4", nil},
		"Extra   Large": {"4", nil},
		"Large":         {"", provisioning.Conflict},
		"Medium":        {"", provisioning.NotFound},
		"Sma":           {"", provisioning.NotFound},
	} {
		got, err := provisioning.FindPlan(t.Context(), c, name)
		assert.Equal(t, want.id, got.ID, name)
		if want.err == nil {
			assert.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, want.err, name)
			require.ErrorContains(t, err, name)
		}
	}
	image, err := provisioning.FindImage(t.Context(), c, "1", "debian 13")
	require.NoError(t, err)
	assert.Equal(t, "9", image.ID)
	_, err = provisioning.FindImage(t.Context(), c, "2", "debian 13")
	require.ErrorIs(t, err, provisioning.NotFound, "it cannot be installed with that plan")
	location, err := provisioning.FindLocation(t.Context(), c, "riga")
	require.NoError(t, err)
	assert.Equal(t, "1", location.ID)
	_, err = provisioning.FindLocation(t.Context(), c, "Oslo")
	assert.EqualError(t, err, "not found; location: there is none called Oslo")
	_, err = provisioning.FindPlan(t.Context(), c, strings.Repeat("x", 1000))
	assert.Less(t, len(err.Error()), 200)

	c.err = &provisioning.Error{Kind: provisioning.Forbidden}
	for _, find := range []func(any) error{
		func(p any) error { _, err := provisioning.FindPlan(t.Context(), p, "Small"); return err },
		func(p any) error { _, err := provisioning.FindImage(t.Context(), p, "1", "debian 13"); return err },
		func(p any) error { _, err := provisioning.FindLocation(t.Context(), p, "Riga"); return err },
	} {
		require.ErrorIs(t, find(c), provisioning.Forbidden, "failing to look is not finding none")
		require.ErrorIs(t, find(struct{}{}), provisioning.Unsupported)
	}
}

func TestFindingNothingByNoName(t *testing.T) {
	t.Parallel()
	c := catalog{plans: []provisioning.PlanInfo{{ID: "6", Name: ""}, {ID: "", Name: "Broken"}}}
	for _, name := range []string{"", " "} {
		got, err := provisioning.FindPlan(t.Context(), c, name)
		require.ErrorIs(t, err, provisioning.Invalid, "%q must not find %+v", name, got)
	}
}

func TestPeekDoesNotAskTheHypervisorWhereTheProviderCan(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]struct {
		provider provisioning.Provider
		want     provisioning.PowerState
	}{
		"a provider that can":      {peeking{}, provisioning.PowerUnknown},
		"a wrapper around it":      {providerWrapper{peeking{}}, provisioning.PowerUnknown},
		"a provider that need not": {instanceOnly{}, provisioning.PowerRunning},
	} {
		i, err := provisioning.Peek(t.Context(), p.provider, "1")
		require.NoError(t, err)
		assert.Equal(t, p.want, i.Power, name)
	}
}

type instanceOnly struct{ provisioning.Provider }

func (instanceOnly) Instance(context.Context, provisioning.ID) (provisioning.Instance, error) {
	return provisioning.Instance{Power: provisioning.PowerRunning}, nil
}

type peeking struct{ instanceOnly }

func (peeking) Peek(context.Context, provisioning.ID) (provisioning.Instance, error) {
	return provisioning.Instance{Power: provisioning.PowerUnknown}, nil
}
