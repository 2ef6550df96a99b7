package solusvm2

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Snapshot is a saved state of a server's disk.
type Snapshot struct {
	ID   SnapshotID `json:"id"`
	Name string     `json:"name"`
	// Size has no settled unit: the vendor's client says GiB, and a live customer portal reads bytes.
	Size      Float          `json:"size"`
	Status    SnapshotStatus `json:"status"`
	CreatedAt Time           `json:"created_at"`
}

func (s *Snapshot) key() (int64, string) { return int64(s.ID), "snapshot" }

// SnapshotStatus is the state of a snapshot. The set is open.
type SnapshotStatus string

// The snapshot statuses.
const (
	SnapshotAvailable  SnapshotStatus = "available"
	SnapshotProcessing SnapshotStatus = "processing"
	SnapshotFailed     SnapshotStatus = "failed"
)

// Known reports whether the status is one of the constants.
func (s SnapshotStatus) Known() bool {
	return slices.Contains([]SnapshotStatus{SnapshotAvailable, SnapshotProcessing, SnapshotFailed}, s)
}

// SnapshotsService keeps snapshots. A plan must allow them: see Plan.IsSnapshotsEnabled.
type SnapshotsService struct{ rest *conn }

// List yields the snapshots of a server, page by page.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /servers/{id}/snapshots
func (s *SnapshotsService) List(ctx context.Context, id ServerID, o ListOptions, opts ...CallOption) iter.Seq2[Snapshot, error] {
	return rowsOf[Snapshot](ctx, s.rest, id, pageCall{op: "listServerSnapshots", path: []any{"servers", id, "snapshots"}, filter: o, opts: opts})
}

// Create takes a snapshot of a server. It is sent once. The snapshot can be used when its Status is available; the task that makes it is not told.
//
// Class: once.
// API: POST /servers/{id}/snapshots
func (s *SnapshotsService) Create(ctx context.Context, id ServerID, name string, opts ...CallOption) (*Snapshot, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	if strings.TrimSpace(name) == "" {
		return nil, provisioning.InvalidField("name", "must not be empty")
	}
	in := struct {
		Name string `json:"name"`
	}{name}
	return created[Snapshot](ctx, s.rest, rest.Call{Op: "createServerSnapshot", Path: []any{"servers", id, "snapshots"}, In: in}, opts)
}

// Get reads one snapshot. NotFound when there is none.
//
// Class: read.
// API: GET /snapshots/{id}
func (s *SnapshotsService) Get(ctx context.Context, id SnapshotID, opts ...CallOption) (*Snapshot, error) {
	return existing[Snapshot](ctx, s.rest, id, rest.Call{Op: "getSnapshot", Class: rest.Read, Method: http.MethodGet, Path: []any{"snapshots", id}}, opts)
}

// Revert takes the server back to a snapshot; what was written since is lost. It is sent once. The task is nil when the panel answered without one.
//
// Class: once.
// API: POST /snapshots/{id}/revert
func (s *SnapshotsService) Revert(ctx context.Context, id SnapshotID, opts ...CallOption) (*Task, error) {
	return accepted(ctx, s.rest, id, rest.Call{Op: "revertSnapshot", Class: rest.Once, Method: http.MethodPost, Path: []any{"snapshots", id, "revert"}}, opts)
}

// Delete removes a snapshot. The task is nil when the panel answered without one.
//
// Class: set.
// API: DELETE /snapshots/{id}
func (s *SnapshotsService) Delete(ctx context.Context, id SnapshotID, opts ...CallOption) (*Task, error) {
	return accepted(ctx, s.rest, id, rest.Call{Op: "deleteSnapshot", Class: rest.Set, Method: http.MethodDelete, Path: []any{"snapshots", id}}, opts)
}
