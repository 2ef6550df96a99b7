package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"unicode/utf8"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// ISO is an image of the library.
type ISO struct {
	ID          ISOID           `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Arch        Arch            `json:"arch"` // ArchAny is a real one
	URL         string          `json:"url"`
	Filename    string          `json:"filename"` // without ".iso"
	Enabled     Bool            `json:"enabled"`
	Config      string          `json:"config"` // JSON as text, "[]" seen
	Global      Bool            `json:"global"` // for everybody
	Download    Bool            `json:"download"`
	Users       json.RawMessage `json:"users,omitempty"` // empty in every example
	Created     Time            `json:"created"`
	Updated     Time            `json:"updated"`
}

// ISORequest makes or changes an image. A new one needs Name; what is left out of a change stays as it is.
type ISORequest struct {
	Name        string                   `json:"name,omitzero"`        // 3 to 150 characters
	Description provisioning.Opt[string] `json:"description,omitzero"` // 500 characters at most; null clears it
	URL         string                   `json:"url,omitzero"`         // http or https, 2000 characters at most
	Filename    string                   `json:"filename,omitzero"`    // letters, digits, - and _, unique; the panel adds ".iso"
	Arch        *Arch                    `json:"arch,omitempty"`
	Enabled     *bool                    `json:"enabled,omitempty"` // an image can be enabled only when it has a URL and a file name
	Global      *bool                    `json:"global,omitempty"`
	Download    *bool                    `json:"download,omitempty"`
}

var isoFilename = regexp.MustCompile(`^[A-Za-z0-9_-]{1,300}$`)

func (r *ISORequest) check() error {
	if r.Name != "" {
		if err := checkName(r.Name); err != nil {
			return err
		}
	}
	if r.URL != "" {
		if u, err := url.Parse(r.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(r.URL) > 2000 {
			return provisioning.InvalidField("url", "must be an http or https address of at most 2000 characters")
		}
	}
	switch {
	case utf8.RuneCountInString(r.Description.Or("")) > 500:
		return provisioning.InvalidField("description", "must not be longer than 500 characters")
	case r.Filename != "" && !isoFilename.MatchString(r.Filename):
		return provisioning.InvalidField("filename", "must be 1 to 300 letters, digits, - and _, without .iso")
	case r.Arch != nil && (*r.Arch < ArchAny || *r.Arch > ArchAArch64):
		return provisioning.InvalidField("arch", "must be 0, 1 or 2, not %d", *r.Arch)
	}
	return nil
}

// checkName is the panel's rule for the names of packages, images and hypervisors.
func checkName(name string) error {
	if n := utf8.RuneCountInString(name); n < 3 || n > 150 {
		return provisioning.InvalidField("name", "must have 3 to 150 characters, not %d", n)
	}
	return nil
}

// ISOAnswer is what the panel answers to a new or changed image.
//
// Experimental: nobody has published it. That it is the image is a guess: where it is something else, ISO.ID is 0 and Data has the answer.
type ISOAnswer struct {
	ISO
	Data json.RawMessage `json:"-"`
}

// UnmarshalJSON reads what can be read and keeps the whole answer.
func (a *ISOAnswer) UnmarshalJSON(b []byte) error {
	*a = ISOAnswer{}
	return readPartly(b, &a.ISO, &a.Data)
}

// GetISO reads an image of the library. NotFound when there is none. The panel has no known list of images.
//
// Class: read.
// API: GET /media/iso/{isoId}
func (s *MediaService) GetISO(ctx context.Context, id ISOID, opts ...CallOption) (*ISO, error) {
	if err := positive("isoId", id); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getISO", Class: rest.Read, Method: http.MethodGet, Path: []any{"media", "iso", id}},
		func(v *ISO) error { return sameID("ISO", v.ID, id) }, opts)
}

// CreateISO adds an image to the library. It is sent once. Panel 7.1.
//
// Class: once.
// API: POST /media/iso
func (s *MediaService) CreateISO(ctx context.Context, r ISORequest, opts ...CallOption) (*ISOAnswer, error) {
	if r.Name == "" {
		return nil, provisioning.InvalidField("name", "must not be empty")
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetchPartly[ISOAnswer](ctx, s.rest, rest.Call{Op: "createISO", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"media", "iso"}, In: r}, nil, opts)
}

// UpdateISO changes an image of the library. Panel 7.1.
//
// Class: set.
// API: PUT /media/iso/{isoId}
func (s *MediaService) UpdateISO(ctx context.Context, id ISOID, r ISORequest, opts ...CallOption) (*ISOAnswer, error) {
	if err := positive("isoId", id); err != nil {
		return nil, err
	}
	if r == (ISORequest{}) {
		return nil, provisioning.InvalidField("iso", "nothing to change is given")
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetchPartly[ISOAnswer](ctx, s.rest, rest.Call{Op: "updateISO", Since: panel71, Class: rest.Set, Method: http.MethodPut,
		Path: []any{"media", "iso", id}, In: r},
		func(v *ISOAnswer) error { return sameIfTold("ISO", v.ID, id) }, opts)
}
