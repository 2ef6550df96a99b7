package engine

import (
	"net/netip"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// observed is what was seen of a server, as it is stored. Traffic and Native are not.
type observed struct {
	At          time.Time                            `json:"at,omitzero"`
	UUID        string                               `json:"uuid,omitempty"`
	Name        string                               `json:"name,omitempty"`
	Hostname    string                               `json:"hostname,omitempty"`
	Owner       string                               `json:"owner,omitempty"`
	Phase       provisioning.Phase                   `json:"phase,omitempty"`
	Power       provisioning.PowerState              `json:"power,omitempty"`
	Suspended   bool                                 `json:"suspended,omitempty"`
	RawState    string                               `json:"rawState,omitempty"`
	FailReason  string                               `json:"failReason,omitempty"`
	Memory      provisioning.Opt[provisioning.Bytes] `json:"memory,omitzero"`
	Disk        provisioning.Opt[provisioning.Bytes] `json:"disk,omitzero"`
	VCPUs       provisioning.Opt[int]                `json:"vcpus,omitzero"`
	Addresses   []provisioning.Address               `json:"addresses,omitempty"`
	Image       string                               `json:"image,omitempty"`
	Plan        string                               `json:"plan,omitempty"`
	Location    string                               `json:"location,omitempty"`
	Host        string                               `json:"host,omitempty"`
	HostAddress netip.Addr                           `json:"hostAddress,omitzero"`
	Created     time.Time                            `json:"created,omitzero"`
	Built       time.Time                            `json:"built,omitzero"`
}

func observe(i provisioning.Instance) observed {
	return observed{
		At: time.Now(), UUID: i.UUID, Name: i.Name, Hostname: i.Hostname, Owner: i.Owner, Phase: i.Phase, Power: i.Power, Suspended: i.Suspended,
		RawState: i.RawState, FailReason: i.FailReason, Memory: i.Memory, Disk: i.Disk, VCPUs: i.VCPUs, Addresses: i.Addresses, Image: i.Image, Plan: i.Plan,
		Location: i.Location, Host: i.Host, HostAddress: i.HostAddress, Created: i.Created, Built: i.Built,
	}
}

func (o observed) instance(id string) provisioning.Instance {
	return provisioning.Instance{
		ID: provisioning.ID(id), UUID: o.UUID, Name: o.Name, Hostname: o.Hostname, Owner: o.Owner, Phase: o.Phase, Power: o.Power, Suspended: o.Suspended,
		RawState: o.RawState, FailReason: o.FailReason, Memory: o.Memory, Disk: o.Disk, VCPUs: o.VCPUs, Addresses: o.Addresses, Image: o.Image, Plan: o.Plan,
		Location: o.Location, Host: o.Host, HostAddress: o.HostAddress, Created: o.Created, Built: o.Built,
	}
}
