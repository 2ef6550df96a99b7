package virtfusion

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Hypervisor is a machine that runs servers.
type Hypervisor struct {
	ID           HypervisorID     `json:"id"`
	Commissioned CommissionStatus `json:"commissioned"` // 3 when ready
	IP           string           `json:"ip"`
	IPAlt        string           `json:"ipAlt"`
	Hostname     string           `json:"hostname"`
	Port         Int              `json:"port"`
	SSHPort      Int              `json:"sshPort"`
	Name         string           `json:"name"`
	Maintenance  Bool             `json:"maintenance"`
	Enabled      Bool             `json:"enabled"`
	Prohibit     Bool             `json:"prohibit"` // no new servers; panel 7.1
	NetFilter    NetFilter        `json:"nfType"`
	Group        HypervisorGroup  `json:"group"`
	// EncryptedToken is encrypted by the panel and of no use elsewhere.
	EncryptedToken provisioning.Secret `json:"encryptedToken"`

	MaxServers Int `json:"maxServers"` // 0 is unlimited
	MaxCPU     Int `json:"maxCpu"`
	MaxMemory  MB  `json:"maxMemory"`

	Networks []HypervisorNetwork `json:"networks"`
	// Storage is in lists only, and was always empty in examples.
	Storage json.RawMessage `json:"storage,omitempty"`
	// Settings is described in words only: what an update of the hypervisor accepts, and the last result of its network filter. Panel 7.1. Experimental.
	Settings json.RawMessage `json:"settings,omitempty"`

	Created Time `json:"created"`
	Updated Time `json:"updated"`
}

// LogValue logs all of it, with its secrets masked.
func (h Hypervisor) LogValue() slog.Value { return provisioning.Masked(h) }

// HypervisorNetwork is a network of a hypervisor.
type HypervisorNetwork struct {
	ID      HypervisorNetworkID `json:"id"`
	Type    NetworkType         `json:"type"`
	Bridge  string              `json:"bridge"`
	MTU     Int                 `json:"mtu"` // 0 is the default; embedded in servers only
	Primary Bool                `json:"primary"`
	Default Bool                `json:"default"`
	Created Time                `json:"created"`
	Updated Time                `json:"updated"`
}

// NetworkType is how servers are connected. The set is open.
type NetworkType string

// The network types.
const (
	NetworkSimpleBridge NetworkType = "simpleBridge"
	NetworkLVBridgeOVS  NetworkType = "lvBridgeOVS"
	NetworkLV           NetworkType = "lvNetwork"
	NetworkLVBridge     NetworkType = "lvNetworkBridge"
	NetworkLVNATv1      NetworkType = "lvNatv1" // servers hold private addresses behind forwarded ports
	NetworkMacVTap      NetworkType = "macVTap"
)

// Known reports whether this package knows the type.
func (t NetworkType) Known() bool {
	switch t {
	case NetworkSimpleBridge, NetworkLVBridgeOVS, NetworkLV, NetworkLVBridge, NetworkLVNATv1, NetworkMacVTap:
		return true
	}
	return false
}

// NetFilter is how a hypervisor filters its servers' traffic.
type NetFilter int64

// The network filters.
const (
	NetFilterNone            NetFilter = 0
	NetFilterLibvirt         NetFilter = 1
	NetFilterNativeStandard  NetFilter = 2
	NetFilterNativeFastIPv4  NetFilter = 3
	NetFilterNativeFastIPv46 NetFilter = 4
	NetFilterNativePrivacy   NetFilter = 5 // experimental on the panel
)

// UnmarshalJSON reads numbers and text; null is 0.
func (f *NetFilter) UnmarshalJSON(b []byte) error { return (*rest.Int)(f).UnmarshalJSON(b) }

// Known reports whether this package knows the filter.
func (f NetFilter) Known() bool { return f >= NetFilterNone && f <= NetFilterNativePrivacy }

// HypervisorsService reads hypervisors.
type HypervisorsService struct{ rest *rest.Client }

// List yields all hypervisors, page by page; the next page is read when the one before is used up. Ranging again starts again. An error is the last pair.
//
// Class: read.
// API: GET /compute/hypervisors
func (s *HypervisorsService) List(ctx context.Context, o ListOptions, opts ...CallOption) iter.Seq2[Hypervisor, error] {
	return rows[Hypervisor](ctx, s.rest, pageCall{op: "listHypervisors", path: []any{"compute", "hypervisors"}, results: o.Results, opts: opts})
}

// Get reads one hypervisor. NotFound when there is none.
//
// Class: read.
// API: GET /compute/hypervisors/{hypervisorId}
func (s *HypervisorsService) Get(ctx context.Context, id HypervisorID, opts ...CallOption) (*Hypervisor, error) {
	if err := positive("hypervisorId", id); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getHypervisor", Class: rest.Read, Method: http.MethodGet, Path: []any{"compute", "hypervisors", id}},
		func(v *Hypervisor) error { return sameID("hypervisor", v.ID, id) }, opts)
}
