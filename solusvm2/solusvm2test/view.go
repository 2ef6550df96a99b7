package solusvm2test

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// ServerState is the truth about one server, for tests.
type ServerState struct {
	ID                int64
	UUID              string
	Name              string
	Description       string
	FQDNs             []string
	UserID            int64
	ProjectID         int64
	PlanID            int64
	LocationID        int64
	ComputeResourceID int64
	Exists            bool // on its compute resource: false until it was made, and when that failed
	Builds            int  // how many installations were accepted, the first one included
	Running           bool
	Suspended         bool
	Busy              bool   // a task is unfinished
	BootedFrom        string // disk, rescue, iso; "" when it does not run
	NeedsRestart      bool   // a delayed change waits for the next start
	MemoryMiB         int64
	VCPUs             int64
	DiskGiB           int64   // primary disk
	ExtraDisksGiB     []int64 // the others
	VersionID         int64   // of the operating system that is installed, 0 for none
	ApplicationID     int64
	SSHKeyIDs         []int64
	UserData          string
	Password          provisioning.Secret // of the guest
	IPv4              []netip.Addr        // the primary one first
	IPv6              []netip.Prefix
	Created           time.Time
	DeletedAt         time.Time // zero while the panel still knows the server
}

// Servers returns every server that was ever made, in the order of the ids. The deleted ones carry DeletedAt.
func (p *Panel) Servers() []ServerState {
	return view(p, func(c *call) []ServerState {
		list := []ServerState{}
		for _, s := range sorted(c.Servers) {
			list = append(list, c.truth(s))
		}
		return list
	})
}

// Server returns one server, deleted or not. ok is false when there never was one with this id.
func (p *Panel) Server(id int64) (s ServerState, ok bool) {
	p.look(func(c *call) {
		if found := c.Servers[id]; found != nil {
			s, ok = c.truth(found), true
		}
	})
	return s, ok
}

func (c *call) truth(s *server) ServerState {
	v := ServerState{
		ID: s.ID, UUID: s.UUID, Name: s.Name, Description: s.Description, FQDNs: slices.Clone(s.FQDNs), UserID: s.UserID, ProjectID: s.ProjectID, PlanID: s.Plan.ID,
		LocationID: s.LocationID, ComputeResourceID: s.NodeID, Exists: s.Exists, Builds: s.Builds, Running: s.Running, Suspended: s.Suspended,
		Busy: c.openTask(s) != nil, BootedFrom: s.Booted, NeedsRestart: s.Waiting, MemoryMiB: s.Plan.RAM / mebibyte, VCPUs: s.Plan.VCPU, DiskGiB: s.Plan.Disk,
		VersionID: s.VersionID, ApplicationID: s.AppID, SSHKeyIDs: slices.Clone(s.KeyIDs), UserData: s.UserData, Password: provisioning.Secret(s.Password),
		Created: s.Created, DeletedAt: s.Deleted,
	}
	for _, d := range s.Disks {
		v.ExtraDisksGiB = append(v.ExtraDisksGiB, d.Size)
	}
	own := []*address{}
	for _, id := range s.Addresses {
		own = append(own, c.Addresses[id])
	}
	slices.SortStableFunc(own, func(a, b *address) int {
		switch {
		case a.Primary == b.Primary:
			return 0
		case a.Primary:
			return -1
		}
		return 1
	})
	for _, a := range own {
		if network, err := netip.ParsePrefix(a.IP); err == nil {
			v.IPv6 = append(v.IPv6, network)
		} else if addr, err := netip.ParseAddr(a.IP); err == nil {
			v.IPv4 = append(v.IPv4, addr)
		}
	}
	return v
}

// Server describes a server that somebody else made: not through the API.
type Server struct {
	UserID      int64 // user 1, the administrator, when 0
	ProjectID   int64 // the user's default project when 0
	PlanID      int64 // PlanSmall when 0
	LocationID  int64 // LocationAmsterdam when 0
	Name        string
	Description string
	IPv6        bool
}

// AddServer adds a foreign server, installed with VersionDebian12 and running, with one IPv4 address. Event handlers do not fire.
func (p *Panel) AddServer(in Server) (ServerState, error) {
	var added ServerState
	var err error
	p.look(func(c *call) {
		base, u := c.Plans[cmp.Or(in.PlanID, PlanSmall)], c.Users[cmp.Or(in.UserID, 1)]
		if base == nil || u == nil {
			err = fmt.Errorf("solusvm2test: no such owner or plan: %+v", in)
			return
		}
		o := order{server: server{
			Name: in.Name, Description: in.Description, UserID: u.ID, ProjectID: cmp.Or(in.ProjectID, c.defaultProject(u.ID).ID), Plan: base.clone(),
			LocationID: cmp.Or(in.LocationID, LocationAmsterdam), BootMode: "disk", DiskCache: "none", DiskDriver: "virtio", Firmware: "bios", MAC: newMAC(),
			VersionID: VersionDebian12, Password: newPassword(), Exists: true,
		}, v4: true, v6: in.IPv6}
		c.user = c.Users[1]
		n := c.place(&o)
		if n == nil || c.Projects[o.ProjectID] == nil {
			err = fmt.Errorf("solusvm2test: no such project, or no compute resource takes the server: %+v", in)
			return
		}
		s := c.allocate(c.now, o, n)
		s.boot()
		added = c.truth(s)
	})
	return added, err
}

// SetVNC switches the console of a server on or off.
func (p *Panel) SetVNC(serverID int64, on bool) {
	p.change(serverID, func(s *server) { s.NoVNC = !on })
}

// SetState makes the panel report a status of the caller's choosing, such as one that no client knows, for the server and its guest, and no task. "" reports
// the real one again.
func (p *Panel) SetState(serverID int64, status string) {
	p.change(serverID, func(s *server) { s.Reported = status })
}
