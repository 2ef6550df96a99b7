package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// PackageBackupType is the access level for backups that a package gives. It is BackupAccess with another word for view and restore.
type PackageBackupType string

// The access levels of a package.
const (
	PackageBackupInherit        PackageBackupType = "inherit"
	PackageBackupDisabled       PackageBackupType = "disabled"
	PackageBackupScheduled      PackageBackupType = "scheduled"
	PackageBackupViewAndRestore PackageBackupType = "viewAndRestore"
	PackageBackupFull           PackageBackupType = "full"
	PackageBackupManual         PackageBackupType = "manual"
)

// PackageRequest makes or changes a package. A new one needs Name (that nothing else is needed is assumed); what is left out of a change stays as it is. Null
// clears or means no limit. The vendor's page is cut off after these fields: virtualization settings and lists of relations exist too and are reached with
// Client.Do. On the panel objects merge and lists replace.
type PackageRequest struct {
	Name                   string                   `json:"name,omitzero"`        // 3 to 150 characters
	Description            provisioning.Opt[string] `json:"description,omitzero"` // 500 characters at most
	SelfServiceDescription provisioning.Opt[string] `json:"selfServiceDescription,omitzero"`
	Enabled                *bool                    `json:"enabled,omitempty"` // new packages are probably disabled unless this says otherwise

	Memory         MB         `json:"memory,omitzero"`         // 64 to 2097152
	PrimaryStorage GB         `json:"primaryStorage,omitzero"` // 1 to 102400
	Traffic        *TrafficGB `json:"traffic,omitempty"`       // a period; 0 is unlimited
	CPUCores       int        `json:"cpuCores,omitzero"`       // 1 to 600

	TrafficPolicy *TrafficPolicy `json:"trafficPolicy,omitempty"`

	PrimaryNetworkSpeedIn  *KBps `json:"primaryNetworkSpeedIn,omitempty"` // 0 is no limit
	PrimaryNetworkSpeedOut *KBps `json:"primaryNetworkSpeedOut,omitempty"`

	PrimaryDiskType DiskFormat                     `json:"primaryDiskType,omitzero"`
	BackupPlanID    provisioning.Opt[BackupPlanID] `json:"backupPlanId,omitzero"` // 0 is none
	BackupType      PackageBackupType              `json:"backupType,omitzero"`
	TokenValue      Decimal                        `json:"tokenValue,omitzero"` // what a server costs in self-service tokens; the period is not documented

	// The limits of the primary disk; null is none.
	PrimaryStorageReadBytesSec  provisioning.Opt[int64] `json:"primaryStorageReadBytesSec,omitzero"`
	PrimaryStorageWriteBytesSec provisioning.Opt[int64] `json:"primaryStorageWriteBytesSec,omitzero"`
	PrimaryStorageReadIOPSSec   provisioning.Opt[int64] `json:"primaryStorageReadIopsSec,omitzero"`
	PrimaryStorageWriteIOPSSec  provisioning.Opt[int64] `json:"primaryStorageWriteIopsSec,omitzero"`

	PrimaryStorageProfile *StorageType `json:"primaryStorageProfile,omitempty"` // a code, 0 to 20, and not an id
	PrimaryNetworkProfile *int         `json:"primaryNetworkProfile,omitempty"` // 0 to 20
}

func (r *PackageRequest) check() error {
	if r.Name != "" {
		if err := checkName(r.Name); err != nil {
			return err
		}
	}
	if utf8.RuneCountInString(r.Description.Or("")) > 500 {
		return provisioning.InvalidField("description", "must not be longer than 500 characters")
	}
	if r.TokenValue != "" && !r.TokenValue.plain() {
		return provisioning.InvalidField("tokenValue", "must be a decimal number that is not below 0")
	}
	for _, f := range []struct {
		name             string
		value, low, high int64
	}{
		{"memory", int64(r.Memory), 64, 2_097_152}, {"primaryStorage", int64(r.PrimaryStorage), 1, 102_400}, {"cpuCores", int64(r.CPUCores), 1, maxCPUCores},
		{"primaryStorageProfile", int64(value(r.PrimaryStorageProfile)), 0, 20}, {"primaryNetworkProfile", int64(value(r.PrimaryNetworkProfile)), 0, 20},
	} {
		if f.value != 0 && (f.value < f.low || f.value > f.high) {
			return provisioning.InvalidField(f.name, "must be between %d and %d, not %d", f.low, f.high, f.value)
		}
	}
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"traffic", int64(value(r.Traffic))}, {"backupPlanId", int64(r.BackupPlanID.Or(0))},
		{"primaryNetworkSpeedIn", int64(value(r.PrimaryNetworkSpeedIn))}, {"primaryNetworkSpeedOut", int64(value(r.PrimaryNetworkSpeedOut))},
		{"primaryStorageReadBytesSec", r.PrimaryStorageReadBytesSec.Or(0)}, {"primaryStorageWriteBytesSec", r.PrimaryStorageWriteBytesSec.Or(0)},
		{"primaryStorageReadIopsSec", r.PrimaryStorageReadIOPSSec.Or(0)}, {"primaryStorageWriteIopsSec", r.PrimaryStorageWriteIOPSSec.Or(0)},
	} {
		if f.value < 0 {
			return provisioning.InvalidField(f.name, "must not be below 0")
		}
	}
	if r.TrafficPolicy != nil {
		return r.TrafficPolicy.check()
	}
	return nil
}

// PackageAnswer is what the panel answers to a new or changed package.
//
// Experimental: nobody has published it. That it is the package is a guess: where it is something else, Package.ID is 0 and Data has the answer.
type PackageAnswer struct {
	Package
	Data json.RawMessage `json:"-"`
}

// UnmarshalJSON reads what can be read and keeps the whole answer.
func (a *PackageAnswer) UnmarshalJSON(b []byte) error {
	*a = PackageAnswer{}
	return readPartly(b, &a.Package, &a.Data)
}

// DeletePackageOptions tunes Delete.
type DeletePackageOptions struct {
	// Force deletes the package although servers were made from it.
	Force bool
}

// Create makes a package. It is sent once: after ErrMaybeApplied look with List. Panel 7.1.
//
// Class: once.
// API: POST /packages
func (s *PackagesService) Create(ctx context.Context, r PackageRequest, opts ...CallOption) (*PackageAnswer, error) {
	if r.Name == "" {
		return nil, provisioning.InvalidField("name", "must not be empty")
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetchPartly[PackageAnswer](ctx, s.rest, rest.Call{Op: "createPackage", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"packages"}, In: r}, nil, opts)
}

// Update changes a package. Servers that were made from it keep what they have, see ServersService.ChangePackage. Panel 7.1.
//
// Class: set.
// API: PUT /packages/{packageId}
func (s *PackagesService) Update(ctx context.Context, id PackageID, r PackageRequest, opts ...CallOption) (*PackageAnswer, error) {
	if err := positive("packageId", id); err != nil {
		return nil, err
	}
	if r == (PackageRequest{}) {
		return nil, provisioning.InvalidField("package", "nothing to change is given")
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetchPartly(ctx, s.rest, rest.Call{Op: "updatePackage", Since: panel71, Class: rest.Set, Method: http.MethodPut, Path: []any{"packages", id}, In: r},
		func(v *PackageAnswer) error { return sameIfTold("package", v.ID, id) }, opts)
}

// Delete removes a package. The panel wants the deletion confirmed, which this does. While servers were made from the package it refuses, unless Force is set;
// that the refusal is Conflict is a guess. Panel 7.1.
//
// Class: set.
// API: DELETE /packages/{packageId}
func (s *PackagesService) Delete(ctx context.Context, id PackageID, o DeletePackageOptions, opts ...CallOption) error {
	if err := positive("packageId", id); err != nil {
		return err
	}
	in := struct {
		Confirm bool `json:"confirm"`
		Force   bool `json:"force"`
	}{true, o.Force}
	return s.rest.Do(ctx, rest.Call{Op: "deletePackage", Since: panel71, Class: rest.Set, Method: http.MethodDelete, Path: []any{"packages", id}, In: in}, opts...)
}

// Duplicate copies a package under another name of 3 to 150 characters. The copy is disabled. It is sent once: after ErrMaybeApplied look with List. Panel 7.1.
//
// Class: once.
// API: POST /packages/{packageId}/duplicate
func (s *PackagesService) Duplicate(ctx context.Context, id PackageID, name string, opts ...CallOption) (*PackageAnswer, error) {
	if err := positive("packageId", id); err != nil {
		return nil, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	in := struct {
		Name string `json:"name"`
	}{name}
	return fetchPartly[PackageAnswer](ctx, s.rest, rest.Call{Op: "duplicatePackage", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"packages", id, "duplicate"}, In: in}, nil, opts)
}
