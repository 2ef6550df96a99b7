package solusvm2

import (
	"context"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Snapshots lists the server's snapshots. Their size is left out: sources disagree about its unit.
func (p *Provider) Snapshots(ctx context.Context, id provisioning.ID) ([]provisioning.Snapshot, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	var all []provisioning.Snapshot
	for s, err := range p.client.Snapshots.List(ctx, server, ListOptions{}) {
		if err != nil {
			return nil, err
		}
		all = append(all, provisioning.Snapshot{ID: format(s.ID), Name: s.Name, State: string(s.Status), Created: s.CreatedAt.Time})
	}
	return all, nil
}

// CreateSnapshot makes a snapshot. The panel answers with it while it is being made; the operation ends when the server is idle again.
func (p *Provider) CreateSnapshot(ctx context.Context, id provisioning.ID, name string) (*provisioning.Operation, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	if _, err := p.client.Snapshots.Create(ctx, server, name); err != nil {
		return nil, err
	}
	return p.follow(server, nil, waitIdle), nil
}

// RevertSnapshot puts the server's disk back to the snapshot; what came later is lost.
func (p *Provider) RevertSnapshot(ctx context.Context, id provisioning.ID, snapshot string) (*provisioning.Operation, error) {
	return p.snapshotTask(ctx, id, snapshot, p.client.Snapshots.Revert)
}

// DeleteSnapshot removes the snapshot.
func (p *Provider) DeleteSnapshot(ctx context.Context, id provisioning.ID, snapshot string) (*provisioning.Operation, error) {
	return p.snapshotTask(ctx, id, snapshot, p.client.Snapshots.Delete)
}

// snapshotTask makes sure that the snapshot is one of the server: the panel names snapshots without their server.
func (p *Provider) snapshotTask(ctx context.Context, id provisioning.ID, snapshot string, do func(context.Context, SnapshotID, ...CallOption) (*Task, error)) (*provisioning.Operation, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	snapshotID, err := parse[SnapshotID]("snapshot", snapshot)
	if err != nil {
		return nil, err
	}
	all, err := p.Snapshots(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.ID == snapshot {
			t, err := do(ctx, snapshotID)
			if err != nil {
				return nil, err
			}
			return p.follow(server, t, waitIdle), nil
		}
	}
	return nil, &provisioning.Error{Panel: panelName, Op: "listServerSnapshots", Kind: provisioning.NotFound, Message: "the server has no snapshot " + snapshot}
}

// Backups lists the server's backups. Their size is left out: its unit is not documented.
func (p *Provider) Backups(ctx context.Context, id provisioning.ID) ([]provisioning.Backup, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	var all []provisioning.Backup
	for b, err := range p.client.Backups.List(ctx, server, ListOptions{}) {
		if err != nil {
			return nil, err
		}
		all = append(all, provisioning.Backup{ID: format(b.ID), State: string(b.Status), Created: b.CreatedAt.Time})
	}
	return all, nil
}
