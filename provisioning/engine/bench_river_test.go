package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

const riverWorkers = 100

// BenchmarkAgainstRiverBare provisions 2,000 services with a provider that does nothing, from Apply until all are ready, and lets bare River do the same: as many jobs,
// inserted in the transaction that stores the order, and as many rows written in as many transactions of texts of the same length, to one table without further indexes. What
// has to be written is recorded from the engine itself first. The ratio is the median of five pairs, of which the two halves take turns in being first; every half has
// an empty database.
//
// What the engine does besides is its price: it reads (reads/service), asks before it overwrites, and renews leases.
func BenchmarkAgainstRiverBare(b *testing.B) {
	benchOnEach(b, func(b *testing.B, fresh func() provisioning.Secret) {
		first, others := recordOne(b, fresh())
		services, pairs := size(2000, 100), size(5, 2)
		for b.Loop() {
			reportWrites(b, fresh(), services)
			var ratios, engines, bares []float64
			for i := range pairs {
				halves := []func(){
					func() { engines = append(engines, perSecond(services, runEngine(b, fresh(), services, nil))) },
					func() { bares = append(bares, perSecond(services, runBare(b, fresh(), services, first, others))) },
				}
				if i%2 == 1 {
					slices.Reverse(halves)
				}
				for _, half := range halves {
					half()
				}
				ratios = append(ratios, engines[i]/bares[i])
				b.Logf("pair %d: engine %.0f/s, bare River %.0f/s, ratio %.2f", i+1, engines[i], bares[i], ratios[i])
			}
			b.ReportMetric(median(engines), "engine/s")
			b.ReportMetric(median(bares), "bare/s")
			b.ReportMetric(median(ratios), "ratio")
			b.ReportMetric(slices.Min(ratios), "lowest-ratio")
		}
	})
}

// recordOne returns what is written for one service, by Apply and by the engine's step, while nothing else goes on.
func recordOne(b *testing.B, db provisioning.Secret) (first engine.Transaction, others []engine.Transaction) {
	b.Helper()
	f := newFinish(1)
	c := benchConfig(db, &instant{}, f, 1)
	c.Timings.Sweep, c.Timings.Lease = time.Hour, time.Hour
	e := benchOpen(b, c)
	r := e.Record()
	require.NoError(b, e.Apply(b.Context(), ownOrder(1)))
	applied, _ := r.Take()
	require.Len(b, applied, 1)
	require.NoError(b, e.Start(b.Context()))
	f.wait(b)
	require.NoError(b, e.Close(b.Context()))
	others, _ = r.Take()
	for _, t := range append(others, applied...) {
		for _, w := range t.Writes {
			require.EqualValues(b, 1, w.Rows, "bare River writes one row with each statement")
		}
	}
	b.Logf("Apply: %+v", applied[0])
	b.Logf("the step: %+v", others)
	return applied[0], others
}

// reportWrites counts in a whole run.
func reportWrites(b *testing.B, db provisioning.Secret, services int) {
	b.Helper()
	var r *engine.Recorder
	runEngine(b, db, services, func(e *engine.Engine) { r = e.Record() })
	all, reads := r.Take()
	var rows int64
	for _, t := range all {
		for _, w := range t.Writes {
			rows += w.Rows
		}
	}
	raw := benchRawDB(b, db)
	var jobs int
	require.NoError(b, raw.QueryRowContext(b.Context(), `SELECT count(*) FROM river_job`).Scan(&jobs))
	for name, n := range map[string]int{"rows/service": int(rows), "transactions/service": len(all), "reads/service": reads, "jobs/service": jobs} {
		b.ReportMetric(float64(n)/float64(services), name)
	}
}

func runEngine(b *testing.B, db provisioning.Secret, services int, prepare func(*engine.Engine)) time.Duration {
	b.Helper()
	f, p := newFinish(services), &instant{}
	e := benchOpen(b, benchConfig(db, p, f, riverWorkers))
	if prepare != nil {
		prepare(e)
	}
	require.NoError(b, e.Start(b.Context()))
	began := time.Now()
	fromAll(b, callers, services, func(i int) error { return e.Apply(b.Context(), ownOrder(i)) })
	f.wait(b)
	took := time.Since(began)
	require.NoError(b, e.Close(b.Context()))
	assert.EqualValues(b, services, p.made.Load())
	assert.Zero(b, f.failed.Load(), "steps that failed")
	return took
}

func runBare(b *testing.B, db provisioning.Secret, services int, first engine.Transaction, others []engine.Transaction) time.Duration {
	b.Helper()
	f := newFinish(services)
	river, err := engine.OpenBare(b.Context(), db, riverWorkers, first, others, func(err error) {
		assert.NoError(b, err)
		f.one()
	})
	require.NoError(b, err)
	began := time.Now()
	fromAll(b, callers, services, func(i int) error { return river.Apply(b.Context(), ownOrder(i).Key) })
	f.wait(b)
	took := time.Since(began)
	require.NoError(b, river.Close(b.Context()))
	return took
}

func perSecond(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
