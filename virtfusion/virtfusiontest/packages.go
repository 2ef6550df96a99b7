package virtfusiontest

import "time"

// plan is a server package.
type plan struct {
	ID      int64     `json:"id"`
	Created time.Time `json:"created"`
	Package `json:"package"`
}

// Package describes a package to add. 0 GB of traffic and 0 kB/s mean unlimited.
type Package struct {
	Name           string `json:"name"`
	MemoryMB       int64  `json:"memoryMB"`
	DiskGB         int64  `json:"diskGB"`
	Cores          int64  `json:"cores"`
	TrafficGB      int64  `json:"trafficGB"`
	SpeedInKBps    int64  `json:"speedIn"`
	SpeedOutKBps   int64  `json:"speedOut"`
	SecondDiskGB   int64  `json:"secondDiskGB"`
	PrivateNetwork bool   `json:"privateNetwork"` // servers get a secondary interface with a private address
	Disabled       bool   `json:"disabled"`
}

// AddPackage adds a package and returns its id.
func (p *Panel) AddPackage(in Package) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.addPackage(clock(), in)
}

func (st *state) addPackage(now time.Time, in Package) int64 {
	p := &plan{ID: st.next("package"), Created: now, Package: in}
	st.Packages[p.ID] = p
	return p.ID
}

func packageOperations() []operation {
	return []operation{
		{"listPackages", "GET /packages", "", (*call).listPackages},
		{"getPackage", "GET /packages/{packageId}", "", (*call).getPackage},
	}
}

// listPackages has no pages and shows disabled packages too.
func (c *call) listPackages() answer {
	list := []obj{}
	for _, p := range sorted(c.Packages) {
		list = append(list, c.packageJSON(p))
	}
	return ok(list)
}

func (c *call) getPackage() answer {
	p := c.Packages[c.id("packageId")]
	if p == nil {
		return missing("package")
	}
	return ok(c.packageJSON(p))
}

func (p *plan) json() obj {
	return obj{
		"id": p.ID, "name": p.Name, "description": nil, "enabled": !p.Disabled, "memory": p.MemoryMB, "primaryStorage": p.DiskGB, "traffic": p.TrafficGB,
		"cpuCores": p.Cores, "primaryNetworkSpeedIn": p.SpeedInKBps, "primaryNetworkSpeedOut": p.SpeedOutKBps, "primaryDiskType": "inherit", "backupPlanId": 0,
		"primaryStorageReadBytesSec": nil, "primaryStorageWriteBytesSec": nil, "primaryStorageReadIopsSec": nil, "primaryStorageWriteIopsSec": nil,
		"primaryStorageProfile": 1, "primaryNetworkProfile": 0, "created": micros(p.Created),
	}
}
