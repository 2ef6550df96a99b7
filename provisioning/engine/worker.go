package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// work answers a wake-up: it takes the row, does one step, gives it back, and begins again when the row has changed meanwhile.
func (e *Engine) work(ctx context.Context, w wakeUp) {
	for ctx.Err() == nil {
		t, ok, err := e.claim(ctx, w)
		if err != nil {
			if ctx.Err() == nil {
				e.log.LogAttrs(ctx, slog.LevelError, "engine: the database failed; the row is swept later", slog.String("row", w.ID), slog.Any("error", err))
			}
			return
		}
		if !ok || !e.step(ctx, t, w.Probe) {
			return
		}
		w.Probe = false
	}
}

// step is the part that providers and registrars share.
type step struct {
	e     *Engine
	t     *target
	p     *panel
	svc   stored
	wake  []string // rows that have to be looked at when this step is over
	scope string   // the scope of creates that another step had locked
	probe bool     // the panel is paused, and this is the step that tries
	alive bool     // the panel has answered
	sent  string   // the last thing that was sent to the panel to change it
}

// step does one step of a claimed row. again means that there is more to do at once.
func (e *Engine) step(ctx context.Context, t *target, probe bool) (again bool) {
	began := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx, stop := context.WithTimeout(ctx, e.config.Timings.StepTimeout)
	defer stop()
	e.mu.Lock()
	e.running[t.token] = cancel
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		delete(e.running, t.token)
		e.mu.Unlock()
	}()
	s := &step{e: e, t: t, p: e.panels[t.panel], probe: probe}
	v := s.run(ctx)
	v = s.giveUp(v)
	if v.failed && errors.Is(context.Cause(ctx), errClosing) {
		v = verdict{state: t.state, message: t.message} // not a failure: whoever comes next goes on
	}
	if s.alive {
		s.note(ctx, e.panelWorks(ctx, t.panel, probe))
	}
	before := t.state
	again, err := e.letGo(ctx, t, v, s.wake)
	for tries := 1; err != nil && !errors.Is(err, errFenced) && tries < 3; tries++ { // otherwise the row stays leased until the step's time is over
		_ = pause(context.WithoutCancel(ctx), 100*time.Millisecond)
		again, err = e.letGo(ctx, t, v, s.wake)
	}
	e.metrics.step(Step{Panel: t.panel, Key: t.key, State: v.state, Message: v.message, Failed: v.failed, Took: time.Since(began)})
	switch {
	case errors.Is(err, errFenced) && s.sent != "":
		e.log.LogAttrs(ctx, slog.LevelWarn, "engine: a step ended after its row was taken by another process", slog.String("row", t.id))
		err = e.disturb(ctx, t, s.sent)
	case errors.Is(err, errFenced):
		err = nil
	case err == nil && before != v.state:
		e.log.LogAttrs(ctx, v.state.level(), "engine: state changed", slog.String("row", t.id), slog.String("state", string(v.state)), slog.String("message", v.message))
	}
	if err != nil {
		e.log.LogAttrs(ctx, slog.LevelError, "engine: a step could not be stored; it is done again", slog.String("row", t.id), slog.Any("error", err))
	}
	return again
}

// run does the step. A panic in a provider is a failure like any other.
func (s *step) run(ctx context.Context) (v verdict) {
	defer func() {
		if r := recover(); r != nil {
			s.e.log.LogAttrs(ctx, slog.LevelError, "engine: panic in a step", slog.String("row", s.t.id), slog.Any("panic", r), slog.String("stack", string(debug.Stack())))
			v = s.retry(fmt.Errorf("panic: %v", r))
		}
	}()
	if s.p == nil {
		return s.retry(fmt.Errorf("panel %s is not configured in this process", s.t.panel))
	}
	svc, ok, err := loadService(ctx, s.e.db.pool(), s.t.key, false)
	if err != nil {
		return s.retry(err)
	}
	if !ok {
		return verdict{state: Forgotten, message: "there is no such service", done: true}
	}
	if s.svc = svc; svc.forgotten {
		return s.forget(ctx)
	}
	if s.t.kind == kindRegistrar {
		return s.registrar(ctx)
	}
	return s.provider(ctx)
}

// retry tries again after a pause that doubles with each failure in a row, with full jitter above the first.
func (s *step) retry(err error) verdict {
	return s.retryIn(err, s.backoff())
}

func (s *step) retryIn(err error, after time.Duration) verdict {
	return verdict{state: s.t.state, message: err.Error(), after: after, failed: true}
}

func (s *step) backoff() time.Duration {
	t := s.e.config.Timings
	limit := t.RetryFirst << min(s.t.attempts, 20)
	if limit > t.RetryMax || limit <= 0 {
		limit = t.RetryMax
	}
	return t.RetryFirst/2 + rand.N(max(limit-t.RetryFirst/2, 1)) // #nosec G404 -- spreading load needs no secrecy
}

// giveUp makes a dead letter of what has failed for too long.
func (s *step) giveUp(v verdict) verdict {
	if !v.failed || s.t.failingSince == 0 || s.p == nil {
		return v
	}
	if age := time.Since(time.UnixMilli(s.t.failingSince)); age > s.e.config.Timings.GiveUp {
		return verdict{state: Dead, done: true, failed: true, message: fmt.Sprintf("gave up after %d failures in %v: %s", s.t.attempts+1, age.Round(time.Second), v.message)}
	}
	return v
}
