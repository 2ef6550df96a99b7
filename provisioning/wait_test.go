package provisioning_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// doneAfter is something that is done after d, and counts how often it was looked at.
func doneAfter(d time.Duration, polls *int) func(context.Context) (provisioning.Look, error) {
	end := time.Now().Add(d)
	return func(context.Context) (provisioning.Look, error) {
		*polls++
		return provisioning.Look{Done: !time.Now().Before(end), Percent: -1, State: "running"}, nil
	}
}

// lateness waits for something that takes d, and returns how late its end was noticed.
func lateness(t *testing.T, d time.Duration, o provisioning.WaitOptions) (late time.Duration, polls int) {
	t.Helper()
	start := time.Now()
	require.NoError(t, provisioning.Wait(t.Context(), doneAfter(d, &polls), o))
	return time.Since(start) - d, polls
}

// promised is how late a wait may notice an end.
func promised(d, limit time.Duration) time.Duration {
	return min(max(250*time.Millisecond, d*15/100), limit)
}

func TestWaitNoticesTheEndInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var table strings.Builder
		row := func(cells ...any) { fmt.Fprintf(&table, "%8v%8v%10v%10v%20v%10v\n", cells...) }
		row("takes", "polls", "late by", "promised", "polls with Max 1 s", "late by")
		for _, d := range []time.Duration{300 * time.Millisecond, 2 * time.Second, 12 * time.Second, 61 * time.Second, 301 * time.Second} {
			late, polls := lateness(t, d, provisioning.WaitOptions{})
			assert.LessOrEqual(t, late, promised(d, 3*time.Second), "%v", d)
			lateShort, pollsShort := lateness(t, d, provisioning.WaitOptions{Max: time.Second})
			assert.LessOrEqual(t, lateShort, promised(d, time.Second), "%v with Max 1 s", d)
			row(d, polls, late.Round(time.Millisecond), promised(d, 3*time.Second), pollsShort, lateShort.Round(time.Millisecond))
		}
		t.Logf("how often is looked, and how late the end is noticed:\n%s", table.String())
	})
}

func TestWaitIsNeverLaterThanPromised(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var waits, polls int
		var worst float64
		for d := 300 * time.Millisecond; d <= 300*time.Second; d += d / 40 {
			for range 3 { // the pauses are random
				late, n := lateness(t, d, provisioning.WaitOptions{})
				require.LessOrEqual(t, late, promised(d, 3*time.Second), "%v", d)
				require.LessOrEqual(t, n, 20+int(d/(2*time.Second)), "%v: too many looks", d)
				waits, polls, worst = waits+1, polls+n, max(worst, float64(late)/float64(promised(d, 3*time.Second)))
			}
		}
		t.Logf("%d waits of 0.3 to 300 s, %d looks, at worst %.0f %% of the promised lateness", waits, polls, worst*100)
	})
}

func TestWaitLooksFirstAfterAQuarterOfASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late, polls := lateness(t, 0, provisioning.WaitOptions{})
		assert.Equal(t, 250*time.Millisecond, late)
		assert.Equal(t, 1, polls)
		late, polls = lateness(t, 0, provisioning.WaitOptions{Max: 100 * time.Millisecond})
		assert.Equal(t, 100*time.Millisecond, late)
		assert.Equal(t, 1, polls)
	})
}

func TestWaitTellsItsProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		looks := []provisioning.Look{{Percent: 0, State: "queued"}, {Percent: 50, State: "running"}, {Done: true, Percent: 100, State: "done"}}
		n := 0
		start := time.Now()
		var seen []provisioning.Progress
		err := provisioning.Wait(t.Context(), func(context.Context) (provisioning.Look, error) {
			n++
			if n == 2 {
				return provisioning.Look{}, &provisioning.Error{Kind: provisioning.Unavailable}
			}
			l := looks[0]
			looks = looks[1:]
			return l, nil
		}, provisioning.WaitOptions{OnProgress: func(p provisioning.Progress) {
			assert.Equal(t, time.Since(start), p.Elapsed)
			seen = append(seen, p)
		}})
		require.NoError(t, err)
		require.Len(t, seen, 3, "a look without an answer is no progress")
		for i, want := range []provisioning.Look{{Percent: 0, State: "queued"}, {Percent: 50, State: "running"}, {Done: true, Percent: 100, State: "done"}} {
			assert.Equal(t, want, seen[i].Look)
		}
		assert.Equal(t, []int{1, 3, 4}, []int{seen[0].Looks, seen[1].Looks, seen[2].Looks})
	})
}

// looks answers one look after the other; the last is repeated.
func looks(polls *int, answers ...any) func(context.Context) (provisioning.Look, error) {
	return func(context.Context) (provisioning.Look, error) {
		a := answers[min(*polls, len(answers)-1)]
		*polls++
		if err, ok := a.(error); ok {
			return provisioning.Look{}, err
		}
		return a.(provisioning.Look), nil
	}
}

func TestWaitEndsWhenItCannotGoOn(t *testing.T) {
	t.Parallel()
	running, done := provisioning.Look{State: "running"}, provisioning.Look{Done: true}
	kind := func(k provisioning.Kind) error { return &provisioning.Error{Panel: "toy", Kind: k} }
	failed := fmt.Errorf("%w: no space left", provisioning.ErrTaskFailed)
	plain := errors.New("a bug")
	for name, c := range map[string]struct {
		answers []any
		want    error // nil: it ends well
		polls   int
		text    string
	}{
		"at once when the task failed":    {[]any{running, failed, done}, provisioning.ErrTaskFailed, 2, "task failed: no space left"},
		"at once when the token expired":  {[]any{running, kind(provisioning.Unauthorized), done}, provisioning.Unauthorized, 2, ""},
		"at once when the server is gone": {[]any{running, kind(provisioning.NotFound), done}, provisioning.NotFound, 2, ""},
		"at once when the path is wrong":  {[]any{running, kind(provisioning.NoRoute), done}, provisioning.NoRoute, 2, ""},
		"at once when it is forbidden": {[]any{kind(provisioning.Forbidden), done}, provisioning.Forbidden, 1,
			"not finished as of the last look: toy: forbidden"},
		"at once when something else broke":      {[]any{running, plain, done}, plain, 2, ""},
		"after three looks in a row that failed": {[]any{running, kind(provisioning.Unavailable)}, provisioning.Unavailable, 4, ""},
		"after three of different kinds in a row": {[]any{kind(provisioning.Unavailable), kind(provisioning.RateLimited),
			kind(provisioning.Unexpected), done}, provisioning.Unexpected, 3, ""},
		"not after two in a row": {[]any{running, kind(provisioning.Unavailable), kind(provisioning.Maintenance), done}, nil, 4, ""},
		"not after many that are not in a row": {[]any{kind(provisioning.Unavailable), kind(provisioning.Unavailable), running,
			kind(provisioning.Unavailable), kind(provisioning.Unavailable), done}, nil, 6, ""},
		"and tells the state as of the last look with some": {[]any{running, kind(provisioning.Unavailable)}, provisioning.Unavailable, 4,
			"not finished as of the last look (running, 750ms ago): toy: unavailable"},
	} {
		bubble(t, name, func(t *testing.T) {
			polls := 0
			err := provisioning.Wait(t.Context(), looks(&polls, c.answers...), provisioning.WaitOptions{})
			assert.Equal(t, c.polls, polls)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
			assert.Equal(t, !errors.Is(c.want, provisioning.ErrTaskFailed), errors.Is(err, provisioning.ErrStillRunning), "a task that failed does not run any more")
			if c.text != "" {
				assert.EqualError(t, err, c.text)
			}
		})
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"before the first look": 100 * time.Millisecond, "in a pause": 30*time.Second + 123*time.Millisecond,
		"before it began": 0} {
		bubble(t, name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if after == 0 {
				cancel()
			}
			time.AfterFunc(after, cancel)
			start := time.Now()
			polls := 0
			err := provisioning.Wait(ctx, doneAfter(time.Hour, &polls), provisioning.WaitOptions{})
			assert.Equal(t, after, time.Since(start), "at once, not at the next look")
			require.ErrorIs(t, err, provisioning.ErrStillRunning)
			require.ErrorIs(t, err, context.Canceled)
			require.NotErrorIs(t, err, provisioning.ErrTaskFailed)
			if after > time.Second {
				assert.Regexp(t, `^not finished as of the last look \(running, [0-9.]+m?s ago\): context canceled$`, err.Error())
			} else {
				assert.EqualError(t, err, "not finished as of the last look: context canceled")
			}
		})
	}
	bubble(t, "while it looks", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := provisioning.Wait(ctx, func(ctx context.Context) (provisioning.Look, error) {
			<-ctx.Done()
			return provisioning.Look{}, &provisioning.Error{Kind: provisioning.Unavailable, Err: ctx.Err()}
		}, provisioning.WaitOptions{})
		require.ErrorIs(t, err, provisioning.ErrStillRunning)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	bubble(t, "but what the last look saw as done is done", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, provisioning.Wait(ctx, func(context.Context) (provisioning.Look, error) {
			cancel()
			return provisioning.Look{Done: true}, nil
		}, provisioning.WaitOptions{}))
	})
}

func TestRetryAfterMovesTheNextLook(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]any{
		"from an answer": provisioning.Look{RetryAfter: 40 * time.Second},
		"from an error":  &provisioning.Error{Kind: provisioning.RateLimited, RetryAfter: 40 * time.Second},
	} {
		bubble(t, name, func(t *testing.T) {
			var at []time.Duration
			start := time.Now()
			polls := 0
			next := looks(&polls, answer, provisioning.Look{RetryAfter: time.Millisecond}, provisioning.Look{Done: true})
			err := provisioning.Wait(t.Context(), func(ctx context.Context) (provisioning.Look, error) {
				at = append(at, time.Since(start))
				return next(ctx)
			}, provisioning.WaitOptions{})
			require.NoError(t, err)
			require.Len(t, at, 3)
			assert.Equal(t, 40*time.Second, at[1]-at[0])
			assert.Equal(t, 3*time.Second, at[2]-at[1], "it never brings a look forward")
		})
	}
	bubble(t, "and the context still ends the wait", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		polls := 0
		err := provisioning.Wait(ctx, looks(&polls, provisioning.Look{RetryAfter: time.Hour}), provisioning.WaitOptions{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 1, polls)
	})
}

// fading is a provider whose one server answers as told.
type fading struct {
	answers []error
	asked   int
}

func (f *fading) Instances(context.Context) iter.Seq2[provisioning.Summary, error] {
	return func(func(provisioning.Summary, error) bool) {} // empty: no proof of anything
}

func (f *fading) Instance(context.Context, provisioning.ID) (provisioning.Instance, error) {
	f.asked++
	if len(f.answers) == 0 {
		return provisioning.Instance{RawState: "deleting"}, nil
	}
	err := f.answers[0]
	f.answers = f.answers[1:]
	return provisioning.Instance{RawState: "deleting"}, err
}

func TestWaitGoneBelievesThePanelsOwnWordOnly(t *testing.T) {
	t.Parallel()
	gone, noRoute, down := &provisioning.Error{Kind: provisioning.NotFound, Status: 404}, &provisioning.Error{Kind: provisioning.NoRoute, Status: 404},
		&provisioning.Error{Kind: provisioning.Unavailable}
	for name, c := range map[string]struct {
		answers []error
		want    error
	}{
		"not found is gone":                     {[]error{nil, nil, gone}, nil},
		"not found at once is gone":             {[]error{gone}, nil},
		"not found after an outage is gone":     {[]error{down, down, gone}, nil},
		"a missing route is not":                {[]error{nil, noRoute, gone}, provisioning.NoRoute},
		"three outages are not":                 {[]error{down, down, down, gone}, provisioning.Unavailable},
		"a server that is still there is not":   {nil, context.DeadlineExceeded},
		"a token that lost its rights sees not": {[]error{&provisioning.Error{Kind: provisioning.Forbidden}, gone}, provisioning.Forbidden},
	} {
		bubble(t, name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			f := &fading{answers: c.answers}
			err := provisioning.WaitGone(ctx, f, "1", provisioning.WaitOptions{})
			if c.want == nil {
				require.NoError(t, err)
				assert.Equal(t, len(c.answers), f.asked)
				return
			}
			require.ErrorIs(t, err, c.want)
			require.ErrorIs(t, err, provisioning.ErrStillRunning)
		})
	}
}
