package virtfusion

import (
	"context"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// Boot switches a server on. The answer means that the panel has accepted it and carries it out as a queue item; QueueService.Wait tells how it ended. Locked
// while other tasks of the server wait, Maintenance while its hypervisor is in maintenance.
//
// Class: set.
// API: POST /servers/{serverId}/power/boot
func (s *ServersService) Boot(ctx context.Context, id ServerID, opts ...CallOption) (QueueID, error) {
	return s.power(ctx, "bootServer", rest.Set, id, "boot", opts)
}

// Shutdown asks the guest to shut down (ACPI). A guest that does not listen stays on, and how the queue item ends then is not documented. The answer and the
// errors are those of Boot.
//
// Class: set.
// API: POST /servers/{serverId}/power/shutdown
func (s *ServersService) Shutdown(ctx context.Context, id ServerID, opts ...CallOption) (QueueID, error) {
	return s.power(ctx, "shutdownServer", rest.Set, id, "shutdown", opts)
}

// Restart restarts a server. It is sent once: twice would be two interruptions. The answer and the errors are those of Boot.
//
// Class: once.
// API: POST /servers/{serverId}/power/restart
func (s *ServersService) Restart(ctx context.Context, id ServerID, opts ...CallOption) (QueueID, error) {
	return s.power(ctx, "restartServer", rest.Once, id, "restart", opts)
}

// PowerOff cuts the power. The answer and the errors are those of Boot.
//
// Class: set.
// API: POST /servers/{serverId}/power/poweroff
func (s *ServersService) PowerOff(ctx context.Context, id ServerID, opts ...CallOption) (QueueID, error) {
	return s.power(ctx, "poweroffServer", rest.Set, id, "poweroff", opts)
}

// power is the call behind the four. Boot, shutdown and poweroff give the same end state when repeated, so they are of class Set: after an unclear answer a
// second queue item finds nothing left to do, or the panel says Locked because of the first, which is then told together with the doubt. Somebody who switches
// the guest the other way between two attempts of one call, seconds apart, gets the state of the call, which is what was asked for. The 503 of a hypervisor in
// maintenance is documented for boot and assumed for the others.
func (s *ServersService) power(ctx context.Context, op string, class rest.Class, id ServerID, verb string, opts []CallOption) (QueueID, error) {
	if err := positive("serverId", id); err != nil {
		return 0, err
	}
	type answer struct {
		QueueID QueueID `json:"queueId"`
	}
	out, err := fetch(ctx, s.rest, rest.Call{Op: op, Class: class, Method: http.MethodPost, Path: []any{"servers", id, "power", verb},
		Declared: ownRefusal(http.StatusServiceUnavailable)}, func(v *answer) error { return hasID("queue", v.QueueID) }, opts)
	if err != nil {
		return 0, err
	}
	return out.QueueID, nil
}
