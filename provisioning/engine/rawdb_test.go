package engine_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// rawDB opens the database beside the engine.
func rawDB(t *testing.T, url provisioning.Secret) *sql.DB {
	t.Helper()
	driver, address := "pgx", url.Reveal()
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_txlock=immediate"
	}
	db, err := sql.Open(driver, address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// number reads one number.
func number(t *testing.T, db *sql.DB, query string) (n int64) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

// forgottenRows counts rows that nobody would ever look at again, although there is something to do: there must be none at any time.
const forgottenRows = `SELECT count(*) FROM hvpanels_target WHERE gen<>done_gen AND lease_until IS NULL AND due_at IS NULL`

// quiet waits until the engine has nothing to do soon: whatever it was going to send has been sent.
func quiet(t *testing.T, url provisioning.Secret) {
	t.Helper()
	db := rawDB(t, url)
	var busy int64
	eventually(t, func() bool {
		busy = number(t, db, fmt.Sprintf(`SELECT count(*) FROM hvpanels_target WHERE gen<>done_gen AND (lease_until IS NOT NULL OR due_at<%d)`,
			time.Now().Add(time.Minute).UnixMilli()))
		return busy == 0
	}, func() string { return fmt.Sprint(busy, " rows are waiting") })
}

func snapshot(t *testing.T, p *ospabpaneltest.Panel) (s ospabpaneltest.State) {
	t.Helper()
	b, err := p.Snapshot()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &s))
	return s
}

func restore(t *testing.T, p *ospabpaneltest.Panel, s ospabpaneltest.State) {
	t.Helper()
	b, err := json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, p.Restore(b))
}

func pgxConnect(t *testing.T, db provisioning.Secret) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.Reveal())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// dropTables empties the database.
func dropTables(t *testing.T, db provisioning.Secret) {
	t.Helper()
	if path, ok := strings.CutPrefix(db.Reveal(), "sqlite:"); ok {
		require.NoError(t, os.Remove(path))
		return
	}
	_, err := rawDB(t, db).ExecContext(t.Context(), `DROP SCHEMA public CASCADE; CREATE SCHEMA public`)
	require.NoError(t, err)
}
