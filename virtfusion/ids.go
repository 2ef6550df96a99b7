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
	// ResourcePackID names a self-service resource pack: the offer, and not what one user has of it, which is a UserPackID.
	ResourcePackID int64
	// UserPackID names the resource pack of one user, made from the offer with a ResourcePackID.
	UserPackID int64
	// CreditID names an amount of credit that was given to a user.
	CreditID int64
	// CurrencyID names a currency of the self-service.
	CurrencyID int64
	// ISOID names an ISO image of the library.
	ISOID int64
	// RescueImageID names a rescue image. 1 is the panel's default.
	RescueImageID int64
	// StoragePointID names a storage point of a hypervisor, see HypervisorsService.StoragePoints.
	StoragePointID int64
	// HypervisorAssetID names a hypervisor asset, such as a device that a server can be given.
	HypervisorAssetID int64
	// BackupID names a (legacy) backup.
	BackupID int64
	// BackupChainID names a chain of backups of a disk in the Backup Manager.
	BackupChainID int64
	// ServerActionID names a deferred action of a server.
	ServerActionID int64
	// TrafficBlockID names an extra allowance of traffic of a server.
	TrafficBlockID int64
	// IPv4ID names an IPv4 address as a server holds it (ServerIPv4.ID). That the operations of panel 7.1 mean the same id is a guess.
	IPv4ID int64
	// IPv6SubnetID names an IPv6 subnet as a server holds it (ServerIPv6.ID). That the operations of panel 7.1 mean the same id is a guess.
	IPv6SubnetID int64
	// InterfaceMACID names an extra MAC address of a server's interface.
	InterfaceMACID int64
	// VLANEntryID names the entry of a VLAN on a server's interface. It is not the number of the VLAN.
	VLANEntryID int64
	// FirewallRuleID names a firewall rule of a server's interface.
	FirewallRuleID int64
	// HypervisorNetworkID names a network of a hypervisor.
	HypervisorNetworkID int64
	// IPBlockGroupID names a group of blocks of addresses.
	IPBlockGroupID int64
	// RDNSZoneID names a zone for reverse DNS.
	RDNSZoneID int64
	// DNSServiceID names a DNS service of the panel.
	DNSServiceID int64
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

// UnmarshalJSON reads 7, "7" and null.
func (i *UserPackID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *CreditID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *CurrencyID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *ISOID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *BackupID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *ServerActionID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *TrafficBlockID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *IPv4ID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *IPv6SubnetID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *InterfaceMACID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *VLANEntryID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *FirewallRuleID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *HypervisorNetworkID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *IPBlockGroupID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *RDNSZoneID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *DNSServiceID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

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
