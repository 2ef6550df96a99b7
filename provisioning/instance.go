package provisioning

import (
	"log/slog"
	"net/netip"
	"time"
)

// ID names a server on one panel. It is opaque: compare it, store it, hand it back.
type ID string

// Summary is what a row of a panel's server list really holds. Everything else costs a call of Instance.
type Summary struct {
	ID        ID
	UUID      string
	Name      string
	Owner     string // the panel's own id of the owner
	Suspended bool
}

// Phase is how far a server has come.
type Phase string

// The phases. PhaseUnknown stands for every state a panel version may add.
const (
	PhaseAllocated Phase = "allocated" // resources are reserved, nothing was ever installed
	PhaseBuilding  Phase = "building"
	PhaseReady     Phase = "ready" // installed; says nothing about power
	PhaseFailed    Phase = "failed"
	PhaseUnknown   Phase = "unknown"
)

// PowerState is what the hypervisor says. It is PowerUnknown unless the hypervisor answered.
type PowerState string

// The power states.
const (
	PowerRunning PowerState = "running"
	PowerStopped PowerState = "stopped"
	PowerUnknown PowerState = "unknown"
)

// State folds suspension, phase and power into the one word a client area shows.
type State string

// The states for display.
const (
	StateOnline       State = "online"
	StateProvisioning State = "being provisioned"
	StateOffline      State = "offline"
	StateSuspended    State = "suspended"
	StateFailed       State = "failed"
	StateUnknown      State = "unknown"
)

// Instance is one server, as far as its panel tells. What the panel did not tell is absent (Opt) or the zero value of a type that
// has no real zero (time.Time, netip.Addr), never a made-up number.
type Instance struct {
	ID       ID
	UUID     string
	Name     string // the panel's display name; the Key of an order until somebody renames the server
	Hostname string
	Owner    string // the panel's own id of the owner

	Phase     Phase
	Power     PowerState
	Suspended bool
	RawState  string // the panel's own word
	// FailReason says why Phase is PhaseFailed, in the panel's words, where it gives any.
	FailReason string

	Memory, Disk Opt[Bytes]
	VCPUs        Opt[int]
	Addresses    []Address
	Traffic      Opt[Traffic]

	Image    string // operating system, as the panel names it
	Plan     string
	Location string
	Host     string // name of the hypervisor
	// HostAddress is the hypervisor's own address, needed where servers sit behind its NAT.
	HostAddress netip.Addr
	Created     time.Time
	Built       time.Time // when the present installation was finished
	Native      any       // the panel's own type: *virtfusion.Server
}

// LogValue logs all of it, with its secrets masked.
func (i Instance) LogValue() slog.Value { return Masked(i) }

// State folds the parts for display. Suspension wins, then the phase, then the power.
func (i Instance) State() State {
	switch {
	case i.Suspended:
		return StateSuspended
	case i.Phase == PhaseFailed:
		return StateFailed
	case i.Phase == PhaseAllocated, i.Phase == PhaseBuilding:
		return StateProvisioning
	case i.Power == PowerRunning:
		return StateOnline
	case i.Power == PowerStopped:
		return StateOffline
	}
	return StateUnknown
}

// AddressKind says what an address is for.
type AddressKind string

// The kinds of addresses.
const (
	AddressPrimary AddressKind = "primary"
	AddressExtra   AddressKind = "extra"
	AddressNAT     AddressKind = "nat" // private, reached through forwarded ports of the hypervisor
)

// Address is one address or subnet of a server: an IPv4 address as /32 or with the length of its network, an IPv6 subnet of any length, or a single IPv6
// address as /128.
type Address struct {
	Prefix netip.Prefix
	Kind   AddressKind
}

// PrimaryAddress is the address to show first: IPv6 when there is any, of any subnet size, otherwise IPv4. The invalid prefix means that there
// is none.
func (i Instance) PrimaryAddress() netip.Prefix {
	var v4 netip.Prefix
	primary := false
	for _, a := range i.Addresses {
		if !a.Prefix.IsValid() {
			continue
		}
		if a.Prefix.Addr().Is6() {
			return a.Prefix
		}
		if !v4.IsValid() || (a.Kind == AddressPrimary && !primary) {
			v4, primary = a.Prefix, a.Kind == AddressPrimary
		}
	}
	return v4
}

// Traffic is the counted traffic of the present period.
type Traffic struct {
	Unlimited bool // metered, but without a limit; Allowance is absent then
	Allowance Opt[Bytes]
	Used      Opt[Bytes]
	// PeriodStart and PeriodEnd are zero when the panel does not tell them.
	PeriodStart, PeriodEnd time.Time
}

// Left is what remains of the allowance, never below zero. ok is false when the allowance or the use is not known, or there is no limit.
func (t Traffic) Left() (left Bytes, ok bool) {
	allowance, ok1 := t.Allowance.Get()
	used, ok2 := t.Used.Get()
	if t.Unlimited || !ok1 || !ok2 {
		return 0, false
	}
	return max(allowance-used, 0), true
}
