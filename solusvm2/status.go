package solusvm2

import (
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// ServerStatus is the state of a server as the panel names it. The set is open: unknown words are kept as they came. Suspension is not among them, the panel
// keeps it apart.
type ServerStatus string

// The known server states. Notifications carry the first four; the REST API shows the others as well.
const (
	ServerNotExist     ServerStatus = "not exist" // some versions write "not exists"
	ServerStarted      ServerStatus = "started"
	ServerStopped      ServerStatus = "stopped"
	ServerUnavailable  ServerStatus = "unavailable"
	ServerProcessing   ServerStatus = "processing"
	ServerPaused       ServerStatus = "paused"
	ServerReinstalling ServerStatus = "reinstalling" // seen on live panels, not documented
	ServerRestarting   ServerStatus = "restarting"   // seen on live panels, not documented
)

// Known reports whether the state is one of the constants.
func (s ServerStatus) Known() bool {
	return slices.Contains([]ServerStatus{
		ServerNotExist, ServerStarted, ServerStopped, ServerUnavailable, ServerProcessing, ServerPaused, ServerReinstalling, ServerRestarting,
	}, s)
}

// UnmarshalJSON reads text and gives the known states one spelling; null is "".
func (s *ServerStatus) UnmarshalJSON(b []byte) error {
	var text rest.String
	if err := text.UnmarshalJSON(b); err != nil {
		return err
	}
	*s = ServerStatus(statusWord(string(text)))
	return nil
}

// serverState is the one state table. A server with a running task counts as being built, because what it was before the task may be shown until the task ends,
// and which task it is cannot be seen. "not exist" is a server that the panel knows and the node does not: it is broken, and it is never read as deleted.
func serverState(processing bool, status, nodeSays ServerStatus) (provisioning.Phase, provisioning.PowerState) {
	if processing || status == ServerProcessing {
		return provisioning.PhaseBuilding, provisioning.PowerUnknown
	}
	if nodeSays == "" {
		nodeSays = status
	}
	switch nodeSays {
	case ServerProcessing, ServerReinstalling:
		return provisioning.PhaseBuilding, provisioning.PowerUnknown
	case ServerStarted:
		return provisioning.PhaseReady, provisioning.PowerRunning
	case ServerStopped:
		return provisioning.PhaseReady, provisioning.PowerStopped
	case ServerPaused, ServerRestarting:
		return provisioning.PhaseReady, provisioning.PowerUnknown
	case ServerNotExist:
		return provisioning.PhaseFailed, provisioning.PowerUnknown
	}
	return provisioning.PhaseUnknown, provisioning.PowerUnknown // ServerUnavailable, and what later versions may add
}

// Phase is how far the server has come. It is about installation and running tasks, not about suspension, which is Server.IsSuspended and wins for display.
func (s *Server) Phase() provisioning.Phase {
	phase, _ := serverState(bool(s.IsProcessing), s.Status, s.RealStatus)
	return phase
}

// Power is whether the guest runs, as the node told the panel: PowerUnknown while a task is running, and when the node is not available.
func (s *Server) Power() provisioning.PowerState {
	_, power := serverState(bool(s.IsProcessing), s.Status, s.RealStatus)
	return power
}

// Look is the server as provisioning.Wait reads it: done when no task of it is running, however that ended.
func (s *Server) Look() provisioning.Look {
	look := provisioning.Look{Done: s.Phase() != provisioning.PhaseBuilding, Percent: -1, State: string(s.Status)}
	if p, ok := s.Progress.Get(); ok {
		look.Percent = int(min(max(p, 0), 100))
	}
	return look
}

// UserStatus is the state of a user account. The set is open.
type UserStatus string

// The known user states.
const (
	UserActive    UserStatus = "active"
	UserLocked    UserStatus = "locked"    // may not create servers or projects, nor invite
	UserSuspended UserStatus = "suspended" // and all servers of the user are suspended
)

// Known reports whether the state is one of the constants.
func (s UserStatus) Known() bool {
	return slices.Contains([]UserStatus{UserActive, UserLocked, UserSuspended}, s)
}

// ComputeResourceStatus is the state of a compute resource. The set is open.
type ComputeResourceStatus string

// The known compute resource states.
const (
	ComputeResourceCommissioning    ComputeResourceStatus = "commissioning"     // still being set up
	ComputeResourceConfigureNetwork ComputeResourceStatus = "configure_network" // set up, waits for its network to be configured
	ComputeResourceActive           ComputeResourceStatus = "active"            // takes work
	ComputeResourceFailed           ComputeResourceStatus = "failed"            // setting it up failed
	ComputeResourceUnavailable      ComputeResourceStatus = "unavailable"       // down, for whatever reason
)

// Known reports whether the state is one of the constants.
func (s ComputeResourceStatus) Known() bool {
	return slices.Contains([]ComputeResourceStatus{
		ComputeResourceCommissioning, ComputeResourceConfigureNetwork, ComputeResourceActive, ComputeResourceFailed, ComputeResourceUnavailable,
	}, s)
}

// LicenseType is the kind of licence of a compute resource. The set is open.
type LicenseType string

// The known licence types.
const (
	LicenseMicro    LicenseType = "micro"
	LicenseMini     LicenseType = "mini"
	LicenseStandard LicenseType = "standard"
)

// Known reports whether the type is one of the constants.
func (t LicenseType) Known() bool {
	return slices.Contains([]LicenseType{LicenseMicro, LicenseMini, LicenseStandard}, t)
}

// statusWord returns the API's spelling of a status. The vendor writes "not exist" and "not exists", and prints server and user states translated in the
// Portuguese manual; whether a panel ever sends a translated word is not documented. Other words are returned as they are.
func statusWord(word string) string {
	switch w := strings.ToLower(strings.TrimSpace(word)); w {
	case "not exist", "not exists", "não existe":
		return string(ServerNotExist)
	case "started", "iniciado":
		return string(ServerStarted)
	case "stopped", "parado":
		return string(ServerStopped)
	case "unavailable", "indisponível":
		return string(ServerUnavailable)
	case "active", "ativo":
		return string(UserActive)
	case "locked", "bloqueado":
		return string(UserLocked)
	case "suspended", "suspenso": //nolint:misspell // Portuguese
		return string(UserSuspended)
	}
	return word
}
