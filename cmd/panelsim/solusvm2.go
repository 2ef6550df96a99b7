package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
)

// defaultSolusVM2Token opens simulated panels only.
const defaultSolusVM2Token = "simulated-solusvm2-token" // #nosec G101 -- as it says

func newSolusVM2(c config, url string) *simulation {
	p := solusvm2test.NewPanel(solusvm2test.Options{URL: url, Token: provisioning.Secret(cmp.Or(c.solusVM2Token, defaultSolusVM2Token)), Speed: c.speed})
	return &simulation{
		name: "solusvm2", panel: p, write: "createServer", events: p.EventHandlersAPI(),
		key:     func() (string, string) { return p.Token().Reveal(), c.solusVM2Token },
		servers: func() any { return solusVM2Servers(p.Servers()) },
		describe: func() description {
			return description{
				title:   "SolusVM 2 panel",
				exports: []string{"SOLUSVM2_URL=" + url, "SOLUSVM2_TOKEN=" + quote(p.Token().Reveal())},
				command: fmt.Sprintf("curl -H %s %s/api/v1/plans", quote("Authorization: Bearer "+p.Token().Reveal()), url),
				webhook: fmt.Sprintf(`curl -d '{"name": "shop", "url": "http://127.0.0.1:9000/webhook", "events": ["%s"], "parameters": {"secret": "simulated-webhook-secret"}, `+
					`"enabled": true}' %s/_sim/event-handlers`, solusvm2test.EventServerCreated, url),
			}
		},
	}
}

// solusVM2Server is what /_sim/servers tells about a server of the SolusVM 2 panel.
type solusVM2Server struct {
	ID                int64          `json:"id"`
	UUID              string         `json:"uuid"`
	Name              string         `json:"name"`
	Description       string         `json:"description"`
	FQDNs             []string       `json:"fqdns"`
	UserID            int64          `json:"userId"`
	ProjectID         int64          `json:"projectId"`
	PlanID            int64          `json:"planId"`
	LocationID        int64          `json:"locationId"`
	ComputeResourceID int64          `json:"computeResourceId"`
	VersionID         int64          `json:"osImageVersionId"` // that is installed, 0 for none
	Exists            bool           `json:"exists"`           // on its compute resource
	Builds            int            `json:"builds"`
	Running           bool           `json:"running"`
	Suspended         bool           `json:"suspended"`
	Busy              bool           `json:"busy"` // a task is unfinished
	MemoryMiB         int64          `json:"memoryMiB"`
	VCPUs             int64          `json:"vcpus"`
	DiskGiB           int64          `json:"diskGiB"`
	IPv4              []netip.Addr   `json:"ipv4"`
	IPv6              []netip.Prefix `json:"ipv6"`
	Created           time.Time      `json:"created"`
	DeletedAt         time.Time      `json:"deletedAt,omitzero"` // the panel no longer knows the server
}

func solusVM2Servers(servers []solusvm2test.ServerState) []solusVM2Server {
	list := []solusVM2Server{}
	for _, s := range servers {
		list = append(list, solusVM2Server{
			ID: s.ID, UUID: s.UUID, Name: s.Name, Description: s.Description, FQDNs: s.FQDNs, UserID: s.UserID, ProjectID: s.ProjectID, PlanID: s.PlanID,
			LocationID: s.LocationID, ComputeResourceID: s.ComputeResourceID, VersionID: s.VersionID, Exists: s.Exists, Builds: s.Builds, Running: s.Running,
			Suspended: s.Suspended, Busy: s.Busy, MemoryMiB: s.MemoryMiB, VCPUs: s.VCPUs, DiskGiB: s.DiskGiB, IPv4: s.IPv4, IPv6: s.IPv6, Created: s.Created,
			DeletedAt: s.DeletedAt,
		})
	}
	return list
}
