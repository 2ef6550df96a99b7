package solusvm2

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// AddIPsRequest gives a server more addresses: either Count of the panel's choice, or one particular IP.
type AddIPsRequest struct {
	Count int `json:"count,omitzero"`
	// IP is one particular address. One that is reserved is refused: clear the reservation first with IPAddressesService.Update.
	IP   netip.Addr `json:"ip,omitzero"`
	Type IPVersion  `json:"type,omitzero"`
	// Delayed lets the node apply the change later. That is a guess; one module sets it, and a program that sends false gets its address at once.
	Delayed *bool `json:"delayed,omitempty"`
}

func (r *AddIPsRequest) check() error {
	switch {
	case r.Count < 0:
		return provisioning.InvalidField("count", "must not be below 0")
	case r.Count == 0 && !r.IP.IsValid():
		return provisioning.InvalidField("count", "is missing, and so is ip")
	case r.Count > 1 && r.IP.IsValid():
		return provisioning.InvalidField("count", "must not be above 1 for a particular ip")
	}
	return nil
}

// RemoveIPsRequest takes addresses away from a server.
type RemoveIPsRequest struct {
	IDs []IPAddressID `json:"ids"` // see ServerIPv4.ID; the primary address cannot be taken away, or should not be
	// Delayed is as in AddIPsRequest.
	Delayed *bool `json:"delayed,omitempty"`
}

// AddIPs gives a server more addresses. They come later and are not told by the answer: read the server until it has them. The task is nil when the panel
// answered without one; what it answers is not documented.
//
// It is sent once: a repetition would give more addresses.
//
// Class: once.
// API: POST /servers/{id}/ips
func (s *ServersService) AddIPs(ctx context.Context, id ServerID, r AddIPsRequest, opts ...CallOption) (*Task, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return accepted(ctx, s.rest, id, rest.Call{Op: "addServerIPs", Class: rest.Once, Method: http.MethodPost, Path: []any{"servers", id, "ips"}, In: r}, opts)
}

// RemoveIPs takes addresses away from a server. They go later: read the server until it lacks them. The task is nil when the panel answered without one; what
// it answers is not documented.
//
// Class: set.
// API: DELETE /servers/{id}/ips
func (s *ServersService) RemoveIPs(ctx context.Context, id ServerID, r RemoveIPsRequest, opts ...CallOption) (*Task, error) {
	if len(r.IDs) == 0 {
		return nil, provisioning.InvalidField("ids", "must not be empty")
	}
	if err := allPositive("ids", r.IDs); err != nil {
		return nil, err
	}
	return accepted(ctx, s.rest, id, rest.Call{Op: "removeServerIPs", Class: rest.Set, Method: http.MethodDelete,
		Path: []any{"servers", id, "ips"}, In: r}, opts)
}
