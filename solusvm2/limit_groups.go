package solusvm2

import (
	"context"
	"iter"
)

// LimitGroup says how much its users may have.
type LimitGroup struct {
	ID            LimitGroupID `json:"id"`
	Name          string       `json:"name"`
	VMs           GroupLimit   `json:"vms"`
	RunningVMs    GroupLimit   `json:"running_vms"`
	AdditionalIPs GroupLimit   `json:"additional_ips"`
	CreatedAt     Time         `json:"created_at"`
	UpdatedAt     Time         `json:"updated_at"`
}

// GroupLimit is a limit of a group; it counts only while enabled.
type GroupLimit struct {
	IsEnabled Bool `json:"is_enabled"`
	Limit     Int  `json:"limit"`
}

// LimitGroupsService lists limit groups.
type LimitGroupsService struct{ rest *conn }

// List yields the limit groups, page by page. It was seen in billing modules, the vendor's own among them.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /limit_groups
func (s *LimitGroupsService) List(ctx context.Context, o ListOptions, opts ...CallOption) iter.Seq2[LimitGroup, error] {
	return rows[LimitGroup](ctx, s.rest, pageCall{op: "listLimitGroups", path: []any{"limit_groups"}, filter: o, opts: opts})
}
