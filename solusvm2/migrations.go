package solusvm2

import (
	"context"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// MigrateServersRequest moves servers to another compute resource.
type MigrateServersRequest struct {
	Servers                      []ServerID        `json:"servers"`
	DestinationComputeResourceID ComputeResourceID `json:"destination_compute_resource_id"`
	// IsLive moves without stopping. It needs a running server of virtualization type kvm.
	IsLive bool `json:"is_live"`
	// PreserveIPs keeps the addresses. Both compute resources must share the block of addresses.
	PreserveIPs bool `json:"preserve_ips"`
}

// Migration is an accepted migration.
type Migration struct {
	ID                         MigrationID      `json:"id"`
	DestinationComputeResource *ComputeResource `json:"destination_compute_resource"`
	Task                       *Task            `json:"task"`     // of the whole
	Children                   []Task           `json:"children"` // one a server
}

func (m *Migration) key() (int64, string) { return int64(m.ID), "migration" }

// MigrationsService moves servers between compute resources.
type MigrationsService struct{ rest *conn }

// Create starts a migration. It is sent once. Wait for its Task.
//
// Class: once.
// API: POST /servers_migrations
func (s *MigrationsService) Create(ctx context.Context, r MigrateServersRequest, opts ...CallOption) (*Migration, error) {
	if len(r.Servers) == 0 {
		return nil, provisioning.InvalidField("servers", "must not be empty")
	}
	if err := allPositive("servers", r.Servers); err != nil {
		return nil, err
	}
	if err := positive("destination_compute_resource_id", r.DestinationComputeResourceID); err != nil {
		return nil, err
	}
	return created[Migration](ctx, s.rest, rest.Call{Op: "migrateServers", Path: []any{"servers_migrations"}, In: r}, opts)
}
