package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// RDNSChange is a stored name.
type RDNSChange struct {
	// Zone is there when the name goes live only once that zone is rebuilt. Its shape was never published. Experimental.
	Zone json.RawMessage `json:"zone"`

	Data json.RawMessage `json:"-"`
}

// UnmarshalJSON reads what it can and never fails.
func (c *RDNSChange) UnmarshalJSON(b []byte) error {
	type plain RDNSChange
	*c = RDNSChange{}
	return readPartly(b, (*plain)(c), &c.Data)
}

// NeedsRebuild reports that the answer names a zone, which must be rebuilt before the name goes live. No operation for that is known: it is done on the panel.
func (c *RDNSChange) NeedsRebuild() bool {
	switch strings.TrimSpace(string(c.Zone)) {
	case "", "null", "false", "[]":
		return false
	}
	return true
}

// ReverseDNSService keeps the names of addresses. All of it is panel 7.1. ServerIPv4.RDNS shows a name on every version.
type ReverseDNSService struct{ rest *rest.Client }

// ListZones reads the zones for reverse DNS. Whether the panel pages this list is not documented. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: read.
// API: GET /connectivity/rdns/zones
func (s *ReverseDNSService) ListZones(ctx context.Context, opts ...CallOption) (json.RawMessage, error) {
	return fetchRaw(ctx, s.rest, rest.Call{Op: "listRdnsZones", Since: panel71, Class: rest.Read, Method: http.MethodGet,
		Path: []any{"connectivity", "rdns", "zones"}}, opts)
}

// SetIPv4 stores the name of an IPv4 address (its PTR record), or with null clears it. The panel stores it in lower case. Where the answer's NeedsRebuild is
// true it is not live yet. No operation for IPv6 is known. Panel 7.1.
//
// Experimental: of the answer only the zone is described.
//
// Class: set.
// API: PUT /connectivity/ipv4/rdns
func (s *ReverseDNSService) SetIPv4(ctx context.Context, address netip.Addr, name provisioning.Opt[string], opts ...CallOption) (*RDNSChange, error) {
	if !address.Is4() {
		return nil, provisioning.InvalidField("address", "must be an IPv4 address, not %q", address)
	}
	if name.IsZero() {
		return nil, provisioning.InvalidField("ptr", "must be a name, or null to clear it")
	}
	if text, ok := name.Get(); ok && (text == "" || len(text) > 253 || strings.ContainsFunc(text, notInName)) {
		return nil, provisioning.InvalidField("ptr", "must be a host name of at most 253 letters, digits, dots and hyphens, or null to clear it")
	}
	in := struct {
		Address netip.Addr               `json:"address"`
		PTR     provisioning.Opt[string] `json:"ptr"`
	}{address, name}
	return fetchPartly[RDNSChange](ctx, s.rest, rest.Call{Op: "setIPv4Rdns", Since: panel71, Class: rest.Set, Method: http.MethodPut,
		Path: []any{"connectivity", "ipv4", "rdns"}, In: in}, nil, opts)
}

func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
}
