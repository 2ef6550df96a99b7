package virtfusion_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func networkTables() [][]operation {
	return [][]operation{addressOperations(), trafficLimitOperations(), interfaceOperations(), firewallOperations(), ipBlockOperations(), hypervisorNetworkOperations(),
		rdnsOperations()}
}

// networkWrites are the classes of the writes above.
var networkWrites = map[string]string{
	"POST /servers/417/ipv4Qty": "once", "POST /servers/417/ipv4": "set", "DELETE /servers/417/ipv4": "set", "POST /servers/417/networkWhitelist": "once",
	"DELETE /servers/417/networkWhitelist": "set", "PUT /servers/417/modify/traffic": "set", "POST /servers/417/traffic/blocks": "once",
	"DELETE /servers/417/traffic/blocks/6": "set",

	"POST /servers/417/interfaces": "once", "PUT /servers/417/interfaces/7012345678": "set", "POST /servers/417/interfaces/primary/ipv4": "once",
	"POST /servers/417/interfaces/secondary/ipv4": "set", "DELETE /servers/417/interfaces/primary/ipv4": "set",
	"PUT /servers/417/interfaces/primary/ipv4/order": "set", "PUT /servers/417/interfaces/primary/ipv4/811/mac": "set",
	"PUT /servers/417/interfaces/primary/ipv4/812/mac": "set", "POST /servers/417/interfaces/primary/ipv6": "once",
	"POST /servers/417/interfaces/secondary/ipv6": "set", "PUT /servers/417/interfaces/primary/ipv6/910/mac": "set",
	"POST /servers/417/interfaces/primary/vlans": "once", "PUT /servers/417/interfaces/primary/vlans/651": "set",
	"DELETE /servers/417/interfaces/primary/vlans/651": "set", "POST /servers/417/interfaces/primary/macs": "once",

	"POST /servers/417/firewall/primary/enable": "set", "POST /servers/417/firewall/secondary/disable": "set", "POST /servers/417/firewall/primary/rules": "set",
	"PUT /servers/417/firewall/primary/rules/1501": "set", "DELETE /servers/417/firewall/primary/rules/1501": "set",
	"POST /servers/417/firewall/primary/rulesets": "once", "POST /servers/417/firewall/primary/apply": "set",

	"POST /connectivity/ipblocks": "once", "PUT /connectivity/ipblocks/2": "set", "DELETE /connectivity/ipblocks/2": "set",
	"POST /connectivity/ipblocks/2/ipv4": "once", "POST /connectivity/ipblocks/3/ipv4": "set", "POST /connectivity/ipblocks/6/ipv6/generate": "once",
	"POST /connectivity/ipblocks/6/blacklist": "once", "POST /connectivity/ipblockgroups": "once", "DELETE /connectivity/ipblockgroups/751/blocks/2": "set",

	"POST /compute/hypervisors/9/networks": "once", "PUT /compute/hypervisors/9/networks/41": "set", "DELETE /compute/hypervisors/9/networks/41": "set",
	"POST /compute/hypervisors/9/ipblocks": "once", "PUT /compute/hypervisors/9/ipblocks/order": "set", "PUT /compute/hypervisors/9/ipblocks/2": "set",
	"DELETE /compute/hypervisors/9/ipblocks/2": "set", "PUT /connectivity/ipv4/rdns": "set",
}

func addressOperations() []operation {
	return []operation{{
		name: "add addresses that the panel chooses", fixture: "addIPv4Quantity.200", method: "POST", path: "/servers/417/ipv4Qty",
		body: `{"interface":"primary","quantity":2}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.AddIPv4Quantity(ctx, 417, virtfusion.InterfacePrimary, 2)
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, []netip.Addr{ip("198.51.100.36"), ip("198.51.100.37")}, got)
		},
	}, {
		name: "add given addresses", fixture: "addIPv4Addresses.204", method: "POST", path: "/servers/417/ipv4",
		body: `{"interface":"secondary","ip":["198.51.100.40","198.51.100.41"]}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.AddIPv4(ctx, 417, virtfusion.InterfaceSecondary, []netip.Addr{ip("198.51.100.40"), ip("198.51.100.41")})
		},
	}, {
		name: "remove given addresses, in the body of a DELETE", fixture: "removeIPv4Addresses.204", method: "DELETE", path: "/servers/417/ipv4",
		body: `{"interface":"primary","ip":["198.51.100.40"]}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.RemoveIPv4(ctx, 417, virtfusion.InterfacePrimary, []netip.Addr{ip("198.51.100.40")})
		},
	}, {
		name: "allow a foreign prefix", fixture: "addNetworkWhitelist.201", method: "POST", path: "/servers/417/networkWhitelist",
		body: `{"interface":"primary","ip":"2001:db8:9::","cidr":48}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.AddToWhitelist(ctx, 417, virtfusion.InterfacePrimary, netip.MustParsePrefix("2001:db8:9::/48"))
		},
	}, {
		name: "allow everything, whose length 0 is sent", fixture: "addNetworkWhitelist.201", method: "POST", path: "/servers/417/networkWhitelist",
		body: `{"interface":"primary","ip":"0.0.0.0","cidr":0}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.AddToWhitelist(ctx, 417, virtfusion.InterfacePrimary, netip.MustParsePrefix("0.0.0.0/0"))
		},
	}, {
		name: "allow a foreign prefix no longer", fixture: "removeNetworkWhitelist.204", method: "DELETE", path: "/servers/417/networkWhitelist",
		body: `{"interface":"primary","ip":"10.0.0.10"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.RemoveFromWhitelist(ctx, 417, virtfusion.InterfacePrimary, ip("10.0.0.10"))
		},
	}}
}

func trafficLimitOperations() []operation {
	return []operation{{
		name: "change the allowance alone", fixture: "modifyTraffic.201", method: "PUT", path: "/servers/417/modify/traffic", body: `{"traffic":0}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.ModifyTraffic(ctx, 417, virtfusion.ModifyTrafficRequest{Traffic: ptr(virtfusion.TrafficGB(0))})
		},
	}, {
		name: "change the policy, where null inherits", fixture: "modifyTraffic.201", method: "PUT", path: "/servers/417/modify/traffic",
		body: `{"traffic":1000,"trafficCountDirection":0,"trafficLimitAction":2,"trafficLimitThrottleIn":1250,"trafficLimitThrottleOut":null,"trafficLimitNotification1":80}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.ModifyTraffic(ctx, 417, virtfusion.ModifyTrafficRequest{Traffic: ptr(virtfusion.TrafficGB(1000)),
				TrafficPolicy: virtfusion.TrafficPolicy{CountDirection: ptr(virtfusion.TrafficInherit), LimitAction: provisioning.Some(virtfusion.TrafficLimitThrottle),
					ThrottleIn: provisioning.Some(virtfusion.KBps(1250)), ThrottleOut: provisioning.Null[virtfusion.KBps](),
					NotificationPercent1: provisioning.Some(80)}})
		},
	}, {
		name: "list traffic blocks, without a body", fixture: "listTrafficBlocks.200", method: "GET", path: "/servers/417/traffic/blocks",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Servers.TrafficBlocks(ctx, 417) },
		check: func(t *testing.T, got any) {
			b := got.(*virtfusion.TrafficBlocks)
			require.Len(t, b.Assigned, 1)
			assert.Equal(t, virtfusion.TrafficBlockID(6), b.Assigned[0].ID)
			assert.Equal(t, 500*virtfusion.BytesPerTrafficGB, b.Assigned[0].Traffic.Bytes())
			assert.Equal(t, virtfusion.Int(2), b.Assigned[0].Number)
			assert.True(t, bool(b.Assigned[0].Current))
			assert.Equal(t, virtfusion.Int(2), b.Available.Current.Number)
			assert.Len(t, b.Available.Months, 3)
			assert.Equal(t, "2026-05-01 23:59:59", b.Available.Months["3"].End.Format("2006-01-02 15:04:05"))
		},
	}, {
		name: "add a traffic block", fixture: "addTrafficBlock.201", method: "POST", path: "/servers/417/traffic/blocks", body: `{"month":2,"amount":100}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.AddTrafficBlock(ctx, 417, virtfusion.AddTrafficBlockRequest{Month: 2, Amount: 100})
		},
	}, {
		name: "delete a traffic block, without a body", fixture: "deleteTrafficBlock.204", method: "DELETE", path: "/servers/417/traffic/blocks/6",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.DeleteTrafficBlock(ctx, 417, 6)
		},
	}}
}

func TestPeriodsThatAreAnEmptyListAreFine(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, answer{status: 200, body: []byte(`{"data":{"assigned":[],"available":{"total":0,"current":null,"months":[]}}}`)})
	blocks, err := c.Servers.TrafficBlocks(t.Context(), 417)
	require.NoError(t, err)
	assert.Empty(t, blocks.Available.Months)
}

func TestAnotherNumberOfAddressesIsReportedWithTheAddresses(t *testing.T) {
	t.Parallel()
	c, panel := newClient(t, from(t, "addIPv4Quantity.200"))
	given, err := c.Servers.AddIPv4Quantity(t.Context(), 417, virtfusion.InterfacePrimary, 3)
	require.ErrorIs(t, err, provisioning.Mismatch)
	require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
	assert.ErrorContains(t, err, "the panel gave 2 addresses instead of 3")
	assert.Len(t, given, 2)
	assert.Len(t, panel.requests(), 1)
}

func TestAddressesThatAreNoneLeaveDoubt(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"not addresses": `{"data":["one","two"]}`, "nothing": ``, "null": `{"data":null}`, "no data": `{}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, panel := newClient(t, answer{status: 200, body: []byte(body)})
			_, err := c.Servers.AddIPv4Quantity(t.Context(), 417, virtfusion.InterfacePrimary, 2)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Len(t, panel.requests(), 1, "asking again would give more addresses")
		})
	}
}

func TestNoFreeAddressIsAMatterOfCapacity(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, from(t, "addIPv4Quantity.422"))
	_, err := c.Servers.AddIPv4Quantity(t.Context(), 417, virtfusion.InterfacePrimary, 2)
	require.ErrorIs(t, err, provisioning.Capacity)
	require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
}

func TestNamedAddressesAreAskedForAgainAndDoubtStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		taken := answer{status: 422, body: []byte(`{"errors":["The address is assigned already"]}`)}
		c, panel := newClient(t, answer{status: 504}, taken)
		err := c.Servers.AddIPv4(t.Context(), 417, virtfusion.InterfacePrimary, []netip.Addr{ip("198.51.100.40")})
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied, "the refusal may be due to the first attempt")
		require.ErrorIs(t, err, provisioning.Invalid)
		assert.Len(t, panel.requests(), 2)
	})
}

// The vendor's bodies of the operations on networks, see vendorAnswers.
func TestEveryLeafOfTheVendorsNetworkExamplesArrives(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(vendorBodies); err != nil {
		t.Skip("the reference folder is not beside the project")
	}
	for name, into := range map[string]any{
		"GET_connectivity_ipblocks.200":                    new(wrapped[[]virtfusion.IPBlock]),
		"GET_connectivity_ipblocks_blockId.200":            new(wrapped[virtfusion.IPBlock]),
		"GET_dns_services_serviceId.200":                   new(wrapped[virtfusion.DNSService]),
		"GET_servers_serverId_traffic_blocks.200":          new(wrapped[virtfusion.TrafficBlocks]),
		"POST_servers_serverId_ipv4Qty.200":                new(wrapped[[]netip.Addr]),
		"POST_servers_serverId_traffic_blocks.request":     new(virtfusion.AddTrafficBlockRequest),
		"PUT_servers_serverId_modify_traffic.request":      new(virtfusion.ModifyTrafficRequest),
		"POST_connectivity_ipblocks_blockId_ipv4.request":  new(rangeBody),
		"POST_servers_serverId_ipv4.request":               new(addressBody),
		"DELETE_servers_serverId_ipv4.request":             new(addressBody),
		"POST_servers_serverId_networkWhitelist.request":   new(whitelistBody),
		"DELETE_servers_serverId_networkWhitelist.request": new(whitelistBody),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(filepath.Join(vendorBodies, name+".json"))
			require.NoError(t, err)
			arrives(t, body, into)
		})
	}
}

// The requests that have no type of their own are sent, and compared with the vendor's.
type (
	rangeBody struct {
		Type  string     `json:"type"`
		Start netip.Addr `json:"start"`
		End   netip.Addr `json:"end"`
	}
	addressBody struct {
		Interface virtfusion.InterfaceRef `json:"interface"`
		IP        []netip.Addr            `json:"ip"`
	}
	whitelistBody struct {
		Interface virtfusion.InterfaceRef `json:"interface"`
		IP        netip.Addr              `json:"ip"`
		CIDR      int                     `json:"cidr"`
	}
)

func TestTheRequestsAreTheVendorsExamples(t *testing.T) {
	t.Parallel()
	addresses := []netip.Addr{ip("10.100.0.10"), ip("10.100.0.11")}
	for name, call := range map[string]func(context.Context, *virtfusion.Client) error{
		"POST_servers_serverId_ipv4.request": func(ctx context.Context, c *virtfusion.Client) error {
			return c.Servers.AddIPv4(ctx, 417, virtfusion.InterfacePrimary, addresses)
		},
		"DELETE_servers_serverId_ipv4.request": func(ctx context.Context, c *virtfusion.Client) error {
			return c.Servers.RemoveIPv4(ctx, 417, virtfusion.InterfacePrimary, addresses)
		},
		"POST_servers_serverId_ipv4Qty.request": func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.AddIPv4Quantity(ctx, 417, virtfusion.InterfacePrimary, 2)
			return err
		},
		"POST_servers_serverId_networkWhitelist.request": func(ctx context.Context, c *virtfusion.Client) error {
			return c.Servers.AddToWhitelist(ctx, 417, virtfusion.InterfacePrimary, netip.MustParsePrefix("10.0.0.10/32"))
		},
		"DELETE_servers_serverId_networkWhitelist.request": func(ctx context.Context, c *virtfusion.Client) error {
			return c.Servers.RemoveFromWhitelist(ctx, 417, virtfusion.InterfacePrimary, ip("10.0.0.10"))
		},
		"PUT_servers_serverId_modify_traffic.request": func(ctx context.Context, c *virtfusion.Client) error {
			return c.Servers.ModifyTraffic(ctx, 417, virtfusion.ModifyTrafficRequest{Traffic: ptr(virtfusion.TrafficGB(1000))})
		},
		"POST_servers_serverId_traffic_blocks.request": func(ctx context.Context, c *virtfusion.Client) error {
			return c.Servers.AddTrafficBlock(ctx, 417, virtfusion.AddTrafficBlockRequest{Month: 2, Amount: 100})
		},
		"POST_servers_serverId_firewall_interface_rules.request": func(ctx context.Context, c *virtfusion.Client) error {
			return c.Firewall.ReplaceRules(ctx, 417, virtfusion.InterfacePrimary, []virtfusion.FirewallRulesetID{1, 2, 5}, virtfusion.FirewallOptions{})
		},
		"POST_connectivity_ipblocks_blockId_ipv4.request": func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.IPBlocks.AddIPv4(ctx, 2, virtfusion.AddIPv4Request{Start: ip("192.168.1.2"), End: ip("192.168.1.10")})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(filepath.Join(vendorBodies, name+".json"))
			if err != nil {
				t.Skip("the reference folder is not beside the project")
			}
			c, panel := newClient(t, from(t, "addIPv4Quantity.200"))
			require.NoError(t, call(t.Context(), c))
			sameJSON(t, string(want), panel.requests()[0].body)
		})
	}
}
