package contract

import (
	"context"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

func svPlanCalls() []svCall {
	return []svCall{
		{op: "listPlans", do: func(ctx context.Context, p *sv) error { return each(p.Plans.List(ctx, solusvm2.PlanFilter{})) }},
		{op: "listPlans", name: "with all filters", do: func(ctx context.Context, p *sv) error {
			return each(p.Plans.List(ctx, solusvm2.PlanFilter{
				Search: "VPS", StorageType: solusvm2.StorageThinLVM, ImageFormat: solusvm2.ImageRaw, Disk: 40, ListOptions: solusvm2.ListOptions{PerPage: 1},
			}))
		}},
		{op: "listProjectPlans", do: func(ctx context.Context, p *sv) error {
			return each(p.Plans.ListByProject(ctx, p.project, solusvm2.ListOptions{}))
		}},
		{op: "createPlan", do: func(ctx context.Context, p *sv) error { return second(newSVPlan(ctx, p)) }},
		{op: "getPlan", do: func(ctx context.Context, p *sv) error { return second(p.Plans.Get(ctx, p.plan)) }},
		{op: "updatePlan", do: func(ctx context.Context, p *sv) error {
			return second(p.Plans.Update(ctx, p.plan, solusvm2.UpdatePlanRequest{Name: "VPS S+", PlanSettings: solusvm2.PlanSettings{IsVisible: ptr(true)}}))
		}},
		{op: "deletePlan", do: func(ctx context.Context, p *sv) error {
			id, err := newSVPlan(ctx, p)
			if err != nil {
				return err
			}
			return p.Plans.Delete(ctx, id)
		}},
	}
}

func newSVPlan(ctx context.Context, p *sv) (solusvm2.PlanID, error) {
	plan, err := p.Plans.Create(ctx, solusvm2.CreatePlanRequest{
		Name: "KVM S", VirtualizationType: solusvm2.VirtualizationKVM, StorageType: solusvm2.StorageThinLVM, ImageFormat: solusvm2.ImageRaw,
		Params: solusvm2.PlanParamsRequest{Disk: 40, RAM: solusvm2.ByteCount(4 * provisioning.GiB), VCPU: 2, VCPULimitPercent: 200, IOPriority: ptr(0)},
		PlanSettings: solusvm2.PlanSettings{
			Limits: &solusvm2.PlanLimits{
				NetworkTotalTraffic: &solusvm2.TrafficLimit{IsEnabled: true, Limit: 2, Unit: "TiB"}, BackupsNumber: &solusvm2.CountLimit{Unit: "units"},
			},
			IsDefault: ptr(false), BackupPrice: ptr(0.0), ResetLimitPolicy: solusvm2.ResetNever, TrafficLimitType: solusvm2.TrafficTotal,
			AvailableLocations: []solusvm2.LocationID{p.location}, AvailableApplications: []solusvm2.ApplicationID{},
		},
	})
	if err != nil {
		return 0, err
	}
	return plan.ID, nil
}

func svImageCalls() []svCall {
	version := solusvm2.OSImageVersionRequest{Version: "13", URL: "https://images.example.com/debian-13.qcow2", VirtualizationType: solusvm2.VirtualizationKVM,
		CloudInitVersion: solusvm2.CloudInitV2, IsVisible: ptr(false), Position: ptr(1.5), AvailablePlans: []solusvm2.PlanID{}}
	newImage := func(ctx context.Context, p *sv) (solusvm2.OSImageID, error) {
		i, err := p.OSImages.Create(ctx, solusvm2.OSImageRequest{Name: "Arch Linux", IconID: provisioning.Null[solusvm2.IconID](), IsVisible: ptr(true)})
		if err != nil {
			return 0, err
		}
		return i.ID, nil
	}
	return []svCall{
		{op: "listOsImages", do: func(ctx context.Context, p *sv) error {
			return each(p.OSImages.List(ctx, solusvm2.OSImageFilter{Search: "deb"}))
		}},
		{op: "createOsImage", do: func(ctx context.Context, p *sv) error { return second(newImage(ctx, p)) }},
		{op: "getOsImage", do: func(ctx context.Context, p *sv) error { return second(p.OSImages.Get(ctx, p.image)) }},
		{op: "updateOsImage", do: func(ctx context.Context, p *sv) error {
			return second(p.OSImages.Update(ctx, p.image, solusvm2.OSImageRequest{Name: "Debian GNU/Linux", IsVisible: ptr(true)}))
		}},
		{op: "deleteOsImage", do: func(ctx context.Context, p *sv) error {
			id, err := newImage(ctx, p)
			if err != nil {
				return err
			}
			return p.OSImages.Delete(ctx, id)
		}},
		{op: "listOsImageVersions", do: func(ctx context.Context, p *sv) error { return second(p.OSImages.Versions(ctx, p.image)) }},
		{op: "createOsImageVersion", do: func(ctx context.Context, p *sv) error { return second(p.OSImages.CreateVersion(ctx, p.image, version)) }},
		{op: "getOsImageVersion", do: func(ctx context.Context, p *sv) error { return second(p.OSImages.GetVersion(ctx, p.version)) }},
		{op: "updateOsImageVersion", do: func(ctx context.Context, p *sv) error {
			return second(p.OSImages.UpdateVersion(ctx, p.version, version))
		}},
		{op: "deleteOsImageVersion", do: func(ctx context.Context, p *sv) error {
			v, err := p.OSImages.CreateVersion(ctx, p.image, version)
			if err != nil {
				return err
			}
			return p.OSImages.DeleteVersion(ctx, v.ID)
		}},
		{op: "listIsoImages", do: func(ctx context.Context, p *sv) error { return each(p.ISOImages.List(ctx, solusvm2.ListOptions{})) }},
		{op: "listApplications", do: func(ctx context.Context, p *sv) error { return each(p.Applications.List(ctx, solusvm2.ListOptions{})) }},
		{op: "createApplication", do: func(ctx context.Context, p *sv) error {
			return second(p.Applications.Create(ctx, solusvm2.CreateApplicationRequest{
				Name: "Gitea", URL: "https://images.example.com/gitea.qcow2", CloudInitVersion: "v2", UserDataTemplate: "#cloud-config\n", JSONSchema: "{}",
				IsVisible: ptr(true), LoginLink: &solusvm2.LoginLink{Type: solusvm2.LoginLinkNone}, AvailablePlans: []solusvm2.PlanID{p.plan},
			}))
		}},
	}
}

func svNodeCalls() []svCall {
	location := solusvm2.LocationRequest{Name: "Berlin", Description: ptr(""), IconID: provisioning.Null[solusvm2.IconID](), IsDefault: ptr(false),
		IsVisible: ptr(true), AvailablePlans: []solusvm2.PlanID{}}
	newLocation := func(ctx context.Context, p *sv) (solusvm2.LocationID, error) {
		l, err := p.Locations.Create(ctx, location)
		if err != nil {
			return 0, err
		}
		return l.ID, nil
	}
	return append([]svCall{
		{op: "listLocations", do: func(ctx context.Context, p *sv) error {
			return each(p.Locations.List(ctx, solusvm2.LocationFilter{Search: "Frank"}))
		}},
		{op: "createLocation", do: func(ctx context.Context, p *sv) error { return second(newLocation(ctx, p)) }},
		{op: "getLocation", do: func(ctx context.Context, p *sv) error { return second(p.Locations.Get(ctx, p.location)) }},
		{op: "updateLocation", do: func(ctx context.Context, p *sv) error { return second(p.Locations.Update(ctx, p.location, location)) }},
		{op: "patchLocation", do: func(ctx context.Context, p *sv) error {
			return second(p.Locations.SetFlags(ctx, p.location, solusvm2.LocationFlags{IsVisible: ptr(false)}))
		}},
		{op: "deleteLocation", do: func(ctx context.Context, p *sv) error {
			id, err := newLocation(ctx, p)
			if err != nil {
				return err
			}
			return p.Locations.Delete(ctx, id)
		}},
		{op: "listComputeResources", do: func(ctx context.Context, p *sv) error {
			return each(p.ComputeResources.List(ctx, solusvm2.ComputeResourceFilter{Search: "ams"}))
		}},
		{op: "createComputeResource", do: func(ctx context.Context, p *sv) error { return second(newNode(ctx, p)) }},
		{op: "getComputeResource", do: func(ctx context.Context, p *sv) error { return second(p.ComputeResources.Get(ctx, p.node)) }},
		{op: "patchComputeResource", do: func(ctx context.Context, p *sv) error {
			return second(p.ComputeResources.Update(ctx, p.node, solusvm2.UpdateComputeResourceRequest{
				Name: "ams-1b", AgentPort: 8081, Locations: []solusvm2.LocationID{p.location}, License: solusvm2.LicenseStandard, IsLocked: ptr(false),
			}))
		}},
		{op: "deleteComputeResource", do: func(ctx context.Context, p *sv) error {
			id, err := newNode(ctx, p)
			if err != nil {
				return err
			}
			return p.ComputeResources.Delete(ctx, id, solusvm2.DeleteComputeResourceOptions{Force: true})
		}},
		{op: "updateComputeResourceSettings", do: func(ctx context.Context, p *sv) error {
			return second(p.ComputeResources.UpdateSettings(ctx, p.node, solusvm2.ComputeResourceSettings{
				Limits:          &solusvm2.ComputeResourceLimits{VM: &solusvm2.ResourceLimit{Unlimited: true}},
				BalanceStrategy: solusvm2.BalanceRoundRobin, VirtualizationTypes: []solusvm2.VirtualizationType{solusvm2.VirtualizationKVM},
			}))
		}},
		{op: "listComputeResourceNetworks", do: func(ctx context.Context, p *sv) error { return second(p.ComputeResources.Networks(ctx, p.node)) }},
		{op: "setupComputeResourceNetwork", do: func(ctx context.Context, p *sv) error {
			id, err := newNode(ctx, p)
			if err != nil {
				return err
			}
			networks, err := p.ComputeResources.Networks(ctx, id)
			if err != nil {
				return err
			}
			return p.ComputeResources.SetUpNetwork(ctx, id, solusvm2.SetUpNetworkRequest{ID: string(networks[0].ID), Type: solusvm2.NetworkBridged})
		}},
		{op: "listInstallSteps", do: func(ctx context.Context, p *sv) error { return second(p.ComputeResources.InstallSteps(ctx, p.node)) }},
		{op: "listComputeResourceStorages", do: func(ctx context.Context, p *sv) error { return second(p.ComputeResources.Storages(ctx, p.node)) }},
		{op: "createComputeResourceStorage", do: func(ctx context.Context, p *sv) error {
			return second(p.ComputeResources.CreateStorage(ctx, p.node, solusvm2.CreateStorageRequest{
				Type: solusvm2.StorageThinLVM, Path: "vg1", ThinPool: "pool1", IsAvailableForBalancing: ptr(false),
			}))
		}},
	}, svBlockCalls()...)
}

func newNode(ctx context.Context, p *sv) (solusvm2.ComputeResourceID, error) {
	n, err := p.ComputeResources.Create(ctx, solusvm2.CreateComputeResourceRequest{
		Name: "ams-9", Host: "ams-9.example.com", Login: "root", Port: 22, Type: solusvm2.NodeLoginKey, Key: "fixture-private-key", AgentPort: 8080,
		Locations: []solusvm2.LocationID{p.location}, License: solusvm2.LicenseStandard,
	})
	if err != nil {
		return 0, err
	}
	return n.ID, nil
}

func svBlockCalls() []svCall {
	block := solusvm2.IPBlockRequest{Name: "Office", Type: solusvm2.IPv4, ListType: solusvm2.IPListRange, Gateway: "203.0.113.1", Netmask: "255.255.255.0",
		From: "203.0.113.10", To: "203.0.113.250", NS1: "203.0.113.2", ReverseDNS: &solusvm2.ReverseDNS{}}
	onBlock := func(op string, call func(context.Context, *sv, solusvm2.IPBlockID) error) svCall {
		return svCall{op: op, do: func(ctx context.Context, p *sv) error {
			b, err := p.IPBlocks.Create(ctx, block)
			if err != nil {
				return err
			}
			return call(ctx, p, b.ID)
		}}
	}
	onAddress := func(op string, call func(context.Context, *sv, solusvm2.IPAddressID) error) svCall {
		return onBlock(op, func(ctx context.Context, p *sv, id solusvm2.IPBlockID) error {
			ip, err := p.IPAddresses.Create(ctx, id)
			if err != nil {
				return err
			}
			return call(ctx, p, ip.ID)
		})
	}
	return []svCall{
		{op: "listIPBlocks", do: func(ctx context.Context, p *sv) error {
			return each(p.IPBlocks.List(ctx, solusvm2.IPBlockFilter{Search: "Amsterdam"}))
		}},
		{op: "createIPBlock", do: func(ctx context.Context, p *sv) error { return second(p.IPBlocks.Create(ctx, block)) }},
		{op: "createIPBlock", name: "of IPv6", do: func(ctx context.Context, p *sv) error {
			return second(p.IPBlocks.Create(ctx, solusvm2.IPBlockRequest{
				Name: "Office 6", Type: solusvm2.IPv6, Gateway: "2001:db8:1::1", Range: "2001:db8:1::/64", Subnet: 112,
				ComputeResources: []solusvm2.ComputeResourceID{p.node},
			}))
		}},
		onBlock("getIPBlock", func(ctx context.Context, p *sv, id solusvm2.IPBlockID) error { return second(p.IPBlocks.Get(ctx, id)) }),
		onBlock("updateIPBlock", func(ctx context.Context, p *sv, id solusvm2.IPBlockID) error {
			return second(p.IPBlocks.Update(ctx, id, block))
		}),
		onBlock("deleteIPBlock", func(ctx context.Context, p *sv, id solusvm2.IPBlockID) error { return p.IPBlocks.Delete(ctx, id) }),
		onBlock("createIPBlockAddress", func(ctx context.Context, p *sv, id solusvm2.IPBlockID) error {
			return second(p.IPAddresses.Create(ctx, id))
		}),
		onBlock("listIPBlockAddresses", func(ctx context.Context, p *sv, id solusvm2.IPBlockID) error {
			if _, err := p.IPAddresses.Create(ctx, id); err != nil {
				return err
			}
			return each(p.IPAddresses.List(ctx, id, solusvm2.ListOptions{PerPage: 100}))
		}),
		{op: "listIPBlockAddresses", name: "of servers", do: func(ctx context.Context, p *sv) error {
			b, err := first(p.IPBlocks.List(ctx, solusvm2.IPBlockFilter{Search: "Amsterdam IPv4"}))
			if err != nil {
				return err
			}
			return each(p.IPAddresses.List(ctx, b.ID, solusvm2.ListOptions{}))
		}},
		onAddress("patchIPAddress", func(ctx context.Context, p *sv, id solusvm2.IPAddressID) error {
			return second(p.IPAddresses.Update(ctx, id, solusvm2.UpdateIPAddressRequest{IsReserved: true}))
		}),
		onAddress("deleteIPAddress", func(ctx context.Context, p *sv, id solusvm2.IPAddressID) error { return p.IPAddresses.Delete(ctx, id) }),
	}
}

func svOwnerCalls() []svCall {
	project := solusvm2.ProjectRequest{Name: "Shop", Description: ptr("")}
	return []svCall{
		{op: "listProjects", do: func(ctx context.Context, p *sv) error {
			return each(p.Projects.List(ctx, solusvm2.ProjectFilter{Search: "Otto"}))
		}},
		{op: "listProjects", name: "completely", do: func(ctx context.Context, p *sv) error {
			return second(p.Projects.ListComplete(ctx, solusvm2.ProjectFilter{}))
		}},
		{op: "createProject", do: func(ctx context.Context, p *sv) error { return second(p.Projects.Create(ctx, project)) }},
		{op: "getProject", do: func(ctx context.Context, p *sv) error { return second(p.Projects.Get(ctx, p.project)) }},
		{op: "updateProject", do: func(ctx context.Context, p *sv) error { return second(p.Projects.Update(ctx, p.project, project)) }},
		{op: "deleteProject", do: func(ctx context.Context, p *sv) error {
			made, err := p.Projects.Create(ctx, project)
			if err != nil {
				return err
			}
			return p.Projects.Delete(ctx, made.ID)
		}},
		{op: "listProjectSSHKeys", do: func(ctx context.Context, p *sv) error {
			if _, err := newSVKey(ctx, p); err != nil {
				return err
			}
			return each(p.SSHKeys.ListByProject(ctx, p.project, solusvm2.ListOptions{}))
		}},
		{op: "listSSHKeys", do: func(ctx context.Context, p *sv) error {
			if _, err := newSVKey(ctx, p); err != nil {
				return err
			}
			return each(p.SSHKeys.List(ctx, solusvm2.SSHKeyFilter{Search: "lap"}))
		}},
		{op: "createSSHKey", do: func(ctx context.Context, p *sv) error { return second(newSVKey(ctx, p)) }},
		{op: "getSSHKey", do: func(ctx context.Context, p *sv) error {
			id, err := newSVKey(ctx, p)
			if err != nil {
				return err
			}
			return second(p.SSHKeys.Get(ctx, id))
		}},
		{op: "deleteSSHKey", do: func(ctx context.Context, p *sv) error {
			id, err := newSVKey(ctx, p)
			if err != nil {
				return err
			}
			return p.SSHKeys.Delete(ctx, id)
		}},
		{op: "listUsers", do: func(ctx context.Context, p *sv) error {
			return each(p.Users.List(ctx, solusvm2.UserFilter{Search: svEmail, Status: solusvm2.UserActive, RoleID: 2}))
		}},
		{op: "listUsers", name: "by address", do: func(ctx context.Context, p *sv) error { return second(p.Users.FindByEmail(ctx, svEmail)) }},
		{op: "listUsers", name: "completely", do: func(ctx context.Context, p *sv) error {
			return second(p.Users.ListComplete(ctx, solusvm2.UserFilter{}))
		}},
		{op: "createUser", do: func(ctx context.Context, p *sv) error {
			return second(p.Users.Create(ctx, solusvm2.CreateUserRequest{Email: "nina@example.com"}))
		}},
		{op: "createUser", name: "with everything", do: func(ctx context.Context, p *sv) error {
			return second(p.Users.Create(ctx, solusvm2.CreateUserRequest{
				Email: "nina@example.com", Password: "Fixture-Password-1", Status: solusvm2.UserActive, LanguageID: 1, Roles: []solusvm2.RoleID{2},
				BillingUserID: "7002", BillingToken: "fixture-billing-token", AllowedIPs: []string{"198.51.100.0/24"},
			}))
		}},
		{op: "updateUser", do: func(ctx context.Context, p *sv) error {
			return second(p.Users.Update(ctx, p.user, solusvm2.UpdateUserRequest{
				Password: "Fixture-Password-1", Status: solusvm2.UserActive, LanguageID: 1, Roles: []solusvm2.RoleID{2}, BillingUserID: "7003", AllowedIPs: []string{},
			}))
		}},
		{op: "patchUser", do: func(ctx context.Context, p *sv) error {
			return second(p.Users.Patch(ctx, p.user, solusvm2.UpdateUserRequest{Status: solusvm2.UserSuspended}))
		}},
		{op: "deleteUser", do: func(ctx context.Context, p *sv) error {
			u, err := p.Users.Create(ctx, solusvm2.CreateUserRequest{Email: "nina@example.com"})
			if err != nil {
				return err
			}
			return p.Users.Delete(ctx, u.ID)
		}},
		{op: "createUserToken", do: func(ctx context.Context, p *sv) error {
			return second(p.Users.CreateToken(ctx, p.user, solusvm2.CreateTokenOptions{OneTime: true}))
		}},
		{op: "listLimitGroups", do: func(ctx context.Context, p *sv) error { return each(p.LimitGroups.List(ctx, solusvm2.ListOptions{})) }},
		{op: "listRoles", do: func(ctx context.Context, p *sv) error { return each(p.Roles.List(ctx, solusvm2.ListOptions{})) }},
		{op: "getRole", do: func(ctx context.Context, p *sv) error { return second(p.Roles.Get(ctx, 2)) }},
		{op: "createRole", do: func(ctx context.Context, p *sv) error {
			return second(p.Roles.Create(ctx, solusvm2.CreateRoleRequest{Name: "Support", Permissions: []solusvm2.PermissionID{1}}))
		}},
		{op: "listPermissions", do: func(ctx context.Context, p *sv) error { return second(p.Roles.Permissions(ctx)) }},
	}
}

func newSVKey(ctx context.Context, p *sv) (solusvm2.SSHKeyID, error) {
	k, err := p.SSHKeys.Create(ctx, solusvm2.CreateSSHKeyRequest{Name: "laptop", Body: publicKey, UserID: p.user})
	if err != nil {
		return 0, err
	}
	return k.ID, nil
}
