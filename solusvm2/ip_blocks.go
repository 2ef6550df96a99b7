package solusvm2

import (
	"context"
	"iter"
	"net/http"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// IPBlock is a block of addresses.
type IPBlock struct {
	ID       IPBlockID  `json:"id"`
	Name     string     `json:"name"`
	Type     IPVersion  `json:"type"`
	ListType IPListType `json:"list_type"`
	Gateway  string     `json:"gateway"`
	Netmask  string     `json:"netmask"` // IPv4
	NS1      string     `json:"ns_1"`
	NS2      string     `json:"ns_2"`
	From     string     `json:"from"`   // IPv4 range
	To       string     `json:"to"`     // IPv4 range
	Range    string     `json:"range"`  // IPv6: a network
	Subnet   Int        `json:"subnet"` // IPv6: length of the prefix that a server gets

	ReverseDNS ReverseDNS `json:"reverse_dns"`
	// TotalIPsCount is a number for sets, and text such as "10.0.0.2 - 10.0.0.254" for ranges.
	TotalIPsCount    Text              `json:"total_ips_count"`
	ComputeResources []ComputeResource `json:"compute_resources"`
}

func (b *IPBlock) key() (int64, string) { return int64(b.ID), "IP block" }

// IPListType says how the addresses of a block are written down. The set is open.
type IPListType string

// The list types.
const (
	IPListRange IPListType = "range" // from one address to another
	IPListSet   IPListType = "set"   // one by one
)

// Known reports whether the type is one of the constants.
func (t IPListType) Known() bool { return t == IPListRange || t == IPListSet }

// ReverseDNS says whether names are registered for the addresses of a block.
type ReverseDNS struct {
	Zone    string `json:"zone"`
	Enabled Bool   `json:"enabled"`
}

// IPBlockFilter keeps only some blocks. The zero value keeps all.
type IPBlockFilter struct {
	Search string `url:"filter[search],omitempty"` // a part of the name
	ListOptions
}

// IPBlockRequest makes or replaces a block. Name, Type and Gateway are needed.
type IPBlockRequest struct {
	Name       string      `json:"name"`
	Type       IPVersion   `json:"type"`
	ListType   IPListType  `json:"list_type,omitzero"`
	Gateway    string      `json:"gateway"`
	Netmask    string      `json:"netmask,omitzero"` // IPv4
	NS1        string      `json:"ns_1,omitzero"`
	NS2        string      `json:"ns_2,omitzero"`
	From       string      `json:"from,omitzero"`   // IPv4 range
	To         string      `json:"to,omitzero"`     // IPv4 range
	Range      string      `json:"range,omitzero"`  // IPv6: a network
	Subnet     int         `json:"subnet,omitzero"` // IPv6: 83 to 128
	ReverseDNS *ReverseDNS `json:"reverse_dns,omitempty"`
	// ComputeResources replaces the list. nil leaves it out, an empty list is sent.
	ComputeResources []ComputeResourceID `json:"compute_resources,omitzero"`
}

func (r *IPBlockRequest) check() error {
	for _, f := range []struct{ name, value string }{{"name", r.Name}, {"type", string(r.Type)}, {"gateway", r.Gateway}} {
		if strings.TrimSpace(f.value) == "" {
			return provisioning.InvalidField(f.name, "is missing")
		}
	}
	if r.Subnet != 0 && (r.Subnet < 83 || r.Subnet > 128) {
		return provisioning.InvalidField("subnet", "must be between 83 and 128, not %d", r.Subnet)
	}
	return allPositive("compute_resources", r.ComputeResources)
}

// IPBlocksService keeps blocks of addresses. It is for administrators.
type IPBlocksService struct{ rest *conn }

// List yields the blocks that the filter keeps, page by page.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /ip_blocks
func (s *IPBlocksService) List(ctx context.Context, f IPBlockFilter, opts ...CallOption) iter.Seq2[IPBlock, error] {
	return rows[IPBlock](ctx, s.rest, pageCall{op: "listIPBlocks", path: []any{"ip_blocks"}, filter: f, opts: opts})
}

// Get reads one block. NotFound when there is none.
//
// Class: read.
// API: GET /ip_blocks/{id}
func (s *IPBlocksService) Get(ctx context.Context, id IPBlockID, opts ...CallOption) (*IPBlock, error) {
	return existing[IPBlock](ctx, s.rest, id, rest.Call{Op: "getIPBlock", Class: rest.Read, Method: http.MethodGet, Path: []any{"ip_blocks", id}}, opts)
}

// Create makes a block. It is sent once.
//
// Class: once.
// API: POST /ip_blocks
func (s *IPBlocksService) Create(ctx context.Context, r IPBlockRequest, opts ...CallOption) (*IPBlock, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return created[IPBlock](ctx, s.rest, rest.Call{Op: "createIPBlock", Path: []any{"ip_blocks"}, In: r}, opts)
}

// Update replaces a block.
//
// Class: set.
// API: PUT /ip_blocks/{id}
func (s *IPBlocksService) Update(ctx context.Context, id IPBlockID, r IPBlockRequest, opts ...CallOption) (*IPBlock, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return existing[IPBlock](ctx, s.rest, id, rest.Call{Op: "updateIPBlock", Class: rest.Set, Method: http.MethodPut,
		Path: []any{"ip_blocks", id}, In: r}, opts)
}

// Delete removes a block.
//
// Class: set.
// API: DELETE /ip_blocks/{id}
func (s *IPBlocksService) Delete(ctx context.Context, id IPBlockID, opts ...CallOption) error {
	return removed(ctx, s.rest, "deleteIPBlock", id, "ip_blocks", opts)
}
