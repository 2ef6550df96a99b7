package virtfusion_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// catalogueWrites are the classes of the writes in catalogueManagement.
var catalogueWrites = map[string]string{
	"PUT /compute/hypervisors/9": "set", "POST /compute/hypervisors/9/networkFilters/regenerate": "once",
	"POST /packages": "once", "PUT /packages/3": "set", "DELETE /packages/3": "set", "POST /packages/3/duplicate": "once", "POST /media/iso": "once",
	"PUT /media/iso/14": "set",
}

func catalogueManagement() []operation {
	return append(append(hypervisorSettings(), packageManagement()...), isoImages()...)
}

func hypervisorSettings() []operation {
	return []operation{{
		name: "put a hypervisor into maintenance and lift its limits", fixture: "updateHypervisor.200", method: "PUT", path: "/compute/hypervisors/9",
		body: `{"maintenance":true,"maxServers":0,"maxCpu":0,"maxMemory":0,"nfType":0}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.Update(ctx, 9, virtfusion.UpdateHypervisorRequest{Maintenance: ptr(true), MaxServers: ptr(0), MaxCPU: ptr(0),
				MaxMemory: ptr(virtfusion.MB(0)),
				NetFilter: ptr(virtfusion.NetFilterNone)})
		},
		check: unseen,
	}, {
		name: "change all settings of a hypervisor that are known", fixture: "updateHypervisor.200", method: "PUT", path: "/compute/hypervisors/9",
		body: `{"name":"fra-hv-9","enabled":false,"prohibit":true,"groupId":2,"licenseType":7,"diskType":"qcow2","diskCacheType":"inherit","backupStorageType":2}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.Update(ctx, 9, virtfusion.UpdateHypervisorRequest{Name: "fra-hv-9", Enabled: ptr(false), Prohibit: ptr(true), GroupID: 2,
				LicenseType: virtfusion.License35Servers, DiskType: virtfusion.DiskFormatQCOW2, DiskCacheType: virtfusion.DiskCacheInherit, BackupStorageType: ptr(2)})
		},
	}, {
		name: "read the metrics of a hypervisor", fixture: "getHypervisorMetrics.200", method: "GET", path: "/compute/hypervisors/9/metrics",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.Metrics(ctx, 9, virtfusion.HypervisorMetricsOptions{})
		},
		check: unseen,
	}, {
		name: "read the metrics of 28 days", fixture: "getHypervisorMetrics.200", method: "GET", path: "/compute/hypervisors/9/metrics", query: "minutes=40320",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.Metrics(ctx, 9, virtfusion.HypervisorMetricsOptions{Minutes: 40320})
		},
	}, {
		name: "list the storage points of a hypervisor", fixture: "listHypervisorStoragePoints.200", method: "GET", path: "/compute/hypervisors/9/storage",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.StoragePoints(ctx, 9)
		},
		check: unseen,
	}, {
		name: "write the network filters anew", fixture: "regenerateHypervisorNetworkFilters.200", method: "POST",
		path: "/compute/hypervisors/9/networkFilters/regenerate",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.RegenerateNetworkFilters(ctx, 9)
		},
		check: unseen,
	}, {
		name: "list the components of the network filter", fixture: "listNetworkFilterComponents.200", method: "GET", path: "/compute/networkFilters/components",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Hypervisors.NetworkFilterComponents(ctx)
		},
		check: unseen,
	}}
}

func packageManagement() []operation {
	isPackage := func(t *testing.T, got any) {
		p := got.(*virtfusion.PackageAnswer)
		assert.Equal(t, virtfusion.PackageID(3), p.ID)
		assert.Equal(t, virtfusion.MB(4096), p.Memory)
		assert.NotEmpty(t, p.Data)
	}
	return []operation{{
		name: "create a package from a name", fixture: "createPackage.201", method: "POST", path: "/packages", body: `{"name":"VPS 4"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Packages.Create(ctx, virtfusion.PackageRequest{Name: "VPS 4"})
		},
		check: isPackage,
	}, {
		name: "create a package with everything", fixture: "createPackage.201", method: "POST", path: "/packages",
		body: `{"name":"VPS 4","description":"four","selfServiceDescription":null,"enabled":true,"memory":4096,"primaryStorage":40,"traffic":0,"cpuCores":2,
			"trafficPolicy":{"trafficLimitAction":2,"trafficLimitThrottleIn":1250},"primaryNetworkSpeedIn":0,"primaryNetworkSpeedOut":12500,"primaryDiskType":"inherit",
			"backupPlanId":0,"backupType":"viewAndRestore","tokenValue":0.25,"primaryStorageReadBytesSec":null,"primaryStorageWriteBytesSec":104857600,
			"primaryStorageReadIopsSec":0,"primaryStorageWriteIopsSec":500,"primaryStorageProfile":0,"primaryNetworkProfile":0}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Packages.Create(ctx, virtfusion.PackageRequest{
				Name: "VPS 4", Description: provisioning.Some("four"), SelfServiceDescription: provisioning.Null[string](), Enabled: ptr(true),
				Memory: 4096, PrimaryStorage: 40, Traffic: ptr(virtfusion.TrafficGB(0)), CPUCores: 2,
				TrafficPolicy: &virtfusion.TrafficPolicy{LimitAction: provisioning.Some(virtfusion.TrafficLimitThrottle),
					ThrottleIn: provisioning.Some(virtfusion.KBps(1250))},
				PrimaryNetworkSpeedIn: ptr(virtfusion.KBps(0)), PrimaryNetworkSpeedOut: ptr(virtfusion.KBps(12500)),
				PrimaryDiskType: virtfusion.DiskFormatInherit, BackupPlanID: provisioning.Some(virtfusion.BackupPlanID(0)),
				BackupType: virtfusion.PackageBackupViewAndRestore, TokenValue: "0.25",
				PrimaryStorageReadBytesSec: provisioning.Null[int64](), PrimaryStorageWriteBytesSec: provisioning.Some(int64(104857600)),
				PrimaryStorageReadIOPSSec: provisioning.Some(int64(0)), PrimaryStorageWriteIOPSSec: provisioning.Some(int64(500)),
				PrimaryStorageProfile: ptr(virtfusion.StorageType(0)), PrimaryNetworkProfile: ptr(0),
			})
		},
	}, {
		name: "clear the description of a package", fixture: "updatePackage.200", method: "PUT", path: "/packages/3", body: `{"description":null}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Packages.Update(ctx, 3, virtfusion.PackageRequest{Description: provisioning.Null[string]()})
		},
		check: isPackage,
	}, {
		name: "delete a package, confirmed", fixture: "deletePackage.204", method: "DELETE", path: "/packages/3", body: `{"confirm":true,"force":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Packages.Delete(ctx, 3, virtfusion.DeletePackageOptions{})
		},
	}, {
		name: "delete a package although it is in use", fixture: "deletePackage.204", method: "DELETE", path: "/packages/3", body: `{"confirm":true,"force":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Packages.Delete(ctx, 3, virtfusion.DeletePackageOptions{Force: true})
		},
	}, {
		name: "copy a package", fixture: "duplicatePackage.201", method: "POST", path: "/packages/3/duplicate", body: `{"name":"VPS 4 copy"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Packages.Duplicate(ctx, 3, "VPS 4 copy")
		},
		check: isPackage,
	}}
}

func isoImages() []operation {
	return []operation{{
		name: "read an image of the library", fixture: "getISO.200", method: "GET", path: "/media/iso/14",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Media.GetISO(ctx, 14) },
		check: func(t *testing.T, got any) {
			iso := got.(*virtfusion.ISO)
			assert.Equal(t, virtfusion.ArchAny, iso.Arch)
			assert.Equal(t, "rescue-cd", iso.Filename)
		},
	}, {
		name: "add an image to the library", fixture: "createISO.201", method: "POST", path: "/media/iso",
		body: `{"name":"Rescue CD","description":null,"url":"https://mirror.example.com/iso/rescue.iso?x=1","filename":"rescue-cd","arch":0,
			"enabled":true,"global":false,"download":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Media.CreateISO(ctx, virtfusion.ISORequest{Name: "Rescue CD", Description: provisioning.Null[string](),
				URL:      "https://mirror.example.com/iso/rescue.iso?x=1",
				Filename: "rescue-cd", Arch: ptr(virtfusion.ArchAny), Enabled: ptr(true), Global: ptr(false), Download: ptr(true)})
		},
		check: func(t *testing.T, got any) { assert.Equal(t, virtfusion.ISOID(14), got.(*virtfusion.ISOAnswer).ID) },
	}, {
		name: "change an image, answered with something else", fixture: "updateISO.200", method: "PUT", path: "/media/iso/14", body: `{"enabled":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Media.UpdateISO(ctx, 14, virtfusion.ISORequest{Enabled: ptr(false)})
		},
		check: func(t *testing.T, got any) {
			a := got.(*virtfusion.ISOAnswer)
			assert.Zero(t, a.ID)
			assert.JSONEq(t, `{"message":"updated"}`, string(a.Data))
		},
	}}
}
