package solusvm2test

import (
	"math"
	"slices"
	"time"
)

// Statuses of compute resources.
const (
	nodeCommissioning = "commissioning"
	nodeUnconfigured  = "configure_network"
	nodeActive        = "active"
	nodeUnavailable   = "unavailable"
)

// node is a compute resource.
type node struct {
	ID          int64          `json:"id"`
	Name        string         `json:"name"`
	Host        string         `json:"host"`
	AgentPort   int64          `json:"agentPort"`
	Status      string         `json:"status"`
	License     string         `json:"license"`
	Locked      bool           `json:"locked"`      // takes no new servers
	Maintenance bool           `json:"maintenance"` // customers may do nothing with its servers
	Locations   []int64        `json:"locations"`
	MemoryMiB   int64          `json:"memoryMiB"` // what its servers may have together; 0 is no limit, and so with DiskGiB
	DiskGiB     int64          `json:"diskGiB"`
	Settings    map[string]any `json:"settings"`
	Created     time.Time      `json:"created"`
	Ready       time.Time      `json:"ready"` // end of the commissioning
}

// ComputeResource describes a compute resource to add.
type ComputeResource struct {
	Name       string
	Host       string
	LocationID int64
	BlockIDs   []int64 // blocks of addresses that it hands out
	MemoryMiB  int64   // what its servers may have together; 0 is no limit
	DiskGiB    int64   // the same
}

// AddComputeResource adds an active compute resource and returns its id.
func (p *Panel) AddComputeResource(in ComputeResource) int64 {
	return view(p, func(c *call) int64 { return c.addNode(c.now, in) })
}

func (st *state) addNode(now time.Time, in ComputeResource) int64 {
	n := &node{
		ID: st.next("node"), Name: in.Name, Host: in.Host, AgentPort: 8080, Status: nodeActive, License: "standard", Locations: []int64{in.LocationID},
		MemoryMiB: in.MemoryMiB, DiskGiB: in.DiskGiB, Settings: newNodeSettings(), Created: now, Ready: now,
	}
	st.Nodes[n.ID] = n
	for _, id := range in.BlockIDs {
		if b := st.Blocks[id]; b != nil {
			b.Nodes = linked(b.Nodes, n.ID, true)
		}
	}
	st.addStorage(n.ID, "fb", "/var/lib/libvirt/images")
	return n.ID
}

func newNodeSettings() map[string]any {
	unlimited := obj{"unlimited": true, "total": 0, "used": 0}
	return obj{
		"cache_path": "/var/cache/images", "iso_path": "/var/iso", "backup_tmp_path": "/var/backup", "vnc_proxy_port": 6080, "balance_strategy": "round-robin",
		"limits":  obj{"vm": unlimited, "hdd": unlimited, "ram": unlimited, "vcpu": unlimited},
		"network": obj{"type": "bridged", "bridges": []obj{{"type": "public", "name": "br0"}}}, "virtualization_types": []string{"kvm", "vz"},
	}
}

// SetComputeResourceStatus changes the status of a compute resource ("active", "unavailable", "failed"). Servers of one that is not active are unavailable,
// and their tasks fail. Event handlers fire.
func (p *Panel) SetComputeResourceStatus(id int64, status string) {
	p.look(func(c *call) {
		if n := c.Nodes[id]; n != nil {
			c.setNodeStatus(c.now, n, status)
		}
	})
}

func (st *state) setNodeStatus(now time.Time, n *node, status string) {
	if n.Status != status {
		n.Status = status
		st.fire(now, EventComputeResourceStatus, subject{node: n})
	}
}

// SetMaintenance puts a compute resource into maintenance mode or ends it: roles without the permission for it may do nothing with its servers.
func (p *Panel) SetMaintenance(id int64, on bool) {
	p.look(func(c *call) {
		if n := c.Nodes[id]; n != nil {
			n.Maintenance = on
		}
	})
}

func nodeOperations() []operation {
	return []operation{
		{"listComputeResources", "GET /compute_resources", admins, (*call).listNodes},
		{"createComputeResource", "POST /compute_resources", admins, (*call).createNode},
		{"getComputeResource", "GET /compute_resources/{id}", admins, (*call).getNode},
		{"patchComputeResource", "PATCH /compute_resources/{id}", admins, (*call).patchNode},
		{"deleteComputeResource", "DELETE /compute_resources/{id}", admins, (*call).deleteNode},
		{"updateComputeResourceSettings", "PUT /compute_resources/{id}/settings", admins, (*call).updateNodeSettings},
		{"listComputeResourceNetworks", "GET /compute_resources/{id}/networks", admins, (*call).listNodeNetworks},
		{"setupComputeResourceNetwork", "POST /compute_resources/{id}/setup_network", admins, (*call).setupNodeNetwork},
		{"listInstallSteps", "GET /compute_resources/{id}/install_steps", admins, (*call).listInstallSteps},
		{"getComputeResourceUsage", "GET /compute_resources/{id}/usage", admins, (*call).getNodeUsage},
	}
}

func (c *call) listNodes() answer {
	return page(c, slices.DeleteFunc(sorted(c.Nodes), func(n *node) bool { return !c.found(n.Name, n.Host) }), c.nodeJSON)
}

func (c *call) getNode() answer {
	n := find(c, c.Nodes)
	if n == nil {
		return c.lost("ComputeResource")
	}
	return ok(c.nodeJSON(n))
}

// readNode reads what creation and change have in common; the credentials are not kept.
func (c *call) readNode(f *form, n *node) (blocks []int64) {
	n.Name, n.Host = f.text("name", n.Name, 255), f.text("host", n.Host, 255)
	n.AgentPort = f.int("agent_port", n.AgentPort, 1, math.MaxUint16)
	n.Locations = refIDs(f, "locations", n.Locations, c.Locations)
	n.License = f.word("license_type", n.License, "micro", "mini", "standard")
	return refIDs(f, "ip_blocks", nil, c.Blocks)
}

func (c *call) setBlocks(f *form, n *node, blocks []int64) {
	for _, b := range c.Blocks {
		if f.has("ip_blocks") {
			b.Nodes = linked(b.Nodes, n.ID, slices.Contains(blocks, b.ID))
		}
	}
}

// createNode starts the commissioning, which ends by itself and leaves the network to be configured.
func (c *call) createNode() answer {
	f := c.form()
	f.require("name", "host", "login", "type")
	f.word("type", "", "lpass", "lkey")
	switch f.in["type"] {
	case "lpass":
		f.require("password")
	case "lkey":
		f.require("key")
	}
	f.int("port", 22, 1, math.MaxUint16)
	n := &node{AgentPort: 8080, License: "standard", Status: nodeCommissioning, Settings: newNodeSettings(), Created: c.now}
	blocks := c.readNode(f, n)
	if f.failed() {
		return f.invalid()
	}
	n.ID, n.Ready = c.next("node"), c.now.Add(c.panel.timing.Commission)
	c.Nodes[n.ID] = n
	c.setBlocks(f, n, blocks)
	c.addStorage(n.ID, "fb", "/var/lib/libvirt/images")
	c.startOnNode(n, taskCommission, c.panel.timing.Commission, work{})
	c.log(c.now, c.user.Email, "compute_resource_create_requested", obj{"id": n.ID, "name": n.Name})
	return made(c.nodeJSON(n))
}

func (c *call) patchNode() answer {
	n := find(c, c.Nodes)
	if n == nil {
		return c.lost("ComputeResource")
	}
	f := c.form()
	changed := *n
	blocks := c.readNode(f, &changed)
	changed.Locked = f.bool("is_locked", n.Locked)
	if f.failed() {
		return f.invalid()
	}
	*n = changed
	c.setBlocks(f, n, blocks)
	return ok(c.nodeJSON(n))
}

// deleteNode refuses one with servers, unless it is forced, which removes them from the panel (guess).
func (c *call) deleteNode() answer {
	n := find(c, c.Nodes)
	if n == nil {
		return c.lost("ComputeResource")
	}
	f := c.form()
	force := f.bool("force", false)
	if f.failed() {
		return f.invalid()
	}
	servers := slices.DeleteFunc(c.live(), func(s *server) bool { return s.NodeID != n.ID })
	if len(servers) > 0 && !force {
		return conflict("The compute resource has servers.")
	}
	for _, s := range servers {
		c.remove(c.now, s)
	}
	for _, b := range c.Blocks {
		b.Nodes = linked(b.Nodes, n.ID, false)
	}
	delete(c.Nodes, n.ID)
	c.log(c.now, c.user.Email, "compute_resource_delete_requested", obj{"id": n.ID, "name": n.Name})
	return noContent()
}

// updateNodeSettings stores the members that are sent, and answers all of them.
func (c *call) updateNodeSettings() answer {
	n := find(c, c.Nodes)
	if n == nil {
		return c.lost("ComputeResource")
	}
	f := c.form()
	f.word("balance_strategy", "", "round-robin", "random", "most-storage-available")
	f.int("vnc_proxy_port", 0, 1, math.MaxUint16)
	if f.failed() {
		return f.invalid()
	}
	for name := range n.Settings {
		if f.has(name) {
			n.Settings[name] = f.in[name]
		}
	}
	return ok(n.Settings)
}

func (c *call) listNodeNetworks() answer {
	n := find(c, c.Nodes)
	if n == nil {
		return c.lost("ComputeResource")
	}
	return unpaged([]string{"eth0"}, func(name string) obj {
		return obj{
			"id": name, "name": name, "addr_conf_type": "static", "ip_version": 4, "ip": "192.0.2." + itoa(n.ID), "mask": "255.255.255.0", "mask_size": 24,
		}
	})
}

// setupNodeNetwork ends in the status active.
func (c *call) setupNodeNetwork() answer {
	n := find(c, c.Nodes)
	if n == nil {
		return c.lost("ComputeResource")
	}
	f := c.form()
	f.require("id", "type")
	kind := f.word("type", "", "routed", "bridged")
	if f.in["id"] != nil && f.in["id"] != "eth0" {
		f.fail("id", "The selected id is invalid.")
	}
	if f.failed() {
		return f.invalid()
	}
	if n.Status != nodeUnconfigured && n.Status != nodeActive {
		return conflict("The compute resource is not ready for its network.")
	}
	n.Settings["network"] = obj{"type": kind, "bridges": []obj{{"type": "public", "name": "br0"}}}
	return ok(c.taskJSON(c.startOnNode(n, taskConfigureNetwork, c.panel.timing.Network, work{})))
}

func (c *call) listInstallSteps() answer {
	n := find(c, c.Nodes)
	if n == nil {
		return c.lost("ComputeResource")
	}
	titles := []string{"Checking the system", "Installing packages", "Starting the agent"}
	return unpaged([]int64{1, 2, 3}, func(i int64) obj {
		progress := 100.0
		if total := n.Ready.Sub(n.Created); c.now.Before(n.Ready) {
			progress = min(max(300*float64(c.now.Sub(n.Created))/float64(total)-float64(i-1)*100, 0), 100)
		}
		status := "running"
		if progress == 100 {
			status = "done"
		}
		return obj{"id": i, "compute_resource_id": n.ID, "title": titles[i-1], "status": status, "status_text": "", "progress": math.Floor(progress)}
	})
}

// getNodeUsage has a shape that nobody has seen.
func (c *call) getNodeUsage() answer {
	n := find(c, c.Nodes)
	if n == nil {
		return c.lost("ComputeResource")
	}
	return ok(obj{})
}

// load is what the servers of a compute resource have together.
func (st *state) load(nodeID int64) (servers, memoryMiB, diskGiB int64) {
	for _, s := range st.Servers {
		if s.NodeID == nodeID && s.Deleted.IsZero() {
			servers, memoryMiB, diskGiB = servers+1, memoryMiB+s.Plan.RAM/mebibyte, diskGiB+s.diskGiB()
		}
	}
	return servers, memoryMiB, diskGiB
}

// fits reports whether a compute resource has room for more.
func (st *state) fits(n *node, memoryMiB, diskGiB int64) bool {
	_, memory, disk := st.load(n.ID)
	return (n.MemoryMiB == 0 || memory+memoryMiB <= n.MemoryMiB) && (n.DiskGiB == 0 || disk+diskGiB <= n.DiskGiB)
}

func (c *call) nodeJSON(n *node) obj {
	servers, _, _ := c.load(n.ID)
	blocks, ipv6 := []obj{}, false
	for _, b := range sorted(c.Blocks) {
		if slices.Contains(b.Nodes, n.ID) {
			blocks, ipv6 = append(blocks, b.json()), ipv6 || b.V6
		}
	}
	return obj{
		"id": n.ID, "name": n.Name, "host": n.Host, "agent_port": n.AgentPort, "status": n.Status, "settings": n.Settings, "ip_blocks": blocks,
		"locations": refs(n.Locations, c.Locations, func(l *location) string { return l.Name }), "metrics": obj{"network": obj{"ipv6_enabled": ipv6}},
		"vms_count": servers, "version": "2.0.0", "is_locked": n.Locked,
	}
}
