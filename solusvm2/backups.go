package solusvm2

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Backup is a stored copy of a server.
type Backup struct {
	ID             BackupID                `json:"id"`
	Type           BackupType              `json:"type"`
	CreationMethod BackupCreationMethod    `json:"creation_method"`
	Status         BackupStatus            `json:"status"`
	Size           Float                   `json:"size"`                     // its unit is not documented
	Disk           GiB                     `json:"disk"`                     // that it is GiB is a guess
	Progress       provisioning.Opt[Float] `json:"backup_progress,omitzero"` // percent, a guess
	FailReason     Text                    `json:"backup_fail_reason"`
	Server         *Server                 `json:"compute_resource_vm"`
	Node           *BackupNode             `json:"backup_node"`
	Creator        *User                   `json:"creator"`
	CreatedAt      Time                    `json:"created_at"`
}

// LogValue logs all of it, with its secrets masked.
func (b Backup) LogValue() slog.Value { return provisioning.Masked(b) }

func (b *Backup) key() (int64, string) { return int64(b.ID), "backup" }

// BackupNode is where backups are kept.
type BackupNode struct {
	ID                    BackupNodeID `json:"id"`
	Name                  string       `json:"name"`
	Type                  string       `json:"type"` // ssh_rsync and hetzner_storage_box are known
	Credentials           SecretJSON   `json:"credentials"`
	ComputeResourcesCount Int          `json:"compute_resources_count"`
	BackupsCount          Int          `json:"backups_count"`
	TotalBackupsSize      Float        `json:"total_backups_size"` // its unit is not documented
}

// LogValue logs all of it, with its secrets masked.
func (n BackupNode) LogValue() slog.Value { return provisioning.Masked(n) }

// Format prints the node with its secrets masked, for every verb.
func (n *BackupNode) Format(f fmt.State, _ rune) {
	type plain BackupNode
	printMasked(f, plain(*n))
}

// BackupType says whether a backup needs an earlier one. The set is open.
type BackupType string

// The backup types.
const (
	BackupFull        BackupType = "full"
	BackupIncremental BackupType = "incremental"
)

// Known reports whether the type is one of the constants.
func (t BackupType) Known() bool { return t == BackupFull || t == BackupIncremental }

// BackupCreationMethod says who made a backup. The set is open.
type BackupCreationMethod string

// The creation methods.
const (
	BackupAuto   BackupCreationMethod = "auto"
	BackupManual BackupCreationMethod = "manual"
)

// Known reports whether the method is one of the constants.
func (m BackupCreationMethod) Known() bool { return m == BackupAuto || m == BackupManual }

// BackupStatus is the state of a backup. The set is open.
type BackupStatus string

// The backup statuses.
const (
	BackupPending    BackupStatus = "pending"
	BackupInProgress BackupStatus = "in_progress"
	BackupCreated    BackupStatus = "created"
	BackupFailed     BackupStatus = "failed" // see Backup.FailReason
)

// Known reports whether the status is one of the constants.
func (s BackupStatus) Known() bool {
	return slices.Contains([]BackupStatus{BackupPending, BackupInProgress, BackupCreated, BackupFailed}, s)
}

// BackupsService keeps backups. A plan must allow them: see Plan.IsBackupAvailable.
type BackupsService struct{ rest *conn }

// List yields the backups of a server, page by page.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /servers/{id}/backups
func (s *BackupsService) List(ctx context.Context, id ServerID, o ListOptions, opts ...CallOption) iter.Seq2[Backup, error] {
	return rowsOf[Backup](ctx, s.rest, id, pageCall{op: "listServerBackups", path: []any{"servers", id, "backups"}, filter: o, opts: opts})
}

// Create makes a backup of a server. It is sent once. The backup can be used when its Status is created; the task that makes it is not told.
//
// Class: once.
// API: POST /servers/{id}/backups
func (s *BackupsService) Create(ctx context.Context, id ServerID, opts ...CallOption) (*Backup, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	return created[Backup](ctx, s.rest, rest.Call{Op: "createServerBackup", Path: []any{"servers", id, "backups"}}, opts)
}

// Get reads one backup. NotFound when there is none.
//
// Class: read.
// API: GET /backups/{id}
func (s *BackupsService) Get(ctx context.Context, id BackupID, opts ...CallOption) (*Backup, error) {
	return existing[Backup](ctx, s.rest, id, rest.Call{Op: "getBackup", Class: rest.Read, Method: http.MethodGet, Path: []any{"backups", id}}, opts)
}

// Restore puts a backup back onto its server; what is on the server is lost. It is sent once. The task is nil when the panel answered without one.
//
// Class: once.
// API: POST /backups/{id}/restore
func (s *BackupsService) Restore(ctx context.Context, id BackupID, opts ...CallOption) (*Task, error) {
	return accepted(ctx, s.rest, id, rest.Call{Op: "restoreBackup", Class: rest.Once, Method: http.MethodPost, Path: []any{"backups", id, "restore"}}, opts)
}

// Delete removes a backup.
//
// Class: set.
// API: DELETE /backups/{id}
func (s *BackupsService) Delete(ctx context.Context, id BackupID, opts ...CallOption) error {
	return removed(ctx, s.rest, "deleteBackup", id, "backups", opts)
}
