package solusvm2

import "github.com/hvpanels/hvpanels/internal/rest"

// Ids of the panel are whole numbers above zero, each kind with a type of its own, so that one cannot be passed for another. Answers may carry them as numbers
// or as text; null and an absent member are 0, which is no id.
type (
	// ServerID is the panel's number of a server, 1 or greater. Usage and console addresses use the server's UUID instead.
	ServerID int64
	// UserID is the panel's number of a user. It is not the user's number in the billing system.
	UserID int64
	// ComputeResourceID is the panel's number of a compute resource: a node that runs servers.
	ComputeResourceID int64
	// TaskID names a task: work that the panel has accepted and carries out by itself.
	TaskID int64
	// PlanID names a plan: what a server gets.
	PlanID int64
	// LocationID names a location: a group of compute resources.
	LocationID int64
	// OSImageID names a family of operating systems. It cannot be installed by itself: see OSImageVersionID.
	OSImageID int64
	// OSImageVersionID names one version of an operating system. This is the id that creates and reinstallations take.
	OSImageVersionID int64
	// ISOImageID names an ISO image.
	ISOImageID int64
	// ApplicationID names an application that can be installed instead of an operating system.
	ApplicationID int64
	// ProjectID names a project: what holds a customer's servers.
	ProjectID int64
	// SSHKeyID names an SSH key.
	SSHKeyID int64
	// SnapshotID names a snapshot.
	SnapshotID int64
	// BackupID names a backup.
	BackupID int64
	// BackupNodeID names a backup node: where backups are kept.
	BackupNodeID int64
	// DiskID names a disk of a server.
	DiskID int64
	// OfferID names an offer, such as a kind of additional disk.
	OfferID int64
	// StorageID names a storage of a compute resource.
	StorageID int64
	// IPBlockID names a block of addresses.
	IPBlockID int64
	// IPAddressID names an address that the panel has registered.
	IPAddressID int64
	// VPCNetworkID names a private network.
	VPCNetworkID int64
	// RoleID names a role.
	RoleID int64
	// PermissionID names a permission.
	PermissionID int64
	// LimitGroupID names a limit group: how many servers and addresses a user may have.
	LimitGroupID int64
	// LanguageID names a language of the panel's interface.
	LanguageID int64
	// IconID names an icon.
	IconID int64
	// MigrationID names a migration.
	MigrationID int64
)

// UnmarshalJSON reads 7, "7" and null.
func (i *ServerID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *UserID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *ComputeResourceID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *TaskID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *PlanID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *LocationID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *OSImageID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *OSImageVersionID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *ISOImageID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *ApplicationID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *ProjectID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *SSHKeyID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *SnapshotID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *BackupID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *BackupNodeID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *DiskID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *OfferID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *StorageID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *IPBlockID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *IPAddressID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *VPCNetworkID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *RoleID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *PermissionID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *LimitGroupID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *LanguageID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *IconID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }

// UnmarshalJSON reads 7, "7" and null.
func (i *MigrationID) UnmarshalJSON(b []byte) error { return (*rest.Int)(i).UnmarshalJSON(b) }
