package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning"
)

// database holds what a main site has besides services: its customers and their orders. It is the engine's database, too, so that an order and its service are stored in one transaction. Its statements run
// on SQLite and on PostgreSQL.
type database struct{ *sql.DB }

var tables = []string{
	`CREATE TABLE IF NOT EXISTS mainsite_customer (id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, ospab_user_id BIGINT UNIQUE)`,
	`CREATE TABLE IF NOT EXISTS mainsite_order (key TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES mainsite_customer(id), hostname TEXT NOT NULL, body TEXT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS mainsite_simulated_panel (name TEXT PRIMARY KEY, snapshot TEXT NOT NULL)`,
}

// openDatabase connects and makes the tables. Its errors do not show the URL, which may hold a password.
func openDatabase(ctx context.Context, url provisioning.Secret) (*database, error) {
	db, err := connect(url.Reveal())
	if err != nil {
		return nil, err
	}
	d := &database{db}
	if err := d.makeTables(ctx); err != nil {
		d.close()
		return nil, fmt.Errorf("the database: %w", err)
	}
	return d, nil
}

// makeTables tries again: of several processes that make a table at the same moment, all but one may fail, whatever IF NOT EXISTS says.
func (d *database) makeTables(ctx context.Context) error {
	const tries = 10
	for i := 1; ; i++ {
		err := d.tx(ctx, func(tx *sql.Tx) error {
			for _, t := range tables {
				if _, err := tx.ExecContext(ctx, t); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil || i == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(i) * 20 * time.Millisecond):
		}
	}
}

func connect(text string) (*sql.DB, error) {
	path, isFile := strings.CutPrefix(text, "sqlite:")
	switch {
	case isFile && path != "" && !strings.ContainsAny(path, "?\x00"):
		return connectSQLite(path)
	case strings.HasPrefix(text, "postgres://"), strings.HasPrefix(text, "postgresql://"):
		c, err := pgx.ParseConfig(text)
		if err != nil {
			return nil, usageError{errors.New(envDatabaseURL + " is not a valid postgres:// address")}
		}
		return stdlib.OpenDB(*c), nil
	}
	return nil, usageError{errors.New(envDatabaseURL + " must begin with postgres:// or sqlite:, and -db must be a plain path")}
}

// connectSQLite opens the file as the engine does: transactions take the write lock when they begin, and what is committed survives a power cut. Only its user may read it.
func connectSQLite(path string) (*sql.DB, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- the user names the file
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("the database: %w", err)}
	}
	u := url.URL{
		Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(),
		RawQuery: "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate",
	}
	return sql.Open("sqlite", u.String())
}

func (d *database) close() { _ = d.Close() }

// tx runs f in a transaction.
func (d *database) tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// customer is a user of the main site.
type customer struct {
	ID    string `json:"id"` // the main site's own
	Name  string `json:"name"`
	Email string `json:"email"`
	// OSPABUserID is the customer's id on the OSPAB panel, which is another number than ID. It is absent until the panel has the user, which is usually after the first login.
	OSPABUserID provisioning.Opt[ospabpanel.PanelUserID] `json:"ospabUserId,omitzero"`
}

func loadCustomer(ctx context.Context, q querier, id string) (customer, error) {
	c := customer{ID: id}
	var user sql.Null[int64]
	err := q.QueryRowContext(ctx, `SELECT name, email, ospab_user_id FROM mainsite_customer WHERE id=$1`, id).Scan(&c.Name, &c.Email, &user)
	if errors.Is(err, sql.ErrNoRows) {
		return c, &provisioning.Error{Kind: provisioning.NotFound, Message: fmt.Sprintf("there is no customer %.40q", id)}
	}
	if user.Valid {
		c.OSPABUserID = provisioning.Some(ospabpanel.PanelUserID(user.V))
	}
	return c, err
}

// saveCustomer stores a customer. The OSPAB user of a customer can be added and never changed, and belongs to one customer: otherwise customers would see the servers of others.
func (d *database) saveCustomer(ctx context.Context, c customer) (userAdded bool, err error) {
	user, has := c.OSPABUserID.Get()
	err = d.tx(ctx, func(tx *sql.Tx) error {
		old, err := loadCustomer(ctx, tx, c.ID)
		if err != nil && !errors.Is(err, provisioning.NotFound) {
			return err
		}
		if has {
			if err := userIsFree(ctx, tx, user, c.ID); err != nil {
				return err
			}
		}
		r, err := tx.ExecContext(ctx, `INSERT INTO mainsite_customer(id, name, email, ospab_user_id) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET name=excluded.name, email=excluded.email, ospab_user_id=excluded.ospab_user_id
			WHERE mainsite_customer.ospab_user_id IS NULL OR mainsite_customer.ospab_user_id=excluded.ospab_user_id`,
			c.ID, c.Name, c.Email, sql.Null[int64]{V: int64(user), Valid: has})
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, conflict("customer %s has a user of the OSPAB panel, which cannot be changed", c.ID))
		}
		_, had := old.OSPABUserID.Get()
		userAdded = has && !had
		return nil
	})
	return userAdded, err
}

func userIsFree(ctx context.Context, q querier, user ospabpanel.PanelUserID, customer string) error {
	var other string
	err := q.QueryRowContext(ctx, `SELECT id FROM mainsite_customer WHERE ospab_user_id=$1 AND id<>$2`, int64(user), customer).Scan(&other)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return conflict("user %d of the OSPAB panel is customer %s", user, other)
}

func conflict(format string, args ...any) error {
	return &provisioning.Error{Kind: provisioning.Conflict, Message: fmt.Sprintf(format, args...)}
}

// PanelUserID implements ospabpanel.UserResolver: it finds the panel's id of a customer in the table.
func (d *database) PanelUserID(ctx context.Context, mainSiteUser string) (ospabpanel.PanelUserID, error) {
	c, err := loadCustomer(ctx, d, mainSiteUser)
	if err != nil {
		return 0, err
	}
	user, ok := c.OSPABUserID.Get()
	if !ok {
		return 0, &provisioning.Error{Kind: provisioning.NotFound, Message: "customer " + c.ID + " has no user there yet"}
	}
	return user, nil
}

// saveOrder stores an order. fresh is false when the same one was there before; another one with the same key is a Conflict.
func saveOrder(ctx context.Context, tx *sql.Tx, key, customer, hostname, body string) (fresh bool, err error) {
	r, err := tx.ExecContext(ctx, `INSERT INTO mainsite_order(key, customer, hostname, body) VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING`, key, customer, hostname, body)
	if err != nil {
		return false, err
	}
	if n, err := r.RowsAffected(); err != nil || n > 0 {
		return true, err
	}
	var before string
	if err := tx.QueryRowContext(ctx, `SELECT body FROM mainsite_order WHERE key=$1`, key).Scan(&before); err != nil {
		return false, err
	}
	if before != body {
		return false, conflict("%s is the key of another order", key)
	}
	return false, nil
}

// placed is an order as it is shown with its service.
type placed struct{ key, customer, hostname string }

// orders lists up to n orders behind a key, of one customer unless that is "".
func (d *database) orders(ctx context.Context, customer, after string, n int) (_ []placed, err error) {
	rows, err := d.QueryContext(ctx, `SELECT key, customer, hostname FROM mainsite_order WHERE key>$1 AND ($2='' OR customer=$2) ORDER BY key LIMIT $3`, after, customer, n)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var all []placed
	for rows.Next() {
		var o placed
		if err := rows.Scan(&o.key, &o.customer, &o.hostname); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, rows.Err()
}

func (d *database) order(ctx context.Context, key string) (placed, error) {
	o := placed{key: key}
	err := d.QueryRowContext(ctx, `SELECT customer, hostname FROM mainsite_order WHERE key=$1`, key).Scan(&o.customer, &o.hostname)
	if errors.Is(err, sql.ErrNoRows) {
		return o, &provisioning.Error{Kind: provisioning.NotFound, Message: fmt.Sprintf("there is no order %.40q", key)}
	}
	return o, err
}

// saveSnapshot and loadSnapshot keep a simulated panel. loadSnapshot returns nil when there is none.
func (d *database) saveSnapshot(ctx context.Context, name string, snapshot []byte) error {
	_, err := d.ExecContext(ctx, `INSERT INTO mainsite_simulated_panel(name, snapshot) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET snapshot=excluded.snapshot`, name, string(snapshot))
	return err
}

func (d *database) loadSnapshot(ctx context.Context, name string) ([]byte, error) {
	var text string
	err := d.QueryRowContext(ctx, `SELECT snapshot FROM mainsite_simulated_panel WHERE name=$1`, name).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return []byte(text), err
}
