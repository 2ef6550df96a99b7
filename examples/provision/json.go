package main

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// document is what -json prints. Sizes carry their unit: "2GiB".
type document struct {
	Panel     string          `json:"panel"`
	Simulated bool            `json:"simulated"`
	OSPAB     string          `json:"ospab,omitempty"` // absent when no OSPAB panel is driven
	Orders    []orderDocument `json:"orders"`
}

type orderDocument struct {
	Key    string          `json:"key"`
	Server *serverDocument `json:"server,omitempty"`
	Error  *errorDocument  `json:"error,omitempty"`
	Record *recordDocument `json:"ospabRecord,omitempty"`
	// OSPABError does not affect the server.
	OSPABError *errorDocument `json:"ospabError,omitempty"`
}

type errorDocument struct {
	Kind         provisioning.Kind `json:"kind,omitempty"`
	MaybeApplied bool              `json:"maybeApplied,omitempty"` // the same command finds it out
	Message      string            `json:"message"`
}

type serverDocument struct {
	ID                provisioning.ID                      `json:"id"`
	UUID              string                               `json:"uuid,omitempty"`
	Hostname          string                               `json:"hostname,omitempty"`
	State             provisioning.State                   `json:"state"`
	Location          string                               `json:"location,omitempty"`
	PrimaryAddress    string                               `json:"primaryAddress,omitempty"`
	IPv4              []string                             `json:"ipv4,omitempty"`
	NATIPv4           []string                             `json:"natIPv4,omitempty"`
	IPv6              []string                             `json:"ipv6,omitempty"`
	Traffic           *trafficDocument                     `json:"traffic,omitempty"`
	VCPUs             provisioning.Opt[int]                `json:"vcpus,omitzero"`
	Memory            provisioning.Opt[provisioning.Bytes] `json:"memory,omitzero"`
	Disk              provisioning.Opt[provisioning.Bytes] `json:"disk,omitzero"`
	Image             string                               `json:"image,omitempty"`
	Hypervisor        string                               `json:"hypervisor,omitempty"`
	HypervisorAddress string                               `json:"hypervisorAddress,omitempty"`
	Created           time.Time                            `json:"created,omitzero"`
	// RootPassword is there with -show-password, if this run was told it.
	RootPassword string `json:"rootPassword,omitempty"`
}

type trafficDocument struct {
	Unlimited bool                                 `json:"unlimited,omitempty"`
	Allowance provisioning.Opt[provisioning.Bytes] `json:"allowance,omitzero"`
	Used      provisioning.Opt[provisioning.Bytes] `json:"used,omitzero"`
	PeriodEnd time.Time                            `json:"periodEnd,omitzero"`
}

type recordDocument struct {
	ID     provisioning.RecordID     `json:"id"`
	Status provisioning.RecordStatus `json:"status"` // the last one that the panel has acknowledged
	Memory provisioning.Bytes        `json:"memory"`
	Disk   provisioning.Bytes        `json:"disk"`
}

func printJSON(w io.Writer, p *panels, results []result, showPassword bool) error {
	d := document{Panel: p.url, Simulated: p.simulated, OSPAB: p.ospabURL, Orders: []orderDocument{}}
	for _, r := range results {
		o := orderDocument{Key: r.order.Key, Error: describeError(r.err), OSPABError: describeError(r.ospabErr)}
		if r.server.ID != "" {
			o.Server = describeServer(r.server)
			if showPassword {
				o.Server.RootPassword = r.password.Reveal()
			}
		}
		if r.record.ID != "" {
			o.Record = &recordDocument{r.record.ID, r.record.Status, r.record.Record.Memory, r.record.Record.Disk}
		}
		d.Orders = append(d.Orders, o)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

func describeServer(i provisioning.Instance) *serverDocument {
	d := &serverDocument{
		ID: i.ID, UUID: i.UUID, Hostname: i.Hostname, State: i.State(), Location: i.Location, PrimaryAddress: primary(i), VCPUs: i.VCPUs, Memory: i.Memory, Disk: i.Disk,
		Image: i.Image, Hypervisor: i.Host, Created: i.Created,
	}
	d.IPv4, d.NATIPv4, d.IPv6 = addresses(i)
	if i.HostAddress.IsValid() {
		d.HypervisorAddress = i.HostAddress.String()
	}
	if t, ok := i.Traffic.Get(); ok {
		d.Traffic = &trafficDocument{t.Unlimited, t.Allowance, t.Used, t.PeriodEnd}
	}
	return d
}

func describeError(err error) *errorDocument {
	if err == nil {
		return nil
	}
	d := &errorDocument{Message: err.Error(), MaybeApplied: errors.Is(err, provisioning.ErrMaybeApplied)}
	if e, ok := errors.AsType[*provisioning.Error](err); ok {
		d.Kind = e.Kind
	}
	return d
}
