package virtfusion_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// badInput is a call that must be refused, by the field that is at fault.
type badInput map[string][]func(context.Context, *virtfusion.Client) error

func TestBadNetworkInputIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	for _, group := range []badInput{badAddresses(), badTraffic(), badInterfaces(), badFirewalls(), badBlocks(), badBlockAddresses(), badNetworks(), badIDs()} {
		for field, calls := range group {
			for i, call := range calls {
				t.Run(field+" "+string(rune('a'+i)), func(t *testing.T) {
					t.Parallel()
					c, panel := newClient(t, answer{status: 500})
					err := call(t.Context(), c)
					var e *provisioning.Error
					require.ErrorAs(t, err, &e)
					assert.Equal(t, provisioning.Invalid, e.Kind)
					assert.Contains(t, e.Fields, field)
					assert.False(t, e.MaybeApplied)
					assert.Empty(t, panel.requests())
				})
			}
		}
	}
}

const on = virtfusion.InterfacePrimary

// second drops the first result of a call.
func second[T any](_ T, err error) error { return err }

func badAddresses() badInput {
	give := func(ref virtfusion.InterfaceRef, n int) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Servers.AddIPv4Quantity(ctx, 1, ref, n))
		}
	}
	add := func(addresses ...netip.Addr) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.AddIPv4(ctx, 1, on, addresses) }
	}
	return badInput{
		"quantity": {give(on, 0), give(on, -1)},
		"interface": {
			give("", 1), give("tertiary", 1), give(virtfusion.InterfaceTag(7012345678), 1),
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.Firewall.Get(ctx, 1, "eth0")) },
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.Firewall.Get(ctx, 1, "..")) },
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.Interfaces.Get(ctx, 1, "")) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Interfaces.Get(ctx, 1, virtfusion.InterfaceTag(0)))
			},
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.Interfaces.Get(ctx, 1, "+7")) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.RemoveIPv4(ctx, 1, "", []netip.Addr{ip("192.0.2.1")})
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.RemoveFromWhitelist(ctx, 1, "", ip("192.0.2.1"))
			},
		},
		"addresses": {add(), add(ip("2001:db8::1")), add(netip.Addr{}), add(ip("192.0.2.1"), ip("192.0.2.1")), add(ip("::ffff:192.0.2.1"))},
		"prefix": {func(ctx context.Context, c *virtfusion.Client) error {
			return c.Servers.AddToWhitelist(ctx, 1, on, netip.PrefixFrom(ip("192.0.2.1"), 33))
		}},
		"address": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.RemoveFromWhitelist(ctx, 1, on, netip.Addr{})
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.ReverseDNS.SetIPv4(ctx, ip("2001:db8::1"), provisioning.Some("a.example.com")))
			},
		},
		"ptr": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.ReverseDNS.SetIPv4(ctx, ip("192.0.2.1"), provisioning.Opt[string]{}))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.ReverseDNS.SetIPv4(ctx, ip("192.0.2.1"), provisioning.Some("")))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.ReverseDNS.SetIPv4(ctx, ip("192.0.2.1"), provisioning.Some("two words")))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.ReverseDNS.SetIPv4(ctx, ip("192.0.2.1"), provisioning.Some(strings.Repeat("a", 254))))
			},
		},
	}
}

func badTraffic() badInput {
	change := func(r virtfusion.ModifyTrafficRequest) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.ModifyTraffic(ctx, 1, r) }
	}
	policy := func(p virtfusion.TrafficPolicy) func(context.Context, *virtfusion.Client) error {
		return change(virtfusion.ModifyTrafficRequest{TrafficPolicy: p})
	}
	add := func(month int, amount virtfusion.TrafficGB) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			return c.Servers.AddTrafficBlock(ctx, 1, virtfusion.AddTrafficBlockRequest{Month: month, Amount: amount})
		}
	}
	return badInput{
		"traffic": {change(virtfusion.ModifyTrafficRequest{}), change(virtfusion.ModifyTrafficRequest{Traffic: ptr(virtfusion.TrafficGB(-1))}),
			change(virtfusion.ModifyTrafficRequest{Traffic: ptr(virtfusion.TrafficGB(999_999_999))})},
		"trafficCountDirection":     {policy(virtfusion.TrafficPolicy{CountDirection: ptr(virtfusion.TrafficDirection(4))})},
		"trafficLimitAction":        {policy(virtfusion.TrafficPolicy{LimitAction: provisioning.Some(virtfusion.TrafficLimitAction(0))})},
		"trafficLimitThrottleIn":    {policy(virtfusion.TrafficPolicy{ThrottleIn: provisioning.Some(virtfusion.KBps(-1))})},
		"trafficLimitThrottleOut":   {policy(virtfusion.TrafficPolicy{ThrottleOut: provisioning.Some(virtfusion.KBps(-1))})},
		"trafficLimitNotification1": {policy(virtfusion.TrafficPolicy{NotificationPercent1: provisioning.Some(-1)})},
		"trafficLimitNotification2": {policy(virtfusion.TrafficPolicy{NotificationPercent2: provisioning.Some(-1)})},
		"month":                     {add(0, 1), add(-1, 1)},
		"amount":                    {add(1, 0), add(1, -5)},
	}
}

func badInterfaces() badInput {
	update := func(r virtfusion.UpdateInterfaceRequest) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.Update(ctx, 1, on, r))
		}
	}
	attach := func(r virtfusion.AttachIPv4Request) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.AttachIPv4(ctx, 1, on, r))
		}
	}
	detach := func(r virtfusion.DetachIPv4Request) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.DetachIPv4(ctx, 1, on, r))
		}
	}
	order := func(ids ...virtfusion.IPv4ID) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.OrderIPv4(ctx, 1, on, ids))
		}
	}
	vlan := func(n int, mode virtfusion.VLANMode) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.AddVLAN(ctx, 1, on, virtfusion.AddVLANRequest{Number: n, NativeMode: &mode}))
		}
	}
	mac := func(s string) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.AddMAC(ctx, 1, on, virtfusion.AddInterfaceMACRequest{MAC: s}))
		}
	}
	queues := func(n int) virtfusion.UpdateInterfaceRequest {
		return virtfusion.UpdateInterfaceRequest{ProcessQueues: provisioning.Some(n)}
	}
	some, one := []netip.Addr{ip("192.0.2.1")}, []virtfusion.IPv4ID{1}
	return badInput{
		"name": {update(virtfusion.UpdateInterfaceRequest{}), update(virtfusion.UpdateInterfaceRequest{Apply: true}),
			update(virtfusion.UpdateInterfaceRequest{Name: "x"}), update(virtfusion.UpdateInterfaceRequest{Name: "eth 0"})},
		"hypervisorNetworkId": {update(virtfusion.UpdateInterfaceRequest{HypervisorNetworkID: -1}), func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.Create(ctx, 1, virtfusion.CreateInterfaceRequest{HypervisorNetworkID: -1}))
		}},
		"driver":        {update(virtfusion.UpdateInterfaceRequest{Driver: provisioning.Some(virtfusion.InterfaceDriver(4))})},
		"processQueues": {update(queues(0)), update(queues(41)), update(queues(1001))},
		"inAverage":     {update(virtfusion.UpdateInterfaceRequest{InAverage: ptr(virtfusion.KBps(-1))})},
		"outAverage":    {update(virtfusion.UpdateInterfaceRequest{OutAverage: ptr(virtfusion.KBps(-1))})},
		"addresses": {attach(virtfusion.AttachIPv4Request{}), attach(virtfusion.AttachIPv4Request{Addresses: some, Quantity: 1}),
			attach(virtfusion.AttachIPv4Request{Addresses: some, IDs: one}), attach(virtfusion.AttachIPv4Request{Addresses: []netip.Addr{ip("::1")}}),
			detach(virtfusion.DetachIPv4Request{}), detach(virtfusion.DetachIPv4Request{Addresses: some, IDs: one})},
		"ids":      {attach(virtfusion.AttachIPv4Request{IDs: []virtfusion.IPv4ID{0}}), detach(virtfusion.DetachIPv4Request{IDs: []virtfusion.IPv4ID{3, 3}})},
		"quantity": {attach(virtfusion.AttachIPv4Request{Quantity: 101}), attach(virtfusion.AttachIPv4Request{Quantity: -1})},
		"order":    {order(), order(0), order(2, 2)},
		"ipId": {func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.BindIPv4MAC(ctx, 1, on, 0, provisioning.Some(virtfusion.InterfaceMACID(1))))
		}},
		"subnetId": {func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.BindIPv6MAC(ctx, 1, on, 0, provisioning.Some(virtfusion.InterfaceMACID(1))))
		}},
		"macId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Interfaces.BindIPv4MAC(ctx, 1, on, 1, provisioning.Opt[virtfusion.InterfaceMACID]{}))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Interfaces.BindIPv6MAC(ctx, 1, on, 1, provisioning.Some(virtfusion.InterfaceMACID(0))))
			},
		},
		"subnet": {func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.AttachIPv6(ctx, 1, on, virtfusion.AttachIPv6Request{Subnet: ip("192.0.2.1")}))
		}},
		"vlanId": {vlan(0, 0), vlan(4095, 0), func(ctx context.Context, c *virtfusion.Client) error { return c.Interfaces.DeleteVLAN(ctx, 1, on, 0) }},
		"nativeMode": {vlan(7, 3), vlan(7, -1), func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.UpdateVLAN(ctx, 1, on, 1, virtfusion.UpdateVLANRequest{}))
		}},
		"trunk": {func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Interfaces.UpdateVLAN(ctx, 1, on, 1, virtfusion.UpdateVLANRequest{Trunk: ptr(virtfusion.VLANMode(3))}))
		}},
		"mac": {mac("nonsense"), mac("01:00:5e:00:00:01"), mac("02:00:00:00:00:00:00:01")},
	}
}

func badFirewalls() badInput {
	add := func(r virtfusion.AddFirewallRuleRequest) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Firewall.AddRule(ctx, 1, on, r))
		}
	}
	without := func(change func(*virtfusion.AddFirewallRuleRequest)) func(context.Context, *virtfusion.Client) error {
		r := allowSSH
		change(&r)
		return add(r)
	}
	return badInput{
		"protocol":  {add(virtfusion.AddFirewallRuleRequest{}), without(func(r *virtfusion.AddFirewallRuleRequest) { r.Protocol = "" })},
		"direction": {without(func(r *virtfusion.AddFirewallRuleRequest) { r.Direction = "" })},
		"action": {without(func(r *virtfusion.AddFirewallRuleRequest) { r.Action = "" }),
			without(func(r *virtfusion.AddFirewallRuleRequest) { r.Action = "accept" })},
		"ipType": {without(func(r *virtfusion.AddFirewallRuleRequest) { r.IPType = 5 })},
		"rulesets": {func(ctx context.Context, c *virtfusion.Client) error {
			return c.Firewall.ReplaceRules(ctx, 1, on, []virtfusion.FirewallRulesetID{virtfusion.NoFirewallRulesets}, virtfusion.FirewallOptions{})
		}},
		"rulesetId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Firewall.AttachRuleset(ctx, 1, on, virtfusion.AttachFirewallRulesetRequest{}))
			},
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.Firewall.GetRuleset(ctx, 0)) },
		},
		"ruleId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Firewall.SetRuleEnabled(ctx, 1, on, 0, true, virtfusion.FirewallRuleOptions{}))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Firewall.DeleteRule(ctx, 1, on, 0, virtfusion.FirewallRuleOptions{}))
			},
		},
		"results": {func(ctx context.Context, c *virtfusion.Client) error {
			return second(collect(c.Firewall.ListRulesets(ctx, virtfusion.ListOptions{Results: 201})))
		}},
	}
}

func badBlocks() badInput {
	update := func(r virtfusion.IPBlockRequest) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error { return second(c.IPBlocks.Update(ctx, 1, r)) }
	}
	create := func(r virtfusion.IPBlockRequest) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error { return second(c.IPBlocks.Create(ctx, r)) }
	}
	group := func(r virtfusion.CreateIPBlockGroupRequest) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error { return second(c.IPBlocks.CreateGroup(ctx, r)) }
	}
	v4 := func(r virtfusion.IPBlockIPv4Request) func(context.Context, *virtfusion.Client) error {
		return update(virtfusion.IPBlockRequest{IPv4: r})
	}
	v6 := func(r virtfusion.IPBlockIPv6Request) func(context.Context, *virtfusion.Client) error {
		return update(virtfusion.IPBlockRequest{IPv6: r})
	}
	return badInput{
		"name": {create(virtfusion.IPBlockRequest{Type: 4}), create(virtfusion.IPBlockRequest{Type: 4, Name: "ab"}), update(virtfusion.IPBlockRequest{}),
			update(virtfusion.IPBlockRequest{Name: strings.Repeat("x", 101)}), group(virtfusion.CreateIPBlockGroupRequest{}),
			group(virtfusion.CreateIPBlockGroupRequest{Name: "ab"})},
		"type":           {create(virtfusion.IPBlockRequest{Name: "abc"}), create(virtfusion.IPBlockRequest{Name: "abc", Type: 5})},
		"dhcp":           {update(virtfusion.IPBlockRequest{DHCP: ptr(2)})},
		"networkProfile": {update(virtfusion.IPBlockRequest{NetworkProfile: ptr(21)}), update(virtfusion.IPBlockRequest{NetworkProfile: ptr(-1)})},
		"rdnsType":       {update(virtfusion.IPBlockRequest{RDNSType: ptr(virtfusion.RDNSType(3))})},
		"rdnsZoneId":     {update(virtfusion.IPBlockRequest{RDNSZoneID: provisioning.Some(virtfusion.RDNSZoneID(0))})},
		"ipv4": {v4(virtfusion.IPBlockIPv4Request{Gateway: provisioning.Some(ip("::1"))}), v4(virtfusion.IPBlockIPv4Request{Netmask: provisioning.Some(ip("255.0.255.0"))}),
			v4(virtfusion.IPBlockIPv4Request{Resolvers: virtfusion.ResolversRequest{Primary: provisioning.Some(netip.Addr{})}})},
		"ipv6": {v6(virtfusion.IPBlockIPv6Request{Subnet: provisioning.Some(ip("192.0.2.1"))}), v6(virtfusion.IPBlockIPv6Request{From: 64, To: 48}),
			v6(virtfusion.IPBlockIPv6Request{From: 129}), v6(virtfusion.IPBlockIPv6Request{To: -1})},
		"blockIds": {group(virtfusion.CreateIPBlockGroupRequest{Name: "abc", BlockIDs: []virtfusion.IPBlockID{0}})},
		"groupId":  {func(ctx context.Context, c *virtfusion.Client) error { return c.IPBlocks.RemoveFromGroup(ctx, 0, 1) }},
	}
}

func badBlockAddresses() badInput {
	add := func(r virtfusion.AddIPv4Request) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error { return second(c.IPBlocks.AddIPv4(ctx, 1, r)) }
	}
	generate := func(r virtfusion.GenerateIPv6Request) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.IPBlocks.GenerateIPv6(ctx, 1, r))
		}
	}
	prefix := netip.MustParsePrefix
	return badInput{
		"prefix": {add(virtfusion.AddIPv4Request{}), add(virtfusion.AddIPv4Request{Prefix: prefix("192.0.2.0/31")}),
			add(virtfusion.AddIPv4Request{Prefix: prefix("10.0.0.0/15")}), add(virtfusion.AddIPv4Request{Prefix: prefix("2001:db8::/24")}),
			add(virtfusion.AddIPv4Request{Prefix: netip.PrefixFrom(ip("192.0.2.0"), 64)}),
			add(virtfusion.AddIPv4Request{Prefix: prefix("192.0.2.0/24"), Start: ip("192.0.2.1")})},
		"end": {add(virtfusion.AddIPv4Request{Start: ip("192.0.2.9"), End: ip("192.0.2.1")}), add(virtfusion.AddIPv4Request{Start: ip("192.0.2.9")}),
			add(virtfusion.AddIPv4Request{Start: ip("::1"), End: ip("::2")})},
		"hostsOnly": {add(virtfusion.AddIPv4Request{Start: ip("192.0.2.1"), End: ip("192.0.2.9"), HostsOnly: true})},
		"count":     {generate(virtfusion.GenerateIPv6Request{Count: 1001}), generate(virtfusion.GenerateIPv6Request{Count: -1})},
		"after":     {generate(virtfusion.GenerateIPv6Request{After: ip("192.0.2.1")})},
		"subnet": {func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.IPBlocks.AddToBlacklist(ctx, 1, netip.Addr{}))
		},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.IPBlocks.AddToBlacklist(ctx, 1, ip("fe80::1%eth0")))
			}},
	}
}

func badNetworks() badInput {
	full := virtfusion.HypervisorNetworkRequest{Name: "Private", Bridge: "br1", Type: virtfusion.NetworkSimpleBridge}
	create := func(change func(*virtfusion.HypervisorNetworkRequest)) func(context.Context, *virtfusion.Client) error {
		r := full
		change(&r)
		return func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Hypervisors.CreateNetwork(ctx, 1, r))
		}
	}
	return badInput{
		"name": {create(func(r *virtfusion.HypervisorNetworkRequest) { r.Name = "" }), create(func(r *virtfusion.HypervisorNetworkRequest) { r.Name = "ab" }),
			create(func(r *virtfusion.HypervisorNetworkRequest) { r.Name = strings.Repeat("n", 31) }),
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Hypervisors.UpdateNetwork(ctx, 1, 1, virtfusion.HypervisorNetworkRequest{}))
			}},
		"bridge": {create(func(r *virtfusion.HypervisorNetworkRequest) { r.Bridge = "" }), create(func(r *virtfusion.HypervisorNetworkRequest) { r.Bridge = "br 1" }),
			create(func(r *virtfusion.HypervisorNetworkRequest) { r.Bridge = strings.Repeat("b", 21) })},
		"type": {create(func(r *virtfusion.HypervisorNetworkRequest) { r.Type = "" })},
		"mtu":  {create(func(r *virtfusion.HypervisorNetworkRequest) { r.MTU = provisioning.Some(0) })},
		"ipBlockGroupId": {create(func(r *virtfusion.HypervisorNetworkRequest) {
			r.IPBlockGroupID = provisioning.Some(virtfusion.IPBlockGroupID(0))
		})},
		"order": {func(ctx context.Context, c *virtfusion.Client) error {
			return second(c.Hypervisors.OrderIPBlocks(ctx, 1, []virtfusion.IPBlockID{2, 2}))
		}},
		"networkId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Hypervisors.BindIPBlock(ctx, 1, virtfusion.BindIPBlockRequest{BlockID: 1, NetworkID: -1}))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Hypervisors.RebindIPBlock(ctx, 1, 1, 0))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Hypervisors.GetNetwork(ctx, 1, 0))
			},
		},
	}
}

// badIDs holds an id of 0 in each place that takes one and is not in the other tables.
func badIDs() badInput {
	return badInput{
		"serverId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Servers.AddIPv4Quantity(ctx, 0, on, 1))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.AddIPv4(ctx, 0, on, []netip.Addr{ip("192.0.2.1")})
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.RemoveFromWhitelist(ctx, 0, on, ip("192.0.2.1"))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.ModifyTraffic(ctx, 0, virtfusion.ModifyTrafficRequest{Traffic: ptr(virtfusion.TrafficGB(1))})
			},
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.Servers.TrafficBlocks(ctx, 0)) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.AddTrafficBlock(ctx, 0, virtfusion.AddTrafficBlockRequest{Month: 1, Amount: 1})
			},
			func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.DeleteTrafficBlock(ctx, 0, 1) },
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.Interfaces.List(ctx, 0)) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Interfaces.Create(ctx, 0, virtfusion.CreateInterfaceRequest{}))
			},
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.Interfaces.Get(ctx, 0, on)) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Interfaces.ListVLANs(ctx, 0, on))
			},
			func(ctx context.Context, c *virtfusion.Client) error { return c.Interfaces.DeleteVLAN(ctx, 0, on, 1) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Interfaces.ListMACs(ctx, 0, on))
			},
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.Firewall.Get(ctx, 0, on)) },
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.Firewall.ListRules(ctx, 0, on)) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Firewall.AddRule(ctx, 0, on, allowSSH))
			},
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.Firewall.Apply(ctx, 0, on)) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Firewall.Enable(ctx, 0, on, virtfusion.FirewallOptions{})
			},
		},
		"blockId": {
			func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.DeleteTrafficBlock(ctx, 1, 0) },
			func(ctx context.Context, c *virtfusion.Client) error { return second(c.IPBlocks.Get(ctx, 0)) },
			func(ctx context.Context, c *virtfusion.Client) error { return c.IPBlocks.Delete(ctx, 0) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.IPBlocks.Update(ctx, 0, virtfusion.IPBlockRequest{Name: "abc"}))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(collect(c.IPBlocks.ListIPv4(ctx, 0, virtfusion.ListBlockIPv4Options{})))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.IPBlocks.ListHypervisors(ctx, 0))
			},
			func(ctx context.Context, c *virtfusion.Client) error { return c.IPBlocks.RemoveFromGroup(ctx, 1, 0) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Hypervisors.BindIPBlock(ctx, 1, virtfusion.BindIPBlockRequest{}))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Hypervisors.RebindIPBlock(ctx, 1, 0, 1))
			},
			func(ctx context.Context, c *virtfusion.Client) error { return c.Hypervisors.UnbindIPBlock(ctx, 1, 0) },
		},
		"hypervisorId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Hypervisors.ListNetworks(ctx, 0))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Hypervisors.GetNetwork(ctx, 0, 1))
			},
			func(ctx context.Context, c *virtfusion.Client) error { return c.Hypervisors.DeleteNetwork(ctx, 0, 1) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Hypervisors.ListIPBlocks(ctx, 0))
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return second(c.Hypervisors.CreateNetwork(ctx, 0, virtfusion.HypervisorNetworkRequest{}))
			},
		},
		"serviceId": {func(ctx context.Context, c *virtfusion.Client) error { return second(c.DNSServices.Get(ctx, 0)) }},
	}
}
