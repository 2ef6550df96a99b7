package virtfusion_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

func interfaceOperations() []operation {
	return append([]operation{{
		name: "list interfaces", fixture: "listServerInterfaces.200", method: "GET", path: "/servers/417/interfaces", check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Interfaces.List(ctx, 417) },
	}, {
		name: "add an interface", fixture: "createServerInterface.201", method: "POST", path: "/servers/417/interfaces", check: unseen,
		body: `{"hypervisorNetworkId":41,"apply":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.Create(ctx, 417, virtfusion.CreateInterfaceRequest{HypervisorNetworkID: 41, Apply: true})
		},
	}, {
		name: "read an interface", fixture: "getServerInterface.200", method: "GET", path: "/servers/417/interfaces/secondary", check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.Get(ctx, 417, virtfusion.InterfaceSecondary)
		},
	}, {
		name: "change an interface that its tag names", fixture: "updateServerInterface.200", method: "PUT", path: "/servers/417/interfaces/7012345678", check: unseen,
		body: `{"name":"ens3","driver":null,"processQueues":1000,"ipFilter":false,"inAverage":0,"apply":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.Update(ctx, 417, virtfusion.InterfaceTag(7012345678), virtfusion.UpdateInterfaceRequest{Name: "ens3",
				Driver: provisioning.Null[virtfusion.InterfaceDriver](), ProcessQueues: provisioning.Some(virtfusion.AutoProcessQueues), IPFilter: ptr(false),
				InAverage: ptr(virtfusion.KBps(0))})
		},
	}}, append(interfaceAddressOperations(), vlanOperations()...)...)
}

func interfaceAddressOperations() []operation {
	return []operation{{
		name: "attach addresses that the panel chooses", fixture: "attachServerInterfaceIPv4.201", method: "POST", path: "/servers/417/interfaces/primary/ipv4",
		body: `{"quantity":2}`, check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.AttachIPv4(ctx, 417, virtfusion.InterfacePrimary, virtfusion.AttachIPv4Request{Quantity: 2})
		},
	}, {
		name: "attach given addresses", fixture: "attachServerInterfaceIPv4.201", method: "POST", path: "/servers/417/interfaces/secondary/ipv4",
		body: `{"addresses":["198.51.100.40"]}`, check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.AttachIPv4(ctx, 417, virtfusion.InterfaceSecondary, virtfusion.AttachIPv4Request{Addresses: []netip.Addr{ip("198.51.100.40")}})
		},
	}, {
		name: "detach addresses by their ids", fixture: "detachServerInterfaceIPv4.200", method: "DELETE", path: "/servers/417/interfaces/primary/ipv4",
		body: `{"ids":[811,812]}`, check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.DetachIPv4(ctx, 417, virtfusion.InterfacePrimary, virtfusion.DetachIPv4Request{IDs: []virtfusion.IPv4ID{811, 812}})
		},
	}, {
		name: "order addresses", fixture: "orderServerInterfaceIPv4.200", method: "PUT", path: "/servers/417/interfaces/primary/ipv4/order",
		body: `{"order":[812,811]}`, check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.OrderIPv4(ctx, 417, virtfusion.InterfacePrimary, []virtfusion.IPv4ID{812, 811})
		},
	}, {
		name: "bind an address to an extra MAC", fixture: "bindServerInterfaceIPv4Mac.200", method: "PUT", path: "/servers/417/interfaces/primary/ipv4/811/mac",
		body: `{"macId":701}`, check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.BindIPv4MAC(ctx, 417, virtfusion.InterfacePrimary, 811, provisioning.Some(virtfusion.InterfaceMACID(701)))
		},
	}, {
		name: "bind an address to the interface's own MAC", fixture: "bindServerInterfaceIPv4Mac.200", method: "PUT",
		path: "/servers/417/interfaces/primary/ipv4/812/mac", body: `{"macId":null}`, check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.BindIPv4MAC(ctx, 417, virtfusion.InterfacePrimary, 812, provisioning.Null[virtfusion.InterfaceMACID]())
		},
	}, {
		name: "attach the next free IPv6 subnet", fixture: "attachServerInterfaceIPv6.201", method: "POST", path: "/servers/417/interfaces/primary/ipv6",
		body: `{}`, check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.AttachIPv6(ctx, 417, virtfusion.InterfacePrimary, virtfusion.AttachIPv6Request{})
		},
	}, {
		name: "attach a given IPv6 subnet", fixture: "attachServerInterfaceIPv6.201", method: "POST", path: "/servers/417/interfaces/secondary/ipv6",
		body: `{"subnet":"2001:db8:77:5::"}`, check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.AttachIPv6(ctx, 417, virtfusion.InterfaceSecondary, virtfusion.AttachIPv6Request{Subnet: ip("2001:db8:77:5::")})
		},
	}, {
		name: "bind an IPv6 subnet to an extra MAC", fixture: "bindServerInterfaceIPv6Mac.200", method: "PUT",
		path: "/servers/417/interfaces/primary/ipv6/910/mac", body: `{"macId":701}`, check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.BindIPv6MAC(ctx, 417, virtfusion.InterfacePrimary, 910, provisioning.Some(virtfusion.InterfaceMACID(701)))
		},
	}}
}

func vlanOperations() []operation {
	isVLAN := func(t *testing.T, got virtfusion.VLAN) {
		t.Helper()
		assert.Equal(t, virtfusion.VLANEntryID(651), got.ID)
		assert.Equal(t, virtfusion.Int(120), got.Number)
		assert.Contains(t, string(got.Data), `"vlanId": 120`)
	}
	return []operation{{
		name: "list VLANs", fixture: "listServerInterfaceVlans.200", method: "GET", path: "/servers/417/interfaces/primary/vlans",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.ListVLANs(ctx, 417, virtfusion.InterfacePrimary)
		},
		check: func(t *testing.T, got any) { isVLAN(t, got.([]virtfusion.VLAN)[0]) },
	}, {
		name: "tag a VLAN", fixture: "addServerInterfaceVlan.201", method: "POST", path: "/servers/417/interfaces/primary/vlans", body: `{"vlanId":120,"nativeMode":0}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.AddVLAN(ctx, 417, virtfusion.InterfacePrimary, virtfusion.AddVLANRequest{Number: 120, NativeMode: ptr(virtfusion.VLANMode(0))})
		},
		check: func(t *testing.T, got any) { isVLAN(t, *got.(*virtfusion.VLAN)) },
	}, {
		name: "change a VLAN", fixture: "updateServerInterfaceVlan.200", method: "PUT", path: "/servers/417/interfaces/primary/vlans/651", body: `{"trunk":2}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.UpdateVLAN(ctx, 417, virtfusion.InterfacePrimary, 651, virtfusion.UpdateVLANRequest{Trunk: ptr(virtfusion.VLANMode(2))})
		},
		check: func(t *testing.T, got any) { assert.Equal(t, virtfusion.VLANMode(2), got.(*virtfusion.VLAN).Trunk) },
	}, {
		name: "untag a VLAN", fixture: "deleteServerInterfaceVlan.204", method: "DELETE", path: "/servers/417/interfaces/primary/vlans/651",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Interfaces.DeleteVLAN(ctx, 417, virtfusion.InterfacePrimary, 651)
		},
	}, {
		name: "list extra MACs", fixture: "listServerInterfaceMacs.200", method: "GET", path: "/servers/417/interfaces/primary/macs",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.ListMACs(ctx, 417, virtfusion.InterfacePrimary)
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, "02:2A:00:00:02:BD", got.([]virtfusion.InterfaceMAC)[0].MAC)
		},
	}, {
		name: "add a MAC that the panel chooses", fixture: "addServerInterfaceMac.201", method: "POST", path: "/servers/417/interfaces/primary/macs", body: `{}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.AddMAC(ctx, 417, virtfusion.InterfacePrimary, virtfusion.AddInterfaceMACRequest{})
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, virtfusion.InterfaceMACID(701), got.(*virtfusion.InterfaceMAC).ID)
		},
	}, {
		name: "add a given MAC", fixture: "addServerInterfaceMac.201", method: "POST", path: "/servers/417/interfaces/primary/macs", body: `{"mac":"02:00:00:00:00:07"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Interfaces.AddMAC(ctx, 417, virtfusion.InterfacePrimary, virtfusion.AddInterfaceMACRequest{MAC: "02:00:00:00:00:07"})
		},
	}}
}

// A write whose answer nobody has published is done when the panel says so, whatever the answer looks like.
func TestAnAcceptedWriteIsDoneWhateverItsUnseenAnswerLooksLike(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing": ``, "no data": `{"message":"ok"}`, "a list": `[]`, "data that is a list": `{"data":[{"id":1}]}`, "data that is text": `{"data":"done"}`,
		"null": `{"data":null}`, "members of other kinds": `{"data":{"id":"x","vlanId":{},"mac":7,"enabled":"maybe","zone":[]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, panel := newClient(t, answer{status: 201, body: []byte(body)})
			_, err := c.Interfaces.AddVLAN(t.Context(), 417, virtfusion.InterfacePrimary, virtfusion.AddVLANRequest{Number: 7})
			require.NoError(t, err)
			_, err = c.Interfaces.Create(t.Context(), 417, virtfusion.CreateInterfaceRequest{})
			require.NoError(t, err)
			_, err = c.IPBlocks.Create(t.Context(), virtfusion.IPBlockRequest{Name: "new block", Type: virtfusion.FamilyIPv4})
			require.NoError(t, err)
			_, err = c.ReverseDNS.SetIPv4(t.Context(), ip("198.51.100.17"), provisioning.Some("a.example.com"))
			require.NoError(t, err)
			assert.Len(t, panel.requests(), 4)
		})
	}
	t.Run("a page of a proxy is no answer", func(t *testing.T) {
		t.Parallel()
		c, _ := newClient(t, answer{status: 200, body: []byte(`<html>`)})
		_, err := c.Interfaces.Create(t.Context(), 417, virtfusion.CreateInterfaceRequest{})
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
	})
	t.Run("a read without data is no answer", func(t *testing.T) {
		t.Parallel()
		c, _ := newClient(t, answer{status: 200, body: []byte(`{}`)})
		_, err := c.Interfaces.List(t.Context(), 417)
		require.ErrorIs(t, err, provisioning.Unexpected)
	})
}

func TestAPushToARunningServerHasMoreTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		panel := newSlowPanel(t, 40)
		_, err := panel.Firewall.Apply(t.Context(), 417, virtfusion.InterfacePrimary)
		require.NoError(t, err, "the panel may take 30 s, and the usual limit is 30 s")
		_, err = panel.Firewall.Apply(t.Context(), 417, virtfusion.InterfacePrimary, virtfusion.AttemptTimeout(1e9))
		require.ErrorIs(t, err, provisioning.Unavailable, "the caller's limit counts")
		_, err = panel.Interfaces.Update(t.Context(), 417, virtfusion.InterfacePrimary, virtfusion.UpdateInterfaceRequest{Name: "eth0", Apply: true})
		require.NoError(t, err)
		_, err = panel.Interfaces.Update(t.Context(), 417, virtfusion.InterfacePrimary, virtfusion.UpdateInterfaceRequest{Name: "eth0"})
		require.ErrorIs(t, err, provisioning.Unavailable, "nothing is pushed")
	})
}
