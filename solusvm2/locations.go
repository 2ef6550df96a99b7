package solusvm2

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Location is a group of compute resources that customers choose from.
type Location struct {
	ID               LocationID        `json:"id"`
	Name             string            `json:"name"`
	Description      string            `json:"description"`
	Icon             *Icon             `json:"icon"`
	IsDefault        Bool              `json:"is_default"`
	IsVisible        Bool              `json:"is_visible"`
	ComputeResources []ComputeResource `json:"compute_resources"`
	AvailablePlans   []Ref             `json:"available_plans"`
}

func (l *Location) key() (int64, string) { return int64(l.ID), "location" }

// Icon is a picture in the panel's interface.
type Icon struct {
	ID   IconID   `json:"id"`
	Name string   `json:"name"`
	URL  string   `json:"url"`
	Type IconType `json:"type"`
}

// IconType says what an icon is for. The set is open.
type IconType string

// The icon types.
const (
	IconOS          IconType = "os"
	IconApplication IconType = "application"
	IconFlags       IconType = "flags"
)

// Known reports whether the type is one of the constants.
func (t IconType) Known() bool {
	return slices.Contains([]IconType{IconOS, IconApplication, IconFlags}, t)
}

// LocationFilter keeps only some locations. The zero value keeps all.
type LocationFilter struct {
	Search string `url:"filter[search],omitempty"` // a part of the name
	ListOptions
}

// LocationRequest makes or replaces a location. Name is needed. In Update, whether the panel takes what is left out as "leave it" or as "default" is not
// documented: send what Get tells.
type LocationRequest struct {
	Name        string  `json:"name"`
	Description *string `json:"description,omitempty"`
	// IconID may be null: no icon.
	IconID    provisioning.Opt[IconID] `json:"icon_id,omitzero"`
	IsDefault *bool                    `json:"is_default,omitempty"`
	IsVisible *bool                    `json:"is_visible,omitempty"`
	// The lists replace what the location has. nil leaves them out, an empty list is sent.
	ComputeResources []ComputeResourceID `json:"compute_resources,omitzero"`
	AvailablePlans   []PlanID            `json:"available_plans,omitzero"`
}

func (r *LocationRequest) check() error {
	if strings.TrimSpace(r.Name) == "" {
		return provisioning.InvalidField("name", "is missing")
	}
	return nil
}

// LocationFlags are the switches of a location. nil leaves one as it is.
type LocationFlags struct {
	IsDefault *bool `json:"is_default,omitempty"`
	IsVisible *bool `json:"is_visible,omitempty"`
}

// LocationsService keeps locations.
type LocationsService struct{ rest *conn }

// List yields the locations that the filter keeps, page by page.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /locations
func (s *LocationsService) List(ctx context.Context, f LocationFilter, opts ...CallOption) iter.Seq2[Location, error] {
	return rows[Location](ctx, s.rest, pageCall{op: "listLocations", path: []any{"locations"}, filter: f, opts: opts})
}

// Get reads one location. NotFound when there is none.
//
// Class: read.
// API: GET /locations/{id}
func (s *LocationsService) Get(ctx context.Context, id LocationID, opts ...CallOption) (*Location, error) {
	return existing[Location](ctx, s.rest, id, rest.Call{Op: "getLocation", Class: rest.Read, Method: http.MethodGet, Path: []any{"locations", id}}, opts)
}

// Create makes a location. It is sent once.
//
// Class: once.
// API: POST /locations
func (s *LocationsService) Create(ctx context.Context, r LocationRequest, opts ...CallOption) (*Location, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return created[Location](ctx, s.rest, rest.Call{Op: "createLocation", Path: []any{"locations"}, In: r}, opts)
}

// Update replaces a location.
//
// Class: set.
// API: PUT /locations/{id}
func (s *LocationsService) Update(ctx context.Context, id LocationID, r LocationRequest, opts ...CallOption) (*Location, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return existing[Location](ctx, s.rest, id, rest.Call{Op: "updateLocation", Class: rest.Set, Method: http.MethodPut,
		Path: []any{"locations", id}, In: r}, opts)
}

// SetFlags turns the switches of a location.
//
// Class: set.
// API: PATCH /locations/{id}
func (s *LocationsService) SetFlags(ctx context.Context, id LocationID, f LocationFlags, opts ...CallOption) (*Location, error) {
	return existing[Location](ctx, s.rest, id, rest.Call{Op: "patchLocation", Class: rest.Set, Method: http.MethodPatch,
		Path: []any{"locations", id}, In: f}, opts)
}

// Delete removes a location.
//
// Class: set.
// API: DELETE /locations/{id}
func (s *LocationsService) Delete(ctx context.Context, id LocationID, opts ...CallOption) error {
	return removed(ctx, s.rest, "deleteLocation", id, "locations", opts)
}
