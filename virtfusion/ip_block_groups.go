package virtfusion

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"unicode/utf8"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// IPBlockGroup is a group of blocks that hypervisor networks can be bound to. Its answer was never published; Data has all of it, by the documentation also its
// blocks and networks. Experimental.
type IPBlockGroup struct {
	ID   IPBlockGroupID `json:"id"`
	Name string         `json:"name"`

	Data json.RawMessage `json:"-"`
}

// UnmarshalJSON reads what it can and never fails.
func (g *IPBlockGroup) UnmarshalJSON(b []byte) error {
	type plain IPBlockGroup
	*g = IPBlockGroup{}
	return readPartly(b, (*plain)(g), &g.Data)
}

// CreateIPBlockGroupRequest makes a group.
type CreateIPBlockGroupRequest struct {
	Name     string      `json:"name"` // 3 to 100 characters
	BlockIDs []IPBlockID `json:"blockIds,omitempty"`
}

// ListGroups yields all groups of blocks, page by page; the next page is read when the one before is used up. Ranging again starts again. An error is the last
// pair. Panel 7.1.
//
// Experimental: nobody has seen a row; see IPBlockGroup.
//
// Class: read.
// API: GET /connectivity/ipblockgroups
func (s *IPBlocksService) ListGroups(ctx context.Context, o ListOptions, opts ...CallOption) iter.Seq2[IPBlockGroup, error] {
	return rows[IPBlockGroup](ctx, s.rest,
		pageCall{op: "listIPBlockGroups", since: panel71, path: []any{"connectivity", "ipblockgroups"}, results: o.Results, opts: opts})
}

// CreateGroup makes a group of blocks. It is sent once: after ErrMaybeApplied look for the name with ListGroups. Panel 7.1.
//
// Experimental: nobody has seen the answer; see IPBlockGroup. ID is 0 when it is not told.
//
// Class: once.
// API: POST /connectivity/ipblockgroups
func (s *IPBlocksService) CreateGroup(ctx context.Context, r CreateIPBlockGroupRequest, opts ...CallOption) (*IPBlockGroup, error) {
	if n := utf8.RuneCountInString(r.Name); n < 3 || n > 100 {
		return nil, provisioning.InvalidField("name", "must have 3 to 100 characters, not %d", n)
	}
	if err := eachOnce("blockIds", r.BlockIDs); err != nil {
		return nil, err
	}
	return fetchPartly[IPBlockGroup](ctx, s.rest, rest.Call{Op: "createIPBlockGroup", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"connectivity", "ipblockgroups"}, In: r}, nil, opts)
}

// RemoveFromGroup takes a block out of a group. The block itself stays. Panel 7.1.
//
// Class: set.
// API: DELETE /connectivity/ipblockgroups/{groupId}/blocks/{blockId}
func (s *IPBlocksService) RemoveFromGroup(ctx context.Context, group IPBlockGroupID, block IPBlockID, opts ...CallOption) error {
	if err := positive("groupId", group); err != nil {
		return err
	}
	if err := positive("blockId", block); err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: "removeIPBlockGroupBlock", Since: panel71, Class: rest.Set, Method: http.MethodDelete,
		Path: []any{"connectivity", "ipblockgroups", group, "blocks", block}}, opts...)
}
