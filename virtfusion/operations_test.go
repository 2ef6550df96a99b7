package virtfusion_test

import (
	"context"
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFixtureFixtureFixtureFixtureFixtureFixtur fixture"

func collect[T any](rows iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for row, err := range rows {
		if err != nil {
			return all, err
		}
		all = append(all, row)
	}
	return all, nil
}

// operation is one call of a service, what it must send, and what must come out of the answer in testdata.
type operation struct {
	name    string
	fixture string
	call    func(context.Context, *virtfusion.Client) (any, error)

	method, path, query, body string
	check                     func(*testing.T, any)
}

func TestEachOperationSendsWhatIsDocumentedAndDecodesTheAnswer(t *testing.T) {
	t.Parallel()
	for _, group := range operationTables() {
		for _, op := range group {
			t.Run(op.name, func(t *testing.T) {
				t.Parallel()
				c, panel := newClient(t, from(t, op.fixture))
				got, err := op.call(t.Context(), c)
				require.NoError(t, err)
				asked := panel.requests()
				require.Len(t, asked, 1)
				assert.Equal(t, op.method, asked[0].method)
				assert.Equal(t, "/api/v1"+op.path, asked[0].path)
				assert.Equal(t, op.query, asked[0].query)
				assert.Equal(t, "Bearer "+testToken.Reveal(), asked[0].header.Get("Authorization"))
				assert.Equal(t, "application/json", asked[0].header.Get("Accept"))
				assert.Empty(t, asked[0].header.Get("Idempotency-Key"), "net/http would repeat the call by itself")
				sameJSON(t, op.body, asked[0].body)
				if op.check != nil {
					op.check(t, got)
				}
			})
		}
	}
}

func generalOperations() []operation {
	return []operation{{
		name: "test the connection", fixture: "testConnection.200", method: "GET", path: "/connect",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.General.TestConnection(ctx)
		},
	}, {
		name: "read the status of a healthy control server", fixture: "getControlStatus.200", method: "GET", path: "/status",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.General.ControlStatus(ctx) },
		check: func(t *testing.T, got any) {
			s := got.(*virtfusion.ControlStatus)
			assert.True(t, s.Healthy)
			assert.JSONEq(t, `{"version":"7.1.0","database":true,"cache":true,"cron":true,"healthy":true}`, string(s.Data))
		},
	}, {
		name: "read the status of an ailing control server, which answers 503", fixture: "getControlStatus.503", method: "GET", path: "/status",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.General.ControlStatus(ctx) },
		check: func(t *testing.T, got any) {
			s := got.(*virtfusion.ControlStatus)
			assert.False(t, s.Healthy)
			assert.Contains(t, string(s.Data), `"cron": false`)
		},
	}, {
		name: "read a queue item", fixture: "getQueueItem.200", method: "GET", path: "/queue/2001",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Queue.Get(ctx, 2001) },
		check: func(t *testing.T, got any) {
			i := got.(*virtfusion.QueueItem)
			assert.True(t, i.Done())
			assert.Equal(t, virtfusion.Text("9852"), i.JobID)
			assert.Equal(t, virtfusion.ServerID(417), i.ServerID)
			assert.Equal(t, time.Date(2026, 3, 2, 9, 0, 7, 0, time.UTC), i.Finished.UTC())
		},
	}}
}

func serverOperations() []operation {
	return []operation{{
		name: "create a server with what the package gives", fixture: "createServer.201", method: "POST", path: "/servers",
		body: `{"packageId":3,"userId":23,"hypervisorId":2}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.Create(ctx, virtfusion.CreateServerRequest{PackageID: 3, UserID: 23, HypervisorGroupID: 2})
		},
		check: func(t *testing.T, got any) {
			s := got.(*virtfusion.Server)
			assert.Equal(t, virtfusion.ServerID(417), s.ID)
			assert.Equal(t, virtfusion.HypervisorID(9), s.HypervisorID)
			assert.Equal(t, provisioning.PhaseAllocated, s.Phase())
			assert.Empty(t, s.Name)
			assert.True(t, s.Built.IsZero())
			require.Len(t, s.Tasks.Actions.Pending, 1)
			assert.Equal(t, []string{"boot", "restart", "shutdown", "poweroff"}, s.Tasks.Actions.Pending[0].Requires)
			assert.False(t, s.RemoteState.Answered)
		},
	}, {
		name: "create a server where zeros mean something", fixture: "createServer.201", method: "POST", path: "/servers",
		body: `{"packageId":3,"userId":23,"hypervisorId":2,"ipv4":0,"storage":40,"traffic":0,"memory":4096,"cpuCores":2,
			"networkSpeedInbound":0,"networkSpeedOutbound":12500,
			"storageProfile":0,"networkProfile":0,"firewallRulesets":[-1],"hypervisorAssetGroups":[3,4],"additionalStorage1Enable":true,
			"additionalStorage1Profile":2,
			"additionalStorage1Capacity":10,"additionalStorage2Enable":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.Create(ctx, virtfusion.CreateServerRequest{
				PackageID: 3, UserID: 23, HypervisorGroupID: 2, IPv4: ptr(0), Storage: 40, Traffic: ptr(virtfusion.TrafficGB(0)), Memory: 4096, CPUCores: 2,
				NetworkSpeedInbound: ptr(virtfusion.KBps(0)), NetworkSpeedOutbound: ptr(virtfusion.KBps(12500)),
				StorageProfile: ptr(virtfusion.StorageType(0)), NetworkProfile: ptr(0),
				FirewallRulesets:      []virtfusion.FirewallRulesetID{virtfusion.NoFirewallRulesets},
				HypervisorAssetGroups: []virtfusion.HypervisorAssetGroupID{3, 4}, AdditionalStorage1Enable: ptr(true),
				AdditionalStorage1Profile: ptr(virtfusion.StorageType(2)), AdditionalStorage1Capacity: 10, AdditionalStorage2Enable: ptr(false),
			})
		},
	}, {
		name: "read a server", fixture: "getServer.200", method: "GET", path: "/servers/417",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.Get(ctx, 417, virtfusion.GetServerOptions{})
		},
		check: checkServer,
	}, {
		name: "read a server with its live state", fixture: "getServer.200", method: "GET", path: "/servers/417", query: "remoteState=true",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.Get(ctx, 417, virtfusion.GetServerOptions{RemoteState: true})
		},
	}, {
		name: "list servers", fixture: "listServers.200", method: "GET", path: "/servers", query: "page=1&results=200",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return collect(c.Servers.List(ctx, virtfusion.ListServersOptions{}))
		},
		check: func(t *testing.T, got any) {
			rows := got.([]virtfusion.ServerRow)
			require.Len(t, rows, 3)
			assert.Equal(t, virtfusion.UserID(23), rows[0].OwnerID)
			assert.Equal(t, []provisioning.Phase{provisioning.PhaseReady, provisioning.PhaseAllocated, provisioning.PhaseUnknown},
				[]provisioning.Phase{rows[0].Phase(), rows[1].Phase(), rows[2].Phase()})
			assert.True(t, bool(rows[1].Suspended))
		},
	}, {
		name: "list the servers of two hypervisors", fixture: "listServers.200", method: "GET", path: "/servers",
		query: "hypervisorId%5B%5D=9&hypervisorId%5B%5D=10&page=1&results=50",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return collect(c.Servers.List(ctx, virtfusion.ListServersOptions{
				ListOptions: virtfusion.ListOptions{Results: 50}, HypervisorIDs: []virtfusion.HypervisorID{9, 10},
			}))
		},
	}, {
		name: "list the servers of a user", fixture: "listUserServers.200", method: "GET", path: "/servers/user/23",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Servers.ListByUser(ctx, 23) },
		check: func(t *testing.T, got any) {
			rows := got.([]virtfusion.UserServer)
			require.Len(t, rows, 1)
			assert.Equal(t, provisioning.PhaseAllocated, rows[0].Phase())
			assert.Equal(t, virtfusion.MB(2048), rows[0].Resources.Memory)
			assert.Equal(t, "198.51.100.19/24", rows[0].Network.Interfaces[0].IPv4[0].Prefix().String())
			assert.False(t, bool(rows[0].VNC.Enabled))
		},
	}}
}

func checkServer(t *testing.T, got any) {
	s := got.(*virtfusion.Server)
	assert.Equal(t, provisioning.PhaseReady, s.Phase())
	assert.Equal(t, 4*provisioning.GiB, s.Settings.Resources.Memory.Bytes())
	assert.Equal(t, 40*provisioning.GiB, s.Settings.Resources.Storage.Bytes())
	assert.Equal(t, virtfusion.ArchX86_64, s.Arch)
	assert.Equal(t, time.Date(2026, 3, 1, 8, 0, 41, 0, time.UTC), s.Built.UTC())
	public := s.Network.Interfaces[0]
	assert.Equal(t, virtfusion.Int(7012345678), public.Tag, "tags exceed 32 bits")
	assert.Equal(t, "198.51.100.17/24", public.IPv4[0].Prefix().String())
	assert.Equal(t, "2001:db8:77:1::/64", public.IPv6[0].Prefix().String())
	assert.True(t, bool(public.DHCPv6))
	_, told := s.Network.SecondaryInterfaces[0].Driver.Get()
	assert.False(t, told, "null is the hypervisor's default, not driver 0")
	assert.Zero(t, s.Network.SecondaryInterfaces[0].IPv4[0].BlockID)
	assert.Equal(t, virtfusion.Int(500), s.Storage[0].IOPS.Write)
	assert.Equal(t, virtfusion.HypervisorGroupID(2), s.Hypervisor.GroupID)
	assert.Equal(t, virtfusion.Int(-12), s.Hypervisor.Resources.Servers.Free)
	assert.True(t, s.Hypervisor.Resources.Servers.Percent.IsNull())
	assert.Equal(t, virtfusion.ExtRelationID(7001), s.Owner.ExtRelationID)
	assert.Equal(t, provisioning.PowerUnknown, s.RemoteState.Power())
	assert.Equal(t, provisioning.Secret("fixture-encrypted-password"), s.Settings.EncryptedPassword)
}

func serverActions() []operation {
	power := func(name, fixture, verb string, id virtfusion.QueueID,
		call func(*virtfusion.ServersService, context.Context, virtfusion.ServerID, ...virtfusion.CallOption) (virtfusion.QueueID, error)) operation {
		return operation{name: name, fixture: fixture, method: "POST", path: "/servers/417/power/" + verb,
			call:  func(ctx context.Context, c *virtfusion.Client) (any, error) { return call(c.Servers, ctx, 417) },
			check: func(t *testing.T, got any) { assert.Equal(t, id, got) }}
	}
	return []operation{
		power("boot", "bootServer.200", "boot", 2001, (*virtfusion.ServersService).Boot),
		power("shut down", "shutdownServer.200", "shutdown", 2002, (*virtfusion.ServersService).Shutdown),
		power("restart", "restartServer.200", "restart", 2003, (*virtfusion.ServersService).Restart),
		power("cut the power", "poweroffServer.200", "poweroff", 2004, (*virtfusion.ServersService).PowerOff),
		{
			name: "build", fixture: "buildServer.200", method: "POST", path: "/servers/417/build",
			body: `{"operatingSystemId":31,"name":"web-17","hostname":"web-17.example.com","sshKeys":[5],"swap":1.5,"vnc":false,"ipv6":true,"email":false}`,
			call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
				return c.Servers.Build(ctx, 417, virtfusion.BuildServerRequest{OperatingSystemID: 31, Name: "web-17", Hostname: "web-17.example.com",
					SSHKeys: []virtfusion.SSHKeyID{5}, Swap: virtfusion.Swap1536MB, IPv6: true})
			},
			check: func(t *testing.T, got any) {
				s := got.(*virtfusion.Server)
				assert.Equal(t, provisioning.PhaseBuilding, s.Phase())
				assert.Equal(t, "fixture-root-password", s.Settings.DecryptedPassword.Reveal())
			},
		}, {
			name: "rename", fixture: "modifyServerName.201", method: "PUT", path: "/servers/417/modify/name", body: `{"name":"order-7"}`,
			call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
				return nil, c.Servers.Rename(ctx, 417, "order-7")
			},
		}, {
			name: "delete at once, with the delay sent all the same", fixture: "deleteServer.204", method: "DELETE", path: "/servers/417", query: "delay=0",
			call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
				return nil, c.Servers.Delete(ctx, 417, virtfusion.DeleteServerOptions{})
			},
		}, {
			name: "delete after the longest grace period", fixture: "deleteServer.204", method: "DELETE", path: "/servers/417", query: "delay=43799",
			call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
				return nil, c.Servers.Delete(ctx, 417, virtfusion.DeleteServerOptions{DelayMinutes: 43799})
			},
		}, {
			name: "suspend", fixture: "suspendServer.204", method: "POST", path: "/servers/417/suspend",
			call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return nil, c.Servers.Suspend(ctx, 417) },
		}, {
			name: "unsuspend", fixture: "unsuspendServer.204", method: "POST", path: "/servers/417/unsuspend",
			call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
				return nil, c.Servers.Unsuspend(ctx, 417)
			},
		}, {
			name: "reset the root password without mail", fixture: "resetServerPassword.200", method: "POST", path: "/servers/417/resetPassword",
			body: `{"user":"root","sendMail":false}`,
			call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
				return c.Servers.ResetPassword(ctx, 417, virtfusion.ResetServerPasswordRequest{User: virtfusion.GuestRoot})
			},
			check: func(t *testing.T, got any) {
				assert.Equal(t, &virtfusion.ServerPasswordReset{QueueID: 2005, ExpectedPassword: "fixture-new-password"}, got)
			},
		}, {
			name: "change the package, sending each switch", fixture: "changeServerPackage.200", method: "PUT", path: "/servers/417/package/4",
			body: `{"backupPlan":false,"cpu":true,"memory":true,"primaryDiskReadIOPS":false,"primaryDiskReadThroughput":false,
				"primaryDiskSize":false,"primaryDiskWriteIOPS":false,
				"primaryDiskWriteThroughput":false,"primaryNetworkInboundSpeed":false,"primaryNetworkOutboundSpeed":false,"primaryNetworkTraffic":false}`,
			call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
				return c.Servers.ChangePackage(ctx, 417, 4, virtfusion.PackageParts{CPU: true, Memory: true})
			},
			check: func(t *testing.T, got any) { assert.Len(t, got.(*virtfusion.PackageChange).Info, 2) },
		}, {
			name: "read the traffic", fixture: "getServerTraffic.200", method: "GET", path: "/servers/417/traffic",
			call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Servers.Traffic(ctx, 417) },
			check: func(t *testing.T, got any) {
				periods := got.([]virtfusion.TrafficPeriod)
				require.Len(t, periods, 2)
				g, unlimited := periods[0].Allowance()
				assert.Equal(t, virtfusion.TrafficGB(2500), g)
				assert.False(t, unlimited)
				_, unlimited = periods[1].Allowance()
				assert.True(t, unlimited)
				assert.Equal(t, virtfusion.Int(8589934592), periods[0].TotalBytes)
				assert.Equal(t, time.Date(2026, 3, 31, 23, 59, 59, 0, time.UTC), periods[0].End.Time)
			},
		}, {
			name: "read the console", fixture: "getServerVnc.200", method: "GET", path: "/servers/417/vnc",
			call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Servers.GetVNC(ctx, 417) },
			check: func(t *testing.T, got any) {
				v := got.(*virtfusion.VNC)
				assert.Equal(t, "fixture-vnc-password", v.Password.Reveal())
				socket, err := v.WebSocketURL(panelURL)
				require.NoError(t, err)
				assert.Equal(t, "wss://cp.example.com/vnc/?token=fixture-vnc-token", socket.Reveal())
			},
		}, {
			name: "open the console", fixture: "setServerVnc.200", method: "POST", path: "/servers/417/vnc", body: `{"action":"enable"}`,
			call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
				return c.Servers.SetVNC(ctx, 417, virtfusion.VNCEnable)
			},
		},
	}
}

func orderOperations() []operation {
	return []operation{{
		name: "list packages", fixture: "listPackages.200", method: "GET", path: "/packages",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Packages.List(ctx) },
		check: func(t *testing.T, got any) {
			all := got.([]virtfusion.Package)
			require.Len(t, all, 2)
			assert.False(t, bool(all[1].Enabled))
			assert.True(t, all[1].Traffic.Unlimited())
		},
	}, {
		name: "read a package", fixture: "getPackage.200", method: "GET", path: "/packages/3",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Packages.Get(ctx, 3) },
		check: func(t *testing.T, got any) {
			p := got.(*virtfusion.Package)
			assert.Equal(t, virtfusion.MB(4096), p.Memory)
			assert.Equal(t, virtfusion.GB(40), p.PrimaryStorage)
			assert.Equal(t, virtfusion.KBps(12500), p.PrimaryNetworkSpeedOut)
			assert.Equal(t, virtfusion.Int(104857600), p.PrimaryStorageWriteBytesSec)
			assert.Equal(t, virtfusion.StorageType(1), p.PrimaryStorageProfile)
		},
	}, {
		name: "list the templates of a package", fixture: "listPackageTemplates.200", method: "GET", path: "/media/templates/fromServerPackageSpec/3",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Media.PackageTemplates(ctx, 3) },
		check: func(t *testing.T, got any) {
			groups := got.([]virtfusion.TemplateGroup)
			require.Len(t, groups, 2)
			assert.Equal(t, virtfusion.TemplateGroupID(0), groups[1].ID, "0 is a real group")
			assert.Equal(t, "Debian 12 (Bookworm) Minimal", groups[0].Templates[0].FullName())
			assert.Equal(t, "Debian 13 (Trixie)", groups[0].Templates[1].FullName())
			assert.Equal(t, virtfusion.TemplateUnix, groups[1].Templates[0].Type)
		},
	}, {
		name: "list the templates of a server", fixture: "listServerTemplates.200", method: "GET", path: "/servers/417/templates",
		call:  func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Media.ServerTemplates(ctx, 417) },
		check: func(t *testing.T, got any) { assert.Len(t, got.([]virtfusion.TemplateGroup)[0].Templates, 2) },
	}, {
		name: "list hypervisor groups", fixture: "listHypervisorGroups.200", method: "GET", path: "/compute/hypervisors/groups", query: "page=1&results=200",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return collect(c.HypervisorGroups.List(ctx, virtfusion.ListOptions{}))
		},
		check: func(t *testing.T, got any) {
			groups := got.([]virtfusion.HypervisorGroup)
			require.Len(t, groups, 2)
			assert.True(t, bool(groups[0].Default))
		},
	}, {
		name: "read a hypervisor group", fixture: "getHypervisorGroup.200", method: "GET", path: "/compute/hypervisors/groups/2",
		call:  func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.HypervisorGroups.Get(ctx, 2) },
		check: func(t *testing.T, got any) { assert.Equal(t, "Frankfurt", got.(*virtfusion.HypervisorGroup).Name) },
	}, {
		name: "list the resources of a hypervisor group", fixture: "listHypervisorGroupResources.200", method: "GET",
		path:  "/compute/hypervisors/groups/2/resources",
		query: "page=1&results=1",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return collect(c.HypervisorGroups.Resources(ctx, 2, virtfusion.ListOptions{Results: 1}))
		},
		check: func(t *testing.T, got any) {
			r := got.([]virtfusion.GroupResources)[0]
			assert.Equal(t, virtfusion.MB(40960), r.Resources.Memory.Free)
			assert.Equal(t, virtfusion.Int(113), r.Resources.Network.Total.IPv4.Free)
			assert.Equal(t, virtfusion.GB(4950), r.Resources.OtherStorage[0].Free)
			percent, told := r.Resources.Memory.Percent.Get()
			assert.True(t, told)
			assert.InDelta(t, 37.5, float64(percent), 0.001)
		},
	}, {
		name: "list hypervisors", fixture: "listHypervisors.200", method: "GET", path: "/compute/hypervisors", query: "page=1&results=200",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return collect(c.Hypervisors.List(ctx, virtfusion.ListOptions{}))
		},
		check: func(t *testing.T, got any) { assert.Len(t, got.([]virtfusion.Hypervisor), 1) },
	}, {
		name: "read a hypervisor", fixture: "getHypervisor.200", method: "GET", path: "/compute/hypervisors/9",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Hypervisors.Get(ctx, 9) },
		check: func(t *testing.T, got any) {
			h := got.(*virtfusion.Hypervisor)
			assert.Equal(t, virtfusion.CommissionComplete, h.Commissioned)
			assert.Equal(t, 64*provisioning.GiB, h.MaxMemory.Bytes())
			assert.Equal(t, virtfusion.NetFilterNativeFastIPv46, h.NetFilter)
			assert.Equal(t, virtfusion.NetworkSimpleBridge, h.Networks[0].Type)
		},
	}}
}

func ownerOperations() []operation {
	return []operation{{
		name: "find a user by number", fixture: "getUserByExtRelation.200", method: "GET", path: "/users/7001/byExtRelation",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Users.GetByExtRelation(ctx, virtfusion.ExtRelationID(7001))
		},
		check: func(t *testing.T, got any) {
			u := got.(*virtfusion.User)
			assert.Equal(t, virtfusion.UserID(23), u.ID)
			assert.Equal(t, virtfusion.SelfServiceHourly, u.SelfService)
			assert.Equal(t, []virtfusion.HourlyGroupProfileID{2}, u.SelfServiceHourlyGroupProfiles)
		},
	}, {
		name: "find a user by text, which is escaped", fixture: "getUserByExtRelation.200", method: "GET",
		path: "/users/cust%2F7%20a/byExtRelation", query: "relStr=true",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Users.GetByExtRelation(ctx, virtfusion.RelStr("cust/7 a"))
		},
	}, {
		name: "create a user without mail", fixture: "createUser.201", method: "POST", path: "/users",
		body: `{"name":"Erika Muster","email":"erika@example.com","extRelationId":7001,"selfService":0,"sendMail":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Users.Create(ctx, virtfusion.CreateUserRequest{Name: "Erika Muster", Email: "erika@example.com", ExtRelationID: 7001,
				SelfService: ptr(virtfusion.SelfServiceOff)})
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, "fixture-panel-password", got.(*virtfusion.User).Password.Reveal())
		},
	}, {
		name: "create a user who is known by text", fixture: "createUser.201", method: "POST", path: "/users",
		body: `{"name":"Erika Muster","email":"erika@example.com","relStr":"cust-7","sendMail":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Users.Create(ctx, virtfusion.CreateUserRequest{Name: "Erika Muster", Email: "erika@example.com", RelStr: "cust-7", SendMail: true})
		},
	}, {
		name: "change only what is given", fixture: "modifyUserByExtRelation.201", method: "PUT", path: "/users/7001/byExtRelation",
		body: `{"email":"erika@example.com","selfServiceHourlyGroupProfiles":[]}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Users.Update(ctx, virtfusion.ExtRelationID(7001),
				virtfusion.UpdateUserRequest{Email: "erika@example.com", SelfServiceHourlyGroupProfiles: []virtfusion.HourlyGroupProfileID{}})
		},
		check: func(t *testing.T, got any) { assert.Equal(t, "Erika Muster", got.(*virtfusion.UpdatedUser).Name) },
	}, {
		name: "delete a user", fixture: "deleteUserByExtRelation.204", method: "DELETE", path: "/users/a/byExtRelation", query: "relStr=true",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Users.Delete(ctx, virtfusion.RelStr("a"))
		},
	}, {
		name: "reset a panel password", fixture: "resetUserPassword.201", method: "POST", path: "/users/7001/byExtRelation/resetPassword",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Users.ResetPassword(ctx, virtfusion.ExtRelationID(7001))
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, "fixture-panel-password", got.(*virtfusion.UserPassword).Password.Reveal())
		},
	}, {
		name: "add an SSH key", fixture: "addSshKey.201", method: "POST", path: "/ssh_keys", body: `{"userId":23,"name":"laptop","publicKey":"` + publicKey + `"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.SSHKeys.Create(ctx, virtfusion.CreateSSHKeyRequest{UserID: 23, Name: "laptop", PublicKey: publicKey})
		},
		check: func(t *testing.T, got any) {
			k := got.(*virtfusion.CreatedSSHKey)
			assert.Equal(t, virtfusion.SSHKeyID(5), k.ID)
			assert.Equal(t, 2026, k.Created.Year())
		},
	}, {
		name: "read an SSH key", fixture: "getSshKey.200", method: "GET", path: "/ssh_keys/5",
		call:  func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.SSHKeys.Get(ctx, 5) },
		check: func(t *testing.T, got any) { assert.Equal(t, publicKey, got.(*virtfusion.SSHKey).PublicKey) },
	}, {
		name: "list a user's SSH keys", fixture: "listUserSshKeys.200", method: "GET", path: "/ssh_keys/user/23",
		call:  func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.SSHKeys.ListByUser(ctx, 23) },
		check: func(t *testing.T, got any) { assert.Len(t, got.([]virtfusion.SSHKey), 1) },
	}, {
		name: "delete an SSH key", fixture: "deleteSshKey.204", method: "DELETE", path: "/ssh_keys/5",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return nil, c.SSHKeys.Delete(ctx, 5) },
	}}
}

func TestEveryImplementedOperationIsInTheTableWithItsAnswer(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{}
	for _, group := range operationTables() {
		for _, op := range group {
			tested[op.method+" "+op.path] = true
		}
	}
	line := regexp.MustCompile(`(?m)^// API: (\S+) (\S+)$`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := 0
	for _, name := range files {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range line.FindAllStringSubmatch(string(source), -1) {
			found++
			pattern := regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(m[2]), `[^/]+`)
			matches := regexp.MustCompile("^" + m[1] + " " + pattern + "$")
			hit := false
			for call := range tested {
				hit = hit || matches.MatchString(call)
			}
			assert.True(t, hit, "no test calls %s %s", m[1], m[2])
		}
	}
	assert.Greater(t, found, 30)
}

func TestADryRunMakesNoServer(t *testing.T) {
	t.Parallel()
	order := virtfusion.CreateServerRequest{PackageID: 3, UserID: 23, HypervisorGroupID: 2}
	for name, body := range map[string]string{"empty": ``, "empty data": `{"data":[]}`, "what it would make": `{"data":{"id":null}}`} {
		t.Run("accepted with an answer that is "+name, func(t *testing.T) {
			t.Parallel()
			c, panel := newClient(t, answer{status: 200, body: []byte(body)})
			require.NoError(t, c.Servers.DryRunCreate(t.Context(), order))
			assert.Equal(t, "dryRun=true", panel.requests()[0].query)
			sameJSON(t, `{"packageId":3,"userId":23,"hypervisorId":2}`, panel.requests()[0].body)
		})
	}
	t.Run("a panel that made one anyway is reported", func(t *testing.T) {
		t.Parallel()
		c, _ := newClient(t, from(t, "createServer.201"))
		err := c.Servers.DryRunCreate(t.Context(), order)
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.ErrorContains(t, err, "server 417")
	})
	t.Run("a refusal is that of a create", func(t *testing.T) {
		t.Parallel()
		c, _ := newClient(t, from(t, "createServer.422"))
		require.ErrorIs(t, c.Servers.DryRunCreate(t.Context(), order), provisioning.Capacity)
	})
}

func TestAServerThatWasMadeKeepsItsIDWhenTheAnswerHasAnUnknownShape(t *testing.T) {
	t.Parallel()
	body := strings.Replace(string(fixture(t, "createServer.201")), `"cores": 2,`, `"cores": {"surprise": true},`, 1)
	require.NotEqual(t, string(fixture(t, "createServer.201")), body)
	c, _ := newClient(t, answer{status: 201, body: []byte(body)})
	s, err := c.Servers.Create(t.Context(), virtfusion.CreateServerRequest{PackageID: 3, UserID: 23, HypervisorGroupID: 2})
	require.NoError(t, err)
	assert.Equal(t, virtfusion.ServerID(417), s.ID)
	assert.Equal(t, provisioning.PhaseAllocated, s.Phase())

	built := strings.Replace(string(fixture(t, "buildServer.200")), `"cores": 2,`, `"cores": {"surprise": true},`, 1)
	c, _ = newClient(t, answer{status: 200, body: []byte(built)})
	s, err = c.Servers.Build(t.Context(), 417, virtfusion.BuildServerRequest{OperatingSystemID: 31})
	require.NoError(t, err)
	assert.Equal(t, "fixture-root-password", s.Settings.DecryptedPassword.Reveal())

	c, _ = newClient(t, answer{status: 200, body: []byte(body)})
	_, err = c.Servers.Get(t.Context(), 417, virtfusion.GetServerOptions{})
	require.ErrorIs(t, err, provisioning.Unexpected, "a read says that it cannot read")
}

func TestAnOldPanelThatAnswersAPackageChangeWithNothingIsFine(t *testing.T) {
	t.Parallel()
	c, panel := newClient(t, answer{status: 204})
	change, err := c.Servers.ChangePackage(t.Context(), 417, 4, virtfusion.AllPackageParts())
	require.NoError(t, err)
	assert.Empty(t, change.Info)
	var sent map[string]bool
	require.NoError(t, json.Unmarshal([]byte(panel.requests()[0].body), &sent))
	assert.Len(t, sent, 11)
	for part, on := range sent {
		assert.True(t, on, part)
	}
}
