package virtfusiontest

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The tasks of devices.
const (
	TaskRescue   Task = "rescue"
	TaskMountISO Task = "mount_iso"
	TaskEjectISO Task = "eject_iso"
)

// mounted is an image in a server's CD-ROM drive; the zero value is an empty drive.
type mounted struct {
	Name     string `json:"name"`
	Filename string `json:"filename"`
	URL      string `json:"url"`
	Type     string `json:"type"` // local, or url for an image that the panel fetched (guess)
}

// asset is a device of a hypervisor.
type asset struct {
	ID           int64 `json:"id"`
	HypervisorID int64 `json:"hypervisorId"`
	ServerID     int64 `json:"serverId"` // that has it, 0 for none
}

func deviceOperations() []operation {
	return []operation{
		{"getServerRescue", "GET /servers/{serverId}/rescue", V71, (*call).getServerRescue},
		{"enableServerRescue", "POST /servers/{serverId}/rescue", V71, (*call).enableServerRescue},
		{"listAvailableHypervisorAssets", "GET /servers/{serverId}/hypervisorAssets/available", V71, (*call).listAvailableHypervisorAssets},
		{"attachHypervisorAsset", "POST /servers/{serverId}/hypervisorAssets/{assetId}", V71, (*call).attachHypervisorAsset},
		{"getServerIso", "GET /servers/{serverId}/media/iso", V71, (*call).getServerISO},
		{"mountServerIso", "POST /servers/{serverId}/media/iso", V71, (*call).mountServerISO},
		{"ejectServerIso", "DELETE /servers/{serverId}/media/iso", V71, (*call).ejectServerISO},
	}
}

func (c *call) getServerRescue() answer {
	if s, a := c.find(); s == nil {
		return a
	}
	return unseen(http.StatusOK)
}

// enableServerRescue restarts the server into the rescue system. It mails the login unless it is told not to. There are two images (guess). Nothing ends it.
func (c *call) enableServerRescue() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	image, send := f.int("imageId", 1, 1, 2), f.bool("sendMail", true)
	switch {
	case len(f.errors) > 0:
		return invalid(f.errors...)
	case c.busy(s):
		return locked()
	case s.Built.IsZero():
		return notBuilt()
	case s.Suspended:
		return refuse(http.StatusLocked, "server is suspended") // guess
	}
	c.start(s, TaskRescue, c.panel.timing.Restart).TemplateID = image
	if send {
		c.mail(c.now, s.OwnerID, "Your rescue system")
	}
	return unseen(http.StatusOK)
}

// AddAsset adds a device to a hypervisor and returns its id.
func (p *Panel) AddAsset(hypervisorID int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := &asset{ID: p.state.next("asset"), HypervisorID: hypervisorID}
	put(&p.state.Managed.Assets, a.ID, a)
	return a.ID
}

func (c *call) listAvailableHypervisorAssets() answer {
	if s, a := c.find(); s == nil {
		return a
	}
	return unseen(http.StatusOK)
}

// attachHypervisorAsset attaches at the next power action. That another server's asset is refused with 409 is a guess.
func (c *call) attachHypervisorAsset() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	device := c.Managed.Assets[c.id("assetId")]
	switch {
	case device == nil || device.HypervisorID != s.HypervisorID:
		return missing("hypervisor asset")
	case device.ServerID != 0:
		return answer{status: http.StatusConflict, body: obj{"errors": []string{"The asset is attached already"}}}
	}
	device.ServerID, s.Updated = s.ID, c.now
	c.deferWork(c.now, s, "Attach asset "+strconv.FormatInt(device.ID, 10), 0)
	return unseen(http.StatusOK)
}

func (c *call) getServerISO() answer {
	if s, a := c.find(); s == nil {
		return a
	}
	return unseen(http.StatusOK)
}

var isoPath = regexp.MustCompile(`^/[A-Za-z0-9_/.-]*\.iso$`)

// mountServerISO queues the mounting of an image. This panel does not fetch the image of an address.
func (c *call) mountServerISO() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	id, address := f.count("isoId", 0), f.text("url", "", 2000)
	image := c.Managed.Images[id]
	m := mounted{Type: "url", URL: address}
	switch u, err := url.Parse(address); {
	case (id == 0) == (address == ""):
		f.fail("The iso id field is required when url is not present.")
	case id != 0 && (image == nil || !image.Enabled):
		f.fail("The selected iso id is invalid.")
	case id != 0:
		m = mounted{Name: image.Name, Filename: image.Filename + ".iso", Type: "local"}
	case err != nil || u.Scheme != "https" || cmp.Or(u.Port(), "443") != "443" ||
		!strings.Contains(u.Hostname(), ".") || u.RawQuery != "" || !isoPath.MatchString(u.Path):
		f.fail("The url field format is invalid.")
	default:
		m.Name, m.Filename = path.Base(u.Path), path.Base(u.Path)
	}
	e := c.extras(s)
	switch {
	case len(f.errors) > 0:
		return invalid(f.errors...)
	case e.NoCustomISO && address != "":
		return answer{status: http.StatusConflict, body: obj{"errors": []string{"Custom ISO is disabled for this server"}}}
	case c.busy(s):
		return locked()
	}
	e.Requested = m
	c.start(s, TaskMountISO, c.panel.timing.Power)
	return unseen(http.StatusOK)
}

func (c *call) ejectServerISO() answer {
	s, a := c.find()
	switch {
	case s == nil:
		return a
	case c.busy(s):
		return locked()
	}
	c.extras(s).Requested = mounted{}
	c.start(s, TaskEjectISO, c.panel.timing.Power)
	return unseen(http.StatusOK)
}

// SetCustomISO says whether images that are not of the library may be mounted on a server.
func (p *Panel) SetCustomISO(serverID int64, allowed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.look()
	if s := c.Servers[serverID]; s != nil {
		c.extras(s).NoCustomISO = !allowed
	}
}

// Managed is the truth about what was done to a server besides what ServerState tells, for tests.
type Managed struct {
	ThrottlePercent int64
	BackupPlan      int64
	BackupAccess    string      // "" is inherit
	RescueImage     int64       // that runs, 0 for none
	Backups         []time.Time // of the Backup Manager
	Restores        int
	ISO             string // mounted, "" for none
	DiskGB          []int64
}

// Managed returns what was done to a server. ok is false when there never was one with this id.
func (p *Panel) Managed(serverID int64) (m Managed, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.look()
	s := c.Servers[serverID]
	if s == nil {
		return Managed{}, false
	}
	e := c.extras(s)
	m = Managed{ThrottlePercent: e.Throttle, BackupPlan: e.BackupPlan, BackupAccess: e.Access, RescueImage: e.Rescue, Restores: e.Restores, ISO: e.Mounted.Name}
	for _, b := range e.Backups {
		m.Backups = append(m.Backups, b.Time)
	}
	for _, d := range s.Disks {
		m.DiskGB = append(m.DiskGB, d.CapacityGB)
	}
	return m, true
}
