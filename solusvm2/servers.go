package solusvm2

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// ServerFilter keeps only some servers. Zero fields keep all: a UserID of 0 lists everybody's servers.
type ServerFilter struct {
	UserID             UserID             `url:"filter[user_id],omitempty"`
	ComputeResourceID  ComputeResourceID  `url:"filter[compute_resource_id],omitempty"`
	Status             ServerStatus       `url:"filter[status],omitempty"`
	VirtualizationType VirtualizationType `url:"filter[virtualization_type],omitempty"`
	ListOptions
}

// UpdateServerRequest changes a server. Fields that are left out stay as they are.
type UpdateServerRequest struct {
	// Name is the display name. To rename the guest as well send FQDNs along; the guest takes its new name at its next restart.
	Name        string   `json:"name,omitzero"`
	FQDNs       []string `json:"fqdns,omitzero"`
	Description *string  `json:"description,omitempty"` // the empty text clears it
	// BootMode is how the rescue system is started and left. That the server must be restarted for it is a guess: restart it.
	BootMode       BootMode        `json:"boot_mode,omitzero"`
	UserData       *string         `json:"user_data,omitempty"` // cloud-init, with LF line ends
	BackupSettings *BackupSettings `json:"backup_settings,omitempty"`
}

// ServerSettingsRequest changes how the node runs a server. Fields that are left out stay as they are.
type ServerSettingsRequest struct {
	DiskCacheMode DiskCacheMode `json:"disk_cache_mode,omitzero"`
	DiskDriver    DiskDriver    `json:"disk_driver,omitzero"`
	Firmware      Firmware      `json:"firmware,omitzero"`
}

// ServersService makes, reads and changes servers.
type ServersService struct{ rest *conn }

// List yields the servers of the whole node that the filter keeps, page by page. Rows may be abbreviated, see Server. Forbidden for customers, who use
// ListByProject.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete. A server that is missing from the list is not proven to be
// gone, see ListComplete.
//
// Class: read.
// API: GET /servers
func (s *ServersService) List(ctx context.Context, f ServerFilter, opts ...CallOption) iter.Seq2[Server, error] {
	return rows[Server](ctx, s.rest, listServers(f, opts))
}

// ListComplete returns the servers that the filter keeps, from a walk that proves itself complete: each page tells the same total, and there are that many
// different ids. A walk that does not add up, because servers come and go, is repeated; after three the error is of Kind Unavailable. Use it where a server's
// absence decides something. It cannot notice that one server went and another one came between two pages of the same walk.
func (s *ServersService) ListComplete(ctx context.Context, f ServerFilter, opts ...CallOption) ([]Server, error) {
	return complete[Server](ctx, s.rest, listServers(f, opts))
}

func listServers(f ServerFilter, opts []CallOption) pageCall {
	return pageCall{op: "listServers", path: []any{"servers"}, filter: f, opts: opts}
}

// ListByProject yields the servers of a project, as List does. It is what customers have instead of List.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /projects/{id}/servers
func (s *ServersService) ListByProject(ctx context.Context, id ProjectID, o ListOptions, opts ...CallOption) iter.Seq2[Server, error] {
	return rowsOf[Server](ctx, s.rest, id, listProjectServers(id, o, opts))
}

// ListByProjectComplete returns the servers of a project from a walk that proves itself complete, as ListComplete does.
func (s *ServersService) ListByProjectComplete(ctx context.Context, id ProjectID, o ListOptions, opts ...CallOption) ([]Server, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	return complete[Server](ctx, s.rest, listProjectServers(id, o, opts))
}

func listProjectServers(id ProjectID, o ListOptions, opts []CallOption) pageCall {
	return pageCall{op: "listProjectServers", path: []any{"projects", id, "servers"}, filter: o, opts: opts}
}

// Get reads one server. NotFound means that the panel says it does not exist; NoRoute does not mean that. A server that is being deleted is read like any other
// until its task ends.
//
// Class: read.
// API: GET /servers/{id}
func (s *ServersService) Get(ctx context.Context, id ServerID, opts ...CallOption) (*Server, error) {
	return existing[Server](ctx, s.rest, id, rest.Call{Op: "getServer", Class: rest.Read, Method: http.MethodGet, Path: []any{"servers", id}}, opts)
}

// WaitIdle waits until no task of the server is running, and returns the server as it was last seen. It is for tokens that may not read tasks.
//
// It says nothing about how the task ended. And right after an action the panel may still show the state from before, so that the wait ends too early: where
// TasksService.Wait can be used, use that, and otherwise check in the server that what was asked for has happened.
//
// A server that the panel says does not exist ends the wait with NotFound, which is how a deletion ends. Other errors are those of provisioning.Wait.
func (s *ServersService) WaitIdle(ctx context.Context, id ServerID, o provisioning.WaitOptions, opts ...CallOption) (*Server, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	var last *Server
	var gone error
	err := provisioning.Wait(ctx, func(ctx context.Context) (provisioning.Look, error) {
		server, err := s.Get(ctx, id, opts...)
		if errors.Is(err, provisioning.NotFound) {
			gone = err
			return provisioning.Look{Done: true}, nil
		}
		if err != nil {
			return provisioning.Look{}, err
		}
		last = server
		return server.Look(), nil
	}, o)
	if gone != nil {
		return nil, gone
	}
	return last, err
}

// Update changes the name, description, boot mode, first configuration or backups of a server.
//
// Class: set.
// API: PATCH /servers/{id}
func (s *ServersService) Update(ctx context.Context, id ServerID, r UpdateServerRequest, opts ...CallOption) (*Server, error) {
	if r.UserData != nil {
		if err := checkUserData(*r.UserData); err != nil {
			return nil, err
		}
	}
	return existing[Server](ctx, s.rest, id, rest.Call{Op: "patchServer", Class: rest.Set, Method: http.MethodPatch, Path: []any{"servers", id}, In: r}, opts)
}

// Replace changes a server by PUT. in becomes the JSON body.
//
// Experimental: it was seen in two third-party clients only, and which members it takes is not documented. Update is the confirmed way.
//
// Class: set.
// API: PUT /servers/{id}
func (s *ServersService) Replace(ctx context.Context, id ServerID, in any, opts ...CallOption) (*Server, error) {
	return existing[Server](ctx, s.rest, id, rest.Call{Op: "replaceServer", Class: rest.Set, Method: http.MethodPut, Path: []any{"servers", id}, In: in}, opts)
}

// UpdateSettings changes how the node runs a server's disks and firmware.
//
// Class: set.
// API: PATCH /servers/{id}/settings
func (s *ServersService) UpdateSettings(ctx context.Context, id ServerID, r ServerSettingsRequest, opts ...CallOption) (*Server, error) {
	return existing[Server](ctx, s.rest, id,
		rest.Call{Op: "patchServerSettings", Class: rest.Set, Method: http.MethodPatch, Path: []any{"servers", id, "settings"}, In: r}, opts)
}

// Delete asks for the deletion of a server. The panel answers with a task; the server is gone when Get says NotFound, and listed until then. The task is nil on
// panels that answer with none (204 was seen).
//
// A server that the panel does not know is NotFound, unless an earlier attempt of this call may have deleted it.
//
// Class: set.
// API: DELETE /servers/{id}
func (s *ServersService) Delete(ctx context.Context, id ServerID, opts ...CallOption) (*Task, error) {
	return accepted(ctx, s.rest, id, rest.Call{Op: "deleteServer", Class: rest.Set, Method: http.MethodDelete, Path: []any{"servers", id}}, opts)
}

// Disks returns the disks of a server.
//
// Class: read.
// API: GET /servers/{id}/disks
func (s *ServersService) Disks(ctx context.Context, id ServerID, opts ...CallOption) ([]Disk, error) {
	return collectOf[Disk](ctx, s.rest, id, pageCall{op: "listServerDisks", path: []any{"servers", id, "disks"}, opts: opts})
}

// Limits returns how much of its limits a server has used. It was seen in one customer portal only.
//
// Class: read.
// API: GET /servers/{id}/limits
func (s *ServersService) Limits(ctx context.Context, id ServerID, opts ...CallOption) ([]ServerLimit, error) {
	return collectOf[ServerLimit](ctx, s.rest, id, pageCall{op: "listServerLimits", path: []any{"servers", id, "limits"}, opts: opts})
}
