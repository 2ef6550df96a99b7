//go:build unix

// Chaos runs the engine as badly as it can get, and then counts. Three simulated panels (VirtFusion, SolusVM 2, and an OSPAB panel that only keeps records) live in this process. Worker processes, which are this
// program again, share one database and drive the panels over loopback HTTP. Every request may meet a fault, the workers are killed (SIGKILL) and stopped (SIGSTOP, SIGCONT) again and again, and services are ordered,
// suspended, resumed and cancelled at random. Then the faults end, and within a bounded time everything has to be right: every service as desired, exactly one server for each that is present, none for the others, one
// record each with the right status, and at no time a second server or record of any service.
//
//	go run ./chaos                                                            # 200 services, 30 s of faults, SQLite
//	go run ./chaos -services 10000 -workers 2 -duration 10m                   # full scale on SQLite
//	go run ./chaos -services 10000 -workers 4 -duration 10m -database postgres://user@host/empty
//	go run ./chaos -token-source=false                                        # a registrar that cannot search
//	go run ./chaos -restore                                                   # the OSPAB panel is restored from an old backup
//
// The exit code is 0 when everything is right, 1 when it is not (each violation is listed), 2 for a wrong flag. -seed repeats the decisions; when they meet which request depends on the machine.
//
// With -token-source=false nothing can tell what became of a Register whose answer was lost. Such records have to end as Uncertain, listed and never sent again, and everything else as desired.
//
// With -restore the OSPAB panel is set back to an old backup in mid-run: records are missing, deleted ones are back, statuses are old. The engine must not delete or make anything by itself then. The panel is paused, and
// one Reconcile tells all of it; what it calls drift is mended by the engine, a record that is missing is settled by a person (SettleRecord), and a stray is deleted by a person. Then the run goes on.
//
// # What is left out
//
// Only creates are committed late, that is after their answer was lost. A suspension that a panel carries out seconds after it has answered the request that replaced it cannot be told from one that somebody else has placed: the engine
// shows it as held, which is right and not as desired. For the same reason a worker that was stopped is not killed within a second of its waking up: it may have sent what it had begun, and is about to store that.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	services    int
	seed        uint64
	duration    time.Duration // of the faults
	settle      time.Duration // how long it may take afterwards
	database    string
	workers     int
	faults      int // how many of a hundred requests meet one
	tokenSource bool
	restore     bool
	verbose     bool
}

func main() {
	if os.Getenv(envWorker) != "" {
		os.Exit(worker(os.Stdin, os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	r, err := simulate(ctx, o, stderr)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "chaos:", err)
		return 1
	}
	r.print(stdout)
	if len(r.violations) > 0 {
		return 1
	}
	return 0
}

func parseFlags(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.services, "services", 200, "how many `services` are ordered")
	f.Uint64Var(&o.seed, "seed", 1, "`number` that the random decisions begin with")
	f.DurationVar(&o.duration, "duration", 30*time.Second, "how long there are faults, kills and changes")
	f.DurationVar(&o.settle, "settle", 0, "how long it may take afterwards (default 60s, and 60ms for each service)")
	f.StringVar(&o.database, "database", "", "`URL` of an empty database, postgres://... or sqlite:FILE (default a temporary file)")
	f.IntVar(&o.workers, "workers", 3, "worker `processes`")
	f.IntVar(&o.faults, "faults", 10, "how many of a hundred requests meet a fault")
	f.BoolVar(&o.tokenSource, "token-source", true, "give the registrar the customers' tokens, so that it can search")
	f.BoolVar(&o.restore, "restore", false, "restore the OSPAB panel from an old backup in mid-run")
	f.BoolVar(&o.verbose, "v", false, "print what the engines log")
	if err := f.Parse(args); err != nil {
		return o, err //nolint:wrapcheck // flag has printed it
	}
	if o.settle == 0 {
		o.settle = time.Minute + time.Duration(o.services)*60*time.Millisecond
	}
	switch {
	case f.NArg() > 0:
		err = fmt.Errorf("chaos: unexpected argument %q", f.Arg(0))
	case o.services < 1 || o.services > 50_000 || o.workers < 1 || o.workers > 64:
		err = errors.New("chaos: -services must be 1 to 50000, and -workers 1 to 64")
	case o.faults < 0 || o.faults > 50:
		err = errors.New("chaos: -faults must be 0 to 50")
	case o.duration < time.Second || o.settle < time.Second:
		err = errors.New("chaos: -duration and -settle must be 1s or more")
	case o.restore && !o.tokenSource:
		err = errors.New("chaos: -restore needs the token source: without it nobody can compare records")
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
	}
	return o, err
}
