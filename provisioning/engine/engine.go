package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Engine makes services what they should be. Open makes one; it stores and reads at once, and works after Start. It is safe for concurrent use, and any
// number of engines, in any number of processes, may work on one database.
type Engine struct {
	config   Config
	panels   map[string]*panel
	db       database
	log      *slog.Logger
	metrics  Metrics
	vault    *vault
	process  string // random for each Open: a restarted process must not renew the leases of a dead one
	sequence atomic.Int64
	images   imageNames

	mu      sync.Mutex
	running map[string]context.CancelCauseFunc // steps of this process by token
	failed  map[string]bool                    // panels whose count of failures this process has raised
	started bool
	ended   context.CancelFunc
	loops   sync.WaitGroup
	closed  sync.Once
}

// String names the engine, and none of its settings, of which some are secret.
func (e *Engine) String() string { return "engine.Engine " + e.process }

// GoString is String.
func (e *Engine) GoString() string { return e.String() }

// Open connects to the database, brings its tables up to date, and binds the names of the panels to their addresses. It sends nothing to any panel. Errors
// are of Kind Invalid for a wrong Config, Mismatch for a name whose panel has another address than before, and the database's own.
func Open(ctx context.Context, c Config) (*Engine, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	v, err := newVault(c.PasswordKey)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		config: c, panels: c.panels(), log: c.Logger, metrics: c.Metrics, vault: v, process: rand.Text(),
		running: map[string]context.CancelCauseFunc{}, failed: map[string]bool{}, images: imageNames{seen: map[imageKey]imageName{}},
	}
	e.config.DatabaseURL, e.config.PasswordKey = "", "" // fmt reaches unexported fields, and not their methods
	if e.db, err = openDatabase(ctx, c.DatabaseURL); err != nil {
		return nil, err
	}
	if err := errors.Join(e.db.migrate(ctx), e.db.river(e)); err != nil {
		e.db.close()
		return nil, err
	}
	if err := e.bindPanels(ctx); err != nil {
		e.db.close()
		return nil, err
	}
	return e, nil
}

// Start begins to work, until Close; the end of ctx does not end it. Services that wait from before are taken up at once.
func (e *Engine) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.started {
		return &provisioning.Error{Op: "Start", Kind: provisioning.Conflict, Message: "the engine was started before"}
	}
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	if err := e.db.start(work); err != nil {
		end()
		return err
	}
	e.started, e.ended = true, end
	e.loops.Go(func() { e.every(work, e.config.Timings.Sweep, e.sweep) })
	e.loops.Go(func() { e.every(work, e.config.Timings.Lease/3, e.beat) })
	return nil
}

// Close stops taking up steps and waits for those that run until ctx ends; then their contexts end, and nothing is lost. The engine cannot be used afterwards.
func (e *Engine) Close(ctx context.Context) error {
	var err error
	e.closed.Do(func() {
		e.mu.Lock()
		started := e.started
		e.started = true // Start is refused from now on
		e.mu.Unlock()
		if started {
			if err = e.db.stop(ctx); err != nil {
				e.cancelSteps(errClosing)
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second) // a provider that ignores its context is left behind
				err = errors.Join(err, e.db.stop(last))
				cancel()
			}
			e.ended()
			e.loops.Wait()
		}
		e.db.close()
	})
	return err
}

var (
	errClosing = errors.New("the engine is closing")
	errFenced  = errors.New("another process has taken over")
)

func (e *Engine) cancelSteps(cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, cancel := range e.running {
		cancel(cause)
	}
}
