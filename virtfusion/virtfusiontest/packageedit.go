package virtfusiontest

import (
	"maps"
	"net/http"
	"slices"
)

func packageEditOperations() []operation {
	return []operation{
		{"createPackage", "POST /packages", V71, (*call).createPackage},
		{"updatePackage", "PUT /packages/{packageId}", V71, (*call).updatePackage},
		{"deletePackage", "DELETE /packages/{packageId}", V71, (*call).deletePackage},
		{"duplicatePackage", "POST /packages/{packageId}/duplicate", V71, (*call).duplicatePackage},
	}
}

// createPackage makes a package that is disabled unless it is told otherwise, and answers with it. What it has when nothing is said is a guess.
func (c *call) createPackage() answer {
	f := c.form()
	f.require("name")
	in, more := Package{MemoryMB: 1024, DiskGB: 10, Cores: 1, Disabled: true}, obj{}
	f.pack(&in, more)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	id := c.addPackage(c.now, in)
	put(&c.Managed.Packages, id, more)
	return data(http.StatusCreated, c.packageJSON(c.Packages[id]))
}

// updatePackage leaves servers as they are, and answers with the package (guess).
func (c *call) updatePackage() answer {
	p := c.Packages[c.id("packageId")]
	if p == nil {
		return missing("package")
	}
	f := c.form()
	in, more := p.Package, maps.Clone(c.Managed.Packages[p.ID])
	if more == nil {
		more = obj{}
	}
	f.pack(&in, more)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	p.Package = in
	put(&c.Managed.Packages, p.ID, more)
	return ok(c.packageJSON(p))
}

// deletePackage wants to be confirmed, and forced while servers have the package. Statuses and wordings are guesses.
func (c *call) deletePackage() answer {
	p := c.Packages[c.id("packageId")]
	if p == nil {
		return missing("package")
	}
	f := c.form()
	if !f.bool("confirm", false) {
		f.fail("The confirm field must be accepted.")
	}
	force := f.bool("force", false)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if !force && slices.ContainsFunc(c.live(), func(s *server) bool { return s.PackageID == p.ID }) {
		return answer{status: http.StatusConflict, body: obj{"errors": []string{"The package is in use"}}}
	}
	delete(c.Packages, p.ID)
	delete(c.Managed.Packages, p.ID)
	return empty(http.StatusNoContent)
}

// duplicatePackage makes a disabled copy.
func (c *call) duplicatePackage() answer {
	p := c.Packages[c.id("packageId")]
	if p == nil {
		return missing("package")
	}
	f := c.form()
	f.require("name")
	in := p.Package
	in.Disabled = true
	f.named(&in.Name)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	id := c.addPackage(c.now, in)
	put(&c.Managed.Packages, id, maps.Clone(c.Managed.Packages[p.ID]))
	return data(http.StatusCreated, c.packageJSON(c.Packages[id]))
}

// pack reads the members of a package: into in what orders use, and into more what only shows.
func (f *form) pack(in *Package, more obj) {
	f.named(&in.Name)
	in.Disabled = !f.bool("enabled", !in.Disabled)
	in.MemoryMB, in.DiskGB = f.int("memory", in.MemoryMB, 64, 2_097_152), f.int("primaryStorage", in.DiskGB, 1, 102_400)
	in.Cores, in.TrafficGB = f.int("cpuCores", in.Cores, 1, 600), f.count("traffic", in.TrafficGB)
	in.SpeedInKBps, in.SpeedOutKBps = f.count("primaryNetworkSpeedIn", in.SpeedInKBps), f.count("primaryNetworkSpeedOut", in.SpeedOutKBps)
	for _, name := range []string{
		"primaryStorageReadBytesSec", "primaryStorageWriteBytesSec", "primaryStorageReadIopsSec", "primaryStorageWriteIopsSec", "backupPlanId",
	} {
		if _, sent := f.in[name]; sent {
			more[name] = nil
			if f.has(name) {
				more[name] = f.int(name, 0, 0, 1<<53)
			}
		}
	}
	for _, name := range []string{"primaryStorageProfile", "primaryNetworkProfile"} {
		if f.has(name) {
			more[name] = f.int(name, 0, 0, 20)
		}
	}
	if _, sent := f.in["description"]; sent {
		more["description"] = textOrNull(f.text("description", "", 500))
	}
	if f.has("primaryDiskType") {
		more["primaryDiskType"] = f.choice("primaryDiskType", "", "inherit", "qcow2", "raw")
	}
	if f.has("backupType") { // does not show
		f.choice("backupType", "", "inherit", "disabled", "scheduled", "viewAndRestore", "full", "manual")
	}
}

// packageJSON is a package with what was said about it later.
func (c *call) packageJSON(p *plan) obj {
	o := p.json()
	maps.Copy(o, c.Managed.Packages[p.ID])
	return o
}
