package ospabpanel

import (
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Status is what the panel shows for a VPS. The list is closed for sending; words that a later panel may answer are kept as they are.
type Status string

// The statuses of the panel. There is none for deleted or failed: a record is removed by Delete and by nothing else.
const (
	StatusCreating  Status = "creating" // made, but the operating system is not ready
	StatusRunning   Status = "running"
	StatusStopped   Status = "stopped"
	StatusSuspended Status = "suspended" // for instance for non-payment
)

var statuses = []Status{StatusCreating, StatusRunning, StatusStopped, StatusSuspended}

// Known reports whether the panel documents the status.
func (s Status) Known() bool { return slices.Contains(statuses, s) }

func (s Status) check() error {
	if !s.Known() {
		return provisioning.InvalidField("status", "must be creating, running, stopped or suspended; Delete removes a record, and nothing is sent for an unknown state")
	}
	return nil
}

// StatusOf translates a word of the main site (its database, its billing or Proxmox) into what may be sent. A VPS that billing has suspended is suspended
// whatever its hypervisor says. ok is false when nothing may be sent: "error", "unknown", "deleted", "active", "paused" and every word not listed prove
// nothing, and the main site is known to say "deleted" whenever its hypervisor does not answer.
func StatusOf(word string, billingSuspended bool) (status Status, ok bool) {
	if billingSuspended {
		return StatusSuspended, true
	}
	switch word = strings.ToLower(strings.TrimSpace(word)); word {
	case "creating", "running", "stopped", "suspended":
		return Status(word), true
	case "blocked":
		return StatusSuspended, true
	}
	return "", false
}

// Hypervisor is the panel's word for the kind of hypervisor a VPS runs on. The list is closed for sending.
type Hypervisor string

// The hypervisors of the panel. Proxmox is sent when a request names none.
const (
	HypervisorProxmox Hypervisor = "proxmox"
	HypervisorVMware  Hypervisor = "vmware"
	HypervisorHyperV  Hypervisor = "hyperv"
	HypervisorKVM     Hypervisor = "kvm"
	HypervisorXen     Hypervisor = "xen"
)

var hypervisorCodes = map[string]Hypervisor{
	"prx": HypervisorProxmox, "vmv": HypervisorVMware, "hyv": HypervisorHyperV, "kvm": HypervisorKVM, "xen": HypervisorXen,
}

// Known reports whether the panel documents the hypervisor.
func (h Hypervisor) Known() bool {
	for _, known := range hypervisorCodes {
		if h == known {
			return true
		}
	}
	return false
}

// HypervisorFromCode translates the three-letter codes of the panel's own table of hypervisors: prx, vmv, hyv, kvm and xen. The sync API takes the words, not
// the codes.
func HypervisorFromCode(code string) (h Hypervisor, ok bool) {
	h, ok = hypervisorCodes[code]
	return h, ok
}

func (h Hypervisor) check() error {
	if h.Known() {
		return nil
	}
	if word, ok := HypervisorFromCode(string(h)); ok {
		return provisioning.InvalidField("hypervisor", "is a code of another table of the panel: send %s", word)
	}
	return provisioning.InvalidField("hypervisor", "must be proxmox, vmware, hyperv, kvm or xen, in small letters")
}
