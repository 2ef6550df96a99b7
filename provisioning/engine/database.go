package engine

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/hvpanels/hvpanels/provisioning"
)

// database is SQLite or PostgreSQL with River on it.
type database interface {
	// pool runs statements outside of a transaction.
	pool() conn
	// tx runs f in a transaction, and again when the database asks for it.
	tx(ctx context.Context, f func(txn) error) error
	migrate(ctx context.Context) error
	// river makes the client that sends and receives wake-ups.
	river(e *Engine) error
	start(ctx context.Context) error
	stop(ctx context.Context) error
	close()
}

// dialect is what differs between the two databases. Statements are written with $1 for parameters, and {now} for the database's clock in milliseconds since 1970.
type dialect struct {
	replace *strings.Replacer
	// retry reports an error after which the same transaction may be run again.
	retry func(error) bool
}

// conn runs statements of the engine's dialect.
type conn struct {
	q Tx
	d *dialect
}

func (c conn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	n, err := c.q.Exec(ctx, c.d.replace.Replace(query), args...)
	if err != nil {
		return 0, fmt.Errorf("engine: database: %w", err)
	}
	return n, nil
}

// each calls f for every row of the result.
func (c conn) each(ctx context.Context, query string, args []any, f func(scan func(...any) error) error) (err error) {
	rows, err := c.q.Query(ctx, c.d.replace.Replace(query), args...)
	if err != nil {
		return fmt.Errorf("engine: database: %w", err)
	}
	defer func() {
		if cerr := rows.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("engine: database: %w", cerr)
		}
	}()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("engine: database: %w", err)
	}
	return nil
}

// one scans the first row of the result; ok is false when there is none.
func (c conn) one(ctx context.Context, query string, args []any, dest ...any) (ok bool, err error) {
	err = c.each(ctx, query, args, func(scan func(...any) error) error {
		if ok {
			return nil
		}
		ok = true
		return scan(dest...)
	})
	return ok && err == nil, err
}

// txn is a transaction that can send wake-ups with it.
type txn struct {
	conn
	wake func(ctx context.Context, jobs []wakeUp) error
}

// wakeUp is what River carries: look at a row. It holds nothing that matters: every one may be lost or doubled.
type wakeUp struct {
	ID    string `json:"id"`
	Probe bool   `json:"probe,omitempty"` // look although the panel is paused
	panel string
	// routine wake-ups go behind all others.
	routine bool
}

// priority is River's, of which 1 is the highest.
func (w wakeUp) priority() int {
	if w.routine {
		return 2
	}
	return 1
}

// Kind is River's name for the job.
func (wakeUp) Kind() string { return "hvpanels_step" }

const queuePrefix = "hvpanels-"

// riverDB is a database of either kind; T is the transaction type of its driver.
type riverDB[T any] struct {
	d         *dialect
	statement Tx
	driver    riverdriver.Driver[T]
	begin     func(ctx context.Context, f func(T, Tx) error) error
	shut      func()
	client    *river.Client[T]
}

func (r *riverDB[T]) pool() conn { return conn{r.statement, r.d} }

func (r *riverDB[T]) tx(ctx context.Context, f func(txn) error) error {
	const tries = 5
	for i := 1; ; i++ {
		err := r.begin(ctx, func(t T, q Tx) error {
			return f(txn{conn{q, r.d}, func(ctx context.Context, jobs []wakeUp) error { return r.insert(ctx, t, jobs) }})
		})
		if err == nil || i == tries || !r.d.retry(err) || pause(ctx, time.Duration(i)*20*time.Millisecond) != nil {
			return err
		}
	}
}

func (r *riverDB[T]) insert(ctx context.Context, t T, jobs []wakeUp) error {
	if len(jobs) == 0 || r.client == nil {
		return nil
	}
	all := make([]river.InsertManyParams, 0, len(jobs))
	for _, j := range jobs {
		all = append(all, river.InsertManyParams{Args: j, InsertOpts: &river.InsertOpts{Queue: queuePrefix + j.panel, Priority: j.priority(), MaxAttempts: 1}})
	}
	if _, err := r.client.InsertManyFastTx(ctx, t, all); err != nil {
		return fmt.Errorf("engine: wake-up: %w", err)
	}
	return nil
}

// migrate brings River's tables and ours up to date. When several processes start at once on an empty database all but one fail, and succeed when they try again.
func (r *riverDB[T]) migrate(ctx context.Context) error {
	const tries = 20
	for i := 1; ; i++ {
		err := r.migrateOnce(ctx)
		if err == nil || i == tries {
			return err
		}
		if perr := pause(ctx, time.Duration(50+10*i)*time.Millisecond); perr != nil {
			return err
		}
	}
}

func (r *riverDB[T]) migrateOnce(ctx context.Context) error {
	m, err := rivermigrate.New(r.driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("engine: migrate: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("engine: migrate River's tables: %w", err)
	}
	return r.tx(ctx, func(t txn) error { return migrateTables(ctx, t.conn, migrations) })
}

func (r *riverDB[T]) river(e *Engine) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[wakeUp]) error {
		e.work(ctx, job.Args)
		return nil // what went wrong is in the row, and River is not to retry anything
	}))
	queues := map[string]river.QueueConfig{}
	for name, p := range e.panels {
		queues[queuePrefix+name] = river.QueueConfig{MaxWorkers: p.workers}
	}
	client, err := river.NewClient(r.driver, &river.Config{
		Queues: queues, Workers: workers, Logger: slog.New(warnings{e.log.Handler()}),
		FetchCooldown: 20 * time.Millisecond, FetchPollInterval: 500 * time.Millisecond,
		JobTimeout: -1, RescueStuckJobsAfter: time.Hour, MaxAttempts: 1, // a step has its own timeout, and a row its own lease
		CompletedJobRetentionPeriod: time.Minute, CancelledJobRetentionPeriod: time.Minute, DiscardedJobRetentionPeriod: time.Minute,
	})
	if err != nil {
		return fmt.Errorf("engine: River: %w", err)
	}
	r.client = client
	return nil
}

func (r *riverDB[T]) start(ctx context.Context) error {
	if err := r.client.Start(ctx); err != nil {
		return fmt.Errorf("engine: River: %w", err)
	}
	return nil
}

func (r *riverDB[T]) stop(ctx context.Context) error { return r.client.Stop(ctx) }

func (r *riverDB[T]) close() { r.shut() }

// warnings drops what River says below the level of a warning.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

func (w warnings) WithAttrs(a []slog.Attr) slog.Handler { return warnings{w.Handler.WithAttrs(a)} }

func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// openDatabase chooses by the URL. The error does not show it: it may hold a password.
func openDatabase(ctx context.Context, url provisioning.Secret) (database, error) {
	text := url.Reveal()
	switch {
	case strings.HasPrefix(text, "sqlite:"):
		return openSQLite(ctx, strings.TrimPrefix(text, "sqlite:"))
	case strings.HasPrefix(text, "postgres://"), strings.HasPrefix(text, "postgresql://"):
		return openPostgres(ctx, text)
	}
	return nil, provisioning.InvalidField("databaseURL", "must begin with sqlite: or postgres://")
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
