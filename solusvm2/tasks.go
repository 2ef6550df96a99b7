package solusvm2

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Task is work that the panel has accepted and carries out by itself.
type Task struct {
	ID                TaskID            `json:"id"`
	ComputeResourceID ComputeResourceID `json:"compute_resource_id"`
	// ServerID is 0 on panels that do not tell it. That they name it so is inferred from the filter of the same name.
	ServerID ServerID   `json:"compute_resource_vm_id"`
	Queue    string     `json:"queue"`
	Action   TaskAction `json:"action"`
	Status   TaskStatus `json:"status"`
	// Output is what the work printed. It may tell about the node: do not show it to customers.
	Output   Text                    `json:"output"`
	Progress provisioning.Opt[Float] `json:"progress,omitzero"` // percent
	Duration Float                   `json:"duration"`          // seconds, a guess
}

func (t *Task) key() (int64, string) { return int64(t.ID), "task" }

// TaskStatus is how far a task has come. The set is open; what is not known counts as running.
type TaskStatus string

// The task statuses. The last four are final.
const (
	TaskPending        TaskStatus = "pending"
	TaskQueued         TaskStatus = "queued"
	TaskRunning        TaskStatus = "running"
	TaskDone           TaskStatus = "done"
	TaskDoneWithErrors TaskStatus = "done_with_errors" // not a success: read Output
	TaskFailed         TaskStatus = "failed"
	TaskCanceled       TaskStatus = "canceled"
)

// Known reports whether the status is one of the constants.
func (s TaskStatus) Known() bool {
	return s.Final() || slices.Contains([]TaskStatus{TaskPending, TaskQueued, TaskRunning}, s)
}

// Final reports whether the task has ended, well or not.
func (s TaskStatus) Final() bool {
	return slices.Contains([]TaskStatus{TaskDone, TaskDoneWithErrors, TaskFailed, TaskCanceled}, s)
}

// TaskAction is what a task does. The set is open. Which one a notification of an event handler has is not known.
type TaskAction string

// The task actions.
const (
	TaskServerCreate             TaskAction = "vm-create"
	TaskServerReinstall          TaskAction = "vm-reinstall"
	TaskServerDelete             TaskAction = "vm-delete"
	TaskServerUpdate             TaskAction = "vm-update"
	TaskServerPasswordChange     TaskAction = "vm-password-change"
	TaskServerStart              TaskAction = "vm-start"
	TaskServerStop               TaskAction = "vm-stop"
	TaskServerRestart            TaskAction = "vm-restart"
	TaskServerSuspend            TaskAction = "vm-suspend"
	TaskServerResume             TaskAction = "vm-resume"
	TaskServerResize             TaskAction = "vm-resize"
	TaskServersMigrate           TaskAction = "vms-migrate"
	TaskServerMigrate            TaskAction = "vm-migrate"
	TaskServerUpdateNetwork      TaskAction = "vm-update-network"
	TaskServerUpdateLimits       TaskAction = "vm-update-limits"
	TaskServersUpdateLimits      TaskAction = "vms-update-limits"
	TaskDNSRecordRegister        TaskAction = "dns-record-register"
	TaskDNSRecordsUnregister     TaskAction = "dns-records-unregister"
	TaskDNSRecordUpdate          TaskAction = "dns-record-update"
	TaskReverseDNSRecordRegister TaskAction = "reverse-dns-record-register"
	TaskSnapshotCreate           TaskAction = "snapshot-create"
	TaskSnapshotDelete           TaskAction = "snapshot-delete"
	TaskSnapshotRevert           TaskAction = "snapshot-revert"
	TaskBackupCreate             TaskAction = "backup-create"
	TaskBackupRestore            TaskAction = "backup-restore"
	TaskBackupDelete             TaskAction = "backup-delete"
	TaskBackupRotate             TaskAction = "backup-rotate"
	TaskBackupPurgeServer        TaskAction = "backup-purge-compute-resource-vm"
	TaskPrepareUpdate            TaskAction = "prepare installer for version update"
	TaskRunUpdate                TaskAction = "run version update"
	TaskConfigureNetwork         TaskAction = "configure network"
	TaskUpdateNetworkRules       TaskAction = "update network rules"
	TaskUpgradeComputeResource   TaskAction = "upgrade compute resource"
	TaskClearImageCache          TaskAction = "clear image cache"
	TaskChangeHostname           TaskAction = "change hostname"
)

// Known reports whether the action is one of the constants.
func (a TaskAction) Known() bool {
	return slices.Contains([]TaskAction{
		TaskServerCreate, TaskServerReinstall, TaskServerDelete, TaskServerUpdate, TaskServerPasswordChange, TaskServerStart, TaskServerStop, TaskServerRestart,
		TaskServerSuspend, TaskServerResume, TaskServerResize, TaskServersMigrate, TaskServerMigrate, TaskServerUpdateNetwork, TaskServerUpdateLimits,
		TaskServersUpdateLimits, TaskDNSRecordRegister, TaskDNSRecordsUnregister, TaskDNSRecordUpdate, TaskReverseDNSRecordRegister, TaskSnapshotCreate,
		TaskSnapshotDelete, TaskSnapshotRevert, TaskBackupCreate, TaskBackupRestore, TaskBackupDelete, TaskBackupRotate, TaskBackupPurgeServer, TaskPrepareUpdate,
		TaskRunUpdate, TaskConfigureNetwork, TaskUpdateNetworkRules, TaskUpgradeComputeResource, TaskClearImageCache, TaskChangeHostname,
	}, a)
}

// Look is the task as provisioning.Wait reads it: done only when it went well, and an error that wraps provisioning.ErrTaskFailed, with the task's output, when
// it was canceled, failed, or is done with errors. A status that is not known counts as running.
func (t *Task) Look() (provisioning.Look, error) {
	if t.Status.Final() && t.Status != TaskDone {
		reason := strings.TrimSpace(string(t.Output))
		if reason == "" {
			reason = "the panel gives no reason"
		}
		return provisioning.Look{}, fmt.Errorf("solusvm2: task %d (%s): %w (%s): %.300s", t.ID, t.Action, provisioning.ErrTaskFailed, t.Status, reason)
	}
	percent := -1
	if p, ok := t.Progress.Get(); ok {
		percent = int(min(max(p, 0), 100))
	}
	if t.Status == TaskDone {
		percent = 100
	}
	return provisioning.Look{Done: t.Status == TaskDone, Percent: percent, State: string(t.Status)}, nil
}

// TaskFilter keeps only some tasks. Zero fields keep all.
type TaskFilter struct {
	Action            TaskAction        `url:"filter[action],omitempty"`
	Status            TaskStatus        `url:"filter[status],omitempty"`
	ComputeResourceID ComputeResourceID `url:"filter[compute_resource_id],omitempty"`
	ServerID          ServerID          `url:"filter[compute_resource_vm_id],omitempty"`
	ListOptions
}

// TasksService looks at tasks. Tokens of customers may lack it: the calls are then Forbidden, and ServersService.WaitIdle is what remains.
type TasksService struct{ rest *conn }

// List yields the tasks that the filter keeps, page by page.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /tasks
func (s *TasksService) List(ctx context.Context, f TaskFilter, opts ...CallOption) iter.Seq2[Task, error] {
	return rows[Task](ctx, s.rest, pageCall{op: "listTasks", path: []any{"tasks"}, filter: f, opts: opts})
}

// Get reads one task. NotFound when there is none; how long the panel keeps them is not documented.
//
// Class: read.
// API: GET /tasks/{id}
func (s *TasksService) Get(ctx context.Context, id TaskID, opts ...CallOption) (*Task, error) {
	return existing[Task](ctx, s.rest, id, rest.Call{Op: "getTask", Class: rest.Read, Method: http.MethodGet, Path: []any{"tasks", id}}, opts)
}

// Wait waits until the task has ended. nil means that the panel says it went well. A task that failed, was canceled, or is done with errors is an error that
// wraps provisioning.ErrTaskFailed, with the task's output; a wait that ended before the task did wraps provisioning.ErrStillRunning, and ctx's error where
// that ended it.
func (s *TasksService) Wait(ctx context.Context, id TaskID, o provisioning.WaitOptions) error {
	if err := positive("id", id); err != nil {
		return err
	}
	return provisioning.Wait(ctx, func(ctx context.Context) (provisioning.Look, error) {
		task, err := s.Get(ctx, id)
		if err != nil {
			return provisioning.Look{}, err
		}
		return task.Look()
	}, o)
}
