// Provision takes orders for VPS through their whole way: the customer's account, the server, its installation, and its record on an OSPAB panel.
//
// Without settings it uses simulated panels and a built-in order, and touches nothing outside of this process:
//
//	go run ./examples/provision
//	go run ./examples/provision -panel solusvm2
//
// README.md in this folder describes orders, settings and exit codes. provision.go is the part to copy.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hvpanels/hvpanels/examples/internal/terminal"
	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1 // an order did not become a running server
	exitUsage       = 2 // a flag, a setting or an order is wrong; nothing was sent
	exitOSPAB       = 3 // all servers are there, but the OSPAB panel does not know it all
	exitInterrupted = 130
)

const atOnce = 4 // orders

// usageError is a mistake of the caller, found before anything was sent.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// config is what flags and environment say.
type config struct {
	order, state, panel string
	json, showPassword  bool
	settle, timeout     time.Duration
	watchMax            time.Duration
	fallbackLocation    int64
	records             recordFlags
	getenv              func(string) string
}

// recordFlags collects -record KEY=ID.
type recordFlags map[string]string

// String implements flag.Value.
func (r recordFlags) String() string { return "" }

// Set implements flag.Value.
func (r recordFlags) Set(s string) error {
	key, id, ok := strings.Cut(s, "=")
	if !ok || key == "" || id == "" {
		return errors.New("must be KEY=ID or KEY=none")
	}
	r[key] = id
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run is the program. Its result is the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	c, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitDone
	}
	if err != nil {
		return exitUsage // the flag package has said why
	}
	c.getenv = getenv
	code, err := provisionAll(ctx, c, stdout, stderr)
	if err != nil {
		say(stderr, "provision: %v\n", err)
		if errors.As(err, new(usageError)) {
			return exitUsage
		}
		return cmp.Or(code, exitFailed)
	}
	return code
}

func parseFlags(args []string, stderr io.Writer) (config, error) {
	c := config{records: recordFlags{}}
	f := flag.NewFlagSet("provision", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&c.order, "order", "", "`FILE` with a JSON order or an array of orders (default a built-in order, with simulated panels only)")
	f.StringVar(&c.panel, "panel", "", "`KIND` of the panel with the servers: virtfusion or solusvm2 (default virtfusion)")
	f.StringVar(&c.state, "state", "", "`DIR` that remembers orders, so that the same command continues after a crash (default ./hvpanels-state with real panels, nothing with simulated ones)")
	f.BoolVar(&c.json, "json", false, "print the result as JSON; what happens goes to the error output")
	f.BoolVar(&c.showPassword, "show-password", false, "put root passwords into the JSON")
	f.DurationVar(&c.timeout, "timeout", 30*time.Minute, "give up waiting after this time; the same command continues")
	f.DurationVar(&c.watchMax, "watch-max", 3*time.Second, "longest pause between two looks at an installation")
	f.DurationVar(&c.settle, "settle", 0, "how long a panel may still carry out a request whose answer was lost (default 2m, 2s with simulated panels)")
	f.Int64Var(&c.fallbackLocation, "fallback-location", 0, "`ID` of the VirtFusion hypervisor group for orders without a location when the groups cannot be read")
	f.Var(c.records, "record", "`KEY=ID` of an OSPAB record that was uncertain, or KEY=none when the panel has none; may be repeated")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 {
		say(stderr, "provision: unexpected argument %q: an order file is given with -order\n", f.Arg(0))
		return c, errors.New("unexpected argument")
	}
	return c, nil
}

// provisionAll runs the orders and prints what became of them.
func provisionAll(ctx context.Context, c config, stdout, stderr io.Writer) (int, error) {
	s, p, orders, err := open(ctx, &c)
	if err != nil {
		return exitFailed, err
	}
	defer p.close()
	out := stdout
	if c.json {
		out = stderr
	}
	screen := &screen{words: p.words, w: out, live: terminal.Is(out, c.getenv) && len(orders) == 1, start: time.Now()}
	screen.print("%s", introduction(c, p))

	within, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	results := runOrders(within, s, orders, screen)
	if c.json {
		if err := printJSON(stdout, p, results, c.showPassword); err != nil {
			return exitFailed, err
		}
	} else {
		for _, r := range results {
			summary(out, p, r)
		}
	}
	return s.verdict(ctx, c, results, stderr), nil
}

// open reads the orders, opens the panels and the state folder, and refuses whatever cannot work before anything is sent.
func open(ctx context.Context, c *config) (_ *shop, _ *panels, orders []order, err error) {
	k, err := c.kind()
	if err != nil {
		return nil, nil, nil, err
	}
	if orders, err = c.readOrders(k); err != nil {
		return nil, nil, nil, usageError{err}
	}
	users := ospabpanel.UserTable{}
	for _, o := range orders {
		users[o.Owner.Ref] = o.OSPAB.UserID
	}
	p, err := openPanels(ctx, *c, k, users)
	if err != nil {
		return nil, nil, nil, err
	}
	s, err := c.openShop(p, orders, users)
	if err != nil {
		p.close()
		return nil, nil, nil, err
	}
	return s, p, orders, nil
}

func (c config) readOrders(k kind) ([]order, error) {
	if c.order == "" {
		return parseOrders([]byte(builtInOrder(k.image)))
	}
	return readOrders(c.order)
}

func (c *config) openShop(p *panels, orders []order, users ospabpanel.UserTable) (*shop, error) {
	if !p.simulated && c.order == "" {
		return nil, usageError{errors.New("name the order with -order FILE: the built-in one is for simulated panels")}
	}
	for i, o := range orders {
		if p.registrar != nil && o.OSPAB.UserID < 1 {
			return nil, usageError{orderError(i, o.Key, errors.New("ospab.userId: must be the customer's user id on the OSPAB panel, which is not the main site's"))}
		}
	}
	dir := c.state
	switch {
	case dir == "" && p.simulated: // nothing outlives the simulated panels
		temporary, err := os.MkdirTemp("", "hvpanels-")
		if err != nil {
			return nil, err
		}
		p.onClose(func() { _ = os.RemoveAll(temporary) })
		dir = temporary
	case dir == "":
		c.state = "hvpanels-state"
		dir = c.state
	}
	intents, err := provisioning.NewFileIntents(dir)
	if err != nil {
		return nil, err
	}
	settle := p.settle(*c)
	s := &shop{
		panel: p.provider, intents: intents, watchMax: c.watchMax,
		create:  provisioning.CreateOptions{Settle: settle, SendWindow: min(settle, 30*time.Second)},
		records: &ledger{dir: dir, locks: intents, registrar: p.registrar, panel: p.ospabURL, users: users, settle: settle},
	}
	return s, s.resolveRecords(c.records, orders)
}

// resolveRecords stores what -record says.
func (s *shop) resolveRecords(flags recordFlags, orders []order) error {
	for key, id := range flags {
		if !slices.ContainsFunc(orders, func(o order) bool { return o.Key == key }) {
			return usageError{fmt.Errorf("-record %s: no order of this run has this key", key)}
		}
		if err := s.records.resolve(key, id); err != nil {
			return usageError{fmt.Errorf("-record %s=%s: %w", key, id, err)}
		}
	}
	return nil
}

// introduction says what this run drives.
func introduction(c config, p *panels) string {
	if p.simulated && c.state == "" {
		return "No panel is set, so this run uses simulated ones. Nothing leaves this process, and nothing is kept."
	}
	if p.simulated {
		return "No panel is set, so this run uses simulated ones, which are kept in " + c.state + "."
	}
	ospab := "OSPAB panel at " + p.ospabURL
	if p.registrar == nil {
		ospab = fmt.Sprintf("no OSPAB panel, because %s and %s are not set", ospabpanel.EnvPanelURL, ospabpanel.EnvSyncKey)
	}
	return fmt.Sprintf("%s panel at %s, %s. Orders are remembered in %s.", p.name, p.url, ospab, c.state)
}

// runOrders provisions the orders, a few at once.
func runOrders(ctx context.Context, s *shop, orders []order, screen *screen) []result {
	results := make([]result, len(orders))
	turns := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	for i, o := range orders {
		screen.width = max(screen.width, len(o.Key))
		results[i] = result{order: o, err: context.Canceled}
	}
	for i, o := range orders {
		running.Go(func() {
			select {
			case turns <- struct{}{}:
				defer func() { <-turns }()
				show := &progress{screen: screen, key: o.Key}
				show.line("order", describeOrder(o))
				results[i] = s.provision(ctx, o, show)
			case <-ctx.Done():
			}
		})
	}
	running.Wait()
	return results
}

func describeOrder(o order) string {
	text := fmt.Sprintf("%s with %s", o.Plan, o.Image)
	if o.Location != "" {
		text += " in " + o.Location
	}
	return text + " for customer " + o.Owner.Ref
}

// verdict prints a line for whatever is not as ordered, and returns the exit code.
func (s *shop) verdict(ctx context.Context, c config, results []result, stderr io.Writer) int {
	code := exitDone
	kept := "The same command continues."
	if c.state == "" {
		kept = "It ends with its simulated panel; -state DIR would keep both."
	}
	for _, r := range results {
		switch {
		case r.err == nil && r.ospabErr == nil:
			continue
		case r.err == nil:
			say(stderr, "provision: %s: the server is there, the OSPAB panel does not know it all: %v\n", r.order.Key, r.ospabErr)
			if code == exitDone {
				code = exitOSPAB
			}
			continue
		case ctx.Err() != nil && errors.Is(r.err, context.Canceled):
			say(stderr, "provision: %s: interrupted: %s. %s\n", r.order.Key, s.stored(r.order.Key), kept)
			code = exitInterrupted
			continue
		}
		say(stderr, "provision: %s: %v\n", r.order.Key, r.err)
		if errors.Is(r.err, provisioning.ErrMaybeApplied) || errors.Is(r.err, provisioning.ErrStillRunning) {
			say(stderr, "provision: %s: %s. %s\n", r.order.Key, s.stored(r.order.Key), kept)
		}
		if code != exitInterrupted {
			code = exitFailed
		}
	}
	return code
}

// stored says in words what the state folder knows about an order.
func (s *shop) stored(key string) string {
	in, err := s.intents.Load(context.Background(), key)
	switch {
	case errors.Is(err, provisioning.NotFound), err == nil && in.Closed:
		return "nothing was ordered from the panel"
	case err != nil:
		return err.Error()
	case in.ID == "":
		return "its create may have been sent, and its server is not known yet"
	}
	return "its server is " + string(in.ID)
}
