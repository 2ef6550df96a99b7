package contract

import (
	"context"
	"net/netip"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

const (
	primary   = virtfusion.InterfacePrimary
	secondary = virtfusion.InterfaceSecondary
)

// iface reads the primary interface of the server.
func (p *vf) iface(ctx context.Context) (virtfusion.ServerInterface, error) {
	s, err := p.Servers.Get(ctx, p.server, virtfusion.GetServerOptions{})
	if err != nil {
		return virtfusion.ServerInterface{}, err
	}
	return s.Network.Interfaces[0], nil
}

func vfAddressCalls() []vfCall {
	return []vfCall{
		{op: "addIPv4Quantity", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.AddIPv4Quantity(ctx, p.server, primary, 2))
		}},
		{op: "addIPv4Addresses", do: func(ctx context.Context, p *vf) error {
			return p.Servers.AddIPv4(ctx, p.server, primary, []netip.Addr{netip.MustParseAddr("198.18.0.77")})
		}},
		{op: "removeIPv4Addresses", do: func(ctx context.Context, p *vf) error {
			i, err := p.iface(ctx)
			if err != nil {
				return err
			}
			return p.Servers.RemoveIPv4(ctx, p.server, primary, []netip.Addr{i.IPv4[0].Prefix().Addr()})
		}},
		{op: "addNetworkWhitelist", do: func(ctx context.Context, p *vf) error {
			return p.Servers.AddToWhitelist(ctx, p.server, primary, netip.MustParsePrefix("203.0.113.0/24"))
		}},
		{op: "removeNetworkWhitelist", do: func(ctx context.Context, p *vf) error {
			if err := p.Servers.AddToWhitelist(ctx, p.server, primary, netip.MustParsePrefix("203.0.113.7/32")); err != nil {
				return err
			}
			return p.Servers.RemoveFromWhitelist(ctx, p.server, primary, netip.MustParseAddr("203.0.113.7"))
		}},
	}
}

func vfInterfaceCalls() []vfCall {
	return []vfCall{
		{op: "listServerInterfaces", do: func(ctx context.Context, p *vf) error { return second(p.Interfaces.List(ctx, p.server)) }},
		{op: "createServerInterface", do: func(ctx context.Context, p *vf) error {
			s, err := p.Servers.Create(ctx, virtfusion.CreateServerRequest{PackageID: p.small, UserID: p.user, HypervisorGroupID: p.group})
			if err != nil {
				return err
			}
			return second(p.Interfaces.Create(ctx, s.ID, virtfusion.CreateInterfaceRequest{}))
		}},
		{op: "getServerInterface", do: func(ctx context.Context, p *vf) error { return second(p.Interfaces.Get(ctx, p.server, primary)) }},
		{op: "getServerInterface", name: "by its tag", do: func(ctx context.Context, p *vf) error {
			i, err := p.iface(ctx)
			if err != nil {
				return err
			}
			return second(p.Interfaces.Get(ctx, p.server, virtfusion.InterfaceTag(i.Tag)))
		}},
		{op: "updateServerInterface", do: func(ctx context.Context, p *vf) error {
			return second(p.Interfaces.Update(ctx, p.server, primary, virtfusion.UpdateInterfaceRequest{
				Name: "eth7", Driver: provisioning.Some(virtfusion.DriverVirtIO), ProcessQueues: provisioning.Some(virtfusion.AutoProcessQueues), IPFilter: ptr(true),
				PortIsolated: ptr(false), DHCPv4: ptr(true), DHCPv6: ptr(false), InAverage: ptr(virtfusion.KBps(0)), OutAverage: ptr(virtfusion.KBps(12500)), Apply: true,
			}))
		}},
		{op: "updateServerInterface", name: "to the defaults", do: func(ctx context.Context, p *vf) error {
			return second(p.Interfaces.Update(ctx, p.server, secondary, virtfusion.UpdateInterfaceRequest{
				Driver: provisioning.Null[virtfusion.InterfaceDriver](), ProcessQueues: provisioning.Null[int](),
			}))
		}},
		{op: "attachServerInterfaceIPv4", do: func(ctx context.Context, p *vf) error {
			return second(p.Interfaces.AttachIPv4(ctx, p.server, primary, virtfusion.AttachIPv4Request{Quantity: 1}))
		}},
		{op: "attachServerInterfaceIPv4", name: "by address", do: func(ctx context.Context, p *vf) error {
			return second(p.Interfaces.AttachIPv4(ctx, p.server, primary, virtfusion.AttachIPv4Request{Addresses: []netip.Addr{netip.MustParseAddr("198.18.0.77")}}))
		}},
		{op: "detachServerInterfaceIPv4", do: func(ctx context.Context, p *vf) error {
			i, err := p.iface(ctx)
			if err != nil {
				return err
			}
			return second(p.Interfaces.DetachIPv4(ctx, p.server, primary, virtfusion.DetachIPv4Request{IDs: []virtfusion.IPv4ID{i.IPv4[0].ID}}))
		}},
		{op: "detachServerInterfaceIPv4", name: "by address", do: func(ctx context.Context, p *vf) error {
			i, err := p.iface(ctx)
			if err != nil {
				return err
			}
			return second(p.Interfaces.DetachIPv4(ctx, p.server, primary, virtfusion.DetachIPv4Request{Addresses: []netip.Addr{i.IPv4[0].Prefix().Addr()}}))
		}},
		{op: "orderServerInterfaceIPv4", do: func(ctx context.Context, p *vf) error {
			i, err := p.iface(ctx)
			if err != nil {
				return err
			}
			return second(p.Interfaces.OrderIPv4(ctx, p.server, primary, []virtfusion.IPv4ID{i.IPv4[0].ID}))
		}},
		{op: "bindServerInterfaceIPv4Mac", do: func(ctx context.Context, p *vf) error {
			i, err := p.iface(ctx)
			if err != nil {
				return err
			}
			mac, err := p.Interfaces.AddMAC(ctx, p.server, primary, virtfusion.AddInterfaceMACRequest{})
			if err != nil {
				return err
			}
			return second(p.Interfaces.BindIPv4MAC(ctx, p.server, primary, i.IPv4[0].ID, provisioning.Some(mac.ID)))
		}},
		{op: "bindServerInterfaceIPv4Mac", name: "to none", do: func(ctx context.Context, p *vf) error {
			i, err := p.iface(ctx)
			if err != nil {
				return err
			}
			return second(p.Interfaces.BindIPv4MAC(ctx, p.server, primary, i.IPv4[0].ID, provisioning.Null[virtfusion.InterfaceMACID]()))
		}},
		{op: "attachServerInterfaceIPv6", do: func(ctx context.Context, p *vf) error {
			return second(p.Interfaces.AttachIPv6(ctx, p.server, primary, virtfusion.AttachIPv6Request{}))
		}},
		{op: "bindServerInterfaceIPv6Mac", do: func(ctx context.Context, p *vf) error {
			if _, err := p.Interfaces.AttachIPv6(ctx, p.server, primary, virtfusion.AttachIPv6Request{}); err != nil {
				return err
			}
			i, err := p.iface(ctx)
			if err != nil {
				return err
			}
			return second(p.Interfaces.BindIPv6MAC(ctx, p.server, primary, i.IPv6[0].ID, provisioning.Null[virtfusion.InterfaceMACID]()))
		}},
		{op: "listServerInterfaceVlans", do: func(ctx context.Context, p *vf) error {
			if _, err := p.Interfaces.AddVLAN(ctx, p.server, primary, virtfusion.AddVLANRequest{Number: 100}); err != nil {
				return err
			}
			return second(p.Interfaces.ListVLANs(ctx, p.server, primary))
		}},
		{op: "addServerInterfaceVlan", do: func(ctx context.Context, p *vf) error {
			return second(p.Interfaces.AddVLAN(ctx, p.server, primary, virtfusion.AddVLANRequest{Number: 100, NativeMode: ptr(virtfusion.VLANMode(1))}))
		}},
		{op: "updateServerInterfaceVlan", do: func(ctx context.Context, p *vf) error {
			v, err := p.Interfaces.AddVLAN(ctx, p.server, primary, virtfusion.AddVLANRequest{Number: 100})
			if err != nil {
				return err
			}
			return second(p.Interfaces.UpdateVLAN(ctx, p.server, primary, v.ID, virtfusion.UpdateVLANRequest{
				NativeMode: ptr(virtfusion.VLANMode(0)), Trunk: ptr(virtfusion.VLANMode(2)),
			}))
		}},
		{op: "deleteServerInterfaceVlan", do: func(ctx context.Context, p *vf) error {
			v, err := p.Interfaces.AddVLAN(ctx, p.server, primary, virtfusion.AddVLANRequest{Number: 100})
			if err != nil {
				return err
			}
			return p.Interfaces.DeleteVLAN(ctx, p.server, primary, v.ID)
		}},
		{op: "listServerInterfaceMacs", do: func(ctx context.Context, p *vf) error {
			if _, err := p.Interfaces.AddMAC(ctx, p.server, primary, virtfusion.AddInterfaceMACRequest{}); err != nil {
				return err
			}
			return second(p.Interfaces.ListMACs(ctx, p.server, primary))
		}},
		{op: "addServerInterfaceMac", do: func(ctx context.Context, p *vf) error {
			return second(p.Interfaces.AddMAC(ctx, p.server, primary, virtfusion.AddInterfaceMACRequest{MAC: "52:54:00:12:34:56"}))
		}},
	}
}

func vfFirewallCalls() []vfCall {
	web := virtfusion.AddFirewallRuleRequest{Protocol: virtfusion.FirewallTCP, Direction: virtfusion.FirewallIn, Action: virtfusion.FirewallAllow, IPType: 4,
		DestinationPort: "443", SourceAddress: "203.0.113.0/24", Priority: ptr(10)}
	return []vfCall{
		{op: "listFirewallRulesets", do: func(ctx context.Context, p *vf) error {
			return each(p.Firewall.ListRulesets(ctx, virtfusion.ListOptions{}))
		}},
		{op: "getFirewallRuleset", do: func(ctx context.Context, p *vf) error { return second(p.Firewall.GetRuleset(ctx, p.ruleset)) }},
		{op: "getFirewall", do: func(ctx context.Context, p *vf) error { return second(p.Firewall.Get(ctx, p.server, primary)) }},
		{op: "enableFirewall", do: func(ctx context.Context, p *vf) error {
			return p.Firewall.Enable(ctx, p.server, primary, virtfusion.FirewallOptions{})
		}},
		{op: "enableFirewall", name: "now", do: func(ctx context.Context, p *vf) error {
			return p.Firewall.Enable(ctx, p.server, primary, virtfusion.FirewallOptions{Sync: true})
		}},
		{op: "disableFirewall", do: func(ctx context.Context, p *vf) error {
			return p.Firewall.Disable(ctx, p.server, primary, virtfusion.FirewallOptions{Sync: true})
		}},
		{op: "listFirewallRules", do: func(ctx context.Context, p *vf) error {
			if _, err := p.Firewall.AddRule(ctx, p.server, primary, web); err != nil {
				return err
			}
			return second(p.Firewall.ListRules(ctx, p.server, primary))
		}},
		{op: "addFirewallRule", do: func(ctx context.Context, p *vf) error { return second(p.Firewall.AddRule(ctx, p.server, primary, web)) }},
		{op: "addFirewallRule", name: "twice, now", do: func(ctx context.Context, p *vf) error {
			r := virtfusion.AddFirewallRuleRequest{Protocol: virtfusion.FirewallAll, Direction: virtfusion.FirewallIn, Action: virtfusion.FirewallDeny, Apply: true}
			if _, err := p.Firewall.AddRule(ctx, p.server, primary, r); err != nil {
				return err
			}
			return second(p.Firewall.AddRule(ctx, p.server, primary, r))
		}},
		{op: "addFirewallRule", name: "in its older use", do: func(ctx context.Context, p *vf) error {
			return p.Firewall.ReplaceRules(ctx, p.server, primary, []virtfusion.FirewallRulesetID{p.ruleset}, virtfusion.FirewallOptions{Sync: true})
		}},
		{op: "setFirewallRuleEnabled", do: func(ctx context.Context, p *vf) error {
			r, err := p.Firewall.AddRule(ctx, p.server, primary, web)
			if err != nil {
				return err
			}
			return second(p.Firewall.SetRuleEnabled(ctx, p.server, primary, r.ID, false, virtfusion.FirewallRuleOptions{Apply: true}))
		}},
		{op: "deleteFirewallRule", do: func(ctx context.Context, p *vf) error {
			r, err := p.Firewall.AddRule(ctx, p.server, primary, web)
			if err != nil {
				return err
			}
			return second(p.Firewall.DeleteRule(ctx, p.server, primary, r.ID, virtfusion.FirewallRuleOptions{}))
		}},
		{op: "attachFirewallRuleset", do: func(ctx context.Context, p *vf) error {
			return second(p.Firewall.AttachRuleset(ctx, p.server, primary, virtfusion.AttachFirewallRulesetRequest{RulesetID: p.ruleset, Apply: true}))
		}},
		{op: "applyFirewall", do: func(ctx context.Context, p *vf) error { return second(p.Firewall.Apply(ctx, p.server, primary)) }},
	}
}

func vfTrafficCalls() []vfCall {
	block := virtfusion.AddTrafficBlockRequest{Month: 1, Amount: 500}
	limited := func(ctx context.Context, p *vf) error {
		return p.Servers.ModifyTraffic(ctx, p.server, virtfusion.ModifyTrafficRequest{Traffic: ptr(virtfusion.TrafficGB(2000))})
	}
	return []vfCall{
		{op: "getServerTraffic", do: func(ctx context.Context, p *vf) error { return second(p.Servers.Traffic(ctx, p.server)) }},
		{op: "modifyTraffic", do: func(ctx context.Context, p *vf) error {
			return p.Servers.ModifyTraffic(ctx, p.server, virtfusion.ModifyTrafficRequest{Traffic: ptr(virtfusion.TrafficGB(2000))})
		}},
		{op: "modifyTraffic", name: "with its policy", do: func(ctx context.Context, p *vf) error {
			return p.Servers.ModifyTraffic(ctx, p.server, virtfusion.ModifyTrafficRequest{Traffic: ptr(virtfusion.TrafficGB(0)), TrafficPolicy: virtfusion.TrafficPolicy{
				CountDirection: ptr(virtfusion.TrafficInherit), LimitAction: provisioning.Some(virtfusion.TrafficLimitThrottle),
				ThrottleIn: provisioning.Some(virtfusion.KBps(1250)), ThrottleOut: provisioning.Null[virtfusion.KBps](),
				NotificationPercent1: provisioning.Some(80), NotificationPercent2: provisioning.Null[int](),
			}})
		}},
		{op: "listTrafficBlocks", do: func(ctx context.Context, p *vf) error { return second(p.Servers.TrafficBlocks(ctx, p.server)) }},
		{op: "addTrafficBlock", do: func(ctx context.Context, p *vf) error {
			if err := limited(ctx, p); err != nil {
				return err
			}
			if err := p.Servers.AddTrafficBlock(ctx, p.server, block); err != nil {
				return err
			}
			return second(p.Servers.Traffic(ctx, p.server))
		}},
		{op: "deleteTrafficBlock", do: func(ctx context.Context, p *vf) error {
			if err := limited(ctx, p); err != nil {
				return err
			}
			if err := p.Servers.AddTrafficBlock(ctx, p.server, block); err != nil {
				return err
			}
			blocks, err := p.Servers.TrafficBlocks(ctx, p.server)
			if err != nil {
				return err
			}
			return p.Servers.DeleteTrafficBlock(ctx, p.server, blocks.Assigned[0].ID)
		}},
	}
}
