package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Backup is a legacy backup of a server.
type Backup struct {
	ID       BackupID `json:"id"`
	ServerID ServerID `json:"serverId"`
	Storage  struct {
		ID      Int    `json:"id"`
		Name    string `json:"name"`
		Enabled Bool   `json:"enabled"`
	} `json:"storage"`
	Deleting    Bool `json:"deleting"`
	Restoring   Bool `json:"restoring"`
	Progress    Bool `json:"progress"` // being made; not a percentage
	Complete    Bool `json:"complete"`
	DeleteAfter Time `json:"deleteAfter"` // zero when it is kept
	Created     Time `json:"created"`
	Updated     Time `json:"updated"`
}

// BackupAccess is what a server's owner may do with its backups.
type BackupAccess string

// The access levels of a server. Packages write view and restore in another way, see PackageBackupType.
const (
	BackupAccessInherit        BackupAccess = "inherit"
	BackupAccessDisabled       BackupAccess = "disabled"
	BackupAccessScheduled      BackupAccess = "scheduled"
	BackupAccessViewAndRestore BackupAccess = "view_restore"
	BackupAccessFull           BackupAccess = "full"
	BackupAccessManual         BackupAccess = "manual"
)

// Known reports whether this package knows the level.
func (a BackupAccess) Known() bool {
	switch a {
	case BackupAccessInherit, BackupAccessDisabled, BackupAccessScheduled, BackupAccessViewAndRestore, BackupAccessFull, BackupAccessManual:
		return true
	}
	return false
}

// RestoreBackupRequest says what is restored.
type RestoreBackupRequest struct{ Disks []RestoreDisk }

// RestoreDisk is a disk to restore, and from which backup.
type RestoreDisk struct {
	// Number is the number of the disk. Which number of a ServerDisk that is, is not documented; ID, where 1 is the primary disk, is likely.
	Number int
	// Chain is the chain of backups to restore from, 0 for the latest.
	Chain BackupChainID
	// Until restores the state of that time, to the second. Zero leaves it to the panel.
	Until time.Time
}

// MarshalJSON writes the panel's three members: the numbers as text, and chains and times by number.
func (r RestoreBackupRequest) MarshalJSON() ([]byte, error) {
	out := struct {
		Disks  []string                 `json:"disks"`
		Chains map[string]BackupChainID `json:"diskChains,omitempty"`
		Untils map[string]int64         `json:"diskUntils,omitempty"`
	}{Disks: []string{}, Chains: map[string]BackupChainID{}, Untils: map[string]int64{}}
	for _, d := range r.Disks {
		number := strconv.Itoa(d.Number)
		out.Disks = append(out.Disks, number)
		if d.Chain != 0 {
			out.Chains[number] = d.Chain
		}
		if !d.Until.IsZero() {
			out.Untils[number] = d.Until.Unix()
		}
	}
	return json.Marshal(out)
}

func (r *RestoreBackupRequest) check() error {
	if len(r.Disks) == 0 {
		return provisioning.InvalidField("disks", "must name at least one disk")
	}
	seen := map[int]bool{}
	for _, d := range r.Disks {
		switch {
		case d.Number < 1:
			return provisioning.InvalidField("disks", "a number must be above 0, not %d", d.Number)
		case seen[d.Number]:
			return provisioning.InvalidField("disks", "names disk %d twice", d.Number)
		case d.Chain < 0:
			return provisioning.InvalidField("diskChains", "must not be below 0")
		case !d.Until.IsZero() && d.Until.Unix() <= 0:
			return provisioning.InvalidField("diskUntils", "must be after 1970")
		}
		seen[d.Number] = true
	}
	return nil
}

// LegacyBackups returns the backups of a server that the old backup plans made. The panel does not page this list. Panel 7.1 calls it deprecated in favour of
// the Backup Manager, whose backups are not in it; how those are listed is not documented.
//
// Class: read.
// API: GET /backups/server/{serverId}
func (s *ServersService) LegacyBackups(ctx context.Context, id ServerID, opts ...CallOption) ([]Backup, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	return fetchList[Backup](ctx, s.rest, rest.Call{Op: "listLegacyServerBackups", Class: rest.Read, Method: http.MethodGet,
		Path: []any{"backups", "server", id}}, opts)
}

// SetBackupPlan gives a server a legacy backup plan, or takes it away with 0. The panel has no list of plans, and the operation is probably deprecated with
// 7.1, as legacy backups are.
//
// Class: set.
// API: PUT /servers/{serverId}/backups/plan/{planId}
func (s *ServersService) SetBackupPlan(ctx context.Context, id ServerID, plan BackupPlanID, opts ...CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if plan < 0 {
		return provisioning.InvalidField("planId", "must not be below 0; 0 is no plan")
	}
	return s.rest.Do(ctx, rest.Call{Op: "setServerBackupPlan", Class: rest.Set, Method: http.MethodPut,
		Path: []any{"servers", id, "backups", "plan", plan}}, opts...)
}

// SetBackupAccess says what a server's owner may do with its backups in the Backup Manager. Panel 7.0.
//
// Class: set.
// API: PUT /servers/{serverId}/backupManager/access
func (s *ServersService) SetBackupAccess(ctx context.Context, id ServerID, access BackupAccess, opts ...CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if !access.Known() {
		return provisioning.InvalidField("type", "must be an access level that the panel knows")
	}
	in := struct {
		Type BackupAccess `json:"type"`
	}{access}
	return s.rest.Do(ctx, rest.Call{Op: "modifyBackupManagerAccess", Since: panel70, Class: rest.Set, Method: http.MethodPut,
		Path: []any{"servers", id, "backupManager", "access"}, In: in}, opts...)
}

// CreateBackup starts a backup with the Backup Manager. It is sent once. The panel refuses it (Invalid, 422) while another backup or restore of the server runs
// or waits, so after ErrMaybeApplied a refusal may come from the first call. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came. It may be nil. How the end of a backup is seen is not documented either.
//
// Class: once.
// API: POST /servers/{serverId}/backupManager/backup
func (s *ServersService) CreateBackup(ctx context.Context, id ServerID, opts ...CallOption) (json.RawMessage, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	return fetchRaw(ctx, s.rest, rest.Call{Op: "createServerBackup", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"servers", id, "backupManager", "backup"}}, opts)
}

// RestoreBackup overwrites disks with what the Backup Manager has stored. What is on them is lost. It is sent once. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came. It may be nil.
//
// Class: once.
// API: POST /servers/{serverId}/backupManager/restore
func (s *ServersService) RestoreBackup(ctx context.Context, id ServerID, r RestoreBackupRequest, opts ...CallOption) (json.RawMessage, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetchRaw(ctx, s.rest, rest.Call{Op: "restoreServerBackup", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"servers", id, "backupManager", "restore"}, In: r}, opts)
}
