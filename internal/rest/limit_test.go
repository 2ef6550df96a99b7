package rest

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestTheRateLimitSpacesAttemptsOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answer(200, `{"id":7}`)}}
		c := newClient(t, s, WithRateLimit(2, 3))
		start := time.Now()
		for range 7 {
			require.NoError(t, c.Do(t.Context(), readCall(new(server))))
		}
		assert.Equal(t, 2*time.Second, time.Since(start), "three at once, then two a second")
	})
}

func TestRepetitionsCountInTheRateLimitToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answer(503, ``)}}
		_ = failed(t, newClient(t, s, WithRateLimit(0.1, 1)).Do(t.Context(), readCall(new(server))))
		for _, p := range s.pauses() {
			assert.InDelta(t, 10*time.Second, p, float64(time.Millisecond))
		}
	})
}

func TestATurnBeyondTheDeadlineFailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answer(200, `{"id":7}`)}}
		c := newClient(t, s, WithRateLimit(0.1, 1))
		require.NoError(t, c.Do(t.Context(), readCall(new(server))))
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		e := failed(t, c.Do(ctx, onceCall(new(server))))
		assert.Zero(t, time.Since(start))
		assert.Equal(t, provisioning.RateLimited, e.Kind)
		assert.Equal(t, 10*time.Second, e.RetryAfter)
		assert.False(t, e.MaybeApplied)
		e = failed(t, c.Do(t.Context(), onceCall(new(server)), NotAfter(time.Now().Add(5*time.Second))))
		assert.Equal(t, provisioning.RateLimited, e.Kind)
		require.NoError(t, c.Do(t.Context(), readCall(new(server))))
		assert.Equal(t, 10*time.Second, time.Since(start), "turns that were not used are given back")
		assert.Len(t, s.requests(), 2)
	})
}

func TestACancelledTurnIsACancelledCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answer(200, `{"id":7}`)}}
		c := newClient(t, s, WithRateLimit(0.1, 1))
		require.NoError(t, c.Do(t.Context(), readCall(new(server))))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		e := failed(t, c.Do(ctx, onceCall(new(server))))
		require.ErrorIs(t, e, context.Canceled)
		assert.Equal(t, time.Second, time.Since(start))
		assert.Len(t, s.requests(), 1)
		assert.False(t, e.MaybeApplied)
		require.NoError(t, c.Do(t.Context(), readCall(new(server))))
		assert.Equal(t, 10*time.Second, time.Since(start), "the turn was given back")
	})
}

func TestBadRateLimitsAreRefused(t *testing.T) {
	t.Parallel()
	for _, o := range []Option{WithRateLimit(0, 1), WithRateLimit(-1, 1), WithRateLimit(math.NaN(), 1), WithRateLimit(math.Inf(1), 1), WithRateLimit(1, 0)} {
		_, err := New(testPanel(), testAddress, o)
		assert.Contains(t, failed(t, err).Fields, "rateLimit")
	}
}
