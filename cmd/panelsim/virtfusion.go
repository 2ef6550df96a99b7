package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// defaultVirtFusionToken opens simulated panels only.
const defaultVirtFusionToken = "simulated-virtfusion-token" // #nosec G101 -- as it says

func newVirtFusion(c config, url string) *simulation {
	p := virtfusiontest.NewPanel(virtfusiontest.Options{
		URL: url, Token: provisioning.Secret(cmp.Or(c.virtFusionToken, defaultVirtFusionToken)), Version: c.virtFusionVersion, Speed: c.speed,
	})
	return &simulation{
		name: "virtfusion", panel: p, write: "createServer",
		key:     func() (string, string) { return p.Token().Reveal(), c.virtFusionToken },
		servers: func() any { return virtFusionServers(p.Servers()) },
		describe: func() description {
			return description{
				title:   "VirtFusion " + c.virtFusionVersion + " panel",
				exports: []string{"VIRTFUSION_URL=" + url, "VIRTFUSION_TOKEN=" + quote(p.Token().Reveal())},
				command: fmt.Sprintf("curl -H %s %s/api/v1/packages", quote("Authorization: Bearer "+p.Token().Reveal()), url),
			}
		},
	}
}

// virtFusionServer is what /_sim/servers tells about a server of the VirtFusion panel.
type virtFusionServer struct {
	ID           int64          `json:"id"`
	UUID         string         `json:"uuid"`
	Name         string         `json:"name"`
	Hostname     string         `json:"hostname"`
	OwnerID      int64          `json:"ownerId"`
	PackageID    int64          `json:"packageId"`
	HypervisorID int64          `json:"hypervisorId"`
	State        string         `json:"state"`
	Builds       int            `json:"builds"`
	Running      bool           `json:"running"`
	Suspended    bool           `json:"suspended"`
	MemoryMB     int64          `json:"memoryMB"`
	Cores        int64          `json:"cores"`
	DiskGB       int64          `json:"diskGB"`
	IPv4         []netip.Addr   `json:"ipv4"`
	IPv6         []netip.Prefix `json:"ipv6"`
	Created      time.Time      `json:"created"`
	Built        time.Time      `json:"built,omitzero"`
	DeletionAt   time.Time      `json:"deletionAt,omitzero"` // end of the delay of a scheduled deletion
	DeletedAt    time.Time      `json:"deletedAt,omitzero"`  // the panel no longer knows the server
}

func virtFusionServers(servers []virtfusiontest.ServerState) []virtFusionServer {
	list := []virtFusionServer{}
	for _, s := range servers {
		list = append(list, virtFusionServer{
			ID: s.ID, UUID: s.UUID, Name: s.Name, Hostname: s.Hostname, OwnerID: s.OwnerID, PackageID: s.PackageID, HypervisorID: s.HypervisorID, State: s.State, Builds: s.Builds,
			Running: s.Running, Suspended: s.Suspended, MemoryMB: s.MemoryMB, Cores: s.Cores, DiskGB: s.DiskGB, IPv4: s.IPv4, IPv6: s.IPv6,
			Created: s.Created, Built: s.Built, DeletionAt: s.DeletionAt, DeletedAt: s.DeletedAt,
		})
	}
	return list
}
