package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// simulation is one panel as this program serves it.
type simulation struct {
	name     string // its part of the state file
	panel    panel
	write    string                    // an operation that is worth breaking
	key      func() (is, asked string) // its credential, and the one that a flag asks for
	servers  func() any                // the truth for /_sim/servers
	describe func() description

	url      string
	listener net.Listener
	state    *stateFile
}

// panel is what all simulated panels have.
type panel interface {
	http.Handler
	Inject(f provisioningtest.Fault)
	Faults() *provisioningtest.Faults
	Snapshot() ([]byte, error)
	Restore(snapshot []byte) error
	Close()
}

// description is what a person is told about a panel.
type description struct {
	title   string
	note    string   // after the address
	exports []string // environment variables for programs
	command string   // a curl command that works
}

// open listens and makes the panels. A further kind of panel is one more line here.
func open(ctx context.Context, c config, stderr io.Writer) ([]*simulation, error) {
	state, err := readState(c.state, stderr)
	if err != nil {
		return nil, err
	}
	var sims []*simulation
	for _, s := range []struct {
		address string
		make    func(c config, url string) *simulation
	}{
		{c.virtFusion, newVirtFusion},
		{c.ospab, newOSPAB},
	} {
		if s.address == "" {
			continue
		}
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.address)
		if err != nil {
			closeAll(sims)
			return nil, err
		}
		url := "http://" + l.Addr().String()
		sim := s.make(c, url)
		sim.url, sim.listener, sim.state = url, l, state
		sims = append(sims, sim)
		if err := state.restore(sim); err != nil {
			closeAll(sims)
			return nil, err
		}
	}
	return sims, nil
}

func closeAll(sims []*simulation) {
	for _, s := range sims {
		_ = s.listener.Close()
		s.panel.Close()
	}
}

func newVirtFusion(c config, url string) *simulation {
	p := virtfusiontest.NewPanel(virtfusiontest.Options{
		URL: url, Token: provisioning.Secret(cmp.Or(c.virtFusionToken, defaultToken)), Version: c.virtFusionVersion, Speed: c.speed,
	})
	return &simulation{
		name: "virtfusion", panel: p, write: "createServer",
		key:     func() (string, string) { return p.Token().Reveal(), c.virtFusionToken },
		servers: func() any { return truth(p.Servers()) },
		describe: func() description {
			return description{
				title:   "VirtFusion " + c.virtFusionVersion + " panel",
				exports: []string{"VIRTFUSION_URL=" + url, "VIRTFUSION_TOKEN=" + quote(p.Token().Reveal())},
				command: fmt.Sprintf("curl -H %s %s/api/v1/packages", quote("Authorization: Bearer "+p.Token().Reveal()), url),
			}
		},
	}
}

// server is what /_sim/servers tells about a server of the VirtFusion panel.
type server struct {
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

func truth(servers []virtfusiontest.ServerState) []server {
	list := []server{}
	for _, s := range servers {
		list = append(list, server{
			ID: s.ID, UUID: s.UUID, Name: s.Name, Hostname: s.Hostname, OwnerID: s.OwnerID, PackageID: s.PackageID, HypervisorID: s.HypervisorID, State: s.State, Builds: s.Builds,
			Running: s.Running, Suspended: s.Suspended, MemoryMB: s.MemoryMB, Cores: s.Cores, DiskGB: s.DiskGB, IPv4: s.IPv4, IPv6: s.IPv6,
			Created: s.Created, Built: s.Built, DeletionAt: s.DeletionAt, DeletedAt: s.DeletedAt,
		})
	}
	return list
}

// users are the panel users 1 to 5 of a new OSPAB panel.
var users = []string{"alice", "bob", "carol", "dave", "erin"}

func newOSPAB(c config, url string) *simulation {
	p := ospabpaneltest.NewPanel(ospabpaneltest.Options{Key: provisioning.Secret(c.ospabKey)})
	for _, name := range users {
		p.AddUser(name)
	}
	return &simulation{
		name: "ospab", panel: p, write: "syncVPS",
		key:     func() (string, string) { return p.Key().Reveal(), c.ospabKey },
		servers: func() any { return p.Records() },
		describe: func() description {
			var known []string
			for _, u := range p.Users() {
				known = append(known, fmt.Sprintf("%d %s", u.ID, u.Username))
			}
			return description{
				title:   "OSPAB panel",
				note:    ", panel users: " + strings.Join(known, ", "),
				exports: []string{"OSPAB_PANEL_URL=" + url, "VPS_SYNC_API_KEY=" + quote(p.Key().Reveal())},
				command: fmt.Sprintf(`curl -H 'Content-Type: application/json' -H %s -d '{"action": "create", "vps": {"user_id": 5, "name": "web-server-01", `+
					`"status": "creating", "cpu": 4, "ram": 8192, "disk": 100, "os": "Ubuntu 22.04 LTS", "hypervisor": "proxmox"}}' %s/api/vps/sync`,
					quote("X-API-Key: "+p.Key().Reveal()), url),
			}
		},
	}
}

// quote makes one word of a POSIX shell.
func quote(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
