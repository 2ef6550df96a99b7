package main

import (
	"fmt"
	"strings"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// users are the panel users 1 to 5 of a new OSPAB panel.
var users = []string{"alice", "bob", "carol", "dave", "erin"}

func newOSPAB(c config, url string) *simulation {
	p := ospabpaneltest.NewPanel(ospabpaneltest.Options{Key: provisioning.Secret(c.ospabKey)})
	for _, name := range users {
		p.AddUser(name)
	}
	return &simulation{
		name: "ospab", panel: p, write: "syncVPS",
		key:     func() (string, string) { return p.Key().Reveal(), c.ospabKey },
		servers: func() any { return p.Records() },
		describe: func() description {
			var known []string
			for _, u := range p.Users() {
				known = append(known, fmt.Sprintf("%d %s", u.ID, u.Username))
			}
			return description{
				title:   "OSPAB panel",
				note:    ", panel users: " + strings.Join(known, ", "),
				exports: []string{"OSPAB_PANEL_URL=" + url, "VPS_SYNC_API_KEY=" + quote(p.Key().Reveal())},
				command: fmt.Sprintf(`curl -H 'Content-Type: application/json' -H %s -d '{"action": "create", "vps": {"user_id": 5, "name": "web-server-01", `+
					`"status": "creating", "cpu": 4, "ram": 8192, "disk": 100, "os": "Ubuntu 22.04 LTS", "hypervisor": "proxmox"}}' %s/api/vps/sync`,
					quote("X-API-Key: "+p.Key().Reveal()), url),
			}
		},
	}
}
