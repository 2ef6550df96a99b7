package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// BindIPBlockRequest lets a hypervisor use a block.
type BindIPBlockRequest struct {
	BlockID IPBlockID `json:"blockId"`
	// NetworkID is the network that the block's addresses belong to; 0 is the hypervisor's primary one.
	NetworkID HypervisorNetworkID `json:"networkId,omitzero"`
}

// ListIPBlocks reads the blocks that a hypervisor may use. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: read.
// API: GET /compute/hypervisors/{hypervisorId}/ipblocks
func (s *HypervisorsService) ListIPBlocks(ctx context.Context, id HypervisorID, opts ...CallOption) (json.RawMessage, error) {
	return s.ipBlocks(ctx, rest.Call{Op: "listHypervisorIPBlocks", Class: rest.Read, Method: http.MethodGet}, id, nil, opts)
}

// BindIPBlock lets a hypervisor use a block. It is sent once, because what the panel does about a block that is bound already is not documented. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: once.
// API: POST /compute/hypervisors/{hypervisorId}/ipblocks
func (s *HypervisorsService) BindIPBlock(ctx context.Context, id HypervisorID, r BindIPBlockRequest, opts ...CallOption) (json.RawMessage, error) {
	if err := positive("blockId", r.BlockID); err != nil {
		return nil, err
	}
	if r.NetworkID < 0 {
		return nil, positive("networkId", r.NetworkID)
	}
	return s.ipBlocks(ctx, rest.Call{Op: "bindHypervisorIPBlock", Class: rest.Once, Method: http.MethodPost, In: r}, id, nil, opts)
}

// OrderIPBlocks says in which order a hypervisor takes addresses from its blocks. It replaces the order: blocks that are left out lose their place and are
// tried last. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: set.
// API: PUT /compute/hypervisors/{hypervisorId}/ipblocks/order
func (s *HypervisorsService) OrderIPBlocks(ctx context.Context, id HypervisorID, order []IPBlockID, opts ...CallOption) (json.RawMessage, error) {
	if err := eachOnce("order", order); err != nil {
		return nil, err
	}
	in := struct {
		Order []IPBlockID `json:"order"`
	}{append([]IPBlockID{}, order...)} // never null
	return s.ipBlocks(ctx, rest.Call{Op: "orderHypervisorIPBlocks", Class: rest.Set, Method: http.MethodPut, In: in}, id, []any{"order"}, opts)
}

// RebindIPBlock moves a block that a hypervisor may use to another of its networks. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: set.
// API: PUT /compute/hypervisors/{hypervisorId}/ipblocks/{blockId}
func (s *HypervisorsService) RebindIPBlock(ctx context.Context, id HypervisorID, block IPBlockID, to HypervisorNetworkID,
	opts ...CallOption) (json.RawMessage, error) {
	if err := positive("blockId", block); err != nil {
		return nil, err
	}
	if err := positive("networkId", to); err != nil {
		return nil, err
	}
	in := struct {
		NetworkID HypervisorNetworkID `json:"networkId"`
	}{to}
	return s.ipBlocks(ctx, rest.Call{Op: "rebindHypervisorIPBlock", Class: rest.Set, Method: http.MethodPut, In: in}, id, []any{block}, opts)
}

// UnbindIPBlock takes a block away from a hypervisor. The documentation names the operation only; its path is inferred from that of RebindIPBlock. Panel 7.1.
//
// Class: set.
// API: DELETE /compute/hypervisors/{hypervisorId}/ipblocks/{blockId}
func (s *HypervisorsService) UnbindIPBlock(ctx context.Context, id HypervisorID, block IPBlockID, opts ...CallOption) error {
	if err := positive("blockId", block); err != nil {
		return err
	}
	_, err := s.ipBlocks(ctx, rest.Call{Op: "unbindHypervisorIPBlock", Class: rest.Set, Method: http.MethodDelete}, id, []any{block}, opts)
	return err
}

// ipBlocks calls an operation on the blocks of one hypervisor whose answer was never seen. below is the path below them.
func (s *HypervisorsService) ipBlocks(ctx context.Context, call rest.Call, id HypervisorID, below []any, opts []CallOption) (json.RawMessage, error) {
	if err := positive("hypervisorId", id); err != nil {
		return nil, err
	}
	call.Since, call.Path = panel71, append([]any{"compute", "hypervisors", id, "ipblocks"}, below...)
	return fetchRaw(ctx, s.rest, call, opts)
}
