package engine

import (
	"context"
	"strings"
	"sync"
)

// turn lets the writers of this process to an SQLite file one after the other. SQLite itself lets whoever finds the file locked sleep for a while and try
// again, and with many writers that is most of what they do.
type turn chan struct{}

func (t turn) take(ctx context.Context) (give func(), err error) {
	select {
	case t <- struct{}{}:
		return sync.OnceFunc(func() { <-t }), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// oneWriter runs statements outside of a transaction; those that write wait for their turn.
type oneWriter struct {
	Tx
	turn turn
}

func (o oneWriter) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	give, err := o.turn.take(ctx)
	if err != nil {
		return 0, err
	}
	defer give()
	return o.Tx.Exec(ctx, query, args...)
}

func (o oneWriter) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	if strings.HasPrefix(query, "SELECT ") {
		return o.Tx.Query(ctx, query, args...)
	}
	give, err := o.turn.take(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := o.Tx.Query(ctx, query, args...)
	if err != nil {
		give()
		return nil, err
	}
	return turnRows{rows, give}, nil
}

// turnRows is what a statement that writes returns.
type turnRows struct {
	Rows
	give func()
}

func (r turnRows) Close() error {
	defer r.give()
	return r.Rows.Close()
}
