package solusvm2_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

func planOperations() []operation {
	return []operation{{
		name: "list plans", fixture: "listPlans.200", method: "GET", path: "/plans",
		query: "filter%5Bdisk%5D=40&filter%5Bimage_format%5D=raw&filter%5Bsearch%5D=KVM&filter%5Bstorage_type%5D=thinlvm",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Plans.List(ctx, solusvm2.PlanFilter{Search: "KVM", StorageType: solusvm2.StorageThinLVM, ImageFormat: solusvm2.ImageRaw, Disk: 40}))
		},
		check: func(t *testing.T, got any) {
			plans := got.([]solusvm2.Plan)
			require.Len(t, plans, 2)
			assert.Equal(t, provisioning.Some(2*provisioning.TiB), plans[0].Traffic())
			assert.True(t, plans[1].Traffic().IsNull(), "unlimited")
			assert.Equal(t, 512*provisioning.MiB, plans[1].Params.RAM.Bytes())
			assert.False(t, bool(plans[1].IsVisible))
		},
	}, {
		name: "list the plans of a project", fixture: "listProjectPlans.200", method: "GET", path: "/projects/3/plans",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Plans.ListByProject(ctx, 3, solusvm2.ListOptions{}))
		},
		check: func(t *testing.T, got any) { assert.Len(t, got, 1) },
	}, {
		name: "create a plan", fixture: "createPlan.201", method: "POST", path: "/plans",
		body: `{"name":"KVM S","virtualization_type":"kvm","params":{"disk":40,"ram":4294967296,"vcpu":2,"vcpu_limit":200,"io_priority":0},"storage_type":"thinlvm","image_format":"raw",
			"limits":{"network_total_traffic":{"is_enabled":true,"limit":2,"unit":"TiB"},"backups_number":{"is_enabled":false,"limit":0,"unit":"units"}},
			"is_default":false,"backup_price":0,"reset_limit_policy":"never","network_traffic_limit_type":"total","available_locations":[2],"available_applications":[]}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			traffic, err := solusvm2.TrafficLimitOf(2 * provisioning.TiB)
			if err != nil {
				return nil, err
			}
			ram, err := solusvm2.MemoryOf(4 * provisioning.GiB)
			if err != nil {
				return nil, err
			}
			return c.Plans.Create(ctx, solusvm2.CreatePlanRequest{
				Name: "KVM S", VirtualizationType: solusvm2.VirtualizationKVM, StorageType: solusvm2.StorageThinLVM, ImageFormat: solusvm2.ImageRaw,
				Params: solusvm2.PlanParamsRequest{Disk: 40, RAM: ram, VCPU: 2, VCPULimitPercent: 200, IOPriority: ptr(0)},
				PlanSettings: solusvm2.PlanSettings{
					Limits:    &solusvm2.PlanLimits{NetworkTotalTraffic: &traffic, BackupsNumber: &solusvm2.CountLimit{Unit: "units"}},
					IsDefault: ptr(false), BackupPrice: ptr(0.0), ResetLimitPolicy: solusvm2.ResetNever, TrafficLimitType: solusvm2.TrafficTotal,
					AvailableLocations: []solusvm2.LocationID{2}, AvailableApplications: []solusvm2.ApplicationID{},
				},
			})
		},
	}, {
		name: "read a plan", fixture: "getPlan.200", method: "GET", path: "/plans/5",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Plans.Get(ctx, 5) },
		check: func(t *testing.T, got any) {
			p := got.(*solusvm2.Plan)
			assert.Equal(t, solusvm2.Text("12.90"), p.Price.PerMonth)
			assert.Equal(t, solusvm2.Int(200), p.Params.VCPULimitPercent)
			rate, ok := p.Limits.NetworkOutgoingBandwidth.BitsPerSecond()
			assert.True(t, ok)
			assert.Equal(t, int64(100_000_000), rate)
			assert.Equal(t, []solusvm2.Ref{{ID: 21, Name: "12"}, {ID: 22, Name: "13"}}, p.AvailableOSImageVersions)
			assert.True(t, p.ResetLimitPolicy.Known() && p.TrafficLimitType.Known() && p.Netfilter.Value.Known())
		},
	}, {
		name: "update a plan", fixture: "updatePlan.200", method: "PUT", path: "/plans/5", body: `{"name":"KVM S+","is_visible":true}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Plans.Update(ctx, 5, solusvm2.UpdatePlanRequest{Name: "KVM S+", PlanSettings: solusvm2.PlanSettings{IsVisible: ptr(true)}})
		},
		check: func(t *testing.T, got any) { assert.Equal(t, "KVM S+", got.(*solusvm2.Plan).Name) },
	}, {
		name: "delete a plan", fixture: "deletePlan.204", method: "DELETE", path: "/plans/5",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return nil, c.Plans.Delete(ctx, 5) },
	}}
}

func imageOperations() []operation {
	version := solusvm2.OSImageVersionRequest{Version: "12", URL: "https://images.example.com/debian-12.qcow2", VirtualizationType: solusvm2.VirtualizationKVM,
		CloudInitVersion: solusvm2.CloudInitV2, IsVisible: ptr(false), Position: ptr(1.5), AvailablePlans: []solusvm2.PlanID{5}}
	versionBody := `{"version":"12","url":"https://images.example.com/debian-12.qcow2","virtualization_type":"kvm","cloud_init_version":"v2","is_visible":false,"position":1.5,"available_plans":[5]}`
	return []operation{{
		name: "list OS images", fixture: "listOsImages.200", method: "GET", path: "/os_images", query: "filter%5Bsearch%5D=deb",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.OSImages.List(ctx, solusvm2.OSImageFilter{Search: "deb"}))
		},
		check: func(t *testing.T, got any) {
			i := got.([]solusvm2.OSImage)[0]
			assert.Equal(t, solusvm2.OSImageVersionID(21), i.Versions[0].ID)
			assert.True(t, bool(i.Versions[1].IsDeprecated))
			assert.Equal(t, solusvm2.IconOS, i.Icon.Type)
		},
	}, {
		name: "create an OS image", fixture: "createOsImage.201", method: "POST", path: "/os_images", body: `{"name":"Debian","icon_id":16}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.OSImages.Create(ctx, solusvm2.OSImageRequest{Name: "Debian", IconID: provisioning.Some(solusvm2.IconID(16))})
		},
	}, {
		name: "read an OS image", fixture: "getOsImage.200", method: "GET", path: "/os_images/11",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.OSImages.Get(ctx, 11) },
	}, {
		name: "update an OS image and take its icon", fixture: "updateOsImage.200", method: "PUT", path: "/os_images/11",
		body: `{"name":"Debian","icon_id":null,"is_visible":true}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.OSImages.Update(ctx, 11, solusvm2.OSImageRequest{Name: "Debian", IconID: provisioning.Null[solusvm2.IconID](), IsVisible: ptr(true)})
		},
	}, {
		name: "delete an OS image", fixture: "deleteOsImage.204", method: "DELETE", path: "/os_images/11",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return nil, c.OSImages.Delete(ctx, 11) },
	}, {
		name: "list the versions of an OS image", fixture: "listOsImageVersions.200", method: "GET", path: "/os_images/11/versions",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.OSImages.Versions(ctx, 11) },
		check: func(t *testing.T, got any) {
			versions := got.([]solusvm2.OSImageVersion)
			require.Len(t, versions, 2)
			assert.Equal(t, solusvm2.CloudInitV2Debian10, versions[1].CloudInitVersion)
		},
	}, {
		name: "create a version", fixture: "createOsImageVersion.201", method: "POST", path: "/os_images/11/versions", body: versionBody,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.OSImages.CreateVersion(ctx, 11, version)
		},
	}, {
		name: "read a version", fixture: "getOsImageVersion.200", method: "GET", path: "/os_image_versions/21",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.OSImages.GetVersion(ctx, 21) },
		check: func(t *testing.T, got any) {
			assert.Equal(t, solusvm2.OSImageID(11), got.(*solusvm2.OSImageVersion).OSImageID)
		},
	}, {
		name: "update a version", fixture: "updateOsImageVersion.200", method: "PUT", path: "/os_image_versions/21", body: versionBody,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.OSImages.UpdateVersion(ctx, 21, version)
		},
	}, {
		name: "delete a version", fixture: "deleteOsImageVersion.204", method: "DELETE", path: "/os_image_versions/21",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return nil, c.OSImages.DeleteVersion(ctx, 21)
		},
	}, {
		name: "list ISO images", fixture: "listIsoImages.200", method: "GET", path: "/iso_images",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.ISOImages.List(ctx, solusvm2.ListOptions{}))
		},
		check: func(t *testing.T, got any) { assert.Equal(t, []solusvm2.ISOImage{{ID: 13, Name: "GParted"}}, got) },
	}, {
		name: "list applications", fixture: "listApplications.200", method: "GET", path: "/applications",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Applications.List(ctx, solusvm2.ListOptions{}))
		},
		check: func(t *testing.T, got any) {
			a := got.([]solusvm2.Application)[0]
			assert.JSONEq(t, `{"type":"object","required":["email"]}`, a.JSONSchema)
			assert.True(t, bool(a.IsBuiltIn))
			assert.Equal(t, solusvm2.LoginLinkURL, a.LoginLink.Type)
		},
	}, {
		name: "create an application", fixture: "createApplication.201", method: "POST", path: "/applications",
		body: `{"name":"WordPress","url":"https://images.example.com/wordpress.qcow2","json_schema":"{}","is_visible":true,"login_link":{"type":"none","content":""}}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Applications.Create(ctx, solusvm2.CreateApplicationRequest{Name: "WordPress", URL: "https://images.example.com/wordpress.qcow2", JSONSchema: "{}",
				IsVisible: ptr(true), LoginLink: &solusvm2.LoginLink{Type: solusvm2.LoginLinkNone}})
		},
	}}
}

func locationOperations() []operation {
	request := solusvm2.LocationRequest{Name: "Frankfurt", Description: ptr(""), IconID: provisioning.Null[solusvm2.IconID](), IsDefault: ptr(false),
		ComputeResources: []solusvm2.ComputeResourceID{4}, AvailablePlans: []solusvm2.PlanID{}}
	body := `{"name":"Frankfurt","description":"","icon_id":null,"is_default":false,"compute_resources":[4],"available_plans":[]}`
	return []operation{{
		name: "list locations", fixture: "listLocations.200", method: "GET", path: "/locations", query: "filter%5Bsearch%5D=Frank",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Locations.List(ctx, solusvm2.LocationFilter{Search: "Frank"}))
		},
		check: func(t *testing.T, got any) {
			l := got.([]solusvm2.Location)[0]
			assert.Equal(t, solusvm2.ComputeResourceActive, l.ComputeResources[0].Status)
			assert.Empty(t, l.Description)
		},
	}, {
		name: "create a location", fixture: "createLocation.201", method: "POST", path: "/locations", body: body,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Locations.Create(ctx, request) },
	}, {
		name: "read a location", fixture: "getLocation.200", method: "GET", path: "/locations/2",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Locations.Get(ctx, 2) },
	}, {
		name: "update a location", fixture: "updateLocation.200", method: "PUT", path: "/locations/2", body: body,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Locations.Update(ctx, 2, request) },
	}, {
		name: "hide a location", fixture: "patchLocation.200", method: "PATCH", path: "/locations/2", body: `{"is_visible":false}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Locations.SetFlags(ctx, 2, solusvm2.LocationFlags{IsVisible: ptr(false)})
		},
		check: func(t *testing.T, got any) { assert.False(t, bool(got.(*solusvm2.Location).IsVisible)) },
	}, {
		name: "delete a location", fixture: "deleteLocation.204", method: "DELETE", path: "/locations/2",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return nil, c.Locations.Delete(ctx, 2) },
	}}
}

func projectOperations() []operation {
	return []operation{{
		name: "list projects", fixture: "listProjects.200", method: "GET", path: "/projects", query: "filter%5Bsearch%5D=Erika",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Projects.List(ctx, solusvm2.ProjectFilter{Search: "Erika"}))
		},
		check: func(t *testing.T, got any) {
			p := got.([]solusvm2.Project)[0]
			assert.Equal(t, solusvm2.Int(2), p.Servers)
			assert.Equal(t, solusvm2.UserID(7), p.Owner.ID)
		},
	}, {
		name: "list projects completely", fixture: "listProjects.200", method: "GET", path: "/projects",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Projects.ListComplete(ctx, solusvm2.ProjectFilter{})
		},
		check: func(t *testing.T, got any) { assert.Len(t, got, 1) },
	}, {
		name: "create a project", fixture: "createProject.201", method: "POST", path: "/projects", body: `{"name":"Erika's servers"}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Projects.Create(ctx, solusvm2.ProjectRequest{Name: "Erika's servers"})
		},
	}, {
		name: "read a project", fixture: "getProject.200", method: "GET", path: "/projects/3",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Projects.Get(ctx, 3) },
	}, {
		name: "update a project and clear its description", fixture: "updateProject.200", method: "PUT", path: "/projects/3",
		body: `{"name":"Renamed","description":""}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Projects.Update(ctx, 3, solusvm2.ProjectRequest{Name: "Renamed", Description: ptr("")})
		},
		check: func(t *testing.T, got any) { assert.Equal(t, "Renamed", got.(*solusvm2.Project).Name) },
	}, {
		name: "delete a project", fixture: "deleteProject.204", method: "DELETE", path: "/projects/3",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return nil, c.Projects.Delete(ctx, 3) },
	}, {
		name: "list the SSH keys of a project, which have the text under another name", fixture: "listProjectSSHKeys.200",
		method: "GET", path: "/projects/3/ssh_keys",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.SSHKeys.ListByProject(ctx, 3, solusvm2.ListOptions{}))
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, []solusvm2.SSHKey{{ID: 62, Name: "desktop", Body: publicKey}}, got)
		},
	}, {
		name: "list SSH keys", fixture: "listSSHKeys.200", method: "GET", path: "/ssh_keys", query: "filter%5Bsearch%5D=lap",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.SSHKeys.List(ctx, solusvm2.SSHKeyFilter{Search: "lap"}))
		},
		check: func(t *testing.T, got any) { assert.Len(t, got, 1) },
	}, {
		name: "add an SSH key", fixture: "createSSHKey.201", method: "POST", path: "/ssh_keys", body: `{"name":"laptop","body":"` + publicKey + `","user_id":7}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.SSHKeys.Create(ctx, solusvm2.CreateSSHKeyRequest{Name: "laptop", Body: publicKey + "\n", UserID: 7})
		},
	}, {
		name: "read an SSH key", fixture: "getSSHKey.200", method: "GET", path: "/ssh_keys/61",
		call:  func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.SSHKeys.Get(ctx, 61) },
		check: func(t *testing.T, got any) { assert.Equal(t, publicKey, got.(*solusvm2.SSHKey).Body) },
	}, {
		name: "delete an SSH key", fixture: "deleteSSHKey.204", method: "DELETE", path: "/ssh_keys/61",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return nil, c.SSHKeys.Delete(ctx, 61) },
	}}
}

func userOperations() []operation {
	return []operation{{
		name: "list users", fixture: "listUsers.200", method: "GET", path: "/users",
		query: "filter%5Brole_id%5D=2&filter%5Bsearch%5D=erika%40example.com&filter%5Bstatus%5D=active",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Users.List(ctx, solusvm2.UserFilter{Search: "erika@example.com", Status: solusvm2.UserActive, RoleID: 2}))
		},
		check: func(t *testing.T, got any) {
			users := got.([]solusvm2.User)
			require.Len(t, users, 2, "the panel searches for parts")
			assert.Equal(t, solusvm2.Text("7001"), users[0].BillingUserID)
			assert.Equal(t, solusvm2.Text("cust-8"), users[1].BillingUserID)
			assert.Equal(t, []string{"198.51.100.0/24", "203.0.113.9"}, users[0].AllowedIPs)
			assert.Equal(t, solusvm2.LimitGroupID(6), users[0].LimitGroup.ID)
			assert.Equal(t, solusvm2.UserSuspended, users[1].Status)
		},
	}, {
		name: "find a user by exactly this address", fixture: "listUsers.200", method: "GET", path: "/users", query: "filter%5Bsearch%5D=Erika%40example.com",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Users.FindByEmail(ctx, "Erika@example.com")
		},
		check: func(t *testing.T, got any) { assert.Equal(t, solusvm2.UserID(7), got.(*solusvm2.User).ID) },
	}, {
		name: "create a user", fixture: "createUser.201", method: "POST", path: "/users",
		body: `{"email":"erika@example.com","password":"fixture-new-password","status":"active","language_id":1,"roles":[2],"limit_group_id":6,"billing_user_id":"7001",
			"billing_token":"fixture-billing-token","allowed_ips":["198.51.100.0/24"]}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Users.Create(ctx, solusvm2.CreateUserRequest{Email: "erika@example.com", Password: "fixture-new-password", Status: solusvm2.UserActive, LanguageID: 1,
				Roles: []solusvm2.RoleID{2}, LimitGroupID: 6, BillingUserID: "7001", BillingToken: "fixture-billing-token", AllowedIPs: []string{"198.51.100.0/24"}})
		},
	}, {
		name: "update a user", fixture: "updateUser.200", method: "PUT", path: "/users/7", body: `{"roles":[2],"allowed_ips":[]}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Users.Update(ctx, 7, solusvm2.UpdateUserRequest{Roles: []solusvm2.RoleID{2}, AllowedIPs: []string{}})
		},
	}, {
		name: "suspend a user", fixture: "patchUser.200", method: "PATCH", path: "/users/7", body: `{"status":"suspended"}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Users.Patch(ctx, 7, solusvm2.UpdateUserRequest{Status: solusvm2.UserSuspended})
		},
		check: func(t *testing.T, got any) { assert.Equal(t, solusvm2.UserSuspended, got.(*solusvm2.User).Status) },
	}, {
		name: "delete a user", fixture: "deleteUser.204", method: "DELETE", path: "/users/7",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return nil, c.Users.Delete(ctx, 7) },
	}, {
		name: "make a token for one call of a user", fixture: "createUserToken.200", method: "POST", path: "/users/7/tokens", body: `{"is_one_time":true}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Users.CreateToken(ctx, 7, solusvm2.CreateTokenOptions{OneTime: true})
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, "fixture-one-time-token", got.(*solusvm2.Token).AccessToken.Reveal())
		},
	}}
}

func nodeOperations() []operation {
	return []operation{{
		name: "list compute resources", fixture: "listComputeResources.200", method: "GET", path: "/compute_resources", query: "filter%5Bsearch%5D=node",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.ComputeResources.List(ctx, solusvm2.ComputeResourceFilter{Search: "node"}))
		},
		check: func(t *testing.T, got any) {
			r := got.([]solusvm2.ComputeResource)[0]
			assert.Equal(t, solusvm2.NetworkBridged, r.Settings.Network.Type)
			assert.InDelta(t, 480.5, float64(r.Settings.Limits.HDD.Used), 0.001)
			assert.JSONEq(t, `{"network":{"ipv6_enabled":true}}`, string(r.Metrics))
		},
	}, {
		name: "create a compute resource", fixture: "createComputeResource.201", method: "POST", path: "/compute_resources",
		body: `{"name":"node-4","host":"node-4.example.com","login":"root","port":22,"type":"lkey","key":"fixture-private-key","agent_port":8080,"ip_blocks":[101],"locations":[2],
			"license_type":"standard"}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.ComputeResources.Create(ctx, solusvm2.CreateComputeResourceRequest{Name: "node-4", Host: "node-4.example.com", Login: "root", Port: 22,
				Type: solusvm2.NodeLoginKey, Key: "fixture-private-key", AgentPort: 8080, IPBlocks: []solusvm2.IPBlockID{101}, Locations: []solusvm2.LocationID{2},
				License: solusvm2.LicenseStandard})
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, solusvm2.ComputeResourceCommissioning, got.(*solusvm2.ComputeResource).Status)
		},
	}, {
		name: "read a compute resource", fixture: "getComputeResource.200", method: "GET", path: "/compute_resources/4",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.ComputeResources.Get(ctx, 4) },
	}, {
		name: "unlock a compute resource", fixture: "patchComputeResource.200", method: "PATCH", path: "/compute_resources/4",
		body: `{"locations":[],"is_locked":false}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.ComputeResources.Update(ctx, 4, solusvm2.UpdateComputeResourceRequest{Locations: []solusvm2.LocationID{}, IsLocked: ptr(false)})
		},
	}, {
		name: "delete a compute resource with a body", fixture: "deleteComputeResource.204", method: "DELETE", path: "/compute_resources/4", body: `{"force":false}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return nil, c.ComputeResources.Delete(ctx, 4, solusvm2.DeleteComputeResourceOptions{})
		},
	}, {
		name: "change the settings of a compute resource", fixture: "updateComputeResourceSettings.200", method: "PUT", path: "/compute_resources/4/settings",
		body: `{"limits":{"vm":{"unlimited":true,"total":0,"used":0}},"balance_strategy":"round-robin","virtualization_types":["kvm"]}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.ComputeResources.UpdateSettings(ctx, 4, solusvm2.ComputeResourceSettings{
				Limits:          &solusvm2.ComputeResourceLimits{VM: &solusvm2.ResourceLimit{Unlimited: true}},
				BalanceStrategy: solusvm2.BalanceRoundRobin, VirtualizationTypes: []solusvm2.VirtualizationType{solusvm2.VirtualizationKVM},
			})
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, solusvm2.Int(8080), got.(*solusvm2.ComputeResourceSettings).VNCProxyPort)
		},
	}, {
		name: "list the networks of a compute resource", fixture: "listComputeResourceNetworks.200", method: "GET", path: "/compute_resources/4/networks",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.ComputeResources.Networks(ctx, 4) },
		check: func(t *testing.T, got any) {
			assert.Equal(t, solusvm2.Text("eth0"), got.([]solusvm2.ComputeResourceNetwork)[0].ID)
		},
	}, {
		name: "set up the network of a compute resource", fixture: "setupComputeResourceNetwork.200", method: "POST", path: "/compute_resources/4/setup_network",
		body: `{"id":"eth0","type":"bridged"}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return nil, c.ComputeResources.SetUpNetwork(ctx, 4, solusvm2.SetUpNetworkRequest{ID: "eth0", Type: solusvm2.NetworkBridged})
		},
	}, {
		name: "list the install steps of a compute resource", fixture: "listInstallSteps.200", method: "GET", path: "/compute_resources/4/install_steps",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.ComputeResources.InstallSteps(ctx, 4)
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, solusvm2.InstallStepDone, got.([]solusvm2.InstallStep)[0].Status)
		},
	}, {
		name: "list the storages of a compute resource", fixture: "listComputeResourceStorages.200", method: "GET", path: "/compute_resources/4/storages",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.ComputeResources.Storages(ctx, 4) },
		check: func(t *testing.T, got any) {
			s := got.([]solusvm2.Storage)[0]
			assert.Equal(t, []solusvm2.ImageFormat{solusvm2.ImageRaw}, s.Type.Formats)
			assert.JSONEq(t, `{"password":"fixture-storage-password"}`, s.Credentials.Reveal())
		},
	}, {
		name: "add a storage", fixture: "createComputeResourceStorage.201", method: "POST", path: "/compute_resources/4/storages",
		body: `{"type":"thinlvm","path":"vg0","thin_pool":"pool0","is_available_for_balancing":false}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.ComputeResources.CreateStorage(ctx, 4, solusvm2.CreateStorageRequest{Type: solusvm2.StorageThinLVM, Path: "vg0", ThinPool: "pool0",
				IsAvailableForBalancing: ptr(false)})
		},
	}}
}

func blockOperations() []operation {
	return []operation{{
		name: "list IP blocks", fixture: "listIPBlocks.200", method: "GET", path: "/ip_blocks", query: "filter%5Bsearch%5D=Public",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.IPBlocks.List(ctx, solusvm2.IPBlockFilter{Search: "Public"}))
		},
		check: func(t *testing.T, got any) {
			blocks := got.([]solusvm2.IPBlock)
			require.Len(t, blocks, 2)
			assert.Equal(t, solusvm2.Text("198.51.100.10 - 198.51.100.250"), blocks[0].TotalIPsCount)
			assert.Equal(t, solusvm2.Text("12"), blocks[1].TotalIPsCount)
			assert.Equal(t, solusvm2.Int(112), blocks[1].Subnet)
			assert.Empty(t, blocks[1].From)
		},
	}, {
		name: "create an IP block", fixture: "createIPBlock.201", method: "POST", path: "/ip_blocks",
		body: `{"name":"Public v6","type":"IPv6","gateway":"2001:db8:1::1","range":"2001:db8:1::/48","subnet":112,"reverse_dns":{"zone":"","enabled":false},"compute_resources":[4]}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.IPBlocks.Create(ctx, solusvm2.IPBlockRequest{Name: "Public v6", Type: solusvm2.IPv6, Gateway: "2001:db8:1::1", Range: "2001:db8:1::/48", Subnet: 112,
				ReverseDNS: &solusvm2.ReverseDNS{}, ComputeResources: []solusvm2.ComputeResourceID{4}})
		},
	}, {
		name: "read an IP block", fixture: "getIPBlock.200", method: "GET", path: "/ip_blocks/101",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.IPBlocks.Get(ctx, 101) },
	}, {
		name: "update an IP block", fixture: "updateIPBlock.200", method: "PUT", path: "/ip_blocks/101",
		body: `{"name":"Public 1","type":"IPv4","list_type":"range","gateway":"198.51.100.1","netmask":"255.255.255.0","from":"198.51.100.10","to":"198.51.100.250"}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.IPBlocks.Update(ctx, 101, solusvm2.IPBlockRequest{Name: "Public 1", Type: solusvm2.IPv4, ListType: solusvm2.IPListRange, Gateway: "198.51.100.1",
				Netmask: "255.255.255.0", From: "198.51.100.10", To: "198.51.100.250"})
		},
	}, {
		name: "delete an IP block", fixture: "deleteIPBlock.204", method: "DELETE", path: "/ip_blocks/101",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return nil, c.IPBlocks.Delete(ctx, 101) },
	}, {
		name: "list the addresses of a block", fixture: "listIPBlockAddresses.200", method: "GET", path: "/ip_blocks/101/ips", query: "per_page=100",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.IPAddresses.List(ctx, 101, solusvm2.ListOptions{PerPage: 100}))
		},
		check: func(t *testing.T, got any) {
			ips := got.([]solusvm2.IPAddress)
			require.Len(t, ips, 2)
			assert.Equal(t, solusvm2.Int(42), ips[0].Server.ID)
			assert.Equal(t, solusvm2.UserID(7), ips[0].User.ID)
			assert.Nil(t, ips[1].Server)
			assert.True(t, bool(ips[1].IsReserved))
		},
	}, {
		name: "take an address from a block", fixture: "createIPBlockAddress.201", method: "POST", path: "/ip_blocks/101/ips",
		call:  func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.IPAddresses.Create(ctx, 101) },
		check: func(t *testing.T, got any) { assert.Equal(t, "198.51.100.20", got.(*solusvm2.IPAddress).IP) },
	}, {
		name: "clear a reservation", fixture: "patchIPAddress.200", method: "PATCH", path: "/ips/203", body: `{"is_reserved":false}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.IPAddresses.Update(ctx, 203, solusvm2.UpdateIPAddressRequest{})
		},
	}, {
		name: "give an address back", fixture: "deleteIPAddress.204", method: "DELETE", path: "/ips/203",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return nil, c.IPAddresses.Delete(ctx, 203) },
	}}
}

func otherOperations() []operation {
	return []operation{{
		name: "list roles", fixture: "listRoles.200", method: "GET", path: "/roles",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Roles.List(ctx, solusvm2.ListOptions{}))
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, []solusvm2.Role{{ID: 1, Name: "ADMIN", UsersCount: 2}, {ID: 2, Name: "CLIENT", IsDefault: true, UsersCount: 31}}, got)
		},
	}, {
		name: "create a role", fixture: "createRole.201", method: "POST", path: "/roles", body: `{"name":"Support","permissions":[1]}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Roles.Create(ctx, solusvm2.CreateRoleRequest{Name: "Support", Permissions: []solusvm2.PermissionID{1}})
		},
	}, {
		name: "read a role", fixture: "getRole.200", method: "GET", path: "/roles/2",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Roles.Get(ctx, 2) },
	}, {
		name: "list permissions, which come without page numbers", fixture: "listPermissions.200", method: "GET", path: "/permissions",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Roles.Permissions(ctx) },
		check: func(t *testing.T, got any) {
			assert.Equal(t, []solusvm2.Permission{{ID: 1, Name: "get servers"}, {ID: 2, Name: "create servers"}}, got)
		},
	}, {
		name: "list limit groups", fixture: "listLimitGroups.200", method: "GET", path: "/limit_groups",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.LimitGroups.List(ctx, solusvm2.ListOptions{}))
		},
		check: func(t *testing.T, got any) {
			g := got.([]solusvm2.LimitGroup)[0]
			assert.Equal(t, solusvm2.GroupLimit{IsEnabled: true, Limit: 10}, g.VMs)
			assert.Equal(t, time.Date(2025, 2, 4, 8, 0, 0, 0, time.UTC), g.UpdatedAt.UTC())
		},
	}, {
		name: "list the log", fixture: "listActivityLogs.200", method: "GET", path: "/activity_logs",
		query: "filter%5Bevent%5D=additional_ip_created&filter%5Buser_id%5D=7",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.ActivityLogs.List(ctx, solusvm2.ActivityLogFilter{UserID: 7, Event: solusvm2.ActivityAdditionalIPCreated}))
		},
		check: func(t *testing.T, got any) {
			entries := got.([]solusvm2.ActivityLog)
			require.Len(t, entries, 2)
			assert.True(t, entries[0].Event.Known())
			assert.JSONEq(t, `{"ip":"198.51.100.18"}`, string(entries[0].Data))
			assert.Equal(t, solusvm2.ActivityEvent("server_frozen"), entries[1].Event, "what nobody knows is kept")
			assert.False(t, entries[1].Event.Known())
		},
	}, {
		name: "read the settings", fixture: "getSettings.200", method: "GET", path: "/settings",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Settings.Get(ctx) },
		check: func(t *testing.T, got any) {
			assert.Contains(t, got.(solusvm2.SecretJSON).Reveal(), `"hostname": "solus.example.com"`)
		},
	}, {
		name: "change the settings", fixture: "patchSettings.200", method: "PATCH", path: "/settings", body: `{"hostname":"new.example.com"}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Settings.Update(ctx, map[string]string{"hostname": "new.example.com"})
		},
		check: func(t *testing.T, got any) {
			assert.Contains(t, got.(solusvm2.SecretJSON).Reveal(), `"hostname": "new.example.com"`)
		},
	}}
}
