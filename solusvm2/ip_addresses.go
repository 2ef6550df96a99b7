package solusvm2

import (
	"context"
	"iter"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// IPAddress is an address that the panel has registered. Addresses of a range that were never used are not registered.
type IPAddress struct {
	ID      IPAddressID `json:"id"`
	IP      string      `json:"ip"`
	IPBlock *IPBlock    `json:"ip_block"`
	Server  *Ref        `json:"server"` // nil when no server has it
	User    *struct {
		ID    UserID `json:"id"`
		Email string `json:"email"`
	} `json:"user"`
	IssuedFor string `json:"issued_for"` // "vm"
	IsPrimary Bool   `json:"is_primary"`
	// IsReserved keeps the address back from new servers. It must be cleared before the address can be given to a server.
	IsReserved          Bool   `json:"is_reserved"`
	IsReverseDNSEnabled Bool   `json:"is_reverse_dns_enabled"`
	Comment             string `json:"comment"`
}

func (a *IPAddress) key() (int64, string) { return int64(a.ID), "IP address" }

// UpdateIPAddressRequest changes an address.
type UpdateIPAddressRequest struct {
	IsReserved bool `json:"is_reserved"`
}

// IPAddressesService keeps the registered addresses of blocks. It is for administrators.
type IPAddressesService struct{ rest *conn }

// List yields the registered addresses of a block, page by page. It was seen in one program that runs against a live panel.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /ip_blocks/{id}/ips
func (s *IPAddressesService) List(ctx context.Context, id IPBlockID, o ListOptions, opts ...CallOption) iter.Seq2[IPAddress, error] {
	return rowsOf[IPAddress](ctx, s.rest, id, pageCall{op: "listIPBlockAddresses", path: []any{"ip_blocks", id, "ips"}, filter: o, opts: opts})
}

// Create takes the next address from a block. It is sent once. The vendor's client sends no body, and what else the panel would take is not documented.
//
// Class: once.
// API: POST /ip_blocks/{id}/ips
func (s *IPAddressesService) Create(ctx context.Context, id IPBlockID, opts ...CallOption) (*IPAddress, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	return created[IPAddress](ctx, s.rest, rest.Call{Op: "createIPBlockAddress", Path: []any{"ip_blocks", id, "ips"}}, opts)
}

// Update reserves an address or clears its reservation. It was seen in one program that runs against a live panel; that the answer is the address is inferred.
//
// Class: set.
// API: PATCH /ips/{id}
func (s *IPAddressesService) Update(ctx context.Context, id IPAddressID, r UpdateIPAddressRequest, opts ...CallOption) (*IPAddress, error) {
	return existing[IPAddress](ctx, s.rest, id, rest.Call{Op: "patchIPAddress", Class: rest.Set, Method: http.MethodPatch, Path: []any{"ips", id}, In: r}, opts)
}

// Delete gives an address back to its block. In a block of type set it takes the address out of the block for good: to free such an address, take it from its
// server instead.
//
// Class: set.
// API: DELETE /ips/{id}
func (s *IPAddressesService) Delete(ctx context.Context, id IPAddressID, opts ...CallOption) error {
	return removed(ctx, s.rest, "deleteIPAddress", id, "ips", opts)
}
