package virtfusiontest

import (
	"maps"
	"math"
	"net/http"
	"slices"
)

func serverChangeOperations() []operation {
	return []operation{
		{"modifyServerMemory", "PUT /servers/{serverId}/modify/memory", "", (*call).modifyServerMemory},
		{"modifyServerCpuCores", "PUT /servers/{serverId}/modify/cpuCores", "", (*call).modifyServerCPUCores},
		{"throttleServerCpu", "PUT /servers/{serverId}/modify/cpuThrottle", "", (*call).throttleServerCPU},
		{"changeServerOwner", "PUT /servers/{serverId}/owner/{newOwnerId}", "", (*call).changeServerOwner},
		{"setServerCustomXml", "POST /servers/{serverId}/customXML", "", (*call).setServerCustomXML},
		{"setServerBackupPlan", "PUT /servers/{serverId}/backups/plan/{planId}", "", (*call).setServerBackupPlan},
		{"modifyBackupManagerAccess", "PUT /servers/{serverId}/backupManager/access", V70, (*call).modifyBackupManagerAccess},
	}
}

// modifyServerMemory changes the record at once; on a server that was built the guest has it after the next power action (guess).
func (c *call) modifyServerMemory() answer {
	return c.resource("memory", 256, math.MaxInt32, "Update memory", func(s *server) *int64 { return &s.MemoryMB },
		func(more int64) (memory, cores int64) { return more, 0 })
}

// modifyServerCPUCores works as modifyServerMemory does.
func (c *call) modifyServerCPUCores() answer {
	return c.resource("cores", 1, 600, "Update CPU cores", func(s *server) *int64 { return &s.Cores },
		func(more int64) (memory, cores int64) { return 0, more })
}

func (c *call) resource(name string, low, high int64, work string, of func(*server) *int64, needs func(more int64) (memory, cores int64)) answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require(name)
	n := f.int(name, 0, low, high)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	value := of(s)
	if memory, cores := needs(n - *value); !c.fits(c.Hypervisors[s.HypervisorID], memory, cores, 0) {
		return invalid("Not enough free resources on the hypervisor") // wording: guess
	}
	if *value != n && !s.Built.IsZero() {
		c.deferWork(c.now, s, work, 0)
	}
	*value, s.Updated = n, c.now
	return empty(http.StatusCreated)
}

func (c *call) throttleServerCPU() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("percent")
	percent := f.int("percent", 0, 0, 99)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	c.extras(s).Throttle, s.Updated = percent, c.now
	return empty(http.StatusCreated)
}

// changeServerOwner leaves the keys of the old owner on the server (guess).
func (c *call) changeServerOwner() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	u := c.Users[c.id("newOwnerId")]
	if u == nil {
		return missing("user")
	}
	s.OwnerID, s.Updated = u.ID, c.now
	return empty(http.StatusCreated)
}

// setServerCustomXML keeps the sections that were not sent (guess).
func (c *call) setServerCustomXML() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	sent := map[string]any{}
	for _, section := range slices.Sorted(maps.Keys(customXML())) {
		if f.has(section) {
			sent[section] = f.text(section, "", 1<<16)
		}
		if f.has(section + "Enabled") {
			sent[section+"Enabled"] = f.bool(section+"Enabled", false)
		}
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	e := c.extras(s)
	if e.XML == nil {
		e.XML = map[string]any{}
	}
	maps.Copy(e.XML, sent)
	s.Updated = c.now
	return empty(http.StatusOK)
}

// setServerBackupPlan takes any plan, because nothing shows which plans a panel has.
func (c *call) setServerBackupPlan() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	plan := c.id("planId")
	if plan == 0 && c.r.PathValue("planId") != "0" {
		return missing("backup plan")
	}
	c.extras(s).BackupPlan, s.Updated = plan, c.now
	return empty(http.StatusCreated)
}

func (c *call) modifyBackupManagerAccess() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("type")
	access := f.choice("type", "inherit", "inherit", "disabled", "scheduled", "view_restore", "full", "manual")
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	c.extras(s).Access, s.Updated = access, c.now
	return empty(http.StatusCreated)
}

// choice reads a text that must be one of a set.
func (f *form) choice(name, def string, set ...string) string {
	text := f.text(name, def, 64)
	if !slices.Contains(set, text) {
		f.fail("The selected %s is invalid.", words(name))
	}
	return text
}
