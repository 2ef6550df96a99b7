//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// envWorker makes this program a worker. What it works on comes through its standard input, and when that ends, so does the worker.
const envWorker = "HVPANELS_CHAOS_WORKER"

// setup is what a worker has to know.
type setup struct {
	Database             provisioning.Secret
	Alpha, Beta, Records string // URLs
	Users                []account
	TokenSource          bool
	Observe              time.Duration
	Workers              int
	Verbose              bool
}

// account is a customer's user on the OSPAB panel.
type account struct {
	Ref      string // of the customer
	ID       int64
	Name     string
	Password provisioning.Secret
}

// worker is the program of a worker process: an engine that works until somebody ends it.
func worker(stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err := work(ctx, stop, stdin, stdout, stderr)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "worker:", err)
		return 1
	}
	return 0
}

func work(ctx context.Context, stop func(), stdin io.Reader, stdout, stderr io.Writer) error {
	var s setup
	in := json.NewDecoder(stdin)
	if err := in.Decode(&s); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	go func() { // whoever started this process has died
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()
	c, err := s.config(attemptTimeout)
	if err != nil {
		return err
	}
	if s.Verbose {
		c.Logger = slog.New(slog.NewTextHandler(stderr, nil)).With("pid", os.Getpid())
	}
	e, err := engine.Open(ctx, c)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if err := e.Start(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if _, err := fmt.Fprintln(stdout, "working"); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	<-ctx.Done()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return e.Close(limit)
}

// config is the engine of this run. Its clocks are shorter than those for real panels, which are slower.
func (s setup) config(timeout time.Duration) (engine.Config, error) {
	c := engine.Config{
		DatabaseURL: s.Database, Workers: s.Workers,
		Create: provisioning.CreateOptions{SendWindow: 2 * time.Second, Settle: 3 * time.Second},
		Timings: engine.Timings{
			Sweep: 200 * time.Millisecond, Lease: 1500 * time.Millisecond, Watchdog: 2 * time.Second, StepTimeout: 10 * time.Second, Observe: s.Observe, FirstLook: time.Second, Poll: 100 * time.Millisecond,
			Confirm: 300 * time.Millisecond, RetryFirst: 100 * time.Millisecond, RetryMax: 2 * time.Second, Probe: time.Second, RecordEvery: 200 * time.Millisecond,
		},
	}
	a, err := virtfusion.New(s.Alpha, simulatedToken, virtfusion.WithAttemptTimeout(timeout))
	if err != nil {
		return c, fmt.Errorf("alpha: %w", err)
	}
	b, err := solusvm2.New(s.Beta, simulatedToken, solusvm2.WithAttemptTimeout(timeout))
	if err != nil {
		return c, fmt.Errorf("beta: %w", err)
	}
	c.Providers = map[string]provisioning.Provider{
		alpha: virtfusion.NewProvider(a, virtfusion.ProviderOptions{}), beta: solusvm2.NewProvider(b, solusvm2.ProviderOptions{}),
	}
	r, err := s.registrar(timeout)
	if err != nil {
		return c, fmt.Errorf("records: %w", err)
	}
	c.Registrars = map[string]provisioning.Registrar{records: r}
	return c, nil
}

func (s setup) registrar(timeout time.Duration) (provisioning.Registrar, error) {
	client, err := ospabpanel.New(s.Records, simulatedKey, ospabpanel.WithAttemptTimeout(timeout))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	table := ospabpanel.UserTable{}
	for _, u := range s.Users {
		table[u.Ref] = ospabpanel.PanelUserID(u.ID)
	}
	r, err := ospabpanel.NewRegistrar(client, table)
	if err != nil || !s.TokenSource {
		return r, err
	}
	clients, err := s.userClients(timeout)
	if err != nil {
		return nil, err
	}
	return ospabpanel.NewFindingRegistrar(r, clients)
}

// userClients logs customers in with their passwords, each when it is needed.
func (s setup) userClients(timeout time.Duration) (ospabpanel.UserClients, error) {
	auth, err := ospabpanel.NewAuth(s.Records, ospabpanel.WithAttemptTimeout(timeout))
	if err != nil {
		return nil, fmt.Errorf("logins: %w", err)
	}
	var mu sync.Mutex
	made := map[ospabpanel.PanelUserID]*ospabpanel.UserClient{}
	return func(_ context.Context, user ospabpanel.PanelUserID) (*ospabpanel.UserClient, error) {
		mu.Lock()
		defer mu.Unlock()
		if made[user] != nil {
			return made[user], nil
		}
		for _, u := range s.Users {
			if ospabpanel.PanelUserID(u.ID) != user {
				continue
			}
			c, err := ospabpanel.NewUserClient(s.Records, user, auth.Tokens(u.Name, u.Password), ospabpanel.WithAttemptTimeout(timeout))
			if err == nil {
				made[user] = c
			}
			return c, err
		}
		return nil, fmt.Errorf("panel user %d is not a customer", user)
	}, nil
}
