package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// maxAttached is how many addresses one call may attach.
const maxAttached = 100

// AttachIPv4Request names the addresses to attach in one of three ways.
type AttachIPv4Request struct {
	IDs       []IPv4ID     `json:"ids,omitempty"`
	Addresses []netip.Addr `json:"addresses,omitempty"`
	Quantity  int          `json:"quantity,omitzero"` // 1 to 100, which the panel chooses
}

func (r *AttachIPv4Request) check() error {
	if err := oneOf("addresses", len(r.IDs) > 0, len(r.Addresses) > 0, r.Quantity != 0); err != nil {
		return err
	}
	if r.Quantity < 0 || r.Quantity > maxAttached {
		return provisioning.InvalidField("quantity", "must be between 1 and %d, not %d", maxAttached, r.Quantity)
	}
	detach := DetachIPv4Request{IDs: r.IDs, Addresses: r.Addresses}
	if r.Quantity == 0 {
		return detach.check()
	}
	return nil
}

// DetachIPv4Request names the addresses to detach in one of two ways.
type DetachIPv4Request struct {
	IDs       []IPv4ID     `json:"ids,omitempty"`
	Addresses []netip.Addr `json:"addresses,omitempty"`
}

func (r *DetachIPv4Request) check() error {
	if err := oneOf("addresses", len(r.IDs) > 0, len(r.Addresses) > 0); err != nil {
		return err
	}
	if len(r.IDs) > 0 {
		return eachOnce("ids", r.IDs)
	}
	return checkIPv4(r.Addresses)
}

// eachOnce wants ids that can be ones, each of them once.
func eachOnce[T ~int64](field string, ids []T) error {
	for i, id := range ids {
		if err := positive(field, id); err != nil {
			return err
		}
		if slices.Contains(ids[:i], id) {
			return provisioning.InvalidField(field, "names %d twice", int64(id))
		}
	}
	return nil
}

// AttachIPv4 attaches IPv4 addresses to an interface. With a Quantity it is sent once, because repeating it would attach more; addresses that are named are
// attached or are not, so they are repeated after an unclear answer. Panel 7.1; ServersService.AddIPv4Quantity and AddIPv4 do it on every version.
//
// Experimental: nobody has seen the answer.
//
// Class: set, but once with a Quantity.
// API: POST /servers/{serverId}/interfaces/{interfaceRef}/ipv4
func (s *InterfacesService) AttachIPv4(ctx context.Context, id ServerID, ref InterfaceRef, r AttachIPv4Request, opts ...CallOption) (json.RawMessage, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	class := rest.Set
	if r.Quantity > 0 {
		class = rest.Once
	}
	return s.raw(ctx, rest.Call{Op: "attachServerInterfaceIPv4", Class: class, Method: http.MethodPost, In: r}, id, ref, []any{"ipv4"}, opts)
}

// DetachIPv4 takes IPv4 addresses from an interface. The panel numbers the others anew; when the first one goes, another becomes the primary address. Panel
// 7.1; ServersService.RemoveIPv4 does it on every version.
//
// Experimental: nobody has seen the answer.
//
// Class: set.
// API: DELETE /servers/{serverId}/interfaces/{interfaceRef}/ipv4
func (s *InterfacesService) DetachIPv4(ctx context.Context, id ServerID, ref InterfaceRef, r DetachIPv4Request, opts ...CallOption) (json.RawMessage, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return s.raw(ctx, rest.Call{Op: "detachServerInterfaceIPv4", Class: rest.Set, Method: http.MethodDelete, In: r}, id, ref, []any{"ipv4"}, opts)
}

// OrderIPv4 puts the IPv4 addresses of an interface into an order. order names each of them once; the first becomes the primary address. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: set.
// API: PUT /servers/{serverId}/interfaces/{interfaceRef}/ipv4/order
func (s *InterfacesService) OrderIPv4(ctx context.Context, id ServerID, ref InterfaceRef, order []IPv4ID, opts ...CallOption) (json.RawMessage, error) {
	if len(order) == 0 {
		return nil, provisioning.InvalidField("order", "must not be empty")
	}
	if err := eachOnce("order", order); err != nil {
		return nil, err
	}
	in := struct {
		Order []IPv4ID `json:"order"`
	}{order}
	return s.raw(ctx, rest.Call{Op: "orderServerInterfaceIPv4", Class: rest.Set, Method: http.MethodPut, In: in}, id, ref, []any{"ipv4", "order"}, opts)
}

// BindIPv4MAC binds an IPv4 address of an interface to one of its extra MAC addresses, or with null to the interface's own. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: set.
// API: PUT /servers/{serverId}/interfaces/{interfaceRef}/ipv4/{ipId}/mac
func (s *InterfacesService) BindIPv4MAC(ctx context.Context, id ServerID, ref InterfaceRef, ip IPv4ID, mac provisioning.Opt[InterfaceMACID],
	opts ...CallOption) (json.RawMessage, error) {
	if err := positive("ipId", ip); err != nil {
		return nil, err
	}
	return s.bindMAC(ctx, "bindServerInterfaceIPv4Mac", id, ref, []any{"ipv4", ip, "mac"}, mac, opts)
}

// AttachIPv6Request attaches an IPv6 subnet.
type AttachIPv6Request struct {
	// Subnet is the first address of a subnet; the zero Addr takes the next free one.
	Subnet netip.Addr `json:"subnet,omitzero"`
}

// AttachIPv6 attaches an IPv6 subnet to an interface. When the panel chooses it, the call is sent once, because repeating it would attach another. No operation
// to detach one is known. Panel 7.1; on older ones a server gets its subnet from Build.
//
// Experimental: nobody has seen the answer.
//
// Class: once, but set with a Subnet.
// API: POST /servers/{serverId}/interfaces/{interfaceRef}/ipv6
func (s *InterfacesService) AttachIPv6(ctx context.Context, id ServerID, ref InterfaceRef, r AttachIPv6Request, opts ...CallOption) (json.RawMessage, error) {
	class := rest.Once
	if r.Subnet.IsValid() {
		if err := checkIPv6("subnet", r.Subnet); err != nil {
			return nil, err
		}
		class = rest.Set
	}
	return s.raw(ctx, rest.Call{Op: "attachServerInterfaceIPv6", Class: class, Method: http.MethodPost, In: r}, id, ref, []any{"ipv6"}, opts)
}

// checkIPv6 wants a plain IPv6 address.
func checkIPv6(field string, a netip.Addr) error {
	if !a.Is6() || a.Is4In6() || a.Zone() != "" {
		return provisioning.InvalidField(field, "must be an IPv6 address, not %q", a)
	}
	return nil
}

// BindIPv6MAC binds an IPv6 subnet of an interface to one of its extra MAC addresses, or with null to the interface's own. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: set.
// API: PUT /servers/{serverId}/interfaces/{interfaceRef}/ipv6/{subnetId}/mac
func (s *InterfacesService) BindIPv6MAC(ctx context.Context, id ServerID, ref InterfaceRef, subnet IPv6SubnetID, mac provisioning.Opt[InterfaceMACID],
	opts ...CallOption) (json.RawMessage, error) {
	if err := positive("subnetId", subnet); err != nil {
		return nil, err
	}
	return s.bindMAC(ctx, "bindServerInterfaceIPv6Mac", id, ref, []any{"ipv6", subnet, "mac"}, mac, opts)
}

func (s *InterfacesService) bindMAC(ctx context.Context, op string, id ServerID, ref InterfaceRef, below []any, mac provisioning.Opt[InterfaceMACID],
	opts []CallOption) (json.RawMessage, error) {
	if macID, ok := mac.Get(); mac.IsZero() || ok && macID <= 0 {
		return nil, provisioning.InvalidField("macId", "must be an id, or null for the interface's own")
	}
	in := struct {
		MACID provisioning.Opt[InterfaceMACID] `json:"macId"`
	}{mac}
	return s.raw(ctx, rest.Call{Op: op, Class: rest.Set, Method: http.MethodPut, In: in}, id, ref, below, opts)
}
