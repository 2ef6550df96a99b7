package provisioning

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Look is what one look at something running showed. A look that finds it failed returns an error that wraps ErrTaskFailed instead.
type Look struct {
	Done    bool
	Percent int    // 0-100, or -1 when the panel does not tell
	State   string // the panel's own word
	// RetryAfter moves the next look; panels send it as a Retry-After header.
	RetryAfter time.Duration
}

// Progress is one look as the caller of Wait sees it.
type Progress struct {
	Look
	Elapsed time.Duration // since Wait was called
	Looks   int           // how many looks so far, this one included
}

// WaitOptions tunes a wait. The zero value is right for programs.
type WaitOptions struct {
	// Max is the longest pause between two looks, 3 s when zero. A page that a person watches may want 1 s.
	Max time.Duration
	// OnProgress is called after every look that got an answer, from the goroutine that waits.
	OnProgress func(Progress)
}

const (
	firstLook   = 250 * time.Millisecond
	defaultMax  = 3 * time.Second
	failedLooks = 3 // in a row, then the wait gives up
)

// Wait looks until the operation is done: first after 250 ms, then whenever another 15 % of the elapsed time have passed, at least 250 ms and
// at most o.Max apart, with jitter that only shortens a pause. So an end is noticed late by at most max(250 ms, 15 %) and o.Max.
//
// It returns nil only when look said Done. An error that wraps ErrTaskFailed ends the wait at once. Three looks in a row that fail for passing reasons
// (unavailable, rate limited, maintenance, unexpected) end it, any other error at once, and so does ctx: all three wrap ErrStillRunning, because the operation
// itself goes on, together with the reason, and tell the last state seen.
func Wait(ctx context.Context, look func(context.Context) (Look, error), o WaitOptions) error {
	limit := o.Max
	if limit <= 0 {
		limit = defaultMax
	}
	w := waiting{start: time.Now()}
	pause := min(firstLook, limit)
	for {
		if err := sleep(ctx, pause); err != nil {
			return w.stop(err)
		}
		seen, err := look(ctx)
		w.looks++
		switch {
		case errors.Is(err, ErrTaskFailed):
			return err
		case err != nil:
			w.failed++
			if ctx.Err() != nil {
				return w.stop(ctx.Err())
			}
			if w.failed == failedLooks || !transient(err) {
				return w.stop(err)
			}
		default:
			w.failed, w.last, w.lastAt = 0, seen, time.Now()
			if o.OnProgress != nil {
				o.OnProgress(Progress{Look: seen, Elapsed: time.Since(w.start), Looks: w.looks})
			}
			if seen.Done {
				return nil
			}
		}
		pause = nextPause(time.Since(w.start), limit)
		if after := retryAfter(seen, err); after > pause {
			pause = after
		}
	}
}

type waiting struct {
	start, lastAt time.Time
	last          Look
	looks, failed int
}

func (w *waiting) stop(reason error) error {
	e := &waitError{reason: reason, state: w.last.State}
	if !w.lastAt.IsZero() {
		e.age = time.Since(w.lastAt)
	}
	return e
}

type waitError struct {
	reason error
	state  string
	age    time.Duration
}

func (e *waitError) Error() string {
	if e.state == "" {
		return fmt.Sprintf("%v: %v", ErrStillRunning, e.reason)
	}
	return fmt.Sprintf("%v (%s, %v ago): %v", ErrStillRunning, e.state, e.age.Round(time.Millisecond), e.reason)
}

func (e *waitError) Unwrap() []error { return []error{ErrStillRunning, e.reason} }

// nextPause is 15 % of the elapsed time, shortened by up to a tenth, between 250 ms and limit.
func nextPause(elapsed, limit time.Duration) time.Duration {
	p := time.Duration(float64(elapsed) * 0.15 * (0.9 + 0.1*rand.Float64())) // #nosec G404 -- jitter is no secret
	return min(max(p, firstLook), limit)
}

func retryAfter(seen Look, err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return seen.RetryAfter
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// WaitGone waits until the panel itself says that the server does not exist. Deletion is never inferred from anything else: a missing route, an
// empty list or an error are not proof. Errors are those of Wait.
func WaitGone(ctx context.Context, p Provider, id ID, o WaitOptions) error {
	return Wait(ctx, func(ctx context.Context) (Look, error) {
		i, err := Peek(ctx, p, id)
		if errors.Is(err, NotFound) {
			return Look{Done: true, Percent: 100, State: "gone"}, nil
		}
		return Look{Percent: -1, State: i.RawState}, err
	}, o)
}
