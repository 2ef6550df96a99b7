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

// OSImage is a family of operating systems. What can be installed are its Versions.
type OSImage struct {
	ID        OSImageID        `json:"id"`
	Name      string           `json:"name"`
	Icon      *Icon            `json:"icon"`
	Versions  []OSImageVersion `json:"versions"`
	IsDefault Bool             `json:"is_default"`
	IsVisible Bool             `json:"is_visible"`
	Position  Float            `json:"position"`
}

func (i *OSImage) key() (int64, string) { return int64(i.ID), "OS image" }

// OSImageVersion is an operating system that can be installed.
type OSImageVersion struct {
	ID                 OSImageVersionID   `json:"id"` // what creates and reinstallations take
	OSImageID          OSImageID          `json:"os_image_id"`
	Version            string             `json:"version"`
	URL                string             `json:"url"`
	VirtualizationType VirtualizationType `json:"virtualization_type"`
	CloudInitVersion   CloudInitVersion   `json:"cloud_init_version"`
	IsVisible          Bool               `json:"is_visible"`
	IsDeprecated       Bool               `json:"is_deprecated"` // seen in one live client
	IsSSHKeysSupported Bool               `json:"is_ssh_keys_supported"`
	Position           Float              `json:"position"`
	AvailablePlans     []Ref              `json:"available_plans"`
}

func (v *OSImageVersion) key() (int64, string) { return int64(v.ID), "OS image version" }

// CloudInitVersion is the dialect of first configuration that an image speaks. The set is open.
type CloudInitVersion string

// The cloud-init versions.
const (
	CloudInitV0         CloudInitVersion = "v0"
	CloudInitV0CentOS6  CloudInitVersion = "v0-centos6"
	CloudInitV0Debian9  CloudInitVersion = "v0-debian9"
	CloudInitV2         CloudInitVersion = "v2"
	CloudInitV2Alpine   CloudInitVersion = "v2-alpine"
	CloudInitV2CentOS   CloudInitVersion = "v2-centos"
	CloudInitV2Debian10 CloudInitVersion = "v2-debian10"
	CloudbaseInit       CloudInitVersion = "cloudbase" // Windows
)

// Known reports whether the version is one of the constants.
func (v CloudInitVersion) Known() bool {
	return slices.Contains([]CloudInitVersion{
		CloudInitV0, CloudInitV0CentOS6, CloudInitV0Debian9, CloudInitV2, CloudInitV2Alpine, CloudInitV2CentOS, CloudInitV2Debian10, CloudbaseInit,
	}, v)
}

// OSImageFilter keeps only some images. The zero value keeps all.
type OSImageFilter struct {
	Search string `url:"filter[search],omitempty"` // a part of the name
	ListOptions
}

// OSImageRequest makes or replaces an OS image. Name is needed.
type OSImageRequest struct {
	Name      string                   `json:"name"`
	IconID    provisioning.Opt[IconID] `json:"icon_id,omitzero"` // null is no icon
	IsVisible *bool                    `json:"is_visible,omitempty"`
}

func (r *OSImageRequest) check() error {
	if strings.TrimSpace(r.Name) == "" {
		return provisioning.InvalidField("name", "is missing")
	}
	return nil
}

// OSImageVersionRequest makes or replaces a version. Version, URL and VirtualizationType are needed.
type OSImageVersionRequest struct {
	Version            string             `json:"version"`
	URL                string             `json:"url"`
	VirtualizationType VirtualizationType `json:"virtualization_type"`
	CloudInitVersion   CloudInitVersion   `json:"cloud_init_version,omitzero"`
	IsVisible          *bool              `json:"is_visible,omitempty"`
	Position           *float64           `json:"position,omitempty"`
	// AvailablePlans replaces the list. nil leaves it out, an empty list is sent.
	AvailablePlans []PlanID `json:"available_plans,omitzero"`
}

func (r *OSImageVersionRequest) check() error {
	for _, f := range []struct{ name, value string }{{"version", r.Version}, {"url", r.URL}, {"virtualization_type", string(r.VirtualizationType)}} {
		if strings.TrimSpace(f.value) == "" {
			return provisioning.InvalidField(f.name, "is missing")
		}
	}
	return nil
}

// OSImagesService keeps operating systems.
type OSImagesService struct{ rest *conn }

// List yields the OS images that the filter keeps with their versions, page by page, hidden ones included.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /os_images
func (s *OSImagesService) List(ctx context.Context, f OSImageFilter, opts ...CallOption) iter.Seq2[OSImage, error] {
	return rows[OSImage](ctx, s.rest, pageCall{op: "listOsImages", path: []any{"os_images"}, filter: f, opts: opts})
}

// Get reads one OS image. NotFound when there is none.
//
// Class: read.
// API: GET /os_images/{id}
func (s *OSImagesService) Get(ctx context.Context, id OSImageID, opts ...CallOption) (*OSImage, error) {
	return existing[OSImage](ctx, s.rest, id, rest.Call{Op: "getOsImage", Class: rest.Read, Method: http.MethodGet, Path: []any{"os_images", id}}, opts)
}

// Create makes an OS image without versions. It is sent once.
//
// Class: once.
// API: POST /os_images
func (s *OSImagesService) Create(ctx context.Context, r OSImageRequest, opts ...CallOption) (*OSImage, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return created[OSImage](ctx, s.rest, rest.Call{Op: "createOsImage", Path: []any{"os_images"}, In: r}, opts)
}

// Update replaces an OS image.
//
// Class: set.
// API: PUT /os_images/{id}
func (s *OSImagesService) Update(ctx context.Context, id OSImageID, r OSImageRequest, opts ...CallOption) (*OSImage, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return existing[OSImage](ctx, s.rest, id, rest.Call{Op: "updateOsImage", Class: rest.Set, Method: http.MethodPut,
		Path: []any{"os_images", id}, In: r}, opts)
}

// Delete removes an OS image.
//
// Class: set.
// API: DELETE /os_images/{id}
func (s *OSImagesService) Delete(ctx context.Context, id OSImageID, opts ...CallOption) error {
	return removed(ctx, s.rest, "deleteOsImage", id, "os_images", opts)
}

// Versions returns the versions of an OS image.
//
// Class: read.
// API: GET /os_images/{id}/versions
func (s *OSImagesService) Versions(ctx context.Context, id OSImageID, opts ...CallOption) ([]OSImageVersion, error) {
	return collectOf[OSImageVersion](ctx, s.rest, id, pageCall{op: "listOsImageVersions", path: []any{"os_images", id, "versions"}, opts: opts})
}

// CreateVersion adds a version to an OS image. It is sent once.
//
// Class: once.
// API: POST /os_images/{id}/versions
func (s *OSImagesService) CreateVersion(ctx context.Context, id OSImageID, r OSImageVersionRequest, opts ...CallOption) (*OSImageVersion, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return created[OSImageVersion](ctx, s.rest, rest.Call{Op: "createOsImageVersion", Path: []any{"os_images", id, "versions"}, In: r}, opts)
}

// GetVersion reads one version. NotFound when there is none.
//
// Class: read.
// API: GET /os_image_versions/{id}
func (s *OSImagesService) GetVersion(ctx context.Context, id OSImageVersionID, opts ...CallOption) (*OSImageVersion, error) {
	return existing[OSImageVersion](ctx, s.rest, id,
		rest.Call{Op: "getOsImageVersion", Class: rest.Read, Method: http.MethodGet, Path: []any{"os_image_versions", id}}, opts)
}

// UpdateVersion replaces a version.
//
// Class: set.
// API: PUT /os_image_versions/{id}
func (s *OSImagesService) UpdateVersion(ctx context.Context, id OSImageVersionID, r OSImageVersionRequest, opts ...CallOption) (*OSImageVersion, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return existing[OSImageVersion](ctx, s.rest, id,
		rest.Call{Op: "updateOsImageVersion", Class: rest.Set, Method: http.MethodPut, Path: []any{"os_image_versions", id}, In: r}, opts)
}

// DeleteVersion removes a version.
//
// Class: set.
// API: DELETE /os_image_versions/{id}
func (s *OSImagesService) DeleteVersion(ctx context.Context, id OSImageVersionID, opts ...CallOption) error {
	return removed(ctx, s.rest, "deleteOsImageVersion", id, "os_image_versions", opts)
}
