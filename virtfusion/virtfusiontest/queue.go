package virtfusiontest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Task is the kind of a queue item.
type Task string

// The tasks. FailNext lets one fail.
const (
	TaskBuild         Task = "build"
	TaskBoot          Task = "boot"
	TaskShutdown      Task = "shutdown"
	TaskRestart       Task = "restart"
	TaskPoweroff      Task = "poweroff"
	TaskResetPassword Task = "reset_password"

	taskSuspend   Task = "suspend"
	taskUnsuspend Task = "unsuspend"
	taskDelete    Task = "delete"
)

// job is one queue item.
type job struct {
	ID         int64     `json:"id"`
	ServerID   int64     `json:"serverId"`
	Task       Task      `json:"task"`
	Queued     time.Time `json:"queued"`
	Start      time.Time `json:"start"`
	Finish     time.Time `json:"finish"`
	Fail       string    `json:"fail"` // with what it is going to fail, or has failed
	Done       bool      `json:"done"`
	TemplateID int64     `json:"templateId"` // of a build
	Password   string    `json:"password"`   // that a build or reset sets
}

// enqueue adds a job and gives it its planned failure.
func (st *state) enqueue(j *job) *job {
	j.ID = st.next("job")
	i := slices.IndexFunc(st.Fails, func(f plannedFailure) bool { return f.Task == j.Task })
	if i >= 0 {
		j.Fail = st.Fails[i].Reason
		st.Fails = slices.Delete(st.Fails, i, i+1)
	}
	st.Jobs[j.ID] = j
	st.Open = append(st.Open, j.ID)
	return j
}

// start adds a job that takes d from now.
func (c *call) start(s *server, task Task, d time.Duration) *job {
	s.Updated = c.now
	return c.enqueue(&job{ServerID: s.ID, Task: task, Queued: c.now, Start: c.now.Add(min(c.panel.timing.Queue, d)), Finish: c.now.Add(d)})
}

// busy reports whether a queue item of the server is unfinished. A scheduled deletion is none.
func (st *state) busy(s *server) bool {
	return slices.ContainsFunc(st.Open, func(id int64) bool { return st.Jobs[id].ServerID == s.ID && st.Jobs[id].Task != taskDelete })
}

// locked is the refusal while other tasks of a server wait or have failed.
func locked() answer { return refuse(http.StatusLocked, "pending tasks in queue") }

// settle carries out what was due up to now, in the order in which it was due.
func (st *state) settle(now time.Time) {
	for {
		var due *job
		for _, id := range st.Open {
			if j := st.Jobs[id]; !j.Finish.After(now) && (due == nil || j.Finish.Before(due.Finish)) {
				due = j
			}
		}
		if due == nil {
			return
		}
		due.Done = true
		st.Open = slices.DeleteFunc(st.Open, func(id int64) bool { return id == due.ID })
		if s := st.Servers[due.ServerID]; s.Deleted.IsZero() {
			st.finish(due, s)
			st.note(due, s)
		}
	}
}

// finish applies the end of a job to its server.
func (st *state) finish(j *job, s *server) {
	if st.Hypervisors[s.HypervisorID].Unreachable && j.onHypervisor() && j.Fail == "" {
		j.Fail = "hypervisor is not reachable"
	}
	s.LastJob, s.Updated = j.Finish, j.Finish
	switch {
	case j.Task == TaskBuild:
		st.finishBuild(j, s)
	case j.Fail != "":
	case j.Task == TaskBoot, j.Task == TaskRestart:
		s.Running = !s.Suspended
	case j.Task == TaskShutdown:
		s.Running = s.Running && s.IgnoresShutdown
	case j.Task == TaskPoweroff:
		s.Running = false
	case j.Task == TaskResetPassword:
		s.Password = j.Password
	case j.Task == taskSuspend:
		s.Suspended, s.Running = true, false
	case j.Task == taskUnsuspend:
		s.Suspended = false
	case j.Task == taskDelete:
		s.Deleted, s.Running = j.Finish, false
		st.release(s.ID)
	default:
		st.finishManaged(j, s)
	}
	if j.collects() {
		s.finishDeferred(j.Fail != "")
		s.dropDeleted()
	}
}

// onHypervisor reports whether a job needs the hypervisor to answer. Suspension and deletion are done in the panel's own records here.
func (j *job) onHypervisor() bool {
	return j.Task != taskSuspend && j.Task != taskUnsuspend && j.Task != taskDelete
}

// collects reports whether a job carries deferred work out.
func (j *job) collects() bool {
	return j.Task == TaskBuild || j.Task == TaskBoot || j.Task == TaskRestart || j.Task == TaskShutdown || j.Task == TaskPoweroff
}

// finishDeferred ends the deferred work that a job had picked up; after a failed job it waits again.
func (s *server) finishDeferred(failed bool) {
	for _, d := range s.Deferred {
		if !d.Collected || d.Complete || d.Failed {
			continue
		}
		d.Collected, d.Complete = !failed, !failed
		for _, disk := range s.Disks {
			if disk.ID == d.DiskID && d.Complete {
				disk.Waiting = false
			}
		}
	}
}

// collect lets a job pick up the deferred work of its server.
func (s *server) collect() {
	for _, d := range s.Deferred {
		if !d.Failed {
			d.Collected = true
		}
	}
}

func queueOperations() []operation {
	return []operation{{"getQueueItem", "GET /queue/{queueId}", "", (*call).getQueueItem}}
}

func (c *call) getQueueItem() answer {
	j := c.Jobs[c.id("queueId")]
	if j == nil {
		return missing("queue item")
	}
	return ok(c.jobJSON(j))
}

// progress is how far a job is, in percent.
func (j *job) progress(now time.Time) int {
	switch {
	case j.Done && j.Fail == "":
		return 100
	case j.Done:
		return 40
	case now.Before(j.Start) || !j.Finish.After(j.Start):
		return 0
	}
	return min(int(100*now.Sub(j.Start)/j.Finish.Sub(j.Start)), 99)
}

// jobJSON renders a queue item. Names of jobs and actions other than those of a build are guesses; so is that times are null while it waits.
func (c *call) jobJSON(j *job) obj {
	names := map[Task][2]string{
		TaskBuild: {"Build", "build_server"}, TaskBoot: {"Boot", "boot_server"}, TaskShutdown: {"Shutdown", "shutdown_server"}, TaskRestart: {"Restart", "restart_server"},
		TaskPoweroff: {"Poweroff", "poweroff_server"}, TaskResetPassword: {"ResetPassword", "reset_password_server"}, taskSuspend: {"Suspend", "suspend_server"},
		taskUnsuspend: {"Unsuspend", "unsuspend_server"}, taskDelete: {"Destroy", "destroy_server"},
		TaskRescue: {"Rescue", "rescue_server"}, TaskBackup: {"Backup", "backup_server"}, TaskRestore: {"Restore", "restore_server"},
		TaskMountISO: {"MountIso", "mount_iso"}, TaskEjectISO: {"EjectIso", "eject_iso"},
	}[j.Task]
	o := obj{
		"id": j.ID, "jobId": strconv.FormatInt(j.ID*5+62, 10), "job": `App\Jobs\Server\KVM\` + names[0], "hypervisorId": c.Servers[j.ServerID].HypervisorID,
		"serverId": j.ServerID, "action": names[1], "queue": "default", "started": nil, "updated": nil, "finished": nil, "failed": j.Done && j.Fail != "",
		"progress": j.progress(c.now), "primaryActions": c.steps(j), "subActions": []any{},
	}
	exception := obj{"stringable": false, "errors": []any{}, "type": nil, "trace": nil, "message": nil}
	if !c.now.Before(j.Start) {
		o["started"], o["updated"] = offset(j.Start), offset(c.now)
	}
	if j.Done {
		o["updated"], o["finished"] = offset(j.Finish), offset(j.Finish)
		if j.Fail != "" {
			exception["stringable"], exception["type"], exception["message"] = true, "Exception", j.Fail
		}
	}
	o["errors"] = obj{"exception": exception}
	return o
}

// steps are the parts of a job that were reached. They hold what nobody should log.
func (c *call) steps(j *job) []obj {
	names := []string{"server.get.status", "server." + string(j.Task)}
	if j.Task == TaskBuild {
		names = []string{
			"server.get.status", "server.config.dhcp", "server.os.template.exists", "server.create.ci", "server.disk.create.os", "server.os.install.check",
			"server.vnc.disable", "server.boot", "server.config.statistics",
		}
	}
	list := []obj{}
	for i, name := range names {
		if i*100/len(names) > j.progress(c.now) || c.now.Before(j.Start) {
			break
		}
		at := offset(j.Start.Add(j.Finish.Sub(j.Start) * time.Duration(i) / time.Duration(len(names))))
		var detail any = []any{}
		if name == "server.create.ci" {
			detail = c.cloudInit(c.Servers[j.ServerID])
		}
		list = append(list, obj{"type": name, "dataType": "object", "data": detail, "created": at, "updated": at})
	}
	return list
}

// cloudInit is what a build gives to the guest.
func (c *call) cloudInit(s *server) obj {
	keys := []string{}
	for _, id := range s.KeyIDs {
		if k := c.Keys[id]; k != nil {
			keys = append(keys, k.PublicKey)
		}
	}
	return obj{
		"user": obj{"timezone": "Europe/Amsterdam", "ssh_pwauth": len(keys) == 0, "users": []obj{{"name": "root", "ssh-authorized-keys": keys, "lock_passwd": len(keys) > 0}}},
		"meta": obj{"instance-id": s.UUID, "local-hostname": s.Hostname},
	}
}

// FailNext lets the next queue item of a kind fail with a reason. A failed build leaves the server in state failed. Called again it plans one more failure.
func (p *Panel) FailNext(task Task, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Fails = append(p.state.Fails, plannedFailure{task, reason})
}

// FailNextBuild lets the next build fail: state failed, commissionStatus 2 and buildFailed false, as real panels were seen to say it.
func (p *Panel) FailNextBuild(reason string) { p.FailNext(TaskBuild, reason) }
