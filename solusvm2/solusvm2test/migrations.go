package solusvm2test

import (
	"fmt"
	"slices"
)

func migrationOperations() []operation {
	return []operation{{"migrateServers", "POST /servers_migrations", admins, (*call).migrateServers}}
}

// migrateServers starts a task for each server and one over all. Addresses survive when both compute resources hand out their block; with preserve_ips others
// are refused, without it they are replaced. A live migration needs running servers of kind kvm. How refusals look is a guess.
func (c *call) migrateServers() answer {
	f := c.form()
	f.require("servers", "destination_compute_resource_id")
	ids, target := refIDs(f, "servers", nil, c.Servers), c.Nodes[refID(f, "destination_compute_resource_id", 0, c.Nodes)]
	live, preserve := f.bool("is_live", false), f.bool("preserve_ips", false)
	if f.failed() {
		return f.invalid()
	}
	if target.Status != nodeActive || target.Locked {
		f.fail("destination_compute_resource_id", "The compute resource is not available.")
	}
	for i, id := range ids {
		name, s := fmt.Sprintf("servers.%d", i), c.Servers[id]
		switch {
		case !s.Deleted.IsZero(), s.NodeID == target.ID:
			f.fail(name, "The selected %s is invalid.", name)
		case live && (!s.Running || s.Plan.Virtualization != "kvm"):
			f.fail(name, "The server cannot be migrated live.")
		case preserve && len(c.strangers(s, target.ID)) > 0:
			f.fail(name, "The IP addresses of the server cannot be preserved.")
		case !c.hosts(target, s):
			f.fail(name, "There are not enough resources on the compute resource.")
		case c.openTask(s) != nil:
			return busy()
		}
	}
	if f.failed() {
		return f.invalid()
	}
	children, list := []int64{}, []obj{}
	for _, id := range ids {
		t := c.start(c.Servers[id], TaskMigrate, c.panel.timing.Migrate, work{TargetID: target.ID})
		children, list = append(children, t.ID), append(list, c.taskJSON(t))
	}
	parent := c.startOnNode(target, taskMigration, c.panel.timing.Migrate, work{Tasks: children})
	return made(obj{"id": c.next("migration"), "destination_compute_resource": c.nodeJSON(target), "task": c.taskJSON(parent), "children": list})
}

// strangers are the addresses of a server that another compute resource cannot hand out.
func (st *state) strangers(s *server, nodeID int64) []*address {
	var list []*address
	for _, id := range s.Addresses {
		if a := st.Addresses[id]; !slices.Contains(st.Blocks[a.BlockID].Nodes, nodeID) {
			list = append(list, a)
		}
	}
	return list
}

// hosts reports whether a compute resource has room for a server and for the addresses that it would need.
func (st *state) hosts(n *node, s *server) bool {
	var need [2]int64
	for _, a := range st.strangers(s, n.ID) {
		if st.Blocks[a.BlockID].V6 {
			need[1]++
		} else {
			need[0]++
		}
	}
	return st.fits(n, s.Plan.RAM/mebibyte, s.diskGiB()) && st.room(n.ID, false, need[0]) && st.room(n.ID, true, need[1])
}

// finishMigrate moves a server. A change of addresses triggers the event of additional addresses too, as the vendor's guide says.
func (st *state) finishMigrate(t *task, s *server, well bool) {
	n := st.Nodes[t.Work.TargetID]
	if !well {
		return
	}
	if n == nil || n.Status != nodeActive || !st.hosts(n, s) {
		t.Status, t.Output = TaskFailed, "The compute resource is not available."
		return
	}
	s.NodeID = n.ID
	if len(n.Locations) > 0 && !slices.Contains(n.Locations, s.LocationID) {
		s.LocationID = n.Locations[0]
	}
	changed := st.strangers(s, n.ID)
	for _, old := range changed {
		fresh := st.take(t.Finish, n.ID, s.ID, st.Blocks[old.BlockID].V6)
		fresh.Primary = old.Primary
		s.Addresses[slices.Index(s.Addresses, old.ID)] = fresh.ID
		st.back(old)
	}
	st.fire(t.Finish, EventServerMigrated, subject{server: s})
	if len(changed) > 0 {
		st.fire(t.Finish, EventAdditionalIP, subject{server: s})
	}
}

// Migrate moves a server to another compute resource, as an administrator does it in the panel: when the task ends, its addresses are others where the blocks
// differ. It returns the id of the task.
func (p *Panel) Migrate(serverID, computeResourceID int64) (taskID int64, err error) {
	p.look(func(c *call) {
		s, n := c.Servers[serverID], c.Nodes[computeResourceID]
		switch {
		case s == nil || n == nil || !s.Deleted.IsZero() || s.NodeID == n.ID:
			err = fmt.Errorf("solusvm2test: server %d cannot move to compute resource %d", serverID, computeResourceID)
		case c.openTask(s) != nil || !c.hosts(n, s):
			err = fmt.Errorf("solusvm2test: server %d is busy, or there is no room for it", serverID)
		default:
			taskID = c.start(s, TaskMigrate, c.panel.timing.Migrate, work{TargetID: n.ID}).ID
		}
	})
	return taskID, err
}
