package solusvm2test

import (
	"slices"
	"time"
)

// Task is what a task does: its action, as the API names it.
type Task = string

// The tasks of servers. FailNext lets one fail.
const (
	TaskCreate         Task = "vm-create"
	TaskReinstall      Task = "vm-reinstall"
	TaskDelete         Task = "vm-delete"
	TaskStart          Task = "vm-start"
	TaskStop           Task = "vm-stop"
	TaskRestart        Task = "vm-restart"
	TaskSuspend        Task = "vm-suspend"
	TaskResume         Task = "vm-resume"
	TaskResize         Task = "vm-resize"
	TaskPassword       Task = "vm-password-change"
	TaskNetwork        Task = "vm-update-network"
	TaskUpdate         Task = "vm-update" // installation of guest tools (guess)
	TaskMigrate        Task = "vm-migrate"
	TaskSnapshotCreate Task = "snapshot-create"
	TaskSnapshotRevert Task = "snapshot-revert"
	TaskSnapshotDelete Task = "snapshot-delete"
	TaskBackupCreate   Task = "backup-create"
	TaskBackupRestore  Task = "backup-restore"

	taskMigration        Task = "vms-migrate"       // over the vm-migrate of each server
	taskConfigureNetwork Task = "configure network" // of a compute resource
	taskWebhook          Task = "webhook"           // a guess: nobody knows the action of the task that calls a webhook
	taskCommission       Task = "commission"        // not shown
)

// Final statuses of tasks.
const (
	TaskDone           = "done"
	TaskDoneWithErrors = "done_with_errors" // it had its effect (guess)
	TaskFailed         = "failed"           // it had none
	TaskCanceled       = "canceled"         // it had none
)

// task is work that takes time. What it does is done when it ends.
type task struct {
	ID       int64           `json:"id"`
	ServerID int64           `json:"serverId"`
	NodeID   int64           `json:"nodeId"`
	Action   Task            `json:"action"`
	Created  time.Time       `json:"created"`
	Start    time.Time       `json:"start"`
	Finish   time.Time       `json:"finish"` // zero while nobody knows, as with the call of a webhook
	Fail     *plannedFailure `json:"fail"`   // with what it is going to end
	Status   string          `json:"status"` // "" until it has ended
	Output   string          `json:"output"`
	Work     work            `json:"work"`
}

// work is what a task does to its server.
type work struct {
	VersionID  int64   `json:"versionId,omitempty"`
	AppID      int64   `json:"appId,omitempty"`
	KeyIDs     []int64 `json:"keyIds,omitempty"`
	UserData   string  `json:"userData,omitempty"`
	Password   string  `json:"password,omitempty"`
	Plan       *plan   `json:"plan,omitempty"`
	Delayed    bool    `json:"delayed,omitempty"`
	Force      bool    `json:"force,omitempty"`
	Add        []int64 `json:"add,omitempty"`    // addresses, held for the server already
	Remove     []int64 `json:"remove,omitempty"` // addresses
	SnapshotID int64   `json:"snapshotId,omitempty"`
	BackupID   int64   `json:"backupId,omitempty"`
	TargetID   int64   `json:"targetId,omitempty"` // compute resource
	Tasks      []int64 `json:"tasks,omitempty"`    // of a migration
}

// plannedFailure is what the next task of a kind will end with.
type plannedFailure struct {
	Action Task   `json:"action"`
	Status string `json:"status"`
	Output string `json:"output"`
}

// FailNext lets the next task of a kind end with a status of the caller's choosing, TaskFailed for one, and with that output.
func (p *Panel) FailNext(action Task, status, output string) {
	p.look(func(c *call) {
		c.Fails = append(c.Fails, plannedFailure{Action: action, Status: status, Output: output})
	})
}

// addTask stores a task and gives it its planned failure.
func (st *state) addTask(t *task) *task {
	t.ID = st.next("task")
	if i := slices.IndexFunc(st.Fails, func(f plannedFailure) bool { return f.Action == t.Action }); i >= 0 {
		f := st.Fails[i]
		t.Fail = &f
		st.Fails = slices.Delete(st.Fails, i, i+1)
	}
	st.Tasks[t.ID] = t
	if !t.Finish.IsZero() {
		st.Open = append(st.Open, t.ID)
	}
	return t
}

// start adds a task of a server that takes d from now.
func (c *call) start(s *server, action Task, d time.Duration, w work) *task {
	return c.startTask(&task{ServerID: s.ID, NodeID: s.NodeID, Action: action, Work: w}, d)
}

// startOnNode adds a task that is not about one server.
func (c *call) startOnNode(n *node, action Task, d time.Duration, w work) *task {
	return c.startTask(&task{NodeID: n.ID, Action: action, Work: w}, d)
}

func (c *call) startTask(t *task, d time.Duration) *task {
	t.Created, t.Start, t.Finish = c.now, c.now.Add(min(c.panel.timing.Queue, d)), c.now.Add(d)
	return c.addTask(t)
}

// openTask is the unfinished task of a server, nil when there is none.
func (st *state) openTask(s *server) *task {
	for _, id := range st.Open {
		if t := st.Tasks[id]; t.ServerID == s.ID {
			return t
		}
	}
	return nil
}

// nextDue is the open task that ends first, nil when there is none.
func (st *state) nextDue() (due *task) {
	for _, id := range st.Open {
		if t := st.Tasks[id]; due == nil || t.Finish.Before(due.Finish) {
			due = t
		}
	}
	return due
}

// settle carries out what was due up to now, in the order in which it was due.
func (st *state) settle(now time.Time) {
	for due := st.nextDue(); due != nil && !due.Finish.After(now); due = st.nextDue() {
		st.Open = slices.DeleteFunc(st.Open, func(id int64) bool { return id == due.ID })
		st.finish(due)
	}
}

// finish ends a task and applies what it did.
func (st *state) finish(t *task) {
	s, n := st.Servers[t.ServerID], st.Nodes[t.NodeID]
	switch {
	case s != nil && !s.Deleted.IsZero() || n == nil:
		t.Status, t.Output = TaskCanceled, "The server is gone."
	case t.Fail != nil:
		t.Status, t.Output = t.Fail.Status, t.Fail.Output
	case s != nil && n.Status != nodeActive:
		t.Status, t.Output = TaskFailed, "The compute resource is not available."
	default:
		t.Status = TaskDone
	}
	well := t.Status == TaskDone || t.Status == TaskDoneWithErrors
	if s == nil {
		st.finishNode(t, n, well)
		return
	}
	switch t.Action {
	case TaskCreate, TaskReinstall:
		st.finishInstall(t, s, well)
	case TaskNetwork:
		st.finishNetwork(t, s, well)
	case TaskSnapshotCreate, TaskSnapshotRevert, TaskSnapshotDelete:
		st.finishSnapshot(t, s, well)
	case TaskBackupCreate, TaskBackupRestore:
		st.finishBackup(t, s, well)
	case TaskMigrate:
		st.finishMigrate(t, s, well)
	default:
		if well {
			st.apply(t, s)
		}
	}
}

// finishNode ends a task that is not about one server.
func (st *state) finishNode(t *task, n *node, well bool) {
	if n == nil || !well {
		return
	}
	switch t.Action {
	case taskCommission:
		st.setNodeStatus(t.Finish, n, nodeUnconfigured)
	case taskConfigureNetwork:
		st.setNodeStatus(t.Finish, n, nodeActive)
	case taskMigration:
		for _, id := range t.Work.Tasks {
			if st.Tasks[id].Status != TaskDone {
				t.Status, t.Output = TaskDoneWithErrors, "Not all servers were migrated."
			}
		}
	}
}

// apply is the effect of a task that went well.
func (st *state) apply(t *task, s *server) {
	switch t.Action {
	case TaskStart, TaskRestart:
		s.boot()
	case TaskStop:
		if s.Running = s.Running && s.IgnoresShutdown && !t.Work.Force; !s.Running {
			s.Booted = ""
		}
	case TaskSuspend:
		if !s.Suspended {
			s.ResumeRunning = s.Running
		}
		s.Suspended, s.Running, s.Booted = true, false, ""
	case TaskResume:
		if s.Suspended = false; s.ResumeRunning {
			s.boot()
		}
	case TaskResize:
		s.Plan, s.Waiting = t.Work.Plan, t.Work.Delayed
	case TaskPassword:
		s.Password = t.Work.Password
	case TaskDelete:
		st.remove(t.Finish, s)
	}
}

// boot starts the guest from what it is to boot from.
func (s *server) boot() {
	s.Running, s.Booted, s.Waiting, s.ResumeRunning = true, s.BootMode, false, false
}

func taskOperations() []operation {
	return []operation{
		{"listTasks", "GET /tasks", admins, (*call).listTasks},
		{"getTask", "GET /tasks/{id}", admins, (*call).getTask},
	}
}

// listTasks starts with the oldest task (guess).
func (c *call) listTasks() answer {
	return page(c, slices.DeleteFunc(sorted(c.Tasks), func(t *task) bool {
		return t.Action == taskCommission || !c.matches("action", t.Action) || !c.matches("status", t.status(c.now)) ||
			!c.matchesID("compute_resource_id", t.NodeID) || !c.matchesID("compute_resource_vm_id", t.ServerID)
	}), c.taskJSON)
}

func (c *call) getTask() answer {
	t := find(c, c.Tasks)
	if t == nil || t.Action == taskCommission {
		return c.lost("Task")
	}
	return ok(c.taskJSON(t))
}

// status is how far a task has come.
func (t *task) status(now time.Time) string {
	switch {
	case t.Status != "":
		return t.Status
	case now.Before(t.Created.Add(t.Start.Sub(t.Created) / 2)):
		return "pending"
	case now.Before(t.Start):
		return "queued"
	}
	return "running"
}

// progress is how far a task is, in percent.
func (t *task) progress(now time.Time) int {
	switch {
	case t.Status == TaskDone || t.Status == TaskDoneWithErrors:
		return 100
	case t.Status != "":
		return 40
	case now.Before(t.Start) || !t.Finish.After(t.Start):
		return 0
	}
	return min(int(100*now.Sub(t.Start)/t.Finish.Sub(t.Start)), 99)
}

// duration is how long a task has run, in seconds.
func (t *task) duration(now time.Time) float64 {
	if t.Status != "" {
		now = t.Finish
	}
	return max(now.Sub(t.Start), 0).Seconds()
}

func (c *call) taskJSON(t *task) obj {
	o := obj{
		"id": t.ID, "compute_resource_id": nil, "queue": "default", "action": t.Action, "status": t.status(c.now), "output": t.Output, "progress": t.progress(c.now),
		"duration": t.duration(c.now),
	}
	if t.NodeID != 0 {
		o["compute_resource_id"] = t.NodeID
	}
	if !c.panel.old && t.ServerID != 0 {
		o["compute_resource_vm_id"] = t.ServerID
	}
	return o
}
