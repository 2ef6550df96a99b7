package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/riverqueue/river/riverdriver/riversqlite"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"github.com/hvpanels/hvpanels/provisioning"
)

var sqliteDialect = &dialect{
	replace: strings.NewReplacer("$", "?", "{now}", "CAST(unixepoch('subsec')*1000 AS INTEGER)", "{forupdate}", "", "{skiplocked}", ""),
	retry: func(err error) bool {
		var e *sqlite.Error
		return errors.As(err, &e) && e.Code()&0xff == sqlitelib.SQLITE_BUSY
	},
}

const sqliteSettings = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"

// openSQLite opens a file, and makes it readable for its user only. Every transaction takes the write lock when it begins, because SQLite refuses to upgrade
// a read to a write under contention; FULL, because an intent that a power cut takes away is a second server.
func openSQLite(ctx context.Context, path string) (database, error) {
	if path == "" || strings.ContainsAny(path, "?\x00") || strings.Contains(path, ":memory:") {
		return nil, provisioning.InvalidField("databaseURL", "sqlite: must be followed by the path of a file")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- the path is the caller's
	if err != nil {
		return nil, fmt.Errorf("engine: database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("engine: database: %w", err)
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: sqliteSettings}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("engine: database: %w", err)
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	if err := firstContact(ctx, db); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("engine: database: %w", err)
	}
	return &riverDB[*sql.Tx]{
		d: sqliteDialect, statement: SQLTx(db), driver: riversqlite.New(db), shut: func() { _ = db.Close() },
		begin: func(ctx context.Context, f func(*sql.Tx, Tx) error) error { return beginSQL(ctx, db, f) },
	}, nil
}

// firstContact switches the file to WAL. SQLite does not wait for other processes that do the same at this moment, whatever busy_timeout says.
func firstContact(ctx context.Context, db *sql.DB) error {
	const tries = 50
	for i := 1; ; i++ {
		err := db.PingContext(ctx)
		if err == nil || i == tries || !sqliteDialect.retry(err) || pause(ctx, time.Duration(i)*5*time.Millisecond) != nil {
			return err
		}
	}
}

func beginSQL(ctx context.Context, db *sql.DB, f func(*sql.Tx, Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("engine: database: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := f(tx, SQLTx(tx)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("engine: database: commit: %w", err)
	}
	return nil
}
