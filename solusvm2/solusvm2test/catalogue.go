package solusvm2test

import (
	"net/netip"
	"time"
)

// Ids of the default catalogue.
const (
	PlanSmall   int64 = 11 // 1 GiB, 20 GiB, 1 vCPU, 1000 GiB traffic in total
	PlanMedium  int64 = 12 // 2 GiB, 40 GiB, 2 vCPUs, 2000 GiB
	PlanLarge   int64 = 13 // 8 GiB, 160 GiB, 4 vCPUs, no limit of traffic
	PlanHidden  int64 = 14 // not offered to customers
	PlanStorage int64 = 15 // of type vz

	LocationAmsterdam int64 = 21 // two compute resources that share their addresses
	LocationFrankfurt int64 = 22 // one compute resource with addresses of its own

	ImageUbuntu int64 = 31 // an image; what is installed is one of its versions
	ImageDebian int64 = 32

	VersionUbuntu2404 int64 = 41
	VersionUbuntu2204 int64 = 42
	VersionDebian12   int64 = 43
	VersionDebian11   int64 = 44 // deprecated
	VersionWindows    int64 = 45 // no SSH keys
	VersionAlmaVZ     int64 = 46 // for plans of type vz

	ApplicationNginx     int64 = 81
	ApplicationWordPress int64 = 82 // needs the inputs "admin_email" and "admin_password"

	NodeAmsterdam1 int64 = 6
	NodeAmsterdam2 int64 = 7
	NodeFrankfurt  int64 = 8
)

// seed fills a new panel with the default catalogue.
func (st *state) seed(now time.Time) {
	created := now.AddDate(-1, 0, 0)
	for _, p := range []Plan{
		{Name: "VPS S", MemoryMiB: 1024, DiskGiB: 20, VCPUs: 1, TotalTrafficGiB: 1000},
		{Name: "VPS M", MemoryMiB: 2048, DiskGiB: 40, VCPUs: 2, TotalTrafficGiB: 2000},
		{Name: "VPS L", MemoryMiB: 8192, DiskGiB: 160, VCPUs: 4},
		{Name: "VPS 2019", MemoryMiB: 512, DiskGiB: 10, VCPUs: 1, TotalTrafficGiB: 500, Hidden: true},
		{Name: "Container", MemoryMiB: 1024, DiskGiB: 20, VCPUs: 1, Virtualization: "vz", NoSnapshots: true, NoBackups: true, NoExtraIPs: true},
	} {
		st.addPlan(created, p)
	}
	for _, v := range []ImageVersion{
		{Image: "Ubuntu", Version: "24.04"},
		{Image: "Ubuntu", Version: "22.04"},
		{Image: "Debian", Version: "12"},
		{Image: "Debian", Version: "11", Deprecated: true},
		{Image: "Windows Server", Version: "2022"},
		{Image: "AlmaLinux", Version: "9", Virtualization: "vz"},
	} {
		st.addVersion(v)
	}
	st.addApplication(Application{Name: "Nginx"})
	st.addApplication(Application{Name: "WordPress", Required: []string{"admin_email", "admin_password"}})
	amsterdam, frankfurt := st.addLocation(created, &location{Name: "Amsterdam", Default: true}), st.addLocation(created, &location{Name: "Frankfurt"})
	shared := []int64{
		st.addIPBlock(created, IPBlock{
			Name: "Amsterdam IPv4", From: netip.MustParseAddr("198.18.0.2"), To: netip.MustParseAddr("198.18.31.254"), Gateway: netip.MustParseAddr("198.18.0.1"),
		}),
		st.addIPBlock(created, IPBlock{Name: "Amsterdam IPv6", Range: netip.MustParsePrefix("2001:db8:a::/64"), Gateway: netip.MustParseAddr("2001:db8:a::1")}),
	}
	own := []int64{
		st.addIPBlock(created, IPBlock{
			Name: "Frankfurt IPv4", From: netip.MustParseAddr("198.18.32.2"), To: netip.MustParseAddr("198.18.63.254"), Gateway: netip.MustParseAddr("198.18.32.1"),
		}),
		st.addIPBlock(created, IPBlock{Name: "Frankfurt IPv6", Range: netip.MustParsePrefix("2001:db8:f::/64"), Gateway: netip.MustParseAddr("2001:db8:f::1")}),
	}
	for _, n := range []ComputeResource{
		{Name: "ams-1", Host: "ams-1.solusvm2.test", LocationID: amsterdam.ID, BlockIDs: shared, MemoryMiB: 16 << 20, DiskGiB: 1_000_000},
		{Name: "ams-2", Host: "ams-2.solusvm2.test", LocationID: amsterdam.ID, BlockIDs: shared, MemoryMiB: 16 << 20, DiskGiB: 1_000_000},
		{Name: "fra-1", Host: "fra-1.solusvm2.test", LocationID: frankfurt.ID, BlockIDs: own, MemoryMiB: 16 << 20, DiskGiB: 1_000_000},
	} {
		st.addNode(created, n)
	}
}
