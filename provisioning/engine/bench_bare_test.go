package engine

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Bare is River alone on the engine's kind of connection: the same driver, pool and settings, wake-ups that are sent in the same way, and jobs that write to one plain
// table what the engine was seen to write, as many rows in as many transactions.
type Bare struct {
	db     database
	first  Transaction   // what an order writes, together with its job
	others []Transaction // what the job writes
	done   func(error)
}

// OpenBare opens River on an empty database. done is called at the end of each job.
func OpenBare(ctx context.Context, url provisioning.Secret, workers int, first Transaction, others []Transaction, done func(error)) (*Bare, error) {
	db, err := openDatabase(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		return nil, err
	}
	b := &Bare{db, first, others, done}
	switch db := db.(type) {
	case *riverDB[*sql.Tx]:
		err = bareRiver(b, db, workers)
	case *riverDB[pgx.Tx]:
		err = bareRiver(b, db, workers)
	}
	if err != nil {
		return nil, err
	}
	if _, err = db.pool().exec(ctx, `CREATE TABLE bare (id TEXT PRIMARY KEY, body TEXT NOT NULL, changes BIGINT NOT NULL)`); err != nil {
		return nil, err
	}
	return b, db.start(context.WithoutCancel(ctx))
}

// bareRiver is riverDB.river with another worker.
func bareRiver[T any](b *Bare, db *riverDB[T], workers int) (err error) {
	all := river.NewWorkers()
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, job *river.Job[wakeUp]) error {
		b.done(b.work(ctx, job.Args.ID))
		return nil
	}))
	db.client, err = river.NewClient(db.driver, &river.Config{
		Queues: map[string]river.QueueConfig{queuePrefix + "alpha": {MaxWorkers: workers}}, Workers: all, Logger: slog.New(slog.DiscardHandler),
		FetchCooldown: 20 * time.Millisecond, FetchPollInterval: 500 * time.Millisecond,
		JobTimeout: -1, RescueStuckJobsAfter: time.Hour, MaxAttempts: 1,
		CompletedJobRetentionPeriod: time.Hour, CancelledJobRetentionPeriod: time.Hour, DiscardedJobRetentionPeriod: time.Hour,
	})
	return err
}

// Apply writes the first transaction of key and sends its job with it.
func (b *Bare) Apply(ctx context.Context, key string) error {
	return b.db.tx(ctx, func(t txn) error {
		if err := write(ctx, t.conn, key, 0, b.first); err != nil {
			return err
		}
		return t.wake(ctx, []wakeUp{{ID: key, panel: "alpha"}})
	})
}

func (b *Bare) work(ctx context.Context, key string) error {
	for i, t := range b.others {
		var err error
		if t.Begun {
			err = b.db.tx(ctx, func(x txn) error { return write(ctx, x.conn, key, i+1, t) })
		} else {
			err = write(ctx, b.db.pool(), key, i+1, t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// write inserts rows of their own and updates the first one.
func write(ctx context.Context, c conn, key string, transaction int, t Transaction) error {
	for i, w := range t.Writes {
		var n int64
		var err error
		body := strings.Repeat("x", w.Bytes)
		if w.Insert {
			n, err = c.exec(ctx, `INSERT INTO bare(id, body, changes) VALUES ($1, $2, 0)`, fmt.Sprintf("%s/%d/%d", key, transaction, i), body)
		} else {
			n, err = c.exec(ctx, `UPDATE bare SET body=$2, changes=changes+1 WHERE id=$1`, key+"/0/0", body)
		}
		if err == nil && n != 1 {
			err = fmt.Errorf("%d rows written for %s", n, key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close stops River.
func (b *Bare) Close(ctx context.Context) error {
	defer b.db.close()
	return b.db.stop(ctx)
}
