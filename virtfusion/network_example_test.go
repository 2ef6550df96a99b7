package virtfusion_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// simulatedServer is a client of a simulated panel, and a server there.
func simulatedServer() (*virtfusion.Client, virtfusion.ServerID, func()) {
	panel := virtfusiontest.NewPanel(virtfusiontest.Options{})
	client, err := virtfusion.New(panel.URL(), panel.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: panel.Transport()}))
	if err != nil {
		panic(err)
	}
	server, err := panel.AddServer(virtfusiontest.Server{Built: true})
	if err != nil {
		panic(err)
	}
	return client, virtfusion.ServerID(server.ID), panel.Close
}

// A customer orders two more addresses and later gives one back.
func ExampleServersService_AddIPv4Quantity() {
	client, server, closePanel := simulatedServer()
	defer closePanel()
	ctx := context.Background()

	given, err := client.Servers.AddIPv4Quantity(ctx, server, virtfusion.InterfacePrimary, 2)
	if err != nil {
		fmt.Println(err) // after ErrMaybeApplied read the server and compare: asking again could give more
		return
	}
	fmt.Println(given)
	if err := client.Servers.RemoveIPv4(ctx, server, virtfusion.InterfacePrimary, given[1:]); err != nil {
		fmt.Println(err)
		return
	}
	// Output:
	// [198.18.0.3 198.18.0.4]
}

// A ruleset is copied onto a server, the firewall is switched on, and the running server gets both at once.
func ExampleFirewallService_AttachRuleset() {
	client, server, closePanel := simulatedServer()
	defer closePanel()
	ctx := context.Background()

	for ruleset, err := range client.Firewall.ListRulesets(ctx, virtfusion.ListOptions{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = client.Firewall.AttachRuleset(ctx, server, virtfusion.InterfacePrimary, virtfusion.AttachFirewallRulesetRequest{RulesetID: ruleset.ID})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := client.Firewall.Enable(ctx, server, virtfusion.InterfacePrimary, virtfusion.FirewallOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.Firewall.Apply(ctx, server, virtfusion.InterfacePrimary); err != nil {
		fmt.Println(err)
		return
	}
	firewall, err := client.Firewall.Get(ctx, server, virtfusion.InterfacePrimary)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(firewall.Enabled, len(firewall.Rules))
	// Output:
	// true 3
}

// A customer names his address.
func ExampleReverseDNSService_SetIPv4() {
	client, server, closePanel := simulatedServer()
	defer closePanel()
	ctx := context.Background()

	change, err := client.ReverseDNS.SetIPv4(ctx, netip.MustParseAddr("198.18.0.2"), provisioning.Some("mail.example.com"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if change.NeedsRebuild() {
		fmt.Println("it goes live when the zone is rebuilt on the panel")
	}
	s, err := client.Servers.Get(ctx, server, virtfusion.GetServerOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Network.Interfaces[0].IPv4[0].RDNS)
	// Output:
	// mail.example.com
}

// An address is added to the interface, and becomes the primary one.
func ExampleInterfacesService_OrderIPv4() {
	client, server, closePanel := simulatedServer()
	defer closePanel()
	ctx := context.Background()

	_, err := client.Interfaces.AttachIPv4(ctx, server, virtfusion.InterfacePrimary, virtfusion.AttachIPv4Request{Quantity: 1})
	if err != nil {
		fmt.Println(err) // after ErrMaybeApplied read the server and compare: asking again could attach another
		return
	}
	s, err := client.Servers.Get(ctx, server, virtfusion.GetServerOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	old, added := s.Network.Interfaces[0].IPv4[0], s.Network.Interfaces[0].IPv4[1]
	if _, err := client.Interfaces.OrderIPv4(ctx, server, virtfusion.InterfacePrimary, []virtfusion.IPv4ID{added.ID, old.ID}); err != nil {
		fmt.Println(err)
		return
	}
	s, err = client.Servers.Get(ctx, server, virtfusion.GetServerOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range s.Network.Interfaces[0].IPv4 {
		fmt.Println(a.Address)
	}
	// Output:
	// 198.18.0.3
	// 198.18.0.2
}

// A new block of addresses: it is made, filled, and given to the hypervisor of a server.
func ExampleIPBlocksService_Create() {
	client, server, closePanel := simulatedServer()
	defer closePanel()
	ctx := context.Background()

	enabled := true
	block, err := client.IPBlocks.Create(ctx, virtfusion.IPBlockRequest{
		Name: "203.0.113.0/24", Type: virtfusion.FamilyIPv4, Enabled: &enabled,
		IPv4: virtfusion.IPBlockIPv4Request{
			Gateway: provisioning.Some(netip.MustParseAddr("203.0.113.1")), Netmask: provisioning.Some(netip.MustParseAddr("255.255.255.0")),
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	addresses := virtfusion.AddIPv4Request{Start: netip.MustParseAddr("203.0.113.10"), End: netip.MustParseAddr("203.0.113.19")}
	if _, err := client.IPBlocks.AddIPv4(ctx, block.ID, addresses); err != nil {
		fmt.Println(err)
		return
	}
	s, err := client.Servers.Get(ctx, server, virtfusion.GetServerOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.Hypervisors.BindIPBlock(ctx, s.HypervisorID, virtfusion.BindIPBlockRequest{BlockID: block.ID}); err != nil {
		fmt.Println(err)
		return
	}
	block, err = client.IPBlocks.Get(ctx, block.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(block.Name, block.IPv4.Free, "free")
	// Output:
	// 203.0.113.0/24 10 free
}

// The account at a DNS operator that a zone's service id leads to. Its password prints as a mask.
func ExampleDNSServicesService_Get() {
	client, _, closePanel := simulatedServer()
	defer closePanel()

	service, err := client.DNSServices.Get(context.Background(), virtfusion.DNSServiceID(virtfusiontest.DNSServiceMain))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(service.Name, service.Password)
	// Output:
	// ClouDNS [secret]
}
