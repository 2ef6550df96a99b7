package virtfusion

import (
	"context"
	"encoding/json"
	"net"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// VLANMode is 0, 1 or 2. What the numbers mean is not documented.
type VLANMode int64

// UnmarshalJSON reads numbers and text; null is 0.
func (m *VLANMode) UnmarshalJSON(b []byte) error { return (*rest.Int)(m).UnmarshalJSON(b) }

// VLAN is a VLAN on an interface. Its answer was never published: the members are those of the requests, and Data has all of it. Experimental.
type VLAN struct {
	ID         VLANEntryID `json:"id"`
	Number     Int         `json:"vlanId"` // 1 to 4094
	NativeMode VLANMode    `json:"nativeMode"`
	Trunk      VLANMode    `json:"trunk"`

	Data json.RawMessage `json:"-"`
}

// UnmarshalJSON reads what it can and never fails.
func (v *VLAN) UnmarshalJSON(b []byte) error {
	type plain VLAN
	*v = VLAN{}
	return readPartly(b, (*plain)(v), &v.Data)
}

// AddVLANRequest tags a VLAN on an interface.
type AddVLANRequest struct {
	Number     int       `json:"vlanId"` // 1 to 4094
	NativeMode *VLANMode `json:"nativeMode,omitempty"`
}

// UpdateVLANRequest changes a VLAN on an interface. What is absent stays as it is.
type UpdateVLANRequest struct {
	NativeMode *VLANMode `json:"nativeMode,omitempty"`
	Trunk      *VLANMode `json:"trunk,omitempty"`
}

func checkVLANMode(field string, m *VLANMode) error {
	if v := value(m); v < 0 || v > 2 {
		return provisioning.InvalidField(field, "must be between 0 and 2, not %d", v)
	}
	return nil
}

// InterfaceMAC is an extra MAC address of an interface. Its answer was never published; Data has all of it, by the documentation also the ids of the addresses
// and subnets that are bound to it. Experimental.
type InterfaceMAC struct {
	ID  InterfaceMACID `json:"id"`
	MAC string         `json:"mac"`

	Data json.RawMessage `json:"-"`
}

// UnmarshalJSON reads what it can and never fails.
func (m *InterfaceMAC) UnmarshalJSON(b []byte) error {
	type plain InterfaceMAC
	*m = InterfaceMAC{}
	return readPartly(b, (*plain)(m), &m.Data)
}

// AddInterfaceMACRequest adds an extra MAC address to an interface.
type AddInterfaceMACRequest struct {
	// MAC is a unicast address that nothing else has, as six bytes in hexadecimal. Left out, the panel allocates one.
	MAC string `json:"mac,omitzero"`
}

// ListVLANs returns the VLANs on an interface. Panel 7.1.
//
// Experimental: nobody has seen the answer; see VLAN.
//
// Class: read.
// API: GET /servers/{serverId}/interfaces/{interfaceRef}/vlans
func (s *InterfacesService) ListVLANs(ctx context.Context, id ServerID, ref InterfaceRef, opts ...CallOption) ([]VLAN, error) {
	if err := checkInterface(id, ref); err != nil {
		return nil, err
	}
	return fetchList[VLAN](ctx, s.rest, rest.Call{Op: "listServerInterfaceVlans", Since: panel71, Class: rest.Read, Method: http.MethodGet,
		Path: []any{"servers", id, "interfaces", ref, "vlans"}}, opts)
}

// AddVLAN tags a VLAN on an interface. It takes effect at the next start, or when the configuration is pushed, and only on networks of the types simpleBridge
// and lvBridgeOVS. It is sent once, because what the panel does about a VLAN that is there already is not documented. Panel 7.1.
//
// Experimental: nobody has seen the answer; see VLAN.
//
// Class: once.
// API: POST /servers/{serverId}/interfaces/{interfaceRef}/vlans
func (s *InterfacesService) AddVLAN(ctx context.Context, id ServerID, ref InterfaceRef, r AddVLANRequest, opts ...CallOption) (*VLAN, error) {
	if err := checkInterface(id, ref); err != nil {
		return nil, err
	}
	if r.Number < 1 || r.Number > 4094 {
		return nil, provisioning.InvalidField("vlanId", "must be between 1 and 4094, not %d", r.Number)
	}
	if err := checkVLANMode("nativeMode", r.NativeMode); err != nil {
		return nil, err
	}
	return fetchPartly[VLAN](ctx, s.rest, rest.Call{Op: "addServerInterfaceVlan", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"servers", id, "interfaces", ref, "vlans"}, In: r}, nil, opts)
}

// UpdateVLAN changes a VLAN on an interface. Panel 7.1.
//
// Experimental: nobody has seen the answer; see VLAN.
//
// Class: set.
// API: PUT /servers/{serverId}/interfaces/{interfaceRef}/vlans/{vlanId}
func (s *InterfacesService) UpdateVLAN(ctx context.Context, id ServerID, ref InterfaceRef, entry VLANEntryID, r UpdateVLANRequest,
	opts ...CallOption) (*VLAN, error) {
	path, err := vlanPath(id, ref, entry)
	if err != nil {
		return nil, err
	}
	if r == (UpdateVLANRequest{}) {
		return nil, provisioning.InvalidField("nativeMode", "nothing to change is given")
	}
	if err := checkVLANMode("nativeMode", r.NativeMode); err != nil {
		return nil, err
	}
	if err := checkVLANMode("trunk", r.Trunk); err != nil {
		return nil, err
	}
	return fetchPartly(ctx, s.rest, rest.Call{Op: "updateServerInterfaceVlan", Since: panel71, Class: rest.Set, Method: http.MethodPut, Path: path, In: r},
		func(v *VLAN) error { return sameIfTold("VLAN", v.ID, entry) }, opts)
}

// DeleteVLAN takes a VLAN from an interface. Panel 7.1.
//
// Class: set.
// API: DELETE /servers/{serverId}/interfaces/{interfaceRef}/vlans/{vlanId}
func (s *InterfacesService) DeleteVLAN(ctx context.Context, id ServerID, ref InterfaceRef, entry VLANEntryID, opts ...CallOption) error {
	path, err := vlanPath(id, ref, entry)
	if err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: "deleteServerInterfaceVlan", Since: panel71, Class: rest.Set, Method: http.MethodDelete, Path: path}, opts...)
}

func vlanPath(id ServerID, ref InterfaceRef, entry VLANEntryID) ([]any, error) {
	if err := checkInterface(id, ref); err != nil {
		return nil, err
	}
	return []any{"servers", id, "interfaces", ref, "vlans", entry}, positive("vlanId", entry)
}

// ListMACs returns the extra MAC addresses of an interface. Panel 7.1.
//
// Experimental: nobody has seen the answer; see InterfaceMAC.
//
// Class: read.
// API: GET /servers/{serverId}/interfaces/{interfaceRef}/macs
func (s *InterfacesService) ListMACs(ctx context.Context, id ServerID, ref InterfaceRef, opts ...CallOption) ([]InterfaceMAC, error) {
	if err := checkInterface(id, ref); err != nil {
		return nil, err
	}
	return fetchList[InterfaceMAC](ctx, s.rest, rest.Call{Op: "listServerInterfaceMacs", Since: panel71, Class: rest.Read, Method: http.MethodGet,
		Path: []any{"servers", id, "interfaces", ref, "macs"}}, opts)
}

// AddMAC adds an extra MAC address to an interface: at most 64, and only where the hypervisor has a native network filter. It is sent once, because repeating
// it would add another. No operation to remove one is known. Panel 7.1.
//
// Experimental: nobody has seen the answer; see InterfaceMAC.
//
// Class: once.
// API: POST /servers/{serverId}/interfaces/{interfaceRef}/macs
func (s *InterfacesService) AddMAC(ctx context.Context, id ServerID, ref InterfaceRef, r AddInterfaceMACRequest, opts ...CallOption) (*InterfaceMAC, error) {
	if err := checkInterface(id, ref); err != nil {
		return nil, err
	}
	if r.MAC != "" {
		if mac, err := net.ParseMAC(r.MAC); err != nil || len(mac) != 6 || mac[0]&1 != 0 {
			return nil, provisioning.InvalidField("mac", "must be a unicast address of six bytes, not %.40q", r.MAC)
		}
	}
	return fetchPartly[InterfaceMAC](ctx, s.rest, rest.Call{Op: "addServerInterfaceMac", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"servers", id, "interfaces", ref, "macs"}, In: r}, nil, opts)
}
