package rest

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/hvpanels/hvpanels/provisioning"
)

// takeTurn waits until the limiter lets an attempt start. A turn that would come after latest (if not zero) is given back at once.
func takeTurn(ctx context.Context, l *rate.Limiter, latest time.Time) error {
	if l == nil {
		return nil
	}
	now := time.Now()
	turn := l.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	if !latest.IsZero() && now.Add(wait).After(latest) {
		turn.CancelAt(now)
		return &provisioning.Error{Kind: provisioning.RateLimited, Message: "the turn in this client's own rate limit comes after the deadline", RetryAfter: wait}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		turn.Cancel()
		return ctx.Err()
	}
}
