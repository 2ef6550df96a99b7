package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// HypervisorLicense is the kind of licence that a hypervisor uses, by how many servers it may run.
type HypervisorLicense int64

// The licences.
const (
	LicenseUnlimited HypervisorLicense = 1
	License1Server   HypervisorLicense = 2
	License2Servers  HypervisorLicense = 3
	License3Servers  HypervisorLicense = 4
	License4Servers  HypervisorLicense = 5
	License5Servers  HypervisorLicense = 6
	License35Servers HypervisorLicense = 7
)

// Known reports whether this package knows the licence.
func (l HypervisorLicense) Known() bool { return l >= LicenseUnlimited && l <= License35Servers }

// UpdateHypervisorRequest changes a hypervisor's settings. What is left out stays as it is. The panel refuses members that it does not know, and documents more
// than is known here: the vendor's page is cut off after BackupStorageType.
type UpdateHypervisorRequest struct {
	Name        string            `json:"name,omitzero"` // 3 to 150 characters
	Maintenance *bool             `json:"maintenance,omitempty"`
	Enabled     *bool             `json:"enabled,omitempty"`
	Prohibit    *bool             `json:"prohibit,omitempty"` // no new servers
	GroupID     HypervisorGroupID `json:"groupId,omitzero"`

	// The limits; 0 is none.
	MaxServers *int `json:"maxServers,omitempty"` // 9999 at most
	MaxCPU     *int `json:"maxCpu,omitempty"`     // 9999 at most
	MaxMemory  *MB  `json:"maxMemory,omitempty"`  // 99999999 at most

	NetFilter         *NetFilter        `json:"nfType,omitempty"`
	LicenseType       HypervisorLicense `json:"licenseType,omitzero"`
	DiskType          DiskFormat        `json:"diskType,omitzero"`
	DiskCacheType     DiskCache         `json:"diskCacheType,omitzero"`
	BackupStorageType *int              `json:"backupStorageType,omitempty"` // the codes are not published; 2 seen
}

const (
	maxHypervisorCount  = 9_999
	maxHypervisorMemory = MB(99_999_999)
)

func (r *UpdateHypervisorRequest) check() error {
	if *r == (UpdateHypervisorRequest{}) {
		return provisioning.InvalidField("hypervisor", "nothing to change is given")
	}
	if r.Name != "" {
		if err := checkName(r.Name); err != nil {
			return err
		}
	}
	switch {
	case r.GroupID < 0:
		return provisioning.InvalidField("groupId", "must be above 0, not %d", r.GroupID)
	case value(r.MaxServers) < 0 || value(r.MaxServers) > maxHypervisorCount:
		return provisioning.InvalidField("maxServers", "must be between 0 and %d, not %d", maxHypervisorCount, *r.MaxServers)
	case value(r.MaxCPU) < 0 || value(r.MaxCPU) > maxHypervisorCount:
		return provisioning.InvalidField("maxCpu", "must be between 0 and %d, not %d", maxHypervisorCount, *r.MaxCPU)
	case value(r.MaxMemory) < 0 || value(r.MaxMemory) > maxHypervisorMemory:
		return provisioning.InvalidField("maxMemory", "must be between 0 and %d MB, not %d", maxHypervisorMemory, *r.MaxMemory)
	case r.NetFilter != nil && !r.NetFilter.Known():
		return provisioning.InvalidField("nfType", "must be between %d and %d", NetFilterNone, NetFilterNativePrivacy)
	case r.LicenseType != 0 && !r.LicenseType.Known():
		return provisioning.InvalidField("licenseType", "must be between %d and %d", LicenseUnlimited, License35Servers)
	}
	return nil
}

// HypervisorMetricsOptions tunes Metrics.
type HypervisorMetricsOptions struct {
	// Minutes is how far to look back, 1 to 40320 (28 days); 0 is the panel's default of 30. Above a day the values are averages.
	Minutes int
}

// maxMetricsMinutes is 28 days.
const maxMetricsMinutes = 40_320

// Update changes a hypervisor's settings in the panel. Nothing is sent to the machine. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came. It may be nil.
//
// Class: set.
// API: PUT /compute/hypervisors/{hypervisorId}
func (s *HypervisorsService) Update(ctx context.Context, id HypervisorID, r UpdateHypervisorRequest, opts ...CallOption) (json.RawMessage, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return s.settings(ctx, rest.Call{Op: "updateHypervisor", Class: rest.Set, Method: http.MethodPut, In: r}, id, nil, opts)
}

// Metrics returns the history of a hypervisor's processor, memory, load and file systems. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came.
//
// Class: read.
// API: GET /compute/hypervisors/{hypervisorId}/metrics
func (s *HypervisorsService) Metrics(ctx context.Context, id HypervisorID, o HypervisorMetricsOptions, opts ...CallOption) (json.RawMessage, error) {
	if o.Minutes < 0 || o.Minutes > maxMetricsMinutes {
		return nil, provisioning.InvalidField("minutes", "must be between 1 and %d, or 0 for 30, not %d", maxMetricsMinutes, o.Minutes)
	}
	var query url.Values
	if o.Minutes > 0 {
		query = url.Values{"minutes": {strconv.Itoa(o.Minutes)}}
	}
	return s.settings(ctx, rest.Call{Op: "getHypervisorMetrics", Class: rest.Read, Method: http.MethodGet, Query: query}, id, []any{"metrics"}, opts)
}

// StoragePoints returns the storage points of a hypervisor; their ids are what CreateDiskRequest takes. Panel 7.1.
//
// Experimental: the page of this operation was never seen, only its path, so the answer is kept as it came.
//
// Class: read.
// API: GET /compute/hypervisors/{hypervisorId}/storage
func (s *HypervisorsService) StoragePoints(ctx context.Context, id HypervisorID, opts ...CallOption) (json.RawMessage, error) {
	return s.settings(ctx, rest.Call{Op: "listHypervisorStoragePoints", Class: rest.Read, Method: http.MethodGet}, id, []any{"storage"}, opts)
}

// RegenerateNetworkFilters lets the panel write the network filters of all servers of a hypervisor anew. It runs in the background; the result is
// networkFilter.lastResult in the hypervisor's Settings. It is sent once: each call starts the work again. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came. It may be nil.
//
// Class: once.
// API: POST /compute/hypervisors/{hypervisorId}/networkFilters/regenerate
func (s *HypervisorsService) RegenerateNetworkFilters(ctx context.Context, id HypervisorID, opts ...CallOption) (json.RawMessage, error) {
	return s.settings(ctx, rest.Call{Op: "regenerateHypervisorNetworkFilters", Class: rest.Once, Method: http.MethodPost}, id,
		[]any{"networkFilters", "regenerate"}, opts)
}

func (s *HypervisorsService) settings(ctx context.Context, call rest.Call, id HypervisorID, below []any, opts []CallOption) (json.RawMessage, error) {
	if err := positive("hypervisorId", id); err != nil {
		return nil, err
	}
	call.Since, call.Path = panel71, append([]any{"compute", "hypervisors", id}, below...)
	return fetchRaw(ctx, s.rest, call, opts)
}

// NetworkFilterComponents returns the keys of the panel's own network filter, version 2. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came.
//
// Class: read.
// API: GET /compute/networkFilters/components
func (s *HypervisorsService) NetworkFilterComponents(ctx context.Context, opts ...CallOption) (json.RawMessage, error) {
	return fetchRaw(ctx, s.rest, rest.Call{Op: "listNetworkFilterComponents", Since: panel71, Class: rest.Read, Method: http.MethodGet,
		Path: []any{"compute", "networkFilters", "components"}}, opts)
}
