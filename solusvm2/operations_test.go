package solusvm2_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/internal/opdoc"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

// operation is one call of a service, what it must send, and what must come out of the answer in testdata.
type operation struct {
	name, fixture             string
	method, path, query, body string
	call                      func(context.Context, *solusvm2.Client) (any, error)
	check                     func(*testing.T, any)
}

func operations() []operation {
	var ops []operation
	for _, group := range [][]operation{
		accountOperations(), serverOperations(), createOperations(), actionOperations(), addressOperations(), copyOperations(), taskOperations(),
		planOperations(), imageOperations(), locationOperations(), projectOperations(), userOperations(), nodeOperations(), blockOperations(), otherOperations(),
	} {
		ops = append(ops, group...)
	}
	return ops
}

func TestEachOperationSendsWhatIsDocumentedAndDecodesTheAnswer(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
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

// TestEachOperationIsTestedOrOmittedForAReason holds the code, the table of this file and the two lists of operations against each other.
func TestEachOperationIsTestedOrOmittedForAReason(t *testing.T) {
	t.Parallel()
	all, err := opdoc.Read(".")
	require.NoError(t, err)
	implemented, tested := map[string]bool{}, map[string]bool{}
	for _, op := range all {
		implemented[op.Name] = true
	}
	for _, op := range operations() {
		if i := opdoc.Find(all, op.method+" "+op.path); assert.GreaterOrEqual(t, i, 0, "%s calls no operation", op.name) {
			tested[all[i].Name] = true
		}
	}
	tested["POST /auth/login"] = true // see login_test.go
	omitted := map[string]string{}
	for _, cells := range tsv(t, "solusvm2-omitted.tsv") {
		omitted[cells[0]+" "+cells[1]] = cells[2]
	}
	for _, cells := range tsv(t, "solusvm2.tsv") {
		name, sources := cells[0]+" "+cells[1], cells[4]
		weak := regexp.MustCompile(`^(SEED|EVOTIC|THIRD-PARTY)$`).MatchString(sources)
		assert.Equal(t, !weak, implemented[name], "%s, known from %s", name, sources)
		assert.Equal(t, weak, omitted[name] != "", "%s, known from %s", name, sources)
		assert.Equal(t, implemented[name], tested[name], "%s is implemented and called by a test", name)
	}
	assert.Len(t, implemented, 113)
	assert.Len(t, omitted, 18)
}

func tsv(t *testing.T, name string) (rows [][]string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", "operations", name))
	require.NoError(t, err)
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		rows = append(rows, strings.Split(line, "\t"))
	}
	return rows
}

func accountOperations() []operation {
	return []operation{{
		name: "read the account", fixture: "getAccount.200", method: "GET", path: "/account",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Account.Get(ctx) },
		check: func(t *testing.T, got any) {
			u := got.(*solusvm2.User)
			assert.True(t, u.HasRole(solusvm2.RoleAdmin))
			assert.False(t, u.HasRole(solusvm2.RoleClient))
			assert.Empty(t, u.BillingUserID)
		},
	}, {
		name: "check the token", fixture: "checkToken.204", method: "GET", path: "/auth",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return nil, c.Account.CheckToken(ctx) },
	}}
}

func serverOperations() []operation {
	return []operation{{
		name: "list servers", fixture: "listServers.200", method: "GET", path: "/servers",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Servers.List(ctx, solusvm2.ServerFilter{}))
		},
		check: func(t *testing.T, got any) {
			rows := got.([]solusvm2.Server)
			require.Len(t, rows, 2)
			assert.Equal(t, provisioning.PowerRunning, rows[0].Power())
			assert.Nil(t, rows[0].Specifications, "rows are abbreviated, and nil is not 0")
			assert.True(t, bool(rows[1].IsSuspended))
			assert.Empty(t, rows[1].Description)
		},
	}, {
		name: "list the servers of a user on a node", fixture: "listServers.200", method: "GET", path: "/servers",
		query: "filter%5Bcompute_resource_id%5D=4&filter%5Bstatus%5D=started&filter%5Buser_id%5D=7&filter%5Bvirtualization_type%5D=kvm&per_page=100",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.ListComplete(ctx, solusvm2.ServerFilter{UserID: 7, ComputeResourceID: 4, Status: solusvm2.ServerStarted,
				VirtualizationType: solusvm2.VirtualizationKVM, ListOptions: solusvm2.ListOptions{PerPage: 100}})
		},
		check: func(t *testing.T, got any) { assert.Len(t, got, 2) },
	}, {
		name: "list the servers of a project", fixture: "listProjectServers.200", method: "GET", path: "/projects/3/servers",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Servers.ListByProject(ctx, 3, solusvm2.ListOptions{}))
		},
		check: func(t *testing.T, got any) { assert.Equal(t, solusvm2.ServerID(42), got.([]solusvm2.Server)[0].ID) },
	}, {
		name: "list the servers of a project completely", fixture: "listProjectServers.200", method: "GET", path: "/projects/3/servers",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.ListByProjectComplete(ctx, 3, solusvm2.ListOptions{})
		},
		check: func(t *testing.T, got any) { assert.Len(t, got, 1) },
	}, {
		name: "read a server", fixture: "getServer.200", method: "GET", path: "/servers/42",
		call:  func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Servers.Get(ctx, 42) },
		check: checkServer,
	}, {
		name: "change what is given and nothing else", fixture: "patchServer.200", method: "PATCH", path: "/servers/42",
		body: `{"boot_mode":"rescue","description":""}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.Update(ctx, 42, solusvm2.UpdateServerRequest{BootMode: solusvm2.BootRescue, Description: ptr("")})
		},
		check: func(t *testing.T, got any) { assert.Equal(t, solusvm2.BootRescue, got.(*solusvm2.Server).BootMode) },
	}, {
		name: "rename a server and switch its backups off", fixture: "patchServer.200", method: "PATCH", path: "/servers/42",
		body: `{"name":"web.example.com","fqdns":["web.example.com"],"user_data":"#cloud-config\n","backup_settings":{"enabled":false}}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.Update(ctx, 42, solusvm2.UpdateServerRequest{Name: "web.example.com", FQDNs: []string{"web.example.com"}, UserData: ptr("#cloud-config\n"),
				BackupSettings: &solusvm2.BackupSettings{}})
		},
	}, {
		name: "replace a server", fixture: "replaceServer.200", method: "PUT", path: "/servers/42", body: `{"user":8}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.Replace(ctx, 42, map[string]any{"user": 8})
		},
	}, {
		name: "change disk and firmware settings", fixture: "patchServerSettings.200", method: "PATCH", path: "/servers/42/settings",
		body: `{"disk_cache_mode":"none","disk_driver":"virtio","firmware":"efi"}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.UpdateSettings(ctx, 42, solusvm2.ServerSettingsRequest{DiskCacheMode: solusvm2.DiskCacheNone, DiskDriver: solusvm2.DiskVirtIO,
				Firmware: solusvm2.FirmwareEFI})
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, solusvm2.FirmwareEFI, got.(*solusvm2.Server).Settings.Firmware)
		},
	}, {
		name: "delete a server", fixture: "deleteServer.200", method: "DELETE", path: "/servers/42",
		call:  func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Servers.Delete(ctx, 42) },
		check: isTask(9001, solusvm2.TaskServerDelete),
	}, {
		name: "delete a server on a panel that names no task", fixture: "deleteServer.204", method: "DELETE", path: "/servers/42",
		call:  func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Servers.Delete(ctx, 42) },
		check: isNoTask,
	}, {
		name: "list the disks of a server", fixture: "listServerDisks.200", method: "GET", path: "/servers/42/disks",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Servers.Disks(ctx, 42) },
		check: func(t *testing.T, got any) {
			disks := got.([]solusvm2.Disk)
			require.Len(t, disks, 2)
			assert.Equal(t, 40*provisioning.GiB, disks[0].Size.Bytes())
			assert.Equal(t, 5*provisioning.GiB, disks[0].ActualSize.Bytes())
			assert.Equal(t, solusvm2.StorageThinLVM, disks[0].Storage.Type.Name)
			assert.Equal(t, solusvm2.OfferID(8), disks[1].Offer.ID)
		},
	}, {
		name: "list the limits of a server", fixture: "listServerLimits.200", method: "GET", path: "/servers/42/limits",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Servers.Limits(ctx, 42) },
		check: func(t *testing.T, got any) {
			l := got.([]solusvm2.ServerLimit)[0]
			assert.InDelta(t, 1.4, float64(l.Used), 0.001)
			assert.Equal(t, "TiB", l.Limit.Unit)
		},
	}, {
		name: "read what a server boots from", fixture: "getServerBoot.200", method: "GET", path: "/servers/42/boot",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Servers.Boot(ctx, 42) },
		check: func(t *testing.T, got any) {
			b := got.(*solusvm2.ServerBoot)
			assert.Equal(t, solusvm2.BootISO, b.Mode)
			assert.Equal(t, solusvm2.ISOImageID(13), b.ISOImageID.Or(0))
		},
	}, {
		name: "boot from the disk and take the ISO image out", fixture: "setServerBoot.200", method: "POST", path: "/servers/42/boot",
		body: `{"mode":"disk","iso_image_id":null}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return nil, c.Servers.SetBoot(ctx, 42, solusvm2.ServerBoot{Mode: solusvm2.BootDisk, ISOImageID: provisioning.Null[solusvm2.ISOImageID]()})
		},
	}}
}

func checkServer(t *testing.T, got any) {
	s := got.(*solusvm2.Server)
	assert.Equal(t, uuid, s.UUID)
	assert.Equal(t, provisioning.PhaseReady, s.Phase())
	assert.Equal(t, provisioning.PowerRunning, s.Power())
	assert.Equal(t, 4*provisioning.GiB, s.Specifications.RAM.Bytes(), "memory is in bytes")
	assert.Equal(t, 40*provisioning.GiB, s.Specifications.Disk.Bytes(), "disk is in GiB")
	assert.Equal(t, []provisioning.Address{
		{Prefix: netip.MustParsePrefix("198.51.100.17/24"), Kind: provisioning.AddressPrimary},
		{Prefix: netip.MustParsePrefix("198.51.100.18/24"), Kind: provisioning.AddressExtra},
		{Prefix: netip.MustParsePrefix("2001:db8:1:7::2/112"), Kind: provisioning.AddressPrimary},
	}, s.Addresses())
	assert.Equal(t, "fixture-vnc-password", s.Settings.ConsolePassword().Reveal())
	assert.Equal(t, solusvm2.PlanID(5), s.Plan.ID)
	assert.Equal(t, solusvm2.LocationID(2), s.Location.ID)
	assert.Equal(t, solusvm2.ProjectID(3), s.Project.ID)
	assert.Equal(t, solusvm2.UserID(7), s.User.ID)
	assert.Equal(t, publicKey, s.SSHKeys[0].Body)
	assert.Equal(t, provisioning.Bytes(734003200), s.Usage.Network.Incoming.Value.Bytes())
	assert.True(t, bool(s.Usage.Network.Outgoing.IsExceeded))
	assert.Equal(t, solusvm2.ScheduleWeekly, s.BackupSettings.Schedule.Type)
	assert.Equal(t, []solusvm2.Int{1, 4}, s.BackupSettings.Schedule.Days)
	assert.Equal(t, time.Date(2026, 3, 1, 8, 0, 41, 0, time.UTC), s.CreatedAt.UTC())
	assert.True(t, s.Progress.IsNull())
}

func isTask(id solusvm2.TaskID, action solusvm2.TaskAction) func(*testing.T, any) {
	return func(t *testing.T, got any) {
		task := got.(*solusvm2.Task)
		require.NotNil(t, task)
		assert.Equal(t, id, task.ID)
		assert.Equal(t, action, task.Action)
		assert.True(t, task.Action.Known())
		assert.Equal(t, solusvm2.TaskQueued, task.Status)
	}
}

func isNoTask(t *testing.T, got any) { assert.Nil(t, got.(*solusvm2.Task)) }

func createOperations() []operation {
	check := func(t *testing.T, got any) {
		s := got.(*solusvm2.Server)
		assert.Equal(t, solusvm2.ServerID(42), s.ID)
		assert.Equal(t, provisioning.PhaseBuilding, s.Phase())
		assert.Empty(t, s.Addresses(), "addresses come later")
	}
	return []operation{{
		name: "create a server anywhere", fixture: "createServer.201", method: "POST", path: "/servers", check: check,
		body: `{"name":"web-42.example.com","plan":5,"location":2,"os":21}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.Create(ctx, solusvm2.CreateServerRequest{Name: "web-42.example.com", Plan: 5, Location: 2, OS: 21})
		},
	}, {
		name: "create a server with everything", fixture: "createServer.201", method: "POST", path: "/servers", check: check,
		body: `{"name":"web-42.example.com","description":"order-7","plan":5,"location":2,"compute_resource":4,"application":31,"application_data":{"email":"erika@example.com"},
			"custom_plan":{"params":{"disk":60,"ram":8589934592,"swap":0,"vcpu":4},"limits":{"network_total_traffic":{"limit":3}},"is_snapshots_enabled":true,"is_backup_available":false},
			"project":3,"user":7,"password":"fixture-new-password","ssh_keys":[61],"user_data":"#cloud-config\n","fqdns":["web-42.example.com"],"boot_mode":"disk",
			"backup_settings":{"enabled":true,"schedule":{"type":"daily","time":{"hour":3,"minutes":0}}},"primary_ip":"198.51.100.17","ip_types":["IPv4","IPv6"],
			"additional_ip_count":1,"additional_ipv6_count":2,"additional_disks":[{"name":"data","size":100,"offer_id":8}],"mac_address":"52:54:00:00:00:2a","firmware":"efi",
			"primary_disk_offer":9,"vpc_network_ids":[14],"is_disaster_recovery_enabled":false}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Servers.Create(ctx, fullOrder()) },
	}, {
		name: "create a server in a project", fixture: "createProjectServer.201", method: "POST", path: "/projects/3/servers", check: check,
		body: `{"name":"web-42.example.com","plan_id":5,"location_id":2,"os_image_version_id":21,"password":"fixture-new-password","ssh_keys":[61],"fqdns":["web-42.example.com"],
			"ip_types":["IPv4"],"additional_disks":[{"name":"data","size":100,"offer_id":8}]}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.CreateInProject(ctx, 3, solusvm2.CreateServerRequest{Name: "web-42.example.com", Plan: 5, Location: 2, OS: 21,
				Password: "fixture-new-password",
				SSHKeys:  []solusvm2.SSHKeyID{61}, FQDNs: []string{"web-42.example.com"}, IPTypes: []solusvm2.IPVersion{solusvm2.IPv4},
				AdditionalDisks: []solusvm2.AdditionalDisk{{Name: "data", Size: 100, Offer: 8}}})
		},
	}, {
		name: "create a server on a compute resource", fixture: "createComputeResourceServer.201", method: "POST", path: "/compute_resources/4/servers",
		check: check,
		body:  `{"name":"web-42.example.com","description":"order-7","plan_id":5,"application_id":31,"application_data":{"email":"erika@example.com"},"project_id":3,"user_id":7}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.CreateOnComputeResource(ctx, 4, solusvm2.CreateServerRequest{Name: "web-42.example.com", Description: "order-7", Plan: 5, Application: 31,
				ApplicationData: map[string]any{"email": "erika@example.com"}, Project: 3, User: 7})
		},
	}}
}

// fullOrder has a value in each field that goes together with the others.
func fullOrder() solusvm2.CreateServerRequest {
	schedule := &solusvm2.BackupSchedule{Type: solusvm2.ScheduleDaily}
	schedule.Time.Hour = 3
	return solusvm2.CreateServerRequest{
		Name: "web-42.example.com", Description: "order-7", Plan: 5, Location: 2, ComputeResource: 4, Application: 31,
		ApplicationData: map[string]any{"email": "erika@example.com"},
		CustomPlan: &solusvm2.CustomPlan{
			Params:             &solusvm2.PlanParamsRequest{Disk: 60, RAM: solusvm2.ByteCount(8 * provisioning.GiB), Swap: ptr(solusvm2.ByteCount(0)), VCPU: 4},
			Limits:             &solusvm2.CustomPlanLimits{NetworkTotalTraffic: &solusvm2.CustomTrafficLimit{Limit: 3}},
			IsSnapshotsEnabled: ptr(true), IsBackupAvailable: ptr(false),
		},
		Project: 3, User: 7, Password: "fixture-new-password", SSHKeys: []solusvm2.SSHKeyID{61}, UserData: "#cloud-config\n", FQDNs: []string{"web-42.example.com"},
		BootMode: solusvm2.BootDisk, BackupSettings: &solusvm2.BackupSettings{Enabled: true, Schedule: schedule},
		PrimaryIP: netip.MustParseAddr("198.51.100.17"), IPTypes: []solusvm2.IPVersion{solusvm2.IPv4, solusvm2.IPv6}, AdditionalIPCount: 1, AdditionalIPv6Count: 2,
		AdditionalDisks: []solusvm2.AdditionalDisk{{Name: "data", Size: 100, Offer: 8}}, MACAddress: "52:54:00:00:00:2a", Firmware: solusvm2.FirmwareEFI,
		PrimaryDiskOffer: 9, VPCNetworks: []solusvm2.VPCNetworkID{14}, IsDisasterRecoveryEnabled: ptr(false),
	}
}

func actionOperations() []operation {
	return []operation{{
		name: "start", fixture: "startServer.200", method: "POST", path: "/servers/42/start", check: isTask(9002, solusvm2.TaskServerStart),
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Servers.Start(ctx, 42) },
	}, {
		name: "ask the guest to shut down", fixture: "stopServer.200", method: "POST", path: "/servers/42/stop",
		body: `{"force":false}`, check: isTask(9003, solusvm2.TaskServerStop),
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.Stop(ctx, 42, solusvm2.PowerOptions{})
		},
	}, {
		name: "cut the power", fixture: "stopServer.200", method: "POST", path: "/servers/42/stop", body: `{"force":true}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.Stop(ctx, 42, solusvm2.PowerOptions{Force: true})
		},
	}, {
		name: "restart", fixture: "restartServer.200", method: "POST", path: "/servers/42/restart",
		body: `{"force":false}`, check: isTask(9004, solusvm2.TaskServerRestart),
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.Restart(ctx, 42, solusvm2.PowerOptions{})
		},
	}, {
		name: "suspend", fixture: "suspendServer.200", method: "POST", path: "/servers/42/suspend", check: isTask(9020, solusvm2.TaskServerSuspend),
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Servers.Suspend(ctx, 42) },
	}, {
		name: "lift a suspension", fixture: "resumeServer.200", method: "POST", path: "/servers/42/resume", check: isTask(9021, solusvm2.TaskServerResume),
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Servers.Resume(ctx, 42) },
	}, {
		name: "reinstall", fixture: "reinstallServer.200", method: "POST", path: "/servers/42/reinstall",
		body: `{"os":21,"ssh_keys":[61],"user_data":"#cloud-config\n","password":"fixture-new-password"}`, check: isTask(9022, solusvm2.TaskServerReinstall),
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.Reinstall(ctx, 42, solusvm2.ReinstallServerRequest{OS: 21, SSHKeys: []solusvm2.SSHKeyID{61}, UserData: "#cloud-config\n",
				Password: "fixture-new-password"})
		},
	}, {
		name: "resize and keep the disk", fixture: "resizeServer.200", method: "POST", path: "/servers/42/resize",
		body:  `{"plan_id":6,"preserve_disk":true,"delayed":false}`,
		check: isTask(9005, solusvm2.TaskServerResize),
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.Resize(ctx, 42, solusvm2.ResizeServerRequest{PlanID: 6, PreserveDisk: true, Delayed: ptr(false)})
		},
	}, {
		name: "resize with a disk of one's own", fixture: "resizeServer.200", method: "POST", path: "/servers/42/resize",
		body: `{"plan_id":6,"preserve_disk":false,"custom_plan":{"params":{"disk":60}},"backup_settings":{"enabled":false}}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.Resize(ctx, 42, solusvm2.ResizeServerRequest{PlanID: 6, CustomPlan: &solusvm2.CustomPlan{Params: &solusvm2.PlanParamsRequest{Disk: 60}},
				BackupSettings: &solusvm2.BackupSettings{}})
		},
	}, {
		name: "reset the password without mail", fixture: "resetServerPassword.200", method: "POST", path: "/servers/42/reset_password",
		body: `{"send_password_to_current_user":false}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.ResetPassword(ctx, 42, solusvm2.ResetPasswordOptions{})
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, &solusvm2.PasswordReset{Password: "fixture-root-password"}, got)
		},
	}, {
		name: "open the console, whose answer is not wrapped", fixture: "openVnc.200", method: "POST", path: "/servers/42/vnc_up",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Servers.OpenVNC(ctx, 42) },
		check: func(t *testing.T, got any) {
			v := got.(*solusvm2.VNC)
			assert.Equal(t, "fixture-vnc-password", v.Password().Reveal())
			assert.Equal(t, solusvm2.Int(5901), v.Port)
			assert.Equal(t, "https://node-4.example.com/vnc-proxy?token=fixture-vnc-token", v.VNCProxyURL.Reveal())
			socket, err := v.WebSocketURL(panelURL)
			require.NoError(t, err)
			assert.Equal(t, "wss://solus.example.com:4444/vnc?url=node-4.example.com%3A5901%2F"+uuid, socket.Reveal())
		},
	}, {
		name: "start several servers", fixture: "startServers.200", method: "POST", path: "/servers/start", body: `{"ids":[42,43]}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.StartMany(ctx, map[string]any{"ids": []int{42, 43}})
		},
		check: func(t *testing.T, got any) { assert.JSONEq(t, `{"data":{}}`, string(got.(json.RawMessage))) },
	}, {
		name: "restart several servers", fixture: "restartServers.200", method: "POST", path: "/servers/restart", body: `{"ids":[42,43]}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.RestartMany(ctx, map[string]any{"ids": []int{42, 43}})
		},
	}}
}

func addressOperations() []operation {
	return []operation{{
		name: "add two addresses", fixture: "addServerIPs.200", method: "POST", path: "/servers/42/ips", body: `{"count":2,"delayed":false}`, check: isNoTask,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.AddIPs(ctx, 42, solusvm2.AddIPsRequest{Count: 2, Delayed: ptr(false)})
		},
	}, {
		name: "add one particular address", fixture: "addServerIPs.200", method: "POST", path: "/servers/42/ips", body: `{"ip":"198.51.100.19","type":"IPv4"}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.AddIPs(ctx, 42, solusvm2.AddIPsRequest{IP: netip.MustParseAddr("198.51.100.19"), Type: solusvm2.IPv4})
		},
	}, {
		name: "remove addresses with a body", fixture: "removeServerIPs.204", method: "DELETE", path: "/servers/42/ips", body: `{"ids":[202,203]}`, check: isNoTask,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Servers.RemoveIPs(ctx, 42, solusvm2.RemoveIPsRequest{IDs: []solusvm2.IPAddressID{202, 203}})
		},
	}}
}

func copyOperations() []operation {
	return []operation{{
		name: "list the snapshots of a server", fixture: "listServerSnapshots.200", method: "GET", path: "/servers/42/snapshots",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Snapshots.List(ctx, 42, solusvm2.ListOptions{}))
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, solusvm2.SnapshotAvailable, got.([]solusvm2.Snapshot)[0].Status)
		},
	}, {
		name: "take a snapshot", fixture: "createServerSnapshot.201", method: "POST", path: "/servers/42/snapshots", body: `{"name":"before update"}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Snapshots.Create(ctx, 42, "before update")
		},
		check: func(t *testing.T, got any) { assert.Equal(t, solusvm2.SnapshotID(72), got.(*solusvm2.Snapshot).ID) },
	}, {
		name: "read a snapshot", fixture: "getSnapshot.200", method: "GET", path: "/snapshots/71",
		call:  func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Snapshots.Get(ctx, 71) },
		check: func(t *testing.T, got any) { assert.Equal(t, solusvm2.Float(12.5), got.(*solusvm2.Snapshot).Size) },
	}, {
		name: "revert to a snapshot", fixture: "revertSnapshot.200", method: "POST", path: "/snapshots/71/revert", check: isTask(9007, solusvm2.TaskSnapshotRevert),
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Snapshots.Revert(ctx, 71) },
	}, {
		name: "delete a snapshot", fixture: "deleteSnapshot.200", method: "DELETE", path: "/snapshots/71", check: isTask(9006, solusvm2.TaskSnapshotDelete),
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Snapshots.Delete(ctx, 71) },
	}, {
		name: "list the backups of a server", fixture: "listServerBackups.200", method: "GET", path: "/servers/42/backups",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Backups.List(ctx, 42, solusvm2.ListOptions{}))
		},
		check: func(t *testing.T, got any) {
			backups := got.([]solusvm2.Backup)
			require.Len(t, backups, 2)
			assert.Equal(t, solusvm2.BackupNodeID(91), backups[0].Node.ID)
			assert.JSONEq(t, `{"host":"store.example.com","key":"fixture-backup-key"}`, backups[0].Node.Credentials.Reveal())
			assert.Equal(t, solusvm2.BackupFailed, backups[1].Status)
			assert.Equal(t, solusvm2.Text("no space left"), backups[1].FailReason)
			assert.Nil(t, backups[1].Creator)
		},
	}, {
		name: "make a backup", fixture: "createServerBackup.201", method: "POST", path: "/servers/42/backups",
		call:  func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Backups.Create(ctx, 42) },
		check: func(t *testing.T, got any) { assert.Equal(t, solusvm2.BackupPending, got.(*solusvm2.Backup).Status) },
	}, {
		name: "read a backup", fixture: "getBackup.200", method: "GET", path: "/backups/81",
		call:  func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Backups.Get(ctx, 81) },
		check: func(t *testing.T, got any) { assert.Equal(t, solusvm2.ServerID(42), got.(*solusvm2.Backup).Server.ID) },
	}, {
		name: "restore a backup", fixture: "restoreBackup.200", method: "POST", path: "/backups/81/restore", check: isTask(9008, solusvm2.TaskBackupRestore),
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Backups.Restore(ctx, 81) },
	}, {
		name: "delete a backup", fixture: "deleteBackup.204", method: "DELETE", path: "/backups/81",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) { return nil, c.Backups.Delete(ctx, 81) },
	}}
}

func taskOperations() []operation {
	return []operation{{
		name: "list the create tasks of a server", fixture: "listTasks.200", method: "GET", path: "/tasks",
		query: "filter%5Baction%5D=vm-create&filter%5Bcompute_resource_id%5D=4&filter%5Bcompute_resource_vm_id%5D=42&filter%5Bstatus%5D=running",
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return all(c.Tasks.List(ctx, solusvm2.TaskFilter{Action: solusvm2.TaskServerCreate, Status: solusvm2.TaskRunning, ComputeResourceID: 4, ServerID: 42}))
		},
		check: func(t *testing.T, got any) {
			task := got.([]solusvm2.Task)[0]
			assert.Equal(t, solusvm2.ServerID(42), task.ServerID)
			look, err := task.Look()
			require.NoError(t, err)
			assert.Equal(t, provisioning.Look{Percent: 40, State: "running"}, look)
		},
	}, {
		name: "read a task", fixture: "getTask.200", method: "GET", path: "/tasks/9001",
		call:  func(ctx context.Context, c *solusvm2.Client) (any, error) { return c.Tasks.Get(ctx, 9001) },
		check: func(t *testing.T, got any) { assert.Equal(t, solusvm2.TaskDone, got.(*solusvm2.Task).Status) },
	}, {
		name: "read a series of disks", fixture: "getUsage.200", method: "GET", path: "/usage/disks/" + uuid,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Usage.Series(ctx, solusvm2.UsageDisks, uuid)
		},
		check: func(t *testing.T, got any) {
			items := got.([]solusvm2.UsageItem)
			require.Len(t, items, 2)
			assert.Equal(t, time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), items[0].Time.UTC())
			assert.Equal(t, solusvm2.Float(40), items[0].Derivative["write_kb"])
			assert.Equal(t, time.Date(2026, 3, 2, 9, 5, 0, 0, time.UTC), items[1].Time)
			assert.JSONEq(t, `{"time":1772442300,"derivative":[]}`, string(items[1].Raw))
		},
	}, {
		name: "read a series of the processor", fixture: "getUsage-cpu.200", method: "GET", path: "/usage/cpu/" + uuid,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Usage.Series(ctx, solusvm2.UsageCPU, uuid)
		},
		check: func(t *testing.T, got any) {
			load, told := got.([]solusvm2.UsageItem)[0].LoadAverage.Get()
			assert.True(t, told)
			assert.InDelta(t, 0.42, float64(load), 0.001)
		},
	}, {
		name: "read a series of the memory", fixture: "getUsage-memory.200", method: "GET", path: "/usage/memory/" + uuid,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Usage.Series(ctx, solusvm2.UsageMemory, uuid)
		},
		check: func(t *testing.T, got any) {
			assert.InDelta(t, 812.5, float64(got.([]solusvm2.UsageItem)[0].MemoryMiB.Or(0)), 0.001)
		},
	}, {
		name: "move servers", fixture: "migrateServers.201", method: "POST", path: "/servers_migrations",
		body: `{"servers":[42],"destination_compute_resource_id":4,"is_live":false,"preserve_ips":true}`,
		call: func(ctx context.Context, c *solusvm2.Client) (any, error) {
			return c.Migrations.Create(ctx, solusvm2.MigrateServersRequest{Servers: []solusvm2.ServerID{42}, DestinationComputeResourceID: 4, PreserveIPs: true})
		},
		check: func(t *testing.T, got any) {
			m := got.(*solusvm2.Migration)
			assert.Equal(t, solusvm2.TaskID(9030), m.Task.ID)
			assert.Equal(t, solusvm2.TaskServerMigrate, m.Children[0].Action)
		},
	}}
}
