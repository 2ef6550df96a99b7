package solusvm2_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

func TestTheStateTable(t *testing.T) {
	t.Parallel()
	const (
		building, ready, failed, unknownPhase = provisioning.PhaseBuilding, provisioning.PhaseReady, provisioning.PhaseFailed, provisioning.PhaseUnknown
		running, stopped, unknown             = provisioning.PowerRunning, provisioning.PowerStopped, provisioning.PowerUnknown
	)
	states := []struct {
		status solusvm2.ServerStatus
		phase  provisioning.Phase
		power  provisioning.PowerState
	}{
		{solusvm2.ServerNotExist, failed, unknown},
		{solusvm2.ServerStarted, ready, running},
		{solusvm2.ServerStopped, ready, stopped},
		{solusvm2.ServerUnavailable, unknownPhase, unknown},
		{solusvm2.ServerProcessing, building, unknown},
		{solusvm2.ServerPaused, ready, unknown},
		{solusvm2.ServerReinstalling, building, unknown},
		{solusvm2.ServerRestarting, ready, unknown},
		{"frozen", unknownPhase, unknown},
		{"", unknownPhase, unknown},
	}
	for _, s := range states {
		t.Run("status "+string(s.status), func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, s.status != "frozen" && s.status != "", s.status.Known())
			for _, server := range []solusvm2.Server{{Status: s.status}, {Status: s.status, RealStatus: s.status}} {
				assert.Equal(t, s.phase, server.Phase())
				assert.Equal(t, s.power, server.Power())
				assert.Equal(t, s.phase != building, server.Look().Done)
			}
			busy := solusvm2.Server{Status: s.status, RealStatus: s.status, IsProcessing: true, Progress: provisioning.Some(solusvm2.Int(40))}
			assert.Equal(t, building, busy.Phase(), "a running task wins")
			assert.Equal(t, unknown, busy.Power())
			assert.Equal(t, provisioning.Look{Percent: 40, State: string(s.status)}, busy.Look())
		})
	}
	switchedOff := solusvm2.Server{Status: solusvm2.ServerStarted, RealStatus: solusvm2.ServerStopped}
	assert.Equal(t, stopped, switchedOff.Power(), "what the node says wins over what the panel remembers")
	processing := solusvm2.Server{Status: solusvm2.ServerProcessing, RealStatus: solusvm2.ServerStarted}
	assert.Equal(t, building, processing.Phase(), "right after an action the old state is still shown")
	suspended := solusvm2.Server{Status: solusvm2.ServerStopped, IsSuspended: true}
	assert.Equal(t, ready, suspended.Phase(), "suspension is a flag beside the state")
}

func TestServerStatesHaveOneSpelling(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]solusvm2.ServerStatus{
		`"not exists"`: solusvm2.ServerNotExist, `"not exist"`: solusvm2.ServerNotExist, `"started"`: solusvm2.ServerStarted, `null`: "", `"Frozen"`: "Frozen",
	} {
		var s solusvm2.Server
		require.NoError(t, json.Unmarshal([]byte(`{"status":`+text+`,"real_status":`+text+`}`), &s))
		assert.Equal(t, want, s.Status)
		assert.Equal(t, want, s.RealStatus)
	}
}

type open interface{ Known() bool }

func TestOpenSetsKnowTheirMembersAndKeepOthers(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]struct {
		words []string
		of    func(string) open
	}{
		"task statuses": {[]string{"pending", "queued", "running", "done", "done_with_errors", "failed", "canceled"},
			func(s string) open { return solusvm2.TaskStatus(s) }},
		"task actions": {[]string{"vm-create", "vm-reinstall", "vm-delete", "vm-update", "vm-password-change", "vm-start", "vm-stop", "vm-restart",
			"vm-suspend", "vm-resume", "vm-resize",
			"vms-migrate", "vm-migrate", "vm-update-network", "vm-update-limits", "vms-update-limits", "dns-record-register", "dns-records-unregister", "dns-record-update",
			"reverse-dns-record-register", "snapshot-create", "snapshot-delete", "snapshot-revert", "backup-create", "backup-restore", "backup-delete", "backup-rotate",
			"backup-purge-compute-resource-vm", "prepare installer for version update", "run version update", "configure network", "update network rules",
			"upgrade compute resource",
			"clear image cache", "change hostname"}, func(s string) open { return solusvm2.TaskAction(s) }},
		"virtualization types": {[]string{"kvm", "vz"}, func(s string) open { return solusvm2.VirtualizationType(s) }},
		"boot modes":           {[]string{"disk", "rescue", "iso"}, func(s string) open { return solusvm2.BootMode(s) }},
		"IP versions":          {[]string{"IPv4", "IPv6"}, func(s string) open { return solusvm2.IPVersion(s) }},
		"storage types":        {[]string{"fb", "lvm", "thinlvm", "nfs", "vz"}, func(s string) open { return solusvm2.StorageType(s) }},
		"image formats":        {[]string{"qcow2", "raw", "ploop"}, func(s string) open { return solusvm2.ImageFormat(s) }},
		"cloud-init versions": {[]string{"v0", "v0-centos6", "v0-debian9", "v2", "v2-alpine", "v2-centos", "v2-debian10", "cloudbase"},
			func(s string) open { return solusvm2.CloudInitVersion(s) }},
		"OS types": {[]string{"Linux", "Windows"}, func(s string) open { return solusvm2.OSType(s) }},
		"disk cache modes": {[]string{"none", "default", "directsync", "writeback", "writethrough", "unsafe"},
			func(s string) open { return solusvm2.DiskCacheMode(s) }},
		"disk drivers":          {[]string{"sata", "scsi", "ide", "virtio"}, func(s string) open { return solusvm2.DiskDriver(s) }},
		"firmwares":             {[]string{"bios", "efi"}, func(s string) open { return solusvm2.Firmware(s) }},
		"schedules":             {[]string{"daily", "weekly", "monthly"}, func(s string) open { return solusvm2.ScheduleType(s) }},
		"reset policies":        {[]string{"never", "first_day_of_month", "vm_created_day"}, func(s string) open { return solusvm2.ResetLimitPolicy(s) }},
		"traffic limit types":   {[]string{"separate", "total"}, func(s string) open { return solusvm2.TrafficLimitType(s) }},
		"netfilter modes":       {[]string{"disabled", "stateless", "stateful", "full"}, func(s string) open { return solusvm2.NetfilterMode(s) }},
		"snapshot statuses":     {[]string{"available", "processing", "failed"}, func(s string) open { return solusvm2.SnapshotStatus(s) }},
		"backup statuses":       {[]string{"pending", "in_progress", "created", "failed"}, func(s string) open { return solusvm2.BackupStatus(s) }},
		"backup types":          {[]string{"full", "incremental"}, func(s string) open { return solusvm2.BackupType(s) }},
		"backup methods":        {[]string{"auto", "manual"}, func(s string) open { return solusvm2.BackupCreationMethod(s) }},
		"login links":           {[]string{"none", "url", "js_code", "info"}, func(s string) open { return solusvm2.LoginLinkType(s) }},
		"network types":         {[]string{"routed", "bridged"}, func(s string) open { return solusvm2.NetworkType(s) }},
		"balance strategies":    {[]string{"round-robin", "random", "most-storage-available"}, func(s string) open { return solusvm2.BalanceStrategy(s) }},
		"install step statuses": {[]string{"running", "done", "error"}, func(s string) open { return solusvm2.InstallStepStatus(s) }},
		"list types of blocks":  {[]string{"range", "set"}, func(s string) open { return solusvm2.IPListType(s) }},
		"icon types":            {[]string{"os", "application", "flags"}, func(s string) open { return solusvm2.IconType(s) }},
		"logins of nodes":       {[]string{"lpass", "lkey"}, func(s string) open { return solusvm2.NodeLogin(s) }},
		"usage metrics":         {[]string{"cpu", "network", "disks", "memory"}, func(s string) open { return solusvm2.UsageMetric(s) }},
		"traffic units":         {[]string{"KiB", "MiB", "GiB", "TiB", "PiB", "KB", "MB", "GB", "TB", "PB"}, func(s string) open { return solusvm2.TrafficUnit(s) }},
		"bandwidth units":       {[]string{"Kbps", "Mbps", "Gbps"}, func(s string) open { return solusvm2.BandwidthUnit(s) }},
		"compute resource states": {[]string{"commissioning", "configure_network", "active", "failed", "unavailable"},
			func(s string) open { return solusvm2.ComputeResourceStatus(s) }},
		"log events": {[]string{"additional_ip_create_requested", "additional_ip_create_failed", "additional_ip_created", "additional_ip_delete_requested",
			"additional_ip_delete_failed",
			"additional_ip_deleted", "backups_deleted", "compute_resource_create_requested", "compute_resource_delete_requested", "compute_resource_vm_create_requested",
			"compute_resource_vm_create_failed", "compute_resource_vm_created", "compute_resource_vm_delete_requested", "compute_resource_vm_batch_deleted",
			"external_integration_requested",
			"failed_to_send_email_notification", "ip_block_changed", "location_created", "location_changed", "location_deleted", "user_create_requested",
			"user_create_failed", "user_created",
			"user_delete_requested", "user_delete_failed", "user_deleted"}, func(s string) open { return solusvm2.ActivityEvent(s) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, word := range set.words {
				assert.True(t, set.of(word).Known(), word)
			}
			for _, word := range []string{"", "something new", "KVM"} {
				assert.False(t, set.of(word).Known(), word)
			}
		})
	}
}
