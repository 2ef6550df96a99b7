//go:build unix

package main

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// compare holds the panels against what the shop wants.
func (r *chaos) compare(ctx context.Context) error {
	wants := r.shop.wants()
	uncertain, err := r.uncertain(ctx)
	if err != nil {
		return err
	}
	r.report.uncertain = len(uncertain)
	if r.tokenSource && len(uncertain) > 0 {
		r.report.violate("%d records are uncertain, although the registrar can search", len(uncertain))
	}
	r.compareRecords(wants, uncertain, r.compareServers(wants))
	return nil
}

func (r *chaos) uncertain(ctx context.Context) (map[string]bool, error) {
	keys := map[string]bool{}
	for t, err := range r.shop.engine.Uncertain(ctx) {
		if err != nil {
			return nil, fmt.Errorf("list of what is uncertain: %w", err)
		}
		keys[t.Key] = true
	}
	return keys, nil
}

// compareServers counts all servers that were ever made: of each service one at most, and exactly one if it is present.
func (r *chaos) compareServers(wants map[string]engine.Desired) (made map[string][]machine) {
	made = map[string][]machine{}
	r.report.servers = 0
	unnamed, cancelled := 0, 0
	for panel, all := range r.panels.machines() {
		for _, m := range all {
			switch _, known := wants[m.key]; {
			case m.key == "" && !m.alive: // its order was cancelled before the key was written onto it
				unnamed++
			case !known:
				r.report.violate("server %s of %s has the key %q, which is no service's", m.id, panel, m.key)
			}
			if m.alive {
				r.report.servers++
			}
			made[m.key] = append(made[m.key], m)
		}
	}
	for key, want := range wants {
		all := made[key]
		switch {
		case len(all) > 1:
			r.report.violate("%s has had %d servers: %+v", key, len(all), all)
		case want == engine.Absent && len(all) == 1 && all[0].alive:
			r.report.violate("%s is absent, and its server %s exists", key, all[0].id)
		case want == engine.Absent:
			cancelled += 1 - len(all)
		case len(all) == 0 || !all[0].alive:
			r.report.violate("%s is %s, and has no server: %+v", key, want, all)
		case all[0].builds != 1:
			r.report.violate("server %s of %s was installed %d times", all[0].id, key, all[0].builds)
		case all[0].suspended != (want == engine.Suspended):
			r.report.violate("%s is to be %s, and its server says suspended=%v", key, want, all[0].suspended)
		}
	}
	if unnamed > cancelled {
		r.report.violate("%d servers were deleted without a key, but only %d absent services never had one with their key", unnamed, cancelled)
	}
	return made
}

// compareRecords counts records. A service whose record is uncertain may have one or none.
func (r *chaos) compareRecords(wants map[string]engine.Desired, uncertain map[string]bool, made map[string][]machine) {
	rows := map[string][]ospabpaneltest.Record{}
	all := r.panels.records.Records()
	r.report.records = len(all)
	for _, row := range all {
		rows[row.Name] = append(rows[row.Name], row)
		if _, known := wants[row.Name]; !known {
			r.report.violate("record %d is %q, which is no service's", row.ID, row.Name)
		}
	}
	for key, want := range wants {
		status := "stopped"
		switch {
		case want == engine.Suspended:
			status = "suspended"
		case len(made[key]) == 1 && made[key][0].running:
			status = "running"
		}
		switch have := rows[key]; {
		case len(have) > 1:
			r.report.violate("%s has %d records: %+v", key, len(have), have)
		case uncertain[key]:
		case want == engine.Absent && len(have) == 1:
			r.report.violate("%s is absent, and its record %d exists", key, have[0].ID)
		case want == engine.Absent:
		case len(have) == 0:
			r.report.violate("%s is %s, and has no record", key, want)
		case have[0].Status != status:
			r.report.violate("%s is %s, and its record %d says %s", key, want, have[0].ID, have[0].Status)
		}
	}
}

// watch looks at the records all the time: a second one that is removed again would not be seen in the end.
type watch struct {
	panels  *panels
	mu      sync.Mutex
	doubles map[string]int
}

func newWatch(p *panels) *watch { return &watch{panels: p, doubles: map[string]int{}} }

func (w *watch) run(ctx context.Context) {
	for wait(ctx, 250*time.Millisecond) == nil {
		count := map[string]int{}
		for _, row := range w.panels.records.Records() {
			count[row.Name]++
		}
		w.mu.Lock()
		for name, n := range count {
			if n > 1 {
				w.doubles[name] = max(n, w.doubles[name])
			}
		}
		w.mu.Unlock()
	}
}

func (w *watch) seen() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.doubles)
}
