//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// chaos is one run.
type chaos struct {
	options
	panels *panels
	fleet  *fleet
	shop   *shop
	watch  *watch
	report *report
}

// simulate does a whole run.
func simulate(ctx context.Context, o options, stderr io.Writer) (_ *report, err error) {
	if o.database == "" {
		dir, err := os.MkdirTemp("", "chaos")
		if err != nil {
			return nil, fmt.Errorf("database: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		o.database = "sqlite:" + filepath.Join(dir, "engine.db")
	}
	p, err := newPanels(o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	p.setup.Database, p.setup.TokenSource, p.setup.Verbose = provisioning.Secret(o.database), o.tokenSource, o.verbose
	p.setup.Observe, p.setup.Workers = 5*time.Second+time.Duration(o.services)*20*time.Millisecond, 8
	if !strings.HasPrefix(o.database, "sqlite:") {
		p.setup.Workers = max(8, min(o.services/200, 64))
	}
	c, err := p.setup.config(10 * time.Second)
	if err != nil {
		return nil, err
	}
	if o.verbose {
		c.Logger = slog.New(slog.NewTextHandler(stderr, nil))
	}
	e, err := engine.Open(ctx, c) // it stores and reads; the workers work
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	defer func() { err = errors.Join(err, e.Close(context.WithoutCancel(ctx))) }()
	r := &chaos{options: o, panels: p, fleet: newFleet(o, p.setup, stderr), shop: newShop(o, p, e), watch: newWatch(p), report: &report{options: o}}
	defer r.fleet.killAll()
	if err := r.fleet.startAll(); err != nil {
		return nil, err
	}
	return r.report, r.run(ctx)
}

func (r *chaos) run(ctx context.Context) error {
	began := time.Now()
	watching, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { r.watch.run(watching) })
	all.Go(func() { r.tell(watching, began) })
	defer func() { stop(); all.Wait() }()

	if r.restore {
		if err := r.restoreRun(ctx); err != nil {
			return err
		}
	} else if err := r.storm(ctx, r.duration, true); err != nil {
		return err
	}
	r.panels.quiet()
	if err := r.shop.rest(ctx); err != nil {
		return err
	}
	r.report.stormed = time.Since(began)
	quiet := time.Now()
	if err := r.end(ctx); err != nil {
		return err
	}
	r.report.settled = time.Since(quiet)
	stop()
	all.Wait()
	r.report.collect(r)
	return ctx.Err()
}

// tell prints now and then how far the run has come.
func (r *chaos) tell(ctx context.Context, began time.Time) {
	for wait(ctx, 10*time.Second) == nil {
		left, err := r.shop.pending(ctx)
		if err == nil {
			_, _ = fmt.Fprintf(r.fleet.stderr, "%4.0f s: %d ordered, %d not as desired, %d requests, %d processes killed\n",
				time.Since(began).Seconds(), r.shop.ordered(), len(left), r.panels.requests(), r.fleet.kills.Load())
		}
	}
}

// storm is a time of faults, outages, kills and changes. On a slow machine it lasts until something has happened, but three times as long at most.
func (r *chaos) storm(ctx context.Context, d time.Duration, trade bool) error {
	r.panels.loud()
	ctx, cancel := context.WithTimeout(ctx, 3*d)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() {
		defer cancel()
		for err := wait(ctx, d); err == nil && r.panels.requests() < 10*r.services; err = wait(ctx, 100*time.Millisecond) {
		}
	})
	failed := make(chan error, 2)
	all.Go(func() {
		if err := r.fleet.torment(ctx, r.pause()); err != nil {
			failed <- err
		}
	})
	if trade {
		all.Go(func() {
			if err := r.shop.trade(ctx, d*9/10); err != nil {
				failed <- err
			}
		})
	}
	for _, f := range r.panels.faults {
		all.Go(func() { r.outages(ctx, f, d) })
	}
	all.Wait()
	close(failed)
	var err error
	for f := range failed {
		err = errors.Join(err, f)
	}
	return err
}

// pause is the time between two kills or stops.
func (r *chaos) pause() time.Duration { return min(2*time.Second, r.duration/12) }

// outages breaks a panel as a whole three times.
func (r *chaos) outages(ctx context.Context, f *faults, d time.Duration) {
	defer f.mend()
	for range 3 {
		if wait(ctx, d/10+time.Duration(generator(r.seed, f.name).Int64N(int64(d/10)))) != nil {
			return
		}
		f.breakAll()
		if wait(ctx, d/20) != nil {
			return
		}
		f.mend()
	}
}

// unclear reports a service that only waits for a person because nobody can tell whether its record exists.
func unclear(s engine.Status) bool {
	for _, t := range s.Targets {
		ready := t.State == engine.Ready || t.State == engine.Gone
		if t.Registrar && t.State != engine.Uncertain && !ready || !t.Registrar && !ready {
			return false
		}
	}
	return !s.AsDesired
}

// person looks at the panel for records that were sent twice with an unclear outcome, and not made: the engine sends none a third time by itself.
func (r *chaos) person(ctx context.Context) error {
	if !r.tokenSource {
		return nil
	}
	rows := map[string]provisioning.RecordID{}
	for id, name := range r.rows() {
		rows[name] = provisioning.RecordID(strconv.FormatInt(id, 10))
	}
	for t, err := range r.shop.engine.Uncertain(ctx) {
		if err != nil {
			return fmt.Errorf("list of what is uncertain: %w", err)
		}
		if !t.Registrar || !t.NextLook.IsZero() || t.Working {
			continue
		}
		if err := r.shop.engine.SettleRecord(ctx, t.Key, records, rows[t.Key]); err != nil {
			return fmt.Errorf("settle a record: %w", err)
		}
		r.report.bySomebody++
	}
	return nil
}

// end waits until everything is right, and lists what is not.
func (r *chaos) end(ctx context.Context) error {
	except := func(s engine.Status) bool { return !r.tokenSource && unclear(s) }
	limit := time.Now().Add(r.settle)
	for {
		left, err := r.shop.calm(ctx, min(time.Until(limit), 15*time.Second), except)
		if err != nil {
			return err
		}
		if err := r.person(ctx); err != nil {
			return err
		}
		r.report.violations = r.report.violations[:0]
		for k, s := range left {
			r.report.violate("%s is to be %s, and is not: %s: %s", k, s.Desired, s.State, s.Message)
		}
		if err := r.compare(ctx); err != nil {
			return err
		}
		if len(r.report.violations) == 0 || time.Now().After(limit) {
			return nil
		}
		if err := wait(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
}
