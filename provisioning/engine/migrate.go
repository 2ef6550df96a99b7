package engine

import (
	"context"
	"fmt"
)

// migrations are run in order, each once; the number that is stored says how many were. Never change one that was released: add another.
var migrations = [][]string{{
	`CREATE TABLE hvpanels_service (
		key TEXT PRIMARY KEY, provider TEXT NOT NULL, desired TEXT NOT NULL, body TEXT NOT NULL, generation BIGINT NOT NULL, forgotten BIGINT NOT NULL DEFAULT 0,
		created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)`,
	`CREATE TABLE hvpanels_target (
		id TEXT PRIMARY KEY, key TEXT NOT NULL, panel TEXT NOT NULL, kind TEXT NOT NULL,
		gen BIGINT NOT NULL, done_gen BIGINT NOT NULL, owner TEXT, claimed_at BIGINT, lease_until BIGINT, due_at BIGINT,
		queued INTEGER NOT NULL DEFAULT 0, swept INTEGER NOT NULL DEFAULT 0,
		disturbed BIGINT NOT NULL DEFAULT 0, late TEXT NOT NULL DEFAULT '', instruction TEXT NOT NULL DEFAULT '',
		state TEXT NOT NULL, message TEXT NOT NULL, instance TEXT NOT NULL DEFAULT '', ledger TEXT NOT NULL DEFAULT '{}',
		attempts BIGINT NOT NULL DEFAULT 0, failing_since BIGINT, missing_at BIGINT,
		waits_for TEXT NOT NULL DEFAULT '', changed_at BIGINT NOT NULL,
		CONSTRAINT hvpanels_dirty_is_leased_or_due CHECK (gen=done_gen OR lease_until IS NOT NULL OR due_at IS NOT NULL))`,
	`CREATE INDEX hvpanels_target_due ON hvpanels_target(due_at) WHERE due_at IS NOT NULL`,
	`CREATE INDEX hvpanels_target_lease ON hvpanels_target(lease_until) WHERE lease_until IS NOT NULL`,
	`CREATE INDEX hvpanels_target_key ON hvpanels_target(key)`,
	`CREATE INDEX hvpanels_target_instance ON hvpanels_target(panel, instance)`,
	`CREATE INDEX hvpanels_target_state ON hvpanels_target(state, id)`,
	`CREATE INDEX hvpanels_target_waiting ON hvpanels_target(waits_for) WHERE waits_for <> ''`,
	`CREATE INDEX hvpanels_target_changed ON hvpanels_target(changed_at)`,
	`CREATE TABLE hvpanels_intent (key TEXT PRIMARY KEY, scope TEXT NOT NULL, unresolved BIGINT NOT NULL, body TEXT NOT NULL, size TEXT NOT NULL)`,
	`CREATE INDEX hvpanels_intent_unresolved ON hvpanels_intent(scope) WHERE unresolved = 1`,
	`CREATE TABLE hvpanels_scope (scope TEXT PRIMARY KEY, owner TEXT, claimed_at BIGINT, lease_until BIGINT)`,
	`CREATE TABLE hvpanels_command (
		id TEXT PRIMARY KEY, key TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL DEFAULT '', body TEXT NOT NULL, ref TEXT NOT NULL DEFAULT '', owner TEXT,
		secret TEXT NOT NULL DEFAULT '', created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, sent_at BIGINT, finished_at BIGINT)`,
	`CREATE INDEX hvpanels_command_key ON hvpanels_command(key, created_at)`,
	`CREATE TABLE hvpanels_panel (
		name TEXT PRIMARY KEY, endpoint TEXT NOT NULL DEFAULT '', paused TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', since BIGINT,
		probe_at BIGINT, probes INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, failed_id TEXT NOT NULL DEFAULT '', resumed_at BIGINT NOT NULL DEFAULT 0)`,
	`CREATE TABLE hvpanels_password (key TEXT PRIMARY KEY, secret TEXT NOT NULL, created_at BIGINT NOT NULL)`,
}, {
	// A row may be dirty only because it is looked at now and then.
	`ALTER TABLE hvpanels_target ADD COLUMN routine BIGINT NOT NULL DEFAULT 0`,
	// Sweeps go from panel to panel: the rows of one that is paused must not be in the way of the others.
	`DROP INDEX hvpanels_target_due`,
	`CREATE INDEX hvpanels_target_due ON hvpanels_target(panel, due_at) WHERE due_at IS NOT NULL`,
}, {
	// Since when a row is dirty for another reason than that.
	`ALTER TABLE hvpanels_target ADD COLUMN pending_since BIGINT`,
	`UPDATE hvpanels_target SET pending_since={now} WHERE gen<>done_gen AND routine=0`,
	`ALTER TABLE hvpanels_target DROP COLUMN routine`,
}}

// migrateTables brings the tables from the version that is stored to that of the last of the migrations.
func migrateTables(ctx context.Context, c conn, migrations [][]string) error {
	if _, err := c.exec(ctx, `CREATE TABLE IF NOT EXISTS hvpanels_schema (version BIGINT NOT NULL)`); err != nil {
		return err
	}
	var version int
	if _, err := c.one(ctx, `SELECT coalesce(max(version), 0) FROM hvpanels_schema`, nil, &version); err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("engine: the database was made by a newer version of this module: schema %d, known are %d", version, len(migrations))
	}
	for i := version; i < len(migrations); i++ {
		for _, statement := range migrations[i] {
			if _, err := c.exec(ctx, statement); err != nil {
				return err
			}
		}
		if _, err := c.exec(ctx, `INSERT INTO hvpanels_schema(version) VALUES ($1)`, i+1); err != nil {
			return err
		}
	}
	return nil
}
