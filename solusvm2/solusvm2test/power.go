package solusvm2test

import "time"

func powerOperations() []operation {
	return []operation{
		{"startServer", "POST /servers/{id}/start", everyone, (*call).startServer},
		{"stopServer", "POST /servers/{id}/stop", everyone, (*call).stopServer},
		{"restartServer", "POST /servers/{id}/restart", everyone, (*call).restartServer},
		{"suspendServer", "POST /servers/{id}/suspend", admins, (*call).suspendServer},
		{"resumeServer", "POST /servers/{id}/resume", admins, (*call).resumeServer},
		{"startServers", "POST /servers/start", everyone, func(c *call) answer { return c.batch(TaskStart, c.panel.timing.Start) }},
		{"restartServers", "POST /servers/restart", everyone, func(c *call) answer { return c.batch(TaskRestart, c.panel.timing.Restart) }},
	}
}

// power starts a task of the server that the path names and answers with it.
func (c *call) power(action Task, d time.Duration, w work) answer {
	s, a := c.findIdle()
	if s == nil {
		return a
	}
	if a, may := s.takesPower(action); !may {
		return a
	}
	return ok(c.taskJSON(c.start(s, action, d, w)))
}

// takesPower refuses what the state of a server does not allow: the vendor's guide says that a suspended server cannot be started; that one which was never
// made cannot be operated, and how both are refused, are guesses. Starting a running server and stopping a stopped one end well and change nothing (guess).
func (s *server) takesPower(action Task) (answer, bool) {
	switch {
	case s.Suspended && (action == TaskStart || action == TaskRestart):
		return conflict("The server is suspended."), false
	case !s.Exists && action != TaskSuspend && action != TaskResume:
		return conflict("The server does not exist on its compute resource."), false
	}
	return answer{}, true
}

func (c *call) startServer() answer { return c.power(TaskStart, c.panel.timing.Start, work{}) }

// stopServer asks the guest to shut down, or cuts the power with force.
func (c *call) stopServer() answer {
	f := c.form()
	w, d := work{Force: f.bool("force", false)}, c.panel.timing.Stop
	if f.failed() {
		return f.invalid()
	}
	if w.Force {
		d = c.panel.timing.ForceStop
	}
	return c.power(TaskStop, d, w)
}

func (c *call) restartServer() answer {
	f := c.form()
	w := work{Force: f.bool("force", false)}
	if f.failed() {
		return f.invalid()
	}
	return c.power(TaskRestart, c.panel.timing.Restart, w)
}

// suspendServer stops the server, as the vendor's guide says of the servers of a suspended user. That only administrators may do it is a guess.
func (c *call) suspendServer() answer { return c.power(TaskSuspend, c.panel.timing.Suspend, work{}) }

// resumeServer starts the server when it ran before the suspension (guess).
func (c *call) resumeServer() answer { return c.power(TaskResume, c.panel.timing.Suspend, work{}) }

// batch starts a task for each server of "ids". The name of that member and the answer are not known; servers that cannot take the task are left out (guess).
func (c *call) batch(action Task, d time.Duration) answer {
	f := c.form()
	f.require("ids")
	ids := refIDs(f, "ids", nil, c.Servers)
	if f.failed() {
		return f.invalid()
	}
	for _, id := range ids {
		if _, may := c.allowed(c.Servers[id]); !may {
			return unauthorized()
		}
		if a, may := c.mayWork(c.Servers[id]); !may {
			return a
		}
	}
	for _, id := range ids {
		s := c.Servers[id]
		if _, takes := s.takesPower(action); takes && s.Deleted.IsZero() && c.openTask(s) == nil {
			c.start(s, action, d, work{})
		}
	}
	return ok(obj{})
}

// SetGuestIgnoresShutdown lets a guest go on running after a stop without force that ended well, as guests without ACPI do.
func (p *Panel) SetGuestIgnoresShutdown(serverID int64, on bool) {
	p.change(serverID, func(s *server) { s.IgnoresShutdown = on })
}
