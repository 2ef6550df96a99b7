package solusvm2

import (
	"context"
	"iter"
	"net/http"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Role is a set of permissions.
type Role struct {
	ID         RoleID `json:"id"`
	Name       string `json:"name"`
	IsDefault  Bool   `json:"is_default"`
	UsersCount Int    `json:"users_count"`
}

func (r *Role) key() (int64, string) { return int64(r.ID), "role" }

// The names of the built-in roles. Panels may have others.
const (
	RoleAdmin  = "ADMIN"
	RoleClient = "CLIENT" // a customer: see the package documentation for what it may not do
)

// Permission is something that a role may allow.
type Permission struct {
	ID   PermissionID `json:"id"`
	Name string       `json:"name"`
}

// CreateRoleRequest makes a role. Name is needed.
type CreateRoleRequest struct {
	Name        string         `json:"name"`
	Permissions []PermissionID `json:"permissions,omitempty"`
}

// RolesService keeps roles.
type RolesService struct{ rest *conn }

// List yields the roles, page by page.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /roles
func (s *RolesService) List(ctx context.Context, o ListOptions, opts ...CallOption) iter.Seq2[Role, error] {
	return rows[Role](ctx, s.rest, pageCall{op: "listRoles", path: []any{"roles"}, filter: o, opts: opts})
}

// Get reads one role. NotFound when there is none.
//
// Class: read.
// API: GET /roles/{id}
func (s *RolesService) Get(ctx context.Context, id RoleID, opts ...CallOption) (*Role, error) {
	return existing[Role](ctx, s.rest, id, rest.Call{Op: "getRole", Class: rest.Read, Method: http.MethodGet, Path: []any{"roles", id}}, opts)
}

// Create makes a role. It is sent once.
//
// Class: once.
// API: POST /roles
func (s *RolesService) Create(ctx context.Context, r CreateRoleRequest, opts ...CallOption) (*Role, error) {
	if strings.TrimSpace(r.Name) == "" {
		return nil, provisioning.InvalidField("name", "is missing")
	}
	if err := allPositive("permissions", r.Permissions); err != nil {
		return nil, err
	}
	return created[Role](ctx, s.rest, rest.Call{Op: "createRole", Path: []any{"roles"}, In: r}, opts)
}

// Permissions returns all permissions.
//
// Class: read.
// API: GET /permissions
func (s *RolesService) Permissions(ctx context.Context, opts ...CallOption) ([]Permission, error) {
	return collect[Permission](ctx, s.rest, pageCall{op: "listPermissions", path: []any{"permissions"}, opts: opts})
}
