package solusvm2test

import (
	"fmt"
	"slices"
)

// storageTypes are the kinds of storage of plans and compute resources.
var storageTypes = []string{"fb", "lvm", "thinlvm", "nfs", "vz"}

type storage struct {
	ID        int64  `json:"id"`
	NodeID    int64  `json:"nodeId"`
	Type      string `json:"type"`
	Path      string `json:"path"`
	ThinPool  string `json:"thinPool"`
	Balancing bool   `json:"balancing"`
}

func (st *state) addStorage(nodeID int64, kind, path string) *storage {
	s := &storage{ID: st.next("storage"), NodeID: nodeID, Type: kind, Path: path, Balancing: true}
	st.Storages[s.ID] = s
	return s
}

func storageOperations() []operation {
	return []operation{
		{"listComputeResourceStorages", "GET /compute_resources/{id}/storages", admins, (*call).listStorages},
		{"createComputeResourceStorage", "POST /compute_resources/{id}/storages", admins, (*call).createStorage},
	}
}

// listStorages has no pages.
func (c *call) listStorages() answer {
	n := find(c, c.Nodes)
	if n == nil {
		return c.lost("ComputeResource")
	}
	return unpaged(slices.DeleteFunc(sorted(c.Storages), func(s *storage) bool { return s.NodeID != n.ID }), c.storageJSON)
}

func (c *call) createStorage() answer {
	n := find(c, c.Nodes)
	if n == nil {
		return c.lost("ComputeResource")
	}
	f := c.form()
	f.require("type", "path")
	kind, path, pool := f.word("type", "", storageTypes...), f.text("path", "", 255), f.text("thin_pool", "", 255)
	balancing := f.bool("is_available_for_balancing", true)
	if f.failed() {
		return f.invalid()
	}
	s := c.addStorage(n.ID, kind, path)
	s.ThinPool, s.Balancing = pool, balancing
	return made(c.storageJSON(s))
}

func (c *call) storageJSON(s *storage) obj {
	formats := map[string][]string{"fb": {"qcow2", "raw"}, "nfs": {"qcow2", "raw"}, "vz": {"ploop"}}[s.Type]
	if formats == nil {
		formats = []string{"raw"}
	}
	servers, _, used := c.load(s.NodeID)
	free := int64(1000)
	if n := c.Nodes[s.NodeID]; n != nil && n.DiskGiB > 0 {
		free = n.DiskGiB - used
	}
	return obj{
		"id": s.ID, "name": fmt.Sprintf("%s %s", s.Type, s.Path), "type": obj{"id": slices.Index(storageTypes, s.Type) + 1, "name": s.Type, "formats": formats},
		"path": s.Path, "mount": s.Path, "thin_pool": nullable(s.ThinPool), "is_available_for_balancing": s.Balancing, "servers_count": servers,
		"compute_resources_count": 1, "free_space": free, "credentials": []any{}, // PHP's empty object
	}
}
