package contract

import (
	"context"
	"net/netip"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f otto@example.com"

func vfHypervisorCalls() []vfCall {
	network := virtfusion.HypervisorNetworkRequest{Name: "private", Bridge: "br7", Type: virtfusion.NetworkSimpleBridge, MTU: provisioning.Some(9000)}
	return []vfCall{
		{op: "listHypervisors", do: func(ctx context.Context, p *vf) error { return each(p.Hypervisors.List(ctx, virtfusion.ListOptions{})) }},
		{op: "getHypervisor", do: func(ctx context.Context, p *vf) error { return second(p.Hypervisors.Get(ctx, p.hypervisor)) }},
		{op: "updateHypervisor", do: func(ctx context.Context, p *vf) error {
			return second(p.Hypervisors.Update(ctx, p.hypervisor, virtfusion.UpdateHypervisorRequest{
				Name: "ams-hv-9", Maintenance: ptr(false), Enabled: ptr(true), Prohibit: ptr(false), GroupID: p.group, MaxServers: ptr(0), MaxCPU: ptr(64),
				MaxMemory: ptr(virtfusion.MB(65536)), NetFilter: ptr(virtfusion.NetFilterNone), LicenseType: virtfusion.License35Servers,
				DiskType: virtfusion.DiskFormatQCOW2, DiskCacheType: virtfusion.DiskCacheInherit, BackupStorageType: ptr(2),
			}))
		}},
		{op: "getHypervisorMetrics", do: func(ctx context.Context, p *vf) error {
			return second(p.Hypervisors.Metrics(ctx, p.hypervisor, virtfusion.HypervisorMetricsOptions{Minutes: 40320}))
		}},
		{op: "listHypervisorStoragePoints", do: func(ctx context.Context, p *vf) error { return second(p.Hypervisors.StoragePoints(ctx, p.hypervisor)) }},
		{op: "regenerateHypervisorNetworkFilters", do: func(ctx context.Context, p *vf) error {
			return second(p.Hypervisors.RegenerateNetworkFilters(ctx, p.hypervisor))
		}},
		{op: "listNetworkFilterComponents", do: func(ctx context.Context, p *vf) error { return second(p.Hypervisors.NetworkFilterComponents(ctx)) }},
		{op: "listHypervisorGroups", do: func(ctx context.Context, p *vf) error {
			return each(p.HypervisorGroups.List(ctx, virtfusion.ListOptions{Results: 1}))
		}},
		{op: "getHypervisorGroup", do: func(ctx context.Context, p *vf) error { return second(p.HypervisorGroups.Get(ctx, p.group)) }},
		{op: "listHypervisorGroupResources", do: func(ctx context.Context, p *vf) error {
			return each(p.HypervisorGroups.Resources(ctx, p.group, virtfusion.ListOptions{}))
		}},
		{op: "listHypervisorNetworks", do: func(ctx context.Context, p *vf) error { return second(p.Hypervisors.ListNetworks(ctx, p.hypervisor)) }},
		{op: "createHypervisorNetwork", do: func(ctx context.Context, p *vf) error {
			return second(p.Hypervisors.CreateNetwork(ctx, p.hypervisor, network))
		}},
		{op: "getHypervisorNetwork", do: func(ctx context.Context, p *vf) error {
			n, err := p.Hypervisors.CreateNetwork(ctx, p.hypervisor, network)
			if err != nil {
				return err
			}
			return second(p.Hypervisors.GetNetwork(ctx, p.hypervisor, n.ID))
		}},
		{op: "updateHypervisorNetwork", do: func(ctx context.Context, p *vf) error {
			n, err := p.Hypervisors.CreateNetwork(ctx, p.hypervisor, network)
			if err != nil {
				return err
			}
			return second(p.Hypervisors.UpdateNetwork(ctx, p.hypervisor, n.ID, virtfusion.HypervisorNetworkRequest{
				Name: "other", MTU: provisioning.Null[int](), IPBlockGroupID: provisioning.Null[virtfusion.IPBlockGroupID](),
			}))
		}},
		{op: "deleteHypervisorNetwork", do: func(ctx context.Context, p *vf) error {
			n, err := p.Hypervisors.CreateNetwork(ctx, p.hypervisor, network)
			if err != nil {
				return err
			}
			return p.Hypervisors.DeleteNetwork(ctx, p.hypervisor, n.ID)
		}},
		{op: "listHypervisorIPBlocks", do: func(ctx context.Context, p *vf) error { return second(p.Hypervisors.ListIPBlocks(ctx, p.hypervisor)) }},
		{op: "bindHypervisorIPBlock", do: func(ctx context.Context, p *vf) error { return second(boundBlock(ctx, p)) }},
		{op: "orderHypervisorIPBlocks", do: func(ctx context.Context, p *vf) error {
			id, err := boundBlock(ctx, p)
			if err != nil {
				return err
			}
			return second(p.Hypervisors.OrderIPBlocks(ctx, p.hypervisor, []virtfusion.IPBlockID{id}))
		}},
		{op: "rebindHypervisorIPBlock", do: func(ctx context.Context, p *vf) error {
			id, err := boundBlock(ctx, p)
			if err != nil {
				return err
			}
			n, err := p.Hypervisors.CreateNetwork(ctx, p.hypervisor, network)
			if err != nil {
				return err
			}
			return second(p.Hypervisors.RebindIPBlock(ctx, p.hypervisor, id, n.ID))
		}},
		{op: "unbindHypervisorIPBlock", do: func(ctx context.Context, p *vf) error {
			id, err := boundBlock(ctx, p)
			if err != nil {
				return err
			}
			return p.Hypervisors.UnbindIPBlock(ctx, p.hypervisor, id)
		}},
	}
}

// boundBlock makes a block and binds it to the hypervisor.
func boundBlock(ctx context.Context, p *vf) (virtfusion.IPBlockID, error) {
	b, err := newBlock(ctx, p)
	if err != nil {
		return 0, err
	}
	_, err = p.Hypervisors.BindIPBlock(ctx, p.hypervisor, virtfusion.BindIPBlockRequest{BlockID: b})
	return b, err
}

func newBlock(ctx context.Context, p *vf) (virtfusion.IPBlockID, error) {
	b, err := p.IPBlocks.Create(ctx, virtfusion.IPBlockRequest{
		Name: "Office", Type: virtfusion.FamilyIPv4, Enabled: ptr(true), DHCP: ptr(1), NetworkProfile: ptr(0), RDNSType: ptr(virtfusion.RDNSNone),
		IPv4: virtfusion.IPBlockIPv4Request{
			Gateway: provisioning.Some(netip.MustParseAddr("203.0.113.1")), Netmask: provisioning.Some(netip.MustParseAddr("255.255.255.0")),
			Resolvers: virtfusion.ResolversRequest{Primary: provisioning.Some(netip.MustParseAddr("203.0.113.2")), Secondary: provisioning.Null[netip.Addr]()},
		},
	})
	if err != nil {
		return 0, err
	}
	return b.ID, nil
}

func newBlock6(ctx context.Context, p *vf) (virtfusion.IPBlockID, error) {
	b, err := p.IPBlocks.Create(ctx, virtfusion.IPBlockRequest{
		Name: "Office 6", Type: virtfusion.FamilyIPv6,
		IPv6: virtfusion.IPBlockIPv6Request{
			Gateway: provisioning.Some(netip.MustParseAddr("2001:db8:77::1")), Subnet: provisioning.Some(netip.MustParseAddr("2001:db8:77::")), From: 48, To: 64,
		},
	})
	if err != nil {
		return 0, err
	}
	return b.ID, nil
}

// onBlock is a call on a new block.
func onBlock(op, name string, create func(context.Context, *vf) (virtfusion.IPBlockID, error),
	call func(context.Context, *vf, virtfusion.IPBlockID) error,
) vfCall {
	return vfCall{op: op, name: name, do: func(ctx context.Context, p *vf) error {
		id, err := create(ctx, p)
		if err != nil {
			return err
		}
		return call(ctx, p, id)
	}}
}

func vfIPBlockCalls() []vfCall {
	start, end := netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("203.0.113.20")
	return []vfCall{
		{op: "listIPBlocks", do: func(ctx context.Context, p *vf) error { return each(p.IPBlocks.List(ctx, virtfusion.ListOptions{})) }},
		{op: "createIPBlock", do: func(ctx context.Context, p *vf) error { return second(newBlock(ctx, p)) }},
		{op: "createIPBlock", name: "of IPv6", do: func(ctx context.Context, p *vf) error { return second(newBlock6(ctx, p)) }},
		onBlock("getIPBlock", "", newBlock, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return second(p.IPBlocks.Get(ctx, id))
		}),
		onBlock("getIPBlock", "of IPv6", newBlock6, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return second(p.IPBlocks.Get(ctx, id))
		}),
		onBlock("updateIPBlock", "", newBlock, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return second(p.IPBlocks.Update(ctx, id, virtfusion.IPBlockRequest{
				Name: "Lobby", Enabled: ptr(false), RDNSZoneID: provisioning.Null[virtfusion.RDNSZoneID](),
			}))
		}),
		onBlock("deleteIPBlock", "", newBlock, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error { return p.IPBlocks.Delete(ctx, id) }),
		onBlock("listIPBlockHypervisors", "", newBlock, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return second(p.IPBlocks.ListHypervisors(ctx, id))
		}),
		onBlock("addIPv4Range", "", newBlock, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return second(p.IPBlocks.AddIPv4(ctx, id, virtfusion.AddIPv4Request{Start: start, End: end}))
		}),
		onBlock("addIPv4Range", "as a prefix", newBlock, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return second(p.IPBlocks.AddIPv4(ctx, id, virtfusion.AddIPv4Request{Prefix: netip.MustParsePrefix("203.0.113.64/28"), HostsOnly: true}))
		}),
		onBlock("listIPBlockIPv4", "", newBlock, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return each(p.IPBlocks.ListIPv4(ctx, id, virtfusion.ListBlockIPv4Options{}))
		}),
		onBlock("listIPBlockIPv4", "that are taken by a server", newBlock, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return each(p.IPBlocks.ListIPv4(ctx, id, virtfusion.ListBlockIPv4Options{
				ListOptions: virtfusion.ListOptions{Results: 50}, Address: start, Reserved: ptr(false), Assigned: ptr(true), ServerID: p.server,
			}))
		}),
		onBlock("listIPBlockIPv6", "", newBlock6, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return each(p.IPBlocks.ListIPv6(ctx, id, virtfusion.ListBlockIPv6Options{
				Subnet: netip.MustParseAddr("2001:db8:77:1::"), Reserved: ptr(false), Assigned: ptr(false),
			}))
		}),
		onBlock("generateIPBlockIPv6", "", newBlock6, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return second(p.IPBlocks.GenerateIPv6(ctx, id, virtfusion.GenerateIPv6Request{Count: 10, After: netip.MustParseAddr("2001:db8:77:5::")}))
		}),
		onBlock("listIPBlockBlacklist", "", newBlock6, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return second(p.IPBlocks.ListBlacklist(ctx, id))
		}),
		onBlock("addIPBlockBlacklist", "", newBlock6, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			return second(p.IPBlocks.AddToBlacklist(ctx, id, netip.MustParseAddr("2001:db8:77:1::")))
		}),
		{op: "listIPBlockGroups", do: func(ctx context.Context, p *vf) error {
			return each(p.IPBlocks.ListGroups(ctx, virtfusion.ListOptions{}))
		}},
		onBlock("createIPBlockGroup", "", newBlock, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			if _, err := p.IPBlocks.CreateGroup(ctx, virtfusion.CreateIPBlockGroupRequest{Name: "Offices", BlockIDs: []virtfusion.IPBlockID{id}}); err != nil {
				return err
			}
			return each(p.IPBlocks.ListGroups(ctx, virtfusion.ListOptions{}))
		}),
		onBlock("removeIPBlockGroupBlock", "", newBlock, func(ctx context.Context, p *vf, id virtfusion.IPBlockID) error {
			g, err := p.IPBlocks.CreateGroup(ctx, virtfusion.CreateIPBlockGroupRequest{Name: "Offices", BlockIDs: []virtfusion.IPBlockID{id}})
			if err != nil {
				return err
			}
			return p.IPBlocks.RemoveFromGroup(ctx, g.ID, id)
		}),
		{op: "listRdnsZones", do: func(ctx context.Context, p *vf) error { return second(p.ReverseDNS.ListZones(ctx)) }},
		{op: "setIPv4Rdns", do: func(ctx context.Context, p *vf) error {
			i, err := p.iface(ctx)
			if err != nil {
				return err
			}
			return second(p.ReverseDNS.SetIPv4(ctx, i.IPv4[0].Prefix().Addr(), provisioning.Some("web-1.example.com")))
		}},
		{op: "getDnsService", do: func(ctx context.Context, p *vf) error { return second(p.DNSServices.Get(ctx, p.dns)) }},
	}
}

func vfCatalogueCalls() []vfCall {
	return []vfCall{
		{op: "listPackages", do: func(ctx context.Context, p *vf) error { return second(p.Packages.List(ctx)) }},
		{op: "getPackage", do: func(ctx context.Context, p *vf) error { return second(p.Packages.Get(ctx, p.small)) }},
		{op: "createPackage", do: func(ctx context.Context, p *vf) error {
			return second(p.Packages.Create(ctx, virtfusion.PackageRequest{Name: "VPS 4"}))
		}},
		{op: "createPackage", name: "with everything", do: func(ctx context.Context, p *vf) error { return second(p.Packages.Create(ctx, wholePackage())) }},
		{op: "updatePackage", do: func(ctx context.Context, p *vf) error { return second(p.Packages.Update(ctx, p.small, wholePackage())) }},
		{op: "updatePackage", name: "without its description", do: func(ctx context.Context, p *vf) error {
			return second(p.Packages.Update(ctx, p.small, virtfusion.PackageRequest{Description: provisioning.Null[string]()}))
		}},
		{op: "deletePackage", do: func(ctx context.Context, p *vf) error {
			return p.Packages.Delete(ctx, p.small, virtfusion.DeletePackageOptions{})
		}},
		{op: "deletePackage", name: "in use", do: func(ctx context.Context, p *vf) error {
			return p.Packages.Delete(ctx, p.small, virtfusion.DeletePackageOptions{Force: true})
		}},
		{op: "duplicatePackage", do: func(ctx context.Context, p *vf) error {
			return second(p.Packages.Duplicate(ctx, p.small, "VPS S copy"))
		}},
		{op: "listPackageTemplates", do: func(ctx context.Context, p *vf) error { return second(p.Media.PackageTemplates(ctx, p.small)) }},
		{op: "listServerTemplates", do: func(ctx context.Context, p *vf) error { return second(p.Media.ServerTemplates(ctx, p.server)) }},
		{op: "createISO", do: func(ctx context.Context, p *vf) error { return second(newISO(ctx, p)) }},
		{op: "getISO", do: func(ctx context.Context, p *vf) error {
			id, err := newISO(ctx, p)
			if err != nil {
				return err
			}
			return second(p.Media.GetISO(ctx, id))
		}},
		{op: "updateISO", do: func(ctx context.Context, p *vf) error {
			id, err := newISO(ctx, p)
			if err != nil {
				return err
			}
			return second(p.Media.UpdateISO(ctx, id, virtfusion.ISORequest{Enabled: ptr(false)}))
		}},
	}
}

func newISO(ctx context.Context, p *vf) (virtfusion.ISOID, error) {
	iso, err := p.Media.CreateISO(ctx, virtfusion.ISORequest{
		Name: "Rescue CD", Description: provisioning.Null[string](), URL: "https://mirror.example.com/iso/rescue.iso?x=1", Filename: "rescue-cd-7",
		Arch: ptr(virtfusion.ArchAny), Enabled: ptr(true), Global: ptr(true), Download: ptr(false),
	})
	if err != nil {
		return 0, err
	}
	return iso.ID, nil
}

func wholePackage() virtfusion.PackageRequest {
	return virtfusion.PackageRequest{
		Name: "VPS 4", Description: provisioning.Some("four"), SelfServiceDescription: provisioning.Null[string](), Enabled: ptr(true),
		Memory: 4096, PrimaryStorage: 40, Traffic: ptr(virtfusion.TrafficGB(0)), CPUCores: 2,
		TrafficPolicy: &virtfusion.TrafficPolicy{
			LimitAction: provisioning.Some(virtfusion.TrafficLimitThrottle), ThrottleIn: provisioning.Some(virtfusion.KBps(1250)),
		},
		PrimaryNetworkSpeedIn: ptr(virtfusion.KBps(0)), PrimaryNetworkSpeedOut: ptr(virtfusion.KBps(12500)), PrimaryDiskType: virtfusion.DiskFormatInherit,
		BackupPlanID: provisioning.Some(virtfusion.BackupPlanID(0)), BackupType: virtfusion.PackageBackupViewAndRestore, TokenValue: "0.25",
		PrimaryStorageReadBytesSec: provisioning.Null[int64](), PrimaryStorageWriteBytesSec: provisioning.Some(int64(104857600)),
		PrimaryStorageReadIOPSSec: provisioning.Some(int64(0)), PrimaryStorageWriteIOPSSec: provisioning.Some(int64(500)),
		PrimaryStorageProfile: ptr(virtfusion.StorageType(0)), PrimaryNetworkProfile: ptr(0),
	}
}

func vfUserCalls() []vfCall {
	return []vfCall{
		{op: "createUser", do: func(ctx context.Context, p *vf) error {
			return second(p.Users.Create(ctx, virtfusion.CreateUserRequest{Name: "Nina New", Email: "nina@example.com"}))
		}},
		{op: "createUser", name: "with everything", do: func(ctx context.Context, p *vf) error {
			return second(p.Users.Create(ctx, virtfusion.CreateUserRequest{
				Name: "Nina New", Email: "nina@example.com", ExtRelationID: 7003, RelStr: "cust-8", SelfService: ptr(virtfusion.SelfServiceHourly),
				SelfServiceHourlyCredit: ptr(true), SelfServiceHourlyGroupProfiles: []virtfusion.HourlyGroupProfileID{p.hourly},
				SelfServiceResourceGroupProfiles: []virtfusion.ResourceGroupProfileID{p.resource},
				SelfServiceHourlyResourcePack:    p.pack, SendMail: true,
			}))
		}},
		{op: "getUserByExtRelation", do: func(ctx context.Context, p *vf) error { return second(p.Users.GetByExtRelation(ctx, p.ext)) }},
		{op: "getUserByExtRelation", name: "by text", do: func(ctx context.Context, p *vf) error { return second(p.Users.GetByExtRelation(ctx, p.rel)) }},
		{op: "modifyUserByExtRelation", do: func(ctx context.Context, p *vf) error {
			return second(p.Users.Update(ctx, p.ext, virtfusion.UpdateUserRequest{Email: "otto@example.net"}))
		}},
		{op: "modifyUserByExtRelation", name: "with everything", do: func(ctx context.Context, p *vf) error {
			return second(p.Users.Update(ctx, p.rel, virtfusion.UpdateUserRequest{
				Name: "Otto O.", Email: "otto@example.net", SelfService: ptr(virtfusion.SelfServiceOff), SelfServiceHourlyCredit: ptr(false),
				SelfServiceHourlyGroupProfiles: []virtfusion.HourlyGroupProfileID{}, SelfServiceResourceGroupProfiles: []virtfusion.ResourceGroupProfileID{p.resource},
				SelfServiceHourlyResourcePack: p.pack, Enabled: ptr(false),
			}))
		}},
		{op: "deleteUserByExtRelation", do: func(ctx context.Context, p *vf) error {
			if _, err := p.Users.Create(ctx, virtfusion.CreateUserRequest{Name: "Nina New", Email: "nina@example.com", ExtRelationID: 7003}); err != nil {
				return err
			}
			return p.Users.Delete(ctx, virtfusion.ExtRelationID(7003))
		}},
		{op: "resetUserPassword", do: func(ctx context.Context, p *vf) error { return second(p.Users.ResetPassword(ctx, p.ext)) }},
		{op: "createUserAuthenticationTokens", do: func(ctx context.Context, p *vf) error {
			return second(p.Users.CreateLogin(ctx, p.ext, virtfusion.LoginRequest{}))
		}},
		{op: "createUserAuthenticationTokens", name: "with the way back", do: func(ctx context.Context, p *vf) error {
			return second(p.Users.CreateLogin(ctx, p.rel, virtfusion.LoginRequest{ReturnURL: "https://shop.example.com/account"}))
		}},
		{op: "createServerAuthenticationTokens", do: func(ctx context.Context, p *vf) error {
			return second(p.Users.CreateServerLogin(ctx, p.ext, p.server, virtfusion.LoginRequest{ReturnURL: "https://shop.example.com/account"}))
		}},
		{op: "addSshKey", do: func(ctx context.Context, p *vf) error { return second(newKey(ctx, p)) }},
		{op: "getSshKey", do: func(ctx context.Context, p *vf) error {
			id, err := newKey(ctx, p)
			if err != nil {
				return err
			}
			return second(p.SSHKeys.Get(ctx, id))
		}},
		{op: "listUserSshKeys", do: func(ctx context.Context, p *vf) error {
			if _, err := newKey(ctx, p); err != nil {
				return err
			}
			return second(p.SSHKeys.ListByUser(ctx, p.user))
		}},
		{op: "deleteSshKey", do: func(ctx context.Context, p *vf) error {
			id, err := newKey(ctx, p)
			if err != nil {
				return err
			}
			return p.SSHKeys.Delete(ctx, id)
		}},
	}
}

func newKey(ctx context.Context, p *vf) (virtfusion.SSHKeyID, error) {
	k, err := p.SSHKeys.Create(ctx, virtfusion.CreateSSHKeyRequest{UserID: p.user, Name: "laptop", PublicKey: publicKey})
	if err != nil {
		return 0, err
	}
	return k.ID, nil
}

func vfSelfServiceCalls() []vfCall {
	usage := virtfusion.UsageOptions{
		Range:   virtfusion.RangeWeek,
		Periods: []time.Time{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)},
	}
	return []vfCall{
		{op: "addCredit", do: func(ctx context.Context, p *vf) error {
			return second(p.SelfService.AddCredit(ctx, p.ext, virtfusion.AddCreditRequest{Tokens: "12.50", Reference1: 1 << 40, Reference2: "invoice 7"}))
		}},
		{op: "cancelCredit", do: func(ctx context.Context, p *vf) error {
			c, err := p.SelfService.AddCredit(ctx, p.rel, virtfusion.AddCreditRequest{Tokens: "100"})
			if err != nil {
				return err
			}
			return p.SelfService.CancelCredit(ctx, c.ID)
		}},
		{op: "listCurrencies", do: func(ctx context.Context, p *vf) error { return second(p.SelfService.Currencies(ctx)) }},
		{op: "addHourlyGroupProfile", do: func(ctx context.Context, p *vf) error {
			return p.SelfService.AddHourlyGroupProfile(ctx, p.ext, p.hourly)
		}},
		{op: "removeHourlyGroupProfile", do: func(ctx context.Context, p *vf) error {
			if err := p.SelfService.AddHourlyGroupProfile(ctx, p.rel, p.hourly); err != nil {
				return err
			}
			return p.SelfService.RemoveHourlyGroupProfile(ctx, p.ext, p.hourly)
		}},
		{op: "addResourceGroupProfile", do: func(ctx context.Context, p *vf) error {
			return p.SelfService.AddResourceGroupProfile(ctx, p.ext, p.resource)
		}},
		{op: "removeResourceGroupProfile", do: func(ctx context.Context, p *vf) error {
			if err := p.SelfService.AddResourceGroupProfile(ctx, p.rel, p.resource); err != nil {
				return err
			}
			return p.SelfService.RemoveResourceGroupProfile(ctx, p.ext, p.resource)
		}},
		{op: "modifySelfServiceAccess", do: func(ctx context.Context, p *vf) error { return p.SelfService.RecomputeAccess(ctx, p.ext, true) }},
		{op: "addResourcePack", do: func(ctx context.Context, p *vf) error { return second(newPack(ctx, p)) }},
		{op: "setHourlyResourcePack", do: func(ctx context.Context, p *vf) error { return p.SelfService.SetHourlyResourcePack(ctx, p.ext, p.pack) }},
		onPack("getResourcePack", func(ctx context.Context, p *vf, id virtfusion.UserPackID) error {
			return second(p.SelfService.GetResourcePack(ctx, id, virtfusion.GetResourcePackOptions{WithServers: true}))
		}),
		onPack("modifyResourcePack", func(ctx context.Context, p *vf, id virtfusion.UserPackID) error {
			return p.SelfService.SetResourcePackEnabled(ctx, id, false)
		}),
		onPack("deleteResourcePack", func(ctx context.Context, p *vf, id virtfusion.UserPackID) error {
			return p.SelfService.DeleteResourcePack(ctx, id, virtfusion.DeleteResourcePackOptions{DisableInstead: true})
		}),
		onPack("deleteResourcePackServers", func(ctx context.Context, p *vf, id virtfusion.UserPackID) error {
			return p.SelfService.DeleteResourcePackServers(ctx, id, virtfusion.DeleteServerOptions{DelayMinutes: 5})
		}),
		onPack("suspendResourcePackServers", func(ctx context.Context, p *vf, id virtfusion.UserPackID) error {
			return p.SelfService.SuspendResourcePackServers(ctx, id)
		}),
		onPack("unsuspendResourcePackServers", func(ctx context.Context, p *vf, id virtfusion.UserPackID) error {
			return p.SelfService.UnsuspendResourcePackServers(ctx, id)
		}),
		{op: "getHourlyStats", do: func(ctx context.Context, p *vf) error { return second(p.SelfService.HourlyStats(ctx, p.ext, usage)) }},
		{op: "getSelfServiceUsage", do: func(ctx context.Context, p *vf) error { return second(p.SelfService.Usage(ctx, p.rel, usage)) }},
		{op: "getSelfServiceReport", do: func(ctx context.Context, p *vf) error {
			return second(p.SelfService.Report(ctx, p.ext, virtfusion.ReportOptions{MonthsBack: 1, Currency: "USD"}))
		}},
	}
}

func newPack(ctx context.Context, p *vf) (virtfusion.UserPackID, error) {
	pack, err := p.SelfService.AddResourcePack(ctx, p.ext, virtfusion.AddResourcePackRequest{PackID: p.pack, Enabled: true})
	if err != nil {
		return 0, err
	}
	return pack.ID, nil
}

func onPack(op string, call func(context.Context, *vf, virtfusion.UserPackID) error) vfCall {
	return vfCall{op: op, do: func(ctx context.Context, p *vf) error {
		id, err := newPack(ctx, p)
		if err != nil {
			return err
		}
		return call(ctx, p, id)
	}}
}
