package virtfusion

import (
	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Ids of the panel are whole numbers above zero, each kind with a type of its own, so that one cannot be passed for another. Answers may carry them as numbers
// or as text; null and an absent member are 0, which is no id, with one exception that TemplateGroupID tells.
type (
	// ServerID names a server.
	ServerID int64
	// UserID is the panel's own (internal) id of a user. It is not what your billing system calls the user: that is ExtRelationID or RelStr.
	UserID int64
	// PackageID names a package (a plan).
	PackageID int64
	// HypervisorGroupID names a group of hypervisors (a location). Creating a server takes this one.
	HypervisorGroupID int64
	// HypervisorID names a single hypervisor. It appears in answers.
	HypervisorID int64
	// OperatingSystemID names an operating system template.
	OperatingSystemID int64
	// TemplateGroupID names a group of templates. 0 is a real one: the group of templates without a group ("Other").
	TemplateGroupID int64
	// SSHKeyID names an SSH key of a user.
	SSHKeyID int64
	// QueueID names a queue item: a job that the panel has accepted and carries out by itself.
	QueueID int64
	// IPBlockID names a block of addresses.
	IPBlockID int64
	// FirewallRulesetID names a firewall ruleset; NoFirewallRulesets stands for an empty list.
	FirewallRulesetID int64
	// HypervisorAssetGroupID names a group of hypervisor assets; NoHypervisorAssetGroups stands for an empty list.
	HypervisorAssetGroupID int64
	// BackupPlanID names a (legacy) backup plan. 0 is no plan.
	BackupPlanID int64
	// HourlyGroupProfileID names a self-service profile for hourly billed servers.
	HourlyGroupProfileID int64
	// ResourceGroupProfileID names a self-service profile for resource packs.
	ResourceGroupProfileID int64
	// ResourcePackID names a self-service resource pack.
	ResourcePackID int64
)

// As the only element of a list these take away what the package would give.
const (
	NoFirewallRulesets      FirewallRulesetID      = -1
	NoHypervisorAssetGroups HypervisorAssetGroupID = -1
)

// UnmarshalJSON reads 7, "7" and null.
func (i *ServerID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *UserID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *PackageID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *HypervisorGroupID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *HypervisorID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *OperatingSystemID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *TemplateGroupID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *SSHKeyID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *QueueID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *IPBlockID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *FirewallRulesetID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *HypervisorAssetGroupID) UnmarshalJSON(b []byte) error {
	return (*rest.Int)(i).UnmarshalJSON(b)
}

// UnmarshalJSON reads 7, "7" and null.
func (i *BackupPlanID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *HourlyGroupProfileID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *ResourceGroupProfileID) UnmarshalJSON(b []byte) error {
	return (*rest.Int)(i).UnmarshalJSON(b)
}

// UnmarshalJSON reads 7, "7" and null.
func (i *ResourcePackID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// ExtRelationID is your own number for a user, stored on the panel as the external relation id: a number above zero that fits 63 bits. The panel's
// documentation types it as text in paths and as a 64-bit number in bodies; here it is the number everywhere. Users without one have 0.
type ExtRelationID int64

// UnmarshalJSON reads 7, "7" and null.
func (i *ExtRelationID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// RelStr is your own text for a user, stored on the panel as the relation string. The panel matches it instead of the number when it is asked to (relStr=true).
type RelStr string

// ExtRelation is how the panel finds users: by an ExtRelationID or a RelStr. There is no other way, neither by the internal id nor by e-mail address, and no
// list.
type ExtRelation interface {
	// extRelation gives the path element, and whether the panel must match the relation string.
	extRelation() (element any, relStr bool, err error)
}

func (i ExtRelationID) extRelation() (any, bool, error) {
	return i, false, positive("extRelationId", i)
}

func (s RelStr) extRelation() (any, bool, error) {
	if s == "" {
		return nil, false, provisioning.InvalidField("relStr", "must not be empty")
	}
	return string(s), true, nil
}
