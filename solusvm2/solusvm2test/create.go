package solusvm2test

import (
	"encoding/json"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"
)

func createOperations() []operation {
	return []operation{
		{"createServer", "POST /servers", admins, (*call).createServer},
		{"createProjectServer", "POST /projects/{id}/servers", everyone, (*call).createProjectServer},
		{"createComputeResourceServer", "POST /compute_resources/{id}/servers", admins, (*call).createNodeServer},
	}
}

// vocabulary is how one of the three calls that create servers names things; "" is what it does not have. Members of the other vocabularies are ignored, as
// everything is that the panel does not know (guess).
type vocabulary struct {
	plan, location, os, application string
	project, user, description      string
	addresses, placement            bool // ip_types and additional_disks; what is only known of POST /servers
}

var (
	nodeWide = vocabulary{
		plan: "plan", location: "location", os: "os", application: "application", project: "project", user: "user", description: "description",
		addresses: true, placement: true,
	}
	inProject = vocabulary{plan: "plan_id", location: "location_id", os: "os_image_version_id", application: "application_id", addresses: true}
	onNode    = vocabulary{
		plan: "plan_id", os: "os_image_version_id", application: "application_id", project: "project_id", user: "user_id", description: "description",
	}
)

// order is a checked request for a server.
type order struct {
	server       // what can be stored as it is
	node         *node
	work         work
	v4, v6       bool // the kinds of the primary addresses
	more4, more6 int64
	primary      netip.Addr
}

// createServer needs a plan or a whole custom plan (guess: the plan may be left out then), and takes the token's user and the default project when none is
// named (guess).
func (c *call) createServer() answer {
	f := c.form()
	f.require("name", "location")
	if !f.has("custom_plan") {
		f.require("plan")
	}
	o := c.readOrder(f, nodeWide)
	userID := refID(f, "user", 0, c.Users)
	o.ProjectID = refID(f, "project", 0, c.Projects)
	switch {
	case f.failed():
		return f.invalid()
	case userID != 0 && o.ProjectID == 0:
		o.ProjectID = c.defaultProject(userID).ID
	case userID == 0 && o.ProjectID != 0:
		userID = c.Projects[o.ProjectID].OwnerID
	case userID == 0:
		userID, o.ProjectID = c.user.ID, c.defaultProject(c.user.ID).ID
	}
	o.UserID = userID
	return c.accept(f, nodeWide, o)
}

// createProjectServer makes a server of the project's owner (guess) with a plan that is offered to customers.
func (c *call) createProjectServer() answer {
	pr, a := c.findProject()
	if pr == nil {
		return a
	}
	if c.user.Status != userActive {
		return unauthorized()
	}
	f := c.form()
	f.require("name", "plan_id", "location_id")
	o := c.readOrder(f, inProject)
	o.ProjectID, o.UserID = pr.ID, pr.OwnerID
	if p := c.Plans[o.Plan.ID]; p != nil && p.Hidden {
		f.fail("plan_id", "The selected plan id is invalid.")
	}
	if c.exceeds(func(g *limitGroup) int64 { return g.Servers }, c.serversOf(o.UserID)+1) {
		f.fail("plan_id", "The limit of servers is reached.")
	}
	if f.failed() {
		return f.invalid()
	}
	return c.accept(f, inProject, o)
}

func (c *call) serversOf(userID int64) (n int64) {
	for _, s := range c.Servers {
		if s.UserID == userID && s.Deleted.IsZero() {
			n++
		}
	}
	return n
}

func (c *call) createNodeServer() answer {
	n := find(c, c.Nodes)
	if n == nil {
		return c.lost("ComputeResource")
	}
	f := c.form()
	f.require("name", "plan_id", "user_id", "project_id")
	o := c.readOrder(f, onNode)
	o.node = n
	o.UserID, o.ProjectID = refID(f, "user_id", 0, c.Users), refID(f, "project_id", 0, c.Projects)
	if f.failed() {
		return f.invalid()
	}
	if len(n.Locations) > 0 {
		o.LocationID = n.Locations[0]
	}
	return c.accept(f, onNode, o)
}

// readOrder reads what the three calls have in common, under the names of one of them. Its texts are guesses.
func (c *call) readOrder(f *form, v vocabulary) order {
	base := newPlan()
	if p := c.Plans[refID(f, v.plan, 0, c.Plans)]; p != nil {
		base = p
	}
	if f.has("custom_plan") && base.ID == 0 {
		f.object("custom_plan").object("params").require("disk", "ram", "vcpu")
	}
	o := order{server: server{
		Name: f.hostname("name", ""), FQDNs: f.hostnames("fqdns", nil), Backups: f.backupSettings(nil), BootMode: "disk", Plan: base.clone(), MAC: newMAC(),
		DiskCache: "none", DiskDriver: "virtio", Firmware: "bios",
	}, v4: true}
	o.work = c.readInstallation(f, v.os, v.application)
	if v.description != "" {
		o.Description = f.text(v.description, "", 1024)
	}
	if v.location != "" {
		o.LocationID = refID(f, v.location, 0, c.Locations)
	}
	if v.addresses {
		c.readAddresses(f, &o)
	}
	if v.placement {
		c.readPlacement(f, &o, base)
	}
	c.checkOffer(f, v, &o)
	return o
}

// readInstallation reads what to install: a version of an operating system or an application, not both.
func (c *call) readInstallation(f *form, osName, appName string) work {
	w := work{
		VersionID: refID(f, osName, 0, c.Versions), AppID: refID(f, appName, 0, c.Applications), Password: f.text("password", newPassword(), 255),
		UserData: f.userData(""), KeyIDs: refIDs(f, "ssh_keys", nil, c.Keys),
	}
	switch {
	case !f.has(osName) && !f.has(appName):
		f.fail(osName, "The %s field is required when %s is not present.", words(osName), words(appName))
	case f.has(osName) && f.has(appName):
		f.fail(appName, "The %s field is prohibited when %s is present.", words(appName), words(osName))
	}
	if a := c.Applications[w.AppID]; a != nil {
		for _, name := range a.lacks(f.applicationData()) {
			f.fail("application_data."+name, "The application_data.%s field is required.", name)
		}
	}
	if v := c.Versions[w.VersionID]; v != nil && v.NoKeys && len(w.KeyIDs) > 0 {
		f.fail("ssh_keys", "The image does not support SSH keys.")
	}
	return w
}

// applicationData is an object, or the JSON text of one.
func (f *form) applicationData() map[string]any {
	if text, isText := f.in["application_data"].(string); isText {
		var data map[string]any
		if json.Unmarshal([]byte(text), &data) != nil {
			f.fail("application_data", "The application data must be a valid JSON string.")
		}
		return data
	}
	return f.object("application_data").in
}

// readAddresses reads ip_types and additional_disks. Without the former a server gets one IPv4 address (guess).
func (c *call) readAddresses(f *form, o *order) {
	if kinds := f.texts("ip_types", nil); kinds != nil {
		o.v4, o.v6 = slices.Contains(kinds, "IPv4"), slices.Contains(kinds, "IPv6")
		if !o.v4 && !o.v6 {
			f.fail("ip_types", "The ip types must be IPv4 or IPv6.")
		}
	}
	for range f.list("additional_disks") {
		d := &form{in: map[string]any{}, errors: f.errors, prefix: "additional_disks."}
		if v, isObject := f.list("additional_disks")[len(o.Disks)].(map[string]any); isObject {
			d.in = v
		}
		d.require("name", "size", "offer_id")
		o.Disks = append(o.Disks, &disk{Name: d.text("name", "", 255), Size: d.int("size", 1, 1, math.MaxInt32)})
	}
}

// readPlacement reads what only POST /servers has.
func (c *call) readPlacement(f *form, o *order, base *plan) {
	o.Plan = base.customized(f)
	o.node = c.Nodes[refID(f, "compute_resource", 0, c.Nodes)]
	o.more4, o.more6 = f.int("additional_ip_count", 0, 0, 1000), f.int("additional_ipv6_count", 0, 0, 1000)
	o.primary = f.addr("primary_ip", netip.Addr{})
	o.BootMode, o.Firmware = f.word("boot_mode", o.BootMode, "disk", "rescue"), f.word("firmware", o.Firmware, "bios", "efi")
	o.MAC = f.text("mac_address", o.MAC, 17)
}

// checkOffer refuses combinations that are not offered.
func (c *call) checkOffer(f *form, v vocabulary, o *order) {
	if o.LocationID != 0 && !offers(o.Plan.Locations, o.LocationID) {
		f.fail(v.location, "The plan is not available in the location.")
	}
	if version := c.Versions[o.work.VersionID]; version != nil {
		if !offers(o.Plan.Versions, version.ID) || version.Virtualization != o.Plan.Virtualization {
			f.fail(v.os, "The image is not available for the plan.")
		}
	}
	if o.work.AppID != 0 && !offers(o.Plan.Applications, o.work.AppID) {
		f.fail(v.application, "The application is not available for the plan.")
	}
	if o.more4+o.more6 > 0 && o.Plan.NoExtraIPs {
		f.fail("additional_ip_count", "The plan has no additional IP addresses.")
	}
}

// accept places a checked order and makes the server. Status and text of the refusals are guesses.
func (c *call) accept(f *form, v vocabulary, o order) answer {
	if pr := c.Projects[o.ProjectID]; pr == nil || !pr.usableBy(o.UserID) {
		f.fail(v.project, "The project does not belong to the user.")
	}
	for _, id := range o.work.KeyIDs {
		if pr := c.Projects[o.ProjectID]; pr == nil || !pr.usable(c.Keys[id]) && c.Keys[id].UserID != o.UserID {
			f.fail("ssh_keys", "The SSH key %d does not belong to the user.", id)
		}
	}
	if f.failed() {
		return f.invalid()
	}
	n := c.place(&o)
	if n == nil {
		f.fail(v.placedBy(), "There are no available compute resources.")
		return f.invalid()
	}
	if o.primary.IsValid() {
		if a, b := c.named(n.ID, o.primary); b == nil || a != nil && !a.idle() {
			f.fail("primary_ip", "The IP address has already been reserved")
			return f.invalid()
		}
	}
	s := c.allocate(c.now, o, n)
	c.start(s, TaskCreate, c.panel.timing.Create, o.work)
	c.log(c.now, c.user.Email, "compute_resource_vm_create_requested", obj{"id": s.ID, "name": s.Name})
	return made(c.serverJSON(s))
}

// placedBy is the member that decides where a server is made.
func (v vocabulary) placedBy() string {
	if v.location != "" {
		return v.location
	}
	return v.plan
}

func (pr *project) usableBy(userID int64) bool {
	return pr.OwnerID == userID || slices.ContainsFunc(pr.Members, func(m *member) bool { return m.UserID == userID })
}

// place chooses the compute resource with the fewest servers that takes the order (guess), nil when none does. One that is named is the only choice.
func (c *call) place(o *order) (best *node) {
	fewest := int64(math.MaxInt64)
	for _, n := range sorted(c.Nodes) {
		if o.node != nil && o.node != n || o.node == nil && !slices.Contains(n.Locations, o.LocationID) {
			continue
		}
		if n.Status != nodeActive || n.Locked || n.Maintenance && !c.can(PermissionMaintenance) || !c.takes(n, o) {
			continue
		}
		if servers, _, _ := c.load(n.ID); servers < fewest {
			best, fewest = n, servers
		}
	}
	return best
}

// takes reports whether a compute resource has room and addresses for an order.
func (c *call) takes(n *node, o *order) bool {
	count := func(with bool, more int64) int64 {
		if with {
			return more + 1
		}
		return more
	}
	return c.fits(n, o.Plan.RAM/mebibyte, o.diskGiB()) && c.room(n.ID, false, count(o.v4, o.more4)) && c.room(n.ID, true, count(o.v6, o.more6))
}

// allocate makes the server of an order, which does not exist on its compute resource yet.
func (st *state) allocate(now time.Time, o order, n *node) *server {
	s := &o.server
	s.Created, s.Counted, s.Builds = now, now, 1
	s.ID, s.UUID, s.NodeID, s.DiskID, s.VNCPassword = st.next("server"), newUUID(), n.ID, st.next("disk"), newPassword()[:8]
	for _, d := range s.Disks {
		d.ID = st.next("disk")
	}
	if s.LocationID == 0 && len(n.Locations) > 0 {
		s.LocationID = n.Locations[0]
	}
	st.Servers[s.ID] = s
	if o.primary.IsValid() {
		a, b := st.named(n.ID, o.primary)
		if a == nil {
			a = st.register(now, b, o.primary.String())
		}
		a.ServerID = s.ID
		s.give(a)
		o.v4 = false
	}
	for _, kind := range []struct {
		v6, with bool
		more     int64
	}{{false, o.v4, o.more4}, {true, o.v6, o.more6}} {
		if kind.with {
			kind.more++
		}
		for range kind.more {
			if a := st.take(now, n.ID, s.ID, kind.v6); a != nil {
				s.give(a)
			}
		}
	}
	st.markPrimary(s)
	return s
}

// give adds an address that is held for the server.
func (s *server) give(a *address) { s.Addresses = append(s.Addresses, a.ID) }

// markPrimary makes the first address of each kind the primary one, where there is none.
func (st *state) markPrimary(s *server) {
	for _, v6 := range []bool{false, true} {
		var own []*address
		for _, id := range s.Addresses {
			if a := st.Addresses[id]; st.Blocks[a.BlockID].V6 == v6 {
				own = append(own, a)
			}
		}
		if len(own) > 0 && !slices.ContainsFunc(own, func(a *address) bool { return a.Primary }) {
			own[0].Primary = true
		}
	}
}

// newMAC makes an address of the range that virtual machines use.
func newMAC() string {
	u := newUUID()
	return strings.Join([]string{"52:54:00", u[:2], u[2:4], u[4:6]}, ":")
}
