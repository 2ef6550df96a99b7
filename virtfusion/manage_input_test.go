package virtfusion_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

type failing func(context.Context, *virtfusion.Client) error

// badServerInput is refused input by the field that the error names.
func badServerInput() map[string][]failing {
	disk := func(r virtfusion.CreateDiskRequest) failing {
		return func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.CreateDisk(ctx, 1, r)
			return err
		}
	}
	update := func(r virtfusion.UpdateDiskRequest) failing {
		return func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.UpdateDisk(ctx, 1, "b", r)
			return err
		}
	}
	restore := func(d ...virtfusion.RestoreDisk) failing {
		return func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.RestoreBackup(ctx, 1, virtfusion.RestoreBackupRequest{Disks: d})
			return err
		}
	}
	iso := func(r virtfusion.MountISORequest) failing {
		return func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.MountISO(ctx, 1, r)
			return err
		}
	}
	ref := func(refs ...virtfusion.DiskRef) (all []failing) {
		for _, r := range refs {
			all = append(all, func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Servers.DeleteDisk(ctx, 1, r, virtfusion.DeleteDiskOptions{Confirm: true})
				return err
			}, func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Servers.CancelDiskAction(ctx, 1, r)
				return err
			})
		}
		return all
	}
	urls := func(list ...string) (all []failing) {
		for _, u := range list {
			all = append(all, iso(virtfusion.MountISORequest{URL: u}))
		}
		return all
	}
	return map[string][]failing{
		"memory": {
			func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.SetMemory(ctx, 1, 8) },
			func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.SetMemory(ctx, 1, 255) },
		},
		"cores": {
			func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.SetCPUCores(ctx, 1, 0) },
			func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.SetCPUCores(ctx, 1, 601) },
		},
		"percent": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.ThrottleCPU(ctx, 1, 100, virtfusion.ThrottleCPUOptions{})
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.ThrottleCPU(ctx, 1, -1, virtfusion.ThrottleCPUOptions{})
			},
		},
		"newOwnerId": {func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.ChangeOwner(ctx, 1, 0) }},
		"customXML": {func(ctx context.Context, c *virtfusion.Client) error {
			return c.Servers.SetCustomXML(ctx, 1, virtfusion.CustomXML{})
		}},
		"state": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := collect(c.Servers.ListActions(ctx, 1, virtfusion.ListActionsOptions{State: "lost"}))
			return err
		}},
		"planId": {func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.SetBackupPlan(ctx, 1, -1) }},
		"type": {func(ctx context.Context, c *virtfusion.Client) error {
			return c.Servers.SetBackupAccess(ctx, 1, "viewAndRestore")
		}},
		"disks":          {restore(), restore(virtfusion.RestoreDisk{}), restore(virtfusion.RestoreDisk{Number: 1}, virtfusion.RestoreDisk{Number: 1, Chain: 2})},
		"diskChains":     {restore(virtfusion.RestoreDisk{Number: 1, Chain: -1})},
		"diskUntils":     {restore(virtfusion.RestoreDisk{Number: 1, Until: time.Unix(-1, 0)})},
		"sizeGb":         {disk(virtfusion.CreateDiskRequest{}), disk(virtfusion.CreateDiskRequest{Size: -1}), update(virtfusion.UpdateDiskRequest{Size: -1})},
		"storagePointId": {disk(virtfusion.CreateDiskRequest{Size: 1, StoragePointID: -1})},
		"qos.readIops":   {disk(virtfusion.CreateDiskRequest{Size: 1, QoS: &virtfusion.DiskQoS{ReadIOPS: provisioning.Some(int64(-1))}})},
		"qos.writeBytes": {update(virtfusion.UpdateDiskRequest{QoS: &virtfusion.DiskQoS{WriteBytesPerSec: provisioning.Some(int64(100_000_000_000_000))}})},
		"disk":           {update(virtfusion.UpdateDiskRequest{})},
		"apply":          {update(virtfusion.UpdateDiskRequest{Apply: true, Size: 2})},
		"diskRef":        ref("", "aa", "A", "0", "-1", "01", "+1", "1.0", "../1", "b/pending"),
		"drive": {
			func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.GrowDisk(ctx, 1, "1", 10) },
			func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.GrowDisk(ctx, 1, "", 10) },
		},
		"size": {func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.GrowDisk(ctx, 1, "a", 0) }},
		"imageId": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.EnableRescue(ctx, 1, virtfusion.EnableRescueRequest{ImageID: -1})
			return err
		}},
		"assetId": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.AttachAsset(ctx, 1, 0)
			return err
		}},
		"isoId": {iso(virtfusion.MountISORequest{}), iso(virtfusion.MountISORequest{ISOID: -1}),
			iso(virtfusion.MountISORequest{ISOID: 1, URL: "https://a.example/x.iso"})},
		"url": urls("http://a.example/x.iso", "https://a.example:8443/x.iso", "https://192.0.2.1/x.iso", "https://[2001:db8::1]/x.iso", "https://localhost/x.iso",
			"https://a.example/x.img", "https://a.example/x.iso?y=1", "https://a.example/x.iso#y", "https://a.example/x%20y.iso", "https://u:p@a.example/x.iso", "://",
			"/x.iso"),
	}
}

// badCatalogueInput is the same for hypervisors, packages and images.
func badCatalogueInput() map[string][]failing {
	long := strings.Repeat("x", 151)
	hv := func(r virtfusion.UpdateHypervisorRequest) failing {
		return func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Hypervisors.Update(ctx, 9, r)
			return err
		}
	}
	pack := func(change func(*virtfusion.PackageRequest)) failing {
		return func(ctx context.Context, c *virtfusion.Client) error {
			r := virtfusion.PackageRequest{Name: "VPS"}
			change(&r)
			_, err := c.Packages.Create(ctx, r)
			return err
		}
	}
	iso := func(r virtfusion.ISORequest) failing {
		return func(ctx context.Context, c *virtfusion.Client) error { _, err := c.Media.CreateISO(ctx, r); return err }
	}
	return map[string][]failing{
		"hypervisorId": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Hypervisors.StoragePoints(ctx, 0)
			return err
		}},
		"hypervisor":  {hv(virtfusion.UpdateHypervisorRequest{})},
		"groupId":     {hv(virtfusion.UpdateHypervisorRequest{GroupID: -1})},
		"maxServers":  {hv(virtfusion.UpdateHypervisorRequest{MaxServers: ptr(-1)}), hv(virtfusion.UpdateHypervisorRequest{MaxServers: ptr(10_000)})},
		"maxCpu":      {hv(virtfusion.UpdateHypervisorRequest{MaxCPU: ptr(10_000)})},
		"maxMemory":   {hv(virtfusion.UpdateHypervisorRequest{MaxMemory: ptr(virtfusion.MB(100_000_000))})},
		"nfType":      {hv(virtfusion.UpdateHypervisorRequest{NetFilter: ptr(virtfusion.NetFilter(6))})},
		"licenseType": {hv(virtfusion.UpdateHypervisorRequest{LicenseType: 8})},
		"minutes": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Hypervisors.Metrics(ctx, 9, virtfusion.HypervisorMetricsOptions{Minutes: 40_321})
			return err
		}},
		"name": {
			hv(virtfusion.UpdateHypervisorRequest{Name: "ab"}), pack(func(r *virtfusion.PackageRequest) { r.Name = "" }),
			pack(func(r *virtfusion.PackageRequest) { r.Name = long }),
			iso(virtfusion.ISORequest{}), iso(virtfusion.ISORequest{Name: "ab"}),
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Packages.Duplicate(ctx, 3, "ab")
				return err
			},
		},
		"packageId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Packages.Delete(ctx, 0, virtfusion.DeletePackageOptions{Force: true})
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Packages.Update(ctx, 0, virtfusion.PackageRequest{Name: "abc"})
				return err
			},
		},
		"package": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Packages.Update(ctx, 3, virtfusion.PackageRequest{})
			return err
		}},
		"description": {
			pack(func(r *virtfusion.PackageRequest) { r.Description = provisioning.Some(strings.Repeat("x", 501)) }),
			iso(virtfusion.ISORequest{Name: "abc", Description: provisioning.Some(strings.Repeat("x", 501))}),
		},
		"memory":                     {pack(func(r *virtfusion.PackageRequest) { r.Memory = 8 })},
		"primaryStorage":             {pack(func(r *virtfusion.PackageRequest) { r.PrimaryStorage = 102_401 })},
		"cpuCores":                   {pack(func(r *virtfusion.PackageRequest) { r.CPUCores = -1 })},
		"traffic":                    {pack(func(r *virtfusion.PackageRequest) { r.Traffic = ptr(virtfusion.TrafficGB(-1)) })},
		"tokenValue":                 {pack(func(r *virtfusion.PackageRequest) { r.TokenValue = "-1" })},
		"primaryStorageProfile":      {pack(func(r *virtfusion.PackageRequest) { r.PrimaryStorageProfile = ptr(virtfusion.StorageType(21)) })},
		"primaryStorageWriteIopsSec": {pack(func(r *virtfusion.PackageRequest) { r.PrimaryStorageWriteIOPSSec = provisioning.Some(int64(-1)) })},
		"trafficLimitThrottleIn": {pack(func(r *virtfusion.PackageRequest) {
			r.TrafficPolicy = &virtfusion.TrafficPolicy{ThrottleIn: provisioning.Some(virtfusion.KBps(-1))}
		})},
		"primaryNetworkSpeedIn": {pack(func(r *virtfusion.PackageRequest) { r.PrimaryNetworkSpeedIn = ptr(virtfusion.KBps(-1)) })},
		"isoId":                 {func(ctx context.Context, c *virtfusion.Client) error { _, err := c.Media.GetISO(ctx, 0); return err }},
		"iso": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Media.UpdateISO(ctx, 1, virtfusion.ISORequest{})
			return err
		}},
		"url":      {iso(virtfusion.ISORequest{Name: "abc", URL: "ftp://a.example/x"}), iso(virtfusion.ISORequest{Name: "abc", URL: "https:///x"})},
		"filename": {iso(virtfusion.ISORequest{Name: "abc", Filename: "x.iso"}), iso(virtfusion.ISORequest{Name: "abc", Filename: "../x"})},
		"arch":     {iso(virtfusion.ISORequest{Name: "abc", Arch: ptr(virtfusion.Arch(3))})},
	}
}

// badSelfServiceInput is the same for the self-service and logins.
func badSelfServiceInput() map[string][]failing {
	credit := func(r virtfusion.AddCreditRequest) failing {
		return func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.SelfService.AddCredit(ctx, ext, r)
			return err
		}
	}
	var tokens []failing
	for _, amount := range []virtfusion.Decimal{"", "0", "0.00", "-5", "+5", "1e3", "1,5", "1.", ".5", "05", "five", "NaN", "Inf", " 5"} {
		tokens = append(tokens, credit(virtfusion.AddCreditRequest{Tokens: amount}))
	}
	return map[string][]failing{
		"tokens":      tokens,
		"reference_2": {credit(virtfusion.AddCreditRequest{Tokens: "5", Reference2: strings.Repeat("x", 1001)})},
		"extRelationId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.SelfService.Usage(ctx, nil, virtfusion.UsageOptions{})
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.SelfService.HourlyStats(ctx, virtfusion.ExtRelationID(0), virtfusion.UsageOptions{})
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.SelfService.RecomputeAccess(ctx, nil, true)
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Users.CreateLogin(ctx, virtfusion.ExtRelationID(-1), virtfusion.LoginRequest{})
				return err
			},
		},
		"relStr": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.SelfService.AddCredit(ctx, virtfusion.RelStr(""), virtfusion.AddCreditRequest{Tokens: "5"})
			return err
		}},
		"creditId": {func(ctx context.Context, c *virtfusion.Client) error { return c.SelfService.CancelCredit(ctx, 0) }},
		"profileId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.SelfService.AddHourlyGroupProfile(ctx, ext, 0)
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.SelfService.RemoveHourlyGroupProfile(ctx, ext, 0)
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.SelfService.AddResourceGroupProfile(ctx, ext, 0)
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.SelfService.RemoveResourceGroupProfile(ctx, ext, 0)
			},
		},
		"packId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.SelfService.AddResourcePack(ctx, ext, virtfusion.AddResourcePackRequest{})
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.SelfService.SetHourlyResourcePack(ctx, ext, 0)
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.SelfService.GetResourcePack(ctx, 0, virtfusion.GetResourcePackOptions{})
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.SelfService.SuspendResourcePackServers(ctx, 0)
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.SelfService.DeleteResourcePackServers(ctx, 0, virtfusion.DeleteServerOptions{})
			},
		},
		"delayMinutes": {func(ctx context.Context, c *virtfusion.Client) error {
			return c.SelfService.DeleteResourcePackServers(ctx, 1, virtfusion.DeleteServerOptions{DelayMinutes: 43_800})
		}},
		"periods": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.SelfService.Usage(ctx, ext, virtfusion.UsageOptions{Periods: make([]time.Time, 1)})
			return err
		}},
		"range": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.SelfService.HourlyStats(ctx, ext, virtfusion.UsageOptions{Range: "y"})
			return err
		}},
		"monthsBack": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.SelfService.Report(ctx, ext, virtfusion.ReportOptions{MonthsBack: 25})
			return err
		}},
		"currency": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.SelfService.Report(ctx, ext, virtfusion.ReportOptions{Currency: "E1R"})
			return err
		}},
		"serverId": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Users.CreateServerLogin(ctx, ext, 0, virtfusion.LoginRequest{})
			return err
		}},
		"returnURL": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Users.CreateLogin(ctx, ext, virtfusion.LoginRequest{ReturnURL: "javascript:alert(1)"})
			return err
		}},
	}
}

func TestBadInputOfManagingIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	for _, table := range []map[string][]failing{badServerInput(), badCatalogueInput(), badSelfServiceInput()} {
		for field, calls := range table {
			for i, call := range calls {
				t.Run(fmt.Sprint(field, " ", i), func(t *testing.T) {
					t.Parallel()
					c, panel := newClient(t, answer{status: 200, body: []byte(`{"data":{}}`)})
					err := call(t.Context(), c)
					var e *provisioning.Error
					require.ErrorAs(t, err, &e)
					assert.Equal(t, provisioning.Invalid, e.Kind)
					assert.Contains(t, e.Fields, field)
					assert.Empty(t, panel.requests())
				})
			}
		}
	}
}

// Each operation on a server refuses an id that cannot be one.
func TestManagingNeedsAServer(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(context.Context, *virtfusion.ServersService) error{
		"memory": func(ctx context.Context, s *virtfusion.ServersService) error { return s.SetMemory(ctx, 0, 512) },
		"owner":  func(ctx context.Context, s *virtfusion.ServersService) error { return s.ChangeOwner(ctx, 0, 1) },
		"xml": func(ctx context.Context, s *virtfusion.ServersService) error {
			return s.SetCustomXML(ctx, 0, virtfusion.CustomXML{OS: ptr("")})
		},
		"actions": func(ctx context.Context, s *virtfusion.ServersService) error {
			_, err := collect(s.ListActions(ctx, 0, virtfusion.ListActionsOptions{}))
			return err
		},
		"disks": func(ctx context.Context, s *virtfusion.ServersService) error { _, err := s.Disks(ctx, 0); return err },
		"disk": func(ctx context.Context, s *virtfusion.ServersService) error {
			_, err := s.Disk(ctx, 0, "a")
			return err
		},
		"add disk": func(ctx context.Context, s *virtfusion.ServersService) error {
			_, err := s.CreateDisk(ctx, 0, virtfusion.CreateDiskRequest{Size: 1})
			return err
		},
		"cancel": func(ctx context.Context, s *virtfusion.ServersService) error {
			_, err := s.CancelDiskAction(ctx, 0, "a")
			return err
		},
		"grow": func(ctx context.Context, s *virtfusion.ServersService) error { return s.GrowDisk(ctx, 0, "a", 1) },
		"backups": func(ctx context.Context, s *virtfusion.ServersService) error {
			_, err := s.LegacyBackups(ctx, 0)
			return err
		},
		"plan": func(ctx context.Context, s *virtfusion.ServersService) error { return s.SetBackupPlan(ctx, 0, 1) },
		"access": func(ctx context.Context, s *virtfusion.ServersService) error {
			return s.SetBackupAccess(ctx, 0, virtfusion.BackupAccessFull)
		},
		"backup": func(ctx context.Context, s *virtfusion.ServersService) error {
			_, err := s.CreateBackup(ctx, 0)
			return err
		},
		"restore": func(ctx context.Context, s *virtfusion.ServersService) error {
			_, err := s.RestoreBackup(ctx, 0, virtfusion.RestoreBackupRequest{Disks: []virtfusion.RestoreDisk{{Number: 1}}})
			return err
		},
		"rescue": func(ctx context.Context, s *virtfusion.ServersService) error { _, err := s.Rescue(ctx, 0); return err },
		"assets": func(ctx context.Context, s *virtfusion.ServersService) error {
			_, err := s.AvailableAssets(ctx, 0)
			return err
		},
		"attach": func(ctx context.Context, s *virtfusion.ServersService) error {
			_, err := s.AttachAsset(ctx, 0, 1)
			return err
		},
		"iso": func(ctx context.Context, s *virtfusion.ServersService) error { _, err := s.ISO(ctx, 0); return err },
		"vnc": func(ctx context.Context, s *virtfusion.ServersService) error {
			_, err := s.SwitchVNC(ctx, 0, true)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, panel := newClient(t, answer{status: 200})
			require.ErrorIs(t, call(t.Context(), c.Servers), provisioning.Invalid)
			assert.Empty(t, panel.requests())
		})
	}
}

func TestSetsOfManagingAreOpenAndKnown(t *testing.T) {
	t.Parallel()
	for _, s := range []virtfusion.ServerActionState{"pending", "running", "completed", "failed", "stuck"} {
		assert.True(t, s.Known(), s)
	}
	assert.False(t, virtfusion.ServerActionState("lost").Known())
	for _, a := range []virtfusion.BackupAccess{"inherit", "disabled", "scheduled", "view_restore", "full", "manual"} {
		assert.True(t, a.Known(), a)
	}
	assert.False(t, virtfusion.BackupAccess("viewAndRestore").Known(), "that is how packages write it")
	for _, r := range []virtfusion.UsageRange{"d", "w", "2w", "3w", "m"} {
		assert.True(t, r.Known(), r)
	}
	assert.False(t, virtfusion.UsageRange("y").Known())
	assert.True(t, virtfusion.License35Servers.Known())
	assert.False(t, virtfusion.HypervisorLicense(0).Known())
}
