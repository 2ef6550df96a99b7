package virtfusiontest

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// manageState is what the panel knows besides what an order needs: what was changed on servers and hypervisors later, images, logins and the self-service. Its
// tables are made when something is put into them.
type manageState struct {
	Servers     map[int64]*serverExtras   `json:"servers"`     // by server id
	Disks       map[int64]*diskExtras     `json:"disks"`       // by disk id
	Hypervisors map[int64]*hypervisorSets `json:"hypervisors"` // by hypervisor id
	Packages    map[int64]obj             `json:"packages"`    // by package id: members that a package of the catalogue has not
	Images      map[int64]*isoImage       `json:"images"`
	Assets      map[int64]*asset          `json:"assets"`
	Logins      []*login                  `json:"logins"`
	Unlicensed  bool                      `json:"unlicensed"` // no commercial licence: no logins
	SelfService selfService               `json:"selfService"`
}

// check finds what would make a handler fail.
func (m *manageState) check(st *state) error {
	ss := &m.SelfService
	if !sound(m.Servers) || !sound(m.Disks) || !sound(m.Hypervisors) || !sound(m.Images) || !sound(m.Assets) || !sound(ss.Credits) ||
		!sound(ss.Offers) || !sound(ss.Packs) || slices.Contains(m.Logins, nil) {
		return errors.New("a table of what is managed has empty rows")
	}
	for id, p := range ss.Packs {
		if ss.Offers[p.OfferID] == nil || slices.ContainsFunc(p.Servers, func(s int64) bool { return st.Servers[s] == nil }) {
			return errors.New("resource pack " + strconv.FormatInt(id, 10) + " is incomplete")
		}
	}
	return nil
}

// serverExtras is what a server has besides what an order needs.
type serverExtras struct {
	Throttle    int64          `json:"throttle"`
	BackupPlan  int64          `json:"backupPlan"`
	Access      string         `json:"access"` // to backups
	XML         map[string]any `json:"xml"`    // as it was sent
	Rescue      int64          `json:"rescue"` // image that runs, 0 for none
	Backups     []stored       `json:"backups"`
	Restores    int            `json:"restores"`
	Mounted     mounted        `json:"mounted"`
	Requested   mounted        `json:"requested"` // by the job that is on its way
	NoCustomISO bool           `json:"noCustomISO"`
}

// extras returns the record of a server.
func (st *state) extras(s *server) *serverExtras {
	if e := st.Managed.Servers[s.ID]; e != nil {
		return e
	}
	return put(&st.Managed.Servers, s.ID, &serverExtras{})
}

// managingOperations are all on what exists already, and the self-service.
func managingOperations() []operation {
	return slices.Concat(serverChangeOperations(), diskOperations(), backupManagerOperations(), deviceOperations(), isoOperations(), packageEditOperations(),
		hypervisorSettingOperations(), loginOperations(), creditOperations(), packOperations(), reportOperations())
}

// unseen is the answer of an operation whose answer nobody has published.
func unseen(status int) answer { return data(status, obj{}) }

// finishManaged applies the end of a job that is none of the order's.
func (st *state) finishManaged(j *job, s *server) {
	e := st.extras(s)
	switch j.Task {
	case TaskRescue:
		e.Rescue, s.Running = j.TemplateID, !s.Suspended
	case TaskBackup:
		e.Backups = append(e.Backups, stored{Time: j.Finish, Password: s.Password, TemplateID: s.TemplateID})
	case TaskRestore:
		if n := len(e.Backups); n > 0 {
			s.Password, s.TemplateID = e.Backups[n-1].Password, e.Backups[n-1].TemplateID
			e.Restores++
		}
	case TaskMountISO, TaskEjectISO:
		e.Mounted = e.Requested
	}
}

// managed adds to a server what was changed on it.
func (c *call) managed(s *server, o obj) {
	for _, row := range o["storage"].([]obj) {
		if d := c.Managed.Disks[row["_id"].(int64)]; d != nil {
			d.show(row)
		}
	}
	e := c.Managed.Servers[s.ID]
	if e == nil {
		return
	}
	o["cpu"].(obj)["throttle"] = e.Throttle
	if e.BackupPlan != 0 {
		o["backupPlan"] = obj{"id": e.BackupPlan, "name": "Plan " + strconv.FormatInt(e.BackupPlan, 10)}
		o["settings"].(obj)["backupPlan"] = e.BackupPlan
	}
	xml := o["customXML"].(obj)
	for name, section := range xml {
		for member, key := range map[string]string{"xml": name, "enabled": name + "Enabled"} {
			if v, sent := e.XML[key]; sent {
				section.(obj)[member] = v
			}
		}
	}
	if m := e.Mounted; m.Name != "" {
		o["media"] = obj{"isoMounted": true, "isoType": m.Type, "isoName": m.Name, "isoFilename": m.Filename, "isoUrl": m.URL, "isoDownload": m.Type == "url"}
		o["settings"].(obj)["bootOrder"] = []string{"cdrom", "hd"}
	}
}

// Ids of the default catalogue for what is not part of an order.
const (
	HourlyProfile   int64 = 501 // of the self-service
	ResourceProfile int64 = 601 // of the self-service
	PackSmall       int64 = 701 // an offer: 2 servers, 4096 MB, 80 GB, 4 cores, 2000 GB traffic
	ImageRescue     int64 = 801 // an ISO of the library
)

// seedManaging adds to the default catalogue.
func (st *state) seedManaging(now time.Time) {
	m := &st.Managed
	m.SelfService.HourlyProfiles, m.SelfService.ResourceProfiles = []int64{HourlyProfile, HourlyProfile + 1}, []int64{ResourceProfile, ResourceProfile + 1}
	put(&m.SelfService.Offers, PackSmall, &packOffer{ID: PackSmall, Name: "Pack S", Servers: 2, MemoryMB: 4096, DiskGB: 80, Cores: 4, TrafficGB: 2000})
	put(&m.Images, ImageRescue, &isoImage{
		ID: ImageRescue, Name: "Rescue CD", URL: "https://mirror.virtfusion.test/rescue.iso", Filename: "rescue-cd", Enabled: true, Global: true, Download: true,
		Created: now, Updated: now,
	})
}

// notBuilt is the refusal of what needs an installation. Status and wording are guesses.
func notBuilt() answer { return refuse(http.StatusLocked, "server has not been built") }
