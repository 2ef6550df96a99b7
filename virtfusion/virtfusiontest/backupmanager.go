package virtfusiontest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// The tasks of the Backup Manager.
const (
	TaskBackup  Task = "backup"
	TaskRestore Task = "restore"
)

// stored is what a backup of the Backup Manager holds.
type stored struct {
	Time       time.Time `json:"time"`
	Password   string    `json:"password"`
	TemplateID int64     `json:"templateId"`
}

func backupManagerOperations() []operation {
	return []operation{
		{"createServerBackup", "POST /servers/{serverId}/backupManager/backup", V71, (*call).createServerBackup},
		{"restoreServerBackup", "POST /servers/{serverId}/backupManager/restore", V71, (*call).restoreServerBackup},
	}
}

// backingUp reports whether a backup or restore of the server runs or waits.
func (c *call) backingUp(s *server) bool {
	return slices.ContainsFunc(c.Open, func(id int64) bool {
		j := c.Jobs[id]
		return j.ServerID == s.ID && (j.Task == TaskBackup || j.Task == TaskRestore)
	})
}

// createServerBackup takes as long as a build (guess).
func (c *call) createServerBackup() answer {
	s, a := c.find()
	switch {
	case s == nil:
		return a
	case c.backingUp(s):
		return invalid("A backup or restore is already running or queued") // wording: guess
	case c.busy(s):
		return locked()
	case s.Built.IsZero():
		return notBuilt()
	}
	c.start(s, TaskBackup, c.panel.timing.Build)
	return unseen(http.StatusOK)
}

// restoreServerBackup restores the latest backup of the whole server, whatever disks are named: more is not simulated.
func (c *call) restoreServerBackup() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("disks")
	disks := f.texts("disks")
	if f.has("disks") && len(disks) == 0 {
		f.fail("The disks field is required.")
	}
	for _, number := range disks {
		if n, err := strconv.Atoi(number); err != nil || n < 1 || n > len(s.Disks) {
			f.fail("The selected disks is invalid.")
		}
	}
	if len(f.errors) == 0 && len(c.extras(s).Backups) == 0 {
		f.fail("There is no backup of the disk") // guess
	}
	switch {
	case len(f.errors) > 0:
		return invalid(f.errors...)
	case c.backingUp(s):
		return invalid("A backup or restore is already running or queued")
	case c.busy(s):
		return locked()
	}
	c.start(s, TaskRestore, c.panel.timing.Build)
	return unseen(http.StatusOK)
}
