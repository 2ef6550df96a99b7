package virtfusion_test

import (
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// newNetworked makes a panel, its client and a built server with a second interface.
func newNetworked(t *testing.T, opts ...virtfusiontest.Option) (*virtfusiontest.Panel, *virtfusion.Client, virtfusion.ServerID) {
	t.Helper()
	p := virtfusiontest.New(t, opts...)
	c, err := virtfusion.New(p.URL(), p.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: p.Transport()}))
	require.NoError(t, err)
	s, err := p.AddServer(virtfusiontest.Server{PackageID: virtfusiontest.PackageLarge, Built: true})
	require.NoError(t, err)
	return p, c, virtfusion.ServerID(s.ID)
}

func primary(t *testing.T, c *virtfusion.Client, id virtfusion.ServerID) virtfusion.ServerInterface {
	t.Helper()
	s, err := c.Servers.Get(t.Context(), id, virtfusion.GetServerOptions{})
	require.NoError(t, err)
	require.Len(t, s.Network.Interfaces, 1)
	return s.Network.Interfaces[0]
}

func addressesOf(i virtfusion.ServerInterface) []string {
	var all []string
	for _, a := range i.IPv4 {
		all = append(all, a.Address)
	}
	return all
}

func TestAddressesGoToAServerAndBack(t *testing.T) {
	t.Parallel()
	_, c, id := newNetworked(t)
	ctx := t.Context()
	free := func() virtfusion.Int {
		b, err := c.IPBlocks.Get(ctx, 201)
		require.NoError(t, err)
		return b.IPv4.Free
	}
	before := free()
	given, err := c.Servers.AddIPv4Quantity(ctx, id, virtfusion.InterfacePrimary, 2)
	require.NoError(t, err)
	assert.Equal(t, before-2, free())
	wanted := ip("198.18.1.77")
	require.NoError(t, c.Servers.AddIPv4(ctx, id, virtfusion.InterfacePrimary, []netip.Addr{wanted}))
	assert.Equal(t, []string{"198.18.0.2", given[0].String(), given[1].String(), "198.18.1.77"}, addressesOf(primary(t, c, id)))

	err = c.Servers.AddIPv4(ctx, id, virtfusion.InterfacePrimary, []netip.Addr{wanted})
	require.ErrorIs(t, err, provisioning.Invalid, "somebody has it")
	require.NoError(t, c.Servers.RemoveIPv4(ctx, id, virtfusion.InterfacePrimary, append(given, wanted)))
	assert.Equal(t, []string{"198.18.0.2"}, addressesOf(primary(t, c, id)))
	assert.Equal(t, before, free())
	require.ErrorIs(t, c.Servers.RemoveIPv4(ctx, id, virtfusion.InterfacePrimary, given), provisioning.Invalid)
}

func TestTheWhitelistIsShownWithTheInterface(t *testing.T) {
	t.Parallel()
	_, c, id := newNetworked(t)
	require.NoError(t, c.Servers.AddToWhitelist(t.Context(), id, virtfusion.InterfacePrimary, netip.MustParsePrefix("2001:db8:9::/48")))
	require.NoError(t, c.Servers.AddToWhitelist(t.Context(), id, virtfusion.InterfacePrimary, netip.MustParsePrefix("10.0.0.10/32")))
	list := primary(t, c, id).IPWhitelist
	require.Len(t, list, 2)
	assert.Equal(t, virtfusion.Int(6), list[0].Type)
	assert.Equal(t, virtfusion.Int(48), list[0].Mask)
	require.NoError(t, c.Servers.RemoveFromWhitelist(t.Context(), id, virtfusion.InterfacePrimary, ip("2001:db8:9::")))
	assert.Len(t, primary(t, c, id).IPWhitelist, 1)
	require.ErrorIs(t, c.Servers.RemoveFromWhitelist(t.Context(), id, virtfusion.InterfacePrimary, ip("2001:db8:9::")), provisioning.NotFound)
}

func TestTrafficBlocksAddToTheAllowanceOfTheirPeriod(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, c, id := newNetworked(t)
		ctx := t.Context()
		block := virtfusion.AddTrafficBlockRequest{Month: 1, Amount: 100}
		require.ErrorIs(t, c.Servers.AddTrafficBlock(ctx, id, block), provisioning.Invalid, "the package has no limit")
		require.NoError(t, c.Servers.ModifyTraffic(ctx, id, virtfusion.ModifyTrafficRequest{Traffic: ptr(virtfusion.TrafficGB(2000))}))
		require.NoError(t, c.Servers.AddTrafficBlock(ctx, id, block))
		require.NoError(t, c.Servers.AddTrafficBlock(ctx, id, virtfusion.AddTrafficBlockRequest{Month: 2, Amount: 50}))

		blocks, err := c.Servers.TrafficBlocks(ctx, id)
		require.NoError(t, err)
		require.Len(t, blocks.Assigned, 2)
		assert.True(t, bool(blocks.Assigned[0].Current))
		assert.False(t, bool(blocks.Assigned[1].Current))
		assert.Equal(t, virtfusion.Int(1), blocks.Available.Current.Number)
		assert.Len(t, blocks.Available.Months, int(blocks.Available.Total))
		allowance := func() virtfusion.TrafficGB {
			periods, err := c.Servers.Traffic(ctx, id)
			require.NoError(t, err)
			gb, unlimited := periods[0].Allowance()
			require.False(t, unlimited)
			return gb
		}
		assert.Equal(t, virtfusion.TrafficGB(2100), allowance())
		time.Sleep(32 * 24 * time.Hour)
		assert.Equal(t, virtfusion.TrafficGB(2050), allowance(), "the second period has its own block")
		require.NoError(t, c.Servers.DeleteTrafficBlock(ctx, id, blocks.Assigned[1].ID))
		assert.Equal(t, virtfusion.TrafficGB(2000), allowance())
		require.ErrorIs(t, c.Servers.DeleteTrafficBlock(ctx, id, blocks.Assigned[1].ID), provisioning.NotFound)
		require.ErrorIs(t, c.Servers.AddTrafficBlock(ctx, id, block), provisioning.Invalid, "the period is over")
	})
}

func TestSingleFirewallRulesAreOf71AndRulesetsOfEveryVersion(t *testing.T) {
	t.Parallel()
	web := []virtfusion.FirewallRulesetID{virtfusion.FirewallRulesetID(virtfusiontest.RulesetWeb)}
	t.Run("7.1 adds a rule once and keeps the others", func(t *testing.T) {
		t.Parallel()
		p, c, id := newNetworked(t)
		ctx := t.Context()
		require.NoError(t, c.Firewall.ReplaceRules(ctx, id, on, web, virtfusion.FirewallOptions{}))
		rule := allowSSH
		rule.DestinationPort, rule.Priority = "8080", ptr(900)
		added, err := c.Firewall.AddRule(ctx, id, on, rule)
		require.NoError(t, err)
		assert.Equal(t, provisioning.Some(virtfusion.Bool(true)), added.Created)
		again, err := c.Firewall.AddRule(ctx, id, on, rule)
		require.NoError(t, err)
		assert.Equal(t, provisioning.Some(virtfusion.Bool(false)), again.Created)
		assert.Equal(t, added.ID, again.ID)

		rules, err := c.Firewall.ListRules(ctx, id, on)
		require.NoError(t, err)
		require.Len(t, rules, 4)
		assert.Equal(t, added.ID, rules[0].ID, "the highest priority first")
		assert.Len(t, p.Firewall(int64(id)).Rules, 4)

		_, err = c.Firewall.SetRuleEnabled(ctx, id, on, added.ID, false, virtfusion.FirewallRuleOptions{})
		require.NoError(t, err)
		assert.Len(t, p.Firewall(int64(id)).Rules, 3)
		_, err = c.Firewall.DeleteRule(ctx, id, on, added.ID, virtfusion.FirewallRuleOptions{})
		require.NoError(t, err)
		_, err = c.Firewall.DeleteRule(ctx, id, on, added.ID, virtfusion.FirewallRuleOptions{})
		require.ErrorIs(t, err, provisioning.NotFound)
	})
	t.Run("7.0 keeps its rules when a client tries to add one", func(t *testing.T) {
		t.Parallel()
		p, c, id := newNetworked(t, virtfusiontest.WithVersion(virtfusiontest.V70))
		require.NoError(t, c.Firewall.ReplaceRules(t.Context(), id, on, web, virtfusion.FirewallOptions{Sync: true}))
		_, err := c.Firewall.AddRule(t.Context(), id, on, allowSSH)
		require.ErrorIs(t, err, provisioning.NoRoute)
		assert.ErrorContains(t, err, "7.1")
		assert.Equal(t, 1, p.Count("addFirewallRule"))
		assert.Len(t, p.Firewall(int64(id)).Rules, 3)
		require.NoError(t, c.Firewall.ReplaceRules(t.Context(), id, on, nil, virtfusion.FirewallOptions{}))
		assert.Empty(t, p.Firewall(int64(id)).Rules)
	})
	t.Run("a ruleset that does not exist changes nothing", func(t *testing.T) {
		t.Parallel()
		p, c, id := newNetworked(t)
		require.NoError(t, c.Firewall.ReplaceRules(t.Context(), id, on, web, virtfusion.FirewallOptions{}))
		require.ErrorIs(t, c.Firewall.ReplaceRules(t.Context(), id, on, []virtfusion.FirewallRulesetID{9}, virtfusion.FirewallOptions{}), provisioning.Invalid)
		assert.Len(t, p.Firewall(int64(id)).Rules, 3)
	})
}

func TestAFirewallIsStoredFirstAndPushedWhenAsked(t *testing.T) {
	t.Parallel()
	p, c, id := newNetworked(t)
	ctx := t.Context()
	var sets []virtfusion.FirewallRuleset
	for set, err := range c.Firewall.ListRulesets(ctx, virtfusion.ListOptions{}) {
		require.NoError(t, err)
		sets = append(sets, set)
	}
	require.Len(t, sets, 1)
	assert.Equal(t, "Web server", sets[0].Name)
	_, err := c.Firewall.AttachRuleset(ctx, id, on, virtfusion.AttachFirewallRulesetRequest{RulesetID: sets[0].ID})
	require.NoError(t, err)
	state, err := c.Firewall.Get(ctx, id, on)
	require.NoError(t, err)
	assert.False(t, bool(state.Enabled), "attaching does not switch on")
	assert.Len(t, state.Rules, 3)
	require.NoError(t, c.Firewall.Enable(ctx, id, on, virtfusion.FirewallOptions{}))
	assert.True(t, p.Firewall(int64(id)).Pending)
	assert.True(t, bool(primary(t, c, id).FirewallEnabled))
	_, err = c.Firewall.Apply(ctx, id, virtfusion.InterfaceTag(primary(t, c, id).Tag))
	require.NoError(t, err)
	assert.False(t, p.Firewall(int64(id)).Pending)
	assert.Equal(t, 1, p.Firewall(int64(id)).Pushes)
	require.NoError(t, c.Firewall.Disable(ctx, id, on, virtfusion.FirewallOptions{Sync: true}))
	assert.Equal(t, virtfusiontest.Firewall{Rules: p.Firewall(int64(id)).Rules, Pushes: 2}, p.Firewall(int64(id)))
	_, err = c.Firewall.GetRuleset(ctx, 999)
	require.ErrorIs(t, err, provisioning.NotFound)
}

func TestAServerIsOrderedWithFirewallRulesets(t *testing.T) {
	t.Parallel()
	p, c, _ := newNetworked(t)
	s, err := c.Servers.Create(t.Context(), virtfusion.CreateServerRequest{PackageID: virtfusion.PackageID(virtfusiontest.PackageSmall), UserID: 1,
		HypervisorGroupID: virtfusion.HypervisorGroupID(virtfusiontest.GroupAmsterdam), FirewallRulesets: []virtfusion.FirewallRulesetID{301}})
	require.NoError(t, err)
	assert.Len(t, p.Firewall(int64(s.ID)).Rules, 3)
}

func TestInterfacesAreChangedAndTheServerShowsIt(t *testing.T) {
	t.Parallel()
	_, c, id := newNetworked(t)
	ctx := t.Context()
	tag := virtfusion.InterfaceTag(primary(t, c, id).Tag)
	_, err := c.Interfaces.Update(ctx, id, tag, virtfusion.UpdateInterfaceRequest{Name: "ens3", InAverage: ptr(virtfusion.KBps(0)), OutAverage: ptr(virtfusion.KBps(500)),
		PortIsolated: ptr(true), Driver: provisioning.Some(virtfusion.DriverE1000)})
	require.NoError(t, err)
	i := primary(t, c, id)
	assert.Equal(t, "ens3", i.Name)
	assert.Equal(t, virtfusion.KBps(500), i.OutAverage)
	assert.True(t, bool(i.PortIsolated))
	assert.Equal(t, provisioning.Some(virtfusion.Int(2)), i.Driver)

	_, err = c.Interfaces.AttachIPv4(ctx, id, tag, virtfusion.AttachIPv4Request{Quantity: 2})
	require.NoError(t, err)
	i = primary(t, c, id)
	require.Len(t, i.IPv4, 3)
	order := []virtfusion.IPv4ID{i.IPv4[2].ID, i.IPv4[0].ID, i.IPv4[1].ID}
	_, err = c.Interfaces.OrderIPv4(ctx, id, tag, order)
	require.NoError(t, err)
	assert.Equal(t, i.IPv4[2].Address, primary(t, c, id).IPv4[0].Address)
	_, err = c.Interfaces.OrderIPv4(ctx, id, tag, order[:2])
	require.ErrorIs(t, err, provisioning.Invalid, "one is missing")
	_, err = c.Interfaces.DetachIPv4(ctx, id, tag, virtfusion.DetachIPv4Request{IDs: order[:1]})
	require.NoError(t, err)
	assert.Len(t, primary(t, c, id).IPv4, 2)
	_, err = c.Interfaces.DetachIPv4(ctx, id, tag, virtfusion.DetachIPv4Request{Addresses: []netip.Addr{ip("198.18.5.5")}})
	require.ErrorIs(t, err, provisioning.Invalid)

	_, err = c.Interfaces.AttachIPv6(ctx, id, tag, virtfusion.AttachIPv6Request{Subnet: ip("2001:db8:a:77::")})
	require.NoError(t, err)
	_, err = c.Interfaces.AttachIPv6(ctx, id, tag, virtfusion.AttachIPv6Request{})
	require.NoError(t, err)
	assert.Len(t, primary(t, c, id).IPv6, 2)
	_, err = c.Interfaces.AttachIPv6(ctx, id, tag, virtfusion.AttachIPv6Request{Subnet: ip("2001:db8:a:77::")})
	require.Error(t, err, "it is taken")
	_, err = c.Interfaces.Get(ctx, id, virtfusion.InterfaceTag(1))
	require.ErrorIs(t, err, provisioning.NotFound)
}

func TestVLANsAndMACsComeAndGo(t *testing.T) {
	t.Parallel()
	_, c, id := newNetworked(t)
	ctx := t.Context()
	vlan, err := c.Interfaces.AddVLAN(ctx, id, virtfusion.InterfaceSecondary, virtfusion.AddVLANRequest{Number: 120})
	require.NoError(t, err)
	_, err = c.Interfaces.AddVLAN(ctx, id, virtfusion.InterfaceSecondary, virtfusion.AddVLANRequest{Number: 120})
	require.ErrorIs(t, err, provisioning.Invalid)
	vlan, err = c.Interfaces.UpdateVLAN(ctx, id, virtfusion.InterfaceSecondary, vlan.ID, virtfusion.UpdateVLANRequest{Trunk: ptr(virtfusion.VLANMode(2))})
	require.NoError(t, err)
	assert.Equal(t, virtfusion.VLANMode(2), vlan.Trunk)
	vlans, err := c.Interfaces.ListVLANs(ctx, id, virtfusion.InterfaceSecondary)
	require.NoError(t, err)
	require.Len(t, vlans, 1)
	assert.Equal(t, virtfusion.Int(120), vlans[0].Number)
	require.NoError(t, c.Interfaces.DeleteVLAN(ctx, id, virtfusion.InterfaceSecondary, vlan.ID))
	require.ErrorIs(t, c.Interfaces.DeleteVLAN(ctx, id, virtfusion.InterfaceSecondary, vlan.ID), provisioning.NotFound)

	mac, err := c.Interfaces.AddMAC(ctx, id, on, virtfusion.AddInterfaceMACRequest{})
	require.NoError(t, err)
	assert.NotEmpty(t, mac.MAC)
	bound := primary(t, c, id).IPv4[0].ID
	_, err = c.Interfaces.BindIPv4MAC(ctx, id, on, bound, provisioning.Some(mac.ID))
	require.NoError(t, err)
	_, err = c.Interfaces.BindIPv4MAC(ctx, id, on, bound, provisioning.Null[virtfusion.InterfaceMACID]())
	require.NoError(t, err)
	_, err = c.Interfaces.BindIPv4MAC(ctx, id, on, bound, provisioning.Some(mac.ID+1))
	require.ErrorIs(t, err, provisioning.Invalid)
	macs, err := c.Interfaces.ListMACs(ctx, id, on)
	require.NoError(t, err)
	assert.Len(t, macs, 1)
}

func TestABlockIsMadeFilledBoundUsedAndOnlyThenDeleted(t *testing.T) {
	t.Parallel()
	_, c, id := newNetworked(t)
	ctx := t.Context()
	s, err := c.Servers.Get(ctx, id, virtfusion.GetServerOptions{})
	require.NoError(t, err)
	block, err := c.IPBlocks.Create(ctx, virtfusion.IPBlockRequest{Name: "203.0.113.0/24", Type: virtfusion.FamilyIPv4, Enabled: ptr(true),
		IPv4: virtfusion.IPBlockIPv4Request{Gateway: provisioning.Some(ip("203.0.113.1")), Netmask: provisioning.Some(ip("255.255.255.0"))}})
	require.NoError(t, err)
	_, err = c.IPBlocks.AddIPv4(ctx, block.ID, virtfusion.AddIPv4Request{Start: ip("203.0.113.10"), End: ip("203.0.113.19")})
	require.NoError(t, err)
	_, err = c.IPBlocks.AddIPv4(ctx, block.ID, virtfusion.AddIPv4Request{Prefix: netip.MustParsePrefix("203.0.113.8/29"), HostsOnly: true})
	require.NoError(t, err)
	block, err = c.IPBlocks.Get(ctx, block.ID)
	require.NoError(t, err)
	assert.Equal(t, virtfusion.Int(11), block.IPv4.Total, "ten of the range and the one that was not in it")

	_, err = c.Hypervisors.BindIPBlock(ctx, s.HypervisorID, virtfusion.BindIPBlockRequest{BlockID: block.ID})
	require.NoError(t, err)
	_, err = c.Hypervisors.OrderIPBlocks(ctx, s.HypervisorID, []virtfusion.IPBlockID{block.ID})
	require.NoError(t, err)
	given, err := c.Servers.AddIPv4Quantity(ctx, id, virtfusion.InterfacePrimary, 1)
	require.NoError(t, err)
	assert.Equal(t, "203.0.113.10", given[0].String(), "the ordered block comes first")
	rows := primary(t, c, id).IPv4
	assert.Equal(t, "203.0.113.1", rows[len(rows)-1].Gateway)
	assert.Equal(t, block.ID, rows[len(rows)-1].BlockID)
	taken, err := collect(c.IPBlocks.ListIPv4(ctx, block.ID, virtfusion.ListBlockIPv4Options{Assigned: ptr(true)}))
	require.NoError(t, err)
	assert.Len(t, taken, 1)

	require.ErrorIs(t, c.IPBlocks.Delete(ctx, block.ID), provisioning.Conflict)
	require.NoError(t, c.Servers.RemoveIPv4(ctx, id, virtfusion.InterfacePrimary, given))
	require.NoError(t, c.Hypervisors.UnbindIPBlock(ctx, s.HypervisorID, block.ID))
	require.NoError(t, c.IPBlocks.Delete(ctx, block.ID))
	_, err = c.IPBlocks.Get(ctx, block.ID)
	require.ErrorIs(t, err, provisioning.NotFound)
}

func TestAnIPv6BlockGeneratesSubnetsAndForgetsThemWithItsPrefix(t *testing.T) {
	t.Parallel()
	_, c, _ := newNetworked(t)
	ctx := t.Context()
	block, err := c.IPBlocks.Create(ctx, virtfusion.IPBlockRequest{Name: "v6 pool", Type: virtfusion.FamilyIPv6,
		IPv6: virtfusion.IPBlockIPv6Request{Subnet: provisioning.Some(ip("2001:db8:77::")), From: 48, To: 64}})
	require.NoError(t, err)
	_, err = c.IPBlocks.GenerateIPv6(ctx, block.ID, virtfusion.GenerateIPv6Request{})
	require.NoError(t, err)
	_, err = c.IPBlocks.AddToBlacklist(ctx, block.ID, ip("2001:db8:77:1::5"))
	require.NoError(t, err)
	block, err = c.IPBlocks.Get(ctx, block.ID)
	require.NoError(t, err)
	assert.Equal(t, virtfusion.Int(300), block.IPv6.Generated)
	assert.Equal(t, virtfusion.Int(1), block.IPv6.Blacklisted)
	assert.Equal(t, virtfusion.Int(65535), block.IPv6.Total)
	block, err = c.IPBlocks.Update(ctx, block.ID, virtfusion.IPBlockRequest{IPv6: virtfusion.IPBlockIPv6Request{Subnet: provisioning.Some(ip("2001:db8:78::"))}})
	require.NoError(t, err)
	assert.Zero(t, block.IPv6.Generated)
}

func TestNamesOfAddressesAreStoredAndTellTheirZone(t *testing.T) {
	t.Parallel()
	_, c, id := newNetworked(t)
	ctx := t.Context()
	name := func() string { return primary(t, c, id).IPv4[0].RDNS }
	change, err := c.ReverseDNS.SetIPv4(ctx, ip("198.18.0.2"), provisioning.Some("Web-1.Example.COM"))
	require.NoError(t, err)
	assert.False(t, change.NeedsRebuild())
	assert.Equal(t, "web-1.example.com", name(), "the panel stores lower case")
	_, err = c.IPBlocks.Update(ctx, 201, virtfusion.IPBlockRequest{RDNSType: ptr(virtfusion.RDNSZone), RDNSZoneID: provisioning.Some(virtfusion.RDNSZoneID(1))})
	require.NoError(t, err)
	change, err = c.ReverseDNS.SetIPv4(ctx, ip("198.18.0.2"), provisioning.Null[string]())
	require.NoError(t, err)
	assert.True(t, change.NeedsRebuild())
	assert.Empty(t, name())
	_, err = c.ReverseDNS.SetIPv4(ctx, ip("192.0.2.1"), provisioning.Some("a.example.com"))
	require.ErrorIs(t, err, provisioning.Invalid, "no block has it")
}

func TestNetworksOfAHypervisorAreAddedChangedAndRemoved(t *testing.T) {
	t.Parallel()
	_, c, _ := newNetworked(t)
	ctx := t.Context()
	request := virtfusion.HypervisorNetworkRequest{Name: "Private", Bridge: "br1", Type: virtfusion.NetworkLVBridgeOVS}
	added, err := c.Hypervisors.CreateNetwork(ctx, 11, request)
	require.NoError(t, err)
	_, err = c.Hypervisors.CreateNetwork(ctx, 11, request)
	require.ErrorIs(t, err, provisioning.Conflict, "the bridge is taken")
	group, err := c.IPBlocks.CreateGroup(ctx, virtfusion.CreateIPBlockGroupRequest{Name: "Shared", BlockIDs: []virtfusion.IPBlockID{203}})
	require.NoError(t, err)
	added, err = c.Hypervisors.UpdateNetwork(ctx, 11, added.ID,
		virtfusion.HypervisorNetworkRequest{MTU: provisioning.Some(9000), IPBlockGroupID: provisioning.Some(group.ID)})
	require.NoError(t, err)
	assert.Equal(t, virtfusion.Int(9000), added.MTU)
	networks, err := c.Hypervisors.ListNetworks(ctx, 11)
	require.NoError(t, err)
	require.Len(t, networks, 2)
	assert.True(t, bool(networks[0].Primary))
	h, err := c.Hypervisors.Get(ctx, 11)
	require.NoError(t, err)
	assert.Len(t, h.Networks, 2)

	_, err = c.Hypervisors.BindIPBlock(ctx, 11, virtfusion.BindIPBlockRequest{BlockID: 204})
	require.NoError(t, err)
	_, err = c.Hypervisors.RebindIPBlock(ctx, 11, 204, added.ID)
	require.NoError(t, err)
	require.ErrorIs(t, c.Hypervisors.DeleteNetwork(ctx, 11, added.ID), provisioning.Conflict, "a block is bound to it")
	require.NoError(t, c.Hypervisors.UnbindIPBlock(ctx, 11, 204))
	require.NoError(t, c.Hypervisors.DeleteNetwork(ctx, 11, added.ID))
	require.ErrorIs(t, c.Hypervisors.DeleteNetwork(ctx, 11, networks[0].ID), provisioning.Conflict, "it is the primary one")
	require.NoError(t, c.IPBlocks.RemoveFromGroup(ctx, group.ID, 203))
	require.ErrorIs(t, c.IPBlocks.RemoveFromGroup(ctx, group.ID, 203), provisioning.NotFound)
	service, err := c.DNSServices.Get(ctx, virtfusion.DNSServiceID(virtfusiontest.DNSServiceMain))
	require.NoError(t, err)
	assert.Equal(t, "ClouDNS", service.Name)
}

func TestOlderPanelsKnowTheOlderNetworkOperations(t *testing.T) {
	t.Parallel()
	for _, version := range []string{virtfusiontest.V62, virtfusiontest.V70} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			_, c, id := newNetworked(t, virtfusiontest.WithVersion(version))
			ctx := t.Context()
			given, err := c.Servers.AddIPv4Quantity(ctx, id, virtfusion.InterfacePrimary, 1)
			require.NoError(t, err)
			require.NoError(t, c.Servers.RemoveIPv4(ctx, id, virtfusion.InterfacePrimary, given))
			require.NoError(t, c.Firewall.Enable(ctx, id, on, virtfusion.FirewallOptions{}))
			data, err := c.IPBlocks.AddIPv4(ctx, 201, virtfusion.AddIPv4Request{Start: ip("203.0.113.1"), End: ip("203.0.113.2")})
			require.NoError(t, err)
			assert.Nil(t, data)
			_, err = c.IPBlocks.AddIPv4(ctx, 201, virtfusion.AddIPv4Request{Prefix: netip.MustParsePrefix("203.0.113.0/29")})
			require.ErrorIs(t, err, provisioning.Invalid, "prefixes are of 7.1")
			_, err = c.ReverseDNS.SetIPv4(ctx, given[0], provisioning.Some("a.example.com"))
			require.ErrorIs(t, err, provisioning.NoRoute)
			assert.ErrorContains(t, err, "needs panel 7.1 or later")
			_, err = c.IPBlocks.Update(ctx, 201, virtfusion.IPBlockRequest{Name: "renamed"})
			require.ErrorIs(t, err, provisioning.NoRoute)
			assert.ErrorContains(t, err, "needs panel 7.1 or later", "a 405 too")
			_, err = c.Firewall.Get(ctx, id, virtfusion.InterfaceTag(primary(t, c, id).Tag))
			require.ErrorIs(t, err, provisioning.NotFound, "tags are of 7.1")
		})
	}
}
