package solusvm2test

import (
	"slices"
	"time"
)

// snapshot is a saved disk of a server. Size is in GiB, as the vendor's client has it; another client reads bytes.
type snapshot struct {
	ID       int64     `json:"id"`
	ServerID int64     `json:"serverId"`
	Name     string    `json:"name"`
	Size     float64   `json:"size"`
	Status   string    `json:"status"` // available, processing, failed
	Created  time.Time `json:"created"`
}

type backup struct {
	ID        int64     `json:"id"`
	ServerID  int64     `json:"serverId"`
	CreatorID int64     `json:"creatorId"`
	TaskID    int64     `json:"taskId"`
	Size      int64     `json:"size"`
	Disk      int64     `json:"disk"`
	Failure   string    `json:"failure"`
	Created   time.Time `json:"created"`
}

func snapshotOperations() []operation {
	return []operation{
		{"listServerSnapshots", "GET /servers/{id}/snapshots", everyone, (*call).listServerSnapshots},
		{"createServerSnapshot", "POST /servers/{id}/snapshots", everyone, (*call).createServerSnapshot},
		{"getSnapshot", "GET /snapshots/{id}", everyone, (*call).getSnapshot},
		{"deleteSnapshot", "DELETE /snapshots/{id}", everyone, func(c *call) answer { return c.workOnSnapshot(TaskSnapshotDelete) }},
		{"revertSnapshot", "POST /snapshots/{id}/revert", everyone, func(c *call) answer { return c.workOnSnapshot(TaskSnapshotRevert) }},
	}
}

func (c *call) listServerSnapshots() answer {
	s, a := c.findServer()
	if s == nil {
		return a
	}
	return page(c, slices.DeleteFunc(sorted(c.Snapshots), func(snap *snapshot) bool { return snap.ServerID != s.ID }), c.snapshotJSON)
}

func (c *call) createServerSnapshot() answer {
	s, a := c.findIdle()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("name")
	snap := &snapshot{ServerID: s.ID, Name: f.text("name", "", 255), Status: "processing", Created: c.now}
	if f.failed() {
		return f.invalid()
	}
	if s.Plan.NoSnapshots || !s.Exists {
		return conflict("Snapshots are not available for the server.") // guess
	}
	snap.ID = c.next("snapshot")
	c.Snapshots[snap.ID] = snap
	c.start(s, TaskSnapshotCreate, c.panel.timing.Snapshot, work{SnapshotID: snap.ID})
	return made(c.snapshotJSON(snap))
}

// findSnapshot returns the snapshot that the path names and its server, or the refusal.
func (c *call) findSnapshot() (*snapshot, *server, answer) {
	snap := find(c, c.Snapshots)
	if snap == nil {
		return nil, nil, c.lost("Snapshot")
	}
	s := c.Servers[snap.ServerID]
	if a, may := c.allowed(s); !may {
		return nil, nil, a
	}
	return snap, s, answer{}
}

func (c *call) getSnapshot() answer {
	snap, _, a := c.findSnapshot()
	if snap == nil {
		return a
	}
	return ok(c.snapshotJSON(snap))
}

// workOnSnapshot starts the task that reverts the server to a snapshot, or removes the snapshot.
func (c *call) workOnSnapshot(action Task) answer {
	snap, s, a := c.findSnapshot()
	if snap == nil {
		return a
	}
	if a, may := c.mayWork(s); !may {
		return a
	}
	if c.openTask(s) != nil {
		return busy()
	}
	if action == TaskSnapshotRevert && snap.Status != "available" {
		return conflict("The snapshot is not available.")
	}
	return ok(c.taskJSON(c.start(s, action, c.panel.timing.Snapshot, work{SnapshotID: snap.ID})))
}

// finishSnapshot ends a task about a snapshot. That the guest is restarted by a revert is not shown.
func (st *state) finishSnapshot(t *task, s *server, well bool) {
	snap := st.Snapshots[t.Work.SnapshotID]
	switch {
	case snap == nil:
	case t.Action == TaskSnapshotCreate && well:
		snap.Status, snap.Size = "available", float64(actualSize(s.diskGiB()))/(1<<30)
	case t.Action == TaskSnapshotCreate:
		snap.Status = "failed"
	case t.Action == TaskSnapshotDelete && well:
		delete(st.Snapshots, snap.ID)
	}
}

func (c *call) snapshotJSON(snap *snapshot) obj {
	return obj{"id": snap.ID, "name": snap.Name, "size": snap.Size, "status": snap.Status, "created_at": c.time(snap.Created)}
}

func backupOperations() []operation {
	return []operation{
		{"listServerBackups", "GET /servers/{id}/backups", everyone, (*call).listServerBackups},
		{"createServerBackup", "POST /servers/{id}/backups", everyone, (*call).createServerBackup},
		{"getBackup", "GET /backups/{id}", everyone, (*call).getBackup},
		{"deleteBackup", "DELETE /backups/{id}", everyone, (*call).deleteBackup},
		{"restoreBackup", "POST /backups/{id}/restore", everyone, (*call).restoreBackup},
	}
}

func (c *call) listServerBackups() answer {
	s, a := c.findServer()
	if s == nil {
		return a
	}
	return page(c, slices.DeleteFunc(sorted(c.Backups), func(b *backup) bool { return b.ServerID != s.ID }), c.backupJSON)
}

func (c *call) createServerBackup() answer {
	s, a := c.findIdle()
	if s == nil {
		return a
	}
	if s.Plan.NoBackups || !s.Exists {
		return conflict("Backups are not available for the server.") // guess
	}
	b := &backup{ID: c.next("backup"), ServerID: s.ID, CreatorID: c.user.ID, Disk: s.Plan.Disk, Created: c.now}
	c.Backups[b.ID] = b
	b.TaskID = c.start(s, TaskBackupCreate, c.panel.timing.Backup, work{BackupID: b.ID}).ID
	return made(c.backupJSON(b))
}

// findBackup returns the backup that the path names and its server, or the refusal.
func (c *call) findBackup() (*backup, *server, answer) {
	b := find(c, c.Backups)
	if b == nil {
		return nil, nil, c.lost("Backup")
	}
	s := c.Servers[b.ServerID]
	if a, may := c.allowed(s); !may {
		return nil, nil, a
	}
	return b, s, answer{}
}

func (c *call) getBackup() answer {
	b, _, a := c.findBackup()
	if b == nil {
		return a
	}
	return ok(c.backupJSON(b))
}

// deleteBackup refuses one that is being made or restored (guess).
func (c *call) deleteBackup() answer {
	b, s, a := c.findBackup()
	if b == nil {
		return a
	}
	if t := c.openTask(s); t != nil && t.Work.BackupID == b.ID {
		return busy()
	}
	delete(c.Backups, b.ID)
	c.log(c.now, c.user.Email, "backups_deleted", obj{"id": b.ID})
	return noContent()
}

func (c *call) restoreBackup() answer {
	b, s, a := c.findBackup()
	if b == nil {
		return a
	}
	if a, may := c.mayWork(s); !may {
		return a
	}
	if c.openTask(s) != nil {
		return busy()
	}
	if status, _ := c.backupStatus(b); status != "created" {
		return conflict("The backup is not available.")
	}
	return ok(c.taskJSON(c.start(s, TaskBackupRestore, c.panel.timing.Backup, work{BackupID: b.ID})))
}

// finishBackup ends a task about a backup.
func (st *state) finishBackup(t *task, s *server, well bool) {
	b := st.Backups[t.Work.BackupID]
	switch {
	case b == nil || t.Action != TaskBackupCreate:
	case well:
		b.Size = actualSize(s.diskGiB())
	default:
		b.Failure = t.Output
	}
}

// backupStatus is the status of a backup and how far its making is.
func (c *call) backupStatus(b *backup) (status string, progress int) {
	switch t := c.Tasks[b.TaskID]; t.status(c.now) {
	case TaskDone, TaskDoneWithErrors:
		return "created", 100
	case "running":
		return "in_progress", t.progress(c.now)
	case TaskFailed, TaskCanceled:
		return "failed", t.progress(c.now)
	}
	return "pending", 0
}

func (c *call) backupJSON(b *backup) obj {
	status, progress := c.backupStatus(b)
	o := obj{
		"id": b.ID, "type": "full", "creation_method": "manual", "status": status, "size": nil, "disk": b.Disk, "backup_progress": progress,
		"backup_fail_reason": nullable(b.Failure), "compute_resource_vm": ref(b.ServerID, c.Servers[b.ServerID].Name), "backup_node": nil, "creator": nil,
		"created_at": c.time(b.Created),
	}
	if b.Size > 0 {
		o["size"] = b.Size
	}
	if u := c.Users[b.CreatorID]; u != nil {
		o["creator"] = obj{"id": u.ID, "email": u.Email}
	}
	return o
}
