package solusvm2

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Project holds servers of a customer.
type Project struct {
	ID          ProjectID `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Members     Int       `json:"members"` // how many
	Servers     Int       `json:"servers"` // how many
	IsOwner     Bool      `json:"is_owner"`
	IsDefault   Bool      `json:"is_default"`
	Owner       *User     `json:"owner"`
	CreatedAt   Time      `json:"created_at"`
}

// LogValue logs all of it, with its secrets masked.
func (p Project) LogValue() slog.Value { return provisioning.Masked(p) }

func (p *Project) key() (int64, string) { return int64(p.ID), "project" }

// ProjectFilter keeps only some projects. The zero value keeps all.
type ProjectFilter struct {
	Search string `url:"filter[search],omitempty"` // a part of the name
	ListOptions
}

// ProjectRequest makes or replaces a project. Name is needed.
type ProjectRequest struct {
	Name        string  `json:"name"`
	Description *string `json:"description,omitempty"` // the empty text clears it
}

func (r *ProjectRequest) check() error {
	if strings.TrimSpace(r.Name) == "" {
		return provisioning.InvalidField("name", "is missing")
	}
	return nil
}

// ProjectsService keeps projects.
type ProjectsService struct{ rest *conn }

// List yields the projects that the filter keeps, page by page: those of the token's owner, or all of them for an administrator, which is a guess.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /projects
func (s *ProjectsService) List(ctx context.Context, f ProjectFilter, opts ...CallOption) iter.Seq2[Project, error] {
	return rows[Project](ctx, s.rest, listProjects(f, opts))
}

// ListComplete returns the projects that the filter keeps from a walk that proves itself complete, as ServersService.ListComplete does.
func (s *ProjectsService) ListComplete(ctx context.Context, f ProjectFilter, opts ...CallOption) ([]Project, error) {
	return complete[Project](ctx, s.rest, listProjects(f, opts))
}

func listProjects(f ProjectFilter, opts []CallOption) pageCall {
	return pageCall{op: "listProjects", path: []any{"projects"}, filter: f, opts: opts}
}

// Get reads one project. NotFound when there is none.
//
// Class: read.
// API: GET /projects/{id}
func (s *ProjectsService) Get(ctx context.Context, id ProjectID, opts ...CallOption) (*Project, error) {
	return existing[Project](ctx, s.rest, id, rest.Call{Op: "getProject", Class: rest.Read, Method: http.MethodGet, Path: []any{"projects", id}}, opts)
}

// Create makes a project of the token's owner. It is sent once.
//
// Class: once.
// API: POST /projects
func (s *ProjectsService) Create(ctx context.Context, r ProjectRequest, opts ...CallOption) (*Project, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return created[Project](ctx, s.rest, rest.Call{Op: "createProject", Path: []any{"projects"}, In: r}, opts)
}

// Update replaces name and description of a project.
//
// Class: set.
// API: PUT /projects/{id}
func (s *ProjectsService) Update(ctx context.Context, id ProjectID, r ProjectRequest, opts ...CallOption) (*Project, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return existing[Project](ctx, s.rest, id, rest.Call{Op: "updateProject", Class: rest.Set, Method: http.MethodPut, Path: []any{"projects", id}, In: r}, opts)
}

// Delete removes a project. What it does about servers of the project is not documented.
//
// Class: set.
// API: DELETE /projects/{id}
func (s *ProjectsService) Delete(ctx context.Context, id ProjectID, opts ...CallOption) error {
	return removed(ctx, s.rest, "deleteProject", id, "projects", opts)
}
