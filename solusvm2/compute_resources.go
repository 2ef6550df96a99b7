package solusvm2

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// ComputeResource is a node that runs servers.
type ComputeResource struct {
	ID        ComputeResourceID       `json:"id"`
	Name      string                  `json:"name"`
	Host      string                  `json:"host"`
	AgentPort Int                     `json:"agent_port"`
	Status    ComputeResourceStatus   `json:"status"`
	Settings  ComputeResourceSettings `json:"settings"`
	Locations []Location              `json:"locations"`
	IPBlocks  []IPBlock               `json:"ip_blocks"`
	VMsCount  Int                     `json:"vms_count"`
	Version   string                  `json:"version"`
	IsLocked  Bool                    `json:"is_locked"` // no new servers, a guess
	// Metrics is what the node measured, such as {"network":{"ipv6_enabled":true}}.
	Metrics json.RawMessage `json:"metrics,omitempty"`
}

func (r *ComputeResource) key() (int64, string) { return int64(r.ID), "compute resource" }

// ComputeResourceSettings are the settings of a compute resource, in answers and in requests. In requests what is nil or empty is left out; whether the panel
// takes that as "leave it" or as "default" is not documented: send what Get tells.
type ComputeResourceSettings struct {
	CachePath           string                     `json:"cache_path,omitzero"`
	ISOPath             string                     `json:"iso_path,omitzero"`
	BackupTmpPath       string                     `json:"backup_tmp_path,omitzero"`
	VNCProxyPort        Int                        `json:"vnc_proxy_port,omitzero"`
	Limits              *ComputeResourceLimits     `json:"limits,omitempty"`
	Network             *ComputeResourceNetworking `json:"network,omitempty"`
	BalanceStrategy     BalanceStrategy            `json:"balance_strategy,omitzero"`
	VirtualizationTypes []VirtualizationType       `json:"virtualization_types,omitzero"`
}

// ComputeResourceLimits is how much of a node may be given to servers. Their units are not documented.
type ComputeResourceLimits struct {
	VM   *ResourceLimit `json:"vm,omitempty"`
	HDD  *ResourceLimit `json:"hdd,omitempty"`
	RAM  *ResourceLimit `json:"ram,omitempty"`
	VCPU *ResourceLimit `json:"vcpu,omitempty"`
}

// ResourceLimit is a limit and what is used of it.
type ResourceLimit struct {
	Unlimited Bool  `json:"unlimited"`
	Total     Float `json:"total"`
	Used      Float `json:"used"`
}

// ComputeResourceNetworking is how servers are connected.
type ComputeResourceNetworking struct {
	Type    NetworkType `json:"type,omitzero"`
	Bridges []Bridge    `json:"bridges,omitzero"`
}

// Bridge is a bridge of a node.
type Bridge struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

// NetworkType is how servers are connected. The set is open.
type NetworkType string

// The network types.
const (
	NetworkRouted  NetworkType = "routed"
	NetworkBridged NetworkType = "bridged"
)

// Known reports whether the type is one of the constants.
func (t NetworkType) Known() bool { return t == NetworkRouted || t == NetworkBridged }

// BalanceStrategy is how storages of a node are chosen for new disks. The set is open.
type BalanceStrategy string

// The balance strategies.
const (
	BalanceRoundRobin  BalanceStrategy = "round-robin"
	BalanceRandom      BalanceStrategy = "random"
	BalanceMostStorage BalanceStrategy = "most-storage-available"
)

// Known reports whether the strategy is one of the constants.
func (s BalanceStrategy) Known() bool {
	return slices.Contains([]BalanceStrategy{BalanceRoundRobin, BalanceRandom, BalanceMostStorage}, s)
}

// ComputeResourceNetwork is a network interface of a node.
type ComputeResourceNetwork struct {
	ID           Text   `json:"id"` // not a number: it goes into SetUpNetworkRequest.ID as it is
	Name         string `json:"name"`
	AddrConfType string `json:"addr_conf_type"`
	IPVersion    Int    `json:"ip_version"`
	IP           string `json:"ip"`
	Mask         string `json:"mask"`
	MaskSize     Int    `json:"mask_size"`
}

// InstallStep is a step of setting a node up.
type InstallStep struct {
	ID                Int               `json:"id"`
	ComputeResourceID ComputeResourceID `json:"compute_resource_id"`
	Title             string            `json:"title"`
	Status            InstallStepStatus `json:"status"`
	StatusText        string            `json:"status_text"`
	Progress          Float             `json:"progress"`
}

// InstallStepStatus is how far a step has come. The set is open.
type InstallStepStatus string

// The statuses of steps.
const (
	InstallStepRunning InstallStepStatus = "running"
	InstallStepDone    InstallStepStatus = "done"
	InstallStepError   InstallStepStatus = "error"
)

// Known reports whether the status is one of the constants.
func (s InstallStepStatus) Known() bool {
	return slices.Contains([]InstallStepStatus{InstallStepRunning, InstallStepDone, InstallStepError}, s)
}

// Storage is where a node keeps disks.
type Storage struct {
	ID   StorageID `json:"id"`
	Name string    `json:"name"`
	Type struct {
		ID      Int           `json:"id"`
		Name    StorageType   `json:"name"`
		Formats []ImageFormat `json:"formats"`
	} `json:"type"`
	Path                    string     `json:"path"`
	Mount                   string     `json:"mount"`
	ThinPool                string     `json:"thin_pool"`
	IsAvailableForBalancing Bool       `json:"is_available_for_balancing"`
	ServersCount            Int        `json:"servers_count"`
	ComputeResourcesCount   Int        `json:"compute_resources_count"`
	FreeSpace               Float      `json:"free_space"` // its unit is not documented
	Credentials             SecretJSON `json:"credentials"`
}

// LogValue logs all of it, with its secrets masked.
func (s Storage) LogValue() slog.Value { return provisioning.Masked(s) }

func (s *Storage) key() (int64, string) { return int64(s.ID), "storage" }

// Format prints the storage with its secrets masked, for every verb.
func (s *Storage) Format(f fmt.State, _ rune) {
	type plain Storage
	printMasked(f, plain(*s))
}

// ComputeResourceFilter keeps only some compute resources. The zero value keeps all.
type ComputeResourceFilter struct {
	Search string `url:"filter[search],omitempty"` // a part of the name
	ListOptions
}

// NodeLogin is how the panel logs into a node that it sets up. The set is open.
type NodeLogin string

// The ways to log in.
const (
	NodeLoginPassword NodeLogin = "lpass"
	NodeLoginKey      NodeLogin = "lkey"
)

// Known reports whether the way is one of the constants.
func (l NodeLogin) Known() bool { return l == NodeLoginPassword || l == NodeLoginKey }

// CreateComputeResourceRequest sets a machine up as a compute resource.
type CreateComputeResourceRequest struct {
	Name      string              `json:"name"`
	Host      string              `json:"host"`
	Login     string              `json:"login,omitzero"` // "root"
	Port      int                 `json:"port,omitzero"`  // of SSH
	Type      NodeLogin           `json:"type,omitzero"`
	Password  provisioning.Secret `json:"password,omitzero"`
	Key       provisioning.Secret `json:"key,omitzero"` // a private key
	AgentPort int                 `json:"agent_port,omitzero"`
	IPBlocks  []IPBlockID         `json:"ip_blocks,omitempty"`
	Locations []LocationID        `json:"locations,omitempty"`
	License   LicenseType         `json:"license_type,omitzero"`
}

// LogValue logs all of it, with its secrets masked.
func (r CreateComputeResourceRequest) LogValue() slog.Value { return provisioning.Masked(r) }

func (r *CreateComputeResourceRequest) check() error {
	for _, f := range []struct{ name, value string }{{"name", r.Name}, {"host", r.Host}} {
		if strings.TrimSpace(f.value) == "" {
			return provisioning.InvalidField(f.name, "is missing")
		}
	}
	if r.Port < 0 || r.Port > 65535 || r.AgentPort < 0 || r.AgentPort > 65535 {
		return provisioning.InvalidField("port", "must be between 1 and 65535")
	}
	if err := allPositive("ip_blocks", r.IPBlocks); err != nil {
		return err
	}
	return allPositive("locations", r.Locations)
}

// UpdateComputeResourceRequest changes a compute resource. Fields that are left out stay as they are.
type UpdateComputeResourceRequest struct {
	Name      string       `json:"name,omitzero"`
	AgentPort int          `json:"agent_port,omitzero"`
	IPBlocks  []IPBlockID  `json:"ip_blocks,omitzero"` // an empty list that is not nil is sent
	Locations []LocationID `json:"locations,omitzero"` // an empty list that is not nil is sent
	License   LicenseType  `json:"license_type,omitzero"`
	IsLocked  *bool        `json:"is_locked,omitempty"`
}

// DeleteComputeResourceOptions tunes Delete.
type DeleteComputeResourceOptions struct {
	// Force removes the compute resource although the panel would refuse, for instance because the node does not answer. It is always sent.
	Force bool `json:"force"`
}

// SetUpNetworkRequest chooses how servers of a node are connected.
type SetUpNetworkRequest struct {
	ID   string      `json:"id"` // ComputeResourceNetwork.ID
	Type NetworkType `json:"type"`
}

// CreateStorageRequest gives a node a place for disks. Type and Path are needed.
type CreateStorageRequest struct {
	Type                    StorageType `json:"type"`
	Path                    string      `json:"path"`
	ThinPool                string      `json:"thin_pool,omitzero"`
	IsAvailableForBalancing *bool       `json:"is_available_for_balancing,omitempty"`
}

// ComputeResourcesService keeps compute resources. It is for administrators.
type ComputeResourcesService struct{ rest *conn }

// List yields the compute resources that the filter keeps, page by page.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /compute_resources
func (s *ComputeResourcesService) List(ctx context.Context, f ComputeResourceFilter, opts ...CallOption) iter.Seq2[ComputeResource, error] {
	return rows[ComputeResource](ctx, s.rest, pageCall{op: "listComputeResources", path: []any{"compute_resources"}, filter: f, opts: opts})
}

// Get reads one compute resource. NotFound when there is none.
//
// Class: read.
// API: GET /compute_resources/{id}
func (s *ComputeResourcesService) Get(ctx context.Context, id ComputeResourceID, opts ...CallOption) (*ComputeResource, error) {
	return existing[ComputeResource](ctx, s.rest, id,
		rest.Call{Op: "getComputeResource", Class: rest.Read, Method: http.MethodGet, Path: []any{"compute_resources", id}}, opts)
}

// Create sets a machine up as a compute resource. It is sent once. InstallSteps shows how far that has come.
//
// Class: once.
// API: POST /compute_resources
func (s *ComputeResourcesService) Create(ctx context.Context, r CreateComputeResourceRequest, opts ...CallOption) (*ComputeResource, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return created[ComputeResource](ctx, s.rest, rest.Call{Op: "createComputeResource", Path: []any{"compute_resources"}, In: r}, opts)
}

// Update changes a compute resource.
//
// Class: set.
// API: PATCH /compute_resources/{id}
func (s *ComputeResourcesService) Update(ctx context.Context, id ComputeResourceID, r UpdateComputeResourceRequest,
	opts ...CallOption) (*ComputeResource, error) {
	return existing[ComputeResource](ctx, s.rest, id,
		rest.Call{Op: "patchComputeResource", Class: rest.Set, Method: http.MethodPatch, Path: []any{"compute_resources", id}, In: r}, opts)
}

// Delete removes a compute resource from the panel.
//
// Class: set.
// API: DELETE /compute_resources/{id}
func (s *ComputeResourcesService) Delete(ctx context.Context, id ComputeResourceID, o DeleteComputeResourceOptions, opts ...CallOption) error {
	if err := positive("id", id); err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: "deleteComputeResource", Class: rest.Set, Method: http.MethodDelete,
		Path: []any{"compute_resources", id}, In: o}, opts...)
}

// UpdateSettings replaces the settings of a compute resource. The answer are the settings.
//
// Class: set.
// API: PUT /compute_resources/{id}/settings
func (s *ComputeResourcesService) UpdateSettings(ctx context.Context, id ComputeResourceID, r ComputeResourceSettings, opts ...CallOption) (
	*ComputeResourceSettings, error,
) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	var out envelope[*ComputeResourceSettings]
	err := s.rest.Do(ctx, rest.Call{Op: "updateComputeResourceSettings", Class: rest.Set, Method: http.MethodPut,
		Path: []any{"compute_resources", id, "settings"}, In: r, Out: &out,
		Check: func() error {
			if out.Data == nil {
				return lacks("settings")
			}
			return nil
		}}, opts...)
	return out.Data, err
}

// Networks returns the network interfaces of a node.
//
// Class: read.
// API: GET /compute_resources/{id}/networks
func (s *ComputeResourcesService) Networks(ctx context.Context, id ComputeResourceID, opts ...CallOption) ([]ComputeResourceNetwork, error) {
	return collectOf[ComputeResourceNetwork](ctx, s.rest, id,
		pageCall{op: "listComputeResourceNetworks", path: []any{"compute_resources", id, "networks"}, opts: opts})
}

// SetUpNetwork chooses how servers of a node are connected, while its status is ComputeResourceConfigureNetwork. It is sent once. What it answers is not
// documented.
//
// Class: once.
// API: POST /compute_resources/{id}/setup_network
func (s *ComputeResourcesService) SetUpNetwork(ctx context.Context, id ComputeResourceID, r SetUpNetworkRequest, opts ...CallOption) error {
	if err := positive("id", id); err != nil {
		return err
	}
	if r.ID == "" || r.Type == "" {
		return provisioning.InvalidField("id", "is missing, or type is")
	}
	return s.rest.Do(ctx, rest.Call{Op: "setupComputeResourceNetwork", Class: rest.Once, Method: http.MethodPost,
		Path: []any{"compute_resources", id, "setup_network"}, In: r}, opts...)
}

// InstallSteps returns how far the setting up of a node has come.
//
// Class: read.
// API: GET /compute_resources/{id}/install_steps
func (s *ComputeResourcesService) InstallSteps(ctx context.Context, id ComputeResourceID, opts ...CallOption) ([]InstallStep, error) {
	return collectOf[InstallStep](ctx, s.rest, id, pageCall{op: "listInstallSteps", path: []any{"compute_resources", id, "install_steps"}, opts: opts})
}

// Storages returns the storages of a node.
//
// Class: read.
// API: GET /compute_resources/{id}/storages
func (s *ComputeResourcesService) Storages(ctx context.Context, id ComputeResourceID, opts ...CallOption) ([]Storage, error) {
	return collectOf[Storage](ctx, s.rest, id, pageCall{op: "listComputeResourceStorages", path: []any{"compute_resources", id, "storages"}, opts: opts})
}

// CreateStorage gives a node a place for disks. It is sent once.
//
// Class: once.
// API: POST /compute_resources/{id}/storages
func (s *ComputeResourcesService) CreateStorage(ctx context.Context, id ComputeResourceID, r CreateStorageRequest, opts ...CallOption) (*Storage, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	if r.Type == "" || r.Path == "" {
		return nil, provisioning.InvalidField("path", "is missing, or type is")
	}
	return created[Storage](ctx, s.rest, rest.Call{Op: "createComputeResourceStorage", Path: []any{"compute_resources", id, "storages"}, In: r}, opts)
}
