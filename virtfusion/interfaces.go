package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// InterfaceDriver is the network card that a guest sees.
type InterfaceDriver int64

// The drivers.
const (
	DriverVirtIO  InterfaceDriver = 1
	DriverE1000   InterfaceDriver = 2
	DriverRTL8139 InterfaceDriver = 3
)

// UnmarshalJSON reads numbers and text; null is 0.
func (d *InterfaceDriver) UnmarshalJSON(b []byte) error { return (*rest.Int)(d).UnmarshalJSON(b) }

// Known reports whether this package knows the driver.
func (d InterfaceDriver) Known() bool { return d >= DriverVirtIO && d <= DriverRTL8139 }

// AutoProcessQueues as the number of process queues lets the panel choose it.
const AutoProcessQueues = 1000

// CreateInterfaceRequest adds an interface to a server. The documentation names the operation only: the fields are inferred from those of an update.
type CreateInterfaceRequest struct {
	// HypervisorNetworkID is what the interface is connected to; left out, the panel chooses.
	HypervisorNetworkID HypervisorNetworkID `json:"hypervisorNetworkId,omitzero"`
	// Apply attaches the interface to the running server. Without it the interface is stored for the next start.
	Apply bool `json:"apply"`
}

// UpdateInterfaceRequest changes an interface. What is absent stays as it is. The panel knows more fields than the published part of its documentation shows:
// use Client.Do for those.
type UpdateInterfaceRequest struct {
	Name                string              `json:"name,omitzero"` // of the guest's device: 2 to 20 letters, digits, - and _
	HypervisorNetworkID HypervisorNetworkID `json:"hypervisorNetworkId,omitzero"`

	Driver provisioning.Opt[InterfaceDriver] `json:"driver,omitzero"` // null is the hypervisor's default
	// ProcessQueues is 1 to 40, or AutoProcessQueues; null is the default.
	ProcessQueues provisioning.Opt[int] `json:"processQueues,omitzero"`

	IPFilter     *bool `json:"ipFilter,omitempty"`
	PortIsolated *bool `json:"portIsolated,omitempty"`
	DHCPv4       *bool `json:"dhcpV4,omitempty"`
	DHCPv6       *bool `json:"dhcpV6,omitempty"`
	InAverage    *KBps `json:"inAverage,omitempty"`  // 0 is no limit
	OutAverage   *KBps `json:"outAverage,omitempty"` // 0 is no limit

	// Apply pushes rates, filter and isolation to the running server. It is always sent; without it the changes are stored for the next start.
	Apply bool `json:"apply"`
}

var interfaceName = regexp.MustCompile(`^[A-Za-z0-9_-]{2,20}$`)

func (r *UpdateInterfaceRequest) check() error {
	if *r == (UpdateInterfaceRequest{Apply: r.Apply}) {
		return provisioning.InvalidField("name", "nothing to change is given")
	}
	if r.Name != "" && !interfaceName.MatchString(r.Name) {
		return provisioning.InvalidField("name", "must be 2 to 20 letters, digits, - and _")
	}
	if r.HypervisorNetworkID < 0 {
		return positive("hypervisorNetworkId", r.HypervisorNetworkID)
	}
	if d, ok := r.Driver.Get(); ok && !d.Known() {
		return provisioning.InvalidField("driver", "must be between %d and %d", DriverVirtIO, DriverRTL8139)
	}
	if n, ok := r.ProcessQueues.Get(); ok && n != AutoProcessQueues && (n < 1 || n > 40) {
		return provisioning.InvalidField("processQueues", "must be between 1 and 40, or %d, not %d", AutoProcessQueues, n)
	}
	if value(r.InAverage) < 0 {
		return provisioning.InvalidField("inAverage", "must not be below 0")
	}
	if value(r.OutAverage) < 0 {
		return provisioning.InvalidField("outAverage", "must not be below 0")
	}
	return nil
}

// InterfacesService keeps the network interfaces of servers. All of it is panel 7.1, and nearly all of its answers were never published. Server.Network shows
// interfaces on every version.
type InterfacesService struct{ rest *rest.Client }

// List reads the interfaces of a server, the primary one first. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: read.
// API: GET /servers/{serverId}/interfaces
func (s *InterfacesService) List(ctx context.Context, id ServerID, opts ...CallOption) (json.RawMessage, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	return fetchRaw(ctx, s.rest, rest.Call{Op: "listServerInterfaces", Since: panel71, Class: rest.Read, Method: http.MethodGet,
		Path: []any{"servers", id, "interfaces"}}, opts)
}

// Create adds an interface: a secondary one, or the primary one when the server has none. It is sent once, because repeating it would add another. Panel 7.1.
//
// Experimental: nobody has seen the answer, and the request is partly inferred.
//
// Class: once.
// API: POST /servers/{serverId}/interfaces
func (s *InterfacesService) Create(ctx context.Context, id ServerID, r CreateInterfaceRequest, opts ...CallOption) (json.RawMessage, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	if r.HypervisorNetworkID < 0 {
		return nil, positive("hypervisorNetworkId", r.HypervisorNetworkID)
	}
	return fetchRaw(ctx, s.rest, rest.Call{Op: "createServerInterface", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"servers", id, "interfaces"}, In: r}, pushing(r.Apply, opts))
}

// Get reads one interface. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: read.
// API: GET /servers/{serverId}/interfaces/{interfaceRef}
func (s *InterfacesService) Get(ctx context.Context, id ServerID, ref InterfaceRef, opts ...CallOption) (json.RawMessage, error) {
	return s.raw(ctx, rest.Call{Op: "getServerInterface", Class: rest.Read, Method: http.MethodGet}, id, ref, nil, opts)
}

// Update changes an interface. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: set.
// API: PUT /servers/{serverId}/interfaces/{interfaceRef}
func (s *InterfacesService) Update(ctx context.Context, id ServerID, ref InterfaceRef, r UpdateInterfaceRequest, opts ...CallOption) (json.RawMessage, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return s.raw(ctx, rest.Call{Op: "updateServerInterface", Class: rest.Set, Method: http.MethodPut, In: r}, id, ref, nil, pushing(r.Apply, opts))
}

// raw calls an operation on one interface whose answer was never seen. below is the path below the interface.
func (s *InterfacesService) raw(ctx context.Context, call rest.Call, id ServerID, ref InterfaceRef, below []any, opts []CallOption) (json.RawMessage, error) {
	if err := checkInterface(id, ref); err != nil {
		return nil, err
	}
	call.Since, call.Path = panel71, append([]any{"servers", id, "interfaces", ref}, below...)
	return fetchRaw(ctx, s.rest, call, opts)
}
