//go:build unix

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// restoreRun is a storm, a restore of the OSPAB panel with all that follows, and another storm.
func (r *chaos) restoreRun(ctx context.Context) error {
	third := r.duration / 3
	if err := r.storm(ctx, third, true); err != nil {
		return err
	}
	backup, err := r.panels.records.Snapshot()
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if err := r.storm(ctx, third, true); err != nil {
		return err
	}
	r.panels.quiet()
	if err := r.settled(ctx, "before the restore"); err != nil {
		return err
	}
	if err := r.panels.records.Restore(backup); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := r.untouched(ctx, third); err != nil {
		return err
	}
	r.panels.quiet()
	if err := r.reconcile(ctx); err != nil {
		return err
	}
	if err := r.settled(ctx, "after the plan of the restored panel was applied"); err != nil {
		return err
	}
	return r.storm(ctx, third, true)
}

// rows is which records there are, whatever their status.
func (r *chaos) rows() map[int64]string {
	all := map[int64]string{}
	for _, row := range r.panels.records.Records() {
		all[row.ID] = row.Name
	}
	return all
}

// untouched is a storm in which services are suspended and resumed, but none is ordered or cancelled: no record may be made or deleted.
func (r *chaos) untouched(ctx context.Context, d time.Duration) error {
	before := r.rows()
	keys := slices.Sorted(maps.Keys(r.shop.wants()))
	for range len(keys) / 5 {
		k := keys[r.shop.random.IntN(len(keys))]
		flip := map[engine.Desired]engine.Desired{engine.Present: engine.Suspended, engine.Suspended: engine.Present}[r.shop.wants()[k]]
		if flip == "" {
			continue
		}
		if err := r.shop.apply(ctx, engine.Service{Key: k}, flip); err != nil {
			return err
		}
	}
	if err := r.storm(ctx, d, false); err != nil {
		return err
	}
	after := r.rows()
	for id, name := range before {
		if after[id] != name {
			return fmt.Errorf("record %d (%s) was deleted before Reconcile", id, name)
		}
	}
	for id, name := range after {
		if before[id] != name {
			return fmt.Errorf("record %d (%s) was made before Reconcile", id, name)
		}
	}
	return nil
}

// reconcile asks once what differs and does what the plan says: the engine mends the drift, and a person settles what is missing and deletes strays.
func (r *chaos) reconcile(ctx context.Context) error {
	e := r.shop.engine
	left, err := r.shop.calm(ctx, r.settle, func(s engine.Status) bool { return len(s.Targets) == 2 && s.Targets[1].State.NeedsPerson() })
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%d services did not come to rest after the restore", len(left))
	}
	if err := e.Pause(ctx, records, "restored from a backup"); err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	plan, err := e.Reconcile(ctx, engine.ReconcileOptions{Panel: records, Apply: true, MaxChanges: r.services})
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	if len(plan.Incomplete) > 0 {
		return fmt.Errorf("the plan is incomplete: %v", plan.Incomplete)
	}
	admin, err := ospabpanel.New(r.panels.setup.Records, simulatedKey)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	count := map[string]int{}
	for _, d := range plan.Differences {
		count[string(d.What)]++
		switch d.What {
		case engine.FoundMissing:
			err = e.SettleRecord(ctx, d.Key, records, "")
		case engine.FoundStray:
			var n int64
			if n, err = strconv.ParseInt(d.ID, 10, 64); err == nil {
				err = admin.Delete(ctx, ospabpanel.VPSID(n))
			}
		}
		if err != nil {
			return fmt.Errorf("applying %+v: %w", d, err)
		}
	}
	if err := e.Resume(ctx, records); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	r.report.restored = fmt.Sprintf("%d records compared: %s; %d resynchronised", plan.Checked, list(count), len(plan.Resynced))
	return nil
}

// settled wants everything to be right in the middle of a run.
func (r *chaos) settled(ctx context.Context, when string) error {
	if err := r.end(ctx); err != nil {
		return err
	}
	if n := len(r.report.violations); n > 0 {
		r.report.print(r.fleet.stderr)
		return fmt.Errorf("%s there were %d violations; the first: %s", when, n, r.report.violations[0])
	}
	return nil
}
