package solusvm2

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Application is a program that can be installed together with its operating system.
type Application struct {
	ID               ApplicationID `json:"id"`
	Name             string        `json:"name"`
	Icon             *Icon         `json:"icon"`
	URL              string        `json:"url"`
	CloudInitVersion string        `json:"cloud_init_version"`
	UserDataTemplate string        `json:"user_data_template"`
	LoginLink        LoginLink     `json:"login_link"`
	// JSONSchema is text that holds a JSON Schema: it describes what CreateServerRequest.ApplicationData must hold.
	JSONSchema     string `json:"json_schema"`
	IsDefault      Bool   `json:"is_default"`
	IsVisible      Bool   `json:"is_visible"`
	IsBuiltIn      Bool   `json:"is_buildin"` // the spelling on the wire is the panel's
	AvailablePlans []Ref  `json:"available_plans"`
}

func (a *Application) key() (int64, string) { return int64(a.ID), "application" }

// LoginLink says how a customer gets into an application.
type LoginLink struct {
	Type    LoginLinkType `json:"type"`
	Content string        `json:"content"`
}

// LoginLinkType is a kind of login link. The set is open.
type LoginLinkType string

// The login link types.
const (
	LoginLinkNone   LoginLinkType = "none"
	LoginLinkURL    LoginLinkType = "url"
	LoginLinkJSCode LoginLinkType = "js_code"
	LoginLinkInfo   LoginLinkType = "info"
)

// Known reports whether the type is one of the constants.
func (t LoginLinkType) Known() bool {
	return slices.Contains([]LoginLinkType{LoginLinkNone, LoginLinkURL, LoginLinkJSCode, LoginLinkInfo}, t)
}

// CreateApplicationRequest makes an application. Name is needed.
type CreateApplicationRequest struct {
	Name             string     `json:"name"`
	URL              string     `json:"url,omitzero"`
	IconID           IconID     `json:"icon_id,omitzero"`
	CloudInitVersion string     `json:"cloud_init_version,omitzero"`
	UserDataTemplate string     `json:"user_data_template,omitzero"`
	JSONSchema       string     `json:"json_schema,omitzero"` // text that holds a JSON Schema
	IsVisible        *bool      `json:"is_visible,omitempty"`
	LoginLink        *LoginLink `json:"login_link,omitempty"`
	AvailablePlans   []PlanID   `json:"available_plans,omitzero"`
}

// ApplicationsService keeps applications.
type ApplicationsService struct{ rest *conn }

// List yields the applications, page by page.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /applications
func (s *ApplicationsService) List(ctx context.Context, o ListOptions, opts ...CallOption) iter.Seq2[Application, error] {
	return rows[Application](ctx, s.rest, pageCall{op: "listApplications", path: []any{"applications"}, filter: o, opts: opts})
}

// Create makes an application. It is sent once.
//
// Class: once.
// API: POST /applications
func (s *ApplicationsService) Create(ctx context.Context, r CreateApplicationRequest, opts ...CallOption) (*Application, error) {
	if strings.TrimSpace(r.Name) == "" {
		return nil, provisioning.InvalidField("name", "is missing")
	}
	return created[Application](ctx, s.rest, rest.Call{Op: "createApplication", Path: []any{"applications"}, In: r}, opts)
}
