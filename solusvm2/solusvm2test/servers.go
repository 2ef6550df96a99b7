package solusvm2test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// server is one server, kept also after it was deleted.
type server struct {
	ID          int64     `json:"id"`
	Reported    string    `json:"reported,omitempty"` // see SetState
	UUID        string    `json:"uuid"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	FQDNs       []string  `json:"fqdns"`
	UserID      int64     `json:"userId"`
	ProjectID   int64     `json:"projectId"`
	LocationID  int64     `json:"locationId"`
	NodeID      int64     `json:"nodeId"`
	Plan        *plan     `json:"plan"`  // its own copy
	Disks       []*disk   `json:"disks"` // besides the primary one, whose size is that of the plan
	DiskID      int64     `json:"diskId"`
	Addresses   []int64   `json:"addresses"`
	VersionID   int64     `json:"versionId"`
	AppID       int64     `json:"appId"`
	Windows     bool      `json:"windows"`
	KeyIDs      []int64   `json:"keyIds"`
	UserData    string    `json:"userData"`
	Password    string    `json:"password"` // of the guest, as it is on the disk
	BootMode    string    `json:"bootMode"`
	Booted      string    `json:"booted"` // what it runs from, "" while it does not
	ISOImageID  int64     `json:"isoImageId"`
	VNCPassword string    `json:"vncPassword"`
	NoVNC       bool      `json:"noVnc"`
	DiskCache   string    `json:"diskCache"`
	DiskDriver  string    `json:"diskDriver"`
	Firmware    string    `json:"firmware"`
	MAC         string    `json:"mac"`
	Backups     any       `json:"backups"` // backup_settings
	Traffic     [2]int64  `json:"traffic"` // bytes in and out since the reset before Counted
	Counted     time.Time `json:"counted"`

	Exists          bool `json:"exists"` // on the compute resource
	Running         bool `json:"running"`
	Suspended       bool `json:"suspended"`
	ResumeRunning   bool `json:"resumeRunning"` // it ran when it was suspended
	Waiting         bool `json:"waiting"`       // a delayed change waits for the next start
	IgnoresShutdown bool `json:"ignoresShutdown"`
	Builds          int  `json:"builds"`

	Created time.Time `json:"created"`
	Deleted time.Time `json:"deleted"`
}

// disk is an additional disk.
type disk struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"` // GiB
}

func (s *server) diskGiB() int64 {
	total := s.Plan.Disk
	for _, d := range s.Disks {
		total += d.Size
	}
	return total
}

func serverOperations() []operation {
	return []operation{
		{"listServers", "GET /servers", admins, (*call).listServers},
		{"getServer", "GET /servers/{id}", everyone, (*call).getServer},
		{"patchServer", "PATCH /servers/{id}", everyone, (*call).patchServer},
		{"replaceServer", "PUT /servers/{id}", everyone, (*call).patchServer},
		{"deleteServer", "DELETE /servers/{id}", everyone, (*call).deleteServer},
		{"patchServerSettings", "PATCH /servers/{id}/settings", everyone, (*call).patchServerSettings},
		{"listServerDisks", "GET /servers/{id}/disks", everyone, (*call).listServerDisks},
		{"listServerLimits", "GET /servers/{id}/limits", everyone, (*call).listServerLimits},
		{"getServerBoot", "GET /servers/{id}/boot", everyone, (*call).getServerBoot},
		{"setServerBoot", "POST /servers/{id}/boot", everyone, (*call).setServerBoot},
		{"openVnc", "POST /servers/{id}/vnc_up", everyone, (*call).openVNC},
	}
}

// live returns the servers that are not deleted, by id.
func (st *state) live() []*server {
	return slices.DeleteFunc(sorted(st.Servers), func(s *server) bool { return !s.Deleted.IsZero() })
}

// allowed returns the refusal to somebody who may not see a server. Servers of others are forbidden, not hidden (guess).
func (c *call) allowed(s *server) (answer, bool) {
	if pr := c.Projects[s.ProjectID]; s.UserID != c.user.ID && (pr == nil || !c.belongs(pr)) {
		return unauthorized(), false
	}
	return answer{}, true
}

// findServer returns the server that the path names, or the refusal.
func (c *call) findServer() (*server, answer) {
	s := find(c, c.Servers)
	if s == nil || !s.Deleted.IsZero() {
		return nil, c.lost("ComputeResourceVm")
	}
	if a, may := c.allowed(s); !may {
		return nil, a
	}
	return s, answer{}
}

// findForWork is findServer for what changes a server on its compute resource: the maintenance mode of that one forbids it (guess: with 403).
func (c *call) findForWork() (*server, answer) {
	s, a := c.findServer()
	if s == nil {
		return nil, a
	}
	if a, may := c.mayWork(s); !may {
		return nil, a
	}
	return s, answer{}
}

func (c *call) mayWork(s *server) (answer, bool) {
	if c.Nodes[s.NodeID].Maintenance && !c.can(PermissionMaintenance) {
		return refuse(403, "The compute resource is in maintenance mode."), false
	}
	return answer{}, true
}

// findIdle is findForWork for what makes a task: a server has one at a time. The status is documented for records that are busy; the text is a guess.
func (c *call) findIdle() (*server, answer) {
	s, a := c.findForWork()
	if s != nil && c.openTask(s) != nil {
		return nil, busy()
	}
	return s, a
}

func busy() answer { return conflict("The server is processing another task.") }

// row is a row of a list of servers: it lacks the members that take long to collect.
func (c *call) serverRow(s *server) obj {
	o := c.serverJSON(s)
	for _, name := range []string{"ip_addresses", "ips", "settings", "usage", "ssh_keys", "vnc_url", "backup_settings"} {
		delete(o, name)
	}
	return o
}

func (c *call) listServers() answer {
	return page(c, slices.DeleteFunc(c.live(), func(s *server) bool {
		status, _, _, _ := c.status(s)
		return !c.matchesID("user_id", s.UserID) || !c.matchesID("compute_resource_id", s.NodeID) || !c.matches("status", status) ||
			!c.matches("virtualization_type", s.Plan.Virtualization)
	}), c.serverRow)
}

func (c *call) listProjectServers() answer {
	pr, a := c.findProject()
	if pr == nil {
		return a
	}
	return page(c, slices.DeleteFunc(c.live(), func(s *server) bool { return s.ProjectID != pr.ID }), c.serverRow)
}

func (c *call) getServer() answer {
	s, a := c.findServer()
	if s == nil {
		return a
	}
	return ok(c.serverJSON(s))
}

var hostnamePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)

// hostname reads text that must be usable as a host name (guess).
func (f *form) hostname(name, def string) string {
	text := f.text(name, def, 253)
	if f.has(name) && text != "" && !hostnamePattern.MatchString(text) {
		f.fail(name, "The %s format is invalid.", words(name))
	}
	return text
}

func (f *form) hostnames(name string, def []string) []string {
	list := f.texts(name, def)
	for i, text := range list {
		if f.has(name) && !hostnamePattern.MatchString(text) {
			f.fail(fmt.Sprintf("%s.%d", name, i), "The %s.%d format is invalid.", name, i)
		}
	}
	return list
}

// userData is cloud-init text, whose lines end with LF only.
func (f *form) userData(def string) string {
	text := f.text("user_data", def, 64<<10)
	for _, r := range text {
		if r == '\r' {
			f.fail("user_data", "The user data format is invalid.")
			break
		}
	}
	return text
}

// backupSettings reads the automatic backups of a server.
func (f *form) backupSettings(def any) any {
	if !f.has("backup_settings") {
		return def
	}
	b := f.object("backup_settings")
	b.bool("enabled", false)
	if b.has("schedule") {
		schedule := b.object("schedule")
		schedule.require("type", "time")
		schedule.word("type", "", "daily", "weekly", "monthly")
		at := schedule.object("time")
		at.int("hour", 0, 0, 23)
		at.int("minutes", 0, 0, 59)
	}
	return f.in["backup_settings"]
}

// patchServer changes what is sent, at once. The name of the guest changes with its next start, which is not simulated. PUT is the same here, because nobody
// knows its members.
func (c *call) patchServer() answer {
	s, a := c.findForWork()
	if s == nil {
		return a
	}
	f := c.form()
	name, description := f.hostname("name", s.Name), f.text("description", s.Description, 1024)
	fqdns, bootMode := f.hostnames("fqdns", s.FQDNs), f.word("boot_mode", s.BootMode, "disk", "rescue")
	userData, backups := f.userData(s.UserData), f.backupSettings(s.Backups)
	if f.in["name"] == "" {
		f.require("name")
	}
	if f.failed() {
		return f.invalid()
	}
	s.Name, s.Description, s.FQDNs, s.BootMode, s.UserData, s.Backups = name, description, fqdns, bootMode, userData, backups
	return ok(c.serverJSON(s))
}

func (c *call) patchServerSettings() answer {
	s, a := c.findForWork()
	if s == nil {
		return a
	}
	f := c.form()
	cache := f.word("disk_cache_mode", s.DiskCache, "none", "default", "directsync", "writeback", "writethrough", "unsafe")
	driver, firmware := f.word("disk_driver", s.DiskDriver, "sata", "scsi", "ide", "virtio"), f.word("firmware", s.Firmware, "bios", "efi")
	if f.failed() {
		return f.invalid()
	}
	s.DiskCache, s.DiskDriver, s.Firmware = cache, driver, firmware
	return ok(c.serverJSON(s))
}

// deleteServer answers with the task at whose end the server is gone. A second call while that task is open answers with the same one (guess).
func (c *call) deleteServer() answer {
	s, a := c.findForWork()
	if s == nil {
		return a
	}
	t := c.openTask(s)
	switch {
	case t == nil:
		t = c.start(s, TaskDelete, c.panel.timing.Delete, work{})
		c.log(c.now, c.user.Email, "compute_resource_vm_delete_requested", obj{"id": s.ID, "name": s.Name})
	case t.Action != TaskDelete:
		return busy()
	}
	return ok(c.taskJSON(t))
}

// remove takes a server out of the panel, with its addresses, snapshots and backups.
func (st *state) remove(now time.Time, s *server) {
	st.fire(now, EventServerDeleted, subject{server: s, gone: true})
	s.Deleted, s.Running, s.Exists, s.Booted = now, false, false, ""
	for _, id := range s.Addresses {
		st.back(st.Addresses[id])
	}
	s.Addresses = nil
	for id, snap := range st.Snapshots {
		if snap.ServerID == s.ID {
			delete(st.Snapshots, id)
		}
	}
	for id, b := range st.Backups {
		if b.ServerID == s.ID {
			delete(st.Backups, id)
		}
	}
}

// listServerDisks has no pages.
func (c *call) listServerDisks() answer {
	s, a := c.findServer()
	if s == nil {
		return a
	}
	rows := append([]*disk{{ID: s.DiskID, Name: "Primary disk", Size: s.Plan.Disk}}, s.Disks...)
	return unpaged(rows, func(d *disk) obj {
		o := obj{
			"id": d.ID, "is_primary": d.ID == s.DiskID, "name": d.Name, "size": d.Size, "actual_size": actualSize(d.Size), "path": fmt.Sprintf("%s_%d", s.UUID, d.ID),
			"full_path": fmt.Sprintf("/var/lib/libvirt/images/%s_%d", s.UUID, d.ID), "offer": nil, "storage": nil,
		}
		if d.ID != s.DiskID {
			o["offer"] = obj{"id": 1, "name": "Additional disk", "type": "additional_disk"}
		}
		for _, store := range sorted(c.Storages) {
			if store.NodeID == s.NodeID {
				o["storage"] = c.storageJSON(store)
				break
			}
		}
		return o
	})
}

// actualSize is what an image of that many GiB occupies, in bytes.
func actualSize(gib int64) int64 { return gib << 30 / 8 }

func (c *call) getServerBoot() answer {
	s, a := c.findServer()
	if s == nil {
		return a
	}
	o := obj{"mode": s.BootMode, "iso_image_id": nil}
	if s.ISOImageID != 0 {
		o["iso_image_id"] = s.ISOImageID
	}
	return ok(o)
}

// setServerBoot answers nothing that anybody has seen.
func (c *call) setServerBoot() answer {
	s, a := c.findForWork()
	if s == nil {
		return a
	}
	f := c.form()
	mode := f.word("mode", s.BootMode, "disk", "rescue", "iso")
	iso := f.count("iso_image_id", 0)
	if mode == "iso" {
		f.require("iso_image_id")
	}
	if f.has("iso_image_id") && isoImages[iso] == "" {
		f.fail("iso_image_id", "The selected iso image id is invalid.")
	}
	if f.failed() {
		return f.invalid()
	}
	s.BootMode, s.ISOImageID = mode, iso
	return ok(obj{})
}

// openVNC answers without the envelope that everything else has. A server that is off, suspended or without VNC is refused (guess). Older nodes tell the
// password with the server only (guess).
func (c *call) openVNC() answer {
	s, a := c.findForWork()
	switch {
	case s == nil:
		return a
	case s.NoVNC || s.Suspended || !s.Running:
		return conflict("VNC is not available for the server.")
	}
	host, port, settings := c.Nodes[s.NodeID].Host, 5900+s.ID%1000, obj{"vnc_password": s.VNCPassword}
	if c.panel.old {
		settings = obj{}
	}
	return answer{status: 200, body: obj{
		"url": fmt.Sprintf("%s:%d/%s", host, port, s.UUID), "host": host, "port": port, "vnc_proxy_url": nil,
		"vm": obj{"id": s.ID, "uuid": s.UUID, "settings": settings},
	}}
}

// windows reports whether a version is one of Windows.
func (st *state) windows(versionID int64) bool {
	v := st.Versions[versionID]
	return v != nil && st.Images[v.ImageID] != nil && st.Images[v.ImageID].windows()
}

// itoa is the text of an id.
func itoa(id int64) string { return strconv.FormatInt(id, 10) }
