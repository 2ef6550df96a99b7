// Whmcs-ipsync keeps the IP addresses of services in WHMCS in step with their servers on a SolusVM 2 panel: when an address was added or removed, or a server was
// moved, the panel calls this program, which reads the server and updates the service.
//
// Without settings it uses a simulated panel and a simulated WHMCS, and touches nothing outside of this process:
//
//	go run ./examples/whmcs-ipsync
//
// README.md in this folder describes settings, flags and the setup of the panel. sync.go and whmcs.go are the parts to copy.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // a flag or a setting is wrong; nothing was done
)

// usageError is a mistake of the caller.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// config is what the flags say.
type config struct {
	listen, path, state string
	separator           string
	ipv6, clear         bool
	resync              time.Duration
	importFile          string
	failed, retry       bool
	printSetup          bool
	url, name           string
	verbose             bool
	serve               bool // a flag was given that only makes sense with real panels
	getenv              func(string) string
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
		return exitUsage // said already
	}
	c.getenv = getenv
	if err := c.run(ctx, stdout, stderr); err != nil {
		for line := range strings.Lines(err.Error()) {
			say(stderr, "whmcs-ipsync: %s\n", strings.TrimSpace(line))
		}
		if _, mistake := errors.AsType[usageError](err); mistake {
			return exitUsage
		}
		return exitFailed
	}
	return exitDone
}

func parseFlags(args []string, stderr io.Writer) (config, error) {
	var c config
	var separator string
	f := flag.NewFlagSet("whmcs-ipsync", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&c.listen, "listen", "127.0.0.1:8787", "`ADDRESS` to receive notifications at")
	f.StringVar(&c.path, "path", "/solusvm2", "`PATH` of the URL to receive notifications at")
	f.StringVar(&c.state, "state", "ipsync-state", "`DIR` with the map, and with the notifications that are not done")
	f.StringVar(&separator, "separator", "newline", "between the addresses in assignedips: newline or comma")
	f.BoolVar(&c.ipv6, "ipv6", true, "write IPv6 addresses too")
	f.BoolVar(&c.clear, "clear", false, "clear the addresses of a service whose server has none; without it they are left for a person")
	f.DurationVar(&c.resync, "resync", 6*time.Hour, "compare every server of the map this often, and at the start; 0 is never")
	f.StringVar(&c.importFile, "import", "", "make a CSV `FILE` the map of servers and services, and end")
	f.BoolVar(&c.failed, "failed", false, "list what waits for a person, and end")
	f.BoolVar(&c.retry, "retry", false, "try again what waits for a person, and end")
	f.BoolVar(&c.printSetup, "print-setup", false, "print what to enter in the panel, with the secret, and end")
	f.StringVar(&c.url, "url", "", "with -print-setup: `URL` at which the panel reaches this program")
	f.StringVar(&c.name, "name", "whmcs-ipsync", "with -print-setup: `NAME` of the event handler")
	f.BoolVar(&c.verbose, "v", false, "log what did not change, too")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	wrong := ""
	switch {
	case f.NArg() > 0:
		wrong = fmt.Sprintf("unexpected argument %q", f.Arg(0))
	case separator != "newline" && separator != "comma":
		wrong = fmt.Sprintf("-separator %q is neither newline nor comma", separator)
	case !strings.HasPrefix(c.path, "/"):
		wrong = fmt.Sprintf("-path %q does not begin with /", c.path)
	case c.resync < 0:
		wrong = "-resync must not be negative"
	}
	if wrong != "" {
		say(stderr, "whmcs-ipsync: %s\n", wrong)
		return c, errors.New(wrong)
	}
	c.separator = map[string]string{"newline": "\n", "comma": ","}[separator]
	f.Visit(func(g *flag.Flag) {
		c.serve = c.serve || g.Name == "listen" || g.Name == "state" || g.Name == "path" || g.Name == "resync"
	})
	return c, nil
}

func (c config) run(ctx context.Context, stdout, stderr io.Writer) error {
	switch {
	case c.printSetup:
		return c.setup(stdout)
	case c.importFile != "":
		return c.importMap(stdout)
	case c.failed:
		return c.listFailed(stdout)
	case c.retry:
		return c.retryFailed(stdout)
	case c.serve || c.anySetting():
		return c.receive(ctx, stdout, stderr)
	}
	return demonstrate(ctx, c, stdout)
}

// say prints. That nobody reads it is no reason to stop.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
