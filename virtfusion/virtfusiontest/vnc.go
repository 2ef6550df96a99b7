package virtfusiontest

import (
	"crypto/rand"
	"time"
)

type vnc struct {
	Password string    `json:"password"`
	Token    string    `json:"token"`
	Rotated  time.Time `json:"rotated"` // when the token was made; zero for the first
	Enabled  bool      `json:"enabled"`
}

func newVNC() vnc { return vnc{Password: rand.Text()[:8], Token: newUUID()} }

func vncOperations() []operation {
	return []operation{
		{"getServerVnc", "GET /servers/{serverId}/vnc", "", (*call).getServerVnc},
		{"setServerVnc", "POST /servers/{serverId}/vnc", "", (*call).setServerVnc},
	}
}

func (c *call) getServerVnc() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	return ok(obj{"vnc": c.vncJSON(s)})
}

// setServerVnc changes the switch and, whatever it was sent, the token. Panels before 7.1 ignore what they do not know; 7.1 refuses it (guess).
func (c *call) setServerVnc() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	action := f.text("action", "", 16)
	if c.panel.version >= V71 && action != "enable" && action != "disable" {
		return invalid("The selected action is invalid.")
	}
	if action != "" {
		s.VNC.Enabled = action == "enable"
	}
	s.VNC.Token, s.VNC.Rotated = newUUID(), c.now
	return ok(obj{"vnc": c.vncJSON(s), "queueId": nil})
}

// vncPort is the port of a server's screen on its hypervisor.
func vncPort(s *server) int64 { return 5900 + s.ID%1000 }

// vncEnabled is what the panel says; before 7.1 it says false whatever was set.
func (c *call) vncEnabled(s *server) bool { return s.VNC.Enabled && c.panel.version >= V71 }

func (c *call) vncJSON(s *server) obj {
	return obj{
		"ip": c.Hypervisors[s.HypervisorID].IP, "hostname": nil, "port": vncPort(s), "password": s.VNC.Password,
		"wss": obj{"token": s.VNC.Token, "url": "/vnc/?token=" + s.VNC.Token}, "enabled": c.vncEnabled(s),
	}
}
