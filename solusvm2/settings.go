package solusvm2

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// SettingsService reads and changes the settings of the whole installation: host name, mail, registration, network rules, notifications, DNS, updates,
// features, billing. They form a large object that differs between versions and may hold secrets, so it is not typed here.
type SettingsService struct{ rest *conn }

// Get reads the settings as JSON text, which masks itself when printed: decode the parts you need from what Reveal returns.
//
// Class: read.
// API: GET /settings
func (s *SettingsService) Get(ctx context.Context, opts ...CallOption) (SecretJSON, error) {
	return s.settings(ctx, rest.Call{Op: "getSettings", Class: rest.Read, Method: http.MethodGet}, opts)
}

// Update changes settings. in holds only what is to change, and becomes the JSON body. The answer is that of Get.
//
// Class: set.
// API: PATCH /settings
func (s *SettingsService) Update(ctx context.Context, in any, opts ...CallOption) (SecretJSON, error) {
	if in == nil {
		return SecretJSON{}, provisioning.InvalidField("in", "is missing")
	}
	return s.settings(ctx, rest.Call{Op: "patchSettings", Class: rest.Set, Method: http.MethodPatch, In: in}, opts)
}

func (s *SettingsService) settings(ctx context.Context, call rest.Call, opts []CallOption) (SecretJSON, error) {
	var out envelope[SecretJSON]
	call.Path, call.Out = []any{"settings"}, &out
	call.Check = func() error {
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(out.Data.Reveal()), &object) != nil {
			return lacks("settings")
		}
		return nil
	}
	err := s.rest.Do(ctx, call, opts...)
	return out.Data, err
}
