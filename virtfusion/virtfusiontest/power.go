package virtfusiontest

import (
	"net/http"
	"time"
)

func powerOperations() []operation {
	return []operation{
		{"bootServer", "POST /servers/{serverId}/power/boot", "", func(c *call) answer { return c.power(TaskBoot, c.panel.timing.Power) }},
		{"shutdownServer", "POST /servers/{serverId}/power/shutdown", "", func(c *call) answer { return c.power(TaskShutdown, c.panel.timing.Shutdown) }},
		{"restartServer", "POST /servers/{serverId}/power/restart", "", func(c *call) answer { return c.power(TaskRestart, c.panel.timing.Restart) }},
		{"poweroffServer", "POST /servers/{serverId}/power/poweroff", "", func(c *call) answer { return c.power(TaskPoweroff, c.panel.timing.Power) }},
	}
}

// power queues a power operation. Booting a running server and stopping a stopped one end well and change nothing (guess). That a suspended server cannot be started, and
// one without an installation cannot be operated, and how that is refused, are guesses too.
func (c *call) power(task Task, d time.Duration) answer {
	s, a := c.find()
	switch {
	case s == nil:
		return a
	case c.Hypervisors[s.HypervisorID].Maintenance:
		return maintenance()
	case c.busy(s):
		return locked()
	case s.Suspended && (task == TaskBoot || task == TaskRestart):
		return refuse(http.StatusLocked, "server is suspended")
	case s.Built.IsZero():
		return refuse(http.StatusLocked, "server has not been built")
	}
	s.collect()
	return ok(obj{"queueId": c.start(s, task, d).ID})
}
