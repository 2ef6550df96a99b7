package virtfusiontest

import (
	"cmp"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// group is a hypervisor group, which is what POST /servers means by hypervisorId.
type group struct {
	ID               int64     `json:"id"`
	Name             string    `json:"name"`
	Description      string    `json:"description"`
	DistributionType int       `json:"distributionType"`
	Enabled          bool      `json:"enabled"`
	Default          bool      `json:"default"`
	Created          time.Time `json:"created"`
}

type hypervisor struct {
	ID          int64     `json:"id"`
	GroupID     int64     `json:"groupId"`
	NetworkID   int64     `json:"networkId"`
	Name        string    `json:"name"`
	IP          string    `json:"ip"`
	MemoryMB    int64     `json:"memoryMB"`
	Cores       int64     `json:"cores"`
	DiskGB      int64     `json:"diskGB"`
	Maintenance bool      `json:"maintenance"`
	Unreachable bool      `json:"unreachable"`
	Created     time.Time `json:"created"`
}

// HypervisorGroup describes a group to add. Without a prefix it has no addresses of that family; an IPv6 prefix is handed out as /64.
type HypervisorGroup struct {
	Name        string
	IPv4, IPv6  netip.Prefix
	Hypervisors []Hypervisor
}

// Hypervisor describes a hypervisor to add. 0 cores, memory or disk means unlimited.
type Hypervisor struct {
	Name     string
	IP       string
	MemoryMB int64
	Cores    int64
	DiskGB   int64
}

// AddHypervisorGroup adds a group with its hypervisors and addresses and returns its id.
func (p *Panel) AddHypervisorGroup(g HypervisorGroup) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.addGroup(clock(), g)
}

func (st *state) addGroup(now time.Time, in HypervisorGroup) int64 {
	g := &group{ID: st.next("group"), Name: in.Name, Description: in.Name + " location", DistributionType: 5, Enabled: true, Default: len(st.Groups) == 0, Created: now}
	st.Groups[g.ID] = g
	for _, prefix := range []netip.Prefix{in.IPv4, in.IPv6} {
		if prefix.IsValid() {
			b := &block{ID: st.next("block"), Name: in.Name + " " + prefix.String(), GroupID: g.ID, Prefix: prefix, Used: map[string]int64{}}
			st.Blocks[b.ID] = b
		}
	}
	for _, h := range in.Hypervisors {
		hv := &hypervisor{
			ID: st.next("hypervisor"), GroupID: g.ID, NetworkID: st.next("network"), Name: h.Name, IP: cmp.Or(h.IP, "192.0.2.254"),
			MemoryMB: h.MemoryMB, Cores: h.Cores, DiskGB: h.DiskGB, Created: now,
		}
		st.Hypervisors[hv.ID] = hv
	}
	return g.ID
}

// SetHypervisorReachable says whether hypervisors answer, all of them when none is named. While one does not, live state is missing and its queue items fail.
func (p *Panel) SetHypervisorReachable(reachable bool, ids ...int64) {
	p.changeHypervisors(ids, func(h *hypervisor) { h.Unreachable = !reachable })
}

// SetMaintenance puts hypervisors into maintenance, all of them when none is named. Power operations are answered 503, and no server is placed there.
func (p *Panel) SetMaintenance(on bool, ids ...int64) {
	p.changeHypervisors(ids, func(h *hypervisor) { h.Maintenance = on })
}

func (p *Panel) changeHypervisors(ids []int64, change func(*hypervisor)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.settle(clock())
	for _, h := range p.state.Hypervisors {
		if len(ids) == 0 || slices.Contains(ids, h.ID) {
			change(h)
		}
	}
}

// usage is what the servers of a hypervisor hold.
type usage struct{ servers, memoryMB, cores, diskGB int64 }

func (st *state) usage(hypervisorID int64) usage {
	var u usage
	for _, s := range st.Servers {
		if s.HypervisorID == hypervisorID && s.Deleted.IsZero() {
			u.servers++
			u.memoryMB += s.MemoryMB
			u.cores += s.Cores
			for _, d := range s.Disks {
				u.diskGB += d.CapacityGB
			}
		}
	}
	return u
}

// place finds the hypervisor of a group with most free memory that has room; nil when none has.
func (st *state) place(groupID, memoryMB, cores, diskGB int64) *hypervisor {
	var best *hypervisor
	var most int64
	for _, h := range sorted(st.Hypervisors) {
		if h.GroupID != groupID || st.closed(h) || !st.fits(h, memoryMB, cores, diskGB) {
			continue
		}
		if left := limit(h.MemoryMB) - st.usage(h.ID).memoryMB; best == nil || left > most {
			best, most = h, left
		}
	}
	return best
}

// fits reports whether a hypervisor has room for that much more.
func (st *state) fits(h *hypervisor, memoryMB, cores, diskGB int64) bool {
	u := st.usage(h.ID)
	return u.memoryMB+memoryMB <= limit(h.MemoryMB) && u.cores+cores <= limit(h.Cores) && u.diskGB+diskGB <= limit(h.DiskGB)
}

// limit reads 0 as no limit.
func limit(n int64) int64 { return cmp.Or(n, math.MaxInt64) }

func hypervisorOperations() []operation {
	return []operation{
		{"listHypervisors", "GET /compute/hypervisors", "", (*call).listHypervisors},
		{"getHypervisor", "GET /compute/hypervisors/{hypervisorId}", "", (*call).getHypervisor},
		{"listHypervisorGroups", "GET /compute/hypervisors/groups", "", (*call).listHypervisorGroups},
		{"getHypervisorGroup", "GET /compute/hypervisors/groups/{hypervisorGroupId}", "", (*call).getHypervisorGroup},
		{"listHypervisorGroupResources", "GET /compute/hypervisors/groups/{hypervisorGroupId}/resources", "", (*call).listHypervisorGroupResources},
	}
}

func (c *call) listHypervisors() answer {
	return page(c, sorted(c.Hypervisors), true, func(h *hypervisor) obj {
		row := c.hypervisorJSON(h)
		row["storage"] = []any{} // only in the list
		return row
	})
}

func (c *call) getHypervisor() answer {
	h := c.Hypervisors[c.id("hypervisorId")]
	if h == nil {
		return missing("hypervisor")
	}
	return ok(c.hypervisorJSON(h))
}

func (c *call) listHypervisorGroups() answer {
	return page(c, sorted(c.Groups), true, func(g *group) obj {
		row := g.json()
		row["label"] = nil
		return row
	})
}

func (c *call) getHypervisorGroup() answer {
	g := c.Groups[c.id("hypervisorGroupId")]
	if g == nil {
		return missing("hypervisor group")
	}
	row := g.json()
	row["label"] = nil
	return ok(row)
}

func (c *call) listHypervisorGroupResources() answer {
	g := c.Groups[c.id("hypervisorGroupId")]
	if g == nil {
		return missing("hypervisor group")
	}
	rows := slices.DeleteFunc(sorted(c.Hypervisors), func(h *hypervisor) bool { return h.GroupID != g.ID })
	return page(c, rows, true, func(h *hypervisor) obj {
		resources := c.resourcesJSON(h)
		resources["network"] = obj{"total": obj{"ipv4": obj{"free": c.blockOf(g.ID, false).free()}}} // of the group, on every row
		return obj{
			"hypervisor": obj{"id": h.ID, "name": h.Name, "enabled": true, "prohibit": false, "accept": false, "commissioned": true},
			"resources":  resources,
		}
	})
}

func (g *group) json() obj {
	return obj{
		"id": g.ID, "name": g.Name, "description": g.Description, "distributionType": g.DistributionType, "enabled": g.Enabled, "default": g.Default,
		"created": offset(g.Created), "updated": offset(g.Created),
	}
}

func (c *call) hypervisorJSON(h *hypervisor) obj {
	return c.changed(h, obj{
		"id": h.ID, "commissioned": 3, "ip": h.IP, "ipAlt": nil, "hostname": nil, "port": 8892, "sshPort": 22, "name": h.Name, "maintenance": h.Maintenance,
		"enabled": true, "nfType": 4, "group": c.Groups[h.GroupID].json(), "encryptedToken": encrypted, "maxServers": 0, "maxCpu": h.Cores, "maxMemory": h.MemoryMB,
		"networks": c.networksJSON(h),
		"created":  offset(h.Created), "updated": offset(h.Created),
	})
}

// resourcesJSON is what a hypervisor has and what of it is allocated, as in groups and in servers.
func (c *call) resourcesJSON(h *hypervisor) obj {
	u := c.usage(h.ID)
	disk := amount("GB", h.DiskGB, u.diskGB)
	disk["enabled"], disk["name"], disk["storageType"] = 1, "Local (Default mountpoint)", 1
	return obj{
		"servers": amount("#", 0, u.servers), "memory": amount("MB", h.MemoryMB, u.memoryMB), "cpuCores": amount("#", h.Cores, u.cores),
		"localStorage": disk, "otherStorage": []any{},
	}
}

// amount renders one resource. Without a limit, free is negative and percent null.
func amount(units string, most, allocated int64) obj {
	o := obj{"units": units, "max": most, "allocated": allocated, "free": most - allocated, "percent": nil}
	if most > 0 {
		o["percent"] = math.Round(float64(allocated)*1000/float64(most)) / 10
	}
	return o
}

// encrypted stands where the panel shows something encrypted with its own key.
const encrypted = "encrypted-by-the-simulated-panel"

// maintenance is the refusal of a power operation on a hypervisor in maintenance. The status is documented, the wording is not.
func maintenance() answer {
	return refuse(http.StatusServiceUnavailable, "hypervisor is in maintenance mode")
}
