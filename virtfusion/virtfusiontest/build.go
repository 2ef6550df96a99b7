package virtfusiontest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"
)

func buildOperations() []operation {
	return []operation{
		{"buildServer", "POST /servers/{serverId}/build", "", (*call).buildServer},
		{"resetServerPassword", "POST /servers/{serverId}/resetPassword", "", (*call).resetServerPassword},
	}
}

// phase is the state word and the commissionStatus of a server.
func (c *call) phase(s *server) (string, int) {
	if s.ReportedState != "" {
		return s.ReportedState, 9
	}
	for _, id := range c.Open {
		if j := c.Jobs[id]; j.ServerID == s.ID && j.Task == TaskBuild {
			if c.now.Before(j.Start) {
				return "queued", 1
			}
			return "building", 2
		}
	}
	switch {
	case s.BuildFailed:
		return "failed", 2
	case !s.Built.IsZero():
		return "complete", 3
	}
	return "allocated", 0
}

var hostnamePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)

// buildServer installs an operating system, over what is there. Only its answer holds the root password.
func (c *call) buildServer() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("operatingSystemId")
	templateID := f.count("operatingSystemId", 0)
	name, hostname := f.text("name", cmp.Or(s.Name, randomName()), 63), f.text("hostname", s.Hostname, 255)
	keys, ipv6 := f.ints("sshKeys"), f.bool("ipv6", false)
	vncOn, email := f.bool("vnc", false), f.bool("email", false)
	zone := f.text("timezone", s.Timezone, 64)
	c.checkBuild(f, s, templateID, hostname, keys)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if c.busy(s) || s.blocked() {
		return locked()
	}
	if s.Suspended {
		return refuse(http.StatusLocked, "server is suspended") // guess
	}
	s.Name, s.Hostname, s.KeyIDs, s.VNC.Enabled, s.BuildFailed, s.FailReason = name, hostname, keys, vncOn, false, ""
	if c.panel.version >= V71 {
		s.Timezone = zone
	}
	if ipv6 && len(s.IPv6) == 0 {
		c.assignIPv6(s)
	}
	s.Builds++
	j := c.start(s, TaskBuild, c.panel.timing.Build)
	j.TemplateID, j.Password = templateID, newPassword()
	s.collect()
	if email {
		c.mail(c.now, s.OwnerID, "Your server is ready")
	}
	body := c.serverJSON(s)
	body["settings"].(obj)["decryptedPassword"] = j.Password
	return ok(body)
}

// checkBuild validates a build. Wordings are guesses.
func (c *call) checkBuild(f *form, s *server, templateID int64, hostname string, keys []int64) {
	if t := c.template(templateID); f.has("operatingSystemId") && (t == nil || t.MinMemoryMB > s.MemoryMB) {
		f.fail("Invalid operating system")
	}
	if hostname != "" && !hostnamePattern.MatchString(hostname) {
		f.fail("The hostname field format is invalid.")
	}
	for _, id := range keys {
		if k := c.Keys[id]; k == nil || k.OwnerID != s.OwnerID {
			f.fail("Invalid SSH key")
		}
	}
	if f.has("swap") {
		n, isNumber := f.in["swap"].(json.Number)
		swap, err := n.Float64()
		if !isNumber || err != nil || !slices.Contains([]float64{256, 512, 768, 1, 1.5, 2, 3, 4, 5, 6, 8}, swap) {
			f.fail("The selected swap is invalid.")
		}
	}
}

// blocked reports whether deferred work stands in the way of a build: failed work always; waiting work once there is an installation. The first build carries it out
// itself (guess: a new server with two disks could not be built otherwise).
func (s *server) blocked() bool {
	return slices.ContainsFunc(s.Deferred, func(d *deferred) bool { return d.Failed || !d.Complete && !s.Built.IsZero() })
}

// assignIPv6 gives a server one /64, if its group has any.
func (c *call) assignIPv6(s *server) {
	b := c.blockOf(c.Hypervisors[s.HypervisorID].GroupID, true)
	if b == nil {
		return
	}
	if subnet, found := b.takeSubnet(s.ID); found {
		s.IPv6 = append(s.IPv6, address{ID: c.next("address"), BlockID: b.ID, Addr: subnet})
	}
}

// finishBuild ends a build. The time of the installation differs from the one before even on a panel that runs at a multiple of real speed: clients know a finished
// rebuild by it, and it is sent in whole seconds.
func (st *state) finishBuild(j *job, s *server) {
	if j.Fail != "" {
		s.BuildFailed, s.FailReason, s.Running = true, j.Fail, false
		return
	}
	built := j.Finish
	if earliest := s.Built.Add(time.Second); !s.Built.IsZero() && built.Before(earliest) {
		built = earliest
	}
	s.Built, s.TemplateID, s.Password, s.Running = built, j.TemplateID, j.Password, !s.Suspended
	s.count(j.Finish, 310<<20, 4<<20) // the image and its updates
}

// resetServerPassword needs a running guest (guess: it is done by the guest agent).
func (c *call) resetServerPassword() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("user")
	if u := f.text("user", "root", 32); u != "root" && u != "Administrator" {
		f.fail("The selected user is invalid.")
	}
	email := f.bool("sendMail", true)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if c.busy(s) {
		return locked()
	}
	if s.Suspended || s.Built.IsZero() {
		return refuse(http.StatusLocked, fmt.Sprintf("server %d has no running guest", s.ID)) // guess
	}
	j := c.start(s, TaskResetPassword, c.panel.timing.ResetPassword)
	j.Password = newPassword()
	if !s.Running && j.Fail == "" {
		j.Fail = "guest agent is not responding"
	}
	if email {
		c.mail(c.now, s.OwnerID, "Your new server password")
	}
	return ok(obj{"queueId": j.ID, "expectedPassword": j.Password})
}
