package virtfusion_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

func ipBlockOperations() []operation {
	return append([]operation{{
		name: "list IP blocks", fixture: "listIPBlocks.200", method: "GET", path: "/connectivity/ipblocks", query: "page=1&results=200",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return collect(c.IPBlocks.List(ctx, virtfusion.ListOptions{}))
		},
		check: func(t *testing.T, got any) {
			blocks := got.([]virtfusion.IPBlock)
			require.Len(t, blocks, 2)
			assert.Equal(t, virtfusion.FamilyIPv6, blocks[1].Type)
			assert.Equal(t, virtfusion.Int(65526), blocks[1].IPv6.Free)
			assert.Equal(t, virtfusion.RDNSZone, blocks[1].RDNSType)
			assert.Equal(t, virtfusion.RDNSZoneID(1), blocks[1].RDNSZoneID)
			assert.Empty(t, blocks[1].IPv4.Gateway)
		},
	}, {
		name: "read an IP block", fixture: "getIPBlock.200", method: "GET", path: "/connectivity/ipblocks/2",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.IPBlocks.Get(ctx, 2) },
		check: func(t *testing.T, got any) {
			b := got.(*virtfusion.IPBlock)
			assert.Equal(t, virtfusion.Int(229), b.IPv4.Free)
			assert.Equal(t, "255.255.255.0", b.IPv4.Netmask)
			assert.Equal(t, "192.0.2.54", b.IPv4.Resolvers.Secondary)
			assert.True(t, bool(b.DHCP))
		},
	}, {
		name: "create an IPv4 block", fixture: "createIPBlock.201", method: "POST", path: "/connectivity/ipblocks",
		body: `{"name":"203.0.113.0/24","type":4,"dhcp":0,"rdnsType":0,"ipv4":{"gateway":"203.0.113.1","netmask":"255.255.255.0","resolvers":{"primary":"192.0.2.53"}}}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.IPBlocks.Create(ctx, virtfusion.IPBlockRequest{Name: "203.0.113.0/24", Type: virtfusion.FamilyIPv4, DHCP: ptr(0), RDNSType: ptr(virtfusion.RDNSNone),
				IPv4: virtfusion.IPBlockIPv4Request{Gateway: provisioning.Some(ip("203.0.113.1")), Netmask: provisioning.Some(ip("255.255.255.0")),
					Resolvers: virtfusion.ResolversRequest{Primary: provisioning.Some(ip("192.0.2.53"))}}})
		},
		check: func(t *testing.T, got any) { assert.Equal(t, virtfusion.IPBlockID(201), got.(*virtfusion.IPBlock).ID) },
	}, {
		name: "change an IP block, where null clears", fixture: "updateIPBlock.200", method: "PUT", path: "/connectivity/ipblocks/2",
		body: `{"name":"renamed","enabled":false,"rdnsZoneId":null,"ipv4":{"gateway":null}}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.IPBlocks.Update(ctx, 2, virtfusion.IPBlockRequest{Name: "renamed", Enabled: ptr(false), RDNSZoneID: provisioning.Null[virtfusion.RDNSZoneID](),
				IPv4: virtfusion.IPBlockIPv4Request{Gateway: provisioning.Null[netip.Addr]()}})
		},
		check: func(t *testing.T, got any) { assert.Equal(t, "renamed", got.(*virtfusion.IPBlock).Name) },
	}, {
		name: "delete an IP block with the confirmation", fixture: "deleteIPBlock.204", method: "DELETE", path: "/connectivity/ipblocks/2", body: `{"confirm":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return nil, c.IPBlocks.Delete(ctx, 2) },
	}, {
		name: "read the hypervisors of an IP block", fixture: "listIPBlockHypervisors.200", method: "GET", path: "/connectivity/ipblocks/2/hypervisors", check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.IPBlocks.ListHypervisors(ctx, 2)
		},
	}, {
		name: "list groups of IP blocks", fixture: "listIPBlockGroups.200", method: "GET", path: "/connectivity/ipblockgroups", query: "page=1&results=200",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return collect(c.IPBlocks.ListGroups(ctx, virtfusion.ListOptions{}))
		},
		check: func(t *testing.T, got any) { assert.Equal(t, "Frankfurt", got.([]virtfusion.IPBlockGroup)[0].Name) },
	}, {
		name: "create a group of IP blocks", fixture: "createIPBlockGroup.201", method: "POST", path: "/connectivity/ipblockgroups",
		body: `{"name":"Frankfurt","blockIds":[2,6]}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.IPBlocks.CreateGroup(ctx, virtfusion.CreateIPBlockGroupRequest{Name: "Frankfurt", BlockIDs: []virtfusion.IPBlockID{2, 6}})
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, virtfusion.IPBlockGroupID(751), got.(*virtfusion.IPBlockGroup).ID)
		},
	}, {
		name: "take an IP block out of its group", fixture: "removeIPBlockGroupBlock.204", method: "DELETE", path: "/connectivity/ipblockgroups/751/blocks/2",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.IPBlocks.RemoveFromGroup(ctx, 751, 2)
		},
	}}, blockAddressOperations()...)
}

func blockAddressOperations() []operation {
	return []operation{{
		name: "list IPv4 addresses of a block", fixture: "listIPBlockIPv4.200", method: "GET", path: "/connectivity/ipblocks/2/ipv4",
		query: "address=198.51.100.40&assigned=false&page=1&reserved=true&results=50&serverId=417",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return collect(c.IPBlocks.ListIPv4(ctx, 2, virtfusion.ListBlockIPv4Options{ListOptions: virtfusion.ListOptions{Results: 50}, Address: ip("198.51.100.40"),
				Reserved: ptr(true), Assigned: ptr(false), ServerID: 417}))
		},
		check: func(t *testing.T, got any) { assert.Len(t, got.([]json.RawMessage), 1) },
	}, {
		name: "list IPv6 subnets of a block", fixture: "listIPBlockIPv6.200", method: "GET", path: "/connectivity/ipblocks/6/ipv6",
		query: "page=1&results=200&subnet=2001%3Adb8%3A77%3A1%3A%3A",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return collect(c.IPBlocks.ListIPv6(ctx, 6, virtfusion.ListBlockIPv6Options{Subnet: ip("2001:db8:77:1::")}))
		},
	}, {
		name: "add a range to a block", fixture: "addIPv4Range.204", method: "POST", path: "/connectivity/ipblocks/2/ipv4",
		body: `{"type":"range","start":"198.51.100.2","end":"198.51.100.10"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.IPBlocks.AddIPv4(ctx, 2, virtfusion.AddIPv4Request{Start: ip("198.51.100.2"), End: ip("198.51.100.10")})
		},
		check: func(t *testing.T, got any) { assert.Nil(t, got) },
	}, {
		name: "add a prefix to a block", fixture: "addIPv4Range.200", method: "POST", path: "/connectivity/ipblocks/3/ipv4", check: unseen,
		body: `{"type":"cidr","address":"198.51.100.0","prefix":24,"hostsOnly":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.IPBlocks.AddIPv4(ctx, 3, virtfusion.AddIPv4Request{Prefix: netip.MustParsePrefix("198.51.100.0/24"), HostsOnly: true})
		},
	}, {
		name: "generate IPv6 subnets", fixture: "generateIPBlockIPv6.200", method: "POST", path: "/connectivity/ipblocks/6/ipv6/generate", check: unseen,
		body: `{"count":10,"after":"2001:db8:77:12c::"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.IPBlocks.GenerateIPv6(ctx, 6, virtfusion.GenerateIPv6Request{Count: 10, After: ip("2001:db8:77:12c::")})
		},
	}, {
		name: "read the blacklist of a block", fixture: "listIPBlockBlacklist.200", method: "GET", path: "/connectivity/ipblocks/6/blacklist", check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.IPBlocks.ListBlacklist(ctx, 6) },
	}, {
		name: "blacklist a subnet", fixture: "addIPBlockBlacklist.201", method: "POST", path: "/connectivity/ipblocks/6/blacklist", check: unseen,
		body: `{"subnet":"2001:db8:77:1::5"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.IPBlocks.AddToBlacklist(ctx, 6, ip("2001:db8:77:1::5"))
		},
	}}
}

func hypervisorNetworkOperations() []operation {
	isNetwork := func(t *testing.T, got any) {
		n := got.(*virtfusion.HypervisorNetworkDetails)
		assert.Equal(t, virtfusion.HypervisorNetworkID(41), n.ID)
		assert.Equal(t, "Private", n.Name)
		assert.Equal(t, virtfusion.Int(9000), n.MTU)
	}
	return []operation{{
		name: "list networks of a hypervisor", fixture: "listHypervisorNetworks.200", method: "GET", path: "/compute/hypervisors/9/networks",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.ListNetworks(ctx, 9)
		},
		check: func(t *testing.T, got any) {
			assert.True(t, bool(got.([]virtfusion.HypervisorNetworkDetails)[0].Primary))
		},
	}, {
		name: "add a network to a hypervisor", fixture: "createHypervisorNetwork.201", method: "POST", path: "/compute/hypervisors/9/networks",
		body: `{"name":"Private","bridge":"br1","type":"simpleBridge","mtu":9000}`, check: isNetwork,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.CreateNetwork(ctx, 9, virtfusion.HypervisorNetworkRequest{Name: "Private", Bridge: "br1", Type: virtfusion.NetworkSimpleBridge,
				MTU: provisioning.Some(9000)})
		},
	}, {
		name: "read a network of a hypervisor", fixture: "getHypervisorNetwork.200", method: "GET", path: "/compute/hypervisors/9/networks/41", check: isNetwork,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.GetNetwork(ctx, 9, 41)
		},
	}, {
		name: "change a network, where null is the default", fixture: "updateHypervisorNetwork.200", method: "PUT", path: "/compute/hypervisors/9/networks/41",
		body: `{"mtu":null,"ipBlockGroupId":null}`, check: isNetwork,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.UpdateNetwork(ctx, 9, 41, virtfusion.HypervisorNetworkRequest{MTU: provisioning.Null[int](),
				IPBlockGroupID: provisioning.Null[virtfusion.IPBlockGroupID]()})
		},
	}, {
		name: "remove a network from a hypervisor", fixture: "deleteHypervisorNetwork.204", method: "DELETE", path: "/compute/hypervisors/9/networks/41",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Hypervisors.DeleteNetwork(ctx, 9, 41)
		},
	}, {
		name: "read the IP blocks of a hypervisor", fixture: "listHypervisorIPBlocks.200", method: "GET", path: "/compute/hypervisors/9/ipblocks", check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.ListIPBlocks(ctx, 9)
		},
	}, {
		name: "bind an IP block to the primary network", fixture: "bindHypervisorIPBlock.201", method: "POST", path: "/compute/hypervisors/9/ipblocks", check: unseen,
		body: `{"blockId":2}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.BindIPBlock(ctx, 9, virtfusion.BindIPBlockRequest{BlockID: 2})
		},
	}, {
		name: "bind an IP block to another network", fixture: "bindHypervisorIPBlock.201", method: "POST", path: "/compute/hypervisors/9/ipblocks", check: unseen,
		body: `{"blockId":2,"networkId":41}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.BindIPBlock(ctx, 9, virtfusion.BindIPBlockRequest{BlockID: 2, NetworkID: 41})
		},
	}, {
		name: "order the IP blocks of a hypervisor", fixture: "orderHypervisorIPBlocks.200", method: "PUT", path: "/compute/hypervisors/9/ipblocks/order", check: unseen,
		body: `{"order":[6,2]}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.OrderIPBlocks(ctx, 9, []virtfusion.IPBlockID{6, 2})
		},
	}, {
		name: "drop the order of the IP blocks of a hypervisor", fixture: "orderHypervisorIPBlocks.200", method: "PUT", path: "/compute/hypervisors/9/ipblocks/order",
		body: `{"order":[]}`, check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.OrderIPBlocks(ctx, 9, nil)
		},
	}, {
		name: "move an IP block to another network", fixture: "rebindHypervisorIPBlock.200", method: "PUT", path: "/compute/hypervisors/9/ipblocks/2", check: unseen,
		body: `{"networkId":41}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.RebindIPBlock(ctx, 9, 2, 41)
		},
	}, {
		name: "unbind an IP block", fixture: "unbindHypervisorIPBlock.204", method: "DELETE", path: "/compute/hypervisors/9/ipblocks/2",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Hypervisors.UnbindIPBlock(ctx, 9, 2)
		},
	}}
}

func rdnsOperations() []operation {
	return []operation{{
		name: "list zones", fixture: "listRdnsZones.200", method: "GET", path: "/connectivity/rdns/zones", check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.ReverseDNS.ListZones(ctx) },
	}, {
		name: "set the name of an address", fixture: "setIPv4Rdns.200", method: "PUT", path: "/connectivity/ipv4/rdns",
		body: `{"address":"198.51.100.17","ptr":"Web-17.example.com"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.ReverseDNS.SetIPv4(ctx, ip("198.51.100.17"), provisioning.Some("Web-17.example.com"))
		},
		check: func(t *testing.T, got any) { assert.True(t, got.(*virtfusion.RDNSChange).NeedsRebuild()) },
	}, {
		name: "clear the name of an address", fixture: "setIPv4Rdns.200", method: "PUT", path: "/connectivity/ipv4/rdns", body: `{"address":"198.51.100.17","ptr":null}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.ReverseDNS.SetIPv4(ctx, ip("198.51.100.17"), provisioning.Null[string]())
		},
	}, {
		name: "read a DNS service", fixture: "getDnsService.200", method: "GET", path: "/dns/services/4",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.DNSServices.Get(ctx, 4) },
		check: func(t *testing.T, got any) {
			s := got.(*virtfusion.DNSService)
			assert.Equal(t, "Operator", s.Name)
			assert.Equal(t, "fixture-encrypted-password", s.Password.Reveal())
			assert.NotContains(t, fmt.Sprintf("%+v", *s), "fixture-encrypted-password")
		},
	}}
}

func TestANameNeedsARebuildOnlyWhereTheAnswerNamesAZone(t *testing.T) {
	t.Parallel()
	for body, needs := range map[string]bool{
		``: false, `{"data":{}}`: false, `{"data":[]}`: false, `{"data":{"zone":null}}`: false, `{"data":{"zone":false}}`: false, `{"data":{"zone":[]}}`: false,
		`{"data":{"zone":1}}`: true, `{"data":{"zone":"113.0.203.in-addr.arpa"}}`: true, `{"data":{"zone":{"id":1}}}`: true, `{"zone":{"id":1}}`: true,
	} {
		c, _ := newClient(t, answer{status: 200, body: []byte(body)})
		change, err := c.ReverseDNS.SetIPv4(t.Context(), ip("198.51.100.17"), provisioning.Some("a.example.com"))
		require.NoError(t, err)
		assert.Equal(t, needs, change.NeedsRebuild(), body)
	}
}

func TestABlockInUseAndABridgeInUseAreConflicts(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, from(t, "deleteIPBlock.409"))
	require.ErrorIs(t, c.IPBlocks.Delete(t.Context(), 2), provisioning.Conflict)
	c, _ = newClient(t, from(t, "createHypervisorNetwork.409"))
	_, err := c.Hypervisors.CreateNetwork(t.Context(), 9, virtfusion.HypervisorNetworkRequest{Name: "Private", Bridge: "br0", Type: virtfusion.NetworkSimpleBridge})
	require.ErrorIs(t, err, provisioning.Conflict)
}

func TestAnswersAboutAnotherNetworkObjectAreRefused(t *testing.T) {
	t.Parallel()
	other := func(body string) answer { return answer{status: 200, body: []byte(body)} }
	for name, c := range map[string]struct {
		answer answer
		call   func(context.Context, *virtfusion.Client) error
	}{
		"an IP block": {other(`{"data":{"id":3}}`), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.IPBlocks.Get(ctx, 2)
			return err
		}},
		"a changed IP block": {other(`{"data":{"id":3}}`), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.IPBlocks.Update(ctx, 2, virtfusion.IPBlockRequest{Name: "abc"})
			return err
		}},
		"a ruleset": {other(`{"data":{"id":3}}`), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Firewall.GetRuleset(ctx, 2)
			return err
		}},
		"a network": {other(`{"data":{"id":3}}`), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Hypervisors.GetNetwork(ctx, 9, 2)
			return err
		}},
		"a VLAN": {other(`{"data":{"id":3}}`), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Interfaces.UpdateVLAN(ctx, 9, virtfusion.InterfacePrimary, 2, virtfusion.UpdateVLANRequest{Trunk: ptr(virtfusion.VLANMode(1))})
			return err
		}},
		"a DNS service": {other(`{"data":{"id":3}}`), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.DNSServices.Get(ctx, 2)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, panel := newClient(t, c.answer)
			require.ErrorIs(t, c.call(t.Context(), client), provisioning.Mismatch)
			assert.Len(t, panel.requests(), 1)
		})
	}
}
