package solusvm2

import (
	"context"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// ServerBoot is what a server boots from.
type ServerBoot struct {
	Mode BootMode `json:"mode"`
	// ISOImageID is 0 when no image is chosen. In requests null takes the image out.
	ISOImageID provisioning.Opt[ISOImageID] `json:"iso_image_id,omitzero"`
}

// Boot reads what a server boots from.
//
// Experimental: it was seen in one third-party module only. Server.BootMode is the confirmed way.
//
// Class: read.
// API: GET /servers/{id}/boot
func (s *ServersService) Boot(ctx context.Context, id ServerID, opts ...CallOption) (*ServerBoot, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	var out envelope[ServerBoot]
	err := s.rest.Do(ctx, rest.Call{Op: "getServerBoot", Class: rest.Read, Method: http.MethodGet, Path: []any{"servers", id, "boot"}, Out: &out,
		Check: func() error {
			if out.Data.Mode == "" {
				return lacks("boot mode")
			}
			return nil
		}}, opts...)
	if err != nil {
		return nil, err
	}
	return &out.Data, nil
}

// SetBoot changes what a server boots from.
//
// Experimental: it was seen in one third-party module only. ServersService.Update with a BootMode is the confirmed way, except for ISO images.
//
// Class: set.
// API: POST /servers/{id}/boot
func (s *ServersService) SetBoot(ctx context.Context, id ServerID, b ServerBoot, opts ...CallOption) error {
	if err := positive("id", id); err != nil {
		return err
	}
	if b.Mode == "" {
		return provisioning.InvalidField("mode", "is missing")
	}
	return s.rest.Do(ctx, rest.Call{Op: "setServerBoot", Class: rest.Set, Method: http.MethodPost, Path: []any{"servers", id, "boot"}, In: b}, opts...)
}
