package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// The child process is the test binary again, as a program with an engine that works until it is killed.
const (
	envChild    = "HVPANELS_ENGINE_CHILD"
	envChildDB  = "HVPANELS_ENGINE_CHILD_DB"
	envChildURL = "HVPANELS_ENGINE_CHILD_URL"
)

const childToken provisioning.Secret = "simulated-token-of-the-crash-tests"

func child() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	p, err := overTCP(os.Getenv(envChildURL))
	if err == nil {
		var e *engine.Engine
		c := config(provisioning.Secret(os.Getenv(envChildDB)), p)
		c.Timings.Lease, c.Timings.Sweep = 6*time.Second, time.Second // the real ones
		if e, err = engine.Open(ctx, c); err == nil {
			if err = e.Start(ctx); err == nil {
				fmt.Println("working")
				<-ctx.Done()
				err = e.Close(context.WithoutCancel(ctx))
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func overTCP(url string) (*virtfusion.Provider, error) {
	c, err := virtfusion.New(url, childToken, virtfusion.WithInsecureHTTP())
	if err != nil {
		return nil, err
	}
	return virtfusion.NewProvider(c, virtfusion.ProviderOptions{}), nil
}

// storing is an engine that stores and looks, and does not work.
func storing(t *testing.T, db provisioning.Secret, url string) *engine.Engine {
	t.Helper()
	p, err := overTCP(url)
	require.NoError(t, err)
	return open(t, config(db, p))
}

// served is a simulated panel on a port, so that other processes can reach it.
func served(t *testing.T) (panel *virtfusiontest.Panel, url string) {
	t.Helper()
	panel = newPanel(t, virtfusiontest.WithToken(childToken))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &http.Server{Handler: panel, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return panel, "http://" + l.Addr().String()
}

// worker starts a process that works on the database.
func worker(t *testing.T, db provisioning.Secret, url string) *os.Process {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0])
	cmd.Env = append(os.Environ(), envChild+"=worker", envChildDB+"="+db.Reveal(), envChildURL+"="+url)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line := make([]byte, 16)
	_, err = out.Read(line)
	require.NoError(t, err)
	return cmd.Process
}

func TestAKilledWorkerIsTakenOverWithinTenSeconds(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, url := served(t)
		e := storing(t, db, url)
		victim := worker(t, db, url)
		// The panel carries out the create, and answers late: the victim is killed while it waits.
		panel.Inject(provisioningtest.Fault{Op: "createServer", Do: provisioningtest.HangAfter})
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		eventually(t, func() bool { return len(panel.Servers()) == 1 }, func() string { return "no create" })
		require.NoError(t, victim.Kill())
		killed := time.Now()
		worker(t, db, url)
		before := len(panel.Requests())
		eventually(t, func() bool { return len(panel.Requests()) > before }, func() string { return "nobody took over" })
		assert.Less(t, time.Since(killed), 10*time.Second)
		t.Logf("taken over after %v", time.Since(killed).Round(100*time.Millisecond))
		s := ready(t, e, "order-1")
		require.Len(t, panel.Servers(), 1)
		assert.Equal(t, "order-1", panel.Servers()[0].Name)
		assert.Equal(t, provisioning.ID(fmt.Sprint(panel.Servers()[0].ID)), s.Instance.ID)
		assert.Equal(t, 1, panel.Count("createServer"))
		assert.Equal(t, 1, panel.Servers()[0].Builds)
	})
}

func TestAStoppedWorkerThatWakesUpChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, url := served(t)
		e := storing(t, db, url)
		victim := worker(t, db, url)
		panel.Inject(provisioningtest.Fault{Op: "createServer", Do: provisioningtest.Slow, Delay: 300 * time.Millisecond})
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		eventually(t, func() bool { return panel.Count("createServer") == 1 }, func() string { return "no create" })
		require.NoError(t, victim.Signal(syscall.SIGSTOP))
		worker(t, db, url)
		ready(t, e, "order-1")
		require.NoError(t, victim.Signal(syscall.SIGCONT))
		time.Sleep(time.Second)
		s := ready(t, e, "order-1")
		require.Len(t, panel.Servers(), 1)
		assert.Equal(t, provisioning.ID(fmt.Sprint(panel.Servers()[0].ID)), s.Instance.ID)
		assert.Equal(t, 1, panel.Servers()[0].Builds)
	})
}

func TestDeletingEveryWakeUpInMidRunLosesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e := start(t, config(db, newProvider(t, panel)))
		raw := rawDB(t, db)
		// River v0.47 panics when a job is deleted in the very moment in which it is completed on PostgreSQL; TRUNCATE waits for such moments.
		empty := "TRUNCATE "
		if strings.HasPrefix(db.Reveal(), "sqlite:") {
			empty = "DELETE FROM "
		}
		const orders = 10
		var deleting sync.WaitGroup
		var deleted int64
		deleting.Go(func() {
			for range 10 {
				var jobs int64
				if err := raw.QueryRowContext(t.Context(), "SELECT count(*) FROM river_job").Scan(&jobs); err == nil {
					deleted += jobs
				}
				for _, table := range []string{"river_job", "river_queue", "river_leader"} {
					_, err := raw.ExecContext(t.Context(), empty+table)
					assert.NoError(t, err)
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
		for i := range orders {
			require.NoError(t, e.Apply(t.Context(), ownOrder(i)))
		}
		for i := range orders {
			ready(t, e, ownOrder(i).Key)
		}
		deleting.Wait()
		assert.Positive(t, deleted)
		assert.Len(t, panel.Servers(), orders)
		assert.Zero(t, number(t, raw, forgottenRows))
	})
}

// ownOrder is an order with an owner of its own.
func ownOrder(i int) engine.Service {
	o := order(fmt.Sprintf("order-%d", i))
	o.Spec.Owner = provisioning.Owner{Ref: fmt.Sprint(2000 + i), Name: fmt.Sprintf("Owner %d", i), Email: fmt.Sprintf("owner%d@example.com", i)}
	return o
}

func TestADirtyRowIsAlwaysLeasedOrDue(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		// Two processes, as it were, and a caller who changes his mind all the time.
		engines := []*engine.Engine{start(t, config(db, newProvider(t, panel))), start(t, config(db, newProvider(t, panel)))}
		raw := rawDB(t, db)
		const services = 4
		for i := range services {
			require.NoError(t, engines[0].Apply(t.Context(), ownOrder(i)))
		}
		var applies sync.WaitGroup
		for i := range services {
			applies.Go(func() {
				for n := range 40 {
					desired := []engine.Desired{engine.Suspended, engine.Present}[n%2]
					err := engines[n%2].Apply(t.Context(), engine.Service{Key: ownOrder(i).Key, Desired: desired, Reason: fmt.Sprint(n)})
					assert.NoError(t, err)
				}
			})
		}
		done := make(chan struct{})
		go func() { applies.Wait(); close(done) }()
		for running := true; running; {
			select {
			case <-done:
				running = false
			case <-time.After(5 * time.Millisecond):
			}
			assert.Zero(t, number(t, raw, forgottenRows))
		}
		for i := range services {
			s := untilStatus(t, engines[1], ownOrder(i).Key, func(s engine.Status) bool { return s.AsDesired })
			assert.False(t, s.Instance.Suspended)
		}
		_, err := raw.ExecContext(t.Context(), `UPDATE hvpanels_target SET gen=gen+1, due_at=NULL, lease_until=NULL`)
		require.ErrorContains(t, err, "hvpanels_dirty_is_leased_or_due", "the database itself keeps the rule")
		for _, s := range panel.Servers() {
			assert.False(t, s.Suspended)
		}
	})
}

// hanging is a provider whose reads hang, as long as it is told to, whatever the context says.
type hanging struct {
	*virtfusion.Provider
	mu   sync.Mutex
	hang chan struct{}
}

func (h *hanging) set(c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hang = c
}

func (h *hanging) Instance(ctx context.Context, id provisioning.ID) (provisioning.Instance, error) {
	h.mu.Lock()
	c := h.hang
	h.mu.Unlock()
	if c != nil {
		<-c
	}
	return h.Provider.Instance(ctx, id)
}

func TestAStepThatHangsLosesItsRowAfterItsTimeout(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		stuck := &hanging{Provider: newProvider(t, panel)}
		c := config(db, stuck)
		c.Timings.StepTimeout, c.Timings.Lease = 500*time.Millisecond, 600*time.Millisecond
		e := start(t, c)
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		s := ready(t, e, "order-1")
		hang := make(chan struct{})
		release := sync.OnceFunc(func() { close(hang) })
		t.Cleanup(release)
		stuck.set(hang)
		notify(t, e, s.Instance.ID)
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.Targets[0].Working })

		c.Providers = map[string]provisioning.Provider{"alpha": newProvider(t, panel)}
		other := start(t, c)
		require.NoError(t, other.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
		assert.True(t, untilStatus(t, other, "order-1", func(s engine.Status) bool { return s.AsDesired }).Instance.Suspended)
		stuck.set(nil)
		release()
		require.NoError(t, e.Close(t.Context())) // the late step has ended
		assert.True(t, ready(t, other, "order-1").Instance.Suspended, "what the late step saw is not stored")
	})
}

// late is a provider whose Suspend is carried out long after its process has lost the row.
type late struct {
	*virtfusion.Provider
	wait chan struct{}
	sent chan struct{}
	once sync.Once
}

func (l *late) Suspend(ctx context.Context, id provisioning.ID, reason string) (op *provisioning.Operation, err error) {
	slow := false
	l.once.Do(func() { slow = true })
	if slow {
		<-l.wait
		ctx = context.WithoutCancel(ctx)
		defer close(l.sent)
	}
	return l.Provider.Suspend(ctx, id, reason)
}

func TestALateWriteOfAProcessThatLostItsRowIsPutRight(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		slow := &late{Provider: newProvider(t, panel), wait: make(chan struct{}), sent: make(chan struct{})}
		c := config(db, slow)
		c.Timings.StepTimeout, c.Timings.Lease = 300*time.Millisecond, 600*time.Millisecond
		e := start(t, c)
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		s := ready(t, e, "order-1")
		release := sync.OnceFunc(func() { close(slow.wait) })
		t.Cleanup(release)
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.State == engine.Changing && s.Targets[0].Working })
		// Another process takes over; by then the customer has paid.
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Present}))
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
		release()
		<-slow.sent
		server, _ := panel.Server(serverID(t, s.Instance.ID))
		require.True(t, server.Suspended, "the late write has arrived")
		eventually(t, func() bool {
			server, _ := panel.Server(serverID(t, s.Instance.ID))
			return !server.Suspended
		}, func() string { s, _ := e.Status(t.Context(), "order-1"); return string(s.State) + ": " + s.Message })
		ready(t, e, "order-1")
	})
}

func TestManyProcessesMayStartAtOnceOnAnEmptyDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		dropTables(t, db)
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				e, err := engine.Open(t.Context(), config(db, newProvider(t, panel)))
				if assert.NoError(t, err) {
					assert.NoError(t, e.Close(t.Context()))
				}
			})
		}
		all.Wait()
	})
}

func TestAPausedHolderOfTheLockCannotSaveOverItsSuccessor(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		c := config(db, newProvider(t, newPanel(t)))
		c.Timings.Lease = 2 * time.Second
		e := open(t, c) // not started: nobody renews leases, as in a process that is stopped
		first, second := e.NewIntents(), e.NewIntents()
		ctx := t.Context()
		unlock, err := first.Lock(ctx, "panel owner 1")
		require.NoError(t, err)
		planned := provisioning.Intent{Key: "order-1", Scope: "panel owner 1", Owner: "1", SendBefore: time.Now().Add(time.Minute).UTC().Truncate(time.Millisecond)}
		require.NoError(t, first.Save(ctx, planned))
		_, err = second.Lock(ctx, "panel owner 1")
		require.ErrorIs(t, err, engine.ErrBusy)
		var unlock2 func()
		eventually(t, func() bool { unlock2, err = second.Lock(ctx, "panel owner 1"); return err == nil }, func() string { return fmt.Sprint(err) })
		adopted := planned
		adopted.ID = "7"
		require.NoError(t, second.Save(ctx, adopted))

		again := planned
		again.Closed = true
		require.Error(t, first.Save(ctx, again), "it lost the lock")
		require.Error(t, first.Save(ctx, provisioning.Intent{Key: "order-2", Scope: "panel owner 1"}), "and cannot plan either")
		unlock() // must not free the successor's lock
		_, err = e.NewIntents().Lock(ctx, "panel owner 1")
		require.ErrorIs(t, err, engine.ErrBusy)
		stored, err := second.Load(ctx, "order-1")
		require.NoError(t, err)
		assert.Equal(t, adopted, stored)
		open, err := second.Open(ctx, "panel owner 1")
		require.NoError(t, err)
		assert.Empty(t, open)
		unlock2()
		_, err = first.Load(ctx, "order-9")
		require.ErrorIs(t, err, provisioning.NotFound)
	})
}

func TestApplyTxIsTheOutbox(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e := start(t, config(db, newProvider(t, panel)))
		raw := rawDB(t, db)
		_, err := raw.ExecContext(t.Context(), `CREATE TABLE invoice (id TEXT PRIMARY KEY)`)
		require.NoError(t, err)
		for key, commit := range map[string]bool{"paid": true, "not-paid": false} {
			tx, err := raw.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			_, err = tx.ExecContext(t.Context(), `INSERT INTO invoice VALUES ('`+key+`')`)
			require.NoError(t, err)
			require.NoError(t, e.ApplyTx(t.Context(), engine.SQLTx(tx), order(key)))
			if commit {
				require.NoError(t, tx.Commit())
			} else {
				require.NoError(t, tx.Rollback())
			}
		}
		ready(t, e, "paid")
		_, err = e.Status(t.Context(), "not-paid")
		require.ErrorIs(t, err, provisioning.NotFound)
		assert.Equal(t, int64(1), number(t, raw, `SELECT count(*) FROM invoice`))
		assert.Len(t, panel.Servers(), 1)
	})
}

func TestApplyTxTakesAPgxTransaction(t *testing.T) {
	t.Parallel()
	db := postgresURL(t)
	panel := newPanel(t)
	e := start(t, config(db, newProvider(t, panel)))
	conn := pgxConnect(t, db)
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, e.ApplyTx(t.Context(), engine.PgxTx(tx), order("order-1")))
	require.NoError(t, tx.Commit(t.Context()))
	ready(t, e, "order-1")
}

func TestCloseLetsTheNextProcessGoOnAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		c := config(db, newProvider(t, panel))
		first, err := engine.Open(t.Context(), c)
		require.NoError(t, err)
		require.NoError(t, first.Start(t.Context()))
		panel.Inject(provisioningtest.Fault{Op: "createServer", Do: provisioningtest.HangAfter})
		require.NoError(t, first.Apply(t.Context(), order("order-1")))
		eventually(t, func() bool { return len(panel.Servers()) == 1 }, func() string { return "no create" })
		soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := first.Close(soon); err != nil {
			assert.True(t, errors.Is(err, context.DeadlineExceeded), err.Error())
		}
		next := start(t, c)
		began := time.Now()
		ready(t, next, "order-1")
		assert.Less(t, time.Since(began), 3*time.Second, "no lease had to end")
		assert.Equal(t, 1, panel.Count("createServer"))
	})
}

func TestOpenSaysWhatIsWrongAndNoSecret(t *testing.T) {
	t.Parallel()
	provider := newProvider(t, newPanel(t))
	for name, change := range map[string]func(*engine.Config){
		"no database":              func(c *engine.Config) { c.DatabaseURL = "" },
		"another database":         func(c *engine.Config) { c.DatabaseURL = "mysql://root:hunter2-hunter2@h/db" },
		"a bad postgres address":   func(c *engine.Config) { c.DatabaseURL = "postgres://root:hunter2-hunter2@h:port/db" },
		"memory":                   func(c *engine.Config) { c.DatabaseURL = "sqlite::memory:" },
		"no provider":              func(c *engine.Config) { c.Providers = nil },
		"a bad name":               func(c *engine.Config) { c.Providers = map[string]provisioning.Provider{"Amsterdam": provider} },
		"a nil provider":           func(c *engine.Config) { c.Providers["beta"] = nil },
		"one name twice":           func(c *engine.Config) { c.Registrars = map[string]provisioning.Registrar{"alpha": nil} },
		"too many workers":         func(c *engine.Config) { c.Workers = 20_000 },
		"a short password key":     func(c *engine.Config) { c.PasswordKey = "hunter2-hunter2" },
		"a time below zero":        func(c *engine.Config) { c.Timings.Lease = -1 },
		"no workers for one panel": func(c *engine.Config) { c.PanelWorkers = map[string]int{"alpha": 0} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(sqliteURL(t), provider)
			change(&c)
			_, err := engine.Open(t.Context(), c)
			require.ErrorIs(t, err, provisioning.Invalid)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, fmt.Sprintf("%+v %#v %v", c, c, strings.Repeat(" ", 1)), "hunter2")
		})
	}
}
