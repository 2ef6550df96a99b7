//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// shop orders services and changes its mind.
type shop struct {
	engine *engine.Engine
	random *rand.Rand
	panels *panels
	total  int
	owners int

	mu      sync.Mutex
	desired map[string]engine.Desired
	changes int
}

func newShop(o options, p *panels, e *engine.Engine) *shop {
	return &shop{engine: e, random: generator(o.seed, "shop"), panels: p, total: o.services, owners: customers(o.services), desired: map[string]engine.Desired{}}
}

func key(i int) string { return "order-" + strconv.Itoa(i) }

func provider(i int) string {
	if i%4 == 3 {
		return beta
	}
	return alpha
}

func (s *shop) order(i int) engine.Service {
	o := engine.Service{Key: key(i), Provider: provider(i), Registrars: []string{records}, Spec: provisioning.CreateRequest{
		Hostname: key(i) + ".example.com", IPv4: 1, Owner: owner(i % s.owners),
	}}
	if o.Provider == alpha {
		o.Spec.Plan, o.Spec.Image, o.Spec.Location = id(virtfusiontest.PackageSmall), id(virtfusiontest.TemplateDebian), id(s.panels.location)
	} else {
		o.Spec.Plan, o.Spec.Image, o.Spec.Location = id(solusvm2test.PlanSmall), id(solusvm2test.VersionDebian12), id(s.panels.place)
		o.Record.Image = "Debian 12" // this panel does not tell it by name
	}
	return o
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

// trade orders all services within two thirds of d, and changes services that exist until d ends or ctx does.
func (s *shop) trade(ctx context.Context, d time.Duration) error {
	began := time.Now()
	each := d * 2 / 3 / time.Duration(s.total)
	next := s.ordered()
	for time.Since(began) < d && ctx.Err() == nil {
		for due := true; due; {
			if due = next < s.total && time.Since(began) >= each*time.Duration(next); due {
				if err := s.apply(ctx, s.order(next), engine.Present); err != nil {
					return err
				}
				next++
			}
			if next > 0 && s.random.IntN(2) == 0 {
				if err := s.change(ctx, next); err != nil {
					return err
				}
			}
		}
		_ = wait(ctx, max(each, 2*time.Millisecond))
	}
	return nil
}

// rest orders what could not be ordered in time: a process that is stopped while it writes to an SQLite file holds up everybody.
func (s *shop) rest(ctx context.Context) error {
	const callers = 8
	var all sync.WaitGroup
	var next atomic.Int64
	next.Store(int64(s.ordered()))
	errs := make([]error, callers)
	for i := range errs {
		all.Go(func() {
			for n := int(next.Add(1) - 1); n < s.total && ctx.Err() == nil && errs[i] == nil; n = int(next.Add(1) - 1) {
				errs[i] = s.apply(ctx, s.order(n), engine.Present)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// change changes one service: one in eight changes is a cancellation.
func (s *shop) change(ctx context.Context, ordered int) error {
	k := key(s.random.IntN(ordered))
	want := []engine.Desired{engine.Present, engine.Suspended}[s.random.IntN(2)]
	if s.random.IntN(8) == 0 {
		want = engine.Absent
	}
	if s.wants()[k] == engine.Absent {
		return nil
	}
	return s.apply(ctx, engine.Service{Key: k}, want)
}

func (s *shop) apply(ctx context.Context, o engine.Service, want engine.Desired) error {
	o.Desired = want
	if err := s.engine.Apply(context.WithoutCancel(ctx), o); err != nil {
		return fmt.Errorf("apply %s: %w", o.Key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.desired[o.Key] = want
	s.changes++
	return nil
}

func (s *shop) ordered() int { return len(s.wants()) }

func (s *shop) wants() map[string]engine.Desired {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.desired)
}

// pending lists the services of which the engine does not say that they are as desired, with the reason.
func (s *shop) pending(ctx context.Context) (map[string]engine.Status, error) {
	left := map[string]engine.Status{}
	for st, err := range s.engine.Services(ctx, engine.Filter{}) {
		if err != nil {
			return nil, fmt.Errorf("list of services: %w", err)
		}
		if !st.AsDesired {
			left[st.Key] = st
		}
	}
	return left, nil
}

// calm waits until the engine says that all services are as desired, except those that except accepts; left is what is missing after that time. A service is looked at now and then, and is pending for that moment:
// such a one is not missing.
func (s *shop) calm(ctx context.Context, limit time.Duration, except func(engine.Status) bool) (left map[string]engine.Status, err error) {
	const looks = 10 // after the limit
	late := map[string]int{}
	for end := time.Now().Add(limit); ; {
		if left, err = s.pending(ctx); err != nil {
			return nil, err
		}
		maps.DeleteFunc(left, func(_ string, st engine.Status) bool { return except(st) })
		if len(left) == 0 {
			return left, nil
		}
		if time.Now().After(end) {
			for k := range left {
				late[k]++
			}
			if late[""]++; late[""] == looks {
				maps.DeleteFunc(left, func(k string, _ engine.Status) bool { return late[k] < looks })
				return left, nil
			}
		}
		if err := wait(ctx, 300*time.Millisecond+time.Duration(s.total)*100*time.Microsecond); err != nil { // looking at thousands takes a while
			return left, errors.Join(errors.New("the run was ended"), err)
		}
	}
}
