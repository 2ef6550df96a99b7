package engine

import (
	"context"
	"database/sql"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/hvpanels/hvpanels/provisioning"
)

// NewIntents is the engine's table of intents, as one step sees it.
func (e *Engine) NewIntents() provisioning.Intents {
	return &intents{e: e, tokens: map[string]string{}, locked: func(string) {}}
}

// ErrBusy is what Lock returns while another step has the scope.
var ErrBusy = errBusy

// InTx runs f in a transaction on the engine's own connections.
func (e *Engine) InTx(ctx context.Context, f func(Tx) error) error {
	return e.db.tx(ctx, func(t txn) error { return f(t.q) })
}

// Write is a statement that changed rows.
type Write struct {
	Insert bool
	Rows   int64
	Bytes  int // of all texts among its parameters
}

// Transaction is what was written together. A statement outside of a transaction is one of its own, and Begun is false.
type Transaction struct {
	Begun  bool
	Writes []Write
}

// Recorder notes what an engine writes to its own tables. What River writes is not in it.
type Recorder struct {
	mu    sync.Mutex
	all   []Transaction
	reads int
}

// Record begins to note; it must be called before Start.
func (e *Engine) Record() *Recorder {
	r := &Recorder{}
	switch db := e.db.(type) {
	case *riverDB[*sql.Tx]:
		recorded(r, db)
	case *riverDB[pgx.Tx]:
		recorded(r, db)
	}
	return r
}

func recorded[T any](r *Recorder, db *riverDB[T]) {
	db.statement = recordedTx{db.statement, r, func(w Write) { r.add(Transaction{Writes: []Write{w}}) }}
	begin := db.begin
	db.begin = func(ctx context.Context, f func(T, Tx) error) error {
		whole := Transaction{Begun: true}
		err := begin(ctx, func(t T, q Tx) error {
			return f(t, recordedTx{q, r, func(w Write) { whole.Writes = append(whole.Writes, w) }})
		})
		if err == nil && len(whole.Writes) > 0 {
			r.add(whole)
		}
		return err
	}
}

func (r *Recorder) add(t Transaction) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, t)
}

// Take returns what was written since the last Take, in the order of the commits, and how many statements only read.
func (r *Recorder) Take() (all []Transaction, reads int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all, reads = r.all, r.reads
	r.all, r.reads = nil, 0
	return all, reads
}

// recordedTx passes statements on and tells of those that changed rows.
type recordedTx struct {
	Tx
	r     *Recorder
	wrote func(Write)
}

func (t recordedTx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	n, err := t.Tx.Exec(ctx, query, args...)
	t.note(query, args, n)
	return n, err
}

func (t recordedTx) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	rows, err := t.Tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return &recordedRows{Rows: rows, end: func(n int64) { t.note(query, args, n) }}, nil
}

func (t recordedTx) note(query string, args []any, rows int64) {
	if strings.HasPrefix(query, "SELECT") {
		t.r.mu.Lock()
		t.r.reads++
		t.r.mu.Unlock()
		return
	}
	if rows == 0 {
		return
	}
	w := Write{Insert: strings.HasPrefix(query, "INSERT"), Rows: rows}
	for _, a := range args {
		if s, ok := a.(string); ok {
			w.Bytes += len(s)
		}
	}
	t.wrote(w)
}

type recordedRows struct {
	Rows
	n   int64
	end func(n int64)
}

func (r *recordedRows) Next() bool {
	ok := r.Rows.Next()
	if ok {
		r.n++
	}
	return ok
}

func (r *recordedRows) Close() error {
	err := r.Rows.Close()
	r.end(r.n)
	return err
}

// Versions is how many versions of the tables there were.
func Versions() int { return len(migrations) }

// MigrateTo makes the tables as version n had them, in an empty database.
func MigrateTo(ctx context.Context, tx Tx, postgres bool, n int) error {
	c := conn{tx, sqliteDialect}
	if postgres {
		c.d = postgresDialect
	}
	return migrateTables(ctx, c, migrations[:n])
}
