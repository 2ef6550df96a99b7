package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"unicode/utf8"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// HypervisorNetworkDetails is a network of a hypervisor as its own operations tell it. Their answer was never published: the members are the likely ones, and
// Data has all of it, by the documentation also the group of blocks and the blocks that are bound. Experimental.
type HypervisorNetworkDetails struct {
	HypervisorNetwork
	Name string `json:"name"`

	Data json.RawMessage `json:"-"`
}

// UnmarshalJSON reads what it can and never fails.
func (n *HypervisorNetworkDetails) UnmarshalJSON(b []byte) error {
	type plain HypervisorNetworkDetails
	*n = HypervisorNetworkDetails{}
	return readPartly(b, (*plain)(n), &n.Data)
}

// HypervisorNetworkRequest makes or changes a network. A new one needs Name, Bridge and Type. In a change, what is absent stays as it is.
type HypervisorNetworkRequest struct {
	Name   string                `json:"name,omitzero"`   // 3 to 30 characters; the primary network cannot be renamed
	Bridge string                `json:"bridge,omitzero"` // 1 to 20 letters, digits and _.-, once on a hypervisor
	Type   NetworkType           `json:"type,omitzero"`
	MTU    provisioning.Opt[int] `json:"mtu,omitzero"` // null is the default
	// IPBlockGroupID binds a group of blocks, null unbinds it.
	IPBlockGroupID provisioning.Opt[IPBlockGroupID] `json:"ipBlockGroupId,omitzero"`
}

var bridgeName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,20}$`)

func (r *HypervisorNetworkRequest) check() error {
	if n := utf8.RuneCountInString(r.Name); r.Name != "" && (n < 3 || n > 30) {
		return provisioning.InvalidField("name", "must have 3 to 30 characters, not %d", n)
	}
	if r.Bridge != "" && !bridgeName.MatchString(r.Bridge) {
		return provisioning.InvalidField("bridge", "must be 1 to 20 letters, digits, dots, hyphens and underscores")
	}
	if mtu, ok := r.MTU.Get(); ok && mtu < 1 {
		return provisioning.InvalidField("mtu", "must be above 0, or null for the default, not %d", mtu)
	}
	if group, ok := r.IPBlockGroupID.Get(); ok {
		return positive("ipBlockGroupId", group)
	}
	return nil
}

// ListNetworks returns the networks of a hypervisor, the primary one first. Panel 7.1; Hypervisor.Networks shows less of them on every version.
//
// Experimental: nobody has seen the answer; see HypervisorNetworkDetails.
//
// Class: read.
// API: GET /compute/hypervisors/{hypervisorId}/networks
func (s *HypervisorsService) ListNetworks(ctx context.Context, id HypervisorID, opts ...CallOption) ([]HypervisorNetworkDetails, error) {
	if err := positive("hypervisorId", id); err != nil {
		return nil, err
	}
	return fetchList[HypervisorNetworkDetails](ctx, s.rest, rest.Call{Op: "listHypervisorNetworks", Since: panel71, Class: rest.Read, Method: http.MethodGet,
		Path: []any{"compute", "hypervisors", id, "networks"}}, opts)
}

// CreateNetwork adds a network to a hypervisor. It is sent once; a bridge that the hypervisor has already is refused. Panel 7.1.
//
// Experimental: nobody has seen the answer; see HypervisorNetworkDetails. ID is 0 when it is not told.
//
// Class: once.
// API: POST /compute/hypervisors/{hypervisorId}/networks
func (s *HypervisorsService) CreateNetwork(ctx context.Context, id HypervisorID, r HypervisorNetworkRequest,
	opts ...CallOption) (*HypervisorNetworkDetails, error) {
	if err := positive("hypervisorId", id); err != nil {
		return nil, err
	}
	switch {
	case r.Name == "":
		return nil, provisioning.InvalidField("name", "must not be empty")
	case r.Bridge == "":
		return nil, provisioning.InvalidField("bridge", "must not be empty")
	case r.Type == "":
		return nil, provisioning.InvalidField("type", "must not be empty")
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetchPartly[HypervisorNetworkDetails](ctx, s.rest, rest.Call{Op: "createHypervisorNetwork", Since: panel71, Class: rest.Once,
		Method: http.MethodPost,
		Path:   []any{"compute", "hypervisors", id, "networks"}, In: r}, nil, opts)
}

// GetNetwork reads one network of a hypervisor. NotFound when there is none. Panel 7.1.
//
// Experimental: nobody has seen the answer; see HypervisorNetworkDetails.
//
// Class: read.
// API: GET /compute/hypervisors/{hypervisorId}/networks/{networkId}
func (s *HypervisorsService) GetNetwork(ctx context.Context, id HypervisorID, network HypervisorNetworkID,
	opts ...CallOption) (*HypervisorNetworkDetails, error) {
	path, err := networkPath(id, network)
	if err != nil {
		return nil, err
	}
	return fetchPartly(ctx, s.rest, rest.Call{Op: "getHypervisorNetwork", Since: panel71, Class: rest.Read, Method: http.MethodGet, Path: path},
		func(v *HypervisorNetworkDetails) error { return sameIfTold("hypervisor network", v.ID, network) }, opts)
}

// UpdateNetwork changes a network of a hypervisor. Panel 7.1.
//
// Experimental: nobody has seen the answer; see HypervisorNetworkDetails.
//
// Class: set.
// API: PUT /compute/hypervisors/{hypervisorId}/networks/{networkId}
func (s *HypervisorsService) UpdateNetwork(ctx context.Context, id HypervisorID, network HypervisorNetworkID, r HypervisorNetworkRequest,
	opts ...CallOption) (*HypervisorNetworkDetails, error) {
	path, err := networkPath(id, network)
	if err != nil {
		return nil, err
	}
	if r == (HypervisorNetworkRequest{}) {
		return nil, provisioning.InvalidField("name", "nothing to change is given")
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetchPartly(ctx, s.rest, rest.Call{Op: "updateHypervisorNetwork", Since: panel71, Class: rest.Set, Method: http.MethodPut, Path: path, In: r},
		func(v *HypervisorNetworkDetails) error { return sameIfTold("hypervisor network", v.ID, network) }, opts)
}

// DeleteNetwork removes a network from a hypervisor. The panel refuses it for the primary one and for one in use; that this is a Conflict is a guess. Panel
// 7.1.
//
// Class: set.
// API: DELETE /compute/hypervisors/{hypervisorId}/networks/{networkId}
func (s *HypervisorsService) DeleteNetwork(ctx context.Context, id HypervisorID, network HypervisorNetworkID, opts ...CallOption) error {
	path, err := networkPath(id, network)
	if err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: "deleteHypervisorNetwork", Since: panel71, Class: rest.Set, Method: http.MethodDelete, Path: path}, opts...)
}

func networkPath(id HypervisorID, network HypervisorNetworkID) ([]any, error) {
	if err := positive("hypervisorId", id); err != nil {
		return nil, err
	}
	return []any{"compute", "hypervisors", id, "networks", network}, positive("networkId", network)
}
