package virtfusion

import (
	"fmt"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// ServerState is how far the building of a server has come. It says nothing about power: a complete server may be switched off. The set is open, see Known.
type ServerState string

// The states. Where each was seen: allocated, queued, complete and failed in the vendor's examples; building and suspended only in the code of an integration's
// user interface.
const (
	ServerAllocated ServerState = "allocated" // resources are reserved, nothing was ever built
	ServerQueued    ServerState = "queued"    // a build was accepted
	ServerBuilding  ServerState = "building"
	ServerComplete  ServerState = "complete"  // built
	ServerFailed    ServerState = "failed"    // the build failed
	ServerSuspended ServerState = "suspended" // the flag Suspended is what counts
)

// Known reports whether this package knows the state. Panels may send others; they are kept as they are.
func (s ServerState) Known() bool {
	switch s {
	case ServerAllocated, ServerQueued, ServerBuilding, ServerComplete, ServerFailed, ServerSuspended:
		return true
	}
	return false
}

// CommissionStatus is the number behind ServerState. Rows of the server list have only this one.
type CommissionStatus int64

// The commission statuses.
const (
	CommissionNone     CommissionStatus = 0 // never built
	CommissionQueued   CommissionStatus = 1
	CommissionUnclear  CommissionStatus = 2 // in progress, or failed: the number does not tell which
	CommissionComplete CommissionStatus = 3
)

// UnmarshalJSON reads numbers and text; null is 0.
func (c *CommissionStatus) UnmarshalJSON(b []byte) error { return (*rest.Int)(c).UnmarshalJSON(b) }

// Known reports whether this package knows the status.
func (c CommissionStatus) Known() bool { return c >= CommissionNone && c <= CommissionComplete }

// Phase is as much as the number alone tells: 2 is PhaseUnknown.
func (c CommissionStatus) Phase() provisioning.Phase {
	switch c {
	case CommissionNone:
		return provisioning.PhaseAllocated
	case CommissionQueued:
		return provisioning.PhaseBuilding
	case CommissionComplete:
		return provisioning.PhaseReady
	}
	return provisioning.PhaseUnknown
}

// phase is the one state table. A failure is told by the state or by the flag: the vendor's own example of a failed build has state "failed", status 2 and a
// flag that is false. Otherwise the state decides where it speaks of building, and the number decides for "suspended" and for states that are not known.
func phase(state ServerState, status CommissionStatus, buildFailed Bool) provisioning.Phase {
	if state == ServerFailed || bool(buildFailed) {
		return provisioning.PhaseFailed
	}
	switch state {
	case ServerAllocated:
		return provisioning.PhaseAllocated
	case ServerQueued, ServerBuilding:
		return provisioning.PhaseBuilding
	case ServerComplete:
		return provisioning.PhaseReady
	}
	return status.Phase()
}

// Phase is how far the server has come: never built, being built, ready, failed. It is about installation, neither power nor suspension.
func (s *Server) Phase() provisioning.Phase { return phase(s.State, s.CommissionStatus, s.BuildFailed) }

// Phase is how far the server has come, as Server.Phase.
func (s *UserServer) Phase() provisioning.Phase {
	return phase(s.State, s.CommissionStatus, s.BuildFailed)
}

// Phase is as much as a row tells: PhaseUnknown while a build is running and after it failed.
func (r *ServerRow) Phase() provisioning.Phase { return r.Commissioned.Phase() }

// Power is what the hypervisor said: PowerUnknown unless it was asked and answered. The word decides where it is known (a paused guest is neither running nor
// stopped), otherwise the flag does. Only "running" was quoted by integrations; the other words are libvirt's, and a guess.
func (r *RemoteState) Power() provisioning.PowerState {
	switch strings.ReplaceAll(r.State, " ", "") {
	case "running":
		return provisioning.PowerRunning
	case "shutoff", "crashed":
		return provisioning.PowerStopped
	case "paused":
		return provisioning.PowerUnknown
	}
	switch running, told := r.Running.Get(); {
	case !told:
		return provisioning.PowerUnknown
	case bool(running):
		return provisioning.PowerRunning
	}
	return provisioning.PowerStopped
}

// BuildLook is a build's progress as provisioning.Wait reads it: done when the server is ready, and an error that wraps provisioning.ErrTaskFailed when the
// build failed. A state that is not known counts as still running.
func (s *Server) BuildLook() (provisioning.Look, error) {
	switch s.Phase() {
	case provisioning.PhaseReady:
		return provisioning.Look{Done: true, Percent: 100, State: string(s.State)}, nil
	case provisioning.PhaseFailed:
		return provisioning.Look{}, fmt.Errorf("virtfusion: build of server %d: %w: the panel gives no reason", s.ID, provisioning.ErrTaskFailed)
	}
	return provisioning.Look{Percent: -1, State: string(s.State)}, nil
}
