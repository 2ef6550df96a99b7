package virtfusion

import (
	"context"
	"net/http"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// TemplateGroup is a family of operating systems with its templates.
type TemplateGroup struct {
	ID          TemplateGroupID `json:"id"` // 0 is a real group, "Other"
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Icon        string          `json:"icon"` // a file under /img/logo/ of the control server
	Templates   []Template      `json:"templates"`
}

// Template is an operating system that can be built.
type Template struct {
	ID          OperatingSystemID `json:"id"`
	Name        string            `json:"name"`
	Version     string            `json:"version"`
	Variant     string            `json:"variant"` // may be empty
	Arch        Arch              `json:"arch"`
	Description string            `json:"description"`
	Icon        string            `json:"icon"`
	EOL         Bool              `json:"eol"`
	EOLDate     Time              `json:"eol_date"`
	EOLWarning  Bool              `json:"eol_warning"`
	DeployType  Int               `json:"deploy_type"` // 1 seen
	VNC         Bool              `json:"vnc"`
	Type        TemplateType      `json:"type"`
}

// FullName is name, version and variant as people read them: "Debian 12 (Bookworm) Minimal". Parts that the panel leaves empty leave no blanks behind. It need
// not be unique.
func (t *Template) FullName() string {
	return strings.Join(strings.Fields(t.Name+" "+t.Version+" "+t.Variant), " ")
}

// TemplateType is the kind of operating system. The set is open.
type TemplateType string

// The template types. Windows was not seen, its word is a guess.
const (
	TemplateLinux   TemplateType = "linux"
	TemplateUnix    TemplateType = "unix" // FreeBSD
	TemplateWindows TemplateType = "windows"
)

// Known reports whether this package knows the type.
func (t TemplateType) Known() bool {
	return t == TemplateLinux || t == TemplateUnix || t == TemplateWindows
}

// MediaService reads what can be installed.
type MediaService struct{ rest *rest.Client }

// PackageTemplates returns the templates that can be built on servers of a package, in their groups. The panel does not page this list. A package without
// templates gives an empty list.
//
// Class: read.
// API: GET /media/templates/fromServerPackageSpec/{serverPackageId}
func (s *MediaService) PackageTemplates(ctx context.Context, id PackageID, opts ...CallOption) ([]TemplateGroup, error) {
	if err := positive("serverPackageId", id); err != nil {
		return nil, err
	}
	return s.templates(ctx, "listPackageTemplates", []any{"media", "templates", "fromServerPackageSpec", id}, opts)
}

// ServerTemplates returns the templates that can be built on one server, in their groups. The panel does not page this list.
//
// Class: read.
// API: GET /servers/{serverId}/templates
func (s *MediaService) ServerTemplates(ctx context.Context, id ServerID, opts ...CallOption) ([]TemplateGroup, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	return s.templates(ctx, "listServerTemplates", []any{"servers", id, "templates"}, opts)
}

func (s *MediaService) templates(ctx context.Context, op string, path []any, opts []CallOption) ([]TemplateGroup, error) {
	return fetchList[TemplateGroup](ctx, s.rest, rest.Call{Op: op, Class: rest.Read, Method: http.MethodGet, Path: path}, opts)
}
