package virtfusiontest

import "net/http"

// changeServerPackage applies another package. Each of the eleven switches is on when absent. What needs a stopped guest is deferred on a server that was built (the
// wording of the deferred work is a guess). Panels before 7.0 answered 204 without a body.
func (c *call) changeServerPackage() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	p := c.Packages[c.id("packageId")]
	if p == nil {
		return missing("package")
	}
	f := c.form()
	on := map[string]bool{}
	for _, name := range []string{
		"backupPlan", "cpu", "memory", "primaryDiskReadIOPS", "primaryDiskReadThroughput", "primaryDiskSize", "primaryDiskWriteIOPS", "primaryDiskWriteThroughput",
		"primaryNetworkInboundSpeed", "primaryNetworkOutboundSpeed", "primaryNetworkTraffic",
	} {
		on[name] = f.bool(name, true)
	}
	if p.Disabled {
		f.fail("Invalid or disabled package") // guess
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if c.busy(s) {
		return locked()
	}
	memory, cores, disk := s.MemoryMB, s.Cores, s.Disks[0].CapacityGB
	if on["memory"] {
		memory = p.MemoryMB
	}
	if on["cpu"] {
		cores = p.Cores
	}
	if on["primaryDiskSize"] {
		disk = max(disk, p.DiskGB) // disks never shrink
	}
	if !c.fits(c.Hypervisors[s.HypervisorID], memory-s.MemoryMB, cores-s.Cores, disk-s.Disks[0].CapacityGB) {
		return invalid("Not enough free resources on the hypervisor") // guess
	}
	info := c.apply(s, p, on)
	s.PackageID, s.Updated = p.ID, c.now
	if c.panel.version < V70 {
		return empty(http.StatusNoContent)
	}
	return answer{status: http.StatusOK, body: obj{"info": info}}
}

// apply changes what is switched on and lists what stayed as it was, in the panel's words.
func (c *call) apply(s *server, p *plan, on map[string]bool) []string {
	info := []string{}
	set := func(name, label, work string, current *int64, value int64) {
		switch {
		case !on[name]:
		case *current == value:
			info = append(info, label+" not updated. It matches the current value")
		default:
			*current = value
			if work != "" && !s.Built.IsZero() {
				c.deferWork(c.now, s, work, 0)
			}
		}
	}
	set("cpu", "CPU cores", "Update CPU cores", &s.Cores, p.Cores)
	set("memory", "memory", "Update memory", &s.MemoryMB, p.MemoryMB)
	if d := s.Disks[0]; on["primaryDiskSize"] {
		if p.DiskGB <= d.CapacityGB {
			info = append(info, "primary disk not updated. It either matches or is lower than the current value")
		} else {
			set("primaryDiskSize", "", "Resize HDD (sda)", &d.CapacityGB, p.DiskGB)
		}
	}
	set("primaryNetworkTraffic", "traffic", "", &s.TrafficGB, p.TrafficGB)
	set("primaryNetworkInboundSpeed", "primary network speed inbound", "", &s.SpeedInKBps, p.SpeedInKBps)
	set("primaryNetworkOutboundSpeed", "primary network speed outbound", "", &s.SpeedOutKBps, p.SpeedOutKBps)
	for _, part := range []struct{ name, label string }{ // no package of this panel limits the disk
		{"primaryDiskReadIOPS", "read IOPS"}, {"primaryDiskReadThroughput", "read bytes/sec"},
		{"primaryDiskWriteIOPS", "write IOPS"}, {"primaryDiskWriteThroughput", "write bytes/sec"},
	} {
		if on[part.name] {
			info = append(info, part.label+" not updated. It matches the current value")
		}
	}
	return info
}
