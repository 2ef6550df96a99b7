package solusvm2

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
)

// ActivityLog is an entry of the panel's log.
type ActivityLog struct {
	ID        Int             `json:"id"`
	Event     ActivityEvent   `json:"event"`
	UserEmail string          `json:"user_email"`
	CreatedAt Time            `json:"created_at"`
	Data      json.RawMessage `json:"data,omitempty"` // of a shape that depends on the event
}

// ActivityEvent is what happened. The set is open. These names are not those of the events of event handlers.
type ActivityEvent string

// The activity events.
const (
	ActivityAdditionalIPCreateRequested    ActivityEvent = "additional_ip_create_requested"
	ActivityAdditionalIPCreateFailed       ActivityEvent = "additional_ip_create_failed"
	ActivityAdditionalIPCreated            ActivityEvent = "additional_ip_created"
	ActivityAdditionalIPDeleteRequested    ActivityEvent = "additional_ip_delete_requested"
	ActivityAdditionalIPDeleteFailed       ActivityEvent = "additional_ip_delete_failed"
	ActivityAdditionalIPDeleted            ActivityEvent = "additional_ip_deleted"
	ActivityBackupsDeleted                 ActivityEvent = "backups_deleted"
	ActivityComputeResourceCreateRequested ActivityEvent = "compute_resource_create_requested"
	ActivityComputeResourceDeleteRequested ActivityEvent = "compute_resource_delete_requested"
	ActivityServerCreateRequested          ActivityEvent = "compute_resource_vm_create_requested"
	ActivityServerCreateFailed             ActivityEvent = "compute_resource_vm_create_failed"
	ActivityServerCreated                  ActivityEvent = "compute_resource_vm_created"
	ActivityServerDeleteRequested          ActivityEvent = "compute_resource_vm_delete_requested"
	ActivityServersDeleted                 ActivityEvent = "compute_resource_vm_batch_deleted"
	ActivityExternalIntegrationRequested   ActivityEvent = "external_integration_requested"
	ActivityMailFailed                     ActivityEvent = "failed_to_send_email_notification"
	ActivityIPBlockChanged                 ActivityEvent = "ip_block_changed"
	ActivityLocationCreated                ActivityEvent = "location_created"
	ActivityLocationChanged                ActivityEvent = "location_changed"
	ActivityLocationDeleted                ActivityEvent = "location_deleted"
	ActivityUserCreateRequested            ActivityEvent = "user_create_requested"
	ActivityUserCreateFailed               ActivityEvent = "user_create_failed"
	ActivityUserCreated                    ActivityEvent = "user_created"
	ActivityUserDeleteRequested            ActivityEvent = "user_delete_requested"
	ActivityUserDeleteFailed               ActivityEvent = "user_delete_failed"
	ActivityUserDeleted                    ActivityEvent = "user_deleted"
)

// Known reports whether the event is one of the constants.
func (e ActivityEvent) Known() bool {
	return slices.Contains([]ActivityEvent{
		ActivityAdditionalIPCreateRequested, ActivityAdditionalIPCreateFailed, ActivityAdditionalIPCreated, ActivityAdditionalIPDeleteRequested,
		ActivityAdditionalIPDeleteFailed, ActivityAdditionalIPDeleted, ActivityBackupsDeleted, ActivityComputeResourceCreateRequested,
		ActivityComputeResourceDeleteRequested, ActivityServerCreateRequested, ActivityServerCreateFailed, ActivityServerCreated, ActivityServerDeleteRequested,
		ActivityServersDeleted, ActivityExternalIntegrationRequested, ActivityMailFailed, ActivityIPBlockChanged, ActivityLocationCreated, ActivityLocationChanged,
		ActivityLocationDeleted, ActivityUserCreateRequested, ActivityUserCreateFailed, ActivityUserCreated, ActivityUserDeleteRequested, ActivityUserDeleteFailed,
		ActivityUserDeleted,
	}, e)
}

// ActivityLogFilter keeps only some entries. Zero fields keep all.
type ActivityLogFilter struct {
	UserID UserID        `url:"filter[user_id],omitempty"`
	Event  ActivityEvent `url:"filter[event],omitempty"`
	ListOptions
}

// ActivityLogsService reads the panel's log. It helps to find what happened while notifications of event handlers were lost.
type ActivityLogsService struct{ rest *conn }

// List yields the entries that the filter keeps, page by page. In which order they come is not documented.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /activity_logs
func (s *ActivityLogsService) List(ctx context.Context, f ActivityLogFilter, opts ...CallOption) iter.Seq2[ActivityLog, error] {
	return rows[ActivityLog](ctx, s.rest, pageCall{op: "listActivityLogs", path: []any{"activity_logs"}, filter: f, opts: opts})
}
