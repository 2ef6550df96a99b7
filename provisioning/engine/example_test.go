package engine_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	_ "modernc.org/sqlite"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// A simulated panel stands in for a real one; with a real one, leave Timings out.
func exampleEngine(database string) (e *engine.Engine, end func(), err error) {
	panel := virtfusiontest.NewPanel(virtfusiontest.Options{Speed: 100})
	client, err := virtfusion.New(panel.URL(), panel.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: panel.Transport()}))
	if err != nil {
		return nil, nil, err
	}
	e, err = engine.Open(context.Background(), engine.Config{
		DatabaseURL: provisioning.Secret("sqlite:" + database),
		Providers:   map[string]provisioning.Provider{"amsterdam": virtfusion.NewProvider(client, virtfusion.ProviderOptions{})},
		Timings:     engine.Timings{Sweep: 50 * time.Millisecond, Poll: 20 * time.Millisecond, Watch: 20 * time.Millisecond},
	})
	return e, panel.Close, err
}

func exampleOrder(key string) engine.Service {
	return engine.Service{Key: key, Provider: "amsterdam", Spec: provisioning.CreateRequest{
		Hostname: "web1.example.com",
		Plan:     strconv.FormatInt(virtfusiontest.PackageSmall, 10),
		Image:    strconv.FormatInt(virtfusiontest.TemplateDebian, 10),
		Owner:    provisioning.Owner{Ref: "1001", Name: "Ada", Email: "ada@example.com"},
		IPv4:     1,
	}}
}

// From the order to the cancellation.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	e, end, err := exampleEngine(filepath.Join(dir, "engine.db"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer end()
	if err := e.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = e.Close(ctx) }()

	const key = "order-4711"
	show := func(change engine.Service) {
		if err := e.Apply(ctx, change); err != nil {
			fmt.Println(err)
			return
		}
		s, err := e.WaitReady(ctx, key)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(s.Desired, "-", s.Message)
	}
	show(exampleOrder(key))
	password, err := e.TakePassword(ctx, key)
	fmt.Println("password:", password, err)
	show(engine.Service{Key: key, Desired: engine.Suspended})
	show(engine.Service{Key: key, Desired: engine.Present})
	show(engine.Service{Key: key, Desired: engine.Absent})
	fmt.Println(e.Apply(ctx, engine.Service{Key: key, Desired: engine.Present}))
	// Output:
	// present - as desired
	// password: [secret] <nil>
	// suspended - as desired
	// present - as desired
	// absent - absent, as desired
	// Apply: conflict: service order-4711 is to be absent, which is final; its key is never used again
}

// The order is stored in the transaction that stores the invoice: either both are there or none is.
func ExampleEngine_ApplyTx() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "shop.db")
	e, end, err := exampleEngine(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer end()
	defer func() { _ = e.Close(ctx) }()

	shop, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = shop.Close() }()
	if _, err := shop.ExecContext(ctx, `CREATE TABLE invoice (id TEXT PRIMARY KEY)`); err != nil {
		fmt.Println(err)
		return
	}
	sell := func(key string, paid bool) error {
		tx, err := shop.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, `INSERT INTO invoice VALUES (?)`, key); err != nil {
			return err
		}
		if err := e.ApplyTx(ctx, engine.SQLTx(tx), exampleOrder(key)); err != nil {
			return err
		}
		if !paid {
			return fmt.Errorf("%s: the card was refused", key)
		}
		return tx.Commit()
	}
	fmt.Println(sell("order-1", true))
	fmt.Println(sell("order-2", false))
	for s, err := range e.Services(ctx, engine.Filter{}) {
		fmt.Println(s.Key, s.State, err)
	}
	// Output:
	// <nil>
	// order-2: the card was refused
	// order-1 waiting <nil>
}
