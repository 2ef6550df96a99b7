package solusvm2

import (
	"slices"
	"strings"
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
	case "suspended", "suspenso":
		return string(UserSuspended)
	}
	return word
}
