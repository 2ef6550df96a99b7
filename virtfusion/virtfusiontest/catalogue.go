package virtfusiontest

import (
	"net/netip"
	"time"
)

// Ids of the default catalogue.
const (
	PackageSmall    int64 = 1 // 1024 MB, 20 GB, 1 core, 1000 GB traffic
	PackageMedium   int64 = 2 // 2048 MB, 40 GB, 2 cores, 2000 GB traffic
	PackageLarge    int64 = 3 // 8192 MB, 160 GB, 4 cores, unlimited traffic, a second disk of 100 GB, a second interface
	PackageDisabled int64 = 4

	GroupAmsterdam int64 = 61 // two hypervisors
	GroupFrankfurt int64 = 62 // one hypervisor

	TemplateUbuntu  int64 = 21 // Ubuntu Server 24.04 LTS
	TemplateDebian  int64 = 23 // Debian 12
	TemplateFreeBSD int64 = 25
	TemplateWindows int64 = 26 // not for packages below 4096 MB
	TemplateAlpine  int64 = 27 // in group 0, "Other"
)

// seed fills a new panel with the default catalogue.
func (st *state) seed(now time.Time) {
	created := now.AddDate(-1, 0, 0)
	st.seedNetworking(created)
	st.seedManaging(created)
	for _, p := range []Package{
		{Name: "VPS S", MemoryMB: 1024, DiskGB: 20, Cores: 1, TrafficGB: 1000, SpeedInKBps: 12500, SpeedOutKBps: 12500},
		{Name: "VPS M", MemoryMB: 2048, DiskGB: 40, Cores: 2, TrafficGB: 2000, SpeedInKBps: 25000, SpeedOutKBps: 25000},
		{Name: "VPS L", MemoryMB: 8192, DiskGB: 160, Cores: 4, SecondDiskGB: 100, PrivateNetwork: true},
		{Name: "VPS 2019", MemoryMB: 512, DiskGB: 10, Cores: 1, TrafficGB: 500, Disabled: true},
	} {
		st.addPackage(created, p)
	}
	for _, t := range []Template{
		{Group: "Ubuntu", Name: "Ubuntu Server", Version: "24.04 LTS (Noble Numbat)", Variant: "Minimal"},
		{Group: "Ubuntu", Name: "Ubuntu Server", Version: "22.04 LTS (Jammy Jellyfish)", Variant: "Minimal"},
		{Group: "Debian", Name: "Debian", Version: "12 (Bookworm)", Variant: "Minimal"},
		{Group: "Debian", Name: "Debian", Version: "11 (Bullseye)"},
		{Group: "FreeBSD", Name: "FreeBSD", Version: "14.1", Variant: "Minimal", Type: "unix"},
		{Group: "Windows", Name: "Windows Server", Version: "2022", Variant: "Standard", Type: "windows", MinMemoryMB: 4096},
		{Group: "Other", Name: "Alpine Linux", Version: "3.20"},
	} {
		st.addTemplate(t)
	}
	st.addGroup(created, HypervisorGroup{
		Name: "Amsterdam", IPv4: netip.MustParsePrefix("198.18.0.0/19"), IPv6: netip.MustParsePrefix("2001:db8:a::/48"),
		Hypervisors: []Hypervisor{
			{Name: "ams-hv1", IP: "192.0.2.11", MemoryMB: 1 << 20, Cores: 4096, DiskGB: 40_000},
			{Name: "ams-hv2", IP: "192.0.2.12", MemoryMB: 1 << 20, Cores: 4096, DiskGB: 40_000},
		},
	})
	st.addGroup(created, HypervisorGroup{
		Name: "Frankfurt", IPv4: netip.MustParsePrefix("198.18.32.0/19"), IPv6: netip.MustParsePrefix("2001:db8:f::/48"),
		Hypervisors: []Hypervisor{{Name: "fra-hv1", IP: "192.0.2.21", MemoryMB: 1 << 20, Cores: 4096, DiskGB: 40_000}},
	})
}
