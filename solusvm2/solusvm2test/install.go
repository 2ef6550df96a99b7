package solusvm2test

import "time"

func installOperations() []operation {
	return []operation{
		{"reinstallServer", "POST /servers/{id}/reinstall", everyone, (*call).reinstallServer},
		{"resizeServer", "POST /servers/{id}/resize", everyone, (*call).resizeServer},
		{"resetServerPassword", "POST /servers/{id}/reset_password", everyone, (*call).resetServerPassword},
		{"resetServerUsage", "POST /servers/{id}/reset_usage", admins, (*call).resetServerUsage},
		{"installGuestTools", "POST /servers/{id}/install_guest_tools", everyone, (*call).installGuestTools},
	}
}

// finishInstall ends the making or reinstallation of a server.
func (st *state) finishInstall(t *task, s *server, well bool) {
	email := ""
	if u := st.Users[s.UserID]; u != nil {
		email = u.Email
	}
	if !well {
		if t.Action == TaskCreate {
			st.log(t.Finish, email, "compute_resource_vm_create_failed", obj{"id": s.ID, "name": s.Name})
		}
		return
	}
	w := t.Work
	s.VersionID, s.AppID, s.KeyIDs, s.UserData, s.Password, s.Windows = w.VersionID, w.AppID, w.KeyIDs, w.UserData, w.Password, st.windows(w.VersionID)
	s.Exists = true
	s.count(t.Finish, 310<<20, 4<<20) // the image and its updates
	s.Running, s.Booted, s.Waiting = !s.Suspended, "", false
	if s.Running {
		s.boot()
	}
	if t.Action == TaskCreate {
		st.log(t.Finish, email, "compute_resource_vm_created", obj{"id": s.ID, "name": s.Name})
		st.fire(t.Finish, EventServerCreated, subject{server: s})
	}
}

// reinstallServer takes "os", and not the names of the other vocabularies.
func (c *call) reinstallServer() answer {
	s, a := c.findIdle()
	if s == nil {
		return a
	}
	f := c.form()
	w := c.readInstallation(f, "os", "application")
	if v := c.Versions[w.VersionID]; v != nil && (!offers(s.Plan.Versions, v.ID) || v.Virtualization != s.Plan.Virtualization) {
		f.fail("os", "The image is not available for the plan.")
	}
	if f.failed() {
		return f.invalid()
	}
	if s.Suspended {
		return conflict("The server is suspended.")
	}
	s.Builds++
	return ok(c.taskJSON(c.start(s, TaskReinstall, c.panel.timing.Reinstall, w)))
}

// resizeServer changes the plan. A disk that would get smaller is refused (guess), and so is a compute resource without room. "delayed" lets the change wait
// for the next start of the guest; the panel shows it at once (guess).
func (c *call) resizeServer() answer {
	s, a := c.findIdle()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("plan_id", "preserve_disk")
	p := c.Plans[refID(f, "plan_id", 0, c.Plans)]
	preserve, delayed, backups := f.bool("preserve_disk", true), f.bool("delayed", false), f.backupSettings(s.Backups)
	if p == nil {
		return f.invalid()
	}
	changed := p.customized(f)
	if preserve {
		changed.Disk = s.Plan.Disk
	}
	if p.Virtualization != s.Plan.Virtualization {
		f.fail("plan_id", "The plan is of another virtualization type.")
	}
	if changed.Disk < s.Plan.Disk {
		f.fail("plan_id", "The disk of a server cannot become smaller.")
	}
	if n := c.Nodes[s.NodeID]; !c.fits(n, (changed.RAM-s.Plan.RAM)/mebibyte, changed.Disk-s.Plan.Disk) {
		f.fail("plan_id", "There are not enough resources on the compute resource.")
	}
	if f.failed() {
		return f.invalid()
	}
	s.Backups = backups
	return ok(c.taskJSON(c.start(s, TaskResize, c.panel.timing.Resize, work{Plan: changed, Delayed: delayed})))
}

// resetServerPassword answers with the password, which is good when the task that sets it has ended. Unless it is told not to, the panel mails it to the
// owner of the token. A server that is off is refused (guess).
func (c *call) resetServerPassword() answer {
	s, a := c.findIdle()
	if s == nil {
		return a
	}
	f := c.form()
	send := f.bool("send_password_to_current_user", true)
	if f.failed() {
		return f.invalid()
	}
	if !s.Running {
		return conflict("The server is not running.")
	}
	w := work{Password: newPassword()}
	c.start(s, TaskPassword, c.panel.timing.Password, w)
	if send {
		c.mail(c.now, c.user.ID, "New password of your server")
	}
	return ok(obj{"password": w.Password})
}

// resetServerUsage answers nothing that anybody has seen.
func (c *call) resetServerUsage() answer {
	s, a := c.findServer()
	if s == nil {
		return a
	}
	s.Traffic = [2]int64{}
	return ok(obj{})
}

// installGuestTools answers nothing that anybody has seen.
func (c *call) installGuestTools() answer {
	s, a := c.findIdle()
	if s == nil {
		return a
	}
	c.start(s, TaskUpdate, c.panel.timing.Start, work{})
	return ok(obj{})
}

// change changes one server. A server that does not exist is left alone.
func (p *Panel) change(serverID int64, change func(*server)) {
	p.look(func(c *call) {
		if s := c.Servers[serverID]; s != nil {
			change(s)
		}
	})
}

// AddTraffic counts traffic of a server, in bytes. A finished installation has counted 310 MiB in and 4 MiB out by itself.
func (p *Panel) AddTraffic(serverID, incomingBytes, outgoingBytes int64) {
	p.change(serverID, func(s *server) { s.count(clock(), incomingBytes, outgoingBytes) })
}

// count adds to the counters, after resetting them when a new period has begun.
func (s *server) count(now time.Time, in, out int64) {
	traffic := s.traffic(now)
	s.Traffic, s.Counted = [2]int64{traffic[0] + in, traffic[1] + out}, now
}
