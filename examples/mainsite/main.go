// Mainsite is the main site of the OSPAB manual: HTTP routes that take orders for VPS and answer at once, while an engine makes the servers on a VirtFusion panel and keeps their records on an OSPAB panel.
//
// Without settings it uses simulated panels, plays a few orders against its own routes, and ends:
//
//	go run ./examples/mainsite
//	go run ./examples/mainsite -serve
//
// README.md in this folder describes routes, settings and flags. site.go and routes.go are the parts to copy.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2 // a flag or a setting is wrong; nothing was sent
	exitInterrupted = 130
)

// The settings that are not a panel's.
const (
	envDatabaseURL = "DATABASE_URL"
	envPasswordKey = "MAINSITE_PASSWORD_KEY" // #nosec G101 -- a name
	// envWebhookToken is what the webhooks of the VirtFusion panel carry. Without it there is no route for them.
	envWebhookToken = "VIRTFUSION_WEBHOOK_TOKEN" // #nosec G101 -- a name
)

const defaultAddress = "127.0.0.1:8080"

// usageError is a mistake of the caller, found before anything was sent.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// program is one run of this program.
type program struct {
	args           []string
	getenv         func(string) string
	stdout, stderr io.Writer
	timings        engine.Timings // of real panels; the zero value is right for them
}

// config is what flags and environment say.
type config struct {
	program
	listen, db       string
	moved            string
	serve            bool
	allowRemote      bool
	settle, check    time.Duration
	fallbackLocation int64
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(program{args: os.Args[1:], getenv: os.Getenv, stdout: os.Stdout, stderr: os.Stderr}.run(ctx))
}

// run is the program. Its result is the exit code.
func (p program) run(ctx context.Context) int {
	c, err := p.parseFlags()
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err == nil:
		err = c.start(ctx)
	}
	if err == nil {
		return exitDone
	}
	say(p.stderr, "mainsite: %v\n", err)
	switch {
	case errors.As(err, new(usageError)):
		return exitUsage
	case ctx.Err() != nil:
		return exitInterrupted
	}
	return exitFailed
}

func (p program) parseFlags() (config, error) {
	c := config{program: p}
	f := flag.NewFlagSet("mainsite", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.listen, "listen", "", "`ADDRESS` to listen at, port 0 for any (default "+defaultAddress+", and any port while it shows itself)")
	f.BoolVar(&c.allowRemote, "allow-remote", false, "allow an address that other machines can reach: the routes ask for no password")
	f.BoolVar(&c.serve, "serve", false, "keep serving, instead of showing a few orders (always so with -db, "+envDatabaseURL+" or real panels)")
	f.StringVar(&c.db, "db", "", "SQLite file at `PATH` (default "+envDatabaseURL+", or mainsite.db with real panels, or a temporary one)")
	f.DurationVar(&c.settle, "settle", 0, "how long a panel may still carry out a request whose answer was lost (default 2m, 2s with simulated panels)")
	f.DurationVar(&c.check, "check", time.Hour, "how often everything is compared with the panels; what differs is logged, nothing is changed")
	f.StringVar(&c.moved, "moved", "", "`NAME` of a panel, "+providerName+" or "+registrarName+", whose address has changed and which is still the same panel; both with a comma")
	f.Int64Var(&c.fallbackLocation, "fallback-location", 0, "`ID` of the VirtFusion hypervisor group for orders without a location when the groups cannot be read")
	switch err := f.Parse(p.args); {
	case errors.Is(err, flag.ErrHelp):
		f.SetOutput(p.stderr)
		f.Usage()
		return c, err
	case err != nil:
		return c, usageError{err}
	case f.NArg() > 0:
		return c, usageError{fmt.Errorf("unexpected argument %q", f.Arg(0))}
	case c.check <= 0:
		return c, usageError{errors.New("-check must be above 0")}
	case c.settle < 0:
		return c, usageError{errors.New("-settle must not be negative")}
	}
	return c, c.checkAddress()
}

// checkAddress refuses addresses that other machines can reach. One without a host means this machine.
func (c *config) checkAddress() error {
	if c.listen == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(c.listen)
	if err != nil {
		return usageError{fmt.Errorf("-listen %s: must be HOST:PORT, or :PORT for this machine", c.listen)}
	}
	if host == "" {
		host = "127.0.0.1"
		c.listen = net.JoinHostPort(host, port)
	}
	ip, err := netip.ParseAddr(host)
	local := host == "localhost" || err == nil && ip.Unmap().IsLoopback()
	if !local && !c.allowRemote {
		return usageError{fmt.Errorf("-listen %s can be reached from other machines, and the routes ask for no password: use 127.0.0.1, or allow it with -allow-remote", c.listen)}
	}
	return nil
}

// start opens everything in the order in which it depends on each other, and serves, or shows itself.
func (c config) start(ctx context.Context) error {
	simulated, err := c.simulated()
	if err != nil {
		return err
	}
	demo := simulated && !c.serve && c.db == "" && c.getenv(envDatabaseURL) == ""
	url, remove, err := c.databaseURL(simulated)
	if err != nil {
		return err
	}
	defer remove()
	db, err := openDatabase(ctx, url)
	if err != nil {
		return err
	}
	defer db.close()
	p, err := openPanels(ctx, c, simulated, db)
	if err != nil {
		return err
	}
	defer p.close()
	log := slog.New(slog.NewTextHandler(c.stderr, nil))
	if demo {
		log = slog.New(slog.DiscardHandler)
	}
	s, err := openSite(ctx, c.engineConfig(url, p, log), db, provisioning.Secret(c.getenv(envWebhookToken)))
	if err != nil {
		return err
	}
	defer s.close(ctx)
	address := cmp.Or(c.listen, defaultAddress)
	if demo {
		address = cmp.Or(c.listen, "127.0.0.1:0")
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	if demo {
		return showItself(ctx, s, p, l, c.stdout)
	}
	say(c.stdout, "The main site is at http://%s. It asks for no password. %s\n", l.Addr(), p.description)
	if p.warning != "" {
		say(c.stderr, "mainsite: %s. Servers are made all the same, and their records follow when this is put right\n", p.warning)
	}
	return s.serve(ctx, l, c.check)
}

// databaseURL is the database to use. One that nobody has named ends with this run.
func (c config) databaseURL(simulated bool) (url provisioning.Secret, remove func(), err error) {
	switch env := c.getenv(envDatabaseURL); {
	case c.db != "":
		return provisioning.Secret("sqlite:" + c.db), func() {}, nil
	case env != "":
		return provisioning.Secret(env), func() {}, nil
	case !simulated:
		return "sqlite:mainsite.db", func() {}, nil
	}
	dir, err := os.MkdirTemp("", "mainsite-")
	if err != nil {
		return "", nil, err
	}
	return provisioning.Secret("sqlite:" + filepath.Join(dir, "mainsite.db")), func() { _ = os.RemoveAll(dir) }, nil
}

// engineConfig says what the engine works with. Simulated panels are much faster than real ones, so it looks more often.
func (c config) engineConfig(url provisioning.Secret, p *panels, log *slog.Logger) engine.Config {
	settle, timings := cmp.Or(c.settle, 2*time.Minute), c.timings
	if p.simulated {
		settle = cmp.Or(c.settle, 2*time.Second)
		timings = engine.Timings{
			Sweep: 200 * time.Millisecond, Lease: 4 * time.Second, Observe: time.Minute, FirstLook: time.Second, Poll: 200 * time.Millisecond, Confirm: time.Second,
			RetryFirst: 250 * time.Millisecond, RetryMax: time.Second, Probe: 500 * time.Millisecond, RecordEvery: 500 * time.Millisecond, Watch: 100 * time.Millisecond,
		}
	}
	return engine.Config{
		DatabaseURL: url,
		Providers:   map[string]provisioning.Provider{providerName: p.provider},
		Registrars:  map[string]provisioning.Registrar{registrarName: p.registrar},
		Create:      provisioning.CreateOptions{Settle: settle, SendWindow: min(settle, 30*time.Second)},
		Timings:     timings,
		Moved:       strings.Split(c.moved, ","),
		PasswordKey: provisioning.Secret(c.getenv(envPasswordKey)),
		Logger:      log,
	}
}

// say prints. That nobody reads it is no reason to stop.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
