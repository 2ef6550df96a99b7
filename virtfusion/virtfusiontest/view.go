package virtfusiontest

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
	ID               int64
	UUID             string
	Name             string
	Hostname         string
	OwnerID          int64
	PackageID        int64
	GroupID          int64 // hypervisor group
	HypervisorID     int64
	State            string // allocated, queued, building, complete, failed
	CommissionStatus int
	FailReason       string // of the last build
	Builds           int    // how many builds were accepted
	Running          bool
	Suspended        bool
	Busy             bool // a queue item is unfinished
	MemoryMB         int64
	Cores            int64
	DiskGB           int64 // primary disk
	TrafficGB        int64
	TemplateID       int64 // of the present installation
	SSHKeyIDs        []int64
	RootPassword     provisioning.Secret
	IPv4             []netip.Addr
	IPv6             []netip.Prefix
	Deferred         []string // work that waits for a power action
	Created          time.Time
	Built            time.Time // zero before the first build
	DeletionAt       time.Time // end of the delay of a scheduled deletion, else zero
	DeletedAt        time.Time // zero while the panel still knows the server
}

// Servers returns every server that was ever made, in the order of the ids. The deleted ones carry DeletedAt.
func (p *Panel) Servers() []ServerState {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.look()
	list := []ServerState{}
	for _, s := range sorted(c.Servers) {
		list = append(list, c.view(s))
	}
	return list
}

// Server returns one server, deleted or not. ok is false when there never was one with this id.
func (p *Panel) Server(id int64) (s ServerState, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.look()
	found := c.Servers[id]
	if found == nil {
		return ServerState{}, false
	}
	return c.view(found), true
}

// look brings the state up to now. The panel is locked.
func (p *Panel) look() *call {
	now := clock()
	p.state.settle(now)
	return &call{state: p.state, panel: p, now: now}
}

func (c *call) view(s *server) ServerState {
	state, commission := c.phase(s)
	v := ServerState{
		ID: s.ID, UUID: s.UUID, Name: s.Name, Hostname: s.Hostname, OwnerID: s.OwnerID, PackageID: s.PackageID, HypervisorID: s.HypervisorID,
		GroupID: c.Hypervisors[s.HypervisorID].GroupID,
		State:   state, CommissionStatus: commission, FailReason: s.FailReason, Builds: s.Builds, Running: s.Running, Suspended: s.Suspended, Busy: c.busy(s),
		MemoryMB: s.MemoryMB, Cores: s.Cores, DiskGB: s.Disks[0].CapacityGB, TrafficGB: s.TrafficGB, TemplateID: s.TemplateID,
		SSHKeyIDs: slices.Clone(s.KeyIDs), RootPassword: provisioning.Secret(s.Password),
		Created: s.Created, Built: s.Built, DeletionAt: s.DeletionAt, DeletedAt: s.Deleted,
	}
	for _, a := range s.IPv4 {
		v.IPv4 = append(v.IPv4, a.Addr)
	}
	for _, a := range s.IPv6 {
		v.IPv6 = append(v.IPv6, netip.PrefixFrom(a.Addr, 64))
	}
	for _, d := range s.Deferred {
		if !d.Complete {
			v.Deferred = append(v.Deferred, d.Action)
		}
	}
	return v
}

// Server describes a server that somebody else made: not through the API, and without asking for room.
type Server struct {
	OwnerID   int64 // user 1, the administrator, when 0
	PackageID int64 // PackageSmall when 0
	GroupID   int64 // GroupAmsterdam when 0
	Name      string
	Hostname  string
	Built     bool // installed with TemplateDebian and running
}

// AddServer adds a foreign server with one IPv4 address.
func (p *Panel) AddServer(in Server) (ServerState, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.look()
	o := order{plan: c.Packages[cmp.Or(in.PackageID, PackageSmall)], owner: c.Users[cmp.Or(in.OwnerID, 1)]}
	groupID := cmp.Or(in.GroupID, GroupAmsterdam)
	if o.host = c.place(groupID, 0, 0, 0); o.plan == nil || o.owner == nil || o.host == nil || c.blockOf(groupID, false).free() == 0 {
		return ServerState{}, fmt.Errorf("virtfusiontest: no such owner, package or group with an address: %+v", in)
	}
	o.memory, o.cores, o.disk, o.traffic, o.ipv4 = o.plan.MemoryMB, o.plan.Cores, o.plan.DiskGB, o.plan.TrafficGB, 1
	s := c.allocate(c.now, o)
	s.Name, s.Hostname = in.Name, in.Hostname
	if in.Built {
		s.Built, s.TemplateID, s.Password, s.Running, s.Builds = c.now, TemplateDebian, newPassword(), true, 1
	}
	return c.view(s), nil
}

// change changes one server. A server that does not exist is left alone.
func (p *Panel) change(serverID int64, change func(*server)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.look().Servers[serverID]; s != nil {
		change(s)
	}
}

// SetDoNotDisturb lets DELETE of a server answer 423.
func (p *Panel) SetDoNotDisturb(serverID int64, on bool) {
	p.change(serverID, func(s *server) { s.DoNotDisturb = on })
}

// SetGuestIgnoresShutdown lets a guest go on running after a shutdown that ended well, as guests without ACPI do.
func (p *Panel) SetGuestIgnoresShutdown(serverID int64, on bool) {
	p.change(serverID, func(s *server) { s.IgnoresShutdown = on })
}

// FailDeferred marks the waiting deferred work of a server as failed. Until somebody cancels it in the panel, builds are answered 423.
func (p *Panel) FailDeferred(serverID int64) {
	p.change(serverID, func(s *server) {
		for _, d := range s.Deferred {
			d.Failed = d.Failed || !d.Complete
		}
	})
}

// Mails returns the mails that the panel would have sent, oldest first.
func (p *Panel) Mails() []Mail {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.state.Mails)
}

// SetState makes the panel report a state of the caller's choosing, such as one that no client knows, with a commission status that is not known either.
// "" reports the real one again.
func (p *Panel) SetState(serverID int64, state string) {
	p.change(serverID, func(s *server) { s.ReportedState = state })
}
