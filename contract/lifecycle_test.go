package contract

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// lifecycle is what a billing system does to a server from its order to its end, with all capabilities that the provider has. Time passes on the panel
// meanwhile, so answers are seen in the middle of operations.
func lifecycle(t *testing.T, p provisioning.Provider, order provisioning.CreateRequest, bigger string) {
	t.Helper()
	ctx := t.Context()
	made, err := provisioning.CreateOnce(ctx, p, &provisioning.MemIntents{}, order, provisioning.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, made.Wait(ctx, provisioning.WaitOptions{}))
	id := made.ID
	seen := 0
	for _, step := range steps(ctx, p, id, order, bigger) {
		if err := step.act(); errors.Is(err, provisioning.Unsupported) {
			t.Logf("%s: %v", step.name, err)
		} else if assert.NoError(t, err, step.name) {
			seen++
		}
		time.Sleep(time.Minute) // what was not waited for ends
	}
	assert.Greater(t, seen, 10)
	rebuilt, err := provisioning.Rebuild(ctx, p, id, provisioning.RebuildRequest{Image: order.Image, Hostname: order.Hostname})
	require.NoError(t, err)
	require.NoError(t, rebuilt.Wait(ctx, provisioning.WaitOptions{}))
	require.NoError(t, done(ctx)(provisioning.Delete(ctx, p, id, provisioning.DeleteOptions{})))
	require.NoError(t, provisioning.WaitGone(ctx, p, id, provisioning.WaitOptions{}))
}

// step is one thing that is done to a server.
type step struct {
	name string
	act  func() error
}

func steps(ctx context.Context, p provisioning.Provider, id provisioning.ID, order provisioning.CreateRequest, bigger string) []step {
	wait := done(ctx)
	return []step{
		{"read", func() error { return second(p.Instance(ctx, id)) }},
		{"peek", func() error { return second(provisioning.Peek(ctx, p, id)) }},
		{"list", func() error { return each(p.Instances(ctx)) }},
		{"ping", func() error { return provisioning.Ping(ctx, p) }},
		{"suspend and unsuspend", func() error {
			return errors.Join(wait(provisioning.Suspend(ctx, p, id, "unpaid")), second(p.Instance(ctx, id)), wait(provisioning.Unsuspend(ctx, p, id)))
		}},
		{"resize", func() error { return wait(provisioning.Resize(ctx, p, id, provisioning.ResizeRequest{Plan: bigger})) }},
		{"power", func() error {
			return errors.Join(wait(provisioning.Shutdown(ctx, p, id)), wait(provisioning.Start(ctx, p, id)), wait(provisioning.Restart(ctx, p, id)),
				wait(provisioning.PowerOff(ctx, p, id)), wait(provisioning.Start(ctx, p, id)))
		}},
		{"rename", func() error { return provisioning.Rename(ctx, p, id, "renamed.example.com") }},
		{"password", func() error {
			return wait(operationOf(provisioning.ResetRootPassword(ctx, p, id, provisioning.PasswordOptions{})))
		}},
		{"console", func() error { return second(provisioning.OpenConsole(ctx, p, id)) }},
		{"usage", func() error { return second(provisioning.ReadUsage(ctx, p, id)) }},
		{"addresses", func() error {
			added, err := provisioning.AddIPv4(ctx, p, id, 1)
			if err != nil {
				return err
			}
			return errors.Join(second(provisioning.Addresses(ctx, p, id)), provisioning.RemoveAddresses(ctx, p, id, addrs(added)))
		}},
		{"owner", func() error {
			return errors.Join(second(provisioning.FindOwner(ctx, p, order.Owner.Ref)), each(provisioning.OwnerInstances(ctx, p, order.Owner.Ref)))
		}},
		{"login", func() error { return second(provisioning.LoginLink(ctx, p, order.Owner.Ref, id)) }},
		{"panel", func() error { return second(provisioning.ResetPanelPassword(ctx, p, order.Owner.Ref)) }},
		{"snapshots", func() error { return snapshots(ctx, p, id) }},
		{"backups", func() error { return second(provisioning.Backups(ctx, p, id)) }},
		{"validate", func() error { return provisioning.ValidateCreate(ctx, p, order) }},
		{"catalogue", func() error {
			return errors.Join(second(provisioning.Plans(ctx, p)), second(provisioning.Images(ctx, p, order.Plan)), second(provisioning.Locations(ctx, p)))
		}},
	}
}

// done waits for an operation that was accepted.
func done(ctx context.Context) func(*provisioning.Operation, error) error {
	return func(op *provisioning.Operation, err error) error {
		if err != nil {
			return err
		}
		return op.Wait(ctx, provisioning.WaitOptions{})
	}
}

func operationOf(r provisioning.PasswordReset, err error) (*provisioning.Operation, error) {
	return r.Operation, err
}

func snapshots(ctx context.Context, p provisioning.Provider, id provisioning.ID) error {
	wait := done(ctx)
	if err := wait(provisioning.CreateSnapshot(ctx, p, id, "before update")); err != nil {
		return err
	}
	all, err := provisioning.Snapshots(ctx, p, id)
	if err != nil {
		return err
	}
	return errors.Join(wait(provisioning.RevertSnapshot(ctx, p, id, all[0].ID)), wait(provisioning.DeleteSnapshot(ctx, p, id, all[0].ID)))
}

func TestTheLifeOfAVirtFusionServerKeepsToTheFile(t *testing.T) {
	t.Parallel()
	for _, version := range []string{virtfusiontest.V62, virtfusiontest.V70, virtfusiontest.V71} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			w := newWorkload(t, "virtfusion")
			synctest.Test(t, func(t *testing.T) {
				panel := virtfusiontest.New(t, virtfusiontest.WithVersion(version))
				c, err := virtfusion.New(panel.URL(), panel.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: w.watch(t, panel.Transport())}))
				require.NoError(t, err)
				lifecycle(t, virtfusion.NewProvider(c, virtfusion.ProviderOptions{}), provisioning.CreateRequest{
					Key: "order-7", Hostname: "order-7.example.com", Plan: number(virtfusiontest.PackageSmall), Image: number(virtfusiontest.TemplateDebian),
					Owner: provisioning.Owner{Ref: "7001", Name: "Otto Owner", Email: "otto@example.com"}, SSHKeys: []string{publicKey}, IPv4: 1, IPv6: true,
				}, number(virtfusiontest.PackageMedium))
			})
		})
	}
}

func TestTheLifeOfASolusVM2ServerKeepsToTheFile(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]solusvm2test.Option{"now": nil, "on an older node": {solusvm2test.WithOldShapes()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkload(t, "solusvm2")
			synctest.Test(t, func(t *testing.T) {
				panel := solusvm2test.New(t, opts...)
				panel.AddUser(solusvm2test.User{Email: "otto@example.com", BillingUserID: "7001"})
				c, err := solusvm2.New(panel.URL(), panel.Token(), solusvm2.WithHTTPClient(&http.Client{Transport: w.watch(t, panel.Transport())}))
				require.NoError(t, err)
				lifecycle(t, solusvm2.NewProvider(c, solusvm2.ProviderOptions{}), provisioning.CreateRequest{
					Key: "order-7", Hostname: "order-7.example.com", Plan: number(solusvm2test.PlanSmall), Image: number(solusvm2test.VersionDebian12),
					Location: number(solusvm2test.LocationAmsterdam), Owner: provisioning.Owner{Ref: "7001", Email: "otto@example.com"}, SSHKeys: []string{publicKey}, IPv4: 1,
				}, number(solusvm2test.PlanMedium))
			})
		})
	}
}

func number(id int64) string { return strconv.FormatInt(id, 10) }

func addrs(all []provisioning.Address) []netip.Addr {
	var list []netip.Addr
	for _, a := range all {
		list = append(list, a.Prefix.Addr())
	}
	return list
}
