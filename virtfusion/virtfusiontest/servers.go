package virtfusiontest

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// server is one server, kept also after it was deleted.
type server struct {
	ID            int64           `json:"id"`
	ReportedState string          `json:"reportedState,omitempty"` // see SetState
	UUID          string          `json:"uuid"`
	OwnerID       int64           `json:"ownerId"`
	HypervisorID  int64           `json:"hypervisorId"`
	PackageID     int64           `json:"packageId"`
	Name          string          `json:"name"`
	Hostname      string          `json:"hostname"`
	Timezone      string          `json:"timezone"`
	MemoryMB      int64           `json:"memoryMB"`
	Cores         int64           `json:"cores"`
	TrafficGB     int64           `json:"trafficGB"`
	SpeedInKBps   int64           `json:"speedIn"`
	SpeedOutKBps  int64           `json:"speedOut"`
	Disks         []*disk         `json:"disks"` // the first is the primary
	InterfaceID   int64           `json:"interfaceId"`
	PrivateID     int64           `json:"privateId"` // secondary interface, 0 for none
	IPv4          []address       `json:"ipv4"`
	IPv6          []address       `json:"ipv6"`
	TemplateID    int64           `json:"templateId"`
	KeyIDs        []int64         `json:"keyIds"`
	Password      string          `json:"password"` // of the guest's root user, as it is on the disk
	VNC           vnc             `json:"vnc"`
	Traffic       map[int]traffic `json:"traffic"` // by number of the period, from 1
	Deferred      []*deferred     `json:"deferred"`

	Running         bool   `json:"running"`
	Suspended       bool   `json:"suspended"`
	BuildFailed     bool   `json:"buildFailed"`
	FailReason      string `json:"failReason"`
	Builds          int    `json:"builds"`
	DoNotDisturb    bool   `json:"doNotDisturb"`
	IgnoresShutdown bool   `json:"ignoresShutdown"`

	Created    time.Time `json:"created"`
	Updated    time.Time `json:"updated"`
	Built      time.Time `json:"built"`
	LastJob    time.Time `json:"lastJob"`
	DeletionAt time.Time `json:"deletionAt"` // end of the delay; zero when no deletion is scheduled
	Deleted    time.Time `json:"deleted"`
}

type disk struct {
	ID         int64 `json:"id"`
	CapacityGB int64 `json:"capacityGB"`
	Waiting    bool  `json:"waiting"` // created at the next power action
}

// address is an IPv4 address or an IPv6 subnet of a server.
type address struct {
	ID      int64      `json:"id"`
	BlockID int64      `json:"blockId"`
	Addr    netip.Addr `json:"addr"`
}

// deferred is work that waits for a power action.
type deferred struct {
	ID        int64     `json:"id"`
	Action    string    `json:"action"`
	DiskID    int64     `json:"diskId"` // 0 when it is not about a disk
	Collected bool      `json:"collected"`
	Complete  bool      `json:"complete"`
	Failed    bool      `json:"failed"`
	Created   time.Time `json:"created"`
}

func serverOperations() []operation {
	return []operation{
		{"listServers", "GET /servers", "", (*call).listServers},
		{"createServer", "POST /servers", "", (*call).createServer},
		{"getServer", "GET /servers/{serverId}", "", (*call).getServer},
		{"deleteServer", "DELETE /servers/{serverId}", "", (*call).deleteServer},
		{"modifyServerName", "PUT /servers/{serverId}/modify/name", "", (*call).modifyServerName},
		{"listUserServers", "GET /servers/user/{userId}", "", (*call).listUserServers},
		{"suspendServer", "POST /servers/{serverId}/suspend", "", (*call).suspendServer},
		{"unsuspendServer", "POST /servers/{serverId}/unsuspend", "", (*call).unsuspendServer},
		{"changeServerPackage", "PUT /servers/{serverId}/package/{packageId}", "", (*call).changeServerPackage},
		{"listServerActions", "GET /servers/{serverId}/actions", V71, (*call).listServerActions},
	}
}

// find returns the server that the path names, or the refusal.
func (c *call) find() (*server, answer) {
	if s := c.Servers[c.id("serverId")]; s != nil && s.Deleted.IsZero() {
		return s, answer{}
	}
	return nil, missing("server")
}

// live returns the servers that are not deleted, by id.
func (st *state) live() []*server {
	return slices.DeleteFunc(sorted(st.Servers), func(s *server) bool { return !s.Deleted.IsZero() })
}

// listServers has two row shapes; that of type=full was never seen and is the whole server (guess).
func (c *call) listServers() answer {
	q := c.r.URL.Query()
	wanted := slices.Concat(q["hypervisorId[]"], q["hypervisorId"])
	rows := slices.DeleteFunc(c.live(), func(s *server) bool {
		return len(wanted) > 0 && !slices.Contains(wanted, strconv.FormatInt(s.HypervisorID, 10))
	})
	if q.Get("type") == "full" {
		return page(c, rows, false, c.serverJSON)
	}
	return page(c, rows, false, func(s *server) obj {
		_, commissioned := c.phase(s)
		return obj{
			"id": s.ID, "uuid": s.UUID, "name": s.Name, "commissioned": commissioned, "owner": s.OwnerID, "hypervisorId": s.HypervisorID,
			"suspended": s.Suspended, "protected": false, "updated": offset(s.Updated), "created": offset(s.Created),
		}
	})
}

// listUserServers has no pages.
func (c *call) listUserServers() answer {
	u := c.Users[c.id("userId")]
	if u == nil {
		return missing("user")
	}
	rows := []obj{}
	for _, s := range c.live() {
		if s.OwnerID == u.ID {
			rows = append(rows, c.userServerJSON(s))
		}
	}
	return ok(rows)
}

func (c *call) getServer() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	body := c.serverJSON(s)
	if !c.flag("remoteState") {
		body["remoteState"] = false
		return ok(body)
	}
	if c.Hypervisors[s.HypervisorID].Unreachable { // the member is missing then
		a = ok(body)
		a.delay = c.panel.timing.RemoteTimeout
		return a
	}
	body["remoteState"] = remoteState(s)
	a = ok(body)
	a.delay = c.panel.timing.RemoteState
	return a
}

// order is a checked request for a server.
type order struct {
	plan                               *plan
	owner                              *user
	host                               *hypervisor
	memory, cores, disk, traffic, ipv4 int64
	in, out                            int64
	more                               []int64 // capacities of the additional disks
	rulesets                           []int64 // of the firewall
}

func (c *call) createServer() answer {
	o, errors := c.checkOrder(c.form())
	if errors != nil {
		return invalid(errors...)
	}
	if c.flag("dryRun") {
		return ok(obj{}) // status and body of a dry run were never seen: guess
	}
	s := c.allocate(c.now, o)
	c.copyRules(s.InterfaceID, o.rulesets)
	c.happened = append(c.happened, happening{number: EventServerCreate, server: s.ID, at: c.now})
	return data(http.StatusCreated, c.serverJSON(s))
}

// checkOrder validates what POST /servers was given. Texts other than that of the firewall ruleset are guesses.
func (c *call) checkOrder(f *form) (o order, errors []string) {
	f.require("packageId", "userId", "hypervisorId")
	o.plan = c.Packages[f.count("packageId", 0)]
	o.owner = c.Users[f.count("userId", 0)]
	g := c.Groups[f.count("hypervisorId", 0)] // a GROUP id, in spite of its name
	if len(f.errors) > 0 {
		return o, f.errors
	}
	if o.plan == nil || o.plan.Disabled {
		f.fail("Invalid or disabled package")
	}
	if o.owner == nil {
		f.fail("Invalid user")
	}
	if g == nil || !g.Enabled {
		f.fail("Invalid or disabled hypervisor group")
	}
	o.rulesets = c.orderedRulesets(f)
	if f.replaces("hypervisorAssetGroups") {
		f.fail("Invalid hypervisor asset group")
	}
	if len(f.errors) > 0 {
		return o, f.errors
	}
	o.memory, o.cores = f.int("memory", o.plan.MemoryMB, 1, 1<<31-1), f.int("cpuCores", o.plan.Cores, 1, 1<<31-1)
	o.disk, o.traffic, o.ipv4 = f.int("storage", o.plan.DiskGB, 1, 1<<31-1), f.count("traffic", o.plan.TrafficGB), f.count("ipv4", 1)
	o.in, o.out = f.count("networkSpeedInbound", o.plan.SpeedInKBps), f.count("networkSpeedOutbound", o.plan.SpeedOutKBps)
	o.more = additionalDisks(f, o.plan)
	if len(f.errors) > 0 {
		return o, f.errors
	}
	total := o.disk
	for _, gb := range o.more {
		total += gb
	}
	if o.host = c.place(g.ID, o.memory, o.cores, total); o.host == nil {
		f.fail("Not enough free resources in the hypervisor group")
	}
	if o.ipv4 > int64(c.blockOf(g.ID, false).free()) {
		f.fail("Not enough free IPv4 addresses in the hypervisor group")
	}
	return o, f.errors
}

// replaces reports whether a list names records. [-1] means none.
func (f *form) replaces(name string) bool {
	list := f.ints(name)
	return len(list) > 0 && !slices.Equal(list, []int64{-1})
}

// additionalDisks are the two that a request may ask for, or the one of the package.
func additionalDisks(f *form, p *plan) []int64 {
	var list []int64
	for _, n := range []string{"1", "2"} {
		enabled := f.bool("additionalStorage"+n+"Enable", n == "1" && p.SecondDiskGB > 0)
		capacity := f.count("additionalStorage"+n+"Capacity", p.SecondDiskGB)
		if enabled && capacity > 0 {
			list = append(list, capacity)
		}
	}
	return list
}

// allocate makes the server of a checked order: without a name, never built.
func (st *state) allocate(now time.Time, o order) *server {
	s := &server{
		ID: st.next("server"), UUID: newUUID(), OwnerID: o.owner.ID, HypervisorID: o.host.ID, PackageID: o.plan.ID, Timezone: "_default",
		MemoryMB: o.memory, Cores: o.cores, TrafficGB: o.traffic, SpeedInKBps: o.in, SpeedOutKBps: o.out, InterfaceID: st.next("interface"),
		Disks: []*disk{{ID: st.next("disk"), CapacityGB: o.disk}}, VNC: newVNC(), Traffic: map[int]traffic{}, Created: now, Updated: now,
	}
	if o.plan.PrivateNetwork {
		s.PrivateID = st.next("interface")
	}
	for i, gb := range o.more {
		d := &disk{ID: st.next("disk"), CapacityGB: gb, Waiting: true}
		s.Disks = append(s.Disks, d)
		st.deferWork(now, s, "Create HDD (sd"+string(rune('b'+i))+")", d.ID)
	}
	b := st.blockOf(o.host.GroupID, false)
	for range o.ipv4 {
		s.IPv4 = append(s.IPv4, address{ID: st.next("address"), BlockID: b.ID, Addr: b.take(s.ID)})
	}
	st.Servers[s.ID] = s
	return s
}

// deferWork notes work that the next power action carries out.
func (st *state) deferWork(now time.Time, s *server, action string, diskID int64) {
	s.Deferred = append(s.Deferred, &deferred{ID: st.next("deferred"), Action: action, DiskID: diskID, Created: now})
}

// deleteServer schedules the deletion. Until the delay is over the server is as before; a later call replaces the delay (guess).
func (c *call) deleteServer() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	minutes := int64(5)
	if text := c.r.URL.Query().Get("delay"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > 43799 {
			return invalid("The delay field must be between 0 and 43799.") // status and wording: guess
		}
		minutes = n
	}
	if s.DoNotDisturb {
		return refuse(http.StatusLocked, "do not disturb is active") // wording: guess
	}
	c.scheduleDeletion(s, minutes)
	return empty(http.StatusNoContent)
}

func (c *call) scheduleDeletion(s *server, minutes int64) {
	s.DeletionAt = c.now.Add(time.Duration(minutes) * time.Minute)
	gone := s.DeletionAt.Add(c.panel.timing.Delete)
	for _, id := range c.Open {
		if j := c.Jobs[id]; j.ServerID == s.ID && j.Task == taskDelete {
			j.Start, j.Finish = s.DeletionAt, gone
			return
		}
	}
	c.enqueue(&job{ServerID: s.ID, Task: taskDelete, Queued: c.now, Start: s.DeletionAt, Finish: gone})
}

// modifyServerName allows 63 characters, as an integration found.
func (c *call) modifyServerName() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("name")
	name := f.text("name", "", 63)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	s.Name, s.Updated = name, c.now
	return empty(http.StatusCreated)
}

func (c *call) suspendServer() answer { return c.setSuspended(true) }

func (c *call) unsuspendServer() answer { return c.setSuspended(false) }

// setSuspended changes the flag after Timing.Suspend. That a suspended server is powered off, and stays off when the suspension is lifted, is a guess.
func (c *call) setSuspended(suspended bool) answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	if s.Suspended == suspended && !c.busy(s) {
		return empty(http.StatusNoContent)
	}
	if c.busy(s) {
		return locked()
	}
	c.startSuspension(s, suspended)
	return empty(http.StatusNoContent)
}

func (c *call) startSuspension(s *server, suspended bool) {
	task := taskSuspend
	if !suspended {
		task = taskUnsuspend
	}
	c.start(s, task, c.panel.timing.Suspend)
	c.settle(c.now)
}

// listServerActions shows the deferred work of a server. Only the states are documented; the other members are those of tasks.actions.pending.
func (c *call) listServerActions() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	want := c.r.URL.Query().Get("state")
	rows := slices.DeleteFunc(slices.Clone(s.Deferred), func(d *deferred) bool { return want != "" && d.state() != want })
	return page(c, rows, true, func(d *deferred) obj {
		o := d.json()
		o["state"] = d.state()
		return o
	})
}

func (d *deferred) state() string {
	switch {
	case d.Failed:
		return "failed"
	case d.Complete:
		return "completed"
	case d.Collected:
		return "running"
	}
	return "pending"
}

// randomName is what the panel calls a server that nobody named.
func randomName() string {
	first := []string{"Elated", "Brisk", "Copper", "Quiet", "Northern", "Salty", "Woven", "Amber"}
	second := []string{"Harbour", "Lantern", "Meadow", "Compass", "Orchard", "Ridge", "Signal", "Anchor"}
	return first[rand.IntN(len(first))] + " " + second[rand.IntN(len(second))] // #nosec G404 -- a name, not a secret
}
