package virtfusion

import (
	"context"
	"net/http"
	"net/url"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Limits of a server's resources, as the panel documents them.
const (
	minMemory   = MB(256)
	maxCPUCores = 600
	maxThrottle = 99
)

// ThrottleCPUOptions tunes ThrottleCPU.
type ThrottleCPUOptions struct {
	// Sync applies the throttle on the hypervisor now. Without it the panel stores it and applies it at the server's next start.
	Sync bool
}

// CustomXML is what the panel puts into a server's libvirt definition at its next start, by section, and which sections are in use. Fields that are nil are not
// sent; whether the panel keeps or empties those is not documented, so send all that matter.
type CustomXML struct {
	Domain   *string `json:"domain,omitempty"`
	OS       *string `json:"os,omitempty"`
	Devices  *string `json:"devices,omitempty"`
	Features *string `json:"features,omitempty"`
	Clock    *string `json:"clock,omitempty"`
	CPUTune  *string `json:"cpuTune,omitempty"`

	DomainEnabled   *bool `json:"domainEnabled,omitempty"`
	OSEnabled       *bool `json:"osEnabled,omitempty"`
	DevicesEnabled  *bool `json:"devicesEnabled,omitempty"`
	FeaturesEnabled *bool `json:"featuresEnabled,omitempty"`
	ClockEnabled    *bool `json:"clockEnabled,omitempty"`
	CPUTuneEnabled  *bool `json:"cpuTuneEnabled,omitempty"`
}

// SetMemory gives a server another amount of memory, 256 MB at least. Like SetCPUCores it stores the value: that a running guest has it only after a restart is
// a guess, see Server.Tasks for what waits. Kind Capacity for "no room" rests on the words of the refusal.
//
// Class: set.
// API: PUT /servers/{serverId}/modify/memory
func (s *ServersService) SetMemory(ctx context.Context, id ServerID, memory MB, opts ...CallOption) error {
	if memory < minMemory {
		return provisioning.InvalidField("memory", "must be at least %d MB, not %d", minMemory, memory)
	}
	in := struct {
		Memory MB `json:"memory"`
	}{memory}
	return s.modify(ctx, "modifyServerMemory", id, "memory", in, nil, opts)
}

// SetCPUCores gives a server another number of cores, 1 to 600. The panel refuses more than its hypervisor has free (422).
//
// Class: set.
// API: PUT /servers/{serverId}/modify/cpuCores
func (s *ServersService) SetCPUCores(ctx context.Context, id ServerID, cores int, opts ...CallOption) error {
	if cores < 1 || cores > maxCPUCores {
		return provisioning.InvalidField("cores", "must be between 1 and %d, not %d", maxCPUCores, cores)
	}
	in := struct {
		Cores int `json:"cores"`
	}{cores}
	return s.modify(ctx, "modifyServerCpuCores", id, "cpuCores", in, nil, opts)
}

// ThrottleCPU takes percent of a server's processor time away, 0 to 99: 0 takes nothing, 99 leaves one hundredth.
//
// Class: set.
// API: PUT /servers/{serverId}/modify/cpuThrottle
func (s *ServersService) ThrottleCPU(ctx context.Context, id ServerID, percent int, o ThrottleCPUOptions, opts ...CallOption) error {
	if percent < 0 || percent > maxThrottle {
		return provisioning.InvalidField("percent", "must be between 0 and %d, not %d", maxThrottle, percent)
	}
	in := struct {
		Percent int `json:"percent"`
	}{percent}
	var query url.Values
	if o.Sync {
		query = url.Values{"sync": {"true"}}
	}
	return s.modify(ctx, "throttleServerCpu", id, "cpuThrottle", in, query, opts)
}

func (s *ServersService) modify(ctx context.Context, op string, id ServerID, what string, in any, query url.Values, opts []CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: op, Class: rest.Set, Method: http.MethodPut, Path: []any{"servers", id, "modify", what}, Query: query, In: in}, opts...)
}

// ChangeOwner gives a server to another user, named by the panel's own id. What happens to the SSH keys, backups and shares of the old owner is not documented.
//
// Class: set.
// API: PUT /servers/{serverId}/owner/{newOwnerId}
func (s *ServersService) ChangeOwner(ctx context.Context, id ServerID, to UserID, opts ...CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if err := positive("newOwnerId", to); err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: "changeServerOwner", Class: rest.Set, Method: http.MethodPut, Path: []any{"servers", id, "owner", to}}, opts...)
}

// SetCustomXML stores fragments of libvirt XML, which the panel merges into the server's definition at its next start. Whether the panel checks them is not
// documented: expect a server with a bad fragment not to start.
//
// Class: set.
// API: POST /servers/{serverId}/customXML
func (s *ServersService) SetCustomXML(ctx context.Context, id ServerID, xml CustomXML, opts ...CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if xml == (CustomXML{}) {
		return provisioning.InvalidField("customXML", "nothing to change is given")
	}
	return s.rest.Do(ctx, rest.Call{Op: "setServerCustomXml", Class: rest.Set, Method: http.MethodPost, Path: []any{"servers", id, "customXML"}, In: xml}, opts...)
}
