package virtfusiontest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxDisks is how many disks a server can have.
const maxDisks = 16

// diskExtras is what was changed on a disk. An empty text and nil are the defaults.
type diskExtras struct {
	Bus        string           `json:"bus"`
	Cache      string           `json:"cache"`
	Filesystem string           `json:"filesystem"`
	Format     string           `json:"format"`
	Off        bool             `json:"off"`
	Limits     map[string]int64 `json:"limits"` // readIops, writeIops, readBytes, writeBytes; those without a limit are not in it
}

// show adds to a disk what was changed on it.
func (d *diskExtras) show(row obj) {
	for name, value := range map[string]string{"bus": d.Bus, "cache": d.Cache, "filesystem": d.Filesystem, "type": d.Format} {
		if value != "" {
			row[name] = value
		}
	}
	if d.Off {
		row["enabled"] = false
	}
	for member, direction := range map[string][2]string{
		"readIops": {"iops", "read"}, "writeIops": {"iops", "write"}, "readBytes": {"bytes", "read"}, "writeBytes": {"bytes", "write"},
	} {
		if n, limited := d.Limits[member]; limited {
			row[direction[0]].(obj)[direction[1]] = n
		}
	}
}

func diskOperations() []operation {
	return []operation{
		{"listServerDisks", "GET /servers/{serverId}/disks", V71, (*call).listServerDisks},
		{"createServerDisk", "POST /servers/{serverId}/disks", V71, (*call).createServerDisk},
		{"getServerDisk", "GET /servers/{serverId}/disks/{diskRef}", V71, (*call).getServerDisk},
		{"updateServerDisk", "PUT /servers/{serverId}/disks/{diskRef}", V71, (*call).updateServerDisk},
		{"deleteServerDisk", "DELETE /servers/{serverId}/disks/{diskRef}", V71, (*call).deleteServerDisk},
		{"cancelServerDiskPending", "DELETE /servers/{serverId}/disks/{diskRef}/pending", V71, (*call).cancelServerDiskPending},
		{"modifyServerStorage", "PUT /servers/{serverId}/modify/storage", V71, (*call).modifyServerStorage},
	}
}

// findDisk returns the server and the index of the disk that the path names by letter, or by either of its two ids (which one is not documented), or the
// refusal.
func (c *call) findDisk() (*server, int, answer) {
	s, a := c.find()
	if s == nil {
		return nil, 0, a
	}
	ref := c.r.PathValue("diskRef")
	for i, d := range s.Disks {
		if ref == letter(i) || ref == strconv.Itoa(i+1) || ref == strconv.FormatInt(d.ID, 10) {
			return s, i, answer{}
		}
	}
	return nil, 0, missing("disk")
}

// letter is the drive letter of a disk. Those behind a disk that is removed move up.
func letter(i int) string { return string([]byte{'a' + byte(i)}) } // #nosec G115 -- there are sixteen

func (c *call) listServerDisks() answer {
	if s, a := c.find(); s == nil {
		return a
	}
	return unseen(http.StatusOK)
}

func (c *call) getServerDisk() answer {
	if s, _, a := c.findDisk(); s == nil {
		return a
	}
	return unseen(http.StatusOK)
}

// createServerDisk adds a disk that is made at the next power action. Wordings are guesses.
func (c *call) createServerDisk() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("sizeGb")
	size := f.int("sizeGb", 0, 1, 1<<31-1)
	if f.count("storagePointId", 0) != 0 {
		f.fail("Invalid storage point") // this panel has the local default only
	}
	e := &diskExtras{}
	if f.has("filesystem") {
		e.Filesystem = f.choice("filesystem", "none", "none", "ext3", "ext4", "xfs", "ntfs", "btrfs")
	}
	if f.has("format") {
		e.Format = f.choice("format", "qcow2", "qcow2", "raw")
	}
	f.disk(e)
	switch {
	case len(f.errors) > 0:
	case s.Built.IsZero():
		f.fail("The server has not been built")
	case len(s.Disks) >= maxDisks:
		f.fail("The server has the maximum number of disks")
	case !c.fits(c.Hypervisors[s.HypervisorID], 0, 0, size):
		f.fail("Not enough free storage on the hypervisor")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	d := &disk{ID: c.next("disk"), CapacityGB: size, Waiting: true}
	c.deferWork(c.now, s, createWork+letter(len(s.Disks))+")", d.ID)
	s.Disks, s.Updated = append(s.Disks, d), c.now
	put(&c.Managed.Disks, d.ID, e)
	return unseen(http.StatusCreated)
}

// The beginnings of deferred work on disks. Only the first was seen.
const (
	createWork = "Create HDD (sd"
	resizeWork = "Resize HDD (sd"
	deleteWork = "Delete HDD (sd"
)

// disk reads the members that a new and a changed disk have in common.
func (f *form) disk(e *diskExtras) {
	if f.has("bus") {
		e.Bus = f.choice("bus", "", "default", "virtio", "virtio-scsi", "sata", "virtio-discard", "virtio-scsi-single")
	}
	if f.has("cache") {
		e.Cache = f.choice("cache", "", "default", "none", "writethrough", "writeback", "directsync", "unsafe")
	}
	if f.has("io") {
		f.choice("io", "", "default", "threads", "native", "io_uring", "none")
	}
	limits, isObject := f.in["qos"].(map[string]any)
	if f.has("qos") && !isObject {
		f.fail("The qos field must be an array.")
	}
	if isObject && e.Limits == nil {
		e.Limits = map[string]int64{}
	}
	q := form{in: limits}
	for _, name := range []string{"readIops", "writeIops", "readBytes", "writeBytes"} {
		if _, sent := limits[name]; !sent {
			continue
		}
		if n := q.int(name, 0, 0, 99_999_999_999_999); n > 0 {
			e.Limits[name] = n
		} else {
			delete(e.Limits, name) // 0 and null
		}
	}
	f.errors = append(f.errors, q.errors...)
}

// updateServerDisk checks everything before it changes anything. Wordings are guesses.
func (c *call) updateServerDisk() answer {
	s, i, a := c.findDisk()
	if s == nil {
		return a
	}
	f := c.form()
	d := s.Disks[i]
	e := diskExtras{}
	if was := c.Managed.Disks[d.ID]; was != nil {
		e = *was
		e.Limits = map[string]int64{}
		for name, n := range was.Limits {
			e.Limits[name] = n
		}
	}
	f.disk(&e)
	size := f.int("sizeGb", d.CapacityGB, 1, 1<<31-1)
	switch {
	case size < d.CapacityGB:
		f.fail("A disk cannot be made smaller")
	case !c.fits(c.Hypervisors[s.HypervisorID], 0, 0, size-d.CapacityGB):
		f.fail("Not enough free storage on the hypervisor")
	case f.has("enabled") && i == 0:
		f.fail("The primary disk cannot be enabled or disabled")
	case f.bool("apply", false) && !f.has("qos"):
		f.fail("The apply field needs qos")
	}
	e.Off = !f.bool("enabled", !e.Off)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	c.grow(s, i, size)
	put(&c.Managed.Disks, d.ID, &e)
	return unseen(http.StatusOK)
}

// grow makes a disk larger; a guest that runs has it after the next power action (guess).
func (c *call) grow(s *server, i int, size int64) {
	if d := s.Disks[i]; d.CapacityGB != size {
		d.CapacityGB = size
		if !d.Waiting && !s.Built.IsZero() {
			c.deferWork(c.now, s, resizeWork+letter(i)+")", d.ID)
		}
	}
	s.Updated = c.now
}

// modifyServerStorage grows a disk that is named by its letter. Wordings are guesses.
func (c *call) modifyServerStorage() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("drive", "size")
	drive, size := f.text("drive", "", 1), f.int("size", 0, 1, 1<<31-1)
	i := slices.IndexFunc(s.Disks, func(d *disk) bool { return letter(slices.Index(s.Disks, d)) == drive })
	switch {
	case len(f.errors) > 0:
	case i < 0:
		f.fail("The selected drive is invalid.")
	case size < s.Disks[i].CapacityGB:
		f.fail("A disk cannot be made smaller")
	case !c.fits(c.Hypervisors[s.HypervisorID], 0, 0, size-s.Disks[i].CapacityGB):
		f.fail("Not enough free storage on the hypervisor")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	c.grow(s, i, size)
	return empty(http.StatusCreated)
}

// deleteServerDisk removes a disk that was not made yet at once, and others at the next power action. Wordings are guesses.
func (c *call) deleteServerDisk() answer {
	s, i, a := c.findDisk()
	if s == nil {
		return a
	}
	f := c.form()
	confirmed := f.bool("confirm", false)
	switch {
	case i == 0:
		f.fail("The primary disk cannot be deleted")
	case !s.Disks[i].Waiting && !confirmed:
		f.fail("The disk is active: confirm must be true")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if d := s.Disks[i]; d.Waiting {
		s.dropDisk(d.ID)
	} else if !slices.ContainsFunc(s.Deferred, func(w *deferred) bool { return w.DiskID == d.ID && w.deletes() && !w.Complete }) {
		c.deferWork(c.now, s, deleteWork+letter(i)+")", d.ID)
	}
	s.Updated = c.now
	return unseen(http.StatusOK)
}

// dropDisk removes a disk and the work that waits for it.
func (s *server) dropDisk(id int64) {
	s.Disks = slices.DeleteFunc(s.Disks, func(d *disk) bool { return d.ID == id })
	s.Deferred = slices.DeleteFunc(s.Deferred, func(w *deferred) bool { return w.DiskID == id && !w.Complete })
}

func (d *deferred) deletes() bool { return strings.HasPrefix(d.Action, deleteWork) }

// dropDeleted removes the disks whose deletion was carried out.
func (s *server) dropDeleted() {
	for _, w := range slices.Clone(s.Deferred) {
		if w.Complete && w.deletes() {
			s.dropDisk(w.DiskID)
		}
	}
}

// cancelServerDiskPending takes back the oldest work that waits for a disk, failed work included. A disk that was not made goes with it. Growth is not undone
// (guess).
func (c *call) cancelServerDiskPending() answer {
	s, i, a := c.findDisk()
	if s == nil {
		return a
	}
	d := s.Disks[i]
	n := slices.IndexFunc(s.Deferred, func(w *deferred) bool { return w.DiskID == d.ID && !w.Complete })
	if n < 0 {
		return empty(http.StatusNoContent) // guess
	}
	id := s.Deferred[n].ID
	if d.Waiting {
		s.dropDisk(d.ID)
	} else {
		s.Deferred = slices.Delete(s.Deferred, n, n+1)
	}
	s.Updated = c.now
	return ok(obj{"cancelledActionId": id})
}
