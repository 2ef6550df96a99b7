package contract

import (
	"context"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

func vfGeneralCalls() []vfCall {
	return []vfCall{
		{op: "testConnection", do: func(ctx context.Context, p *vf) error { return p.General.TestConnection(ctx) }},
		{op: "getControlStatus", do: func(ctx context.Context, p *vf) error { return second(p.General.ControlStatus(ctx)) }},
	}
}

func vfServerCalls() []vfCall {
	order := func(p *vf) virtfusion.CreateServerRequest {
		return virtfusion.CreateServerRequest{PackageID: p.small, UserID: p.user, HypervisorGroupID: p.group}
	}
	return []vfCall{
		{op: "createServer", do: func(ctx context.Context, p *vf) error { return second(p.Servers.Create(ctx, order(p))) }},
		{op: "createServer", name: "with everything", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.Create(ctx, virtfusion.CreateServerRequest{
				PackageID: p.small, UserID: p.user, HypervisorGroupID: p.group, IPv4: ptr(0), Storage: 40, Traffic: ptr(virtfusion.TrafficGB(0)), Memory: 4096, CPUCores: 2,
				NetworkSpeedInbound: ptr(virtfusion.KBps(0)), NetworkSpeedOutbound: ptr(virtfusion.KBps(12500)), StorageProfile: ptr(virtfusion.StorageType(0)),
				NetworkProfile: ptr(0), FirewallRulesets: []virtfusion.FirewallRulesetID{virtfusion.NoFirewallRulesets},
				HypervisorAssetGroups:    []virtfusion.HypervisorAssetGroupID{-1},
				AdditionalStorage1Enable: ptr(true), AdditionalStorage1Profile: ptr(virtfusion.StorageType(0)), AdditionalStorage1Capacity: 10,
				AdditionalStorage2Enable: ptr(false),
			}))
		}},
		{op: "createServer", name: "as a dry run", do: func(ctx context.Context, p *vf) error { return p.Servers.DryRunCreate(ctx, order(p)) }},
		{op: "getServer", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.Get(ctx, p.server, virtfusion.GetServerOptions{}))
		}},
		{op: "getServer", name: "with its live state", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.Get(ctx, p.server, virtfusion.GetServerOptions{RemoteState: true}))
		}},
		{op: "getServer", name: "before its build", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.Get(ctx, p.allocated, virtfusion.GetServerOptions{}))
		}},
		{op: "listServers", do: func(ctx context.Context, p *vf) error {
			return each(p.Servers.List(ctx, virtfusion.ListServersOptions{}))
		}},
		{op: "listServers", name: "of two hypervisors, one a page", do: func(ctx context.Context, p *vf) error {
			return each(p.Servers.List(ctx, virtfusion.ListServersOptions{
				ListOptions: virtfusion.ListOptions{Results: 1}, HypervisorIDs: []virtfusion.HypervisorID{p.hypervisor, p.hypervisor + 1},
			}))
		}},
		{op: "listServers", name: "of a hypervisor without servers", do: func(ctx context.Context, p *vf) error {
			return each(p.Servers.List(ctx, virtfusion.ListServersOptions{HypervisorIDs: []virtfusion.HypervisorID{p.hypervisor + 1}}))
		}},
		{op: "listServers", name: "completely", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.ListComplete(ctx, virtfusion.ListServersOptions{}))
		}},
		{op: "listUserServers", do: func(ctx context.Context, p *vf) error { return second(p.Servers.ListByUser(ctx, p.user)) }},
		{op: "buildServer", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.Build(ctx, p.allocated, virtfusion.BuildServerRequest{OperatingSystemID: p.template}))
		}},
		{op: "buildServer", name: "again, with everything", do: func(ctx context.Context, p *vf) error {
			key, err := p.SSHKeys.Create(ctx, virtfusion.CreateSSHKeyRequest{UserID: p.user, Name: "laptop", PublicKey: publicKey})
			if err != nil {
				return err
			}
			_, err = p.Servers.Build(ctx, p.server, virtfusion.BuildServerRequest{
				OperatingSystemID: p.template, Name: "web-17", Hostname: "web-17.example.com", SSHKeys: []virtfusion.SSHKeyID{key.ID}, Swap: virtfusion.Swap1536MB,
				Timezone: "Europe/Berlin", IPv6: true, VNC: true, Email: true,
			})
			if err != nil {
				return err
			}
			if err := p.Servers.WaitBuilt(ctx, p.server, provisioning.WaitOptions{}); err != nil {
				return err
			}
			return second(p.Servers.ListByUser(ctx, p.user)) // with its IPv6 subnet
		}},
		{op: "modifyServerName", do: func(ctx context.Context, p *vf) error { return p.Servers.Rename(ctx, p.server, "order-7") }},
		{op: "deleteServer", do: func(ctx context.Context, p *vf) error {
			return p.Servers.Delete(ctx, p.server, virtfusion.DeleteServerOptions{})
		}},
		{op: "deleteServer", name: "after the longest delay", do: func(ctx context.Context, p *vf) error {
			return p.Servers.Delete(ctx, p.server, virtfusion.DeleteServerOptions{DelayMinutes: 43799})
		}},
		{op: "suspendServer", do: func(ctx context.Context, p *vf) error { return p.Servers.Suspend(ctx, p.server) }},
		{op: "unsuspendServer", do: func(ctx context.Context, p *vf) error { return p.Servers.Unsuspend(ctx, p.server) }},
		{op: "changeServerPackage", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.ChangePackage(ctx, p.server, p.small, virtfusion.PackageParts{CPU: true, Memory: true}))
		}},
		{op: "changeServerPackage", name: "with all parts", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.ChangePackage(ctx, p.server, p.small, virtfusion.AllPackageParts()))
		}},
		{op: "changeServerOwner", do: func(ctx context.Context, p *vf) error { return p.Servers.ChangeOwner(ctx, p.server, p.other) }},
		{op: "listServerActions", do: func(ctx context.Context, p *vf) error {
			return each(p.Servers.ListActions(ctx, p.allocated, virtfusion.ListActionsOptions{}))
		}},
		{op: "listServerActions", name: "that wait", do: func(ctx context.Context, p *vf) error {
			return each(p.Servers.ListActions(ctx, p.allocated, virtfusion.ListActionsOptions{State: virtfusion.ActionPending}))
		}},
		{op: "setServerCustomXml", do: func(ctx context.Context, p *vf) error {
			return p.Servers.SetCustomXML(ctx, p.server, virtfusion.CustomXML{
				Domain: ptr(""), OS: ptr("<boot/>"), Devices: ptr("<rng/>"), Features: ptr(""), Clock: ptr(""), CPUTune: ptr(""), DomainEnabled: ptr(false),
				OSEnabled: ptr(true), DevicesEnabled: ptr(true), FeaturesEnabled: ptr(false), ClockEnabled: ptr(false), CPUTuneEnabled: ptr(false),
			})
		}},
	}
}

func vfPowerCalls() []vfCall {
	type power func(*virtfusion.ServersService, context.Context, virtfusion.ServerID, ...virtfusion.CallOption) (virtfusion.QueueID, error)
	queued := func(op string, act power) vfCall {
		return vfCall{op: op, do: func(ctx context.Context, p *vf) error { return second(act(p.Servers, ctx, p.server)) }}
	}
	return []vfCall{
		queued("bootServer", (*virtfusion.ServersService).Boot),
		queued("shutdownServer", (*virtfusion.ServersService).Shutdown),
		queued("restartServer", (*virtfusion.ServersService).Restart),
		queued("poweroffServer", (*virtfusion.ServersService).PowerOff),
		{op: "getQueueItem", do: func(ctx context.Context, p *vf) error {
			id, err := p.Servers.Restart(ctx, p.server)
			if err != nil {
				return err
			}
			return second(p.Queue.Get(ctx, id))
		}},
		{op: "getQueueItem", name: "until it is done", do: func(ctx context.Context, p *vf) error {
			id, err := p.Servers.Restart(ctx, p.server)
			if err != nil {
				return err
			}
			return p.Queue.Wait(ctx, id, provisioning.WaitOptions{})
		}},
		{op: "resetServerPassword", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.ResetPassword(ctx, p.server, virtfusion.ResetServerPasswordRequest{User: virtfusion.GuestRoot}))
		}},
		{op: "getServerVnc", do: func(ctx context.Context, p *vf) error { return second(p.Servers.GetVNC(ctx, p.server)) }},
		{op: "setServerVnc", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.SetVNC(ctx, p.server, virtfusion.VNCEnable))
		}},
		{op: "setServerVnc", name: "off", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.SetVNC(ctx, p.server, virtfusion.VNCDisable))
		}},
		{op: "getServerRescue", do: func(ctx context.Context, p *vf) error { return second(p.Servers.Rescue(ctx, p.server)) }},
		{op: "enableServerRescue", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.EnableRescue(ctx, p.server, virtfusion.EnableRescueRequest{}))
		}},
		{op: "enableServerRescue", name: "with mail", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.EnableRescue(ctx, p.server, virtfusion.EnableRescueRequest{ImageID: 1, SendMail: true}))
		}},
	}
}

func vfHardwareCalls() []vfCall {
	return []vfCall{
		{op: "modifyServerMemory", do: func(ctx context.Context, p *vf) error { return p.Servers.SetMemory(ctx, p.server, 4096) }},
		{op: "modifyServerCpuCores", do: func(ctx context.Context, p *vf) error { return p.Servers.SetCPUCores(ctx, p.server, 2) }},
		{op: "throttleServerCpu", do: func(ctx context.Context, p *vf) error {
			return p.Servers.ThrottleCPU(ctx, p.server, 50, virtfusion.ThrottleCPUOptions{})
		}},
		{op: "throttleServerCpu", name: "now", do: func(ctx context.Context, p *vf) error {
			return p.Servers.ThrottleCPU(ctx, p.server, 0, virtfusion.ThrottleCPUOptions{Sync: true})
		}},
		{op: "modifyServerStorage", do: func(ctx context.Context, p *vf) error { return p.Servers.GrowDisk(ctx, p.server, "a", 200) }},
		{op: "listServerDisks", do: func(ctx context.Context, p *vf) error { return second(p.Servers.Disks(ctx, p.server)) }},
		{op: "getServerDisk", do: func(ctx context.Context, p *vf) error { return second(p.Servers.Disk(ctx, p.server, "a")) }},
		{op: "createServerDisk", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.CreateDisk(ctx, p.server, virtfusion.CreateDiskRequest{Size: 10}))
		}},
		{op: "createServerDisk", name: "with everything", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.CreateDisk(ctx, p.server, virtfusion.CreateDiskRequest{
				Size: 1, Filesystem: virtfusion.FilesystemExt4, Format: virtfusion.DiskFormatQCOW2, Bus: virtfusion.DiskBusVirtIOSCSI, Cache: virtfusion.DiskCacheNone,
				IO: virtfusion.DiskIOUring,
				QoS: &virtfusion.DiskQoS{
					ReadIOPS: provisioning.Some(int64(0)), WriteIOPS: provisioning.Some(int64(500)), ReadBytesPerSec: provisioning.Null[int64](),
				},
			}))
		}},
		{op: "updateServerDisk", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.UpdateDisk(ctx, p.server, "b", virtfusion.UpdateDiskRequest{
				Bus: virtfusion.DiskBusVirtIOSCSI, Cache: virtfusion.DiskCacheNone, IO: virtfusion.DiskIOUring, Enabled: ptr(true), Size: 120,
				QoS: &virtfusion.DiskQoS{WriteIOPS: provisioning.Null[int64]()}, Apply: true,
			}))
		}},
		{op: "deleteServerDisk", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.DeleteDisk(ctx, p.server, "b", virtfusion.DeleteDiskOptions{Confirm: true}))
		}},
		{op: "cancelServerDiskPending", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.CancelDiskAction(ctx, p.allocated, "b"))
		}},
		{op: "listLegacyServerBackups", do: func(ctx context.Context, p *vf) error { return second(p.Servers.LegacyBackups(ctx, p.server)) }},
		{op: "setServerBackupPlan", do: func(ctx context.Context, p *vf) error { return p.Servers.SetBackupPlan(ctx, p.server, 0) }},
		{op: "modifyBackupManagerAccess", do: func(ctx context.Context, p *vf) error {
			return p.Servers.SetBackupAccess(ctx, p.server, virtfusion.BackupAccessViewAndRestore)
		}},
		{op: "createServerBackup", do: func(ctx context.Context, p *vf) error { return second(p.Servers.CreateBackup(ctx, p.server)) }},
		restoring("", virtfusion.RestoreDisk{Number: 1}),
		restoring("of a chain and of a time", virtfusion.RestoreDisk{Number: 1, Chain: 9},
			virtfusion.RestoreDisk{Number: 2, Until: time.Date(2026, 3, 2, 1, 0, 1, 0, time.UTC)}),
		{op: "listAvailableHypervisorAssets", do: func(ctx context.Context, p *vf) error { return second(p.Servers.AvailableAssets(ctx, p.server)) }},
		{op: "attachHypervisorAsset", do: func(ctx context.Context, p *vf) error { return second(p.Servers.AttachAsset(ctx, p.server, p.asset)) }},
		{op: "getServerIso", do: func(ctx context.Context, p *vf) error { return second(p.Servers.ISO(ctx, p.server)) }},
		{op: "mountServerIso", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.MountISO(ctx, p.server, virtfusion.MountISORequest{URL: "https://mirror.example.com/a/b-1.0_x.iso"}))
		}},
		{op: "mountServerIso", name: "of the library", do: func(ctx context.Context, p *vf) error {
			return second(p.Servers.MountISO(ctx, p.server, virtfusion.MountISORequest{ISOID: p.iso}))
		}},
		{op: "ejectServerIso", do: func(ctx context.Context, p *vf) error { return second(p.Servers.EjectISO(ctx, p.server)) }},
	}
}

// restoring makes a backup and restores disks from it.
func restoring(name string, disks ...virtfusion.RestoreDisk) vfCall {
	return vfCall{op: "restoreServerBackup", name: name, do: func(ctx context.Context, p *vf) error {
		if _, err := p.Servers.CreateBackup(ctx, p.server); err != nil {
			return err
		}
		return second(p.Servers.RestoreBackup(ctx, p.server, virtfusion.RestoreBackupRequest{Disks: disks}))
	}}
}
