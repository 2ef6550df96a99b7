package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/hvpanels/hvpanels/provisioning"
)

// The clock is that of the statement: an index can be used with it, and not with clock_timestamp, which may change in the middle.
var postgresDialect = &dialect{
	replace: strings.NewReplacer("{now}", "(extract(epoch from statement_timestamp())*1000)::bigint", "{forupdate}", "FOR UPDATE", "{skiplocked}", "FOR UPDATE SKIP LOCKED"),
	retry: func(err error) bool {
		var e *pgconn.PgError
		return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01") // serialization failure, deadlock
	},
}

func openPostgres(ctx context.Context, url string) (database, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, provisioning.InvalidField("databaseURL", "is not a valid postgres:// address") // pgx's error may show it
	}
	config.MaxConns = max(config.MaxConns, 10) // pgx opens as many as there are processors, and River listens on one
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("engine: database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("engine: database: %w", err)
	}
	return &riverDB[pgx.Tx]{
		d: postgresDialect, statement: PgxTx(pool), driver: riverpgxv5.New(pool), shut: pool.Close,
		begin: func(ctx context.Context, f func(pgx.Tx, Tx) error) error { return beginPgx(ctx, pool, f) },
	}, nil
}

func beginPgx(ctx context.Context, pool *pgxpool.Pool, f func(pgx.Tx, Tx) error) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("engine: database: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing
	if err := f(tx, PgxTx(tx)); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("engine: database: commit: %w", err)
	}
	return nil
}
