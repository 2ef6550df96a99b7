package virtfusion

import (
	"context"
	"iter"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// HypervisorGroup is a group of hypervisors: the location a server is created in.
type HypervisorGroup struct {
	ID               HypervisorGroupID `json:"id"`
	Name             string            `json:"name"`
	Label            string            `json:"label"`
	Description      string            `json:"description"`
	DistributionType Int               `json:"distributionType"` // how servers are spread; 5 and 13 seen, the codes are not published
	Enabled          Bool              `json:"enabled"`
	Default          Bool              `json:"default"`
	Created          Time              `json:"created"`
	Updated          Time              `json:"updated"`
}

// GroupResources is what one hypervisor of a group has left.
type GroupResources struct {
	Hypervisor GroupHypervisor     `json:"hypervisor"`
	Resources  HypervisorResources `json:"resources"`
}

// GroupHypervisor is a hypervisor as its group's resources name it.
type GroupHypervisor struct {
	ID           HypervisorID `json:"id"`
	Name         string       `json:"name"`
	Enabled      Bool         `json:"enabled"`
	Prohibit     Bool         `json:"prohibit"` // no new servers
	Accept       Bool         `json:"accept"`   // meaning not documented
	Commissioned Bool         `json:"commissioned"`
}

// HypervisorResources is the allotment of a hypervisor.
type HypervisorResources struct {
	Servers      CountResource     `json:"servers"`
	Memory       MemoryResource    `json:"memory"`
	CPUCores     CountResource     `json:"cpuCores"`
	LocalStorage StorageResource   `json:"localStorage"`
	OtherStorage []StorageResource `json:"otherStorage"`
	Network      ResourceNetwork   `json:"network"` // resources of a group only
}

// CountResource is an allotment that is counted. With Max 0 there is no limit, Free is then negative and Percent null.
type CountResource struct {
	Units     string                  `json:"units"` // "#"
	Max       Int                     `json:"max"`
	Allocated Int                     `json:"allocated"`
	Free      Int                     `json:"free"`
	Percent   provisioning.Opt[Float] `json:"percent,omitzero"`
}

// MemoryResource is an allotment of memory. With Max 0 there is no limit, Free is then negative and Percent null.
type MemoryResource struct {
	Units     string                  `json:"units"` // "MB"
	Max       MB                      `json:"max"`
	Allocated MB                      `json:"allocated"`
	Free      MB                      `json:"free"`
	Percent   provisioning.Opt[Float] `json:"percent,omitzero"`
}

// StorageResource is an allotment of disk space. With Max 0 there is no limit, Free is then negative and Percent null. The default local storage has neither ID
// nor Path.
type StorageResource struct {
	ID          Int                     `json:"id"`
	Name        string                  `json:"name"`
	Enabled     Bool                    `json:"enabled"`
	Path        string                  `json:"path"`
	Units       string                  `json:"units"` // "GB"
	StorageType StorageType             `json:"storageType"`
	IsDatastore Bool                    `json:"isDatastore"`
	Max         GB                      `json:"max"`
	Allocated   GB                      `json:"allocated"`
	Free        GB                      `json:"free"`
	Percent     provisioning.Opt[Float] `json:"percent,omitzero"`
}

// StorageType is a code for a kind of storage. No table is published: 0 and 1 were seen for the default local storage, 2 for Ceph and other datastores, 4 for a
// further mountpoint.
type StorageType int64

// UnmarshalJSON reads numbers and text; null is 0.
func (t *StorageType) UnmarshalJSON(b []byte) error { return (*rest.Int)(t).UnmarshalJSON(b) }

// ResourceNetwork counts free addresses.
type ResourceNetwork struct {
	Total struct {
		IPv4 struct {
			// Free is the figure of the address pool. It repeats on every hypervisor that shares the pool: take the largest of a group, do not add.
			Free Int `json:"free"`
		} `json:"ipv4"`
	} `json:"total"`
}

// HypervisorGroupsService reads hypervisor groups.
type HypervisorGroupsService struct{ rest *rest.Client }

// List yields all groups, page by page; the next page is read when the one before is used up. Ranging again starts again. An error is the last pair.
//
// Class: read.
// API: GET /compute/hypervisors/groups
func (s *HypervisorGroupsService) List(ctx context.Context, o ListOptions, opts ...CallOption) iter.Seq2[HypervisorGroup, error] {
	return rows[HypervisorGroup](ctx, s.rest,
		pageCall{op: "listHypervisorGroups", path: []any{"compute", "hypervisors", "groups"}, results: o.Results, opts: opts})
}

// Get reads one group. NotFound when there is none.
//
// Class: read.
// API: GET /compute/hypervisors/groups/{hypervisorGroupId}
func (s *HypervisorGroupsService) Get(ctx context.Context, id HypervisorGroupID, opts ...CallOption) (*HypervisorGroup, error) {
	if err := positive("hypervisorGroupId", id); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getHypervisorGroup", Class: rest.Read, Method: http.MethodGet,
		Path: []any{"compute", "hypervisors", "groups", id}},
		func(v *HypervisorGroup) error { return sameID("hypervisor group", v.ID, id) }, opts)
}

// Resources yields what each hypervisor of a group has left, page by page as List does.
//
// Class: read.
// API: GET /compute/hypervisors/groups/{hypervisorGroupId}/resources
func (s *HypervisorGroupsService) Resources(ctx context.Context, id HypervisorGroupID, o ListOptions, opts ...CallOption) iter.Seq2[GroupResources, error] {
	if err := positive("hypervisorGroupId", id); err != nil {
		return func(yield func(GroupResources, error) bool) { yield(GroupResources{}, err) }
	}
	return rows[GroupResources](ctx, s.rest,
		pageCall{op: "listHypervisorGroupResources", path: []any{"compute", "hypervisors", "groups", id, "resources"}, results: o.Results, opts: opts})
}
