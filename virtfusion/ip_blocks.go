package virtfusion

import (
	"context"
	"encoding/json"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"unicode/utf8"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// IPFamily is the kind of addresses in a block.
type IPFamily int64

// The families.
const (
	FamilyIPv4 IPFamily = 4
	FamilyIPv6 IPFamily = 6
)

// UnmarshalJSON reads numbers and text; null is 0.
func (f *IPFamily) UnmarshalJSON(b []byte) error { return (*rest.Int)(f).UnmarshalJSON(b) }

// Known reports whether this package knows the family.
func (f IPFamily) Known() bool { return f == FamilyIPv4 || f == FamilyIPv6 }

// RDNSType is how the reverse DNS of a block's addresses is kept.
type RDNSType int64

// The types.
const (
	RDNSNone      RDNSType = 0
	RDNSAutomatic RDNSType = 1
	RDNSZone      RDNSType = 2 // in a zone of the panel
)

// UnmarshalJSON reads numbers and text; null is 0.
func (t *RDNSType) UnmarshalJSON(b []byte) error { return (*rest.Int)(t).UnmarshalJSON(b) }

// Known reports whether this package knows the type.
func (t RDNSType) Known() bool { return t >= RDNSNone && t <= RDNSZone }

// Resolvers are the name servers that guests are given. "" is none.
type Resolvers struct {
	Primary   string `json:"primary"`
	Secondary string `json:"secondary"`
}

// IPBlock is a block of addresses. Both IPv4 and IPv6 are there whatever the Type is; the other one's counts are 0.
type IPBlock struct {
	ID             IPBlockID   `json:"id"`
	Type           IPFamily    `json:"type"`
	Name           string      `json:"name"`
	IPv4           IPBlockIPv4 `json:"ipv4"`
	IPv6           IPBlockIPv6 `json:"ipv6"`
	RDNSType       RDNSType    `json:"rdnsType"`
	RDNSZoneID     RDNSZoneID  `json:"rdnsZoneId"`     // 0 when there is none
	NetworkProfile Int         `json:"networkProfile"` // 0 is any
	RouteBlock     Text        `json:"routeBlock"`     // IPv6 only; "" in every example, so what it looks like is not known
	DHCP           Bool        `json:"dhcp"`
	Enabled        Bool        `json:"enabled"`
	Created        Time        `json:"created"`
	Updated        Time        `json:"updated"`
}

// IPBlockIPv4 is the IPv4 part of a block. Addresses are "" when they are not set.
type IPBlockIPv4 struct {
	Gateway   string    `json:"gateway"`
	Netmask   string    `json:"netmask"` // dotted
	Resolvers Resolvers `json:"resolvers"`
	Total     Int       `json:"total"`
	Used      Int       `json:"usedTotal"`
	Free      Int       `json:"freeTotal"`
}

// IPBlockIPv6 is the IPv6 part of a block, which hands out subnets. Addresses are "" when they are not set.
type IPBlockIPv6 struct {
	Gateway   string    `json:"gateway"`
	Resolvers Resolvers `json:"resolvers"`
	Subnet    string    `json:"subnet"` // the source prefix's address
	From      Int       `json:"from"`   // the source prefix's length
	To        Int       `json:"to"`     // the length of what servers get
	// Restricted was empty in every example.
	Restricted    json.RawMessage `json:"restricted,omitempty"`
	Total         Int             `json:"total"`
	Generated     Int             `json:"generatedTotal"` // subnets that exist in the panel's table, see GenerateIPv6
	Used          Int             `json:"usedTotal"`
	Free          Int             `json:"freeTotal"`
	FreeGenerated Int             `json:"freeGenerated"`
	Blacklisted   Int             `json:"blacklistedTotal"`
}

// ResolversRequest sets name servers. Null clears; what is absent stays as it is.
type ResolversRequest struct {
	Primary   provisioning.Opt[netip.Addr] `json:"primary,omitzero"`
	Secondary provisioning.Opt[netip.Addr] `json:"secondary,omitzero"`
}

// IPBlockIPv4Request sets the IPv4 part of a block. Null clears; what is absent stays as it is.
type IPBlockIPv4Request struct {
	Gateway   provisioning.Opt[netip.Addr] `json:"gateway,omitzero"`
	Netmask   provisioning.Opt[netip.Addr] `json:"netmask,omitzero"` // dotted
	Resolvers ResolversRequest             `json:"resolvers,omitzero"`
}

// IPBlockIPv6Request sets the IPv6 part of a block. Null clears; what is absent stays as it is.
type IPBlockIPv6Request struct {
	Gateway   provisioning.Opt[netip.Addr] `json:"gateway,omitzero"`
	Resolvers ResolversRequest             `json:"resolvers,omitzero"`
	// Subnet and From are the source prefix, To is the length of what servers get. Changing the source prefix deletes the subnets that were generated from it.
	Subnet provisioning.Opt[netip.Addr] `json:"subnet,omitzero"`
	From   int                          `json:"from,omitzero"`
	To     int                          `json:"to,omitzero"`
}

// IPBlockRequest makes or changes a block. A new one needs Name and Type. In a change, what is absent stays as it is, and null clears. The nested names follow
// those of the answer and are partly inferred.
type IPBlockRequest struct {
	Name string   `json:"name,omitzero"` // 3 to 100 characters
	Type IPFamily `json:"type,omitzero"`
	// Enabled needs a netmask on an IPv4 block, and subnet, from and to on an IPv6 block.
	Enabled        *bool     `json:"enabled,omitempty"`
	DHCP           *int      `json:"dhcp,omitempty"`           // 0 or 1
	NetworkProfile *int      `json:"networkProfile,omitempty"` // 0, which is any, to 20
	RDNSType       *RDNSType `json:"rdnsType,omitempty"`       // RDNSZone needs a zone

	RDNSZoneID provisioning.Opt[RDNSZoneID] `json:"rdnsZoneId,omitzero"`
	RouteBlock provisioning.Opt[string]     `json:"routeBlock,omitzero"` // IPv6 only; what the panel takes here is not documented

	IPv4 IPBlockIPv4Request `json:"ipv4,omitzero"`
	IPv6 IPBlockIPv6Request `json:"ipv6,omitzero"`
}

func (r *IPBlockRequest) check() error {
	if n := utf8.RuneCountInString(r.Name); r.Name != "" && (n < 3 || n > 100) {
		return provisioning.InvalidField("name", "must have 3 to 100 characters, not %d", n)
	}
	if r.Type != 0 && !r.Type.Known() {
		return provisioning.InvalidField("type", "must be 4 or 6, not %d", r.Type)
	}
	if d := value(r.DHCP); d != 0 && d != 1 {
		return provisioning.InvalidField("dhcp", "must be 0 or 1, not %d", d)
	}
	if p := value(r.NetworkProfile); p < 0 || p > 20 {
		return provisioning.InvalidField("networkProfile", "must be between 0 and 20, not %d", p)
	}
	if !value(r.RDNSType).Known() {
		return provisioning.InvalidField("rdnsType", "must be between %d and %d", RDNSNone, RDNSZone)
	}
	if zone, ok := r.RDNSZoneID.Get(); ok && zone <= 0 {
		return positive("rdnsZoneId", zone)
	}
	if err := r.IPv4.check(); err != nil {
		return err
	}
	return r.IPv6.check()
}

func (r *IPBlockIPv4Request) check() error {
	for _, a := range []provisioning.Opt[netip.Addr]{r.Gateway, r.Netmask, r.Resolvers.Primary, r.Resolvers.Secondary} {
		if addr, ok := a.Get(); ok && !addr.Is4() {
			return provisioning.InvalidField("ipv4", "gateway, netmask and resolvers must be IPv4 addresses, not %q", addr)
		}
	}
	if mask, ok := r.Netmask.Get(); ok {
		if _, bits := net.IPMask(mask.AsSlice()).Size(); bits != 32 {
			return provisioning.InvalidField("ipv4", "%s is not a netmask", mask)
		}
	}
	return nil
}

func (r *IPBlockIPv6Request) check() error {
	for _, a := range []provisioning.Opt[netip.Addr]{r.Gateway, r.Subnet, r.Resolvers.Primary, r.Resolvers.Secondary} {
		if addr, ok := a.Get(); ok {
			if err := checkIPv6("ipv6", addr); err != nil {
				return err
			}
		}
	}
	if r.From < 0 || r.From > 128 || r.To < 0 || r.To > 128 || r.To != 0 && r.From > r.To {
		return provisioning.InvalidField("ipv6", "from and to must be between 1 and 128, and from not above to")
	}
	return nil
}

// IPBlocksService keeps blocks of addresses. Reading them works on every version, nearly all else is panel 7.1.
type IPBlocksService struct{ rest *rest.Client }

// List yields all blocks, page by page; the next page is read when the one before is used up. Ranging again starts again. An error is the last pair.
//
// Class: read.
// API: GET /connectivity/ipblocks
func (s *IPBlocksService) List(ctx context.Context, o ListOptions, opts ...CallOption) iter.Seq2[IPBlock, error] {
	return rows[IPBlock](ctx, s.rest, pageCall{op: "listIPBlocks", path: []any{"connectivity", "ipblocks"}, results: o.Results, opts: opts})
}

// Get reads one block. NotFound when there is none.
//
// Class: read.
// API: GET /connectivity/ipblocks/{blockId}
func (s *IPBlocksService) Get(ctx context.Context, id IPBlockID, opts ...CallOption) (*IPBlock, error) {
	if err := positive("blockId", id); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getIPBlock", Class: rest.Read, Method: http.MethodGet, Path: []any{"connectivity", "ipblocks", id}},
		func(v *IPBlock) error { return sameID("IP block", v.ID, id) }, opts)
}

// Create makes a block. It has no IPv4 addresses yet, which AddIPv4 gives it. It is sent once: after ErrMaybeApplied look for the name with List. Panel 7.1.
//
// Experimental: nobody has seen the answer. That it is the block is likely; ID is 0 when it is not.
//
// Class: once.
// API: POST /connectivity/ipblocks
func (s *IPBlocksService) Create(ctx context.Context, r IPBlockRequest, opts ...CallOption) (*IPBlock, error) {
	if r.Name == "" {
		return nil, provisioning.InvalidField("name", "must not be empty")
	}
	if r.Type == 0 {
		return nil, provisioning.InvalidField("type", "must be 4 or 6")
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetchPartly[IPBlock](ctx, s.rest, rest.Call{Op: "createIPBlock", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"connectivity", "ipblocks"}, In: r}, nil, opts)
}

// Update changes a block. Panel 7.1.
//
// Experimental: nobody has seen the answer. That it is the block is likely; ID is 0 when it is not.
//
// Class: set.
// API: PUT /connectivity/ipblocks/{blockId}
func (s *IPBlocksService) Update(ctx context.Context, id IPBlockID, r IPBlockRequest, opts ...CallOption) (*IPBlock, error) {
	if err := positive("blockId", id); err != nil {
		return nil, err
	}
	if r == (IPBlockRequest{}) {
		return nil, provisioning.InvalidField("name", "nothing to change is given")
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetchPartly(ctx, s.rest, rest.Call{Op: "updateIPBlock", Since: panel71, Class: rest.Set, Method: http.MethodPut,
		Path: []any{"connectivity", "ipblocks", id}, In: r}, func(v *IPBlock) error { return sameIfTold("IP block", v.ID, id) }, opts)
}

// Delete removes a block with all its addresses. The panel wants a confirmation, and calling this is it. It refuses while anything in the block is assigned;
// that this is a Conflict is a guess. A block that the panel does not know is NotFound, unless an earlier attempt of this call may have deleted it. Panel 7.1.
//
// Class: set.
// API: DELETE /connectivity/ipblocks/{blockId}
func (s *IPBlocksService) Delete(ctx context.Context, id IPBlockID, opts ...CallOption) error {
	if err := positive("blockId", id); err != nil {
		return err
	}
	in := struct {
		Confirm bool `json:"confirm"`
	}{true}
	return s.rest.Do(ctx, rest.Call{Op: "deleteIPBlock", Since: panel71, Class: rest.Set, Method: http.MethodDelete,
		Path: []any{"connectivity", "ipblocks", id}, In: in}, opts...)
}

// ListHypervisors reads the hypervisors that a block is bound to directly, which leaves out those that have it through a group. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: read.
// API: GET /connectivity/ipblocks/{blockId}/hypervisors
func (s *IPBlocksService) ListHypervisors(ctx context.Context, id IPBlockID, opts ...CallOption) (json.RawMessage, error) {
	return s.raw(ctx, rest.Call{Op: "listIPBlockHypervisors", Since: panel71, Class: rest.Read, Method: http.MethodGet}, id, []any{"hypervisors"}, opts)
}

// raw calls an operation on one block whose answer was never seen. below is the path below the block.
func (s *IPBlocksService) raw(ctx context.Context, call rest.Call, id IPBlockID, below []any, opts []CallOption) (json.RawMessage, error) {
	if err := positive("blockId", id); err != nil {
		return nil, err
	}
	call.Path = append([]any{"connectivity", "ipblocks", id}, below...)
	return fetchRaw(ctx, s.rest, call, opts)
}
