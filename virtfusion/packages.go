package virtfusion

import (
	"context"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// Package is a plan: what a server gets when a create request does not say otherwise.
type Package struct {
	ID          PackageID `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Enabled     Bool      `json:"enabled"`

	Memory         MB        `json:"memory"`
	PrimaryStorage GB        `json:"primaryStorage"`
	Traffic        TrafficGB `json:"traffic"` // a period; 0 is unlimited
	CPUCores       Int       `json:"cpuCores"`

	PrimaryNetworkSpeedIn  KBps `json:"primaryNetworkSpeedIn"`
	PrimaryNetworkSpeedOut KBps `json:"primaryNetworkSpeedOut"`

	PrimaryDiskType string       `json:"primaryDiskType"` // inherit, qcow2 or raw
	BackupPlanID    BackupPlanID `json:"backupPlanId"`

	// The limits of the primary disk; 0 is none.
	PrimaryStorageReadBytesSec  Int `json:"primaryStorageReadBytesSec"`
	PrimaryStorageWriteBytesSec Int `json:"primaryStorageWriteBytesSec"`
	PrimaryStorageReadIOPSSec   Int `json:"primaryStorageReadIopsSec"`
	PrimaryStorageWriteIOPSSec  Int `json:"primaryStorageWriteIopsSec"`

	// PrimaryStorageProfile is a code for a kind of storage. Compare it with StorageResource.StorageType and never with an id: that mistake made a shop sell
	// nothing.
	PrimaryStorageProfile StorageType `json:"primaryStorageProfile"`
	PrimaryNetworkProfile Int         `json:"primaryNetworkProfile"`

	Created Time `json:"created"`
}

// PackagesService reads packages.
type PackagesService struct{ rest *rest.Client }

// List returns all packages, disabled ones included. The panel does not page this list.
//
// Class: read.
// API: GET /packages
func (s *PackagesService) List(ctx context.Context, opts ...CallOption) ([]Package, error) {
	return fetchList[Package](ctx, s.rest, rest.Call{Op: "listPackages", Class: rest.Read, Method: http.MethodGet, Path: []any{"packages"}}, opts)
}

// Get reads one package. NotFound when there is none.
//
// Class: read.
// API: GET /packages/{packageId}
func (s *PackagesService) Get(ctx context.Context, id PackageID, opts ...CallOption) (*Package, error) {
	if err := positive("packageId", id); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getPackage", Class: rest.Read, Method: http.MethodGet, Path: []any{"packages", id}},
		func(v *Package) error { return sameID("package", v.ID, id) }, opts)
}
