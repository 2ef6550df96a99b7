package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// recentlyGone is how long the records of services that are gone are still looked for: a panel that is restored from a backup has them again.
const recentlyGone = 30 * 24 * time.Hour

// reconcileRegistrar compares records one by one: their panels have no list of all.
func (e *Engine) reconcileRegistrar(ctx context.Context, name string, plan *Plan) error {
	finder, canFind := provisioning.As[provisioning.RegistrarFinder](e.panels[name].registrar)
	if !canFind {
		plan.Incomplete = append(plan.Incomplete, name+": its records cannot be read")
	}
	for t, err := range e.targets(ctx, `t.panel=$1 AND (t.state NOT IN ('gone', 'forgotten', 'detached') OR t.state='gone' AND t.instance<>''
		AND t.changed_at>{now}-$2) ORDER BY t.id`,
		name, recentlyGone.Milliseconds()) {
		if err != nil {
			return err
		}
		svc, ok, err := loadService(ctx, e.db.pool(), t.Key, false)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		o, err := e.server(ctx, svc)
		if err != nil {
			return err
		}
		want, known := provisioning.RecordStatusOf(o.observed.instance(o.instance), svc.Desired == Suspended)
		if !canFind {
			if known && t.RecordID != "" && t.State != Gone && want != t.Acknowledged {
				plan.Differences = append(plan.Differences, Difference{Panel: name, Key: t.Key, ID: t.instance, What: FoundDrift, Want: string(want),
					Have: fmt.Sprintf("%q was acknowledged last", t.Acknowledged), Mend: true})
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		now := svc.record(o.observed, want)
		found, err := finder.FindRecords(ctx, t.record.registered(now))
		e.compareRecords(t, svc, now, found, err, known, plan)
	}
	return nil
}

// compareRecords compares one service's record with what its customer's list holds.
func (e *Engine) compareRecords(t targetRow, svc stored, now provisioning.Record, found []provisioning.FoundRecord, err error, known bool, plan *Plan) {
	want := string(now.Status)
	d := Difference{Panel: t.Panel, Key: t.Key, ID: t.instance, Want: want}
	var conflict *provisioning.ConflictError
	switch {
	case errors.As(err, &conflict):
		d.What, d.Have = FoundForeign, err.Error()
		plan.Differences = append(plan.Differences, d)
		return
	case err != nil:
		plan.Incomplete = append(plan.Incomplete, fmt.Sprintf("%s: the records of %s: %v", t.Panel, t.Key, err))
		return
	}
	plan.Checked++
	seen := false
	for _, f := range found {
		if t.State == Gone { // a restored panel has it again
			plan.Differences = append(plan.Differences, Difference{Panel: t.Panel, ID: string(f.ID), What: FoundStray,
				Want: "no record of " + t.Key + ", which is absent", Have: fmt.Sprintf("a record %q", f.Name)})
			continue
		}
		if t.instance == "" && (t.State == Sending || t.State == Searching || t.State == Uncertain) {
			plan.Incomplete = append(plan.Incomplete, fmt.Sprintf("%s: record %s %q may be that of %s, which is %s", t.Panel, f.ID, f.Name, t.Key, t.State))
			continue
		}
		if string(f.ID) != t.instance {
			plan.Differences = append(plan.Differences, Difference{Panel: t.Panel, ID: string(f.ID), What: FoundStray, Want: "one record of " + t.Key,
				Have: fmt.Sprintf("another record %q", f.Name)})
			continue
		}
		seen = true
		if has, differs := t.record.outdated(now); differs && svc.Desired != Absent {
			plan.Differences = append(plan.Differences, Difference{Panel: t.Panel, Key: t.Key, ID: t.instance, What: FoundDrift, Want: described(now), Have: has})
		}
		switch {
		case svc.Desired == Absent:
			d.What, d.Want, d.Have, d.Mend = FoundDrift, "no record", "it exists", t.State.NeedsPerson()
		case known && f.Status != want:
			d.What, d.Have, d.Mend = FoundDrift, f.Status, true
		default:
			continue
		}
		plan.Differences = append(plan.Differences, d)
	}
	if t.instance != "" && !seen && svc.Desired != Absent {
		d.What, d.Have = FoundMissing, "the customer's list has no record of this id and name"
		plan.Differences = append(plan.Differences, d)
	}
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
