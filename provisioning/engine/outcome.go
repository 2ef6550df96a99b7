package engine

import (
	"context"
	"errors"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// refusal is a write that the panel refused for good. It is not sent again in the same generation.
type refusal struct {
	Generation int64  `json:"generation"`
	State      State  `json:"state"`
	Message    string `json:"message"`
}

func (r refusal) verdict() verdict { return verdict{state: r.State, message: r.Message, done: true} }

// asked remembers that the panel has answered: it is there, and takes our credentials.
func (s *step) asked(err error) error {
	if err == nil {
		s.alive = true
	}
	return err
}

// failure is the one place that says what an error means: try again, pause the panel, or leave it to a person. refused is true for the last.
func (s *step) failure(ctx context.Context, what string, err error) (v verdict, refused bool) {
	var e *provisioning.Error
	errors.As(err, &e)
	switch {
	case errors.Is(err, errBusy):
		return verdict{state: s.t.state, message: "waiting until " + errBusy.Error() + " is done", after: s.e.config.Timings.Poll, waitsFor: s.scope}, false
	case errors.Is(err, provisioning.Unauthorized):
		return s.pausing(ctx, pausedAuth, err), false
	case errors.Is(err, provisioning.NoRoute), errors.Is(err, provisioning.Forbidden):
		return s.locked(ctx, what, err)
	case errors.Is(err, provisioning.ErrMaybeApplied):
		s.outage(ctx, err)
		return s.retryAfter(err, e), false
	case errors.Is(err, provisioning.Unavailable), e == nil && errors.Is(err, context.DeadlineExceeded):
		s.outage(ctx, err)
		return s.retryAfter(err, e), false
	case errors.Is(err, provisioning.Unsupported):
		return verdict{state: Blocked, message: "blocked: this panel cannot " + what + ": " + err.Error(), done: true}, true
	}
	for _, k := range []provisioning.Kind{provisioning.Invalid, provisioning.Conflict, provisioning.Mismatch, provisioning.NotFound} {
		if errors.Is(err, k) {
			return verdict{state: Dead, message: what + " was refused: " + err.Error(), done: true}, true
		}
	}
	if e != nil && !errors.Is(err, provisioning.Unexpected) {
		s.alive = true // locked, no room, maintenance, rate limited: the panel is there
	}
	return s.retryAfter(err, e), false
}

func (s *step) outage(ctx context.Context, err error) {
	cause := context.Cause(ctx)
	if errors.Is(err, provisioning.Unavailable) && !errors.Is(cause, errClosing) && !errors.Is(cause, errFenced) {
		s.note(ctx, s.e.panelFailed(ctx, s.t, err))
	}
}

// retryAfter waits at least as long as the panel asked for.
func (s *step) retryAfter(err error, e *provisioning.Error) verdict {
	after := s.backoff()
	if e != nil {
		after = max(after, min(e.RetryAfter, 24*time.Hour))
	}
	return s.retryIn(err, after)
}

// pausing pauses the panel and leaves the row as it is, without counting a failure.
func (s *step) pausing(ctx context.Context, cause string, err error) verdict {
	s.note(ctx, s.e.pausePanel(ctx, s.t.panel, cause, err.Error()))
	return verdict{state: s.t.state, message: "the panel is paused: " + err.Error(), after: s.e.config.Timings.RetryFirst}
}

// routeLooks is how often in a row a route has to be missing until that is shown.
const routeLooks = 3

// locked handles a missing route and a missing permission: is it this one operation, or the whole panel? A panel that has no cheap call to find out is paused.
func (s *step) locked(ctx context.Context, what string, err error) (verdict, bool) {
	cause := pausedRoute
	if errors.Is(err, provisioning.Forbidden) {
		cause = pausedAuth
	}
	ping := provisioning.Ping(ctx, s.p.any())
	switch {
	case ping == nil:
		s.alive = true
	case errors.Is(ping, provisioning.Unauthorized):
		return s.pausing(ctx, pausedAuth, ping), false
	case errors.Is(ping, provisioning.NoRoute):
		return s.pausing(ctx, pausedRoute, ping), false
	case errors.Is(ping, provisioning.Unsupported) && s.p.registrar != nil:
		return s.pausing(ctx, cause, err), false
	case !errors.Is(ping, provisioning.Unsupported) && !errors.Is(ping, provisioning.Forbidden):
		return s.retry(err), false // nothing is known while the panel does not answer
	}
	if cause == pausedRoute && s.t.attempts < routeLooks-1 { // a proxy's page in the place of one answer says nothing about the panel
		return s.retry(err), false
	}
	if cause == pausedAuth {
		return verdict{state: Blocked, message: "blocked: token lacks " + what + ": " + err.Error(), done: true}, true
	}
	v := s.retry(err) // nothing was carried out, and an upgrade of the panel, or of what stands before it, ends it
	v.state, v.message, v.done = Blocked, "blocked: this panel has no route for "+what+": "+err.Error(), true
	return v, false
}

// note logs a failure to write something down that is not needed to go on.
func (s *step) note(ctx context.Context, err error) {
	if err != nil {
		s.e.log.ErrorContext(ctx, "engine: the database failed", "row", s.t.id, "error", err)
	}
}

// unread says what to do when something could not be read. A refusal ends nothing: reading again does no harm.
func (p *providerStep) unread(ctx context.Context, what string, err error) verdict {
	v, refused := p.failure(ctx, what, err)
	if refused {
		v = p.settled(v.state, v.message)
	}
	return v
}
