package contract

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

func svAccountCalls() []svCall {
	return []svCall{
		{op: "login", do: func(ctx context.Context, p *sv) error {
			c, err := solusvm2.NewWithLogin("https://solusvm2.test", svEmail, svPassword, solusvm2.WithHTTPClient(&http.Client{Transport: p.rec}))
			if err != nil {
				return err
			}
			return second(c.Account.Get(ctx))
		}},
		{op: "getAccount", do: func(ctx context.Context, p *sv) error { return second(p.Account.Get(ctx)) }},
		{op: "checkToken", do: func(ctx context.Context, p *sv) error { return p.Account.CheckToken(ctx) }},
		{op: "listTasks", do: func(ctx context.Context, p *sv) error {
			if _, err := p.Servers.Restart(ctx, p.server, solusvm2.PowerOptions{}); err != nil {
				return err
			}
			return each(p.Tasks.List(ctx, solusvm2.TaskFilter{
				Action: solusvm2.TaskServerRestart, Status: solusvm2.TaskDone, ComputeResourceID: p.node, ServerID: p.server,
			}))
		}},
		{op: "getTask", do: func(ctx context.Context, p *sv) error {
			task, err := p.Servers.Restart(ctx, p.server, solusvm2.PowerOptions{})
			if err != nil {
				return err
			}
			return second(p.Tasks.Get(ctx, task.ID))
		}},
		{op: "getTask", name: "until it is done", do: func(ctx context.Context, p *sv) error {
			task, err := p.Servers.Restart(ctx, p.server, solusvm2.PowerOptions{})
			if err != nil {
				return err
			}
			return p.Tasks.Wait(ctx, task.ID, provisioning.WaitOptions{})
		}},
		{op: "listActivityLogs", do: func(ctx context.Context, p *sv) error {
			return each(p.ActivityLogs.List(ctx, solusvm2.ActivityLogFilter{}))
		}},
		{op: "listActivityLogs", name: "of a user and an event", do: func(ctx context.Context, p *sv) error {
			if _, err := p.Servers.AddIPs(ctx, p.server, solusvm2.AddIPsRequest{Count: 1}); err != nil {
				return err
			}
			return each(p.ActivityLogs.List(ctx, solusvm2.ActivityLogFilter{
				UserID: p.user, Event: solusvm2.ActivityAdditionalIPCreated, ListOptions: solusvm2.ListOptions{PerPage: 1},
			}))
		}},
		{op: "getSettings", do: func(ctx context.Context, p *sv) error { return second(p.Settings.Get(ctx)) }},
		{op: "patchSettings", do: func(ctx context.Context, p *sv) error {
			return second(p.Settings.Update(ctx, map[string]any{"hostname": "solus.example.com"}))
		}},
	}
}

func svServerCalls() []svCall {
	order := func(p *sv) solusvm2.CreateServerRequest {
		return solusvm2.CreateServerRequest{Name: "web-7.example.com", Plan: p.plan, Location: p.location, OS: p.version}
	}
	return []svCall{
		{op: "listServers", do: func(ctx context.Context, p *sv) error { return each(p.Servers.List(ctx, solusvm2.ServerFilter{})) }},
		{op: "listServers", name: "with all filters", do: func(ctx context.Context, p *sv) error {
			return each(p.Servers.List(ctx, solusvm2.ServerFilter{
				UserID: p.user, ComputeResourceID: p.node, Status: solusvm2.ServerStarted, VirtualizationType: solusvm2.VirtualizationKVM,
				ListOptions: solusvm2.ListOptions{PerPage: 1},
			}))
		}},
		{op: "listServers", name: "completely", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.ListComplete(ctx, solusvm2.ServerFilter{}))
		}},
		{op: "listProjectServers", do: func(ctx context.Context, p *sv) error {
			return each(p.Servers.ListByProject(ctx, p.project, solusvm2.ListOptions{}))
		}},
		{op: "listProjectServers", name: "completely", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.ListByProjectComplete(ctx, p.project, solusvm2.ListOptions{PerPage: 1}))
		}},
		{op: "createServer", do: func(ctx context.Context, p *sv) error { return second(p.Servers.Create(ctx, order(p))) }},
		{op: "createServer", name: "with everything", do: func(ctx context.Context, p *sv) error {
			schedule := &solusvm2.BackupSchedule{Type: solusvm2.ScheduleWeekly, Days: []solusvm2.Int{1, 4}}
			schedule.Time.Hour = 3
			key, err := newSVKey(ctx, p)
			if err != nil {
				return err
			}
			return second(p.Servers.Create(ctx, solusvm2.CreateServerRequest{
				Name: "web-7.example.com", Description: "order-7", Plan: p.plan, Location: p.location, ComputeResource: p.node, Application: p.app,
				ApplicationData: map[string]any{"email": "otto@example.com"},
				CustomPlan: &solusvm2.CustomPlan{
					Params:             &solusvm2.PlanParamsRequest{Disk: 60, RAM: solusvm2.ByteCount(8 * provisioning.GiB), Swap: ptr(solusvm2.ByteCount(0)), VCPU: 4},
					Limits:             &solusvm2.CustomPlanLimits{NetworkTotalTraffic: &solusvm2.CustomTrafficLimit{Limit: 3}},
					IsSnapshotsEnabled: ptr(true), IsBackupAvailable: ptr(true),
				},
				Project: p.project, User: p.user, Password: "Fixture-Password-1", SSHKeys: []solusvm2.SSHKeyID{key}, UserData: "#cloud-config\n",
				FQDNs: []string{"web-7.example.com"}, BootMode: solusvm2.BootDisk, BackupSettings: &solusvm2.BackupSettings{Enabled: true, Schedule: schedule},
				PrimaryIP: netip.MustParseAddr("198.18.0.77"), IPTypes: []solusvm2.IPVersion{solusvm2.IPv4, solusvm2.IPv6}, AdditionalIPCount: 1, AdditionalIPv6Count: 1,
				AdditionalDisks: []solusvm2.AdditionalDisk{{Name: "data", Size: 100, Offer: 8}}, MACAddress: "52:54:00:00:00:2a", Firmware: solusvm2.FirmwareEFI,
				PrimaryDiskOffer: 9, VPCNetworks: []solusvm2.VPCNetworkID{14}, IsDisasterRecoveryEnabled: ptr(false),
			}))
		}},
		{op: "createProjectServer", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.CreateInProject(ctx, p.project, order(p)))
		}},
		{op: "createProjectServer", name: "with everything", do: func(ctx context.Context, p *sv) error {
			r := order(p)
			r.Password, r.FQDNs, r.IPTypes = "Fixture-Password-1", []string{"web-7.example.com"}, []solusvm2.IPVersion{solusvm2.IPv4}
			r.UserData, r.AdditionalDisks = "#cloud-config\n", []solusvm2.AdditionalDisk{{Name: "data", Size: 100, Offer: 8}}
			r.BackupSettings, r.VPCNetworks = &solusvm2.BackupSettings{}, []solusvm2.VPCNetworkID{14}
			return second(p.Servers.CreateInProject(ctx, p.project, r))
		}},
		{op: "createComputeResourceServer", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.CreateOnComputeResource(ctx, p.node, solusvm2.CreateServerRequest{
				Name: "web-7.example.com", Description: "order-7", Plan: p.plan, OS: p.version, Project: p.project, User: p.user, Password: "Fixture-Password-1",
			}))
		}},
		{op: "createComputeResourceServer", name: "with an application", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.CreateOnComputeResource(ctx, p.node, solusvm2.CreateServerRequest{
				Name: "web-7.example.com", Plan: p.plan, Application: p.app, ApplicationData: map[string]any{"email": "otto@example.com"}, Project: p.project, User: p.user,
			}))
		}},
		{op: "getServer", do: func(ctx context.Context, p *sv) error { return second(p.Servers.Get(ctx, p.server)) }},
		{op: "getServer", name: "until nothing runs", do: func(ctx context.Context, p *sv) error {
			if _, err := p.Servers.Restart(ctx, p.server, solusvm2.PowerOptions{}); err != nil {
				return err
			}
			return second(p.Servers.WaitIdle(ctx, p.server, provisioning.WaitOptions{}))
		}},
		{op: "patchServer", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.Update(ctx, p.server, solusvm2.UpdateServerRequest{BootMode: solusvm2.BootRescue, Description: ptr("")}))
		}},
		{op: "patchServer", name: "with everything", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.Update(ctx, p.server, solusvm2.UpdateServerRequest{
				Name: "web.example.com", FQDNs: []string{"web.example.com"}, Description: ptr("order-8"), BootMode: solusvm2.BootDisk, UserData: ptr("#cloud-config\n"),
				BackupSettings: &solusvm2.BackupSettings{},
			}))
		}},
		{op: "replaceServer", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.Replace(ctx, p.server, map[string]any{"name": "web.example.com", "description": "order-8"}))
		}},
		{op: "patchServerSettings", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.UpdateSettings(ctx, p.server, solusvm2.ServerSettingsRequest{
				DiskCacheMode: solusvm2.DiskCacheNone, DiskDriver: solusvm2.DiskVirtIO, Firmware: solusvm2.FirmwareEFI,
			}))
		}},
		{op: "deleteServer", do: func(ctx context.Context, p *sv) error { return second(p.Servers.Delete(ctx, p.server)) }},
		{op: "listServerDisks", do: func(ctx context.Context, p *sv) error { return second(p.Servers.Disks(ctx, p.server)) }},
		{op: "listServerLimits", do: func(ctx context.Context, p *sv) error { return second(p.Servers.Limits(ctx, p.server)) }},
		{op: "getServerBoot", do: func(ctx context.Context, p *sv) error { return second(p.Servers.Boot(ctx, p.server)) }},
		{op: "setServerBoot", do: func(ctx context.Context, p *sv) error {
			return p.Servers.SetBoot(ctx, p.server, solusvm2.ServerBoot{Mode: solusvm2.BootRescue})
		}},
		{op: "setServerBoot", name: "from the disk", do: func(ctx context.Context, p *sv) error {
			return p.Servers.SetBoot(ctx, p.server, solusvm2.ServerBoot{Mode: solusvm2.BootDisk, ISOImageID: provisioning.Null[solusvm2.ISOImageID]()})
		}},
		{op: "getUsage", do: func(ctx context.Context, p *sv) error { return second(p.Usage.Series(ctx, solusvm2.UsageCPU, p.uuid)) }},
		{op: "getUsage", name: "of the network", do: func(ctx context.Context, p *sv) error {
			return second(p.Usage.Series(ctx, solusvm2.UsageNetwork, p.uuid))
		}},
		{op: "getUsage", name: "of the disks", do: func(ctx context.Context, p *sv) error {
			return second(p.Usage.Series(ctx, solusvm2.UsageDisks, p.uuid))
		}},
		{op: "getUsage", name: "of the memory", do: func(ctx context.Context, p *sv) error {
			return second(p.Usage.Series(ctx, solusvm2.UsageMemory, p.uuid))
		}},
	}
}

func svActionCalls() []svCall {
	return []svCall{
		{op: "startServer", do: func(ctx context.Context, p *sv) error { return second(p.Servers.Start(ctx, p.server)) }},
		{op: "stopServer", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.Stop(ctx, p.server, solusvm2.PowerOptions{}))
		}},
		{op: "stopServer", name: "by force", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.Stop(ctx, p.server, solusvm2.PowerOptions{Force: true}))
		}},
		{op: "restartServer", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.Restart(ctx, p.server, solusvm2.PowerOptions{Force: true}))
		}},
		{op: "suspendServer", do: func(ctx context.Context, p *sv) error { return second(p.Servers.Suspend(ctx, p.server)) }},
		{op: "resumeServer", do: func(ctx context.Context, p *sv) error {
			if _, err := p.Servers.Suspend(ctx, p.server); err != nil {
				return err
			}
			return second(p.Servers.Resume(ctx, p.server))
		}},
		{op: "reinstallServer", do: func(ctx context.Context, p *sv) error {
			key, err := newSVKey(ctx, p)
			if err != nil {
				return err
			}
			return second(p.Servers.Reinstall(ctx, p.server, solusvm2.ReinstallServerRequest{
				OS: p.version, SSHKeys: []solusvm2.SSHKeyID{key}, UserData: "#cloud-config\n", Password: "Fixture-Password-1",
			}))
		}},
		{op: "reinstallServer", name: "with an application", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.Reinstall(ctx, p.server, solusvm2.ReinstallServerRequest{
				Application: p.app, ApplicationData: map[string]any{"email": "otto@example.com"},
			}))
		}},
		{op: "resizeServer", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.Resize(ctx, p.server, solusvm2.ResizeServerRequest{PlanID: p.bigger, PreserveDisk: true, Delayed: ptr(false)}))
		}},
		{op: "resizeServer", name: "with a disk of one's own", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.Resize(ctx, p.server, solusvm2.ResizeServerRequest{
				PlanID: p.bigger, CustomPlan: &solusvm2.CustomPlan{Params: &solusvm2.PlanParamsRequest{Disk: 60}}, BackupSettings: &solusvm2.BackupSettings{},
			}))
		}},
		{op: "resetServerPassword", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.ResetPassword(ctx, p.server, solusvm2.ResetPasswordOptions{}))
		}},
		{op: "openVnc", do: func(ctx context.Context, p *sv) error { return second(p.Servers.OpenVNC(ctx, p.server)) }},
		{op: "startServers", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.StartMany(ctx, map[string]any{"ids": []solusvm2.ServerID{p.server}}))
		}},
		{op: "restartServers", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.RestartMany(ctx, map[string]any{"ids": []solusvm2.ServerID{p.server}}))
		}},
		{op: "addServerIPs", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.AddIPs(ctx, p.server, solusvm2.AddIPsRequest{Count: 2, Delayed: ptr(false)}))
		}},
		{op: "addServerIPs", name: "by address", do: func(ctx context.Context, p *sv) error {
			return second(p.Servers.AddIPs(ctx, p.server, solusvm2.AddIPsRequest{IP: netip.MustParseAddr("198.18.0.77"), Type: solusvm2.IPv4}))
		}},
		{op: "removeServerIPs", do: func(ctx context.Context, p *sv) error {
			if _, err := p.Servers.AddIPs(ctx, p.server, solusvm2.AddIPsRequest{Count: 1}); err != nil {
				return err
			}
			s, err := p.Servers.Get(ctx, p.server)
			if err != nil {
				return err
			}
			id := s.IPAddresses.IPv4[len(s.IPAddresses.IPv4)-1].ID
			return second(p.Servers.RemoveIPs(ctx, p.server, solusvm2.RemoveIPsRequest{IDs: []solusvm2.IPAddressID{id}, Delayed: ptr(false)}))
		}},
		{op: "migrateServers", do: func(ctx context.Context, p *sv) error {
			return second(p.Migrations.Create(ctx, solusvm2.MigrateServersRequest{
				Servers: []solusvm2.ServerID{p.server}, DestinationComputeResourceID: p.other, PreserveIPs: true,
			}))
		}},
	}
}

func svCopyCalls() []svCall {
	return []svCall{
		onSnapshot("listServerSnapshots", func(ctx context.Context, p *sv, _ solusvm2.SnapshotID) error {
			return each(p.Snapshots.List(ctx, p.server, solusvm2.ListOptions{}))
		}),
		{op: "createServerSnapshot", do: func(ctx context.Context, p *sv) error {
			return second(p.Snapshots.Create(ctx, p.server, "before update"))
		}},
		onSnapshot("getSnapshot", func(ctx context.Context, p *sv, id solusvm2.SnapshotID) error {
			return second(p.Snapshots.Get(ctx, id))
		}),
		onSnapshot("revertSnapshot", func(ctx context.Context, p *sv, id solusvm2.SnapshotID) error {
			return second(p.Snapshots.Revert(ctx, id))
		}),
		onSnapshot("deleteSnapshot", func(ctx context.Context, p *sv, id solusvm2.SnapshotID) error {
			return second(p.Snapshots.Delete(ctx, id))
		}),
		onBackup("listServerBackups", func(ctx context.Context, p *sv, _ solusvm2.BackupID) error {
			return each(p.Backups.List(ctx, p.server, solusvm2.ListOptions{}))
		}),
		{op: "createServerBackup", do: func(ctx context.Context, p *sv) error { return second(p.Backups.Create(ctx, p.server)) }},
		onBackup("getBackup", func(ctx context.Context, p *sv, id solusvm2.BackupID) error { return second(p.Backups.Get(ctx, id)) }),
		onBackup("restoreBackup", func(ctx context.Context, p *sv, id solusvm2.BackupID) error {
			return second(p.Backups.Restore(ctx, id))
		}),
		onBackup("deleteBackup", func(ctx context.Context, p *sv, id solusvm2.BackupID) error { return p.Backups.Delete(ctx, id) }),
	}
}

func onSnapshot(op string, call func(context.Context, *sv, solusvm2.SnapshotID) error) svCall {
	return svCall{op: op, do: func(ctx context.Context, p *sv) error {
		s, err := p.Snapshots.Create(ctx, p.server, "before update")
		if err != nil {
			return err
		}
		return call(ctx, p, s.ID)
	}}
}

func onBackup(op string, call func(context.Context, *sv, solusvm2.BackupID) error) svCall {
	return svCall{op: op, do: func(ctx context.Context, p *sv) error {
		b, err := p.Backups.Create(ctx, p.server)
		if err != nil {
			return err
		}
		return call(ctx, p, b.ID)
	}}
}
