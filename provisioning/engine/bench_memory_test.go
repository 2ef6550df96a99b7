package engine_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// BenchmarkMemory stores services, starts the engine, waits until all are ready, and walks over them once. Live heap is what is left after a collection; the peak is
// sampled every 100 ms and contains what is not collected yet, so that it depends on the collector's pace (GOGC), too. The provider keeps nothing.
//
// SQLite is part of the process: its page caches are not on the Go heap that is measured here, see peak-RSS-MB, which also holds whatever ran before in this process. Run
// one size of one database alone to read it.
func BenchmarkMemory(b *testing.B) {
	benchOnEach(b, func(b *testing.B, fresh func() provisioning.Secret) {
		for _, services := range []int{size(10_000, 200), size(100_000, 400)} {
			b.Run(fmt.Sprintf("services=%d", services), func(b *testing.B) {
				for b.Loop() {
					measureMemory(b, fresh(), services)
				}
			})
		}
	})
}

func measureMemory(b *testing.B, db provisioning.Secret, services int) {
	b.Helper()
	f, p := newFinish(services), &instant{}
	c := benchConfig(db, p, f, riverWorkers)
	before := liveHeap()
	e := benchOpen(b, c)
	began := time.Now()
	fromAll(b, callers, services, func(i int) error { return e.Apply(b.Context(), ownOrder(i)) })
	b.ReportMetric(perSecond(services, time.Since(began)), "applied/s")

	stop := sampleHeap()
	began = time.Now()
	require.NoError(b, e.Start(b.Context()))
	f.wait(b)
	b.ReportMetric(perSecond(services, time.Since(began)), "provisioned/s")
	b.ReportMetric(megabytes(stop()), "peak-heap-MB")
	assert.EqualValues(b, services, p.made.Load())
	after := liveHeap()
	b.ReportMetric(megabytes(before), "heap-before-MB")
	b.ReportMetric(megabytes(after), "heap-after-MB")
	b.ReportMetric((float64(after)-float64(before))/float64(services), "heap-B/service")
	b.ReportMetric(megabytes(peakRSS(b)), "peak-RSS-MB")
	reportDatabase(b, db, services)
	walk(b, e, services)
	require.NoError(b, e.Close(b.Context()))
}

// walk reads all services once.
func walk(b *testing.B, e *engine.Engine, services int) {
	b.Helper()
	stop := sampleHeap()
	began, n := time.Now(), 0
	for s, err := range e.Services(b.Context(), engine.Filter{}) {
		require.NoError(b, err)
		if !s.AsDesired {
			b.Fatalf("%s: %s: %s", s.Key, s.State, s.Message)
		}
		n++
	}
	took := time.Since(began)
	assert.Equal(b, services, n)
	b.ReportMetric(took.Seconds(), "walk-s")
	b.ReportMetric(perSecond(n, took), "walked/s")
	b.ReportMetric(megabytes(stop()), "walk-peak-heap-MB")
	b.ReportMetric(megabytes(liveHeap()), "walk-heap-after-MB")
}

// reportDatabase says how large the database is, with the wake-ups that River has not removed yet, and how many those are.
func reportDatabase(b *testing.B, db provisioning.Secret, services int) {
	b.Helper()
	raw := benchRawDB(b, db)
	var size, jobs int64
	require.NoError(b, raw.QueryRowContext(b.Context(), `SELECT count(*) FROM river_job`).Scan(&jobs))
	if path, ok := strings.CutPrefix(db.Reveal(), "sqlite:"); ok {
		for _, suffix := range []string{"", "-wal"} {
			if i, err := os.Stat(path + suffix); err == nil {
				size += i.Size()
			}
		}
	} else {
		require.NoError(b, raw.QueryRowContext(b.Context(), `SELECT pg_database_size(current_database())`).Scan(&size))
	}
	b.ReportMetric(megabytes(uint64(size)), "database-MB")
	b.ReportMetric(float64(jobs)/float64(services), "jobs/service")
}

func benchRawDB(b *testing.B, url provisioning.Secret) *sql.DB {
	b.Helper()
	driver, address := "pgx", url.Reveal()
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, address)
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	return db
}

func megabytes(n uint64) float64 { return float64(n) / (1 << 20) }

// liveHeap is what is reachable.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // what sync.Pool let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// sampleHeap looks every 100 ms until the returned function is called, which tells the most that was seen.
func sampleHeap() (stop func() uint64) {
	ctx, cancel := context.WithCancel(context.Background())
	var most uint64
	var group sync.WaitGroup
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	group.Go(func() {
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return func() uint64 {
		cancel()
		group.Wait()
		return most
	}
}

// peakRSS is the most memory that the process ever had, as the kernel counts it; 0 where it does not tell.
func peakRSS(b *testing.B) uint64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kb uint64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			return kb << 10
		}
	}
	return 0
}
