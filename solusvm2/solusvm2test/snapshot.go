package solusvm2test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Snapshot returns the whole state of the panel, its tokens and event handlers included, as JSON. Fault rules, the request log and late commits are not part
// of it.
func (p *Panel) Snapshot() ([]byte, error) {
	var b []byte
	var err error
	p.look(func(c *call) { b, err = json.Marshal(c.state) })
	return b, err
}

// Restore replaces the state of the panel by a snapshot. What time did to it since then happens at the next look; event handlers fire for it then. Calls of
// webhooks that had not ended when the snapshot was taken end as failed: the panel is not known to repeat them.
func (p *Panel) Restore(snapshot []byte) error {
	st := &state{}
	err := json.Unmarshal(snapshot, st)
	if err == nil {
		err = st.check()
	}
	if err != nil {
		return fmt.Errorf("solusvm2test: this is not the snapshot of a panel: %w", err)
	}
	for _, d := range st.Deliveries {
		if t := st.Tasks[d.TaskID]; t.Status == "" {
			d.Begun, t.Status, t.Output, t.Finish = true, TaskFailed, "The panel was stopped.", t.Start
		}
	}
	p.mu.Lock()
	p.state = st
	p.mu.Unlock()
	p.look(func(*call) {})
	return nil
}

// check finds what would make a handler fail: missing tables, and records that name others which do not exist.
func (st *state) check() error {
	if st.AdminToken == "" || st.Last == nil || st.Forbidden == nil || st.Settings == nil || !complete(st.Tokens) || !complete(st.Roles) ||
		!complete(st.LimitGroups) || !complete(st.Users) || !complete(st.Projects) || !complete(st.Keys) || !complete(st.Plans) || !complete(st.Locations) ||
		!complete(st.Images) || !complete(st.Versions) || !complete(st.Applications) || !complete(st.Nodes) || !complete(st.Storages) ||
		!complete(st.Blocks) || !complete(st.Addresses) || !complete(st.Servers) || !complete(st.Tasks) || !complete(st.Snapshots) ||
		!complete(st.Backups) || !complete(st.Handlers) {
		return errors.New("tables are missing")
	}
	if st.Roles[RoleAdmin] == nil || st.Roles[RoleClient] == nil || st.Users[1] == nil {
		return errors.New("the built-in roles or the administrator are missing")
	}
	for id, u := range st.Users {
		if slices.ContainsFunc(u.RoleIDs, func(role int64) bool { return st.Roles[role] == nil }) {
			return fmt.Errorf("user %d has an unknown role", id)
		}
	}
	for id, pr := range st.Projects {
		if st.Users[pr.OwnerID] == nil || slices.Contains(pr.Members, nil) {
			return fmt.Errorf("project %d is incomplete", id)
		}
	}
	for _, check := range []func() error{st.checkAddresses, st.checkServers, st.checkTasks} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (st *state) checkAddresses() error {
	for id, b := range st.Blocks {
		if b.Known == nil || b.V6 != b.Range.IsValid() || !b.V6 && !b.Set && (!b.From.Is4() || !b.To.Is4()) || b.V6 && (b.Subnet < b.Range.Bits() || b.Subnet > 128) {
			return fmt.Errorf("block %d is incomplete", id)
		}
		for _, address := range b.Known {
			if st.Addresses[address] == nil {
				return fmt.Errorf("block %d knows an address that is missing", id)
			}
		}
	}
	for id, a := range st.Addresses {
		if st.Blocks[a.BlockID] == nil {
			return fmt.Errorf("address %d belongs to no block", id)
		}
	}
	return nil
}

func (st *state) checkServers() error {
	for id, s := range st.Servers {
		orphan := s.Deleted.IsZero() && (st.Users[s.UserID] == nil || st.Nodes[s.NodeID] == nil || st.Projects[s.ProjectID] == nil)
		if orphan || s.Plan == nil || slices.Contains(s.Disks, nil) {
			return fmt.Errorf("server %d is incomplete", id)
		}
		if slices.ContainsFunc(s.Addresses, func(a int64) bool { return st.Addresses[a] == nil }) {
			return fmt.Errorf("server %d has an address that is missing", id)
		}
	}
	for id, snap := range st.Snapshots {
		if st.Servers[snap.ServerID] == nil {
			return fmt.Errorf("snapshot %d has no server", id)
		}
	}
	for id, b := range st.Backups {
		if st.Servers[b.ServerID] == nil || st.Tasks[b.TaskID] == nil {
			return fmt.Errorf("backup %d has no server or task", id)
		}
	}
	return nil
}

func (st *state) checkTasks() error {
	for _, id := range st.Open {
		if st.Tasks[id] == nil {
			return fmt.Errorf("task %d is missing", id)
		}
	}
	for id, t := range st.Tasks {
		if t.ServerID != 0 && st.Servers[t.ServerID] == nil || t.Action == TaskResize && t.Work.Plan == nil {
			return fmt.Errorf("task %d is incomplete", id)
		}
		for _, address := range slices.Concat(t.Work.Add, t.Work.Remove) {
			if t.Status == "" && st.Addresses[address] == nil {
				return fmt.Errorf("task %d is about an address that is missing", id)
			}
		}
		if slices.ContainsFunc(t.Work.Tasks, func(child int64) bool { return st.Tasks[child] == nil }) {
			return fmt.Errorf("task %d waits for one that is missing", id)
		}
	}
	for _, d := range st.Deliveries {
		if d == nil || st.Tasks[d.TaskID] == nil {
			return errors.New("a call of a webhook has no task")
		}
	}
	return nil
}

// complete reports whether a table is there and has no empty entry.
func complete[K comparable, T any](table map[K]*T) bool {
	for _, row := range table {
		if row == nil {
			return false
		}
	}
	return table != nil
}
