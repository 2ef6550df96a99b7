package virtfusion

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// The limits of a prefix that is added as a whole.
const (
	minCIDR = 16
	maxCIDR = 30
)

// AddIPv4Request adds addresses to a block: a range from Start to End, or the addresses of a Prefix.
type AddIPv4Request struct {
	// Start and End are the first and the last address of a range.
	Start, End netip.Addr
	// Prefix is 16 to 30 bits long. Panel 7.1; older ones refuse it.
	Prefix netip.Prefix
	// HostsOnly leaves the first and the last address of Prefix out.
	HostsOnly bool
}

// MarshalJSON writes the one of the two shapes that is given.
func (r AddIPv4Request) MarshalJSON() ([]byte, error) {
	if r.Prefix.IsValid() {
		return json.Marshal(struct {
			Type      string     `json:"type"`
			Address   netip.Addr `json:"address"`
			Prefix    int        `json:"prefix"`
			HostsOnly bool       `json:"hostsOnly"`
		}{"cidr", r.Prefix.Addr(), r.Prefix.Bits(), r.HostsOnly})
	}
	return json.Marshal(struct {
		Type  string     `json:"type"`
		Start netip.Addr `json:"start"`
		End   netip.Addr `json:"end"`
	}{"range", r.Start, r.End})
}

func (r *AddIPv4Request) check() error {
	if err := oneOf("prefix", r.Prefix != netip.Prefix{}, r.Start.IsValid() || r.End.IsValid()); err != nil {
		return err
	}
	if r.Prefix != (netip.Prefix{}) {
		if !r.Prefix.Addr().Is4() || r.Prefix.Bits() < minCIDR || r.Prefix.Bits() > maxCIDR {
			return provisioning.InvalidField("prefix", "must be IPv4 with %d to %d bits, not %s", minCIDR, maxCIDR, r.Prefix)
		}
		return nil
	}
	if r.HostsOnly {
		return provisioning.InvalidField("hostsOnly", "belongs to a prefix")
	}
	if !r.Start.Is4() || !r.End.Is4() || r.End.Less(r.Start) {
		return provisioning.InvalidField("end", "start and end must be IPv4 addresses, and end not before start")
	}
	return nil
}

// ListBlockIPv4Options tunes ListIPv4.
type ListBlockIPv4Options struct {
	ListOptions
	Address  netip.Addr // this one only; outside of the block the list is empty
	Reserved *bool
	Assigned *bool
	ServerID ServerID
}

// ListBlockIPv6Options tunes ListIPv6.
type ListBlockIPv6Options struct {
	ListOptions
	Subnet   netip.Addr // the one with this address only
	Reserved *bool
	Assigned *bool
	ServerID ServerID
}

// addressQuery is what both lists filter by.
func addressQuery(name string, address netip.Addr, reserved, assigned *bool, server ServerID) url.Values {
	query := url.Values{}
	if address.IsValid() {
		query.Set(name, address.String())
	}
	if reserved != nil {
		query.Set("reserved", strconv.FormatBool(*reserved))
	}
	if assigned != nil {
		query.Set("assigned", strconv.FormatBool(*assigned))
	}
	if server != 0 {
		query.Set("serverId", format(server))
	}
	return query
}

// GenerateIPv6Request makes subnets of an IPv6 block.
type GenerateIPv6Request struct {
	Count int `json:"count,omitzero"` // 1 to 1000, or 0 for the panel's 300
	// After continues behind this subnet.
	After netip.Addr `json:"after,omitzero"`
}

// ListIPv4 yields the addresses of a block, page by page; the next page is read when the one before is used up. Ranging again starts again. An error is the
// last pair. Panel 7.1.
//
// Experimental: nobody has seen a row. By the documentation it has the address, whom it is assigned to and whether it is reserved.
//
// Class: read.
// API: GET /connectivity/ipblocks/{blockId}/ipv4
func (s *IPBlocksService) ListIPv4(ctx context.Context, id IPBlockID, o ListBlockIPv4Options, opts ...CallOption) iter.Seq2[json.RawMessage, error] {
	return s.addresses(ctx, "listIPBlockIPv4", id, "ipv4", addressQuery("address", o.Address, o.Reserved, o.Assigned, o.ServerID), o.ListOptions, opts)
}

// ListIPv6 yields the generated subnets of a block, page by page as ListIPv4 does. Panel 7.1.
//
// Experimental: nobody has seen a row.
//
// Class: read.
// API: GET /connectivity/ipblocks/{blockId}/ipv6
func (s *IPBlocksService) ListIPv6(ctx context.Context, id IPBlockID, o ListBlockIPv6Options, opts ...CallOption) iter.Seq2[json.RawMessage, error] {
	return s.addresses(ctx, "listIPBlockIPv6", id, "ipv6", addressQuery("subnet", o.Subnet, o.Reserved, o.Assigned, o.ServerID), o.ListOptions, opts)
}

func (s *IPBlocksService) addresses(ctx context.Context, op string, id IPBlockID, family string, query url.Values, o ListOptions,
	opts []CallOption) iter.Seq2[json.RawMessage, error] {
	if err := positive("blockId", id); err != nil {
		return func(yield func(json.RawMessage, error) bool) { yield(nil, err) }
	}
	return rows[json.RawMessage](ctx, s.rest, pageCall{op: op, since: panel71, path: []any{"connectivity", "ipblocks", id, family}, query: query,
		results: o.Results, opts: opts})
}

// AddIPv4 adds addresses to a block. Panel 7.1 counts those that are there already instead of adding them again, so a Prefix is repeated after an unclear
// answer; a range is sent once, because what older panels do about addresses that they have is not documented.
//
// Panels up to 7.0 answer nothing, which is nil here.
//
// Experimental: nobody has seen the answer of panel 7.1, which counts what was added.
//
// Class: once, but set with a Prefix.
// API: POST /connectivity/ipblocks/{blockId}/ipv4
func (s *IPBlocksService) AddIPv4(ctx context.Context, id IPBlockID, r AddIPv4Request, opts ...CallOption) (json.RawMessage, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	class := rest.Once
	if r.Prefix.IsValid() {
		class = rest.Set
	}
	return s.raw(ctx, rest.Call{Op: "addIPv4Range", Class: class, Method: http.MethodPost, In: r}, id, []any{"ipv4"}, opts)
}

// GenerateIPv6 makes subnets of an IPv6 block, so that servers can get them. It is sent once, because repeating it would make more. Panel 7.1.
//
// Experimental: nobody has seen the answer. By the documentation it may carry scannedTo, for the next After.
//
// Class: once.
// API: POST /connectivity/ipblocks/{blockId}/ipv6/generate
func (s *IPBlocksService) GenerateIPv6(ctx context.Context, id IPBlockID, r GenerateIPv6Request, opts ...CallOption) (json.RawMessage, error) {
	if r.Count < 0 || r.Count > 1000 {
		return nil, provisioning.InvalidField("count", "must be between 1 and 1000, or 0 for the panel's default, not %d", r.Count)
	}
	if r.After.IsValid() {
		if err := checkIPv6("after", r.After); err != nil {
			return nil, err
		}
	}
	return s.raw(ctx, rest.Call{Op: "generateIPBlockIPv6", Since: panel71, Class: rest.Once,
		Method: http.MethodPost, In: r}, id, []any{"ipv6", "generate"}, opts)
}

// ListBlacklist reads the IPv6 subnets of a block that are not handed out. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: read.
// API: GET /connectivity/ipblocks/{blockId}/blacklist
func (s *IPBlocksService) ListBlacklist(ctx context.Context, id IPBlockID, opts ...CallOption) (json.RawMessage, error) {
	return s.raw(ctx, rest.Call{Op: "listIPBlockBlacklist", Since: panel71, Class: rest.Read, Method: http.MethodGet}, id, []any{"blacklist"}, opts)
}

// AddToBlacklist keeps an IPv6 subnet of a block from being handed out. subnet is any address inside. No operation to take one off is known. It is sent once,
// because whether the panel would list it twice is not documented. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: once.
// API: POST /connectivity/ipblocks/{blockId}/blacklist
func (s *IPBlocksService) AddToBlacklist(ctx context.Context, id IPBlockID, subnet netip.Addr, opts ...CallOption) (json.RawMessage, error) {
	if err := checkIPv6("subnet", subnet); err != nil {
		return nil, err
	}
	in := struct {
		Subnet netip.Addr `json:"subnet"`
	}{subnet}
	return s.raw(ctx, rest.Call{Op: "addIPBlockBlacklist", Since: panel71, Class: rest.Once, Method: http.MethodPost, In: in}, id, []any{"blacklist"}, opts)
}
