package virtfusiontest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Snapshot returns the whole state of the panel, its token included, as JSON. Fault rules, the request log and late commits are not part of it.
func (p *Panel) Snapshot() ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return json.Marshal(p.look().state)
}

// Restore replaces the state of the panel by a snapshot. What time did to it since then happens at the next look.
func (p *Panel) Restore(snapshot []byte) error {
	st := &state{}
	err := json.Unmarshal(snapshot, st)
	if err == nil {
		err = st.check()
	}
	if err != nil {
		return fmt.Errorf("virtfusiontest: this is not the snapshot of a panel: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = st
	return nil
}

// check finds what would make a handler fail: missing tables, and records that name others which do not exist.
func (st *state) check() error {
	if st.Token == "" || st.Last == nil || st.Forbidden == nil || !whole(st.Users) || !whole(st.Keys) || !whole(st.Packages) || !whole(st.Groups) ||
		!whole(st.Hypervisors) || !whole(st.Blocks) || !whole(st.Servers) || !whole(st.Jobs) || !whole(st.Backups) {
		return errors.New("tables are missing")
	}
	for id, h := range st.Hypervisors {
		if st.Groups[h.GroupID] == nil {
			return fmt.Errorf("hypervisor %d is incomplete", id)
		}
	}
	for id, b := range st.Blocks {
		if b.Used == nil || !b.Prefix.IsValid() {
			return fmt.Errorf("address block %d is incomplete", id)
		}
	}
	for id, s := range st.Servers {
		orphan := st.Hypervisors[s.HypervisorID] == nil || s.Deleted.IsZero() && st.Users[s.OwnerID] == nil
		if orphan || len(s.Disks) == 0 || slices.Contains(s.Disks, nil) || slices.Contains(s.Deferred, nil) || s.Traffic == nil {
			return fmt.Errorf("server %d is incomplete", id)
		}
		for _, a := range slices.Concat(s.IPv4, s.IPv6) {
			if st.Blocks[a.BlockID] == nil {
				return fmt.Errorf("server %d has an address of no block", id)
			}
		}
	}
	for id, j := range st.Jobs {
		if st.Servers[j.ServerID] == nil {
			return fmt.Errorf("queue item %d has no server", id)
		}
	}
	for _, id := range st.Open {
		if st.Jobs[id] == nil {
			return fmt.Errorf("queue item %d is missing", id)
		}
	}
	return errors.Join(st.Net.check(st), st.Managed.check(st))
}

// whole reports whether a table is there and has no empty entry.
func whole[T any](table map[int64]*T) bool {
	for _, row := range table {
		if row == nil {
			return false
		}
	}
	return table != nil
}
