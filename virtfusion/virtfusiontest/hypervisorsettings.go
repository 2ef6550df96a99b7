package virtfusiontest

import (
	"net/http"
	"strconv"
)

// hypervisorSets is what was changed on a hypervisor besides what it has anyway. nil is unchanged.
type hypervisorSets struct {
	Off        bool   `json:"off"`
	Prohibit   bool   `json:"prohibit"`
	MaxServers int64  `json:"maxServers"`
	NetFilter  *int64 `json:"netFilter"`
	Filtered   int    `json:"filtered"` // how often the network filters were made anew
}

func hypervisorSettingOperations() []operation {
	return []operation{
		{"updateHypervisor", "PUT /compute/hypervisors/{hypervisorId}", V71, (*call).updateHypervisor},
		{"getHypervisorMetrics", "GET /compute/hypervisors/{hypervisorId}/metrics", V71, (*call).getHypervisorMetrics},
		{"listHypervisorStoragePoints", "GET /compute/hypervisors/{hypervisorId}/storage", V71, (*call).listHypervisorStoragePoints},
		{"regenerateHypervisorNetworkFilters", "POST /compute/hypervisors/{hypervisorId}/networkFilters/regenerate", V71, (*call).regenerateNetworkFilters},
		{"listNetworkFilterComponents", "GET /compute/networkFilters/components", V71, func(*call) answer { return unseen(http.StatusOK) }},
	}
}

// sets returns the record of a hypervisor.
func (st *state) sets(h *hypervisor) *hypervisorSets {
	if s := st.Managed.Hypervisors[h.ID]; s != nil {
		return s
	}
	return put(&st.Managed.Hypervisors, h.ID, &hypervisorSets{})
}

// closed reports whether no server may be placed on a hypervisor.
func (st *state) closed(h *hypervisor) bool {
	s := st.Managed.Hypervisors[h.ID]
	return h.Maintenance || s != nil && (s.Off || s.Prohibit || s.MaxServers > 0 && st.usage(h.ID).servers >= s.MaxServers)
}

// changed adds to a hypervisor what was changed on it.
func (c *call) changed(h *hypervisor, o obj) obj {
	s := c.Managed.Hypervisors[h.ID]
	if s == nil {
		return o
	}
	o["enabled"], o["maxServers"] = !s.Off, s.MaxServers
	if c.panel.version >= V71 {
		o["prohibit"] = s.Prohibit
	}
	if s.NetFilter != nil {
		o["nfType"] = *s.NetFilter
	}
	return o
}

// updateHypervisor refuses members that it does not know. Wording: guess.
func (c *call) updateHypervisor() answer {
	h := c.Hypervisors[c.id("hypervisorId")]
	if h == nil {
		return missing("hypervisor")
	}
	f := c.form()
	changed, sets := *h, *c.sets(h)
	f.named(&changed.Name)
	changed.Maintenance, sets.Off, sets.Prohibit = f.bool("maintenance", h.Maintenance), !f.bool("enabled", !sets.Off), f.bool("prohibit", sets.Prohibit)
	changed.GroupID = f.count("groupId", h.GroupID)
	if c.Groups[changed.GroupID] == nil {
		f.fail("The selected group id is invalid.")
	}
	sets.MaxServers = f.int("maxServers", sets.MaxServers, 0, 9999)
	changed.Cores, changed.MemoryMB = f.int("maxCpu", h.Cores, 0, 9999), f.int("maxMemory", h.MemoryMB, 0, 99_999_999)
	if f.has("nfType") {
		n := f.int("nfType", 0, 0, 5)
		sets.NetFilter = &n
	}
	f.int("licenseType", 1, 1, 7)
	f.choice("diskType", "inherit", "inherit", "qcow2", "raw")
	f.choice("diskCacheType", "inherit", "inherit", "none", "writethrough", "writeback", "directsync", "unsafe")
	f.count("backupStorageType", 0)
	for name := range f.in {
		switch name {
		case "name", "maintenance", "enabled", "prohibit", "groupId", "maxServers", "maxCpu", "maxMemory", "nfType", "licenseType", "diskType", "diskCacheType",
			"backupStorageType":
		default:
			f.fail("The %s field is unknown.", words(name))
		}
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	*h = changed
	put(&c.Managed.Hypervisors, h.ID, &sets)
	return unseen(http.StatusOK)
}

func (c *call) getHypervisorMetrics() answer {
	if c.Hypervisors[c.id("hypervisorId")] == nil {
		return missing("hypervisor")
	}
	if text := c.r.URL.Query().Get("minutes"); text != "" {
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 40_320 {
			return invalid("The minutes field must be between 1 and 40320.")
		}
	}
	return unseen(http.StatusOK)
}

func (c *call) listHypervisorStoragePoints() answer {
	if c.Hypervisors[c.id("hypervisorId")] == nil {
		return missing("hypervisor")
	}
	return unseen(http.StatusOK)
}

// regenerateNetworkFilters only counts: what the filters do is not simulated.
func (c *call) regenerateNetworkFilters() answer {
	h := c.Hypervisors[c.id("hypervisorId")]
	if h == nil {
		return missing("hypervisor")
	}
	c.sets(h).Filtered++
	return unseen(http.StatusOK)
}
