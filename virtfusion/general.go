package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// ControlStatus is the health of the control server.
//
// Experimental: the documentation describes the answer in words only (version, database, cache, scheduled tasks, cron, hypervisor alerts, one flag over all),
// so Data is kept as it came.
type ControlStatus struct {
	// Healthy is false when the panel answered 503, which is how it says that one of its checks failed.
	Healthy bool
	Data    json.RawMessage
}

// GeneralService asks about the control server itself.
type GeneralService struct{ rest *rest.Client }

// TestConnection checks address and token. It succeeds for every valid token, also for one that may do nothing else: to know whether a token may be used for an
// order, list the hypervisor groups.
//
// Errors: Unauthorized when the token is wrong, expired or used from an address that is not on its list; NoRoute when the address is not a VirtFusion control
// server.
//
// Class: read.
// API: GET /connect
func (s *GeneralService) TestConnection(ctx context.Context, opts ...CallOption) error {
	var out json.RawMessage // an empty array, so there is nothing to read; that it is JSON shows that the API answered
	return s.rest.Do(ctx, rest.Call{Op: "testConnection", Class: rest.Read, Method: http.MethodGet, Path: []any{"connect"}, Out: &out}, opts...)
}

// ControlStatus reads the health of the control server. A failed check is not an error of the call: it shows as Healthy false. Panel 7.1 or later; older ones
// answer NoRoute, which makes this the way to tell the generations apart.
//
// Experimental: nobody has seen the members of the answer.
//
// Class: read.
// API: GET /status
func (s *GeneralService) ControlStatus(ctx context.Context, opts ...CallOption) (*ControlStatus, error) {
	status := ControlStatus{Healthy: true}
	data, err := fetch(ctx, s.rest, rest.Call{Op: "getControlStatus", Class: rest.Read, Method: http.MethodGet, Path: []any{"status"}, Since: panel71,
		Declared: func(got int, body []byte) rest.Verdict {
			if got != http.StatusServiceUnavailable || !hasDataMember(body) {
				return rest.Foreign // a proxy's 503
			}
			status.Healthy = false
			return rest.Result
		}}, func(v *json.RawMessage) error {
		if len(*v) == 0 {
			return lacks("data")
		}
		return nil
	}, opts)
	if err != nil {
		return nil, err
	}
	status.Data = *data
	return &status, nil
}

func hasDataMember(body []byte) bool {
	var e envelope[json.RawMessage]
	return json.Unmarshal(body, &e) == nil && len(e.Data) > 0
}
