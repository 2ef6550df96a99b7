package engine_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// The benchmarks measure whole runs, of minutes in some cases, and take their sizes from here and not from -benchtime; run each once:
//
//	go test -run '^$' -bench . -benchtime 1x -timeout 0
//
// -short makes them small, which shows that they work and measures nothing. PostgreSQL takes part when HVPANELS_TEST_POSTGRES names a server.
func size(full, short int) int {
	if testing.Short() {
		return short
	}
	return full
}

// benchOnEach runs the benchmark on SQLite, and on PostgreSQL when there is one. fresh makes an empty database.
func benchOnEach(b *testing.B, bench func(b *testing.B, fresh func() provisioning.Secret)) {
	b.Run("sqlite", func(b *testing.B) {
		bench(b, func() provisioning.Secret {
			return provisioning.Secret("sqlite:" + filepath.Join(b.TempDir(), "engine.db"))
		})
	})
	b.Run("postgres", func(b *testing.B) {
		base := os.Getenv(envPostgres)
		if base == "" {
			b.Skip("set " + envPostgres + " to the postgres:// URL of a server on which databases may be made")
		}
		bench(b, func() provisioning.Secret {
			name := "hvpanels_bench_" + strings.ToLower(rand.Text())
			require.NoError(b, runSQL(base, "CREATE DATABASE "+name))
			b.Cleanup(func() { _ = runSQL(base, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
			return databaseURL(base, name)
		})
	})
}

// instant is a provider that makes and installs a server at once. It keeps nothing but a count, so that what is measured is the engine.
type instant struct{ made atomic.Int64 }

func (p *instant) CreateScope(r provisioning.CreateRequest) (string, error) {
	return "instant/" + r.Owner.Ref, nil
}

func (p *instant) PlanCreate(_ context.Context, r provisioning.CreateRequest) (provisioning.Intent, error) {
	return provisioning.Intent{Owner: r.Owner.Ref}, nil
}

func (p *instant) Create(context.Context, provisioning.CreateRequest, provisioning.Intent) (provisioning.Created, error) {
	id := provisioning.ID(strconv.FormatInt(p.made.Add(1), 10))
	return provisioning.Created{ID: id, UUID: instantUUID(id), Password: "correct-horse-battery", Operation: provisioning.NewOperation(provisioning.OperationSpec{Instance: id})}, nil
}

func instantUUID(id provisioning.ID) string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012s", string(id))
}

func (p *instant) MarkCreated(context.Context, provisioning.Intent) error { return nil }

func (p *instant) FindCreated(context.Context, provisioning.Intent) ([]provisioning.Instance, error) {
	return nil, nil
}

func (p *instant) OpenCreated(_ context.Context, id provisioning.ID) (provisioning.Created, bool, error) {
	return provisioning.Created{ID: id, UUID: instantUUID(id), Operation: provisioning.NewOperation(provisioning.OperationSpec{Instance: id})}, false, nil
}

func (p *instant) Instances(context.Context) iter.Seq2[provisioning.Summary, error] {
	return func(func(provisioning.Summary, error) bool) {}
}

func (p *instant) Instance(_ context.Context, id provisioning.ID) (provisioning.Instance, error) {
	return provisioning.Instance{
		ID: id, UUID: instantUUID(id), Name: "server-" + string(id), Hostname: "server-" + string(id) + ".example.com", Phase: provisioning.PhaseReady,
		Power: provisioning.PowerRunning, RawState: "running", Memory: provisioning.Some(provisioning.GiB), Disk: provisioning.Some(20 * provisioning.GiB),
		VCPUs: provisioning.Some(1), Image: "Debian 12 (Bookworm)", Plan: "small", Location: "Amsterdam", Host: "kvm1", Created: time.Now(), Built: time.Now(),
	}, nil
}

// finish counts what has to happen a number of times.
type finish struct {
	want, n, failed atomic.Int64
	all             chan struct{}
}

func newFinish(want int) *finish {
	f := &finish{all: make(chan struct{})}
	f.want.Store(int64(want))
	return f
}

func (f *finish) one() {
	if f.n.Add(1) == f.want.Load() {
		close(f.all)
	}
}

// step counts servers that become ready. With Observe switched off each does so once.
func (f *finish) step(s engine.Step) {
	switch {
	case s.Panel != "alpha":
	case s.State == engine.Ready:
		f.one()
	case s.Failed:
		f.failed.Add(1)
	}
}

// wait waits until everything has happened.
func (f *finish) wait(b *testing.B) {
	b.Helper()
	select {
	case <-f.all:
	case <-time.After(2 * time.Hour):
		b.Fatalf("%d of %d are done, %d steps failed", f.n.Load(), f.want.Load(), f.failed.Load())
	}
}

// benchConfig has the timings of real panels, except that ready servers are not looked at again: that is work which bare River does not do.
func benchConfig(db provisioning.Secret, p provisioning.Provider, f *finish, workers int) engine.Config {
	return engine.Config{
		DatabaseURL: db, Providers: map[string]provisioning.Provider{"alpha": p}, Workers: workers,
		Timings: engine.Timings{Observe: -1}, Metrics: engine.Metrics{Step: f.step},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
}

func benchOpen(b *testing.B, c engine.Config) *engine.Engine {
	b.Helper()
	e, err := engine.Open(b.Context(), c)
	require.NoError(b, err)
	return e
}

// callers is how many goroutines take orders.
const callers = 8

// fromAll calls do with the numbers below n, from several goroutines.
func fromAll(b *testing.B, goroutines, n int, do func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && failed.Load() == nil; i = next.Add(1) - 1 {
				if err := do(int(i)); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		require.NoError(b, *err)
	}
}
