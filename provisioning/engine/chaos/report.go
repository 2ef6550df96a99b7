//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// report is what a run has found.
type report struct {
	options
	wants              map[engine.Desired]int
	changes            int
	servers, records   int
	kills, stops       int64
	requests           map[string]int
	faults             map[string]int
	uncertain          int
	bySomebody         int    // records that a person had to settle
	restored           string // what Reconcile found after the restore
	stormed, settled   time.Duration
	violations         []string
	requestsAltogether int
}

const maxViolations = 100

func (r *report) violate(format string, args ...any) {
	r.violations = append(r.violations, fmt.Sprintf(format, args...))
}

func (r *report) collect(c *chaos) {
	r.wants, r.requests, r.faults = map[engine.Desired]int{}, map[string]int{}, map[string]int{}
	for _, want := range c.shop.wants() {
		r.wants[want]++
	}
	r.changes, r.kills, r.stops = c.shop.changes, c.fleet.kills.Load(), c.fleet.stops.Load()
	for name, f := range c.panels.faults {
		requests, counts := f.tally()
		r.requests[name] = requests
		r.requestsAltogether += requests
		for kind, n := range counts {
			r.faults[kind] += n
		}
	}
	for key, n := range c.watch.seen() {
		r.violate("%s had %d records at a time", key, n)
	}
}

func (r *report) print(to io.Writer) {
	w := &bytes.Buffer{}
	defer func() { _, _ = w.WriteTo(to) }()
	total := 0
	for _, n := range r.faults {
		total += n
	}
	where, _, _ := strings.Cut(r.database, ":")
	fmt.Fprintf(w, "seed %d, %s, %d workers, token source %v\n", r.seed, where, r.workers, r.tokenSource)
	fmt.Fprintf(w, "services   %d: %d present, %d suspended, %d absent, after %d changes\n",
		r.services, r.wants[engine.Present], r.wants[engine.Suspended], r.wants[engine.Absent], r.changes)
	fmt.Fprintf(w, "servers    %d\nrecords    %d, %d uncertain, %d settled by a person\n", r.servers, r.records, r.uncertain, r.bySomebody)
	fmt.Fprintf(w, "processes  %d killed, %d stopped for a while\n", r.kills, r.stops)
	fmt.Fprintf(w, "requests   %d (%s)\n", r.requestsAltogether, list(r.requests))
	fmt.Fprintf(w, "faults     %d (%s)\n", total, list(r.faults))
	if r.restored != "" {
		fmt.Fprintf(w, "restore    %s\n", r.restored)
	}
	fmt.Fprintf(w, "time       %.1f s of faults, %.1f s until everything was right\n", r.stormed.Seconds(), r.settled.Seconds())
	if len(r.violations) == 0 {
		fmt.Fprintln(w, "no violation")
		return
	}
	fmt.Fprintf(w, "%d VIOLATIONS\n", len(r.violations))
	for i, v := range r.violations {
		if i == maxViolations {
			fmt.Fprintln(w, "- ...")
			break
		}
		fmt.Fprintln(w, "-", v)
	}
}

func list(counts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}
